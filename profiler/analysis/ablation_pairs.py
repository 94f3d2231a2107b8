"""Pairs of models that differ in one thing alone, and how their figures compare. Pure."""

from collections.abc import Callable, Sequence
from typing import Literal, NamedTuple

from profiler.analysis.costs import Costs, quotient
from profiler.analysis.stats import MATTERS, Estimate
from profiler.records import Event, Form, Model

LEADING = ("duration_time", "task-clock", "cycles")
"""The first of these with a figure speaks for the study."""

BESIDE = ("instructions", "l2d_refill", "llc_load_miss")
"""Metrics that stand beside the one that pairs are judged by."""

Cause = Literal["runtime", "precision", "file format", "width"]

_FIELDS: dict[str, tuple[Cause, Callable[[Form], bool]]] = {
    "runtime": ("runtime", lambda first: first.runtime == "keras" and first.precision == "fp32"),
    "precision": ("precision", lambda first: first.precision == "fp32"),
    "optimiser_state": ("file format", lambda first: first.optimiser_state),
    "alpha": ("width", lambda first: first.alpha == 1.0),
}
"""By the field that differs: the cause's name, and which form is the one that others are compared with."""

Verdict = Literal["more", "less", "same", "not told"]


class AblationPair(NamedTuple):
    """Two models of a family that differ in one field of their forms; the second is compared with the first."""

    cause: Cause
    first: Model
    second: Model
    forms: tuple[Form, Form]

    @property
    def file_ratio(self) -> float:
        """How many times the first's file the second's is."""
        return self.second.size_bytes / self.first.size_bytes

    @property
    def working_set_ratio(self) -> float | None:
        """The same of working sets; None where one is not known."""
        first, second = (each.network and each.network.working_set_bytes for each in (self.first, self.second))
        return second / first if first and second else None

    @property
    def macs_ratio(self) -> float | None:
        """The same of multiply-accumulates."""
        first, second = (each.network and each.network.macs for each in (self.first, self.second))
        return second / first if first and second else None

    def per_image(self, costs: Costs, event: Event) -> Estimate | None:
        """How many times the first's cost for each image the second's is."""
        first, second = (costs[event.name, model.label].per_image for model in (self.first, self.second))
        return quotient(second, first)

    def fixed(self, costs: Costs, event: Event) -> Estimate | None:
        """The same of what is paid once."""
        first, second = (costs[event.name, model.label].fixed for model in (self.first, self.second))
        return quotient(second, first)


class Measure(NamedTuple):
    """The event by which pairs are judged, and all costs of its kind."""

    costs: Costs
    event: Event


def pairs(models: Sequence[Model]) -> tuple[AblationPair, ...]:
    """All pairs, by cause in the order of `_FIELDS`."""
    formed = [(model, model.form) for model in models if model.form]
    return tuple(
        AblationPair(cause, first, second, (form, other))
        for field, (cause, compared_with) in _FIELDS.items()
        for first, form in formed
        if compared_with(form)
        for second, other in formed
        if [name for name in Form.__struct_fields__ if getattr(form, name) != getattr(other, name)] == [field]
    )


def measure(costs: Costs) -> Measure | None:
    """By what pairs are judged: time, or of simulated costs, instructions; None where there is no figure."""
    events = {event.name: event for event in costs.events}
    timed = [events[name] for name in LEADING if name in events and costs.of(events[name])]
    event = costs.answering("instructions") if costs.simulated else next(iter(timed), None)
    return Measure(costs, event) if event else None


def verdict(ratio: Estimate, simulated: bool) -> Verdict:
    """Which way a ratio is from 1, beyond its interval and by more than `MATTERS`; a simulated one needs none."""
    if ratio.interval is None and not simulated:
        return "not told"
    low, high = ratio.interval or (ratio.value, ratio.value)
    if low <= 1 <= high or abs(ratio.value - 1) <= MATTERS:
        return "same"
    return "more" if ratio.value > 1 else "less"
