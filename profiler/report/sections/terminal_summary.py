"""The short tables for a terminal of 80 columns."""

from collections.abc import Callable, Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.costs import Cost, Costs, quotient
from profiler.analysis.labels import compared_models, heads, keyed, row_name, titled
from profiler.analysis.regions import WORDS
from profiler.analysis.stats import Estimate
from profiler.records import Event
from profiler.report.model import Table

_WITH_INTERVALS, _ABREAST = 2, 3
"""Most models with room for intervals, and most with room for a column each."""
_EVENTS_ABREAST = 4
"""Columns that there is room for beside the models' labels."""

Figure = Callable[[Cost], Estimate | None]
_KINDS: tuple[tuple[str, Figure], ...] = (
    ("once", lambda cost: cost.fixed),
    ("image", lambda cost: cost.per_image),
)


def summary(costs: Costs, events: Sequence[Event], whence: str = "") -> tuple[Table, ...]:
    """The fixed cost and the cost per image of each of these events that has one.

    Args:
        whence: What the titles say of where the figures come from.
    """
    tables: list[Table] = []
    for kind, figure in _KINDS:
        what = "Paid once, by a process" if kind == "once" else WORDS[costs.around].title
        found = [event for event in events if any(figure(costs[event.name, label]) for label in costs.models)]
        if found:
            key, title = keyed(f"summary-{kind}", costs), f"{titled(what, costs)}{whence}"
            if len(costs.models) > _ABREAST:
                tables += _by_model(key, title, costs, found, figure)
            else:
                tables.append(_by_event(key, title, costs, found, figure))
    return tuple(tables)


def _by_event(key: str, title: str, costs: Costs, events: Sequence[Event], figure: Figure) -> Table:
    many = len(costs.models) > _WITH_INTERVALS
    # What little simulated counts scatter says nothing of how near to a real machine's they are.
    show = _bare if many or costs.simulated else notation.with_error
    rows = []
    for event in events:
        mine = {label: costs[event.name, label] for label in costs.models}
        figures = {label: figure(cost) for label, cost in mine.items()}
        cells = [show(estimate, mine[label].unit) for label, estimate in figures.items()]
        base = figures[costs.baseline]
        times = [show(quotient(figures[label], base), notation.NUMBER) for label in compared_models(costs)]
        rows.append((row_name(event), *cells, *times))
    return Table(key, title, heads(costs, costs.models, " /\n" if many else " / "), tuple(rows))


def _by_model(key: str, title: str, costs: Costs, events: Sequence[Event], figure: Figure) -> Iterator[Table]:
    """Models have the rows; as many tables as the events need."""
    for start in range(0, len(events), _EVENTS_ABREAST):
        abreast = events[start : start + _EVENTS_ABREAST]
        rows = tuple(
            (label, *(_bare(figure(cost), cost.unit) for cost in (costs[event.name, label] for event in abreast)))
            for label in costs.models
        )
        columns = ("model", *map(row_name, abreast))
        yield Table(f"{key}-{start // _EVENTS_ABREAST}" if start else key, "" if start else title, columns, rows)


def _bare(estimate: Estimate | None, unit: str) -> str:
    return notation.ABSENT if estimate is None else notation.quantity(estimate, unit)
