"""Whether the engines ran on as many threads as they were asked for."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.records import Run, Study
from profiler.validity.check_figures import native
from profiler.validity.check_runs import share
from profiler.validity.codes import SHORT_NS, THREADS_SHARE
from profiler.validity.model import Finding


class _Busy(NamedTuple):
    """How many CPUs a run kept busy, over `what` of it."""

    run: Run
    what: str
    cpus: float


def threads(study: Study, runs: Sequence[Run]) -> Iterator[Finding]:
    """Models that ran on other numbers of threads than was asked for."""
    asked = study.plan.threads
    if asked is None:
        return
    for model in study.models:
        busy = [each for run in runs if run.case.model == model.label for each in _busy(run)]
        yield from _too_many(model.label, model.runtime, asked, busy)
        if asked > 1:
            yield from _idle(study, model.label, asked, [each for each in busy if each.what == "inferences"])


def _busy(run: Run) -> Iterator[_Busy]:
    """CPU time over wall time of the inferences, by the process's own clocks, and of a whole process, as counted."""
    counts = {count.event: count.value or 0.0 for count in run.counts} if run.case.region == "process" else {}
    inside = run.completion.phases.get("inference") if run.completion else None
    spans = {
        "inferences": (inside.cpu_ns, inside.wall_ns) if inside else (0, 0),
        "whole process": (counts.get("task-clock", 0.0), counts.get("duration_time", 0.0)),
    }
    yield from (_Busy(run, what, cpu / wall) for what, (cpu, wall) in spans.items() if wall >= SHORT_NS)


def _too_many(label: str, runtime: str, asked: int, busy: Sequence[_Busy]) -> Iterator[Finding]:
    over = [each for each in busy if each.cpus > asked * (1 + THREADS_SHARE)]
    if over:
        most = max(over, key=lambda each: each.cpus)
        orders = tuple(dict.fromkeys(each.run.order for each in over))
        keras = "TensorFlow has threads beside those that `--threads` sets. " if runtime == "keras" else ""
        yield Finding(
            "thread-count",
            "degraded",
            f"{label} was asked for {notation.counted(asked, 'thread')} and kept up to {most.cpus:.1f} CPUs busy "
            f"({most.what}: CPU time over wall time) in {share(len(orders), len({each.run.order for each in busy}))}.",
            f"{keras}Pin it with `--cpus` to as many CPUs as threads.",
            orders,
        )


def _idle(study: Study, label: str, asked: int, inside: Sequence[_Busy]) -> Iterator[Finding]:
    most = max((each.cpus for each in inside), default=float(asked))
    if most < 1 + THREADS_SHARE:
        pinned = study.plan.cpus and len(study.plan.cpus) < asked
        yield Finding(
            "thread-count",
            "degraded",
            f"{label} was asked for {asked} threads, and its inferences never kept more than {most:.1f} CPUs busy.",
            "Give `--cpus` as many CPUs as threads." if pinned else "Compare with `--threads 1`, which is what it is.",
            cases=tuple(case for case in native(study) if case.model == label),
        )
