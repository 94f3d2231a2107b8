"""How a table fits on a page of paper: parts of as many columns as a line holds, and each column's share of the line.

Lengths are counted in characters. LaTeX breaks the lines within a column.
"""

from typing import NamedTuple

import numpy

from profiler.report.formats import latex_text
from profiler.report.formats.cell_values import CellText, TableText

_LINE = 100
"""Characters of a line in a table's type, the gaps between columns with them: a digit of cmr8 takes 4.25 of 478 pt."""

_GAP = 3

_NAME, _WORDS = 18, 8
"""Characters of a row's or a column's name, and of a cell of words, that stand on one line."""


class ColumnGroup(NamedTuple):
    """Columns of a table that stand side by side.

    Attributes:
        columns: Places in the table's own; the first is in every part.
        shares: What of the line each column takes, its gap with it.
        lines: About how many the rows take.
    """

    columns: tuple[int, ...]
    shares: tuple[float, ...]
    lines: int


class _Need(NamedTuple):
    """Characters that a column wants: at least, and to need no second line; and how many all its cells have."""

    least: int
    whole: int
    text: int


def fit(table: TableText) -> tuple[bool, list[ColumnGroup]]:
    """Return whether a cell's second line stands under its first, for the table is too wide, and its parts."""
    for stacked in (False, True):
        needs = [_need(table, place, stacked) for place in range(len(table.columns))]
        parts = _split(needs)
        if len(parts) == 1:
            break
    return stacked, [_part(table, columns, needs, stacked) for columns in parts]


def lines(cell: CellText, stacked: bool) -> list[str]:
    """Return a cell's lines as they are set."""
    return list(cell.lines) if stacked else [" ".join(cell.lines)]


def _need(table: TableText, place: int, stacked: bool) -> _Need:
    head = " ".join(table.columns[place].lines)
    written = [line for row in table.rows for line in lines(row[place], stacked)]
    longest = max(len(piece) for line in (*written, head) for piece in latex_text.pieces(line))
    whole = max(longest, *map(len, written))
    kept = _NAME if not place else _WORDS if table.words else whole
    least = max(longest, min(whole, kept))
    whole = max(whole, min(len(head), _NAME))
    return _Need(min(least, _LINE // 2 - _GAP), whole, sum(map(len, written)))


def _split(needs: list[_Need]) -> list[tuple[int, ...]]:
    """Places of the columns of each part: as few parts as will do, with about as many columns each."""
    for count in range(1, max(2, len(needs))):
        parts = [(0, *map(int, part)) for part in numpy.array_split(range(1, len(needs)), count)]
        if all(sum(needs[place].least + _GAP for place in part) <= _LINE for part in parts):
            break
    return parts


def _part(table: TableText, columns: tuple[int, ...], needs: list[_Need], stacked: bool) -> ColumnGroup:
    """Every column its least; what is left goes, a character at a time, to where most lines are."""
    widths = {place: needs[place].least for place in columns}
    for _ in range(_LINE - sum(widths.values()) - _GAP * len(widths)):
        wanting = [place for place in columns if widths[place] < needs[place].whole]
        if wanting:
            widths[max(wanting, key=lambda place: needs[place].text / widths[place])] += 1
    height = sum(
        max(
            sum(1 + len(line) // (width + _GAP) for line in lines(row[place], stacked))
            for place, width in widths.items()
        )
        for row in table.rows
    )
    return ColumnGroup(columns, tuple((width + _GAP) / _LINE for width in widths.values()), height)
