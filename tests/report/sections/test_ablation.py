"""What made the difference: pairs of models that differ in one thing alone, and what is said of them."""

from collections.abc import Mapping
from functools import cache

import pytest
from made_networks import made_form, made_network, made_taken
from msgspec.structs import replace
from reading import number, row, section, table, value
from studies import KERAS, LITERT, NO_PMU, Truth, family_study, made_study

from profiler import report
from profiler.analysis.ablation_pairs import pairs
from profiler.records import Form, Model, Run
from profiler.report.model import Report

TITLE = "What made the difference"
FAST = {"images": (1, 5, 10), "repeats": 3, "noise": 0.001}


def times(truth: Truth, factor: float) -> Truth:
    """The truth with every cost for each image so many times as large."""
    return {event: (fixed, each * factor) for event, (fixed, each) in truth.items()}


def study_of(forms: Mapping[str, Form], truth: Mapping[str, Truth], **recipe: object) -> Report:
    """The report of a study of these forms; labels of Keras models begin with `keras`."""
    facts = {}
    for label, form in forms.items():
        network = made_network(
            form.precision, form.optimiser_state, format="keras" if form.runtime == "keras" else "tflite"
        )
        facts[label] = {"network": network, "size_bytes": network.size_bytes, "form": form}
        if form.runtime == "litert":
            facts[label]["operators"] = made_taken()
    extra = recipe.pop("facts", {})
    for label, fields in extra.items():  # type: ignore[attr-defined]
        facts[label] |= fields
    asked = {"labels": tuple(forms), "facts": facts, "truth": truth, **FAST, **recipe}
    return report.build(*made_study(**asked))


FORMS = {
    "keras-trained": made_form("keras", optimiser_state=True),
    "keras": made_form("keras"),
    "litert-fp32": made_form(),
    "litert-dynamic": made_form(precision="dynamic"),
    "litert-int8": made_form(precision="int8"),
}
TRUTH = {
    "keras-trained": KERAS,
    "keras": KERAS,
    "litert-fp32": LITERT,
    "litert-dynamic": times(LITERT, 3.6),
    "litert-int8": times(LITERT, 0.5),
}
"""Folklore is false twice: of the two smallest files one is the slowest of LiteRT's; the largest costs nothing."""
UNTAKEN = {"litert-dynamic": {"operators": made_taken({"CONV_2D": 3})}}


@cache
def lab() -> Report:
    return study_of(FORMS, TRUTH, facts=UNTAKEN, simulated=("inference",))


def told(found: Report, *words: str) -> str:
    """The one paragraph that has all these words."""
    (point,) = (point for point in section(found, TITLE).points if all(word in point for word in words))
    return point


def brief_of(found: Report) -> str:
    """The sentence of the first question that names every cause."""
    (brief,) = (each for each in found.questions[0].evidence if each.startswith("One thing at a time"))
    return brief


def test_pairs_differ_in_one_field_and_begin_with_the_reference() -> None:
    found = pairs(_models(FORMS))
    assert [(pair.cause, pair.first.label, pair.second.label) for pair in found] == [
        ("runtime", "keras", "litert-fp32"),
        ("precision", "litert-fp32", "litert-dynamic"),
        ("precision", "litert-fp32", "litert-int8"),
        ("file format", "keras-trained", "keras"),
    ]


@pytest.mark.parametrize(
    "others",
    [
        {"family": "another"},
        {"weights": "random"},
        {"precision": "int8", "alpha": 0.5},
        {"runtime": "keras", "optimiser_state": True},
    ],
)
def test_what_differs_in_more_than_one_thing_is_no_pair(others: dict[str, object]) -> None:
    changed = replace(made_form(), **{"precision": "int8", **others})
    assert pairs(_models({"litert-fp32": made_form(), "other": changed})) == ()


def test_two_that_are_both_no_reference_are_no_pair() -> None:
    forms = {
        "a": made_form(precision="int8"),
        "b": made_form(precision="fp16"),
        "c": made_form(precision="fp16", alpha=0.5),
        "d": made_form("keras", precision="int8"),
    }
    assert [(pair.first.label, pair.second.label) for pair in pairs(_models(forms))] == [("b", "c")]
    wide = {"a": made_form(alpha=0.5), "b": made_form(alpha=0.75)}
    assert pairs(_models(wide)) == ()


