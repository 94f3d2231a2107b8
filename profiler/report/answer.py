"""The study's answer in sentences, made by rules from the figures."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

from profiler import stats
from profiler.records import Event, Simulation, Study
from profiler.report import text
from profiler.report.analysis import Analysis
from profiler.report.costs import Cost, Costs, quotient
from profiler.report.pairs import LEADING, pairs
from profiler.report.provenance import instructions, through
from profiler.report.simulated import SERVED
from profiler.report.tables import SIMULATED, lab_images
from profiler.report.verdicts import in_brief
from profiler.stats import Estimate

_ASKED = ("llc_load_miss", "l2d_refill")
"""Metrics that the simulated caches are asked first."""

_COMPARED = 3
"""Most models that sentences compare event by event."""

_SINGLY = 4
"""Most models that are told of one by one."""

_NAMED = 8
"""Most hardware events that a sentence names."""


def answer(study: Study, analysis: Analysis) -> tuple[str, ...]:
    """Paragraphs: what is paid once and for each image, how short and long runs compare, which events go with it, and
    what each difference between the models by itself makes.

    Simulated figures have paragraphs of their own: beside measured ones what the caches say, else the whole answer.
    """
    causes = tuple(in_brief(pairs(study.models), analysis))
    measured = _joined([*_measured(analysis.costs), [*_hardware(analysis.costs)]])
    simulation, costs = study.simulation, analysis.simulated
    if simulation is None or costs is None:
        return (*measured, *causes) or ("No run of this study ended well, so there is no figure.",)
    caches = _joined([[*_caches(simulation, costs)]])
    if study.counter_source is None:
        return (*_joined(_modelled(simulation, costs)), *caches, *causes) or (
            "No simulated run ended well: there is no figure.",
        )
    measured = measured or ("No run on this machine itself ended well, so nothing was measured.",)
    return (*measured, *caches, *causes)


def _joined(paragraphs: Iterable[Sequence[str]]) -> tuple[str, ...]:
    return tuple(" ".join(sentences) for sentences in paragraphs if sentences)


def _measured(costs: Costs) -> list[list[str]]:
    names = {event.name: event for event in costs.events}
    leading = _leading(costs, [*(names[name] for name in LEADING if name in names), *costs.events])
    return _told(costs, leading)


def _modelled(simulation: Simulation, costs: Costs) -> list[list[str]]:
    """What the simulated instructions say where no time was measured."""
    first = costs.answering("instructions")
    leading = _leading(costs, [*([first] if first else []), *costs.events])
    if not leading:
        return []
    paid, *others = _told(costs, leading)
    whose = f"a virtual {simulation.guest}" if simulation.guest else "this machine's own programs"
    lead = f"All figures are {SIMULATED}: {instructions(simulation)} under {simulation.version}, on {whose}, untimed."
    return [[lead, *paid], *others]


def _leading(costs: Costs, ranked: Sequence[Event]) -> list[Cost]:
    """Of each model that has it: the cost in the event that speaks for the study, the first with a figure."""
    return next((found for event in ranked if (found := costs.of(event))), [])


def _told(costs: Costs, leading: Sequence[Cost]) -> list[list[str]]:
    if not leading:
        return []
    if len(leading) > _SINGLY:
        return [[*_ends(leading)]]
    base = next((cost for cost in leading if cost.model == costs.baseline), leading[-1])
    others = [cost for cost in leading if cost is not base]
    return [[*_paid(leading), *_against(others, base)], [*_runs(leading, base, costs), *_worth(leading)]]


def _ends(costs: Sequence[Cost]) -> Iterator[str]:
    """Of many models the cheapest and the dearest."""
    name = f"{SIMULATED} {costs[0].event.name}" if costs[0].simulated else costs[0].event.name
    kinds: tuple[tuple[str, Callable[[Cost], Estimate | None]], ...] = (
        ("for each image", lambda cost: cost.per_image),
        ("once", lambda cost: cost.fixed),
    )
    for when, figure in kinds:
        found = [(paid, cost.model) for cost in costs if (paid := figure(cost))]
        if found:
            ranked = sorted(found, key=lambda each: each[0].value)
            (least, cheapest), (most, dearest) = ranked[0], ranked[-1]
            yield (
                f"Of {len(found)} models {cheapest} pays least {when}, {text.in_sentence(least, costs[0].unit)}, and "
                f"{dearest} most, {text.in_sentence(most, costs[0].unit)} ({name})."
            )


def _paid(costs: Sequence[Cost]) -> Iterator[str]:
    """`keras pays 6.1 s once and 61 ms for each image; litert pays 0.19 s once and 5.0 ms for each image.`"""
    parts = [
        f"{cost.model} pays {paid}" for cost in costs if (paid := _both(cost.fixed, cost.per_image, cost.unit, ""))
    ]
    if not parts:
        parts = [
            f"{cost.model} takes {_mean(cost)} for {text.counted(cost.points[0].images, 'image')}" for cost in costs
        ]
    event = costs[0].event
    name = f"{SIMULATED} {event.name}" if costs[0].simulated else event.name
    yield f"{'; '.join(parts)}{'' if name == 'duration_time' else f' ({name}: {event.meaning})'}."


def _both(once: Estimate | None, each: Estimate | None, unit: str, much: str) -> str:
    words = []
    for figure, when in ((once, "once"), (each, "for each image")):
        if figure and figure.value > 0:
            words.append(f"{text.in_sentence(figure, unit)} {much}{when}")
        elif figure:
            words.append(f"{when} nothing that shows ({text.in_sentence(figure, unit)})")
    return text.listed(words)


def _mean(cost: Cost) -> str:
    whole = cost.whole(cost.points[0].images)
    return text.in_sentence(whole, cost.unit) if whole else text.ABSENT


def _against(others: Sequence[Cost], base: Cost) -> Iterator[str]:
    """`Against litert, keras pays 32 times as much once and 12 times as much for each image.`"""
    parts = []
    for cost in others:
        ratios = quotient(cost.fixed, base.fixed), quotient(cost.per_image, base.per_image)
        if paid := _both(*ratios, text.NUMBER, "times as much "):
            parts.append(f"{cost.model} pays {paid}")
    if parts:
        yield f"Against {base.model}, {'; '.join(parts)}."


def _runs(costs: Sequence[Cost], base: Cost, all_costs: Costs) -> Iterator[str]:
    """What whole runs cost, and how their ratio moves from the fewest images to the most."""
    images = lab_images(all_costs)
    wholes = {cost.model: cost.whole(images) for cost in costs if cost.line} if images else {}
    figures = [f"{model} {text.in_sentence(whole, base.unit)}" for model, whole in wholes.items() if whole]
    if not images or not figures:
        return
    which = f"{SIMULATED} run" if all_costs.simulated else "run"
    yield f"A whole {which} of {text.counted(images, 'image')} costs {text.listed(figures)}."
    counts = sorted({point.images for point in base.points})
    moved = []
    for cost in costs:
        ends = [quotient(cost.whole(count), base.whole(count)) for count in (counts[0], counts[-1])]
        if cost is not base and cost.line and ends[0] and ends[1] and stats.disagree(ends[0], ends[1]):
            first, last = (text.in_sentence(end, text.NUMBER) for end in ends if end)
            fewest = text.counted(counts[0], "image")
            moved.append(f"{cost.model} costs {first} times as much at {fewest}, {last} at {counts[-1]}")
    if moved:
        yield (
            f"The ratio depends on how many: against {base.model}, {'; '.join(moved)}. "
            "The longer the run, the less the fixed costs count in it."
        )


def _worth(costs: Sequence[Cost]) -> Iterator[str]:
    """From how many images on the images cost more than the start."""
    parts = []
    for cost in costs:
        images, paid = quotient(cost.fixed, cost.per_image), quotient(cost.per_image, cost.fixed)
        # Both, for only what is shown to be above 0 has a price in the other.
        if images and paid:
            parts.append(f"{text.in_sentence(images, text.NUMBER)} images of {cost.model}")
    if parts:
        yield f"What is paid once is the price of {text.listed(parts)}; shorter runs pay mostly for the start."


def _hardware(costs: Costs) -> Iterator[str]:
    """How many times the baseline's hardware events another model has for each image; of more models a table tells."""
    exact = [event for event in costs.events if event.kind == "hardware" and event.quality == "exact"]
    for label in costs.models if len(costs.models) <= _COMPARED else ():
        if label != costs.baseline:
            times = _times(costs, label, {event.name: event for event in exact})
            if times:
                yield f"For each image, against {costs.baseline}, {label} has {text.listed(times, _NAMED)}."


