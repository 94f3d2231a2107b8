"""What measuring costs, as ratios of interleaved runs: `make bench`, or `python -m benchmarks.run [--rounds N]`.

Prints a line a figure with what it should stay under. Nothing is asserted: a busy machine is not a broken program.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path

import numpy as np

from profiler import modelfile, store
from profiler.counters import perf
from profiler.counters.perf_output import counts, parse
from profiler.images import pools
from profiler.measure.run import WORKER
from profiler.records import Completion, from_json

MODEL = modelfile.shipped(modelfile.DEFAULTS["litert"])
HERE = Path(__file__).parent
ENVIRONMENT = {**os.environ, "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1"}
"""Both sides of a ratio without numpy's idle threads, which would drown the difference (see "
"profiler/measure/run.py)."""


def request(folder: Path, count: int, warmup: int, region: str) -> tuple[list[str], Path]:
    """A worker's command for `count` images of the shipped LiteRT model, and its record."""
    pool, record = folder / "pool.npy", folder / "record.json"
    if not pool.exists():
        np.save(pool, pools.pool("builtin", 10, 150, 150, 3, 0))
    fields = {
        "label": "litert",
        "runtime": "litert",
        "model": str(MODEL),
        "images": count,
        "warmup": warmup,
        "threads": 1,
        "call": "predict",
        "region": region,
        "pool": str(pool),
        "camera": None,
        "look": False,
        "record": str(record),
    }
    (folder / "request.json").write_text(json.dumps(fields))
    return [*WORKER, str(folder / "request.json")], record


def interleaved(rounds: int, one: Callable[[], float], other: Callable[[], float]) -> float:
    """Median over rounds of one / other, each pair measured back to back, in alternating order."""
    ratios = []
    for number in range(rounds):
        if number % 2:
            below, above = other(), one()
        else:
            above, below = one(), other()
        ratios.append(above / below)
    return statistics.median(ratios)


def output(command: Sequence[str]) -> str:
    return subprocess.run(command, env=ENVIRONMENT, check=True, capture_output=True, text=True).stdout


def steady(folder: Path, rounds: int) -> float:
    """Steady time of an image in the worker over that in a bare interpreter loop."""
    command, record = request(folder, 200, 20, "process")

    def ours() -> float:
        output(command)
        return statistics.median(from_json(Completion, record.read_bytes()).latencies_ns)

    def bare() -> float:
        arguments = [str(MODEL), str(folder / "pool.npy"), "21", "200"]
        latencies: list[float] = json.loads(output([sys.executable, str(HERE / "bare.py"), *arguments]))
        return statistics.median(latencies)

    return interleaved(rounds, ours, bare)


def task_clock_ns(folder: Path, command: Sequence[str]) -> float:
    raw = folder / "raw"
    output(["perf", "stat", "-x", ";", "-o", str(raw), "-e", "task-clock", "--", *command])
    return counts(parse(raw.read_text()))["task-clock"].value or 0.0


def whole(folder: Path, rounds: int) -> float:
    """Task-clock of a worker with 10 images over that of a minimal script doing the same 12 inferences."""
    command, _ = request(folder, 10, 1, "process")
    script = [sys.executable, str(HERE / "minimal.py"), str(MODEL), str(folder / "pool.npy"), "12"]
    return interleaved(rounds, lambda: task_clock_ns(folder, command), lambda: task_clock_ns(folder, script))


def empty_region(folder: Path, rounds: int) -> tuple[float, float]:
    """Most page faults and median task-clock in ms of a region `inference` without an image in it."""
    source = perf.open()
    faults, clocks = [], []
    for _ in range(rounds):
        command, _ = request(folder, 0, 1, "inference")
        with source.launch(command, (), "inference", folder / "raw") as launch:
            environment = {**ENVIRONMENT, **launch.environment}
            argv = [*launch.argv[: launch.argv.index("--")], "-e", "task-clock,page-faults", "--", *command]
            subprocess.run(argv, env=environment, pass_fds=launch.pass_fds, check=True, capture_output=True)
        found = counts(parse((folder / "raw").read_text()))
        faults.append(found["page-faults"].value or 0.0)
        clocks.append((found["task-clock"].value or 0.0) / 1e6)
    return max(faults), statistics.median(clocks)


def sweep_overhead(folder: Path) -> float:
    """Wall time of a sweep, from its first run's start to its last one's end, over the sum of its processes'.

    Nothing is simulated, for simulated processes run side by side.
    """
    runs = folder / "runs"
    command = ["sweep", "--models", "litert", "--counters", "perf", "--name", "s", "--runs", str(runs)]
    output([sys.executable, "-m", "profiler.cli", *command, "--output", str(folder / "reports")])
    _, done = store.load(runs / "s")
    begun = min(_seconds(run.before.at) for run in done)
    ended = max(_seconds(run.after.at) for run in done)
    return (ended - begun) / (sum(run.wall_ns for run in done) / 1e9)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def wall(rounds: int, command: Sequence[str]) -> float:
    """Median wall time of a command in seconds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        output(command)
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def inspect(rounds: int) -> dict[str, float]:
    """Seconds for `profiler models inspect` of the shipped models and, where the family is built, of a trained one."""
    files = [modelfile.shipped(name) for name in modelfile.DEFAULTS.values()]
    files += Path("models/lab").glob("keras-trained.keras")
    command = [sys.executable, "-m", "profiler.cli", "models", "inspect"]
    return {file.name: wall(rounds, [*command, str(file)]) for file in files}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15, help="interleaved pairs a ratio (default 15)")
    rounds = parser.parse_args().rounds
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        show("steady time an image, worker / bare loop", steady(folder, rounds), "at most 1.02")
        show("task-clock of 10 images, worker / minimal script", whole(folder, rounds), "at most 1.05")
        faults, clock = empty_region(folder, rounds)
        show("empty region, page faults", faults, "0")
        show("empty region, task-clock in ms", clock, "under 0.2")
        show("sweep wall / its processes' wall", sweep_overhead(folder), "at most 1.05")
        show("profiler --help in s", wall(rounds, [sys.executable, "-m", "profiler.cli", "--help"]), "under 0.25")
        for name, seconds in inspect(rounds).items():
            show(f"profiler models inspect {name} in s", seconds, "under 2")


def show(what: str, figure: float, target: str) -> None:
    """Prints a figure and what it should be, where there is a target."""
    print(f"{what:<50} {figure:8.3f}   {target}", flush=True)


if __name__ == "__main__":
    main()
