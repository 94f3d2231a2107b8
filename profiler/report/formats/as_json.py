"""A report as JSON for other programs: all its words, and its figures as numbers.

A table has `key`, `title`, `columns`, `rows`, `caption` and `words`; its columns and rows hold entries. An entry is

- a string: words;
- words of which more is known: `text`, and as far as there are any the labels of the `models` that it names, of those
  that answer otherwise than their network the reason by label (`disagree`, and ‡ in the text), the words `under` it,
  and `notes`, what the reader must know of it;
- a figure: its `value` in `unit` ("" for occurrences, "ns", "bytes", "%", "1" for a ratio, "×" for a multiple, or
  another), the ends `low` and `high` of its 95 % interval, and its `status` (`counted`, `scaled`, `simulated`,
  `modelled`, `fact` where it is known without counting, `absent`); null is what is not there. As far as there are any
  it has `notes` (of an absent figure the first says why), the words `after` it, an entry `under` it, and the key of the
  `quantity` that it shows: that with the same `subject`, `event`, `what` and `images`, and the same status.
"""

from dataclasses import asdict
from typing import Any

from profiler.report.formats import cell_values
from profiler.report.model import Entry, Label, Report, Section, Table
from profiler.validity.model import plain

SCHEMA = 2
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
        "tables": [_table(table) for table in section.tables],
        "figures": [
            {"key": figure.key, "title": figure.title, "alt": figure.alt, "caption": figure.caption}
            for figure in section.figures
        ],
    }


def _table(table: Table) -> dict[str, Any]:
    return {
        "key": table.key,
        "title": cell_values.title(table),
        "columns": list(map(_entry, table.columns)),
        "rows": [list(map(_entry, row)) for row in table.rows],
        "caption": table.caption,
        "words": table.words,
    }


def _entry(entry: Entry) -> str | dict[str, Any]:
    if isinstance(entry, str):
        return entry
    found: dict[str, Any]
    more: dict[str, Any]
    if isinstance(entry, Label):
        models = cell_values.models(entry)
        found = {"text": cell_values.spelled(entry.words)}
        more = {
            "models": [model.label for model in models],
            "disagree": {model.label: model.disagrees for model in models if model.disagrees},
            "under": cell_values.spelled(entry.under),
        }
    else:
        found = {name: getattr(entry, name) for name in ("value", "low", "high", "unit", "status")}
        key = entry.quantity and entry.quantity._asdict()
        more = {"after": entry.after, "under": _entry(entry.under), "quantity": key}
    return found | {name: each for name, each in (more | {"notes": entry.notes}).items() if each}
