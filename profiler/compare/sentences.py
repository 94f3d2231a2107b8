"""What a comparison says in sentences."""

from collections.abc import Iterator, Sequence

from profiler.analysis.ablation_pairs import LEADING
from profiler.analysis.labels import SIMULATED
from profiler.analysis.notation import counted, listed
from profiler.compare import ranking
from profiler.compare.model import Comparison, Row
from profiler.compare.study import same_runs
from profiler.compare.tables import kind, times

NONE = "No figure differs beyond its interval."
UNTOLD = "No ratio has an interval, so that none can be told from chance: they stand in the tables that follow."

_LISTED = 4
"""Most figures without a difference that a sentence names."""

_NAMED = 3
"""Most changes that a sentence names."""


def answer(found: Comparison, ranked: Sequence[Row]) -> tuple[str, ...]:
    """Paragraphs: how time compares, what changed most, what was not compared."""
    paragraphs = []
    for other in found.others:
        mine = [row for row in ranked if row.study == other.name]
        told = [*_time(found, other.name), *_most(found, other.name, mine)]
        paragraphs.append(" ".join(told))
    return (*paragraphs, *_apart(found))


def _time(found: Comparison, study: str) -> Iterator[str]:
    """`Against old, for each image keras takes 0.54 [0.52, 0.56] times as long.`"""
    rows = [row for row in found.rows if row.study == study and not row.simulated]
    leading = next((event for event in LEADING if any(row.costs[0].event.name == event for row in rows)), None)
    mine = [row for row in rows if row.costs[0].event.name == leading]
    parted = [row for row in mine if row.what != "whole"] or mine
    told = [row for row in parted if row.ratio]
    takes = {row: f"{row.model} takes {times(row)} times as much {_when(row)}{kind(row)}" for row in told}
    changed = [takes[row] for row in told if row.verdict in _CHANGED]
    same = [f"{row.model} {_when(row)} ({times(row)}{kind(row)})" for row in told if row.verdict == "same"]
    bare = [takes[row] for row in told if row.verdict == "not told"]
    lead = f"Against {found.first.name}, in {study}, of {leading}"
    if changed:
        yield f"{lead}: {'; '.join(changed)}."
    if same:
        yield f"{'Of it' if changed else lead} no difference is shown for {listed(same, _LISTED)}."
    if bare:
        yield f"{lead}, without an interval: {'; '.join(bare)}."


_CHANGED = ("more", "less")


def _when(row: Row) -> str:
    """`once`, `for each image`, `for a whole run of 10 images`."""
    if row.images is not None:
        return f"for a whole run of {counted(row.images, 'image')}"
    return "once" if row.what == "fixed" else f"for each {row.noun}"


def _most(found: Comparison, study: str, ranked: Sequence[Row]) -> Iterator[str]:
    rows = [row for row in found.rows if row.study == study]
    judged, unjudged = ranking.judged(rows), ranking.unjudged(rows)
    if ranked:
        chance = round(ranking.CHANCE * sum(not row.simulated for row in judged))
        differ = "differ beyond their intervals" if len(ranked) > 1 else "differs beyond its interval"
        yield (
            f"{len(ranked)} of {_figures(judged)} {differ} (of equal studies about {chance} would, by chance). "
            f"Changed most: {'; '.join(map(_change, ranked[:_NAMED]))}."
        )
    elif judged:
        yield f"None of {_figures(judged)} differs beyond its interval: no difference is shown."
    if unjudged:
        yield (
            f"Of {_figures(unjudged)} no difference can be told: a study has too few runs for an "
            "interval, or is not shown to have that cost."
        )


def _figures(rows: Sequence[Row]) -> str:
    """`51 figures`, `116 simulated figures`."""
    return counted(len(rows), f"{SIMULATED} figure" if all(row.simulated for row in rows) else "figure")


def _change(row: Row) -> str:
    """`keras l2d_cache_refill 1.20 [1.18, 1.22] times as many each image`."""
    said = f"{times(row)} times" if row.ratio else "from nothing shown"
    return f"{row.model}'s {row.event} {row.paid}{kind(row)}, {said}"


def _apart(found: Comparison) -> Iterator[str]:
    blocked = [each for each in found.apart if each.blocked]
    if blocked:
        reasons = dict.fromkeys(each.reason.partition(":")[0] for each in blocked)
        yield f"Kept apart: {listed(reasons, 5)}. A table says of which events, and why."


def warnings(found: Comparison) -> tuple[str, ...]:
    """What makes the comparison doubtful as a whole."""
    return (
        *_same(found),
        *_grades(found),
        *_imported(found),
        *_sessions(found),
        *_cameras(found),
        *_unknown_files(found),
        *_failed(found),
        *_scaled(found),
    )


def _same(found: Comparison) -> Iterator[str]:
    for other in found.others:
        if same_runs(found.first, other):
            yield f"{found.first.name} and {other.name} hold the same runs: every ratio is 1 whatever was measured."


def _grades(found: Comparison) -> Iterator[str]:
    for subject in found.subjects:
        if subject.validity.grade != "valid":
            codes = listed(f"`{code}`" for code in subject.validity.codes)
            yield f"{subject.name} is {subject.validity.grade} ({codes}): `profiler check {subject.name}` says more."


def _imported(found: Comparison) -> Iterator[str]:
    for subject in found.subjects:
        if subject.study.imported_from:
            yield (
                f"{subject.name} is imported ({subject.study.imported_from}): another program was measured there, so "
                "the start and whole runs hold other work than this tool's."
            )


def _sessions(found: Comparison) -> Iterator[str]:
    live = [subject.name for subject in found.subjects if subject.study.live is not None]
    if live:
        yield (
            f"{listed(live)} {'is a live session' if len(live) == 1 else 'are live sessions'}, each one process: "
            "intervals hold how its windows scatter, not how another session would differ, and what the camera saw is "
            "part of the figures. Record a session twice to see how much that is."
        )


def _cameras(found: Comparison) -> Iterator[str]:
    """That equal names of a source are not equal images."""
    taken = [each.name for each in found.subjects if each.study.live is None and not each.study.source_repeats]
    if taken:
        yield (
            f"{listed(taken)} took {'its' if len(taken) == 1 else 'their'} images from a camera or stream: they "
            "are not the images of another study, even where the source has the same name."
        )


def _unknown_files(found: Comparison) -> Iterator[str]:
    for study, pairs in found.pairs.items():
        labels = [pair.first.label for pair in pairs if not (pair.first.sha256 and pair.second.sha256)]
        if labels:
            yield (
                f"{listed(labels)}: paired by label alone, for one study does not know its model file. That "
                f"{found.first.name} and {study} ran the same network is not shown."
            )


def _failed(found: Comparison) -> Iterator[str]:
    for subject in found.subjects:
        failed = sum(run.outcome != "ok" for run in subject.runs)
        if failed:
            yield f"{failed} of {counted(len(subject.runs), 'run')} of {subject.name} failed and are in no figure."


def _scaled(found: Comparison) -> Iterator[str]:
    for place, subject in enumerate(found.subjects):
        rows = [row for row in found.rows if place == 0 or row.study == subject.name]
        events = dict.fromkeys(row.costs[min(place, 1)].event.name for row in rows if row.costs[min(place, 1)].scaled)
        if events:
            yield (
                f"{subject.name}'s counts of {listed(events, 4)} are scaled up from a part of each run: "
                "estimates, whose error no interval holds."
            )
