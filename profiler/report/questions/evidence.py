"""Which event answers a question on a core, what it counts there, and why there is no figure of it."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from msgspec import structs

from profiler.analysis import notation, stats
from profiler.analysis.costs import Cost, Costs, FigureOf, quotient, together
from profiler.analysis.labels import SIMULATED, lab_images, row_name
from profiler.analysis.metrics import scaled
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.machine import events as catalogue
from profiler.records import Cache, Event, Plan, Study
from profiler.report.questions.common import again, anew, written
from profiler.report.sections.simulation_provenance import through

_OF_SIMULATORS = ("on", "caches", "simulated_images", "counters", "images", "regions", "repeats")
"""What a simulated sweep's plan has of its own that one on a machine with counters does without."""

TARGET = "pi5"
"""The machine whose caches are simulated where this one's core does not tell."""

REAL = "profiler doctor"
"""Says what would make this machine's counters count."""


class EventAnswer(NamedTuple):
    """An event that answers a metric on this core, and its costs by model label, those with a figure.

    Attributes:
        event: With the quality and the meaning that it has as an answer to this metric.
    """

    event: Event
    costs: dict[str, Cost]

    @property
    def name(self) -> str:
        """As tables have it: a proxy says that it is one."""
        return row_name(self.event)

    def counts(self, view: "View") -> str:
        """What it counts on this core, or in the simulation, as a sentence."""
        whose = f"Simulated {self.name}" if view.costs.simulated else f"{self.name} on this core"
        return f"{whose}: {self.event.meaning.rstrip('.')}."


@dataclass(frozen=True, slots=True, eq=False)
class View:
    """Figures of one kind, counted on a machine or simulated, and the core and caches that they are of.

    Attributes:
        seed: Of the bootstrap.
        source: How a sentence of them begins: nothing where they were counted.
    """

    costs: Costs
    uarch: str
    caches: tuple[Cache, ...]
    seed: int
    source: str = ""

    def answers(self, metric: str) -> tuple[EventAnswer, ...]:
        """The events that answer a metric exactly and have a figure; where there is none, the proxies that have one."""
        found = [
            EventAnswer(event, {cost.model: replace(cost, event=event) for cost in costs})
            for event in self._events(metric)
            if (costs := self.costs.of(event))
        ]
        exact = tuple(answer for answer in found if answer.event.quality == "exact")
        return exact or tuple(found)

    def answer(self, metric: str) -> EventAnswer | None:
        """The first of them."""
        return next(iter(self.answers(metric)), None)

    def _events(self, metric: str) -> Iterator[Event]:
        """Events of this study; one that stands under another metric, where the core's catalogue lets it answer."""
        listed = {
            entry.name: entry
            for entry in entries(self.uarch)
            if entry.metric == metric and entry.quality != "unsupported"
        }
        for event in self.costs.events:
            if event.metric == metric:
                if event.quality != "unsupported":
                    yield event
            elif entry := listed.get(event.name):
                meaning = f"{event.meaning}; {entry.meaning}" if self.costs.simulated else entry.meaning
                yield structs.replace(event, metric=metric, quality=entry.quality, meaning=meaning)

    def quotient(self, above: Cost, below: Cost, when: "When", factor: float = 1.0) -> Estimate | None:
        """`factor` times one cost over the other, of the processes that counted both; where none did, of all."""
        first, second = (when.figure(cost) for cost in together(above, below, self.seed))
        if first and second:
            found = stats.ratio(first, second, paired=True)
        else:
            found = quotient(when.figure(above), when.figure(below))
        return scaled(found, factor) if found else None


class When(NamedTuple):
    """When a cost is paid, in words, and the figure of it."""

    words: str
    figure: FigureOf


EACH = When("for each image", lambda cost: cost.per_image)
ONCE = When("once", lambda cost: cost.fixed)


def main(view: View, costs: Iterable[Cost]) -> When:
    """For each image; where that is not known, for a whole run."""
    images = lab_images(view.costs)
    if images is None or any(cost.per_image for cost in costs):
        return EACH
    return When(f"in a whole run of {notation.counted(images, 'image')}", lambda cost: cost.whole(images))


def counted_view(study: Study, analysis: Analysis) -> View:
    """What was counted on the machine itself, which may be nothing."""
    return View(analysis.costs, study.machine.uarch, study.machine.caches, study.plan.seed)


def simulated_view(study: Study, analysis: Analysis) -> View | None:
    """What was simulated; None where nothing was."""
    simulation, costs = study.simulation, analysis.simulated
    if simulation is None or costs is None:
        return None
    target, source = simulation.target, f"Simulated {through(simulation)}, "
    return View(costs, target.uarch, target.caches, study.plan.seed, source)


def views(study: Study, analysis: Analysis) -> tuple[View, ...]:
    """Both, what was counted first."""
    return tuple(filter(None, (counted_view(study, analysis), simulated_view(study, analysis))))


def said(cost: Cost, when: When) -> str:
    """The figure with its interval, and whether it is scaled up."""
    return written(cost, when.figure(cost))


