"""What kind of numbers a network's output is, by the operator or layer that makes it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from profiler.errors import ProfilerError
from profiler.modelfile import alone
from profiler.modelfile.keras import archive
from profiler.modelfile.keras.graph import Call
from profiler.modelfile.tflite import reader
from profiler.modelfile.tflite.flatbuffer import names
from profiler.modelfile.tflite.graph import Step, TfliteGraph
from profiler.records import OutputKind

_MADE: Mapping[str, OutputKind] = {"LOGISTIC": "sigmoid", "SOFTMAX": "softmax"}
_SUMS = {"FULLY_CONNECTED": "FullyConnectedOptions", "CONV_2D": "Conv2DOptions"}
"""Operators that give weighted sums, unless an activation is fused into them, and the schema's table that says so."""
_SAME = frozenset({"RESHAPE", "SQUEEZE", "EXPAND_DIMS", "QUANTIZE", "DEQUANTIZE", "CAST"})
"""Those that give the values that they take, in another shape or type."""

_ACTIVATIONS: Mapping[str, OutputKind] = {"sigmoid": "sigmoid", "softmax": "softmax", "linear": "logit"}
_KERAS_MADE: Mapping[str, OutputKind] = {"Sigmoid": "sigmoid", "Softmax": "softmax"}
_KERAS_SUMS = frozenset({"Dense", "EinsumDense", "Conv2D"})
_KERAS_SAME = frozenset({"Flatten", "Reshape", "Permute", "Squeeze", "ExpandDims", "Cast", "Identity"})


def kind(path: Path) -> OutputKind | None:
    """The kind of the one output of the model in a file; None where the file does not show it, or cannot be read.

    Numbers without bounds (`logit`) are those of a dense layer or convolution that nothing follows.
    """
    try:
        return _tflite(path) if alone(path).runtime == "litert" else _keras(path)
    except ProfilerError:
        return None


def _tflite(path: Path) -> OutputKind | None:
    file = reader.opened(path)
    main = file.graphs[reader.MAIN]
    if len(main.outputs) != 1:
        return None
    place = _maker(main)
    if place is None:
        return None
    name = main.steps[place].name
    if name in _SUMS:
        return "logit" if _plain(file.model.Subgraphs(reader.MAIN).Operators(place), _SUMS[name]) else None
    return _MADE.get(name)


def _maker(graph: TfliteGraph) -> int | None:
    """The place of the step that makes the output's values."""
    made = {tensor: place for place, step in enumerate(graph.steps) for tensor in step.outputs}
    place = made.get(graph.outputs[0])
    # A step takes what earlier ones make; in a damaged file it may not, and this would go round.
    while place is not None and graph.steps[place].name in _SAME:
        before = made.get(_first(graph.steps[place]))
        place = before if before is not None and before < place else None
    return place


def _first(step: Step) -> int:
    return step.inputs[0] if step.inputs else -1


def _plain(operator: Any, table: str) -> bool:
    """Whether no activation is fused into an operator."""
    import tflite as schema

    options = operator.BuiltinOptions()
    found = names(schema.BuiltinOptions).get(operator.BuiltinOptionsType())
    if options is None or found != table:
        return False
    read = getattr(schema, table)()
    read.Init(options.Bytes, options.Pos)
    return bool(read.FusedActivationFunction() == schema.ActivationFunctionType.NONE)


def _keras(path: Path) -> OutputKind | None:
    graph = archive.graph(path)
    if len(graph.outputs) != 1:
        return None
    made = {tensor: call for call in graph.calls for tensor in call.given if tensor not in call.taken}
    call = made.get(graph.outputs[0].tensor)
    # Calls are in the order of an inference and none gives what it takes, so this ends.
    while call is not None and _passes(call):
        call = made.get(call.taken[0])
    return _of(call) if call is not None and not call.layer.custom else None


def _passes(call: Call) -> bool:
    """Whether a call gives the values that it takes."""
    layer = call.layer
    linear = layer.kind == "Activation" and layer.config.get("activation") == "linear"
    return not layer.custom and len(call.taken) == 1 and (linear or layer.kind in _KERAS_SAME)


def _of(call: Call) -> OutputKind | None:
    kind, activation = call.layer.kind, call.layer.config.get("activation")
    if kind in _KERAS_SUMS or kind == "Activation":
        return _ACTIVATIONS.get(activation) if isinstance(activation, str) else None
    return _KERAS_MADE.get(kind)
