"""The study's answer in sentences, made by rules from the figures."""

from collections.abc import Iterator, Sequence

from profiler import stats
from profiler.records import Study
from profiler.report import text
from profiler.report.analysis import Analysis
from profiler.report.costs import Cost, quotient
from profiler.report.tables import lab_images
from profiler.stats import Estimate

_LEADING = ("duration_time", "task-clock", "cycles")
"""The first of these with a figure speaks for the study."""

_COMPARED = 3
"""Most models that sentences compare event by event."""

_NAMED = 8
"""Most hardware events that a sentence names."""


def answer(study: Study, analysis: Analysis) -> tuple[str, ...]:
    """Paragraphs: what is paid once and for each image, how short and long runs compare, which events go with it."""
    costs = _leading(study, analysis)
    if not costs:
        return ("No run of this study ended well, so there is no figure.",)
    base = next((cost for cost in costs if cost.model == analysis.baseline), costs[-1])
    others = [cost for cost in costs if cost is not base]
    paragraphs = (
        [*_paid(costs), *_against(others, base)],
        [*_runs(costs, base, analysis), *_worth(costs)],
        [*_hardware(study, analysis)],
    )
    return tuple(" ".join(sentences) for sentences in paragraphs if sentences)


def _leading(study: Study, analysis: Analysis) -> list[Cost]:
    """Of each model that has it: the cost in the event that speaks for the study."""
    for name in (*_LEADING, *(event.name for event in study.events)):
        found = [cost for model in study.models if (cost := analysis.costs.get((name, model.label)))]
        if any(not cost.reason for cost in found):
            return [cost for cost in found if not cost.reason]
    return []


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
    yield f"{'; '.join(parts)}{'' if event.name == 'duration_time' else f' ({event.name}: {event.meaning})'}."


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


def _runs(costs: Sequence[Cost], base: Cost, analysis: Analysis) -> Iterator[str]:
    """What whole runs cost, and how their ratio moves from the fewest images to the most."""
    images = lab_images(analysis)
    wholes = {cost.model: cost.whole(images) for cost in costs if cost.line} if images else {}
    figures = [f"{model} {text.in_sentence(whole, base.unit)}" for model, whole in wholes.items() if whole]
    if not images or not figures:
        return
    yield f"A whole run of {text.counted(images, 'image')} costs {text.listed(figures)}."
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


def _hardware(study: Study, analysis: Analysis) -> Iterator[str]:
    """How many times the baseline's hardware events another model has for each image; of more models a table tells."""
    for model in study.models if len(study.models) <= _COMPARED else ():
        ratios = {}
        for event in study.events:
            if event.kind == "hardware" and event.quality == "exact" and model.label != analysis.baseline:
                mine, base = (analysis.costs[event.name, label] for label in (model.label, analysis.baseline))
                ratios[event.name] = quotient(mine.per_image, base.per_image)
        parts = [f"{text.quantity(ratio, text.NUMBER)} times its {name}" for name, ratio in ratios.items() if ratio]
        if parts:
            yield f"For each image, against {analysis.baseline}, {model.label} has {text.listed(parts, _NAMED)}."
