"""Findings and grades of studies whose faults are known: each code where it belongs, and nowhere else."""

from collections.abc import Callable
from functools import cache
from typing import Any

import pytest
from made_networks import made_check
from msgspec.structs import replace
from reading import shown
from studies import (
    KERAS,
    LITERT,
    NO_PMU,
    Change,
    failing,
    family_study,
    live_study,
    made_study,
    recounting,
    study_beside,
    virtual_study,
)

from profiler.analysis.study_analysis import analyse
from profiler.records import Case, MachineState, Run, Study, Usage
from profiler.report import build
from profiler.report.sections.validity import about, verdict, verdict_section
from profiler.validity.codes import CODES, FEW_REPEATS, OTHER_LOAD, SWAP_BYTES
from profiler.validity.grade import judge
from profiler.validity.model import GRADES, Finding, Grade, Validity, plain, worst

SMALL = {"images": (1, 5, 10), "repeats": 3}


def judged(make: Callable[..., tuple[Study, tuple[Run, ...]]] = made_study, **recipe: object) -> Validity:
    study, runs = make(**SMALL | recipe)
    return judge(study, runs, analyse(study, runs))


@cache
def clean() -> Validity:
    return judged()


def codes(of: Validity) -> list[str]:
    return [finding.code for finding in of.findings]


def only(of: Validity, code: str) -> Finding:
    (found,) = (finding for finding in of.findings if finding.code == code)
    return found


def both(**fields: object) -> Change:
    """Every run's states before and after have these fields."""
    return lambda run: with_states(run, fields, fields)


def with_states(run: Run, before: dict[str, object], after: dict[str, object]) -> Run:
    return replace(run, before=replace(run.before, **before), after=replace(run.after, **after))


def in_run(order: int, before: dict[str, object], after: dict[str, object]) -> Change:
    """The states of one run alone."""
    return lambda run: with_states(run, before, after) if run.order == order else run


def from_run(order: int, **fields: object) -> Change:
    """After this run, and before and after all later ones."""

    def change(run: Run) -> Run:
        if run.order < order:
            return run
        return with_states(run, fields if run.order > order else {}, fields)

    return change


def busy(cpus: float, label: str = "litert", wall_ns: int = 50_000_000) -> Change:
    """A model's inferences keep so many CPUs busy."""

    def change(run: Run) -> Run:
        if run.completion is None or run.case.model != label:
            return run
        usage = replace(run.completion.phases["inference"], wall_ns=wall_ns, cpu_ns=round(wall_ns * cpus))
        return replace(run, completion=with_phase(run, usage))

    return change


def with_phase(run: Run, inference: Usage) -> object:
    assert run.completion
    return replace(run.completion, phases=run.completion.phases | {"inference": inference})


def drifting(share: float) -> Change:
    """Latencies rise evenly by this share over a run."""

    def change(run: Run) -> Run:
        assert run.completion
        count = max(run.case.images - 1, 1)
        latencies = tuple(round(5e6 * (1 + share * place / count)) for place in range(run.case.images))
        return replace(run, completion=replace(run.completion, latencies_ns=latencies))

    return change


def other_labels(run: Run) -> Run:
    if run.case.model != "litert" or run.completion is None:
        return run
    return replace(run, completion=replace(run.completion, scores=tuple(-score for score in run.completion.scores)))


def wild(*places: tuple[str, int, int]) -> Change:
    """The wall time of these whole processes (model, images, repeat) is ten times what it was."""

    def change(run: Run) -> Run:
        if run.case.region != "process" or (run.case.model, run.case.images, run.repeat) not in places:
            return run
        return recounting("duration_time", value=60e9)(run)

    return change


def by_turns(run: Run) -> Run:
    """Half of the whole processes take twice as long."""
    if run.case.region != "process" or run.repeat % 2:
        return run
    counts = (replace(c, value=2 * c.value) if c.event == "duration_time" and c.value else c for c in run.counts)
    return replace(run, counts=tuple(counts))


