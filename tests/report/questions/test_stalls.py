"""Question 4 on made studies: the share of cycles that stall, whatever the folklore says."""

import re

import pytest
from msgspec.structs import replace
from reading import asks
from studies import KERAS, LITERT, PI5, family_study, made_study, recounting, study_beside, virtual_study

from profiler.analysis.study_analysis import analyse
from profiler.machine import events as catalogue
from profiler.records import Run, Study
from profiler.report.model import Question
from profiler.report.questions.evidence import counted_view
from profiler.report.questions.stalls import IN_SLOTS, stalls

SMALL = {"images": (1, 5, 20), "repeats": 4, "noise": 0.003}
ONCE_RUN = {"images": (10,), "repeats": 1, "regions": ("process",)}
SHARE = 100 * LITERT["stall_backend"][1] / LITERT["cycles"][1]


def times(stalls: float, cycles: float) -> dict[str, tuple[float, float]]:
    """Keras with so many times LiteRT's stalls and cycles."""
    (stalled, stalled_each), (run, run_each) = LITERT["stall_backend"], LITERT["cycles"]
    return {
        **KERAS,
        "stall_backend": (stalled * stalls, stalled_each * stalls),
        "cycles": (run * cycles, run_each * cycles),
    }


def asked(made: tuple[Study, tuple[Run, ...]]) -> Question:
    study, runs = made
    return stalls(study, analyse(study, runs))


def with_keras(stalls: float, cycles: float, **recipe: object) -> Question:
    return asked(made_study(truth={"keras": times(stalls, cycles), "litert": LITERT}, **SMALL | recipe))


def on(uarch: str, **recipe: object) -> Question:
    return asked(made_study(machine=replace(PI5, uarch=uarch, board=None), **SMALL | recipe))


def multiples(words: str) -> list[float]:
    """How many times the baseline's stalls, and its cycles, the first model that is compared has."""
    found = re.search(r"has ([\d.]+) times the stalls of \S+ with ([\d.]+) times its cycles", words)
    assert found, words
    return [float(each) for each in found.groups()]


def shares(of: Question) -> list[float]:
    return [float(found) for found in re.findall(r"stalls for ([\d.]+) %", of.verdict)]


def test_a_higher_share_is_said_to_be_one() -> None:
    found = with_keras(30, 20)
    assert found.answered
    assert found.verdict.startswith("For each image, by stall_backend, keras stalls for ")
    assert multiples(found.verdict) == pytest.approx([30, 20], rel=0.02)
    assert found.verdict.endswith(", a higher share.")
    assert shares(found) == pytest.approx([SHARE * 1.5, SHARE], rel=0.02)
    assert found.command == ""


def test_twenty_times_the_stalls_in_as_many_more_cycles_are_no_higher_share() -> None:
    found = with_keras(20, 20)
    assert multiples(found.verdict) == pytest.approx([20, 20], rel=0.02)
    assert shares(found) == pytest.approx([SHARE, SHARE], rel=0.02)
    assert found.verdict.endswith("no difference in the share is shown.")


def test_many_more_stalls_may_be_a_lower_share() -> None:
    """As on a real Raspberry Pi 5: 14 times the stalls, in 21 times the cycles."""
    found = with_keras(14, 21)
    assert multiples(found.verdict) == pytest.approx([14, 21], rel=0.02)
    assert found.verdict.endswith(", a lower share.")


def test_evidence_has_counts_shares_and_instructions_per_cycle_for_each_image_and_once() -> None:
    found = with_keras(20, 20)
    (litert,) = (line for line in found.evidence if line.startswith("litert"))
    assert " stall_backend in 11.2" in litert
    paid = 100 * LITERT["stall_backend"][0] / LITERT["cycles"][0]
    (share,) = re.findall(r"once, ([\d.]+) % \[", litert)
    assert float(share) == pytest.approx(paid, rel=0.02)
    (ipc,) = re.findall(r"instructions per cycle ([\d.]+) \[", litert)
    assert float(ipc) == pytest.approx(26 / 11.2, rel=0.02)


def test_the_a76s_stall_is_an_upper_bound_for_memory() -> None:
    found = with_keras(20, 20)
    assert any("any back-end resource" in caveat for caveat in found.caveats)
    assert "So the share is an upper bound for waiting on memory, and no measure of it." in found.caveats
    assert not any(
        "waits for memory" in line or "waiting for memory" in line for line in (found.verdict, *found.evidence)
    )


def test_the_share_is_of_the_processes_that_counted_both() -> None:
    """Cycles of the other pass, here four times as many, are not what these stalls are a share of."""
    groups = (("cycles", "stall_backend"), ("cycles", "inst_retired"))

    def slower(run: Run) -> Run:
        return run if "stall_backend" in run.case.group else recounting("cycles", value=60e9)(run)

    found = asked(made_study(groups=groups, change=slower, **SMALL))
    assert shares(found)[-1] == pytest.approx(SHARE, rel=0.02)


