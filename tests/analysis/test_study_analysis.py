"""From runs to figures: made studies give back the truth they were made with."""

from typing import Any

import pytest
from made_networks import made_form
from msgspec.structs import replace
from reading import present
from studies import (
    GENERIC_HARDWARE,
    KERAS,
    LITERT,
    NO_PMU,
    NO_PMU_WHY,
    SIMULATED_LITERT,
    SIMULATED_START,
    SIMULATED_TIMES,
    failing,
    made_study,
    recounting,
    study_beside,
    virtual_study,
)

from profiler.analysis.costs import quotient
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import ONCE, analyse
from profiler.records import Run

SMALL = {"images": (1, 5, 10), "repeats": 3}


def near(estimate: Estimate | None, truth: float, share: float = 0.05) -> bool:
    return estimate is not None and abs(estimate.value - truth) <= share * truth


def test_fixed_cost_slope_and_region_are_the_truth() -> None:
    found = analyse(*made_study(noise=0.001)).costs
    for label, truth in (("keras", KERAS), ("litert", LITERT)):
        for event in ("cycles", "ll_cache_rd", "duration_time", "user_time"):
            cost = found[event, label]
            assert near(cost.fixed, truth[event][0]), (event, label)
            assert near(cost.slope, truth[event][1]), (event, label)
            assert near(cost.direct, truth[event][1], 0.01), (event, label)
            assert cost.per_image is cost.direct
            assert cost.reason is None
    assert found["cycles", "keras"].unit == ""
    assert found["duration_time", "keras"].unit == "ns"


def test_a_whole_run_is_fixed_cost_and_images() -> None:
    cost = analyse(*made_study(noise=0.001, **SMALL)).costs["cycles", "litert"]
    assert near(cost.whole(10), 0.38e9 + 10 * 11.2e6, 0.01)


def test_one_image_count_gives_a_mean_and_no_line() -> None:
    cost = analyse(*made_study(images=(5,), noise=0.001)).costs["cycles", "keras"]
    assert cost.line is None
    assert cost.fixed is None
    assert near(cost.whole(5), 14.6e9 + 5 * 150e6, 0.01)
    assert cost.whole(6) is None


def test_without_the_region_the_slope_is_the_cost_per_image() -> None:
    cost = analyse(*made_study(regions=("process",), **SMALL)).costs["cycles", "keras"]
    assert cost.direct is None
    assert cost.per_image is cost.slope is not None


@pytest.mark.parametrize(
    ("recipe", "event", "reason"),
    [
        ({"absent": {"cycles": "no such counter"}}, "cycles", "no such counter"),
        ({"change": recounting("cycles", value=None, reason="never on a counter")}, "cycles", "never on a counter"),
        ({"change": lambda run: replace(run, outcome="failed")}, "task-clock", "no run of this model ended well"),
        ({"regions": ("load",)}, "task-clock", "not counted in the regions of this study"),
    ],
)
def test_an_event_without_figure_has_a_reason(recipe: dict[str, Any], event: str, reason: str) -> None:
    cost = analyse(*made_study(**SMALL, **recipe)).costs[event, "keras"]
    assert cost.reason == reason
    assert (cost.line, cost.direct, cost.whole(1), cost.points) == (None, None, None, ())


def test_failed_runs_are_in_no_figure() -> None:
    study, runs = made_study(**SMALL)
    broken = [replace(run, outcome="failed") if run.repeat == 1 else run for run in runs]
    found = analyse(study, broken)
    assert len(found.costs["cycles", "keras"].points) == 6
    assert {gap.failed for gap in found.gaps} == {1}
    assert len(found.gaps) == len(study.cases)


def test_gaps_tell_failed_runs_from_unmade_ones() -> None:
    study, runs = made_study(change=failing("keras", 5, 0), **SMALL)
    shortened = [run for run in runs if (run.case.model, run.repeat) != ("litert", 2)]
    gaps = analyse(study, shortened).gaps
    assert {(gap.case.images, gap.failed, gap.unmade, gap.errors) for gap in gaps if gap.case.model == "keras"} == {
        (5, 1, 0, ("killed by signal 9",))
    }
    assert {(gap.failed, gap.unmade) for gap in gaps if gap.case.model == "litert"} == {(0, 1)}


