"""All figures of a study as numbers, for other programs: what a table rounds stands here in full."""

from collections.abc import Iterable, Iterator, Sequence

from profiler.analysis.costs import Cost, Costs, FigureStatus, What, quotient
from profiler.analysis.labels import TAIL, events_in_order, lab_images
from profiler.analysis.live_session import SessionFigures, session
from profiler.analysis.notation import NUMBER
from profiler.analysis.quantity import RATIO, Quantity, quantity
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis, Latency, Phase
from profiler.records import Run, Spread, Study

_COUNTS = ("frames", "captured", "dropped", "stale", "corrupt", "reconnects")
"""Of a session's summary, what is counted in frames or times."""


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
        found += of_single_phases(costs)
        found += of_metrics(costs)
    if study.counter_source is not None:
        found += _timed(study, analysis)
    return tuple(found)


def _of_events(costs: Costs) -> Iterator[Quantity]:
    lab = lab_images(costs)
    for event in events_in_order(costs):
        figures = {label: _figures(costs[event.name, label], lab) for label in costs.models}
        for label, mine in figures.items():
            cost = costs[event.name, label]
            for (what, images), figure in mine.items():
                lack = cost.lack(what)
                made = quantity(label, event.name, what, figure, cost.unit, cost.status, lack, images)
                yield made
                if label != costs.baseline:
                    yield from _ratio(made, figure, figures[costs.baseline].get((what, images)))


def _figures(cost: Cost, lab: int | None) -> dict[tuple[What, int | None], Estimate | None]:
    """Its figures by what they are and of how many images.

    Args:
        lab: Images of the whole run to compare; None where no whole process ran.
    """
    if cost.around == "live":
        return {("region", None): cost.direct}
    images = sorted({point.images for point in cost.points} | ({lab} if lab is not None else set()))
    kinds: list[tuple[What, int | None]] = [("fixed", None), ("slope", None), ("region", None)]
    kinds += [("whole", count) for count in images]
    return {kind: cost.figure(*kind) for kind in kinds}


def of_single_phases(costs: Costs) -> Iterator[Quantity]:
    """Events that were counted in phases alone."""
    for (name, label, phase), figure in costs.phases.items():
        cost = costs[name, label]
        yield quantity(label, name, phase, figure, cost.unit, cost.status)


def of_metrics(costs: Costs) -> Iterator[Quantity]:
    """Quotients of two events' figures, as modelled or simulated as the events are."""
    for label, derived in costs.derived.items():
        for each in derived:
            metric = each.metric
            made = {
                cost.status
                for cost in costs.values()
                if cost.model == label and cost.event.metric in (metric.above, metric.below) and not cost.reason
            }
            status: FigureStatus = "simulated" if costs.simulated else "scaled" if "scaled" in made else "counted"
            for what, figure in (("fixed", each.fixed), ("image", each.per_image)):
                if figure:
                    yield quantity(label, metric.name, what, figure, metric.unit or NUMBER, status)


def _timed(study: Study, analysis: Analysis) -> Iterator[Quantity]:
    """What the worker's own clock and the kernel's accounting say: phases, latencies, memory."""
    peaks, lasted = analysis.peak_rss_bytes, analysis.latencies
    for label in (model.label for model in study.models):
        peak = of_peak(analysis, label)
        yield peak
        if label != analysis.baseline:
            yield from _ratio(peak, peaks.get(label), peaks.get(analysis.baseline))
        yield from of_latency(label, lasted.get(label))
        yield from of_phases(label, analysis.phases.get(label, ()))


def of_peak(analysis: Analysis, label: str) -> Quantity:
    """Return a model's peak of resident memory, the mean over whole processes."""
    lack = "no run of this model ended well"
    return quantity(label, "peak-rss", "whole", analysis.peak_rss_bytes.get(label), "bytes", "counted", lack)


PHASE_EVENTS = {"phase-wall-time": "wall", "phase-cpu-time": "CPU", "phase-page-faults": "page faults"}
"""What is known of each phase, and what it is called."""


def of_phases(label: str, phases: Iterable[Phase]) -> Iterator[Quantity]:
    """Yield what each phase took of whole processes."""
    for phase in phases:
        yield quantity(label, "phase-wall-time", phase.name, phase.wall_ns, "ns", "counted")
        yield quantity(label, "phase-cpu-time", phase.name, phase.cpu_ns, "ns", "counted")
        yield quantity(label, "phase-page-faults", phase.name, phase.page_faults, "", "counted")


def of_latency(label: str, found: Latency | None) -> Iterator[Quantity]:
    """Yield a model's first inference, the quantiles of the others, and their drift over a run."""
    lack = "no inference was timed"
    yield quantity(label, "latency", "first", found.first_ns if found else None, "ns", "counted", lack)
    for name in ("p50", "p95", "p99"):
        value, why = float(getattr(found.quantiles_ns, name)) if found else None, lack
        if found and found.count < (least := TAIL.get(name, 1)):
            value, why = None, f"fewer than {least} inferences: {name} would be the slowest one"
        yield quantity(label, "latency", name, value, "ns", "counted", why)
    drift = found.steady.drift if found and found.steady else None
    yield quantity(label, "latency", "drift", drift, NUMBER, "counted", "too few runs or images to judge")


def every(study: Study, runs: Sequence[Run], analysis: Analysis) -> tuple[Quantity, ...]:
    """The same, and what a live session came to."""
    return (*quantities(study, analysis), *of_session(session(study, runs, analysis)))


def of_session(found: SessionFigures | None) -> tuple[Quantity, ...]:
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
    told = [quantity(model, "session", what, value, unit, "counted") for what, (value, unit) in rates.items()]
    for what in ("latency_ms", "age_ms") if its else ():
        told += spread(model, what, getattr(its, what))
    return (*told, trend)


def spread(model: str, what: str, times: Spread) -> Iterator[Quantity]:
    """Yield the quantiles of what each frame took, `latency_ms` or `age_ms`, in ns."""
    for name in ("p50", "p95", "p99"):
        value = getattr(times, name)
        its = None if value is None else value * 1e6
        yield quantity(model, f"frame-{what.removesuffix('_ms')}", name, its, "ns", "counted", "too few frames")


def _ratio(of: Quantity, above: Estimate | None, below: Estimate | None) -> Iterator[Quantity]:
    found = quotient(above, below)
    if found:
        yield quantity(of.subject, of.event, f"{of.what}{RATIO}", found, NUMBER, of.status, images=of.images)
