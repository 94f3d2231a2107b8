"""What the fake perf opens: event names and their syntax, groups, and how groups share the counters."""

import re
from collections.abc import Iterator
from types import SimpleNamespace

CLOCKS = {"task-clock", "cpu-clock"}
IN_KERNEL = {"context-switches", "cpu-migrations"}
SOFTWARE = CLOCKS | IN_KERNEL | {"page-faults", "minor-faults", "major-faults"}
ALIAS = {"cs": "context-switches", "faults": "page-faults", "migrations": "cpu-migrations"}
TOOLS = {"duration_time": (5, 2), "user_time": (6, 0), "system_time": (6, 0)}
"""perf's own events, and the version that brought each."""
GENERIC = {
    *("cycles", "cpu-cycles", "instructions", "cache-references", "cache-misses", "branches", "branch-instructions"),
    *("branch-misses", "bus-cycles", "ref-cycles", "stalled-cycles-frontend", "stalled-cycles-backend"),
    *(
        f"{cache}-{what}"
        for cache in ("L1-dcache", "L1-icache", "LLC", "dTLB", "iTLB", "branch", "node")
        for what in ("loads", "load-misses", "stores", "store-misses", "prefetches", "prefetch-misses")
    ),
}
CORTEX_A76_TABLE = """
    br_mis_pred br_mis_pred_retired br_pred br_retired bus_access bus_cycles cpu_cycles dtlb_walk exc_taken inst_retired
    inst_spec itlb_walk l1d_cache l1d_cache_rd l1d_cache_refill l1d_cache_wb l1d_cache_wr l1d_tlb l1d_tlb_refill
    l1i_cache l1i_cache_refill l1i_tlb l1i_tlb_refill l2d_cache l2d_cache_allocate l2d_cache_inval l2d_cache_rd
    l2d_cache_refill l2d_cache_refill_rd l2d_cache_wb l2d_cache_wb_victim l2d_cache_wr l2d_tlb l2d_tlb_refill l3d_cache
    l3d_cache_allocate l3d_cache_rd l3d_cache_refill ll_cache_miss_rd ll_cache_rd mem_access remote_access stall_backend
    stall_frontend
"""
CORTEX_A76 = set(CORTEX_A76_TABLE.split())
"""Names from perf's own table, which it knows on that core."""

ONE = re.compile(r"(?P<name>[^,{}/:]+|[^,{}/:]+/[^/]*/):?(?P<modifiers>[ukhpPGHSDIW]*)(?=,|$)")
GROUP = re.compile(r"\{(?P<members>[^}]+)\}(?::(?P<modifiers>[ukhpPGHSDIW]+))?(?=,|$)")

COUNTED, NOT_COUNTED, NOT_SUPPORTED = "counted", "not counted", "not supported"


