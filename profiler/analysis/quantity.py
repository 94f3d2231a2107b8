"""A figure as a number, for other programs and for the cells of tables."""

from dataclasses import dataclass
from typing import NamedTuple

from profiler.analysis.costs import FigureStatus
from profiler.analysis.stats import Estimate

RATIO = "_ratio"
"""Ends the `what` of a figure that was divided by the baseline's."""


class QuantityKey(NamedTuple):
    """What a quantity is of; unique among a report's."""

    subject: str
    event: str
    what: str
    images: int | None


@dataclass(frozen=True, slots=True)
class Quantity:
    """One figure of the report as a number, for other programs.

    Attributes:
        subject: The model's label, or what else the figure is of.
        event: The event's name, or the metric's.
        what: `fixed`, `slope`, `region` (both per image), `whole`, or another word; of a comparison `ratio` and such.
        images: Of the whole run; None where the figure is of no image count.
        value: None where there is no figure, for the `reason`.
        low, high: Ends of the 95 % interval; None where there is none.
        unit: "" for occurrences, "ns", "bytes", "1" for a ratio.
        status: Whether it was counted, scaled up, simulated, or is not there.
    """

    subject: str
    event: str
    what: str
    images: int | None
    value: float | None
    low: float | None
    high: float | None
    unit: str
    status: FigureStatus
    reason: str | None = None

    @property
    def key(self) -> QuantityKey:
        """Return what it is of."""
        return QuantityKey(self.subject, self.event, self.what, self.images)


def quantity(
    subject: str,
    event: str,
    what: str,
    figure: Estimate | float | None,
    unit: str,
    status: FigureStatus,
    lack: str = "",
    images: int | None = None,
) -> Quantity:
    """Return the figure with its interval, or where there is none, why: `lack`."""
    if figure is None:
        return Quantity(subject, event, what, images, None, None, None, unit, "absent", lack)
    if not isinstance(figure, Estimate):
        return Quantity(subject, event, what, images, figure, None, None, unit, status)
    return Quantity(subject, event, what, images, figure.value, figure.low, figure.high, unit, status)
