"""A study and its runs to a report without a format."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from profiler.records import Run, Study
from profiler.report import details, setting, simulated, tables, text
from profiler.report.agreement import agreement
from profiler.report.analysis import Analysis, analyse
from profiler.report.answer import answer
from profiler.report.causes import causes
from profiler.report.costs import native
from profiler.report.drawing import charts
from profiler.report.drawing.charts import illustrated
from profiler.report.drawing.charts_latency import latency_figures
from profiler.report.drawing.charts_sizes import sizes
from profiler.report.formats import tidy
from profiler.report.grading.judge import judge
from profiler.report.grading.validity import Validity
from profiler.report.grading.verdict_section import verdict_section
from profiler.report.marks import marked
from profiler.report.model import Quantity, Question, Report, Section
from profiler.report.networks import networks
from profiler.report.operators import operators
from profiler.report.quantities import every
from profiler.report.questions import questions
from profiler.report.session import asked, section, words
from profiler.report.session.figures import Session, session
from profiler.report.summary import summary
from profiler.report.working_sets import working_sets

_NAMED = 6
"""Most models that the title names."""


def compose(study: Study, runs: Sequence[Run]) -> Report:
    """The report of a study; the same study gives the same report."""
    analysis = analyse(study, runs)
    validity = judge(study, runs, analysis)
    live = session(study, runs, analysis)
    sections = _sections(study, runs, analysis, validity, live)
    numbers = every(study, runs, analysis)
    named = text.listed((model.label for model in study.models), _NAMED)
    what = f"What {named} cost{'' if len(study.models) > 1 else 's'}"
    if study.live is not None:
        what = f"{named} live"
    in_brief = summary(analysis.costs, tables.events_in_order(analysis.costs))
    report = Report(
        name=study.name,
        title=what if study.counter_source else f"{what}, {tables.SIMULATED}",
        subtitle=f"Study {study.name}, {study.created_at[:10]}, {_where(study)}, {_how_many(runs)}",
        answer=words.answer(live) if study.live is not None else answer(study, analysis),
        warnings=tuple(finding.sentence for finding in validity.findings),
        summary=(*in_brief, *simulated.summary(study, analysis)),
        sections=sections,
        labels=tuple(model.label for model in study.models),
        origin=f"Study {study.name} of {study.created_at}, profiler {study.profiler_version}.",
        questions=tuple(
            _linked(question, sections)
            for question in (
                asked.questions(study, live, validity) if study.live is not None else questions(study, analysis)
            )
        ),
        validity=validity,
        quantities=numbers,
        data=_data(study, runs, numbers),
    )
    return marked(report, study.models, analysis.agreements)


def _sections(
    study: Study, runs: Sequence[Run], analysis: Analysis, validity: Validity, live: Session | None
) -> tuple[Section, ...]:
    """The figures first, then where they come from; without those that have nothing to say of this study."""
    costs = analysis.costs
    planned = (
        section.section(live, latency_figures(analysis, runs) if live else ()),
        illustrated(tables.lab(study, analysis), [*charts.ratios(costs)]),
        charts.counts(analysis),
        details.phases(study, analysis),
        illustrated(details.latency(analysis), latency_figures(analysis, runs)),
        details.derived(analysis),
        simulated.simulated(study, analysis),
        causes(study, analysis),
        networks(study),
        operators(study),
        working_sets(study, analysis),
        illustrated(setting.models(study, analysis), [*sizes(study)]),
        agreement(study, analysis),
        details.gaps(study, analysis),
        setting.machine(study, runs),
        verdict_section(study, validity),
        setting.method(study, runs, analysis),
        setting.events(study, analysis),
        setting.simulated_events(study, analysis),
    )
    return tuple(section for section in planned if section)


def _linked(question: Question, sections: Sequence[Section]) -> Question:
    """The question without what this report does not show."""
    there = {table.key for section in sections for table in section.tables}
    there |= {figure.key for section in sections for figure in section.figures}
    return replace(question, shown=tuple(key for key in question.shown if key in there))


def _data(study: Study, runs: Sequence[Run], numbers: Sequence[Quantity]) -> dict[str, Callable[[], bytes]]:
    """The tidy tables; without a run on this machine itself there are no latencies."""
    files: dict[str, Callable[[], bytes]] = {
        "costs.csv": lambda: tidy.quantities_csv(numbers),
        "counts.csv": lambda: tidy.counts_csv(study, runs),
    }
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
    if any(run.case.region == "live" for run in runs):
        return text.counted(len(runs), "window")
    return f"{text.counted(len(runs), 'run')}{f', {under} of them {tables.SIMULATED}' if under else ''}"
