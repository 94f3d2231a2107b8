"""Studies of known truth beside each other: what is found, what is kept apart and why."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from made_comparisons import SMALL, Made, compared, dearer, made
from msgspec.structs import replace
from reading import present
from studies import KERAS, LITERT, PI5, failing, recounting, study_beside, virtual_study

from profiler.compare import comparison, ranking
from profiler.compare.model import Apart, Comparison, Row
from profiler.compare.ratios import TWICE
from profiler.compare.study import Loaded
from profiler.errors import ProfilerError
from profiler.records import Run


def row(found: Comparison, model: str, event: str, what: str, study: str = "B") -> Row:
    (mine,) = (
        each
        for each in found.rows
        if (each.study, each.model, each.costs[0].event.name, each.what) == (study, model, event, what)
    )
    return mine


def blocked(found: Comparison) -> dict[str, set[str]]:
    """Events by the reason that keeps them apart."""
    reasons: dict[str, set[str]] = {}
    for each in found.apart:
        if each.blocked:
            reasons.setdefault(each.reason, set()).add(each.event)
    return reasons


def test_a_fifth_more_of_one_event_is_found_and_comes_first() -> None:
    found = compared(made(draw=1), made(draw=2, **dearer("l2d_cache_refill", 1.2)))
    first, *_ = ranking.ranked(found.rows)
    assert (first.model, first.event, first.what, first.verdict) == ("keras", "l2d_cache_refill", "region", "more")
    assert first.ratio
    assert first.ratio.interval
    low, high = first.ratio.interval
    assert 1.1 < low < 1.2 < high < 1.3
    assert row(found, "keras", "l2d_cache_refill", "fixed").verdict == "same"


def test_what_is_uncertain_does_not_come_first() -> None:
    """A wide interval whose ratio is larger comes after a narrow one that shows more."""
    truth = {"keras": KERAS | {"context-switches": (410, 5.0)}, "litert": LITERT}
    noisy = made(draw=2, truth=truth | {"keras": truth["keras"] | {"cycles": (14.6e9, 150e6 * 1.9)}})
    ranked = ranking.ranked(compared(made(draw=1), noisy).rows)
    assert ranked[0].event == "cycles"
    assert ranked == sorted(ranked, key=lambda each: -abs(each.change))


def test_equal_studies_show_as_little_as_chance_allows() -> None:
    differing = judged = 0
    for draw in range(2, 8):
        found = compared(made(draw=1, noise=0.05), made(draw=draw, noise=0.05))
        differing, judged = differing + len(ranking.ranked(found.rows)), judged + len(ranking.judged(found.rows))
        assert ranking.worse(found.rows, 0.05) == []
    assert 0 < differing < 2 * ranking.CHANCE * judged


def test_a_noisy_machine_does_not_cry_wolf() -> None:
    """At 20 % noise every other pair of equal studies has some interval above 1.05 by chance; widened ones do not."""
    alarms = plain = 0
    for draw in range(1, 9):
        found = compared(made(draw=draw, noise=0.2), made(draw=100 + draw, noise=0.2))
        plain += any(each.at_least() > 1.05 for each in ranking.judged(found.rows))
        alarms += bool(ranking.worse(found.rows, 0.05))
    assert plain > 0
    assert alarms == 0


def test_an_interval_is_widened_by_students_tails() -> None:
    """Critical values of Fisher and Yates, Statistical Tables, 1963, table III: of 0.0005 and 0.025 on one side."""
    for freedom, far, near in ((2, 31.599, 4.303), (3, 12.924, 3.182), (7, 5.408, 2.365), (40, 3.551, 2.021)):
        row: Any = SimpleNamespace(freedom=freedom)
        assert ranking._wider(row, 50) == pytest.approx(far / near, rel=0.001)


def test_worse_is_what_rose_by_more_than_the_limit() -> None:
    found = compared(made(draw=1), made(draw=2, **dearer("l2d_cache_refill", 1.3)))
    assert [(each.model, each.event, each.what) for each in ranking.worse(found.rows, 0.05)] == [
        ("keras", "l2d_cache_refill", "region")
    ]
    assert ranking.worse(found.rows, 0.4) == []
    assert ranking.worse(compared(made(draw=1), made(draw=2, **dearer("l2d_cache_refill", 0.7))).rows, 0.05) == []


def test_a_fixed_cost_that_rose_is_worse_too() -> None:
    found = compared(made(draw=1), made(draw=2, **dearer("duration_time", 1.0, fixed=1.5)))
    assert ("keras", "duration_time", "fixed") in {
        (each.model, each.event, each.what) for each in ranking.worse(found.rows, 0.05)
    }


@pytest.mark.parametrize("event", ["user_time", "system_time", "context-switches"])
def test_what_the_kernel_decides_fails_no_check(event: str) -> None:
    found = compared(made(draw=1), made(draw=2, **dearer(event, 3.0, fixed=3.0)))
    assert any(each.event == event for each in ranking.ranked(found.rows))
    assert ranking.worse(found.rows, 0.05) == []


def test_a_cost_out_of_nothing_is_told_and_is_worse() -> None:
    """LiteRT's images fault no page; where they begin to, there is no ratio to say so."""
    truth = {"keras": KERAS, "litert": LITERT | {"page-faults": (1840, 50)}}
    found = compared(made(draw=1), made(draw=2, truth=truth))
    new = row(found, "litert", "page-faults", "region")
    assert new.ratio is None
    assert new.verdict == "more"
    assert new in ranking.worse(found.rows, 0.05)


