"""The section on simulated caches: their figures, in tables and figures of their own, and what they are worth."""

from collections.abc import Iterator

from profiler.analysis.ablation_pairs import LEADING
from profiler.analysis.costs import Costs
from profiler.analysis.labels import SIMULATED, events_in_order, titled
from profiler.analysis.notation import counted, listed, percent, quantity, sentence
from profiler.analysis.simulation_checks import Linearity, Repeat
from profiler.analysis.study_analysis import Analysis
from profiler.machine.targets import LATENCY
from profiler.records import Simulation, Study
from profiler.report.figures.data import RefillBars
from profiler.report.figures.select_costs import amortised, grid
from profiler.report.figures.select_costs import ratios as ratio_figures
from profiler.report.model import Figure, Section, Table
from profiler.report.sections import simulation_provenance
from profiler.report.sections.breakdown import derived_table, phase_costs
from profiler.report.sections.conditions import cache_table
from profiler.report.sections.cost_tables import cost_tables, ratios
from profiler.report.sections.terminal_summary import summary as cost_summary

SERVED = {"l1d_refill": "L1D refills", "l2d_refill": "L2 refills", "llc_load_miss": "LLC misses"}
"""What follows a read that misses, from cache to cache, by metric."""

_DRAWN = ("instructions", "l1d_access", *SERVED)
"""Metrics with a figure of counts against images."""

_IN_BRIEF = frozenset((*_DRAWN, "l2d_access", "l2d_invalidate", "llc_load", LATENCY))
"""Metrics that a terminal shows."""

_INTERVALS = (
    "Figures of the region `inference` stand without an interval, for simulated counts repeat; those of whole "
    "processes have one where there are runs enough."
)

_FINEST = 1e-4
"""Share from which on a difference is told."""

_NAMED = 4
"""Most repeated runs that a sentence names."""


def simulated(study: Study, analysis: Analysis) -> Section | None:
    """All that was simulated, in one section."""
    simulation, costs = study.simulation, analysis.simulated
    if simulation is None or costs is None:
        return None
    label = simulation_provenance.label(study, simulation)
    timed = any(cost.line for (event, _), cost in analysis.costs.items() if event in LEADING)
    derived = derived_table(costs, titled("Derived metrics", costs.simulated), label)
    sentences = (
        " ".join(_provenance(simulation)),
        " ".join(_proof(analysis)),
        " ".join((_INTERVALS, *ratios(costs))),
    )
    return Section(
        "Simulated caches",
        sentences=tuple(filter(None, sentences)),
        points=(*map(sentence, simulation.notes), *_latency(costs)),
        tables=(
            *cost_tables(costs, label),
            *([derived] if derived else []),
            *phase_costs(costs, label),
            cache_table("simulated-caches", f"The {SIMULATED} caches", simulation.target.caches),
        ),
        figures=(
            *_served(simulation, costs),
            *ratio_figures(costs, simulation),
            *([] if timed else amortised(costs)),
            *grid(costs, [event for metric in _DRAWN if (event := costs.answering(metric))]),
        ),
    )


def summary(study: Study, analysis: Analysis) -> tuple[Table, ...]:
    """The simulated figures for a terminal."""
    if study.simulation is None or analysis.simulated is None:
        return ()
    events = [event for event in events_in_order(analysis.simulated) if event.metric in _IN_BRIEF]
    return cost_summary(analysis.simulated, events, f" ({simulation_provenance.brief(study.simulation)})")


def _provenance(simulation: Simulation) -> Iterator[str]:
    """What ran, and what its counts are and are not."""
    title, whose = simulation.target.title, simulation_provenance.instructions(simulation)
    yield (
        f"Not measured: the models really ran under {simulation.version}, and each of their accesses to memory "
        f"passed through a model of the caches of {title}."
    )
    if simulation.guest:
        yield f"The programs were those of a virtual {simulation.guest}: its system, Python and engines."
    yield (
        f"Instructions and accesses are counted of {whose}, not of {title}'s own, which are others: only the caches "
        "are its."
        if simulation_provenance.foreign(simulation)
        else f"Instructions and accesses are counted of {whose}."
    )


def _proof(analysis: Analysis) -> Iterator[str]:
    """Whether counts repeat, and whether they are proportionate to the images."""
    same = [_named(repeat) for repeat in analysis.repeats if repeat.worst is None]
    if same:
        events = min(repeat.events for repeat in analysis.repeats if repeat.worst is None)
        yield f"{listed(same, _NAMED)} gave the same counts in all {counted(events, 'event')}."
    for repeat in analysis.repeats:
        if repeat.worst is not None:
            yield f"{_named(repeat)} differ by up to {_at_most(repeat.apart)} ({repeat.worst})."
    yield from map(_linear, analysis.linearity)


def _named(repeat: Repeat) -> str:
    case = repeat.case
    where = "" if case.region == "inference" else f" (region `{case.region}`)"
    return f"{counted(repeat.runs, 'run')} of {case.model} with {counted(case.images, 'image')}{where}"


def _linear(found: Linearity) -> str:
    over = f"Over {listed(map(str, found.images))} images {found.model}'s {SIMULATED}"
    every = f"all {counted(found.events, 'event')} within {_at_most(found.off)}"
    if found.off > _FINEST:
        every += f" (the worst: {found.worst})"
    if found.instructions is None:
        return f"{over} counts lie on lines: {every}."
    return f"{over} instructions lie on a line within {_at_most(found.instructions)}, {every}."


def _at_most(share: float) -> str:
    """A share in percent; less than the finest is said to be within that."""
    return percent(max(share, _FINEST))


def _latency(costs: Costs) -> Iterator[str]:
    """How the one modelled figure was made."""
    event = next((event for event in costs.events if event.name == LATENCY), None)
    if event is None or not costs.of(event):
        return
    how = sentence(event.meaning.removeprefix("modelled: "))
    yield f"{LATENCY} is no count but modelled, an upper bound. {how}"


_PREFETCHED = " Refills leave out what the modelled prefetcher brought, LLC misses do not, so these can be more."


def _served(simulation: Simulation, costs: Costs) -> Iterator[Figure]:
    """Who serves the reads that miss, where at least two caches tell."""
    events = {words: event for metric, words in SERVED.items() if (event := costs.answering(metric))}
    bars = {
        label: {words: cost for words, event in events.items() if (cost := costs[event.name, label]).per_image}
        for label in costs.models
    }
    bars = {label: found for label, found in bars.items() if len(found) > 1}
    if not bars:
        return
    title = titled("Where the refills are served", costs.simulated)
    told = {
        label: [f"{words} {quantity(each, cost.unit)}" for words, cost in its.items() if (each := cost.per_image)]
        for label, its in bars.items()
    }
    alt = "; ".join(f"{label}: {listed(figures)}" for label, figures in told.items())
    names = listed(f"{words} are {event.name}" for words, event in events.items())
    fetched = "" if simulation.target.prefetch.get("kind", "none") == "none" else _PREFETCHED
    yield Figure(
        f"{SIMULATED}-refills",
        title,
        f"{title}, for each image. {alt}.",
        f"For each image, {SIMULATED} {simulation_provenance.through(simulation)}: what one cache lacks, the next is "
        "asked for, "
        f"and what the last one lacks comes from memory. {names}.{fetched} Models have their own scales.",
        RefillBars(bars),
    )
