"""The codes of findings: what each means, from what bound on it is found, which grade it gives. Part of the interface.

How grades are given:

=================  ====================================================================================================
run                The worst grade among the findings that name it. A run that failed is invalid.
case               Invalid where none of its runs is better than that; degraded where any of them is, or is missing, or
                   where a finding about its runs together says so.
study              Invalid where all its cases are, or a finding about the study as a whole says so; degraded where any
                   case is not valid, or such a finding says so.
finding `valid`    Good to know: every figure says what it seems to.
finding `degraded` The figures stand, but some say less than they seem to, or are of other conditions than they seem.
finding `invalid`  What it is about stands for nothing: no figure came of it, or none that another day would show.
=================  ====================================================================================================

So one throttled run among many degrades the study and leaves the cases that it is not of as they are; the same in every
run leaves no time to rely on.
"""

from typing import NamedTuple

from profiler.analysis.notation import percent
from profiler.validity.model import GRADES, Grade

FEW_REPEATS = 3
"""Runs of a case below which a disturbed one is as likely taken for the rule as for the exception."""

CLOCK_SHARE = 0.03
"""Share by which clocks may differ: a Raspberry Pi 5 steps by 100 MHz, which of 2.4 GHz are 4 %."""

SWAP_BYTES = 2**20
"""Growth of the swap in use that is none: 64 pages of a Raspberry Pi 5."""

OTHER_LOAD = 1.0
"""Load beside the measured process's own threads: that of one program that never rests. Two virtual CPUs with nothing
to do but one-thread sweeps showed loads up to 1.36, which leaves 0.36 for whatever else a system does."""

THREADS_SHARE = 0.1
"""By how much CPU time over wall time may exceed the threads asked for. Of 252 runs of one thread, on two virtual CPUs,
none exceeded it by 2 %: the clocks are read one after the other, and Keras's `predict` has a thread beside the
computing one."""

SHORT_NS = 1e6
"""Wall time below which reading the clocks is a part of what they show."""

SCATTERED = 1.5
"""Times as long as the fastest run of a case that its slowest may take. Of five sweeps on busy virtual machines half of
the cases were below 1.3, and nearly all below 1.5."""

DRIFT = 0.05
"""Drift of the latencies over a run from which on the cost per image is that of this many images alone."""

OUTLIERS, OUTLIERS_SHARE = 2, 0.05
"""Whole-process runs far off their line that are usual: two (of the lines of a clean study, about 1 in 50 has one), or
where the study is large 1 run in 20."""

BY_CHANCE = 0.05
"""Share of true slopes that miss their 95 % interval; the region's interval is narrow beside it."""

STALE_SHARE = 0.05
"""Share of a session's frames whose label may be late: beyond, the 95th percentile of their age is."""

UNLIKELY = 0.01
"""Share of clean studies that may be taken for worse by the number of their doubtful lines."""

FAR = 3.0
"""Half widths of both 95 % intervals together, about 6 standard errors, beyond which chance is no explanation."""


class Code(NamedTuple):
    """What a code means.

    Attributes:
        grades: Those that its findings may have.
        meaning: What is so where it is found, with its bound.
    """

    grades: tuple[Grade, ...]
    meaning: str


_VALID, _DEGRADED, _INVALID = ((grade,) for grade in GRADES)

