"""A comparison as numbers for other programs: a tidy table, and quantities."""

from collections.abc import Iterator

from profiler.analysis.costs import Status
from profiler.analysis.notation import NUMBER
from profiler.analysis.quantities import RATIO, quantity
from profiler.analysis.quantity import Quantity
from profiler.analysis.stats import Estimate
from profiler.compare.model import Comparison, Row
from profiler.compare.tables import shown
from profiler.export import tidy_tables

HEAD = (
    "study",
    "first",
    "model",
    "event",
    "figure",
    "images",
    "unit",
    "simulated",
    *(f"{which}{end}" for which in ("first_value", "value", "ratio") for end in ("", "_low", "_high")),
    "shown",
    "notes",
    "kept_apart",
)


def csv(found: Comparison) -> bytes:
    """A line a figure, and one for each that was kept apart, with the reason; what is missing is empty."""
    rows = (
        (
            row.study,
            found.first.name,
            row.model,
            row.event,
            row.what,
            row.images,
            row.costs[0].unit,
            row.simulated,
            *_ends(row.first),
            *_ends(row.second),
            *_ends(row.ratio),
            shown(row),
            "; ".join(row.marks),
            None,
        )
        for row in found.rows
    )
    apart = (
        (each.study, found.first.name, each.model, each.event, each.what, *(None,) * 14, each.reason)
        for each in found.apart
    )
    return tidy_tables.table(HEAD, (*rows, *apart))


def _ends(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)


def quantities(found: Comparison) -> tuple[Quantity, ...]:
    """Of every row the two figures, each under `study: model`, and the ratio under `study / first: model`."""
    return tuple(each for row in found.rows for each in _of_row(found, row))


def _of_row(found: Comparison, row: Row) -> Iterator[Quantity]:
    name, label = found.first.name, row.model
    for whose, figure, cost in zip((name, row.study), (row.first, row.second), row.costs, strict=True):
        subject = f"{whose}: {label}"
        yield quantity(subject, cost.event.name, row.what, figure, cost.unit, cost.status, images=row.images)
    divided = f"{row.study} / {name}"
    status = max((cost.status for cost in row.costs), key=_DOUBTFUL.index)
    lack = f"not determined: {divided} divides by a cost not shown to be there"
    what = f"{row.what}{RATIO}"
    yield quantity(f"{divided}: {label}", row.event, what, row.ratio, NUMBER, status, lack, row.images)


_DOUBTFUL: tuple[Status, ...] = ("counted", "scaled", "simulated", "modelled")
"""The least doubtful first: a ratio is no better than the worse of its two figures."""
