import struct
from itertools import pairwise
from typing import Any

import flatbuffers
import numpy as np
import pytest
import tflite
from hypothesis import given
from hypothesis import strategies as st
from made_tflite import Graph, Op, T, constant, model

from profiler.modelfile.tflite.flatbuffer import ALLOWANCE, TABLE, Allowance, Damaged, Walk, content, far, share_out

ADD = tflite.BuiltinOperator.ADD
SMALL = model(Graph([T([3]), T([3], data=constant(3)), T([3])], [Op(ADD, [0, 1], [2])], [0], [2]))


def walked(data: bytes, kinds: dict[str, str] | None = None, allowance: int = ALLOWANCE) -> Walk:
    walk = Walk(memoryview(data), tflite, kinds or {}, Allowance(allowance))
    walk.claim(0, 8, "graph")
    walk.visit(tflite.Model.GetRootAs(data), "graph")
    return walk


def unclaimed(data: bytes, walk: Walk) -> list[tuple[int, int]]:
    return share_out(len(data), list(walk.claims.items()))[1]


def many(tables: int, apart: bool) -> bytes:
    """A model whose list of buffers has so many entries: all one empty table, or each its own with the same vtable."""
    head = bytearray(48)
    struct.pack_into("<I4s", head, 0, 32, b"TFL3")
    struct.pack_into("<7H", head, 8, 14, 8, 0, 0, 0, 0, 4)
    struct.pack_into("<2H", head, 24, 4, 4)
    struct.pack_into("<iI", head, 32, 32 - 8, 48 - 36)
    places = 52 + 4 * np.arange(tables)
    end = 52 + 4 * tables
    found = end + 4 * np.arange(tables if apart else 1)
    offsets, vtables = (found - places).astype("<u4"), (found - 24).astype("<i4")
    return bytes(head) + struct.pack("<I", tables) + offsets.tobytes() + vtables.tobytes()


def test_every_byte_of_a_made_file_is_reached_but_zeros() -> None:
    walk = walked(SMALL)
    assert not walk.newer
    assert not any(any(SMALL[start:stop]) for start, stop in unclaimed(SMALL, walk))


def test_a_field_of_its_own_kind_takes_all_below_it_along() -> None:
    data = model(Graph([T([3])], [], [0], [0]), metadata={"a name": b"content"})
    plain, told = walked(data), walked(data, {"Metadata": "metadata"})
    assert set(plain.claims) == {"graph"}
    assert set(told.claims) == {"graph", "metadata"}
    named = data.index(b"a name")
    assert any(start <= named and named + 7 <= stop for start, stop in told.claims["metadata"])
    assert unclaimed(data, plain) == unclaimed(data, told)


def test_a_buffers_data_is_found() -> None:
    data = model(Graph([T([3])], [], [0], [0]), unused=[b"some content"])
    buffer = tflite.Model.GetRootAs(data).Buffers(1)
    start, stop = content(buffer, "Data")
    assert data[start:stop] == b"some content"
    assert far(buffer) == (0, 0)
    assert content(tflite.Model.GetRootAs(data).Buffers(0), "Data") == (0, 0)


def test_data_behind_the_flatbuffer_is_found() -> None:
    data = model(Graph([T([3])], [], [0], [0]), unused=[b"some content", b"more"], far=True)
    buffers = tflite.Model.GetRootAs(data)
    assert [data[slice(*far(buffers.Buffers(index)))] for index in range(3)] == [b"", b"some content", b"more"]
    assert not any(any(data[start:stop]) for start, stop in unclaimed(data, walked(data)))


def test_options_of_a_newer_operator_are_said_to_be_unknown() -> None:
    assert walked(made_with_options(kind=200)).newer
    assert not walked(made_with_options(kind=tflite.BuiltinOptions.AddOptions)).newer


def made_with_options(kind: int) -> bytes:
    """A file with one operator whose options are of that class."""
    b = flatbuffers.Builder(256)
    tflite.AddOptionsStart(b)
    tflite.AddOptionsAddFusedActivationFunction(b, 1)
    options = tflite.AddOptionsEnd(b)
    tflite.OperatorStart(b)
    tflite.OperatorAddBuiltinOptionsType(b, kind)
    tflite.OperatorAddBuiltinOptions(b, options)
    operator = tflite.OperatorEnd(b)
    tflite.SubGraphStartOperatorsVector(b, 1)
    b.PrependUOffsetTRelative(operator)
    operators = b.EndVector()
    tflite.SubGraphStart(b)
    tflite.SubGraphAddOperators(b, operators)
    graph = tflite.SubGraphEnd(b)
    tflite.ModelStartSubgraphsVector(b, 1)
    b.PrependUOffsetTRelative(graph)
    graphs = b.EndVector()
    tflite.ModelStart(b)
    tflite.ModelAddSubgraphs(b, graphs)
    b.Finish(tflite.ModelEnd(b), b"TFL3")
    return bytes(b.Output())


def test_one_table_can_be_meant_many_times_and_is_claimed_once() -> None:
    data = many(1000, apart=False)
    assert unclaimed(data, walked(data)) == [(22, 24), (28, 32), (40, 48)]
    assert len(walked(data).claims["graph"]) < 10


@pytest.mark.parametrize("apart", [True, False])
def test_far_more_references_than_a_network_has_are_refused(apart: bool) -> None:
    assert not walked(many(100, apart), allowance=100 * 2 * TABLE).newer
    with pytest.raises(Damaged, match="far more"):
        walked(many(200, apart), allowance=100 * 2 * TABLE)


def test_many_tables_with_one_huge_vtable_are_refused() -> None:
    # 60,000 bytes of vtable, read for each of the tables.
    data = bytearray(many(200, apart=True))
    vtable = len(data)
    data += struct.pack("<2H", 60_000, 4) + bytes(60_000 - 4)
    for table in range(52 + 4 * 200, vtable, 4):
        struct.pack_into("<i", data, table, table - vtable)
    with pytest.raises(Damaged, match="far more"):
        walked(bytes(data))


@pytest.mark.parametrize(("place", "value"), [(32, -(2**31)), (32, 2**31 - 1), (36, 2**31 - 1), (48, 2**31 - 1)])
def test_offsets_and_lengths_that_lead_out_are_damage(place: int, value: int) -> None:
    data = bytearray(many(3, apart=True))
    struct.pack_into("<i", data, place, value)
    with pytest.raises((Damaged, struct.error, TypeError)):
        walked(bytes(data))


def test_a_claim_outside_the_file_is_damage() -> None:
    walk = Walk(memoryview(bytes(10)), tflite, {}, Allowance())
    for start, stop in ((-1, 3), (5, 4), (0, 11)):
        with pytest.raises(Damaged):
            walk.claim(start, stop, "graph")


SPAN = st.tuples(st.integers(0, 60), st.integers(0, 60)).map(lambda ends: (min(ends), max(ends)))


@given(st.lists(st.lists(SPAN, max_size=6), max_size=4))
def test_each_byte_falls_to_the_first_that_has_it(claims: list[list[tuple[int, int]]]) -> None:
    owners: list[Any] = [None] * 60
    for number, spans in reversed(list(enumerate(claims))):
        for start, stop in spans:
            owners[start:stop] = [number] * (stop - start)
    found, gaps = share_out(60, list(enumerate(claims)))
    assert found == {number: owners.count(number) for number in range(len(claims))}
    assert [place for gap in gaps for place in range(*gap)] == [i for i, owner in enumerate(owners) if owner is None]
    assert all(before[1] < after[0] for before, after in pairwise(gaps))
