"""The sections on the conditions: models and caches, the machine, the method, what the events mean."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from profiler.analysis import notation, stats
from profiler.analysis.costs import Costs, native
from profiler.analysis.labels import SIMULATED, events_in_order, keyed
from profiler.analysis.quantities import of_peak
from profiler.analysis.regions import REGIONS, around
from profiler.analysis.study_analysis import Analysis
from profiler.machine.host import throttled_text
from profiler.records import NOT_TOLD, Cache, Event, MachineState, Model, Run, Study, TensorSpec
from profiler.report.cells import Column, fact, name, of_quantity, tabulated
from profiler.report.model import Cell, Entry, Section, Table
from profiler.report.sections import live_method as of_session
from profiler.report.sections import model_files

_SCOPES = {"user+kernel": "What the kernel did for the process is included", "user": "User mode alone was counted"}
_SOURCES = {
    "perf": "`perf stat`",
    "wait4": "the kernel's account of the ended process (wait4; of perf with it, where perf started it)",
    "getrusage": "the process's own clock and getrusage at the region's ends",
}


def models(study: Study, analysis: Analysis) -> Section:
    """The model files, what ran them, what they need, and the caches they meet."""
    rows: list[tuple[str, Callable[[Model], Entry]]] = [
        ("file", lambda model: model.file),
        ("size on disk", lambda model: fact(model.size_bytes, "bytes")),
        ("sha256", lambda model: model.sha256[:12] or NOT_TOLD),
        ("engine", lambda model: f"{model.engine.package} {model.engine.version}"),
        ("asked by", lambda model: model.engine.call),
        ("delegate", lambda model: _delegate(model.engine.delegate or "none", model.engine.delegated)),
        ("threads", lambda model: Cell(model.engine.threads) if model.engine.threads else "the engine's own choice"),
        ("input", lambda model: _tensor(model.input)),
        ("output", lambda model: _tensor(model.output)),
    ]
    measured, caption = study.counter_source is not None, ""
    if measured:
        peaks = {model.label: of_quantity(of_peak(analysis, model.label)) for model in study.models}
        rows.append(("peak resident memory", lambda model: replace(peaks[model.label], notes=())))
        caption = "Resident memory is the whole process's, interpreter and engine included."

    def column(model: Model) -> Column[Callable[[Model], Entry]]:
        return Column(name(model.label), lambda row: row(model))

    tables = [tabulated("models", "", "", rows, [column(model) for model in study.models], caption, words=True)]
    if measured and study.machine.caches:
        whose = "Caches of this machine" if study.simulation else "Caches"
        tables.append(cache_table("caches", whose, study.machine.caches))
    title = "Models and caches" if measured else "Models"
    return Section(title, (_sizes(study, analysis.baseline),), tables=tuple(tables))


def _sizes(study: Study, baseline: str) -> str:
    if any(model.network for model in study.models):
        return f"What of the files an inference touches is under {model_files.TITLE}."
    bytes_of = {model.label: model.size_bytes for model in study.models}
    times = {label: notation.number(size / bytes_of[baseline]) for label, size in bytes_of.items()}
    sizes = notation.listed(
        f"{label} {notation.size(size)}" + (f" ({times[label]} times {baseline})" if label != baseline else "")
        for label, size in bytes_of.items()
    )
    return (
        f"On disk: {sizes}. A file's size is what is stored, not what an inference touches: its working set is "
        "the weights as the engine unpacks them and the activations, which come and go, so a file larger or smaller "
        "than a cache decides nothing by itself."
    )


def cache_table(key: str, title: str, caches: Sequence[Cache]) -> Table:
    """The geometry of caches, and who says so."""
    columns: list[Column[Cache]] = [
        Column("size", lambda cache: fact(cache.size_bytes, "bytes")),
        Column("ways", lambda cache: fact(cache.ways)),
        Column("line", lambda cache: fact(cache.line_bytes, "bytes")),
        Column("used by", lambda cache: fact(cache.shared_by, "CPU" if cache.shared_by == 1 else "CPUs")),
        Column("known from", lambda cache: cache.source),
    ]
    rows = [(f"L{cache.level} {cache.type.lower()}", cache) for cache in caches]
    return tabulated(key, title, "cache", rows, columns, words=True)


def _delegate(name: str, how: str | None) -> str:
    return f"{name} ({how})" if how else name


def _tensor(spec: TensorSpec) -> str:
    shape = "×".join(map(str, spec.shape))
    return f"{spec.dtype} {shape}{f', scale {spec.scale:g}, zero point {spec.zero_point}' if spec.scale else ''}"


def machine(study: Study, runs: Sequence[Run]) -> Section:
    """What ran it, and what moved while it was measured."""
    its, measured = study.machine, study.counter_source is not None
    paranoid = its.perf_event_paranoid
    rows: list[tuple[str, Entry]] = [
        ("board", its.board or NOT_TOLD),
        ("CPU", f"{its.cpus} × {its.cpu} ({its.arch}), event catalogue {its.uarch}"),
        ("memory", fact(its.memory_bytes, "bytes") if its.memory_bytes else NOT_TOLD),
        ("page size", fact(its.page_bytes, "bytes")),
        ("system", f"{its.system}, kernel {its.kernel}, Python {its.python}"),
        ("virtual machine", its.virtual or "none known"),
        ("PMU", its.pmu or "none"),
        ("perf", f"{its.perf_version or 'none'}, perf_event_paranoid {NOT_TOLD if paranoid is None else paranoid}"),
        *(_moved([state for run in native(runs) for state in (run.before, run.after)]) if measured else ()),
    ]
    table = Table("machine", "", ("", ""), tuple(rows), words=True)
    if measured:
        return Section("Machine", tables=(table,))
    sentence = "This machine ran the simulator; nothing was measured on it, and no figure here depends on it."
    return Section("Machine of the simulator", (sentence,), tables=(table,))


def _moved(states: Sequence[MachineState]) -> Iterator[tuple[str, str]]:
    """What was seen before and after each run."""
    governors = sorted({state.governor for state in states if state.governor})
    yield "governor", notation.listed(governors) or NOT_TOLD
    clocks = [clock for state in states for clock in state.clock_hz or ()]
    yield "clock", _range(clocks, notation.clock)
    degrees = [state.temperature_celsius for state in states if state.temperature_celsius is not None]
    yield "temperature", _range(degrees, lambda celsius: f"{celsius:.0f} °C")
    bits = [state.throttled for state in states if state.throttled is not None]
    seen = 0
    for each in bits:
        seen |= each
    yield "throttling", (notation.listed(throttled_text(seen)) or "none seen") if bits else NOT_TOLD
    loads = [state.load_1min for state in states if state.load_1min is not None]
    yield "load", _range(loads, lambda load: f"{load:.1f}")
    swaps = [state.swap_used_bytes for state in states if state.swap_used_bytes is not None]
    yield "swap in use", _range(swaps, lambda swap: notation.size(swap))


def _range(values: Sequence[float], written: Callable[[float], str]) -> str:
    if not values:
        return NOT_TOLD
    ends = dict.fromkeys((written(min(values)), written(max(values))))
    return " to ".join(ends)


def method(study: Study, runs: Sequence[Run], analysis: Analysis) -> Section:
    """How the figures came about, and the command that makes them again."""
    points = [*_images(study), *_regions(study), *_figures(study)]
    if study.imported_from is not None:
        points = [*_imported(study), *_figures(study)]
    elif study.live is not None:
        points = [*of_session.points(study, runs, threads(study)), *_counting(study, analysis)]
    elif study.counter_source is not None:
        points = [*_processes(study, native(runs)), *points, *_counting(study, analysis)]
    return Section("Method", points=(*points, *_simulating(study, runs)), command=study.command)


def _processes(study: Study, runs: Sequence[Run]) -> Iterator[str]:
    plan = study.plan
    images = notation.listed(map(str, plan.images))
    yield (
        f"{notation.counted(len(runs), 'run')}, each a fresh process: "
        f"{notation.listed(model.label for model in study.models)} "
        f"with {images} images; {notation.counted(plan.repeats, 'repeat')} of every case. Within a repeat all cases "
        "run in "
        f"random order (seed {plan.seed}), so that a machine that warms up spreads over all of them."
    )


def _imported(study: Study) -> Iterator[str]:
    """What is known of runs that this tool did not make; how far they are to be trusted is in the study's notes."""
    yield f"The figures are from {study.imported_from}. This tool did not make the runs; the command writes the study."
    if any(case.region == "process" for case in study.cases):
        yield "Region `process`: everything from the process's start to its end."
    for group in filter(None, study.groups):
        yield f"Counted in one pass: {', '.join(group)}. {_SCOPES.get(study.scope, study.scope)}."


