"""The events of two studies that may share a row, and those that must not. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from profiler.analysis.costs import Costs
from profiler.analysis.labels import events_in_order
from profiler.compare import comparability, event_equivalence
from profiler.compare.study import Subject
from profiler.machine.targets import LATENCY
from profiler.records import Event


class EventPair(NamedTuple):
    """Two events that count the same.

    Attributes:
        marks: What the reader must know of their row.
    """

    first: Event
    second: Event
    marks: tuple[str, ...]

    @property
    def name(self) -> str:
        """Its name, or both names."""
        return " = ".join(dict.fromkeys((self.first.name, self.second.name)))


class Unlike(NamedTuple):
    """Two events that a reader may take for one and that are two."""

    first: Event
    second: Event
    reason: str

    @property
    def name(self) -> str:
        """Their names, the same once."""
        return " against ".join(dict.fromkeys(event.name for event in (self.first, self.second)))


def paired_events(first: Subject, other: Subject, simulated: bool) -> tuple[list[EventPair], list[Unlike]]:
    """The pairs, each event in one at most, in the first study's order; and what looks alike and is not."""
    mine, its = first.costs(simulated), other.costs(simulated)
    assert mine is not None
    assert its is not None
    if simulated:
        return _simulated(first, other, mine, its)
    pairs: list[EventPair] = []
    unlike: list[Unlike] = []
    left, scope = list(its.events), comparability.unlike_scopes(first.study, other.study)
    for event in events_in_order(mine):
        alike = _best(event, first, left, other)
        if alike is None:
            unlike += _lookalikes(event, first, left, other)
            continue
        left.remove(alike)
        if scope and event.kind == "hardware":
            unlike.append(Unlike(event, alike, scope))
        else:
            marks = tuple(event_equivalence.marks(event, first.study.machine, alike, other.study.machine))
            pairs.append(EventPair(event, alike, marks))
    return pairs, unlike


def _best(event: Event, first: Subject, candidates: Sequence[Event], other: Subject) -> Event | None:
    """The event that counts the same, that of the same name before others."""
    on, there = first.study.machine, other.study.machine
    alike = [
        each
        for each in candidates
        if event_equivalence.related(event, on, each, there)
        and event_equivalence.unlike(event, on, each, there) is None
    ]
    return min(alike, key=lambda each: each.name != event.name, default=None)


def _lookalikes(event: Event, first: Subject, candidates: Sequence[Event], other: Subject) -> Iterator[Unlike]:
    """The other study's events that look like this one, and why they are not."""
    on, there = first.study.machine, other.study.machine
    if event.quality == "unsupported":
        return
    for each in candidates:
        reason = (
            event_equivalence.unlike(event, on, each, there)
            if event_equivalence.related(event, on, each, there)
            else None
        )
        if reason and each.quality != "unsupported":
            yield Unlike(event, each, reason)


def _simulated(first: Subject, other: Subject, mine: Costs, its: Costs) -> tuple[list[EventPair], list[Unlike]]:
    """Of the same simulator and caches events of one name are one; only the modelled latency has figures of its own."""
    by_name = {event.name: event for event in its.events}
    pairs = [EventPair(event, by_name[event.name], ()) for event in events_in_order(mine) if event.name in by_name]
    here, there = first.study.simulation, other.study.simulation
    why = comparability.unlike_latencies(here, there) if here and there else None
    unlike = [Unlike(pair.first, pair.second, why) for pair in pairs if why and pair.first.name == LATENCY]
    return [pair for pair in pairs if not (why and pair.first.name == LATENCY)], unlike


def other_sources(first: Subject, other: Subject) -> list[Unlike]:
    """Hardware events that one study counted and the other only simulated."""
    found = [Unlike(event, same, _another_source(first, other)) for event, same in _counted_and_simulated(first, other)]
    found += [
        Unlike(same, event, _another_source(other, first)) for event, same in _counted_and_simulated(other, first)
    ]
    return found


def _another_source(counting: Subject, simulating: Subject) -> str:
    return f"another source: counted in {counting.name}, simulated in {simulating.name}"


def _counted_and_simulated(counting: Subject, simulating: Subject) -> Iterator[tuple[Event, Event]]:
    """Events that the first counted, the second did not, but simulated."""
    counts, simulation, beside = counting.costs(False), simulating.costs(True), simulating.costs(False)
    if counts is None or simulation is None:
        return
    told = {event.metric for event in beside.events if beside.of(event)} if beside else set()
    modelled = {event.metric: event for event in simulation.events if simulation.of(event)}
    for event in counts.events:
        if event.kind == "hardware" and counts.of(event) and event.metric in modelled and event.metric not in told:
            yield event, modelled[event.metric]
