"""A report as a LaTeX document: booktabs tables, figures by their files; plain ASCII that pdflatex sets."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from profiler.analysis.notation import ABSENT
from profiler.report.formats import latex_tables, latex_text
from profiler.report.formats.cross_references import QUESTIONS, codes, places
from profiler.report.formats.latex_tables import Layout, Part
from profiler.report.model import Report, Table

_TEMPLATE = "report.tex.jinja"
_HEAD = 7
"""Lines of a table over several pages that are to stand on its first one."""


@dataclass(frozen=True, slots=True)
class Grid:
    """Columns of a table that stand side by side, in LaTeX.

    Attributes:
        label: What the whole table is referred to by.
        spec: Of the tabular environment.
        head: Cells; none where no column has a name.
        airy: Some rows are of several lines, so that all are set apart.
        need: What of a page it wants to begin on, in points.
    """

    label: str
    spec: str
    columns: int
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]
    size: str
    long: bool
    airy: bool
    need: int


def render(report: Report) -> str:
    """The whole document, in ASCII; figures by their files under `figures/`."""
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
    tables = [(section.title, table) for section in report.sections for table in section.tables]
    return environment.get_template(_TEMPLATE).render(
        report=report,
        asked_title=QUESTIONS,
        codes=codes(report),
        shown=_shown(report),
        captions={table.key: _caption(table, title) for title, table in tables},
        grids={table.key: tuple(_grids(table)) for _, table in tables},
        gap=latex_tables.GAP,
    )


def _shown(report: Report) -> dict[str, str]:
    """References to the tables and figures, by key."""
    return {place.key: _reference(place.kind, place.key) for place in places(report).values()}


def _reference(kind: str, key: str) -> str:
    label = _label(key, kind)
    return rf"\hyperref[{label}]{{{kind.capitalize()}~\ref*{{{label}}}}}"


def _label(key: str, what: str) -> str:
    return f"{what}:{re.sub(r'[^A-Za-z0-9.-]', '-', key)}"


def _heading(title: str) -> str:
    """A heading that a PDF's bookmarks can show too."""
    written, simple = latex_text.prose(title), latex_text.simple(title)
    return written if written == simple else rf"\texorpdfstring{{{written}}}{{{latex_text.escape(simple)}}}"


def _caption(table: Table, section: str) -> str:
    title = latex_text.prose(table.title or section).rstrip(".")
    return " ".join(filter(None, (rf"\textbf{{{title}.}}", latex_text.prose(table.caption))))


def _grids(table: Table) -> Iterator[Grid]:
    layout = latex_tables.fit(table)
    for part in layout.parts:
        yield Grid(
            label=_label(table.key, "table"),
            spec="".join(("@{}", *_columns(table, part), "@{}")),
            columns=len(part.columns),
            head=tuple(_heads(table, part)) if any(table.columns) else (),
            rows=tuple(_row(table, row, part, layout.stacked) for row in table.rows),
            notes=table.notes,
            size=layout.size,
            long=layout.long,
            airy=_airy(table, layout, part),
            need=12 * (_HEAD + len(table.caption) // 100),
        )


def _sized(part: Part) -> Iterator[tuple[int, float]]:
    return zip(part.columns, part.widths, strict=True)


def _columns(table: Table, part: Part) -> Iterator[str]:
    return (f"{_kind(table, place, 'LR')}{{{width:.1f}pt}}" for place, width in _sized(part))


def _kind(table: Table, place: int, left_right: str) -> str:
    return left_right[0 if table.words or not place else 1]


def _heads(table: Table, part: Part) -> Iterator[str]:
    """Heads stand at the foot of their row, however many lines each has."""
    last = part.columns[-1]
    for place, width in _sized(part):
        edges = ("@{}" if not place else "", "@{}" if place == last else "")
        spec = f"{edges[0]}{_kind(table, place, 'HN')}{{{width:.1f}pt}}{edges[1]}"
        yield rf"\multicolumn{{1}}{{{spec}}}{{{_cell(table.columns[place], True, True)}}}"


def _row(table: Table, row: tuple[str, ...], part: Part, stacked: bool) -> tuple[str, ...]:
    """The cells; the first begins with a group, for a bracket or star after a row's end would be taken for its."""
    name, *others = part.columns
    return (
        "{}" + _cell(row[name], True, stacked),
        *(_cell(row[place], table.words, stacked) for place in others),
    )


def _cell(text: str, words: bool, stacked: bool) -> str:
    """A cell; figures are kept together with their units, and a second line is said more quietly."""
    lines = text.split("\n")
    if words:
        first, *others = map(latex_text.prose, lines)
    else:
        first, *others = (latex_text.escape(line).replace(" ", "~") for line in lines)
    if text.startswith(ABSENT) and not words:
        first = rf"\quiet{{{first}}}"
    if stacked:
        return first + "".join(rf"\under{{{line}}}" for line in others)
    return (" " if words else "~").join((first, *(rf"\quiet{{{line}}}" for line in others)))


def _airy(table: Table, layout: Layout, part: Part) -> bool:
    return latex_tables.height(table, part, layout.size, layout.stacked) > len(table.rows)
