"""Shapes of what Keras layers give, from their config and the shapes of what they take.

Sizes as Keras documents them layer by layer (https://keras.io/api/layers). A size that is not known is None, and so is
a whole shape. The config comes from a file of anyone's making: nothing in it is taken for a number before it is one.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

from profiler.modelfile.keras import layer_kinds as kinds

Shape = tuple[int | None, ...]
Config = dict[str, Any]

_LARGEST = 1 << 31
"""Of one axis; no tensor that fits a machine's memory is longer, and products of a few stay exact everywhere."""
_MOST_AXES = 32


def size(value: Any) -> int:
    """A count in a config.

    Raises:
        ValueError: It is none, or is absurd.
    """
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < _LARGEST:
        raise ValueError(value)
    return value


def sizes(value: Any, rank: int) -> tuple[int, ...]:
    """A count for each axis; one that is given alone counts for all.

    Raises:
        ValueError: As `size`, or as many as there are axes are not there.
    """
    several = value if isinstance(value, list | tuple) else [value] * rank
    if len(several) != rank:
        raise ValueError(value)
    return tuple(size(each) for each in several)


def shape(value: Any) -> Shape | None:
    """A shape as Keras writes it; None if it is none."""
    if not isinstance(value, list | tuple) or len(value) > _MOST_AXES:
        return None
    try:
        return tuple(None if each is None else size(each) for each in value)
    except ValueError:
        return None


def elements(of: Shape | None) -> int | None:
    """How many numbers a tensor of the shape has."""
    return None if of is None or None in of else math.prod(each for each in of if each is not None)


def known(value: int | None) -> int:
    """The size, where it must be known.

    Raises:
        ValueError: It is not.
    """
    if value is None:
        raise ValueError("open")
    return value


def axes(kind: str) -> int:
    """Axes that a layer slides over: 2 of `Conv2D`."""
    return int(kind.removesuffix("Transpose")[-2])


def split(config: Config, taken: Shape) -> tuple[int | None, tuple[int | None, ...], int | None]:
    """Batch, spatial axes and channels of a shape."""
    if config.get("data_format") == "channels_first":
        return taken[0], taken[2:], taken[1]
    return taken[0], taken[1:-1], taken[-1]


def _joined(config: Config, batch: int | None, spatial: Sequence[int | None], channels: int | None) -> Shape:
    first = config.get("data_format") == "channels_first"
    return (batch, channels, *spatial) if first else (batch, *spatial, channels)


def result(kind: str, config: Config, taken: Sequence[Shape | None]) -> Shape | None:
    """The shape of a layer's first output; None where the kind or the config does not tell."""
    rule = _RULES.get(kind)
    shapes = [each for each in taken if each is not None]
    if rule is None or not shapes or len(shapes) < len(taken):
        return None
    try:
        return shape(rule(kind, config, shapes))
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ZeroDivisionError):
        return None


def _same(_kind: str, _config: Config, taken: list[Shape]) -> Shape:
    return taken[0]


def _merged(_kind: str, _config: Config, taken: list[Shape]) -> Shape:
    if len({len(each) for each in taken}) > 1:
        raise ValueError(taken)
    return tuple(None if None in axis else max(known(each) for each in axis) for axis in zip(*taken, strict=True))


