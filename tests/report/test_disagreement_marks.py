"""A form that disagrees is marked wherever a table names it, and nothing else is."""

import re
from collections.abc import Mapping
from functools import cache

import pytest
from made_networks import made_check, made_form
from msgspec.structs import replace as with_fields
from reading import Shown, shown, table, tables
from studies import family_study, made_study, study_beside, virtual_study

from profiler.analysis.agreement import MARK, reasons, warning
from profiler.analysis.study_analysis import Agreement
from profiler.records import Model, Run
from profiler.report import build
from profiler.report.disagreement_marks import marked
from profiler.report.formats import cell_values, html, markdown
from profiler.report.model import Label, ModelName, Report, Table

BAD = {"check": made_check("litert:int8", "ab", 231)}
"""Facts of a model that disagrees on 19 of 250 photos."""
NOTE = f"{MARK} litert:int8 agrees with keras on 231 of 250 photos (as they are), below the bound of 98 %"


@cache
def family() -> Report:
    """Four forms, of which `litert:int8` disagrees."""
    return build(*family_study(facts={"litert:int8": BAD}, simulated=("process", "inference"), phases=True))


def names(of: Shown) -> list[str]:
    """Whatever can name a model in a table."""
    return [of.title, *of.columns, *(row[0] for row in of.rows)]


def models(checks: Mapping[str, int | None], **forms: object) -> tuple[Model, ...]:
    """Models of which each agrees with the reference on so many of 250 photos; None where it was not checked."""
    facts = {
        label: {
            "check": None if agree is None else made_check(label, "ab", agree),
            "form": forms.get(label),
        }
        for label, agree in checks.items()
    }
    return made_study(labels=tuple(checks), facts=facts)[0].models


def test_every_name_of_a_disagreeing_form_is_marked_in_all_tables() -> None:
    unmarked = re.compile(rf"(?<![\w:])litert:int8(?!{MARK})")
    found = tables(family())
    named = [each.key for each in found if any("litert:int8" in name for name in names(each))]
    assert len(named) > 8
    for each in found:
        assert not [name for name in names(each) if unmarked.search(name)], each.key
        assert (NOTE in each.notes) == (each.key in named), each.key


def test_no_other_name_is_marked() -> None:
    for each in tables(family()):
        for name in names(each):
            assert set(re.findall(rf"(\S+){MARK}", name)) <= {"litert:int8"}


def test_figures_cells_and_notes_are_left_alone() -> None:
    before = build(*family_study(simulated=("process", "inference"), phases=True))
    after = marked(before, reasons(family_study(facts={"litert:int8": BAD})[0].models, ()))
    for plain, with_marks in zip(tables(before), tables(after), strict=True):
        assert [row[1:] for row in plain.rows] == [row[1:] for row in with_marks.rows]
        assert with_marks.notes[: len(plain.notes)] == plain.notes
    assert [each.figures for each in before.sections] == [each.figures for each in after.sections]


def test_the_report_warns_once() -> None:
    (warning,) = (each for each in family().warnings if MARK in each)
    assert warning.startswith(f"litert:int8 is marked {MARK} in all tables: {NOTE.removeprefix(f'{MARK} ')}.")


@pytest.mark.parametrize("study", [made_study, study_beside, virtual_study, family_study])
def test_a_study_of_forms_that_agree_is_unmarked(study: object) -> None:
    found = build(*study())  # type: ignore[operator]
    assert MARK not in "".join("".join((*names(each), *each.notes)) for each in tables(found))
    assert not any(MARK in warning for warning in found.warnings)


def test_both_formats_say_what_the_mark_means() -> None:
    assert markdown.render(family()).count(f"\n{NOTE}\n") > 8
    drawn = {figure.key: b"" for each in family().sections for figure in each.figures}
    assert html.render(family(), drawn).count(f"<li>{cell_values.bound(NOTE)}</li>") > 8


def test_heads_of_every_kind_are_marked() -> None:
    image, simulated = table(family(), "image"), table(family(), "simulated-image")
    label = f"litert:int8{MARK}"
    assert {f"{label}\nregion", f"{label}\nslope", f"{label} / litert:fp32"} <= set(image.columns)
    assert any(head.startswith(f"{label}\nregion, ") or head == f"{label}\nsimulated" for head in simulated.columns)
    assert label in [row[0] for row in table(family(), "latency").rows]
    titles = [each.title for each in tables(family())]
    assert f"{label}: events by phase" in titles


