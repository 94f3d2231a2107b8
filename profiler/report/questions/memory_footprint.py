"""What models need of memory and work, beside each other: bytes by kind, operations, and the caches that hold them."""

from collections.abc import Callable, Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import Measure
from profiler.analysis.labels import SIMULATED
from profiler.analysis.stats import MATTERS
from profiler.analysis.study_analysis import Analysis
from profiler.machine.cache_fit import levels
from profiler.records import Cache, Model, Study
from profiler.report.questions.common import SINGLY, noun, way
from profiler.report.sections.working_sets import fate


def resident(model: Model) -> int | None:
    """What a load and a first inference added to a process, in bytes: the engine's memory and the file's own pages."""
    found = model.resident
    return found.load_bytes + (found.first_bytes or 0) + found.file_bytes if found else None


SIZES: dict[str, Callable[[Model], int | None]] = {
    "file": lambda model: model.size_bytes,
    "weights": lambda model: model.network.read_bytes if model.network else None,
    "resident memory": resident,
    "working set": lambda model: model.network.working_set_bytes if model.network else None,
}
"""How large a model is, in bytes, by what is meant; None where it is not known."""

_NAMED = 8
"""Most models that a sentence names."""


def facts(study: Study, analysis: Analysis, measure: Measure | None) -> Iterator[str]:
    """What is in the files that no inference reads, the work, resident memory, and which caches hold what."""
    yield from _optimiser(study.models)
    yield from _work(study.models, analysis, measure)
    yield from _resident(study.models, analysis)
    for title, caches in _places(study):
        yield from _held(study.models, title, caches)


def _optimiser(models: Sequence[Model]) -> Iterator[str]:
    for model in models:
        shares = model.network.shares if model.network else ()
        state = sum(share.size_bytes for share in shares if share.kind == "optimiser")
        if state:
            yield (
                f"Of {model.label}'s file {notation.size(state)} ({notation.percent(state / model.size_bytes)}) are "
                "the "
                "optimiser's state, which no inference reads."
            )


def _work(models: Sequence[Model], analysis: Analysis, measure: Measure | None) -> Iterator[str]:
    """Multiply-accumulates, and whether they can account for the costs' ratio."""
    found = {model.label: model.network.macs for model in models if model.network and model.network.macs}
    if not found:
        return
    least, most = min(found.values()), max(found.values())
    if len(found) == 1 or most / least - 1 > MATTERS:
        listed = notation.listed((f"{label} {notation.plain(macs, '')}" for label, macs in found.items()), _NAMED)
        yield f"Multiply-accumulates of an inference: {listed}."
        return
    same = f"An inference of each model computes {notation.plain(most, '')} multiply-accumulates"
    if measure and any(_differs(label, analysis.baseline, measure) for label in found):
        yield f"{same}, so their number does not account for the difference in {noun(measure)} for each image."
    else:
        yield f"{same}."


def _differs(label: str, base: str, measure: Measure) -> bool:
    first, second = (measure.costs[measure.event.name, each].per_image for each in (label, base))
    return way(first, second, measure.costs) in ("more", "less")


def _resident(models: Sequence[Model], analysis: Analysis) -> Iterator[str]:
    """What a load added, and the peak of the whole process; of many models the ends of the latter alone."""
    seen = [
        f"{model.label} {notation.size(found.load_bytes + (found.first_bytes or 0))} of the engine's own and "
        f"{notation.size(found.file_bytes)} of the file"
        for model in models
        if (found := model.resident)
    ]
    if 0 < len(seen) <= SINGLY:
        yield f"Resident after one uncounted load and first inference: {'; '.join(seen)}."
    ranked = sorted(analysis.peak_rss_bytes.items(), key=lambda each: each[1].value)
    ends = ranked if len(ranked) <= SINGLY else [ranked[0], ranked[-1]]
    told = [f"{label} {notation.in_sentence(peak, 'bytes')}" for label, peak in ends]
    if told:
        between = notation.listed(told) if ends is ranked else " to ".join(told)
        yield f"The whole process, interpreter and engine included, had at its peak: {between}."


def _places(study: Study) -> Iterator[tuple[str, Sequence[Cache]]]:
    """The caches of this machine, where something was counted on it, and the simulated ones."""
    if study.counter_source is not None:
        yield "the caches of this machine", study.machine.caches
    if study.simulation:
        yield f"the {SIMULATED} caches of {study.simulation.target.title}", study.simulation.target.caches


def _held(models: Sequence[Model], title: str, caches: Sequence[Cache]) -> Iterator[str]:
    """Which caches hold the weights and the working sets, models of one fate together."""
    holding, by_fate = levels(caches), dict[str, list[str]]()
    for model in models:
        sizes_of = {what: SIZES[what](model) for what in ("weights", "working set")}
        said = "; ".join(f"{what}: {fate(size, holding)}" for what, size in sizes_of.items() if size is not None)
        if said:
            by_fate.setdefault(said, []).append(model.label)
    if holding and by_fate:
        named = ", ".join(f"{name} {notation.size(size)}" for name, size in holding)
        parts = [
            f"{'all models' if len(labels) == len(models) > 1 else notation.listed(labels, _NAMED)} ({said})"
            for said, labels in by_fate.items()
        ]
        yield f"Against {title} ({named}): {', '.join(parts)}."
