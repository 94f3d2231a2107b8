"""What is wrong with single runs: failed, slowed down, disturbed, or counted for a part of the time."""

from collections.abc import Iterable, Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.costs import FULL
from profiler.analysis.study_analysis import Analysis
from profiler.machine.host import throttled_text
from profiler.records import Count, MachineState, Run, Study, planned
from profiler.validity.codes import CLOCK_SHARE, OTHER_LOAD, SWAP_BYTES
from profiler.validity.model import Finding, Grade

NAMED = 4
"""Most events, models or runs that a finding names."""

_VOLTAGE = 0x10001
"""The bits of `get_throttled` that are the supply's voltage, now and since boot."""
_NOW, _SINCE = 0xF, 0xF0000

_TABLE = "The table of missing runs says which."


def nothing(study: Study, runs: Sequence[Run], analysis: Analysis) -> Finding:
    """No run ended well: the one thing to say of such a study."""
    why = dict.fromkeys(error for gap in analysis.gaps for error in gap.errors)
    made = f"none of {notation.counted(len(runs), 'run')} ended well" if runs else "no run was made"
    what = f"There is no figure: {made}{f' ({notation.listed(why, NAMED)})' if why else ''}."
    return Finding("no-figures", "invalid", what, "Mend the cause, and sweep again.", orders(runs), study.cases, True)


def failed(study: Study, runs: Sequence[Run], analysis: Analysis) -> Iterator[Finding]:
    """Runs that did not end well."""
    gaps = [gap for gap in analysis.gaps if gap.failed]
    if gaps:
        whose = dict.fromkeys(
            f"{gap.case.model} under {gap.case.simulator}" if gap.case.simulator else gap.case.model for gap in gaps
        )
        why = dict.fromkeys(error for gap in gaps for error in gap.errors)
        bad = orders(run for run in runs if run.outcome != "ok")
        yield Finding(
            "failed-runs",
            "invalid",
            f"{len(bad):,} of {_planned(study)} failed ({notation.listed(whose, NAMED)}): "
            f"{notation.listed(why, NAMED)}. "
            f"{_TABLE}",
            "Mend the cause, and sweep again.",
            bad,
        )


def missing(study: Study, analysis: Analysis) -> Iterator[Finding]:
    """Planned runs that were never made."""
    gaps = [gap for gap in analysis.gaps if gap.unmade]
    if gaps:
        unmade = sum(gap.unmade for gap in gaps)
        yield Finding(
            "missing-runs",
            "degraded",
            f"{unmade:,} of {_planned(study)} were not made: the sweep was cut short. {_TABLE}",
            "Sweep again, and let it end.",
            cases=tuple(gap.case for gap in gaps),
        )


def throttled(runs: Sequence[Run]) -> Iterator[Finding]:
    """What throttled during runs; the supply's voltage apart from heat and caps, for their remedies differ."""
    told = sum(run.before.throttled is not None or run.after.throttled is not None for run in runs)
    seen = dict(_throttling(runs))
    hot = {order: bits & ~_VOLTAGE for order, bits in seen.items() if bits & ~_VOLTAGE}
    if hot:
        yield _slowed(
            "throttled",
            hot,
            told,
            "The board throttled while it was measured ({words}) in {runs}: times are too long.",
            "Cool it with a fan or heat sink, and sweep again.",
        )
    weak = {order: bits & _VOLTAGE for order, bits in seen.items() if bits & _VOLTAGE}
    if weak:
        yield _slowed(
            "undervolted",
            weak,
            told,
            "The board's supply voltage was too low while it was measured ({words}) in {runs}: the firmware may have "
            "lowered the clock.",
            "Feed it from its own power supply over a short cable, and sweep again.",
        )


def _slowed(code: str, seen: dict[int, int], told: int, what: str, remedy: str) -> Finding:
    """Of runs by order the bits that were seen in them, of so many runs that tell."""
    union = 0
    for bits in seen.values():
        union |= bits
    runs = share(len(seen), told)
    grade: Grade = "invalid" if len(seen) == told else "degraded"
    return Finding(
        code, grade, what.format(words=notation.listed(throttled_text(union)), runs=runs), remedy, tuple(seen)
    )


def _throttling(runs: Sequence[Run]) -> Iterator[tuple[int, int]]:
    """Of each run during which something throttled, the bits: those of now, and those that were not set until then.

    What has happened since boot stays set, so the same happening again is only seen while it lasts.
    """
    known: int | None = None
    for run in runs:
        during = 0
        for bits in (run.before.throttled, run.after.throttled):
            if bits is not None:
                during |= bits & (_NOW | _SINCE & ~(bits if known is None else known))
                known = bits
        if during:
            yield run.order, during