def test_scaled_counts_are_known_as_such() -> None:
    scaled = analyse(*made_study(change=recounting("cycles", running_percent=40.0), **SMALL)).costs
    assert scaled["cycles", "keras"].scaled
    assert scaled["cycles", "keras"].running_percent == 40
    assert not scaled["inst_retired", "keras"].scaled


def test_a_count_of_the_other_kind_is_in_no_figure() -> None:
    """Even where a run's kind and its count's do not go together, which no source leaves behind."""
    found = analyse(*study_beside(change=recounting("duration_time", status="simulated"), **SMALL))
    assert found.costs["duration_time", "keras"].reason == "not counted in the regions of this study"
    assert not found.costs["task-clock", "keras"].reason
    found = analyse(*study_beside(change=recounting("ll_cache_rd", status="counted"), **SMALL))
    assert found.simulated
    assert found.simulated["ll_cache_rd", "keras"].reason == "not counted in the regions of this study"
    assert not found.simulated["ll_cache_miss_rd", "keras"].reason


def test_simulated_runs_change_nothing_that_was_measured() -> None:
    """Their times, memory and phases are the simulator's, and 40 times as long."""
    asked = {"machine": NO_PMU, "groups": ((),), "absent": dict.fromkeys(GENERIC_HARDWARE, NO_PMU_WHY)}
    alone, beside = analyse(*made_study(**asked, **SMALL)), analyse(*study_beside(**SMALL))
    assert beside.simulated
    for key, cost in alone.costs.items():
        same = beside.costs[key]
        assert (same.points, same.inside, same.reason, same.sources) == (
            cost.points,
            cost.inside,
            cost.reason,
            cost.sources,
        )
        assert not same.simulated
    for label, latency in alone.latencies.items():
        assert beside.latencies[label].runs_ns == latency.runs_ns
        assert beside.latencies[label].first_ns.value == latency.first_ns.value
        assert beside.peak_rss_bytes[label].value == alone.peak_rss_bytes[label].value
        assert [phase.wall_ns.value for phase in beside.phases[label]] == [
            phase.wall_ns.value for phase in alone.phases[label]
        ]
    assert beside.agreements == alone.agreements


def test_simulated_figures_are_the_truth() -> None:
    found = analyse(*study_beside(**SMALL)).simulated
    assert found
    for event, each in SIMULATED_LITERT.items():
        cost = found[event, "litert"]
        assert cost.simulated
        assert cost.sources == ("qemu",)
        assert cost.direct is not None
        assert cost.direct.value == pytest.approx(each)
        assert cost.direct.interval is None
        assert cost.line is None


def test_whole_simulated_processes_have_fixed_cost_and_slope() -> None:
    found = analyse(*virtual_study()).simulated
    assert found
    cost, each = found["inst_retired", "keras"], SIMULATED_LITERT["inst_retired"] * SIMULATED_TIMES["keras"]
    assert near(cost.fixed, each * SIMULATED_START["keras"], 1e-6)
    assert near(cost.slope, each, 1e-6)
    assert near(cost.whole(10), each * (10 + SIMULATED_START["keras"]), 1e-6)
    assert not cost.disagreement


def test_a_simulated_region_that_contradicts_the_slope_is_seen() -> None:
    def more(run: Run) -> Run:
        if run.case.region != "inference":
            return run
        return replace(run, counts=tuple(replace(count, value=present(count.value) * 1.1) for count in run.counts))

    study, runs = virtual_study(change=more, simulated_images=(1, 2, 4, 8))
    found = analyse(study, runs).simulated
    assert found
    assert found["inst_retired", "keras"].disagreement


def test_simulated_events_without_a_model_have_its_reason() -> None:
    found = analyse(*study_beside(**SMALL)).simulated
    assert found
    for name in ("cycles", "stall_backend"):
        cost = found[name, "litert"]
        assert (cost.direct, cost.line) == (None, None)
        assert cost.reason == "not modelled: the simulation has no notion of time"


