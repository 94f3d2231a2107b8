"""One process: what ran in it, what it used, what was counted."""

from profiler.records.base import Case, Count, Outcome, Record
from profiler.records.machines import MachineState
from profiler.records.networks import Check, Form, Network, Resident, Taken


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
        delegated: How many operators it took, of how many; or why that is not known.
        call: How inference is asked for (`invoke`, `predict`, `call`, `graph`).
        threads: Threads asked for; None where the engine took its own default.
        operators: Of each kind of operator how many the delegate took; None where the engine does not tell.
        arena_bytes: Of the engine's own arena for activations, temporaries included, a delegate's not; None where the
            engine does not tell.
    """

    package: str
    version: str
    call: str
    threads: int | None
    delegate: str | None = None
    delegated: str | None = None
    operators: tuple[Taken, ...] | None = None
    arena_bytes: int | None = None


class Completion(Record, frozen=True, kw_only=True):
    """The record a worker writes last: its presence, not an exit status, says that the run is whole.

    Attributes:
        engine: What ran the model; only an uncounted run tells.
        phases: Usage of each phase by name; empty under a simulator, where time and memory mean nothing.
        latencies_ns: One a steady image, in order.
        top: The winning class of each steady image; for a network with one output, 1 where it is above the real 0.
        scores: The winning output's value; for a network with one output, that output.
        resident: Only an uncounted run tells, and none under a simulator.
    """

    engine: Engine | None
    input: TensorSpec
    output: TensorSpec
    phases: dict[str, Usage]
    latencies_ns: tuple[int, ...]
    top: tuple[int, ...]
    scores: tuple[float, ...]
    peak_rss_bytes: int
    resident: Resident | None = None


class Model(Record, frozen=True, kw_only=True):
    """A neural network under test.

    Attributes:
        label: Its name in tables, unique in the study.
        file: The file's name without its folder.
        size_bytes: Of the file; rounded as its source has it where `sha256` is empty.
        sha256: Empty where the file was not at hand (an imported study): nothing shows that it is another's.
        network: What the file says; None where it was not read, for the reason in `network_lack`.
        resident: Of one uncounted load.
        form: What it is in its family; None for a model by itself.
        check: How it did on photos, where that was checked.
    """

    label: str
    runtime: str
    file: str
    size_bytes: int
    sha256: str
    engine: Engine
    input: TensorSpec
    output: TensorSpec
    network: Network | None = None
    network_lack: str | None = None
    resident: Resident | None = None
    form: Form | None = None
    check: Check | None = None


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
