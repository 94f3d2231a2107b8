"""Options that several commands have, and how the command line's values are read."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profiler.runtimes import KERAS_CALLS
from profiler.sanitize import safe

if TYPE_CHECKING:
    from profiler.report.model import Report

CANNOT, RUNS_FAILED, DEGRADED, INVALID, GOT_WORSE, INTERRUPTED = 1, 3, 4, 5, 6, 130
"""Exit statuses beside 0 and click's 2 for a command line that makes no sense."""

USUAL_RUNS = Path("runs")
RUNS = click.option(
    "--runs", type=click.Path(path_type=Path), default=USUAL_RUNS, show_default=True, help="Studies' folder."
)
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Reports' folder."
)
KERAS_CALL = click.option(
    "--keras-call",
    type=click.Choice(KERAS_CALLS),
    default=KERAS_CALLS[0],
    show_default=True,
    help="How Keras is asked.",
)

SEED = click.IntRange(0, 2**30)
"""What random generators are seeded with: NumPy's take nothing below 0, the cache simulator's nothing above 31 bits."""


def complain(line: str) -> None:
    """Says on standard error what is wrong and what to do about it, in one line whatever names are in it."""
    click.echo(f"profiler: {safe(' '.join(line.split()))}", err=True)


def threads(_context: click.Context, _parameter: click.Parameter, text: str) -> int | None:
    """`N`, or None for `default`."""
    if text == "default":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"'{text}' is neither a number from 1 up nor 'default'")
    return int(text)


def cpus(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """`2,3` or `0-3`: CPUs of this machine."""
    from profiler.machine.host import usable_cpus

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


def counts(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """`1,5,10`: counts of images, in rising order."""
    if text is None:
        return None
    try:
        found = tuple(sorted({int(item) for item in text.split(",")}))
    except ValueError:
        found = ()
    if not found or found[0] < 1:
        raise click.BadParameter(f"'{text}' is not a list of whole numbers from 1 up, such as 1,5,10")
    return found


def regions(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[str, ...] | None:
    """`process,inference`: names of regions."""
    from profiler.records import PHASES

    if text is None:
        return None
    names, known = [item.strip() for item in text.split(",")], ("process", *PHASES)
    unknown = [name for name in names if name not in known]
    if unknown:
        raise click.BadParameter(f"'{unknown[0]}' is no region; use {', '.join(known)}")
    return tuple(dict.fromkeys(names))


def formats(_context: click.Context, _parameter: click.Parameter, text: str) -> tuple[str, ...] | None:
    """`html,md`: names of report formats; None for `all` that can be made here."""
    names = [item.strip().lower() for item in text.split(",")]
    if names == ["all"]:
        return None
    from profiler.report import FORMATS

    unknown = [name for name in names if name not in FORMATS]
    if unknown:
        raise click.BadParameter(f"'{unknown[0]}' is no format; use all, or some of {','.join(FORMATS)}")
    return tuple(dict.fromkeys(names))


FORMAT = click.option(
    "--format",
    "formats",
    default="all",
    show_default=True,
    callback=formats,
    metavar="NAMES",
    help="Formats: html, md, json, csv, tex, pdf, or all that can be made here.",
)
OPEN = click.option("--open", "opened", is_flag=True, help="Open the report in a browser.")


def show_report(folder: Path, output: Path, formats: Collection[str] | None = None, opened: bool = False) -> None:
    """Builds and writes a study's report; prints its summary and its path."""
    from profiler import report, store

    deliver(report.build(*store.load(folder)), output / folder.name, formats, opened)


def deliver(built: "Report", folder: Path, formats: Collection[str] | None, opened: bool) -> None:
    """Writes a report; prints its answer, grade, warnings, summary and path, and opens it where that was asked for."""
    from profiler import report
    from profiler.cli.terminal import say, show

    # First, for whoever reads what is printed may stop reading.
    page = report.write(built, folder, formats, complain)
    for sentence in built.answer:
        say(sentence)
    if built.validity:
        codes = ", ".join(built.validity.codes)
        say(f"The study is {built.validity.grade}{f': {codes}' if codes else ''}.")
    for warning in built.warnings:
        say(warning)
    for table in built.summary:
        show(table)
    click.echo(f"report: {page}")
    if opened:
        _open(page)


def _open(page: Path) -> None:
    """Opens the page in a browser; where none can be started, that is said and is no failure: the report is there."""
    import webbrowser

    try:
        started = webbrowser.open(page.resolve().as_uri())
    except (webbrowser.Error, OSError):
        started = False
    if not started:
        complain(f"no browser could be started: open {page} yourself, or on another machine")
