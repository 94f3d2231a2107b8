"""A Keras model's calls as operators with bytes and multiply-accumulates, and the memory that they need together."""

from collections.abc import Iterable, Sequence
from typing import Literal

from profiler.modelfile import arena, dtypes
from profiler.modelfile.keras import shapes
from profiler.modelfile.keras.graph import Call, KerasGraph, KerasTensor
from profiler.modelfile.keras.graph import KerasPort as End
from profiler.modelfile.keras.macs import macs as layer_macs
from profiler.modelfile.keras.weights import Weights
from profiler.records import Network, Operator, Port, Share, Signature
from profiler.sanitize import safe

ARENA_HOW = (
    "by liveness over the layers in order, each output kept until its last use; what any executor that works layer by "
    "layer needs at least"
)
UNCOUNTED = (
    "Multiply-accumulates are those of convolutions and products of matrices; normalisation, activations, pooling and "
    "sums count as none, as is usual in the literature."
)
_LARGEST = 1 << 40
"""Bytes of one tensor, and beyond any machine; sums of as many as there may be stay within 64 bits."""
_MOST_MACS = 1 << 56
_NAMED = 5


def network(
    form: Literal["keras", "h5"],
    size_bytes: int,
    shares: tuple[Share, ...],
    graph: KerasGraph,
    weights: Weights,
    notes: Sequence[str],
) -> Network:
    """The record of a file, from its shares, its graph and the variables that an inference reads."""
    operators = tuple(_operator(graph, weights, call) for call in graph.calls)
    least = _least(graph)
    signature = Signature(
        key="",
        inputs=tuple(_port(graph, each, each.tensor in graph.open) for each in graph.inputs),
        outputs=tuple(_port(graph, each, bool(graph.open)) for each in graph.outputs),
    )
    return Network(
        format=form,
        size_bytes=size_bytes,
        shares=shares,
        signatures=(signature,),
        parameters=sum(each.elements for each in weights.datasets),
        weights_bytes=sum(each.size_bytes for each in weights.datasets),
        operators=operators,
        arena_bytes=least,
        arena_how=ARENA_HOW if least is not None else "not known: the shapes of some tensors are not",
        least_bytes=least,
        notes=(*notes, *_notes(graph, weights, operators)),
    )


def _operator(graph: KerasGraph, weights: Weights, call: Call) -> Operator:
    taken = [graph.tensors[number] for number in call.taken]
    given = [graph.tensors[number] for number in call.given]
    own = weights.of(call.layer)
    macs = layer_macs(call.layer, [each.shape for each in taken], given[0].shape if given else None)
    return Operator(
        name=call.layer.kind,
        output="/".join(call.layer.path) or call.layer.name,
        activations=(taken[0].dtype or "") if taken else "",
        weights=max(own, key=lambda each: each.size_bytes).dtype if own else None,
        input_bytes=_touched(call, [graph.tensors[number] for number in dict.fromkeys(call.taken)]),
        weight_bytes=sum(each.size_bytes for each in own),
        output_bytes=_touched(call, given),
        macs=macs if macs is not None and macs < _MOST_MACS else None,
        custom=call.layer.custom,
    )


def _touched(call: Call, tensors: Iterable[KerasTensor]) -> int | None:
    """Bytes of what the call takes or gives; None where they are not known, as of a model that is opaque as a whole."""
    if not call.given:
        return None
    return 0 if _passes(call) else _together(tensors)


def _passes(call: Call) -> bool:
    """Whether the call gives what it takes, as Dropout does."""
    return bool(call.given) and set(call.given) <= set(call.taken)


def _size(tensor: KerasTensor) -> int | None:
    elements = shapes.elements(tensor.shape)
    if elements is None or tensor.dtype is None or elements > _LARGEST:
        return None
    return dtypes.size_bytes(tensor.dtype, elements)


def _together(tensors: Iterable[KerasTensor]) -> int | None:
    sizes = [_size(tensor) for tensor in tensors]
    known = [size for size in sizes if size is not None]
    return sum(known) if len(known) == len(sizes) else None


def _least(graph: KerasGraph) -> int | None:
    """The most bytes alive at one call; None where a tensor's size is not known, or a model is opaque."""
    sizes = [_size(tensor) for tensor in graph.tensors]
    known = [size for size in sizes if size is not None]
    if not known or len(known) < len(sizes):
        return None
    first = dict.fromkeys((port.tensor for port in graph.inputs), -1)
    last = dict(first)
    for index, call in enumerate(graph.calls):
        for number in (*call.taken, *call.given):
            first.setdefault(number, index)
            last[number] = index
    last |= dict.fromkeys((port.tensor for port in graph.outputs), len(graph.calls))
    return arena.least([arena.Buffer(size, first[number], last[number]) for number, size in enumerate(known)])


def _port(graph: KerasGraph, end: End, open_batch: bool) -> Port:
    tensor = graph.tensors[end.tensor]
    shape = tuple(-1 if size is None else size for size in tensor.shape or ())
    return Port(name=end.name, shape=(-1, *shape[1:]) if open_batch and shape else shape, dtype=tensor.dtype or "")


def _notes(graph: KerasGraph, weights: Weights, operators: Sequence[Operator]) -> list[str]:
    pairs = list(zip(graph.calls, operators, strict=True))
    unsized = [
        operator
        for call, operator in pairs
        if not call.given or any(_size(graph.tensors[number]) is None for number in (*call.taken, *call.given))
    ]
    used = {each.path for call in graph.calls for each in weights.of(call.layer)}
    stray = [each for each in weights.datasets if each.path not in used]
    shapes = [graph.tensors[port.tensor].shape for port in graph.inputs]
    fixed = {shape[0] for shape in shapes if shape and shape[0]} - {1}
    told = [
        (UNCOUNTED, True),
        (
            f"Not Keras's own, neither run nor looked into: {_names(op for op in operators if op.custom)}.",
            any(op.custom for op in operators),
        ),
        (
            f"Multiply-accumulates are not known, and left out of the sum, of {_names(_unknown(operators))}.",
            bool(_unknown(operators)),
        ),
        (
            f"Shapes or data types are not known, and their bytes left out, at {_names(unsized)}; so the memory for "
            "activations is not known.",
            bool(unsized),
        ),
        (
            "Dropout and what else acts in training alone passes its input through, with no bytes of its own.",
            any(_passes(call) for call in graph.calls),
        ),
        (
            f"{sum(each.size_bytes for each in stray)} bytes of weights belong to no layer of the config, such as "
            f"{_plain(stray[0].path) if stray else ''}; they count in the whole alone.",
            bool(stray),
        ),
        (f"The batch is fixed at {', '.join(map(str, fixed))}: bytes and multiply-accumulates are its.", bool(fixed)),
    ]
    return [sentence for sentence, holds in told if holds]


def _unknown(operators: Iterable[Operator]) -> list[Operator]:
    return [operator for operator in operators if operator.macs is None]


def _names(operators: Iterable[Operator]) -> str:
    names = list(dict.fromkeys(f"{_plain(each.output or 'the model')} ({_plain(each.name)})" for each in operators))
    more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def _plain(name: str) -> str:
    """A name out of a file, on one line and not longer than a line."""
    return safe(name[:80])
