"""The figures of a study as numbers: each is what the study was made of, and what is missing says why."""

import functools
from collections.abc import Sequence

import pytest
from studies import GENERIC_HARDWARE, KERAS, LITERT, NO_PMU_WHY, family_study, made_study, recounting
from studies import study_beside as beside
from studies import virtual_study as virtual

from profiler.analysis.quantities import quantities
from profiler.analysis.quantity import RATIO, Quantity
from profiler.analysis.study_analysis import analyse
from profiler.records import Run, Study


def of(made: tuple[Study, Sequence[Run]]) -> tuple[Quantity, ...]:
    study, runs = made
    return quantities(study, analyse(study, runs))


@functools.cache
def plain() -> tuple[Quantity, ...]:
    return of(made_study())


def one(found: Sequence[Quantity], subject: str, event: str, what: str, images: int | None = None) -> Quantity:
    (quantity,) = (q for q in found if (q.subject, q.event, q.what, q.images) == (subject, event, what, images))
    return quantity


def value(quantity: Quantity) -> float:
    assert quantity.value is not None
    return quantity.value


@pytest.mark.parametrize(("label", "truth"), [("keras", KERAS), ("litert", LITERT)])
def test_costs_are_those_the_study_was_made_of(label: str, truth: dict[str, tuple[float, float]]) -> None:
    for event in ("cycles", "l2d_cache_refill", "duration_time"):
        fixed, each = truth[event]
        expected = {
            ("fixed", None): fixed,
            ("slope", None): each,
            ("region", None): each,
            ("whole", 40): fixed + 40 * each,
        }
        for (what, images), true in expected.items():
            quantity = one(plain(), label, event, what, images)
            assert value(quantity) == pytest.approx(true, rel=0.1)
            assert quantity.low is not None
            assert quantity.high is not None
            assert quantity.low < value(quantity) < quantity.high
            assert (quantity.status, quantity.reason) == ("counted", None)
            assert quantity.unit == ("ns" if event == "duration_time" else "")


def test_every_event_model_and_image_count_is_there_once() -> None:
    keys = [(q.subject, q.event, q.what, q.images, q.status == "simulated") for q in plain()]
    assert len(set(keys)) == len(keys)
    wholes = {q.images for q in plain() if (q.subject, q.event, q.what) == ("keras", "cycles", "whole")}
    assert wholes == {1, 2, 5, 10, 20, 40}


def test_the_labs_image_count_is_there_though_it_was_not_run() -> None:
    found = of(made_study(images=(1, 5, 20), repeats=2))
    assert {q.images for q in found if q.what == "whole" and q.event == "cycles"} == {1, 5, 10, 20}


def test_ratios_divide_by_the_baseline() -> None:
    quantity = one(plain(), "keras", "cycles", f"region{RATIO}")
    parts = [value(one(plain(), label, "cycles", "region")) for label in ("keras", "litert")]
    assert value(quantity) == pytest.approx(parts[0] / parts[1])
    assert quantity.unit == "1"
    assert not [q for q in plain() if q.subject == "litert" and q.what.endswith(RATIO)]


def test_memory_latencies_phases_and_metrics() -> None:
    assert value(one(plain(), "keras", "peak-rss", "whole")) == pytest.approx(640 * 2**20, rel=0.02)
    assert value(one(plain(), "litert", "latency", "p50")) == pytest.approx(5.05e6, rel=0.05)
    assert value(one(plain(), "keras", "phase-wall-time", "import")) == pytest.approx(
        0.55 * KERAS["duration_time"][0], rel=0.05
    )
    assert value(one(plain(), "keras", "IPC", "image")) == pytest.approx(240 / 150, rel=0.05)


def test_a_quantile_of_too_few_inferences_is_absent() -> None:
    found = of(made_study(images=(1, 5), repeats=2))
    tail = one(found, "keras", "latency", "p99")
    assert (tail.value, tail.status) == (None, "absent")
    assert tail.reason == "fewer than 100 inferences: p99 would be the slowest one"


def test_what_is_not_counted_is_absent_and_says_why() -> None:
    found = of(beside())
    mine = [q for q in found if q.event in GENERIC_HARDWARE and q.status != "simulated"]
    assert {q.what for q in mine} == {"fixed", "slope", "region"} | {q.what for q in mine if q.what == "whole"}
    assert all((q.value, q.low, q.high, q.status, q.reason) == (None, None, None, "absent", NO_PMU_WHY) for q in mine)
    assert all((q.status == "absent") == (q.value is None) == bool(q.reason) for q in found)


def test_simulated_figures_say_so() -> None:
    found = of(virtual())
    assert {q.status for q in found if q.event == "inst_retired" and q.value is not None} == {"simulated"}
    assert {q.status for q in found if q.event == "memory_latency_cycles" and q.value is not None} == {"modelled"}
    assert not {q.status for q in found} & {"counted", "scaled"}
    assert not [q for q in found if q.event in ("latency", "peak-rss", "phase-wall-time")]
    both = [q for q in of(beside()) if q.event == "duration_time"]
    assert {q.status for q in both} == {"counted"}


@pytest.mark.parametrize("how", [{"running_percent": 40.0}, {"running_percent": None, "estimated": True}])
def test_scaled_figures_say_so(how: dict[str, object]) -> None:
    found = of(made_study(images=(1, 5), repeats=2, change=recounting("cycles", **how)))
    assert {q.status for q in found if q.event == "cycles"} == {"scaled"}
    assert one(found, "keras", "IPC", "image").status == "scaled"
    assert {q.status for q in found if q.event == "inst_retired"} == {"counted"}


def test_one_image_count_has_no_line() -> None:
    found = of(made_study(images=(10,), repeats=3))
    assert one(found, "keras", "cycles", "fixed").reason == (
        "one image count only, so fixed cost and cost per image cannot be told apart"
    )
    assert value(one(found, "keras", "cycles", "whole", 10)) == pytest.approx(14.6e9 + 10 * 150e6, rel=0.05)


def test_a_family_is_divided_by_its_plain_form() -> None:
    found = of(family_study())
    assert {q.subject for q in found if q.what == f"fixed{RATIO}"} == {"keras:saved", "keras:weights", "litert:int8"}
    assert value(one(found, "litert:int8", "cycles", f"fixed{RATIO}")) == pytest.approx(0.6, rel=0.05)


def test_only_failed_runs_give_reasons() -> None:
    study, _ = made_study(images=(1, 5), repeats=2)
    found = quantities(study, analyse(study, ()))
    assert found
    assert {q.status for q in found} == {"absent"}
    assert {q.reason for q in found if q.event == "cycles"} == {"no run of this model ended well"}
