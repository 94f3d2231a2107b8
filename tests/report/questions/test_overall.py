"""Question 1 on made studies whose truth is known: which model costs what, and which events go with it."""

from typing import Any

import pytest
from msgspec.structs import replace
from reading import asks, number
from studies import (
    GENERIC_HARDWARE,
    KERAS,
    LITERT,
    NO_PMU,
    NO_PMU_WHY,
    failing,
    family_study,
    made_study,
    recounting,
    study_beside,
    virtual_study,
)

from profiler.analysis.study_analysis import analyse
from profiler.records import Plan, Run, Study
from profiler.report.model import Question
from profiler.report.questions.common import again, for_a_line
from profiler.report.questions.overall import overall

SMALL = {"images": (1, 5, 10), "repeats": 3, "noise": 0.001}
NO_CAUSE = "does not tell"


def asked(made: tuple[Study, tuple[Run, ...]]) -> Question:
    study, runs = made
    return overall(study, analyse(study, runs))


def of(**recipe: object) -> Question:
    return asked(made_study(**SMALL | recipe))


def times(truth: dict[str, tuple[float, float]], once: float, each: float) -> dict[str, tuple[float, float]]:
    return {name: (fixed * once, slope * each) for name, (fixed, slope) in truth.items()}


def test_two_models_have_both_ratios_with_intervals_and_what_they_are_of() -> None:
    found = of()
    once, each = found.verdict.split(" and ", 1)
    assert once.startswith("In time (duration_time), keras takes 32.")
    assert number(once.split("takes ")[1]) == pytest.approx(6.12 / 0.19, rel=0.02)
    assert number(once.split("once (")[1]) == pytest.approx(6.12, rel=0.01)
    assert number(each) == pytest.approx(61 / 5.05, rel=0.02)
    assert number(each.split("for each image (")[1]) == pytest.approx(61, rel=0.01)
    assert found.verdict.count("[") == 6
    assert found.answered
    assert found.command == ""
    assert "Both intervals leave out 1: both differences are shown." in found.evidence


def test_the_verdict_turns_with_the_truth() -> None:
    found = of(truth={"keras": LITERT, "litert": KERAS}).verdict
    assert number(found.split("keras takes ")[1]) == pytest.approx(0.19 / 6.12, rel=0.02)
    assert number(found.split(" once (")[1].split(" and ", 1)[1]) == pytest.approx(5.05 / 61, rel=0.02)


def test_once_and_for_each_image_may_point_to_different_models() -> None:
    found = of(truth={"keras": times(LITERT, 0.5, 3), "litert": LITERT}).verdict
    once, each = found.split(" and ", 1)
    assert number(once.split("keras takes ")[1]) == pytest.approx(0.5, rel=0.02)
    assert number(each) == pytest.approx(3, rel=0.02)


def test_alike_models_are_said_to_be_alike() -> None:
    found = of(truth={"keras": LITERT, "litert": LITERT}, noise=0.01)
    assert found.verdict.count("no difference between keras and litert is shown") == 2
    assert "takes" not in found.verdict
    assert not any("differences are shown" in each or "difference is shown" in each for each in found.evidence)


def test_one_shown_difference_is_not_said_to_be_two() -> None:
    found = of(truth={"keras": times(LITERT, 1, 2), "litert": LITERT}, noise=0.01)
    assert "no difference between keras and litert is shown once" in found.verdict
    assert "The ratio's interval leaves out 1 for each image: there a difference is shown." in found.evidence


def test_hardware_events_stand_beside_with_intervals_and_in_proportion_or_not() -> None:
    truth = {"keras": {**times(LITERT, 1, 4), "inst_retired": (0.55e9, 52e6), "stall_backend": (0.17e9, 31e6)}}
    told, proportion = of(truth={**truth, "litert": LITERT}).evidence[1:3]
    assert number(told.split("For each image, against litert, keras has ")[1]) == pytest.approx(4, rel=0.01)
    assert number(told.split("times its cycles, ")[1]) == pytest.approx(2, rel=0.01)
    assert told.count("[") == 7
    like, more, less = proportion.split("that is ")[1].split("; ")
    assert like.startswith("cycles, l2d_cache_inval, ")
    assert like.endswith("in the same proportion, within the intervals")
    assert more == "stall_backend in a larger one"
    assert less == "inst_retired in a smaller one."


def test_without_counters_no_hardware_event_is_told() -> None:
    absent = dict.fromkeys(GENERIC_HARDWARE, NO_PMU_WHY)
    found = of(machine=NO_PMU, groups=((),), absent=absent)
    assert not any("cycles" in each for each in (found.verdict, *found.evidence))


