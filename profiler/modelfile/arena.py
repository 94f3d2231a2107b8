"""Memory for activations: what is alive at one time, and what a planner makes of it."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Offsets = NDArray[np.int64]


class Buffer(NamedTuple):
    """Memory for an activation, or for several that share it.

    Attributes:
        first: Index of the operator that makes it; -1 for an input of the network, which is there before the first.
        last: Of the last that reads it; the number of operators where it stays to the end.
    """

    size_bytes: int
    first: int
    last: int


def least(buffers: Sequence[Buffer]) -> int:
    """The largest sum of the bytes alive at one operator: no plan that moves nothing needs less."""
    if not buffers:
        return 0
    sizes, first, last = _columns(buffers)
    change = np.zeros(last.max() + 2 - first.min(), np.int64)
    np.add.at(change, first - first.min(), sizes)
    np.add.at(change, last + 1 - first.min(), -sizes)
    return int(change.cumsum().max())


def planned(buffers: Sequence[Buffer], align: int = 64) -> int:
    """Bytes of an arena in which each buffer has one place for its whole life, planned greedily by size.

    Largest first, each into the smallest gap that holds it among the buffers that live while it does, else behind them:
    Y. Pisarchyk, J. Lee, "Efficient Memory Management for Deep Neural Net Inference", arXiv:2001.03288 (2020). As
    LiteRT does it (arena_planner.cc, simple_memory_arena.cc): what lives from the first operator to the end is placed
    before all else, in the order given; equal sizes in the order in which they are made; a gap that begins off the
    alignment counts with the bytes that are lost to it when it is compared with later ones.
    """
    sizes, first, last = _columns([buffer for buffer in buffers if buffer.size_bytes])
    if not sizes.size:
        return 0
    end = last.max()
    throughout = (first <= 0) & (last == end)
    by_size = np.lexsort((first, -sizes))
    order = [*np.flatnonzero(throughout), *by_size[~throughout[by_size]]]
    starts = np.empty_like(sizes)
    placed = np.empty(0, np.intp)
    for buffer in order:
        together = placed[(last[placed] >= first[buffer]) & (first[placed] <= last[buffer])]
        start = _place(starts[together], sizes[together], int(sizes[buffer]), align)
        starts[buffer] = start
        placed = np.insert(placed, np.searchsorted(starts[placed], start, side="right"), buffer)
    return int((starts + sizes).max())


def _columns(buffers: Sequence[Buffer]) -> Offsets:
    return np.array(buffers, np.int64).reshape(-1, len(Buffer._fields)).T


def _place(starts: Offsets, sizes: Offsets, size: int, align: int) -> int:
    """Where a buffer goes among those that live while it does, given in the order of their places."""
    ends = np.maximum.accumulate(np.concatenate(([0], starts + sizes)))
    aligned = -(-ends // align) * align
    best, smallest = int(aligned[-1]), None
    for gap in np.flatnonzero(aligned[:-1] + size <= starts):
        if smallest is None or starts[gap] - aligned[gap] < smallest:
            best, smallest = int(aligned[gap]), int(starts[gap] - ends[gap])
    return best
