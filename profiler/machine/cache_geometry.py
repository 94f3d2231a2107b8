"""Which caches a simulator can model: what is wrong with a hierarchy, and what real ones are rounded to.

A simulated hierarchy is an instruction and a data cache and an L2 for each core or for all, and an L3 for all or none;
each with a power of two of sets, all with one line size.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from msgspec import structs

from profiler.records import Cache

SIMULATED = {(1, "Instruction"): "L1I", (1, "Data"): "L1D", (2, "Unified"): "L2", (3, "Unified"): "L3"}
_REQUIRED = ("L1I", "L1D", "L2")
_LARGEST_BYTES = 2**30
_MOST_WAYS = 1024
_LINE_BYTES = (16, 4096)
"""No simulated access is longer than 16 bytes, and so none touches more than two lines."""


def name(cache: Cache) -> str:
    """`L1D`, `L2` and so on; of a cache that no simulator models, in words."""
    return SIMULATED.get((cache.level, cache.type), f"a level {cache.level} {cache.type.lower()} cache")


def private(caches: Sequence[Cache], cache: Cache) -> bool:
    """Whether the cache belongs to one core: no more CPUs use it than use an L1, which hardware threads share."""
    alone = min((other.shared_by or 1 for other in caches if other.level == 1), default=1)
    return (cache.shared_by or 1) <= alone


def flaws(caches: Sequence[Cache], cpus: int) -> Iterator[str]:
    """Why these caches of a machine with so many CPUs cannot be simulated; nothing where they can."""
    names = [name(cache) for cache in caches]
    for cache in caches:
        yield from (f"{name(cache)}: {flaw}" for flaw in _flaws(cache, cpus))
    yield from (f"{twice} is there twice" for twice in sorted({twice for twice in names if names.count(twice) > 1}))
    yield from (f"there is no {missing}" for missing in _REQUIRED if missing not in names)
    if len({cache.line_bytes for cache in caches}) > 1:
        yield "the lines of its caches differ in size"
    yield from _sharing_flaws(sorted(caches, key=lambda cache: cache.level), cpus)


def _flaws(cache: Cache, cpus: int) -> Iterator[str]:
    """What is wrong with one cache by itself."""
    size, ways, line = cache.size_bytes, cache.ways, cache.line_bytes
    if (cache.level, cache.type) not in SIMULATED:
        yield "no such cache is simulated"
    if ways is None or line is None or cache.shared_by is None:
        yield "its ways, line size or sharing are unknown"
        return
    if not 1 <= cache.shared_by <= cpus:
        yield f"shared by {cache.shared_by} of {cpus} CPUs"
    if not _LINE_BYTES[0] <= line <= _LINE_BYTES[1] or not _power_of_two(line):
        yield f"a line of {line} bytes is not a power of two from {_LINE_BYTES[0]} to {_LINE_BYTES[1]}"
    elif not 1 <= ways <= _MOST_WAYS:
        yield f"{ways} ways are not 1 to {_MOST_WAYS}"
    elif not 0 < size <= _LARGEST_BYTES:
        yield f"a size of {size} bytes is not between 1 byte and 1 GiB"
    elif ways * line > size:
        yield f"{ways} ways of {line} bytes do not fit into {size} bytes"
    elif size % (ways * line) or not _power_of_two(size // (ways * line)):
        yield f"{size} bytes are not {ways} ways of {line} bytes in a power of two of sets"


def _sharing_flaws(ascending: Sequence[Cache], cpus: int) -> Iterator[str]:
    for near, far in pairwise(ascending):
        if near.level < far.level and (near.shared_by or 1) > (far.shared_by or 1):
            yield f"{name(far)} is shared by fewer CPUs than {name(near)}"
    for cache in ascending:
        if cache.level == 3 and private(ascending, cache) and (cache.shared_by or 1) < cpus:
            yield f"{name(cache)} is private: a simulated one is shared"


def _power_of_two(number: int) -> bool:
    return number > 0 and number & (number - 1) == 0


def rounded(cache: Cache) -> Cache:
    """The cache with its sets rounded down to a power of two, which its source then says.

    Real last-level caches hash addresses to slices and need no power of two.
    """
    if not cache.ways or not cache.line_bytes:
        return cache
    set_bytes = cache.ways * cache.line_bytes
    sets = cache.size_bytes // set_bytes
    size = set_bytes << (sets.bit_length() - 1) if sets else cache.size_bytes
    if size == cache.size_bytes:
        return cache
    cut = f"simulated with {size / 1024:g} of {cache.size_bytes / 1024:g} KiB: its sets are not a power of two"
    return structs.replace(cache, size_bytes=size, source=f"{cache.source}; {cut}")