def _images(study: Study) -> Iterator[str]:
    plan = study.plan
    pinned = f"pinned to CPU {notation.listed(map(str, plan.cpus))}" if plan.cpus else "free to use every CPU"
    if plan.capture_in_region:
        yield (
            f"Images: {plan.source}, each taken from the source, decoded and made the model's input inside the counted "
            f"region, and inferred one at a time. Asked for {threads(study)}; {pinned}."
        )
        return
    yield (
        f"Images: {plan.source}, decoded and resized before any process starts; every process takes the same pixels "
        f"into RAM, all of them however few it infers, and infers one at a time. Asked for {threads(study)}; {pinned}."
    )


def threads(study: Study) -> str:
    """How many threads the engines were asked for."""
    count = study.plan.threads
    return notation.counted(count, "thread") if count else "the engine's own number of threads"


def _regions(study: Study) -> Iterator[str]:
    ran = {case.region for case in study.cases}
    yield from (words for region, words in REGIONS[around(study)].items() if region in ran)
    if study.plan.phases:
        yield "Every other phase was counted alone as well, in processes of its own, at the smallest image count."


def _simulating(study: Study, runs: Sequence[Run]) -> Iterator[str]:
    """How the simulated runs were made."""
    simulation = study.simulation
    if simulation is None:
        return
    cases = [case for case in study.cases if case.simulator is not None]
    models = notation.listed(dict.fromkeys(case.model for case in cases))
    regions = notation.listed(dict.fromkeys(f"`{case.region}`" for case in cases))
    again = notation.listed(f"{case.model} with {notation.counted(case.images, 'image')}" for case in simulation.proved)
    yield (
        f"Simulated: {notation.counted(len(runs) - len(native(runs)), 'run')}, each a fresh process under "
        f"{simulation.version}: {models} with {notation.listed(map(str, simulation.images))} images, region {regions}; "
        f"{notation.counted(simulation.repeats, 'repeat')} of every case"
        + (f", and once more {again}, which shows that counts repeat." if again else ".")
    )
    if any(case.region == "inference" for case in cases):
        yield (
            "Of a simulated region `inference` the first inference and the warm-up pass through the simulated caches "
            "too, uncounted: the caches are warm when the region begins."
        )
    yield "Times, memory and page faults of simulated runs are the simulator's, and in no figure."


