"""Question 5 on made studies: invalidations beside refills, few, many, none, or not to be known."""

import re

import pytest
from msgspec.structs import replace
from reading import asks
from studies import (
    KERAS,
    LITERT,
    NO_PMU,
    PI5,
    SIMULATED_LITERT,
    family_study,
    made_study,
    study_beside,
    virtual_study,
)

from profiler.analysis.study_analysis import analyse
from profiler.records import Run, Study
from profiler.report.model import Question
from profiler.report.questions.invalidations import invalidations

SMALL = {"images": (1, 5, 20), "repeats": 4, "noise": 0.003}
CACHES = {"event_set": "lab,l2d_victim", **SMALL}


def asked(made: tuple[Study, tuple[Run, ...]]) -> Question:
    study, runs = made
    return invalidations(study, analyse(study, runs))


def with_share(share: float, **recipe: object) -> Question:
    """Both models invalidate so many lines for each that refills bring in."""
    truth = {
        label: {**counts, "l2d_cache_inval": tuple(share * each for each in counts["l2d_cache_refill"])}
        for label, counts in (("keras", KERAS), ("litert", LITERT))
    }
    return asked(made_study(truth=truth, **SMALL | recipe))


def on(uarch: str, **recipe: object) -> Question:
    return asked(made_study(machine=replace(PI5, uarch=uarch, board=None), **SMALL | recipe))


def percents(of: Question) -> list[float]:
    return [float(found) for found in re.findall(r"([\d.]+) %", of.verdict)]


def test_invalidations_few_beside_refills_are_not_overwriting() -> None:
    """As on a real Raspberry Pi 5, where 35.9 M stand beside 461 M reads that the L2 lacked."""
    found = asked(made_study(**SMALL))
    assert found.answered
    assert found.verdict.startswith("For each image, invalidations are few beside the lines that refills bring in")
    assert percents(found) == pytest.approx([100 * 0.26 / 3.5, 100 * 0.9 / 91], rel=0.03)
    assert "l2d_cache_inval on this core: L2 lines invalidated by cache maintenance or by coherence" in found.caveats[0]
    assert any("not invalidation, is overwriting" in caveat for caveat in found.caveats)


def test_counts_stand_for_each_image_and_once() -> None:
    (litert,) = (line for line in asked(made_study(**SMALL)).evidence if line.startswith("litert"))
    assert re.search(r"for each image 9\d\d \[.*\] l2d_cache_inval and 9\d\.\d k \[.*\] l2d_cache_refill; once", litert)
    assert re.search(r"once 3[01]\d k \[.*\] l2d_cache_inval and 5\.\d+ M \[.*\] l2d_cache_refill\.$", litert)


def test_as_many_invalidations_as_refills_settle_nothing() -> None:
    found = with_share(1)
    assert not found.answered
    assert "these counts do not tell whether lines are lost to coherence or overwritten" in found.verdict
    assert percents(found) == pytest.approx([100, 100], rel=0.02)
    assert asks(found.command, "--models keras,litert --threads 1 --cpus 3")
    assert any("one pinned thread" in caveat for caveat in found.caveats)


def test_a_third_is_neither_few_nor_comparable() -> None:
    found = with_share(0.3)
    assert found.answered
    assert "fewer than the lines that refills bring in, but not few" in found.verdict


def test_models_of_different_verdicts_are_told_apart() -> None:
    keras = {**KERAS, "l2d_cache_inval": KERAS["l2d_cache_refill"]}
    found = asked(made_study(truth={"keras": keras, "litert": LITERT}, **SMALL))
    many, few = found.verdict.split("; ")
    assert "comparable" in many
    assert "keras" in many
    assert "litert" not in many
    assert "few beside" in few
    assert "litert" in few


def test_none_at_all_is_a_count() -> None:
    found = with_share(0)
    assert found.answered
    assert found.verdict.startswith("For each image, no line of the L2 was invalidated while refills brought lines in")
    assert re.search(r"\(l2d_cache_refill: keras 3\.\d+ M \[.*\] and litert 9\d\.\d k \[.*\]\)\.$", found.verdict)
    assert "for each image 0 [0, 0] l2d_cache_inval" in found.evidence[0]


