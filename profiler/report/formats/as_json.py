"""A report as JSON for other programs: all its words and tables, and its figures as numbers."""

from dataclasses import asdict
from typing import Any

from profiler.report.model import Report, Section
from profiler.validity.model import plain

SCHEMA = 1
"""Version of the document; raised when a name goes or changes its meaning, not when one is added."""


def render(report: Report) -> bytes:
    """The document, which ends with a line's end; the same report gives the same bytes."""
    import msgspec

    return msgspec.json.format(msgspec.json.encode(document(report)), indent=1) + b"\n"


def document(report: Report) -> dict[str, Any]:
    """The report as plain values; `validity` is None where it was not judged, figures are without their drawings."""
    return {
        "schema": SCHEMA,
        "name": report.name,
        "title": report.title,
        "subtitle": report.subtitle,
        "origin": report.origin,
        "labels": report.labels,
        "validity": report.validity and plain(report.validity),
        "answer": report.answer,
        "warnings": report.warnings,
        "questions": [asdict(question) for question in report.questions],
        "sections": [_section(section) for section in report.sections],
        "quantities": [asdict(quantity) for quantity in report.quantities],
        "data": list(report.data),
    }


def _section(section: Section) -> dict[str, Any]:
    return {
        "title": section.title,
        "sentences": section.sentences,
        "points": section.points,
        "command": section.command,
        "tables": [asdict(table) for table in section.tables],
        "figures": [
            {"key": figure.key, "title": figure.title, "alt": figure.alt, "caption": figure.caption}
            for figure in section.figures
        ],
    }
