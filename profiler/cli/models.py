"""`profiler models`: what is in model files, what the caches give them, how they answer, and those built here."""

import sys
from collections.abc import Callable
from pathlib import Path

import click

from profiler.cli.options import CANNOT, OUTPUT, RUNS, SEED, complain
from profiler.errors import ProfilerError

_FILES = click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
_CACHES = click.option(
    "--caches", metavar="MACHINE", default="pi5", show_default=True, help="pi5, pi4, pi3, host or a FILE.toml."
)
_SEED = click.option("--seed", type=SEED, default=0, show_default=True, help="Of all that is random.")


@click.group()
def models() -> None:
    """Model files: what is in them, what caches give them, how they answer."""


@models.command()
@_FILES
@_CACHES
@click.option("--load/--no-load", default=None, help="Ask the engine too.  [default: LiteRT yes, Keras no]")
@click.option("--operators", is_flag=True, help="List every operator.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object a file.")
def inspect(files: tuple[Path, ...], caches: str, load: bool | None, operators: bool, as_json: bool) -> None:
    """Say where the bytes of each FILE go, what its network needs, and which caches that fits.

    The file is read and not run. LiteRT's engine is asked as well, in a process of its own, which operators its
    delegate takes and what memory they need; Keras's, which starts slowly, with --load.
    """
    from profiler.cli.terminal import show_inspection
    from profiler.machine import targets
    from profiler.measure import inspection
    from profiler.records import to_json

    target = targets.find(caches)

    def one(path: Path) -> None:
        found = inspection.inspect(path, load)
        click.echo(to_json(found)) if as_json else show_inspection(found, target, operators)

    _each(files, one)


def _each(files: tuple[Path, ...], one: Callable[[Path], None]) -> None:
    """Serves every file that can be served; a line for each that cannot, and then the exit status says so."""
    failed = False
    for path in files:
        try:
            one(path)
        except ProfilerError as error:
            failed = True
            complain(str(error))
    if failed:
        sys.exit(CANNOT)


@models.command()
@click.option("--photos", type=click.Path(path_type=Path), help="Folder with cat/ and dog/ photos.")
@click.option("--family", type=click.Choice(("lab", "width")), help="Forms of the shipped model, or widths of it.")
@click.option(
    "--output", type=click.Path(path_type=Path), default=Path("models"), show_default=True, help="Where they go."
)
@_SEED
def build(photos: Path | None, family: str | None, output: Path, seed: int) -> None:
    """Build model files (needs TensorFlow).

    --family lab makes, from the shipped model's weights, Keras as saved after training, Keras weights only, and LiteRT
    in fp32, fp16, dynamic range and int8, calibrated on the photos or, without any, on the built-in one. --family width
    makes the network in five widths with random weights. Without --family the shipped models are made again, which
    takes the photos and PyPI.
    """
    from profiler.zoo import default, families

    if family:
        families.build(family, output, photos, seed, report=click.echo)
    elif photos:
        default.build(photos, output, seed, report=click.echo)
    else:
        raise click.UsageError("name --photos DIR to rebuild the shipped models, or a --family")


@models.command()
@click.argument("models", default="family:lab", required=False)
@click.option(
    "--photos", type=click.Path(path_type=Path), help="Folder with cat/ and dog/ photos.  [default: built in]"
)
@_SEED
def check(models: str, photos: Path | None, seed: int) -> None:
    """Say how MODELS answer labelled photos: accuracy, agreement, drift, as the photos are and degraded.

    MODELS as for `profiler sweep --models`. What is found is kept beside the files: a sweep's report marks a form that
    disagrees.
    """
    from profiler import modelfile
    from profiler.cli.terminal import show_checks
    from profiler.measure import accuracy
    from profiler.modelfile import checks

    files = modelfile.parse(models)
    checks.readable(files)
    found, failures = accuracy.check(files, photos, seed, lambda line: click.echo(line, err=True))
    show_checks(found)
    for error in failures:
        complain(str(error))
    checks.store(found, files)
    if failures:
        sys.exit(CANNOT)


@models.command()
@_FILES
@click.option("--caches", metavar="MACHINE", help="As for inspect.  [default: the board's, or pi5]")
@click.option("--on", metavar="BOARD", help="Run on a virtual board: pi5, pi4, pi3 (see `profiler virtual`).")
@_SEED
@RUNS
@OUTPUT
def curve(files: tuple[Path, ...], caches: str | None, on: str | None, seed: int, runs: Path, output: Path) -> None:
    """Draw the misses of an inference of FILE against cache size, from its own addresses, under QEMU.

    Beside them stand the caches of every known machine, and what studies of the same file under --runs measured.
    """
    from profiler import modelfile, store
    from profiler.cli.terminal import show_curve
    from profiler.miss_curve import curve as measured
    from profiler.miss_curve import measure as curves

    options = curves.Options(caches=caches, on=on, seeds=(seed + 1, seed + 2))

    def one(path: Path) -> None:
        found = curves.run(modelfile.alone(path), options, lambda line: click.echo(line, err=True))
        points = measured.points(found, store.of_model(runs, found.sha256))
        show_curve(found)
        click.echo(f"curve: {curves.write(found, points, output / f'{path.name}-curve')}")

    _each(files, one)
