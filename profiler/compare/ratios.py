"""Every figure of a study beside the first study's, its ratio, and what is kept apart for which reason. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from math import log, log1p
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import Verdict, verdict
from profiler.analysis.costs import Cost, Costs, What, quotient
from profiler.analysis.labels import LAB_IMAGES
from profiler.analysis.stats import Estimate, disagree
from profiler.compare import comparability, event_equivalence, simulation_noise
from profiler.compare.event_pairs import EventPair, Unlike, other_sources, paired_events
from profiler.compare.model import EVERY_SIMULATED, Apart, Comparison, Row
from profiler.compare.study import Subject
from profiler.errors import ProfilerError
from profiler.records import Event


def compare(subjects: Sequence[Subject]) -> Comparison:
    """Every study against the first.

    Raises:
        ProfilerError: No figure of theirs can be divided.
    """
    first, *others = subjects
    rows: list[Row] = []
    apart: list[Apart] = []
    pairs = {other.name: comparability.paired(first.study.models, other.study.models) for other in others}
    images = {simulated: _images(subjects, simulated) for simulated in (False, True)}
    for other in others:
        apart += _models_apart(first, other, pairs[other.name])
        apart += _unlike(first, other, pairs[other.name], other_sources(first, other))
        for simulated in (False, True):
            found = list(_of_kind(first, other, pairs[other.name], simulated, images[simulated]))
            rows += [each for each in found if isinstance(each, Row)]
            apart += [each for each in found if isinstance(each, Apart)]
            apart += _alone(first, other, pairs[other.name], simulated, found)
    comparison = Comparison(tuple(subjects), tuple(rows), tuple(apart), pairs, images)
    if not rows:
        raise ProfilerError(*_nothing(comparison))
    return comparison


def _nothing(found: Comparison) -> tuple[str, str]:
    names = notation.listed(subject.name for subject in found.subjects)
    blocked = dict.fromkeys(each.reason for each in found.apart if each.blocked)
    reasons = list(blocked or dict.fromkeys(each.reason for each in found.apart))
    why = "; ".join(reasons[:2]) or "no model is in both, neither by its file nor by its label"
    return f"nothing in {names} can be compared: {why}", "sweep the same model files in the same regions"


def _images(subjects: Sequence[Subject], simulated: bool) -> int | None:
    """Images of the whole run that most studies have beside the first; of several counts the nearest to the lab's."""
    every = [costs for subject in subjects if (costs := subject.costs(simulated))]
    if not every or subjects[0].costs(simulated) is None:
        return None
    counts = [sorted({point.images for cost in costs.values() for point in cost.points}) for costs in every]

    def has(mine: Sequence[int], count: int) -> bool:
        return count in mine or (len(mine) > 1 and mine[0] <= count <= mine[-1])

    shared = {
        count: sum(has(mine, count) for mine in counts[1:])
        for count in {LAB_IMAGES, *(count for mine in counts for count in mine)}
        if has(counts[0], count)
    }
    best = min(shared, key=lambda count: (-shared[count], abs(count - LAB_IMAGES), count), default=None)
    return best if best is not None and shared[best] else None


def _models_apart(first: Subject, other: Subject, pairs: Sequence[comparability.ModelPair]) -> Iterator[Apart]:
    """Models that have no partner: another file of that name, or none of it."""
    mine, its = {pair.first.label for pair in pairs}, {pair.second.label for pair in pairs}
    by_label = {model.label: model for model in other.study.models}
    for model in first.study.models:
        if model.label in mine:
            continue
        same = by_label.get(model.label)
        why = comparability.unlike_models(model, same) if same else None
        yield Apart(other.name, model.label, "", "", why or f"only {first.name} has this model", why is not None)
    labels = {model.label for model in first.study.models}
    for label in by_label:
        if label not in its and label not in labels:
            yield Apart(other.name, label, "", "", f"only {other.name} has this model", blocked=False)


