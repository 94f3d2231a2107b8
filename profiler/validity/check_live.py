"""What a reader of a recorded session must know: a source that was lost, labels that came late, few windows."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from profiler.analysis.live_session import trend
from profiler.analysis.notation import ABSENT, counted, percent
from profiler.analysis.stats import MATTERS
from profiler.records import Run, Study, Summary
from profiler.validity.check_runs import loaded
from profiler.validity.codes import DRIFT, FEW_REPEATS, STALE_SHARE
from profiler.validity.model import Finding

_AGAIN = "record again"
_SWEEP = "sweep again"


def of_session(finding: Finding) -> Finding:
    """The finding with a remedy for a session, where it asks for another sweep."""
    remedy = finding.remedy.replace(_SWEEP, _AGAIN).replace(_SWEEP.capitalize(), _AGAIN.capitalize())
    return replace(finding, remedy=remedy)


def session(study: Study, runs: Sequence[Run]) -> Iterator[Finding]:
    """What only a session can have."""
    summary = study.live.summary if study.live else None
    yield from _few(study, runs)
    yield from _load(study, runs)
    yield from _unsteady(study, runs)
    if summary is None:
        yield Finding(
            "session-cut",
            "valid",
            "The session's end was not recorded, for it was cut off or the disk was full: its windows stand, and how "
            "many frames were dropped or stale, how old they were and where the time went is not known.",
            "End a session with Ctrl-C, `--seconds` or `--frames`, and leave room on the disk.",
            study=True,
        )
        return
    yield from _lost(summary)
    yield from _dropped(summary)
    yield from _stale(summary)


def _few(study: Study, runs: Sequence[Run]) -> Iterator[Finding]:
    if 0 < len(runs) < FEW_REPEATS:
        yield Finding(
            "few-repeats",
            "degraded",
            f"{counted(len(runs), 'window')} of {counted(runs[0].case.images, 'frame')}: intervals are wide "
            "or missing, and a disturbed window cannot be told from the others.",
            "Record for longer.",
            cases=study.cases,
        )


def _load(study: Study, runs: Sequence[Run]) -> Iterator[Finding]:
    """Load beside what the session itself kept busy, and at least the one CPU that its start took."""
    own = max((_cpus(run) for run in runs), default=1.0)
    beside = f", of which the session kept up to {own:.1f} busy"
    yield from loaded(study, runs, max(own, 1.0), beside, _AGAIN)


def _cpus(run: Run) -> float:
    """CPUs that the process kept busy over the window."""
    used = run.completion.phases.get("live") if run.completion else None
    return used.cpu_ns / used.wall_ns if used and used.wall_ns else 0.0


def _unsteady(study: Study, runs: Sequence[Run]) -> Iterator[Finding]:
    found = trend(runs, study.plan.seed)
    if found is None or found.interval is None:
        return
    low, high = found.interval
    off = found.value - 1
    if not low <= 1 <= high and abs(off) > MATTERS:
        way, cool = ("rose", "Cool the board, and record for longer.") if off > 0 else ("fell", "Record for longer.")
        yield Finding(
            "unsteady",
            "degraded" if abs(off) > DRIFT else "valid",
            f"Latencies {way} over the session: the median of the last third of its windows is {found.value:.2f} times "
            "that of the first third.",
            cool,
            cases=study.cases,
        )


def _lost(its: Summary) -> Iterator[Finding]:
    if its.failed:
        yield Finding(
            "source-lost",
            "valid",
            f"The source was lost, and the session ended with it ({its.ended}). The windows before stand.",
            "See to cable and power of the camera, or to its network.",
            study=True,
        )
    if its.reconnects:
        yield Finding(
            "source-reopened",
            "degraded",
            f"The source was lost and opened anew {counted(its.reconnects, 'time')}: the windows in which that "
            "was hold the waiting and opening too.",
            "See to cable and power of the camera, or to its network.",
            study=True,
        )
    if its.corrupt:
        yield Finding(
            "corrupt-frames",
            "valid",
            f"{counted(its.corrupt, 'read')} of the source gave no usable picture; what such a read took is in "
            "the figures of the labelled frames.",
            study=True,
        )


def _dropped(its: Summary) -> Iterator[Finding]:
    if its.dropped:
        part = percent(its.dropped / its.captured) if its.captured else ABSENT
        yield Finding(
            "dropped-frames",
            "valid",
            f"{counted(its.dropped, 'frame')} ({part} of the source's) {'was' if its.dropped == 1 else 'were'} "
            "dropped for a newer one: figures are for each labelled frame, and capturing and decoding the dropped ones "
            "is in them.",
            study=True,
        )


def _stale(its: Summary) -> Iterator[Finding]:
    if its.stale:
        part = its.stale / its.frames
        yield Finding(
            "stale-frames",
            "degraded" if part > STALE_SHARE else "valid",
            f"{counted(its.stale, 'labelled frame')} ({percent(part)}) {'was' if its.stale == 1 else 'were'} "
            "older than one frame period, its own preprocessing and inference, and 10 ms: something held the session "
            "up.",
            "Stop what else runs, or use fewer viewers.",
            study=True,
        )
