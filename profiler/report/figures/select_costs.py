"""Figures of costs, in data and words: counts against images, ratios, what an image costs in a run of so many."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import measure
from profiler.analysis.amortisation import falls_under
from profiler.analysis.costs import Cost, Costs, quotient
from profiler.analysis.labels import SIMULATED, events_in_order, keyed, row_name, titled
from profiler.analysis.study_analysis import Analysis
from profiler.records import Event, Simulation
from profiler.report.figures.data import AmortisedLines, CostGrid, CostLines, Ratio, RatioDots
from profiler.report.figures.layout import ABREAST, DOTS, GRID_DOTS
from profiler.report.model import Figure, Section
from profiler.report.sections import simulation_provenance

LAB = ("cycles", "instructions", "stall_backend", "l2d_invalidate", "llc_load", "llc_load_miss", "l2d_refill")
"""Metrics of the lab, in its order: what is drawn first where not all is."""

SHARES = (0.5, 0.1)
"""Of the fixed cost in a run's, whose image counts are marked."""

_WITHOUT_HARDWARE = ("task-clock", "page-faults")
"""Events that are drawn beside the leading one where no hardware event was counted."""

_ROWS, _RATIO_ROWS, _ALL_RATIO_ROWS = 10, 20, 32
"""Most events of a figure: of counts against images; of ratios in a panel, and over all rows of panels."""

SPOKEN_OF = 4
"""Most models whose figures words tell one by one."""

_BEYOND, _MOST_IMAGES = 3, 100_000
"""How many times the most images of the study an axis of images reaches at least, and where it ends at the latest."""

_LINE = (
    "The line is the fit through them all, the shade its 95 % interval; where it meets the left edge is the fixed "
    "cost. Models have their own scales. A dashed line starts from the same fixed cost and rises as the region of "
    "inferences says: one that leaves the shade contradicts the fit."
)


def illustrated(section: Section | None, figures: Sequence[Figure]) -> Section | None:
    """Return the section with these figures before its own."""
    return replace(section, figures=(*figures, *section.figures)) if section else None


def counts(analysis: Analysis) -> Section | None:
    """Return counts of whole processes against images, and what an image then costs; None without a line."""
    costs = analysis.costs
    figures = (*_leading(costs), *amortised(costs), *grid(costs, _beside(costs)))
    return Section("Counts against images", figures=figures) if figures else None


def _beside(costs: Costs) -> list[Event]:
    """Events of the figure of several: the hardware's, the lab's first; without any, some of the kernel's."""
    hardware = [event for event in events_in_order(costs) if event.kind == "hardware" and costs.of(event)]
    if not hardware:
        return [event for name in _WITHOUT_HARDWARE for event in costs.events if event.name == name]
    return sorted(hardware, key=_lab_first)


def _lab_first(event: Event) -> int:
    return LAB.index(event.metric) if event.metric in LAB else len(LAB)


def _leading(costs: Costs) -> Iterator[Figure]:
    """The time of whole processes against images."""
    for event in costs.events:
        mine = _drawable(costs, event)
        if event.name == "duration_time" and any(cost.line for cost in mine):
            yield Figure(
                f"01-{event.name}",
                event.name,
                f"{event.name} of whole processes against images. {_described(mine)}.",
                f"{notation.sentence(event.meaning)} Each mark is one process{_of_more(mine, DOTS)}. {_LINE}",
                CostLines(mine),
            )


