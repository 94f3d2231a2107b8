"""A sweep: cases x repeats, each in a fresh process, in seeded random order; every run is kept as soon as it ends."""

import itertools
import random
import shlex
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from profiler import __version__, pixels, store
from profiler.camera import image_source
from profiler.counters import CounterSource, Survey, choose
from profiler.errors import ProfilerError
from profiler.images import pools
from profiler.machine import events as catalogue
from profiler.machine import host
from profiler.measure import simulated_runs
from profiler.measure.process import Stop, side_by_side
from profiler.measure.progress import Progress, ProgressStep
from profiler.measure.run import WORKER, Workplace, inspect, measure, stage
from profiler.measure.simulated_runs import Simulated
from profiler.modelfile import ModelFile, checks
from profiler.records import PHASES, SCHEMA, Case, Event, Machine, Model, Plan, Region, Run, Study, planned


class SweepResult(NamedTuple):
    """How a sweep ended: its study and folder, how many runs are not ok, whether Ctrl-C cut it short."""

    study: Study
    folder: Path
    failed: int
    interrupted: bool


class Job(NamedTuple):
    """A planned run; `order` is its place among all."""

    order: int
    case: Case
    repeat: int


class ImageSource(NamedTuple):
    """An image source: `where` processes open it, whether it `repeats` its images, and what a reader is told of it."""

    where: str
    repeats: bool
    notes: tuple[str, ...]


class Native(NamedTuple):
    """What counts on this machine itself, and which events."""

    source: CounterSource
    events: tuple[Event, ...]
    survey: Survey


def run(
    name: str,
    root: Path,
    plan: Plan,
    files: Sequence[ModelFile],
    tell: Callable[[ProgressStep], None],
    worker: Sequence[str] = WORKER,
) -> SweepResult:
    """Sweeps: looks at the machine and the models, makes the study under `root`, runs every job.

    Whatever can be refused is refused before the study is made. A run that crashes, hangs or leaves no record is kept
    as failed and the rest goes on.

    Raises:
        ProfilerError: A model, event, source or name cannot be used, or a run cannot be stored.
    """
    store.vacant(root, name)
    # A source without images is refused now, and not after the engines have been looked at.
    taken = _source(plan)
    machine = host.describe()
    native = None if plan.on else _native(plan, machine)
    simulated, lack = simulated_runs.choose(plan, native.survey if native else None, [file.runtime for file in files])
    if native and lack:
        native = native._replace(survey=native.survey._replace(notes=(*native.survey.notes, lack)))
    with tempfile.TemporaryDirectory(prefix="profiler-") as folder, Stop() as stop:
        opening = structs.replace(plan, source=taken.where)
        place = Workplace(Path(folder), worker, opening, {file.label: file for file in files}, {}, {}, stop)
        if simulated and simulated.setup.virtual:
            place = simulated_runs.settle(place, simulated.setup.virtual)
        models = []
        for file in files:
            tell(ProgressStep(f"looking at {file.label}", 0, 0, None))
            models.append(inspect(file, place))
        place = place._replace(pools=stage(models, opening, place.folder))
        study = _describe(name, plan, models, machine, native, simulated, taken, _unread(files, models))
        kept = store.create(root, study)
        failed, interrupted = _all(study, place, native, simulated, kept, tell)
    return SweepResult(study, kept.folder, failed, interrupted)


def cases(
    plan: Plan, labels: Sequence[str], groups: Sequence[tuple[str, ...]], simulator: str | None = None
) -> tuple[Case, ...]:
    """Every cell: models x regions x images x event groups, and with `plan.phases` every other phase at one count."""
    cells: list[tuple[Region, int]] = [(region, count) for region in plan.regions for count in plan.images]
    if plan.phases:
        cells += [(phase, min(plan.images)) for phase in PHASES if phase not in plan.regions]
    return tuple(
        Case(model=label, images=count, region=region, group=group, simulator=simulator)
        for label in labels
        for region, count in cells
        for group in groups
    )