def ran(order: int, bits: int) -> Change:
    """One run ends with these throttling bits, and those since boot stay."""

    def change(run: Run) -> Run:
        if run.order < order:
            return run
        stays = bits & 0xF0000
        return with_states(
            run, {"throttled": stays if run.order > order else 0}, {"throttled": bits if run.order == order else stays}
        )

    return change


def recorded(images: object, repeats: object, **recipe: object) -> tuple[Study, tuple[Run, ...]]:
    """A session that drops no frame; it has neither image counts nor repeats."""
    return live_study(**{"source_rate": 29.7} | recipe)


FAMILY_CHECK = {"litert:int8": {"check": made_check("litert:int8", "ab", 231)}}

FOUND: list[tuple[str, Grade, dict[str, Any]]] = [
    ("failed-runs", "invalid", {"change": failing("keras", 5, 0)}),
    ("throttled", "degraded", {"change": ran(7, 0x4)}),
    ("throttled", "degraded", {"change": ran(7, 0x80008)}),
    ("throttled", "invalid", {"throttled": 0x2}),
    ("undervolted", "degraded", {"change": ran(7, 0x10000)}),
    ("undervolted", "invalid", {"throttled": 0x1}),
    ("missing-runs", "degraded", {"change": lambda run: run if run.order != 4 else None}),
    ("labels-disagree", "degraded", {"change": other_labels}),
    ("labels-disagree", "degraded", {"make": family_study, "facts": FAMILY_CHECK}),
    ("multiplexed", "degraded", {"change": recounting("cycles", running_percent=41.7)}),
    ("multiplexed", "degraded", {"change": recounting("cycles", running_percent=None, estimated=True)}),
    ("imported", "degraded", {"facts": {"litert": {"sha256": ""}}}),
    ("thread-count", "degraded", {"change": busy(1.2)}),
    ("thread-count", "degraded", {"change": recounting("task-clock", value=50e9)}),
    ("swapping", "degraded", {"change": from_run(7, swap_used_bytes=SWAP_BYTES + 1)}),
    ("loaded", "degraded", {"change": in_run(7, {}, {"load_1min": 1 + OTHER_LOAD + 0.1})}),
    ("clock-moved", "degraded", {"governor": "ondemand"}),
    ("clock-moved", "degraded", {"change": in_run(7, {}, {"clock_hz": (2_300_000_000,) * 4})}),
    ("stopped-counters", "degraded", {"truth": {"keras": {**KERAS, "cycles": (0, 0)}, "litert": LITERT}}),
    ("scattered", "degraded", {"change": by_turns}),
    ("no-hardware-counts", "valid", {"make": study_beside, "simulated": ()}),
    ("uncounted-events", "valid", {"absent": {"l2d_cache_inval": "perf says not supported"}}),
    ("simulated", "valid", {"make": virtual_study}),
    ("slope-region-disagree", "degraded", {"outside": {"cycles": 60e6}}),
    ("slope-region-disagree", "valid", {"draw": 5}),
    ("lack-of-fit", "degraded", {"bend": {"cycles": 50e6}}),
    ("lack-of-fit", "valid", {"draw": 10}),
    ("unsteady", "degraded", {"change": drifting(0.1)}),
    ("unsteady", "valid", {"change": drifting(0.03)}),
    ("few-repeats", "degraded", {"repeats": FEW_REPEATS - 1}),
    ("one-image-count", "degraded", {"images": (5,)}),
    ("user-only", "degraded", {"scope": "user"}),
    ("outliers", "valid", {"change": wild(("keras", 5, 1))}),
    ("outliers", "degraded", {"change": wild(("keras", 5, 1), ("litert", 5, 1), ("keras", 10, 2))}),
    ("note", "valid", {"notes": ("perf was asked in another way",)}),
    ("source-reopened", "degraded", {"make": recorded, "summary": {"reconnects": 1}}),
    ("stale-frames", "valid", {"make": recorded, "summary": {"stale": 3}}),
    ("stale-frames", "degraded", {"make": recorded, "summary": {"stale": 40}}),
    ("source-lost", "valid", {"make": recorded, "summary": {"failed": True, "ended": "no usable frame for 30 s"}}),
    ("session-cut", "valid", {"make": recorded, "summary": None}),
    ("dropped-frames", "valid", {"make": recorded, "source_rate": 33.0}),
    ("corrupt-frames", "valid", {"make": recorded, "summary": {"corrupt": 2}}),
]


