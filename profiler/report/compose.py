"""A study and its runs to a report without a format."""

from collections.abc import Callable, Sequence

from profiler.records import Run, Study
from profiler.report import details, setting, simulated, tables, text, tidy
from profiler.report.agreement import agreement
from profiler.report.analysis import analyse
from profiler.report.answer import answer
from profiler.report.causes import causes
from profiler.report.costs import native
from profiler.report.doubts import doubts
from profiler.report.marks import marked
from profiler.report.model import Report
from profiler.report.networks import networks
from profiler.report.operators import operators
from profiler.report.questions import questions
from profiler.report.summary import summary
from profiler.report.working_sets import working_sets

_NAMED = 6
"""Most models that the title names."""


def compose(study: Study, runs: Sequence[Run]) -> Report:
    """The report of a study; the same study gives the same report."""
    analysis = analyse(study, runs)
    costs = analysis.costs
    sections = (
        tables.lab(study, analysis),
        details.lines(analysis),
        details.phases(study, analysis),
        details.latency(analysis),
        details.derived(analysis),
        simulated.simulated(study, analysis),
        causes(study, analysis),
        networks(study),
        operators(study),
        working_sets(study, analysis),
        setting.models(study, analysis),
        agreement(study, analysis),
        details.gaps(study, analysis),
        setting.machine(study, runs),
        setting.method(study, runs, analysis),
        setting.events(study, analysis),
        setting.simulated_events(study, analysis),
    )
    named = text.listed((model.label for model in study.models), _NAMED)
    what = f"What {named} cost{'' if len(study.models) > 1 else 's'}"
    report = Report(
        name=study.name,
        title=what if study.counter_source else f"{what}, {tables.SIMULATED}",
        subtitle=f"Study {study.name}, {study.created_at[:10]}, {_where(study)}, {_how_many(runs)}",
        answer=answer(study, analysis),
        warnings=doubts(study, runs, analysis),
        summary=(*summary(costs, tables.events_in_order(costs)), *simulated.summary(study, analysis)),
        sections=tuple(section for section in sections if section),
        labels=tuple(model.label for model in study.models),
        origin=f"Study {study.name} of {study.created_at}, profiler {study.profiler_version}.",
        questions=questions(study, analysis),
        data=_data(study, runs),
    )
    return marked(report, study.models, analysis.agreements)


def _data(study: Study, runs: Sequence[Run]) -> dict[str, Callable[[], bytes]]:
    """The tidy tables; without a run on this machine itself there are no latencies."""
    files: dict[str, Callable[[], bytes]] = {"runs.csv": lambda: tidy.runs_csv(study, runs)}
    if study.counter_source is not None:
        files["latencies.csv"] = lambda: tidy.latencies_csv(runs)
    return files


def _where(study: Study) -> str:
    if study.counter_source is None and study.simulation:
        return f"virtual {study.simulation.guest or study.simulation.target.title}"
    return study.machine.board or study.machine.cpu


def _how_many(runs: Sequence[Run]) -> str:
    under = len(runs) - len(native(runs))
    if under == len(runs) > 0:
        return text.counted(under, f"{tables.SIMULATED} run")
    return f"{text.counted(len(runs), 'run')}{f', {under} of them {tables.SIMULATED}' if under else ''}"
