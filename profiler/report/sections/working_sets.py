"""The section on working sets against caches: what fits where, and how the misses go with it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.costs import Cost, Costs
from profiler.analysis.labels import SIMULATED, keyed, titled
from profiler.analysis.study_analysis import Analysis
from profiler.machine.cache_fit import Level, fits, levels
from profiler.records import Cache, Event, Model, Network, Study
from profiler.report.cells import Column, absent, fact, name, share, tabulated
from profiler.report.figures.data import MissDots, OperatorBars
from profiler.report.model import Cell, Figure, Label, Section, Table

_REFILLS = "l2d_refill"
"""Metric of lines that the L2 brings in on demand."""

LINE_BYTES = 64
"""Of the caches of all known machines; for one that does not tell."""

_FITS = (
    "For each model: how many operators have a working set (inputs, weights and outputs of one image) for which this "
    "is the first cache that holds it, and their share of the multiply-accumulates. A shared cache counts as if one "
    "core had all of it. An operator that fits nowhere does not miss at every access: its kernel works in blocks, and "
    "what does not fit has to come from further out at least once."
)


class _Place(NamedTuple):
    """Caches to hold working sets against: whose they are, in words."""

    key: str
    title: str
    caches: tuple[Cache, ...]

    @property
    def levels(self) -> tuple[Level, ...]:
        return levels(self.caches)


def working_sets(study: Study, analysis: Analysis) -> Section | None:
    """What fits into the caches at hand, and the misses beside it; None where no file was read or no cache is known."""
    known = [(model, model.network) for model in study.models if model.network and model.network.operators]
    places = list(_places(study))
    if not known or not places:
        return None
    return Section(
        "Working sets against caches",
        sentences=tuple(filter(None, [" ".join(filter(None, (_whole(known, place) for place in places)))])),
        tables=tuple(_table(known, place, _FITS if place is places[0] else "") for place in places),
        figures=(*_bars(known, places[-1]), *_misses(study, analysis)),
    )


def _places(study: Study) -> Iterator[_Place]:
    """This machine, where something was measured on it, and the simulated one; one place where both are alike."""
    here, simulation = study.machine, study.simulation
    measured = study.counter_source is not None and bool(levels(here.caches))
    if measured and simulation and levels(here.caches) == levels(simulation.target.caches):
        yield _Place("here", f"the caches of this machine, the {SIMULATED} ones alike", here.caches)
        return
    if measured:
        yield _Place("here", "the caches of this machine", here.caches)
    if simulation:
        yield _Place(SIMULATED, f"the {SIMULATED} caches of {simulation.target.title}", simulation.target.caches)


def _whole(known: Sequence[tuple[Model, Network]], place: _Place) -> str:
    """Which level the working set of a whole inference fits into."""
    by_level: dict[str | None, list[str]] = {}
    for model, network in known:
        size = network.working_set_bytes
        if size is not None:
            by_level.setdefault(fits(size, place.levels), []).append(f"{model.label} ({notation.size(size)})")
    order = [*(name for name, _ in place.levels), None]
    parts = [
        f"{notation.listed(by_level[name])} {'fits' if len(by_level[name]) == 1 else 'fit'} "
        f"{f'into {name}' if name else 'into none of them'}"
        for name in order
        if name in by_level
    ]
    return f"Of whole inferences, in {place.title}: {'; '.join(parts)}." if parts else ""


def _table(known: Sequence[tuple[Model, Network]], place: _Place, caption: str) -> Table:
    """A row a model: operators by the first level that holds them."""

    def holding(head: Label, level: str | None) -> Column[Network]:
        return Column(head, lambda network: _fitting(network, place, level))

    heads = [(name, Label((f"first fits {name}",), (notation.size(size),))) for name, size in place.levels]
    columns = [
        *(holding(head, level) for level, head in heads),
        holding(Label(("fits",), ("none",)), None),
        Column(Label(("largest",), ("operator",)), _largest),
        Column(Label(("whole",), ("inference",)), lambda network: _whole_fit(network, place)),
    ]
    rows = [(name(model.label, notes=_unknown(network)), network) for model, network in known]
    return tabulated(f"fits-{place.key}", f"Operators in {place.title}", "model", rows, columns, caption)


def _unknown(network: Network) -> tuple[str, ...]:
    """That operators are in no column."""
    number = sum(operator.working_set_bytes is None for operator in network.operators)
    return (f"without {notation.counted(number, 'operator')} whose shapes are not known",) if number else ()


def _largest(network: Network) -> Cell:
    largest = network.largest
    return fact(largest.working_set_bytes, "bytes", under=largest.name) if largest else absent("", "bytes")


def _fitting(network: Network, place: _Place, level: str | None) -> Cell:
    """How many operators fit that level first, and their share of the multiply-accumulates."""
    sizes = ((each, each.working_set_bytes) for each in network.operators)
    macs = [each.macs or 0 for each, size in sizes if size is not None and fits(size, place.levels) == level]
    return Cell(len(macs), under=share(sum(macs), network.macs, "of MACs") if macs and network.macs else "")


def _whole_fit(network: Network, place: _Place) -> Cell:
    size = network.working_set_bytes
    return fact(size, "bytes", under="" if size is None else fate(size, place.levels))


def fate(size: int, holding: Sequence[Level]) -> str:
    """`fits L3, spills L1D and L2`: which caches hold so many bytes."""
    fit, spilt = fits(size, holding), [name for name, holds in holding if size > holds]
    return ", ".join([*([f"fits {fit}"] if fit else []), *([f"spills {notation.listed(spilt)}"] if spilt else [])])


def _bars(known: Sequence[tuple[Model, Network]], place: _Place) -> Iterator[Figure]:
    title = "Working set of each operator, in order of execution"
    sets = {
        model.label: tuple(each.working_set_bytes for each in network.operators if each.working_set_bytes is not None)
        for model, network in known
        if network.largest
    }
    if not sets:
        return
    alt = "; ".join(
        f"{label}: {notation.counted(len(sizes), 'operator')} of up to {notation.size(max(sizes))}"
        for label, sizes in sets.items()
    )
    yield Figure(
        "working-sets",
        title,
        f"{title}. {alt}.",
        f"Inputs, weights and outputs of one image, from the files; the dashed lines are {place.title}. Equal "
        "steps upwards are equal factors; all models have one scale.",
        OperatorBars(sets, place.levels),
    )


def _misses(study: Study, analysis: Analysis) -> Iterator[Figure]:
    """Misses against working sets, counted ones and simulated ones each in a figure of their own."""
    if study.counter_source is not None:
        yield from _miss_dots(study.models, analysis.costs, study.machine.caches, "counted on this machine")
    if study.simulation and analysis.simulated:
        whose = f"{SIMULATED}, through the caches of {study.simulation.target.title}"
        yield from _miss_dots(study.models, analysis.simulated, study.simulation.target.caches, whose)


def _miss_dots(models: Sequence[Model], costs: Costs, caches: Sequence[Cache], whose: str) -> Iterator[Figure]:
    sizes = {
        model.label: size for model in models if model.network and (size := model.network.working_set_bytes) is not None
    }
    metrics = {
        "what the L2 lacks": "llc_load" if any(cache.level == 3 for cache in caches) else _REFILLS,
        "what the last cache lacks": "llc_load_miss",
    }
    panels = {}
    for words, metric in metrics.items():
        event = costs.answering(metric)
        # On logarithmic axes both figures must be above 0.
        found = tuple(
            cost
            for cost in (costs.of(event) if event else ())
            if cost.per_image and cost.per_image.value > 0 and sizes.get(cost.model, 0) > 0
        )
        if len(found) > 1:
            panels[words] = found
    if not panels:
        return
    line = next((cache.line_bytes for cache in caches if cache.level > 1 and cache.line_bytes), LINE_BYTES)
    marked = tuple((name, size) for name, size in levels(caches) if not name.startswith("L1"))
    title = titled("Misses for each image against the working set", costs.simulated)
    events = {words: found[0].event for words, found in panels.items()}
    names = notation.listed(f"{words}: {event.name}" for words, event in events.items())
    alt = "; ".join(
        f"{words}, {notation.listed(_point(each, sizes) for each in found)}" for words, found in panels.items()
    )
    yield Figure(
        keyed("misses", costs.simulated),
        title,
        f"{title}. {alt}.",
        f"For each image, {whose} ({names}). A mark is a model; dotted lines are cache sizes. The dashed line is the "
        f"working set over {line} bytes: each of its lines brought in once, as if none stayed from the image before. "
        f"{_sides(tuple(events.values()), costs.simulated)}",
        MissDots(sizes, panels, marked, line),
    )


def _sides(events: Sequence[Event], simulated: bool) -> str:
    """What puts a mark below or above the dashed line.

    Simulated reads of an L3 and of memory have a prefetcher's among them, simulated refills have not; of counted events
    cores differ.
    """
    refills = [event.metric == _REFILLS for event in events]
    kept = "something stayed" if simulated and not any(refills) else "something stayed, or a prefetcher brought it"
    others = "code and the engine's own data"
    if not simulated or not all(refills):
        others = "code, the engine's own data, and what a prefetcher brought in vain"
    return f"Below it {kept}; above it lines came more than once, or others came with them: {others}."


def _point(cost: Cost, sizes: dict[str, int]) -> str:
    assert cost.per_image
    return f"{cost.model} {notation.quantity(cost.per_image, cost.unit)} at {notation.size(sizes[cost.model])}"
