"""The section on operators: how many of each kind, how much of the work they hold, which of them a delegate took."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from profiler.analysis import delegation, notation
from profiler.records import Engine, Model, Network, Operator, Study, Taken
from profiler.report.cells import Column, absent, names, share, tabulated
from profiler.report.model import Cell, Label, Section, Table

_SMALL = 0.01
"""Share of multiply-accumulates and of weights below which a kind has no row of its own."""


class _Kind(NamedTuple):
    """Operators that share a row.

    Attributes:
        taken: How many of how many the delegate took; None where it is not known.
    """

    name: str
    operators: tuple[Operator, ...]
    taken: tuple[int, int] | None


def operators(study: Study) -> Section | None:
    """A table for each network of the study, models with the same one together; None where no operator is known."""
    tables: dict[tuple[object, ...], tuple[list[str], Table]] = {}
    for model in study.models:
        if model.network and model.network.operators:
            its = table(model.network, model.engine)
            labels, _ = tables.setdefault((its.columns, its.rows), ([], its))
            labels.append(model.label)
    if not tables:
        return None
    return Section(
        "Operators, and who runs them",
        sentences=(_LEAD, *filter(None, [" ".join(_sentences(study.models))])),
        tables=tuple(
            replace(its, key=f"operators-{place}", title=names(labels))
            for place, (labels, its) in enumerate(tables.values())
        ),
    )


_LEAD = (
    "For each kind of operator: how many there are, their share of the network's multiply-accumulates (MACs) and of "
    "its weights, and how many of them the engine's delegate took. Models with the same figures share a table."
)


def _sentences(models: Sequence[Model]) -> Iterator[str]:
    """Which operators the delegate took and which it left."""
    found = {model.label: (model, left) for model in models if (left := delegation.outside(model))}
    whole: dict[str, list[str]] = {}
    for model, left in found.values():
        if not left.kinds and model.engine.operators and model.engine.delegate:
            whole.setdefault(model.engine.delegate, []).append(model.label)
    for name, labels in whole.items():
        yield f"{name} took every operator of {notation.listed(labels)}."
    for model, left in found.values():
        if left.kinds:
            yield _left(model, left)
    silent = [model.label for model in models if model.engine.delegate and model.label not in found]
    if silent:
        yield f"Of {notation.listed(silent)} the engine does not tell which operators the delegate took."


def _left(model: Model, left: delegation.Outside) -> str:
    every = model.engine.operators or ()
    took, total = sum(each.taken for each in every), sum(each.total for each in every)
    if not took:
        return f"No delegate took any of {model.label}'s {notation.counted(total, 'operator')}."
    share = delegation.share(left)
    return (
        f"Of {model.label} {model.engine.delegate} took {took} of {notation.counted(total, 'operator')}: "
        f"{delegation.OWN_KERNELS} run {delegation.named(left)}{f', with {share}' if share else ''}"
        f"{delegation.among(left)}."
    )


def table(network: Network, engine: Engine | None) -> Table:
    """A row a kind; `engine` is what ran the network, None where nothing did."""
    kinds = _kinds(network, delegation.taken(engine))
    delegated = engine is not None and (engine.operators is not None or engine.delegate is not None)
    columns: list[Column[_Kind]] = [
        Column("number", _number),
        Column("of MACs", lambda kind: share(delegation.macs(kind.operators), network.macs)),
        Column("of weights", lambda kind: share(_weights(kind.operators), _weights(network.operators))),
    ]
    if delegated:
        columns.append(Column(Label(("delegate",), ("took",)), _taken))
    return tabulated("operators", "Operators", "operator", [(kind.name, kind) for kind in kinds], columns)


def _number(kind: _Kind) -> Cell:
    mixed = sum(map(delegation.hybrid, kind.operators))
    notes = (f"hybrid: {delegation.of_both_kinds(kind.operators)}",) if mixed else ()
    return Cell(len(kind.operators), under=Cell(mixed, after="hybrid") if mixed else "", notes=notes)


def _taken(kind: _Kind) -> Cell:
    if kind.taken is None:
        return absent("the engine does not tell")
    took, total = kind.taken
    return Cell(took, after=f"of {total}")


def _kinds(network: Network, found: Mapping[str, Taken] | None) -> list[_Kind]:
    """Kinds with a row of their own, those with the most work first, and all others in one."""
    by_name: dict[str, list[Operator]] = {}
    for operator in network.operators:
        by_name.setdefault(operator.name, []).append(operator)
    own: list[_Kind] = []
    others: list[_Kind] = []
    for name, mine in by_name.items():
        told = found.get(name) if found else None
        kind = _Kind(name, tuple(mine), (told.taken, told.total) if told else None)
        (own if _matters(kind, network) else others).append(kind)
    own.sort(key=lambda kind: (-delegation.macs(kind.operators), -_weights(kind.operators)))
    return [*own, *([others[0]] if len(others) == 1 else [_together(others)] if others else [])]


def _matters(kind: _Kind, network: Network) -> bool:
    shares = (
        delegation.macs(kind.operators) / (network.macs or 1),
        _weights(kind.operators) / (_weights(network.operators) or 1),
    )
    return max(shares) >= _SMALL or (kind.taken is not None and kind.taken[0] < kind.taken[1])


def _together(kinds: Sequence[_Kind]) -> _Kind:
    taken = [kind.taken for kind in kinds if kind.taken]
    both = (sum(took for took, _ in taken), sum(total for _, total in taken)) if len(taken) == len(kinds) else None
    names = notation.listed((kind.name for kind in kinds), 3)
    return _Kind(names, tuple(operator for kind in kinds for operator in kind.operators), both)


def _weights(operators: Sequence[Operator]) -> int:
    return sum(operator.weight_bytes for operator in operators)
