"""Looking things up in a report."""

import re
from typing import NamedTuple, TypeVar

from profiler.report.formats.cell_values import table_text
from profiler.report.model import Cell, Report, Section, Table

SVG = "{http://www.w3.org/2000/svg}"
Thing = TypeVar("Thing")


def present(thing: Thing | None) -> Thing:
    """What is there; fails where nothing is."""
    assert thing is not None
    return thing


def section(of: Report, title: str) -> Section:
    return next(section for section in of.sections if section.title == title)


class Shown(NamedTuple):
    """A table as it is read: the lines of a head or a cell are parted by line breaks."""

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str
    notes: tuple[str, ...]
    words: bool


def shown(table: Table) -> Shown:
    its = table_text(table)
    columns, *rows = (tuple("\n".join(cell.lines) for cell in row) for row in (its.columns, *its.rows))
    return Shown(its.key, its.title, columns, tuple(rows), its.caption, its.notes, its.words)


def tables(of: Report) -> list[Shown]:
    """All tables as they are read, those of the terminal first."""
    every = [*of.summary, *(table for section in of.sections for table in section.tables)]
    return [shown(table) for table in every]


def table(of: Report, key: str) -> Shown:
    return shown(facts(of, key))


def facts(of: Report, key: str) -> Table:
    """A table with its figures as numbers."""
    return next(table for section in of.sections for table in section.tables if table.key == key)


def cell(of: Report, key: str, name: str, head: str) -> Cell:
    """The figure in the row of that name under that head, whose lines are parted by line breaks."""
    its, found = table(of, key), facts(of, key)
    (row,) = (place for place, cells in enumerate(its.rows) if cells[0].split(" ")[0] == name)
    entry = found.rows[row][its.columns.index(head)]
    assert isinstance(entry, Cell)
    return entry


def row(of: Shown, name: str) -> dict[str, str]:
    (found,) = (cells for cells in of.rows if cells[0].split(" ")[0] == name)
    return dict(zip(of.columns, found, strict=True))


def value(cell: str) -> str:
    """The figure of a cell without its marks and interval."""
    return cell.partition("\n")[0].rstrip(" ¹²³⁴⁵⁶⁷⁸⁹⁰")


def number(words: str) -> float:
    """The first number in words."""
    found = re.search(r"−?\d+(\.\d+)?", words)
    assert found, words
    return float(found.group().replace("−", "-"))


def everything(of: Report) -> str:
    """All words of a report."""
    words = [of.title, of.subtitle, *of.answer, *of.warnings]
    for each in of.sections:
        words += [each.title, *each.sentences, *each.points, each.command]
        for found in map(shown, each.tables):
            words += [
                found.title,
                found.caption,
                *found.columns,
                *found.notes,
                *(cell for row in found.rows for cell in row),
            ]
        for figure in each.figures:
            words += [figure.title, figure.alt, figure.caption]
    return "\n".join(words)


def markdown_tables(text: str) -> list[list[str]]:
    """The lines of each Markdown table."""
    found: list[list[str]] = [[]]
    for line in text.splitlines():
        if line.startswith("|"):
            found[-1].append(line)
        elif found[-1]:
            found.append([])
    return [lines for lines in found if lines]


_USUAL = {"--images": "1,2,5,10,20,40", "--repeats": "3", "--threads": "1", "--region": "process,inference"}


def asks(command: str, options: str) -> bool:
    """Whether a suggested sweep has these options, said or by default, whatever else it has of its study's own plan.

    A comment at the end must be the same.
    """
    (wanted, why), (given, because) = (text.partition("  # ")[::2] for text in (options, command))
    words, asked = given.removeprefix("profiler sweep ").split(), wanted.split()
    found = _USUAL | dict(zip(words[::2], words[1::2], strict=True))
    told = dict(zip(asked[::2], asked[1::2], strict=True))
    return given.startswith("profiler sweep ") and told.items() <= found.items() and why == because
