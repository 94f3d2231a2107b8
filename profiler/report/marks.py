"""The mark that a form carries in every table where its answers are not those of the network it is compared with."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from profiler.records import AGREE, Answers, Check, Form, Model
from profiler.report import text
from profiler.report.analysis import Agreement
from profiler.report.model import Report, Table

MARK = "‡"


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


def warning(found: Mapping[str, str]) -> str:
    """What is said once of the forms that disagree, for these `reasons`."""
    return (
        f"{text.listed(found)} {'is' if len(found) == 1 else 'are'} marked {MARK} in all tables: "
        f"{'; '.join(found.values())}. What a form costs that answers otherwise is the cost of other answers."
    )


def reasons(models: Sequence[Model], agreements: Sequence[Agreement]) -> dict[str, str]:
    """Of each form that disagrees, by label and in the models' order: with whom, and on how many images."""
    of = {model.label: model for model in models}
    found = {
        each.second: _reason(each.second, each.first, each.same, f"{each.images} inferences of this study", AGREE)
        for each in agreements
        if _apart(each) and _one_network(of[each.first].form, of[each.second].form)
    }
    found |= {model.label: _on_photos(model.label, check) for model in models for check in _disagreeing(model)}
    return {label: found[label] for label in of if label in found}


def _apart(found: Agreement) -> bool:
    """Whether a study's own images show a disagreement: of few images a single one is below any bound and no proof."""
    return found.same < AGREE * found.images and found.images - found.same > 1


def _one_network(first: Form | None, second: Form | None) -> bool:
    """Whether two models should answer alike, as far as is known: random weights and other widths need not."""
    known = [form for form in (first, second) if form]
    return not any(_random(form) for form in known) and len({form.alpha for form in known}) < 2


def _random(form: Form | None) -> bool:
    return form is not None and form.weights == "random"


def _disagreeing(model: Model) -> Iterator[Check]:
    """The model's check, where it disagrees and that means something."""
    if model.check and model.check.disagrees and not _random(model.form):
        yield model.check


def _on_photos(label: str, check: Check) -> str:
    worst = min(check.answers, key=_share)
    return _reason(label, check.reference, worst.agree, f"{worst.total} photos ({worst.photos})", check.bound)


def _reason(label: str, reference: str, agree: int, asked: str, bound: float) -> str:
    return f"{label} agrees with {reference} on {agree} of {asked}, below the bound of {text.percent(bound)}"


def _share(answers: Answers) -> float:
    return answers.agree / answers.total


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