class PerfError(Exception):
    """perf ends here, with `status` and this message."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


class Event:
    """One event asked for.

    Attributes:
        name: As perf prints it.
        key: As the truth has it: `name=`, or the name without modifiers and aliases.
        scope: The modifiers among `k` and `u`, its group's included; perf does not print those of a group.
        state: What became of it when it was opened.
        share: Part of the time for which a counter was on it.
    """

    def __init__(self, kind: str, name: str, modifiers: str, group_modifiers: str, user_only: bool) -> None:
        term = re.search(r"[/,]name=([^,/]+)", name)
        self.kind = kind
        self.key = term[1] if term else ALIAS.get(name, name)
        self.name = term[1] if term else _with_modifiers(name, modifiers)
        self.scope = "".join(sorted({"u", "k"}.intersection(modifiers + group_modifiers)))
        if user_only and not self.scope:
            self.scope = "u"
            self.name = _with_modifiers(self.name, "u")
        self.state = COUNTED
        self.share = 1.0


def _with_modifiers(name: str, modifiers: str) -> str:
    return name + (":" if modifiers and "/" not in name else "") + modifiers


def kind_of(truth: SimpleNamespace, name: str) -> str | None:
    """`software`, `tool` or `hardware`; None for a name that perf does not know here."""
    name = ALIAS.get(name, name)
    if name in SOFTWARE:
        return "software"
    if name in TOOLS:
        return "tool" if truth.release >= TOOLS[name] else None
    if name in GENERIC or re.fullmatch("r[0-9a-fA-F]+", name):
        return "hardware"
    if truth.no_pmu:
        return None
    if "/" in name:
        return "hardware" if name.startswith(f"{truth.pmu}/") else None
    modelled = {event for model in truth.models.values() for event in model}
    known = {*CORTEX_A76, *modelled, *truth.free, *truth.unsupported, *truth.uncounted, *truth.silent, *truth.scaled}
    return "hardware" if name in known else None


def parse(truth: SimpleNamespace, spec: str) -> Iterator[list[Event]]:
    """The groups of one `-e`; an event outside braces is a group of its own.

    Raises:
        PerfError: There is a name that perf does not know, or no event at all.
    """

    def one(at: int, end: int, group_modifiers: str = "") -> tuple[Event, int]:
        match = ONE.match(spec, at, end)
        kind = kind_of(truth, match["name"]) if match else None
        if match is None or kind is None:
            raise _syntax_error(truth, spec, at, match["name"] if match else spec[at:end])
        return Event(kind, match["name"], match["modifiers"], group_modifiers, truth.user_only), match.end() + 1

    at = 0
    while at <= len(spec):
        group = []
        if braces := GROUP.match(spec, at):
            at, end = braces.span("members")
            while at <= end:
                event, at = one(at, end, braces["modifiers"] or "")
                group.append(event)
            at = braces.end() + 1
        else:
            event, at = one(at, len(spec))
            group.append(event)
        yield group


def _syntax_error(truth: SimpleNamespace, spec: str, at: int, name: str) -> PerfError:
    pmu = name.partition("/")[0] if "/" in name else None
    if truth.release >= (6, 12):
        what = "Bad event or PMU" if pmu else "Bad event name"
        what += f"\n\nUnable to find {'PMU or ' if pmu else ''}event on a PMU of '{pmu or name}'"
    else:
        what = f"Cannot find PMU `{pmu}'. Missing kernel support?" if pmu else "parser error"
    cut = max(0, at - 13)
    shown = f"..{spec[cut + 2 :]}" if cut else spec
    return PerfError(
        129,
        f"event syntax error: '{shown}'\n{' ' * (21 + at - cut)}\\___ {what}\n"
        "Run 'perf list' for a list of valid events\n\n Usage: perf stat [<options>] [<command>]\n\n"
        "    -e, --event <event>   event selector. use 'perf list' to list available events",
    )


def open_groups(truth: SimpleNamespace, groups: list[list[Event]]) -> None:
    """What becomes of every event: its state and its share of the time.

    Raises:
        PerfError: A group's first event is not supported.
    """
    for group in groups:
        _open(truth, group)
    hardware = [group for group in groups if any(e.kind == "hardware" and e.state == COUNTED for e in group)]
    for group, share in zip(hardware, _turns(truth, hardware), strict=True):
        for event in group:
            event.share = share
    for group in groups:
        scaled = min(truth.scaled.get(event.key, 100) for event in group) / 100
        never = any(event.key in truth.uncounted for event in group)
        for event in group:
            event.share = 0 if never else min(event.share, scaled)


def _open(truth: SimpleNamespace, group: list[Event]) -> None:
    """One group: an event that does not fit beside those before it is not supported.

    One such event, or a tool event, leaves the rest of its group uncounted, for perf reads a group as a whole.
    """
    for position, event in enumerate(group):
        crowded = _cost(group[: position + 1], truth.free)[0] > truth.counters
        if event.key in truth.unsupported or (event.kind == "hardware" and (truth.no_pmu or crowded)):
            event.state = NOT_SUPPORTED
    if len(group) == 1:
        return
    if group[0].state == NOT_SUPPORTED:
        raise PerfError(255, f"Error:\nThe {group[0].name} event is not supported.")
    if any(event.state == NOT_SUPPORTED or event.kind == "tool" for event in group):
        for event in group:
            if event.state == COUNTED and event.kind != "tool":
                event.state = NOT_COUNTED


def _cost(group: list[Event], free: list[str]) -> tuple[int, list[str]]:
    """Programmable counters that a group takes, and the counters that stay free for others."""
    keys = [event.key for event in group if event.kind == "hardware"]
    return len(keys) - len(set(keys).intersection(free)), [key for key in free if key not in keys]


def _turns(truth: SimpleNamespace, groups: list[list[Event]]) -> list[float]:
    """Part of the time for which each group is on the counters.

    The kernel rotates the groups and puts them on from the first until one does not fit (kernel/events/core.c).
    """
    turns = [0] * len(groups)
    for start in range(len(groups)):
        left, free = truth.counters, truth.free
        for index in (*range(start, len(groups)), *range(start)):
            needed, free = _cost(groups[index], free)
            if needed > left:
                break
            left -= needed
            turns[index] += 1
    return [count / len(groups) for count in turns]
