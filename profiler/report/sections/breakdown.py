"""The sections behind the lab's tables: phases, latency, derived metrics, missing runs."""

from collections.abc import Callable, Iterator

from profiler.analysis import notation
from profiler.analysis.costs import Costs, Derived
from profiler.analysis.labels import TAIL, events_in_order, headed, keyed, lab_images, row_name, titled
from profiler.analysis.metrics import scaled
from profiler.analysis.regions import WORDS, Around
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import ONCE, Analysis, Latency
from profiler.records import PHASES, Region, Study
from profiler.report.figures.data import RunBars
from profiler.report.model import Figure, Section, Table

PHASE_WORDS = {
    "rest": "interpreter, start and end",
    "import": "import of the engine",
    "load": "model load",
    "images": WORDS["inference"].images,
    "first": "first inference",
    "warmup": "warm-up",
    "inference": "steady inferences",
}


def phase_words(around: Around) -> dict[str, str]:
    """The phases in words, where an image is counted so."""
    return PHASE_WORDS | {"images": WORDS[around].images}


def phases(study: Study, analysis: Analysis) -> Section | None:
    """Where what is paid once goes."""
    known = {label: found for label, found in analysis.phases.items() if found}
    tables = [*_phase_table(analysis), *phase_costs(analysis.costs)]
    if not known:
        return Section("What is paid once, by phase", tables=tuple(tables)) if tables else None
    warmups = notation.counted(study.plan.warmup, "warm-up inference")
    sentences = [f"Timed inside each whole process by its own clock; {warmups} a process."]
    totals = []
    for label, found in known.items():
        cost = analysis.costs.get(("duration_time", label))
        total = sum(phase.wall_ns.value for phase in found)
        if cost and cost.fixed:
            fixed = notation.in_sentence(cost.fixed, "ns")
            totals.append(f"{label} {notation.plain(total, 'ns')} against {fixed}")
    if totals:
        sentences.append(f"Their sum against the line's fixed cost, which was found without them: {'; '.join(totals)}.")
    called = phase_words(analysis.costs.around)
    said = {
        label: notation.listed(f"{called[phase.name]} {notation.quantity(phase.wall_ns, 'ns')}" for phase in found)
        for label, found in known.items()
    }
    alt = "; ".join(f"{label}: {parts}" for label, parts in said.items())
    title = "Wall time of whole runs: what is paid once by phase, and the images"
    drawing = RunBars(known, _per_image(analysis), _run_images(analysis.costs), called)
    figure = Figure("phases", title, f"{title}. {alt}{_inferences(drawing)}.", _STACKED, drawing)
    return Section("What is paid once, by phase", (" ".join(sentences),), tables=tuple(tables), figures=(figure,))


_STACKED = (
    "What is paid once is the mean over whole processes of all image counts; a run's inferences are its images times "
    "what each costs. The figure at a bar's end is their sum. Models have their own scales."
)


def _per_image(analysis: Analysis) -> dict[str, float]:
    """Wall time in ns of a steady inference, by the models that tell."""
    costs = {label: analysis.costs.get(("duration_time", label)) for label in analysis.phases}
    found = {label: cost.per_image for label, cost in costs.items() if cost}
    return {label: each.value for label, each in found.items() if each and each.value > 0}


def _run_images(costs: Costs) -> tuple[int, ...]:
    """Images of the runs that are drawn: the fewest, the lab's where they are in the range, and the most."""
    counts = {point.images for cost in costs.values() for point in cost.points}
    most = lab_images(costs)
    return tuple(sorted({min(counts), max(counts), *([most] if most else [])})) if counts else ()


def _inferences(drawing: RunBars) -> str:
    """What an image adds, by model."""
    parts = (f"{label} {notation.plain(each, 'ns')}" for label, each in drawing.per_image_ns.items())
    said = notation.listed(parts)
    return f"; each image adds {said}" if said else ""


