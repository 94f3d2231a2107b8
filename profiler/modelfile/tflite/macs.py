"""Multiply-accumulates of a .tflite file's operators, from the shapes of their tensors.

One is counted for each product of an input's element with a kernel's that goes into an output's element, as in the
tables of M. Sandler et al., "MobileNetV2: Inverted Residuals and Linear Bottlenecks", CVPR 2018 ("MAdds"). Biases,
element-wise operators, pooling and the like count 0; products with the padding around an image count too.
"""

from collections.abc import Callable, Sequence
from math import prod

from profiler.modelfile.tflite.graph import Step, TfliteTensor

Shape = tuple[int, ...]

MOST = 2**63 - 1
"""What a stored whole number can be; shapes that say more are not believed."""

UNKNOWN = frozenset(
    {
        "BIDIRECTIONAL_SEQUENCE_LSTM",
        "BIDIRECTIONAL_SEQUENCE_RNN",
        "CALL",
        "CALL_ONCE",
        "CONV_3D_TRANSPOSE",
        "DELEGATE",
        "EMBEDDING_LOOKUP_SPARSE",
        "IF",
        "LSTM",
        "RFFT2D",
        "RNN",
        "STABLEHLO_COMPOSITE",
        "STABLEHLO_CONVOLUTION",
        "STABLEHLO_CUSTOM_CALL",
        "STABLEHLO_DOT_GENERAL",
        "STABLEHLO_REDUCE",
        "STABLEHLO_REDUCE_WINDOW",
        "STABLEHLO_SCATTER",
        "STABLEHLO_SORT",
        "STABLEHLO_WHILE",
        "SVDF",
        "UNIDIRECTIONAL_SEQUENCE_LSTM",
        "UNIDIRECTIONAL_SEQUENCE_RNN",
        "WHILE",
    }
)
"""Operators whose work is not a matter of these shapes alone, or that run another subgraph."""


def count(step: Step, tensors: Sequence[TfliteTensor]) -> int | None:
    """Multiply-accumulates of an operator; None where they are not known."""
    if step.custom or step.unnamed or step.name in UNKNOWN:
        return None
    formula = _FORMULAS.get(step.name)
    if formula is None:
        return 0
    inputs = [tensors[index].shape if index >= 0 else () for index in step.inputs]
    outputs = [tensors[index].shape for index in step.outputs if index >= 0]
    try:
        found = formula(inputs, outputs[0])
    except IndexError:
        # The operator lacks a tensor, or a tensor a dimension, that it cannot do without: no engine would run it.
        return None
    return found if found <= MOST else None


def _conv_2d(inputs: Sequence[Shape], output: Shape) -> int:
    """Filter: output channels, height, width, input channels of a group."""
    _, height, width, channels = _of_rank(4, inputs[1])
    return prod(output) * height * width * channels


def _depthwise_conv_2d(inputs: Sequence[Shape], output: Shape) -> int:
    """Filter: 1, height, width, output channels; an output's element comes from one input channel."""
    _, height, width, _ = _of_rank(4, inputs[1])
    return prod(output) * height * width


def _conv_3d(inputs: Sequence[Shape], output: Shape) -> int:
    """Filter: depth, height, width, input channels of a group, output channels."""
    return prod(output) * prod(_of_rank(5, inputs[1])[:4])


def _transpose_conv(inputs: Sequence[Shape], output: Shape) -> int:  # noqa: ARG001 - all formulas take the same
    """Inputs: output's shape, filter (output channels, height, width, input channels), image.

    Each element of the image meets the whole filter of its channel; what falls off the output's border counts too.
    """
    channels, height, width, _ = _of_rank(4, inputs[1])
    return prod(_of_rank(4, inputs[2])) * channels * height * width


def _fully_connected(inputs: Sequence[Shape], output: Shape) -> int:
    """Weights: units, inputs of a unit."""
    return prod(output) * _of_rank(2, inputs[1])[1]


def _batch_matmul(inputs: Sequence[Shape], output: Shape) -> int:
    """The length of the sums is what the left matrix has beside the rows of the output, transposed or not."""
    rows = output[-2]
    return prod(output) * (inputs[0][-2] * inputs[0][-1] // rows) if rows else 0


def _of_rank(rank: int, shape: Shape) -> Shape:
    if len(shape) != rank:
        raise IndexError(rank)
    return shape


_FORMULAS: dict[str, Callable[[Sequence[Shape], Shape], int]] = {
    "BATCH_MATMUL": _batch_matmul,
    "CONV_2D": _conv_2d,
    "CONV_3D": _conv_3d,
    "DEPTHWISE_CONV_2D": _depthwise_conv_2d,
    "FULLY_CONNECTED": _fully_connected,
    "TRANSPOSE_CONV": _transpose_conv,
}
