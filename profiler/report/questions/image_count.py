"""Question 3: more against fewer images a run, and why: what is paid once is shared by all images of a run."""

from collections.abc import Iterator, Sequence

from profiler.analysis import notation, stats
from profiler.analysis.ablation_pairs import Measure
from profiler.analysis.amortisation import amortised, crossing, falls_under, further
from profiler.analysis.costs import BENT, Cost, above_nothing, quotient
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Study
from profiler.report.model import Question
from profiler.report.questions.common import (
    again,
    anew,
    explained,
    for_a_line,
    keys,
    labelled,
    leading,
    no_figures,
    noun,
    reference,
    scaled_mark,
    spoken_of,
)
from profiler.report.sections.breakdown import phase_words

RUNS = (1, 10, 40, 1000)
"""Images of the runs whose cost is divided by them."""

SHARES = (0.5, 0.1)
"""Shares of a run that the fixed cost falls under."""

_REPEATS = 10
"""Repeats that are advised where intervals are too wide, or twice those that there were."""

_BOTH = 2
"""Most models of which the verdict names every figure; of more it names the ends."""

_IN_PARTS = 3
"""Most models whose fixed cost is told by its parts."""

_PARTS = 3
"""Most phases of the fixed cost that a sentence names."""


def images(study: Study, analysis: Analysis) -> Question:
    """From which image count on the fixed cost counts little, and what an image then costs."""
    key, title = "images", "More against fewer images a run"
    asked = "What do more images a run change, and what fewer, and why?"
    measure = leading(analysis)
    if measure is None:
        why = f"{no_figures(study, analysis)}, so there is nothing to compare over images."
        return Question(key, title, asked, why, answered=False, command=anew(study, analysis))
    costs = measure.costs.of(measure.event)
    lines = [cost for cost in costs if cost.line]
    if not lines:
        return Question(key, title, asked, _no_line(costs), answered=False, command=for_a_line(study))
    told = [cost for cost in lines if falls_under(cost, SHARES[0])]
    return Question(
        key,
        title,
        asked,
        _verdict(lines, told, measure),
        evidence=(
            *_each_count(told, measure),
            *_amortised(lines, measure),
            *_moved(lines, measure),
            *_crossings(lines, measure),
            *_fixed_by_phase(lines, analysis),
        ),
        caveats=tuple(_caveats(lines, told, analysis, measure)),
        answered=bool(told),
        command="" if told else again(study, repeats=max(_REPEATS, 2 * study.plan.repeats)),
        shown=(*keys(("amortised", "whole", f"01-{measure.event.name}", "counts"), measure), "phases"),
    )


def _no_line(costs: Sequence[Cost]) -> str:
    if not any(cost.points for cost in costs):
        return (
            "Whole processes were not counted, so what is paid once, and with it what more images share, is not known."
        )
    return (
        f"All runs that ended well are of {notation.counted(costs[0].points[0].images, 'image')}, so what is paid "
        "once and "
        "what for each image cannot be told apart."
    )


def _verdict(lines: Sequence[Cost], told: Sequence[Cost], measure: Measure) -> str:
    if not told:
        return (
            f"From how many images on what is paid once counts little is not told: in {explained(measure)} "
            f"{'; '.join(map(_untold, lines))}."
        )
    half, tenth = (_counts(told, share) for share in SHARES)
    first, second = (notation.percent(share) for share in SHARES)
    return (
        f"The more images a {labelled('run', measure.costs)} has, the less each costs, for they share what is paid "
        f"once: in {explained(measure)}, that falls under {first} of a run {half}, and under {second} {tenth}."
    )


def _counts(told: Sequence[Cost], share: float) -> str:
    """`beyond 89 [78, 98] images of keras and beyond 19.3 [17.9, 21.1] images of litert`; of more models the ends."""
    counts = {cost: count for cost in told if (count := falls_under(cost, share))}
    ranked = sorted(counts, key=lambda cost: counts[cost].value)
    if len(ranked) <= _BOTH:
        return notation.listed(_beyond(cost, count) for cost, count in counts.items())
    least, most = ranked[0], ranked[-1]
    return f"{_beyond(least, counts[least])} at the soonest and {_beyond(most, counts[most])} at the latest"


def _beyond(cost: Cost, count: Estimate) -> str:
    said = f"{notation.ratio(count)}{scaled_mark([cost])}"
    if count.value < 1:
        return f"at any count of images of {cost.model} ({said})"
    return f"beyond {said} images of {cost.model}"


def _each_count(told: Sequence[Cost], measure: Measure) -> Iterator[str]:
    """The counts of every model, where the verdict names the ends alone."""
    for share in SHARES if len(told) > _BOTH else ():
        counts = {cost: count for cost in told if (count := falls_under(cost, share))}
        listed = (f"{cost.model} {notation.ratio(count)}{scaled_mark([cost])}" for cost, count in counts.items())
        run = labelled("run", measure.costs)
        yield f"What is paid once is {notation.percent(share)} of a {run} at so many images: {notation.listed(listed)}."


def _untold(cost: Cost) -> str:
    """Why the images beyond which the fixed cost counts little are not told."""
    lacks = {"what is paid once": cost.fixed, "what each image costs": further(cost)}
    lacking = [
        f"{what} ({notation.in_sentence(figure, cost.unit)})"
        for what, figure in lacks.items()
        if figure and not above_nothing(figure)
    ]
    return f"{notation.listed(lacking)} of {cost.model} {'are' if len(lacking) > 1 else 'is'} not shown to be above 0"


