"""The runs as tidy tables: a line a count, and a line a latency, with all that is needed to do the analysis again."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from profiler import targets
from profiler.records import Count, Run, Study
from profiler.report.costs import native

RUNS = (
    "order",
    "model",
    "runtime",
    "images",
    "region",
    "group",
    "repeat",
    "outcome",
    "event",
    "value",
    "unit",
    "status",
    "source",
    "running_percent",
    "reason",
    "started_at",
    "simulator",
    "arch",
    "threads",
    "simulated_caches",
    "simulated_cores",
)
LATENCIES = ("order", "model", "images", "region", "repeat", "index", "latency_ns")


def runs_csv(study: Study, runs: Iterable[Run]) -> bytes:
    """One line a run and event, one without event for a run that is not ok; a missing value is empty, with a reason.

    `arch` is the instruction set that ran. Where `simulator` is empty, so is what was simulated.
    """
    runtimes = {model.label: model.runtime for model in study.models}
    return table(RUNS, (line for run in runs for line in _counts(run, runtimes[run.case.model], _setting(study, run))))


def latencies_csv(runs: Sequence[Run]) -> bytes:
    """One line a steady inference of a run on this machine itself that is ok; `index` counts from 0 within the run."""
    return table(
        LATENCIES,
        (
            (run.order, run.case.model, run.case.images, run.case.region, run.repeat, index, latency)
            for run in native(runs)
            if run.completion and run.outcome == "ok"
            for index, latency in enumerate(run.completion.latencies_ns)
        ),
    )


def _setting(study: Study, run: Run) -> tuple[object, ...]:
    """What the last columns say: who simulated, whose instructions, how many threads, which caches and cores."""
    simulation, simulator = study.simulation, run.case.simulator
    if simulation is None or simulator is None:
        return simulator, study.machine.arch, study.plan.threads, None, None
    return simulator, simulation.arch, study.plan.threads, targets.describe(simulation.target), simulation.cores


def _counts(run: Run, runtime: str, setting: tuple[object, ...]) -> Iterator[tuple[object, ...]]:
    case = run.case
    head = (run.order, case.model, runtime, case.images, case.region, " ".join(case.group), run.repeat, run.outcome)
    if not run.counts:
        yield (*head, None, None, None, None, None, None, run.error, run.started_at, *setting)
    for count in run.counts:
        yield (*head, *_fields(count), run.started_at, *setting)


def _fields(count: Count) -> tuple[object, ...]:
    return count.event, count.value, count.unit, count.status, count.source, count.running_percent, count.reason


def table(head: tuple[str, ...], lines: Iterable[tuple[object, ...]]) -> bytes:
    """A CSV file; what is None is empty."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    return file.getvalue().encode()
