"""What is stored and handed on: frozen records, JSON in and out, no arithmetic, no I/O.

Every field that can be missing is None, never 0. Units are in the names; a `Count` carries its own.
"""

from typing import Literal, TypeVar

import msgspec

SCHEMA = 1
"""Version of the study format; a store refuses any other."""

Quality = Literal["exact", "proxy", "unsupported"]
EventKind = Literal["hardware", "software", "tool"]
Status = Literal["counted", "not_counted", "not_supported", "simulated"]
Outcome = Literal["ok", "failed", "timeout"]
Region = Literal["process", "import", "load", "images", "first", "warmup", "inference"]

PHASES: tuple[Region, ...] = ("import", "load", "images", "first", "warmup", "inference")
"""The worker's phases in the order in which they run; `process` is all of them and the interpreter."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all records."""


class Event(Record, frozen=True, kw_only=True):
    """One event as a core has it.

    Attributes:
        name: The stored key, in perf's spelling (`l2d_cache_refill`, `LLC-loads`).
        metric: The question it answers on every core (`l2d_refill`, `llc_load`), or the name itself.
        kind: Who counts it: the PMU, the kernel, or perf itself.
        quality: `exact`, `proxy` (a neighbour, kept under its own name) or `unsupported`.
        encoding: What perf is given, before a modifier; None where the core lacks the event.
        meaning: What it counts on this core, in a sentence.
    """

    name: str
    metric: str
    kind: EventKind
    quality: Quality
    encoding: str | None
    meaning: str


class Count(Record, frozen=True, kw_only=True):
    """What was counted of one event in one run.

    Attributes:
        event: The event's name.
        value: The count, whole except where it was scaled, or None with a `reason`.
        unit: "" for occurrences, "ns" for times.
        running_percent: Share of the region in which a counter was on the event; below 100 the value is scaled.
        source: Who counted: `perf`, `wait4` (rusage of the ended process), `getrusage` (the worker at a phase's ends).
        reason: Why there is no value.
    """

    event: str
    value: int | float | None
    unit: str
    status: Status
    source: str
    running_percent: float | None = None
    reason: str | None = None


class Case(Record, frozen=True, kw_only=True):
    """One cell of a sweep: all that must be equal for two runs to be repeats of each other.

    Attributes:
        model: The model's label in the study.
        images: Images inferred in the steady phase.
        region: What was counted.
        group: Names of the hardware events counted together in this pass; empty where there are none.
    """

    model: str
    images: int
    region: Region
    group: tuple[str, ...] = ()


class Usage(Record, frozen=True, kw_only=True):
    """What a phase or process used, from the kernel's accounting.

    Attributes:
        cpu_ns: CPU time of all threads, from the process clock; of an ended process, user and system time together.
    """

    wall_ns: int
    cpu_ns: int
    user_ns: int
    system_ns: int
    page_faults: int
    context_switches: int


