"""A study: what was asked for, on which machine, of which models, and how it was counted."""

import shlex
from itertools import pairwise

from msgspec.structs import replace

from profiler.records.base import Case, Event, Record, Region
from profiler.records.live import Live
from profiler.records.machines import Machine, Target
from profiler.records.runs import Model

SCHEMA = 6
"""Version of the study format that is written."""
READABLE = (1, 2, 3, 4, 5, SCHEMA)
"""Versions that are read; a store refuses any other. 1 knows no simulated runs, 2 nothing of what is in a model,
3 no estimated counts and no model without its file, 4 no live session and no capture inside the region, 5 neither how
the models were named nor whether the source repeats."""

_OPTIONS = {
    "--images": "images",
    "--repeats": "repeats",
    "--warmup": "warmup",
    "--threads": "threads",
    "--events": "event_set",
    "--region": "regions",
    "--source": "source",
    "--counters": "counters",
    "--caches": "caches",
    "--on": "on",
    "--simulated-images": "simulated_images",
    "--keras-call": "keras_call",
    "--seed": "seed",
    "--timeout": "timeout_s",
    "--cpus": "cpus",
}
_FLAGS = {"--phases": "phases", "--capture-in-region": "capture_in_region"}


class Plan(Record, frozen=True, kw_only=True):
    """What a sweep was asked to do, with everything that is needed to do it again. The defaults are the command's.

    Attributes:
        models: As `--models` names them, one each.
        caches: The machine whose caches are simulated, where that was asked for.
        on: The virtual board that everything runs on; None for this machine.
        simulated_images: Images of the simulated runs beside those on this machine; where there are none, neither runs.
        capture_in_region: Each image of a run is taken from the source, decoded and made the model's input inside the
            region; else all are in RAM before.
    """

    models: tuple[str, ...] = ()
    images: tuple[int, ...] = (1, 2, 5, 10, 20, 40)
    repeats: int = 3
    warmup: int = 1
    threads: int | None = 1
    regions: tuple[Region, ...] = ("process", "inference")
    phases: bool = False
    event_set: str = "lab"
    counters: str = "auto"
    source: str = "builtin"
    seed: int = 0
    timeout_s: float = 300.0
    cpus: tuple[int, ...] | None = None
    keras_call: str = "predict"
    caches: str | None = None
    on: str | None = None
    simulated_images: tuple[int, ...] = ()
    capture_in_region: bool = False

    @classmethod
    def usual(cls, on: str | None = None) -> "Plan":
        """Return what a sweep does that is asked for nothing else, on this machine or on a virtual board: a simulated
        image takes a hundred times as long as a measured one, but needs no repeats.
        """
        few = (1, 2, 4)
        if on is None:
            return cls(simulated_images=few)
        return cls(on=on, images=few, repeats=1, regions=("inference",), simulated_images=few)

    def to_argv(self) -> list[str]:
        """Return the command line that makes this plan, without the options whose values are the usual ones."""
        usual = replace(Plan.usual(self.on), on=None)
        words = ["profiler", "sweep", *(["--models", ",".join(self.models)] if self.models else [])]
        for option, field in _OPTIONS.items():
            value = getattr(self, field)
            if value != getattr(usual, field) and value != ():
                words += [option, _word(value)]
        return [*words, *(flag for flag, field in _FLAGS.items() if getattr(self, field))]


def _word(value: object) -> str:
    """A plan's value as its option takes it."""
    if isinstance(value, tuple):
        return ",".join(map(str, value))
    if isinstance(value, float):
        return f"{value:g}"
    return "default" if value is None else str(value)


class Simulation(Record, frozen=True, kw_only=True):
    """How a study's simulated runs were made. Their counts are a model's and share no figure with counted ones.

    Attributes:
        source: The simulator (`qemu`, `valgrind`).
        version: As it names itself.
        arch: The instruction set that ran (`x86_64`, `aarch64`).
        guest: The virtual board whose own programs ran (`Raspberry Pi 5`); None where this machine's own did.
        cores: Simulated cores, each with its private caches; thread i is on core i modulo `cores`.
        repeats: Runs of each case; `proved` are run once more, to show that they repeat.
        events: Every event asked for or simulated, those without a model included.
        absent: Why an event is not simulated, by its name.
        notes: What a reader of the counts must be told once: what the model leaves out.
    """

    source: str
    version: str
    arch: str
    guest: str | None
    target: Target
    cores: int
    images: tuple[int, ...]
    repeats: int
    proved: tuple[Case, ...]
    events: tuple[Event, ...]
    absent: dict[str, str]
    groups: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


class Study(Record, frozen=True, kw_only=True):
    """Everything but the runs.

    Attributes:
        counter_source: The source that counted on this machine (`perf`, `software`); None where nothing ran on it.
        scope: What it counted: `user+kernel`, or `user` where the kernel's part was refused.
        events: Every event asked for, those this machine cannot count included.
        absent: Why an event is not counted here, by its name.
        groups: Hardware events counted together, one pass each.
        cases: Every cell of the sweep, the simulated ones last; the plan is whole when each has `planned` runs.
        notes: What the reader must know, said once (no PMU, other source than asked for).
        simulation: None where nothing was simulated.
        imported_from: The publication that an imported study's figures are from; None where this tool measured them.
        source_repeats: The image source gives the same images whenever it is read, as a camera or a stream does not.
        live: The session that was recorded, whose runs are windows of its frames; None for a sweep.
    """

    schema: int
    name: str
    created_at: str
    profiler_version: str
    command: str
    plan: Plan
    machine: Machine
    models: tuple[Model, ...]
    counter_source: str | None
    scope: str
    events: tuple[Event, ...]
    absent: dict[str, str]
    groups: tuple[tuple[str, ...], ...]
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()
    simulation: Simulation | None = None
    imported_from: str | None = None
    source_repeats: bool = True
    live: Live | None = None


def planned(study: Study, case: Case) -> int:
    """How many runs of the case the study's plan asks for."""
    if case.simulator is None or study.simulation is None:
        return study.plan.repeats
    return study.simulation.repeats + (case in study.simulation.proved)


def upgraded(study: Study) -> Study:
    """Return a study of an older schema with the facts that it did not record, as far as what it did record tells."""
    if study.schema >= SCHEMA:
        return study
    kind, _, camera = study.plan.source.partition(":")
    file = bool(camera) and camera != "auto" and "://" not in camera and not camera.startswith("/dev/")
    repeats = kind != "camera" or (file and not camera.isdecimal())
    return replace(study, plan=replace(study.plan, models=_named(study)), source_repeats=repeats)


def _named(study: Study) -> tuple[str, ...]:
    """The models as the study's own sweep named them; of a study that no sweep made, by runtime and file."""
    try:
        words = shlex.split(study.command.replace("--models=", "--models "))
    except ValueError:  # a quotation that does not end: no shell's command
        words = []
    for option, value in pairwise(words):
        if option == "--models":
            return tuple(value.split(","))
    return tuple(
        model.label if model.label == model.runtime and model.sha256 else f"{model.runtime}={model.file}"
        for model in study.models
    )
