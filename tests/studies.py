"""Studies with known truth: what a Cortex-A76 would have counted, in the magnitude of a real Raspberry Pi 5.

The magnitudes of the two models are those of QFlask/ece386-lab4, perf-catdog.csv, divided into a fixed part and one for
each image; those of simulated counts are of the two default models under QEMU, on x86-64 and through a Pi 5's caches.
"""

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from made_networks import made_check, made_form, made_network, made_resident, made_taken
from msgspec.structs import replace

from profiler import store
from profiler.machine import events as catalogue
from profiler.machine import targets
from profiler.records import (
    PHASES,
    SCHEMA,
    Cache,
    Case,
    Completion,
    Count,
    Engine,
    Event,
    Live,
    Machine,
    MachineState,
    Model,
    Plan,
    Region,
    Run,
    Shares,
    Simulation,
    Spread,
    Study,
    Summary,
    TensorSpec,
    Usage,
    planned,
)

Change = Callable[[Run], Run | None]
"""What is wrong with a study: a run to the run as it is kept, or None where it was never made."""

KERAS = {
    "cycles": (14.6e9, 150e6),
    "inst_retired": (19.0e9, 240e6),
    "stall_backend": (5.1e9, 52e6),
    "l2d_cache_inval": (24e6, 0.26e6),
    "ll_cache_rd": (230e6, 3.4e6),
    "ll_cache_miss_rd": (88e6, 1.3e6),
    "l2d_cache_refill": (240e6, 3.5e6),
    "task-clock": (6.20e9, 66e6),
    "page-faults": (26_700, 12),
    "context-switches": (410, 2.5),
    "duration_time": (6.12e9, 61e6),
    "user_time": (5.70e9, 63e6),
    "system_time": (0.50e9, 3e6),
}
LITERT = {
    "cycles": (0.38e9, 11.2e6),
    "inst_retired": (0.55e9, 26e6),
    "stall_backend": (0.17e9, 3.1e6),
    "l2d_cache_inval": (0.31e6, 0.9e3),
    "ll_cache_rd": (5.2e6, 88e3),
    "ll_cache_miss_rd": (2.4e6, 21e3),
    "l2d_cache_refill": (5.4e6, 91e3),
    "task-clock": (0.182e9, 5.0e6),
    "page-faults": (1_840, 0),
    "context-switches": (22, 0.05),
    "duration_time": (0.190e9, 5.05e6),
    "user_time": (0.150e9, 4.95e6),
    "system_time": (0.032e9, 0.05e6),
}
ALIASES = {
    "instructions": "inst_retired",
    "stalled-cycles-backend": "stall_backend",
    "LLC-loads": "ll_cache_rd",
    "LLC-load-misses": "ll_cache_miss_rd",
}
Truth = Mapping[str, tuple[float, float]]
SHARES = {"import": 0.55, "load": 0.14, "images": 0.01, "first": 0.12, "warmup": 0.01}
"""Of the fixed cost; what is left is the interpreter's."""
UNITS = {"task-clock", "duration_time", "user_time", "system_time"}

LAB = (
    "cycles",
    "inst_retired",
    "stall_backend",
    "l2d_cache_inval",
    "ll_cache_rd",
    "ll_cache_miss_rd",
    "l2d_cache_refill",
)
"""The event set `lab` on a Cortex-A76, and its one group."""

PI5 = Machine(
    arch="aarch64",
    cpu="Cortex-A76",
    uarch="cortex-a76",
    cpus=4,
    board="Raspberry Pi 5 Model B Rev 1.0",
    caches=(
        Cache(level=1, type="Data", size_bytes=65536, ways=4, line_bytes=64, shared_by=1, source="sysfs"),
        Cache(level=1, type="Instruction", size_bytes=65536, ways=4, line_bytes=64, shared_by=1, source="sysfs"),
        Cache(level=2, type="Unified", size_bytes=524288, ways=8, line_bytes=64, shared_by=1, source="sysfs"),
        Cache(level=3, type="Unified", size_bytes=2097152, ways=16, line_bytes=64, shared_by=4, source="sysfs"),
    ),
    memory_bytes=8 * 2**30,
    page_bytes=16384,
    kernel="6.12.34+rpt-rpi-2712",
    system="Debian GNU/Linux 12 (bookworm)",
    virtual=None,
    pmu="armv8_cortex_a76",
    perf_version="6.1.187",
    perf_event_paranoid=1,
    python="3.11.2",
)


