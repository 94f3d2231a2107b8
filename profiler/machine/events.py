"""The catalogue of events: what each core can count, under which name, and what the count means there.

Facts are in `data/events`: one file a core, the software events, and the sets. A metric is a question asked of every
core (`llc_load`); an event is what a core has to answer it (`ll_cache_rd`). Where a core has only a neighbour of the
event, both are returned: the canonical event as unsupported, and the neighbour as a proxy under its own name, so that a
proxy never stands in the column of the real thing.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from pathlib import Path

import msgspec

from profiler.errors import ProfilerError
from profiler.records import Event, Quality, Record

GENERIC = "generic"
"""The core that stands for all without an entry of their own."""

_DATA = Path(__file__).parent.parent / "data" / "events"
_NOT_CORES = frozenset({"sets", "software"})
_ALWAYS = ("task-clock", "page-faults", "context-switches", "duration_time", "user_time", "system_time")
_ANCHORS = {"cycles": 0, "instructions": 1}
_RANK: dict[Quality, int] = {"exact": 0, "proxy": 1, "unsupported": 2}

_SLASHES = re.compile(r"/[^/]*/")
_ITEM = re.compile(r"[a-z0-9][\w.:-]*(/[\w.,:=@-]*/)?", re.ASCII | re.IGNORECASE)
# perf's event modifiers: after a colon, or straight after the slash that closes a PMU's terms.
_MODIFIER = re.compile(r"(?::|(?<=/))[ukhHGIpPSDWebR]+$")
_SUFFIX = re.compile(r" \[[^\]]*\]$")
_NAME_TERM = re.compile(r"[/,]name=([^,/]+)")
_RAW = re.compile(r"^r([0-9a-f]+)$|[/,](?:event|config)=0x([0-9a-f]+)", re.IGNORECASE)


class Recognition(Record, frozen=True):
    """What a CPU must say of itself to be this core; None admits anything.

    Attributes:
        part: Arm's MIDR part number.
        model: First and last model of an x86 family; `stepping` likewise.
    """

    part: int | None = None
    family: int | None = None
    model: tuple[int, int] | None = None
    stepping: tuple[int, int] | None = None


class Entry(Record, frozen=True):
    """One answer of a core to a metric.

    Attributes:
        encoding: Terms for the core's PMU (`event=0x58`), an alias of perf's (`LLC-loads`), or None where unsupported.
        generic: perf's aliases that count the same event on this core.
        meaning: What it counts here; of an unsupported event, why, and what is nearest.
    """

    metric: str
    quality: Quality
    name: str
    encoding: str | None
    meaning: str
    generic: tuple[str, ...] = ()


class Core(Record, frozen=True):
    """A microarchitecture.

    Attributes:
        vendor: As /proc/cpuinfo has it on x86; `arm` for implementer 0x41.
        pmu_names: Names its PMU may have in sysfs, likeliest first.
        programmable: Counters that can take any event: the number that is sure to be there.
        fixed: Events with a counter of their own.
    """

    uarch: str
    title: str
    vendor: str
    recognise: tuple[Recognition, ...]
    pmu_names: tuple[str, ...]
    programmable: int
    fixed: tuple[str, ...]
    sources: tuple[str, ...]
    entries: tuple[Entry, ...]


@cache
def cores() -> tuple[str, ...]:
    """Keys of all cores, `generic` among them."""
    return tuple(sorted({path.stem for path in _DATA.glob("*.json")} - _NOT_CORES))


@cache
def core(uarch: str) -> Core:
    """The core with this key.

    Raises:
        ProfilerError: No such core.
    """
    if uarch not in cores():
        raise ProfilerError(f"no core '{uarch}' in the event catalogue", f"use one of {', '.join(cores())}")
    return msgspec.json.decode((_DATA / f"{uarch}.json").read_bytes(), type=Core)


@cache
def _sets() -> dict[str, tuple[str, ...]]:
    return msgspec.json.decode((_DATA / "sets.json").read_bytes(), type=dict[str, tuple[str, ...]])


@cache
def _software() -> dict[str, Event]:
    events = msgspec.json.decode((_DATA / "software.json").read_bytes(), type=tuple[Event, ...])
    return {event.name: event for event in events}


def sets() -> tuple[str, ...]:
    """Names of the event sets."""
    return tuple(_sets())


def always() -> tuple[Event, ...]:
    """The events of the kernel and of perf that every run collects; they cost no counter."""
    return tuple(_software()[name] for name in _ALWAYS)


def recognise(
    vendor: str,
    *,
    part: int | None = None,
    family: int | None = None,
    model: int | None = None,
    stepping: int | None = None,
) -> str:
    """Key of the core of a CPU that says this of itself, or `generic`.

    Args:
        vendor: `arm` (implementer 0x41), `GenuineIntel`, `AuthenticAMD`.
        part: Arm's MIDR part number.
    """

    def admits(rule: Recognition) -> bool:
        return (
            rule.part in (None, part)
            and rule.family in (None, family)
            and _within(model, rule.model)
            and _within(stepping, rule.stepping)
        )

    for candidate in map(core, cores()):
        if candidate.vendor == vendor and any(map(admits, candidate.recognise)):
            return candidate.uarch
    return GENERIC


def _within(value: int | None, bounds: tuple[int, int] | None) -> bool:
    return bounds is None or (value is not None and bounds[0] <= value <= bounds[1])


def catalogue(core: Core) -> tuple[Event, ...]:
    """All that is known of a core: what it has, what it lacks, and the events of the kernel and of perf."""
    return (*(_event(entry, core, None) for entry in core.entries), *_software().values())


def _event(entry: Entry, core: Core, pmu: str | None) -> Event:
    encoding = entry.encoding
    if encoding is not None and "=" in encoding:
        encoding = f"{pmu or core.pmu_names[0]}/{encoding},name={entry.name}/"
    return _hardware(entry.name, entry.metric, entry.quality, encoding, entry.meaning)


def _hardware(name: str, metric: str, quality: Quality, encoding: str | None, meaning: str) -> Event:
    return Event(name=name, metric=metric, kind="hardware", quality=quality, encoding=encoding, meaning=meaning)


def resolve(wanted: str, core: Core, pmu: str | None) -> tuple[Event, ...]:
    """The events behind a comma list of sets, metrics, events and perf's aliases; cycles and instructions come first.

    An event that the catalogue does not know is handed through for perf to judge. An event asked for twice comes once,
    as the most exact of its answers.

    Args:
        wanted: Such as `lab,l3d_cache` or `cycles,cpu/event=0xa3,umask=0x14/`.
        pmu: Name of the core's PMU in sysfs; None where there is none, and the likeliest name is written.

    Raises:
        ProfilerError: An item is empty, malformed, or carries a modifier.
    """
    found: dict[str, Event] = {}
    for item in _split(wanted):
        for part in _sets().get(item, (item,)):
            for event in _answers(part, core, pmu):
                known = found.get(event.name)
                if known is None or _RANK[event.quality] < _RANK[known.quality]:
                    found[event.name] = event
    return tuple(sorted(found.values(), key=lambda event: _ANCHORS.get(event.metric, len(_ANCHORS))))


def _split(wanted: str) -> list[str]:
    """The items of a comma list; commas between slashes belong to an item."""
    shielded = _SLASHES.sub(lambda terms: terms[0].replace(",", "\0"), wanted)
    items = [item.strip().replace("\0", ",") for item in shielded.split(",")]
    for item in items:
        if not item:
            raise ProfilerError(f"empty item in the event list '{wanted}'", "separate events by single commas")
        if _MODIFIER.search(item):
            raise ProfilerError(
                f"the event '{item}' carries a modifier",
                f"write '{_MODIFIER.sub('', item)}': all events share one scope, user or user and kernel",
            )
        if not _ITEM.fullmatch(item):
            raise ProfilerError(
                f"'{item}' is not an event",
                f"use names, pmu/terms/ or one of the sets {', '.join(sets())}, separated by commas and without braces",
            )
    return items


def _answers(item: str, core: Core, pmu: str | None) -> Iterable[Event]:
    """The events behind one item that is not a set."""
    if item in _software():
        return [_software()[item]]
    if by_metric := [entry for entry in core.entries if entry.metric == item]:
        return [_event(entry, core, pmu) for entry in by_metric]
    by_exactness = sorted(core.entries, key=lambda entry: _RANK[entry.quality])
    for entry in by_exactness:
        if entry.name == item:
            return [_event(entry, core, pmu)]
    for entry in by_exactness:
        # An alias keeps its own name: what it stands for is the kernel's choice, and differs between vendors.
        if item in entry.generic:
            meaning = f"the kernel's alias of {entry.name}: {entry.meaning}"
            return [_hardware(item, entry.metric, entry.quality, item, meaning)]
    name = strip(item)
    return [_hardware(name, name, "proxy", item, "not in the catalogue: perf's own meaning on this machine")]


def groups(events: Sequence[Event], core: Core, counters: int) -> tuple[tuple[str, ...], ...]:
    """Names of the hardware events in groups that fit the counters, in order.

    Cycles and instructions, where they are among the events, are in every group: equal counts show that two passes ran
    the same work. Software, tool and unsupported events are in none.

    Args:
        counters: Programmable counters that are free; events in `core.fixed` need none.

    Raises:
        ValueError: The counters do not suffice for cycles, instructions and one event more.
    """
    countable = [event for event in events if event.kind == "hardware" and event.encoding is not None]
    anchors = [event.name for event in countable if event.metric in _ANCHORS]
    others = [event.name for event in countable if event.metric not in _ANCHORS]
    cost = {event.name: int(event.name not in core.fixed) for event in countable}
    room = counters - sum(cost[name] for name in anchors)
    if room < max((cost[name] for name in others), default=0):
        raise ValueError(f"{counters} counters do not hold {' and '.join([*anchors, *others[:1]])}")
    passes: list[list[str]] = [anchors] if anchors and not others else []
    free = 0
    for name in others:
        if not passes or cost[name] > free:
            passes.append([*anchors])
            free = room
        passes[-1].append(name)
        free -= cost[name]
    return tuple(map(tuple, passes))


def gated(event: Event, core: Core, listed: frozenset[int]) -> str | None:
    """Why a raw event must not be trusted on this Arm core, or None where nothing speaks against it.

    The kernel checks named events against the PMU's own list of common events (PMCEID: codes to 0x3f and 0x4000 to
    0x403f) and takes any raw code unseen; one that the core lacks then counts 0 (Linux, drivers/perf/arm_pmuv3.c).
    What the PMU lists is what sysfs shows.

    Args:
        listed: Codes in the PMU's `events` folder; empty where there is none, and nothing can be checked.
    """
    code = raw_code(event) if core.vendor == "arm" else None
    if code is None or not listed:
        return None
    if not (code < 0x40 or 0x4000 <= code < 0x4040) or code in listed:
        return None
    return f"{event.name} ({code:#04x}) is not among the events this PMU lists: counted raw it would be 0"


def raw_code(event: Event) -> int | None:
    """The code that a raw event's encoding gives the PMU; None where the event goes by a name."""
    raw = _RAW.search(event.encoding or "")
    return int(raw[1] or raw[2], 16) if raw else None


def strip(name: str) -> str:
    """The stored key of an event as perf echoes it: without modifiers and suffix, or the value of its `name=` term.

    perf adds `:u` (or `u` behind a closing slash) by itself where the user may not count the kernel.
    """
    bare = _MODIFIER.sub("", _SUFFIX.sub("", name))
    named = _NAME_TERM.search(bare)
    return named[1] if named else bare
