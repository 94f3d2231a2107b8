"""A miss curve's figures: misses at a size, the caches of known machines, points of studies on the same axes. Pure."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np
from msgspec.structs import replace

from profiler.analysis.costs import Cost, Costs
from profiler.analysis.estimation import counted, simulated
from profiler.analysis.notation import counted as several
from profiler.analysis.stats import Floats
from profiler.machine import targets
from profiler.records import MissCurve, Run, Simulation, Study, Target
from profiler.report.sections.simulation_provenance import architecture

Kind = Literal["same pass", "simulated", "measured"]

AFTER_L2, AFTER_L3 = ("ll_cache_rd", "l2d_cache_refill"), ("ll_cache_miss_rd",)
"""Simulated events that count what a cache leaves, best first: reads of the L3, prefetches among them, or without an
L3 what the L2 brings in; and reads of the L3 that missed."""

_READS_OF_THE_L3 = frozenset({"cortex-a76", "haswell-x", "skylake-x", "icelake-x"})
"""Cores whose exact event of `llc_load` counts reads that leave the L2, and of `llc_load_miss` those that leave the L3.
A Neoverse N1's may be of a cache outside the cluster; other cores have proxies or nothing."""


class SampleMean(NamedTuple):
    """A mean over samples and its standard error; None where there is one sample."""

    value: float
    error: float | None


class Level(NamedTuple):
    """A cache of a machine that the curve is read at."""

    machine: str
    name: str
    size_bytes: int


class CurvePoint(NamedTuple):
    """What another source says of an inference's misses at one size.

    Attributes:
        series: Whose and how, in words; points of one series look alike.
        interval: 95 %; None where there is none.
    """

    size_bytes: int
    misses: float
    interval: tuple[float, float] | None
    series: str
    kind: Kind


class Prediction(NamedTuple):
    """The curve beside the full simulation of the same pass, at a cache of the simulated machine."""

    level: Level
    curve: SampleMean
    full: float

    @property
    def off(self) -> float:
        """By which share the curve is above the full simulation."""
        return self.curve.value / self.full - 1


def spread(samples: Sequence[float] | Floats) -> SampleMean:
    """Of one figure's samples."""
    values = np.asarray(samples, dtype=np.float64)
    error = float(values.std(ddof=1) / np.sqrt(values.size)) if values.size > 1 else None
    return SampleMean(float(values.mean()), error)


def spreads(rows: Sequence[Sequence[float]]) -> tuple[SampleMean, ...]:
    """Of each column."""
    return tuple(map(spread, zip(*rows, strict=True)))


def at(curve: MissCurve, size_bytes: int) -> SampleMean | None:
    """Misses of a warm cache of that size, between two of the curve's by the logarithm; None beyond its ends."""
    samples = _samples_at(curve, size_bytes)
    return None if samples is None else spread(samples)


def apart(curve: MissCurve, size_bytes: int) -> float | None:
    """By which share of their mean the curves of the seeds differ there; None with one seed, or where nothing misses.

    Each seed's is the mean of its own samples.
    """
    samples = _samples_at(curve, size_bytes)
    if samples is None or len(curve.seeds) < 2 or not samples.any():
        return None
    means = samples.reshape(len(curve.seeds), -1).mean(axis=1)
    return float((means.max() - means.min()) / means.mean())


def _samples_at(curve: MissCurve, size_bytes: int) -> Floats | None:
    known = np.log2(curve.sizes_bytes)
    wanted = np.log2(size_bytes)
    if not known[0] <= wanted <= known[-1]:
        return None
    return np.array([np.interp(wanted, known, row) for row in curve.steady])


def machines(curve: MissCurve) -> tuple[Target, ...]:
    """Every machine with a file here whose caches have lines as long as the curve's, and that which was simulated.

    One that was simulated from the user's own file, and has a name that stands here too, is told apart by its file's.
    """
    every = [targets.find(name) for name in targets.known() if name != targets.HOST]
    shipped = [target for target in every if _line_bytes(target) == curve.line_bytes]
    mine = curve.target
    if any((mine.title, mine.caches) == (target.title, target.caches) for target in shipped):
        return tuple(shipped)
    if any(mine.title == target.title for target in shipped):
        mine = replace(mine, title=f"{mine.title} ({mine.key})")
    return (mine, *shipped)