CODES: dict[str, Code] = {
    "no-figures": Code(_INVALID, "No run ended well, so there is no figure at all."),
    "failed-runs": Code(_INVALID, "Runs crashed, hung or left no record. They are invalid and in no figure."),
    "throttled": Code(
        (*_DEGRADED, *_INVALID),
        "The firmware capped or throttled the clock during a run (get_throttled bits 1 to 3, or 17 to 19 newly set), "
        "so its times are too long. Invalid where it did so in every run.",
    ),
    "undervolted": Code(
        (*_DEGRADED, *_INVALID),
        "The supply voltage was too low during a run (get_throttled bit 0, or 16 newly set), at which the firmware may "
        "lower the clock. Invalid where it was so in every run.",
    ),
    "missing-runs": Code(_DEGRADED, "Planned runs were not made. A case without any run is invalid."),
    "labels-disagree": Code(
        _DEGRADED,
        "Forms of one network answer the same images differently, on more of them than the check's bound allows.",
    ),
    "multiplexed": Code(
        _DEGRADED,
        "A counter was on an event for less than the whole region, or for a share that nobody noted: the count is "
        "scaled up, an estimate whose error no interval contains.",
    ),
    "imported": Code(
        _DEGRADED, "The model's file was not at hand when the study was made: nothing shows which network this is."
    ),
    "thread-count": Code(
        _DEGRADED,
        f"CPU time over wall time, of the inferences or the whole process, is more than {percent(THREADS_SHARE)} "
        "above the threads asked for; or of several threads asked for, the inferences kept just one busy.",
    ),
    "swapping": Code(_DEGRADED, f"The swap in use grew by more than {SWAP_BYTES >> 20} MiB, so times may be a disk's."),
    "loaded": Code(
        _DEGRADED,
        f"The load of a minute exceeded the measured process's own threads by more than {OTHER_LOAD:g}: something else "
        "took time, caches and memory.",
    ),
    "clock-moved": Code(
        _DEGRADED,
        "The governor was free to move the clock (any but `performance`), or the clock seen before and after runs "
        f"differed by more than {percent(CLOCK_SHARE)}: times depend on when a run was made.",
    ),
    "stopped-counters": Code(
        _DEGRADED, "A counter that was on cycles or instructions counted none in any run of a model: it stood still."
    ),
    "scattered": Code(
        _DEGRADED,
        f"In more than half of the cases the slowest whole process took more than {SCATTERED:g} times as long as the "
        "fastest: a mean of such runs is no run's time.",
    ),
    "no-hardware-counts": Code(
        _VALID, "No hardware event was counted: the figures are times, page faults and context switches."
    ),
    "uncounted-events": Code(_VALID, "Some of the hardware events asked for were not counted; they are n/a."),
    "simulated": Code(_VALID, "Some or all counts are a simulator's, and stand apart from what was measured."),
    "slope-region-disagree": Code(
        (*_VALID, *_DEGRADED),
        "The slope over whole processes and the count around the inferences alone contradict each other beyond their "
        "intervals. Good to know where so few and so narrowly that it may be chance.",
    ),
    "lack-of-fit": Code(
        (*_VALID, *_DEGRADED),
        "Counts are not on a line over the images, so fixed cost and slope average over a bend. Good to know where so "
        "few lines of all bend, and so little, that it may be chance.",
    ),
    "unsteady": Code(
        (*_VALID, *_DEGRADED),
        f"Latencies rise or fall over a run. Good to know up to {percent(DRIFT)}; beyond, the cost per image "
        "depends on how many images a run has.",
    ),
    "few-repeats": Code(
        _DEGRADED, f"A case has fewer than {FEW_REPEATS} runs that ended well, so a disturbed run shows nowhere."
    ),
    "one-image-count": Code(
        _DEGRADED, "Whole processes ran with one image count: fixed cost and cost per image are not told apart."
    ),
    "user-only": Code(_DEGRADED, "Hardware events were counted in user mode alone, without the kernel's part."),
    "outliers": Code(
        (*_VALID, *_DEGRADED),
        "Runs are far off the line of their model, and part of the figures all the same. Good to know of up to "
        f"{OUTLIERS} runs, or where they are no more than {percent(OUTLIERS_SHARE)} of the runs.",
    ),
    "source-reopened": Code(
        _DEGRADED, "A session lost its source and opened it anew: some of its windows hold the waiting for it."
    ),
    "stale-frames": Code(
        (*_VALID, *_DEGRADED),
        "Labels of a session came later than one frame period, the frame's own preprocessing and inference, and 10 ms. "
        f"Good to know up to {percent(STALE_SHARE)} of the frames.",
    ),
    "source-lost": Code(_VALID, "A session ended because its source was lost; what was recorded before stands."),
    "session-cut": Code(
        _VALID, "A session's end was not recorded: its windows stand, its figures as a whole are missing."
    ),
    "dropped-frames": Code(
        _VALID,
        "The source of a session gave more frames than were labelled: the figure of a labelled frame has the capture "
        "of the dropped ones in it.",
    ),
    "corrupt-frames": Code(_VALID, "Some reads of a session's source gave no usable picture."),
    "note": Code(_VALID, "What the counter source told when the study was made."),
}
"""By their names, the most serious first among those of equal grade."""