def lack(study: Study, analysis: Analysis, *metrics: str) -> str:
    """Why no event was counted that answers one of these metrics, in words that follow `not known:`."""
    if study.counter_source is None:
        return "nothing was measured, every figure of this study is simulated"
    if not counted_at_all(analysis):
        phases = analysis.costs.phases
        return "single phases of runs alone were counted" if phases else "no run on this machine itself ended well"
    events = [event for metric in metrics for event in study.events if event.metric == metric]
    if not any(study.groups):
        events += [event for event in study.events if event.kind == "hardware"]
    # Why what the core has is not counted says more than that it lacks something else.
    for event in sorted(events, key=lambda event: event.encoding is None):
        reasons = (study.absent.get(event.name), *(analysis.costs[event.name, m.label].reason for m in study.models))
        if reason := next(filter(None, reasons), None):
            return reason
    if any(analysis.costs.of(event) for event in events):
        return (
            f"{notation.listed(event.name for event in events if analysis.costs.of(event))} is not shown to be above 0"
        )
    return f"the event was not asked for (--events {study.plan.event_set})"


def remedy(study: Study, analysis: Analysis, *metrics: str, every: bool = False) -> str:
    """The command that would have one of these metrics, or `every` one that can be, counted; empty where none would."""
    if study.counter_source is None:
        return elsewhere(study)
    if not counted_at_all(analysis):
        return anew(study, analysis)
    if not any(study.groups):
        return REAL
    if more := [metric for metric in metrics if _could_ask(study, metric)]:
        return with_events(study, *(more if every else more[:1]))
    asked = any(event.metric in metrics and event.name not in study.absent for event in study.events)
    return again(study) if asked else ""


def with_events(study: Study, *metrics: str) -> str:
    """The study's sweep with events for these metrics as well; of an imported study, which has no sweep, the lab's."""
    base = study.plan.event_set if study.imported_from is None else "lab"
    known = {event.metric for event in catalogue.resolve(base, catalogue.core(study.machine.uarch), study.machine.pmu)}
    return again(study, event_set=",".join((base, *(metric for metric in metrics if metric not in known))))


def table_keys(when: When, simulated: bool) -> tuple[str, ...]:
    """Keys of the tables that show figures of this kind, and of the figure of their lines."""
    keys = ("derived", "image", "fixed", "counts") if when is EACH else ("whole",)
    return tuple(f"{SIMULATED}-{key}" if simulated else key for key in keys)


def counted_at_all(analysis: Analysis) -> bool:
    """Whether some run on the machine itself, or its inferences, was counted."""
    return any(cost.points or cost.inside for cost in analysis.costs.values())


def _could_ask(study: Study, metric: str) -> bool:
    """Whether the core has an event for the metric that the study did not ask for."""
    asked = {event.name for event in study.events}
    return any(
        entry.metric == metric and entry.encoding and not asked & {entry.name, *entry.generic}
        for entry in entries(study.machine.uarch)
    )


def entries(uarch: str) -> tuple[catalogue.Entry, ...]:
    """What the catalogue has of a core; nothing of one that it does not know."""
    return catalogue.core(uarch).entries if uarch in catalogue.cores() else ()


def elsewhere(study: Study) -> str:
    """The sweep of a simulated study for a machine with counters, which a comment of the shell says."""
    usual = {field: getattr(Plan.usual(), field) for field in _OF_SIMULATORS}
    where = "whose core has such an event" if any(study.groups) else "with hardware counters"
    return f"{again(study, **usual)}  # on a machine {where}"


def _figures(cost: Cost, images: int | None) -> list[Estimate]:
    """What is told of a cost: for each image and once, or where neither is known, of a whole run."""
    parts = [figure for figure in (cost.per_image, cost.fixed) if figure]
    whole = cost.whole(images) if images is not None and not parts else None
    return [whole] if whole else parts


def caveats(study: Study, view: View, used: Iterable[Cost]) -> Iterator[str]:
    """What is to be said of figures by how they were made: scope, scaled counts, missing intervals, missing models."""
    costs = list(used)
    if view.costs.simulated:
        return
    if study.scope == "user":
        yield "User mode alone was counted: what the kernel did for the process is not in these figures."
    if any(cost.scaled for cost in costs):
        names = notation.listed(dict.fromkeys(cost.event.name for cost in costs if cost.scaled))
        yield f"Counts of {names} are scaled up from a part of the run: an error that no interval contains."
    if costs and not any(cost.per_image for cost in costs):
        yield "Whole runs of one image count include the start: what of these figures is each image's is not known."
    if not all(figure.interval for cost in costs for figure in _figures(cost, lab_images(view.costs))):
        yield "A figure without an interval is of too few runs for one: how far another run would be off is not known."
    for name in dict.fromkeys(cost.event.name for cost in costs):
        for label in view.costs.models:
            if reason := view.costs[name, label].reason:
                yield f"{label} has no figure of {name}: {reason}."
