"""Tables of a comparison: every figure of each study beside the first's, and what of it changed most."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import Verdict
from profiler.analysis.costs import Cost
from profiler.analysis.labels import SIMULATED
from profiler.analysis.regions import WORDS
from profiler.analysis.stats import Estimate
from profiler.compare.model import Comparison, Row
from profiler.report.model import Table

K = TypeVar("K")

_SAID: dict[Verdict, str] = {"more": "more", "less": "less", "same": "no difference shown"}

_LONGEST = 60
"""Most rows of the table of what changed."""

_KINDS: dict[str, tuple[tuple[str, ...], str, str]] = {
    "fixed": (("fixed",), "Paid once", "Where the line through whole processes meets zero images."),
    "image": (
        ("region", "slope"),
        "Paid for each image",
        "Of the region of steady inferences alone where both studies have it; else (slope) of the line.",
    ),
    "whole": (("whole",), "The whole run", "On the line through whole processes, or the mean of runs of this count."),
}


def name(row: Row) -> str:
    """What a row is of: `keras l2d_cache_refill`."""
    proxy = " (proxy)" if row.costs[0].event.quality == "proxy" else ""
    return f"{row.model} {row.event}{proxy}"


def shown(row: Row) -> str:
    """What the row's ratio shows."""
    return _SAID.get(row.verdict) or ("nothing: no interval" if row.ratio else "nothing: not shown to cost anything")


def when(row: Row) -> str:
    """`once`, `each image`, `whole run of 10`."""
    return f"{row.paid}{f' of {row.images}' if row.images is not None else ''}"


def kind(row: Row) -> str:
    """`, simulated` or `, scaled up`, where a figure of the row is that."""
    if row.simulated:
        return f", {SIMULATED}"
    return ", scaled up" if any(cost.scaled for cost in row.costs) else ""


def what(row: Row) -> str:
    """`each image, simulated`: when it is paid, and of which kind it is."""
    return f"{when(row)}{kind(row)}"


def times(row: Row, between: str = " ") -> str:
    """The ratio in a sentence or, over two lines, in a cell: `1.20 [1.18, 1.22]`."""
    if row.ratio is not None:
        return notation.figure(row.ratio, notation.NUMBER, between)
    return "from nothing shown" if row.verdict == "more" else notation.ABSENT


def changed(found: Comparison, rows: Sequence[Row]) -> Table:
    """What changed most, in order."""
    several = len(found.others) > 1
    figures = (
        (found.first.name, "the study", "ratio") if several else (found.first.name, found.others[0].name, *over(found))
    )
    heads = ("what", *(["study"] if several else []), *figures)
    cells = tuple(
        (
            f"{name(row)}, {what(row)}",
            *([row.study] if several else []),
            _figure(row.first, row.costs[0]),
            _figure(row.second, row.costs[1]),
            times(row, "\n"),
        )
        for row in rows[:_LONGEST]
    )
    left = f" The {len(rows) - _LONGEST} that changed less are in the tables below." if len(rows) > _LONGEST else ""
    caption = (
        "By how far from 1 the nearer end of the ratio's interval is, so that what is uncertain does not come first."
        f"{left}"
    )
    return Table("changed", "", heads, cells, caption)


def tables(found: Comparison, simulated: bool) -> list[Table]:
    """Up to three tables of what was counted, or simulated: paid once, for each image, for a whole run."""
    made = []
    for kind, (whats, title, caption) in _KINDS.items():
        rows = [row for row in found.rows if row.what in whats and row.simulated == simulated]
        if rows and kind == "image" and rows[0].costs[0].around != "inference":
            words = WORDS[rows[0].costs[0].around]
            title, caption = words.title, words.caption
        if rows:
            made.append(_beside(found, rows, f"{SIMULATED}-{kind}" if simulated else kind, title, caption))
    return made


def _beside(found: Comparison, rows: Sequence[Row], key: str, title: str, caption: str) -> Table:
    """A row a model and event; a column a study, then one for each ratio, and what they show."""
    notes, keyed = notation.Notes(), by_study(rows, lambda row: row.key)
    lines = tuple(_line(found, of_row, notes) for of_row in keyed.values())
    images = rows[0].images
    whole = f" at {notation.counted(images, 'image')}" if images is not None else ""
    of_kind = f", {SIMULATED}" if rows[0].simulated else ""
    heads = ("model and event", *(subject.name for subject in found.subjects), *over(found), "shown")
    return Table(key, f"{title}{whole}{of_kind}", heads, lines, caption, notes.all())


def _line(found: Comparison, of_row: Mapping[str, Row], notes: notation.Notes) -> tuple[str, ...]:
    """One model's event in every study that has a row of it."""
    leading = next(iter(of_row.values()))
    rows = [of_row.get(other.name) for other in found.others]
    slope = " (slope)" if leading.what == "slope" else ""
    said = [shown(row) for row in rows if row]
    if len(found.others) > 1:
        said = [f"{row.study}: {shown(row)}" for row in rows if row]
    return (
        f"{name(leading)}{slope}",
        _figure(leading.first, leading.costs[0]),
        *(_figure(row.second, row.costs[1]) if row else notation.ABSENT for row in rows),
        *(_ratio(row, notes) if row else notation.ABSENT for row in rows),
        "\n".join(said),
    )


def by_study(rows: Iterable[Row], key: Callable[[Row], K]) -> dict[K, dict[str, Row]]:
    """The rows that share a table's row, by what they share and by study."""
    found: dict[K, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(key(row), {})[row.study] = row
    return found


def over(found: Comparison) -> tuple[str, ...]:
    """The heads of the ratios' columns."""
    return tuple(f"{other.name} / {found.first.name}" for other in found.others)


def _figure(estimate: Estimate, cost: Cost) -> str:
    return notation.figure(estimate, cost.unit)


def _ratio(row: Row, notes: notation.Notes) -> str:
    """The ratio with the marks of what the reader must know of it."""
    value, between, interval = times(row, "\n").partition("\n")
    return f"{value}{notes.marks(row.marks)}{between}{interval}"
