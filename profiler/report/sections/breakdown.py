"""The sections behind the lab's tables: phases, latency, derived metrics, missing runs."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from profiler.analysis import notation
from profiler.analysis.costs import Costs
from profiler.analysis.labels import events_in_order, keyed, lab_images, titled
from profiler.analysis.metrics import scaled
from profiler.analysis.quantities import PHASE_EVENTS, of_latency, of_metrics, of_phases, of_single_phases
from profiler.analysis.quantity import QuantityKey
from profiler.analysis.regions import WORDS, Around
from profiler.analysis.study_analysis import ONCE, Analysis, Gap, Latency
from profiler.records import PHASES, Study
from profiler.report.cells import Column, absent, estimated, fact, headed, name, of_quantity, tabulated
from profiler.report.figures.data import RunBars
from profiler.report.model import Cell, Figure, Label, ModelName, Section, Table
from profiler.report.sections.cost_tables import event_label

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

    def column(label: str, what: str, head: str) -> Column[str]:
        phases = {
            each.what: of_quantity(each) for each in of_phases(label, known[label].values()) if each.event == what
        }
        return Column(name(label, head), lambda phase: phases[phase])

    columns = [column(label, what, head) for label in known for what, head in PHASE_EVENTS.items()]
    called = phase_words(analysis.costs.around)
    caption = (
        "Means over whole processes; the interpreter's part is what the process's count leaves over. CPU is of all "
        "threads, and above wall time where several worked at once."
    )
    yield tabulated("phases", "", "phase", [(called[phase], phase) for phase in ONCE], columns, caption)


def phase_costs(costs: Costs, label: str = "") -> Iterator[Table]:
    """A table a model: each event counted in each phase alone, where it was.

    Args:
        label: What every caption says of where the figures come from.
    """
    for place, model in enumerate(costs.models):
        mine = {(its.event, its.what): of_quantity(its) for its in of_single_phases(costs) if its.subject == model}
        if mine:
            title = Label((ModelName(model), titled(": events by phase", costs.simulated)))
            caption = f"{label} Each phase was counted alone, in processes of its own.".strip()
            yield replace(
                _phase_counts(costs, mine),
                key=keyed(f"phase-counts-{place}", costs.simulated),
                title=title,
                caption=caption,
            )


def _phase_counts(costs: Costs, mine: Mapping[tuple[str, str], Cell]) -> Table:
    """A row an event, a column a phase, of one model."""

    def column(phase: str) -> Column[str]:
        head = headed(phase_words(costs.around)[phase], costs.simulated)
        return Column(head, lambda event: mine.get((event, phase), absent()))

    counted, shown = ({key[place] for key in mine} for place in (0, 1))
    rows = [(event_label(event), event.name) for event in events_in_order(costs) if event.name in counted]
    return tabulated("", "", "event", rows, [column(phase) for phase in PHASES if phase in shown])


def latency(analysis: Analysis) -> Section | None:
    """Single inferences: the first, the steady ones, tail and drift; a session has a section of its own."""
    if not analysis.latencies or analysis.costs.around == "live":
        return None
    columns = [*LATENCY_COLUMNS[:-1], Column("drift over a run", _drift), LATENCY_COLUMNS[-1]]
    table = tabulated(
        "latency",
        "",
        "model",
        [(name(label), (label, found)) for label, found in analysis.latencies.items()],
        columns,
        "The first inference of a process, and quantiles of the steady ones in the longest runs, as the process timed "
        "them. Drift is the change from a run's first image to its last, as a share of the median.",
    )
    return Section("Latency", tables=(table,))


_Timed = tuple[str, Latency]
"""A model and its latencies."""


def _quantile(what: str) -> Column[_Timed]:
    def entry(timed: _Timed) -> Cell:
        its = {each.what: each for each in of_latency(*timed)}[what]
        return of_quantity(its) if what == "first" else replace(of_quantity(its), digits=3)

    return Column(what, entry)


LATENCY_COLUMNS: tuple[Column[_Timed], ...] = (
    *map(_quantile, ("first", "p50", "p95", "p99")),
    Column("first / p50", lambda timed: fact(timed[1].first_ns.value / timed[1].quantiles_ns.p50, notation.NUMBER)),
    Column("inferences", lambda timed: Cell(timed[1].count)),
)
"""The first inference, three quantiles, the first over the median, and how many there were."""


def _drift(timed: _Timed) -> Cell:
    label, found = timed
    if found.steady is None:
        return absent("too few runs, or too few images in them, to judge", "%")
    drift = estimated(scaled(found.steady.drift, 100), "%")
    notes = () if found.steady.steady else ("not steady",)
    return replace(drift, notes=notes, quantity=QuantityKey(label, "latency", "drift", None))


def derived(analysis: Analysis) -> Section | None:
    """Quotients of counts, where the core counts both."""
    table = derived_table(analysis.costs)
    return Section("Derived metrics", tables=(table,)) if table else None


def derived_table(costs: Costs, title: str = "", label: str = "") -> Table | None:
    """Metrics in rows, for each model over what is paid once and over what each image costs.

    Args:
        label: What the caption says of where the figures come from.
    """
    every = [each.metric for mine in costs.derived.values() for each in mine]
    if not every:
        return None
    found = {its.key: of_quantity(its) for its in of_metrics(costs)}
    noun = WORDS[costs.around].noun
    heads = {"fixed": "paid once", "image": f"per {noun}"}
    kinds = [what for what in heads if any(key.what == what for key in found)]

    def column(model: str, what: str) -> Column[str]:
        head = headed(name(model, heads[what]), costs.simulated)
        return Column(head, lambda metric: found.get(QuantityKey(model, metric, what, None), absent()))

    over = {"fixed": "over the fixed cost", "image": f"over what each {noun} costs"}
    those = "windows" if costs.around == "live" else "processes"
    caption = f"Of events counted together in the same {those}; {', and '.join(over[what] for what in kinds)}."
    return tabulated(
        keyed("derived", costs.simulated),
        title,
        "metric",
        [(Label((metric.name,), notes=(metric.meaning,)), metric.name) for metric in dict.fromkeys(every)],
        [column(model, what) for model in costs.derived for what in kinds],
        f"{label} {caption}".strip(),
    )


def gaps(study: Study, analysis: Analysis) -> Section | None:
    """Planned runs that no figure contains."""
    simulation = study.simulation
    passes = len(study.groups) > 1 or (simulation is not None and len(simulation.groups) > 1)
    if not analysis.gaps:
        return None
    columns = [
        Column[Gap]("images", lambda gap: Cell(gap.case.images)),
        Column[Gap]("region", lambda gap: gap.case.region),
        *([Column[Gap]("hardware events", lambda gap: ", ".join(gap.case.group))] if passes else []),
        *([Column[Gap]("run by", lambda gap: gap.case.simulator or "this machine")] if simulation else []),
        Column[Gap]("failed", lambda gap: Cell(gap.failed)),
        Column[Gap]("not made", lambda gap: Cell(gap.unmade)),
        Column[Gap]("why", lambda gap: "; ".join(gap.errors)),
    ]
    rows = [(name(gap.case.model), gap) for gap in analysis.gaps]
    return Section("Missing runs", tables=(tabulated("gaps", "", "model", rows, columns, words=True),))