def grid(costs: Costs, events: Sequence[Event]) -> Iterator[Figure]:
    """Yield one figure of those events that have a line for some model."""
    lined = [event for event in events if any(cost.line for cost in _drawable(costs, event))]
    rows = {_row(event, costs): _drawable(costs, event) for event in lined[:_ROWS]}
    if not rows:
        return
    title = titled("Counts of whole processes against images", costs.simulated)
    every = [cost for mine in rows.values() for cost in mine]
    if len({cost.model for cost in every}) > ABREAST:
        how = (
            "A mark is the mean of the processes of an image count, a curve the line through them all: flat where the "
            "fixed cost rules, rising where the images do. Both axes are logarithmic; what is not above 0 has no place."
        )
    else:
        how = f"Each mark is one process{_of_more(every, GRID_DOTS)}. {_LINE}"
    alt = "; ".join(f"{name}: {_described(mine)}" for name, mine in rows.items())
    yield Figure(
        keyed("counts", costs.simulated),
        title,
        f"{title}. {alt}.",
        f"{how}{_scaled(every)}{_more(len(lined) - len(rows))}",
        CostGrid(rows),
    )


def _drawable(costs: Costs, event: Event) -> tuple[Cost, ...]:
    return tuple(cost for label in costs.models if (cost := costs.get((event.name, label))) and cost.points)


def _row(event: Event, costs: Costs) -> str:
    """What the event is called beside its panels."""
    scaled = any(cost.scaled for cost in costs.of(event))
    return f"{row_name(event).replace(chr(10), ', ')}{', scaled up' if scaled else ''}"


def _scaled(costs: Sequence[Cost]) -> str:
    return (
        " Counts that are called scaled up are estimates: a counter was on the event for a part of the run."
        if any(cost.scaled for cost in costs)
        else ""
    )


def _more(left_out: int) -> str:
    """That some events are not drawn."""
    if not left_out:
        return ""
    return f" {notation.counted(left_out, 'further event')} {'is' if left_out == 1 else 'are'} in the tables alone."


def _of_more(costs: Sequence[Cost], most: int) -> str:
    return f" (of more than {most}, that many at random)" if any(len(cost.points) > most for cost in costs) else ""


def _described(costs: Sequence[Cost]) -> str:
    """What each line says, or of many models the cheapest and the dearest for each image."""
    lined = [(cost, cost.line) for cost in costs if cost.line]
    if len(lined) > SPOKEN_OF:
        ends = sorted(lined, key=lambda each: each[1].per_image.value)
        said = (f"{notation.quantity(line.per_image, cost.unit)} ({cost.model})" for cost, line in (ends[0], ends[-1]))
        return f"rising for each image by {' to '.join(said)}"
    return ", ".join(
        f"{cost.model} {notation.quantity(cost.line.fixed, cost.unit)} at no image, rising by "
        f"{notation.quantity(cost.line.per_image, cost.unit)} an image"
        if cost.line
        else f"{cost.model} {notation.counted(len(cost.points), 'run')} of one image count"
        for cost in costs
    )