NO_PMU = replace(PI5, arch="x86_64", cpu="A server's CPU", uarch="generic", board=None, pmu=None, virtual="KVM")
NO_PMU_WHY = "this machine shows no hardware counters (no PMU)"
GENERIC_HARDWARE = ("cycles", "instructions", "stalled-cycles-backend", "LLC-loads", "LLC-load-misses")

SIMULATED_LITERT = {
    "inst_retired": 79.27e6,
    "mem_access": 38.41e6,
    "mem_access_rd": 23.85e6,
    "mem_access_wr": 14.56e6,
    "l1i_cache": 7.984e6,
    "l1i_cache_refill": 2445,
    "l1d_cache": 38.42e6,
    "l1d_cache_rd": 23.86e6,
    "l1d_cache_wr": 14.56e6,
    "l1d_cache_refill": 842_812,
    "l1d_cache_refill_rd": 595_741,
    "l1d_cache_refill_wr": 247_071,
    "l1d_cache_wb": 256_659,
    "l1d_cache_inval": 1584,
    "l2d_cache": 1_101_916,
    "l2d_cache_rd": 845_257,
    "l2d_cache_wr": 256_659,
    "l2d_cache_refill": 432_702,
    "l2d_cache_refill_rd": 432_702,
    "l2d_cache_wb": 220_392,
    "l2d_cache_wb_victim": 220_392,
    "l2d_cache_inval": 0,
    "l3d_cache": 653_094,
    "l3d_cache_rd": 432_702,
    "l3d_cache_refill": 203_482,
    "l3d_cache_wb": 105_420,
    "ll_cache_rd": 432_702,
    "ll_cache_miss_rd": 203_482,
    "memory_latency_cycles": 71.8e6,
}
"""For each image."""
SIMULATED_TIMES = {"keras": 13, "litert": 1}
SIMULATED_START = {"keras": 60, "litert": 5}
"""The fixed cost of a simulated process, in images of the model."""
EMULATION = 40
"""How many times as long everything takes under the made simulator: more than any interval would hide."""


@dataclass
class Recipe:
    """What a made study is made of; every field may be set.

    Attributes:
        truth: By model label, events to (fixed, per image); a label that is missing is 0.6 of LiteRT.
        absent: Why an event of the set is not counted, by its name.
        noise: Standard deviation of a count, as a share of it.
        draw: Which of all studies with this truth and noise it is.
        bend: By event, what each image's square adds to its count: such counts lie on no line.
        outside: By event, what each image costs outside the region: slope and direct figure then disagree.
        native: Whether anything ran on the machine itself.
        simulated: Regions of the simulated runs; nothing is simulated where there is none.
        guest: The virtual board that the simulated runs were on.
        facts: By model label, fields of its `Model` in place of the made ones (network, resident, form, check, ...);
            `operators` and `arena_bytes` are its engine's.
        change: Done to every run.
    """

    labels: Sequence[str] = ("keras", "litert")
    images: Sequence[int] = (1, 2, 5, 10, 20, 40)
    repeats: int = 5
    regions: Sequence[Region] = ("process", "inference")
    phases: bool = False
    event_set: str = "lab"
    machine: Machine = PI5
    truth: Mapping[str, Truth] = field(default_factory=lambda: {"keras": KERAS, "litert": LITERT})
    absent: Mapping[str, str] = field(default_factory=dict)
    groups: Sequence[Sequence[str]] | None = None
    scope: str = "user+kernel"
    noise: float = 0.01
    draw: int = 1
    bend: Mapping[str, float] = field(default_factory=dict)
    outside: Mapping[str, float] = field(default_factory=dict)
    notes: Sequence[str] = ()
    governor: str | None = "performance"
    throttled: int | None = 0
    native: bool = True
    simulated: Sequence[Region] = ()
    simulated_images: Sequence[int] = (1, 2, 4)
    simulated_groups: Sequence[Sequence[str]] | None = None
    target: str = "pi5"
    arch: str = "x86_64"
    guest: str | None = None
    facts: Mapping[str, Mapping[str, object]] = field(default_factory=dict)
    change: Change | None = None


