"""`profiler report`: the report of a study."""

from pathlib import Path

import click

from profiler.cli.options import FORMAT, OPEN, OUTPUT, RUNS, show_report


@click.command()
@click.argument("study", required=False)
@RUNS
@OUTPUT
@FORMAT
@OPEN
def report(study: str | None, runs: Path, output: Path, formats: tuple[str, ...] | None, opened: bool) -> None:
    """Render the report of STUDY, or of the newest study."""
    from profiler import store

    show_report(store.find(runs, study), output, formats, opened)