def test_only_a_model_that_a_label_names_is_marked() -> None:
    both = Label((ModelName("keras"), " → ", ModelName("litert")), ("keras",))
    found = shown(_marked(Table("t", both, ("keras", both), ((both, both),)), {"keras": "why"}))
    assert found.title == "keras‡ → litert"
    assert found.columns == ("keras", "keras‡ → litert\nkeras")
    assert found.rows == (("keras‡ → litert\nkeras", "keras → litert\nkeras"),)
    assert found.notes == ("‡ why",)


def _marked(table: Table, why: dict[str, str]) -> Table:
    of = Report("", "", "", (), ("other",), (table,), (), (), "")
    found = marked(of, why)
    assert found.warnings == ("other",)
    return found.summary[0]


def test_of_several_forms_it_is_warned_in_one_sentence() -> None:
    found = warning(reasons(models({"keras": 250, "a": 100, "b": 101}), ()))
    assert found.startswith("a and b are marked ‡ in all tables: a agrees with keras on 100 of 250 photos")
    assert "b agrees with keras on 101 of 250" in found


@pytest.mark.parametrize(("named", "noted"), [("b", ["why b"]), ("ba", ["why b", "why a"]), ("c", [])])
def test_a_table_has_notes_on_the_forms_it_names_alone(named: str, noted: list[str]) -> None:
    heads = (Label((ModelName(label),)) for label in named)
    found = _marked(Table("t", "", ("", *heads), ()), {"a": "why a", "b": "why b"})
    assert shown(found).notes == tuple(f"{MARK} {why}" for why in noted)


@pytest.mark.parametrize(
    ("same", "images", "disagrees"),
    [(40, 40, False), (39, 40, False), (38, 40, True), (3, 4, False), (2, 4, True), (98, 100, False), (97, 100, True)],
)
def test_the_studys_own_answers_tell_too(same: int, images: int, disagrees: bool) -> None:
    found = reasons(models({"keras": 250, "litert": 250}), [Agreement("keras", "litert", images, same, 0.1)])
    assert list(found) == (["litert"] if disagrees else [])
    if disagrees:
        why = f"litert agrees with keras on {same} of {images} inferences of this study, below the bound of 98 %"
        assert found["litert"] == why


def test_a_check_on_photos_comes_before_the_studys_own_answers() -> None:
    found = reasons(models({"keras": 250, "litert": 231}), [Agreement("keras", "litert", 40, 1, 0.1)])
    assert "231 of 250 photos" in found["litert"]


def test_of_two_sets_the_worse_is_told() -> None:
    (made,) = made_check("litert", "ab", 231).answers
    sets = (made, with_fields(made, photos="degraded", agree=200), with_fields(made, photos="third", agree=250))
    (model,) = models({"litert": 250})
    found = reasons([with_fields(model, check=made_check("litert", "ab", answers=sets))], ())
    assert "200 of 250 photos (degraded)" in found["litert"]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (made_form(), made_form(alpha=0.5)),
        (made_form(weights="random"), made_form(weights="random", precision="int8")),
    ],
)
def test_different_networks_need_not_agree(first: object, second: object) -> None:
    apart = [Agreement("keras", "litert", 40, 3, 9.0)]
    assert reasons(models({"keras": None, "litert": None}), apart)
    assert not reasons(models({"keras": None, "litert": None}, keras=first, litert=second), apart)


def test_random_weights_are_never_marked() -> None:
    assert not reasons(models({"litert": 3}, litert=made_form(weights="random")), ())


def test_a_study_whose_answers_differ_is_marked_without_any_check() -> None:
    def other_way(run: Run) -> Run:
        if run.case.model != "litert" or run.completion is None:
            return run
        scores = tuple(-score for score in run.completion.scores)
        return with_fields(run, completion=with_fields(run.completion, scores=scores))

    found = build(*made_study(change=other_way))
    assert table(found, "fixed").columns[2] == f"litert{MARK}"
    assert any(f"litert is marked {MARK}" in warning for warning in found.warnings)
