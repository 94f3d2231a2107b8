"""Machines whose caches can be simulated, what the simulator is told of them, and which events they have.

What a simulator counts bears the names of Arm's PMUs (`data/simulated.json`), whatever the instruction set that runs.
"""

import functools
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import structs

from profiler.errors import ProfilerError
from profiler.machine import board_file, cache_geometry, host
from profiler.machine import events as catalogue
from profiler.records import Cache, Event, Machine, Quality, Record, Target

HOST = "host"
NOT_MODELLED = "not modelled"

_SIMULATED = Path(__file__).parent.parent / "data" / "simulated.json"
LATENCY = "memory_latency_cycles"
"""The one figure that is modelled and not counted; `latency_bound` makes it."""
_OF_THE_L3 = ("l3d_", "ll_")
_TIMES = frozenset({"cycles", "stall_frontend", "stall_backend", "stall_memory"})


class _Entry(Record, frozen=True):
    """An event of the simulation.

    Attributes:
        metric: That of the Cortex-A76's event of this name, or the name itself.
        meaning: What the simulation counts.
    """

    name: str
    metric: str
    meaning: str


def known() -> tuple[str, ...]:
    """Names that `find` knows, paths apart."""
    return (*sorted((file.stem for file in host.MACHINES.glob("*.toml")), reverse=True), HOST)


def find(name: str) -> Target:
    """The machine of that name, or that the file at that path describes.

    Raises:
        ProfilerError: No such machine or file, a malformed file, or caches that cannot be simulated.
    """
    if name == HOST:
        return _host(host.describe())
    if name in known():
        return board_file.read(host.MACHINES / f"{name}.toml")
    if name.endswith(".toml"):
        return board_file.read(Path(name))
    raise ProfilerError(
        f"unknown machine '{name}'", f"use one of {', '.join(known())}, or the path of a machine file (FILE.toml)"
    )


def _host(here: Machine) -> Target:
    """This machine as its kernel describes it, rounded to what can be simulated."""
    caches = tuple(_shared(cache_geometry.rounded(cache), here) for cache in here.caches if cache.level <= 3)
    for flaw in cache_geometry.flaws(caches, here.cpus):
        raise ProfilerError(
            f"this machine's caches cannot be simulated as its kernel describes them: {flaw}",
            "simulate another machine's, such as pi5, or write a machine file (FILE.toml)",
        )
    return Target(
        key=HOST,
        title=here.cpu,
        uarch=here.uarch,
        cpus=here.cpus,
        caches=caches,
        emulated_cpu=None,
        latency_cycles={},
        latency_source="",
        prefetch={"kind": "none"},
        source="sysfs",
    )


def _shared(cache: Cache, here: Machine) -> Cache:
    """An L3 that each CPU has of its own, as virtual machines say, as one that all share; other caches as they are."""
    if cache.level < 3 or cache.shared_by == here.cpus or not cache_geometry.private(here.caches, cache):
        return cache
    return structs.replace(cache, shared_by=here.cpus, source=f"{cache.source}; private, simulated as shared")


def cache(target: Target, level: int, kind: Literal["Data", "Instruction", "Unified"]) -> Cache | None:
    """The target's cache of that level and type."""
    return next((cache for cache in target.caches if (cache.level, cache.type) == (level, kind)), None)


def hierarchy(target: Target) -> dict[str, str]:
    """The caches and the prefetcher as options of the simulator, in an order that never changes."""
    caches = {cache_geometry.name(cache).lower(): cache for cache in target.caches}
    options = {
        name: f"{caches[name].size_bytes}:{caches[name].ways}:{caches[name].line_bytes}"
        for name in map(str.lower, cache_geometry.SIMULATED.values())
        if name in caches
    }
    options["l2"] += f":{_sharing(target, caches['l2'])}"
    options["prefetch"] = str(target.prefetch["kind"])
    return options | {f"prefetch_{name}": str(value) for name, value in board_file.parameters(target.prefetch)}


def _sharing(target: Target, found: Cache) -> str:
    return "private" if cache_geometry.private(target.caches, found) else "shared"


def describe(target: Target) -> str:
    """The machine in a line, for reports."""
    caches = {cache_geometry.name(cache): f"{_size(cache)} {cache.ways}-way" for cache in target.caches}
    first = {"L1": caches["L1D"]} if caches["L1I"] == caches["L1D"] else {name: caches[name] for name in ("L1I", "L1D")}
    beyond = {
        cache_geometry.name(cache): f"{caches[cache_geometry.name(cache)]} {_sharing(target, cache)}"
        for cache in sorted(target.caches, key=lambda cache: cache.level)
        if cache.level > 1
    }
    told = ", ".join(f"{name} {what}" for name, what in (first | beyond).items())
    return f"{target.title}: {told}, {target.caches[0].line_bytes} B lines, {_prefetcher(target)}"


def _size(cache: Cache) -> str:
    mebibytes, rest = divmod(cache.size_bytes, 2**20)
    return f"{cache.size_bytes / 2**10:g} KiB" if rest else f"{mebibytes} MiB"


def _prefetcher(target: Target) -> str:
    kind = target.prefetch["kind"]
    return "no prefetcher" if kind == "none" else f"{kind} prefetcher"


