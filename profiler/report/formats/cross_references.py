"""Where a report shows what its questions and its grade point to, in every format."""

from typing import Literal, NamedTuple

from profiler.report.formats.cell_values import title
from profiler.report.model import Report

QUESTIONS = "The questions"
"""The heading above them."""

_VERDICTS = "Verdict"
"""How the title of the section on the findings begins."""


class CrossReference(NamedTuple):
    """A table or figure of the report.

    Attributes:
        title: Its own, or the section's where it has none.
        section: The title of the section it stands in.
    """

    kind: Literal["table", "figure"]
    key: str
    title: str
    section: str


def places(report: Report) -> dict[str, CrossReference]:
    """All tables and figures by key."""
    found: dict[str, CrossReference] = {}
    for section in report.sections:
        for table in section.tables:
            found[table.key] = CrossReference("table", table.key, title(table) or section.title, section.title)
        for figure in section.figures:
            found[figure.key] = CrossReference("figure", figure.key, figure.title, section.title)
    return found


def codes(report: Report) -> tuple[str, ...]:
    """What the report's grade is for; empty also where it has none."""
    return report.validity.codes if report.validity else ()


def verdicts(report: Report) -> str:
    """The title of the section on the findings; empty where there is none."""
    return next((section.title for section in report.sections if section.title.startswith(_VERDICTS)), "")
