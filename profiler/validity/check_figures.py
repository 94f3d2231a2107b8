"""What makes figures doubtful that runs together give: bends, contradictions, few runs, answers that differ."""

from collections.abc import Iterator, Sequence

from profiler.analysis import agreement
from profiler.analysis.costs import Cost, Costs
from profiler.analysis.labels import SIMULATED
from profiler.analysis.notation import counted, listed, percent, quantity
from profiler.analysis.stats import DRAWS, LACK_OF_FIT_P
from profiler.analysis.study_analysis import Analysis
from profiler.records import Case, Region, Run, Study
from profiler.validity.check_runs import NAMED
from profiler.validity.codes import BY_CHANCE, DRIFT, FAR, FEW_REPEATS, OUTLIERS, OUTLIERS_SHARE, UNLIKELY
from profiler.validity.model import Finding


def bent(study: Study, analysis: Analysis) -> Iterator[Finding]:
    """Lines that are none, of each model."""
    for costs in _kinds(analysis):
        lines = [cost.line.lack_of_fit for cost in costs.values() if cost.line and cost.line.lack_of_fit]
        every = [cost for cost in costs.values() if cost.bend is not None]
        chance = _by_chance(len(every), len(lines), LACK_OF_FIT_P) and not any(map(_surely_bent, every))
        for label in costs.models:
            off = [cost for event in costs.events if (cost := costs[event.name, label]).bend is not None]
            if off:
                worst = max(cost.bend or 0 for cost in off)
                events = listed((cost.event.name for cost in off), NAMED)
                yield Finding(
                    "lack-of-fit",
                    "valid" if chance else "degraded",
                    f"{label}{_kind(costs)}: {events} not on a line over the images (off by up to "
                    f"{percent(worst)} of the range), so fixed cost and slope average over a bend"
                    f"{'; so few lines may be chance' if chance else ''}.",
                    "More `--repeats` tell."
                    if chance
                    else "The figure shows where: measure within a range of images that is straight.",
                    cases=_cases(study, off, ("process",)),
                )


def contradicted(study: Study, analysis: Analysis) -> Iterator[Finding]:
    """Slopes that the region's own count contradicts."""
    for costs in _kinds(analysis):
        compared = [cost for cost in costs.values() if cost.slope and cost.direct]
        apart = [cost for cost in compared if cost.disagreement]
        if apart:
            chance = _by_chance(len(apart), len(compared), BY_CHANCE) and not any(map(_far, apart))
            why = (
                "so few and so near may be chance"
                if chance
                else "something outside the region grows with the images, or runs were disturbed"
            )
            yield Finding(
                "slope-region-disagree",
                "valid" if chance else "degraded",
                f"Slope and region{_kind(costs)} disagree in {len(apart)} of "
                f"{counted(len(compared), 'comparison')}: {listed(map(_against, apart), NAMED)}; {why}.",
                "More `--repeats` tell.",
                cases=_cases(study, apart, ("process", "inference")),
            )


def _against(cost: Cost) -> str:
    figures = (quantity(each, cost.unit) for each in (cost.slope, cost.direct) if each)
    return f"{cost.model} {cost.event.name} ({' against '.join(figures)})"


def _far(cost: Cost) -> bool:
    """Whether slope and direct figure are apart by more than chance would have it."""
    if cost.slope is None or cost.direct is None:
        return False
    widths = sum((high - low) / 2 for low, high in (each.interval or (0, 0) for each in (cost.slope, cost.direct)))
    return abs(cost.slope.value - cost.direct.value) > FAR * widths


def _surely_bent(cost: Cost) -> bool:
    """Whether no resample of the line's noise was as far off it."""
    found = cost.line.lack_of_fit if cost.line else None
    return found is not None and found.p_value <= 1 / (DRAWS + 1)


def _by_chance(some: int, of: int, probability: float) -> bool:
    """Whether of so many independent lines as many or more would be doubtful in more than `UNLIKELY` clean studies."""
    from scipy.special import bdtrc

    return float(bdtrc(some - 1, of, probability)) > UNLIKELY


def _kinds(analysis: Analysis) -> tuple[Costs, ...]:
    return (analysis.costs, analysis.simulated) if analysis.simulated else (analysis.costs,)


def _kind(costs: Costs) -> str:
    return f", {SIMULATED}" if costs.simulated else ""


