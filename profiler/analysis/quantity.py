"""One figure of a report as a number."""

from dataclasses import dataclass

from profiler.analysis.costs import Status


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
    status: Status
    reason: str | None = None
