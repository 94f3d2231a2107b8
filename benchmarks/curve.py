"""What a miss curve costs and how near it is: `python -m benchmarks.curve [FILE...] [--rounds N] [--associativity]`.

Of the shipped LiteRT model, or of the model files named: the time with sampled reuse distances over that of the plain
simulation, in turns, of a process and of each further inference in it; by how much the curve differs from the full
simulation of a Pi 5's caches in the same pass; with --associativity what of that is due to sets, from caches of the
same sizes with 1024 ways.
"""

import argparse
import re
import statistics
import tempfile
from pathlib import Path
from typing import NamedTuple

from msgspec.structs import replace

from benchmarks.run import show
from profiler import modelfile
from profiler.counters.reuse_distance import Reuse
from profiler.machine import targets
from profiler.machine.host import MACHINES
from profiler.miss_curve import measure
from profiler.miss_curve.curve import apart, at, predictions
from profiler.miss_curve.measure import Ready
from profiler.modelfile import ModelFile
from profiler.records import MissCurve

MOST_RATIO, MOST_OFF = "at most 3", "at most 10 %"
WAYS = 1024
FEW, MANY = 1, 7
"""Warm-up inferences."""


class Turn(NamedTuple):
    """Seconds of a process, and of each further inference in it."""

    process: float
    inference: float


def turn(found: Ready, number: int, sampled: Reuse | None) -> Turn:
    """From two processes, one with more warm-up, which is simulated and sampled as well."""

    def seconds(order: int, warmup: int) -> float:
        plan = replace(found.place.plan, warmup=warmup)
        return found._replace(place=found.place._replace(plan=plan)).simulate(order, sampled).wall_ns / 1e9

    few, many = seconds(2 * number, FEW), seconds(2 * number + 1, MANY)
    return Turn(few, (many - few) / (MANY - FEW))


def times(model: ModelFile, rounds: int) -> None:
    """Prints medians over rounds, whose turns alternate."""
    sampled: list[Turn] = []
    plain: list[Turn] = []
    with measure.ready(model, measure.Options()) as found:
        for number in range(rounds):
            ways = [(plain, None), (sampled, Reuse(hands=measure.HANDS))]
            for place, (turns, how) in enumerate(reversed(ways) if number % 2 else ways):
                turns.append(turn(found, 2 * number + place, how))
    for what in Turn._fields:
        before, after = ([getattr(each, what) for each in turns] for turns in (plain, sampled))
        show(f"{model.label}, plain simulation, s, {what}", statistics.median(before), "")
        ratios = [with_it / without for with_it, without in zip(after, before, strict=True)]
        show(f"{model.label}, with reuse distances, ratio, {what}", statistics.median(ratios), MOST_RATIO)


def without_sets(model: ModelFile) -> dict[str, float]:
    """The full simulation's counts through caches of a Pi 5's sizes that have as many ways as can be simulated."""
    with tempfile.TemporaryDirectory() as folder:
        board = Path(folder) / "board.toml"
        text = (MACHINES / f"{targets.find('pi5').key}.toml").read_text()
        board.write_text(re.sub(r"^ways = \d+", f"ways = {WAYS}", text, flags=re.MULTILINE))
        with measure.ready(model, measure.Options(caches=str(board))) as found:
            run = found.simulate(0, None)
    return {count.event: float(count.value) for count in run.counts if count.value is not None}


def compare(model: ModelFile, found: MissCurve, associativity: bool) -> None:
    """Prints what the curve and the full simulation say at each cache."""
    ways = without_sets(model) if associativity else None
    for each in predictions(found):
        name, size = each.level.name, each.level.size_bytes
        where = f"{model.label}, {name} {size // 1024} KiB"
        print(f"{where}: curve {each.curve.value:,.0f} ± {each.curve.error or 0:,.0f}, full {each.full:,.0f}")
        show(f"{where}: off by, %", 100 * each.off, MOST_OFF)
        show(f"{where}: seeds apart, %", 100 * (apart(found, size) or 0), "")
        if ways:
            event = "l2d_cache_refill" if name == "L2" else "ll_cache_miss_rd"
            here = at(found, size)
            assert here
            show(f"{where}: off with {WAYS} ways, %", 100 * (here.value / ways[event] - 1), "")
            show(f"{where}: sets' part, %", 100 * (ways[event] / each.full - 1), "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="model files (default: the shipped LiteRT model)")
    parser.add_argument("--rounds", type=int, default=3, help="turns (default 3)")
    parser.add_argument("--associativity", action="store_true", help="simulate caches without sets too")
    arguments = parser.parse_args()
    for path in arguments.files or [modelfile.shipped(modelfile.DEFAULTS["litert"])]:
        model = modelfile.alone(path)
        times(model, arguments.rounds)
        compare(model, measure.run(model, measure.Options()), arguments.associativity)


if __name__ == "__main__":
    main()
