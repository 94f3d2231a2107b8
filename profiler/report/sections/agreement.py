"""The section on what the models answer: on this study's images, and on the photos of a check."""

from collections.abc import Callable, Iterator, Sequence

from profiler.analysis.agreement import MARK
from profiler.analysis.notation import NUMBER, counted, listed, percent
from profiler.analysis.study_analysis import Analysis
from profiler.images.labelled_photos import DEGRADED
from profiler.records import Answers, Check, Study
from profiler.report.cells import Column, absent, name, tabulated
from profiler.report.model import Cell, Label, Section, Table


def agreement(study: Study, analysis: Analysis) -> Section | None:
    """Whether the models answer the same images alike, and right where that was checked."""
    sentences = tuple(
        f"{found.first} and {found.second} give {found.same} of {counted(found.images, 'inference')} on the same "
        f"images the same label; their winning outputs differ by at most {found.largest_difference:.2g}."
        for found in analysis.agreements
    )
    checked = {model.label: model.check for model in study.models if model.check}
    tables = (_checks(checked),) if checked else ()
    return Section("Do the models agree?", points=sentences, tables=tables) if sentences or tables else None


def _checks(checked: dict[str, Check]) -> Table:
    """A row a model, and for each set of photos how it answered."""
    sets = dict.fromkeys(answers.photos for check in checked.values() for answers in check.answers)

    def column(head: str, photos: str, entry: Callable[[Answers], Cell]) -> Column[Check]:
        def of_check(check: Check) -> Cell:
            answers = next((each for each in check.answers if each.photos == photos), None)
            return entry(answers) if answers else absent()

        return Column(Label((head,), (photos,)), of_check)

    columns = [column(head, photos, entry) for photos in sets for head, entry in ANSWERED.items()]
    rows = [(name(label), check) for label, check in checked.items()]
    return tabulated("checks", "On photos", "model", rows, columns, " ".join(_caption(tuple(checked.values()), sets)))


def _right(answers: Answers) -> Cell:
    return absent() if answers.correct is None else Cell(answers.correct, after=f"of {answers.total}")


ANSWERED: dict[str, Callable[[Answers], Cell]] = {
    "right": _right,
    "agree": lambda answers: Cell(answers.agree, after=f"of {answers.total}"),
    "largest drift": lambda answers: Cell(answers.drift, NUMBER, digits=2),
}
"""How photos were answered, by the column's head."""


def _caption(checks: Sequence[Check], sets: dict[str, None]) -> Iterator[str]:
    references = listed(dict.fromkeys(check.reference for check in checks))
    bounds = listed(dict.fromkeys(percent(check.bound) for check in checks))
    yield (
        f"As `profiler models check` found them. A form agrees where it gives the label of {references}; drift is the "
        f"difference of its output from that one's. One that agrees on fewer than {bounds} of a set is marked {MARK}."
    )
    if "degraded" in sets:
        yield DEGRADED
