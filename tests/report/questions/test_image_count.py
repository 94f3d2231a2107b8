"""Question 3 on made studies whose truth is known: how the images of a run share what is paid once."""

import re

import pytest
from msgspec.structs import replace
from reading import asks, number
from studies import KERAS, LITERT, made_study, recounting, study_beside, virtual_study

from profiler.analysis.amortisation import amortised, crossing, falls_under, further, paid_once
from profiler.analysis.study_analysis import Analysis, analyse
from profiler.records import Run, Study
from profiler.report.model import Question
from profiler.report.questions.image_count import images

SMALL = {"images": (1, 5, 20), "repeats": 3, "noise": 0.001}
MS = 1e6
Truth = dict[str, tuple[float, float]]


def asked(made: tuple[Study, tuple[Run, ...]]) -> Question:
    study, runs = made
    return images(study, analyse(study, runs))


def of(**recipe: object) -> Question:
    return asked(made_study(**SMALL | recipe))


def analysed(**recipe: object) -> Analysis:
    return analyse(*made_study(**SMALL | recipe))


def timed(fixed_ms: float, each_ms: float) -> Truth:
    return {**LITERT, "duration_time": (fixed_ms * MS, each_ms * MS)}


def test_the_counts_at_which_the_fixed_cost_falls_under_a_half_and_a_tenth_are_the_truths() -> None:
    found = of().verdict
    half, tenth = found.split(", and under 10 % ")
    assert "(duration_time)" in half
    for said, times in ((half.split("under 50 % of a run ")[1], 1), (tenth, 9)):
        keras, litert = said.split(" images of keras")
        assert number(keras) == pytest.approx(times * 6120 / 61, rel=0.03)
        assert number(litert) == pytest.approx(times * 190 / 5.05, rel=0.03)
        assert said.count("[") == 2


@pytest.mark.parametrize("regions", [("process", "inference"), ("process",)])
def test_intervals_hold_the_true_counts(regions: tuple[str, ...]) -> None:
    cost = analysed(noise=0.01, regions=regions, repeats=5).costs["duration_time", "keras"]
    for share, truth in ((0.5, 6120 / 61), (0.1, 9 * 6120 / 61)):
        count = falls_under(cost, share)
        assert count
        assert count.interval
        assert count.interval[0] < truth < count.interval[1]


def test_the_share_that_is_paid_once_is_never_above_a_whole() -> None:
    cost = analysed(noise=0.05).costs["duration_time", "keras"]
    for count in (1, 10, 1000):
        share = paid_once(cost, count)
        assert share
        assert share.interval
        assert 0 < share.interval[0] <= share.value <= share.interval[1] < 1
        assert share.value == pytest.approx(6120 / (6120 + 61 * count), rel=0.1)


def test_what_an_image_costs_in_a_run_of_so_many() -> None:
    analysis = analysed(noise=0.01, repeats=5)
    for label, fixed, each in (("keras", 6120, 61), ("litert", 190, 5.05)):
        for count in (1, 10, 40, 1000):
            cost = amortised(analysis.costs["duration_time", label], count)
            assert cost
            assert cost.interval
            assert cost.interval[0] <= (fixed / count + each) * MS <= cost.interval[1]
    told = of().evidence[0]
    assert told.startswith("With its part of what is paid once, an image costs keras 6.1")
    assert re.findall(r" of ([\d,]*\d)", told) == ["1", "10", "40", "1,000"]
    assert told.count("[") == 4


def test_a_ratio_that_falls_with_the_images() -> None:
    (told,) = (each for each in of().evidence if each.startswith("A run of keras takes "))
    few, many, limit = (number(part) for part in (told, told.split("1 image, ")[1], told.split("nears ")[1]))
    assert few == pytest.approx(6181 / 195.05, rel=0.01)
    assert many == pytest.approx((6120 + 20 * 61) / (190 + 20 * 5.05), rel=0.01)
    assert limit == pytest.approx(61 / 5.05, rel=0.01)
    assert told.endswith("the ratio falls with the images.")
    assert told.count("[") == 3


def test_a_ratio_that_rises_with_the_images() -> None:
    found = of(truth={"keras": timed(200, 50), "litert": timed(190, 5)})
    assert any(each.endswith("the ratio rises with the images.") for each in found.evidence)


def test_a_ratio_that_does_not_depend_on_the_images_is_not_said_to() -> None:
    found = of(truth={"keras": timed(1900, 50), "litert": timed(190, 5)}, noise=0.01)
    (told,) = (each for each in found.evidence if each.startswith("A run of keras takes "))
    assert told.endswith("that the ratio depends on how many is not shown.")
    assert not any("costs less" in each for each in found.evidence)


def test_where_the_models_change_places_the_count_is_told() -> None:
    truth = {"keras": timed(700, 2), "litert": timed(100, 22)}
    (told,) = (each for each in of(truth=truth).evidence if "costs less" in each)
    assert number(told) == pytest.approx(30, rel=0.05)
    assert "[" in told
    assert told.endswith("a run costs less time with litert, beyond that with keras.")
    costs = analysed(truth=truth, noise=0.01, repeats=5).costs
    keras, litert = (costs["duration_time", label] for label in ("keras", "litert"))
    for count in (crossing(keras, litert), crossing(litert, keras)):
        assert count
        assert count.interval
        assert count.interval[0] < 30 < count.interval[1]


def test_a_model_that_costs_less_at_every_count_changes_no_place() -> None:
    costs = analysed().costs
    assert crossing(costs["duration_time", "keras"], costs["duration_time", "litert"]) is None