class TensorSpec(Record, frozen=True, kw_only=True):
    """One input or output of a network.

    Attributes:
        shape: With the batch dimension, which is 1.
        scale: Real value of one step of a quantised tensor; None where the tensor is not quantised.
        zero_point: Quantised value of the real 0.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    scale: float | None = None
    zero_point: int | None = None


class Engine(Record, frozen=True, kw_only=True):
    """What really ran a model.

    Attributes:
        package: The Python package (`ai-edge-litert`, `tflite-runtime`, `tensorflow`).
        delegate: The accelerating back end that took operators, or None.
        delegated: How the delegate was told apart, or how many nodes of the plan it took.
        call: How inference is asked for (`invoke`, `predict`, `call`, `graph`).
        threads: Threads asked for; None where the engine took its own default.
    """

    package: str
    version: str
    call: str
    threads: int | None
    delegate: str | None = None
    delegated: str | None = None


class Completion(Record, frozen=True, kw_only=True):
    """The record a worker writes last: its presence, not an exit status, says that the run is whole.

    Attributes:
        engine: What ran the model; only an uncounted run tells.
        phases: Usage of each phase by name.
        latencies_ns: One a steady image, in order.
        top: The winning class of each steady image; for a network with one output, 1 where it is above the real 0.
        scores: The winning output's value; for a network with one output, that output.
    """

    engine: Engine | None
    input: TensorSpec
    output: TensorSpec
    phases: dict[str, Usage]
    latencies_ns: tuple[int, ...]
    top: tuple[int, ...]
    scores: tuple[float, ...]
    peak_rss_bytes: int


class MachineState(Record, frozen=True, kw_only=True):
    """What may have moved between two runs. None where this machine does not tell.

    Attributes:
        throttled: Bits of the firmware's `get_throttled` (0-3 now, 16-19 since boot).
    """

    at: str
    load_1min: float | None = None
    clock_hz: tuple[int, ...] | None = None
    governor: str | None = None
    temperature_celsius: float | None = None
    throttled: int | None = None
    memory_available_bytes: int | None = None
    swap_used_bytes: int | None = None


class Cache(Record, frozen=True, kw_only=True):
    """One cache.

    Attributes:
        shared_by: How many of the machine's CPUs use it.
        source: Where the figures come from (`sysfs`, or the document behind a table).
    """

    level: int
    type: Literal["Data", "Instruction", "Unified"]
    size_bytes: int
    ways: int | None
    line_bytes: int | None
    shared_by: int | None
    source: str


class Machine(Record, frozen=True, kw_only=True):
    """The facts that must agree before two runs share a table.

    Attributes:
        uarch: Key of the event catalogue (`cortex-a76`), or `generic`.
        pmu: Name of the core's PMU in sysfs; None where the kernel shows none.
        virtual: The hypervisor, where one is known to be there.
    """

    arch: str
    cpu: str
    uarch: str
    cpus: int
    board: str | None
    caches: tuple[Cache, ...]
    memory_bytes: int | None
    page_bytes: int
    kernel: str
    system: str
    virtual: str | None
    pmu: str | None
    perf_version: str | None
    perf_event_paranoid: int | None
    python: str


class Model(Record, frozen=True, kw_only=True):
    """A neural network under test.

    Attributes:
        label: Its name in tables, unique in the study.
        file: The file's name without its folder.
    """

    label: str
    runtime: str
    file: str
    size_bytes: int
    sha256: str
    engine: Engine
    input: TensorSpec
    output: TensorSpec


class Run(Record, frozen=True, kw_only=True):
    """One process.

    Attributes:
        order: Place in the sweep as it was run, from 0.
        wall_ns: From the process's start to its end, perf's own start included.
        outcome: `failed` also where the worker left no completion record.
        error: Why the run is not ok, in a line.
        raw: The counter source's own file, relative to the study.
    """

    order: int
    case: Case
    repeat: int
    started_at: str
    wall_ns: int
    outcome: Outcome
    returncode: int | None
    counts: tuple[Count, ...]
    before: MachineState
    after: MachineState
    completion: Completion | None = None
    error: str | None = None
    stderr_tail: str | None = None
    raw: str | None = None


class Plan(Record, frozen=True, kw_only=True):
    """What a sweep was asked to do, with everything that is needed to do it again."""

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


class Study(Record, frozen=True, kw_only=True):
    """Everything but the runs.

    Attributes:
        counter_source: The source that counted (`perf`, `software`).
        scope: What it counted: `user+kernel`, or `user` where the kernel's part was refused.
        events: Every event asked for, those this machine cannot count included.
        absent: Why an event is not counted here, by its name.
        groups: Hardware events counted together, one pass each.
        cases: Every cell of the sweep; the plan is whole when each has `plan.repeats` runs.
        notes: What the reader must know, said once (no PMU, other source than asked for).
    """

    schema: int
    name: str
    created_at: str
    profiler_version: str
    command: str
    plan: Plan
    machine: Machine
    models: tuple[Model, ...]
    counter_source: str
    scope: str
    events: tuple[Event, ...]
    absent: dict[str, str]
    groups: tuple[tuple[str, ...], ...]
    cases: tuple[Case, ...]
    notes: tuple[str, ...] = ()


R = TypeVar("R", bound=Record)


def to_json(record: Record) -> bytes:
    """The record as one line of JSON without the line's end."""
    return msgspec.json.encode(record)


def from_json(kind: type[R], text: bytes | str) -> R:
    """The record in `text`.

    Raises:
        msgspec.DecodeError: Not JSON, or not a record of this kind (`ValidationError`, its subclass).
    """
    return msgspec.json.decode(text, type=kind)
