"""Small .tflite classifiers of colours that LiteRT runs, with known answers: an image's mean of each colour."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import tflite
from made_tflite import FLOAT32, INT8, INT32, Graph, Op, T, model

from profiler.modelfile import ModelFile
from profiler.pixels import Pixels

UINT8 = tflite.TensorType.UINT8
CODES = tflite.BuiltinOperator
SIDE = 4
ENDINGS = {
    "dense": (CODES.FULLY_CONNECTED, ("FullyConnectedOptions", {})),
    "relu": (CODES.FULLY_CONNECTED, ("FullyConnectedOptions", {"FusedActivationFunction": 1})),
    "sigmoid": (CODES.LOGISTIC, None),
    "softmax": (CODES.SOFTMAX, ("SoftmaxOptions", {"Beta": 1.0})),
}
"""What the network ends in; with `mean` in nothing more."""


def frame(red: int, green: int, blue: int, rows: int = 12, columns: int = 12) -> Pixels:
    """A picture of one colour, in OpenCV's order."""
    return np.full((rows, columns, 3), (blue, green, red), np.uint8)


def colours(
    path: Path, ending: str = "mean", type: int = FLOAT32, channels: int = 3, weights: Sequence[Any] | None = None
) -> ModelFile:
    """A network that gives the mean of each channel, or what its ending makes of that.

    Args:
        type: Of its input; an int8 one gives int8 too, with 128 added to be real.
        weights: Of a dense ending, a row an output; None gives each channel its own output.
    """
    ends: dict[str, Any] = {"scales": [1.0], "zeros": [-128]} if type == INT8 else {}
    computed = INT8 if type == INT8 else FLOAT32
    tensors = [
        T((1, SIDE, SIDE, channels), type, name="image", **ends),
        T((2,), INT32, np.array([1, 2], np.int32)),
        T((1, channels), computed, name="mean", **ends),
    ]
    ops = [Op(CODES.MEAN, [0, 1], [2], ("ReducerOptions", {}))]
    if type not in (FLOAT32, INT8):
        tensors.append(T((1, SIDE, SIDE, channels), name="cast"))
        ops = [Op(CODES.CAST, [0], [3]), Op(CODES.MEAN, [3, 1], [2], ("ReducerOptions", {}))]
    last = 2
    if ending != "mean":
        code, options = ENDINGS[ending]
        inputs, wide = [2], channels
        if code == CODES.FULLY_CONNECTED:
            matrix = np.array(np.eye(channels) if weights is None else weights, np.float32)
            inputs, wide = [2, len(tensors)], len(matrix)
            tensors.append(T(matrix.shape, data=matrix))
        last = len(tensors)
        tensors.append(T((1, wide), name="answer"))
        ops.append(Op(code, inputs, [last], options))
    path.write_bytes(model(Graph(tensors, ops, [0], [last])))
    return ModelFile("litert", "litert", path)
