"""Which cache a number of bytes fits into."""

import pytest
from msgspec.structs import replace
from studies import PI5

from profiler.machine.cache_fit import fits, levels


def test_levels_are_the_caches_that_hold_data_from_the_core_outwards() -> None:
    assert levels(PI5.caches) == (("L1D", 65536), ("L2", 524288), ("L3", 2097152))
    assert levels(tuple(reversed(PI5.caches))) == levels(PI5.caches)
    assert levels(()) == ()


def test_of_caches_with_one_name_the_smallest_counts() -> None:
    small = replace(PI5.caches[2], size_bytes=131072)
    assert dict(levels((*PI5.caches, small)))["L2"] == 131072


@pytest.mark.parametrize(
    ("size", "name"), [(0, "L1D"), (65536, "L1D"), (65537, "L2"), (2097152, "L3"), (2097153, None)]
)
def test_bytes_fit_into_the_first_level_that_is_as_large(size: int, name: str | None) -> None:
    assert fits(size, levels(PI5.caches)) == name


def test_nothing_fits_where_no_cache_is_known() -> None:
    assert fits(1, ()) is None