def test_whole_runs_are_compared_and_ranked_only_where_nothing_else_is() -> None:
    both = compared(made(draw=1), made(draw=2, **dearer("cycles", 2.0, fixed=2.0)))
    assert row(both, "keras", "cycles", "whole").verdict == "more"
    assert {each.what for each in ranking.ranked(both.rows)} <= {"fixed", "region"}
    one = compared(made(draw=1), made(draw=2, images=(10,), regions=("process",), **dearer("cycles", 2.0, fixed=2.0)))
    assert {each.what for each in one.rows} == {"whole"}
    assert ranking.ranked(one.rows)[0].event == "cycles"


def test_several_studies_are_each_compared_with_the_first() -> None:
    found = compared(
        made(draw=1), made(draw=2, **dearer("cycles", 1.5)), made(draw=3, **dearer("cycles", 0.5)), made(draw=5)
    )
    assert [row(found, "keras", "cycles", "region", name).verdict for name in "BCD"] == ["more", "less", "same"]
    assert row(found, "keras", "cycles", "region", "C").first is row(found, "keras", "cycles", "region", "B").first


def test_one_run_gives_a_ratio_and_no_verdict() -> None:
    once = made(images=(10,), repeats=1, regions=("process",))
    found = compared(once, made(draw=2))
    assert {each.what for each in found.rows} == {"whole"}
    assert {each.verdict for each in found.rows} == {"not told"}
    assert all(each.ratio and each.ratio.interval is None for each in found.rows)
    assert ranking.judged(found.rows) == []
    assert len(ranking.unjudged(found.rows)) == len(found.rows)


@pytest.mark.parametrize(
    ("first", "second", "images"),
    [((1, 20), (5, 40), 10), ((1, 4), (2, 8), 4), ((10,), (1, 20), 10), ((3,), (1, 20), 3), ((20, 40), (30, 50), 30)],
)
def test_whole_runs_are_of_a_count_that_both_have(first: tuple[int, ...], second: tuple[int, ...], images: int) -> None:
    found = compared(made(images=first), made(images=second))
    assert found.images[False] == images
    assert {each.images for each in found.rows if each.what == "whole"} == {images}


def test_counts_that_never_meet_have_no_whole_run() -> None:
    found = compared(made(images=(1, 2)), made(images=(30, 40)))
    assert found.images[False] is None
    assert "whole" not in {each.what for each in found.rows}


def test_another_model_file_is_kept_apart_and_the_other_model_is_compared() -> None:
    found = compared(made(), made(facts={"keras": {"sha256": "ef56" * 16}}))
    assert {each.model for each in found.rows} == {"litert"}
    assert blocked(found) == {"another model file: sha256 ab12ab12ab12 and ef56ef56ef56": {""}}


def test_an_unknown_model_file_is_compared_and_marked() -> None:
    found = compared(made(), made(facts={"keras": {"sha256": ""}}))
    mine = row(found, "keras", "cycles", "region")
    assert any(mark.startswith("keras is not shown to be the same file") for mark in mine.marks)
    assert row(found, "litert", "cycles", "region").marks == ()


def test_a_region_without_a_counterpart_is_kept_apart() -> None:
    apart = "another region: B counted the inferences alone, A whole processes"
    with pytest.raises(ProfilerError, match=apart):
        compared(made(regions=("process",)), made(regions=("inference",)))
    inside, outside = made(regions=("inference",)), made(regions=("process",), images=(10,))
    with pytest.raises(ProfilerError, match="another region: no region and no image count is in both studies"):
        compared(inside, outside)


def test_slopes_are_compared_where_one_study_lacks_the_region() -> None:
    found = compared(made(regions=("process",)), made(draw=2))
    assert {each.what for each in found.rows} == {"fixed", "slope", "whole"}


