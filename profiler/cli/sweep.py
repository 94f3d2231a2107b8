"""`profiler sweep`: the plan of a command line."""

import signal
import sys
from datetime import datetime
from typing import TYPE_CHECKING, Any

import click

from profiler.cli.options import (
    INTERRUPTED,
    KERAS_CALL,
    OUTPUT,
    RUNS,
    RUNS_FAILED,
    SEED,
    counts,
    cpus,
    regions,
    show_report,
    threads,
)

if TYPE_CHECKING:
    from pathlib import Path

    from profiler.records import Plan

_QUICK_IMAGES, _QUICK_REPEATS, _QUICK_SIMULATED_IMAGES = (1, 5, 10), 2, (1, 2)
_COUNTERS = ("auto", "perf", "qemu", "valgrind", "software")


@click.command()
@click.option("--models", default="keras,litert", show_default=True, help="RUNTIME, RUNTIME=FILE, family:NAME, ...")
@click.option("--images", callback=counts, help="Images a run.  [default: 1,2,5,10,20,40]")
@click.option("--repeats", type=click.IntRange(1), help="Processes a case.  [default: 3]")
@click.option("--warmup", type=click.IntRange(0), default=1, show_default=True, help="Warm-up inferences a process.")
@click.option("--threads", default="1", show_default=True, callback=threads, help="N, or 'default': the engine's own.")
@click.option(
    "--events",
    "event_set",
    default="lab",
    show_default=True,
    help="Sets (lab, caches, tlb, all), perf events, or both.",
)
@click.option("--region", "regions", callback=regions, help="process, or phases by name.  [default: process,inference]")
@click.option("--phases", is_flag=True, help="Count every phase too, at the smallest image count.")
@click.option("--source", default="builtin", show_default=True, help="builtin, synthetic, camera[:WHERE], a folder.")
@click.option("--capture-in-region", is_flag=True, help="Count taking each image from the camera too.")
@click.option("--counters", type=click.Choice(_COUNTERS), default="auto", show_default=True, help="Who counts.")
@click.option("--caches", metavar="MACHINE", help="Simulate the caches of pi5, pi4, pi3, host or a FILE.toml.")
@click.option("--on", metavar="BOARD", help="Run on a virtual board: pi5, pi4, pi3 (see `profiler virtual`).")
@click.option("--simulated-images", callback=counts, help="Images a simulated run.  [default: 1,2,4]")
@KERAS_CALL
@click.option("--name", help="The study's name.  [default: date, time and models]")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the order, the photos and the bootstrap.")
@click.option(
    "--timeout",
    "timeout_s",
    type=click.FloatRange(min=1),
    default=300,
    show_default=True,
    help="Seconds a run may take, a simulated one 12 times that.",
)
@click.option("--cpus", callback=cpus, help="Pin the worker to these CPUs, such as 2,3 or 0-3.")
@click.option("--quick", is_flag=True, help="1,5,10 images, 2 repeats.")
@RUNS
@OUTPUT
def sweep(models: str, quick: bool, name: str | None, runs: "Path", output: "Path", **options: Any) -> None:
    """Measure models over images a run, and report."""
    from profiler import modelfile
    from profiler.cli.terminal import Bar
    from profiler.measure import sweep as sweeping

    plan = _plan(models, quick, options)
    files = modelfile.parse(models)
    # A closed connection or a shutdown ends a sweep as Ctrl-C does: what is done is kept, no worker is left behind.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    with Bar() as bar:
        result = sweeping.run(name or _study_name([file.label for file in files]), runs, plan, files, bar)
    show_report(result.folder, output)
    if result.interrupted:
        click.echo(f"stopped by Ctrl-C; what was done is kept in {result.folder}", err=True)
        sys.exit(INTERRUPTED)
    if result.failed:
        click.echo(f"profiler: {result.failed} runs failed; the report says which and why", err=True)
        sys.exit(RUNS_FAILED)


def _plan(models: str, quick: bool, options: dict[str, Any]) -> "Plan":
    """The plan of a command line. Whoever runs everything on a virtual board gets what a simulation needs."""
    from msgspec.structs import replace

    from profiler.records import Plan

    on, threads = options["on"], options.pop("threads")
    if on and options["counters"] not in ("auto", "qemu"):
        raise click.BadParameter(f"{options['counters']} does not count on a virtual board", param_hint="--counters")
    usual = Plan.usual(on)
    if quick:
        few = {"images": _QUICK_SIMULATED_IMAGES} if on else {"images": _QUICK_IMAGES, "repeats": _QUICK_REPEATS}
        usual = replace(usual, simulated_images=_QUICK_SIMULATED_IMAGES, **few)
    given = {field: value for field, value in options.items() if value is not None}
    return replace(usual, models=tuple(item.strip() for item in models.split(",")), threads=threads, **given)


def _study_name(labels: list[str]) -> str:
    words = "-".join(label.replace(":", "-") for label in labels)
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{words}"
