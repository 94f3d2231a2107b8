"""Question 1: which model costs what, once and for each image, and which hardware events go with it."""

from collections.abc import Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import Measure, pairs
from profiler.analysis.costs import BENT, CONTRADICTED, Cost, FigureOf, quotient
from profiler.analysis.labels import SIMULATED
from profiler.analysis.study_analysis import Analysis
from profiler.records import Study
from profiler.report.model import Question
from profiler.report.questions.common import (
    anew,
    explained,
    for_a_line,
    keys,
    leading,
    no_figures,
    noun,
    reference,
    scaled_mark,
    way,
    written,
)
from profiler.report.questions.hardware_ratios import hardware, hardware_of_runs, simulated_beside
from profiler.report.sections.ablation_text import in_brief
from profiler.report.sections.simulation_provenance import instructions

_KINDS: tuple[tuple[str, FigureOf], ...] = (
    ("once", lambda cost: cost.fixed),
    ("for each image", lambda cost: cost.per_image),
)
"""When a cost is paid, and the figure of it."""

_WAYS = {
    "more": "more with {}",
    "less": "less with {}",
    "same": "no difference shown with {}",
    "not told": "not told apart: {}",
}

_NAMED = 8
"""Most models that a sentence names."""


def overall(study: Study, analysis: Analysis) -> Question:
    """What is paid once and for each image, in the event that speaks for the study, and the events beside it."""
    key, title = "overall", "Overall"
    asked = "Which model costs what, once and for each image, and which hardware events go with it?"
    measure = leading(analysis)
    if measure is None:
        why = f"{no_figures(study, analysis)}, so no cost has a figure."
        return Question(key, title, asked, why, answered=False, command=anew(study, analysis))
    costs = measure.costs.of(measure.event)
    known = [kind for kind in _KINDS if any(map(kind[1], costs))]
    return Question(
        key,
        title,
        asked,
        _verdict(costs, known, measure),
        evidence=(
            *_evidence(costs, known, measure),
            *(
                hardware(analysis.costs, measure)
                if known
                else hardware_of_runs(analysis.costs, measure, _images_alone(costs))
            ),
            *simulated_beside(study, analysis, measure),
            *in_brief(pairs(study.models), analysis),
        ),
        caveats=tuple(_caveats(study, measure, known)),
        answered=bool(known),
        command="" if len(known) == len(_KINDS) else for_a_line(study),
        shown=(
            *keys(("fixed", "image", "whole", "ratios", f"01-{measure.event.name}", "counts", "derived"), measure),
            "causes",
        ),
    )


def _verdict(costs: Sequence[Cost], known: Sequence[tuple[str, FigureOf]], measure: Measure) -> str:
    if not known:
        count = notation.counted(_images_alone(costs), "image")
        return (
            "What a model costs once and what for each image cannot be told apart, for all runs that ended well are of "
            f"{count}: in {explained(measure)} only whole runs compare."
        )
    if len(costs) == 1:
        return f"{costs[0].model} pays {_paid(costs[0], known)}, in {explained(measure)}."
    if len(costs) == 2:
        base = reference(costs, measure.costs.baseline)
        other = next(cost for cost in costs if cost is not base)
        return _against(other, base, known, measure)
    ends = (_ends(costs, when, figure, measure) for when, figure in reversed(known))
    return f"Of {len(costs)} models in {explained(measure)}, {'; '.join(filter(None, ends))}."


def _images_alone(costs: Sequence[Cost]) -> int:
    """Of runs that are all of one image count, that count."""
    return costs[0].points[0].images


def _paid(cost: Cost, known: Sequence[tuple[str, FigureOf]]) -> str:
    """`190 ms [188, 192] once and 5.05 ms [5.04, 5.06] for each image`."""
    words = []
    for when, figure in known:
        paid = figure(cost)
        if paid and paid.value > 0:
            words.append(f"{written(cost, paid)} {when}")
        elif paid:
            words.append(f"{when} nothing that shows ({notation.in_sentence(paid, cost.unit)})")
    return notation.listed(words)


def _against(other: Cost, base: Cost, known: Sequence[tuple[str, FigureOf]], measure: Measure) -> str:
    """`In time (duration_time), keras takes 44 [40, 48] times as much as litert once (5.4 s against 123 ms) and ...`"""
    ratios, lacks = [], []
    for when, figure in known:
        above, below = figure(other), figure(base)
        if above is None or below is None:
            continue
        sides = f"{when} ({written(other, above)} against {written(base, below)})"
        ratio = quotient(above, below)
        times = f"{notation.ratio(ratio)} times{scaled_mark([other, base])}" if ratio else ""
        if ratio is None:
            lacks.append(f"no ratio is determined {sides}, for {base.model}'s figure is not shown to be above 0")
        elif way(above, below, measure.costs) == "same":
            lacks.append(f"no difference between {other.model} and {base.model} is shown {sides}, {times}")
        else:
            ratios.append(f"{times} as much as {base.model} {sides}")
    takes = [f"{other.model} takes {notation.listed(ratios)}"] if ratios else []
    return f"In {explained(measure)}, {'; '.join([*takes, *lacks])}."


