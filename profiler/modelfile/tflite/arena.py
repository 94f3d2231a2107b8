"""What a .tflite graph's activations need of memory: which share a place, and when each is alive, as LiteRT has it."""

from collections.abc import Sequence
from itertools import chain
from math import prod
from typing import NamedTuple

from profiler.modelfile.arena import Buffer
from profiler.modelfile.tflite.graph import Step, TfliteGraph

SAME_BYTES = frozenset({"BITCAST", "EXPAND_DIMS", "RESHAPE", "SQUEEZE"})
"""Operators whose output is their first input's bytes, which LiteRT leaves where they are."""
IN_PLACE = {"ADD": 2, "SUB": 2, "MUL": 2, "DIV": 2, "SOFTMAX": 1, "DYNAMIC_UPDATE_SLICE": 1}
"""Operators that LiteRT lets write over one of their first so many inputs, if nothing else reads it."""
SCALAR_BYTES = 4
"""An input no larger than this is not written over."""

HYBRID = frozenset({"CONV_2D", "DEPTHWISE_CONV_2D", "FULLY_CONNECTED"})
"""Operators that LiteRT's own kernels do in whole numbers where float activations meet quantised weights."""
QUANTISED = frozenset({"int4", "int8"})


class _Life(NamedTuple):
    """When a buffer is made and last read; `last` is None for one that nothing reads."""

    size_bytes: int
    first: int
    last: int | None


def activations(graph: TfliteGraph) -> tuple[list[Buffer], list[Buffer]]:
    """The memory for a graph's activations, as it is needed and as LiteRT holds it (arena_planner.cc).

    An output that takes an input's place is one buffer with it. Constants, their copies and variables are not in the
    arena. LiteRT keeps an input to the end, and also an output that nothing reads.
    """
    end = len(graph.steps)
    shared = _shared(graph)
    lives = _lives(graph, shared)
    stay = {shared.get(index, index) for index in graph.outputs}
    given = set(graph.inputs)
    needed, held = [], []
    for index, life in sorted(lives.items()):
        last = end if index in stay else life.first if life.last is None else max(life.first, life.last)
        needed.append(Buffer(life.size_bytes, life.first, last))
        kept = index in stay or index in given or life.last is None
        held.append(Buffer(life.size_bytes, life.first, end if kept else last))
    return needed, held


def _lives(graph: TfliteGraph, shared: dict[int, int]) -> dict[int, _Life]:
    made = dict.fromkeys(graph.inputs, -1)
    read: dict[int, int] = {}
    for place, step in enumerate(graph.steps):
        for index in step.outputs:
            made.setdefault(shared.get(index, index), place)
        read.update((shared.get(index, index), place) for index in step.inputs)
    return {
        index: _Life(graph.tensors[index].size_bytes, first, read.get(index))
        for index, first in made.items()
        if index >= 0 and _in_arena(graph, index) and graph.tensors[index].size_bytes
    }


def _in_arena(graph: TfliteGraph, index: int) -> bool:
    return not graph.constant(index) and not graph.tensors[index].variable


def _shared(graph: TfliteGraph) -> dict[int, int]:
    """Tensors that take the place of another, and that other's index."""
    readers = [0] * len(graph.tensors)
    for index in chain(graph.inputs, graph.outputs, *(step.inputs for step in graph.steps)):
        if index >= 0:
            readers[index] += 1
    given, answers = set(graph.inputs), set(graph.outputs)
    shared: dict[int, int] = {}
    for step in graph.steps:
        same = step.name in SAME_BYTES
        candidates = step.inputs[: 1 if same else IN_PLACE.get(step.name, 0)]
        output = step.outputs[0] if step.outputs else -1
        if output < 0 or output in answers:
            continue
        for index in candidates:
            if index >= 0 and index not in given and _replaces(graph, output, index, readers, same):
                root = shared.get(index, index)
                if same or readers[root] <= 1:
                    shared[output] = root
                break
    return shared


def _replaces(graph: TfliteGraph, output: int, index: int, readers: Sequence[int], same: bool) -> bool:
    """Whether an output may take an input's place."""
    if not _in_arena(graph, index) or not _in_arena(graph, output):
        return False
    size = graph.tensors[index].size_bytes
    if size != graph.tensors[output].size_bytes:
        return False
    return same or (size > SCALAR_BYTES and readers[index] <= 1)


def workspace(graph: TfliteGraph) -> list[Buffer]:
    """What LiteRT's own kernels need beside the activations, where float activations meet quantised weights.

    The input quantised to int8; for each of its pixels a scale and an offset; and except in a depthwise convolution,
    the sums in int32 (conv.cc, depthwise_conv.cc, fully_connected.cc).
    """
    return [
        Buffer(size, place, place)
        for place, step in enumerate(graph.steps)
        if _hybrid(step, graph)
        for size in _temporaries(step, graph)
    ]


def _hybrid(step: Step, graph: TfliteGraph) -> bool:
    ends = (*step.inputs[:2], *step.outputs[:1])
    if step.name not in HYBRID or len(ends) < 3 or min(ends) < 0:
        return False
    image, weights = (graph.tensors[index] for index in step.inputs[:2])
    return image.dtype == "float32" and weights.dtype in QUANTISED


def _temporaries(step: Step, graph: TfliteGraph) -> list[int]:
    image, output = graph.tensors[step.inputs[0]], graph.tensors[step.outputs[0]]
    if step.name == "DEPTHWISE_CONV_2D":
        rows = image.shape[0] if image.shape else 1
        return [image.elements, 4 * rows, 4 * rows]
    rows = prod(image.shape[:-1])
    return [image.elements, 4 * rows, 4 * rows, 4 * output.elements]