def test_a_model_that_was_not_to_be_simulated_says_so() -> None:
    study, runs = study_beside(**SMALL)
    cases = tuple(case for case in study.cases if case.simulator is None or case.model == "litert")
    kept = [run for run in runs if run.case in cases]
    found = analyse(replace(study, cases=cases), kept).simulated
    assert found
    assert found["inst_retired", "keras"].reason == "no run of this model was planned"
    assert found["inst_retired", "litert"].reason is None


def test_gaps_count_the_runs_that_prove() -> None:
    study, runs = study_beside(**SMALL)
    assert study.simulation
    (proved,) = study.simulation.proved
    assert analyse(study, runs).gaps == ()
    kept = [run for run in runs if not (run.case == proved and run.repeat == 1)]
    (gap,) = analyse(study, kept).gaps
    assert (gap.case, gap.failed, gap.unmade) == (proved, 0, 1)


def test_where_nothing_ran_on_the_machine_only_simulated_figures_are_left() -> None:
    found = analyse(*virtual_study())
    assert len(found.costs) == 0
    assert found.latencies == {}
    assert found.peak_rss_bytes == {}
    assert not any(found.phases.values())
    assert [(each.first, each.second) for each in found.agreements] == [("keras", "litert")]


def test_metrics_of_simulated_counts() -> None:
    found = analyse(*study_beside(**SMALL)).simulated
    assert found
    by_name = {each.metric.name: each for each in found.derived["litert"]}
    assert set(by_name) == {
        "L1D miss ratio",
        "L1D refills per 1000 instructions",
        "L2 refills per 1000 instructions",
        "L2 invalidations against refills",
        "LLC misses per 1000 instructions",
        "LLC read miss ratio",
    }
    assert near(by_name["LLC read miss ratio"].per_image, 100 * 203_482 / 432_702, 1e-6)
    assert near(by_name["L1D refills per 1000 instructions"].per_image, 842_812 / 79.27e3, 1e-6)


def test_work_outside_the_region_makes_slope_and_region_disagree() -> None:
    found = analyse(*made_study(outside={"cycles": 60e6}, noise=0.001, **SMALL)).costs
    assert found["cycles", "keras"].disagreement
    assert not found["inst_retired", "keras"].disagreement


def test_phases_add_up_to_the_whole_process() -> None:
    study, runs = made_study(noise=0, **SMALL)
    found = analyse(study, runs)
    phases = found.phases["keras"]
    assert [phase.name for phase in phases] == list(ONCE)
    assert sum(phase.wall_ns.value for phase in phases) == pytest.approx(KERAS["duration_time"][0], rel=0.001)
    assert sum(phase.page_faults.value for phase in phases) == pytest.approx(KERAS["page-faults"][0], rel=0.001)


def test_phases_need_whole_processes() -> None:
    assert analyse(*made_study(regions=("inference",), **SMALL)).phases == {"keras": (), "litert": ()}


def test_phases_counted_alone_have_their_own_figures() -> None:
    found = analyse(*made_study(phases=True, noise=0.001, **SMALL)).costs.phases
    assert near(found["cycles", "keras", "import"], 0.55 * 14.6e9, 0.01)
    assert ("cycles", "keras", "inference") not in found


def test_latency_is_of_the_longest_runs() -> None:
    found = analyse(*made_study(**SMALL)).latencies["litert"]
    assert {len(run) for run in found.runs_ns} == {10}
    assert found.count == 10 * 3 * 2
    assert found.quantiles_ns.p50 == pytest.approx(5.05e6, rel=0.05)
    assert near(found.first_ns, 0.12 * 0.19e9)
    assert found.steady is not None


def test_latencies_of_zero_are_no_latencies() -> None:
    def stopped(run: Run) -> Run:
        assert run.completion
        return replace(run, completion=replace(run.completion, latencies_ns=(0,) * run.case.images))

    assert analyse(*made_study(change=stopped, **SMALL)).latencies == {}


