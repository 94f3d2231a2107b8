"""The simulated part of a sweep: which simulator, whose caches, which runs, and why."""

import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from msgspec import structs

from profiler import virtual
from profiler.counters import AUTO, SIMULATORS, Setup, Simulator, Survey, UnusableError, choose_simulator
from profiler.counters.qemu import emulator
from profiler.errors import ProfilerError
from profiler.machine import events as catalogue
from profiler.machine import host, targets
from profiler.measure.run import START, Workplace
from profiler.records import Case, Event, Plan, Region, Simulation, Target
from profiler.virtual import Virtual

DEFAULT_TARGET = "pi5"
_ROOM_BYTES = 3 * 2**30
"""Memory for one simulated process more: Keras under QEMU peaks at about 2 GiB."""
_PACKAGE = Path(__file__).parent.parent
_WORKERS_FILES = ("__init__.py", "errors.py", "version.py", "worker.py", "runtimes/*.py")


class Simulated(NamedTuple):
    """How simulated runs are made in this sweep.

    Attributes:
        plan: The sweep's, with the images, repeats and regions of the simulated runs.
        why: What the reader of the study is told of the choice.
    """

    source: Simulator
    setup: Setup
    plan: Plan
    events: tuple[Event, ...]
    survey: Survey
    why: str

    @property
    def lanes(self) -> int:
        """Processes at once: as many as there are CPUs for their threads, and memory."""
        free = host.state().memory_available_bytes
        room = free // _ROOM_BYTES if free else 1
        return max(1, min(len(host.usable_cpus()) // self.setup.cores, room))

    def described(self, cases: Sequence[Case]) -> Simulation:
        """What the study keeps of it; `cases` are its own."""
        return Simulation(
            source=self.source.name,
            version=self.source.version,
            arch=self.source.arch,
            guest=self.setup.virtual.title if self.setup.virtual else None,
            target=self.setup.target,
            cores=self.setup.cores,
            images=self.plan.images,
            repeats=self.plan.repeats,
            proved=_proved(cases) if self.plan.repeats == 1 else (),
            events=self.events,
            absent=self.survey.absent,
            groups=self.survey.groups,
            notes=self.survey.notes,
        )


def _proved(cases: Sequence[Case]) -> tuple[Case, ...]:
    """Of each model the shortest run: once more, it shows whether counts repeat."""
    fewest = min(case.images for case in cases)
    shortest = [case for case in cases if case.images == fewest]
    regions: dict[str, Region] = {}
    for case in shortest:
        if case.model not in regions or case.region == "inference":
            regions[case.model] = case.region
    return tuple(case for case in shortest if case.region == regions[case.model])


def choose(plan: Plan, survey: Survey | None, runtimes: Sequence[str]) -> tuple[Simulated | None, str | None]:
    """The simulated part where one is asked for, or where `auto` finds no hardware event that counts.

    Args:
        survey: Of what counts on this machine; None where nothing runs on it.

    Returns:
        None where nothing is simulated, with what the reader must know where that is for want of a simulator.

    Raises:
        ProfilerError: What was asked for by name cannot be had here.
    """
    asked = plan.on or plan.caches or plan.counters in SIMULATORS
    needed = plan.counters == AUTO and not (survey and any(survey.groups))
    if not (asked or needed) or not (plan.on or plan.simulated_images):
        return None, None
    if plan.capture_in_region:
        return None, _no_camera(bool(asked))
    board = virtual.find(plan.on, "keras" in runtimes) if plan.on else None
    target = targets.find(plan.caches or plan.on or DEFAULT_TARGET)
    setup = Setup(target, min(plan.threads or target.cpus, target.cpus), board)
    wanted = "qemu" if plan.on else plan.counters if plan.counters in SIMULATORS else AUTO
    try:
        source, others = choose_simulator(wanted, setup)
    except UnusableError as error:
        if asked:
            raise
        return None, f"No caches are simulated: {error}."
    if not source.prefetches:
        target = structs.replace(target, prefetch={"kind": "none"})
        setup = setup._replace(target=target)
    narrowed = plan if plan.on else _beside(plan)
    events, absent = targets.events(target, _wanted(plan, target))
    modelled = [event for event in events if event.name not in absent]
    survey = source.survey(modelled, host.describe(), narrowed.regions)
    survey = survey._replace(absent={**absent, **survey.absent})
    return Simulated(source, setup, narrowed, events, survey, _why(source, setup, bool(asked), others)), None


def _no_camera(asked: bool) -> str:
    """Why nothing is simulated where each run takes its images from the camera."""
    lack = "a camera cannot be captured from inside a simulation, which is many times slower than its frames"
    if asked:
        raise ProfilerError(lack, "leave out --capture-in-region, or what asks for a simulation")
    return f"No caches are simulated: {lack}."


def _beside(plan: Plan) -> Plan:
    """The simulated runs beside those on this machine: few, for they repeat, and of the inferences alone."""
    return structs.replace(plan, images=plan.simulated_images, repeats=1, regions=("inference",), phases=False)


def _wanted(plan: Plan, target: Target) -> tuple[Event, ...]:
    """The events asked for, as the target's core has them."""
    return catalogue.resolve(plan.event_set, catalogue.core(target.uarch), None)


def _why(source: Simulator, setup: Setup, asked: bool, others: Sequence[str]) -> str:
    what = f"{source.version} simulates the caches of {targets.describe(setup.target)}"
    if setup.virtual:
        return f"Everything ran on a virtual {setup.virtual.title}: {what}"
    reason = "as asked for" if asked else "because no hardware event is counted here"
    passed = f" ({'; '.join(others)})" if others else ""
    return f"{what}, {reason}{passed}"


def settle(place: Workplace, board: Virtual) -> Workplace:
    """The workplace on the virtual board: the worker's files beside the requests, and the board's own Python."""
    code = place.folder / "code"
    copy_worker(code)
    executable, _ = emulator("aarch64")
    worker = (*virtual.command(board, executable, None), *START)
    return place._replace(worker=worker, environment=virtual.environment(code))


def copy_worker(code: Path) -> None:
    """Copy what the worker imports of this package to the folder `code`."""
    for pattern in _WORKERS_FILES:
        for file in sorted(_PACKAGE.glob(pattern)):
            copy = code / _PACKAGE.name / file.relative_to(_PACKAGE)
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copy)