def _cases(study: Study, costs: Sequence[Cost], regions: tuple[Region, ...]) -> tuple[Case, ...]:
    """The cases whose counts these costs are of."""
    return tuple(case for case in study.cases if case.region in regions and any(_in(case, cost) for cost in costs))


def _in(case: Case, cost: Cost) -> bool:
    mine = case.model == cost.model and (case.simulator is not None) == cost.simulated
    return mine and (cost.event.name in case.group or cost.event.kind != "hardware")


def labels(study: Study, analysis: Analysis) -> Iterator[Finding]:
    """Forms that answer otherwise than the network they are compared with."""
    found = agreement.reasons(study.models, analysis.agreements)
    if found:
        yield Finding(
            "labels-disagree",
            "degraded",
            agreement.warning(found),
            "Convert such a form again, or leave it out of the comparison.",
            cases=tuple(case for case in study.cases if case.model in found),
        )


def unsteady(study: Study, analysis: Analysis) -> Iterator[Finding]:
    """Latencies that drift over a run."""
    for label, latency in analysis.latencies.items():
        if latency.steady and not latency.steady.steady:
            drift, images = latency.steady.drift.value, len(latency.runs_ns[0])
            way, cool = ("rise", " or cool the board") if drift > 0 else ("fall", "")
            yield Finding(
                "unsteady",
                "degraded" if abs(drift) > DRIFT else "valid",
                f"{label}: latencies {way} by {percent(abs(drift))} over a run of "
                f"{counted(images, 'image')}, so the cost per image depends on how many.",
                f"Raise `--warmup`{cool}.",
                cases=tuple(case for case in native(study) if case.model == label and case.images == images),
            )


def few(study: Study, runs: Sequence[Run]) -> Iterator[Finding]:
    """Cases with too few runs; simulated counts repeat, and need none."""
    made = dict.fromkeys(native(study), 0)
    for run in runs:
        if run.outcome == "ok" and run.case in made:
            made[run.case] += 1
    lacking = tuple(case for case, number in made.items() if 0 < number < FEW_REPEATS)
    if lacking:
        asked = study.plan.repeats
        what = f"{counted(asked, 'repeat')} a case"
        if asked >= FEW_REPEATS:
            what = (
                f"Of {asked} repeats fewer than {FEW_REPEATS} ended well in {len(lacking)} of "
                f"{counted(len(made), 'case')}"
            )
        yield Finding(
            "few-repeats",
            "degraded",
            f"{what}: intervals are wide or missing, and a disturbed run cannot be told from the others.",
            "Sweep with `--repeats 5` or more for figures to rely on.",
            cases=lacking,
        )


def one_count(study: Study) -> Iterator[Finding]:
    """Whole processes with one image count."""
    cases = tuple(case for case in native(study) if case.region == "process")
    if cases and len({case.images for case in cases}) == 1:
        yield Finding(
            "one-image-count",
            "degraded",
            "One image count: whole processes do not tell fixed cost and cost per image apart.",
            "Sweep with several, such as `--images 1,5,10`.",
            cases=cases,
        )


def outliers(runs: Sequence[Run], analysis: Analysis) -> Iterator[Finding]:
    """Runs far off their line, those with most such events first."""
    events: dict[int, list[str]] = {}
    for cost in analysis.costs.values():
        for place in cost.line.outliers if cost.line else ():
            events.setdefault(cost.points[place].order, []).append(cost.event.name)
    if not events:
        return
    cases = {run.order: run.case for run in runs}
    whole = sum(run.outcome == "ok" and run.case.region == "process" for run in runs)
    parts = [
        f"run {order} ({cases[order].model}, {counted(cases[order].images, 'image')}: {listed(names, NAMED)})"
        for order, names in sorted(events.items(), key=lambda item: (-len(item[1]), item[0]))
    ]
    yield Finding(
        "outliers",
        "degraded" if len(events) > max(OUTLIERS, OUTLIERS_SHARE * whole) else "valid",
        f"Far off the line, and part of the figures all the same: {listed(parts, NAMED)}.",
        "More `--repeats` make a disturbed run weigh less.",
        tuple(sorted(events)),
    )


def native(study: Study) -> tuple[Case, ...]:
    """The cases that ran on this machine itself."""
    return tuple(case for case in study.cases if case.simulator is None)
