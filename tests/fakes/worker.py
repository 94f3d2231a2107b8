"""A stand-in for `profiler/worker.py` that infers nothing: run as `python -S -E worker.py REQUEST`.

It goes through the phases, opens the gate around the counted one as the worker does, and writes a completion record
whose figures are drawn from the request alone. In the phase `inference` it does work in proportion to the images.
FAKE_WORKER, a JSON object from a model's label (or "*") to a fault, makes it fail:

    "error"      writes what is wrong in place of the record and ends with 1, before any phase
    "traceback"  ends with an exception, before any phase
    "segv"       dies of SIGSEGV in the inference phase
    "hang"       waits for ever in the inference phase
    "norecord"   does its work, ends with 0 and leaves no record

A fault may also be an object, {"fault": "segv", "when": {"images": 10}, "once": "/path"}: it strikes only where the
request has those values, and with `once` only the first time, which it marks by creating that file. Without `when` it
strikes the inspection of a model too, whose region is null.
"""

# pathlib would be imported for this alone, in every process that a test counts.
# ruff: noqa: PTH105, PTH123

import json
import os
import select
import signal
import sys
from random import Random

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing would be imported for this alone.
    from typing import Any

PHASES = ("import", "load", "images", "first", "warmup", "inference")
ACK = b"ack\n\0"
ACK_LIMIT_S = 2.0
IMAGE = {"name": "image", "shape": [1, 32, 32, 3], "dtype": "float32"}
SCORE = {"name": "score", "shape": [1, 1], "dtype": "float32"}


class WorkerError(Exception):
    """What the worker would write in place of its record."""

    def __init__(self, cause: str, remedy: str) -> None:
        super().__init__(cause)
        self.cause, self.remedy = cause, remedy


def main() -> int:
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    fault = fault_of(request)
    try:
        record = serve(request, fault)
    except WorkerError as error:
        record = {"error": error.cause, "remedy": error.remedy}
    if fault == "norecord":
        return 0
    with open(request["record"] + ".part", "w", encoding="utf-8") as file:
        json.dump(record, file)
    os.replace(request["record"] + ".part", request["record"])
    return 1 if "error" in record else 0


def fault_of(request: "dict[str, Any]") -> str | None:
    """The fault that strikes this run."""
    faults = json.loads(os.environ.get("FAKE_WORKER", "{}"))
    given = faults.get(request["label"], faults.get("*"))
    if given is None or isinstance(given, str):
        return given
    if any(request[field] != value for field, value in given.get("when", {}).items()):
        return None
    if "once" in given:
        try:
            os.close(os.open(given["once"], os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return None
    fault: str = given["fault"]
    return fault


def serve(request: "dict[str, Any]", fault: str | None) -> "dict[str, Any]":
    """Goes through the phases; the completion record."""
    if fault == "error":
        raise WorkerError("the fake worker was told to fail", "unset FAKE_WORKER")
    if fault == "traceback":
        raise RuntimeError("the fake worker was told to raise")
    gate = os.environ.get("PROFILER_GATE")
    command(gate, b"disable\n")
    for phase in PHASES:
        if phase == request["region"]:
            command(gate, b"enable\n")
        if phase == "inference":
            end_by(fault)
            work(request["images"])
        if phase == request["region"]:
            command(gate, b"disable\n")
    return look_of(request) if request["look"] else record_of(request)


def command(gate: str | None, text: bytes) -> None:
    """Sends a command through the gate: `prctl`, or `fd:CONTROL:ACK` and waits for its acknowledgement."""
    if gate is None:
        return
    if gate == "prctl":
        import ctypes

        ctypes.CDLL(None).prctl(0x50524F46, int(text == b"enable\n"), 0, 0, 0)
        return
    control, ack = map(int, gate.split(":")[1:])
    os.write(control, text)
    answer = b""
    while len(answer) < len(ACK):
        if not select.select([ack], [], [], ACK_LIMIT_S)[0]:
            raise WorkerError("the counter did not acknowledge", "use perf 5.10 or newer")
        answer += os.read(ack, len(ACK) - len(answer))
    if answer != ACK:
        raise WorkerError(f"the counter answered {answer!r}", "use perf 5.10 or newer")


def end_by(fault: str | None) -> None:
    if fault == "segv":
        os.kill(os.getpid(), signal.SIGSEGV)
    if fault == "hang":
        while True:
            signal.pause()


def work(images: int) -> None:
    """Something for a simulator to count: 32 KiB are copied for each image."""
    pixels = bytearray(32 * 1024)
    for _ in range(images):
        pixels = bytearray(pixels)


def record_of(request: "dict[str, Any]") -> "dict[str, Any]":
    """A `records.Completion` of a network with one image in and one output, drawn from the request."""
    facts = [request[field] for field in ("label", "runtime", "images", "threads", "region")]
    random = Random(repr(facts))
    latencies = [random.randint(19_000_000, 21_000_000) for _ in range(request["images"])]
    scores = [random.uniform(-4, 4) for _ in latencies]
    usage = {phase: usage_of(random.randint(5_000_000, 50_000_000)) for phase in PHASES}
    usage["inference"] = usage_of(sum(latencies))
    return {
        **engine_of(request),
        "input": IMAGE,
        "output": SCORE,
        "phases": usage,
        "latencies_ns": latencies,
        "top": [int(score > 0) for score in scores],
        "scores": scores,
        "peak_rss_bytes": 64 * 1024 * 1024,
    }


def look_of(request: "dict[str, Any]") -> "dict[str, Any]":
    """A `measure.Look` of the same network."""
    return {**engine_of(request), "inputs": [IMAGE], "outputs": [SCORE], "lack": None}


def engine_of(request: "dict[str, Any]") -> "dict[str, Any]":
    """What an uncounted process tells, of an engine whose delegate took one of two operators."""
    engine = {
        "package": "fake-runtime",
        "version": "1.0",
        "call": "predict" if request["runtime"] == "keras" else "invoke",
        "threads": request["threads"],
        "operators": [{"name": "CONV_2D", "taken": 1, "total": 2}],
        "arena_bytes": 4096,
    }
    resident = {"load_bytes": 65536, "first_bytes": 8192, "file_bytes": 4096}
    return {"engine": engine, "resident": resident} if request["region"] is None else {"engine": None}


def usage_of(wall_ns: int) -> dict[str, int]:
    return {
        "wall_ns": wall_ns,
        "cpu_ns": wall_ns,
        "user_ns": wall_ns * 9 // 10,
        "system_ns": wall_ns // 10,
        "page_faults": wall_ns // 100_000,
        "context_switches": wall_ns // 10_000_000,
    }


if __name__ == "__main__":
    sys.exit(main())
