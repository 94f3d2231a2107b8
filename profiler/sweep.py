"""A sweep: cases x repeats, each in a fresh process, in seeded random order; every run is kept as soon as it ends."""

import random
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from profiler import __version__, images, store
from profiler import events as catalogue
from profiler import machine as this_machine
from profiler.counters import CounterSource, Survey, choose
from profiler.measure import WORKER, Workplace, inspect, measure, stage
from profiler.network import ModelFile
from profiler.records import PHASES, SCHEMA, Case, Event, Machine, Model, Plan, Region, Study


class Step(NamedTuple):
    """Where a sweep stands: told before each process and once at the end.

    Attributes:
        what: What runs now, in words.
        left_s: Estimated time to the end; None as long as no run has ended.
    """

    what: str
    done: int
    total: int
    left_s: float | None


class Result(NamedTuple):
    """How a sweep ended: its study and folder, how many runs are not ok, whether Ctrl-C cut it short."""

    study: Study
    folder: Path
    failed: int
    interrupted: bool


class Job(NamedTuple):
    """A planned run."""

    case: Case
    repeat: int


def run(
    name: str,
    root: Path,
    plan: Plan,
    files: Sequence[ModelFile],
    tell: Callable[[Step], None],
    worker: Sequence[str] = WORKER,
) -> Result:
    """Sweeps: looks at the machine and the models, makes the study under `root`, runs every job.

    Whatever can be refused is refused before the study is made. A run that crashes, hangs or leaves no record is kept
    as failed and the rest goes on.

    Raises:
        ProfilerError: A model, event, source or name cannot be used, or a run cannot be stored.
    """
    store.vacant(root, name)
    # A source without images is refused now, and not after the engines have been looked at.
    images.pool(plan.source, 1, 8, 8, 3, plan.seed)
    machine = this_machine.describe()
    wanted = catalogue.resolve(plan.event_set, catalogue.core(machine.uarch), machine.pmu)
    events = tuple({event.name: event for event in (*wanted, *catalogue.always())}.values())
    regions = (*plan.regions, *(PHASES if plan.phases else ()))
    source, survey = choose(plan.counters, events, machine, regions)
    with tempfile.TemporaryDirectory(prefix="profiler-") as folder:
        place = Workplace(Path(folder), worker, plan, {file.label: file for file in files}, {})
        models = []
        for file in files:
            tell(Step(f"looking at {file.label}", 0, 0, None))
            models.append(inspect(file, place))
        place = place._replace(pools=stage(models, plan, place.folder))
        study = _describe(name, plan, models, machine, source.name, events, survey)
        kept = store.create(root, study)
        failed, interrupted = _all(study, place, source, kept, tell)
    return Result(study, kept.folder, failed, interrupted)


def cases(plan: Plan, labels: Sequence[str], groups: Sequence[tuple[str, ...]]) -> tuple[Case, ...]:
    """Every cell: models x regions x images x event groups, and with `plan.phases` every other phase at one count."""
    cells: list[tuple[Region, int]] = [(region, count) for region in plan.regions for count in plan.images]
    if plan.phases:
        cells += [(phase, min(plan.images)) for phase in PHASES if phase not in plan.regions]
    return tuple(
        Case(model=label, images=count, region=region, group=group)
        for label in labels
        for region, count in cells
        for group in groups
    )


def schedule(study: Study) -> Iterator[Job]:
    """All jobs in the order of running: repeat by repeat, the cases of each shuffled by the plan's seed.

    So a machine that warms up or throttles spreads over all cases, and is not taken for a property of one.
    """
    order = random.Random(study.plan.seed)
    for repeat in range(study.plan.repeats):
        shuffled = list(study.cases)
        order.shuffle(shuffled)
        yield from (Job(case, repeat) for case in shuffled)


def _describe(
    name: str,
    plan: Plan,
    models: Sequence[Model],
    machine: Machine,
    source: str,
    events: Sequence[Event],
    survey: Survey,
) -> Study:
    return Study(
        schema=SCHEMA,
        name=name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        profiler_version=__version__,
        command=shlex.join(["profiler", *sys.argv[1:]]),
        plan=plan,
        machine=machine,
        models=tuple(models),
        counter_source=source,
        scope=survey.scope,
        events=tuple(events),
        absent=survey.absent,
        groups=survey.groups,
        cases=cases(plan, [model.label for model in models], survey.groups),
        notes=survey.notes,
    )


def _all(
    study: Study, place: Workplace, source: CounterSource, kept: store.Store, tell: Callable[[Step], None]
) -> tuple[int, bool]:
    """Runs and keeps every job; how many failed, and whether Ctrl-C came."""
    jobs, clock, failed = list(schedule(study)), _Clock(), 0
    try:
        for order, job in enumerate(jobs):
            tell(Step(_in_words(job, study.plan), order, len(jobs), clock.left_s(jobs[order:])))
            ended = measure(order, job.case, job.repeat, place, source, kept)
            clock.add(job.case, ended.wall_ns)
            kept.append(ended)
            failed += ended.outcome != "ok"
    except KeyboardInterrupt:
        return failed, True
    tell(Step("done", len(jobs), len(jobs), 0.0))
    return failed, False


def _in_words(job: Job, plan: Plan) -> str:
    images = "1 image" if job.case.images == 1 else f"{job.case.images} images"
    return f"{job.case.model}, {images}, {job.case.region} ({job.repeat + 1}/{plan.repeats})"


class _Clock:
    """Time left, from the mean wall time of each model's runs so far."""

    def __init__(self) -> None:
        self._seen: dict[str, list[int]] = {}

    def add(self, case: Case, wall_ns: int) -> None:
        self._seen.setdefault(case.model, []).append(wall_ns)

    def left_s(self, jobs: Sequence[Job]) -> float | None:
        everything = [wall for walls in self._seen.values() for wall in walls]
        if not everything:
            return None
        means = {model: sum(walls) / len(walls) for model, walls in self._seen.items()}
        mean = sum(everything) / len(everything)
        return sum(means.get(job.case.model, mean) for job in jobs) / 1e9