def _concatenated(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    first = list(taken[0])
    axis = config.get("axis", -1)
    along = [each[axis] for each in taken]
    first[axis] = None if None in along else sum(known(each) for each in along)
    return tuple(first)


def _dense(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    return (*taken[0][:-1], size(config["units"]))


def _slid(length: int | None, kernel: int, stride: int, dilation: int, padding: str) -> int | None:
    """Places at which a kernel is put along an axis; `same` and `causal` pad, `valid` does not."""
    if length is None:
        return None
    if padding in ("same", "causal"):
        return -(-length // stride)
    if padding != "valid":
        raise ValueError(padding)
    return (length - dilation * (kernel - 1) - 1) // stride + 1


def _convolved(kind: str, config: Config, taken: list[Shape]) -> Shape:
    rank = axes(kind)
    batch, spatial, channels = split(config, taken[0])
    kernel, stride = sizes(config["kernel_size"], rank), sizes(config["strides"], rank)
    dilation = sizes(config.get("dilation_rate", 1), rank)
    out = [_slid(*each, config["padding"]) for each in zip(spatial, kernel, stride, dilation, strict=True)]
    given = known(channels) * size(config["depth_multiplier"]) if kind.startswith("Depthwise") else config["filters"]
    return _joined(config, batch, out, size(given))


def _transposed(kind: str, config: Config, taken: list[Shape]) -> Shape:
    """Without output padding and dilation, which few use and whose sizes a file tells in most cases anyway."""
    rank = axes(kind)
    batch, spatial, _ = split(config, taken[0])
    kernel, stride = sizes(config["kernel_size"], rank), sizes(config["strides"], rank)
    if config.get("output_padding") is not None or set(sizes(config.get("dilation_rate", 1), rank)) != {1}:
        raise ValueError(kind)
    beyond = [max(k - s, 0) if config["padding"] == "valid" else 0 for k, s in zip(kernel, stride, strict=True)]
    out = [None if n is None else n * s + more for n, s, more in zip(spatial, stride, beyond, strict=True)]
    return _joined(config, batch, out, size(config["filters"]))


def _pooled(kind: str, config: Config, taken: list[Shape]) -> Shape:
    rank = axes(kind)
    batch, spatial, channels = split(config, taken[0])
    pool = sizes(config["pool_size"], rank)
    stride = pool if config.get("strides") is None else sizes(config["strides"], rank)
    out = [_slid(n, k, s, 1, config["padding"]) for n, k, s in zip(spatial, pool, stride, strict=True)]
    return _joined(config, batch, out, channels)


def _pooled_whole(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    batch, spatial, channels = split(config, taken[0])
    return _joined(config, batch, [1] * len(spatial), channels) if config.get("keepdims") else (batch, channels)


def _flat(_kind: str, _config: Config, taken: list[Shape]) -> Shape:
    return taken[0][0], elements(taken[0][1:])


def _reshaped(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    target = list(config["target_shape"])
    if target.count(-1) == 1:
        given = math.prod(size(each) for each in target if each != -1)
        target[target.index(-1)] = known(elements(taken[0][1:])) // given
    return (taken[0][0], *target)


def _permuted(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    return (taken[0][0], *(taken[0][size(axis)] for axis in config["dims"]))


def _repeated(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    return taken[0][0], size(config["n"]), taken[0][1]


def _around(kind: str, config: Config, taken: list[Shape]) -> Shape:
    """Zero padding adds at both ends of an axis, cropping takes away there."""
    crops = kind.startswith("Cropping")
    batch, spatial, channels = split(config, taken[0])
    given = config["cropping" if crops else "padding"]
    ends = [given] if len(spatial) == 1 and not isinstance(given[0], list) else given
    out = []
    for length, end in zip(spatial, ends, strict=True):
        both = sum(sizes(end, 2))
        out.append(None if length is None else length + (-both if crops else both))
    return _joined(config, batch, out, channels)


def _upsampled(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    batch, spatial, channels = split(config, taken[0])
    by = sizes(config["size"], len(spatial))
    return _joined(config, batch, [None if n is None else n * s for n, s in zip(spatial, by, strict=True)], channels)


def _resized(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    batch, _, channels = split(config, taken[0])
    return _joined(config, batch, [size(config["height"]), size(config["width"])], channels)


def _embedded(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    return (*taken[0], size(config["output_dim"]))


def _einsum(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    """What the config leaves open is as long as the same index of the input."""
    operands, output = config["equation"].split("->")
    given = config["output_shape"]
    stated = [taken[0][0], *(given if isinstance(given, list) else [given])]
    lengths = dict(zip(operands.split(",")[0], taken[0], strict=True))
    if len(stated) != len(output):
        raise ValueError(given)
    return tuple(lengths.get(index) if length is None else length for index, length in zip(output, stated, strict=True))


def _attended(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    if config.get("output_shape") is not None:
        raise ValueError("an output of its own shape")
    return taken[0]


def _recurrent(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    batch, steps, _ = taken[0]
    units = size(config["units"])
    return (batch, steps, units) if config["return_sequences"] else (batch, units)


def _both_ways(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    one = known_shape(result(config["layer"]["class_name"], config["layer"]["config"], taken))
    if config["merge_mode"] == "concat":
        return (*one[:-1], 2 * known(one[-1]))
    if config["merge_mode"] is None:
        raise ValueError("two outputs")
    return one


def _each_step(_kind: str, config: Config, taken: list[Shape]) -> Shape:
    batch, steps, *rest = taken[0]
    inner = known_shape(result(config["layer"]["class_name"], config["layer"]["config"], [(batch, *rest)]))
    return (batch, steps, *inner[1:])


def known_shape(of: Shape | None) -> Shape:
    """The shape, where it must be known.

    Raises:
        ValueError: It is not.
    """
    if of is None:
        raise ValueError("unknown shape")
    return of


_RULES: dict[str, Callable[[str, Config, list[Shape]], Shape]] = {
    **dict.fromkeys(kinds.PASSED | kinds.ELEMENTWISE, _same),
    **dict.fromkeys(kinds.MERGED, _merged),
    **{f"{kind}{rank}D": _convolved for kind in ("Conv", "DepthwiseConv", "SeparableConv") for rank in (1, 2, 3)},
    **{f"Conv{rank}DTranspose": _transposed for rank in (1, 2, 3)},
    **dict.fromkeys(kinds.POOLED, _pooled),
    **dict.fromkeys(kinds.POOLED_WHOLE, _pooled_whole),
    **dict.fromkeys(kinds.AROUND, _around),
    **{f"UpSampling{rank}D": _upsampled for rank in (1, 2, 3)},
    **dict.fromkeys(("Resizing", "CenterCrop", "RandomCrop"), _resized),
    **dict.fromkeys(("LSTM", "GRU", "SimpleRNN"), _recurrent),
    "Concatenate": _concatenated,
    "Dense": _dense,
    "EinsumDense": _einsum,
    "MultiHeadAttention": _attended,
    "Flatten": _flat,
    "Reshape": _reshaped,
    "Permute": _permuted,
    "RepeatVector": _repeated,
    "Embedding": _embedded,
    "Bidirectional": _both_ways,
    "TimeDistributed": _each_step,
}
