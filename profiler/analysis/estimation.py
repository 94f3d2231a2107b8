"""From a study's runs to the costs of each event and model. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from profiler.analysis import stats
from profiler.analysis.costs import Cost, Costs, Derived, Point, baseline, direct, line, together
from profiler.analysis.metrics import METRICS, Metric, derive
from profiler.analysis.regions import COUNTED, Around, around
from profiler.records import Case, Count, Event, Region, Run, Study


@dataclass(slots=True)
class _RunCounts:
    """What the runs of one model say of one event."""

    points: dict[Region, list[Point]] = field(default_factory=dict)
    counts: list[Count] = field(default_factory=list)


def counted(study: Study, ok: Sequence[Run]) -> Costs:
    """Every event of the study for every model, from the runs on this machine itself."""
    return _costs(study, ok, study.events, study.absent, simulated=False)


def simulated(study: Study, ok: Sequence[Run]) -> Costs | None:
    """Every event of the study's simulation for every model; None where nothing was simulated."""
    if study.simulation is None:
        return None
    return _costs(study, ok, study.simulation.events, study.simulation.absent, simulated=True)


def _costs(
    study: Study, ok: Sequence[Run], events: tuple[Event, ...], absent: Mapping[str, str], *, simulated: bool
) -> Costs:
    """From the runs of one kind, and of them only the counts of that kind."""

    def mine(case: Case) -> bool:
        return (case.simulator is not None) == simulated

    found: dict[tuple[str, str], _RunCounts] = {}
    for run in ok:
        for count in run.counts if mine(run.case) else ():
            if count.value is not None and (count.status == "simulated") != simulated:
                continue
            each = found.setdefault((count.event, run.case.model), _RunCounts())
            each.counts.append(count)
            if count.value is not None:
                point = Point(run.order, run.case.images, float(count.value))
                each.points.setdefault(run.case.region, []).append(point)
    asked = {case.model for case in study.cases if mine(case)}
    ran = {run.case.model for run in ok if mine(run.case)}
    costs = {}
    for event in events:
        for model in study.models:
            its = found.get((event.name, model.label), _RunCounts())
            lack = absent.get(event.name) or _lack(its.counts, model.label in asked, model.label in ran)
            cost = _cost(event, model.label, its, study.plan.seed, lack, simulated)
            costs[event.name, model.label] = _around(cost, around(study))
    labels, seed = tuple(model.label for model in study.models), study.plan.seed
    metrics = {label: _metrics(costs, label, seed) for label in labels}
    phases = {
        (*key, region): stats.mean([point.value for point in points], seed)
        for key, each in found.items()
        for region, points in each.points.items()
        if region not in ("process", *COUNTED)
    }
    return Costs(costs, events, labels, baseline(study), metrics, phases, simulated)


def _around(cost: Cost, where: Around) -> Cost:
    """The cost with what its figure of an image was counted around; a session has windows in place of processes."""
    few = cost.direct is not None and cost.direct.reason is not None and where == "live"
    lack = "too few windows for an interval"
    return replace(cost, around=where, direct=replace(cost.direct, reason=lack) if few and cost.direct else cost.direct)


def _metrics(costs: Mapping[tuple[str, str], Cost], model: str, seed: int) -> tuple[Derived, ...]:
    """The metrics that this model's counts allow: both events exact and counted in the same processes."""
    exact = {
        cost.event.metric: cost
        for (_, label), cost in costs.items()
        if label == model and cost.event.quality == "exact" and not cost.reason
    }
    wanted = [metric for metric in METRICS if metric.above in exact and metric.below in exact]
    found = (_derived(metric, exact[metric.above], exact[metric.below], seed) for metric in wanted)
    return tuple(each for each in found if each.fixed or each.per_image)


def _cost(event: Event, label: str, found: _RunCounts, seed: int, lack: str, simulated: bool) -> Cost:
    """`lack`: why there is no figure, where there turns out to be none."""
    process = found.points.get("process", [])
    inside = [point for region in COUNTED for point in found.points.get(region, []) if point.images]
    present = [count for count in found.counts if count.value is not None]
    percents = [count.running_percent for count in present if count.running_percent is not None]
    return Cost(
        event=event,
        model=label,
        unit=present[0].unit if present else "",
        points=tuple(process),
        inside=tuple(inside),
        line=line(process, seed),
        direct=direct(inside, seed, simulated),
        reason=None if process or inside else lack,
        sources=tuple(sorted({count.source for count in present})),
        running_percent=min(percents, default=None),
        simulated=simulated,
        estimated=any(count.estimated for count in present),
    )


def _lack(counts: Sequence[Count], asked: bool, ran: bool) -> str:
    """Why there is no figure of an event that is countable as such."""
    if not asked:
        return "no run of this model was planned"
    if not ran:
        return "no run of this model ended well"
    return next((count.reason for count in counts if count.reason), "not counted in the regions of this study")


def _derived(metric: Metric, above: Cost, below: Cost, seed: int) -> Derived:
    pair = together(above, below, seed)
    fixed, slopes = [cost.fixed for cost in pair], [cost.slope for cost in pair]
    directs = [cost.direct for cost in pair]
    each = directs if all(directs) else slopes
    names = (metric.above, metric.below)
    return Derived(metric, *(derive(metric, dict(zip(names, found, strict=True)).get) for found in (fixed, each)))
