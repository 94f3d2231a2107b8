"""Reuse distances of a process's addresses, as the cache simulator samples them (`cachesim/reuse.h`).

The distance of an access is the number of distinct cache lines touched since the last access to its line, by whatever
thread and as data or code. A fully associative LRU cache of C lines misses exactly where the distance is at least C.
"""

from pathlib import Path
from typing import NamedTuple

import msgspec
from msgspec import Struct

from profiler.errors import ProfilerError


class Reuse(NamedTuple):
    """What to sample.

    Attributes:
        one_in: Each sample follows one of so many lines, drawn by a hash; a power of two up to 65536, 1 for all lines.
        hands: Samples at once, without a common line; 1 to 8, at most `one_in`.
        seed: Of the hash.

    The defaults follow a quarter of the lines, which for an inference of the shipped LiteRT model takes 1.3 times the
    time of the caches alone and gives its misses at 512 KiB and 2 MiB with a standard error of 1 to 2 %.
    """

    one_in: int = 16
    hands: int = 4
    seed: int = 1


class Sample(Struct, frozen=True):
    """What one sample saw in the region; counts of its own lines and accesses, not scaled.

    Attributes:
        lines: Distinct lines touched: `first_never` and the sum of `first`.
        first_never: Of these, lines that the simulation had never seen: no cache has them.
        first: The others, by the distance of their first touch in the region. Entry i counts distances from `edges[i]`
            to below `edges[i + 1]`, the last all from its edge on.
        again: Further touches of lines in the region, by distance; none of distance 0.
    """

    lines: int
    first_never: int
    first: tuple[int, ...]
    again: tuple[int, ...]


class Distances(NamedTuple):
    """The samples of one process.

    Attributes:
        one_in: What a count of a sample stands for: so many lines, or accesses.
        edges: Distances in lines where the entries of a histogram begin; the first is 0.
    """

    line_bytes: int
    one_in: int
    edges: tuple[int, ...]
    samples: tuple[Sample, ...]


class _Written(Struct):
    line: int
    one_in: int
    edges: tuple[int, ...]
    samples: tuple[Sample, ...]


class _CurveFile(Struct):
    """Of what the plugin writes, the part that is read here."""

    regions: int
    reuse: _Written


def read(raw: Path) -> Distances:
    """The distances in the simulator's file.

    Raises:
        ProfilerError: There is no such file, it has no distances, or the region was never entered.
    """
    try:
        found = msgspec.json.decode(raw.read_bytes(), type=_CurveFile)
    except (OSError, msgspec.DecodeError):
        raise _unread("the emulator ended without its reuse distances") from None
    written = found.reuse
    if not found.regions:
        raise _unread("the region was never entered")
    if any(len(part) != len(written.edges) for sample in written.samples for part in (sample.first, sample.again)):
        raise _unread("the emulator's reuse distances are malformed")
    return Distances(written.line, written.one_in, written.edges, written.samples)


def _unread(cause: str) -> ProfilerError:
    return ProfilerError(cause, "look at what the process said; `profiler doctor` tries the simulator")