CHANCE = {"slope-region-disagree", "lack-of-fit", "outliers"}
FOLLOWS = {
    "missing-runs": {"few-repeats"},
    "failed-runs": {"few-repeats"},
    "lack-of-fit": {"slope-region-disagree"},
    "thread-count": {"slope-region-disagree"},
    "scattered": {"slope-region-disagree", "outliers"},
}


@pytest.mark.parametrize(("code", "grade", "recipe"), FOUND, ids=lambda each: each if isinstance(each, str) else "")
def test_a_fault_has_its_code_and_grade_and_no_other(code: str, grade: Grade, recipe: dict[str, Any]) -> None:
    """Faults come alone here, but for what follows from them, and what chance has lines do."""
    found = judged(**recipe)
    of_code = [finding for finding in found.findings if finding.code == code]
    assert {finding.grade for finding in of_code} == {grade}
    follows = FOLLOWS.get(code, set())
    others = [finding for finding in found.findings if finding.code not in {code} | follows]
    assert {finding.code for finding in others} <= CHANCE
    assert {finding.grade for finding in others} <= {"valid"}


def test_the_cases_are_one_for_each_code() -> None:
    assert {code for code, *_ in FOUND} | {"no-figures"} == set(CODES)


def test_every_finding_gives_a_grade_that_its_code_may_give() -> None:
    assert {(code, grade) for code, grade, _ in FOUND} | {("no-figures", "invalid")} == {
        (name, grade) for name, code in CODES.items() for grade in code.grades
    }


def test_a_clean_study_is_valid_in_all_its_parts() -> None:
    found = clean()
    assert (found.grade, found.findings) == ("valid", ())
    assert set(found.cases.values()) == set(found.runs.values()) == {("valid", ())}
    assert (len(found.cases), len(found.runs)) == (12, 36)


def test_the_reports_warnings_are_the_findings() -> None:
    report = build(*made_study(**SMALL, governor="ondemand", change=failing("keras", 5, 0)))
    assert report.validity
    assert report.warnings == tuple(finding.sentence for finding in report.validity.findings)
    assert len(report.warnings) == 3


def test_findings_come_by_grade_and_then_by_weight() -> None:
    found = judged(governor="ondemand", notes=("a note",), scope="user", change=failing("keras", 5, 0))
    assert codes(found) == ["failed-runs", "clock-moved", "few-repeats", "user-only", "note"]
    assert [GRADES.index(finding.grade) for finding in found.findings] == [2, 1, 1, 1, 0]


# Of runs.


def test_bad_bits_name_the_runs_in_which_they_were_newly_set() -> None:
    found = judged(change=ran(7, 0x50005))
    assert only(found, "throttled").runs == only(found, "undervolted").runs == (7,)
    assert "throttled now and throttled since boot" in only(found, "throttled").what
    assert "under-voltage now and under-voltage since boot" in only(found, "undervolted").what
    assert found.runs[7] == ("degraded", ("throttled", "undervolted"))
    assert {run: judged for run, judged in found.runs.items() if judged != ("valid", ())}.keys() == {7}
    assert "1 of 36 runs" in only(found, "throttled").what


def test_what_throttled_before_the_study_is_no_fault_of_a_run() -> None:
    assert judged(throttled=0xF0000).findings == ()


def test_what_throttled_between_two_runs_is_put_to_the_second() -> None:
    def change(run: Run) -> Run:
        return with_states(run, {"throttled": 0x40000}, {"throttled": 0x40000}) if run.order >= 9 else run

    assert only(judged(change=change), "throttled").runs == (9,)