@functools.cache
def _entries() -> dict[str, _Entry]:
    entries = msgspec.json.decode(_SIMULATED.read_bytes(), type=tuple[_Entry, ...])
    return {entry.name: entry for entry in entries}


def simulated() -> frozenset[str]:
    """Names of all events that a simulation may have."""
    return frozenset(_entries())


def events(target: Target, wanted: Sequence[Event]) -> tuple[tuple[Event, ...], dict[str, str]]:
    """The events of a simulated study: those wanted, then what else the simulation has of this core's events.

    A simulated event is of kind `hardware` without an encoding: no PMU is asked. What is wanted under another name
    than the simulation's (an alias of perf's, the name on a core that is not Arm's) is answered by the simulated event
    of the same metric.

    Args:
        wanted: As the catalogue resolves them for the target's core.

    Returns:
        The events, and by name why one of them is not simulated.
    """
    has = {event.name: event for event in _had(target)}
    by_metric = {event.metric: event for event in has.values() if event.quality == "exact"}
    found: dict[str, Event] = {}
    absent: dict[str, str] = {}
    for event in wanted:
        answer = has.get(event.name) or (None if _lacked(target, event) else by_metric.get(event.metric))
        if answer is None:
            found.setdefault(event.name, event)
            absent[event.name] = _reason(target, event)
        else:
            found.setdefault(answer.name, _asked(answer, event))
    if unknown := [level for level in _levels(target) if level not in target.latency_cycles]:
        absent[LATENCY] = f"{target.source} has no latency of {', '.join(unknown)}"
    return tuple((has | found)[name] for name in dict.fromkeys((*found, *has))), absent


def _had(target: Target) -> Iterator[Event]:
    """The simulated events that this core has, each under the metric that it answers there best."""
    core = catalogue.core(target.uarch)
    names = {entry.name for entry in core.entries if core.vendor == "arm"}
    for entry in _entries().values():
        listed = catalogue.resolve(entry.name, core, None)[0] if entry.name in names else None
        if (listed and listed.quality == "unsupported") or _without_l3(target, entry.name):
            continue
        meaning = _with_figures(target, entry.meaning) if entry.name == LATENCY else entry.meaning
        event = _event(entry.name, entry.metric, "exact", meaning)
        yield _asked(event, listed) if listed else event


def _event(name: str, metric: str, quality: Quality, meaning: str) -> Event:
    return Event(name=name, metric=metric, kind="hardware", quality=quality, encoding=None, meaning=meaning)


def _asked(answer: Event, event: Event) -> Event:
    """The simulated event as the answer to what `event` answers on this core, where that is a neighbour's metric."""
    if event.name != answer.name or event.quality != "proxy" or event.metric in (event.name, answer.metric):
        return answer
    return _event(answer.name, event.metric, "proxy", f"{answer.meaning}; {event.meaning}")


def _lacked(target: Target, event: Event) -> bool:
    """Whether this very core has no such event, which the catalogue says of Arm's cores alone."""
    return event.quality == "unsupported" and catalogue.core(target.uarch).vendor == "arm"


def _without_l3(target: Target, name: str) -> bool:
    return name.startswith(_OF_THE_L3) and cache(target, 3, "Unified") is None


def _reason(target: Target, event: Event) -> str:
    """Why no simulator has the event."""
    if event.kind != "hardware":
        return f"{NOT_MODELLED}: the kernel, which is not simulated, counts it"
    if _lacked(target, event):
        return event.meaning
    if event.metric in _TIMES:
        return f"{NOT_MODELLED}: the simulation has no notion of time"
    if any(_without_l3(target, entry.name) for entry in _entries().values() if event.metric == entry.metric):
        return f"{target.title} has no L3"
    return NOT_MODELLED


def _levels(target: Target) -> tuple[str, ...]:
    """Where a refill of an L1 may be served."""
    return ("l2", "memory") if cache(target, 3, "Unified") is None else ("l2", "l3", "memory")


def _with_figures(target: Target, meaning: str) -> str:
    known_of = [
        f"{level} {target.latency_cycles[level]:g}" for level in _levels(target) if level in target.latency_cycles
    ]
    figures = f" ({', '.join(known_of)} cycles; {target.latency_source})" if known_of else ""
    # In the model no prefetch comes too late; in hardware some do.
    timely = "" if target.prefetch["kind"] == "none" else ", provided that every prefetch comes in time"
    return f"{meaning}{figures}{timely}"


def latency_bound(target: Target, counts: Mapping[str, int]) -> float | None:
    """Core cycles that the demand refills would take one after another; None where a latency or count is missing.

    The sum over levels of the refills that the level served (`served_l2`, `served_l3`, `served_memory`) times its
    latency from load to use. Real cores overlap misses, so it is an upper bound on the time spent waiting for data.
    """
    terms = [(counts.get(f"served_{level}"), target.latency_cycles.get(level)) for level in _levels(target)]
    complete = [(served, cycles) for served, cycles in terms if served is not None and cycles is not None]
    return sum(served * cycles for served, cycles in complete) if len(complete) == len(terms) else None
