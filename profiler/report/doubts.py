"""What makes a study's figures doubtful, in sentences, the most serious first."""

import math
from collections.abc import Iterator, Sequence

from profiler.machine import throttled_text
from profiler.records import Run, Study, planned
from profiler.report import text
from profiler.report.analysis import Analysis
from profiler.report.costs import Costs, native
from profiler.report.tables import SIMULATED

FEW_REPEATS = 3
"""Repeats below which a disturbed run is as likely taken for the rule as for the exception."""

_NAMED = 4
"""Most events or runs that a warning names."""

_BY_CHANCE = 0.05
"""Share of true slopes that miss their 95 % interval; the region's interval is narrow beside it."""


def doubts(study: Study, runs: Sequence[Run], analysis: Analysis) -> tuple[str, ...]:
    """One sentence or two for each thing that is wrong, each saying what follows from it."""
    measured = native(runs)
    return (
        *_missing(study, analysis),
        *_throttled(measured),
        *(text.sentence(note) for note in study.notes),
        *_simulated(study),
        *_uncounted(study, analysis),
        *_scope(study),
        *_scaled(analysis),
        *_bent(analysis),
        *_contradicted(analysis),
        *_unsteady(analysis),
        *_few(study),
        *_outliers(measured, analysis),
        *_clock(measured),
        *_load(study, measured),
    )


def _missing(study: Study, analysis: Analysis) -> Iterator[str]:
    failed = sum(gap.failed for gap in analysis.gaps)
    unmade = sum(gap.unmade for gap in analysis.gaps)
    runs = text.counted(sum(planned(study, case) for case in study.cases), "planned run")
    where = "the table of missing runs says which"
    if failed:
        whose = (
            f"{gap.case.model} under {gap.case.simulator}" if gap.case.simulator else gap.case.model
            for gap in analysis.gaps
            if gap.failed
        )
        yield f"{failed} of {runs} failed ({text.listed(dict.fromkeys(whose))}); {where} and why."
    if unmade:
        yield f"{unmade} of {runs} were not made: the sweep was cut short; {where}."


def _simulated(study: Study) -> Iterator[str]:
    """Which figures are no measurement."""
    if study.simulation is None:
        return
    if study.counter_source is None:
        yield "Nothing here was measured: every count is simulated, and there is no time, latency or memory."
    else:
        yield "Simulated figures stand in tables of their own, which say so; all other counts and times were measured."


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
    if study.scope == "user" and study.counter_source is not None:
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


def _bent(analysis: Analysis) -> Iterator[str]:
    for costs in _kinds(analysis):
        for label in costs.models:
            bent = [cost for event in costs.events if (cost := costs[event.name, label]).bend is not None]
            if bent:
                worst = max(cost.bend or 0 for cost in bent)
                events = text.listed((cost.event.name for cost in bent), _NAMED)
                yield (
                    f"{label}{_kind(costs)}: {events} not on a line over the images (off by up to "
                    f"{text.percent(worst)} of the range), so fixed cost and slope average over a bend. The figure "
                    "shows where."
                )


def _contradicted(analysis: Analysis) -> Iterator[str]:
    for costs in _kinds(analysis):
        compared = [cost for cost in costs.values() if cost.slope and cost.direct]
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
                else "either something outside the region grows with the images, or runs were disturbed: more repeats "
                "tell"
            )
            yield (
                f"Slope and region{_kind(costs)} disagree in {len(apart)} of "
                f"{text.counted(len(compared), 'comparison')}: {text.listed(apart, _NAMED)}; {follows}."
            )


def _kinds(analysis: Analysis) -> tuple[Costs, ...]:
    return (analysis.costs, analysis.simulated) if analysis.simulated else (analysis.costs,)


def _kind(costs: Costs) -> str:
    return f", {SIMULATED}" if costs.simulated else ""


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
    if study.counter_source is None:
        return
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
