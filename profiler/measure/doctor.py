"""What this machine can count, what is in the way, and the exact command that mends it."""

from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Literal, NamedTuple

from profiler import virtual
from profiler.analysis import notation
from profiler.counters import SIMULATORS, Setup, Survey, UnusableError, choose, choose_simulator
from profiler.errors import ProfilerError
from profiler.machine import events as catalogue
from profiler.machine import host, targets
from profiler.measure.simulated_runs import DEFAULT_TARGET
from profiler.records import Event, Machine, MachineState

_ENGINES = {"LiteRT": ("ai-edge-litert", "tflite-runtime", "tensorflow"), "Keras": ("tensorflow",)}


class Diagnosis(NamedTuple):
    """One thing looked at.

    Attributes:
        remedy: The command that mends it, or what to do where no command can; None where nothing is to mend.
    """

    level: Literal["ok", "warning", "missing"]
    what: str
    detail: str
    remedy: str | None = None


class Examination(NamedTuple):
    """All findings, and of the event set asked for which event is counted here and why another is not."""

    findings: tuple[Diagnosis, ...]
    events: tuple[Event, ...]
    absent: dict[str, str]


def examine(event_set: str = "lab") -> Examination:
    """Looks at this machine; tries perf with each event of the set."""
    machine, state = host.describe(), host.state()
    core = catalogue.core(machine.uarch)
    events = catalogue.resolve(event_set, core, machine.pmu)
    counters, absent = _counters(events, machine)
    hardware = any(event.kind == "hardware" and event.name not in absent for event in events)
    findings = (
        _core(machine, core),
        *counters,
        *_chain(hardware),
        *_boards(),
        *_engines(),
        *_calm(machine, state),
    )
    return Examination(findings, events, absent)


def _chain(hardware: bool) -> Iterator[Diagnosis]:
    """The simulators, and whom `--counters auto` takes: perf, or the first of them where perf counts no hardware."""
    setup = Setup(targets.find(DEFAULT_TARGET), 1, None)
    usable = []
    for name in SIMULATORS:
        try:
            simulator, _ = choose_simulator(name, setup)
        except UnusableError as error:
            yield Diagnosis("missing", name, error.cause, error.remedy)
        else:
            usable.append(simulator.version)
            yield Diagnosis("ok", name, f"{simulator.version} simulates caches for {simulator.arch} programs")
    if hardware:
        yield Diagnosis("ok", "--counters auto", "perf, for it counts hardware events here; no simulator is needed")
    elif usable:
        detail = f"perf counts no hardware event here, so {usable[0]} simulates the caches of a {setup.target.title}"
        yield Diagnosis("ok", "--counters auto", detail)
    else:
        detail = "neither perf nor a simulator counts caches here: times and page faults only"
        yield Diagnosis("warning", "--counters auto", detail, "sudo apt install qemu-user gcc libc6-dev")


def _boards() -> Iterator[Diagnosis]:
    made = dict.fromkeys(board.title for board, _ in virtual.installed())
    detail = ", ".join(made) or "none set up; `profiler virtual setup pi5` makes one"
    yield Diagnosis("ok", "virtual boards", detail)


def _core(machine: Machine, core: catalogue.Core) -> Diagnosis:
    known = machine.uarch != "generic"
    cpus = "1 CPU" if machine.cpus == 1 else f"{machine.cpus} CPUs"
    return Diagnosis(
        "ok" if known else "warning",
        "core",
        f"{machine.board or machine.system}, {machine.cpu}, {cpus}, catalogue: {core.title}",
        None if known else "its events go by perf's generic names, whose meaning here is not in the catalogue",
    )


def _counters(events: tuple[Event, ...], machine: Machine) -> tuple[tuple[Diagnosis, ...], dict[str, str]]:
    try:
        _, survey = choose("perf", events, machine, ("process", "inference"))
    except ProfilerError as error:
        absent = {event.name: "perf cannot be used" for event in events}
        return (Diagnosis("missing", "perf", error.cause, error.remedy),), absent
    perf = Diagnosis("ok", "perf", f"version {machine.perf_version}, regions by --control")
    return (perf, _scope(survey, machine), *_hardware(events, survey, machine)), survey.absent


