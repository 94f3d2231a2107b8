"""The hardware events beside what a study is judged by: whether they grow with it from model to model."""

from collections.abc import Iterator, Mapping

from profiler.analysis import notation, stats
from profiler.analysis.ablation_pairs import Measure
from profiler.analysis.costs import Costs, FigureOf, quotient
from profiler.analysis.labels import SIMULATED
from profiler.analysis.notation import counted, listed
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Event, Study
from profiler.report.questions.common import noun, scaled_mark
from profiler.report.sections.simulation_provenance import through

_COMPARED = 3
"""Most models that sentences compare event by event; of more a table tells."""

_NAMED = 8
"""Most events that a sentence names; the tables have all."""

_SIMULATED = ("instructions", "l1d_access")
"""Metrics of simulated events that are told here; what caches do has questions of its own."""


def hardware(costs: Costs, measure: Measure) -> Iterator[str]:
    """How many times the baseline's hardware events another model has for each image, and which go with the time."""
    yield from _hardware(costs, measure, "For each image", lambda cost: cost.per_image)


def hardware_of_runs(costs: Costs, measure: Measure, images: int) -> Iterator[str]:
    """The same of whole runs, where what each image costs is not known."""
    when = f"In a whole run of {counted(images, 'image')}"
    yield from _hardware(costs, measure, when, lambda cost: cost.whole(images))


def _hardware(costs: Costs, measure: Measure, when: str, figure: FigureOf) -> Iterator[str]:
    exact = [event for event in costs.events if event.kind == "hardware" and event.quality == "exact"]
    others = [event for event in exact if costs is not measure.costs or event != measure.event]
    for label in _compared(costs):
        ratios = _ratios(costs, label, others, figure)
        if ratios:
            told = [
                f"{notation.ratio(ratio)} times its "
                f"{name}{scaled_mark(costs[name, model] for model in (label, costs.baseline))}"
                for name, ratio in ratios.items()
            ]
            yield f"{when}, against {costs.baseline}, {label} has {listed(told, _NAMED)}."
            yield from _in_proportion(label, ratios, measure, figure)


def simulated_beside(study: Study, analysis: Analysis, measure: Measure) -> Iterator[str]:
    """The ratios of simulated instructions and accesses, as far as they are not what the study is judged by."""
    costs, simulation = analysis.simulated, study.simulation
    if costs is None or simulation is None:
        return
    events = [event for metric in _SIMULATED if (event := costs.answering(metric))]
    others = [event for event in events if not (measure.costs.simulated and event == measure.event)]
    for label in _compared(costs):
        ratios = _ratios(costs, label, others, lambda cost: cost.per_image)
        if ratios:
            times = listed(f"{notation.ratio(ratio)} times its {name}" for name, ratio in ratios.items())
            yield (
                f"{SIMULATED.capitalize()} {through(simulation)}, {label} has for each image, "
                f"against {costs.baseline}, {times}."
            )


def _compared(costs: Costs) -> list[str]:
    others = [label for label in costs.models if label != costs.baseline]
    return others if len(costs.models) <= _COMPARED else []


def _ratios(costs: Costs, label: str, events: list[Event], figure: FigureOf) -> Mapping[str, Estimate]:
    found = {
        event.name: quotient(figure(costs[event.name, label]), figure(costs[event.name, costs.baseline]))
        for event in events
    }
    return {name: ratio for name, ratio in found.items() if ratio}


def _in_proportion(label: str, ratios: Mapping[str, Estimate], measure: Measure, figure: FigureOf) -> Iterator[str]:
    """Which events grow like the time, which more and which less, beyond their intervals."""
    costs, event = measure
    time = quotient(figure(costs[event.name, label]), figure(costs[event.name, costs.baseline]))
    if time is None or time.interval is None or costs.simulated:
        return
    more: list[str] = []
    less: list[str] = []
    like: list[str] = []
    for name, ratio in ratios.items():
        if ratio.interval is not None:
            apart = stats.disagree(ratio, time)
            (like if not apart else more if ratio.value > time.value else less).append(name)
    parts = [
        f"{listed(names)} {words}"
        for names, words in (
            (like, "in the same proportion, within the intervals"),
            (more, "in a larger one"),
            (less, "in a smaller one"),
        )
        if names
    ]
    if parts:
        times = notation.ratio(time)
        yield f"Beside {times} times the {noun(measure)}, that is {'; '.join(parts)}."
