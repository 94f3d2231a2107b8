"""A study: what was asked for, on which machine, of which models, and how it was counted."""

from profiler.records.base import Case, Event, Record, Region
from profiler.records.live import Live
from profiler.records.machines import Machine, Target
from profiler.records.runs import Model

SCHEMA = 5
"""Version of the study format that is written."""
READABLE = (1, 2, 3, 4, SCHEMA)
"""Versions that are read; a store refuses any other. 1 knows no simulated runs, 2 nothing of what is in a model,
3 no estimated counts and no model without its file, 4 no live session and no capture inside the region."""


class Plan(Record, frozen=True, kw_only=True):
    """What a sweep was asked to do, with everything that is needed to do it again.

    Attributes:
        caches: The machine whose caches are simulated, where that was asked for.
        on: The virtual board that everything runs on; None for this machine.
        simulated_images: Images of the simulated runs beside those on this machine; where there are none, neither runs.
        capture_in_region: Each image of a run is taken from the source, decoded and made the model's input inside the
            region; else all are in RAM before.
    """

    images: tuple[int, ...]
    repeats: int
    warmup: int
    threads: int | None
    regions: tuple[Region, ...]
    phases: bool
    event_set: str
    counters: str
    source: str
    seed: int
    timeout_s: float
    cpus: tuple[int, ...] | None
    keras_call: str
    caches: str | None = None
    on: str | None = None
    simulated_images: tuple[int, ...] = ()
    capture_in_region: bool = False


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
    live: Live | None = None


def planned(study: Study, case: Case) -> int:
    """How many runs of the case the study's plan asks for."""
    if case.simulator is None or study.simulation is None:
        return study.plan.repeats
    return study.simulation.repeats + (case in study.simulation.proved)
