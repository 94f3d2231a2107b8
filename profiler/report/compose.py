"""A study and its runs to a report without a format."""

from collections.abc import Sequence

from profiler.records import Run, Study
from profiler.report import details, setting, tables, text
from profiler.report.analysis import analyse
from profiler.report.answer import answer
from profiler.report.doubts import doubts
from profiler.report.model import Report


def compose(study: Study, runs: Sequence[Run]) -> Report:
    """The report of a study; the same study gives the same report."""
    analysis = analyse(study, runs)
    sections = (
        tables.lab(study, analysis),
        details.lines(study, analysis),
        details.phases(study, analysis),
        details.latency(analysis),
        details.derived(analysis),
        setting.models(study, analysis),
        details.agreement(analysis),
        details.gaps(study, analysis),
        setting.machine(study, runs),
        setting.method(study, runs, analysis),
        setting.events(study, analysis),
    )
    ran = study.machine.board or study.machine.cpu
    return Report(
        study=study,
        runs=tuple(runs),
        title=f"What {text.listed(model.label for model in study.models)} cost{'' if len(study.models) > 1 else 's'}",
        subtitle=f"Study {study.name}, {study.created_at[:10]}, {ran}, {text.counted(len(runs), 'run')}",
        answer=answer(study, analysis),
        warnings=doubts(study, runs, analysis),
        summary=tables.summary(study, analysis),
        sections=tuple(section for section in sections if section),
    )
