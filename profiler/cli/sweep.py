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
    cpus,
    regions,
    show_report,
    threads,
)

if TYPE_CHECKING:
    from profiler.records import Plan

_DEFAULT_IMAGES, _DEFAULT_REPEATS = "1,2,5,10,20,40", 3
_QUICK_IMAGES, _QUICK_REPEATS = "1,5,10", 2
_DEFAULT_REGIONS = "process,inference"
_SIMULATED_IMAGES, _QUICK_SIMULATED_IMAGES, _SIMULATED_REGIONS = "1,2,4", "1,2", "inference"
"""A simulated image takes a hundred times as long as a measured one, but needs no repeats."""
_COUNTERS = ("auto", "perf", "qemu", "valgrind", "software")


@click.command()
@click.option("--models", default="keras,litert", show_default=True, help="RUNTIME, RUNTIME=FILE, family:NAME, ...")
@click.option("--images", default=None, help=f"Images a run.  [default: {_DEFAULT_IMAGES}]")
@click.option("--repeats", type=click.IntRange(1), help=f"Processes a case.  [default: {_DEFAULT_REPEATS}]")
@click.option("--warmup", type=click.IntRange(0), default=1, show_default=True, help="Warm-up inferences a process.")
@click.option("--threads", default="1", show_default=True, callback=threads, help="N, or 'default': the engine's own.")
@click.option("--events", default="lab", show_default=True, help="Sets (lab, caches, tlb, all), perf events, or both.")
@click.option("--region", callback=regions, help=f"process, or phases by name.  [default: {_DEFAULT_REGIONS}]")
@click.option("--phases", is_flag=True, help="Count every phase too, at the smallest image count.")
@click.option("--source", default="builtin", show_default=True, help="builtin, synthetic, camera[:WHERE], a folder.")
@click.option("--capture-in-region", is_flag=True, help="Count taking each image from the camera too.")
@click.option("--counters", type=click.Choice(_COUNTERS), default="auto", show_default=True, help="Who counts.")
@click.option("--caches", metavar="MACHINE", help="Simulate the caches of pi5, pi4, pi3, host or a FILE.toml.")
@click.option("--on", metavar="BOARD", help="Run on a virtual board: pi5, pi4, pi3 (see `profiler virtual`).")
@click.option("--simulated-images", help=f"Images a simulated run.  [default: {_SIMULATED_IMAGES}]")
@KERAS_CALL
@click.option("--name", help="The study's name.  [default: date, time and models]")
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the order, the photos and the bootstrap.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=300,
    show_default=True,
    help="Seconds a run may take, a simulated one 12 times that.",
)
@click.option("--cpus", callback=cpus, help="Pin the worker to these CPUs, such as 2,3 or 0-3.")
@click.option("--quick", is_flag=True, help=f"{_QUICK_IMAGES} images, {_QUICK_REPEATS} repeats.")
@RUNS
@OUTPUT
def sweep(models: str, quick: bool, **options: Any) -> None:
    """Measure models over images a run, and report."""
    from profiler import modelfile
    from profiler.cli.terminal import Bar
    from profiler.measure import sweep as sweeping

    plan = _plan(options, quick)
    files = modelfile.parse(models)
    name = options["name"] or _study_name([file.label for file in files])
    # A closed connection or a shutdown ends a sweep as Ctrl-C does: what is done is kept, no worker is left behind.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    with Bar() as bar:
        result = sweeping.run(name, options["runs"], plan, files, bar)
    show_report(result.folder, options["output"])
    if result.interrupted:
        click.echo(f"stopped by Ctrl-C; what was done is kept in {result.folder}", err=True)
        sys.exit(INTERRUPTED)
    if result.failed:
        click.echo(f"profiler: {result.failed} runs failed; the report says which and why", err=True)
        sys.exit(RUNS_FAILED)


def _plan(options: dict[str, Any], quick: bool) -> "Plan":
    """The plan of a command line. Whoever runs everything on a virtual board gets what a simulation needs."""
    from profiler.records import Plan

    on, simulated = options["on"], _QUICK_SIMULATED_IMAGES if quick else _SIMULATED_IMAGES
    if on and options["counters"] not in ("auto", "qemu"):
        raise click.BadParameter(f"{options['counters']} does not count on a virtual board", param_hint="--counters")
    images, repeats = (_QUICK_IMAGES, _QUICK_REPEATS) if quick else (_DEFAULT_IMAGES, _DEFAULT_REPEATS)
    regions = _DEFAULT_REGIONS
    if on:
        images, repeats, regions = simulated, 1, _SIMULATED_REGIONS
    return Plan(
        images=_image_counts(options["images"] or images, "--images"),
        repeats=options["repeats"] or repeats,
        warmup=options["warmup"],
        threads=options["threads"],
        regions=options["region"] or tuple(regions.split(",")),
        phases=options["phases"],
        event_set=options["events"],
        counters=options["counters"],
        source=options["source"],
        seed=options["seed"],
        timeout_s=options["timeout"],
        cpus=options["cpus"],
        keras_call=options["keras_call"],
        caches=options["caches"],
        on=on,
        capture_in_region=options["capture_in_region"],
        simulated_images=_image_counts(options["simulated_images"] or simulated, "--simulated-images"),
    )


def _image_counts(text: str, option: str) -> tuple[int, ...]:
    try:
        counts = tuple(sorted({int(item) for item in text.split(",")}))
    except ValueError:
        counts = ()
    if not counts or counts[0] < 1:
        wanted = "a list of whole numbers from 1 up, such as 1,5,10"
        raise click.BadParameter(f"'{text}' is not {wanted}", param_hint=option)
    return counts


def _study_name(labels: list[str]) -> str:
    words = "-".join(label.replace(":", "-") for label in labels)
    return f"{datetime.now().astimezone():%Y%m%d-%H%M%S}-{words}"