def clock(runs: Sequence[Run]) -> Iterator[Finding]:
    """A clock that nothing held, or that did not keep to one frequency."""
    clocks = {run.order: [max(state.clock_hz) for state in (run.before, run.after) if state.clock_hz] for run in runs}
    seen = [hz for mine in clocks.values() for hz in mine]
    top, least = max(seen, default=0), min(seen, default=0)
    differ = least < top * (1 - CLOCK_SHARE)
    ends = f"from {least / 1e9:.2f} to {top / 1e9:.2f} GHz"
    free = [run for run in runs if run.before.governor not in (None, "performance")]
    follows = "so times depend on what ran before; counts of instructions and cache events hardly do."
    if free:
        governors = sorted({run.before.governor or "" for run in free})
        range_ = f" ({ends} before and after runs)" if differ else ""
        yield Finding(
            "clock-moved",
            "degraded",
            f"The {notation.listed(governors)} governor was free to move the clock{range_}, {follows}",
            "`profiler doctor` prints the command that holds it; then sweep again.",
            orders(free),
        )
    elif differ:
        slow = tuple(order for order, mine in clocks.items() if min(mine, default=top) < top * (1 - CLOCK_SHARE))
        yield Finding(
            "clock-moved",
            "degraded",
            f"The clock was seen {ends} before and after runs, below {notation.percent(1 - CLOCK_SHARE)} of its "
            "highest in "
            f"{share(len(slow), len(runs))}, {follows}",
            "Hold it: the `performance` governor, no turbo, a cool machine.",
            slow,
        )


def swapping(runs: Sequence[Run]) -> Iterator[Finding]:
    """Swap that grew while the study ran."""

    def used(state: MachineState) -> int:
        return state.swap_used_bytes or 0

    told = [state for run in runs for state in (run.before, run.after) if state.swap_used_bytes is not None]
    grown = max(map(used, told), default=0) - (used(told[0]) if told else 0)
    if grown > SWAP_BYTES:
        mine = [run for run in runs if used(run.after) - used(run.before) > SWAP_BYTES]
        within = f", within {share(len(mine), len(runs))}" if mine else ", little by little"
        yield Finding(
            "swapping",
            "degraded",
            f"The swap in use grew by {notation.size(grown)} while it was measured{within}: memory was short, "
            "and times may be a disk's.",
            "Close other programs, or measure on a machine with more memory; then sweep again.",
            orders(mine),
            study=not mine,
        )


def load(study: Study, runs: Sequence[Run]) -> Iterator[Finding]:
    """Load that the measured process cannot have made.

    The load average counts threads that run or wait to run: the process's own are the threads that it was asked for.
    """
    own = study.plan.threads or study.machine.cpus
    yield from loaded(
        study, runs, own, f" beside {notation.counted(own, 'thread')} of the measured process", "sweep again"
    )


def loaded(study: Study, runs: Sequence[Run], own: float, beside: str, again: str) -> Iterator[Finding]:
    """A load above `own` in some of the runs.

    Args:
        beside: What of it was the measured process's, in words.
        again: How to measure anew, in words.
    """
    busy = [run for run in runs if (run.after.load_1min or 0.0) > own + OTHER_LOAD]
    if busy:
        most = max(run.after.load_1min or 0.0 for run in busy)
        yield Finding(
            "loaded",
            "degraded",
            f"Something else was running: a load of up to {most:.1f} on {notation.counted(study.machine.cpus, 'CPU')}"
            f"{beside}, in {share(len(busy), len(runs))}.",
            f"Stop it (`top` shows it), wait a minute, and {again}.",
            orders(busy),
        )


def scaled(runs: Sequence[Run], analysis: Analysis) -> Iterator[Finding]:
    """Counts that are scaled up from a part of the region."""
    costs = [cost for cost in analysis.costs.values() if cost.scaled]
    if not costs:
        return
    events = dict.fromkeys(cost.event.name for cost in costs)
    known = [cost.running_percent for cost in costs if cost.running_percent is not None]
    part = f"for as little as {min(known):.0f} % of a run" if known and min(known) < FULL else "for part of a run"
    untold = any(cost.estimated for cost in costs)
    mine = [run for run in runs if run.outcome == "ok" and any(map(_is_scaled, run.counts))]
    yield Finding(
        "multiplexed",
        "degraded",
        f"{notation.listed(events, NAMED)}: a counter was on the event {part}"
        f"{', nobody noted how long' if untold else ''}, so the counts are scaled-up estimates, whose error no "
        "interval here contains.",
        "Sweep these models anew: no pass of a sweep has more events than the core has counters."
        if untold
        else "End whatever else counts (`profiler doctor` says what holds a counter), and sweep again.",
        orders(mine),
    )


def _is_scaled(count: Count) -> bool:
    percent = FULL if count.running_percent is None else count.running_percent
    return count.value is not None and (count.estimated or percent < FULL)


def orders(runs: Iterable[Run]) -> tuple[int, ...]:
    """The places of these runs in the sweep."""
    return tuple(run.order for run in runs)


def share(some: int, of: int) -> str:
    """`3 of 80 runs`."""
    return f"{some:,} of {notation.counted(of, 'run')}"


def _planned(study: Study) -> str:
    return notation.counted(sum(planned(study, case) for case in study.cases), "planned run")