def made_study(**recipe: object) -> tuple[Study, tuple[Run, ...]]:
    """A study by a `Recipe` of these fields, and its runs."""
    asked = Recipe(**recipe)  # type: ignore[arg-type]
    study = _study(asked)
    rng = np.random.default_rng(asked.draw)
    native = [case for case in study.cases if case.simulator is None]
    jobs = [(case, repeat) for repeat in range(asked.repeats) for case in native]
    runs = [_run(place, *jobs[int(job)], study, asked, rng) for place, job in enumerate(rng.permutation(len(jobs)))]
    simulated = [case for case in study.cases if case.simulator is not None]
    again = [(case, repeat) for case in simulated for repeat in range(planned(study, case))]
    runs += [_simulated_run(order, *job, study, asked, rng) for order, job in enumerate(again, len(runs))]
    kept = map(asked.change, runs) if asked.change else runs
    return study, tuple(run for run in kept if run is not None)


def family_study(**recipe: object) -> tuple[Study, tuple[Run, ...]]:
    """A study of four forms of one network that differ by runtime, precision and file alone, with all their facts."""
    forms = {
        "keras:saved": made_form("keras", optimiser_state=True),
        "keras:weights": made_form("keras"),
        "litert:fp32": made_form(),
        "litert:int8": made_form(precision="int8"),
    }
    facts: dict[str, dict[str, object]] = {}
    for place, (label, form) in enumerate(forms.items()):
        kind = "keras" if form.runtime == "keras" else "tflite"
        network = made_network(form.precision, form.optimiser_state, format=kind)
        sha256 = f"{place:02x}" * 32
        facts[label] = {
            "file": f"{label.partition(':')[2]}.{kind}",
            "size_bytes": network.size_bytes,
            "sha256": sha256,
            "network": network,
            "resident": made_resident(),
            "form": form,
            "check": made_check(label, sha256),
        }
        if kind == "tflite":
            facts[label] |= {"operators": made_taken(), "arena_bytes": None}
    given: Any = recipe.pop("facts", {})
    asked: dict[str, object] = {
        "labels": tuple(forms),
        "truth": {"keras:saved": KERAS, "keras:weights": KERAS, "litert:fp32": LITERT},
        "facts": {label: facts.get(label, {}) | dict(given.get(label, {})) for label in {*facts, *given}},
    }
    return made_study(**asked | recipe)


def study_beside(**recipe: object) -> tuple[Study, tuple[Run, ...]]:
    """A study of a machine without a PMU, its caches' counts simulated beside it."""
    asked: dict[str, object] = {
        "machine": NO_PMU,
        "groups": ((),),
        "absent": dict.fromkeys(GENERIC_HARDWARE, NO_PMU_WHY),
        "notes": ("No hardware counters: the kernel shows no usable PMU.",),
        "simulated": ("inference",),
    }
    return made_study(**asked | recipe)


def virtual_study(**recipe: object) -> tuple[Study, tuple[Run, ...]]:
    """A study of a virtual Pi 5: nothing ran on a machine itself."""
    asked: dict[str, object] = {
        "machine": NO_PMU,
        "native": False,
        "simulated": ("process", "inference"),
        "guest": "Raspberry Pi 5",
        "arch": "aarch64",
    }
    return made_study(**asked | recipe)


def put(root: Path, made: tuple[Study, Sequence[Run]]) -> Path:
    """Stores the study under `root`; returns its folder."""
    study, runs = made
    kept = store.create(root, study)
    for run in runs:
        kept.append(run)
    return kept.folder


def failing(model: str, images: int, repeat: int, error: str = "killed by signal 9") -> Callable[[Run], Run]:
    """The run of that place ends badly."""

    def change(run: Run) -> Run:
        if (run.case.model, run.case.images, run.repeat) != (model, images, repeat):
            return run
        return replace(run, outcome="failed", counts=(), completion=None, returncode=-9, error=error)

    return change


def recounting(event: str, **fields: object) -> Callable[[Run], Run]:
    """The counts of an event are kept with these fields changed."""

    def change(run: Run) -> Run:
        counts = (replace(count, **fields) if count.event == event else count for count in run.counts)
        return replace(run, counts=tuple(counts))

    return change


