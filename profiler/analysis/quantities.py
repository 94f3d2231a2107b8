"""All figures of a study as numbers, for other programs: what a table rounds stands here in full."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from profiler.analysis import labels
from profiler.analysis.costs import Cost, Costs, Status, quotient
from profiler.analysis.labels import TAIL
from profiler.analysis.live_session import Session, session
from profiler.analysis.notation import NUMBER
from profiler.analysis.quantity import Quantity
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis, Latency
from profiler.records import Run, Study

_COUNTS = ("frames", "captured", "dropped", "stale", "corrupt", "reconnects")
"""Of a session's summary, what is counted in frames or times."""

RATIO = "_ratio"
"""Ends the `what` of a figure that was divided by the baseline's."""


def quantities(study: Study, analysis: Analysis) -> tuple[Quantity, ...]:
    """Every event, metric, phase, latency and peak of memory of every model; a missing one with its reason.

    `whole` is of every image count that ran and of the lab's. Each figure is followed by its ratio to the baseline's,
    where that is determined.
    """
    found: list[Quantity] = []
    for costs in filter(None, (analysis.costs, analysis.simulated)):
        # What has no figure says not whether it was to be counted or simulated, so it is said once.
        said = {(each.subject, each.event) for each in found}
        of_events = _of_events(costs)
        found += [each for each in of_events if each.status != "absent" or (each.subject, each.event) not in said]
        found += _of_phases(costs)
        found += _of_metrics(costs)
    if study.counter_source is not None:
        found += _timed(study, analysis)
    return tuple(found)


def _of_events(costs: Costs) -> Iterator[Quantity]:
    lab = labels.lab_images(costs)
    for event in labels.events_in_order(costs):
        figures = {label: _figures(costs[event.name, label], lab) for label in costs.models}
        base = figures[costs.baseline]
        for label, mine in figures.items():
            cost = costs[event.name, label]
            for (what, images), (figure, lack) in mine.items():
                made = quantity(label, event.name, what, figure, cost.unit, cost.status, lack, images)
                yield made
                if label != costs.baseline:
                    yield from _ratio(made, figure, base.get((what, images), (None, ""))[0])


def _figures(cost: Cost, lab: int | None) -> dict[tuple[str, int | None], tuple[Estimate | None, str]]:
    """By what it is and of how many images: the figure, or None and why it is missing.

    Args:
        lab: Images of the whole run to compare; None where no whole process ran.
    """
    no_line, no_region, no_process = (
        cost.reason or lack(cost) for lack in (labels.no_line, labels.no_region, labels.no_process)
    )
    images = sorted({point.images for point in cost.points} | ({lab} if lab is not None else set()))
    if cost.around == "live":
        return {("region", None): (cost.direct, no_region)}
    return {
        ("fixed", None): (cost.fixed, no_line),
        ("slope", None): (cost.slope, no_line),
        ("region", None): (cost.direct, no_region),
    } | {("whole", count): (cost.whole(count), no_process) for count in images}


def _of_phases(costs: Costs) -> Iterator[Quantity]:
    """Events that were counted in phases alone."""
    for (name, label, phase), figure in costs.phases.items():
        cost = costs[name, label]
        yield quantity(label, name, phase, figure, cost.unit, cost.status)


def _of_metrics(costs: Costs) -> Iterator[Quantity]:
    """Quotients of two events' figures, as modelled or simulated as the events are."""
    for label, derived in costs.derived.items():
        for each in derived:
            metric = each.metric
            made = {
                cost.status
                for cost in costs.values()
                if cost.model == label and cost.event.metric in (metric.above, metric.below) and not cost.reason
            }
            status: Status = "simulated" if costs.simulated else "scaled" if "scaled" in made else "counted"
            for what, figure in (("fixed", each.fixed), ("image", each.per_image)):
                if figure:
                    yield quantity(label, metric.name, what, figure, metric.unit or NUMBER, status)


