"""The section on what the models answer: on this study's images, and on the photos of a check."""

from collections.abc import Iterator, Sequence

from profiler.analysis.agreement import MARK
from profiler.analysis.notation import ABSENT, counted, listed, percent
from profiler.analysis.study_analysis import Analysis
from profiler.images.labelled_photos import DEGRADED
from profiler.records import Answers, Check, Study
from profiler.report.model import Section, Table


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
    rows = []
    for label, check in checked.items():
        found = {answers.photos: answers for answers in check.answers}
        rows.append((label, *(cell for photos in sets for cell in _cells(found.get(photos)))))
    heads = [f"{what}\n{photos}" for photos in sets for what in ("right", "agree", "largest drift")]
    return Table(
        "checks", "On photos", ("model", *heads), tuple(rows), " ".join(_caption(tuple(checked.values()), sets))
    )


def _cells(answers: Answers | None) -> tuple[str, str, str]:
    if answers is None:
        return (ABSENT,) * 3
    right = ABSENT if answers.correct is None else f"{answers.correct} of {answers.total}"
    return right, f"{answers.agree} of {answers.total}", f"{answers.drift:.2g}"


def _caption(checks: Sequence[Check], sets: dict[str, None]) -> Iterator[str]:
    references = listed(dict.fromkeys(check.reference for check in checks))
    bounds = listed(dict.fromkeys(percent(check.bound) for check in checks))
    yield (
        f"As `profiler models check` found them. A form agrees where it gives the label of {references}; drift is the "
        f"difference of its output from that one's. One that agrees on fewer than {bounds} of a set is marked {MARK}."
    )
    if "degraded" in sets:
        yield DEGRADED
