"""What callgrind writes, and what events are in its terms (Callgrind's manual, `--cache-sim` and `--simulate-wb`).

callgrind has an L1I, an L1D and one level behind them, LL, in which every line is looked up that an L1 lacks.
"""

import re
from collections.abc import Mapping, Sequence

L1_MISSES = ("I1mr", "D1mr", "D1mw")
LL_MISSES = ("ILmr", "DLmr", "DLmw")
LL_DIRTY = ("ILdmr", "DLdmr", "DLdmw")
"""Misses of LL for which a dirty line had to go."""

NEAR = {
    "inst_retired": ("Ir",),
    "mem_access": ("Dr", "Dw"),
    "mem_access_rd": ("Dr",),
    "mem_access_wr": ("Dw",),
    "l1i_cache_refill": ("I1mr",),
    "l1d_cache": ("Dr", "Dw"),
    "l1d_cache_rd": ("Dr",),
    "l1d_cache_wr": ("Dw",),
    "l1d_cache_refill": ("D1mr", "D1mw"),
    "l1d_cache_refill_rd": ("D1mr",),
    "l1d_cache_refill_wr": ("D1mw",),
    "l2d_cache_rd": L1_MISSES,
}
"""Whatever LL is: an event is the sum of these counts of callgrind's."""
L2 = {
    "l2d_cache_refill": LL_MISSES,
    "l2d_cache_refill_rd": LL_MISSES,
    "l2d_cache_wb": LL_DIRTY,
    "l2d_cache_wb_victim": LL_DIRTY,
}
"""With the L2 as LL."""
TO_L3 = {"l3d_cache_rd": LL_MISSES, "ll_cache_rd": LL_MISSES, "l3d_cache": (*LL_MISSES, *LL_DIRTY)}
"""With the L2 as LL too: what the L2 asks of the L3 and hands to it, where there is one."""
L3 = {"l3d_cache_refill": LL_MISSES, "ll_cache_miss_rd": LL_MISSES, "l3d_cache_wb": LL_DIRTY}
"""With the L3 as LL."""
TERMS = NEAR | L2 | TO_L3 | L3

_NO_WRITE_BACKS = "callgrind counts no write-backs of the L1D"
_NO_COHERENCE = "callgrind simulates one core's caches, and so no coherence"
LACKS = {
    "l1i_cache": "callgrind looks every instruction up by itself, a core a block of them",
    "l1d_cache_wb": _NO_WRITE_BACKS,
    "l2d_cache_wr": _NO_WRITE_BACKS,
    "l2d_cache": f"{_NO_WRITE_BACKS}, which are part of this event",
    "l1d_cache_inval": _NO_COHERENCE,
    "l2d_cache_inval": _NO_COHERENCE,
}
"""Why callgrind has no such event."""

_KEPT = re.compile(r"(version|creator|cmd|desc|events|totals): ")


def abridged(text: str) -> str:
    """The output without its profile by function, which is megabytes.

    Nor with its `summary`, which is no count of a region: zeroing the counts makes it wrong, and often negative.
    """
    return "".join(line for line in text.splitlines(keepends=True) if _KEPT.match(line))


def parse(text: str) -> tuple[dict[str, int], str]:
    """callgrind's counts by its own names, and why an event that they lack has no count.

    callgrind writes `totals` last, and leaves out the zeros at a line's end.
    """
    names = re.search(r"^events: +(\w+(?: \w+)*)$", text, re.MULTILINE)
    totals = re.search(r"^totals: +(\d{1,20}(?: \d{1,20})*)\n", text, re.MULTILINE | re.ASCII)
    if not names or not totals:
        return {}, "valgrind ended without its counts"
    events, values = names[1].split(), [int(value) for value in totals[1].split()]
    if len(values) > len(events):
        return {}, "callgrind's output is malformed"
    if not any(values):
        return {}, "the region was never entered"
    return dict(zip(events, [*values, *[0] * (len(events) - len(values))], strict=True)), "callgrind did not count it"


def total(terms: Sequence[str], totals: Mapping[str, int]) -> int | None:
    """The sum of these counts of callgrind's; None where one is missing, or there are none to add."""
    found = [totals[term] for term in terms if term in totals]
    return sum(found) if found and len(found) == len(terms) else None


def served(totals: Mapping[str, int]) -> dict[str, int]:
    """Refills of the L1 caches by what had the line, where LL is the last level; empty where a count is missing."""
    refills, misses = total(L1_MISSES, totals), total(LL_MISSES, totals)
    return {} if refills is None or misses is None else {"served_l2": refills - misses, "served_memory": misses}
