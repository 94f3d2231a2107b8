"""The command line: parsing and printing, nothing else. What a command needs is imported when it runs."""

import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from profiler import __version__
from profiler.errors import ProfilerError
from profiler.runtimes import KERAS_CALLS

if TYPE_CHECKING:
    from profiler.records import Plan

CANNOT, RUNS_FAILED, INTERRUPTED = 1, 3, 130
"""Exit statuses beside 0 and click's 2 for a command line that makes no sense."""

_DEFAULT_IMAGES, _DEFAULT_REPEATS = "1,2,5,10,20,40", 3
_QUICK_IMAGES, _QUICK_REPEATS = "1,5,10", 2
_DEFAULT_REGIONS = "process,inference"
_SIMULATED_IMAGES, _QUICK_SIMULATED_IMAGES, _SIMULATED_REGIONS = "1,2,4", "1,2", "inference"
"""A simulated image takes a hundred times as long as a measured one, but needs no repeats."""
_COUNTERS = ("auto", "perf", "qemu", "valgrind", "software")


_RUNS = click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Studies' folder."
)
_OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Reports' folder."
)


class _Group(click.Group):
    """Turns whatever the user can mend into one line of cause and remedy and an exit status, never a traceback."""

    def main(self, *arguments: Any, **options: Any) -> Any:
        try:
            status = super().main(*arguments, **{**options, "standalone_mode": False})
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
            sys.exit(error.exit_code)
        except click.UsageError as error:
            path = error.ctx.command_path if error.ctx else "profiler"
            _end(f"{error.format_message().rstrip('.')}: see `{path} --help`", error.exit_code)
        except click.Abort:
            _end("stopped by Ctrl-C: nothing was begun, so nothing is kept", INTERRUPTED)
        except ProfilerError as error:
            _end(str(error), CANNOT)
        except OSError as error:
            where = error.filename or "a file"
            _end(f"{where} cannot be used ({error.strerror}): make room on the disk, or use another folder", CANNOT)
        sys.exit(status if isinstance(status, int) else 0)


def _end(line: str, status: int) -> NoReturn:
    click.echo(f"profiler: {' '.join(line.split())}", err=True)
    sys.exit(status)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="profiler")
def main() -> None:
    """What a neural network costs the hardware, and why."""


def _threads(_context: click.Context, _parameter: click.Parameter, text: str) -> int | None:
    if text == "default":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"'{text}' is neither a number from 1 up nor 'default'")
    return int(text)


