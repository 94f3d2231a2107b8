"""`profiler compare`: studies against the first of them."""

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from profiler.cli.options import FORMAT, GOT_WORSE, OPEN, OUTPUT, RUNS, complain, deliver
from profiler.errors import ProfilerError

if TYPE_CHECKING:
    from profiler.compare.model import Comparison
    from profiler.compare.study import Loaded

_LONGEST = 100
"""Most letters of the report's folder that are the studies' names."""


def _share(_context: click.Context, _parameter: click.Parameter, text: str | None) -> float | None:
    """`5%` or `5` as 0.05; `0.05` without a sign is none, for it may be meant as a share or as a percentage."""
    if text is None:
        return None
    if not re.fullmatch(r"\d+(\.\d+)? ?%?", text):
        raise click.BadParameter(f"'{text}' is not a share such as 5%")
    if "%" not in text and 0 < float(text) < 1:
        raise click.BadParameter(f"'{text}' may mean {text}% or {float(text) * 100:g}%: write it with its %")
    return float(text.rstrip(" %")) / 100


@click.command()
@click.argument("studies", nargs=-1, metavar="STUDY STUDY...")
@click.option(
    "--fail-over",
    "limit",
    metavar="PERCENT",
    callback=_share,
    help=f"End with status {GOT_WORSE} where a cost is shown to have risen by more than this, such as 5%.",
)
@RUNS
@OUTPUT
@FORMAT
@OPEN
def compare(
    studies: tuple[str, ...],
    limit: float | None,
    runs: Path,
    output: Path,
    formats: tuple[str, ...] | None,
    opened: bool,
) -> None:
    """Compare every STUDY with the first.

    Figures are divided where they are of the same model file, region, source and event meaning; what is kept apart is
    listed with the reason. Another machine, engine version or thread count is what one compares for.

    A study is named by its folder under --runs, or by a path.
    """
    from profiler import compare as comparison

    loaded = _load(studies, runs)
    found = comparison.comparison(loaded)
    report = comparison.build(found)
    deliver(report, output / _folder([each.name for each in loaded]), formats, opened)
    if limit is not None:
        _judge(found, limit)


def _load(names: tuple[str, ...], runs: Path) -> "list[Loaded]":
    """Raises ProfilerError: A study is not there, damaged, of a newer schema, or named twice."""
    from profiler import store
    from profiler.compare.study import Loaded

    if len(names) < 2:
        raise click.UsageError("at least two studies are needed")
    loaded, seen = [], set()
    for name in names:
        folder = store.find(runs, name)
        if folder.resolve() in seen:
            raise ProfilerError(f"study {name} is named twice: it does not differ from itself", "name two studies")
        seen.add(folder.resolve())
        loaded.append(Loaded(folder.resolve().name, *store.load(folder)))
    return loaded


def _folder(names: list[str]) -> str:
    """`compare-A-B`, cut where the file system might not take it."""
    return f"compare-{'-'.join(names)}"[:_LONGEST]


def _judge(found: "Comparison", limit: float) -> None:
    """Ends with a status of its own where a cost got worse; says which, and how many could not be judged.

    Raises:
        ProfilerError: None could be: that is no pass.
    """
    from profiler.analysis.notation import counted, number
    from profiler.compare import ranking
    from profiler.compare.tables import name, times, what

    share = f"{number(limit * 100)} %"
    worse, untold = ranking.worse(found.rows, limit), ranking.unjudged(found.rows)
    if not ranking.judged(found.rows):
        raise ProfilerError("no cost can be judged, for no ratio has an interval", "sweep with --repeats 3 or more")
    if untold:
        complain(f"{counted(len(untold), 'figure')} could not be judged: too few runs, or a cost not shown to be there")
    for row in worse:
        complain(f"worse by more than {share}: {row.study}: {name(row)}, {what(row)}: {times(row)}")
    if worse:
        sys.exit(GOT_WORSE)
    click.echo(f"no cost is shown to have risen by more than {share}")
