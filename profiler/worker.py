"""The measured process: `main` with the path of a request.

It loads one model, takes the images into RAM, infers, and writes its completion record last. All it imports lands in
the whole-process counts, so it imports the standard library, numpy and one engine, and speaks plain JSON
(`records.Completion`, or `{"error", "remedy"}`). Asked for a camera, it takes each image from it instead, by OpenCV.
Asked to look, it takes any network and counts nothing.
"""

import itertools
import json
import os
import select
import time
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar

from profiler.errors import ProfilerError
from profiler.runtimes import Runtime, Tensor, open_runtime
from profiler.runtimes.usage import Account, account, peak_rss_bytes, used

if TYPE_CHECKING:
    from profiler.camera.worker_feed import Feed
    from profiler.runtimes.memory import Memory

T = TypeVar("T")
ACK = b"ack\n\0"
ACK_LIMIT_S = 10.0
"""perf answers within milliseconds; a perf that does not know a command never answers."""
REGION = 0x50524F46
"""An option that no kernel's prctl knows: it answers EINVAL, and only a simulator listens. ASCII for PROF."""
SIMULATE = {"disable": 0, "enable": 1, "warm": 2}
"""What a simulator is told: neither simulate nor count, do both, simulate only."""


class Gate:
    """Opens and closes the counted region.

    The environment's PROFILER_GATE says how: `fd:CONTROL:ACK` is perf's `--control`; `prctl` a system call that no
    kernel knows, for a simulator that watches system calls; `library:PATH` a shared library's function for a simulator
    that watches instructions. Unset, there is no gate.
    """

    def __init__(self, how: str | None) -> None:
        kind, _, rest = (how or "").partition(":")
        self._send = _GATES[kind](rest)
        self.simulated = kind in ("prctl", "library")
        # The first round trip touches code and pages that later ones find ready: pay it outside the region.
        self.disable()

    def warm(self) -> None:
        """A simulator fills its caches from here on and does not count; perf has real ones."""
        self._send("warm")

    def enable(self) -> None:
        self._send("enable")

    def disable(self) -> None:
        self._send("disable")


def _perf(ends: str) -> Callable[[str], object]:
    control, ack = map(int, ends.split(":"))
    return lambda command: _ask(command, control, ack)


def _ask(command: str, control: int, ack: int) -> None:
    """Sends perf a command and waits for its acknowledgement."""
    if command == "warm":
        return
    os.write(control, f"{command}\n".encode())
    answer = b""
    while len(answer) < len(ACK):
        if not select.select([ack], [], [], ACK_LIMIT_S)[0]:
            raise ProfilerError(
                f"the counter did not acknowledge '{command}' within {ACK_LIMIT_S:.0f} s",
                "use perf 5.10 or newer, or --region process",
            )
        answer += os.read(ack, len(ACK) - len(answer))


def _prctl(_: str) -> Callable[[str], object]:
    import ctypes

    prctl = ctypes.CDLL(None).prctl
    return lambda command: prctl(REGION, SIMULATE[command], 0, 0, 0)


def _library(path: str) -> Callable[[str], object]:
    import ctypes

    region = ctypes.CDLL(path).region
    return lambda command: region(SIMULATE[command])


_GATES: dict[str, Callable[[str], Callable[[str], object]]] = {
    "": lambda _: lambda _command: None,
    "fd": _perf,
    "prctl": _prctl,
    "library": _library,
}


class Phases:
    """Runs the phases, each with its own usage, and opens the gate around the counted one.

    Args:
        memory: Is read at each phase's end; None where anything is counted.
    """

    def __init__(self, region: str | None, gate: Gate, memory: "Memory | None" = None) -> None:
        self._region, self._gate, self._memory = region, gate, memory
        self._accounts: dict[str, tuple[Account, Account]] = {}

    def run(self, name: str, body: Callable[[], T]) -> T:
        """The body's result; what it used is kept under `name`."""
        if name == "warmup" and self._region == "inference":
            self._gate.warm()
        counted = name == self._region
        if self._gate.simulated:
            # Time means nothing here, and asking for it would make objects that differ from run to run.
            return self._counted(body) if counted else body()
        result = self._counted(lambda: self._timed(name, body)) if counted else self._timed(name, body)
        if self._memory:
            self._memory.mark(name)
        return result

    def _counted(self, body: Callable[[], T]) -> T:
        self._gate.enable()
        result = body()
        self._gate.disable()
        return result

    def _timed(self, name: str, body: Callable[[], T]) -> T:
        before = account()
        result = body()
        self._accounts[name] = before, account()
        return result

    def usage(self) -> dict[str, dict[str, int]]:
        """Of each phase by name; none under a simulator."""
        return {name: used(*accounts) for name, accounts in self._accounts.items()}


class Request(TypedDict):
    """What a worker is asked, as JSON.

    Attributes:
        model: Path of the model's file.
        call: How Keras is asked.
        region: What is counted; None where nothing is.
        pool: Path of the images, an array; None for one black image.
        camera: As `profiler.camera.open` knows it, where each image is taken from it; else None.
        record: Path of the record to be left.
        look: Any network is to be looked at, and nothing measured.
    """

    label: str
    runtime: str
    model: str
    images: int
    warmup: int
    threads: int | None
    call: str
    region: str | None
    pool: str | None
    camera: str | None
    record: str
    look: bool


def main(path: str) -> int:
    """Serve the request in the file at `path`; return 0 where the record is whole."""
    with open(path, encoding="utf-8") as file:
        request: Request = json.load(file)
    try:
        record = look(request) if request["look"] else serve(request)
    except ProfilerError as error:
        record = {"error": error.cause, "remedy": error.remedy}
    _write(request["record"], record)
    return 1 if "error" in record else 0