def test_simulated_instructions_beside_measured_times_are_called_simulated() -> None:
    found = asked(study_beside(**SMALL))
    (told,) = (each for each in found.evidence if "inst_retired" in each)
    assert told.startswith("Simulated by QEMU 7.2.22 (x86-64 instructions through the caches of Raspberry Pi 5), keras")
    assert number(told.split("against litert, ")[1]) == pytest.approx(13)
    assert "imulated" not in found.verdict


def test_where_nothing_was_measured_every_figure_is_called_simulated() -> None:
    found = asked(virtual_study())
    assert found.verdict.startswith("In simulated instructions (inst_retired), keras takes 156 times as much as litert")
    assert all("imulated" in each for each in found.evidence)
    assert any(each.startswith("All of this is simulated: arm64 instructions") for each in found.caveats)
    assert found.shown[0] == "simulated-fixed"


def test_of_one_model_there_is_no_ratio() -> None:
    found = of(labels=("litert",))
    assert found.verdict.startswith("litert pays ")
    assert number(found.verdict) == pytest.approx(190, rel=0.01)
    assert number(found.verdict.split(" once and ")[1]) == pytest.approx(5.05, rel=0.01)
    assert not any("gainst" in each for each in (found.verdict, *found.evidence))
    assert not any(NO_CAUSE in each for each in found.caveats)


def test_a_fixed_cost_below_zero_is_not_paid() -> None:
    found = of(labels=("litert",), truth={"litert": {**LITERT, "duration_time": (-1e9, 200e6)}})
    assert number(found.verdict.split("once nothing that shows (")[1]) == pytest.approx(-1, rel=0.05)


def test_of_a_baseline_that_is_not_above_zero_no_ratio_is_told() -> None:
    found = of(truth={"keras": KERAS, "litert": {**LITERT, "duration_time": (-1e9, 200e6)}})
    assert "no ratio is determined once (6.1" in found.verdict
    assert "times as much as litert for each image" in found.verdict


def test_of_many_models_the_cheapest_and_the_dearest_and_groups_beside_the_baseline() -> None:
    labels = ("m0", "m1", "m2", "m3", "m4")
    truth = {label: times(LITERT, 5 - place, 1 + place) for place, label in enumerate(labels)}
    found = of(labels=labels, truth=truth)
    image, once = found.verdict.split("; ")
    assert image.startswith("Of 5 models in time (duration_time), m0 pays least for each image, 5.0")
    assert number(image.split("m4 most, ")[1]) == pytest.approx(25.25, rel=0.01)
    assert once.startswith("m4 pays least once, 1")
    assert number(once.split("m0 most, ")[1]) == pytest.approx(950, rel=0.01)
    assert found.evidence[0].startswith("Against m0, once, in time: less with m1 (0.8")
    assert number(found.evidence[1].split("for each image, in time: more with m1 (")[1]) == pytest.approx(2, rel=0.01)


def test_the_dearest_names_those_that_are_not_told_apart_from_it() -> None:
    found = asked(family_study(**SMALL | {"noise": 0.01}))
    assert "(not shown to differ from keras:" in found.verdict
    assert any(each.startswith("One thing at a time, in time for each image: runtime 0.08") for each in found.evidence)


def test_one_image_count_alone_is_no_answer_and_has_a_command() -> None:
    found = of(images=(10,), regions=("process",), change=recounting("cycles", estimated=True))
    assert not found.answered
    assert found.verdict.startswith(
        "What a model costs once and what for each image cannot be told apart, for all runs"
    )
    assert found.verdict.endswith("are of 10 images: in time (duration_time) only whole runs compare.")
    assert asks(found.command, "--models keras,litert --images 1,2,5,10,20,40")
    told = found.evidence[0]
    assert told.startswith("In a whole run of 10 images, against litert, keras has ")
    assert number(told.split("keras has ")[1]) == pytest.approx(16.1 / 0.492, rel=0.01)
    assert "times its cycles (scaled up)" in told


def test_the_region_alone_answers_the_half_of_it() -> None:
    found = of(regions=("inference",))
    assert " once (" not in found.verdict
    assert found.answered
    assert "What is paid once is not known from these runs." in found.caveats
    assert asks(found.command, "--models keras,litert --region process,inference")


def test_without_a_good_run_there_is_the_command_to_repeat() -> None:
    found = of(change=lambda run: replace(run, outcome="failed", counts=(), completion=None, error="gone"))
    assert (found.answered, found.shown, found.evidence) == (False, (), ())
    assert found.verdict == "No run of this study ended well, so no cost has a figure."
    assert asks(found.command, "--models keras,litert")


def test_a_model_whose_runs_all_failed_is_named() -> None:
    def change(run: Run) -> Run | None:
        return failing("keras", run.case.images, run.repeat)(run)

    found = of(change=change)
    assert found.verdict.startswith("litert pays ")
    assert "keras has no figure: no run of this model ended well." in found.caveats