def schedule(study: Study) -> Iterator[Job]:
    """All jobs in the order of running: repeat by repeat, the cases of each shuffled by the plan's seed.

    So a machine that warms up or throttles spreads over all cases, and is not taken for a property of one. Simulated
    jobs, which nothing of that touches, come last and run side by side: the longest first, so that they end together.
    """
    order = random.Random(study.plan.seed)
    native = [case for case in study.cases if case.simulator is None]
    simulated = [case for case in study.cases if case.simulator is not None]
    places = itertools.count()
    for repeat in range(study.plan.repeats if native else 0):
        shuffled = list(native)
        order.shuffle(shuffled)
        yield from (Job(next(places), case, repeat) for case in shuffled)
    runs = [(case, repeat) for case in simulated for repeat in range(planned(study, case))]
    for case, repeat in sorted(runs, key=lambda run: -run[0].images):
        yield Job(next(places), case, repeat)


def _source(plan: Plan) -> ImageSource:
    """What is known of the plan's source.

    Raises:
        ProfilerError: It has no image, or each run cannot take its own from it.
    """
    if pixels.is_camera(plan.source):
        facts = image_source.look(plan.source)
        told = image_source.told(facts, plan.capture_in_region)
        return ImageSource(image_source.found(plan.source, facts), facts.kind == "file", (told,))
    if plan.capture_in_region:
        raise ProfilerError(
            f"images cannot be captured inside the region from '{plan.source}'", "use --source camera, or camera:FILE"
        )
    pools.pool(plan.source, 1, 8, 8, 3, plan.seed)
    return ImageSource(plan.source, True, ())


def _native(plan: Plan, machine: Machine) -> Native:
    wanted = catalogue.resolve(plan.event_set, catalogue.core(machine.uarch), machine.pmu)
    events = tuple({event.name: event for event in (*wanted, *catalogue.always())}.values())
    source, survey = choose(plan.counters, events, machine, (*plan.regions, *(PHASES if plan.phases else ())))
    return Native(source, events, survey)


def _unread(files: Sequence[ModelFile], models: Sequence[Model]) -> tuple[str, ...]:
    """Why what `profiler models check` found is not known, for want of a readable record."""
    lacks = (checks.known(file.path, model.sha256)[1] for file, model in zip(files, models, strict=True))
    return tuple(dict.fromkeys(f"No check of the models is known: {lack}." for lack in lacks if lack))


def _describe(
    name: str,
    plan: Plan,
    models: Sequence[Model],
    machine: Machine,
    native: Native | None,
    simulated: Simulated | None,
    source: ImageSource,
    notes: Sequence[str],
) -> Study:
    labels = [model.label for model in models]
    shown = structs.replace(plan, source=image_source.concealed(plan.source, plan.source))
    mine = cases(plan, labels, native.survey.groups) if native else ()
    others = (
        cases(simulated.plan, labels, simulated.survey.groups, simulated.source.name) if simulated is not None else ()
    )
    return Study(
        schema=SCHEMA,
        name=name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        profiler_version=__version__,
        command=shlex.join([*shown.to_argv(), "--name", name]),
        plan=shown,
        machine=machine,
        models=tuple(models),
        counter_source=native.source.name if native else None,
        scope=native.survey.scope if native else "user",
        events=native.events if native else (),
        absent=native.survey.absent if native else {},
        groups=native.survey.groups if native else ((),),
        cases=(*mine, *others),
        notes=(
            *(native.survey.notes if native else ()),
            *([simulated.why] if simulated else ()),
            *source.notes,
            *notes,
        ),
        source_repeats=source.repeats,
        simulation=simulated.described(others) if simulated else None,
    )


def _all(
    study: Study,
    place: Workplace,
    native: Native | None,
    simulated: Simulated | None,
    kept: store.Store,
    tell: Callable[[ProgressStep], None],
) -> tuple[int, bool]:
    """Runs and keeps every job; how many failed, and whether Ctrl-C came."""
    lanes = simulated.lanes if simulated else 1
    progress = Progress(study, lanes, tell)
    sources: dict[str | None, CounterSource] = {
        **({None: native.source} if native else {}),
        **({simulated.source.name: simulated.source} if simulated else {}),
    }

    def make(job: Job) -> Run:
        progress.starts(job.case, job.repeat)
        return measure(job.order, job.case, job.repeat, place, sources[job.case.simulator], kept)

    def keep(run: Run) -> None:
        kept.append(run)
        progress.ended(run)

    jobs = list(schedule(study))
    alone = [job for job in jobs if job.case.simulator is None]
    try:
        for job in alone:
            keep(make(job))
        side_by_side(jobs[len(alone) :], make, keep, lanes, place.stop)
    except KeyboardInterrupt:
        return progress.failed, True
    progress.done()
    return progress.failed, False
