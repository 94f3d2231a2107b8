"""The mark that a form carries in every table where its answers are not those of the network it is compared with."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from profiler.analysis.agreement import MARK, reasons
from profiler.analysis.study_analysis import Agreement
from profiler.records import Model
from profiler.report.model import Report, Table


def marked(report: Report, models: Sequence[Model], agreements: Sequence[Agreement]) -> Report:
    """The report with the mark at each name of a disagreeing form, in the heads, row names and titles of all tables.

    A note under the table says on how many photos.

    Args:
        agreements: What the study's own answers say; a check on labelled photos comes before them.
    """
    found = reasons(models, agreements)
    if not found:
        return report
    mark = _marker([model.label for model in models], found)
    return replace(
        report,
        summary=tuple(_table(table, mark, found) for table in report.summary),
        sections=tuple(
            replace(section, tables=tuple(_table(table, mark, found) for table in section.tables))
            for section in report.sections
        ),
    )


def _marker(labels: Iterable[str], disagreeing: Mapping[str, str]) -> Callable[[str], tuple[str, set[str]]]:
    """A function from a head, row name or title to the same with its marks, and the labels that are marked in it.

    A label ends where a space, the end or punctuation before either follows: `litert` is no part of `litert-int8`,
    nor `litert:a` of `litert:ab`. Where one label begins with another and a space, the longer one is meant.
    """
    longest = sorted(map(re.escape, labels), key=len, reverse=True)
    name = re.compile(rf"(?<![^\s(])(?:{'|'.join(longest)})(?=[),.;:]*(?:\s|$))")

    def mark(words: str) -> tuple[str, set[str]]:
        here = {label for label in name.findall(words) if label in disagreeing}
        return name.sub(lambda found: f"{found[0]}{MARK if found[0] in here else ''}", words), here

    return mark


def _table(table: Table, mark: Callable[[str], tuple[str, set[str]]], why: Mapping[str, str]) -> Table:
    title, *heads = map(mark, (table.title, *table.columns))
    names = [mark(row[0]) for row in table.rows]
    here = set().union(*(labels for _, labels in (title, *heads, *names)))
    if not here:
        return table
    return replace(
        table,
        title=title[0],
        columns=tuple(head for head, _ in heads),
        rows=tuple((name, *row[1:]) for (name, _), row in zip(names, table.rows, strict=True)),
        notes=(*table.notes, *(f"{MARK} {reason}" for label, reason in why.items() if label in here)),
    )
