"""`profiler export`: a study for other tools."""

from pathlib import Path

import click

from profiler.cli.options import RUNS

FORMATS = ("pyperf", "csv", "parquet", "json")


@click.command()
@click.argument("study", required=False)
@click.option("--to", type=click.Choice(FORMATS), required=True, help="The format.")
@click.option(
    "--output",
    type=click.Path(path_type=Path),
    help="File, or folder for csv and parquet, instead of one named after the study in the current folder; '-' is "
    "standard output. What is there under these names is overwritten.",
)
@RUNS
def export(study: str | None, to: str, output: Path | None, runs: Path) -> None:
    """Write STUDY, or the newest study, for other tools.

    pyperf: the measured times, for `python -m pyperf compare_to` and its other commands. csv, parquet: tidy tables, a
    file each. json: the study and all its runs in one document.
    """
    from profiler import export as exports
    from profiler import store
    from profiler.export import frames

    found = frames.StudyFrames(*store.load(store.find(runs, study)))
    if output == Path("-"):
        if exports.FORMATS[to].folder:
            raise click.UsageError(f"{to} is several files, which standard output cannot hold")
        click.echo(exports.content(found, to), nl=False)
        return
    path = output or exports.default(found, to)
    exports.write(found, to, path)
    click.echo(f"export: {path}")
