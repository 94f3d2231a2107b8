"""A report as a LaTeX document: booktabs tables, figures by their files; plain ASCII that pdflatex sets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from profiler.report.formats import latex_tables, latex_text
from profiler.report.formats.cell_values import CellText, TableText, table_text
from profiler.report.formats.cross_references import QUESTIONS, codes, places
from profiler.report.model import Report

_TEMPLATE = "report.tex.jinja"
_MOST = 40
"""Lines of the rows of a table that is kept on one page."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns of a table that stand side by side, in LaTeX.

    Attributes:
        label: What the whole table is referred to by.
        spec: Of the longtable environment.
        head: Cells; none where no column has a name.
        need: Points of a page that it wants to begin on.
    """

    label: str
    caption: str
    spec: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    need: int


def render(report: Report) -> str:
    """Return the whole document, in ASCII; figures by their files under `figures/`."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        undefined=StrictUndefined,
        block_start_string="<%",
        block_end_string="%>",
        variable_start_string="<<",
        variable_end_string=">>",
        comment_start_string="<!--",
        comment_end_string="-->",
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(
        code=latex_text.code,
        escape=latex_text.escape,
        heading=_heading,
        label=_label,
        prose=latex_text.prose,
        simple=latex_text.simple,
    )
    return environment.get_template(_TEMPLATE).render(
        report=report,
        asked_title=QUESTIONS,
        codes=codes(report),
        shown={key: _reference(place.kind, key) for key, place in places(report).items()},
        grids={
            table.key: tuple(_grids(table_text(table), section.title))
            for section in report.sections
            for table in section.tables
        },
    )


def _reference(kind: str, key: str) -> str:
    label = _label(key, kind)
    return rf"\hyperref[{label}]{{{kind.capitalize()}~\ref*{{{label}}}}}"


def _label(key: str, what: str) -> str:
    return f"{what}:{re.sub(r'[^A-Za-z0-9.-]', '-', key)}"


def _heading(title: str) -> str:
    """A heading that a PDF's bookmarks can show too."""
    written, simple = latex_text.prose(title), latex_text.simple(title)
    return written if written == simple else rf"\texorpdfstring{{{written}}}{{{latex_text.escape(simple)}}}"


def _caption(table: TableText, section: str) -> str:
    title = latex_text.prose(table.title or section).rstrip(".")
    return " ".join(filter(None, (rf"\textbf{{{title}.}}", latex_text.prose(table.caption))))


def _grids(table: TableText, section: str) -> Iterator[Grid]:
    stacked, parts = latex_tables.fit(table)
    label = _label(table.key, "table")
    for part in parts:
        first, last = part is parts[0], part is parts[-1]
        kinds = ("L" if table.words or not place else "R" for place in part.columns)
        said = len(table.caption) * first + sum(map(len, table.notes)) * last
        rows = 10 * part.lines + 2 * len(table.rows)
        yield Grid(
            label=label,
            caption=_caption(table, section) if first else rf"Further columns of Table~\ref*{{{label}}}.",
            spec="".join(f"{kind}{{{share:.3f}}}" for kind, share in zip(kinds, part.shares, strict=True)),
            head=tuple(_cell(table.columns[place], True, True) for place in part.columns) if table.headed else (),
            rows=tuple(_row(table, row, part.columns, stacked) for row in table.rows),
            notes=table.notes if last else (),
            need=60 + said // 8 + (rows if part.lines <= _MOST else 40),
        )


def _row(table: TableText, row: tuple[CellText, ...], columns: tuple[int, ...], stacked: bool) -> tuple[str, ...]:
    """The cells; the first begins with a group, for a bracket or star after a row's end would be taken for its."""
    name, *others = (_cell(row[place], table.words or not place, stacked) for place in columns)
    return (f"{{}}{name}", *others)


def _cell(cell: CellText, words: bool, stacked: bool) -> str:
    """A cell; figures are kept together with their units, and a second line is said more quietly."""
    if words:
        first, *others = map(latex_text.prose, cell.lines)
    else:
        first, *others = (latex_text.escape(line).replace(" ", "~") for line in cell.lines)
    if cell.absent and not words:
        first = rf"\quiet{{{first}}}"
    if stacked:
        return first + "".join(rf"\under{{{line}}}" for line in others)
    return (" " if words else "~").join((first, *(rf"\quiet{{{line}}}" for line in others)))
