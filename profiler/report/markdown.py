"""A report as Markdown, as GitHub renders it."""

import re
from collections.abc import Iterator

from profiler.report.model import Figure, Report, Section, Table

_SPECIAL = re.compile(r"[\\`*<>|~&]|(?<!\w)_|_(?!\w)|\](?=[(:\[])|^\s*([#+=-]|\d+[.)](?=\s))")
"""What Markdown would take for markup; an underscore inside a word and a bracket without a link are none."""

CODE = re.compile(r"`([\w-][\w ,./=:-]*)`")
"""Code within a sentence: of letters that are markup nowhere, for a model's label may have backticks too."""


def render(report: Report) -> str:
    """The whole document; figures by their files under `figures/`."""
    return "\n".join(_document(report)).rstrip("\n") + "\n"


def _document(report: Report) -> Iterator[str]:
    yield from (f"# {_escaped(report.title)}", "", _escaped(report.subtitle), "")
    for paragraph in report.answer:
        yield from (prose(paragraph), "")
    if report.warnings:
        yield from ("## Before you trust these figures", "", *(f"- {prose(each)}" for each in report.warnings), "")
    for section in report.sections:
        yield from _section(section)


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {_escaped(section.title)}", "")
    for sentence in section.sentences:
        yield from (prose(sentence), "")
    if section.points:
        yield from (*(f"- {prose(point)}" for point in section.points), "")
    if section.command:
        fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", section.command)), default=0))
        yield from (f"{fence}sh", section.command, fence, "")
    for table in section.tables:
        yield from _table(table)
    for figure in section.figures:
        yield from _figure(figure)


def _table(table: Table) -> Iterator[str]:
    if table.title:
        yield from (f"**{_escaped(table.title)}**", "")
    if table.caption:
        yield from (prose(table.caption), "")
    rules = [":--", *((":--" if table.words else "--:") for _ in table.columns[1:])]
    for cells in (map(_escaped, table.columns), rules, *(map(_escaped, row) for row in table.rows)):
        yield f"| {' | '.join(cells)} |"
    yield ""
    for note in table.notes:
        yield from (prose(note), "")


def _figure(figure: Figure) -> Iterator[str]:
    # Within an image's brackets every other bracket must be no bracket.
    alt = re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", _escaped(figure.alt))
    yield from (f"**{_escaped(figure.title)}**", "", f"![{alt}](figures/{figure.key}.svg)", "")
    if figure.caption:
        yield from (prose(figure.caption), "")


def prose(text: str) -> str:
    """Escaped, but for code within it."""
    parts = CODE.split(text)
    return "".join(f"`{part}`" if place % 2 else _escaped(part) for place, part in enumerate(parts))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _entity(match.group()), text.replace("\n", " "))


def _entity(special: str) -> str:
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(special) or f"{special[:-1]}\\{special[-1]}"
