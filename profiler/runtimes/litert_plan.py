"""What a LiteRT interpreter tells of its plan when asked: which operators a delegate took, and its own arena.

The interpreter's list of nodes is not public; a version without it says nothing rather than something wrong.
"""

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

_DELEGATE = "DELEGATE"
_NAME = "XNNPACK"
"""The interpreter does not tell a delegate's name. This one asks for none, XNNPACK is the one that LiteRT then applies
by itself, and its log says so ("Created TensorFlow Lite XNNPACK delegate for CPU")."""
_ALIGNMENT = 64
"""Of tensors in LiteRT's arenas (kDefaultTensorAlignment)."""


class Node(NamedTuple):
    """An operator of the model, or the part of the plan that a delegate put in some operators' place.

    Attributes:
        inputs: Tensors by index, constants included.
    """

    name: str
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class Place(NamedTuple):
    """Where a tensor's data is."""

    start: int
    end: int


def told(interpreter: Any) -> dict[str, object]:
    """The fields of `records.Engine` from `delegate` on, of the model's main graph, known after an inference."""
    try:
        nodes = _nodes(interpreter)
    except ValueError:
        # A name that is not UTF-8: the network runs all the same.
        return _untold("its names cannot be read")
    if nodes is None:
        return _untold("this version does not tell")
    operators = [node for node in nodes if node.name != _DELEGATE]
    parts = [node for node in nodes if node.name == _DELEGATE]
    taken = taken_by(parts, operators)
    return {
        "delegate": _NAME if parts else None,
        "delegated": _said(taken, len(parts), len(operators)),
        "operators": None if taken is None else _kinds(operators, taken),
        "arena_bytes": _arena_bytes(interpreter, nodes),
    }


def _untold(why: str) -> dict[str, object]:
    return {"delegate": None, "delegated": why, "operators": None, "arena_bytes": None}


def taken_by(parts: Sequence[Node], operators: Sequence[Node]) -> set[int] | None:
    """The operators, by their place in the model, that the delegate's parts stand for.

    The interpreter keeps the operators in its list and appends the parts, but runs either. What a part stands for is
    found from its outputs back to its inputs. None where that gives no plan that could run: an operator in two parts,
    or one left outside that needs what is made within a part and does not leave it.
    """
    maker = {tensor: place for place, node in enumerate(operators) for tensor in node.outputs}
    found = [_behind(part, operators, maker) for part in parts]
    taken = set().union(*found)
    leaving = {tensor for part in parts for tensor in part.outputs}
    needed = {tensor for place, node in enumerate(operators) if place not in taken for tensor in node.inputs}
    within = {tensor for place in taken for tensor in operators[place].outputs} - leaving
    runs = sum(map(len, found)) == len(taken) and not needed & within and leaving <= set(maker)
    return taken if runs else None


def _behind(part: Node, operators: Sequence[Node], maker: dict[int, int]) -> set[int]:
    found: set[int] = set()
    waiting = list(part.outputs)
    while waiting:
        tensor = waiting.pop()
        place = maker.get(tensor)
        if place is not None and place not in found and tensor not in part.inputs:
            found.add(place)
            waiting += operators[place].inputs
    return found


def extent(anchor: Place, places: Iterable[Place]) -> int:
    """Bytes of the block of memory around `anchor` that `places` fill without a hole larger than their alignment.

    LiteRT plans an arena so that each tensor begins at its start or, aligned, at another one's end: an arena is one
    such block, and what was allocated elsewhere belongs to another.
    """
    ordered = sorted({anchor, *places})
    start, end = ordered[0]
    for place in ordered:
        if place.start < end + _ALIGNMENT:
            end = max(end, place.end)
        elif anchor.start < end:
            break
        else:
            start, end = place
    return end - start


def _nodes(interpreter: Any) -> list[Node] | None:
    details = getattr(interpreter, "_get_ops_details", None)
    if details is None:
        return None
    return [
        Node(node["op_name"], tuple(map(int, node["inputs"])), tuple(map(int, node["outputs"]))) for node in details()
    ]


def _said(taken: set[int] | None, parts: int, operators: int) -> str:
    if taken is None:
        return f"{parts} delegate nodes in a plan of {parts + operators}"
    if not taken:
        return f"took none of {operators} operators"
    return f"took {len(taken)} of {operators} operators in {parts} part{'s' if parts > 1 else ''}"


def _kinds(operators: Sequence[Node], taken: set[int]) -> list[dict[str, object]]:
    """The fields of `records.Taken`, a kind each, in the order of first appearance."""
    kinds: dict[str, list[bool]] = {}
    for place, node in enumerate(operators):
        kinds.setdefault(node.name, []).append(place in taken)
    return [{"name": name, "taken": sum(each), "total": len(each)} for name, each in kinds.items()]


def _arena_bytes(interpreter: Any, nodes: Sequence[Node]) -> int | None:
    """Of the arena that the network's inputs lie in: what operators outside a delegate hand on, and their scratch."""
    inputs = [int(detail["index"]) for detail in interpreter.get_input_details()]
    made = {*inputs, *(tensor for node in nodes for tensor in node.outputs)}
    constants = {tensor for node in nodes for tensor in node.inputs} - made
    places = {
        int(detail["index"]): place
        for detail in interpreter.get_tensor_details()
        if detail["index"] not in constants and (place := _place(interpreter, detail)) is not None
    }
    anchor = next((places[index] for index in inputs if index in places), None)
    return None if anchor is None else extent(anchor, places.values())


def _place(interpreter: Any, detail: dict[str, Any]) -> Place | None:
    """None for a tensor without memory of its own: a delegate keeps it to itself, or its size is not known yet."""
    try:
        array = interpreter.tensor(detail["index"])()
    except ValueError:
        return None
    start = int(array.__array_interface__["data"][0])
    return Place(start, start + array.nbytes) if start and array.nbytes else None