def test_a_model_by_itself_is_in_no_pair() -> None:
    assert pairs(_models({"a": made_form(), "b": None, "c": None})) == ()


def _models(forms: Mapping[str, Form | None]) -> tuple[Model, ...]:
    study, _ = made_study(labels=tuple(forms), facts={label: {"form": form} for label, form in forms.items()}, **FAST)
    return study.models


def test_without_forms_there_is_no_section() -> None:
    for found in (made_study(**FAST), made_study(labels=("litert",), **FAST)):
        built = report.build(*found)
        assert TITLE not in [each.title for each in built.sections]
        assert not any("One thing at a time" in each for question in built.questions for each in question.evidence)


def test_the_runtime_is_judged_with_the_same_weights_in_the_same_precision() -> None:
    said = told(lab(), "Runtime: ")
    assert said.startswith("Runtime: litert-fp32 takes 0.08")
    assert number(said.split(" takes ")[1]) == pytest.approx(5.05 / 61, rel=0.02)
    assert (
        "times keras's time for each image, with the same weights in the same precision; its file is as large" in said
    )
    assert said.endswith("kernels, memory and the way of asking (`predict` and `invoke`) are not told apart.")


def test_random_weights_are_said_to_be_random() -> None:
    forms = {label: replace(FORMS[label], weights="random") for label in ("keras", "litert-fp32")}
    assert "both with random weights in the same precision" in told(study_of(forms, TRUTH), "Runtime: ")


def test_a_large_file_of_the_same_cost_is_no_cause() -> None:
    said = told(lab(), "File format: ")
    saved, bare = (made_network("fp32", state, format="keras") for state in (True, False))
    file, cost = said.split("; ")[0], said.split("; ")[1]
    assert number(file.split("state, ")[1]) == pytest.approx(bare.size_bytes / saved.size_bytes, rel=0.01)
    assert f"without the {2 * saved.weights_bytes / 2**20:.3g} MiB of its optimiser's state" in file
    assert cost.startswith("no difference")
    assert " is shown between keras and keras-trained in time for each image (ratio 1.00" in cost
    assert said.endswith("An inference does not touch that state.")


def test_a_file_format_that_costs_is_left_unexplained() -> None:
    said = told(study_of(FORMS, {**TRUTH, "keras-trained": times(KERAS, 2)}), "File format: ")
    assert number(said.split("keras takes ")[1]) == pytest.approx(0.5, rel=0.02)
    assert said.endswith("so the cause is not in these data.")


def test_a_small_file_that_is_slow_is_explained_by_what_the_delegate_left() -> None:
    said = told(lab(), "Precision: litert-dynamic")
    assert number(said.split(" takes ")[1]) == pytest.approx(3.6, rel=0.02)
    assert "times litert-fp32's time for each image, although its file is 0.2" in said
    assert "XNNPACK took none of its 3 CONV_2D: 95 % of its MACs run in the engine's own kernels" in said
    assert "among them are hybrid ones (float32 activations with int8 weights)" in said
    assert said.endswith("Of litert-fp32 it left nothing.")


def test_a_form_that_is_slow_though_the_delegate_took_all_is_not_explained() -> None:
    said = told(study_of(FORMS, TRUTH), "Precision: litert-dynamic")
    assert said.endswith("XNNPACK took every operator of both, so the cause is not in these data.")


def test_what_was_left_of_both_alike_explains_nothing() -> None:
    left = {label: {"operators": made_taken({"CONV_2D": 3})} for label in ("litert-fp32", "litert-dynamic")}
    said = told(study_of(FORMS, TRUTH, facts=left), "Precision: litert-dynamic")
    assert said.endswith(
        "is not shown to have left more of litert-dynamic than of litert-fp32, so the cause is not in these data."
    )


def test_what_was_left_in_part_explains_only_if_it_must_be_more() -> None:
    """One of three convolutions, unknown which, against the largest one at least as likely."""
    left = {
        label: {"operators": made_taken({"CONV_2D": lacks})}
        for label, lacks in (("litert-fp32", 1), ("litert-dynamic", 2))
    }
    said = told(study_of(FORMS, TRUTH, facts=left), "Precision: litert-dynamic")
    assert "XNNPACK took 1 of its 3 CONV_2D: 54 % to 76 % of its MACs run in the engine's own kernels" in said
    assert said.endswith("Of litert-fp32 it left 19 % to 41 % of its MACs.")