def _cpus(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    from profiler.machine import usable_cpus

    if text is None:
        return None
    try:
        wanted: set[int] = set()
        for item in text.split(","):
            first, _, last = item.partition("-")
            wanted |= set(range(int(first), int(last or first) + 1))
    except ValueError:
        raise click.BadParameter(f"'{text}' is not a list of CPUs such as 2,3 or 0-3") from None
    usable = usable_cpus()
    if not wanted or not wanted <= set(usable):
        raise click.BadParameter(f"'{text}' is not among this machine's CPUs {', '.join(map(str, usable))}")
    return tuple(sorted(wanted))


def _regions(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    from profiler.records import PHASES

    if text is None:
        return None
    names, known = [item.strip() for item in text.split(",")], ("process", *PHASES)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"'{unknown[0]}' is no region; use {', '.join(known)}")
    return tuple(dict.fromkeys(names))


@main.command()
@click.option("--models", default="keras,litert", show_default=True, help="RUNTIME or RUNTIME=FILE, comma between.")
@click.option("--images", default=None, help=f"Images a run.  [default: {_DEFAULT_IMAGES}]")
@click.option("--repeats", type=click.IntRange(1), help=f"Processes a case.  [default: {_DEFAULT_REPEATS}]")
@click.option("--warmup", type=click.IntRange(0), default=1, show_default=True, help="Warm-up inferences a process.")
@click.option("--threads", default="1", show_default=True, callback=_threads, help="N, or 'default': the engine's own.")
@click.option("--events", default="lab", show_default=True, help="Sets (lab, caches, tlb, all), perf events, or both.")
@click.option("--region", callback=_regions, help=f"process, or phases by name.  [default: {_DEFAULT_REGIONS}]")
@click.option("--phases", is_flag=True, help="Count every phase too, at the smallest image count.")
@click.option("--source", default="builtin", show_default=True, help="builtin, synthetic, or a folder of photos.")
@click.option("--counters", type=click.Choice(_COUNTERS), default="auto", show_default=True, help="Who counts.")
@click.option("--caches", metavar="MACHINE", help="Simulate the caches of pi5, pi4, pi3, host or a FILE.toml.")
@click.option("--on", metavar="BOARD", help="Run on a virtual board: pi5, pi4, pi3 (see `profiler virtual`).")
@click.option("--simulated-images", help=f"Images a simulated run.  [default: {_SIMULATED_IMAGES}]")
@click.option(
    "--keras-call",
    type=click.Choice(KERAS_CALLS),
    default=KERAS_CALLS[0],
    show_default=True,
    help="How Keras is asked.",
)
@click.option("--name", help="The study's name.  [default: date, time and models]")
@click.option("--seed", type=int, default=0, show_default=True, help="Of the order, the photos and the bootstrap.")
@click.option(
    "--timeout",
    type=click.FloatRange(min=1),
    default=300,
    show_default=True,
    help="Seconds a run may take, a simulated one 12 times that.",
)
@click.option("--cpus", callback=_cpus, help="Pin the worker to these CPUs, such as 2,3 or 0-3.")
@click.option("--quick", is_flag=True, help=f"{_QUICK_IMAGES} images, {_QUICK_REPEATS} repeats.")
@_RUNS
@_OUTPUT
def sweep(models: str, quick: bool, **options: Any) -> None:
    """Measure models over images a run, and report."""
    from profiler import network
    from profiler import sweep as sweeping
    from profiler.terminal import Bar

    plan = _plan(options, quick)
    files = network.parse(models)
    name = options["name"] or _study_name([file.label for file in files])
    # A closed connection or a shutdown ends a sweep as Ctrl-C does: what is done is kept, no worker is left behind.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, signal.default_int_handler)
    with Bar() as bar:
        result = sweeping.run(name, options["runs"], plan, files, bar)
    _report(result.folder, options["output"])
    if result.interrupted:
        click.echo(f"stopped by Ctrl-C; what was done is kept in {result.folder}", err=True)
        sys.exit(INTERRUPTED)
    if result.failed:
        click.echo(f"profiler: {result.failed} runs failed; the report says which and why", err=True)
        sys.exit(RUNS_FAILED)


@main.command()
@click.argument("study", required=False)
@_RUNS
@_OUTPUT
def report(study: str | None, runs: Path, output: Path) -> None:
    """Render the report of STUDY, or of the newest study."""
    from profiler import store

    _report(store.find(runs, study), output)


@main.command()
@click.option("--events", default="lab", show_default=True, help="The event set to try.")
def doctor(events: str) -> None:
    """Say what this machine can count, what is in the way, and the command that mends it."""
    from profiler.doctor import examine
    from profiler.terminal import show_examination

    show_examination(examine(events))


@main.command()
@click.option("--core", help="A core of the catalogue instead of this machine's, such as cortex-a76.")
def events(core: str | None) -> None:
    """List the events of this machine's core: name, quality, meaning."""
    from profiler import events as catalogue
    from profiler.machine import describe
    from profiler.terminal import show_events

    known = catalogue.core(core or describe().uarch)
    show_events(known.title, catalogue.catalogue(known))


@main.group()
def models() -> None:
    """The shipped models."""


@models.command()
@click.option("--photos", type=click.Path(path_type=Path), required=True, help="Folder with cat/ and dog/ photos.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("models"), show_default=True, help="Where they go."
)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the training.")
def build(photos: Path, output: Path, seed: int) -> None:
    """Rebuild the shipped models from labelled photos (needs TensorFlow and PyPI)."""
    from profiler import zoo

    zoo.build(photos, output, seed, report=click.echo)


@main.group()
def virtual() -> None:
    """Virtual boards: a Raspberry Pi's own programs, emulated."""


@virtual.command("setup")
@click.argument("board")
@click.option("--keras", is_flag=True, help="With TensorFlow.")
def virtual_setup(board: str, keras: bool) -> None:
    """Set BOARD up (pi5, pi4, pi3) in this user's cache folder, for `profiler sweep --on`."""
    from profiler import virtual as boards

    made = boards.setup(board, keras, click.echo)
    click.echo(f"the virtual {made.title} is set up: `profiler sweep --on {made.key}`")


@virtual.command("list")
def virtual_list() -> None:
    """List the boards that are set up, what is in them and their size."""
    from profiler import virtual as boards

    for board, size_bytes in boards.installed():
        packages = ", ".join(f"{name} {version}" for name, version in board.packages.items())
        click.echo(f"{board.key}: {board.title}, {board.cpu}, {size_bytes / 2**20:.0f} MiB; {packages}")


@virtual.command("remove")
@click.argument("board", required=False)
def virtual_remove(board: str | None) -> None:
    """Remove BOARD, or all of them."""
    from profiler import virtual as boards

    click.echo(f"{boards.remove(board) / 2**20:.0f} MiB freed")


def _report(folder: Path, output: Path) -> None:
    """Builds and writes a study's report; prints its summary and its path."""
    from profiler import report, store
    from profiler.terminal import say, show

    built = report.build(*store.load(folder))
    for warning in built.warnings:
        say(warning)
    for table in built.summary:
        show(table)
    click.echo(f"report: {report.write(built, output / folder.name)}")


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


if __name__ == "__main__":
    main()
