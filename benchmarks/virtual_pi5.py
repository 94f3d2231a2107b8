"""A whole webcam script on the virtual Raspberry Pi 5 beside a real board: `python -m benchmarks.virtual_pi5`.

Both models, 10 images, as one process from start to end, four simulated cores, without a prefetcher and with the one of
the machine file. Prints each count as a share of the board's. Options: `--models litert`, `--set NAME=VALUE` for
another parameter of the simulation than the machine file's, `--keep FOLDER` for the raw counts.

The board's counts are in reference/pi5-cat-dog-lab.csv: one run of each model on a Raspberry Pi 5 in spring 2025, from
QFlask/ece386-lab4, perf-catdog.csv; twelve events on six counters, so estimates by multiplexing. Two of them are one
event counted twice (L1-dcache-load-misses, cache-misses), and differ by 5 % for LiteRT and 0.3 % for Keras.
"""

import argparse
import csv
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import cv2
import msgspec
from msgspec.structs import replace

from profiler import modelfile, virtual
from profiler.counters import Setup
from profiler.counters.qemu import open as open_qemu
from profiler.images import pools
from profiler.machine import targets
from profiler.records import Target

HERE = Path(__file__).parent
IMAGES = 10
FRAME = (640, 480)
"""Width and height that most USB cameras give unasked."""
EXTRA = ("opencv-python-headless",)
BESIDE = {
    "L1-dcache-loads": "l1d_cache",
    "L1-dcache-load-misses": "l1d_cache_refill",
    "l2d_cache_rd": "l2d_cache_rd",
    "LLC-loads": "ll_cache_rd",
    "LLC-load-misses": "ll_cache_miss_rd",
    "l2d_cache_inval": "l2d_cache_inval",
    "mem_access_rd": "mem_access_rd",
}
"""The board's events, under perf's names, and the simulation's."""
WITHIN = {"l1d_cache": 1.25, "l1d_cache_refill": 1.25, "l2d_cache_rd": 1.5, "ll_cache_rd": 1.5, "ll_cache_miss_rd": 1.5}


class Bench(NamedTuple):
    """What a run needs."""

    board: virtual.Virtual
    frame: Path
    keep: Path


def reference() -> dict[str, dict[str, float]]:
    """The board's counts by model and event."""
    with (HERE / "reference" / "pi5-cat-dog-lab.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {model: {row["event"]: float(row[model]) for row in rows} for model in ("litert", "keras")}


def counted(bench: Bench, model: str, target: Target) -> dict[str, int]:
    """The counts of one whole process."""
    source = open_qemu(Setup(target, target.cpus, bench.board))
    script = [str(HERE / "webcam.py"), model, str(modelfile.shipped(modelfile.DEFAULTS[model])), str(bench.frame)]
    command = [*virtual.command(bench.board, source.executable, None), *script, str(IMAGES)]
    raw = bench.keep / f"{model}-{target.prefetch['kind']}.json"
    environment = {**os.environ, **virtual.environment(HERE), "PYTHONHASHSEED": "0", "TF_CPP_MIN_LOG_LEVEL": "2"}
    with source.launch(command, (), "process", raw) as launch:
        ended = subprocess.run(
            launch.argv, env=environment | launch.environment, capture_output=True, text=True, check=False
        )
    if ended.returncode != 0:
        sys.exit(f"{model} ended with {ended.returncode}: {ended.stderr.strip().splitlines()[-1:]}")
    counts: dict[str, int] = msgspec.json.decode(raw.read_bytes())["counts"]
    return counts


def show(model: str, board: Mapping[str, float], by_kind: Mapping[str, Mapping[str, int]]) -> None:
    """A line an event: the board's count, and each simulation's as a share of it."""
    print(f"\n{model}, {IMAGES} images, whole process" + "".join(f"{kind:>22}" for kind in by_kind))
    for event, name in BESIDE.items():
        line = f"{event:<24}{board[event] / 1e6:>12.2f} M"
        for counts in by_kind.values():
            ratio = counts[name] / board[event]
            factor = max(ratio, 1 / ratio) if ratio else float("inf")
            verdict = "" if name not in WITHIN else "ok" if factor <= WITHIN[name] else f"> {WITHIN[name]}"
            line += f"{counts[name] / 1e6:>10.2f} M {ratio:5.2f} {verdict:>4}"
        print(line, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", default="litert,keras")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--keep", type=Path)
    arguments = parser.parse_args()
    models = arguments.models.split(",")
    board = virtual.setup("pi5", True, print, EXTRA)
    pi5 = targets.find("pi5")
    changes = dict(change.split("=") for change in arguments.set)
    chosen = pi5.prefetch | {name: value if name == "kind" else int(value) for name, value in changes.items()}
    kinds = [replace(pi5, prefetch={"kind": "none"}), replace(pi5, prefetch=chosen)]
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(2) as pool:
        frame = Path(folder) / "frame.jpg"
        cv2.imwrite(str(frame), cv2.resize(pools.pool("builtin", 1, *FRAME[::-1], 3, 0)[0, ..., ::-1], FRAME))
        bench = Bench(board, frame, arguments.keep or Path(folder))
        for model in models:
            runs = {str(kind.prefetch["kind"]): pool.submit(counted, bench, model, kind) for kind in kinds}
            show(model, reference()[model], {kind: run.result() for kind, run in runs.items()})


if __name__ == "__main__":
    main()