def test_one_model_has_its_share_and_nothing_to_compare() -> None:
    found = asked(made_study(labels=("litert",), **SMALL))
    assert found.answered
    assert found.verdict.startswith("For each image, by stall_backend, litert stalls for 27.")
    assert "times" not in found.verdict


def test_of_a_family_the_least_and_the_most_are_told() -> None:
    truth = {"keras:saved": times(40, 20), "keras:weights": times(20, 20), "litert:fp32": LITERT}
    found = asked(family_study(truth={**truth, "litert:int8": times(0.2, 0.6)}, **SMALL))
    assert re.search(
        r"of 4 models litert:int8 stalls for 9\.\d+ % .*, the least, and keras:saved .*, the most\.$", found.verdict
    )
    compared = found.evidence[-1]
    assert multiples(compared) == pytest.approx([40, 20], rel=0.02)
    assert re.match(r"keras:saved has .*, a higher share; keras:weights has ", compared)
    assert "no difference in the share is shown" in compared


def test_of_many_models_only_the_ends_and_the_baseline_have_evidence() -> None:
    labels = ("keras", "litert", *(f"litert:{n}" for n in range(5)))
    truth = {"keras": times(40, 20), "litert": LITERT} | {f"litert:{n}": times(1 + n / 20, 1) for n in range(5)}
    found = asked(made_study(labels=labels, truth=truth, **SMALL))
    assert {line.partition(": ")[0] for line in found.evidence[:-1]} - {"litert:0"} == {"keras", "litert"}
    assert found.verdict.startswith("For each image, by stall_backend, of 7 models ")


def test_single_scaled_runs_give_shares_without_a_verdict_on_the_difference() -> None:
    """An imported study: aliases of perf's, one run each, scaled by an unknown share."""

    def imported(run: Run) -> Run:
        counts = (replace(count, estimated=True, running_percent=None) for count in run.counts)
        return replace(run, counts=tuple(counts))

    found = asked(made_study(event_set="cycles,stalled-cycles-backend", change=imported, **ONCE_RUN))
    assert found.answered
    assert found.verdict.startswith("In a whole run of 10 images, by stalled-cycles-backend, keras stalls for ")
    assert shares(found)[0] == pytest.approx(100 * 5.62 / 16.1, rel=0.1)
    assert found.verdict.count("(scaled up)") == 4, "both shares, and the ratios of stalls and cycles"
    assert found.verdict.endswith("whether the shares differ is not shown without intervals.")
    assert any("scaled up from a part of the run" in caveat for caveat in found.caveats)
    assert any("without an interval" in caveat for caveat in found.caveats)
    assert any("the kernel's alias of stall_backend" in caveat for caveat in found.caveats)
    assert found.command == ""


def test_user_mode_alone_is_said() -> None:
    assert any("User mode alone" in caveat for caveat in asked(made_study(scope="user", **SMALL)).caveats)
    assert not any("User mode alone" in caveat for caveat in asked(made_study(**SMALL)).caveats)


def test_a_model_without_the_count_is_named() -> None:
    def change(run: Run) -> Run:
        broken = recounting("stall_backend", value=None, status="not_counted", reason="never on a counter")
        return broken(run) if run.case.model == "keras" else run

    found = asked(made_study(change=change, **SMALL))
    assert "keras has no figure of stall_backend: never on a counter." in found.caveats
    assert "litert stalls for" in found.verdict
    assert "keras" not in found.verdict


def test_intels_stalls_on_memory_are_memory() -> None:
    found = on("icelake-x", event_set="lab,stall_memory")
    assert "by cycle_activity.stalls_mem_any," in found.verdict
    assert not any("upper bound" in caveat for caveat in found.caveats)
    assert any("while a load was outstanding" in caveat for caveat in found.caveats)
    (other,) = (line for line in found.evidence if "cycle_activity.stalls_total (proxy)" in line)
    assert "for whatever reason" in other


def test_a_core_that_could_count_memory_alone_gets_the_command() -> None:
    found = on("skylake-x")
    assert found.answered
    assert "by resource_stalls.any," in found.verdict
    assert asks(found.command, "--models keras,litert --events lab,stall_memory")


def test_the_a53_counts_waiting_for_loads_among_its_parts() -> None:
    """There `lab` asks for the parts of the back-end stall; the one on loads is by the catalogue exact for memory."""
    found = on("cortex-a53")
    assert "by ld_dep_stall," in found.verdict
    assert sum("_stall (proxy)" in line for line in found.evidence) == 4


def test_slots_are_no_share_of_cycles() -> None:
    found = on("amd-zen4")
    assert "slots of each cycle" in found.verdict
    assert " % " not in found.verdict
    assert "by de_no_dispatch_per_slot.backend_stalls (proxy)," in found.verdict
    assert any(caveat.startswith("Slots are several a cycle") for caveat in found.caveats)
    assert asks(found.command, "--events lab,stall_memory")