def _study(asked: Recipe) -> Study:
    core = catalogue.core(asked.machine.uarch)
    wanted = catalogue.resolve(asked.event_set, core, asked.machine.pmu)
    events = tuple({event.name: event for event in (*wanted, *catalogue.always())}.values())
    absent = {event.name: event.meaning for event in events if event.encoding is None} | dict(asked.absent)
    countable = [event for event in events if event.kind == "hardware" and event.name not in absent]
    groups = asked.groups if asked.groups is not None else catalogue.groups(countable, core, 6) or ((),)
    simulation = _simulation(asked) if asked.simulated else None
    cells = [(region, count) for region in asked.regions for count in asked.images]
    if asked.phases:
        cells += [(phase, min(asked.images)) for phase in PHASES if phase not in asked.regions]
    return Study(
        schema=1,
        name="made",
        created_at="2026-03-02T09:30:00+00:00",
        profiler_version="0.1.0",
        command=f"profiler sweep --models {','.join(asked.labels)}",
        plan=Plan(
            models=tuple(asked.labels),
            images=tuple(asked.images),
            repeats=asked.repeats,
            warmup=1,
            threads=1,
            regions=tuple(asked.regions),
            phases=asked.phases,
            event_set=asked.event_set,
            counters="auto",
            source="builtin",
            seed=0,
            timeout_s=300.0,
            cpus=None,
            keras_call="predict",
            on=asked.target if asked.guest else None,
        ),
        machine=asked.machine,
        models=tuple(_model(label, asked.facts.get(label, {})) for label in asked.labels),
        counter_source="perf" if asked.native else None,
        scope=asked.scope if asked.native else "user",
        events=events if asked.native else (),
        absent=absent if asked.native else {},
        groups=tuple(map(tuple, groups)) if asked.native else ((),),
        cases=(
            *(
                Case(model=label, images=count, region=region, group=tuple(group))
                for label in (asked.labels if asked.native else ())
                for region, count in cells
                for group in groups
            ),
            *(_simulated_cases(asked, simulation.groups) if simulation else ()),
        ),
        notes=tuple(asked.notes),
        simulation=simulation,
    )


def _simulation(asked: Recipe) -> Simulation:
    target = targets.find(asked.target)
    wanted = catalogue.resolve(asked.event_set, catalogue.core(target.uarch), None)
    events, absent = targets.events(target, wanted)
    names = tuple(event.name for event in events if event.name not in absent)
    groups = tuple(map(tuple, asked.simulated_groups)) if asked.simulated_groups else (names,)
    cases = _simulated_cases(asked, groups)
    return Simulation(
        source="qemu",
        version="QEMU 7.2.22",
        arch=asked.arch,
        guest=asked.guest,
        target=target,
        cores=1,
        images=tuple(asked.simulated_images),
        repeats=1,
        proved=tuple(case for case in cases if case.images == min(asked.simulated_images))[-len(groups) :],
        events=events,
        absent=absent,
        groups=groups,
        notes=("the simulation has no notion of time",),
    )


def _simulated_cases(asked: Recipe, groups: Sequence[tuple[str, ...]]) -> tuple[Case, ...]:
    return tuple(
        Case(model=label, images=count, region=region, group=group, simulator="qemu")
        for label in asked.labels
        for region in asked.simulated
        for count in asked.simulated_images
        for group in groups
    )


def _model(label: str, facts: Mapping[str, object]) -> Model:
    keras = label.startswith("keras")
    engine = Engine(package="tensorflow", version="2.21.0 (Keras 3.12.0)", call="predict", threads=1)
    if not keras:
        engine = Engine(
            package="ai-edge-litert",
            version="2.3.0",
            call="invoke",
            threads=1,
            delegate="XNNPACK",
            delegated="took 66 of 67 operators in 1 part",
        )
    told = {name: facts[name] for name in ("operators", "arena_bytes") if name in facts}
    made = Model(
        label=label,
        runtime="keras" if keras else "litert",
        file="cat-dog-mnv2.keras" if keras else "cat-dog-mnv2.tflite",
        size_bytes=9_626_662 if keras else 2_585_904,
        sha256=("ab12" if keras else "cd34") * 16,
        engine=replace(engine, **told),
        input=TensorSpec(name="image", shape=(1, 150, 150, 3), dtype="uint8"),
        output=TensorSpec(name="dog", shape=(1, 1), dtype="float32"),
    )
    return replace(made, **{name: fact for name, fact in facts.items() if name not in told})


