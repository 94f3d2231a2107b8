"""The section on what made the difference: models that differ in one thing alone, beside each other."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import BESIDE, Measure, Pair, measure, pairs
from profiler.analysis.costs import Costs, quotient
from profiler.analysis.labels import headed, keyed, titled
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Event, Study
from profiler.report.model import Section, Table
from profiler.report.sections import simulation_provenance
from profiler.report.sections.ablation_text import verdicts

_TITLE = "What made the difference"

_ROWS = "Each row is of two models that differ in one thing alone; its figures are the second's as times the first's."
_INTERVALS = "Where an interval includes 1, no difference is shown."
_FACTS = "File and working set are facts of the files."
_PEAK = "Peak resident memory is the whole process's, interpreter and engine included."
_UNDETERMINED = "not determined: one of the two has no figure, or the first's is not shown to be above 0"


class _Column(NamedTuple):
    head: str
    ratio: Callable[[Pair], Estimate | float | None]


def causes(study: Study, analysis: Analysis) -> Section | None:
    """Sentences and tables of all pairs; None where no two models differ in one thing alone."""
    found = pairs(study.models)
    if not found:
        return None
    tables = [
        _table(
            found,
            "causes",
            "",
            [*_facts(found), *_measured(analysis)],
            f"{_rows(analysis.costs)} {_captions(analysis)}",
        )
    ]
    if study.simulation and analysis.simulated and (columns := list(_counted(analysis.simulated))):
        tables.append(
            _table(
                found,
                keyed("causes", analysis.simulated),
                titled(f"{_TITLE} in the caches", analysis.simulated),
                columns,
                f"{simulation_provenance.label(study, study.simulation)} {_rows(analysis.simulated)}",
            )
        )
    return Section(_TITLE, points=tuple(verdicts(found, analysis)), tables=tuple(tables))


def _table(found: Sequence[Pair], key: str, title: str, columns: Sequence[_Column], caption: str) -> Table:
    notes = notation.Notes()
    rows = [
        (
            f"{pair.cause}\n{pair.first.label} → {pair.second.label}",
            *(_cell(column.ratio(pair), notes) for column in columns),
        )
        for pair in found
    ]
    heads = ("what differs", *(column.head for column in columns))
    return Table(key, title, heads, tuple(rows), caption.strip(), notes.all())


def _cell(ratio: Estimate | float | None, notes: notation.Notes) -> str:
    if ratio is None:
        return notation.ABSENT + notes.marks([_UNDETERMINED])
    return (
        notation.figure(ratio, notation.NUMBER)
        if isinstance(ratio, Estimate)
        else notation.plain(ratio, notation.NUMBER)
    )


def _facts(found: Sequence[Pair]) -> Iterator[_Column]:
    yield _Column("file", lambda pair: pair.file_ratio)
    if any(pair.working_set_ratio for pair in found):
        yield _Column("working\nset", lambda pair: pair.working_set_ratio)


def _measured(analysis: Analysis) -> Iterator[_Column]:
    yield from _counted(analysis.costs)
    peaks = analysis.peak_rss_bytes
    if peaks:
        yield _Column(
            "peak resident\nmemory", lambda pair: quotient(peaks.get(pair.second.label), peaks.get(pair.first.label))
        )


def _rows(costs: Costs) -> str:
    """What a row is; and what an interval shows, where there are any."""
    figures = (figure for event in costs.events for cost in costs.of(event) for figure in (cost.fixed, cost.per_image))
    return f"{_ROWS} {_INTERVALS}" if any(figure and figure.interval for figure in figures) else _ROWS


def _captions(analysis: Analysis) -> str:
    return f"{_FACTS} {_PEAK}" if analysis.peak_rss_bytes else _FACTS


def _counted(costs: Costs) -> Iterator[_Column]:
    """What is paid once and for each image in the leading event, and for each image in others that were asked for."""
    judged = measure(costs)
    columns: list[tuple[str, Callable[[Pair], Estimate | None]]] = []
    if judged:
        columns += _of(judged)
    for metric in BESIDE:
        event = costs.answering(metric)
        if event and (judged is None or event != judged.event):
            columns.append(_each_image(costs, event))
    heads = headed((head for head, _ in columns), costs)
    yield from (_Column(head, ratio) for head, (_, ratio) in zip(heads, columns, strict=True))


def _of(judged: Measure) -> Iterator[tuple[str, Callable[[Pair], Estimate | None]]]:
    costs, event = judged
    if any(cost.fixed for cost in costs.of(event)):
        yield f"{event.name}\nonce", lambda pair: pair.fixed(costs, event)
    yield _each_image(costs, event)


def _each_image(costs: Costs, event: Event) -> tuple[str, Callable[[Pair], Estimate | None]]:
    return f"{event.name}\neach image", lambda pair: pair.per_image(costs, event)