def test_every_event_that_counts_slots_is_known_to() -> None:
    entries = [entry for uarch in catalogue.cores() for entry in catalogue.core(uarch).entries if entry.encoding]
    slots = {entry.name for entry in entries if entry.metric.startswith("stall_") and "slots" in entry.meaning}
    assert slots == IN_SLOTS


def test_an_unknown_cores_alias_says_that_its_meaning_is_not_known() -> None:
    found = on("generic")
    assert "by stalled-cycles-backend (proxy)," in found.verdict
    assert any("is not in the catalogue" in caveat for caveat in found.caveats)


def test_a_core_without_stall_events_says_so() -> None:
    found = on("cortex-a72")
    assert not found.answered
    assert found.verdict == (
        "Stalls are not known: STALL_BACKEND (0x24) is not implemented by Cortex-A72, which has no stall event."
    )
    assert asks(found.command, "--models keras,litert  # on a machine whose core has such an event")
    assert any("on a core with one would" in caveat for caveat in found.caveats)


def test_another_metric_is_asked_for_where_the_core_has_it() -> None:
    found = on("amd-zen3")
    assert not found.answered
    assert asks(found.command, "--models keras,litert --events lab,stall_memory")


def test_without_a_pmu_the_doctor_is_named_and_no_simulation_stands_in() -> None:
    found = asked(study_beside(**SMALL))
    assert not found.answered
    assert found.verdict == "Stalls are not known: this machine shows no hardware counters (no PMU)."
    assert found.command == "profiler doctor"
    assert any("no notion of time" in caveat for caveat in found.caveats)
    assert any("memory_latency_cycles" in caveat and "no stall" in caveat for caveat in found.caveats)


def test_of_a_virtual_board_the_sweep_for_a_real_one_is_named() -> None:
    study, runs = virtual_study()
    found = asked((replace(study, plan=replace(study.plan, on="pi5", threads=4)), runs))
    assert not found.answered
    assert "every figure of this study is simulated" in found.verdict
    assert asks(found.command, "--models keras,litert --threads 4  # on a machine with hardware counters")


def test_events_that_were_not_asked_for_are_named_with_the_sweep_that_does() -> None:
    found = asked(made_study(event_set="cycles,instructions", **SMALL))
    assert found.verdict == "Stalls are not known: the event was not asked for (--events cycles,instructions)."
    assert asks(found.command, "--models keras,litert --events cycles,instructions,stall_backend")


def test_stalls_without_cycles_have_no_share() -> None:
    found = asked(made_study(absent={"cycles": "the counter is taken"}, **SMALL))
    assert not found.answered
    assert found.verdict == "No share of the cycles is known: the counter is taken."
    assert found.evidence[1].startswith("litert: 3.1")


def test_only_failed_runs_answer_nothing() -> None:
    found = asked(made_study(change=lambda run: replace(run, outcome="failed", counts=()), **SMALL))
    assert not found.answered
    assert found.verdict == "Stalls are not known: no run on this machine itself ended well."
    assert asks(found.command, "--models keras,litert")


def test_costs_are_looked_up_by_what_the_core_means() -> None:
    """On the A53 the refills of the L2 are the last cache's misses as well, and stand there as a proxy."""
    study, runs = made_study(machine=replace(PI5, uarch="cortex-a53"), **SMALL)
    view = counted_view(study, analyse(study, runs))
    (refills,), (misses,) = view.answers("l2d_refill"), view.answers("llc_load_miss")
    assert refills.name == "l2d_cache_refill"
    assert misses.name == "l2d_cache_refill (proxy)"
    assert "the last level on this core" in misses.event.meaning


def test_ratios_of_scaled_counts_say_so_everywhere() -> None:
    found = asked(made_study(change=recounting("inst_retired", running_percent=60.0)))
    assert [line.count("(scaled up)") for line in found.evidence] == [2, 2], "instructions per cycle, twice"
    assert "(scaled up)" not in found.verdict
    once = asked(made_study(change=recounting("stall_backend", running_percent=60.0))).evidence[0]
    assert re.search(r"once, [\d.]+ % \[.*?\] of its cycles \(scaled up\);", once)


def test_cycles_that_are_none_are_not_called_unasked() -> None:
    truth = {label: {**KERAS, "cycles": (0, 0)} for label in ("keras", "litert")}
    found = asked(made_study(truth=truth))
    assert not found.answered
    assert found.verdict == "No share of the cycles is known: cycles is not shown to be above 0."


def test_what_an_alias_counts_on_an_unknown_core_is_no_answer() -> None:
    found = on("generic")
    assert not found.answered
    assert found.verdict.endswith("; what that counts on this core is not known.")
    assert found.command.endswith("# on a machine whose core has such an event")


def test_whole_runs_with_intervals_are_not_said_to_lack_them() -> None:
    found = asked(made_study(images=(10,), repeats=4, regions=("process",)))
    assert "[" in found.verdict
    assert not any("without an interval" in caveat for caveat in found.caveats)