def _figures(study: Study) -> Iterator[str]:
    low, high = stats.LEVEL
    yield (
        "Figures are least-squares lines, means, and quotients of sums; intervals are of "
        f"{notation.percent(high - low)}, "
        f"from {stats.DRAWS:,} bootstrap draws over processes (bootstrap-t, seed {study.plan.seed}; of more than "
        f"{stats.MANY} processes, over means of batches). A ratio's interval takes "
        "the two models as independent. An interval that includes 0 shows no cost. Intervals hold the "
        "scatter between runs, not what would be different on another day or board."
    )
    yield f"{notation.ABSENT} is a figure that is not there, never a zero; so is a ratio whose divisor may be 0."


def _counting(study: Study, analysis: Analysis) -> Iterator[str]:
    if any(study.groups):
        groups = "; ".join(", ".join(group) for group in study.groups)
        passes = (
            "in one pass" if len(study.groups) == 1 else f"in {len(study.groups)} passes, each with its own processes"
        )
        yield (
            f"Hardware events were counted {passes}, none with more events than the core has counters, so that none is "
            f"multiplexed: {groups}. A count that was all the same is marked. {_SCOPES.get(study.scope, study.scope)}."
        )
    else:
        yield f"No hardware event was counted. {_SCOPES.get(study.scope, study.scope)}."
    used = dict.fromkeys(source for cost in analysis.costs.values() for source in cost.sources)
    if used:
        named = notation.listed(_SOURCES.get(source, source) for source in used)
        yield f"Counted by {named}; counts.csv says which, count by count."


def events(study: Study, analysis: Analysis) -> Section | None:
    """What each event counts on this core, and what it does not."""
    if study.counter_source is None:
        return None
    caption = "Counters of different cores that share a name may count different things: compare on one machine."
    return Section("What the counters mean", tables=(_events(analysis.costs, "on this core", caption),))


def simulated_events(study: Study, analysis: Analysis) -> Section | None:
    """What each simulated event stands for, and why others are not simulated."""
    if study.simulation is None or analysis.simulated is None:
        return None
    title = study.simulation.target.title
    caption = (
        f"The names are those of the simulated core's events ({title}). A simulator counts what its model has: what "
        "that leaves out is said under Simulated caches."
    )
    table = _events(analysis.simulated, f"on {title}", caption)
    return Section("What the simulated events mean", tables=(table,))


def _events(costs: Costs, where: str, caption: str) -> Table:
    def counted(event: Event) -> str:
        mine = [costs[event.name, label] for label in costs.models]
        sources = dict.fromkeys(source for cost in mine for source in cost.sources)
        return (
            notation.listed(sources) or f"{notation.ABSENT}: {next((cost.reason for cost in mine if cost.reason), '')}"
        )

    columns: list[Column[Event]] = [
        Column("asked for as", lambda event: event.metric),
        Column("quality", lambda event: event.quality),
        Column(f"{SIMULATED} by" if costs.simulated else "counted by", counted),
        Column(f"what it counts {where}", lambda event: event.meaning),
    ]
    rows = [(event.name, event) for event in events_in_order(costs)]
    return tabulated(keyed("events", costs.simulated), "", "event", rows, columns, caption, words=True)
