"""One worker process: asked, counted, read. What a sweep does many times."""

import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
import numpy as np

from profiler import modelfile, store
from profiler.camera import image_source
from profiler.counters import CounterSource, Launch, software
from profiler.errors import ProfilerError
from profiler.images.pools import pools
from profiler.machine import host
from profiler.measure import process
from profiler.modelfile import ModelFile, checks
from profiler.modelfile.digest import file_sha256
from profiler.pixels import Shape
from profiler.records import (
    Case,
    Completion,
    Count,
    Engine,
    Model,
    Network,
    Outcome,
    Plan,
    R,
    Record,
    Resident,
    Run,
    TensorSpec,
    from_json,
)
from profiler.worker import Request

START = ("-c", "from sys import argv, exit; from profiler.worker import main; exit(main(argv[1]))")
"""Options of a Python that serves a request. By `-m` it would import runpy first, 4 ms of every whole process."""
WORKER = (sys.executable, "-P", *START)
_ENVIRONMENT = {"PYTHONHASHSEED": "0", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "1"}
"""Hash order moves addresses and so counts; a GPU would take the work away from the CPU that is counted."""
_ONE_THREAD = {"OPENBLAS_NUM_THREADS": "1"}
"""numpy's OpenBLAS makes a thread for every CPU when it is imported, and these spin for 0.1 s with nothing to do: into
the first inferences. No engine computes with them, so a sweep that names its threads goes without."""


EMULATED = 12
"""How many times as long a process takes under a simulator: 10 to 12 times, measured with both default models under
QEMU with few images. It stretches the time limit, and foretells the time left until such a process has ended."""


class Workplace(NamedTuple):
    """What a sweep's processes are started with; `folder` holds requests and records and goes when the sweep ends.

    Attributes:
        environment: What the worker's command needs beyond what every worker gets.
        stop: Ends all processes at once.
    """

    folder: Path
    worker: Sequence[str]
    plan: Plan
    models: dict[str, ModelFile]
    pools: dict[str, Path]
    environment: dict[str, str]
    stop: process.Stop

    def run(self, launch: Launch, output: Path, limit_s: float) -> process.Ended:
        """One worker process, in the environment that all have, with what its launch adds."""
        environment = {**worker_environment(self.plan), **self.environment, **launch.environment}
        return process.run(launch._replace(environment=environment), output, limit_s, self.plan.cpus, self.stop)


def worker_environment(plan: Plan) -> dict[str, str]:
    """What is added to every worker's environment."""
    return _ENVIRONMENT if plan.threads is None else _ENVIRONMENT | _ONE_THREAD


def time_limit_s(plan: Plan, emulated: bool) -> float:
    """How long a process may take."""
    return plan.timeout_s * (EMULATED if emulated else 1)


class Look(Record, frozen=True, kw_only=True):
    """What its engine tells of a network, whatever it takes and gives.

    Attributes:
        inputs: A size that is open is -1.
        resident: None where the kernel does not tell.
        lack: Why nothing was inferred; None where it was, once, on zeros.
    """

    engine: Engine
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]
    resident: Resident | None
    lack: str | None


def inspect(model: ModelFile, place: Workplace) -> Model:
    """Loads the model once, uncounted, in a worker: what it takes and gives, and what engine runs it. Beside that what
    its file says, and what is known of its answers.

    Raises:
        ProfilerError: It cannot be loaded, or is not one image in and one tensor out.
    """
    completion, engine = uncounted(Case(model=model.label, images=0, region="process"), place)
    return described(model, engine, completion.input, completion.output, completion.resident)


def described(
    model: ModelFile, engine: Engine, given: TensorSpec, made: TensorSpec, resident: Resident | None = None
) -> Model:
    """The model's record: what its engine told of it, its input and output, what its file says, what is known of its
    answers.
    """
    read, lack = _facts(model.path)
    sha256 = file_sha256(model.path)
    return Model(
        label=model.label,
        runtime=model.runtime,
        file=model.path.name,
        size_bytes=model.path.stat().st_size,
        sha256=sha256,
        engine=engine,
        input=given,
        output=made,
        network=read,
        network_lack=lack,
        resident=resident,
        form=model.form,
        check=checks.known(model.path, sha256)[0],
    )