def test_metrics_pair_the_processes_that_counted_both_events() -> None:
    groups = (("cycles", "inst_retired"), ("cycles", "l2d_cache_refill"))

    def slower(run: Run) -> Run:
        return recounting("cycles", value=60e9)(run) if "l2d_cache_refill" in run.case.group else run

    found = analyse(*made_study(groups=groups, change=slower, noise=0.001, **SMALL)).costs.derived["keras"]
    (ipc,) = found
    assert ipc.metric.name == "IPC"
    assert near(ipc.fixed, 19.0 / 14.6, 0.01)
    assert near(ipc.per_image, 240 / 150, 0.01)


def test_metrics_without_a_counted_event_are_left_out() -> None:
    found = analyse(*made_study(absent={"cycles": "none"}, **SMALL)).costs.derived["keras"]
    assert "IPC" not in {each.metric.name for each in found}
    assert "L2 refills per 1000 instructions" in {each.metric.name for each in found}


def test_agreement_counts_equal_winners() -> None:
    study, runs = made_study(noise=0, **SMALL)
    (found,) = analyse(study, runs).agreements
    assert (found.first, found.second, found.images) == ("keras", "litert", 10)
    assert found.same == 9
    assert found.largest_difference == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("source", "judged"),
    [("camera:/dev/v4l/by-id/usb-a", 0), ("camera:http://board/video", 0), ("camera:cat.avi", 1)],
)
def test_models_that_saw_other_frames_are_not_held_against_each_other(source: str, judged: int) -> None:
    study, runs = made_study(**SMALL)
    within = replace(study.plan, source=source, capture_in_region=True)
    seen = replace(study, plan=within, source_repeats=bool(judged))
    assert len(analyse(seen, runs).agreements) == judged
    before = replace(within, capture_in_region=False)
    assert len(analyse(replace(study, plan=before), runs).agreements) == 1


def test_agreement_makes_quantised_outputs_real() -> None:
    def quantised(run: Run) -> Run:
        if run.case.model != "litert" or run.completion is None:
            return run
        scores = tuple(score * 10 + 128 for score in run.completion.scores)
        return replace(run, completion=replace(run.completion, scores=scores, top=(1,) * len(scores)))

    study, runs = made_study(change=quantised, **SMALL)
    keras, litert = study.models
    output = replace(litert.output, dtype="uint8", scale=0.1, zero_point=128)
    (found,) = analyse(replace(study, models=(keras, replace(litert, output=output))), runs).agreements
    assert found.same == 9
    assert found.largest_difference == pytest.approx(0.01)


@pytest.mark.parametrize(
    ("labels", "baseline"),
    [(("keras", "litert"), "litert"), (("litert:a", "litert:b"), "litert:a"), (("keras",), "keras")],
)
def test_the_first_litert_model_is_the_baseline(labels: tuple[str, ...], baseline: str) -> None:
    assert analyse(*made_study(labels=labels, **SMALL)).baseline == baseline


def test_of_a_family_the_plain_form_is_the_baseline() -> None:
    study, runs = made_study(labels=("litert:a", "litert:b", "litert:c"), **SMALL)
    forms = (made_form(alpha=0.35), made_form(precision="int8"), made_form())
    models = tuple(replace(model, form=form) for model, form in zip(study.models, forms, strict=True))
    assert analyse(replace(study, models=models), runs).baseline == "litert:c"


def test_a_quotient_needs_a_divisor_above_zero() -> None:
    costs = analyse(*made_study(**SMALL)).costs
    cycles, faults = costs["cycles", "keras"].direct, costs["page-faults", "litert"].direct
    assert faults is not None
    assert faults.value == 0
    assert quotient(cycles, faults) is None
    assert quotient(None, cycles) is None
    assert quotient(cycles, None) is None


def test_the_same_study_gives_the_same_figures() -> None:
    first, second = (analyse(*made_study(**SMALL)) for _ in range(2))
    for key, cost in first.costs.items():
        again = second.costs[key]
        assert cost.points == again.points
        assert cost.direct is None or cost.direct.interval == present(again.direct).interval
