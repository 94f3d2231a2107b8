"""Names of tables, rows and reasons that analysis, report and comparison share."""

from collections.abc import Iterable

from profiler.analysis.costs import Cost, Costs
from profiler.machine.targets import LATENCY
from profiler.records import Event

LAB_IMAGES = 10
"""Images of the whole run that the lab asks for."""


SIMULATED = "simulated"
"""The word that parts simulated figures from counted ones."""


_ACCOUNTED = ("duration_time", "task-clock", "user_time", "system_time", "page-faults", "context-switches")


BENT = "the counts are not on a line over the images: fixed cost and slope average over a bend"


CONTRADICTED = "slope and region contradict each other beyond their intervals"


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


def titled(title: str, costs: Costs) -> str:
    """A table's or figure's title, which says of simulated figures that they are."""
    return f"{title}, {SIMULATED}" if costs.simulated else title


def keyed(key: str, costs: Costs) -> str:
    """A table's or figure's key, apart from that of the same with counted figures."""
    return f"{SIMULATED}-{key}" if costs.simulated else key


def headed(heads: Iterable[str], costs: Costs) -> list[str]:
    """The heads of columns, which say of simulated figures that they are."""
    if not costs.simulated:
        return list(heads)
    return [f"{head}, {SIMULATED}" if "\n" in head else f"{head}\n{SIMULATED}" for head in heads]


def heads(costs: Costs, figures: Iterable[str], over: str = " / ") -> tuple[str, ...]:
    """The heads of a table of events: its figures', then of each ratio with the baseline."""
    return ("event", *figures, *(f"{label}{over}{costs.baseline}" for label in compared_models(costs)))


def compared_models(costs: Costs) -> list[str]:
    """Labels of the models that are divided by the baseline."""
    return [label for label in costs.models if label != costs.baseline]


def row_name(event: Event) -> str:
    """An event's name, with a word where it is not the event that was asked for, or no event at all."""
    if event.name == LATENCY:
        return f"{event.name}\nmodelled, upper bound"
    return f"{event.name} (proxy)" if event.quality == "proxy" else event.name


def no_process(_cost: Cost) -> str:
    """Why a whole run has no figure."""
    return "no whole process of this image count was counted"


def no_line(cost: Cost) -> str:
    """Why fixed cost and slope have no figure."""
    return (
        "one image count only, so fixed cost and cost per image cannot be told apart"
        if cost.points
        else "no whole process was counted"
    )


def no_region(_cost: Cost) -> str:
    """Why the region of inferences has no figure."""
    return "the region of inferences alone was not counted"


TAIL = {"p95": 20, "p99": 100}
"""Latencies below which a quantile of the tail is the largest one and nothing more."""
