"""All that is wrong with a study, or that its reader must know: findings in the order of their weight."""

from collections.abc import Iterator, Sequence

from profiler.analysis.costs import native
from profiler.analysis.notation import listed, sentence
from profiler.analysis.study_analysis import Analysis
from profiler.records import Run, Study
from profiler.validity import check_counts as counts
from profiler.validity import check_figures as figures
from profiler.validity import check_runs as of_runs
from profiler.validity.check_live import of_session, session
from profiler.validity.check_threads import threads
from profiler.validity.codes import CODES
from profiler.validity.model import GRADES, Finding


def findings(study: Study, runs: Sequence[Run], analysis: Analysis) -> tuple[Finding, ...]:
    """Each thing once, saying what follows from it and what to do; the most serious first."""
    found: Iterator[Finding] = iter((of_runs.nothing(study, runs, analysis),))
    if any(run.outcome == "ok" for run in runs):
        found = _found(study, runs, analysis)
    if study.live is not None:
        found = map(of_session, found)
    places = {code: place for place, code in enumerate(CODES)}
    return tuple(sorted(found, key=lambda each: (-GRADES.index(each.grade), places[each.code])))


def _found(study: Study, runs: Sequence[Run], analysis: Analysis) -> Iterator[Finding]:
    measured = native(runs)
    ok = [run for run in measured if run.outcome == "ok"]
    yield from of_runs.failed(study, runs, analysis)
    yield from of_runs.missing(study, analysis)
    yield from of_runs.throttled(measured)
    yield from of_runs.scaled(measured, analysis)
    yield from counts.stopped(study, analysis)
    yield from counts.scattered(measured)
    yield from of_runs.swapping(measured)
    yield from of_runs.clock(measured)
    yield from threads(study, ok)
    yield from figures.labels(study, analysis)
    yield from figures.contradicted(study, analysis)
    yield from figures.bent(study, analysis)
    yield from figures.unsteady(study, analysis)
    yield from figures.one_count(study)
    yield from figures.outliers(measured, analysis)
    if study.live is not None:
        yield from session(study, ok)
    else:
        yield from of_runs.load(study, measured)
        yield from figures.few(study, measured)
    yield from _imported(study)
    yield from _scope(study)
    yield from _told(study, analysis)
    yield from _simulated(study)


def _imported(study: Study) -> Iterator[Finding]:
    unknown = [model.label for model in study.models if not model.sha256]
    if unknown:
        yield Finding(
            "imported",
            "degraded",
            f"The model file of {listed(unknown, of_runs.NAMED)} was not at hand when the study was made: nothing "
            "shows which network these figures are of.",
            "Sweep the file itself for figures that can be checked.",
            cases=tuple(case for case in study.cases if case.model in unknown),
        )


def _scope(study: Study) -> Iterator[Finding]:
    if study.scope == "user" and study.counter_source is not None:
        yield Finding(
            "user-only",
            "degraded",
            f"Only user mode was counted (perf_event_paranoid {study.machine.perf_event_paranoid}): hardware events "
            "lack what the kernel did for the process.",
            "`sudo sysctl kernel.perf_event_paranoid=1` includes it.",
            cases=figures.native(study),
        )


def _told(study: Study, analysis: Analysis) -> Iterator[Finding]:
    """What the counter source told, and which hardware events have no figure."""
    costs = analysis.costs
    hardware = [event.name for event in study.events if event.kind == "hardware"]
    lacking = [name for name in hardware if all(costs[name, model.label].reason for model in study.models)]
    counted = any(not cost.reason for cost in costs.values())
    # A session asks for no event that is not there.
    none = counted and len(lacking) == len(hardware) and (bool(hardware) or study.live is not None)
    for place, note in enumerate(study.notes):
        # The source that counts nothing says so before anything else.
        yield Finding("no-hardware-counts" if none and not place else "note", "valid", sentence(note), study=True)
    if lacking and counted and not (none and study.notes):
        what = f"Not counted here: {listed(lacking)}."
        code = "no-hardware-counts" if none else "uncounted-events"
        yield Finding(code, "valid", what, "The notes under the tables say why.", study=True)


def _simulated(study: Study) -> Iterator[Finding]:
    """Which figures are no measurement."""
    if study.simulation is None:
        return
    what = "Simulated figures stand in tables of their own, which say so; all other counts and times were measured."
    if study.counter_source is None:
        what = "Nothing here was measured: every count is simulated, and there is no time, latency or memory."
    yield Finding("simulated", "valid", what, study=True)