def serve(request: Request) -> dict[str, Any]:
    """Run one request; return the fields of `records.Completion`."""
    account()
    gate = Gate(os.environ.get("PROFILER_GATE"))
    memory = _memory() if request["region"] is None and not gate.simulated else None
    phases = Phases(request["region"], gate, memory)
    runtime = phases.run("import", lambda: open_runtime(request["runtime"], request["threads"], request["call"]))
    image, output = phases.run("load", lambda: runtime.load(request["model"]))
    camera = request["camera"]
    where: str | None = camera or request["pool"]
    prepare: Callable[[Any, Tensor], Any] = _feed if camera else _batches
    # From the camera on and on, out of RAM from the first image again in each phase.
    taken: Callable[[Any], Iterator[Any]] = iter if camera else itertools.cycle
    batches = phases.run("images", lambda: prepare(where, image))
    first = batches.first if camera else batches[0]
    phases.run("first", lambda: runtime.infer(first))
    phases.run("warmup", lambda: _infer(runtime, taken(batches), request["warmup"]))
    starts, ends, outputs = phases.run("inference", lambda: _infer(runtime, taken(batches), request["images"]))
    if camera:
        batches.close()
    winners = [_winner(result, output.zero_point or 0) for result in outputs]
    if not all(abs(score) < float("inf") for _, score in winners):
        raise ProfilerError(
            f"{request['model']} answers with what is no number", "convert it again, or use another file"
        )
    return {
        # Before the engine tells of itself, which takes memory too.
        "resident": memory.resident(request["model"]) if memory else None,
        # A counted process is not asked: to find out what it is costs more than an inference.
        "engine": runtime.engine() if request["region"] is None else None,
        "input": image._asdict(),
        "output": output._asdict(),
        "phases": phases.usage(),
        "latencies_ns": [end - start for start, end in zip(starts, ends, strict=True)],
        "top": [top for top, _ in winners],
        "scores": [score for _, score in winners],
        "peak_rss_bytes": peak_rss_bytes(),
    }


def look(request: Request) -> dict[str, Any]:
    """Loads any network and asks it once, with zeros, where its inputs have fixed sizes: `measure.Look`'s fields."""
    memory = _memory()
    runtime = open_runtime(request["runtime"], request["threads"], request["call"])
    memory.mark("import")
    inputs, outputs = runtime.read(request["model"])
    memory.mark("load")
    batches, lack = _zeros(inputs)
    memory.mark("images")
    if lack is None:
        lack = _attempt(runtime, batches)
    if lack is None:
        memory.mark("first")
    return {
        "resident": memory.resident(request["model"]),
        "engine": runtime.engine(),
        "inputs": [tensor._asdict() for tensor in inputs],
        "outputs": [tensor._asdict() for tensor in outputs],
        "lack": lack,
    }


def _attempt(runtime: Runtime, batches: list[Any]) -> str | None:
    """Why the network cannot be asked with these; what engines raise differs by engine, so all of it is caught."""
    try:
        runtime.infer_any(batches)
    except Exception as error:
        return (str(error).strip().splitlines() or [type(error).__name__])[0]
    return None


def _zeros(inputs: list[Tensor]) -> tuple[list[Any], str | None]:
    """An array of zeros for each input, or why there can be none."""
    import numpy as np

    for tensor in inputs:
        if min(tensor.shape, default=1) < 1:
            return [], f"input {tensor.name} has open sizes"
        if not hasattr(np, tensor.dtype) or np.dtype(tensor.dtype).kind not in "biufc":
            return [], f"input {tensor.name} is of {tensor.dtype}"
    return [np.zeros(tensor.shape, tensor.dtype) for tensor in inputs], None


def _memory() -> "Memory":
    """Imported here: a counted process has no part in it."""
    from profiler.runtimes.memory import Memory

    return Memory()


def _infer(runtime: Runtime, batches: Iterator[Any], images: int) -> tuple[list[int], list[int], list[Any]]:
    """When each inference began and ended, by the same clock, and what came out. What it takes to get a batch is in
    the phase and in no latency.
    """
    clock, infer = time.perf_counter_ns, runtime.infer
    starts, ends, outputs = [0] * images, [0] * images, [None] * images
    for index, batch in zip(range(images), batches, strict=False):
        starts[index] = clock()
        outputs[index] = infer(batch)
        ends[index] = clock()
    return starts, ends, outputs


def _feed(where: str, image: Tensor) -> "Feed":
    """The camera, open: OpenCV is imported here, where it is wanted, and all that it costs once is in this phase."""
    from profiler.camera.worker_feed import Feed

    return Feed(where, image.shape, image.dtype)


def _batches(pool: str | None, image: Tensor) -> list[Any]:
    """The pool's images as the model wants them, one batch of one each; a black image where there is no pool.

    Always the whole pool, however few are inferred: what the images cost is then fixed and not part of the slope.
    Pixels 0 to 255 go in as they are; to an int8 input shifted by 128, which is what its zero point stands for.
    """
    import numpy as np

    pixels = np.zeros(image.shape, np.uint8) if pool is None else np.load(pool)
    if image.dtype == "int8":
        pixels = (pixels.astype(np.int16) - 128).astype(np.int8)
    batches = np.ascontiguousarray(pixels.astype(image.dtype, copy=False))
    return [batches[index : index + 1] for index in range(len(batches))]


def _winner(output: Any, zero: int) -> tuple[int, float]:
    flat = output.reshape(-1)
    if flat.size == 1:
        return int(flat[0] > zero), float(flat[0])
    top = int(flat.argmax())
    return top, float(flat[top])


def _write(path: str, record: dict[str, Any]) -> None:
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(record, file)
    os.replace(path + ".part", path)
