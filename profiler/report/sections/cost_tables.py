"""The lab's tables: what each event costs each model once, for each image, and for a whole run; ratios beside them.

A table is of `Costs`, so its figures are all counted or all simulated; where they are simulated, its title and the head
of every column say so.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.costs import Cost, Costs, quotient
from profiler.analysis.labels import (
    BENT,
    CONTRADICTED,
    LAB_IMAGES,
    compared_models,
    events_in_order,
    headed,
    heads,
    keyed,
    lab_images,
    no_line,
    no_process,
    no_region,
    row_name,
    titled,
)
from profiler.analysis.regions import WORDS
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Event, Study
from profiler.report.model import Section, Table


class Column(NamedTuple):
    """One figure of every event.

    Attributes:
        doubts: What a mark at the figure says.
        lack: Why this figure is missing where the event has others.
    """

    head: str
    model: str
    figure: Callable[[Cost], Estimate | None]
    doubts: Callable[[Cost], Iterator[str]]
    lack: Callable[[Cost], str]


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
    columns = [Column(label, label, _of_fixed, _doubts_of_line, no_line) for label in costs.models]
    return _table(
        "fixed",
        "Paid once: the fixed cost of a process",
        "Where the line through whole processes meets zero images: interpreter, import, model load, "
        f"{WORDS[costs.around].images}, first inference and warm-up together.",
        costs,
        columns,
        _of_fixed,
    )


def _per_image(costs: Costs) -> Table:
    has_line = any(cost.line for cost in costs.values())
    has_direct = any(cost.direct for cost in costs.values())
    kinds = [Column("region", "", _of_region, _doubts, no_region)] if has_direct or not has_line else []
    kinds += [Column("slope", "", _of_slope, _doubts_of_slope, no_line)] if has_line else []
    columns = [
        kind._replace(head=f"{label}\n{kind.head}" if len(kinds) > 1 else label, model=label)
        for label in costs.models
        for kind in kinds
    ]
    words = WORDS[costs.around]
    captions = {
        (True, True): f"Two ways that must agree: {words.caption[0].lower()}{words.caption[1:-1]}, and as the slope of "
        "the line through whole processes. Ratios are of the region where it was counted, which knows no fixed cost.",
        (True, False): words.caption,
        (False, True): "The slope of the line through whole processes: the region of inferences was not counted.",
        (False, False): "",
    }
    caption = captions[has_direct, has_line]
    return _table("image", words.title, caption, costs, columns, lambda cost: cost.per_image)


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

    def whole(cost: Cost) -> Estimate | None:
        return cost.whole(images)

    columns = [Column(label, label, whole, _doubts_of_line, no_process) for label in costs.models]
    return _table("whole", f"The whole run at {notation.counted(images, 'image')}", how, costs, columns, whole)


def _table(
    key: str,
    title: str,
    caption: str,
    costs: Costs,
    columns: Sequence[Column],
    compared: Callable[[Cost], Estimate | None],
) -> Table:
    notes, others = notation.Notes(), compared_models(costs)
    rows = []
    for event in events_in_order(costs):
        name = _name(event, notes)
        cells = [_cell(costs[event.name, column.model], column, notes) for column in columns]
        base = compared(costs[event.name, costs.baseline])
        cells += [_ratio(compared(costs[event.name, label]), base, costs.baseline, notes) for label in others]
        rows.append((name, *cells))
    first, *named = heads(costs, [column.head for column in columns])
    return Table(
        keyed(key, costs), titled(title, costs), (first, *headed(named, costs)), tuple(rows), caption, notes.all()
    )


def _name(event: Event, notes: notation.Notes) -> str:
    proxy = [f"stands in for {event.metric}: {event.meaning}"] if event.quality == "proxy" else []
    return f"{row_name(event)}{notes.marks(proxy)}"


def _cell(cost: Cost, column: Column, notes: notation.Notes) -> str:
    estimate = column.figure(cost)
    if estimate is None:
        return notation.ABSENT + notes.marks([cost.reason or column.lack(cost)])
    # A simulated count repeats: the lack of an interval says nothing against it.
    bare = [f"no interval: {estimate.reason}"] if estimate.reason and not cost.simulated else []
    doubts = [*column.doubts(cost), *bare]
    value, between, interval = notation.figure(estimate, cost.unit).partition("\n")
    return f"{value}{notes.marks(doubts)}{between}{interval}"


def _ratio(above: Estimate | None, below: Estimate | None, baseline: str, notes: notation.Notes) -> str:
    found = quotient(above, below)
    if found or above is None or below is None:
        return notation.figure(found, notation.NUMBER)
    return notation.ABSENT + notes.marks([f"not determined: {baseline}'s figure is not shown to be above 0"])


def _of_fixed(cost: Cost) -> Estimate | None:
    return cost.fixed


def _of_slope(cost: Cost) -> Estimate | None:
    return cost.slope


def _of_region(cost: Cost) -> Estimate | None:
    return cost.direct


def _doubts(cost: Cost) -> Iterator[str]:
    if cost.scaled:
        yield (
            "scaled up: a counter was on it for an unknown part of the run"
            if cost.running_percent is None
            else f"scaled up: a counter was on it for no more than {cost.running_percent:.0f} % of some run"
        )


def _doubts_of_line(cost: Cost) -> Iterator[str]:
    yield from _doubts(cost)
    if cost.bend is not None:
        yield BENT


def _doubts_of_slope(cost: Cost) -> Iterator[str]:
    yield from _doubts_of_line(cost)
    if cost.disagreement:
        yield CONTRADICTED