def _of_kind(
    first: Subject, other: Subject, pairs: Sequence[comparability.ModelPair], simulated: bool, images: int | None
) -> Iterator[Row | Apart]:
    """The rows of what was counted, or of what was simulated."""
    mine, its = first.costs(simulated), other.costs(simulated)
    if mine is None or its is None:
        return
    simulations = first.study.simulation, other.study.simulation
    if simulated and simulations[0] and simulations[1]:
        reason = comparability.unlike_simulations(simulations[0], simulations[1])
        yield from (Apart(other.name, pair.first.label, EVERY_SIMULATED, "", reason) for pair in pairs if reason)
        if reason:
            return
    events, unlike = paired_events(first, other, simulated)
    yield from _unlike(first, other, pairs, unlike)
    for pair in pairs:
        for event in events:
            costs = mine[event.first.name, pair.first.label], its[event.second.name, pair.second.label]
            yield from _of_event(_Match(first, other, event, pair, costs), images)


TWICE = "another name: the same event has its row under another name"
"""Why an event of two names has one row."""


def _alone(
    first: Subject,
    other: Subject,
    pairs: Sequence[comparability.ModelPair],
    simulated: bool,
    told: Sequence[Row | Apart],
) -> Iterator[Apart]:
    """Events with a figure in one of two studies that both counted, or simulated, and of which nothing is told yet."""
    if any(isinstance(each, Apart) and each.event == EVERY_SIMULATED for each in told):
        return
    seen = {(each.model, name) for each in told if isinstance(each, Apart) for name in each.names}
    seen |= {(each.model, cost.event.name) for each in told if isinstance(each, Row) for cost in each.costs}
    events = {_core_event(first, name) for _, name in seen} | {_core_event(other, name) for _, name in seen}
    for pair in pairs:
        for having, lacking, model, partner in (
            (first, other, pair.first.label, pair.second.label),
            (other, first, pair.second.label, pair.first.label),
        ):
            for event, why in _lacking(having.costs(simulated), lacking.costs(simulated), model, partner):
                if (pair.first.label, event) not in seen:
                    twice = not simulated and _core_event(having, event) in events
                    reason = TWICE if twice else f"{lacking.name} has no figure: {why}"
                    yield Apart(other.name, pair.first.label, event, "", reason, blocked=False)


def _core_event(subject: Subject, name: str) -> str:
    """The core's event behind a name."""
    return event_equivalence.known(name, subject.study.machine.uarch).name


def _lacking(having: Costs | None, lacking: Costs | None, model: str, partner: str) -> Iterator[tuple[str, str]]:
    """Names of the events that one has a figure of, and why the other, which counted or simulated too, has none."""
    if having is None or lacking is None:
        return
    for event in having.events:
        cost = lacking.get((event.name, partner))
        if not having[event.name, model].reason and (cost is None or cost.reason):
            yield event.name, cost.reason or "" if cost else "it was not asked for"


def _unlike(
    first: Subject, other: Subject, pairs: Sequence[comparability.ModelPair], unlike: Sequence[Unlike]
) -> Iterator[Apart]:
    """Of each model the events that must not share a row, where both studies have figures."""
    for each in unlike:
        for pair in pairs:
            if _has(first, each.first, pair.first.label) and _has(other, each.second, pair.second.label):
                yield Apart(other.name, pair.first.label, each.name, "", each.reason)


def _has(subject: Subject, event: Event, label: str) -> bool:
    """Whether the study has a figure of this event, counted or simulated."""
    both = (subject.costs(simulated) for simulated in (False, True))
    return any(
        costs is not None and (event.name, label) in costs and not costs[event.name, label].reason for costs in both
    )


class _Match(NamedTuple):
    """One event of one model in two studies."""

    first: Subject
    other: Subject
    event: EventPair
    pair: comparability.ModelPair
    costs: tuple[Cost, Cost]

    def apart(self, what: str, reason: str, *, blocked: bool) -> Apart:
        return Apart(self.other.name, self.pair.first.label, self.event.name, what, reason, blocked)


