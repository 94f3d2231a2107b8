"""What the report says of the models' answers."""

from msgspec import structs
from reading import shown
from studies import family_study, made_study

from profiler.analysis.study_analysis import analyse
from profiler.images.labelled_photos import DEGRADED
from profiler.records import Run, Study
from profiler.report.model import Section
from profiler.report.sections.agreement import agreement


def said(study: Study, runs: tuple[Run, ...]) -> Section:
    found = agreement(study, analyse(study, runs))
    assert found
    return found


def test_without_a_check_there_is_no_table() -> None:
    found = said(*made_study())
    assert len(found.points) == 1
    assert found.tables == ()


def test_what_was_checked_is_a_row_a_model_beside_the_studys_own_images() -> None:
    study, runs = family_study()
    checked = [model for model in study.models if model.check]
    (found,) = said(study, runs).tables
    table = shown(found)
    assert [row[0] for row in table.rows] == [model.label for model in checked]
    for row, model in zip(table.rows, checked, strict=True):
        assert model.check
        answers = model.check.answers
        assert row[1::3] == tuple(f"{each.correct} of {each.total}" for each in answers)
        assert row[2::3] == tuple(f"{each.agree} of {each.total}" for each in answers)
    assert "98 %" in table.caption


def test_what_cannot_be_right_or_wrong_is_absent_and_the_degradation_is_told() -> None:
    study, runs = family_study()
    first, *others = study.models
    assert first.check
    answers = structs.replace(first.check.answers[0], photos="degraded", correct=None)
    check = structs.replace(first.check, answers=(answers,))
    study = structs.replace(study, models=(structs.replace(first, check=check), *others))
    (found,) = said(study, runs).tables
    table = shown(found)
    places = [place for place, head in enumerate(table.columns) if head == "right\ndegraded"]
    assert [table.rows[0][place] for place in places] == ["n/a"]
    assert DEGRADED in table.caption
