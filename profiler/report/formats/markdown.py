"""A report as Markdown, as GitHub renders it."""

import re
from collections.abc import Iterable, Iterator, Mapping

from profiler.report.formats.cell_values import table_text
from profiler.report.formats.cross_references import QUESTIONS, CrossReference, codes, places, verdicts
from profiler.report.model import Figure, Question, Report, Section, Table

_SPECIAL = re.compile(r"[\\`*<>|~&]|(?<!\w)_|_(?!\w)|\](?=[(:\[])|^\s*([#+=-]|\d+[.)](?=\s))")
"""What Markdown would take for markup; an underscore inside a word and a bracket without a link are none."""

CODE = re.compile(r"`([\w-][\w ,./=:-]*)`")
"""Code within a sentence: of letters that are markup nowhere, for a model's label may have backticks too."""


_DOUBTS = "Before you trust these figures"


def render(report: Report) -> str:
    """The whole document; figures by their files under `figures/`."""
    return "\n".join(_document(report)).rstrip("\n") + "\n"


def _document(report: Report) -> Iterator[str]:
    anchors = _anchors(report)
    yield from (f"# {_escaped(report.title)}", "", _escaped(report.subtitle), "")
    yield from _grade(report, anchors)
    for paragraph in report.answer:
        yield from (prose(paragraph), "")
    if report.warnings:
        yield from (f"## {_DOUBTS}", "", *_bullets(report.warnings))
    if report.questions:
        yield from (f"## {QUESTIONS}", "")
        there = places(report)
        for number, question in enumerate(report.questions, 1):
            yield from _question(number, question, there, anchors)
    for section in report.sections:
        yield from _section(section)


def _anchors(report: Report) -> dict[str, str]:
    """Of each section's title the anchor that GitHub makes: a heading that comes again has a number behind it."""
    headings = [report.title, *([_DOUBTS] if report.warnings else [])]
    if report.questions:
        headings += [QUESTIONS, *(f"{number}. {each.title}" for number, each in enumerate(report.questions, 1))]
    seen: dict[str, int] = {}
    found = {}
    for heading in (*headings, *(section.title for section in report.sections)):
        slug = re.sub(r"[^\w\- ]", "", heading.strip().lower()).replace(" ", "-")
        seen[slug] = seen.get(slug, -1) + 1
        found[heading] = f"{slug}-{seen[slug]}" if seen[slug] else slug
    return found


def _grade(report: Report, anchors: Mapping[str, str]) -> Iterator[str]:
    if report.validity is None:
        return
    found, title = codes(report), verdicts(report)
    why = f": {', '.join(f'`{code}`' for code in found)}" if found else ""
    link = f" ([{_escaped(title)}](#{anchors[title]}))" if title else ""
    yield from (f"**{report.validity.grade.capitalize()}**{why}{link}", "")


def _question(
    number: int, question: Question, there: Mapping[str, CrossReference], anchors: Mapping[str, str]
) -> Iterator[str]:
    yield from (f"### {number}. {_escaped(question.title)}", "", f"*{_escaped(question.asked)}*", "")
    yield from (prose(question.verdict) if not question.answered else f"**{prose(question.verdict)}**", "")
    if question.evidence:
        yield from _bullets(question.evidence)
    if question.caveats:
        yield from ("What it does not show:", "", *_bullets(question.caveats))
    if question.command:
        yield from ("For a better answer:" if question.answered else "What would answer it:", "")
        yield from _block(question.command)
    links = [_link(there[key], anchors) for key in question.shown]
    if links:
        yield from (f"Shown in {', '.join(links)}.", "")


def _link(place: CrossReference, anchors: Mapping[str, str]) -> str:
    """A figure's file, or for a table the heading of its section: only headings have anchors."""
    to = f"figures/{place.key}.svg" if place.kind == "figure" else f"#{anchors[place.section]}"
    return f"[{_bracketed(place.title)}]({to})"


def _bullets(sentences: Iterable[str]) -> Iterator[str]:
    yield from (f"- {prose(each)}" for each in sentences)
    yield ""


def _block(command: str) -> Iterator[str]:
    fence = "`" * max(3, 1 + max(map(len, re.findall(r"`+", command)), default=0))
    yield from (f"{fence}sh", command, fence, "")


def _section(section: Section) -> Iterator[str]:
    yield from (f"## {_escaped(section.title)}", "")
    for sentence in section.sentences:
        yield from (prose(sentence), "")
    if section.points:
        yield from _bullets(section.points)
    if section.command:
        yield from _block(section.command)
    for table in section.tables:
        yield from _table(table)
    for figure in section.figures:
        yield from _figure(figure)


def _table(table: Table) -> Iterator[str]:
    its = table_text(table)
    if its.title:
        yield from (f"**{_escaped(its.title)}**", "")
    if its.caption:
        yield from (prose(its.caption), "")
    heads, *rows = ([" ".join(cell.lines) for cell in row] for row in (its.columns, *its.rows))
    rules = [":--", *((":--" if its.words else "--:") for _ in heads[1:])]
    for cells in (map(_escaped, heads), rules, *(map(prose, row) for row in rows)):
        yield f"| {' | '.join(cells)} |"
    yield ""
    for note in its.notes:
        yield from (prose(note), "")


def _figure(figure: Figure) -> Iterator[str]:
    image = f"![{_bracketed(figure.alt)}](figures/{figure.key}.svg)"
    yield from (f"**{_escaped(figure.title)}**", "", image, "")
    if figure.caption:
        yield from (prose(figure.caption), "")


def prose(text: str) -> str:
    """Escaped, but for code within it."""
    parts = CODE.split(text)
    return "".join(f"`{part}`" if place % 2 else _escaped(part) for place, part in enumerate(parts))


def _bracketed(text: str) -> str:
    """Escaped to stand within brackets, where every other bracket must be no bracket."""
    return re.sub(r"(?<!\\)[\[\]]", r"\\\g<0>", _escaped(text))


def _escaped(text: str) -> str:
    return _SPECIAL.sub(lambda match: _entity(match.group()), text.replace("\n", " "))


def _entity(special: str) -> str:
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;"}.get(special) or f"{special[:-1]}\\{special[-1]}"
