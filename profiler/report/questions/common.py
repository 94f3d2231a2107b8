"""What several questions need: the event that speaks for a study, and the command that would answer a question."""

import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec.structs import replace

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import LEADING, Measure, Verdict, verdict
from profiler.analysis.costs import Cost, Costs, quotient
from profiler.analysis.labels import SIMULATED, keyed
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Event, Plan, Study

_NOUNS = {"duration_time": "time", "task-clock": "CPU time", "inst_retired": "instructions"}

SINGLY = 4
"""Most models that are told of one by one."""


def leading(analysis: Analysis) -> Measure | None:
    """The event that speaks for the study: time, else another that was counted, else simulated instructions.

    None where no event has a figure.
    """
    for costs in filter(None, (analysis.costs, analysis.simulated)):
        event = next((event for event in _ranked(costs) if costs.of(event)), None)
        if event:
            return Measure(costs, event)
    return None


def _ranked(costs: Costs) -> list[Event]:
    names = {event.name: event for event in costs.events}
    first = costs.answering("instructions") if costs.simulated else None
    return [*([first] if first else [names[name] for name in LEADING if name in names]), *costs.events]


def no_figures(study: Study, analysis: Analysis) -> str:
    """Why no event has a figure, as a sentence begins."""
    if any(costs.phases for costs in (analysis.costs, analysis.simulated) if costs):
        return "Single phases of runs alone were counted"
    return f"No {f'{SIMULATED} run' if study.counter_source is None else 'run of this study'} ended well"


def reference(costs: Sequence[Cost], baseline: str) -> Cost:
    """Of the costs of one event the baseline's, or where it has no figure, the last."""
    return next((cost for cost in costs if cost.model == baseline), costs[-1])


def spoken_of(values: Mapping[str, float], baseline: str) -> list[str]:
    """Return all models, or of more than `SINGLY` those with the least and the largest value, and the baseline."""
    if len(values) <= SINGLY:
        return list(values)
    kept = {min(values, key=values.__getitem__), max(values, key=values.__getitem__), baseline}
    return [model for model in values if model in kept]


def labelled(name: str, costs: Costs) -> str:
    """An event's name or another word, which says of simulated figures that they are."""
    return f"{SIMULATED} {name}" if costs.simulated else name


def noun(measure: Measure) -> str:
    """`time`, `cycles`, `simulated inst_retired`: the event in a sentence."""
    return labelled(_NOUNS.get(measure.event.name, measure.event.name), measure.costs)


def explained(measure: Measure) -> str:
    """The same with the event's own name where the noun is another: `time (duration_time)`."""
    named = measure.event.name in _NOUNS
    return f"{noun(measure)} ({measure.event.name})" if named else noun(measure)


def scaled_mark(costs: Iterable[Cost]) -> str:
    """What a figure carries that rests on counts which were scaled up."""
    return " (scaled up)" if any(cost.scaled for cost in costs) else ""


def written(cost: Cost, figure: Estimate | None) -> str:
    """A figure of the cost with its interval, and whether it is scaled up."""
    return f"{notation.in_sentence(figure, cost.unit)}{scaled_mark([cost])}" if figure else notation.ABSENT


def way(above: Estimate | None, below: Estimate | None, costs: Costs) -> Verdict:
    """Which way a figure is from another beyond the interval of their ratio; `not told` also without a ratio."""
    ratio = quotient(above, below)
    return verdict(ratio, costs.simulated) if ratio else "not told"


def whole_runs(costs: Sequence[Cost], images: int, measure: Measure) -> Iterator[str]:
    """`A run of 10 images costs keras 6.7 s and litert 240 ms (time)`; then how many times the baseline's that is."""
    wholes = {cost: whole for cost in costs if (whole := cost.whole(images))}
    figures = [f"{cost.model} {written(cost, whole)}" for cost, whole in wholes.items()]
    if not figures:
        return
    run = labelled("run", measure.costs)
    yield f"A {run} of {notation.counted(images, 'image')} costs {notation.listed(figures)}, in {explained(measure)}"
    base = reference(tuple(wholes), measure.costs.baseline)
    ratios = {cost: quotient(whole, wholes[base]) for cost, whole in wholes.items() if cost is not base}
    times = [
        f"{notation.ratio(ratio)} times{scaled_mark([cost, base])} as much with {cost.model}"
        for cost, ratio in ratios.items()
        if ratio
    ]
    if times:
        yield f"that is {notation.listed(times)} as with {base.model}"


def again(study: Study, **changes: Any) -> str:
    """The study's sweep with these values of its plan's: `again(study, images=(1, 10, 40))`.

    A study that was not made by a sweep has its models alone; where caches are to be simulated, no camera is in the
    region.
    """
    swept = study.imported_from is None and study.live is None
    plan = study.plan if swept else Plan(models=study.plan.models)
    if "caches" in changes:
        changes["capture_in_region"] = False
    return shlex.join(replace(plan, **changes).to_argv())


def keys(names: Iterable[str], measure: Measure) -> tuple[str, ...]:
    """Keys of tables and figures of the measure's kind; what a study has of one kind only keeps its plain key."""
    found = (key for name in names for key in (keyed(name, measure.costs.simulated), name))
    return tuple(dict.fromkeys(found))


def anew(study: Study, analysis: Analysis) -> str:
    """The sweep that would have figures where this study has none; of single phases, with whole processes as well."""
    return for_a_line(study) if analysis.costs.phases else again(study)


def for_a_line(study: Study) -> str:
    """The study's sweep so that it tells fixed cost and slope apart: whole processes of several image counts."""
    usual = Plan.usual(study.plan.on)
    changes: dict[str, Any] = {}
    if len(study.plan.images) < 2:
        changes["images"] = usual.images
    if "process" not in study.plan.regions or study.plan.on:
        changes["regions"] = ("process", "inference")
    return again(study, **changes)