def _times(costs: Costs, label: str, events: Mapping[str, Event]) -> list[str]:
    """`13 times its cycles` for each event that tells, under the name it is given."""
    found = {
        name: quotient(costs[event.name, label].per_image, costs[event.name, costs.baseline].per_image)
        for name, event in events.items()
    }
    return [f"{text.quantity(ratio, text.NUMBER)} times its {name}" for name, ratio in found.items() if ratio]


def _caches(simulation: Simulation, costs: Costs) -> Iterator[str]:
    """What the simulated caches let through for each image, and how that compares between models."""
    events = {SERVED[metric]: event for metric in _ASKED if (event := costs.answering(metric))}
    parts = []
    for label in costs.models if len(costs.models) <= _COMPARED else [costs.baseline]:
        figures = {words: costs[event.name, label] for words, event in events.items()}
        said = [
            f"{text.quantity(cost.per_image, cost.unit)} {words}" for words, cost in figures.items() if cost.per_image
        ]
        if said:
            parts.append(f"{label} has {text.listed(said)}")
    if not parts:
        return
    yield f"Simulated {through(simulation)}, for each image {'; '.join(parts)}."
    for label in costs.models if len(costs.models) <= _COMPARED else ():
        times = _times(costs, label, events) if label != costs.baseline else []
        if times:
            yield f"Against {costs.baseline}, {label} has {text.listed(times)}, {SIMULATED}."
