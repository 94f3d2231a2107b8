"""A comparison as numbers for other programs: a tidy table, and quantities."""

from profiler.analysis.costs import DOUBTFUL
from profiler.analysis.notation import NUMBER
from profiler.analysis.quantity import RATIO, Quantity, quantity
from profiler.analysis.stats import Estimate
from profiler.compare.model import Comparison, Row
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
            row.shown,
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
    return tuple(each for row in found.rows for each in of_row(found, row))


def of_row(found: Comparison, row: Row) -> tuple[Quantity, Quantity, Quantity]:
    """Return the first study's figure, the other's, and their ratio."""
    name, label = found.first.name, row.model
    first, second = (
        quantity(f"{whose}: {label}", cost.event.name, row.what, its, cost.unit, cost.status, images=row.images)
        for whose, its, cost in zip((name, row.study), (row.first, row.second), row.costs, strict=True)
    )
    divided, what = f"{row.study} / {name}", f"{row.what}{RATIO}"
    status = max((cost.status for cost in row.costs), key=DOUBTFUL.index)
    lack = f"not determined: {divided} divides by a cost not shown to be there"
    ratio = quantity(f"{divided}: {label}", row.event, what, row.ratio, NUMBER, status, lack, row.images)
    return first, second, ratio
