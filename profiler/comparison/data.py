"""A comparison as numbers for other programs: a tidy table, and quantities."""

from collections.abc import Iterator

from profiler.comparison.beside import shown
from profiler.comparison.found import Comparison, Row
from profiler.report.costs import Cost
from profiler.report.formats import tidy
from profiler.report.model import Quantity
from profiler.report.quantities import RATIO, Status
from profiler.report.text import NUMBER
from profiler.stats import Estimate
from profiler.targets import LATENCY

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
    return tidy.table(HEAD, (*rows, *apart))


def _ends(estimate: Estimate | None) -> tuple[float | None, float | None, float | None]:
    return (None, None, None) if estimate is None else (estimate.value, estimate.low, estimate.high)


def quantities(found: Comparison) -> tuple[Quantity, ...]:
    """Of every row the two figures, each under `study: model`, and the ratio under `study / first: model`."""
    return tuple(each for row in found.rows for each in _of_row(found, row))


def _of_row(found: Comparison, row: Row) -> Iterator[Quantity]:
    first, second = row.costs
    name, label = found.first.name, row.model
    yield _quantity(f"{name}: {label}", row, row.what, row.first, first)
    yield _quantity(f"{row.study}: {label}", row, row.what, row.second, second)
    yield _quantity(f"{row.study} / {name}: {label}", row, f"{row.what}{RATIO}", row.ratio, None)


def _quantity(subject: str, row: Row, what: str, figure: Estimate | None, cost: Cost | None) -> Quantity:
    status = _status(cost) if cost else max((_status(each) for each in row.costs), key=_DOUBTFUL.index)
    return Quantity(
        subject=subject,
        event=cost.event.name if cost else row.event,
        what=what,
        images=row.images,
        value=figure.value if figure else None,
        low=figure.low if figure else None,
        high=figure.high if figure else None,
        unit=cost.unit if cost else NUMBER,
        status=status if figure else "absent",
        reason=None
        if figure
        else f"not determined: {subject.rpartition(': ')[0]} divides by a cost not shown to be there",
    )


_DOUBTFUL: tuple[Status, ...] = ("counted", "scaled", "simulated", "modelled")


def _status(cost: Cost) -> Status:
    if cost.event.name == LATENCY:
        return "modelled"
    if cost.simulated:
        return "simulated"
    return "scaled" if cost.scaled else "counted"
