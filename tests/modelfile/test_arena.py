from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.modelfile import dtypes
from profiler.modelfile.arena import Buffer, least, planned

LAST = 8


@st.composite
def lives(draw: st.DrawFn) -> Buffer:
    first = draw(st.integers(-1, LAST))
    return Buffer(draw(st.integers(0, 1000)), first, draw(st.integers(max(first, 0), LAST)))


BUFFERS = st.lists(lives(), max_size=12)


def test_without_activations_nothing_is_needed() -> None:
    assert least([]) == planned([]) == 0
    assert planned([Buffer(0, 0, 3)]) == 0


def test_a_chain_needs_two_neighbours_at_a_time() -> None:
    chain = [Buffer(64 * size, place - 1, place) for place, size in enumerate((1, 5, 2, 4))]
    assert least(chain) == 64 * 7
    assert planned(chain) == 64 * 7


def test_buffers_that_never_live_together_share_a_place() -> None:
    assert planned([Buffer(128, 0, 1), Buffer(64, 2, 3)]) == 128


def test_a_place_begins_on_the_alignment() -> None:
    assert planned([Buffer(65, 0, 1), Buffer(10, 0, 1)]) == 128 + 10
    assert planned([Buffer(65, 0, 1), Buffer(10, 0, 1)], align=1) == 75


def test_what_lives_throughout_is_placed_first_though_it_is_small() -> None:
    # By size alone the small one would lie behind the large ones, and the arena end with it.
    small, large, later = Buffer(4, -1, 3), Buffer(640, 0, 1), Buffer(640, 2, 2)
    assert planned([large, later, small]) == 64 + 640


def test_the_smallest_gap_that_fits_is_taken() -> None:
    early = [Buffer(448, 1, 1), Buffer(440, 1, 3), Buffer(256, 1, 1), Buffer(256, 1, 3)]
    # They leave gaps of 448 and 256 bytes. Were the first of these put into the larger, the last would find none.
    late = [Buffer(256, 2, 3), Buffer(224, 2, 3), Buffer(224, 2, 3)]
    outlasting = Buffer(1, 4, 4)
    assert planned([*early, *late, outlasting], align=1) == sum(buffer.size_bytes for buffer in early)


@given(BUFFERS)
def test_a_plan_lies_between_what_is_alive_and_all_that_ever_is(buffers: list[Buffer]) -> None:
    sums = [sum(one.size_bytes for one in buffers if one.first <= at <= one.last) for at in range(-1, LAST + 1)]
    alive = max(sums)
    assert least(buffers) == alive
    assert alive <= planned(buffers, align=1)
    assert planned(buffers) <= sum(-(-buffer.size_bytes // 64) * 64 for buffer in buffers)


@given(BUFFERS, st.integers(1, 5))
def test_twice_the_sizes_take_twice_the_arena(buffers: list[Buffer], times: int) -> None:
    aligned = [buffer._replace(size_bytes=64 * buffer.size_bytes) for buffer in buffers]
    larger = [buffer._replace(size_bytes=times * buffer.size_bytes) for buffer in aligned]
    assert planned(larger) == times * planned(aligned)


def test_sizes_beyond_32_bits_are_added_up() -> None:
    assert planned([Buffer(2**40, 0, 1), Buffer(2**40, 0, 1)]) == least([Buffer(2**41, 0, 1)])


@pytest.mark.parametrize("name", ["float32", "float16", "float64", "int8", "uint16", "int64", "bool", "complex64"])
def test_a_type_that_numpy_has_is_as_wide_as_numpys(name: str) -> None:
    assert dtypes.bits(name) == 8 * np.dtype(name).itemsize


@pytest.mark.parametrize(
    ("name", "bits"),
    [("int4", 4), ("int2", 2), ("uint4", 4), ("bfloat16", 16), ("float8_e4m3fn", 8), ("float8_e5m2", 8)],
)
def test_a_type_that_numpy_lacks_has_its_width(name: str, bits: int) -> None:
    assert dtypes.bits(name) == bits


@pytest.mark.parametrize("name", ["string", "resource", "variant", "type 99", "", "int", "float", "xint8"])
def test_a_type_without_a_width_has_none(name: str) -> None:
    assert dtypes.bits(name) is None
    assert dtypes.size_bytes(name, 3) is None


def test_narrow_types_are_packed() -> None:
    sizes = [dtypes.size_bytes("int4", elements) for elements in range(6)]
    assert sizes == [0, 1, 1, 2, 2, 3]
    assert all(later - earlier in (0, 1) for earlier, later in pairwise(size for size in sizes if size is not None))