def _of_event(match: _Match, images: int | None) -> Iterator[Row | Apart]:
    mine, its = match.costs
    if mine.reason or its.reason:
        if not (mine.reason and its.reason):
            lacking = match.first if mine.reason else match.other
            yield match.apart("", f"{lacking.name} has no figure: {mine.reason or its.reason}", blocked=False)
        return
    names = match.first.name, match.other.name
    if reason := comparability.unlike_regions((names[0], mine.around), (names[1], its.around)):
        yield match.apart("", reason, blocked=True)
        return
    figures: list[tuple[What, int | None, Estimate | None, Estimate | None]] = [
        ("fixed", None, mine.fixed, its.fixed),
        ("region", None, mine.direct, its.direct),
    ]
    if not (mine.direct and its.direct):
        figures.append(("slope", None, mine.slope, its.slope))
    if images is not None:
        figures.append(("whole", images, mine.whole(images), its.whole(images)))
    rows = [_row(match, what, count, above, below) for what, count, above, below in figures if above and below]
    yield from rows
    if reason := _other_region(match):
        yield match.apart("for each image", reason, blocked=True)
    elif not rows:
        yield match.apart("", "another region: no region and no image count is in both studies", blocked=True)


def _other_region(match: _Match) -> str | None:
    """Why there is no figure for each image, where each study has one of its own."""
    mine, its = match.costs
    if (mine.direct and its.direct) or (mine.slope and its.slope) or not (mine.per_image and its.per_image):
        return None
    alone, other = (match.first, match.other) if mine.direct else (match.other, match.first)
    return f"another region: {alone.name} counted the inferences alone, {other.name} whole processes"


def _row(match: _Match, what: What, images: int | None, mine: Estimate, its: Estimate) -> Row:
    ratio, simulated = quotient(its, mine), match.costs[0].simulated
    said = verdict(ratio, simulated) if ratio else _appeared(mine, its, simulated)
    marks = (*match.event.marks, *match.pair.marks, *_marks(match, what))
    row = Row(match.other.name, what, images, match.costs, mine, its, ratio, said, marks)
    return _simulated(row, match) if simulated else row


def _simulated(row: Row, match: _Match) -> Row:
    """The row with what simulated counts differ by without a cause; a ratio within that shows nothing."""
    both = tuple(zip((match.first, match.other), match.costs, strict=True))
    slack = max(simulation_noise.slack(subject, cost.model, cost.event.name) for subject, cost in both)
    found = replace(row, slack=slack, rare=all(simulation_noise.rare(subject, cost) for subject, cost in both))
    within = row.ratio and row.ratio.value > 0 and abs(log(row.ratio.value)) <= log1p(slack)
    return replace(found, verdict="same") if within else found


def _appeared(mine: Estimate, its: Estimate, simulated: bool) -> Verdict:
    """Of a cost that is not shown to be above 0 in the first study."""
    if simulated and mine.value <= 0:
        return "more" if its.value > 0 else "same"
    return "more" if disagree(mine, its) and its.value > mine.value else "not told"


def _marks(match: _Match, what: What) -> Iterator[str]:
    """What makes either figure doubtful, or the two not quite of one kind."""
    subjects = match.first, match.other
    for subject, cost in zip(subjects, match.costs, strict=True):
        if cost.scaled:
            yield f"scaled up in {subject.name}: a counter was on it for {_share(cost)} of a run"
        if what != "region" and cost.bend is not None:
            yield f"in {subject.name} the counts are not on a line over the images"
        if what == "slope" and cost.disagreement:
            yield f"in {subject.name} slope and region contradict each other"
    sources = [notation.listed(cost.sources) for cost in match.costs]
    if sources[0] != sources[1]:
        yield f"counted by {sources[0]} in {match.first.name} and by {sources[1]} in {match.other.name}"
    told = all(subject.study.imported_from is None for subject in subjects)
    warmups = [subject.study.plan.warmup for subject in subjects]
    if told and what in ("fixed", "whole") and warmups[0] != warmups[1]:
        inferences = notation.counted(warmups[0], "warm-up inference")
        yield f"holds {inferences} in {match.first.name}, {warmups[1]} in {match.other.name}"


def _share(cost: Cost) -> str:
    return "an unknown part" if cost.running_percent is None else f"no more than {cost.running_percent:.0f} %"
