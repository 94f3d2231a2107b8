"""Tables of a comparison: every figure of each study beside the first's, and what of it changed most."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED, keyed, titled
from profiler.analysis.regions import WORDS
from profiler.compare.csv import of_row
from profiler.compare.model import Comparison, Row
from profiler.compare.study import Subject
from profiler.report.cells import Column, absent, of_quantity, tabulated
from profiler.report.model import Cell, Entry, Label, Table

K = TypeVar("K")
ByStudy = Mapping[str, Row]
"""The rows of several studies that share a table's row, by the studies' names."""

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


def times(row: Row) -> str:
    """The ratio in a sentence: `1.20 [1.18, 1.22]`."""
    if row.ratio is not None:
        return notation.ratio(row.ratio)
    return _FROM_NOTHING if row.verdict == "more" else notation.ABSENT


_FROM_NOTHING = "from nothing shown"
"""Stands for the ratio of a cost that the first study does not show to be there."""


def ratio(found: Comparison, row: Row, notes: tuple[str, ...] = ()) -> Entry:
    """The ratio in a cell."""
    if row.ratio is None and row.verdict == "more":
        return Label((_FROM_NOTHING,), notes=notes)
    return of_quantity(of_row(found, row)[2], notes)


def changed(found: Comparison, rows: Sequence[Row]) -> Table:
    """What changed most, in order."""
    several = len(found.others) > 1
    second, divided = ("the study", "ratio") if several else (found.others[0].name, over(found)[0])
    columns: list[Column[Row]] = [
        *([Column[Row]("study", lambda row: row.study)] if several else []),
        Column(found.first.name, lambda row: of_quantity(of_row(found, row)[0])),
        Column(second, lambda row: of_quantity(of_row(found, row)[1])),
        Column(divided, lambda row: ratio(found, row)),
    ]
    left = f" The {len(rows) - _LONGEST} that changed less are in the tables below." if len(rows) > _LONGEST else ""
    caption = (
        "By how far from 1 the nearer end of the ratio's interval is, so that what is uncertain does not come first."
        f"{left}"
    )
    named = [(f"{name(row)}, {what(row)}", row) for row in rows[:_LONGEST]]
    return tabulated("changed", "", "what", named, columns, caption)


def tables(found: Comparison, simulated: bool) -> list[Table]:
    """Up to three tables of what was counted, or simulated: paid once, for each image, for a whole run."""
    made = []
    for kind, (whats, title, caption) in _KINDS.items():
        rows = [row for row in found.rows if row.what in whats and row.simulated == simulated]
        if rows and kind == "image" and rows[0].costs[0].around != "inference":
            words = WORDS[rows[0].costs[0].around]
            title, caption = words.title, words.caption
        if rows:
            made.append(_beside(found, rows, keyed(kind, simulated), title, caption))
    return made


def _beside(found: Comparison, rows: Sequence[Row], key: str, title: str, caption: str) -> Table:
    """A row a model and event; a column a study, then one for each ratio, and what they show."""
    images = rows[0].images
    whole = f" at {notation.counted(images, 'image')}" if images is not None else ""
    slope = {row.key: f"{name(row)}{' (slope)' if row.what == 'slope' else ''}" for row in rows}
    named = [(slope[key], its) for key, its in by_study(rows, lambda row: row.key).items()]
    columns = [
        *studies(found, lambda row, place: of_quantity(of_row(found, row)[place])),
        *ratios(found, lambda row: ratio(found, row, row.marks)),
        Column("shown", lambda its: _shown(found, its)),
    ]
    return tabulated(key, titled(f"{title}{whole}", rows[0].simulated), "model and event", named, columns, caption)


def _shown(found: Comparison, its: ByStudy) -> str:
    if len(found.others) == 1:
        return its[found.others[0].name].shown
    return "; ".join(f"{study}: {row.shown}" for study, row in its.items())


def studies(found: Comparison, figure: Callable[[Row, int], Cell], under: str = "") -> list[Column[ByStudy]]:
    """A column a study: `figure` of a row, the first study's (0) or the other's (1)."""

    def column(subject: Subject) -> Column[ByStudy]:
        head = Label((subject.name,), (under,)) if under else subject.name
        if subject is found.first:
            return Column(head, lambda its: figure(next(iter(its.values())), 0))
        return Column(head, lambda its: figure(its[subject.name], 1) if subject.name in its else absent())

    return [column(subject) for subject in found.subjects]


def ratios(found: Comparison, entry: Callable[[Row], Entry]) -> list[Column[ByStudy]]:
    """A column for each study that is divided by the first."""

    def column(subject: Subject, head: str) -> Column[ByStudy]:
        return Column(head, lambda its: entry(its[subject.name]) if subject.name in its else absent())

    return [column(*each) for each in zip(found.others, over(found), strict=True)]


def by_study(rows: Iterable[Row], key: Callable[[Row], K]) -> dict[K, dict[str, Row]]:
    """The rows that share a table's row, by what they share and by study."""
    found: dict[K, dict[str, Row]] = {}
    for row in rows:
        found.setdefault(key(row), {})[row.study] = row
    return found


def over(found: Comparison) -> tuple[str, ...]:
    """The heads of the ratios' columns."""
    return tuple(f"{other.name} / {found.first.name}" for other in found.others)
