"""Figures beside what the machines' clocks and caches explain of them, where these differ."""

from collections.abc import Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.costs import quotient
from profiler.analysis.metrics import scaled
from profiler.analysis.stats import MATTERS, Estimate
from profiler.compare.csv import of_row
from profiler.compare.machine_differences import clock_hz
from profiler.compare.model import Comparison, Row
from profiler.compare.study import Subject
from profiler.compare.tables import by_study, kind, name, over, ratios, studies, what
from profiler.records import Cache
from profiler.report.cells import estimated, fact, of_quantity, tabulated
from profiler.report.model import Cell, Entry, Section, Table

_TIMES = ("duration_time", "task-clock")
_HZ = 1e9
"""A clock that ticks once in a nanosecond."""

_OF_CACHES = ("l2d_refill", "llc_load", "llc_load_miss")
"""Metrics that a cache's size decides."""


def section(found: Comparison) -> Section | None:
    """Time in clock cycles, and misses beside the caches; None where neither differs."""
    tables = tuple(table for table in (_by_clock(found), _by_cache(found)) if table)
    return Section("Clocks and caches", tables=tables) if tables else None


def _by_clock(found: Comparison) -> Table | None:
    """Times multiplied by the clock: what the cores do for each image, however fast they are clocked."""
    clocks = {subject.name: hz for subject in found.subjects if (hz := clock_hz(subject))}
    differing = [hz for hz in clocks.values() if abs(hz / clocks.get(found.first.name, hz) - 1) > MATTERS]
    if found.first.name not in clocks or not differing:
        return None
    timed = [row for row in found.rows if row.event in _TIMES and row.study in clocks]
    rows = by_study(timed, lambda row: f"{name(row)}, {what(row)}")

    def cycles(row: Row, place: int) -> Estimate:
        return scaled((row.first, row.second)[place], clocks[(found.first.name, row.study)[place]] / _HZ)

    columns = [
        *studies(found, lambda row, place: estimated(cycles(row, place), "", row.costs[place].status), "cycles"),
        *ratios(found, lambda row: estimated(quotient(cycles(row, 1), cycles(row, 0)), notation.NUMBER)),
    ]
    told = notation.listed(f"{study} {notation.clock(hz)}" for study, hz in clocks.items())
    caption = (
        f"Time × clock ({told}), the clock taken as exact: cycles over CPU time where cycles were counted, else as the "
        "system told it between the runs. A ratio nearer to 1 than that of the times says that the clock made the rest."
    )
    title = "Time in cycles of each machine's clock"
    return tabulated("by-clock", title, "model and time", rows.items(), columns, caption)


def _by_cache(found: Comparison) -> Table | None:
    """Refills and misses for each image beside the sizes of the caches, where these differ."""
    levels = {
        level: [_largest(subject, level) for subject in found.subjects]
        for level in sorted({cache.level for subject in found.subjects for cache in subject.study.machine.caches})
        if level > 1
    }
    if not any(len({cache.size_bytes for cache in caches if cache}) > 1 for caches in levels.values()):
        return None
    rows: list[tuple[Entry, ...]] = [
        (f"L{level} size", *_beside_first([cache.size_bytes if cache else None for cache in caches], "bytes"))
        for level, caches in levels.items()
    ]
    pressure, misses = list(_pressure(found, levels)), _misses(found)
    if not pressure and not misses:
        return None
    heads = ("", *(subject.name for subject in found.subjects), *over(found))
    caption = (
        "A working set (weights as the engine reads them, and activations) above 1 times a cache does not fit it; a "
        "larger cache explains fewer misses only where it goes from above 1 to below."
        if pressure
        else "For each image. A larger cache explains fewer misses only where it holds what the smaller one could not."
    )
    return Table("by-cache", "Misses beside the caches", heads, (*rows, *pressure, *misses), caption)


def _largest(subject: Subject, level: int) -> Cache | None:
    caches = [cache for cache in subject.study.machine.caches if cache.level == level and cache.type != "Instruction"]
    return max(caches, key=lambda cache: cache.size_bytes, default=None)


def _beside_first(values: Sequence[float | None], unit: str) -> list[Cell]:
    """Facts of each study, then how many times the first's the others' are."""
    base = values[0]
    times = (value / base if value and base else None for value in values[1:])
    return [*(fact(value, unit) for value in values), *(fact(each, notation.NUMBER) for each in times)]


def _pressure(found: Comparison, levels: dict[int, list[Cache | None]]) -> Iterator[tuple[Entry, ...]]:
    """How many times each cache a model's working set is."""
    for model in found.first.study.models:
        partners = [found.partner(model.label, subject) for subject in found.subjects]
        sets = [each.network.working_set_bytes if each and each.network else None for each in partners]
        for level, caches in levels.items():
            both = zip(sets, caches, strict=True)
            shares = [size / cache.size_bytes if size and cache else None for size, cache in both]
            if any(shares):
                yield (f"{model.label} working set / L{level}", *_beside_first(shares, notation.NUMBER))


def _misses(found: Comparison) -> tuple[tuple[Entry, ...], ...]:
    """The counted refills and misses for each image that studies share."""
    mine = [
        row
        for row in found.rows
        if row.costs[0].event.metric in _OF_CACHES and not row.simulated and row.what in ("region", "slope")
    ]
    rows = (
        (f"{title}{next(filter(None, map(kind, its.values())), '')}", its)
        for title, its in by_study(mine, name).items()
    )
    columns = [
        *studies(found, lambda row, place: of_quantity(of_row(found, row)[place])),
        *ratios(found, lambda row: of_quantity(of_row(found, row)[2])),
    ]
    return tabulated("", "", "", rows, columns).rows
