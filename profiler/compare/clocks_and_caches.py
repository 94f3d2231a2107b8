"""Figures beside what the machines' clocks and caches explain of them, where these differ."""

from collections.abc import Iterator

from profiler.analysis import notation
from profiler.analysis.costs import quotient
from profiler.analysis.metrics import scaled
from profiler.analysis.stats import MATTERS
from profiler.compare.machine_differences import clock_hz
from profiler.compare.model import Comparison, Row
from profiler.compare.study import Subject
from profiler.compare.tables import by_study, kind, name, over, what
from profiler.records import Cache
from profiler.report.model import Section, Table

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
    cells = tuple((key, *_cycles(found, of_row, clocks)) for key, of_row in rows.items())
    heads = ("model and time", *(f"{subject.name}\ncycles" for subject in found.subjects), *over(found))
    told = notation.listed(f"{study} {hz / 1e9:.2f} GHz" for study, hz in clocks.items())
    caption = (
        f"Time × clock ({told}), the clock taken as exact: cycles over CPU time where cycles were counted, else as the "
        "system told it between the runs. A ratio nearer to 1 than that of the times says that the clock made the rest."
    )
    return Table("by-clock", "Time in cycles of each machine's clock", heads, cells, caption)


def _cycles(found: Comparison, of_row: dict[str, Row], clocks: dict[str, float]) -> Iterator[str]:
    base = scaled(next(iter(of_row.values())).first, clocks[found.first.name] / _HZ)
    here = {study: scaled(row.second, clocks[study] / _HZ) for study, row in of_row.items()}
    yield notation.figure(base, "")
    yield from (notation.figure(here.get(other.name), "") for other in found.others)
    yield from (notation.figure(quotient(here.get(other.name), base), notation.NUMBER) for other in found.others)


def _by_cache(found: Comparison) -> Table | None:
    """Refills and misses for each image beside the sizes of the caches, where these differ."""
    levels = {
        level: [_largest(subject, level) for subject in found.subjects]
        for level in sorted({cache.level for subject in found.subjects for cache in subject.study.machine.caches})
        if level > 1
    }
    if not any(len({cache.size_bytes for cache in caches if cache}) > 1 for caches in levels.values()):
        return None
    rows = [_sizes(f"L{level} size", caches) for level, caches in levels.items()]
    pressure = list(_pressure(found, levels))
    misses = list(_misses(found))
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


def _sizes(title: str, caches: list[Cache | None]) -> tuple[str, ...]:
    base = caches[0]
    cells = [notation.plain(cache.size_bytes, "bytes") if cache else notation.ABSENT for cache in caches]
    ratios = [
        notation.plain(cache.size_bytes / base.size_bytes, notation.NUMBER) if cache and base else notation.ABSENT
        for cache in caches[1:]
    ]
    return (title, *cells, *ratios)


def _pressure(found: Comparison, levels: dict[int, list[Cache | None]]) -> Iterator[tuple[str, ...]]:
    """How many times each cache a model's working set is."""
    for model in found.first.study.models:
        partners = [found.partner(model.label, subject) for subject in found.subjects]
        sets = [each.network.working_set_bytes if each and each.network else None for each in partners]
        for level, caches in levels.items():
            shares = [
                size / cache.size_bytes if size and cache else None for size, cache in zip(sets, caches, strict=True)
            ]
            if any(shares):
                cells = [notation.plain(share, notation.NUMBER) if share else notation.ABSENT for share in shares]
                ratios = [
                    notation.plain(share / shares[0], notation.NUMBER) if share and shares[0] else notation.ABSENT
                    for share in shares[1:]
                ]
                yield (f"{model.label} working set / L{level}", *cells, *ratios)


def _misses(found: Comparison) -> Iterator[tuple[str, ...]]:
    """The counted refills and misses for each image that studies share."""
    rows = [
        row
        for row in found.rows
        if row.costs[0].event.metric in _OF_CACHES and not row.simulated and row.what in ("region", "slope")
    ]
    for title, of_row in by_study(rows, name).items():
        others = [of_row.get(other.name) for other in found.others]
        mark = next(filter(None, map(kind, of_row.values())), "")
        yield (
            f"{title}{mark}",
            notation.figure(next(iter(of_row.values())).first, ""),
            *(notation.figure(row.second if row else None, "") for row in others),
            *(notation.figure(row.ratio if row else None, notation.NUMBER) for row in others),
        )
