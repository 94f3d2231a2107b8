"""Whether two events count the same thing: by the catalogue's meanings, never by the name alone. Pure.

Equal names deceive: perf's `LLC-loads`, `cache-misses`, `L1-dcache-loads`, `dTLB-load-misses` and
`stalled-cycles-backend` are the kernel's choice, which differs from vendor to vendor, and the L2 that `l2d_cache_inval`
counts is private on one Arm core and shared on another.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from profiler.analysis import notation
from profiler.machine import events as catalogue
from profiler.records import Event, Machine

_SAME_EVERYWHERE = frozenset({"cycles", "instructions", "branches", "branch_misses"})
"""Metrics whose exact events count the same on every core of the catalogue, in whatever words it says so."""

_OF_AN_INSTRUCTION_SET = frozenset({"instructions", "branches", "branch_misses"})
"""Metrics that count what a compiler makes of the program, which is another number for another instruction set."""

_OF_PAGES = frozenset({"page-faults", "minor-faults", "major-faults", "dtlb_refill", "dtlb_walk"})
"""Metrics that count pages, so that their counts are of another thing where the pages have another size."""

_ASIDE = ("perf's ", "wording of ", "takes one of ", "costs a ")
"""Beginnings of clauses of a meaning that say nothing of what is counted."""


_NAMELESS = frozenset({"", "unknown"})
"""What a CPU is called that does not say which it is."""


class Known(NamedTuple):
    """An event as its core's catalogue has it.

    Attributes:
        name: The core's own name of it, whatever alias it was asked for under; its own where the catalogue lacks it.
        meaning: What it counts; None where the catalogue does not tell.
    """

    name: str
    meaning: str | None


def known(name: str, uarch: str) -> Known:
    """The event behind a name on this core."""
    entries = catalogue.core(uarch if uarch in catalogue.cores() else catalogue.GENERIC).entries
    for entry in (each for each in entries if each.encoding is not None):
        if name == entry.name or name in entry.generic:
            return Known(entry.name, entry.meaning)
    return Known(name, None)


def same_core(first: Machine, second: Machine) -> bool:
    """Whether names and codes mean the same on both; cores outside the catalogue are told apart by the CPU's name."""
    if first.uarch != second.uarch:
        return False
    named = first.cpu not in _NAMELESS and (first.arch, first.cpu) == (second.arch, second.cpu)
    return first.uarch != catalogue.GENERIC or named


def related(first: Event, on: Machine, second: Event, other: Machine) -> bool:
    """Whether a reader would look for the two events in one row: the name, the core's event or the metric is equal."""
    if first.name == second.name or known(first.name, on.uarch).name == known(second.name, other.uarch).name:
        return True
    return first.metric == second.metric and "hardware" in (first.kind, second.kind)


def unlike(first: Event, on: Machine, second: Event, other: Machine) -> str | None:
    """Why the two events must not share a row; None where they count the same."""
    if first.metric in _OF_PAGES and on.page_bytes != other.page_bytes:
        return f"another page size: {notation.size(on.page_bytes)} and {notation.size(other.page_bytes)}"
    if first.kind != "hardware" and second.kind != "hardware":
        return None if first.name == second.name else "another event"
    mine, its = known(first.name, on.uarch), known(second.name, other.uarch)
    if first.quality != second.quality:
        whose = first if first.quality == "proxy" else second
        return f"a proxy and the event itself: {whose.name} only stands in for {whose.metric}"
    if same_core(on, other):
        return _unlike_here(first, second, mine, its)
    if first.quality == "exact" and first.metric == second.metric and _agree(first.metric, mine, its):
        return None
    if mine.meaning is None or its.meaning is None or first.quality != "exact":
        return f"another event meaning: the catalogue does not say that {first.name} counts the same on both cores"
    return f"another event meaning: on {_core(on)} {_brief(mine.meaning)}; on {_core(other)} {_brief(its.meaning)}"


def marks(first: Event, on: Machine, second: Event, other: Machine) -> Iterator[str]:
    """What a reader must know of two events that share a row."""
    if first.name != second.name:
        yield "one event under two names"
    if first.metric in _OF_AN_INSTRUCTION_SET and on.arch != other.arch:
        yield f"of two instruction sets, {on.arch} and {other.arch}: one instruction does other work than another"


def _unlike_here(first: Event, second: Event, mine: Known, its: Known) -> str | None:
    """On one core the catalogue's event decides, and where both were asked for by code, the code."""
    if mine.name != its.name:
        return f"another event: {first.name} is {mine.name}, {second.name} is {its.name} on this core"
    codes = {_terms(event.encoding) for event in (first, second) if event.encoding and "=" in event.encoding}
    return f"another event: {first.name} is {' and '.join(sorted(codes))}" if len(codes) > 1 else None


def _terms(encoding: str) -> str:
    """What the PMU was told, without the PMU's name and the event's."""
    inside = encoding.partition("/")[2].rstrip("/") or encoding
    return ",".join(term for term in inside.split(",") if not term.startswith("name="))


def _agree(metric: str, mine: Known, its: Known) -> bool:
    if mine.meaning is None or its.meaning is None:
        return False
    return metric in _SAME_EVERYWHERE or _essence(mine.meaning) == _essence(its.meaning)


def _essence(meaning: str) -> str:
    """A meaning without asides."""
    clauses = re.sub(r" ?\([^)]*\)", "", meaning).split("; ")
    return "; ".join(clause for clause in clauses if not clause.startswith(_ASIDE))


def _brief(meaning: str) -> str:
    """The first clause of a meaning."""
    return _essence(meaning).partition("; ")[0].partition(": ")[0]


def _core(machine: Machine) -> str:
    return machine.cpu if machine.uarch == catalogue.GENERIC else machine.uarch
