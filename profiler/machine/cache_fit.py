"""Which cache a number of bytes fits into. Pure."""

from collections.abc import Sequence

from profiler.records import Cache

_LETTERS = {"Data": "D", "Unified": ""}

Level = tuple[str, int]
"""A cache's name (`L1D`, `L2`) and its size in bytes."""


def levels(caches: Sequence[Cache]) -> tuple[Level, ...]:
    """The caches that hold data, from the core outwards; of several with one name the smallest."""
    holding = sorted((cache for cache in caches if cache.type in _LETTERS), key=lambda cache: cache.level)
    found: dict[str, int] = {}
    for cache in holding:
        name = f"L{cache.level}{_LETTERS[cache.type]}"
        found[name] = min(cache.size_bytes, found.get(name, cache.size_bytes))
    return tuple(found.items())


def fits(size_bytes: int, levels: Sequence[Level]) -> str | None:
    """Name of the first level that holds so many bytes; None where none does."""
    return next((name for name, holds in levels if size_bytes <= holds), None)
