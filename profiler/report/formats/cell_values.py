"""Tables and figures as text: a figure in the digits that its interval bears, marks of notes, second lines."""

import re
from collections.abc import Mapping
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.agreement import MARK
from profiler.report.model import Cell, Entry, Label, ModelName, Table, Words

_UNITS = "T|G|M|k|KiB|MiB|GiB|s|ms|µs|ns|GHz|MHz|kB|MB|GB|min|bytes|%"
_BEFORE_UNIT = re.compile(rf"(?<=\d) (?=(?:{_UNITS})(?![\w%]))")


class CellText(NamedTuple):
    """What stands in a cell, as text.

    Attributes:
        lines: The first, and those that are said more quietly.
        number: What its column is sorted by; None where it is no figure.
        absent: It is a figure that is not there.
    """

    lines: tuple[str, ...]
    number: float | None = None
    absent: bool = False


class TableText(NamedTuple):
    """A table as text; its other attributes are those of `Table`.

    Attributes:
        notes: What the marks in cells say, each beginning with its mark.
    """

    key: str
    title: str
    columns: tuple[CellText, ...]
    rows: tuple[tuple[CellText, ...], ...]
    caption: str
    notes: tuple[str, ...]
    words: bool

    @property
    def headed(self) -> bool:
        """Return whether some column has a name."""
        return any(head.lines[0] for head in self.columns)


def table_text(table: Table) -> TableText:
    """Return the table as text."""
    brief, entries = table.intervals != "full", [*table.columns, *(entry for row in table.rows for entry in row)]
    noted = dict.fromkeys(note for entry in entries if not (brief or isinstance(entry, str)) for note in entry.notes)
    marks = {note: notation.superscript(place) for place, note in enumerate(noted, 1)}
    labels = [entry for entry in [table.title, *entries] if isinstance(entry, Label)]
    apart = dict.fromkeys(model.disagrees for label in labels for model in models(label) if model.disagrees)

    def cell(entry: Entry) -> CellText:
        return _cell(entry, marks, table)

    return TableText(
        table.key,
        title(table),
        tuple(map(cell, table.columns)),
        tuple(tuple(map(cell, row)) for row in table.rows),
        table.caption,
        tuple(f"{mark} {note}" for note, mark in marks.items()) + tuple(f"{MARK} {each}" for each in apart),
        table.words,
    )


def title(table: Table) -> str:
    """Return the table's own title, which may be empty."""
    return table.title if isinstance(table.title, str) else spelled(table.title.words)


def models(label: Label) -> list[ModelName]:
    """Return the models that a label names."""
    return [each for each in (*label.words, *label.under) if isinstance(each, ModelName)]


def spelled(words: Words) -> str:
    """Return words with the models' names in them, each with its mark."""
    return "".join(map(str, words))


def _cell(entry: Entry, marks: Mapping[str, str], table: Table) -> CellText:
    if isinstance(entry, str):
        return CellText((entry,))
    noted = "".join(f" {marks[note]}" for note in entry.notes if note in marks)
    if isinstance(entry, Label):
        return CellText((f"{spelled(entry.words)}{noted}", *([spelled(entry.under)] if entry.under else [])))
    figure, interval = _figure(entry)
    if table.intervals != "full":
        told = table.intervals == "error" and entry.value and entry.interval
        interval = notation.error(entry.value, entry.interval) if told and entry.value and entry.interval else ""
    lines = [f"{figure}{noted}", interval]
    if table.words or table.intervals == "error":
        lines = [" ".join(filter(None, lines))]
    under = _cell(entry.under, marks, table).lines if entry.under else ()
    return CellText((*filter(None, lines), *under), entry.value, entry.value is None)


def _figure(cell: Cell) -> tuple[str, str]:
    """A figure, with what is said behind it, and its interval."""
    if cell.value is None:
        figure, interval = notation.ABSENT, ""
    elif cell.digits:
        figure, interval = notation.plain(cell.value, cell.unit, cell.digits), ""
    elif isinstance(cell.value, int) and not cell.unit:
        figure, interval = f"{cell.value:,}", ""
    else:
        figure, interval = notation.written(cell.value, cell.interval, cell.unit)
    return f"{figure} {cell.after}".rstrip(), interval


def bound(text: str) -> str:
    """The text with each figure bound to its unit, so that no line ends between `5.3` and `s`."""
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)
