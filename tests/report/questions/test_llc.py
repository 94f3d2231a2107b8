"""Question 6 on made studies: which cache LLC is, what it misses, and what that is beside the weights."""

import re

import pytest
from made_networks import made_network
from msgspec.structs import replace
from reading import asks
from studies import KERAS, LITERT, NO_PMU, PI5, family_study, made_study, recounting, study_beside, virtual_study

from profiler.analysis.study_analysis import analyse
from profiler.records import Cache, Run, Study
from profiler.report.model import Question
from profiler.report.questions.llc import llc

SMALL = {"images": (1, 5, 20), "repeats": 4, "noise": 0.003}
NETWORK = made_network()
WEIGHTS = NETWORK.read_bytes
PI4_CACHES = tuple(
    Cache(level=level, type=kind, size_bytes=size, ways=2, line_bytes=64, shared_by=cpus, source="sysfs")  # type: ignore[arg-type]
    for level, kind, size, cpus in ((1, "Data", 32768, 1), (1, "Instruction", 49152, 1), (2, "Unified", 2**20, 4))
)


def asked(made: tuple[Study, tuple[Run, ...]]) -> Question:
    study, runs = made
    return llc(study, analyse(study, runs))


def bringing(times: dict[str, float], weights: dict[str, int] | None = None, **recipe: object) -> Question:
    """Models that miss so many times the lines of the made network's weights, and read these weights."""
    lines = WEIGHTS / 64
    truth = {
        label: {**LITERT, "ll_cache_miss_rd": (2.4e6, each * lines), "ll_cache_rd": (5.2e6, each * lines * 4)}
        for label, each in times.items()
    }
    networks = {label: replace(NETWORK, weights_bytes=size) for label, size in (weights or {}).items()}
    facts = {label: {"network": networks.get(label, NETWORK)} for label in times}
    return asked(made_study(labels=tuple(times), truth=truth, facts=facts, **SMALL | recipe))


def on(uarch: str, board: str | None = None, **recipe: object) -> Question:
    return asked(made_study(**{"machine": replace(PI5, uarch=uarch, board=board)} | SMALL | recipe))


def test_bytes_from_memory_are_misses_times_the_line_against_the_weights() -> None:
    found = bringing({"litert": 1.3})
    assert found.answered
    said = re.search(r"litert brings ([\d.]+) MiB \[.*\] from memory, ([\d.]+) times \[.*\] its weights", found.verdict)
    assert said
    assert float(said[1]) == pytest.approx(1.3 * WEIGHTS / 2**20, rel=0.02)
    assert float(said[2]) == pytest.approx(1.3, rel=0.02)
    assert found.verdict.endswith("at least as much as if no weight stayed in the caches from one image to the next.")


def test_less_than_the_weights_leaves_prefetching_open_where_it_is_not_counted() -> None:
    found = bringing({"litert": 0.4})
    assert found.verdict.endswith("so a part of them stays in the caches or is prefetched uncounted.")


def test_about_the_weights_is_said_to_be_so() -> None:
    assert ": about as much as if no weight stayed" in bringing({"litert": 1.0}, noise=0.05).verdict


def test_the_l3_of_a_raspberry_pi_5_is_the_llc() -> None:
    found = bringing({"litert": 1.3})
    assert found.evidence[0] == "The LLC of this core is the L3 (2 MiB, shared by 4 CPUs)."
    assert re.search(r"working set of an image is [\d.]+ MiB, [\d.]+ times that cache", found.evidence[1])


def test_loads_misses_and_their_ratio_stand_for_each_image_and_once() -> None:
    (litert,) = (line for line in asked(made_study(**SMALL)).evidence if line.startswith("litert"))
    each, once = re.findall(r"ll_cache_miss_rd, ([\d.]+) % \[.*?\] of its loads", litert)
    assert float(each) == pytest.approx(100 * 21 / 88, rel=0.02)
    assert float(once) == pytest.approx(100 * 2.4 / 5.2, rel=0.02)