def _run(order: int, case: Case, repeat: int, study: Study, asked: Recipe, rng: np.random.Generator) -> Run:
    truth = asked.truth.get(case.model) or {name: (a * 0.6, b * 0.6) for name, (a, b) in LITERT.items()}
    wobble = 1 + asked.noise / 5 * rng.standard_normal()
    counts = tuple(
        _count(event, case, truth.get(ALIASES.get(event.name, event.name), (3e6, 4e4)), asked, wobble, rng)
        for event in study.events
        if event.name not in study.absent and (event.kind != "hardware" or event.name in case.group)
    )
    second = f"{order // 60 % 60:02}:{order % 60:02}"
    state = MachineState(
        at=f"2026-03-02T09:{second}+00:00",
        load_1min=0.4,
        clock_hz=(2_400_000_000,) * asked.machine.cpus,
        governor=asked.governor,
        temperature_celsius=51.2 + order % 7,
        throttled=asked.throttled,
        memory_available_bytes=6 * 2**30,
        swap_used_bytes=0,
    )
    return Run(
        order=order,
        case=case,
        repeat=repeat,
        started_at=state.at,
        wall_ns=round((truth["duration_time"][0] + case.images * truth["duration_time"][1]) * wobble),
        outcome="ok",
        returncode=0,
        counts=counts,
        before=state,
        after=state,
        completion=_completion(case, truth, study, wobble, rng),
        raw=f"raw/{order:04}.perf",
    )


def _simulated_run(order: int, case: Case, repeat: int, study: Study, asked: Recipe, rng: np.random.Generator) -> Run:
    """Exact counts; times, memory and the machine's state are such that they show wherever they are let in."""
    truth = asked.truth.get(case.model) or LITERT
    slow = {name: (fixed * EMULATION, each * EMULATION) for name, (fixed, each) in truth.items()}
    run = _run(order, case, repeat, study, _with_truth(asked, case.model, slow), rng)
    images = case.images + (SIMULATED_START.get(case.model, 5) if case.region == "process" else 0)
    counts = tuple(
        Count(
            event=name,
            value=round(SIMULATED_LITERT[name] * SIMULATED_TIMES.get(case.model, 0.6)) * images,
            unit="",
            status="simulated",
            source="qemu",
        )
        for name in case.group
    )
    state = replace(run.before, load_1min=99.0, governor="powersave", throttled=0xF, temperature_celsius=99.0)
    return replace(run, counts=counts, before=state, after=state, raw=f"raw/{order:04}.qemu")


def _with_truth(asked: Recipe, label: str, truth: Truth) -> Recipe:
    return dataclasses.replace(asked, truth={**asked.truth, label: truth})


def _count(
    event: Event, case: Case, truth: tuple[float, float], asked: Recipe, wobble: float, rng: np.random.Generator
) -> Count:
    """Context switches are rare and independent, so Poisson's; what disturbs a run disturbs its other counts alike."""
    fixed, each = truth
    wobble *= 1 + asked.noise * rng.standard_normal()
    bent = asked.bend.get(event.name, 0) * case.images**2
    value = {
        "process": fixed + (each + asked.outside.get(event.name, 0)) * case.images + bent,
        "inference": each * case.images + bent,
    }.get(case.region, fixed * SHARES.get(case.region, 0))
    return Count(
        event=event.name,
        value=round(rng.poisson(value) if event.name == "context-switches" else value * wobble),
        unit="ns" if event.name in UNITS else "",
        status="counted",
        source="perf" if case.region == "process" or event.name not in UNITS else "getrusage",
        running_percent=100.0,
    )