def _ends(costs: Sequence[Cost], when: str, figure: FigureOf, measure: Measure) -> str:
    """The model that pays least and the one that pays most, each with those that are not shown to differ from it."""
    ranked = sorted((cost for cost in costs if figure(cost)), key=lambda cost: _value(cost, figure))
    if len(ranked) < 2:
        return ""
    least, most = ranked[0], ranked[-1]
    ratio = quotient(figure(most), figure(least))
    times = f", {notation.ratio(ratio)} times{scaled_mark([least, most])} as much" if ratio else ""
    return (
        f"{least.model} pays least {when}, {written(least, figure(least))}{_beside(least, ranked, figure, measure)}, "
        f"and {most.model} most, {written(most, figure(most))}{times}{_beside(most, ranked, figure, measure)}"
    )


def _value(cost: Cost, figure: FigureOf) -> float:
    found = figure(cost)
    return found.value if found else 0.0


def _beside(end: Cost, ranked: Sequence[Cost], figure: FigureOf, measure: Measure) -> str:
    """The others that may as well stand at this end."""
    alike = [
        cost.model
        for cost in ranked
        if cost is not end and way(figure(cost), figure(end), measure.costs) not in ("more", "less")
    ]
    return f" (not shown to differ from {notation.listed(alike, _NAMED)})" if alike else ""


def _evidence(costs: Sequence[Cost], known: Sequence[tuple[str, FigureOf]], measure: Measure) -> Iterator[str]:
    """Which differences are shown: of two models in a sentence, of more against the baseline."""
    base = reference(costs, measure.costs.baseline)
    others = [cost for cost in costs if cost is not base]
    if len(others) == 1:
        if measure.costs.simulated:
            return
        shown = [
            when for when, figure in known if way(figure(others[0]), figure(base), measure.costs) in ("more", "less")
        ]
        if len(shown) == len(_KINDS):
            yield "Both intervals leave out 1: both differences are shown."
        elif shown:
            yield f"The ratio's interval leaves out 1 {shown[0]}: there a difference is shown."
        return
    for when, figure in known if others else ():
        said = "; ".join(_grouped(others, base, figure, measure))
        yield f"Against {base.model}, {when}, in {noun(measure)}: {said}."


def _grouped(others: Sequence[Cost], base: Cost, figure: FigureOf, measure: Measure) -> Iterator[str]:
    """`more with keras (12 [11, 13] times)`, `no difference shown with litert:fp16 (1.01 [0.97, 1.04] times)`."""
    by_way: dict[str, list[str]] = {found: [] for found in _WAYS}
    for cost in others:
        ratio = quotient(figure(cost), figure(base))
        times = f"{notation.ratio(ratio)} times" if ratio else "no ratio"
        by_way[way(figure(cost), figure(base), measure.costs)].append(
            f"{cost.model} ({times}{scaled_mark([cost, base])})"
        )
    return (words.format(notation.listed(by_way[found], _NAMED)) for found, words in _WAYS.items() if by_way[found])


def _caveats(study: Study, measure: Measure, known: Sequence[tuple[str, FigureOf]]) -> Iterator[str]:
    costs = measure.costs.of(measure.event)
    every = [measure.costs[measure.event.name, label] for label in measure.costs.models]
    yield from (f"{cost.model} has no figure: {cost.reason}." for cost in every if cost.reason)
    if study.simulation and measure.costs.simulated:
        yield (
            f"All of this is {SIMULATED}: {instructions(study.simulation)} under {study.simulation.version}, untimed; "
            "how near a real machine's counts are, no repeat of a simulation tells."
        )
    else:
        yield from _without_interval(costs, known)
        if study.scope == "user":
            yield "Hardware events are of user mode alone: what the kernel did for the process is not in them."
    yield from _doubtful(costs)
    if len(known) == 1:
        yield f"What is paid {'for each image' if known[0][0] == 'once' else 'once'} is not known from these runs."
    if any(cost.fixed for cost in costs):
        camera = "opening of the camera, " if study.plan.capture_in_region else ""
        yield (
            f"What is paid once is a process's: interpreter, import of the engine, model load, {camera}first inference "
            "and warm-up. A program that stays and goes on classifying pays it once in all."
        )
    if len(costs) > 1:
        yield (
            "The figures are of whole programs: how much of a difference the network, the engine's kernels or the "
            "way of asking makes, a comparison of two that differ in several of these does not tell."
        )


def _without_interval(costs: Sequence[Cost], known: Sequence[tuple[str, FigureOf]]) -> Iterator[str]:
    figures = [figure(cost) for cost in costs for _, figure in known]
    if not known:
        figures = [cost.whole(_images_alone(costs)) for cost in costs]
    if any(each and each.interval is None for each in figures):
        yield "Figures without an interval are of too few runs for one, so no difference of theirs is shown."


def _doubtful(costs: Sequence[Cost]) -> Iterator[str]:
    bent = [cost.model for cost in costs if cost.bend is not None]
    if bent:
        yield f"{notation.listed(bent)}: {BENT}."
    contradicted = [cost.model for cost in costs if cost.disagreement]
    if contradicted:
        yield f"{notation.listed(contradicted)}: {CONTRADICTED}."
