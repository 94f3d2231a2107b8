"""Options that several commands have, and how the command line's values are read."""

from pathlib import Path

import click

CANNOT, RUNS_FAILED, INTERRUPTED = 1, 3, 130
"""Exit statuses beside 0 and click's 2 for a command line that makes no sense."""

RUNS = click.option(
    "--runs", type=click.Path(path_type=Path), default=Path("runs"), show_default=True, help="Studies' folder."
)
OUTPUT = click.option(
    "--output", type=click.Path(path_type=Path), default=Path("reports"), show_default=True, help="Reports' folder."
)


SEED = click.IntRange(0, 2**30)
"""What random generators are seeded with: NumPy's take nothing below 0, the cache simulator's nothing above 31 bits."""


def complain(line: str) -> None:
    """Says on standard error what is wrong and what to do about it, in one line whatever names are in it."""
    click.echo(f"profiler: {' '.join(line.split())}", err=True)


def threads(_context: click.Context, _parameter: click.Parameter, text: str) -> int | None:
    """`N`, or None for `default`."""
    if text == "default":
        return None
    if not text.isdecimal() or int(text) < 1:
        raise click.BadParameter(f"'{text}' is neither a number from 1 up nor 'default'")
    return int(text)


def cpus(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, ...] | None:
    """`2,3` or `0-3`: CPUs of this machine."""
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


def show_report(folder: Path, output: Path) -> None:
    """Builds and writes a study's report; prints its summary and its path."""
    from profiler import report, store
    from profiler.terminal import say, show

    built = report.build(*store.load(folder))
    for warning in built.warnings:
        say(warning)
    for table in built.summary:
        show(table)
    click.echo(f"report: {report.write(built, output / folder.name)}")