def _timed(study: Study, analysis: Analysis) -> Iterator[Quantity]:
    """What the worker's own clock and the kernel's accounting say: phases, latencies, memory."""
    lack = "no run of this model ended well"
    peaks, lasted = analysis.peak_rss_bytes, analysis.latencies
    for label in (model.label for model in study.models):
        peak = quantity(label, "peak-rss", "whole", peaks.get(label), "bytes", "counted", lack)
        yield peak
        if label != analysis.baseline:
            yield from _ratio(peak, peaks.get(label), peaks.get(analysis.baseline))
        yield from _latencies(label, lasted.get(label))
        for phase in analysis.phases.get(label, ()):
            yield quantity(label, "phase-wall-time", phase.name, phase.wall_ns, "ns", "counted")
            yield quantity(label, "phase-cpu-time", phase.name, phase.cpu_ns, "ns", "counted")
            yield quantity(label, "phase-page-faults", phase.name, phase.page_faults, "", "counted")


def _latencies(label: str, found: Latency | None) -> Iterator[Quantity]:
    lack = "no inference was timed"
    first = found.first_ns if found else None
    yield quantity(label, "latency", "first", first, "ns", "counted", lack)
    for name in ("p50", "p95", "p99"):
        least = TAIL.get(name, 1)
        few = found is not None and found.count < least
        figure = Quantity(label, "latency", name, None, None, None, None, "ns", "absent", lack)
        if few:
            figure = replace(figure, reason=f"fewer than {least} inferences: {name} would be the slowest one")
        elif found:
            value = float(getattr(found.quantiles_ns, name))
            figure = replace(figure, value=value, status="counted", reason=None)
        yield figure
    drift = found.steady.drift if found and found.steady else None
    yield quantity(label, "latency", "drift", drift, NUMBER, "counted", "too few runs or images to judge")


def every(study: Study, runs: Sequence[Run], analysis: Analysis) -> tuple[Quantity, ...]:
    """The same, and what a live session came to."""
    return (*quantities(study, analysis), *of_session(session(study, runs, analysis)))


def of_session(found: Session | None) -> tuple[Quantity, ...]:
    """A session's own figures; rates are in frames a second, shares in percent."""
    if found is None:
        return ()
    its, model = found.summary, found.model
    trend = quantity(model, "latency", "last third / first third", found.trend, NUMBER, "counted", "too few windows")
    rates = {"fps": (found.fps, "1/s")}
    if its:
        rates |= {"source-fps": (its.source_fps, "1/s"), "cpu": (its.cpu_percent, "%")}
        rates |= {f"share-{name}": (getattr(its.shares, name), "%") for name in its.shares.__struct_fields__}
        rates |= {name: (float(getattr(its, name)), "") for name in _COUNTS}
    told = [
        Quantity(model, "session", what, None, value, None, None, unit, "counted")
        for what, (value, unit) in rates.items()
    ]
    for what in ("latency_ms", "age_ms") if its else ():
        for name in ("p50", "p95", "p99"):
            value = getattr(getattr(its, what), name)
            told.append(
                Quantity(
                    model, f"frame-{what.removesuffix('_ms')}", name, None, value * 1e6, None, None, "ns", "counted"
                )
                if value is not None
                else Quantity(
                    model,
                    f"frame-{what.removesuffix('_ms')}",
                    name,
                    None,
                    None,
                    None,
                    None,
                    "ns",
                    "absent",
                    "too few frames",
                )
            )
    return (*told, trend)


def _ratio(of: Quantity, above: Estimate | None, below: Estimate | None) -> Iterator[Quantity]:
    found = quotient(above, below)
    if found:
        yield quantity(of.subject, of.event, f"{of.what}{RATIO}", found, NUMBER, of.status, images=of.images)


def quantity(
    subject: str,
    event: str,
    what: str,
    figure: Estimate | None,
    unit: str,
    status: Status,
    lack: str = "",
    images: int | None = None,
) -> Quantity:
    """The figure with its interval, or where there is none, why: `lack`."""
    if figure is None:
        return Quantity(subject, event, what, images, None, None, None, unit, "absent", lack)
    return Quantity(subject, event, what, images, figure.value, figure.low, figure.high, unit, status)