def test_written_back_victims_stand_beside_where_they_were_asked_for() -> None:
    found = asked(made_study(**CACHES))
    assert all("l2d_cache_wb_victim" in line for line in found.evidence)
    assert any(caveat.startswith("l2d_cache_wb_victim on this core: dirty lines") for caveat in found.caveats)
    assert found.command == ""


def test_without_victims_the_sweep_that_counts_them_is_named() -> None:
    assert asks(asked(made_study(**SMALL)).command, "--models keras,litert --events lab,l2d_victim")


def test_counts_of_different_passes_are_compared_all_the_same() -> None:
    groups = (("cycles", "l2d_cache_inval"), ("cycles", "l2d_cache_refill"))
    found = asked(made_study(groups=groups, **SMALL))
    assert percents(found) == pytest.approx([100 * 0.26 / 3.5, 100 * 0.9 / 91], rel=0.03)


def test_reads_of_the_l3_stand_in_for_refills_that_were_not_counted() -> None:
    """As in a table of perf's own aliases, one scaled run each."""

    def imported(run: Run) -> Run:
        counts = (replace(count, estimated=True, running_percent=None) for count in run.counts)
        return replace(run, counts=tuple(counts))

    whole = {"images": (10,), "repeats": 1, "regions": ("process",), "noise": 0.001}
    keras = {**KERAS, "l2d_cache_inval": (20e6, 0.2e6)}
    truth = {"keras": keras, "litert": LITERT}
    found = asked(made_study(event_set="l2d_cache_inval,LLC-loads", truth=truth, change=imported, **whole))
    assert found.answered
    assert found.verdict.startswith("In a whole run of 10 images, invalidations are few beside")
    assert "share of LLC-loads, which stands in for them: keras" in found.verdict
    assert found.verdict.count("(scaled up)") == 2
    assert asks(found.command, "--events l2d_cache_inval,LLC-loads,l2d_refill,l2d_victim")


def test_without_refills_or_an_l3_nothing_is_compared() -> None:
    two = replace(PI5, caches=PI5.caches[:3])
    found = asked(made_study(machine=two, event_set="l2d_cache_inval", **SMALL))
    assert not found.answered
    assert re.search(r"keras has 260 k \[.*\] and litert has \d+ \[.*\] invalidations of L2 lines", found.verdict)
    assert found.verdict.endswith("how many refills overwrite is not known.")
    assert asks(found.command, "--events l2d_cache_inval,l2d_refill,l2d_victim")


def test_a_shared_l2_of_another_core_has_its_own_meaning() -> None:
    found = on("cortex-a72")
    assert any("Arm documents the name alone for this core" in caveat for caveat in found.caveats)
    assert not any("Neoverse" in caveat for caveat in found.caveats)


def test_a_proxy_is_one_in_every_sentence() -> None:
    found = on("icelake-x")
    assert all("l2d_snoop_invalidate (proxy)" in line for line in found.evidence)
    assert any("stands in for an event that this core lacks" in caveat for caveat in found.caveats)


def test_a_core_without_the_event_still_tells_what_displaces_lines() -> None:
    found = on("cortex-a53")
    assert not found.answered
    assert found.verdict.startswith(
        "Invalidations of L2 lines are not known: L2D_CACHE_INVAL (0x58) is not implemented"
    )
    assert re.match(r"keras: 3\.\d+ M \[.*\] l2d_cache_refill for each image\.", found.evidence[0])
    assert asks(found.command, "--models keras,litert --caches pi5")


def test_simulated_invalidations_of_one_thread_are_a_true_zero() -> None:
    found = asked(study_beside(**SMALL))
    assert found.answered
    assert found.verdict.startswith(
        "Simulated by QEMU 7.2.22 (x86-64 instructions through the caches of Raspberry Pi 5)"
    )
    assert "no line of the L2 was invalidated while refills brought lines in" in found.verdict
    assert all(line.partition(": ")[0].endswith(", simulated") for line in found.evidence)
    assert any("one simulated core 0 is a true count" in caveat for caveat in found.caveats)
    assert any("this machine shows no hardware counters (no PMU)" in caveat for caveat in found.caveats)
    assert found.command == "profiler doctor"
    assert found.shown[0].startswith("simulated-")


