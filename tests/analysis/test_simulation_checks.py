"""Whether simulated counts repeat and lie on lines: said as it is, and never of counts that were measured."""

from collections.abc import Callable

import pytest
from msgspec.structs import replace
from studies import made_study, study_beside, virtual_study

from profiler.analysis.study_analysis import analyse
from profiler.records import Run

SMALL = {"images": (1, 5), "repeats": 2}


def changing(event: str, value: int, **where: object) -> Callable[[Run], Run]:
    """In the simulated runs of that place the event's count is `value` more."""

    def change(run: Run) -> Run:
        here = {"images": run.case.images, "repeat": run.repeat, "model": run.case.model}
        if run.case.simulator is None or any(here[name] != wanted for name, wanted in where.items()):
            return run
        counts = (
            replace(count, value=count.value + value) if count.event == event and count.value is not None else count
            for count in run.counts
        )
        return replace(run, counts=tuple(counts))

    return change


def test_equal_counts_repeat() -> None:
    (found,) = analyse(*study_beside(**SMALL)).repeats
    assert (found.case.model, found.case.images, found.runs) == ("litert", 1, 2)
    assert (found.events, found.apart, found.worst) == (29, 0, None)


def test_the_largest_difference_is_told_as_a_share() -> None:
    change = changing("l1d_cache_inval", 16, images=1, repeat=1)
    (found,) = analyse(*study_beside(change=change, **SMALL)).repeats
    assert found.worst == "l1d_cache_inval"
    assert found.apart == pytest.approx(16 / 1600)


def test_the_passes_of_a_case_are_one() -> None:
    groups = (("inst_retired", "l2d_cache_refill"), ("inst_retired", "ll_cache_miss_rd", "l3d_cache_refill"))
    change = changing("l3d_cache_refill", 203_482, images=1, repeat=1)
    (found,) = analyse(*study_beside(change=change, simulated_groups=groups, **SMALL)).repeats
    assert (found.runs, found.events, found.worst, found.apart) == (2, 4, "l3d_cache_refill", 0.5)


def test_a_case_that_ran_once_shows_nothing() -> None:
    study, runs = study_beside(**SMALL)
    assert analyse(study, [run for run in runs if run.repeat == 0]).repeats == ()


def test_an_event_that_one_of_the_runs_lacks_is_not_compared() -> None:
    def change(run: Run) -> Run:
        if run.case.simulator is None or run.repeat == 0:
            return run
        counts = (
            replace(count, value=None, status="not_counted", reason="lost") if count.event == "inst_retired" else count
            for count in run.counts
        )
        return replace(run, counts=tuple(counts))

    (found,) = analyse(*study_beside(change=change, **SMALL)).repeats
    assert (found.events, found.worst) == (28, None)


def test_counts_in_proportion_are_on_lines() -> None:
    for found, label in zip(analyse(*study_beside(**SMALL)).linearity, ("keras", "litert"), strict=True):
        assert (found.model, found.images, found.events) == (label, (1, 2, 4), 29)
        assert found.off < 1e-9
        assert found.instructions is not None
        assert found.instructions < 1e-9


def test_a_constant_part_is_on_the_line_too() -> None:
    (found, _) = analyse(*study_beside(change=changing("inst_retired", 10_000_000), **SMALL)).linearity
    assert found.off < 1e-9


def test_the_event_farthest_off_its_line_is_named() -> None:
    change = changing("ll_cache_rd", 43_270, images=2, model="litert")
    (keras, litert) = analyse(*study_beside(change=change, **SMALL)).linearity
    assert keras.off < 1e-9
    # Of 1, 1, 2 and 4 images (the first ran twice) the third is 10 % of an image too high: the least-squares line takes
    # a quarter of that up, and what is left is a share of a count of 2.1 images.
    assert litert.worst == "ll_cache_rd"
    assert litert.off == pytest.approx(0.1 * 0.75 / 2.1, rel=0.01)
    assert litert.instructions is not None
    assert litert.instructions < 1e-9


def test_two_image_counts_are_always_on_a_line_and_show_nothing() -> None:
    assert analyse(*study_beside(simulated_images=(1, 4), **SMALL)).linearity == ()


def test_whole_processes_are_not_judged_by_the_region() -> None:
    assert analyse(*virtual_study(simulated=("process",))).linearity == ()


def test_measured_runs_are_not_judged() -> None:
    found = analyse(*made_study(**SMALL))
    assert found.repeats == ()
    assert found.linearity == ()