def test_a_board_that_does_not_tell_is_not_throttled() -> None:
    assert judged(throttled=None).findings == ()


def test_throttled_in_every_run_leaves_nothing_valid() -> None:
    found = judged(throttled=0x4)
    assert found.grade == "invalid"
    assert {grade for grade, _ in (*found.cases.values(), *found.runs.values())} == {"invalid"}


@pytest.mark.parametrize(
    ("load", "threads", "loaded"), [(2.0, 1, False), (2.1, 1, True), (4.9, 4, False), (5.1, 4, True)]
)
def test_the_measured_processs_own_threads_are_no_other_load(load: float, threads: int, loaded: bool) -> None:
    study, runs = made_study(**SMALL, change=in_run(7, {}, {"load_1min": load}))
    study = replace(study, plan=replace(study.plan, threads=threads))
    found = [each for each in judge(study, runs, analyse(study, runs)).findings if each.code == "loaded"]
    assert bool(found) == loaded
    assert all(each.runs == (7,) for each in found)


def test_an_engine_with_its_own_number_of_threads_may_load_every_cpu() -> None:
    study, runs = made_study(**SMALL, change=both(load_1min=4.9))
    free = replace(study, plan=replace(study.plan, threads=None))
    assert "loaded" not in codes(judge(free, runs, analyse(free, runs)))


def test_swap_that_grows_within_a_run_names_it() -> None:
    found = judged(change=from_run(7, swap_used_bytes=50 * 2**20))
    assert only(found, "swapping").runs == (7,)
    assert "grew by 50 MiB while it was measured, within 1 of 36 runs" in only(found, "swapping").what


def test_swap_that_grows_little_by_little_is_the_studys() -> None:
    def change(run: Run) -> Run:
        each = SWAP_BYTES // 8
        return with_states(run, {"swap_used_bytes": run.order * each}, {"swap_used_bytes": (run.order + 1) * each})

    found = judged(change=change)
    assert only(found, "swapping").runs == ()
    assert only(found, "swapping").study
    assert found.grade == "degraded"
    assert {grade for grade, _ in found.cases.values()} == {"valid"}


@pytest.mark.parametrize("used", [0, 50 * 2**20, None])
def test_swap_that_stays_is_nothing(used: int | None) -> None:
    assert judged(change=both(swap_used_bytes=used)).findings == ()


def test_a_governor_and_what_the_clock_did_are_one_finding() -> None:
    found = judged(governor="ondemand", change=in_run(7, {"clock_hz": (1_500_000_000,)}, {}))
    assert "(from 1.50 to 2.40 GHz before and after runs)" in only(found, "clock-moved").what
    assert len(only(found, "clock-moved").runs) == 36


@pytest.mark.parametrize(("hz", "moved"), [(2_350_000_000, False), (2_300_000_000, True)])
def test_a_clock_that_nothing_lowered_far_is_held(hz: int, moved: bool) -> None:
    found = judged(change=in_run(7, {}, {"clock_hz": (hz,)}))
    assert ("clock-moved" in codes(found)) == moved
    assert not moved or only(found, "clock-moved").runs == (7,)


def test_the_fastest_cpu_tells_the_clock() -> None:
    """The others may rest."""
    assert judged(change=both(clock_hz=(600_000_000, 2_400_000_000))).findings == ()


def test_machines_that_tell_nothing_have_no_fault() -> None:
    state: dict[str, object] = {name: None for name in MachineState.__struct_fields__ if name != "at"}
    assert judged(change=lambda run: with_states(run, state, state)).findings == ()


@pytest.mark.parametrize(
    ("cpus", "wall_ns", "many"), [(1.09, 5 * 10**7, False), (1.11, 5 * 10**7, True), (3.0, 10**5, False)]
)
def test_threads_are_told_by_cpu_time_over_wall_time(cpus: float, wall_ns: int, many: bool) -> None:
    found = judged(change=busy(cpus, wall_ns=wall_ns))
    assert ("thread-count" in codes(found)) == many
    if many:
        finding = only(found, "thread-count")
        assert finding.what.startswith("litert was asked for 1 thread and kept up to 1.1 CPUs busy (inferences:")
        assert len(finding.runs) == 18


