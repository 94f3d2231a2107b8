"""The sections behind the lab's tables: figures by event, phases, latency, derived metrics, agreement, missing runs."""

import re
from collections.abc import Callable, Iterator, Sequence

from profiler.metrics import scaled
from profiler.records import PHASES, Region, Study
from profiler.report import text
from profiler.report.analysis import ONCE, Analysis, Latency
from profiler.report.costs import Cost, Costs, Derived
from profiler.report.model import CostLines, Figure, LatencyDots, PhaseBars, Section, Table
from profiler.report.tables import events_in_order, headed, keyed, row_name, titled
from profiler.stats import Estimate

_WITHOUT_HARDWARE = ("duration_time", "task-clock", "page-faults")
"""Events that get a figure where no hardware event was counted; with hardware, the first of them does."""

_TAIL = {"p95": 20, "p99": 100}
"""Latencies below which a quantile of the tail is the largest one and nothing more."""

DOTS = 600
"""Most marks that a figure has of a model; more only blacken it."""

PHASE_WORDS = {
    "rest": "interpreter, start and end",
    "import": "import of the engine",
    "load": "model load",
    "images": "images into RAM",
    "first": "first inference",
    "warmup": "warm-up",
    "inference": "steady inferences",
}


LINES = (
    f"Each mark is one process (of more than {DOTS}, that many at random). The line is the fit through them all, "
    "the shade its 95 % interval; where it meets the left edge is the fixed cost. Models have their own scales. A "
    "dashed line starts from the same fixed cost and rises as the region of inferences says: one that leaves the "
    "shade contradicts the fit."
)
"""How to read the figures of counts against images."""


def lines(analysis: Analysis) -> Section | None:
    """A figure for each main event: counts against images, the line through them."""
    costs = analysis.costs
    hardware = [event.name for event in costs.events if event.kind == "hardware"]
    counted = [name for name in hardware if any(costs[name, label].points for label in costs.models)]
    figures = line_figures(costs, [*_WITHOUT_HARDWARE[: 1 if counted else None], *counted])
    return Section("Counts against images", sentences=(LINES,), figures=figures) if figures else None


def line_figures(costs: Costs, names: Sequence[str]) -> tuple[Figure, ...]:
    """Of these events those that have a line for some model, in the order of their names."""
    events, figures = {event.name: event for event in costs.events}, []
    for place, name in enumerate(names, 1):
        mine = tuple(cost for label in costs.models if (cost := costs.get((name, label))) and cost.points)
        if any(cost.line for cost in mine):
            figures.append(
                Figure(
                    keyed(f"{place:02}-{re.sub(r'[^A-Za-z0-9_-]+', '-', name).strip('-')}", costs),
                    titled(row_name(events[name]), costs),
                    _described(mine),
                    text.sentence(events[name].meaning),
                    CostLines(mine),
                )
            )
    return tuple(figures)


def _described(costs: tuple[Cost, ...]) -> str:
    parts = []
    for cost in costs:
        line = cost.line
        parts.append(
            f"{cost.model}: {text.in_sentence(line.fixed, cost.unit)} at no image, "
            f"rising by {text.in_sentence(line.per_image, cost.unit)} an image"
            if line
            else f"{cost.model}: {text.counted(len(cost.points), 'run')} of one image count"
        )
    which = "Simulated " if costs[0].simulated else ""
    return f"{which}{costs[0].event.name} of whole processes against images. {'; '.join(parts)}."


