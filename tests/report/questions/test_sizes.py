"""Question 2 on made studies whose truth is known: the file's size against what an inference touches and costs."""

import re

import pytest
from made_networks import made_network, made_resident
from msgspec.structs import replace
from reading import asks, number
from studies import KERAS, LITERT, PI5, family_study, made_study, virtual_study

from profiler.analysis.stats import mean
from profiler.analysis.study_analysis import analyse
from profiler.records import Model, Run, Study
from profiler.report.model import Question
from profiler.report.questions.memory_footprint import resident
from profiler.report.questions.sizes import file_ratio_holds, misleads, sizes

SMALL = {"images": (1, 5, 10), "repeats": 3, "noise": 0.001}
MIB = 2**20
Truth = dict[str, tuple[float, float]]


def asked(made: tuple[Study, tuple[Run, ...]]) -> Question:
    study, runs = made
    return sizes(study, analyse(study, runs))


def family(*labels: str, **recipe: object) -> Question:
    return asked(family_study(labels=labels, **SMALL | recipe)) if labels else asked(family_study(**SMALL | recipe))


def half(truth: Truth) -> Truth:
    return {name: (fixed / 2, each / 2) for name, (fixed, each) in truth.items()}


def test_a_file_that_is_larger_by_the_optimisers_state_alone_has_the_same_working_set_and_cost() -> None:
    found = family("keras:saved", "keras:weights", noise=0.01)
    assert number(found.verdict.split("keras:saved has ")[1]) == pytest.approx(2.92, rel=0.01)
    assert "the same working set (4.15 MiB)" in found.verdict
    assert found.verdict.endswith("the ratio of the files is not that of the working sets nor of the costs.")
    assert any("66 %" in each and "the optimiser's state, which no inference reads" in each for each in found.evidence)
    assert any(each.startswith("Here a smaller file does not go with a smaller cost: ") for each in found.evidence)


def test_equal_files_of_unequal_cost() -> None:
    found = family("keras:weights", "litert:fp32")
    assert re.search(r"12\.\d+ \[12\.\d+, 1[23]\.\d+\] times the time \(duration_time\) for each image", found.verdict)
    assert found.verdict.endswith("the ratio of the files is that of the working sets, but not that of the costs.")
    assert any("25 M multiply-accumulates, so their number does not account" in each for each in found.evidence)


def test_a_larger_file_that_costs_less_is_told() -> None:
    truth = {"keras:saved": half(LITERT), "litert:fp32": LITERT}
    (told,) = (each for each in family("keras:saved", "litert:fp32", truth=truth).evidence if "does not go" in each)
    assert number(told.split("keras:saved with ")[1]) == pytest.approx(2.93, rel=0.01)
    assert number(told.split("takes ")[1]) == pytest.approx(0.5, rel=0.01)


def test_a_smaller_file_that_costs_less_is_no_surprise() -> None:
    truth = {"litert:fp32": KERAS, "litert:int8": LITERT}
    assert not any("does not go" in each for each in family("litert:fp32", "litert:int8", truth=truth).evidence)


def test_a_cost_that_goes_with_the_file_is_said_to() -> None:
    network = made_network()
    double = made_network(size_bytes=2 * network.size_bytes, shares=network.shares, weights_bytes=network.weights_bytes)
    facts = {
        "keras": {"network": double, "size_bytes": double.size_bytes},
        "litert": {"network": network, "size_bytes": network.size_bytes},
    }
    twice = {name: (fixed * 2, each * 2) for name, (fixed, each) in LITERT.items()}
    found = asked(made_study(facts=facts, truth={"keras": twice, "litert": LITERT}, **SMALL))
    assert found.verdict.endswith("the ratio of the files is that of the costs, but not that of the working sets.")


def test_of_a_family_the_ends_and_every_model_beside_the_baseline() -> None:
    found = family()
    assert found.verdict.startswith("From the least to the most the models differ in file 10.6 times, from 466 KiB")
    assert "in working set 4 times, from 1.04 MiB (litert:int8) to 4.15 MiB (keras:saved)" in found.verdict
    assert found.verdict.endswith("they are alike in resident memory (6.5 MiB).")
    beside = found.evidence[0]
    assert beside.startswith(
        "Times the file, working set and time for each image of litert:fp32: keras:saved 2.93, 1 and "
    )
    assert number(beside.split("litert:int8 0.278, 0.25 and ")[1]) == pytest.approx(0.6, rel=0.01)
    assert found.answered
    assert found.shown[:3] == ("sizes", "files", "needs")


def test_of_one_model_there_is_no_ratio_with_another() -> None:
    found = family("litert:fp32")
    assert found.verdict == (
        "Of litert:fp32, its file is 1.64 MiB, its weights are 1.58 MiB (0.963 times the file), its resident memory is "
        "6.5 MiB (3.96 times the file) and its working set is 4.15 MiB (2.53 times the file)."
    )
    assert not any("beside" in each or "Times the" in each for each in found.evidence)


def test_caches_that_hold_weights_and_working_sets_are_named() -> None:
    (told,) = (each for each in family().evidence if each.startswith("Against the caches of this machine"))
    assert "(L1D 64 KiB, L2 512 KiB, L3 2 MiB)" in told
    assert "litert:int8 (weights: fits L2, spills L1D; working set: fits L3, spills L1D and L2)" in told
    assert "keras:saved, keras:weights and litert:fp32 (weights: fits L3" in told
    assert not any("caches" in each for each in family(machine=replace(PI5, caches=())).evidence)


