"""The lab's tables: what each event costs each model once, for each image, and for a whole run; ratios beside them."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from profiler.records import Event, Study
from profiler.report import text
from profiler.report.analysis import Analysis
from profiler.report.costs import Cost, quotient
from profiler.report.model import Section, Table
from profiler.stats import Estimate

LAB_IMAGES = 10
"""Images of the whole run that the lab asks for."""

_ACCOUNTED = ("duration_time", "task-clock", "user_time", "system_time", "page-faults", "context-switches")
_SUMMARY_MODELS = 2
"""Most models with room for intervals in a terminal of 80 columns."""

BENT = "the counts are not on a line over the images: fixed cost and slope average over a bend"
CONTRADICTED = "slope and region contradict each other beyond their intervals"
SIMULATED = "simulated, not counted on this machine"


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


def events_in_order(study: Study) -> list[Event]:
    """The events of a table's rows: hardware as asked for, what the kernel accounts for, what else there is."""
    rank = {name: place for place, name in enumerate(_ACCOUNTED)}
    return sorted(study.events, key=lambda event: (event.kind != "hardware", rank.get(event.name, len(rank))))


def lab_images(analysis: Analysis) -> int | None:
    """Images of the whole run to compare: `LAB_IMAGES` where it is in the measured range, else the nearest count."""
    counts = {point.images for cost in analysis.costs.values() for point in cost.points}
    if not counts:
        return None
    if min(counts) <= LAB_IMAGES <= max(counts) and len(counts) > 1:
        return LAB_IMAGES
    return min(counts, key=lambda count: (count > LAB_IMAGES, abs(count - LAB_IMAGES)))


def lab(study: Study, analysis: Analysis) -> Section:
    """The three tables, as far as the study's regions allow."""
    tables, images = [_per_image(study, analysis)], lab_images(analysis)
    if any(cost.line for cost in analysis.costs.values()):
        tables.insert(0, _fixed(study, analysis))
    if images is not None:
        tables.append(_whole(study, analysis, images))
    sentences = ["Each figure stands with its 95 % interval."]
    if len(study.models) > 1:
        sentences.append(f"Ratios divide by {analysis.baseline}; where an interval includes 1, no difference is shown.")
    if "process" not in study.plan.regions:
        sentences.append("Whole processes were not counted (`--region`), so what is paid once is not known.")
    return Section("What it costs", sentences=(" ".join(sentences),), tables=tuple(tables))


def summary(study: Study, analysis: Analysis) -> tuple[Table, ...]:
    """The fixed cost and the cost per image of every event that has one, for a terminal of 80 columns."""
    kinds: tuple[tuple[str, str, Callable[[Cost], Estimate | None]], ...] = (
        ("once", "Paid once, by a process", lambda cost: cost.fixed),
        ("image", "Paid for each image", lambda cost: cost.per_image),
    )
    show = text.with_error if len(study.models) <= _SUMMARY_MODELS else _bare
    heads = _heads(study, analysis, [model.label for model in study.models])
    tables = []
    for key, title, figure in kinds:
        rows = []
        for event in events_in_order(study):
            mine = {model.label: analysis.costs[event.name, model.label] for model in study.models}
            figures = {label: figure(cost) for label, cost in mine.items()}
            if any(figures.values()):
                cells = [show(estimate, mine[label].unit) for label, estimate in figures.items()]
                base = figures[analysis.baseline]
                ratios = [show(quotient(figures[label], base), text.NUMBER) for label in _compared(study, analysis)]
                rows.append((plain_name(event), *cells, *ratios))
        if rows:
            tables.append(Table(f"summary-{key}", title, heads, tuple(rows)))
    return tuple(tables)


def _bare(estimate: Estimate | None, unit: str) -> str:
    return text.ABSENT if estimate is None else text.quantity(estimate, unit)


def _heads(study: Study, analysis: Analysis, figures: Iterable[str]) -> tuple[str, ...]:
    ratios = (f"{label} / {analysis.baseline}" for label in _compared(study, analysis))
    return ("event", *figures, *ratios)


def _compared(study: Study, analysis: Analysis) -> list[str]:
    return [model.label for model in study.models if model.label != analysis.baseline]


def _fixed(study: Study, analysis: Analysis) -> Table:
    columns = [Column(model.label, model.label, _of_fixed, _doubts_of_line, _no_line) for model in study.models]
    return _table(
        "fixed",
        "Paid once: the fixed cost of a process",
        "Where the line through whole processes meets zero images: interpreter, import, model load, images into RAM, "
        "first inference and warm-up together.",
        study,
        analysis,
        columns,
        _of_fixed,
    )


