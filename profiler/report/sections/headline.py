"""The study's answer in a few sentences, by rules from the figures; the questions say the rest."""

from collections.abc import Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import Measure
from profiler.analysis.amortisation import paid_once
from profiler.analysis.costs import Cost, FigureOf, quotient
from profiler.analysis.labels import SIMULATED, lab_images
from profiler.analysis.metrics import scaled
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Study
from profiler.report.questions.common import explained, labelled, leading, no_figures, scaled_mark, whole_runs, written
from profiler.report.sections.simulation_provenance import instructions

_SINGLY = 3
"""Most models whose figures the answer names; of more it names the ends."""


def answer(study: Study, analysis: Analysis) -> tuple[str, ...]:
    """One paragraph: what a whole run costs with each model, and how much of it is paid once.

    Where nothing was measured that and whose instructions were simulated come first.
    """
    measure = leading(analysis)
    if measure is None:
        return (f"{no_figures(study, analysis)}, so there is no figure.",)
    images = lab_images(measure.costs)
    said = _of_runs(images, measure) if images else _of_images(measure)
    captured = "An image's figure has its capture, decoding and preprocessing in it, not the inference alone."
    return (" ".join((*_provenance(study, measure), *said, *([captured] if study.plan.capture_in_region else []))),)


def _provenance(study: Study, measure: Measure) -> Iterator[str]:
    """That figures are simulated, and why."""
    simulation = study.simulation
    if simulation is None or not measure.costs.simulated:
        return
    if study.counter_source is not None:
        yield "No run on this machine itself ended well, so nothing was measured."
    whose = f"a virtual {simulation.guest}" if simulation.guest else "this machine's own programs"
    yield f"All figures are {SIMULATED}: {instructions(simulation)} under {simulation.version}, on {whose}, untimed."


def _of_runs(images: int, measure: Measure) -> Iterator[str]:
    costs = [cost for cost in measure.costs.of(measure.event) if cost.whole(images)]
    run = f"{labelled('run', measure.costs)} of {notation.counted(images, 'image')}"
    if len(costs) <= _SINGLY:
        yield f"{'; '.join(whole_runs(costs, images, measure))}."
    else:
        costs = _ends(costs, lambda cost: cost.whole(images))
        yield _least_and_most(f"a {run}", costs, lambda cost: cost.whole(images), measure)
    shares = {cost: share for cost in costs if (share := paid_once(cost, images))}
    parts = [
        f"{notation.in_sentence(scaled(share, 100), '%')}{scaled_mark([cost])} with {cost.model}"
        for cost, share in shares.items()
    ]
    if parts:
        yield f"Of such a {labelled('run', measure.costs)}, {notation.listed(parts)} is paid once, whatever its images."


def _of_images(measure: Measure) -> Iterator[str]:
    """Where no whole process was counted."""
    costs = [cost for cost in measure.costs.of(measure.event) if cost.per_image]
    if len(costs) > _SINGLY:
        yield _least_and_most("an image", _ends(costs, _per_image), _per_image, measure)
    else:
        figures = notation.listed(f"{cost.model} {written(cost, cost.per_image)}" for cost in costs)
        yield f"An image costs {figures}, in {explained(measure)}."
    yield "Whole processes were not counted, so what a run costs is not known."


def _per_image(cost: Cost) -> Estimate | None:
    return cost.per_image


def _ends(costs: Sequence[Cost], figure: FigureOf) -> list[Cost]:
    """The models that pay least and most."""
    found = {cost: paid.value for cost in costs if (paid := figure(cost))}
    ranked = sorted(found, key=found.__getitem__)
    return [ranked[0], ranked[-1]]


def _least_and_most(what: str, ends: Sequence[Cost], figure: FigureOf, measure: Measure) -> str:
    least, most = ends
    ratio = quotient(figure(most), figure(least))
    times = f", {notation.ratio(ratio)} times{scaled_mark(ends)} as much" if ratio else ""
    return (
        f"Of {len(measure.costs.of(measure.event))} models {what} costs least with {least.model}, "
        f"{written(least, figure(least))}, and most with {most.model}, {written(most, figure(most))}{times}, in "
        f"{explained(measure)}."
    )