def test_a_small_fixed_cost_is_little_from_the_first_image_on() -> None:
    found = of(labels=("litert",), truth={"litert": timed(2, 50)}).verdict
    assert "under 50 % of a run at any count of images of litert (0.0" in found


def test_of_one_model_nothing_is_compared() -> None:
    found = of(labels=("litert",))
    assert found.answered
    assert number(found.verdict.split("of a run beyond ")[1]) == pytest.approx(190 / 5.05, rel=0.03)
    assert not any("litert takes" in each for each in found.evidence)


def test_of_more_models_the_ends_stand_in_the_verdict_and_all_in_the_evidence() -> None:
    labels = ("m0", "m1", "m2", "m3", "m4")
    found = of(labels=labels, truth={label: timed(100 * (1 + place), 10) for place, label in enumerate(labels)})
    half = found.verdict.split("under 50 % of a run ")[1]
    assert number(half) == pytest.approx(10, rel=0.05)
    assert " images of m0 at the soonest and beyond " in half
    assert number(half.split("and beyond ")[1]) == pytest.approx(50, rel=0.05)
    every = found.evidence[0].split("at so many images: ")[1]
    assert number(every.split("m2 ")[1]) == pytest.approx(30, rel=0.05)
    assert len([each for each in found.evidence if each.startswith("With its part of")]) <= 3


def test_what_is_paid_once_is_told_by_its_largest_parts() -> None:
    (told,) = (each for each in of().evidence if each.startswith("The largest parts of what keras pays once"))
    assert number(told.split("import of the engine ")[1]) == pytest.approx(0.55 * 6.12, rel=0.02)
    assert told.count("[") == 3


def test_an_image_cost_that_is_not_shown_is_not_divided_by() -> None:
    found = of(truth={"keras": KERAS, "litert": timed(190, 0)}, regions=("process",), noise=0.02)
    assert "litert" not in found.verdict
    assert any(each.startswith("Of no count is told where what each image costs (") for each in found.caveats)
    alone = of(labels=("litert",), truth={"litert": timed(190, 0)}, regions=("process",), noise=0.02)
    assert not alone.answered
    assert "of litert is not shown to be above 0" in alone.verdict
    assert asks(alone.command, "--repeats 10")


def test_a_fixed_cost_that_is_not_shown_has_no_share() -> None:
    cost = analysed(labels=("litert",), truth={"litert": timed(-50, 20)}).costs["duration_time", "litert"]
    assert falls_under(cost, 0.5) is None
    assert paid_once(cost, 10) is None


def test_where_region_and_slope_contradict_each_other_the_slope_tells_of_runs() -> None:
    costs = analysed(outside={"duration_time": 60 * MS}).costs
    cost = costs["duration_time", "litert"]
    assert further(cost) is cost.slope
    count = falls_under(cost, 0.5)
    assert count
    assert count.value == pytest.approx(190 / 65.05, rel=0.05)


@pytest.mark.parametrize(
    ("recipe", "command", "why"),
    [
        ({"images": (10,)}, "--images 1,2,5,10,20,40", "are of 10 images, so"),
        ({"regions": ("inference",)}, "--region process,inference", "Whole processes were not counted"),
        (
            {"change": lambda run: replace(run, outcome="failed", counts=(), completion=None, error="gone")},
            "--models keras,litert",
            "No run of this study ended well",
        ),
    ],
)
def test_what_cannot_be_told_names_the_command(recipe: dict[str, object], command: str, why: str) -> None:
    found = of(**recipe)
    assert (found.answered, found.evidence, found.shown) == (False, (), ())
    assert why in found.verdict
    assert asks(found.command, f"--models keras,litert {command.removeprefix('--models keras,litert')}")


def test_simulated_figures_say_so_in_every_sentence() -> None:
    found = asked(virtual_study())
    assert "simulated run" in found.verdict
    assert number(found.verdict.split("of a run beyond ")[1]) == pytest.approx(60)
    assert found.evidence
    assert all("imulated" in each for each in found.evidence)
    assert "[" not in found.verdict


def test_a_measured_study_speaks_of_measured_runs_although_others_were_simulated() -> None:
    found = asked(study_beside(**SMALL))
    assert not any("imulated" in each for each in (found.verdict, *found.evidence))


def test_longer_runs_than_any_are_said_to_be_told_from_the_line() -> None:
    assert (
        "No run had more than 20 images: longer ones are told as if every further image cost the same." in of().caveats
    )


def test_a_bend_and_scaled_counts_are_told() -> None:
    assert any("not on a line" in each for each in of(bend={"duration_time": 3e6}).caveats)
    assert "(scaled up) images" in of(change=recounting("duration_time", estimated=True)).verdict


def test_too_few_runs_for_an_interval_are_told() -> None:
    found = of(images=(1, 10), repeats=1)
    assert "[" not in found.verdict
    assert any("Of too few runs for an interval" in each for each in found.caveats)


def test_more_repeats_than_there_were_are_advised() -> None:
    level = {"duration_time": (6.12e9, 0)}
    found = of(truth={label: {**LITERT, **level} for label in ("keras", "litert")}, regions=("process",), repeats=12)
    assert not found.answered
    assert asks(found.command, "--repeats 24")


def test_counts_of_many_simulated_models_say_so() -> None:
    labels = ("keras", "litert:a", "litert:b", "litert:c")
    told = asked(virtual_study(labels=labels)).evidence
    assert [line.startswith("What is paid once is") and "of a simulated run" in line for line in told[:2]] == [
        True,
        True,
    ]