def phases(study: Study, analysis: Analysis) -> Section | None:
    """Where what is paid once goes."""
    known = {label: found for label, found in analysis.phases.items() if found}
    tables = [*_phase_table(analysis), *phase_costs(analysis.costs)]
    if not known:
        return Section("What is paid once, by phase", tables=tuple(tables)) if tables else None
    warmups = text.counted(study.plan.warmup, "warm-up inference")
    sentences = [f"Timed inside each whole process by its own clock; {warmups} a process."]
    totals = []
    for label, found in known.items():
        cost = analysis.costs.get(("duration_time", label))
        total = sum(phase.wall_ns.value for phase in found)
        if cost and cost.fixed:
            fixed = text.in_sentence(cost.fixed, "ns")
            totals.append(f"{label} {text.plain(total, 'ns')} against {fixed}")
    if totals:
        sentences.append(f"Their sum against the line's fixed cost, which was found without them: {'; '.join(totals)}.")
    said = {
        label: text.listed(f"{PHASE_WORDS[phase.name]} {text.quantity(phase.wall_ns, 'ns')}" for phase in found)
        for label, found in known.items()
    }
    alt = "; ".join(f"{label}: {parts}" for label, parts in said.items())
    title = "Wall time paid once, by phase"
    figure = Figure("phases", title, f"{title}. {alt}.", "Models have their own scales.", PhaseBars(known))
    return Section("What is paid once, by phase", (" ".join(sentences),), tables=tuple(tables), figures=(figure,))


def _phase_table(analysis: Analysis) -> Iterator[Table]:
    known = {label: {phase.name: phase for phase in found} for label, found in analysis.phases.items() if found}
    if not known:
        return
    heads = [f"{label}\n{what}" for label in known for what in ("wall", "CPU", "page faults")]
    rows = []
    for name in ONCE:
        cells = []
        for found in known.values():
            phase = found[name]
            figures = ((phase.wall_ns, "ns"), (phase.cpu_ns, "ns"), (phase.page_faults, ""))
            cells += [text.figure(figure, unit) for figure, unit in figures]
        rows.append((PHASE_WORDS[name], *cells))
    caption = (
        "Means over whole processes; the interpreter's part is what the process's count leaves over. CPU is of all "
        "threads, and above wall time where several worked at once."
    )
    yield Table("phases", "", ("phase", *heads), tuple(rows), caption)


def phase_costs(costs: Costs, label: str = "") -> Iterator[Table]:
    """A table a model: each event counted in each phase alone, where it was.

    Args:
        label: What every caption says of where the figures come from.
    """
    for place, model in enumerate(costs.models):
        mine = {(event, phase): found for (event, its, phase), found in costs.phases.items() if its == model}
        shown: list[Region] = [phase for phase in PHASES if any(found == phase for _, found in mine)]
        if not shown:
            continue
        rows = []
        for event in events_in_order(costs):
            unit = costs[event.name, model].unit
            cells = [text.figure(mine.get((event.name, phase)), unit) for phase in shown]
            if any(cell != text.ABSENT for cell in cells):
                rows.append((row_name(event), *cells))
        yield Table(
            keyed(f"phase-counts-{place}", costs),
            titled(f"{model}: events by phase", costs),
            ("event", *headed((PHASE_WORDS[phase] for phase in shown), costs)),
            tuple(rows),
            f"{label} Each phase was counted alone, in processes of its own.".strip(),
        )


def latency(analysis: Analysis) -> Section | None:
    """Single inferences: the first, the steady ones, their tail and their drift."""
    if not analysis.latencies:
        return None
    notes = text.Notes()
    rows = tuple((label, *_latency_cells(found, notes)) for label, found in analysis.latencies.items())
    table = Table(
        "latency",
        "",
        ("model", "first", "p50", "p95", "p99", "first / p50", "drift over a run", "inferences"),
        rows,
        "The first inference of a process, and quantiles of the steady ones in the longest runs, as the process timed "
        "them. Drift is the change from a run's first image to its last, as a share of the median.",
        notes.all(),
    )
    quantiles = {label: found.quantiles_ns for label, found in analysis.latencies.items()}
    alt = "; ".join(
        f"{label}: median {text.plain(p50, 'ns')}, 95 % within {text.plain(p95, 'ns')}"
        for label, (p50, p95, _) in quantiles.items()
    )
    title = "Steady latencies, in order"
    caption = (
        "One mark an inference, against its place in the run; the line is the median, the dashed line the 95th "
        f"percentile. Models have their own scales, which do not start at 0. Of more than {DOTS} inferences, that "
        "many are drawn at random."
    )
    figure = Figure("latency", title, f"{title}. {alt}.", caption, LatencyDots(analysis.latencies))
    return Section("Latency", tables=(table,), figures=(figure,))