def test_keras_is_told_of_tensorflows_threads() -> None:
    assert "TensorFlow has threads beside" in only(judged(change=busy(2, "keras")), "thread-count").remedy


def asked_for(threads: int | None, cpus: tuple[int, ...] | None, change: Change) -> Validity:
    study, runs = made_study(**SMALL, change=change)
    study = replace(study, plan=replace(study.plan, threads=threads, cpus=cpus))
    return judge(study, runs, analyse(study, runs))


def test_threads_that_never_worked_are_told() -> None:
    def change(run: Run) -> Run | None:
        return busy(3.9, "keras")(busy(1.01)(run) or run)

    found = asked_for(4, None, change)
    finding = only(found, "thread-count")
    assert finding.what == "litert was asked for 4 threads, and its inferences never kept more than 1.0 CPUs busy."
    assert {case.model for case in finding.cases} == {"litert"}
    assert "--threads 1" in finding.remedy
    assert "--cpus" in only(asked_for(4, (3,), change), "thread-count").remedy


def test_engines_free_to_choose_their_threads_are_not_judged() -> None:
    assert asked_for(None, None, busy(3.0)).findings == ()


def test_scaled_counts_name_their_runs_and_how_short_they_were() -> None:
    def change(run: Run) -> Run:
        return recounting("cycles", running_percent=41.7)(run) if run.order in (3, 5) else run

    found = only(judged(change=change), "multiplexed")
    assert found.runs == (3, 5)
    assert found.what.startswith("cycles: a counter was on the event for as little as 42 % of a run, so")


def test_counts_scaled_by_an_untold_share_say_so() -> None:
    found = only(judged(change=recounting("cycles", running_percent=None, estimated=True)), "multiplexed")
    assert "for part of a run, nobody noted how long" in found.what
    assert len(found.runs) == 36


def test_outliers_of_a_single_run_degrade_nothing() -> None:
    found = judged(change=wild(("keras", 5, 1)))
    assert found.grade == "valid"
    (order,) = only(found, "outliers").runs
    assert found.runs[order] == ("valid", ("outliers",))
    assert f"run {order} (keras, 5 images: duration_time)" in only(found, "outliers").what


# Of cases and the study.


def cases_of(found: Validity, grade: Grade) -> set[Case]:
    return {case for case, (its, _) in found.cases.items() if its == grade}


def test_a_failed_run_is_invalid_and_its_case_degraded() -> None:
    found = judged(change=failing("keras", 5, 0))
    bad = only(found, "failed-runs").runs
    assert len(bad) == 2
    assert {found.runs[order] for order in bad} == {("invalid", ("failed-runs",))}
    assert {(case.model, case.images) for case in cases_of(found, "degraded")} == {("keras", 5)}
    assert not cases_of(found, "invalid")
    assert found.grade == "degraded"


def test_a_model_without_a_good_run_has_invalid_cases() -> None:
    def change(run: Run) -> Run:
        return (
            replace(run, outcome="failed", counts=(), completion=None, error="x") if run.case.model == "keras" else run
        )

    found = judged(change=change)
    assert {case.model for case in cases_of(found, "invalid")} == {"keras"}
    assert {case.model for case in cases_of(found, "valid")} == {"litert"}
    assert found.grade == "degraded"


def test_a_case_without_any_run_is_invalid() -> None:
    found = judged(change=lambda run: None if run.case.images == 10 else run)
    assert {case.images for case in cases_of(found, "invalid")} == {10}
    assert all("missing-runs" in found.cases[case][1] for case in cases_of(found, "invalid"))
    assert {case.images for case in cases_of(found, "valid")} == {1, 5}
    assert "12 of 36 planned runs were not made" in only(found, "missing-runs").what


def failed(run: Run) -> Run:
    return replace(run, outcome="failed", counts=(), completion=None, error="no memory")