def test_simulated_caches_and_costs_are_called_simulated() -> None:
    facts = {label: {"network": made_network()} for label in ("keras", "litert")}
    found = asked(virtual_study(facts=facts))
    assert "and 13.0 times the simulated instructions (inst_retired) for each image" in found.verdict
    assert any(each.startswith("Against the simulated caches of Raspberry Pi 5 (") for each in found.evidence)
    assert not any("this machine" in each or "at its peak" in each for each in found.evidence)


def test_work_of_different_amount_is_listed_and_explains_nothing() -> None:
    facts = {
        "keras": {"network": made_network()},
        "litert": {"network": made_network(operators=made_network().operators[:1])},
    }
    told = [each for each in asked(made_study(facts=facts, **SMALL)).evidence if "accumulates" in each]
    assert told == ["Multiply-accumulates of an inference: keras 25 M and litert 4.86 M."]


def test_equal_work_and_equal_cost_leave_nothing_to_account_for() -> None:
    found = family("keras:saved", "keras:weights", noise=0.01)
    assert "An inference of each model computes 25 M multiply-accumulates." in found.evidence


def test_resident_memory_is_what_the_engine_and_the_files_pages_take() -> None:
    study, _ = family_study(**SMALL)
    assert resident(study.models[0]) == 6.5 * MIB
    assert resident(replace(study.models[0], resident=None)) is None
    assert resident(replace(study.models[0], resident=made_resident(first_bytes=0))) == 3.5 * MIB
    told = [each for each in family("keras:weights", "litert:fp32").evidence if "esident after" in each]
    assert told[0].count("5 MiB of the engine's own and 1.5 MiB of the file") == 2


def test_the_whole_process_has_its_peak_with_an_interval() -> None:
    (told,) = (each for each in family("keras:weights", "litert:fp32").evidence if "at its peak" in each)
    assert number(told.split("litert:fp32 ")[1]) == pytest.approx(58, rel=0.01)
    assert number(told.split("keras:weights ")[1]) == pytest.approx(640, rel=0.01)
    assert told.count("[") == 2


def test_an_imported_study_has_nothing_but_rounded_files_and_says_so() -> None:
    lack = "the file was not at hand"
    facts = {
        label: {"sha256": "", "size_bytes": size, "network_lack": lack, "file": f"lab.{label}"}
        for label, size in (("keras", 9_000_000), ("litert", 3_000_000))
    }
    study, runs = made_study(facts=facts, images=(10,), repeats=1, regions=("process",))
    plan = replace(study.plan, models=("keras=lab.keras", "litert=lab.litert"))
    found = asked((replace(study, plan=plan, imported_from="a table"), runs))
    assert not found.answered
    assert found.verdict.startswith(
        "Only the size of the file is known (keras 8.58 MiB and litert 2.86 MiB, 3 times, as"
    )
    assert "as their source rounds it" in found.verdict
    assert found.verdict.endswith(f"for {lack}.")
    assert asks(found.command, "--models keras=lab.keras,litert=lab.litert")


def test_a_model_of_which_nothing_is_known_is_named() -> None:
    facts = {"keras": {"network": made_network()}, "litert": {"network_lack": "it is damaged"}}
    found = asked(made_study(facts=facts, **SMALL))
    assert not found.answered
    assert "Of litert nothing but the size of its file is known: it is damaged." in found.caveats
    assert "weights" not in found.verdict
    assert "whether working sets" not in found.verdict


def test_without_any_good_run_sizes_are_told_all_the_same() -> None:
    found = family(change=lambda run: replace(run, outcome="failed", counts=(), completion=None, error="gone"))
    assert found.answered
    assert "file 10.6 times" in found.verdict
    assert " and n/a" in found.evidence[0]


@pytest.mark.parametrize(
    ("file", "other", "holds"),
    [
        (2, 2.1, True),
        (2, 2.3, False),
        (0.25, 0.26, True),
        (2, mean([2.0, 2.01, 1.99, 2.0]), True),
        (2, mean([1.0, 2.0, 3.0, 2.9]), None),
        (2, mean([4.0] * 4), False),
    ],
)
def test_when_a_ratio_is_the_files(file: float, other: float, holds: bool | None) -> None:
    assert file_ratio_holds(file, other) is holds


@pytest.mark.parametrize(
    ("file", "found", "expected"),
    [
        (0.5, "less", False),
        (0.5, "same", True),
        (0.5, "more", True),
        (2, "less", True),
        (2, "same", True),
        (2, "more", False),
        (1.05, "more", False),
        (0.5, "not told", False),
    ],
)
def test_when_a_files_size_misleads(file: float, found: str, expected: bool) -> None:
    assert misleads(file, found) is expected  # type: ignore[arg-type]


def test_models_have_their_sizes_rounded_where_their_file_was_not_at_hand() -> None:
    def imported(model: Model) -> Model:
        return replace(model, sha256="")

    study, runs = family_study(**SMALL)
    found = asked((replace(study, models=(imported(study.models[0]), *study.models[1:])), runs))
    assert "The size of the file of keras:saved is as its source rounds it." in found.caveats
