"""Which cache is the last one on a core, and whether the events called LLC are of it."""

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.machine.cache_geometry import private
from profiler.machine.events import GENERIC
from profiler.records import Cache, Study
from profiler.report.questions.evidence import EventAnswer, View, When, entries
from profiler.report.sections.working_sets import LINE_BYTES

_OUTSIDE = frozenset({"cortex-a76", "neoverse-n1"})
"""Cores whose LLC events are of a cache outside the cluster where a register that programs cannot read says so
(CPUECTLR.EXTLLC; Arm, Technical Reference Manuals)."""

_INSIDE = "Raspberry Pi 5"
"""A board where they are known to be of the L3: LLC-loads and l3d_cache_rd count alike there."""

_L3_READS, _ALIKE = "l3d_cache_rd", 0.02
"""The event that tells on such a core, and how far off its counts may be."""


def last_level(view: View) -> Cache | None:
    """The cache that is furthest out; None where no cache is known."""
    holding = [cache for cache in view.caches if cache.type != "Instruction"]
    return max(holding, key=lambda cache: cache.level, default=None)


def line_bytes(view: View) -> int:
    """Of a line of that cache."""
    last = last_level(view)
    return (last.line_bytes if last else None) or LINE_BYTES


def catalogued(view: View) -> bool:
    """Whether it is known what the LLC events count on this core."""
    return view.uarch != GENERIC or view.costs.simulated


def named(view: View) -> str:
    """`the L3 (2 MiB, shared by 4 CPUs)`, as far as it is known which cache LLC is."""
    last = last_level(view)
    if last is None or not catalogued(view):
        return "the last-level cache"
    shared = not private(view.caches, last) and last.shared_by
    users = f", shared by {notation.counted(last.shared_by or 1, 'CPU')}" if shared else ""
    return f"the L{last.level} ({notation.size(last.size_bytes)}{users})"


def which(study: Study, view: View, answer: EventAnswer, when: When) -> str:
    """Which cache an LLC event of this core is of, in a sentence."""
    last = last_level(view)
    if not catalogued(view):
        return f"Which cache {answer.name} is of is not known: this core is not in the event catalogue."
    if last is None:
        return "Which cache LLC is here is not known: this machine does not tell its caches."
    whose = (
        f"the {SIMULATED} {study.simulation.target.title}" if view.costs.simulated and study.simulation else "this core"
    )
    if last.level < 3 and any(entry.metric == "l3_access" for entry in entries(view.uarch)):
        return f"The last cache of {whose} is {named(view)}: there is no L3."
    if view.uarch in _OUTSIDE and not view.costs.simulated and _INSIDE not in (study.machine.board or ""):
        return _by_counts(view, answer, when)
    return f"The LLC of {whose} is {named(view)}."


def _by_counts(view: View, answer: EventAnswer, when: When) -> str:
    """On a core that may mean a cache outside the cluster: whether reads of the L3 are as many as LLC loads."""
    reads = next((event for event in view.costs.events if event.name == _L3_READS), None)
    costs = {cost.model: cost for cost in view.costs.of(reads)} if reads else {}
    ratios = [
        ratio
        for model, cost in (answer.costs if answer.event.metric == "llc_load" else {}).items()
        if model in costs and (ratio := view.quotient(cost, costs[model], when))
    ]
    if not ratios:
        return (
            f"The LLC of this core is {named(view)}, unless its system names a cache outside the cores' cluster "
            "(CPUECTLR.EXTLLC)."
        )
    off = max(abs(ratio.value - 1) for ratio in ratios)
    if off <= _ALIKE:
        return f"The LLC of this core is {named(view)}: {_L3_READS} counts as many within {notation.percent(off)}."
    return (
        f"The LLC of this core is no cache of its cluster's: {answer.name} differs from {_L3_READS} by "
        f"{notation.percent(off)}."
    )
