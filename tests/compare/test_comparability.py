"""What keeps models, scopes and simulations apart."""

import pytest
from msgspec.structs import replace
from studies import made_study, study_beside

from profiler.compare import comparability
from profiler.records import Model, Simulation

STUDY = made_study(repeats=1, images=(1,))[0]
KERAS, LITERT = STUDY.models
SIMULATION = study_beside(repeats=1, images=(1,))[0].simulation


def only(pairs: tuple[comparability.ModelPair, ...]) -> comparability.ModelPair:
    (pair,) = pairs
    return pair


def test_the_same_file_pairs_under_its_label() -> None:
    assert [
        (pair.first.label, pair.second.label, pair.marks) for pair in comparability.paired(STUDY.models, STUDY.models)
    ] == [
        ("keras", "keras", ()),
        ("litert", "litert", ()),
    ]


def test_the_same_file_pairs_under_another_label_and_is_marked() -> None:
    pair = only(comparability.paired((LITERT,), (KERAS, replace(LITERT, label="tflite"))))
    assert pair.second.label == "tflite"
    assert pair.marks == ("the same file is litert in one study and tflite in the other",)


def test_another_file_of_the_same_label_is_another_model() -> None:
    other = replace(LITERT, sha256="ef56" * 16)
    assert comparability.paired((LITERT,), (other,)) == ()
    assert comparability.unlike_models(LITERT, other) == "another model file: sha256 cd34cd34cd34 and ef56ef56ef56"


@pytest.mark.parametrize("unknown", [(True, False), (False, True), (True, True)])
def test_an_unknown_file_pairs_by_label_and_is_marked(unknown: tuple[bool, bool]) -> None:
    first, second = (replace(LITERT, sha256="") if lacks else LITERT for lacks in unknown)
    pair = only(comparability.paired((first,), (KERAS, second)))
    assert pair.second is second
    assert "litert is not shown to be the same file in both studies (2.47 MiB and 2.47 MiB)" in pair.marks


def test_an_unknown_file_with_another_input_is_another_model() -> None:
    small = replace(LITERT, sha256="", input=replace(LITERT.input, shape=(1, 96, 96, 3)))
    assert comparability.paired((LITERT,), (small,)) == ()
    assert comparability.unlike_models(LITERT, small) == "another input: 1×150×150×3 and 1×96×96×3"


def test_a_model_that_is_in_one_study_only_has_no_pair() -> None:
    assert only(comparability.paired(STUDY.models, (KERAS,))).first is KERAS


def test_the_scope_must_be_the_same_where_it_is_told() -> None:
    user = replace(STUDY, scope="user")
    assert (
        comparability.unlike_scopes(STUDY, user)
        == "another scope: user mode and kernel and user mode alone were counted"
    )
    assert comparability.unlike_scopes(user, user) is None
    assert comparability.unlike_scopes(STUDY, replace(STUDY, scope="not told")) is None


def _with_cache(simulation: Simulation, level: int, size_bytes: int) -> Simulation:
    caches = tuple(
        replace(cache, size_bytes=size_bytes) if cache.level == level else cache for cache in simulation.target.caches
    )
    return replace(simulation, target=replace(simulation.target, caches=caches))


def test_simulations_must_be_of_one_simulator_instruction_set_and_geometry() -> None:
    first = SIMULATION
    assert first is not None
    others = {
        "another simulator": replace(first, source="valgrind", version="valgrind-3.19.0"),
        "another instruction set": replace(first, arch="aarch64"),
        "another number of simulated cores": replace(first, cores=4),
        "another simulated prefetcher": replace(first, target=replace(first.target, prefetch={"kind": "none"})),
        "other simulated caches": _with_cache(first, 3, 2**22),
    }
    assert comparability.unlike_simulations(first, first) is None
    for reason, other in others.items():
        assert (comparability.unlike_simulations(first, other) or "").startswith(reason)
        assert (comparability.unlike_simulations(other, first) or "").startswith(reason)


def test_who_says_so_is_no_geometry() -> None:
    first = SIMULATION
    assert first is not None
    caches = tuple(replace(cache, source="elsewhere") for cache in reversed(first.target.caches))
    assert comparability.unlike_simulations(first, replace(first, target=replace(first.target, caches=caches))) is None


def test_latencies_decide_the_modelled_latency_alone() -> None:
    first = SIMULATION
    assert first is not None
    slower = replace(first, target=replace(first.target, latency_cycles={"memory": 999.0}))
    assert comparability.unlike_simulations(first, slower) is None
    assert comparability.unlike_latencies(first, slower) == "other latencies of the modelled caches"


def test_models_are_named_by_their_own_labels() -> None:
    models: tuple[Model, ...] = (LITERT, replace(LITERT, label="again"))
    assert [pair.second.label for pair in comparability.paired(models, models)] == ["litert", "again"]
