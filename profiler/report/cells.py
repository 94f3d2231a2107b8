"""Makes what stands in tables: figures of estimates, quantities and facts, names, and whole tables by columns."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from profiler.analysis.costs import FigureStatus
from profiler.analysis.labels import SIMULATED
from profiler.analysis.quantity import Quantity, QuantityKey
from profiler.analysis.stats import Estimate
from profiler.report.model import Cell, Entry, Label, ModelName, Table

R = TypeVar("R")


_Of = TypeVar("_Of", contravariant=True)


@dataclass(frozen=True)
class Column(Generic[_Of]):
    """A column of a table: its head, and what stands in it for what a row is of."""

    head: Label | str
    entry: Callable[[_Of], Entry]


def tabulated(
    key: str,
    title: Label | str,
    first: str,
    rows: Iterable[tuple[Label | str, R]],
    columns: Sequence[Column[R]],
    caption: str = "",
    **how: Any,
) -> Table:
    """Return a table of `rows`, each a name and what it is of, under `first` and the columns' heads."""
    heads = (first, *(column.head for column in columns))
    lines = tuple((name, *(column.entry(row) for column in columns)) for name, row in rows)
    return Table(key, title, heads, lines, caption, **how)


def name(model: str, under: str = "", notes: tuple[str, ...] = ()) -> Label:
    """Return a model's name as a head or a row's name."""
    return Label((ModelName(model),), (under,) if under else (), notes)


def headed(head: Label | str, simulated: bool) -> Label | str:
    """Return a column's head, which says of simulated figures that they are."""
    if not simulated:
        return head
    if isinstance(head, str):
        return Label((head,), (SIMULATED,))
    return replace(head, under=(*head.under, f", {SIMULATED}") if head.under else (SIMULATED,))


def names(models: Sequence[str], most: int = 99) -> Label:
    """Return models' names in a list: `a, b and c`; `a, b and 7 more` where there are more than `most`."""
    shown = models if len(models) <= most else models[: most - 1]
    parts: list[str | ModelName] = []
    for place, model in enumerate(shown):
        parts += [", " if place < len(models) - 1 else " and "] if place else []
        parts.append(ModelName(model))
    return Label((*parts, *([f" and {len(models) - len(shown)} more"] if len(shown) < len(models) else [])))


def absent(reason: str = "", unit: str = "", quantity: QuantityKey | None = None) -> Cell:
    """Return a cell without a figure, and why there is none."""
    return Cell(None, unit, "absent", notes=(reason,) if reason else (), quantity=quantity)


def estimated(
    estimate: Estimate | None, unit: str, status: FigureStatus = "counted", lack: str = "", under: str = ""
) -> Cell:
    """Return a figure with its interval; `lack` says why there is none."""
    if estimate is None:
        return absent(lack, unit)
    return Cell(estimate.value, unit, status, estimate.low, estimate.high, under=under)


def of_quantity(quantity: Quantity, notes: Iterable[str] = ()) -> Cell:
    """Return a quantity of the report as a cell; of a missing one the notes begin with the reason."""
    if quantity.value is None:
        notes = (quantity.reason, *notes) if quantity.reason else notes
    its = quantity
    return Cell(its.value, its.unit, its.status, its.low, its.high, notes=tuple(notes), quantity=its.key)


def fact(
    value: float | None, unit: str = "", lack: str = "", under: Cell | str = "", notes: Iterable[str] = ()
) -> Cell:
    """Return what is known without counting, to three digits; None is absent, for the reason `lack`."""
    return absent(lack, unit) if value is None else Cell(value, unit, digits=3, under=under, notes=tuple(notes))


def share(part: float, whole: float, after: str = "") -> Cell:
    """Return which part of a whole something is, in percent; absent where there is no whole."""
    return Cell(part / whole * 100, "%", digits=2, after=after) if whole else absent("", "%")
