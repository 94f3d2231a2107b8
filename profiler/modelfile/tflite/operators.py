"""What a .tflite file's operators touch, and which of their constants are parameters."""

from collections.abc import Sequence

from profiler.modelfile.tflite import macs
from profiler.modelfile.tflite.graph import Step, TfliteGraph, TfliteTensor
from profiler.records import Operator

SETTINGS = {
    "ARG_MAX": {1},
    "ARG_MIN": {1},
    "BATCH_TO_SPACE_ND": {1, 2},
    "BROADCAST_TO": {1},
    "CUMSUM": {1},
    "EXPAND_DIMS": {1},
    "FILL": {0},
    "MEAN": {1},
    "MIRROR_PAD": {1},
    "PAD": {1},
    "PADV2": {1},
    "REDUCE_ALL": {1},
    "REDUCE_ANY": {1},
    "REDUCE_MAX": {1},
    "REDUCE_MIN": {1},
    "REDUCE_PROD": {1},
    "RESHAPE": {1},
    "RESIZE_BILINEAR": {1},
    "RESIZE_NEAREST_NEIGHBOR": {1},
    "REVERSE_V2": {1},
    "SLICE": {1, 2},
    "SPACE_TO_BATCH_ND": {1, 2},
    "SPLIT": {0},
    "SPLIT_V": {1, 2},
    "STRIDED_SLICE": {1, 2, 3},
    "SUM": {1},
    "TILE": {1},
    "TOPK_V2": {1},
    "TRANSPOSE": {1},
    "TRANSPOSE_CONV": {0},
}
"""Inputs that say what an operator does (axes, shapes, paddings) and are no parameters, by their place."""


def parameters(graphs: Sequence[TfliteGraph]) -> int:
    """Elements of the constants that operators compute with, those of a shared buffer once."""
    elements: dict[int, int] = {}
    for graph in graphs:
        for step in graph.steps:
            settings = SETTINGS.get(step.name, set())
            for place, index in enumerate(step.inputs):
                if index >= 0 and place not in settings and graph.tensors[index].constant_bytes:
                    elements.setdefault(graph.tensors[index].buffer, graph.tensors[index].elements)
    return sum(elements.values())


def operator(step: Step, graph: TfliteGraph) -> Operator:
    """What an operator touches; a tensor that it reads twice is counted once.

    A copy that LiteRT keeps of a constant counts as weights of the operators that read it, not as the output of the one
    that makes it, which is done before the inference or in the first.
    """
    inputs = [index for index in dict.fromkeys(step.inputs) if index >= 0]
    constants = [graph.tensors[index] for index in inputs if graph.constant(index)]
    moving = [graph.tensors[index] for index in inputs if not graph.constant(index)]
    outputs = [index for index in dict.fromkeys(step.outputs) if index >= 0]
    largest = max(constants, key=_held, default=None)
    return Operator(
        name=step.name,
        output=graph.tensors[outputs[0]].name if outputs else "",
        activations=moving[0].dtype if moving else "",
        weights=largest.dtype if largest else None,
        input_bytes=sum(tensor.size_bytes for tensor in moving),
        weight_bytes=sum(map(_held, constants)),
        output_bytes=sum(graph.tensors[index].size_bytes for index in outputs if index not in graph.copies),
        macs=macs.count(step, graph.tensors),
        custom=step.custom,
    )


def _held(constant: TfliteTensor) -> int:
    """Bytes of a constant: as the file holds it, or as a copy that is made of it."""
    return constant.constant_bytes or constant.size_bytes
