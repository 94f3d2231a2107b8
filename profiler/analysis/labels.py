"""What events, kinds of figures, tables and figures are called, and which image count is the lab's."""

from profiler.analysis.costs import Costs
from profiler.machine.targets import LATENCY
from profiler.records import Event

LAB_IMAGES = 10
"""Images of the whole run that the lab asks for."""

SIMULATED = "simulated"
"""The word that parts simulated figures from counted ones."""

TAIL = {"p95": 20, "p99": 100}
"""Latencies below which a quantile of the tail is the largest one and nothing more."""

BOUND = "modelled, upper bound"
"""What the modelled latency is."""

_ACCOUNTED = ("duration_time", "task-clock", "user_time", "system_time", "page-faults", "context-switches")


def events_in_order(costs: Costs) -> list[Event]:
    """The events of a table's rows: hardware as asked for, what the kernel accounts for, what else there is."""
    rank = {name: place for place, name in enumerate(_ACCOUNTED)}
    return sorted(costs.events, key=lambda event: (event.kind != "hardware", rank.get(event.name, len(rank))))


def lab_images(costs: Costs) -> int | None:
    """Images of the whole run to compare: `LAB_IMAGES` where it is in the range of the runs, else the nearest count."""
    counts = {point.images for cost in costs.values() for point in cost.points}
    if not counts:
        return None
    if min(counts) <= LAB_IMAGES <= max(counts) and len(counts) > 1:
        return LAB_IMAGES
    return min(counts, key=lambda count: (count > LAB_IMAGES, abs(count - LAB_IMAGES)))


def titled(title: str, simulated: bool) -> str:
    """A table's or figure's title, which says of simulated figures that they are."""
    return f"{title}, {SIMULATED}" if simulated else title


def keyed(key: str, simulated: bool) -> str:
    """A table's or figure's key, apart from that of the same with counted figures."""
    return f"{SIMULATED}-{key}" if simulated else key


def row_name(event: Event) -> str:
    """An event's name, with a word where it is not the event that was asked for, or no event at all."""
    if event.name == LATENCY:
        return f"{event.name}, {BOUND}"
    return f"{event.name} (proxy)" if event.quality == "proxy" else event.name
