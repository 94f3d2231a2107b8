"""Tidy tables: a line a count, a line a latency, with all that is needed to do the analysis again; a line a figure."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from profiler.analysis.costs import native
from profiler.analysis.quantity import Quantity
from profiler.machine import targets
from profiler.records import Count, Run, Study

COUNTS = (
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
    "estimated",
    "reason",
    "started_at",
    "simulator",
    "arch",
    "threads",
    "simulated_caches",
    "simulated_cores",
)
LATENCIES = ("order", "model", "images", "region", "repeat", "index", "latency_ns")
QUANTITIES = ("subject", "event", "what", "images", "value", "low", "high", "unit", "status", "reason")


def counts_csv(study: Study, runs: Iterable[Run]) -> bytes:
    """The counts as a file."""
    return table(COUNTS, counts(study, runs))


def counts(study: Study, runs: Iterable[Run]) -> Iterator[tuple[object, ...]]:
    """One line a run and event, one without event for a run that is not ok; a missing value is None, with a reason.

    `arch` is the instruction set that ran. Where `simulator` is None, so is what was simulated.
    """
    runtimes = {model.label: model.runtime for model in study.models}
    for run in runs:
        yield from _counts(run, runtimes[run.case.model], _setting(study, run))


def latencies_csv(runs: Sequence[Run]) -> bytes:
    """The latencies as a file."""
    return table(LATENCIES, latencies(runs))


def latencies(runs: Sequence[Run]) -> Iterator[tuple[object, ...]]:
    """One line a steady inference of a run on this machine itself that is ok; `index` counts from 0 within the run."""
    for run in native(runs):
        for index, latency in enumerate(run.completion.latencies_ns if run.completion and run.outcome == "ok" else ()):
            yield run.order, run.case.model, run.case.images, run.case.region, run.repeat, index, latency


def quantities_csv(quantities: Iterable[Quantity]) -> bytes:
    """One line a figure, with the ends of its 95 % interval; columns are the attributes of `Quantity`."""
    return table(QUANTITIES, figures(quantities))


def figures(quantities: Iterable[Quantity]) -> Iterator[tuple[object, ...]]:
    """One line a figure."""
    for each in quantities:
        yield tuple(getattr(each, name) for name in QUANTITIES)


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
        yield (*head, None, None, None, None, None, None, None, run.error, run.started_at, *setting)
    for count in run.counts:
        yield (*head, *_fields(count), run.started_at, *setting)


def _fields(count: Count) -> tuple[object, ...]:
    told = (count.event, count.value, count.unit, count.status, count.source)
    return *told, count.running_percent, count.estimated, count.reason


def table(head: tuple[str, ...], lines: Iterable[tuple[object, ...]]) -> bytes:
    """A CSV file; what is None is empty."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(head)
    writer.writerows(lines)
    return file.getvalue().encode()
