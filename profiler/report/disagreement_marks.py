"""The mark that a form carries in every table where its answers are not those of the network it is compared with."""

from collections.abc import Mapping
from dataclasses import replace
from typing import TypeVar

from profiler.report.model import Label, ModelName, Report, Table, Words

_Entry = TypeVar("_Entry")


def marked(report: Report, disagreeing: Mapping[str, str]) -> Report:
    """Return the report with the mark at each disagreeing form's name in the titles, heads and row names of all tables.

    Args:
        disagreeing: By the form's label, with whom and on how many images; a note under each table says it.
    """

    def table(of: Table) -> Table:
        columns = tuple(map(entry, of.columns))
        return replace(
            of, title=entry(of.title), columns=columns, rows=tuple((entry(row[0]), *row[1:]) for row in of.rows)
        )

    def entry(of: _Entry) -> _Entry:
        return replace(of, words=words(of.words), under=words(of.under)) if isinstance(of, Label) else of

    def words(of: Words) -> Words:
        return tuple(
            replace(each, disagrees=disagreeing.get(each.label, "")) if isinstance(each, ModelName) else each
            for each in of
        )

    return replace(
        report,
        summary=tuple(map(table, report.summary)),
        sections=tuple(replace(each, tables=tuple(map(table, each.tables))) for each in report.sections),
    )
