"""Which operators a delegate took, and how much of the network's work the others hold. Pure."""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.records import Engine, Model, Operator, Taken

_SMALL_INTEGERS = frozenset({"int4", "int8", "uint8"})

OWN_KERNELS = "the engine's own kernels"
"""What runs the operators that no delegate took."""

NAMED = 4
"""Most kinds that a sentence names."""


class Outside(NamedTuple):
    """Operators that the delegate did not take.

    Attributes:
        kinds: Those of which it left some, those with the most work first.
        operators: Of these kinds, those it took of them included: which ones it took is not known.
        least: Share of the network's multiply-accumulates that was left, at least. None, like `most`, where no
            multiply-accumulates are known.
    """

    kinds: tuple[Taken, ...]
    operators: tuple[Operator, ...]
    least: float | None
    most: float | None


def hybrid(operator: Operator) -> bool:
    """Whether weights are small integers but activations floats: the kernel converts between them as it runs."""
    return operator.activations.startswith("float") and operator.weights in _SMALL_INTEGERS


def taken(engine: Engine | None) -> dict[str, Taken] | None:
    """What the delegate took, by kind; None where there is none, or the engine does not tell."""
    return None if engine is None or engine.operators is None else {each.name: each for each in engine.operators}


def outside(model: Model) -> Outside | None:
    """What the delegate left of a model; None where it is not known."""
    found = taken(model.engine)
    if found is None:
        return None
    every = model.network.operators if model.network else ()
    mine = {name: [operator for operator in every if operator.name == name] for name in found}
    left = [each for each in found.values() if each.taken < each.total]
    left.sort(key=lambda kind: -macs(mine[kind.name]))
    operators = tuple(operator for kind in left for operator in mine[kind.name])
    whole = macs(every)
    if not whole:
        return Outside(tuple(left), operators, None, None)
    bounds = [_macs_left(kind, mine[kind.name]) for kind in left]
    return Outside(tuple(left), operators, *(sum(end) / whole for end in zip((0, 0), *bounds, strict=True)))


def macs(operators: Iterable[Operator]) -> int:
    """Multiply-accumulates of operators, those not known left out."""
    return sum(operator.macs or 0 for operator in operators)


def _macs_left(kind: Taken, operators: Sequence[Operator]) -> tuple[int, int]:
    """Least and most multiply-accumulates of the operators of a kind that were left."""
    ascending = sorted(operator.macs or 0 for operator in operators)
    left = min(kind.total - kind.taken, len(ascending))
    return sum(ascending[:left]), sum(ascending[len(ascending) - left :])


def named(found: Outside) -> str:
    """`35 of 35 CONV_2D and 1 of 2 MEAN`: how many were left."""
    return notation.listed((f"{each.total - each.taken} of {each.total} {each.name}" for each in found.kinds), NAMED)


def among(found: Outside) -> str:
    """That hybrid operators are among the kinds of which some were left; empty where none is."""
    pairs = of_both_kinds(found.operators)
    return f"; among them are hybrid ones ({pairs})" if pairs else ""


def share(found: Outside) -> str:
    """`99 % of its MACs`, or the range it is in; empty where it is not known."""
    if found.least is None or found.most is None:
        return ""
    ends = dict.fromkeys((notation.percent(found.least), notation.percent(found.most)))
    return f"{' to '.join(ends)} of its MACs"


def of_both_kinds(operators: Iterable[Operator]) -> str:
    """What hybrid operators compute with: `float32 activations with int8 weights`."""
    pairs = dict.fromkeys((each.activations, each.weights) for each in operators if hybrid(each))
    return notation.listed(f"{activations} activations with {weights} weights" for activations, weights in pairs)