@pytest.mark.parametrize("silent", ["litert-fp32", "litert-dynamic"])
def test_an_engine_that_does_not_tell_leaves_the_cause_open(silent: str) -> None:
    said = told(study_of(FORMS, TRUTH, facts={silent: {"operators": None}}), "Precision: litert-dynamic")
    assert said.endswith("the delegate took is not known, and so the cause is not.")


def test_a_form_that_is_faster_does_not_credit_the_caches() -> None:
    said = told(lab(), "Precision: litert-int8")
    assert number(said.split(" takes ")[1]) == pytest.approx(0.5, rel=0.02)
    assert "although" not in said
    assert "Counted: 0.50 times the inst_retired" in said or "Counted: 0.500 times the inst_retired" in said
    assert said.endswith("how much of this the caches did, the pair does not tell.")
    assert "XNNPACK" not in said


def test_a_smaller_file_of_the_same_cost_says_although_and_claims_nothing() -> None:
    said = told(study_of(FORMS, {**TRUTH, "litert-int8": LITERT}), "Precision: ", "litert-int8")
    assert said.startswith("Precision: no difference")
    assert ", although its file is 0.2" in said
    assert "XNNPACK" not in said
    assert "caches" not in said


def test_too_few_runs_are_no_verdict() -> None:
    found = study_of(FORMS, TRUTH, repeats=1, images=(5,), regions=("inference",))
    said = told(found, "Precision: litert-dynamic")
    assert "of too few runs for an interval" in said
    assert "XNNPACK" not in said


def test_a_cost_that_is_not_above_nothing_is_not_determined() -> None:
    truth = {**TRUTH, "litert-fp32": {**LITERT, "duration_time": (1e9, -1e6)}}
    found = study_of(FORMS, truth, regions=("process",))
    assert "is not determined" in told(found, "Precision: ", "litert-dynamic")
    cells = row_of(found, "causes", "precision\nlitert-fp32 → litert-dynamic")
    assert value(cells["duration_time\neach image"]) == "n/a"
    assert "not determined" in table(found, "causes").notes[0]


def row_of(found: Report, key: str, name: str) -> dict[str, str]:
    of = table(found, key)
    (cells,) = (cells for cells in of.rows if cells[0] == name)
    return dict(zip(of.columns, cells, strict=True))


def test_the_table_has_facts_and_figures_of_every_pair() -> None:
    cells = row_of(lab(), "causes", "runtime\nkeras → litert-fp32")
    assert number(cells["duration_time\nonce"]) == pytest.approx(0.19 / 6.12, rel=0.02)
    assert number(cells["duration_time\neach image"]) == pytest.approx(5.05 / 61, rel=0.02)
    assert number(cells["inst_retired\neach image"]) == pytest.approx(26 / 240, rel=0.02)
    assert number(cells["ll_cache_miss_rd\neach image"]) == pytest.approx(21e3 / 1.3e6, rel=0.02)
    assert "\n[" in cells["duration_time\neach image"]
    assert cells["working\nset"] == "1"
    assert [name for name, *_ in table(lab(), "causes").rows][-1] == "file format\nkeras-trained → keras"


def test_simulated_figures_have_a_table_of_their_own() -> None:
    assert not any("simulated" in head for head in table(lab(), "causes").columns)
    found = table(lab(), "simulated-causes")
    assert all("simulated" in head for head in found.columns[1:])
    assert found.title.endswith(", simulated")
    assert found.caption.startswith("Simulated by QEMU")
    cells = row_of(lab(), "simulated-causes", "runtime\nkeras → litert-fp32")
    assert number(cells["inst_retired\neach image, simulated"]) == pytest.approx(0.6 / 13, rel=0.01)


def test_without_counters_the_simulated_events_are_the_evidence() -> None:
    asked = {"machine": NO_PMU, "event_set": "lab", "groups": ((),), "simulated": ("inference",)}
    absent = dict.fromkeys(
        ("cycles", "instructions", "stalled-cycles-backend", "LLC-loads", "LLC-load-misses"), "no PMU"
    )
    said = told(study_of(FORMS, TRUTH, absent=absent, **asked), "Runtime: ")
    assert "Counted" not in said
    assert "Simulated: 0.0462 times the inst_retired" in said