def test_user_mode_alone_keeps_hardware_events_apart() -> None:
    found = compared(made(), made(scope="user"))
    reasons = blocked(found)
    assert reasons["another scope: user mode and kernel and user mode alone were counted"] >= {"cycles", "ll_cache_rd"}
    assert {each.costs[0].event.kind for each in found.rows} == {"software", "tool"}


def test_page_faults_of_other_pages_are_kept_apart() -> None:
    found = compared(made(), made(machine=replace(PI5, page_bytes=4096)))
    assert blocked(found) == {"another page size: 16 KiB and 4 KiB": {"page-faults"}}
    assert row(found, "keras", "cycles", "region").verdict == "same"


def test_another_machine_engine_or_thread_count_keeps_nothing_apart() -> None:
    study, runs = made()
    other = replace(
        study,
        machine=replace(PI5, kernel="6.99", cpus=8, board="Another board"),
        plan=replace(study.plan, threads=4),
        models=tuple(replace(each, engine=replace(each.engine, version="9.9")) for each in study.models),
    )
    assert blocked(compared((study, runs), (other, runs))) == {}


def test_events_under_two_names_share_a_row() -> None:
    aliases = made(event_set="cycles,LLC-loads,LLC-load-misses,stalled-cycles-backend")
    found = compared(made(draw=2), aliases)
    mine = row(found, "keras", "ll_cache_rd", "region")
    assert mine.event == "ll_cache_rd = LLC-loads"
    assert mine.verdict == "same"
    assert mine.marks == ("one event under two names",)


def test_an_equal_name_on_another_core_does_not() -> None:
    xeon = replace(PI5, uarch="skylake-x", cpu="Xeon", arch="x86_64")
    events = "cycles,instructions,LLC-loads"
    found = compared(made(event_set=events), made(event_set=events, machine=xeon))
    (reason,) = blocked(found)
    assert reason.startswith("another event meaning: on cortex-a76 reads of the last-level cache")
    assert blocked(found)[reason] == {"LLC-loads"}
    assert row(found, "keras", "cycles", "region").marks == ()
    assert "of two instruction sets" in row(found, "keras", "inst_retired", "region").marks[-1]


def test_counted_and_simulated_never_share_a_row() -> None:
    for studies in ((made(), study_beside(**SMALL)), (study_beside(**SMALL), made())):
        found = compared(*studies)
        assert not any(each.simulated for each in found.rows)
        assert {each.costs[0].event.kind for each in found.rows} == {"software", "tool"}
        counted = "A" if studies[0][0].simulation is None else "B"
        reason = f"another source: counted in {counted}, simulated in {'AB'.replace(counted, '')}"
        assert "l2d_cache_refill" in blocked(found)[reason]


def test_a_study_that_counted_and_one_that_only_simulated_have_nothing_in_common() -> None:
    with pytest.raises(ProfilerError, match="nothing in A and B can be compared: another source: counted in A"):
        compared(made(), virtual_study())


def test_simulated_counts_are_compared_with_their_like() -> None:
    found = compared(study_beside(**SMALL), study_beside(**SMALL | {"change": _simulated("l2d_cache_refill", 1.3)}))
    first, *_ = (each for each in ranking.ranked(found.rows) if each.simulated)
    assert first.event == "l2d_cache_refill"
    assert first.ratio
    assert first.ratio.interval is None
    assert first.ratio.value == pytest.approx(1.3, rel=1e-3)
    assert row(found, "keras", "inst_retired", "region").verdict == "same"
    assert first in ranking.worse(found.rows, 0.05)


def _simulated(event: str, times: float) -> Callable[[Run], Run]:
    def change(run: Run) -> Run:
        if run.case.simulator is None:
            return run
        counts = (
            replace(each, value=present(each.value) * times) if each.event == event else each for each in run.counts
        )
        return replace(run, counts=tuple(counts))

    return change


def test_other_simulated_caches_keep_every_simulated_event_apart() -> None:
    found = compared(study_beside(**SMALL), study_beside(**SMALL | {"target": "pi4"}))
    assert not any(each.simulated for each in found.rows)
    (reason,) = (reason for reason, events in blocked(found).items() if events == {"all simulated events"})
    assert reason.startswith(("other simulated caches: L1D 64 KiB", "another simulated prefetcher"))


def test_another_instruction_set_under_the_simulator_keeps_them_apart_too() -> None:
    with pytest.raises(ProfilerError, match="another instruction set under the simulator: aarch64 and x86_64"):
        compared(virtual_study(), virtual_study(arch="x86_64"))


def test_a_scaled_count_is_compared_and_marked() -> None:
    scaled = made(change=recounting("cycles", running_percent=50.0))
    found = compared(made(draw=2), scaled)
    assert row(found, "keras", "cycles", "region").marks == (
        "scaled up in B: a counter was on it for no more than 50 % of a run",
    )
    unknown = compared(made(draw=2), made(change=recounting("cycles", running_percent=None, estimated=True)))
    assert "an unknown part" in row(unknown, "keras", "cycles", "region").marks[0]