def _latency_cells(found: Latency, notes: text.Notes) -> tuple[str, ...]:
    quantiles = found.quantiles_ns
    tail = []
    for name, least in _TAIL.items():
        value = getattr(quantiles, name)
        few = f"fewer than {least} inferences: {name} would be the slowest one"
        tail.append(text.plain(value, "ns") if found.count >= least else text.ABSENT + notes.marks([few]))
    if found.steady is None:
        drift = text.ABSENT + notes.marks(["too few runs, or too few images in them, to judge"])
    else:
        shown = not found.steady.steady
        value, between, interval = text.figure(scaled(found.steady.drift, 100), "%").partition("\n")
        drift = f"{value}{notes.marks(['not steady'] if shown else [])}{between}{interval}"
    first = text.plain(found.first_ns.value / quantiles.p50, text.NUMBER)
    median = text.plain(quantiles.p50, "ns")
    return text.figure(found.first_ns, "ns"), median, *tail, first, drift, f"{found.count:,}"


def derived(analysis: Analysis) -> Section | None:
    """Quotients of counts, where the core counts both."""
    table = derived_table(analysis.costs)
    return Section("Derived metrics", tables=(table,)) if table else None


def derived_table(costs: Costs, title: str = "", label: str = "") -> Table | None:
    """Metrics in rows, for each model over what is paid once and over what each image costs.

    Args:
        label: What the caption says of where the figures come from.
    """
    found = {model: {each.metric.name: each for each in mine} for model, mine in costs.derived.items()}
    every = [each for mine in costs.derived.values() for each in mine]
    if not every:
        return None
    kinds: list[tuple[str, Callable[[Derived], Estimate | None]]] = [
        (what, figure)
        for what, figure in (("paid once", lambda each: each.fixed), ("per image", lambda each: each.per_image))
        if any(map(figure, every))
    ]
    rows, notes = [], text.Notes()
    for name, metric in {each.metric.name: each.metric for each in every}.items():
        mine = [by_name.get(name) for by_name in found.values()]
        cells = [text.figure(each and figure(each), metric.unit or text.NUMBER) for each in mine for _, figure in kinds]
        rows.append((f"{name}{notes.marks([metric.meaning])}", *cells))
    heads = headed((f"{model}\n{what}" for model in found for what, _ in kinds), costs)
    over = {"paid once": "over the fixed cost", "per image": "over what each image costs"}
    caption = f"Of events counted together in the same processes; {', and '.join(over[what] for what, _ in kinds)}."
    return Table(
        keyed("derived", costs), title, ("metric", *heads), tuple(rows), f"{label} {caption}".strip(), notes.all()
    )


def gaps(study: Study, analysis: Analysis) -> Section | None:
    """Planned runs that no figure contains."""
    simulation = study.simulation
    passes = len(study.groups) > 1 or (simulation is not None and len(simulation.groups) > 1)
    rows = tuple(
        (
            gap.case.model,
            str(gap.case.images),
            gap.case.region,
            *([", ".join(gap.case.group)] if passes else []),
            *([gap.case.simulator or "this machine"] if simulation else []),
            str(gap.failed),
            str(gap.unmade),
            "; ".join(gap.errors),
        )
        for gap in analysis.gaps
    )
    if not rows:
        return None
    asked = (*(["hardware events"] if passes else []), *(["run by"] if simulation else []))
    heads = ("model", "images", "region", *asked, "failed", "not made", "why")
    return Section("Missing runs", tables=(Table("gaps", "", heads, rows, words=True),))
