from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from studies import PI5

from profiler.machine.cache_geometry import flaws, name, private, rounded
from profiler.records import Cache

KIB = 1024
L1I, L1D, L2, L3 = range(4)
"""Places in CACHES."""


def a_cache(level: int, kind: Any, kib: int, ways: int | None, shared_by: int = 1, line: int | None = 64) -> Cache:
    return Cache(
        level=level, type=kind, size_bytes=kib * KIB, ways=ways, line_bytes=line, shared_by=shared_by, source="made"
    )


CACHES = (
    a_cache(1, "Instruction", 64, 4),
    a_cache(1, "Data", 64, 4),
    a_cache(2, "Unified", 512, 8),
    a_cache(3, "Unified", 2048, 16, shared_by=4),
)


def changed(place: int, **changes: Any) -> list[Cache]:
    return [*CACHES[:place], replace(CACHES[place], **changes), *CACHES[place + 1 :]]


def without(*places: int) -> list[Cache]:
    return [cache for place, cache in enumerate(CACHES) if place not in places]


@pytest.mark.parametrize(
    "caches",
    [
        CACHES,
        PI5.caches,
        without(L3),
        changed(L2, shared_by=4),
        changed(L1I, size_bytes=48 * KIB, ways=3),
        [replace(cache, shared_by=max(2, cache.shared_by or 0)) for cache in CACHES],
        [replace(cache, line_bytes=128) for cache in CACHES],
    ],
    ids=["four", "pi5", "no L3", "shared L2", "three ways", "two threads a core", "long lines"],
)
def test_what_can_be_simulated_has_no_flaw(caches: Sequence[Cache]) -> None:
    assert list(flaws(caches, 4)) == []


@pytest.mark.parametrize(
    ("caches", "flaw"),
    [
        (changed(L2, size_bytes=500 * KIB), "L2: 512000 bytes are not 8 ways of 64 bytes in a power of two of sets"),
        (changed(L2, size_bytes=512 * KIB + 1), "in a power of two of sets"),
        (changed(L2, size_bytes=768 * KIB), "in a power of two of sets"),
        (changed(L1D, size_bytes=0), "L1D: a size of 0 bytes"),
        (changed(L1D, size_bytes=-64), "L1D: a size of -64 bytes"),
        (changed(L3, size_bytes=2**31), "L3: a size of 2147483648 bytes"),
        (changed(L1D, ways=0), "L1D: 0 ways"),
        (changed(L1D, ways=-4), "L1D: -4 ways"),
        (changed(L1D, ways=1025), "L1D: 1025 ways are not 1 to 1024"),
        (changed(L1D, size_bytes=32 * KIB, ways=1024), "L1D: 1024 ways of 64 bytes do not fit into 32768 bytes"),
        (changed(L1D, line_bytes=48), "L1D: a line of 48 bytes is not a power of two"),
        (changed(L1D, line_bytes=8), "L1D: a line of 8 bytes"),
        (changed(L1D, line_bytes=0), "L1D: a line of 0 bytes"),
        (changed(L1D, line_bytes=None), "L1D: its ways, line size or sharing are unknown"),
        (changed(L3, ways=None), "L3: its ways, line size or sharing are unknown"),
        (changed(L3, shared_by=None), "L3: its ways, line size or sharing are unknown"),
        (changed(L1D, line_bytes=32, ways=8), "the lines of its caches differ in size"),
        (without(L1I), "there is no L1I"),
        (without(L1D), "there is no L1D"),
        (without(L2), "there is no L2"),
        ([], "there is no L1I"),
        ([*CACHES, CACHES[L2]], "L2 is there twice"),
        ([*CACHES, a_cache(4, "Unified", 4096, 16, shared_by=4)], "a level 4 unified cache: no such cache"),
        (changed(L1D, type="Unified"), "a level 1 unified cache: no such cache"),
        (changed(L2, type="Data"), "a level 2 data cache: no such cache"),
        (changed(L2, shared_by=0), "L2: shared by 0 of 4 CPUs"),
        (changed(L2, shared_by=5), "L2: shared by 5 of 4 CPUs"),
        (changed(L3, shared_by=1), "L3 is private"),
        (changed(L1D, shared_by=2), "L2 is shared by fewer CPUs than L1D"),
    ],
)
def test_what_cannot_be_simulated_is_said(caches: Sequence[Cache], flaw: str) -> None:
    assert any(flaw in found for found in flaws(caches, 4))


sizes = st.one_of(st.integers(-1, 2**32), st.integers(0, 22).map(lambda power: 2**power))


@given(size=sizes, ways=st.integers(-1, 64), line=st.integers(-1, 8192) | st.sampled_from([16, 32, 64, 128]))
def test_an_accepted_geometry_adds_up(size: int, ways: int, line: int) -> None:
    caches = [replace(cache, size_bytes=size, ways=ways, line_bytes=line) for cache in CACHES]
    if not list(flaws(caches, 4)):
        sets = size // (ways * line)
        assert size == sets * ways * line
        assert sets.bit_count() == line.bit_count() == 1


@given(kib=st.integers(1, 2**18), ways=st.integers(1, 24))
def test_rounding_makes_any_real_size_simulable_and_loses_less_than_half(kib: int, ways: int) -> None:
    real = a_cache(3, "Unified", kib, ways, shared_by=4)
    if real.size_bytes < ways * 64:
        return
    usable = rounded(real)
    assert list(flaws([*without(L3), usable], 4)) == []
    assert real.size_bytes / 2 < usable.size_bytes <= real.size_bytes
    assert (usable == real) == (not list(flaws([*without(L3), real], 4)))


def test_rounding_says_what_it_did() -> None:
    usable = rounded(a_cache(3, "Unified", 36 * KIB, 12, shared_by=4))
    assert usable.size_bytes == 24 * KIB * KIB
    assert usable.source == "made; simulated with 24576 of 36864 KiB: its sets are not a power of two"


@pytest.mark.parametrize("cache", [CACHES[L2], a_cache(3, "Unified", 36, None), a_cache(2, "Unified", 0, 8)])
def test_nothing_to_round(cache: Cache) -> None:
    assert rounded(cache) == cache


def test_an_l2_of_one_core_is_private_whatever_its_threads() -> None:
    two_threads = [replace(cache, shared_by=2) for cache in CACHES]
    assert private(CACHES, CACHES[L2])
    assert private(two_threads, two_threads[L2])
    assert not private(changed(L2, shared_by=2), replace(CACHES[L2], shared_by=2))
    assert not private(CACHES, CACHES[L3])


def test_names() -> None:
    assert [name(cache) for cache in CACHES] == ["L1I", "L1D", "L2", "L3"]