def _spoken_of(lines: Sequence[Cost], measure: Measure) -> list[Cost]:
    """All models, or of many the baseline and those at the ends for each image, in their order."""
    slopes = {cost.model: cost.slope.value if cost.slope else 0 for cost in lines}
    kept = spoken_of(slopes, reference(lines, measure.costs.baseline).model)
    return [cost for cost in lines if cost.model in kept]


def _amortised(lines: Sequence[Cost], measure: Measure) -> Iterator[str]:
    for cost in _spoken_of(lines, measure):
        found = {count: each for count in RUNS if (each := amortised(cost, count))}
        first, *others = (
            f"{notation.in_sentence(each, cost.unit)} in {{}} of {count:,}" for count, each in found.items()
        )
        run = f"a {labelled('run', measure.costs)}"
        yield (
            f"With its part of what is paid once, an image costs {cost.model} "
            f"{notation.listed([first.format(run), *(other.format('one') for other in others)])} "
            f"({noun(measure)}{scaled_mark([cost])})."
        )


def _moved(lines: Sequence[Cost], measure: Measure) -> Iterator[str]:
    """How the ratio with the baseline moves from the fewest images to the most, and where it goes."""
    base = reference(lines, measure.costs.baseline)
    for cost in _spoken_of(lines, measure):
        counts = sorted({point.images for point in (*cost.points, *base.points)})
        few, many = (quotient(cost.whole(count), base.whole(count)) for count in (counts[0], counts[-1]))
        limit = quotient(further(cost), further(base))
        if cost is base or few is None or many is None:
            continue
        nears = f", and nears {notation.ratio(limit)} in longer ones" if limit else ""
        moves = _direction(few, [many, *([limit] if limit else [])], measure)
        yield (
            f"A {labelled('run', measure.costs)} of {cost.model} takes {notation.ratio(few)} times the "
            f"{noun(measure)} of {base.model} at {notation.counted(counts[0], 'image')}, "
            f"{notation.ratio(many)} times at {counts[-1]}{nears}{scaled_mark([cost, base])}: {moves}."
        )


def _direction(few: Estimate, others: Sequence[Estimate], measure: Measure) -> str:
    """Which way the ratio goes from the fewest images, as far as longer runs or what they near show it."""
    for other in others:
        far = abs(few.value - other.value) > stats.MATTERS * few.value
        if far if measure.costs.simulated else stats.disagree(few, other):
            return f"the ratio {'falls' if other.value < few.value else 'rises'} with the images"
    return "that the ratio depends on how many is not shown"


def _crossings(lines: Sequence[Cost], measure: Measure) -> Iterator[str]:
    """Where a model that costs less in short runs costs more in long ones."""
    base = reference(lines, measure.costs.baseline)
    for cost in lines:
        count = crossing(cost, base) if cost is not base else None
        if count and cost.slope and base.slope:
            later, sooner = (cost, base) if cost.slope.value < base.slope.value else (base, cost)
            upto = f"{notation.ratio(count)}{scaled_mark([cost, base])}"
            yield (
                f"Up to {upto} images a {labelled('run', measure.costs)} costs less "
                f"{noun(measure)} with {sooner.model}, beyond that with {later.model}."
            )


def _fixed_by_phase(lines: Sequence[Cost], analysis: Analysis) -> Iterator[str]:
    """What the fixed cost mostly is, as each process timed itself."""
    for cost in lines if len(lines) <= _IN_PARTS else ():
        largest = sorted(analysis.phases.get(cost.model, ()), key=lambda phase: -phase.wall_ns.value)[:_PARTS]
        if largest:
            parts = notation.listed(
                f"{phase_words(cost.around)[phase.name]} {notation.in_sentence(phase.wall_ns, 'ns')}"
                for phase in largest
            )
            yield f"The largest parts of what {cost.model} pays once are: {parts}."


def _caveats(lines: Sequence[Cost], told: Sequence[Cost], analysis: Analysis, measure: Measure) -> Iterator[str]:
    most = max(point.images for cost in lines for point in cost.points)
    beyond = [count for cost in told for share in SHARES if (count := falls_under(cost, share)) and count.value > most]
    if beyond or most < max(RUNS):
        yield (
            f"No run had more than {notation.counted(most, 'image')}: longer ones are told as if every "
            "further image cost the same."
        )
    untold = [cost for cost in lines if cost not in told]
    if told and untold:
        yield f"Of no count is told where {'; '.join(map(_untold, untold))}."
    bent = [cost.model for cost in lines if cost.bend is not None]
    if bent:
        yield f"{notation.listed(bent)}: {BENT}, and the counts of images with them."
    drifting = [label for label, found in analysis.latencies.items() if found.steady and not found.steady.steady]
    if drifting and not measure.costs.simulated:
        yield f"{notation.listed(drifting)}: latencies drift over a run, so a longer one may cost otherwise."
    if any(cost.fixed and cost.fixed.interval is None for cost in lines) and not measure.costs.simulated:
        yield "Of too few runs for an interval: how sure the image counts are is not known."
    yield "A run is one process; several that each see few images pay the fixed cost each time."