def _facts(path: Path) -> tuple[Network | None, str | None]:
    """What the file says, or why it cannot be read: an engine may run what this program does not understand."""
    try:
        return modelfile.facts(path), None
    except ProfilerError as error:
        return None, error.cause


def look(model: ModelFile, threads: int | None = 1, timeout_s: float = 300.0, worker: Sequence[str] = WORKER) -> Look:
    """Loads one model by itself, in a worker that nothing counts, whatever the network takes and gives.

    Raises:
        ProfilerError: The engine is not there, or cannot load it, or crashes.
    """
    plan = uncounted_plan("call", timeout_s, threads)
    with tempfile.TemporaryDirectory(prefix="profiler-") as folder, process.Stop() as stop:
        place = Workplace(Path(folder), worker, plan, {model.label: model}, {}, {}, stop)
        return _ask(Look, Case(model=model.label, images=0, region="process"), place, look=True)


def uncounted_plan(
    call: str, timeout_s: float, threads: int | None, images: tuple[int, ...] = (), source: str = "", seed: int = 0
) -> Plan:
    """A plan for workers that nothing counts.

    Args:
        call: How Keras is asked.
    """
    return Plan(
        images=images, warmup=0, threads=threads, source=source, seed=seed, timeout_s=timeout_s, keras_call=call
    )


def uncounted(case: Case, place: Workplace) -> tuple[Completion, Engine]:
    """A case's completion record from a worker that nothing counts, and the engine that it tells of.

    Raises:
        ProfilerError: The model cannot be loaded or run, or is not one image in and one tensor out.
    """
    completion = _ask(Completion, case, place)
    engine = completion.engine
    if engine is None:
        raise ProfilerError(f"{place.models[case.model].path} ran in an engine that tells nothing", "install it anew")
    if place.plan.on is not None:
        # There the memory is the emulator's.
        completion = msgspec.structs.replace(completion, resident=None)
    return completion, engine


def _ask(kind: type[R], case: Case, place: Workplace, look: bool = False) -> R:
    """The record of an uncounted worker."""
    model, request = place.models[case.model], place.folder / "request.json"
    command, record = _command(place, case, request, counted=False, look=look)
    limit_s = time_limit_s(place.plan, emulated=place.plan.on is not None)
    ended = place.run(Launch(tuple(command), {}, ()), request.with_suffix(".output"), limit_s)
    found, error = _record(kind, record)
    if found is None:
        longer = "inspect it with --no-load" if look else "give it longer with --timeout"
        remedy = longer if ended.timed_out else "use a whole model file of this runtime"
        raise error or ProfilerError(f"{model.path} cannot be run by {model.runtime} ({_why(ended, limit_s)})", remedy)
    return found


def stage(models: Sequence[Model], plan: Plan, folder: Path) -> dict[str, Path]:
    """The pool file of each model: the same photos in each model's own shape. None of a camera inside the region.

    Raises:
        ProfilerError: The source has no image.
    """
    if plan.capture_in_region:
        return {}
    shapes: dict[str, Shape] = {}
    for model in models:
        _, height, width, channels = model.input.shape
        shapes[model.label] = height, width, channels
    files = {}
    for shape, pixels in pools(plan.source, max(plan.images), shapes.values(), plan.seed).items():
        files[shape] = folder / f"pool-{'x'.join(map(str, shape))}.npy"
        np.save(files[shape], pixels)
    return {label: files[shape] for label, shape in shapes.items()}