def _per_image(study: Study, analysis: Analysis) -> Table:
    has_line = any(cost.line for cost in analysis.costs.values())
    has_direct = any(cost.direct for cost in analysis.costs.values())
    kinds = [Column("region", "", _of_region, _doubts, _no_region)] if has_direct or not has_line else []
    kinds += [Column("slope", "", _of_slope, _doubts_of_slope, _no_line)] if has_line else []
    columns = [
        kind._replace(head=f"{model.label}\n{kind.head}" if len(kinds) > 1 else model.label, model=model.label)
        for model in study.models
        for kind in kinds
    ]
    captions = {
        (True, True): "Two ways that must agree: counted in the region of steady inferences alone, and as the slope of "
        "the line through whole processes. Ratios are of the region where it was counted, which knows no fixed cost.",
        (True, False): "Counted in the region of steady inferences alone.",
        (False, True): "The slope of the line through whole processes: the region of inferences was not counted.",
        (False, False): "",
    }
    caption = captions[has_direct, has_line]
    return _table("image", "Paid for each image", caption, study, analysis, columns, lambda cost: cost.per_image)


def _whole(study: Study, analysis: Analysis, images: int) -> Table:
    lines = any(cost.line for cost in analysis.costs.values())
    if not lines:
        how = f"The mean of whole processes; {text.counted(images, 'image')} is the only count measured."
    elif images == LAB_IMAGES:
        how = f"Fixed cost + {images} × slope, both of the line through whole processes."
    else:
        how = (
            f"Fixed cost + {images} × slope of the line; {LAB_IMAGES} images are outside the measured range, "
            f"and {images} is the nearest count inside."
        )

    def whole(cost: Cost) -> Estimate | None:
        return cost.whole(images)

    columns = [Column(model.label, model.label, whole, _doubts_of_line, _no_process) for model in study.models]
    title = f"The whole run at {text.counted(images, 'image')}"
    return _table("whole", title, how, study, analysis, columns, whole)


def _table(
    key: str,
    title: str,
    caption: str,
    study: Study,
    analysis: Analysis,
    columns: Sequence[Column],
    compared: Callable[[Cost], Estimate | None],
) -> Table:
    notes = text.Notes()
    rows = []
    for event in events_in_order(study):
        name = _name(event, notes)
        cells = [_cell(analysis.costs[event.name, column.model], column, notes) for column in columns]
        base = compared(analysis.costs[event.name, analysis.baseline])
        cells += [
            _ratio(compared(analysis.costs[event.name, label]), base, analysis.baseline, notes)
            for label in _compared(study, analysis)
        ]
        rows.append((name, *cells))
    heads = _heads(study, analysis, [column.head for column in columns])
    return Table(key, title, heads, tuple(rows), caption, notes.all())


def _name(event: Event, notes: text.Notes) -> str:
    proxy = [f"stands in for {event.metric}: {event.meaning}"] if event.quality == "proxy" else []
    return f"{plain_name(event)}{notes.marks(proxy)}"


def plain_name(event: Event) -> str:
    """An event's name, with a word where it is not the event that was asked for."""
    return f"{event.name} (proxy)" if event.quality == "proxy" else event.name


def _cell(cost: Cost, column: Column, notes: text.Notes) -> str:
    estimate = column.figure(cost)
    if estimate is None:
        return text.ABSENT + notes.marks([cost.reason or column.lack(cost)])
    doubts = [*column.doubts(cost), *([f"no interval: {estimate.reason}"] if estimate.reason else [])]
    value, between, interval = text.figure(estimate, cost.unit).partition("\n")
    return f"{value}{notes.marks(doubts)}{between}{interval}"


def _ratio(above: Estimate | None, below: Estimate | None, baseline: str, notes: text.Notes) -> str:
    found = quotient(above, below)
    if found or above is None or below is None:
        return text.figure(found, text.NUMBER)
    return text.ABSENT + notes.marks([f"not determined: {baseline}'s figure is not shown to be above 0"])


def _of_fixed(cost: Cost) -> Estimate | None:
    return cost.fixed


def _of_slope(cost: Cost) -> Estimate | None:
    return cost.slope


def _of_region(cost: Cost) -> Estimate | None:
    return cost.direct


def _doubts(cost: Cost) -> Iterator[str]:
    if cost.simulated:
        yield SIMULATED
    if cost.scaled:
        yield f"scaled up: a counter was on it for no more than {cost.running_percent:.0f} % of some run"


def _doubts_of_line(cost: Cost) -> Iterator[str]:
    yield from _doubts(cost)
    if cost.bend is not None:
        yield BENT


def _doubts_of_slope(cost: Cost) -> Iterator[str]:
    yield from _doubts_of_line(cost)
    if cost.disagreement:
        yield CONTRADICTED


def _no_process(_cost: Cost) -> str:
    return "no whole process of this image count was counted"


def _no_line(cost: Cost) -> str:
    return (
        "one image count only, so fixed cost and cost per image cannot be told apart"
        if cost.points
        else "no whole process was counted"
    )


def _no_region(_cost: Cost) -> str:
    return "the region of inferences alone was not counted"