def ratios(costs: Costs, simulation: Simulation | None = None) -> Iterator[Figure]:
    """What each model costs in every event against the baseline; `simulation` made the costs, where they are one's."""
    others = costs.compared
    rows = -(-len(others) // ABREAST)
    told = [event for event in events_in_order(costs) if any(_told(_ratio(costs, event, label)) for label in others)]
    shown = sorted(told, key=_lab_first)[: min(_RATIO_ROWS, _ALL_RATIO_ROWS // max(rows, 1))]
    events = [event for event in told if event in shown]
    panels = {label: tuple(_ratio(costs, event, label) for event in events) for label in others}
    panels = {label: found for label, found in panels.items() if any(map(_told, found))}
    if not panels:
        return
    title = titled(f"How many times {costs.baseline}'s cost", costs.simulated)
    alt = "; ".join(f"{label}: {_spread(ratios)}" for label, ratios in panels.items())
    whence = f"{notation.sentence(f'simulated {simulation_provenance.through(simulation)}')} " if simulation else ""
    every = [cost for event in events for cost in costs.of(event)]
    yield Figure(
        keyed("ratios", costs.simulated),
        title,
        f"{title}. {alt}.",
        f"{whence}Filled marks are for each image, hollow ones what is paid once; the lines are 95 % intervals, where "
        "there are any, and one that crosses the line at 1 shows no difference. Equal steps are equal factors. What is "
        f"not determined is left out.{_scaled(every)}{_more(len(told) - len(events))}",
        RatioDots(costs.baseline, panels, costs.simulated),
    )


def _ratio(costs: Costs, event: Event, label: str) -> Ratio:
    above, below = costs[event.name, label], costs[event.name, costs.baseline]
    per_image, once = quotient(above.per_image, below.per_image), quotient(above.fixed, below.fixed)
    return Ratio(_row(event, costs), per_image, once)


def _told(ratio: Ratio) -> bool:
    return bool(ratio.per_image or ratio.once)


def _spread(ratios: Sequence[Ratio]) -> str:
    """`for each image from 9.2 times (a) to 61 times (b), once 12 times (c)`."""
    parts = []
    each = [(ratio.per_image, ratio.name) for ratio in ratios]
    for when, figures in (("for each image", each), ("once", [(ratio.once, ratio.name) for ratio in ratios])):
        found = sorted((figure.value, name) for figure, name in figures if figure)
        if found:
            ends = dict.fromkeys((found[0], found[-1]))
            said = " to ".join(f"{notation.plain(value, notation.NUMBER)} times ({name})" for value, name in ends)
            parts.append(f"{when} {'from ' if len(ends) > 1 else ''}{said}")
    return ", ".join(parts)


def amortised(costs: Costs) -> Iterator[Figure]:
    """What an image costs in a run of so many, in time, or of simulated costs in instructions."""
    judged = measure(costs)
    lined = tuple(cost for cost in _drawable(*judged) if cost.line and _positive(cost)) if judged else ()
    if not judged or not lined:
        return
    event = judged.event
    shares = {
        share: {cost.model: images.value for cost in lined if (images := falls_under(cost, share))} for share in SHARES
    }
    run = max(point.images for cost in lined for point in cost.points)
    marked = [images for found in shares.values() for images in found.values()]
    most = min(max(_BEYOND * run, *(round(images * 1.5) for images in marked), 10), _MOST_IMAGES)
    title = titled("What an image costs in a run of so many", costs.simulated)
    name = f"{SIMULATED} {event.name}" if costs.simulated else event.name
    begin = notation.sentence(name).rstrip(".") if costs.simulated else name
    alt = "; ".join(_amortised(cost, run) for cost in lined[:SPOKEN_OF])
    yield Figure(
        keyed("amortised", costs.simulated),
        title,
        f"{title}. {name} for each image: {alt}. {_falls(shares)}",
        f"{begin} of a whole run over its images: the fixed cost over the images, and what each image adds. "
        f"{_falls(shares)} Hollow marks are means of the processes, the shade the line's 95 % interval; where the line "
        f"is thin (outside the image counts that were run) it is what the fit says of runs that were not made. Both "
        "axes are logarithmic.",
        AmortisedLines(lined, shares, most),
    )


def _positive(cost: Cost) -> bool:
    return min((point.value for point in cost.points), default=0) > 0


def _amortised(cost: Cost, run: int) -> str:
    said = (
        f"{notation.plain(whole.value / images, cost.unit)} in a run of {notation.counted(images, 'image')}"
        for images in (1, run)
        if (whole := cost.whole(images))
    )
    return f"{cost.model} {' and '.join(said)}"


def _falls(shares: Mapping[float, Mapping[str, float]]) -> str:
    """Beyond how many images the fixed cost is below each share."""
    labels = shares[SHARES[0]]
    if not labels:
        return ""
    if len(labels) > SPOKEN_OF:
        parts = [
            f"under {notation.percent(share)} beyond {min(found.values()):,.0f} to {max(found.values()):,.0f} images"
            for share, found in shares.items()
        ]
        return f"The fixed cost falls {' and '.join(parts)}, by model."
    parts = [
        f"{label} beyond {' and '.join(f'{found[label]:,.0f}' for found in shares.values())} images" for label in labels
    ]
    words = " and ".join(map(notation.percent, shares))
    return f"The fixed cost falls under {words} of the run's: {'; '.join(parts)}."
