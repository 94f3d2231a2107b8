"""The tables of costs: what each event costs each model once, for each image, and for a whole run; ratios beside them.

A table is of `Costs`, so its figures are all counted or all simulated; where they are simulated, its title and the head
of every column say so.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Literal

from profiler.analysis import notation
from profiler.analysis.costs import Cost, Costs, What, quotient
from profiler.analysis.labels import BOUND, LAB_IMAGES, events_in_order, keyed, lab_images, row_name, titled
from profiler.analysis.quantity import RATIO, quantity
from profiler.analysis.regions import WORDS
from profiler.analysis.study_analysis import Analysis
from profiler.machine.targets import LATENCY
from profiler.records import Event, Study
from profiler.report.cells import Column, headed, name, of_quantity, tabulated
from profiler.report.model import Cell, Label, ModelName, Section, Table


def lab(study: Study, analysis: Analysis) -> Section | None:
    """What was counted on this machine."""
    if study.counter_source is None:
        return None
    sentences = ["Each figure stands with its 95 % interval.", *ratios(analysis.costs)]
    if "process" not in study.plan.regions and study.live is None:
        sentences.append("Whole processes were not counted (`--region`), so what is paid once is not known.")
    return Section("What it costs", sentences=(" ".join(sentences),), tables=cost_tables(analysis.costs))


def ratios(costs: Costs) -> Iterator[str]:
    """What the ratios in tables of several models are."""
    if len(costs.models) > 1:
        yield f"Ratios divide by {costs.baseline}; where an interval includes 1, no difference is shown."


def cost_tables(costs: Costs, label: str = "") -> tuple[Table, ...]:
    """Up to three tables: paid once, for each image, for a whole run, as far as the regions allow.

    Args:
        label: What every caption says of where the figures come from.
    """
    images = lab_images(costs)
    # Whole runs of one image count say nothing of an image: a table of n/a would say it in every line.
    tables = [_per_image(costs)] if images is None or any(cost.per_image for cost in costs.values()) else []
    if any(cost.line for cost in costs.values()):
        tables.insert(0, _fixed(costs))
    if images is not None:
        tables.append(_whole(costs, images))
    return tuple(replace(table, caption=f"{label} {table.caption}".strip()) for table in tables)


def _fixed(costs: Costs) -> Table:
    caption = (
        "Where the line through whole processes meets zero images: interpreter, import, model load, "
        f"{WORDS[costs.around].images}, first inference and warm-up together."
    )
    title = titled("Paid once: the fixed cost of a process", costs.simulated)
    return cost_table("fixed", title, costs, ["fixed"], caption)


def _per_image(costs: Costs) -> Table:
    has_line = any(cost.line for cost in costs.values())
    has_direct = any(cost.direct for cost in costs.values())
    kinds: list[What] = ["region"] if has_direct or not has_line else []
    kinds += ["slope"] if has_line else []
    words = WORDS[costs.around]
    captions = {
        (True, True): f"Two ways that must agree: {words.caption[0].lower()}{words.caption[1:-1]}, and as the slope of "
        "the line through whole processes. Ratios are of the region where it was counted, which knows no fixed cost.",
        (True, False): words.caption,
        (False, True): "The slope of the line through whole processes: the region of inferences was not counted.",
        (False, False): "",
    }
    return cost_table("image", titled(words.title, costs.simulated), costs, kinds, captions[has_direct, has_line])


def _whole(costs: Costs, images: int) -> Table:
    lines = any(cost.line for cost in costs.values())
    if not lines:
        how = f"The mean of whole processes; {notation.counted(images, 'image')} is the only count that was run."
    elif images == LAB_IMAGES:
        how = f"Fixed cost + {images} × slope, both of the line through whole processes."
    else:
        how = (
            f"Fixed cost + {images} × slope of the line; {LAB_IMAGES} images are outside the range of the runs, "
            f"and {images} is the nearest count inside."
        )
    title = titled(f"The whole run at {notation.counted(images, 'image')}", costs.simulated)
    return cost_table("whole", title, costs, ["whole"], how, images)


def cost_table(
    key: str,
    title: str,
    costs: Costs,
    kinds: Sequence[What],
    caption: str = "",
    images: int | None = None,
    events: Sequence[Event] = (),
    intervals: Literal["full", "error", "none"] = "full",
) -> Table:
    """Return a table with a row an event: figures of these kinds of each model, then ratios with the baseline.

    Args:
        kinds: The first of several for an image, or the only one, is divided.
        images: Of the whole runs.
        events: Those that have rows; all where none is named.
    """

    told = costs.simulated and intervals == "full"

    def figure(model: str, what: What) -> Column[Event]:
        head = name(model, what if len(kinds) > 1 else "")
        return Column(headed(head, told), lambda event: cost_cell(costs[event.name, model], what, images))

    def ratio(model: str) -> Column[Event]:
        what: What = "image" if len(kinds) > 1 else kinds[0]
        above, below = ModelName(model), ModelName(costs.baseline)
        narrow = intervals == "none" and len(costs.compared) > 1
        head = Label((above, " /"), (below,)) if narrow else Label((above, " / ", below))
        return Column(
            headed(head, told),
            lambda event: _ratio(costs[event.name, model], costs[event.name, costs.baseline], what, images),
        )

    rows = [(event_label(event), event) for event in events or events_in_order(costs)]
    columns = [figure(model, what) for model in costs.models for what in kinds]
    columns += [ratio(model) for model in costs.compared]
    return tabulated(keyed(key, costs.simulated), title, "event", rows, columns, caption, intervals=intervals)


def event_label(event: Event) -> Label:
    """Return an event's name as that of a row, with a note on what a proxy stands in for."""
    if event.name == LATENCY:
        return Label((event.name,), (BOUND,))
    proxy = (f"stands in for {event.metric}: {event.meaning}",) if event.quality == "proxy" else ()
    return Label((row_name(event),), notes=proxy)


def cost_cell(cost: Cost, what: What, images: int | None = None) -> Cell:
    """Return a figure of a cost, with what the reader must know of it."""
    figure, what = cost.figure(what, images), cost.told(what)
    its = quantity(cost.model, cost.event.name, what, figure, cost.unit, cost.status, cost.lack(what), images)
    return of_quantity(its, cost.doubts(what, figure) if figure else ())


def _ratio(above: Cost, below: Cost, what: What, images: int | None) -> Cell:
    """How many times the other's figure the first's is."""
    figures = above.figure(what, images), below.figure(what, images)
    lack = f"not determined: {below.model}'s figure is not shown to be above 0" if all(figures) else ""
    kinds, found = {cost.told(what) for cost in (above, below)}, quotient(*figures)
    whats = f"{above.told(what)}{RATIO}"
    its = quantity(above.model, above.event.name, whats, found, notation.NUMBER, above.status, lack, images)
    cell = of_quantity(its)
    return cell if len(kinds) == 1 else replace(cell, quantity=None)
