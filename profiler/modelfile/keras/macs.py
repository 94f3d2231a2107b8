"""Multiply-accumulates of Keras layers, and what their config says of their data type and their origin."""

import math
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from profiler.modelfile.keras import layer_kinds as kinds
from profiler.modelfile.keras import shapes
from profiler.modelfile.keras.shapes import Config, Shape, known, known_shape, size, sizes


class Layer(NamedTuple):
    """A layer as its model's config has it.

    Attributes:
        kind: The class's name.
        name: Unique in its model.
        path: Names of the models that it is in, and its own.
        store: Where the weights file of a .keras archive has its variables.
        custom: Its class, or code that it carries, is none of Keras's.
    """

    kind: str
    name: str
    path: tuple[str, ...]
    store: str
    config: Config
    custom: bool


def compute_dtype(policy: Any) -> str | None:
    """The data type that a layer computes in, from `dtype` of its config; None where that does not say.

    A policy is a name or an object that holds one: `float32`, `mixed_float16` (computes in the second),
    `int8_from_mixed_bfloat16` (quantised weights, computes in what follows).
    """
    for _ in range(8):
        if isinstance(policy, str):
            return policy.rpartition("_from_")[2].removeprefix("mixed_")
        if not isinstance(policy, dict):
            return None
        inner = policy.get("config", policy)
        if not isinstance(inner, dict):
            return None
        policy = inner.get("name") or inner.get("source_name") or inner.get("default_policy")
    return None


def is_custom(entry: Config) -> bool:
    """Whether a layer's class is none of Keras's own, or carries code as a Lambda layer does.

    Archives name the module of a class. The older file does not: there, what this package does not know counts so.
    """
    kind, module, registered = entry.get("class_name"), entry.get("module"), entry.get("registered_name")
    if kind in ("Lambda", "TorchModuleWrapper", "JaxLayer", "FlaxLayer", "TFSMLayer"):
        return True
    if ">" in f"{kind}{registered or ''}":
        return True
    if isinstance(module, str):
        return module != "keras" and not module.startswith("keras.")
    return kind not in (kinds.WITHOUT_MACS | kinds.OTHERS | _RULES.keys())


def macs(layer: Layer, taken: Sequence[Shape | None], given: Shape | None) -> int | None:
    """Multiply-accumulates of one call; 0 of a kind that has none, None where they are not known.

    Convolutions and products of matrices count, as is usual in the literature; normalisation, activations, pooling and
    sums count as none.
    """
    if layer.custom:
        return None
    if layer.kind in kinds.WITHOUT_MACS:
        return 0
    rule = _RULES.get(layer.kind)
    if rule is None or not taken or None in taken:
        return None
    try:
        return rule(layer.kind, layer.config, [known_shape(each) for each in taken], known_shape(given))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ZeroDivisionError):
        return None


def _dense(_kind: str, config: Config, taken: list[Shape], _given: Shape) -> int:
    return known(shapes.elements(taken[0])) * size(config["units"])


def _convolution(kind: str, config: Config, taken: list[Shape], given: Shape) -> int:
    """The kernel at every place of the output, over the input channels of its group."""
    rank = shapes.axes(kind)
    kernel = math.prod(sizes(config["kernel_size"], rank))
    channels = known(shapes.split(config, taken[0])[2])
    if kind.startswith("Depthwise"):
        return known(shapes.elements(given)) * kernel
    if kind.startswith("Separable"):
        between = channels * size(config["depth_multiplier"])
        return _places(config, given) * between * (kernel + size(config["filters"]))
    return known(shapes.elements(given)) * kernel * channels // size(config.get("groups", 1))


def _transpose(kind: str, config: Config, taken: list[Shape], _given: Shape) -> int:
    """The kernel at every place of the input: what `same` padding then cuts off is computed too."""
    kernel = math.prod(sizes(config["kernel_size"], shapes.axes(kind)))
    return known(shapes.elements(taken[0])) * kernel * size(config["filters"])


def _places(config: Config, given: Shape) -> int:
    batch, spatial, _ = shapes.split(config, given)
    return known(batch) * math.prod(known(each) for each in spatial)


def _einsum(_kind: str, config: Config, taken: list[Shape], given: Shape) -> int:
    """Every index of the equation runs once: the product of their ranges, from the input's and the output's shape."""
    equation = config["equation"]
    operands, output = equation.split("->")
    first, kernel = operands.split(",")
    if "..." in equation:
        raise ValueError(equation)
    ranges = dict(zip(output, given, strict=True)) | dict(zip(first, taken[0], strict=True))
    return math.prod(known(ranges[index]) for index in {*first, *kernel, *output})


def _attention(_kind: str, config: Config, taken: list[Shape], given: Shape) -> int:
    """Projections of query, key and value, scores, weighted sum and the projection of the result.

    Of tensors with one axis of steps: A. Vaswani et al., "Attention is all you need", NeurIPS 2017, section 3.2.
    """
    if config.get("use_gate") or config.get("attention_axes") not in (None, [1]):
        raise ValueError("attention over several axes")
    query, value = taken[0], taken[1]
    key = taken[2] if len(taken) > 2 else value
    (batch, asked, wide), (_, steps, deep), (_, _, key_deep) = query, value, key
    heads, key_size = size(config["num_heads"]), size(config["key_dim"])
    value_size = key_size if config.get("value_dim") is None else size(config["value_dim"])
    asked, steps = known(asked), known(steps)
    projections = asked * known(wide) * key_size + steps * (known(key_deep) * key_size + known(deep) * value_size)
    attended = asked * steps * (key_size + value_size)
    return known(batch) * heads * (projections + attended + asked * value_size * known(given[-1]))


def _recurrent(kind: str, config: Config, taken: list[Shape], _given: Shape) -> int:
    """At every step, the gates' matrices times the input and times the state."""
    batch, steps, features = taken[0]
    gates = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1}[kind]
    units = size(config["units"])
    return known(batch) * known(steps) * gates * units * (known(features) + units)


def _inner(config: Config, taken: Shape) -> int:
    entry = config["layer"]
    given = shapes.result(entry["class_name"], entry["config"], [taken])
    layer = Layer(entry["class_name"], "", (), "", entry["config"], is_custom(entry))
    return known(macs(layer, [taken], given))


def _both_ways(_kind: str, config: Config, taken: list[Shape], _given: Shape) -> int:
    return 2 * _inner(config, taken[0])


def _each_step(_kind: str, config: Config, taken: list[Shape], _given: Shape) -> int:
    batch, steps, *rest = taken[0]
    return known(steps) * _inner(config, (batch, *rest))


_RULES: dict[str, Callable[[str, Config, list[Shape], Shape], int]] = {
    **{f"{kind}{rank}D": _convolution for kind in ("Conv", "DepthwiseConv", "SeparableConv") for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _transpose for rank in (1, 2, 3)},
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
    "Dense": _dense,
    "EinsumDense": _einsum,
    "MultiHeadAttention": _attention,
    "Bidirectional": _both_ways,
    "TimeDistributed": _each_step,
}
