"""Counts to derived metrics: quotients of two events that one core counts. None where either is missing.

Formulas: instructions per cycle and misses per 1000 instructions are Hennessy and Patterson's (Computer Architecture,
chapters 1 and 2); stall share and miss ratio are the quotients their names say, of the events the core has.
"""

from collections.abc import Callable
from typing import NamedTuple

from profiler.analysis.stats import Estimate, ratio


class Metric(NamedTuple):
    """A quotient of two events.

    Attributes:
        above: The metric (`records.Event.metric`) of the event on top; `below` the one it is divided by.
        factor: What the quotient is multiplied by to be in `unit`.
        meaning: What it says and what it does not.
    """

    name: str
    above: str
    below: str
    factor: float
    unit: str
    meaning: str


METRICS = (
    Metric("IPC", "instructions", "cycles", 1, "", "instructions retired per cycle"),
    Metric(
        "backend stall share",
        "stall_backend",
        "cycles",
        100,
        "%",
        "cycles in which nothing is dispatched for want of any back-end resource: an upper bound for waiting on memory",
    ),
    Metric(
        "memory stall share",
        "stall_memory",
        "cycles",
        100,
        "%",
        "cycles in which the core waited for memory, as this core counts that",
    ),
    Metric("L1D miss ratio", "l1d_refill", "l1d_access", 100, "%", "lines brought into it for each 100 accesses"),
    Metric(
        "L1D refills per 1000 instructions",
        "l1d_refill",
        "instructions",
        1000,
        "",
        "lines brought into the L1 data cache",
    ),
    Metric("L2 refills per 1000 instructions", "l2d_refill", "instructions", 1000, "", "lines brought into the L2"),
    Metric(
        "L2 invalidations against refills",
        "l2d_invalidate",
        "l2d_refill",
        100,
        "%",
        "lines that coherence or cache maintenance took from the L2, as a share of those that refills brought in",
    ),
    Metric(
        "LLC misses per 1000 instructions", "llc_load_miss", "instructions", 1000, "", "reads the last cache missed"
    ),
    Metric("LLC read miss ratio", "llc_load_miss", "llc_load", 100, "%", "reads of the last cache that it missed"),
)


def derive(metric: Metric, find: Callable[[str], Estimate | None]) -> Estimate | None:
    """The metric from the estimates that `find` gives for its two events' metrics; both from the same processes."""
    above, below = find(metric.above), find(metric.below)
    if above is None or below is None:
        return None
    quotient = ratio(above, below, paired=True)
    return None if quotient is None else scaled(quotient, metric.factor)


def scaled(estimate: Estimate, factor: float) -> Estimate:
    """The estimate in a unit `factor` times smaller; `factor` is above 0."""
    low, high = (None if end is None else end * factor for end in (estimate.low, estimate.high))
    return Estimate(estimate.value * factor, low, high, estimate.draws * factor, estimate.reason)
