"""What simulating costs: `python -m benchmarks.simulation [--rounds N] [--keras]`.

Seconds for each further image of a shipped model, in the region `inference` of the real worker, one thread: on this
machine itself, under both simulators, and on the virtual Raspberry Pi 5; all in one session, turn by turn.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from benchmarks.run import request, show
from profiler import modelfile, virtual
from profiler.counters import CounterSource, Setup, UnusableError, choose_simulator, software
from profiler.errors import ProfilerError
from profiler.machine import targets
from profiler.measure import process, simulated_runs
from profiler.measure.run import WORKER, Workplace, uncounted_plan

FEWEST, MOST = 1, 5
TARGET_S = 1.5


def seconds(source: CounterSource, place: Workplace, model: str, images: int) -> float:
    """Wall time of one worker process."""
    _, record = request(place.folder, images, 1, "inference")
    fields = json.loads((place.folder / "request.json").read_text())
    fields |= {"label": model, "runtime": model, "model": str(modelfile.shipped(modelfile.DEFAULTS[model]))}
    (place.folder / "request.json").write_text(json.dumps(fields))
    command = [*place.worker, str(place.folder / "request.json")]
    start = time.perf_counter()
    with source.launch(command, ("inst_retired",), "inference", place.folder / "raw") as launch:
        ended = place.run(launch, place.folder / "output", 3600)
    if not record.exists():
        sys.exit(f"the worker left no record: {ended.output_tail}")
    record.unlink()
    return time.perf_counter() - start


def an_image(run: Callable[[int], float]) -> float:
    return (run(MOST) - run(FEWEST)) / (MOST - FEWEST)


def places(folder: Path, stop: process.Stop, keras: bool) -> dict[str, tuple[CounterSource, Workplace]]:
    """Each way of running the worker that this machine has."""
    here = Workplace(folder, WORKER, uncounted_plan("predict", 3600.0, 1), {}, {}, {}, stop)
    found: dict[str, tuple[CounterSource, Workplace]] = {"this machine": (software.open(), here)}
    pi5 = targets.find("pi5")
    for name in ("qemu", "valgrind"):
        try:
            found[name] = (choose_simulator(name, Setup(pi5, 1, None))[0], here)
        except UnusableError as error:
            print(f"{name}: {error}")
    try:
        board = virtual.find("pi5", keras)
        found["virtual Pi 5"] = (
            choose_simulator("qemu", Setup(pi5, 1, board))[0],
            simulated_runs.settle(here, board),
        )
    except ProfilerError as error:
        print(f"virtual Pi 5: {error}")
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="turns (default 3)")
    parser.add_argument("--keras", action="store_true", help="Keras instead of LiteRT; takes many minutes")
    arguments = parser.parse_args()
    model = "keras" if arguments.keras else "litert"
    with tempfile.TemporaryDirectory() as folder, process.Stop() as stop:
        ways = places(Path(folder), stop, arguments.keras)
        seen: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(arguments.rounds):
            for name, (source, place) in ways.items():
                seen[name].append(an_image(partial(seconds, source, place, model)))
        for name, times in seen.items():
            target = "" if name in ("this machine", "valgrind") or arguments.keras else f"at most {TARGET_S}"
            show(f"{model}, s an image, {name}", statistics.median(times), target)


if __name__ == "__main__":
    main()