def test_another_warm_up_is_marked_where_it_is_paid() -> None:
    study, runs = made()
    found = compared((study, runs), (replace(study, plan=replace(study.plan, warmup=3)), runs))
    assert row(found, "keras", "cycles", "fixed").marks == ("holds 1 warm-up inference in A, 3 in B",)
    assert row(found, "keras", "cycles", "region").marks == ()
    imported = replace(study, plan=replace(study.plan, warmup=0), imported_from="a paper")
    assert row(compared((study, runs), (imported, runs)), "keras", "cycles", "fixed").marks == ()


def test_a_missing_figure_is_no_block_and_says_why() -> None:
    found = compared(made(), made(absent={"cycles": "this core lacks it"}))
    lacking = [each for each in found.apart if not each.blocked and each.event == "cycles"]
    assert lacking[0] == Apart("B", "keras", "cycles", "", "B has no figure: this core lacks it", blocked=False)


def test_an_event_that_only_one_study_was_asked_for_is_told_so() -> None:
    found = compared(made(event_set="lab,l1d_access"), made(event_set="lab,bus_access"))
    lacking = {(each.event, each.reason) for each in found.apart}
    assert lacking == {
        ("l1d_cache", "B has no figure: it was not asked for"),
        ("bus_access", "A has no figure: it was not asked for"),
    }


def test_two_names_of_one_event_have_one_row() -> None:
    names = "cycles,cache-misses,L1-dcache-load-misses"
    for studies in (
        (made(event_set=names), made(event_set="l1d_refill")),
        (made(event_set="l1d_refill"), made(event_set=names)),
    ):
        found = compared(*studies)
        (event,) = {each.event for each in found.rows if "cache-misses" in each.event}
        assert set(event.split(" = ")) == {"cache-misses", "l1d_cache_refill"}
        assert ("L1-dcache-load-misses", TWICE) in {(each.event, each.reason) for each in found.apart}


def test_only_failed_runs_are_nothing_to_compare() -> None:
    def failed(run: Run) -> Run:
        return failing(run.case.model, run.case.images, run.repeat)(run)

    with pytest.raises(ProfilerError, match=r"no run of study B ended well \(killed by signal 9\)"):
        compared(made(), made(change=failed))
    with pytest.raises(ProfilerError, match=r"no run of study A ended well \(it has none\)"):
        compared((made()[0], ()), made())


def test_models_that_share_nothing_are_nothing_to_compare() -> None:
    with pytest.raises(ProfilerError, match="nothing in A and B can be compared: only A has this model"):
        compared(made(labels=("keras",)), made(labels=("litert",)))


def test_studies_of_one_name_are_told_apart() -> None:
    study = made()
    found = comparison([Loaded("old", *study), Loaded("old", *made(draw=2)), Loaded("old", *made(draw=3))])
    assert [subject.name for subject in found.subjects] == ["old", "old (2)", "old (3)"]


def _apart(event: str, share: float) -> Callable[[Run], Run]:
    """The second simulated run of a case counts more by this share."""
    more = _simulated(event, 1 + share)
    return lambda run: more(run) if run.repeat else run


def test_a_simulated_difference_within_what_repeats_differ_by_is_none() -> None:
    event, rise = "l2d_cache_refill", _simulated("l2d_cache_refill", 1.08)
    plain, noisy = study_beside(**SMALL), study_beside(**SMALL | {"change": _apart(event, 0.12)})

    def told(first: Made) -> dict[str, str]:
        rows = compared(first, study_beside(**SMALL | {"change": rise})).rows
        return {row.model: row.verdict for row in rows if row.event == event and row.what == "region"}

    assert told(plain) == {"keras": "more", "litert": "more"}
    repeated = {repeat.case.model for repeat in compared(noisy, plain).first.analysis.repeats}
    assert told(noisy) == {model: "same" if model in repeated else "more" for model in ("keras", "litert")}
    assert repeated


def test_simulated_events_too_rare_to_cost_anything_are_told_and_not_judged() -> None:
    few, many = "l1i_cache_refill", "l2d_cache_refill"
    found = {
        event: compared(study_beside(**SMALL), study_beside(**SMALL | {"change": _simulated(event, 1.5)})).rows
        for event in (few, many)
    }
    for event, rows in found.items():
        assert event in {row.event for row in ranking.ranked(rows)}
    assert few not in {row.event for row in ranking.worse(found[few], 0.05)}
    assert many in {row.event for row in ranking.worse(found[many], 0.05)}
