"""What a report costs: `python -m benchmarks.report [--runs N...]`.

Of a study of two models with a PMU's counts, in a process of its own for each size: seconds and highest memory of
reading the study, building its report and writing it as HTML, Markdown, JSON and CSV; the page's size. Then seconds of
all formats that can be made here, LaTeX and PDF among them. The study is `runs/x86-vm` over and over; that machine has
no PMU, so its hardware events get counts in proportion to the time.
"""

import argparse
import itertools
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from msgspec.structs import replace

from benchmarks.run import show
from profiler import report, store
from profiler.records import Count, Run, to_json

SIZES = {200: ("under 4", "under 500"), 10_000: ("under 10", "under 500")}
"""Runs of the study, with the targets in seconds and in MB."""

REPEATED = Path(__file__).parent.parent / "runs" / "x86-vm"
A_NS = 2.4
"""Of a hardware event's made counts."""

FORMATS = ("html", "md", "json", "csv")


def kept(folder: Path, count: int) -> Path:
    """Store a study of `count` runs; return its folder."""
    study, every = store.load(REPEATED)
    runs = [run for run in every if not run.case.simulator]
    hardware = tuple(event.name for event in study.events if event.kind == "hardware" and event.encoding)
    cases = tuple(replace(case, group=hardware) for case in study.cases if not case.simulator)
    repeats = -(-count // len(cases))
    absent = {name: reason for name, reason in study.absent.items() if name not in hardware}
    fields = {"cases": cases, "groups": (hardware,), "absent": absent, "simulation": None}
    study = replace(study, name="large", plan=replace(study.plan, repeats=repeats), **fields)
    rng = np.random.default_rng(0)
    where = store.create(folder, study).folder
    with (where / "runs.jsonl").open("wb") as file:
        for order, run in enumerate(itertools.islice(itertools.cycle(runs), count)):
            file.write(to_json(counted(run, order, order // len(cases), hardware, rng)) + b"\n")
    return where


def counted(run: Run, order: int, repeat: int, hardware: Sequence[str], rng: np.random.Generator) -> Run:
    """Return the run at another place in a study, with counts of these events that its time and chance make."""
    (time,) = (count.value for count in run.counts if count.event == "duration_time")
    values = A_NS * (time or 0.0) * (1 + 0.01 * rng.standard_normal(len(hardware)))
    made = (
        Count(event=event, value=round(value), unit="", status="counted", source="perf", running_percent=100.0)
        for event, value in zip(hardware, values, strict=True)
    )
    case = replace(run.case, group=tuple(hardware))
    return replace(run, order=order, repeat=repeat, case=case, counts=(*run.counts, *made))


def highest_memory() -> int:
    """Of this process, in bytes, from the kernel; `ru_maxrss` would be the starting process's where that was more."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024


def measured(study: Path, output: Path, formats: Sequence[str] | None) -> dict[str, float]:
    """Seconds of each step, CPU seconds of all, the highest memory of this process in MB, the page's size in MB."""
    begun, used = time.perf_counter(), time.process_time()
    loaded = store.load(study)
    read = time.perf_counter()
    built = report.build(*loaded)
    made = time.perf_counter()
    page = report.write(built, output, formats)
    written = time.perf_counter()
    return {
        "read": read - begun,
        "build": made - read,
        "write": written - made,
        "all": written - begun,
        "cpu": time.process_time() - used,
        "peak": highest_memory() / 1e6,
        "page": page.stat().st_size / 1e6,
    }


def apart(study: Path, output: Path, *options: str) -> dict[str, float]:
    """The same in a process of its own, whose memory is nobody else's."""
    command = [sys.executable, "-m", "benchmarks.report", "--study", str(study), "--output", str(output), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))


def compare(runs: int) -> None:
    """Prints a line a figure."""
    with tempfile.TemporaryDirectory() as name:
        study = kept(Path(name), runs)
        found, every = apart(study, Path(name) / "report"), apart(study, Path(name) / "every", "--all")
    seconds, memory = SIZES.get(runs, ("", ""))
    for step in ("read", "build", "write"):
        show(f"{runs:,} runs, {step}, s", found[step], "")
    show(f"{runs:,} runs, all, s", found["all"], seconds)
    show(f"{runs:,} runs, all, CPU s", found["cpu"], "")
    show(f"{runs:,} runs, all with LaTeX and PDF, s", every["all"], "")
    show(f"{runs:,} runs, peak memory, MB", found["peak"], memory)
    show(f"{runs:,} runs, index.html, MB", found["page"], "under 2")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, nargs="+", default=[*SIZES], help="sizes (default 200 10000)")
    parser.add_argument("--study", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--all", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.study:
        print(json.dumps(measured(arguments.study, arguments.output, None if arguments.all else FORMATS)))
        return
    for runs in arguments.runs:
        compare(runs)


if __name__ == "__main__":
    main()