def test_scaled_counts_carry_their_mark() -> None:
    assert "(scaled up)" not in "".join(of().evidence)
    estimated = of(change=recounting("cycles", estimated=True))
    assert "times its cycles (scaled up)" in estimated.evidence[1]
    assert "times its inst_retired," in estimated.evidence[1]
    lead = of(change=recounting("duration_time", running_percent=40.0))
    assert lead.verdict.count("(scaled up)") == 6, "both figures and their ratio, once and for each image"


def test_user_mode_alone_stands_beside_hardware_ratios() -> None:
    assert not any("user mode alone" in caveat for caveat in of().caveats)
    assert any("user mode alone" in caveat for caveat in of(scope="user").caveats)


def test_runs_of_single_phases_are_not_called_failed() -> None:
    found = of(regions=("load",))
    assert not found.answered
    assert found.verdict == "Single phases of runs alone were counted, so no cost has a figure."
    assert asks(found.command, "--models keras,litert --region process,inference")


def test_doubts_of_the_line_stand_with_the_verdict() -> None:
    assert any("not on a line" in each for each in of(bend={"duration_time": 3e6}).caveats)
    assert any("contradict" in each for each in of(outside={"duration_time": 60e6}).caveats)


def test_one_run_of_each_model_leaves_no_difference_shown() -> None:
    found = of(images=(10,), regions=("process",), repeats=1)
    assert any(each.startswith("Figures without an interval are of too few runs") for each in found.caveats)
    assert not any("Figures without" in each for each in of(images=(10,), regions=("process",)).caveats)


def test_of_more_events_than_a_sentence_bears_the_rest_is_counted() -> None:
    told = next(each for each in of(event_set="all").evidence if each.startswith("For each image, against"))
    assert told.count(" times its ") == 7
    assert told.endswith(" more.")


def test_too_few_runs_leave_no_difference_shown() -> None:
    found = of(images=(1, 10), repeats=1)
    assert "[" not in found.verdict
    assert not any("shown." in each and "leave" in each for each in found.evidence)
    assert any(each.startswith("Figures without an interval are of too few runs") for each in found.caveats)


@pytest.mark.parametrize(
    ("plan", "changes", "expected"),
    [
        ({"models": ("family:lab",), "images": (1, 5)}, {}, "--models family:lab --images 1,5"),
        ({"models": ("litert=a b.keras",)}, {"images": (1, 5)}, "--models 'litert=a b.keras' --images 1,5"),
        ({}, {"keras_call": "graph"}, "--models keras,litert --keras-call graph"),
        (
            {"on": "pi5", "images": (1, 2, 4), "repeats": 1, "regions": ("inference",)},
            {"regions": ("process", "inference")},
            "--models keras,litert --region process,inference --on pi5",
        ),
        (
            {"source": "camera:a.avi", "capture_in_region": True},
            {"images": (1, 5)},
            "--models keras,litert --images 1,5 --source camera:a.avi --capture-in-region",
        ),
        (
            {"source": "camera:a.avi", "capture_in_region": True},
            {"caches": "pi5"},
            "--models keras,litert --source camera:a.avi --caches pi5",
        ),
    ],
)
def test_a_command_is_the_studys_own_with_what_is_asked_for(
    plan: dict[str, Any], changes: dict[str, Any], expected: str
) -> None:
    study, _ = made_study(**SMALL)
    swept = replace(Plan.usual(), models=study.plan.models)
    assert again(replace(study, plan=replace(swept, **plan)), **changes) == f"profiler sweep {expected}"


def test_a_study_that_no_sweep_made_is_swept_as_usual() -> None:
    study, _ = made_study(repeats=9, images=(1, 5))
    plan = replace(study.plan, models=("keras=a b.keras", "litert"))
    imported = replace(study, plan=plan, imported_from="a table")
    assert again(imported) == "profiler sweep --models 'keras=a b.keras,litert'"


def test_a_virtual_boards_line_needs_few_images() -> None:
    study, _ = virtual_study(images=(1,))
    assert asks(for_a_line(study), "--models keras,litert --region process,inference --on pi5")
    assert "--images" not in for_a_line(study), "a board's own default is few"


@pytest.mark.parametrize("in_region", [True, False])
def test_a_camera_that_every_process_opens_is_paid_once(in_region: bool) -> None:
    study, runs = made_study(**SMALL)
    study = replace(study, plan=replace(study.plan, capture_in_region=in_region))
    caveats = " ".join(asked((study, runs)).caveats)
    assert ("model load, opening of the camera, first inference" in caveats) is in_region
