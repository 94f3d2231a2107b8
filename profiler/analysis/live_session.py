"""What a recorded session came to: its pace, its latencies, its answers. Pure."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from profiler.analysis import stats
from profiler.analysis.costs import Costs
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis, Latency
from profiler.records import Live, Run, Study, Summary, Usage

THIRDS = 9
"""Windows from which on a session's last third is held against its first: each then has the 3 of an interval."""


@dataclass(frozen=True, slots=True, eq=False)
class SessionFigures:
    """A session with at least one recorded window.

    Attributes:
        model: Its label.
        rates: Labelled frames a second of each window, in order.
        frames: In all windows together.
        fps: Over the session; of one that was cut off, over its windows.
        latency: Of the inferences alone; None where no clock advanced.
        cpu: CPU time of all threads for each frame, in ns.
        trend: Median latency of the last third of the windows over that of the first; None of fewer than `THIRDS`.
        once: What was paid before the first frame, by phase.
        labels: How many frames each class won; of a session that was cut off, in its windows.
    """

    live: Live
    model: str
    costs: Costs
    rates: tuple[float, ...]
    frames: int
    fps: float
    latency: Latency | None
    cpu: Estimate | None
    trend: Estimate | None
    once: dict[str, Usage]
    labels: dict[str, int]

    @property
    def summary(self) -> Summary | None:
        """None where the session was cut off."""
        return self.live.summary

    @property
    def outside(self) -> int:
        """Labelled frames that are in no window."""
        return self.summary.frames - self.frames if self.summary else 0


def session(study: Study, runs: Sequence[Run], analysis: Analysis) -> SessionFigures | None:
    """The session of a study that is one; None of a sweep, and where no window was recorded."""
    windows = [run for run in runs if run.outcome == "ok" and run.completion and run.wall_ns > 0]
    if study.live is None or not windows:
        return None
    model, frames = study.models[0].label, sum(run.case.images for run in windows)
    summary, seconds = study.live.summary, sum(run.wall_ns for run in windows) / 1e9
    costs = analysis.costs
    return SessionFigures(
        live=study.live,
        model=model,
        costs=costs,
        rates=tuple(run.case.images / run.wall_ns * 1e9 for run in windows),
        frames=frames,
        fps=summary.fps if summary else frames / seconds,
        latency=analysis.latencies.get(model),
        cpu=costs["task-clock", model].direct if ("task-clock", model) in costs else None,
        trend=trend(runs, study.plan.seed),
        once={name: used for run in windows for name, used in _once(run)},
        labels=summary.labels if summary else _labels(study.live, windows),
    )


def trend(runs: Sequence[Run], seed: int) -> Estimate | None:
    """How many times the median latency of the first third of the windows that of the last is."""
    timed = [run.completion.latencies_ns for run in runs if run.completion and min(run.completion.latencies_ns) > 0]
    if len(timed) < THIRDS:
        return None
    medians = [stats.quantiles(latencies).p50 for latencies in timed]
    third = len(medians) // 3
    return stats.ratio(stats.mean(medians[-third:], seed), stats.mean(medians[:third], seed))


def _once(run: Run) -> Iterator[tuple[str, Usage]]:
    """What a window's record holds beside the window itself; the first one's does."""
    phases = run.completion.phases if run.completion else {}
    yield from ((name, used) for name, used in phases.items() if name != "live")


def _labels(live: Live, windows: Sequence[Run]) -> dict[str, int]:
    won = Counter(winner for run in windows if run.completion for winner in run.completion.top)
    names = dict(enumerate(live.classes))
    return {names.get(winner, f"class {winner}"): count for winner, count in won.most_common()}