@pytest.mark.parametrize("make", [made_study, study_beside, virtual_study, family_study])
def test_only_failed_runs_are_one_finding(make: Callable[..., tuple[Study, tuple[Run, ...]]]) -> None:
    found = judged(make, change=failed)
    assert codes(found) == ["no-figures"]
    assert "ended well (no memory)." in found.findings[0].what
    assert found.grade == "invalid"
    assert {grade for grade, _ in (*found.cases.values(), *found.runs.values())} == {"invalid"}


def test_no_run_at_all_is_one_finding() -> None:
    found = judged(change=lambda run: None)
    assert [each.what for each in found.findings] == ["There is no figure: no run was made."]
    assert (found.grade, found.runs) == ("invalid", {})
    assert set(found.cases.values()) == {("invalid", ("no-figures",))}


def test_few_repeats_are_counted_by_what_ended_well() -> None:
    found = judged(change=failing("keras", 5, 0))
    assert {(case.model, case.images) for case in only(found, "few-repeats").cases} == {("keras", 5)}
    assert "Of 3 repeats fewer than 3 ended well in 2 of 12 cases" in only(found, "few-repeats").what


def test_simulated_runs_are_no_repeats_and_have_no_state() -> None:
    """The made ones saw load 99, a throttled board and another governor."""
    assert codes(judged(virtual_study)) == ["simulated"]


def test_a_bend_is_its_cases() -> None:
    found = judged(bend={"cycles": 50e6}, repeats=5)
    bent = [finding for finding in found.findings if finding.code == "lack-of-fit"]
    assert {case.region for finding in bent for case in finding.cases} == {"process"}


def test_a_contradiction_names_its_models_cases_and_no_others() -> None:
    found = only(judged(outside={"cycles": 60e6}), "slope-region-disagree")
    assert found.what.startswith(
        "Slope and region disagree in 2 of 26 comparisons: keras cycles (206 M against 149.7 M)"
    )
    assert {case.region for case in found.cases} == {"process", "inference"}


def test_what_chance_does_to_clean_studies_degrades_none() -> None:
    found = [judged(draw=draw) for draw in range(12)]
    assert {each.grade for each in found} == {"valid"}
    seen = [finding for each in found for finding in each.findings]
    assert {finding.code for finding in seen} == CHANCE
    assert all("may be chance" in finding.what for finding in seen if finding.code != "outliers")


def test_many_lines_that_bend_a_little_are_no_chance() -> None:
    found = judged(
        bend={"cycles": 3e6, "inst_retired": 5e6, "ll_cache_rd": 50e3, "task-clock": 1e6}, images=(1, 5, 10, 20)
    )
    assert {finding.grade for finding in found.findings if finding.code == "lack-of-fit"} == {"degraded"}


def test_no_hardware_counts_without_a_note_are_told_all_the_same() -> None:
    names = ("cycles", "instructions", "stalled-cycles-backend", "LLC-loads", "LLC-load-misses")
    found = judged(machine=NO_PMU, groups=((),), absent=dict.fromkeys(names, "no PMU"))
    assert "no-hardware-counts" in codes(found)
    assert "uncounted-events" not in codes(found)
    assert found.grade == "valid"


@pytest.mark.slow
def test_all_findings_say_what_is_so_in_sentences_and_name_what_they_are_about() -> None:
    for _, _, recipe in FOUND:
        for finding in judged(**recipe).findings:
            assert finding.what.endswith(".")
            assert finding.remedy == "" or finding.remedy.endswith((".", ")"))
            assert finding.runs or finding.cases or finding.study, finding


# As words and as JSON.


def test_the_worst_of_grades() -> None:
    assert worst(()) == "valid"
    assert worst(("valid", "invalid", "degraded")) == "invalid"


