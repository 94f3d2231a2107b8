"""The short tables for a terminal of 80 columns."""

from collections.abc import Iterator, Sequence
from typing import Literal

from profiler.analysis.costs import Costs, What
from profiler.analysis.labels import keyed, titled
from profiler.analysis.regions import WORDS
from profiler.records import Event
from profiler.report.cells import Column, name, tabulated
from profiler.report.model import Table
from profiler.report.sections.cost_tables import cost_cell, cost_table, event_label

_WITH_INTERVALS, _ABREAST = 2, 3
"""Most models with room for intervals, and most with room for a column each."""
_EVENTS_ABREAST = 4
"""Columns that there is room for beside the models' labels."""

_KINDS: tuple[tuple[str, What], ...] = (("once", "fixed"), ("image", "image"))


def summary(costs: Costs, events: Sequence[Event], whence: str = "") -> tuple[Table, ...]:
    """The fixed cost and the cost per image of each of these events that has one.

    Args:
        whence: What the titles say of where the figures come from.
    """
    # What little simulated counts scatter says nothing of how near to a real machine's they are.
    bare = len(costs.models) > _WITH_INTERVALS or costs.simulated
    intervals: Literal["error", "none"] = "none" if bare else "error"
    tables: list[Table] = []
    for kind, what in _KINDS:
        title = "Paid once, by a process" if kind == "once" else WORDS[costs.around].title
        title = f"{titled(title, costs.simulated)}{whence}"
        found = [event for event in events if any(costs[event.name, label].figure(what) for label in costs.models)]
        if found and len(costs.models) > _ABREAST:
            tables += _by_model(keyed(f"summary-{kind}", costs.simulated), title, costs, found, what)
        elif found:
            tables.append(cost_table(f"summary-{kind}", title, costs, [what], events=found, intervals=intervals))
    return tuple(tables)


def _by_model(key: str, title: str, costs: Costs, events: Sequence[Event], what: What) -> Iterator[Table]:
    """Models have the rows; as many tables as the events need."""

    def column(event: Event) -> Column[str]:
        return Column(event_label(event), lambda model: cost_cell(costs[event.name, model], what))

    rows = [(name(label), label) for label in costs.models]
    for start in range(0, len(events), _EVENTS_ABREAST):
        columns = [column(event) for event in events[start : start + _EVENTS_ABREAST]]
        part = f"{key}-{start // _EVENTS_ABREAST}" if start else key
        yield tabulated(part, "" if start else title, "model", rows, columns, intervals="none")
