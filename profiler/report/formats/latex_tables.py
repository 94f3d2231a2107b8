"""How a table fits on a page of paper: type size, lines in a cell, widths of columns, and parts if it has too many."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from profiler.report.formats import latex_text
from profiler.report.model import Table

TEXT_WIDTH = 478.0
"""Of a line, in points: A4 less two margins of 21 mm."""

GAP = 10.0
"""Between two columns, in points."""

_SHORT = 32
"""Most lines of a table that stays on one page."""

Size = Literal["small", "footnotesize"]

# Of digits at a size of 10-point LaTeX, in points for each em of the 10-point font: cmr9's 0.514 em and cmr8's 0.531.
_POINTS: dict[Size, float] = {"small": 10 * 0.514 * 9 / 5, "footnotesize": 10 * 0.531 * 8 / 5}

_FIRST = 0.4
"""Most of a line that the names of the rows take, where a table is of figures."""

_LEGIBLE = 62.0
"""Points that a column of words is given at least, if it has so many: narrower ones are hard to read."""

_SLACK = 1.5
"""Points that a column is wider than its text, for what the widths leave out."""


@dataclass(frozen=True, slots=True)
class Part:
    """Columns of a table that stand side by side.

    Attributes:
        columns: Places in the table's own; the first is in every part.
        widths: In points.
    """

    columns: tuple[int, ...]
    widths: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Layout:
    """A table as it fits.

    Attributes:
        stacked: A cell's second line stands under its first.
        long: It may go over several pages.
    """

    size: Size
    stacked: bool
    parts: tuple[Part, ...]
    long: bool


@dataclass(frozen=True, slots=True)
class _Need:
    """What a column wants, in points.

    Attributes:
        least: To be readable.
        whole: To need no further line.
        over: What its cells together have beyond `least`: how much it gains by more.
    """

    least: float
    whole: float
    over: float


def fit(table: Table) -> Layout:
    """The layout: the larger type and one line a cell where there is room, more parts only where nothing else helps."""
    tries: tuple[tuple[Size, bool], ...] = (
        ("small", False),
        ("footnotesize", False),
        ("small", True),
        ("footnotesize", True),
    )
    for size, stacked in tries:
        needs = _needs(table, size, stacked)
        wanted = [need.whole if table.words else need.least for need in needs]
        if _total(wanted) <= TEXT_WIDTH:
            break
    parts = tuple(_shared(places, needs) for places in _split(needs))
    longest = max(height(table, part, size, stacked) for part in parts)
    return Layout(size, stacked, parts, longest + _said(table) > _SHORT)


def _needs(table: Table, size: Size, stacked: bool) -> list[_Need]:
    return [_need(table, place, size, stacked) for place in range(len(table.columns))]


def _need(table: Table, place: int, size: Size, stacked: bool) -> _Need:
    cells = [line for row in table.rows for line in lines(row[place], stacked)]
    head = lines(table.columns[place], True)
    unbroken = max(_width(piece, size) for line in (*cells, *head, "") for piece in latex_text.pieces(line) or [""])
    whole = max(_width(line, size) for line in (*cells, *head, ""))
    if table.words:
        least = max(unbroken, min(whole, _LEGIBLE))
    elif place:
        least = max([unbroken, *(_width(line, size) for line in cells)])
    else:
        least = max(unbroken, min(whole, _FIRST * TEXT_WIDTH))
    return _Need(min(least, TEXT_WIDTH), whole, sum(max(0.0, _width(line, size) - least) for line in (*cells, *head)))


def lines(cell: str, stacked: bool) -> list[str]:
    """A cell's lines as they are set."""
    return cell.split("\n") if stacked else [cell.replace("\n", " ")]


def _width(text: str, size: Size) -> float:
    return latex_text.width(text) * _POINTS[size] + _SLACK


def _total(widths: Sequence[float]) -> float:
    return sum(widths) + GAP * (len(widths) - 1)


def _split(needs: Sequence[_Need]) -> Iterator[tuple[int, ...]]:
    """Places of the columns of each part: as few parts as will do, with about as many columns each."""
    count = 1
    while count < len(needs) - 1:
        parts = [_slice(len(needs), count, part) for part in range(count)]
        if all(_total([needs[place].least for place in places]) <= TEXT_WIDTH for places in parts):
            break
        count += 1
    return (_slice(len(needs), count, part) for part in range(count))


def _slice(columns: int, parts: int, part: int) -> tuple[int, ...]:
    others = columns - 1
    return (0, *range(1 + others * part // parts, 1 + others * (part + 1) // parts))


def _shared(places: tuple[int, ...], needs: Sequence[_Need]) -> Part:
    """Every column its least; what is left goes to where it saves most lines, to none more than it wants."""
    asked = [needs[place] for place in places]
    widths = [need.least for need in asked]
    left = max(0.0, TEXT_WIDTH - _total(widths))
    gain = sum(need.over for need in asked)
    # Whoever is soon content comes first, so that what it leaves over goes to the others.
    for at in sorted(range(len(asked)), key=lambda at: (asked[at].whole - widths[at]) / (asked[at].over or 1)):
        more = max(0.0, min(asked[at].whole - widths[at], left * asked[at].over / (gain or 1)))
        widths[at] += more
        left -= more
        gain -= asked[at].over
    over = _total(widths) - TEXT_WIDTH
    if over > 0:
        widths = [each * (1 - over / sum(widths)) for each in widths]
    return Part(places, tuple(widths))


def height(table: Table, part: Part, size: Size, stacked: bool) -> float:
    """About how many lines of text the rows take."""
    return sum(
        max(
            sum(1 + _width(line, size) // (width + _SLACK) for line in lines(row[place], stacked))
            for place, width in zip(part.columns, part.widths, strict=True)
        )
        for row in table.rows
    )


def _said(table: Table) -> float:
    """Lines of the words under and over the table."""
    return sum(1 + _width(words, "footnotesize") // TEXT_WIDTH for words in (*table.notes, table.caption))
