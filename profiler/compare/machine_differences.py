"""What differs between studies beside what was counted: machine, engines, plan. It keeps nothing apart."""

from collections.abc import Callable, Iterator
from statistics import median

from profiler.analysis import notation
from profiler.analysis.costs import native
from profiler.analysis.regions import Around, around
from profiler.compare.comparability import SCOPES
from profiler.compare.model import Comparison
from profiler.compare.study import Subject
from profiler.records import NOT_TOLD, Live, Model, Run
from profiler.report.cells import absent, fact
from profiler.report.model import Entry, Label, Section, Table

Told = Callable[[Subject], Entry]


def clock_hz(subject: Subject) -> float | None:
    """The clock while the studied processes ran: cycles over CPU time where both were counted with the kernel's part.

    Otherwise the median over the runs of the fastest CPU's clock before and after; None where a run does not tell.
    """
    counted = _counted_clock(subject)
    if counted is not None or subject.study.counter_source is None:
        return counted
    states = [state for run in native(subject.runs) if run.outcome == "ok" for state in (run.before, run.after)]
    clocks = [max(state.clock_hz) for state in states if state.clock_hz]
    return median(clocks) if clocks and len(clocks) == len(states) else None


def _counted_clock(subject: Subject) -> float | None:
    """In Hz, over all whole processes that counted both, for cycles per nanosecond of CPU time; of no scaled cycles."""
    costs = subject.costs(simulated=False)
    if costs is None or subject.study.scope != "user+kernel":
        return None
    cycles, time = costs.answering("cycles"), costs.answering("task-clock")
    if cycles is None or time is None or any(cost.scaled for cost in costs.of(cycles)):
        return None
    above = below = 0.0
    for model in costs.models:
        spent = {point.order: point.value for point in costs[time.name, model].points}
        both = [point for point in costs[cycles.name, model].points if point.order in spent]
        above += sum(point.value for point in both)
        below += sum(spent[point.order] for point in both)
    return above / below * 1e9 if below else None


def section(found: Comparison) -> Section:
    """What differs, each study's grade first; what is recorded and equal is not listed."""
    heads = ("", *(subject.name for subject in found.subjects))
    rows: list[tuple[Entry, ...]] = [("grade", *(_grade(subject) for subject in found.subjects))]
    for name, told in _FACTS.items():
        cells = [told(subject) for subject in found.subjects]
        if len(set(cells)) > 1:
            rows.append((name, *cells))
    rows += _engines(found)
    caption = (
        "Each of these may be why a figure has changed. What else is recorded of machine, plan and engines is equal."
    )
    return Section("What differs", tables=(Table("differences", "", heads, tuple(rows), caption, words=True),))


def _grade(subject: Subject) -> Label:
    codes = notation.listed(subject.validity.codes)
    return Label((subject.validity.grade,), (codes,) if codes else ())


def _engines(found: Comparison) -> Iterator[tuple[Entry, ...]]:
    """What ran each model, where that differs."""
    for model in found.first.study.models:
        mine = [found.partner(model.label, subject) for subject in found.subjects]
        facts: dict[str, Callable[[Model], str]] = {
            "engine": lambda each: f"{each.engine.package} {each.engine.version}",
            "asked by": lambda each: each.engine.call,
            "delegate": lambda each: each.engine.delegate or "none",
            "file": lambda each: f"{each.file}, {notation.size(each.size_bytes)}",
        }
        for name, told in facts.items():
            cells = [told(each) if each else absent() for each in mine]
            if len(set(cells) - {absent()}) > 1:
                yield (f"{model.label} {name}", *cells)


def _bytes(size: int | None) -> Entry:
    return fact(size, "bytes") if size else NOT_TOLD


def _caches(subject: Subject) -> str:
    return notation.listed(
        f"L{cache.level}{' ' + cache.type.lower() if cache.level == 1 else ''} {notation.size(cache.size_bytes)}"
        for cache in subject.study.machine.caches
    )


def _clock(subject: Subject) -> str:
    hz = clock_hz(subject)
    return notation.clock(hz) if hz else NOT_TOLD


def _governors(subject: Subject) -> str:
    def of(run: Run) -> set[str]:
        return {state.governor for state in (run.before, run.after) if state.governor}

    return notation.listed(sorted(set().union(*map(of, native(subject.runs))))) or NOT_TOLD


def _simulator(subject: Subject) -> str:
    simulation = subject.study.simulation
    if simulation is None:
        return "none"
    return (
        f"{simulation.version}, caches of {simulation.target.title}, programs of {simulation.guest or 'this machine'}"
    )


_INSIDE: dict[Around, str] = {
    "inference": "the inferences alone",
    "captured": "each image's capture and preprocessing too",
    "live": "all that the session did",
}


def _frames(live: Live | None) -> str:
    if live is None:
        return "no live session"
    size = f"{live.source}, {live.width} × {live.height} {live.format or ''}".strip()
    return f"{size}, read on demand" if live.every else size


_FACTS: dict[str, Told] = {
    "imported from": lambda subject: subject.study.imported_from or "measured by this tool",
    "made": lambda subject: subject.study.created_at[:16].replace("T", " "),
    "board": lambda subject: subject.study.machine.board or NOT_TOLD,
    "CPU": lambda subject: f"{subject.study.machine.cpus} × {subject.study.machine.cpu} ({subject.study.machine.arch})",
    "core": lambda subject: subject.study.machine.uarch,
    "caches": lambda subject: _caches(subject) or NOT_TOLD,
    "memory": lambda subject: _bytes(subject.study.machine.memory_bytes),
    "page size": lambda subject: _bytes(subject.study.machine.page_bytes),
    "clock": _clock,
    "governor": _governors,
    "virtual machine": lambda subject: subject.study.machine.virtual or "none known",
    "system": lambda subject: subject.study.machine.system,
    "kernel": lambda subject: subject.study.machine.kernel,
    "Python": lambda subject: subject.study.machine.python,
    "perf": lambda subject: subject.study.machine.perf_version or "none",
    "counted by": lambda subject: subject.study.counter_source or "nothing on this machine",
    "counted of": lambda subject: SCOPES.get(subject.study.scope, subject.study.scope),
    "simulated by": _simulator,
    "threads": lambda subject: str(subject.study.plan.threads or "the engine's own choice"),
    "pinned to CPUs": lambda subject: notation.listed(map(str, subject.study.plan.cpus or ())) or "none",
    "images": lambda subject: subject.study.plan.source,
    "source of frames": lambda subject: _frames(subject.study.live),
    "inside the region": lambda subject: _INSIDE[around(subject.study)],
    "images a run": lambda subject: notation.listed(map(str, subject.study.plan.images)),
    "warm-up": lambda subject: notation.counted(subject.study.plan.warmup, "inference"),
    "repeats": lambda subject: str(subject.study.plan.repeats),
    "profiler": lambda subject: subject.study.profiler_version,
}