def _scope(survey: Survey, machine: Machine) -> Diagnosis:
    paranoid = machine.perf_event_paranoid
    if survey.scope == "user":
        detail = f"only user-space is counted (perf_event_paranoid {paranoid}); the kernel's part is not"
        return Diagnosis("warning", "scope", detail, "sudo sysctl kernel.perf_event_paranoid=1")
    return Diagnosis("ok", "scope", f"user-space and kernel are counted (perf_event_paranoid {paranoid})")


def _hardware(events: tuple[Event, ...], survey: Survey, machine: Machine) -> Iterator[Diagnosis]:
    wanted = [event for event in events if event.kind == "hardware"]
    counted = [event for event in wanted if event.name not in survey.absent]
    if not wanted:
        return
    if not counted and machine.pmu and "cycles" not in survey.absent:
        detail = f"{machine.pmu} has none of the events asked for"
        yield Diagnosis("missing", "hardware counters", detail, "profiler events  (lists those of this core)")
        return
    if not counted:
        yield Diagnosis(
            "missing", "hardware counters", "none: cycles, stalls and caches are n/a", _no_pmu_remedy(machine)
        )
        return
    if survey.notes:
        detail = f"{len(counted)} of {len(wanted)} events of the set; {' '.join(survey.notes)}"
        yield Diagnosis("warning", "hardware counters", detail, "run on the hardware itself, or use --counters qemu")
        return
    passes = f"in {len(survey.groups)} pass{'es' if len(survey.groups) > 1 else ''}, none multiplexed"
    yield Diagnosis("ok", "hardware counters", f"{len(counted)} of {len(wanted)} events of the set, {passes}")
    if host.nmi_watchdog():
        detail = "the kernel's NMI watchdog holds one hardware counter"
        yield Diagnosis("warning", "watchdog", detail, "sudo sysctl kernel.nmi_watchdog=0")


def _no_pmu_remedy(machine: Machine) -> str:
    if machine.board and "Raspberry Pi" in machine.board and not machine.virtual:
        return (
            "sudo apt update && sudo apt full-upgrade && sudo reboot  (early 6.12 and plain Debian kernels lack "
            "the Pi 5's PMU node; then `ls /sys/bus/event_source/devices | grep armv8` shows it)"
        )
    if machine.virtual:
        return "run on the hardware itself, or give the virtual machine a PMU (QEMU/KVM: -cpu host,pmu=on)"
    return "use a kernel with a driver for this CPU's PMU (look for a cpu or armv8_* in /sys/bus/event_source/devices)"


def _engines() -> Iterator[Diagnosis]:
    for engine, packages in _ENGINES.items():
        found = next((package for package in packages if _version(package)), None)
        if found:
            yield Diagnosis("ok", engine, f"{found} {_version(found)}")
        else:
            yield Diagnosis("missing", engine, "not installed", f"pip install {packages[0]}")


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _calm(machine: Machine, state: MachineState) -> Iterator[Diagnosis]:
    """Whether the machine is quiet and steady enough to be measured."""
    if state.governor not in (None, "performance"):
        yield Diagnosis(
            "warning",
            "clock",
            f"the {state.governor} governor moves the clock",
            "echo performance | sudo tee /sys/devices/system/cpu/cpu*/cpufreq/scaling_governor",
        )
    elif state.governor is None:
        yield Diagnosis("warning", "clock", "no governor to be seen, so the clock may move unnoticed", None)
    else:
        yield Diagnosis("ok", "clock", "performance governor")
    if state.throttled:
        words = ", ".join(host.throttled_text(state.throttled))
        yield Diagnosis("warning", "throttling", words, "cool the board and use its own 5 V 5 A supply, then reboot")
    if state.load_1min is not None and state.load_1min > machine.cpus / 2:
        detail = f"load {state.load_1min:.1f} on {machine.cpus} CPUs: something else is running"
        yield Diagnosis("warning", "load", detail, "top -o %CPU  (and end what is not needed)")
    if state.swap_used_bytes:
        detail = f"{notation.size(state.swap_used_bytes)} of swap in use"
        yield Diagnosis(
            "warning", "memory", detail, "free -h  (end what is not needed, then sudo swapoff -a && sudo swapon -a)"
        )