def test_more_weights_may_miss_less() -> None:
    found = bringing({"keras": 0.5, "litert": 1.5}, {"keras": 4 * WEIGHTS, "litert": WEIGHTS})
    assert found.evidence[-1].startswith("keras reads 4 times the weights of litert and has 0.33")
    assert found.evidence[-1].endswith("its misses: more weights, yet fewer misses.")


def test_fewer_weights_may_miss_more_and_other_weights_as_much() -> None:
    found = bringing({"keras": 3.0, "litert": 1.5}, {"keras": WEIGHTS // 2, "litert": WEIGHTS})
    assert found.evidence[-1].endswith(": fewer weights, yet more misses.")
    found = bringing({"keras": 1.5, "litert": 1.5}, {"keras": 2 * WEIGHTS, "litert": WEIGHTS})
    assert found.evidence[-1].endswith(": other weights, yet no difference in misses is shown.")


def test_misses_that_go_with_the_weights_need_no_remark() -> None:
    found = bringing({"keras": 6.0, "litert": 1.5}, {"keras": 4 * WEIGHTS, "litert": WEIGHTS})
    assert re.search(
        r"keras reads 4 times the weights of litert and has [\d.]+ times \[.*\] its misses\.$", found.evidence[-1]
    )


def test_bytes_leave_out_prefetches_and_write_backs_and_others_share_the_cache() -> None:
    caveats = " ".join(bringing({"litert": 1.3}).caveats)
    assert "a lower bound for what moves between memory and caches" in caveats
    assert "prefetches may not be" in caveats
    assert "Other cores and processes share that cache" in caveats


def test_unread_files_leave_the_weights_unknown() -> None:
    found = asked(made_study(facts={"keras": {"network_lack": "its file was not at hand"}}, **SMALL))
    assert found.answered
    assert found.verdict.endswith("from memory; no weights are known.")
    assert (
        "Weights are not known of keras (its file was not at hand) and litert (its file was not read)." in found.caveats
    )
    assert not any("reads" in line for line in found.evidence)


def test_of_a_family_the_least_and_the_most_are_told() -> None:
    found = asked(family_study(**SMALL))
    assert re.search(
        r"of 4 models litert:int8 brings .*, the least, and keras:\w+ brings .*, the most\.$", found.verdict
    )
    assert any("at least as much as if no weight stayed" in line for line in found.evidence)
    assert any("or is prefetched uncounted" in line for line in found.evidence)
    assert any(line.startswith("litert:int8 reads 0.25 times the weights of litert:fp32") for line in found.evidence)


def test_of_many_models_only_the_ends_and_the_baseline_have_evidence() -> None:
    found = bringing({"keras": 9.0, "litert": 1.0} | {f"litert:{n}": 2.0 + n for n in range(4)})
    told = [line.partition(":")[0] for line in found.evidence if " ll_cache_rd" in line]
    assert told == ["keras", "litert"]
    assert "of 6 models litert brings" in found.verdict


def test_a_core_without_an_l3_is_asked_for_its_l2() -> None:
    found = on("cortex-a72", machine=replace(PI5, uarch="cortex-a72", board="Raspberry Pi 4", caches=PI4_CACHES))
    assert found.evidence[0] == "The last cache of this core is the L2 (1 MiB, shared by 4 CPUs): there is no L3."
    assert "from beyond the last cache by l2d_cache_refill_rd (proxy)" in found.verdict
    assert any("l2d_cache_rd (proxy) on this core: reads of the L2" in caveat for caveat in found.caveats)


def test_the_a53s_refills_are_its_last_caches_misses() -> None:
    found = on("cortex-a53", machine=replace(PI5, uarch="cortex-a53", board="Raspberry Pi 3", caches=PI4_CACHES))
    assert "from beyond the last cache by l2d_cache_refill (proxy)" in found.verdict
    said = re.search(r"litert brings ([\d.]+) MiB", found.verdict)
    assert said
    assert float(said[1]) == pytest.approx(91e3 * 64 / 2**20, rel=0.02)


def test_another_a76_may_mean_a_cache_outside_its_cluster() -> None:
    found = on("cortex-a76", "Another board")
    assert "unless its system names a cache outside the cores' cluster" in found.evidence[0]


def test_equal_reads_of_the_l3_settle_which_cache_it_is() -> None:
    truth = {
        label: {**counts, "l3d_cache_rd": tuple(1.004 * each for each in counts["ll_cache_rd"])}
        for label, counts in (("keras", KERAS), ("litert", LITERT))
    }
    said = on("cortex-a76", "Another board", event_set="lab,l3d_cache_rd", truth=truth).evidence[0]
    assert said.startswith(
        "The LLC of this core is the L3 (2 MiB, shared by 4 CPUs): l3d_cache_rd counts as many within"
    )
    other = {label: {**counts, "l3d_cache_rd": (9e6, 9e5)} for label, counts in (("keras", KERAS), ("litert", LITERT))}
    said = on("cortex-a76", "Another board", event_set="lab,l3d_cache_rd", truth=other).evidence[0]
    assert said.startswith(
        "The LLC of this core is no cache of its cluster's: ll_cache_rd differs from l3d_cache_rd by"
    )


def test_an_unknown_core_is_not_given_bytes() -> None:
    found = on("generic")
    assert not found.answered
    assert "LLC-load-misses (proxy)" in found.verdict
    assert found.verdict.endswith("and what that counts on this core is not known.")
    assert "MiB" not in found.verdict
    assert asks(found.command, "--models keras,litert --caches pi5")


def test_single_scaled_whole_runs_have_counts_and_no_bytes_an_image() -> None:
    def imported(run: Run) -> Run:
        counts = (replace(count, estimated=True, running_percent=None) for count in run.counts)
        return replace(run, counts=tuple(counts))

    whole = {"images": (10,), "repeats": 1, "regions": ("process",)}
    found = asked(made_study(event_set="cycles,LLC-loads,LLC-load-misses", change=imported, **whole))
    assert found.answered
    assert found.verdict.startswith("In a whole run of 10 images, the L3 (2 MiB, shared by 4 CPUs) misses")
    assert found.verdict.count("(scaled up)") == 4, "the counts and their ratios"
    assert found.verdict.count("of its loads") == 2
    assert "MiB [" not in found.verdict
    assert any("Whole runs of one image count include the start" in caveat for caveat in found.caveats)
    assert asks(found.command, "--images 1,2,5,10,20,40")


def test_loads_alone_do_not_answer() -> None:
    found = asked(made_study(absent={"ll_cache_miss_rd": "the counter is taken"}, **SMALL))
    assert not found.answered
    assert found.verdict.startswith("For each image, the L3 (2 MiB, shared by 4 CPUs) is read by ll_cache_rd: keras 3.")


def test_simulated_figures_answer_where_nothing_is_counted() -> None:
    found = asked(study_beside(facts={"litert": {"network": NETWORK}}, labels=("litert",), **SMALL))
    assert found.answered
    assert found.verdict.startswith(
        "Simulated by QEMU 7.2.22 (x86-64 instructions through the caches of Raspberry Pi 5)"
    )
    assert f"brings {203_482 * 64 / 2**20:.1f} MiB from memory" in found.verdict
    assert found.evidence[0].startswith("The LLC of the simulated Raspberry Pi 5 is the L3")
    assert found.evidence[1].startswith("litert, simulated: ")
    assert any("no hardware counters" in caveat for caveat in found.caveats)
    assert found.command == "profiler doctor"


def test_simulated_bytes_below_the_weights_show_that_a_part_stays() -> None:
    """For the modelled prefetcher's lines are among the simulated misses."""
    large = replace(NETWORK, weights_bytes=40 * 2**20)
    found = asked(virtual_study(labels=("litert",), facts={"litert": {"network": large}}))
    assert any("the modelled prefetcher brought are in these bytes" in caveat for caveat in found.caveats)
    assert found.verdict.endswith("less than its weights, so a part of them stays in the caches.")


def test_a_simulated_machine_without_an_l3_has_proxies() -> None:
    found = asked(study_beside(target="pi4", labels=("litert",), **SMALL))
    assert found.evidence[0] == (
        "The last cache of the simulated Raspberry Pi 4 is the L2 (1 MiB, shared by 4 CPUs): there is no L3."
    )
    assert "by l2d_cache_refill_rd (proxy)" in found.verdict


def test_measured_and_simulated_figures_have_their_own_sentences() -> None:
    found = asked(made_study(simulated=("inference",), **SMALL))
    assert "imulated" not in found.verdict
    first = next(place for place, line in enumerate(found.evidence) if "imulated" in line)
    assert found.evidence[first].startswith("Simulated by QEMU")
    assert all("imulated" in line for line in found.evidence[first:])


def test_a_virtual_board_names_the_sweep_for_a_real_one() -> None:
    assert asks(asked(virtual_study()).command, "--models keras,litert  # on a machine with hardware counters")


def test_without_pmu_and_simulation_a_simulation_is_named() -> None:
    hardware = ("cycles", "instructions", "LLC-loads", "LLC-load-misses", "ll_cache_rd", "ll_cache_miss_rd")
    absent = dict.fromkeys(hardware, "this machine shows no hardware counters")
    found = asked(made_study(machine=NO_PMU, absent=absent, groups=((),), **SMALL))
    assert not found.answered
    assert found.verdict == "Loads and misses of the last cache are not known: this machine shows no hardware counters."
    assert asks(found.command, "--models keras,litert --caches pi5")


def test_only_failed_runs_answer_nothing() -> None:
    found = asked(made_study(change=lambda run: replace(run, outcome="failed", counts=()), **SMALL))
    assert not found.answered
    assert found.evidence == ("The last cache of this machine is the L3 (2 MiB, shared by 4 CPUs).",)
    assert asks(found.command, "--models keras,litert")


def test_an_interval_around_the_weights_tells_nothing_of_them() -> None:
    wide = bringing({"litert": 1.0}, noise=0.6, regions=("process",))
    assert "so whether a part of them stays in the caches is not told" in wide.verdict
    assert "about as much" not in wide.verdict


def test_bytes_that_may_be_none_are_not_said_to_be_brought() -> None:
    truth = {"litert": {**LITERT, "ll_cache_miss_rd": (2.4e6, 0)}}
    found = asked(
        made_study(
            labels=("litert",), truth=truth, facts={"litert": {"network": NETWORK}}, regions=("process",), **SMALL
        )
    )
    assert "litert is not shown to bring anything from memory (" in found.verdict
    assert not re.search(r"brings \N{MINUS SIGN}", found.verdict)


def test_scaled_misses_mark_what_is_made_of_them() -> None:
    facts = {label: {"network": NETWORK} for label in ("keras", "litert")}
    found = asked(made_study(facts=facts, change=recounting("ll_cache_miss_rd", running_percent=60.0), **SMALL))
    assert found.verdict.count("(scaled up)") == 4, "bytes and times the weights, of two models"
    assert found.evidence[1].count("(scaled up)") == 4, "misses and their share of the loads, for each image and once"
    assert "(scaled up) its misses" in found.evidence[-1]


def test_what_stands_in_for_loads_is_not_called_loads() -> None:
    told = " ".join(on("cortex-a53").evidence)
    assert "of its l2d_cache" in told
    assert "of its loads" not in told


def test_one_command_asks_for_loads_and_misses() -> None:
    found = asked(made_study(event_set="tlb", **SMALL))
    assert asks(found.command, "--models keras,litert --events tlb,llc_load,llc_load_miss")


def test_simulated_misses_are_called_so_against_the_weights() -> None:
    facts = {label: {"network": NETWORK} for label in ("keras", "litert")}
    assert asked(virtual_study(facts=facts)).evidence[-1].endswith("times its simulated misses.")
