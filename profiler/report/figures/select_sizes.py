"""The figure of what the models weigh against the caches, in data and words."""

from collections.abc import Callable, Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.machine.cache_fit import Level, levels
from profiler.records import Model, Study
from profiler.report.figures.data import SizeDots
from profiler.report.figures.select_costs import SPOKEN_OF
from profiler.report.model import Figure

_SIZES: dict[str, Callable[[Model], int | None]] = {
    "file": lambda model: model.size_bytes,
    "weights that an inference reads": lambda model: model.network.read_bytes if model.network else None,
    "working set of an inference": lambda model: model.network.working_set_bytes if model.network else None,
    "resident after load and first inference": lambda model: _resident(model),
}


def sizes(study: Study) -> Iterator[Figure]:
    """What is known of the models' sizes, beside the caches."""
    found = {words: _of(study.models, size) for words, size in _SIZES.items()}
    panels = {words: sizes for words, sizes in found.items() if sizes}
    # A mark alone is no figure.
    if sum(map(len, panels.values())) < 2:
        return
    holding, whose = _caches(study)
    lack = [words for words, sizes in found.items() if len(sizes) < len(study.models)]
    title = "Sizes of the models against the caches" if holding else "Sizes of the models"
    alt = "; ".join(f"{words}: {_told(sizes)}" for words, sizes in panels.items())
    named = ", ".join(f"{name} {notation.plain(size, 'bytes')}" for name, size in holding)
    caches = f" Caches: {named}." if holding else ""
    caption = [f"Dotted lines are {whose}."] if holding else []
    if "working set of an inference" in panels:
        caption.append(
            "The working set is all weights that an inference reads and its activations' memory, by the file."
        )
    if "resident after load and first inference" in panels:
        caption.append(
            "Resident is what one uncounted load and first inference added to the process: the engine's own memory and "
            "the file's mapped pages."
        )
    caption.append("Equal steps are equal factors; all panels have one scale.")
    if lack:
        caption.append(f"Not known of every model: {notation.listed(lack)}.")
    yield Figure("sizes", title, f"{title}. {alt}.{caches}", " ".join(caption), SizeDots(panels, holding, whose))


def _of(models: Sequence[Model], size: Callable[[Model], int | None]) -> dict[str, int]:
    """What has no bytes has no place on a logarithmic axis."""
    return {model.label: found for model in models if (found := size(model))}


def _resident(model: Model) -> int | None:
    seen = model.resident
    return seen.load_bytes + (seen.first_bytes or 0) + seen.file_bytes if seen else None


def _caches(study: Study) -> tuple[tuple[Level, ...], str]:
    """Those that are simulated, where some are, and whose they are."""
    if study.simulation:
        return levels(study.simulation.target.caches), f"the {SIMULATED} caches of {study.simulation.target.title}"
    return levels(study.machine.caches), "the caches of this machine"


def _told(sizes: dict[str, int]) -> str:
    if len(sizes) <= SPOKEN_OF:
        return ", ".join(f"{label} {notation.plain(size, 'bytes')}" for label, size in sizes.items())
    ends = (min(sizes, key=lambda label: sizes[label]), max(sizes, key=lambda label: sizes[label]))
    return " to ".join(f"{notation.plain(sizes[label], 'bytes')} ({label})" for label in ends)