def _line_bytes(target: Target) -> int | None:
    """Of all its caches, which have one length (`geometry.flaws`)."""
    return target.caches[0].line_bytes


def levels(target: Target) -> tuple[Level, ...]:
    """The machine's L2, and its L3 where it has one."""
    found = [(f"L{level}", targets.cache(target, level, "Unified")) for level in (2, 3)]
    return tuple(Level(target.title, name, cache.size_bytes) for name, cache in found if cache)


def predictions(curve: MissCurve) -> tuple[Prediction, ...]:
    """At each cache of the simulated machine whose misses the full simulation counted."""
    found = []
    for level, events in zip(levels(curve.target), (AFTER_L2, AFTER_L3), strict=False):
        full = next((curve.full[event] for event in events if curve.full.get(event)), None)
        here = at(curve, level.size_bytes)
        if full and here:
            found.append(Prediction(level, here, full))
    return tuple(found)


def points(curve: MissCurve, studies: Sequence[tuple[Study, Sequence[Run]]]) -> tuple[CurvePoint, ...]:
    """The full simulation of the same pass, and what studies of the same model file say an inference missed.

    Caches with lines of another length are left out: their misses are of other things.
    """
    title = f"full simulation of the same pass, {short(curve.target.title)}'s caches"
    mine = [CurvePoint(each.level.size_bytes, each.full, None, title, "same pass") for each in predictions(curve)]
    theirs = [point for study, runs in studies for point in _of_study(curve, study, runs)]
    return (*mine, *dict.fromkeys(theirs))


def short(title: str) -> str:
    """`Pi 5`."""
    return title.removeprefix("Raspberry ")


def _of_study(curve: MissCurve, study: Study, runs: Sequence[Run]) -> Iterator[CurvePoint]:
    labels = [model.label for model in study.models if model.sha256 == curve.sha256]
    if not labels:
        return
    ok = [run for run in runs if run.outcome == "ok"]
    modelled = simulated(study, ok)
    for label in labels:
        if study.simulation and modelled:
            yield from _simulated(curve, study, study.simulation, modelled, label)
        yield from _measured(curve, study, counted(study, ok), label)


def _simulated(
    curve: MissCurve, study: Study, simulation: Simulation, costs: Costs, label: str
) -> Iterator[CurvePoint]:
    target = simulation.target
    if _line_bytes(target) != curve.line_bytes:
        return
    kind = target.prefetch["kind"]
    prefetcher = "no prefetcher" if kind == "none" else f"reads of a {kind} prefetcher included"
    whose = "" if simulation.arch == curve.arch else f", {architecture(simulation.arch)} instructions"
    series = f"simulated, {short(target.title)}'s caches, {prefetcher}{whose}{_threads(curve, study)}"
    for level, events in zip(levels(target), (AFTER_L2, AFTER_L3), strict=False):
        found = (costs[event, label] for event in events if (event, label) in costs)
        yield from _points(level.size_bytes, found, series, "simulated")


def _measured(curve: MissCurve, study: Study, costs: Costs, label: str) -> Iterator[CurvePoint]:
    """What perf counted that left the L2, and the L3, as far as the core's events are known to say it."""
    machine = study.machine
    whose = "" if machine.arch == curve.arch else f", {architecture(machine.arch)} instructions"
    series = f"measured by perf, {short(machine.board or machine.cpu)}{whose}{_threads(curve, study)}"
    unified = {cache.level: cache for cache in machine.caches if cache.type == "Unified"}
    direct = machine.uarch in _READS_OF_THE_L3 and 3 in unified
    for level, metric in ({2: "llc_load", 3: "llc_load_miss"} if direct else {2: "l2d_refill"}).items():
        event = costs.answering(metric)
        if level in unified and event and unified[level].line_bytes in (None, curve.line_bytes):
            yield from _points(unified[level].size_bytes, iter([costs[event.name, label]]), series, "measured")


def _points(size_bytes: int, found: Iterator[Cost], series: str, kind: Kind) -> Iterator[CurvePoint]:
    """The first of the costs that has a figure."""
    figure = next((cost.per_image for cost in found if cost.per_image), None)
    if figure:
        yield CurvePoint(size_bytes, figure.value, figure.interval, series, kind)


def _threads(curve: MissCurve, study: Study) -> str:
    asked = study.plan.threads
    if asked == curve.threads:
        return ""
    return ", the engine's own threads" if asked is None else f", {several(asked, 'thread')}"