def measure(order: int, case: Case, repeat: int, place: Workplace, source: CounterSource, kept: store.Store) -> Run:
    """One counted process, whatever becomes of it: an end without a completion record is a failed run."""
    raw = kept.raw / f"{order:04}-{case.model.replace(':', '-')}-{case.images}-{case.region}.{source.name}"
    request = place.folder / f"{order:04}-request.json"
    command, record = _command(place, case, request, counted=True)
    limit_s = time_limit_s(place.plan, emulated=case.simulator is not None)
    before = host.state()
    with source.launch(command, case.group, case.region, raw) as launch:
        ended = place.run(launch, request.with_suffix(".output"), limit_s)
    completion, error = _record(Completion, record)
    said = image_source.concealed(ended.output_tail, place.plan.source)
    ended = ended._replace(output_tail=said)
    outcome: Outcome = "timeout" if ended.timed_out else "ok" if completion else "failed"
    return Run(
        order=order,
        case=case,
        repeat=repeat,
        started_at=before.at,
        wall_ns=ended.usage.wall_ns,
        outcome=outcome,
        returncode=ended.returncode,
        counts=_counts(source.read(raw, case.group), case, ended, completion) if completion and outcome == "ok" else (),
        before=before,
        after=host.state(),
        completion=completion,
        error=None if outcome == "ok" else str(error) if error else _why(ended, limit_s),
        stderr_tail=ended.output_tail if outcome != "ok" else None,
        raw=str(raw.relative_to(kept.folder)) if raw.exists() else None,
    )


def _counts(read: Sequence[Count], case: Case, ended: process.Ended, completion: Completion) -> tuple[Count, ...]:
    """What the source counted, and from the kernel's accounting what it did not; of a simulated run only the former,
    for its time is the simulator's.
    """
    if case.simulator is not None:
        return tuple(read)
    counted = {count.event: count for count in read}
    if case.region == "process":
        accounted = software.counts(ended.usage, "wait4")
    else:
        accounted = software.counts(completion.phases[case.region], "getrusage")
    for count in accounted:
        if count.event not in counted or counted[count.event].value is None:
            counted[count.event] = count
    return tuple(counted.values())


def _command(place: Workplace, case: Case, request: Path, counted: bool, look: bool = False) -> tuple[list[str], Path]:
    """The worker's command for a case, whose request is written, and where it will leave its record."""
    model, plan = place.models[case.model], place.plan
    record = request.with_suffix(".record")
    pool = place.pools.get(case.model)
    fields: Request = {
        "label": model.label,
        "runtime": model.runtime,
        "model": str(model.path.resolve()),
        "images": case.images,
        "warmup": plan.warmup,
        "threads": plan.threads,
        "call": plan.keras_call,
        "region": case.region if counted else None,
        "pool": str(pool) if pool else None,
        "camera": image_source.where(plan.source) if counted and plan.capture_in_region else None,
        "record": str(record),
        "look": look,
    }
    request.write_text(json.dumps(fields))
    return [*place.worker, str(request)], record


def _record(kind: type[R], path: Path) -> tuple[R | None, ProfilerError | None]:
    """The worker's record, or the error it wrote instead; neither where it left nothing whole.

    The file goes, so that the next worker's silence is not taken for this one's record.
    """
    try:
        text = path.read_bytes()
        path.unlink()
        fields = from_json(dict[str, object], text)
        if "error" in fields:
            return None, ProfilerError(str(fields["error"]), str(fields["remedy"]))
        return from_json(kind, text), None
    except (OSError, msgspec.DecodeError):
        return None, None


def _why(ended: process.Ended, timeout_s: float) -> str:
    """In a line; the worker's last words tell what perf's exit status hides, such as a segmentation fault."""
    if ended.timed_out:
        return f"no end within the time limit of {timeout_s:g} s"
    if ended.returncode < 0:
        return f"killed by signal {-ended.returncode}"
    last = (ended.output_tail.splitlines() or ["nothing"])[-1].strip()
    return f"the worker ended with {ended.returncode} and left no record; it printed last: {last}"