def _completion(case: Case, truth: Truth, study: Study, wobble: float, rng: np.random.Generator) -> Completion:
    wall, each = truth["duration_time"]
    cpu, faults = truth["task-clock"], truth["page-faults"]
    latencies = each * wobble * (1 + rng.gamma(0.6, 0.01, case.images))
    scores = np.sin(np.arange(case.images) * 2.0) * 4

    def usage(share: float, images: int = 0) -> Usage:
        return Usage(
            wall_ns=round(wall * share * wobble) + round(each * images),
            cpu_ns=round(cpu[0] * share * wobble) + round(cpu[1] * images),
            user_ns=round(cpu[0] * share * 0.9),
            system_ns=round(cpu[0] * share * 0.1),
            page_faults=round(faults[0] * share) + round(faults[1] * images),
            context_switches=3,
        )

    return Completion(
        engine=None,
        input=study.models[0].input,
        output=study.models[0].output,
        phases={name: usage(share) for name, share in SHARES.items()} | {"inference": usage(0, case.images)},
        latencies_ns=tuple(round(latency) for latency in latencies),
        top=tuple(int(score > 0) for score in scores),
        scores=tuple(float(score) + (0.01 if case.model == "litert" else 0) for score in scores),
        peak_rss_bytes=round((640 if case.model.startswith("keras") else 58) * 2**20 * wobble),
    )


LIVE = {
    "cycles": 21.0e6,
    "inst_retired": 42.0e6,
    "stall_backend": 5.2e6,
    "stall_backend_mem": 3.9e6,
    "ll_cache_rd": 210e3,
    "ll_cache_miss_rd": 61e3,
    "task-clock": 9.4e6,
    "user_time": 8.2e6,
    "system_time": 1.2e6,
    "page-faults": 0.2,
    "context-switches": 9.0,
}
"""What a labelled frame of a live session costs on a Raspberry Pi 5: an inference of LITERT, and capture, decoding and
preprocessing beside it."""
LIVE_ONCE = {"import": 0.4e9, "load": 0.03e9, "first": 0.012e9}
CLASSES = ("cat", "dog")


@dataclass
class LiveRecipe:
    """What a made session is made of.

    Attributes:
        windows: Whole windows of `frames` frames that were recorded.
        rate: Labelled frames a second; the source gives `source_rate`.
        latency_ns: Of an inference, at the median.
        pmu: Whether hardware events were counted.
        dogs: Of each 10 frames how many are dogs.
        slower: By window, how many times as long its inferences take.
        throttled: By window, the firmware's bits at its end.
        summary: Fields in place of the made summary's; None for a session that was cut off.
        facts: Fields of the source in place of the made ones.
        change: Done to every run.
    """

    label: str = "litert"
    windows: int = 12
    frames: int = 30
    rate: float = 29.7
    source_rate: float = 30.0
    latency_ns: float = 5.05e6
    pmu: bool = True
    dogs: int = 3
    noise: float = 0.01
    draw: int = 1
    machine: Machine = PI5
    slower: Mapping[int, float] = field(default_factory=dict)
    throttled: Mapping[int, int] = field(default_factory=dict)
    summary: Mapping[str, object] | None = field(default_factory=dict)
    facts: Mapping[str, object] = field(default_factory=dict)
    notes: Sequence[str] = ()
    change: Change | None = None


def live_study(**recipe: object) -> tuple[Study, tuple[Run, ...]]:
    """A recorded session by a `LiveRecipe` of these fields, and its windows as runs."""
    asked = LiveRecipe(**recipe)  # type: ignore[arg-type]
    swept, _ = made_study(labels=(asked.label,), repeats=0, machine=asked.machine)
    group = tuple(name for name in LIVE if name in {event.name for event in swept.events if event.kind == "hardware"})
    events = tuple(
        event
        for event in swept.events
        if event.name != "duration_time" and (event.kind != "hardware" or (asked.pmu and event.name in group))
    )
    case = Case(model=asked.label, images=asked.frames, region="live", group=group if asked.pmu else ())
    study = replace(
        swept,
        schema=SCHEMA,
        name="session",
        command=f"profiler live --model {asked.label} --record session",
        plan=replace(
            swept.plan,
            images=(asked.frames,),
            repeats=asked.windows if asked.summary is not None else 0,
            warmup=0,
            regions=("live",),
            counters="perf" if asked.pmu else "software",
            event_set="live",
            source="HD Webcam C270",
        ),
        counter_source="perf" if asked.pmu else "software",
        events=events,
        absent={},
        groups=(case.group,),
        cases=(case,),
        notes=tuple(asked.notes) or (() if asked.pmu else ("Counted by rusage alone, without perf.",)),
        live=_live(asked),
    )
    rng = np.random.default_rng(asked.draw)
    runs = [_window(number, case, study, asked, rng) for number in range(asked.windows)]
    kept = map(asked.change, runs) if asked.change else runs
    return study, tuple(run for run in kept if run is not None)


