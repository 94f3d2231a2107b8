"""The measured process: `python -m profiler.worker REQUEST`.

It loads one model, takes the images into RAM, infers, and writes its completion record last. All it imports lands in
the whole-process counts, so it imports the standard library, numpy and one engine, and speaks plain JSON
(`records.Completion`, or `{"error", "remedy"}`).
"""

import json
import os
import resource
import select
import sys
import time
from collections.abc import Callable
from typing import Any, TypeVar

from profiler.errors import ProfilerError
from profiler.runtimes import Runtime, Tensor, open_runtime

T = TypeVar("T")
ACK = b"ack\n\0"
ACK_LIMIT_S = 10.0
"""perf answers within milliseconds; a perf that does not know a command never answers."""


class Gate:
    """Opens and closes the counted region.

    The environment's PROFILER_GATE says how: `fd:CONTROL:ACK` is perf's `--control`; unset, there is no gate.
    """

    def __init__(self, how: str | None) -> None:
        self._fds = tuple(int(part) for part in how.split(":")[1:]) if how else ()
        # The first round trip touches code and pages that later ones find ready: pay it outside the region.
        self.command(b"disable\n")

    def command(self, command: bytes) -> None:
        """Sends `command` and waits for its acknowledgement."""
        if not self._fds:
            return
        control, ack = self._fds
        os.write(control, command)
        answer = b""
        while len(answer) < len(ACK):
            if not select.select([ack], [], [], ACK_LIMIT_S)[0]:
                raise ProfilerError(
                    f"the counter did not acknowledge '{command.decode().strip()}' within {ACK_LIMIT_S:.0f} s",
                    "use perf 5.10 or newer, or --region process",
                )
            answer += os.read(ack, len(ACK) - len(answer))


class Phases:
    """Runs the phases, each with its own usage, and opens the gate around the counted one."""

    def __init__(self, region: str | None, gate: Gate) -> None:
        self._region, self._gate = region, gate
        self.usage: dict[str, dict[str, int]] = {}

    def run(self, name: str, body: Callable[[], T]) -> T:
        """The body's result; its usage is kept under `name`."""
        if name == self._region:
            self._gate.command(b"enable\n")
        before = _usage()
        result = body()
        after = _usage()
        if name == self._region:
            self._gate.command(b"disable\n")
        self.usage[name] = {key: after[key] - before[key] for key in after}
        return result


def main() -> int:
    """Serves the request named by the only argument; 0 where the record is whole."""
    with open(sys.argv[1], encoding="utf-8") as file:
        request = json.load(file)
    try:
        record = serve(request)
    except ProfilerError as error:
        record = {"error": error.cause, "remedy": error.remedy}
    _write(request["record"], record)
    return 1 if "error" in record else 0


def serve(request: dict[str, Any]) -> dict[str, Any]:
    """Runs one request; see `sweep.request` for its fields. The fields of `records.Completion`."""
    _usage()
    phases = Phases(request["region"], Gate(os.environ.get("PROFILER_GATE")))
    runtime = phases.run("import", lambda: open_runtime(request["runtime"], request["threads"], request["call"]))
    image, output = phases.run("load", lambda: runtime.load(request["model"]))
    batches = phases.run("images", lambda: _batches(request["pool"], image))
    phases.run("first", lambda: runtime.infer(batches[0]))
    phases.run("warmup", lambda: _infer(runtime, batches, request["warmup"]))
    latencies, outputs = phases.run("inference", lambda: _infer(runtime, batches, request["images"]))
    winners = [_winner(result, output.zero_point or 0) for result in outputs]
    return {
        # A counted process is not asked: to find out what it is costs more than an inference.
        "engine": runtime.engine() if request["region"] is None else None,
        "input": image._asdict(),
        "output": output._asdict(),
        "phases": phases.usage,
        "latencies_ns": latencies,
        "top": [top for top, _ in winners],
        "scores": [score for _, score in winners],
        "peak_rss_bytes": _peak_rss_bytes(),
    }


def _infer(runtime: Runtime, batches: list[Any], images: int) -> tuple[list[int], list[Any]]:
    clock, infer, count = time.perf_counter_ns, runtime.infer, len(batches)
    latencies, outputs = [0] * images, [None] * images
    for index in range(images):
        start = clock()
        outputs[index] = infer(batches[index % count])
        latencies[index] = clock() - start
    return latencies, outputs


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


def _usage() -> dict[str, int]:
    """The fields of `records.Usage`, counted from an arbitrary origin."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    return {
        "wall_ns": time.perf_counter_ns(),
        "cpu_ns": time.process_time_ns(),
        "user_ns": round(used.ru_utime * 1e9),
        "system_ns": round(used.ru_stime * 1e9),
        "page_faults": used.ru_minflt + used.ru_majflt,
        "context_switches": used.ru_nvcsw + used.ru_nivcsw,
    }


def _peak_rss_bytes() -> int:
    """VmHWM, and not ru_maxrss, which survives exec and so starts from the launching process's size."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as file:
        line = next(line for line in file if line.startswith("VmHWM"))
    return int(line.split()[1]) * 1024


def _write(path: str, record: dict[str, Any]) -> None:
    with open(path + ".part", "w", encoding="utf-8") as file:
        json.dump(record, file)
    os.replace(path + ".part", path)


if __name__ == "__main__":
    sys.exit(main())
