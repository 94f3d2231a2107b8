"""What several questions need: the event that speaks for a study, and the command that would answer a question."""

import shlex
from collections.abc import Iterable, Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import LEADING, Measure, Verdict, verdict
from profiler.analysis.costs import Cost, Costs, quotient
from profiler.analysis.labels import SIMULATED, keyed
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Event, Study

_FLAGS = ("--quick", "--phases", "--capture-in-region")
"""Options of a sweep that have no value."""

_OWN = ("--name", "--runs", "--output")
"""Options of one sweep that another must not repeat."""

_COUNTS, _FEW_COUNTS = "1,2,5,10,20,40", "1,2,4"
"""Image counts that a line needs; a simulated image takes a hundred times as long as a measured one."""

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
        f"{notation.in_sentence(ratio, notation.NUMBER)} times{scaled_mark([cost, base])} as much with {cost.model}"
        for cost, ratio in ratios.items()
        if ratio
    ]
    if times:
        yield f"that is {notation.listed(times)} as with {base.model}"


def again(study: Study, *flags: str, **options: str) -> str:
    """The study's sweep with these options in place of its own: `again(study, images="1,10,40")`.

    A study that was not made by a sweep names its models by runtime and file. Counts of images that are asked for stand
    in place of `--quick` as well; where caches are to be simulated, no camera is in the region.

    Args:
        flags: Options without a value that it gets too, such as `--phases`.
        options: By name, `_` for `-`.
    """
    given = _options(study)
    if "images" in options:
        given.pop("--quick", None)
    if "caches" in options:
        given.pop("--capture-in-region", None)
    given |= dict.fromkeys(flags) | {f"--{name.replace('_', '-')}": value for name, value in options.items()}
    words = [word for option, value in given.items() for word in (option, value) if word is not None]
    return shlex.join(["profiler", "sweep", *words])


def _options(study: Study) -> dict[str, str | None]:
    """The options of the study's own sweep, its models first."""
    found: dict[str, str | None] = {"--models": None}
    words = iter(_swept(study.command))
    for word in words:
        option, _, value = word.partition("=")
        found[option] = None if option in _FLAGS else value or next(words, "")
    if found["--models"] is None:
        found["--models"] = ",".join(
            model.label if model.label == model.runtime and model.sha256 else f"{model.runtime}={model.file}"
            for model in study.models
        )
    return {option: value for option, value in found.items() if option not in _OWN}


def _swept(command: str) -> list[str]:
    """The words after `profiler sweep`; nothing of another command."""
    try:
        words = shlex.split(command)
    except ValueError:  # a quotation that does not end: no shell's command
        return []
    return words[2:] if words[:2] == ["profiler", "sweep"] else []


def keys(names: Iterable[str], measure: Measure) -> tuple[str, ...]:
    """Keys of tables and figures of the measure's kind; what a study has of one kind only keeps its plain key."""
    found = (key for name in names for key in (keyed(name, measure.costs), name))
    return tuple(dict.fromkeys(found))


def anew(study: Study, analysis: Analysis) -> str:
    """The sweep that would have figures where this study has none; of single phases, with whole processes as well."""
    return for_a_line(study) if analysis.costs.phases else again(study)


def for_a_line(study: Study) -> str:
    """The study's sweep so that it tells fixed cost and slope apart: whole processes of several image counts."""
    options = {}
    if len(study.plan.images) < 2:
        options["images"] = _FEW_COUNTS if study.plan.on else _COUNTS
    if "process" not in study.plan.regions or study.plan.on:
        options["region"] = "process,inference"
    return again(study, **options)