def test_the_section_is_a_row_a_code_and_a_row_for_cases_that_are_alike() -> None:
    report = build(*made_study(**SMALL, governor="ondemand", change=failing("keras", 5, 0)))
    (section,) = (each for each in report.sections if each.title == "Verdict")
    titles = [each.title for each in report.sections]
    assert titles.index("Verdict") == titles.index("Method") - 1
    of_codes, of_cases = map(shown, section.tables)
    assert [row[:3] for row in of_codes.rows] == [
        ("failed-runs", "invalid", "2 runs"),
        ("clock-moved", "degraded", "36 runs"),
        ("few-repeats", "degraded", "2 cases"),
    ]
    assert set(of_cases.rows) == {
        ("keras", "1 and 10", "process", "degraded", "clock-moved"),
        ("keras", "5", "process", "degraded", "failed-runs, clock-moved, few-repeats"),
        ("litert", "all", "process", "degraded", "clock-moved"),
        ("keras", "1 and 10", "inference", "degraded", "clock-moved"),
        ("keras", "5", "inference", "degraded", "failed-runs, clock-moved, few-repeats"),
        ("litert", "all", "inference", "degraded", "clock-moved"),
    }


def many(codes_of: Callable[[Case], tuple[str, ...]]) -> tuple[tuple[str, ...], ...]:
    """The rows of the cases of a study of 36 models, all degraded for these codes, and the caption as the last one."""
    study, _ = made_study(labels=tuple(f"litert:{place}" for place in range(36)), images=(1, 5), repeats=1)
    cases: dict[Case, tuple[Grade, tuple[str, ...]]] = {case: ("degraded", codes_of(case)) for case in study.cases}
    found = tuple(Finding(code, "degraded", "x.") for code in {code: None for its in cases.values() for code in its[1]})
    table = shown(verdict_section(study, Validity("degraded", found, cases, {})).tables[1])
    return (*table.rows, (table.caption,))


def test_cases_that_are_alike_share_a_row_however_many() -> None:
    assert many(lambda case: ("clock-moved",)) == (
        ("all models", "all", "process", "degraded", "clock-moved"),
        ("all models", "all", "inference", "degraded", "clock-moved"),
        ("",),
    )


def test_of_cases_that_are_all_unlike_some_are_shown_and_the_rest_are_counted() -> None:
    rows = many(lambda case: (case.model,))
    assert len(rows) == 31
    assert rows[-1] == ("And 42 more rows: `profiler check --json` has every case.",)


def test_what_is_good_to_know_is_no_reason_for_a_cases_grade() -> None:
    study, runs = made_study(**SMALL, governor="ondemand", change=wild(("keras", 5, 1)))
    section = verdict_section(study, judge(study, runs, analyse(study, runs)))
    assert "outliers" in [row[0] for row in section.tables[0].rows]
    assert {row[-1] for row in section.tables[1].rows} == {"clock-moved"}


def test_a_section_of_a_study_without_findings_has_no_table() -> None:
    study, _ = made_study(**SMALL)
    section = verdict_section(study, clean())
    assert section.tables == ()
    assert section.sentences[0].startswith(
        "Study made is valid: every figure says what it seems to. Of 12 cases none is less than valid; of 36 runs none"
    )


def test_the_verdict_counts_cases_and_runs() -> None:
    found = judged(change=failing("keras", 5, 0))
    assert verdict("s", found).endswith("Of 12 cases 2 are degraded; of 36 runs 2 are invalid.")


def test_what_findings_are_about() -> None:
    case = Case(model="m", images=1, region="process")
    assert about([Finding("note", "valid", "x.", study=True)]) == "the study"
    assert about([Finding("x", "valid", "x.", runs=(1, 2)), Finding("x", "valid", "y.", runs=(2,))]) == "2 runs"
    assert about([Finding("x", "valid", "x.", runs=(1,), cases=(case,))]) == "1 run and 1 case"


def test_plain_values_leave_out_what_has_no_finding() -> None:
    assert plain(clean()) == {"grade": "valid", "findings": [], "cases": [], "runs": []}
    found = plain(judged(change=ran(7, 0x4)))
    assert found["runs"] == [{"run": 7, "grade": "degraded", "codes": ("throttled",)}]
    assert [each["grade"] for each in found["cases"]] == ["degraded"]
