"""What one asks of a session: whether it keeps up, how late it is, what a frame costs, what slowed it down."""

from collections.abc import Iterator

from profiler.analysis import live_labels
from profiler.analysis.live_session import SessionFigures
from profiler.analysis.notation import ABSENT, capital, counted, listed, number, percent, ratio
from profiler.records import Study, Summary
from profiler.report.model import Question
from profiler.report.sections import live_text
from profiler.validity.model import Validity

KEEPS_UP = 0.05
"""Share of the source's frames that may be dropped where a session is said to keep up with it."""

_SLOWING = ("throttled", "undervolted", "swapping", "loaded", "clock-moved", "unsteady", "stale-frames")
"""Codes of findings that say that frames took longer than the machine needs."""


def questions(study: Study, found: SessionFigures | None, validity: Validity) -> tuple[Question, ...]:
    """All of them; none where no window was recorded."""
    if found is None:
        return ()
    return _pace(study, found), _late(study, found), _cost(study, found), _slowed(validity)


def _pace(study: Study, found: SessionFigures) -> Question:
    title, asked = "Frame rate", "Does it keep up with its source?"
    shown = ("live-session", "live-source")
    its = found.summary
    windows = f"The recorded windows ran at {live_labels.rates(found)} frames a second."
    if its is None:
        verdict = f"{live_text.pace(found)} What the source gave is not known."
        return Question("pace", title, asked, verdict, (windows,), answered=False, command=study.command, shown=shown)
    if found.live.every:
        verdict = f"There was no pace to keep up with: {live_text.pace(found)}"
        return Question("pace", title, asked, verdict, (windows,), shown=shown)
    dropped = its.dropped / its.captured if its.captured else 0.0
    keeps = "Yes" if dropped <= KEEPS_UP else "No"
    caveats = ["A session says how fast it is with this source, and nothing of how fast it could be."]
    if its.latency_ms.p50:
        most = number(1000 / its.latency_ms.p50)
        caveats = [
            f"A source faster than this one could be labelled at up to {most} frames a second: one frame after the "
            "other, at the median of preprocessing and inference."
        ]
    return Question(
        "pace",
        title,
        asked,
        f"{keeps}: {live_text.pace(found)}",
        evidence=(_of_source(found), f"{percent(dropped)} of the source's frames were dropped.", windows),
        caveats=tuple(caveats),
        shown=shown,
    )


def _of_source(found: SessionFigures) -> str:
    live = found.live
    told = [
        f"{what} {number(rate)}"
        for what, rate in (("asked for", live.asked_rate), ("declared", live.declared_rate))
        if rate is not None
    ]
    gave = live_labels.fps(found.summary.source_fps) if found.summary else ABSENT
    return f"{live.source} gave {gave}{f' ({listed(told)})' if told else ''}, {live.width} × {live.height} each."


def _late(study: Study, found: SessionFigures) -> Question:
    title, asked = "Latency", "How long does an inference take, and how old is a frame when it has its label?"
    its, shown = found.summary, ("live-latency", "latency-distribution", "latency-trace")
    evidence = [*_trend(found)]
    if its is None or its.age_ms.p50 is None:
        verdict = f"An inference takes {live_labels.quantiles(found)}; how old frames were is not known."
        return Question(
            "late", title, asked, verdict, tuple(evidence), answered=False, command=study.command, shown=shown
        )
    verdict = (
        f"An inference takes {live_labels.quantiles(found)}; from its capture to its label a frame takes "
        f"{live_labels.spread(its.age_ms)}."
    )
    evidence.insert(0, f"Preprocessing and inference together take {live_labels.spread(its.latency_ms)}.")
    caveat = "A frame's age counts from the driver's stamp where it gives one, else from its arrival."
    if found.live.kind == "file":
        caveat = "A frame's age counts from when it was due by the file's own rate."
    if found.live.every:
        caveat = "A frame's age counts from when it was read: the next one is, while the last is being labelled."
    else:
        limit = "one frame period, their own preprocessing and inference, and 10 ms"
        evidence.append(f"{_late_frames(its)} above {limit}.")
    return Question("late", title, asked, verdict, tuple(evidence), (caveat,), shown=shown)


def _late_frames(its: Summary) -> str:
    share = f" ({percent(its.stale / its.frames)})" if its.stale else ""
    return f"{counted(its.stale, 'frame') if its.stale else 'No frame'}{share} had an age"


def _trend(found: SessionFigures) -> Iterator[str]:
    if found.trend:
        yield (
            "The windows' median latencies are on average, in their last third, "
            f"{ratio(found.trend)} times those of their first third."
        )


def _cost(study: Study, found: SessionFigures) -> Question:
    title, asked = "Cost of a frame", "What does a labelled frame cost, and where does the time go?"
    shown = ("image", "derived", "live-session")
    if found.cpu is None:
        why = "CPU time was not counted, so what a frame costs is not known."
        return Question("frame", title, asked, why, answered=False, command=study.command, shown=shown)
    events = list(live_text.events(found))
    evidence = [f"For each frame, by the PMU: {listed(events)}."] if events else []
    its = found.summary
    if its:
        shares = its.shares
        evidence.append(
            f"Of the classifying thread's time {live_labels.share(shares.inference)} is inference, "
            f"{live_labels.share(shares.preprocess)} preprocessing, {live_labels.share(shares.idle)} waiting for a "
            "frame and "
            f"{live_labels.share(shares.other)} all else; capture takes {live_labels.share(shares.capture)} of a CPU "
            "beside it."
        )
        evidence.append(f"All threads together used {live_labels.share(its.cpu_percent)} of one CPU.")
    caveats = ["What is paid once, before the first frame, is in none of these figures."]
    if its and its.dropped:
        lost = "Capturing and decoding the frames that were dropped is in the figure of those that were labelled."
        caveats.append(lost)
    if study.scope == "user" and any(study.groups):
        caveats.append("Hardware events are of user mode alone: what the kernel did is not in them.")
    return Question(
        "frame",
        title,
        asked,
        next(live_text.cost(found)),
        evidence=tuple(evidence),
        caveats=tuple(caveats),
        shown=shown,
    )


def _slowed(validity: Validity) -> Question:
    title, asked = "Conditions", "Did heat, the clock or anything else slow it down?"
    mine = [finding for finding in validity.findings if finding.code in _SLOWING]
    verdict = "Nothing that shows in the machine's state or in the latencies."
    if mine:
        verdict = f"{capital(listed(_WORDS[code] for code in dict.fromkeys(each.code for each in mine)))}."
    return Question(
        "conditions",
        title,
        asked,
        verdict,
        evidence=tuple(finding.what for finding in mine),
        caveats=("The machine's state was read at the ends of windows: what came and went between is not seen.",),
        shown=("latency-trace", "machine"),
    )


_WORDS = {
    "throttled": "the board throttled",
    "undervolted": "the supply voltage was too low",
    "swapping": "memory was short",
    "loaded": "something else was running",
    "clock-moved": "the clock moved, or was free to",
    "unsteady": "latencies changed over the session",
    "stale-frames": "labels came late",
}
