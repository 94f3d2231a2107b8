"""What makes a study's figures doubtful, in sentences, the most serious first."""

import math
from collections.abc import Iterator, Sequence

from profiler.machine import throttled_text
from profiler.records import Run, Study
from profiler.report import text
from profiler.report.analysis import Analysis
from profiler.report.costs import Cost

FEW_REPEATS = 3
"""Repeats below which a disturbed run is as likely taken for the rule as for the exception."""

_NAMED = 4
"""Most events or runs that a warning names."""

_BY_CHANCE = 0.05
"""Share of true slopes that miss their 95 % interval; the region's interval is narrow beside it."""


def doubts(study: Study, runs: Sequence[Run], analysis: Analysis) -> tuple[str, ...]:
    """One sentence or two for each thing that is wrong, each saying what follows from it."""
    return (
        *_missing(study, analysis),
        *_throttled(runs),
        *(text.sentence(note) for note in study.notes),
        *_uncounted(study, analysis),
        *_scope(study),
        *_scaled(analysis),
        *_bent(study, analysis),
        *_contradicted(analysis),
        *_unsteady(analysis),
        *_few(study),
        *_outliers(runs, analysis),
        *_clock(runs),
        *_load(study, runs),
    )


def _missing(study: Study, analysis: Analysis) -> Iterator[str]:
    failed = sum(gap.failed for gap in analysis.gaps)
    unmade = sum(gap.unmade for gap in analysis.gaps)
    planned = len(study.cases) * study.plan.repeats
    where = "the table of missing runs says which"
    if failed:
        models = dict.fromkeys(gap.case.model for gap in analysis.gaps if gap.failed)
        yield f"{failed} of {text.counted(planned, 'planned run')} failed ({text.listed(models)}); {where} and why."
    if unmade:
        yield f"{unmade} of {text.counted(planned, 'planned run')} were not made: the sweep was cut short; {where}."


def _throttled(runs: Sequence[Run]) -> Iterator[str]:
    """What throttled while the study ran: what is so now, and what had not happened since boot when it began."""
    seen = [bits for run in runs for bits in (run.before.throttled, run.after.throttled) if bits is not None]
    if not seen:
        return
    during = 0
    for bits in seen:
        during |= bits & (0xF | ~seen[0])
    if during:
        words = text.listed(throttled_text(during))
        yield f"The board throttled while it was measured ({words}): times are too long; cool it, feed it, sweep again."


def _uncounted(study: Study, analysis: Analysis) -> Iterator[str]:
    """Hardware events without a figure, unless a note has said that there are none at all."""
    hardware = [event.name for event in study.events if event.kind == "hardware"]
    lacking = [name for name in hardware if all(analysis.costs[name, model.label].reason for model in study.models)]
    said = study.notes and len(lacking) == len(hardware)
    if lacking and not said and any(not cost.reason for cost in analysis.costs.values()):
        yield f"Not counted here: {text.listed(lacking)}. The notes under the tables say why."


def _scope(study: Study) -> Iterator[str]:
    if study.scope == "user":
        yield (
            f"Only user mode was counted (perf_event_paranoid {study.machine.perf_event_paranoid}): hardware events "
            "lack what the kernel did for the process. `sudo sysctl kernel.perf_event_paranoid=1` includes it."
        )


def _scaled(analysis: Analysis) -> Iterator[str]:
    costs = [cost for cost in analysis.costs.values() if cost.scaled]
    if costs:
        events = dict.fromkeys(cost.event.name for cost in costs)
        least = min(cost.running_percent or 0 for cost in costs)
        yield (
            f"{text.listed(events, _NAMED)}: a counter was on the event for as little as {least:.0f} % of a run, so "
            "the counts are scaled-up estimates, whose error no interval here contains."
        )


def _bent(study: Study, analysis: Analysis) -> Iterator[str]:
    for model in study.models:
        costs = [cost for cost in _of(analysis, model.label) if cost.bend is not None]
        if costs:
            worst = max(cost.bend or 0 for cost in costs)
            events = text.listed((cost.event.name for cost in costs), _NAMED)
            yield (
                f"{model.label}: {events} not on a line over the images (off by up to {text.percent(worst)} of the "
                "range), so fixed cost and slope average over a bend. The figure shows where."
            )


def _contradicted(analysis: Analysis) -> Iterator[str]:
    compared = [cost for cost in analysis.costs.values() if cost.slope and cost.direct]
    apart = [
        f"{cost.model} {cost.event.name} ({text.quantity(cost.slope, cost.unit)} against "
        f"{text.quantity(cost.direct, cost.unit)})"
        for cost in compared
        if cost.slope and cost.direct and cost.disagreement
    ]
    if apart:
        chance = len(apart) <= math.ceil(len(compared) * _BY_CHANCE)
        follows = (
            "so few may be chance"
            if chance
            else "either something outside the region grows with the images, or runs were disturbed: more repeats tell"
        )
        yield (
            f"Slope and region disagree in {len(apart)} of {text.counted(len(compared), 'comparison')}: "
            f"{text.listed(apart, _NAMED)}; {follows}."
        )


def _unsteady(analysis: Analysis) -> Iterator[str]:
    for label, latency in analysis.latencies.items():
        if latency.steady and not latency.steady.steady:
            drift = latency.steady.drift.value
            way, remedy = ("rise", " or cool the board") if drift > 0 else ("fall", "")
            run = text.counted(len(latency.runs_ns[0]), "image")
            yield (
                f"{label}: latencies {way} by {text.percent(abs(drift))} over a run of {run}, so the cost per image "
                f"depends on how many; raise `--warmup`{remedy}."
            )


def _few(study: Study) -> Iterator[str]:
    plan = study.plan
    if plan.repeats < FEW_REPEATS:
        yield (
            f"{text.counted(plan.repeats, 'repeat')} a case: intervals are wide or missing, and a disturbed run cannot "
            "be told from the others. Sweep with `--repeats 5` or more for figures to rely on."
        )
    if len(plan.images) == 1 and "process" in plan.regions:
        yield "One image count: whole processes do not tell fixed cost and cost per image apart; use `--images 1,5,10`."


def _outliers(runs: Sequence[Run], analysis: Analysis) -> Iterator[str]:
    events: dict[int, list[str]] = {}
    for cost in analysis.costs.values():
        for place in cost.line.outliers if cost.line else ():
            events.setdefault(cost.points[place].order, []).append(cost.event.name)
    by_order = {run.order: run.case for run in runs}
    parts = [
        f"run {order} ({by_order[order].model}, {text.counted(by_order[order].images, 'image')}: "
        f"{text.listed(names, _NAMED)})"
        for order, names in sorted(events.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    if parts:
        yield f"Far off the line, and part of the figures all the same: {text.listed(parts, _NAMED)}."


def _clock(runs: Sequence[Run]) -> Iterator[str]:
    governors = sorted({run.before.governor for run in runs if run.before.governor} - {"performance"})
    if governors:
        yield (
            f"The {text.listed(governors)} governor moved the clock, so times depend on what ran before; "
            "counts of instructions and cache events hardly do."
        )


def _load(study: Study, runs: Sequence[Run]) -> Iterator[str]:
    most = max((run.before.load_1min or 0.0 for run in runs), default=0.0)
    if most > study.machine.cpus:
        yield f"Something else was running: a load of up to {most:.1f} on {text.counted(study.machine.cpus, 'CPU')}."


def _of(analysis: Analysis, label: str) -> list[Cost]:
    return [cost for (_, model), cost in analysis.costs.items() if model == label]