def _phase_table(analysis: Analysis) -> Iterator[Table]:
    known = {label: {phase.name: phase for phase in found} for label, found in analysis.phases.items() if found}
    if not known:
        return
    called = phase_words(analysis.costs.around)
    heads = [f"{label}\n{what}" for label in known for what in ("wall", "CPU", "page faults")]
    rows = []
    for name in ONCE:
        cells = []
        for found in known.values():
            phase = found[name]
            figures = ((phase.wall_ns, "ns"), (phase.cpu_ns, "ns"), (phase.page_faults, ""))
            cells += [notation.figure(figure, unit) for figure, unit in figures]
        rows.append((called[name], *cells))
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
            cells = [notation.figure(mine.get((event.name, phase)), unit) for phase in shown]
            if any(cell != notation.ABSENT for cell in cells):
                rows.append((row_name(event), *cells))
        yield Table(
            keyed(f"phase-counts-{place}", costs),
            titled(f"{model}: events by phase", costs),
            ("event", *headed((phase_words(costs.around)[phase] for phase in shown), costs)),
            tuple(rows),
            f"{label} Each phase was counted alone, in processes of its own.".strip(),
        )


def latency(analysis: Analysis) -> Section | None:
    """Single inferences: the first, the steady ones, tail and drift; a session has a section of its own."""
    if not analysis.latencies or analysis.costs.around == "live":
        return None
    notes = notation.Notes()
    rows = tuple(
        (label, *latency_cells(found, notes), _drift(found, notes), f"{found.count:,}")
        for label, found in analysis.latencies.items()
    )
    table = Table(
        "latency",
        "",
        ("model", "first", "p50", "p95", "p99", "first / p50", "drift over a run", "inferences"),
        rows,
        "The first inference of a process, and quantiles of the steady ones in the longest runs, as the process timed "
        "them. Drift is the change from a run's first image to its last, as a share of the median.",
        notes.all(),
    )
    return Section("Latency", tables=(table,))


def latency_cells(found: Latency, notes: notation.Notes) -> tuple[str, ...]:
    """The first inference, three quantiles, and the first over the median."""
    quantiles = found.quantiles_ns
    tail = []
    for name, least in TAIL.items():
        value = getattr(quantiles, name)
        few = f"fewer than {least} inferences: {name} would be the slowest one"
        tail.append(notation.plain(value, "ns") if found.count >= least else notation.ABSENT + notes.marks([few]))
    first = notation.plain(found.first_ns.value / quantiles.p50, notation.NUMBER)
    median = notation.plain(quantiles.p50, "ns")
    return notation.figure(found.first_ns, "ns"), median, *tail, first


def _drift(found: Latency, notes: notation.Notes) -> str:
    if found.steady is None:
        return notation.ABSENT + notes.marks(["too few runs, or too few images in them, to judge"])
    shown = not found.steady.steady
    value, between, interval = notation.figure(scaled(found.steady.drift, 100), "%").partition("\n")
    return f"{value}{notes.marks(['not steady'] if shown else [])}{between}{interval}"


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
    noun = WORDS[costs.around].noun
    per = f"per {noun}"
    kinds: list[tuple[str, Callable[[Derived], Estimate | None]]] = [
        (what, figure)
        for what, figure in (("paid once", lambda each: each.fixed), (per, lambda each: each.per_image))
        if any(map(figure, every))
    ]
    rows, notes = [], notation.Notes()
    for name, metric in {each.metric.name: each.metric for each in every}.items():
        mine = [by_name.get(name) for by_name in found.values()]
        cells = [
            notation.figure(each and figure(each), metric.unit or notation.NUMBER)
            for each in mine
            for _, figure in kinds
        ]
        rows.append((f"{name}{notes.marks([metric.meaning])}", *cells))
    heads = headed((f"{model}\n{what}" for model in found for what, _ in kinds), costs)
    over = {"paid once": "over the fixed cost", per: f"over what each {noun} costs"}
    those = "windows" if costs.around == "live" else "processes"
    caption = f"Of events counted together in the same {those}; {', and '.join(over[what] for what, _ in kinds)}."
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