def _live(asked: LiveRecipe) -> Live:
    made = Live(
        source="HD Webcam C270",
        kind="device",
        width=640,
        height=480,
        asked_rate=36.0,
        declared_rate=30.0,
        format="MJPG",
        fit="crop",
        output="logit",
        classes=CLASSES,
        window=asked.frames,
        summary=None if asked.summary is None else _summary(asked),
    )
    return replace(made, **asked.facts)


def _summary(asked: LiveRecipe) -> Summary:
    frames = asked.windows * asked.frames + 7
    seconds = frames / asked.rate
    captured = round(seconds * asked.source_rate)
    preprocess, inference = 2.0, asked.latency_ns * asked.rate / 1e7
    dogs = frames * asked.dogs // 10
    made = Summary(
        seconds=seconds,
        frames=frames,
        fps=asked.rate,
        source_fps=asked.source_rate,
        captured=captured,
        dropped=captured - frames,
        stale=0,
        corrupt=0,
        reconnects=0,
        shares=Shares(
            capture=6.0, preprocess=preprocess, inference=inference, idle=97.0 - preprocess - inference, other=1.0
        ),
        latency_ms=Spread(count=frames, p50=asked.latency_ns / 1e6 + 0.7, p95=6.4, p99=7.1),
        age_ms=Spread(count=frames, p50=13.9, p95=19.2, p99=23.0),
        cpu_percent=27.9,
        labels={"cat": frames - dogs, "dog": dogs},
        ended="30 seconds were over",
        failed=False,
    )
    return replace(made, **(asked.summary or {}))


def _window(number: int, case: Case, study: Study, asked: LiveRecipe, rng: np.random.Generator) -> Run:
    wall = round(case.images / asked.rate * 1e9)
    wobble = asked.slower.get(number, 1.0) * (1 + asked.noise * rng.standard_normal())
    counts = tuple(
        Count(
            event=event.name,
            value=round(LIVE[event.name] * case.images * wobble * (1 + asked.noise * rng.standard_normal())),
            unit="ns" if event.name in UNITS else "",
            status="counted",
            source="perf" if event.kind == "hardware" else "getrusage",
            running_percent=100.0 if event.kind == "hardware" else None,
        )
        for event in study.events
    )
    latencies = asked.latency_ns * wobble * (1 + rng.gamma(0.6, 0.01, case.images))
    dog = np.arange(case.images) % 10 < asked.dogs
    once = {name: _usage(ns) for name, ns in LIVE_ONCE.items()} if number == 0 else {}
    state = MachineState(
        at=_moment(number * wall),
        load_1min=0.6,
        clock_hz=(2_400_000_000,) * asked.machine.cpus,
        governor="performance",
        temperature_celsius=52.0 + number / 2,
        throttled=asked.throttled.get(number - 1, 0),
        memory_available_bytes=6 * 2**30,
        swap_used_bytes=0,
    )
    return Run(
        order=number,
        case=case,
        repeat=number,
        started_at=state.at,
        wall_ns=wall,
        outcome="ok",
        returncode=None,
        counts=counts,
        before=state,
        after=replace(state, at=_moment((number + 1) * wall), throttled=asked.throttled.get(number, 0)),
        completion=Completion(
            engine=None,
            input=study.models[0].input,
            output=study.models[0].output,
            phases={**once, "live": replace(_usage(wall), cpu_ns=round(LIVE["task-clock"] * case.images * wobble))},
            latencies_ns=tuple(round(latency) for latency in latencies),
            top=tuple(map(int, dog)),
            scores=tuple(2.5 if each else -1.5 for each in dog),
            peak_rss_bytes=(90 + number) * 2**20,
        ),
        raw=f"raw/{number:05}.perf" if asked.pmu else None,
    )


def _usage(wall_ns: float) -> Usage:
    cpu = round(wall_ns * 0.9)
    return Usage(wall_ns=round(wall_ns), cpu_ns=cpu, user_ns=cpu, system_ns=0, page_faults=100, context_switches=3)


def _moment(ns: int) -> str:
    seconds = ns / 1e9
    return f"2026-03-02T09:{30 + int(seconds // 60):02}:{seconds % 60:06.3f}+00:00"
