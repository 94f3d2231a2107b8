"""Whether simulated counts are what they are taken for: the same in every run, on a line over the images. Pure."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from profiler.analysis.costs import Cost, Costs, Point
from profiler.records import Case, Run

_LEVELS = 3
"""Image counts from which on counts can be off a line."""


class Repeat(NamedTuple):
    """How alike the simulated runs of one case are.

    Attributes:
        case: Without its group: passes of one case are taken together.
        runs: Of each pass.
        events: How many were simulated in all runs of a pass.
        apart: Largest difference between two counts of an event in a pass, as a share of the larger.
        worst: The event of that difference; None where all counts are the same.
        of: That difference of each event.
    """

    case: Case
    runs: int
    events: int
    apart: float
    worst: str | None
    of: dict[str, float]


class Linearity(NamedTuple):
    """How far one model's simulated counts of the region `inference` are off straight lines over the images.

    Attributes:
        instructions: Of the event of that metric, the largest distance of a count from its least-squares line, as a
            share of that count; None where it was not simulated.
        worst: The event with the largest such distance, `off`.
    """

    model: str
    images: tuple[int, ...]
    events: int
    instructions: float | None
    worst: str
    off: float


def repeats(ok: Sequence[Run]) -> tuple[Repeat, ...]:
    """Every simulated case of which each pass has more than one run."""
    cases: dict[Case, dict[tuple[str, ...], list[Run]]] = {}
    for run in ok:
        if run.case.simulator is not None:
            passes = cases.setdefault(replace(run.case, group=()), {})
            passes.setdefault(run.case.group, []).append(run)
    return tuple(
        _repeat(case, list(passes.values()))
        for case, passes in cases.items()
        if all(len(runs) > 1 for runs in passes.values())
    )


def _repeat(case: Case, passes: Sequence[Sequence[Run]]) -> Repeat:
    apart: dict[str, float] = {}
    for runs in passes:
        for event, share in _apart(runs).items():
            apart[event] = max(share, apart.get(event, 0.0))
    worst = max(apart, key=lambda event: apart[event], default=None)
    largest = apart[worst] if worst else 0.0
    return Repeat(case, min(map(len, passes)), len(apart), largest, worst if largest else None, apart)


def _apart(runs: Sequence[Run]) -> dict[str, float]:
    """By event that all of the runs have: its largest count less its least, as a share of the largest."""
    values: dict[str, list[float]] = {}
    for run in runs:
        for count in run.counts:
            if count.value is not None:
                values.setdefault(count.event, []).append(count.value)
    return {
        event: (max(found) - min(found)) / (max(found) or 1)
        for event, found in values.items()
        if len(found) == len(runs)
    }


def linearity(costs: Costs) -> Iterator[Linearity]:
    """Each model whose region was simulated with three image counts or more: fewer always lie on a line."""
    for label in costs.models:
        mine = [cost for event in costs.events for cost in costs.of(event) if cost.model == label]
        off = {cost.event.name: _off(cost.inside) for cost in mine if len(_levels(cost)) >= _LEVELS}
        if not off:
            continue
        worst = max(off, key=lambda event: off[event])
        leading = costs.answering("instructions")
        yield Linearity(
            model=label,
            images=max((_levels(cost) for cost in mine), key=len),
            events=len(off),
            instructions=off.get(leading.name) if leading else None,
            worst=worst,
            off=off[worst],
        )


def _levels(cost: Cost) -> tuple[int, ...]:
    return tuple(sorted({point.images for point in cost.inside}))


def _off(points: Sequence[Point]) -> float:
    """Largest distance of a count from the least-squares line through all, as a share of that count."""
    images, values = np.array([(point.images, point.value) for point in points]).T
    x = images - images.mean()
    line = values.mean() + x * (x @ values) / (x @ x)
    return float(np.max(np.abs(values - line) / np.maximum(values, 1)))