def test_where_nothing_was_measured_instructions_judge_and_say_that_they_are_simulated() -> None:
    found = study_of(FORMS, TRUTH, native=False, simulated=("inference",), guest="Raspberry Pi 5")
    assert "simulated inst_retired for each image" in told(found, "Runtime: ")
    assert "time for each image" not in told(found, "Runtime: ")
    same = told(found, "Precision: ", "litert-int8")
    assert same.startswith(
        "Precision: no difference is shown between litert-int8 and litert-fp32 in simulated inst_retired"
    )
    assert table(found, "causes").columns == ("what differs", "file", "working\nset")
    assert "duration_time" not in " ".join(table(found, "simulated-causes").columns)


WIDE = {
    f"w{alpha}-{precision}": made_form(precision=precision, alpha=alpha, family="width", weights="random")
    for alpha in (0.5, 1.0, 1.4)
    for precision in ("fp32", "int8")
}


def test_the_same_difference_at_several_widths_is_one_paragraph() -> None:
    truth = {
        label: times(LITERT, form.alpha * (0.5 if form.precision == "int8" else 1)) for label, form in WIDE.items()
    }
    found = study_of(WIDE, truth)
    points = section(found, TITLE).points
    assert len(points) == 3
    precision, fp32, int8 = points
    assert precision.startswith("Precision, in time for each image against the same network in fp32: w0.5-int8 0.5")
    assert fp32.startswith("Width, in time for each image against w1.0-fp32: w0.5-fp32 0.5")
    assert number(fp32.split("w1.4-fp32 ")[1]) == pytest.approx(1.4, rel=0.02)
    assert "MACs 1" in fp32
    assert int8.startswith("Width, in time for each image against w1.0-int8: ")
    assert len(table(found, "causes").rows) == 7
    brief = brief_of(found)
    assert brief.startswith("One thing at a time, in time for each image: precision 0.")
    assert brief.endswith("times (4 pairs).")


def test_of_many_pairs_without_a_difference_no_range_is_told() -> None:
    brief = brief_of(study_of(WIDE, dict.fromkeys(WIDE, LITERT)))
    assert brief.startswith("One thing at a time, in time for each image: precision no difference shown (")


def test_a_pair_of_which_one_form_failed_has_no_explanation() -> None:
    def change(run: Run) -> Run:
        failed = run.case.model == "litert-fp32"
        return replace(run, outcome="failed", counts=(), completion=None, error="gone") if failed else run

    said = told(study_of(FORMS, TRUTH, change=change), "Runtime")
    assert said.startswith("Runtime: how litert-fp32 compares with keras in time for each image is not determined; its")
    assert "engines as a whole" not in said


def test_of_several_widths_those_that_are_slower_are_explained() -> None:
    truth = {label: times(LITERT, 2 if label == "w0.5-int8" else 1) for label in WIDE}
    left = {"w0.5-int8": {"operators": made_taken({"CONV_2D": 3})}}
    said = told(study_of(WIDE, truth, facts=left), "Precision, ")
    assert said.count("XNNPACK") == 1
    assert "took none of its 3 CONV_2D" in said
    assert "w1.4-int8 1.0" in said
    assert "no difference" in said


def test_intervals_are_spoken_of_where_there_are_any() -> None:
    assert "Where an interval includes 1" in table(lab(), "causes").caption
    assert "Where an interval includes 1" not in table(lab(), "simulated-causes").caption


def test_the_question_overall_names_every_cause_once() -> None:
    brief = brief_of(lab())
    assert brief.startswith("One thing at a time, in time for each image: runtime 0.08")
    assert "(keras → litert-fp32); precision 3.6" in brief
    assert "file format no difference" in brief
    assert brief.endswith("shown (keras-trained → keras).")


def test_the_made_family_has_its_pairs() -> None:
    found = report.build(*family_study(**FAST))
    names = [cells[0].partition("\n")[0] for cells in table(found, "causes").rows]
    assert names == ["runtime", "precision", "file format"]
    assert row(table(found, "causes"), "runtime\nkeras:weights")
