"""One model file's inspection as tables."""

from pathlib import Path

import pytest
from made_networks import made_network, made_operator, made_resident, made_taken
from made_tflite import Graph, Op, T, constant, model
from msgspec import structs
from reading import shown

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.machine import targets
from profiler.measure import inspection
from profiler.records import Engine
from profiler.report.sections.model_inspection import tables

PI5 = targets.find("pi5")
ENGINE = Engine(package="ai-edge-litert", version="2", call="invoke", threads=1, delegate="XNNPACK")


def named(key: str, **given: object) -> dict[str, str]:
    """Rows of a table by their heads."""
    asked = {"network": made_network(), "engine": None, "resident": None, "target": PI5, "every": True} | given
    found = {each.key: shown(each) for each in tables(**asked)}  # type: ignore[arg-type]
    return {row[0]: row[1] for row in found[key].rows}


def test_parts_add_up_to_the_file() -> None:
    rows = named("bytes")
    sizes = {part: int(size.replace(",", "")) for part, size in rows.items()}
    assert sizes.pop("the file") == sum(sizes.values())


def test_memory_is_told_where_it_was_seen() -> None:
    assert not any("resident" in head for head in named("needs"))
    resident = made_resident(load_bytes=3 * 2**20, first_bytes=2**20, file_bytes=2**19)
    rows = named("needs", resident=resident)
    assert rows["resident after load"].startswith("4 MiB")
    assert rows["resident of the file"].startswith("512 KiB")
    before = structs.replace(resident, first_bytes=None)
    assert named("needs", resident=before)["resident after load"].startswith("3 MiB")


def test_operators_are_held_against_each_cache() -> None:
    sizes = (2**16, 2**16 + 1, 2**19, 2**21, 2**21 + 1, None)
    found = made_network(operators=tuple(made_operator(input_bytes=size, macs=10) for size in sizes), arena_bytes=None)
    rows = named("caches", network=found)
    assert rows["first fit L1D (64 KiB)"] == "1 operator, 17 % of MACs"
    assert rows["first fit L2 (512 KiB)"].startswith("2 operators")
    assert rows["first fit L3 (2 MiB)"].startswith("1 operator")
    assert rows["fit none of them"].startswith("1 operator")
    assert rows["not known of"] == "1 operator"
    assert rows["whole inference"] == "n/a"
    every = named("each", network=found)
    assert list(every.values()) == ["64 KiB", "64 KiB", "512 KiB", "2 MiB", "2 MiB", "n/a"]


def test_the_delegates_share_is_a_column() -> None:
    with_delegate = structs.replace(ENGINE, operators=made_taken({"CONV_2D": 1}))
    found = next(
        each for each in tables(made_network(), with_delegate, None, PI5, every=False) if each.key == "operators"
    )
    assert shown(found).columns[-1] == "delegate\ntook"


def test_a_custom_operator_and_several_inputs_are_described(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    path = tmp_path / "two.tflite"
    shape = (1, 4)
    tensors = (T(shape), T(shape), T(shape, data=constant(*shape)), T(shape))
    path.write_bytes(model(Graph(tensors, (Op("MyOwn", (0, 1, 2), (3,)),), (0, 1), (3,))))
    found = inspection.inspect(path, load=True)
    assert [operator.custom for operator in found.network.operators] == [True]
    assert len(found.network.signatures[0].inputs) == 2
    assert found.look is None
    assert "MyOwn" in str(found.look_lack)


def test_no_model_is_a_line(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(b"nothing")
    with pytest.raises(ProfilerError, match="is not a model"):
        modelfile.facts(path)