def test_simulated_invalidations_of_several_cores_are_compared() -> None:
    def shared(run: Run) -> Run:
        inval = SIMULATED_LITERT["l2d_cache_refill"] / 20
        counts = (
            replace(count, value=round(inval * run.case.images)) if count.event == "l2d_cache_inval" else count
            for count in run.counts
        )
        return replace(run, counts=tuple(counts))

    found = asked(study_beside(labels=("litert",), change=shared, **SMALL))
    assert percents(found) == pytest.approx([5.0], abs=0.01)
    assert "few beside" in found.verdict
    assert not any("true count" in caveat for caveat in found.caveats)


def test_measured_and_simulated_figures_have_their_own_sentences() -> None:
    found = asked(made_study(simulated=("inference",), **SMALL))
    assert "imulated" not in found.verdict
    simulated = [line for line in found.evidence if "imulated" in line]
    assert simulated == list(found.evidence[2:])
    assert len(simulated) == 3
    assert sum(line.startswith("Simulated by QEMU") for line in simulated) == 1


def test_a_virtual_board_names_the_sweep_for_a_real_one() -> None:
    found = asked(virtual_study())
    assert found.answered
    assert "arm64 instructions" in found.verdict
    assert "once 0 l2d_cache_inval" in found.evidence[0]
    assert asks(found.command, "--models keras,litert  # on a machine with hardware counters")


def test_without_pmu_and_simulation_a_simulation_is_named_and_the_doctor() -> None:
    absent = dict.fromkeys(("cycles", "instructions", "l2d_cache_inval"), "this machine shows no hardware counters")
    found = asked(made_study(machine=NO_PMU, absent=absent, groups=((),), **SMALL))
    assert not found.answered
    assert found.verdict == "Invalidations of L2 lines are not known: this machine shows no hardware counters."
    assert asks(found.command, "--models keras,litert --caches pi5")
    assert any("`profiler doctor`" in caveat for caveat in found.caveats)


def test_of_many_models_the_ends_are_told() -> None:
    labels = ("keras", "litert", "litert:a", "litert:b", "litert:c")
    found = asked(made_study(labels=labels, **SMALL))
    assert re.search(
        r"share of l2d_cache_refill: of 5 models from litert\S* [\d.]+ % .* to keras 7\.\d+ %", found.verdict
    )
    assert {line.partition(":")[0] for line in found.evidence} >= {"keras"}
    assert len(found.evidence) < 4


def test_a_family_of_four_is_told_one_by_one() -> None:
    assert len(asked(family_study(**SMALL)).evidence) == 4


def test_only_failed_runs_answer_nothing() -> None:
    found = asked(made_study(change=lambda run: replace(run, outcome="failed", counts=()), **SMALL))
    assert not found.answered
    assert found.verdict.endswith("no run on this machine itself ended well.")
    assert asks(found.command, "--models keras,litert")


def test_refills_that_are_none_are_not_called_uncounted() -> None:
    truth = {"litert": {**LITERT, "l2d_cache_inval": (0, 0), "l2d_cache_refill": (0, 0)}}
    found = asked(made_study(labels=("litert",), truth=truth))
    assert not found.answered
    assert found.verdict.endswith("what share of l2d_cache_refill that is, is not determined.")


def test_many_invalidations_of_one_pinned_thread_ask_for_no_such_sweep_again() -> None:
    truth = {"litert": {**LITERT, "l2d_cache_inval": LITERT["l2d_cache_refill"]}}
    study, runs = made_study(labels=("litert",), truth=truth)
    pinned = replace(study, plan=replace(study.plan, cpus=(3,)))
    assert asks(asked((study, runs)).command, "--threads 1 --cpus 3")
    found = asked((pinned, runs))
    assert "--threads" not in found.command
    assert any("counts overwritten lines too" in caveat for caveat in found.caveats)
