"""A study and its runs to a report without a format."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from profiler.analysis import notation
from profiler.analysis.agreement import reasons
from profiler.analysis.costs import native
from profiler.analysis.labels import SIMULATED, events_in_order
from profiler.analysis.live_session import SessionFigures, session
from profiler.analysis.quantities import every
from profiler.analysis.quantity import Quantity
from profiler.analysis.study_analysis import Analysis, analyse
from profiler.export import tidy_tables
from profiler.records import Run, Study
from profiler.report.disagreement_marks import marked
from profiler.report.figures import select_costs
from profiler.report.figures.select_costs import illustrated
from profiler.report.figures.select_latency import latency_figures
from profiler.report.figures.select_sizes import sizes
from profiler.report.model import Question, Report, Section
from profiler.report.questions import live as asked
from profiler.report.questions import questions
from profiler.report.sections import breakdown, conditions, cost_tables, live_session, live_text, simulated_caches
from profiler.report.sections.ablation import causes
from profiler.report.sections.agreement import agreement
from profiler.report.sections.headline import answer
from profiler.report.sections.model_files import networks
from profiler.report.sections.operators import operators
from profiler.report.sections.terminal_summary import summary
from profiler.report.sections.validity import verdict_section
from profiler.report.sections.working_sets import working_sets
from profiler.validity.grade import judge
from profiler.validity.model import Validity

_NAMED = 6
"""Most models that the title names."""


def compose(study: Study, runs: Sequence[Run]) -> Report:
    """The report of a study; the same study gives the same report."""
    analysis = analyse(study, runs)
    validity = judge(study, runs, analysis)
    live = session(study, runs, analysis)
    sections = _sections(study, runs, analysis, validity, live)
    numbers = every(study, runs, analysis)
    named = notation.listed((model.label for model in study.models), _NAMED)
    what = f"What {named} cost{'' if len(study.models) > 1 else 's'}"
    if study.live is not None:
        what = f"{named} live"
    in_brief = summary(analysis.costs, events_in_order(analysis.costs))
    report = Report(
        name=study.name,
        title=what if study.counter_source else f"{what}, {SIMULATED}",
        subtitle=f"Study {study.name}, {study.created_at[:10]}, {_where(study)}, {_how_many(runs)}",
        answer=live_text.answer(live) if study.live is not None else answer(study, analysis),
        warnings=tuple(finding.sentence for finding in validity.findings),
        summary=(*in_brief, *simulated_caches.summary(study, analysis)),
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
    return marked(report, reasons(study.models, analysis.agreements))


def _sections(
    study: Study, runs: Sequence[Run], analysis: Analysis, validity: Validity, live: SessionFigures | None
) -> tuple[Section, ...]:
    """The figures first, then where they come from; without those that have nothing to say of this study."""
    costs = analysis.costs
    planned = (
        live_session.section(live, latency_figures(analysis, runs) if live else ()),
        illustrated(cost_tables.lab(study, analysis), [*select_costs.ratios(costs)]),
        select_costs.counts(analysis),
        breakdown.phases(study, analysis),
        illustrated(breakdown.latency(analysis), latency_figures(analysis, runs)),
        breakdown.derived(analysis),
        simulated_caches.simulated(study, analysis),
        causes(study, analysis),
        networks(study),
        operators(study),
        working_sets(study, analysis),
        illustrated(conditions.models(study, analysis), [*sizes(study)]),
        agreement(study, analysis),
        breakdown.gaps(study, analysis),
        conditions.machine(study, runs),
        verdict_section(study, validity),
        conditions.method(study, runs, analysis),
        conditions.events(study, analysis),
        conditions.simulated_events(study, analysis),
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
        "costs.csv": lambda: tidy_tables.quantities_csv(numbers),
        "counts.csv": lambda: tidy_tables.counts_csv(study, runs),
    }
    if study.counter_source is not None:
        files["latencies.csv"] = lambda: tidy_tables.latencies_csv(runs)
    return files


def _where(study: Study) -> str:
    if study.counter_source is None and study.simulation:
        return f"virtual {study.simulation.guest or study.simulation.target.title}"
    return study.machine.board or study.machine.cpu


def _how_many(runs: Sequence[Run]) -> str:
    under = len(runs) - len(native(runs))
    if under == len(runs) > 0:
        return notation.counted(under, f"{SIMULATED} run")
    if any(run.case.region == "live" for run in runs):
        return notation.counted(len(runs), "window")
    return f"{notation.counted(len(runs), 'run')}{f', {under} of them {SIMULATED}' if under else ''}"
