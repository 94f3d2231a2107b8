"""The section on what made the difference: models that differ in one thing alone, beside each other."""

from collections.abc import Callable, Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import BESIDE, AblationPair, measure, pairs
from profiler.analysis.costs import DOUBTFUL, Costs, FigureStatus, quotient
from profiler.analysis.labels import keyed, titled
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Event, Study
from profiler.report.cells import Column, estimated, fact, headed, tabulated
from profiler.report.model import Label, ModelName, Section, Table
from profiler.report.sections import simulation_provenance
from profiler.report.sections.ablation_text import verdicts

_TITLE = "What made the difference"

_ROWS = "Each row is of two models that differ in one thing alone; its figures are the second's as times the first's."
_INTERVALS = "Where an interval includes 1, no difference is shown."
_FACTS = "File and working set are facts of the files."
_PEAK = "Peak resident memory is the whole process's, interpreter and engine included."
_UNDETERMINED = "not determined: one of the two has no figure, or the first's is not shown to be above 0"


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
            f"{_rows(analysis.costs)} {_FACTS}{f' {_PEAK}' if analysis.peak_rss_bytes else ''}",
        )
    ]
    if study.simulation and analysis.simulated and (columns := list(_counted(analysis.simulated))):
        tables.append(
            _table(
                found,
                keyed("causes", simulated=True),
                titled(f"{_TITLE} in the caches", simulated=True),
                columns,
                f"{simulation_provenance.label(study, study.simulation)} {_rows(analysis.simulated)}",
            )
        )
    return Section(_TITLE, points=tuple(verdicts(found, analysis)), tables=tuple(tables))


def _table(
    found: Sequence[AblationPair], key: str, title: str, columns: Sequence[Column[AblationPair]], caption: str
) -> Table:
    def row(pair: AblationPair) -> tuple[Label, AblationPair]:
        return Label((pair.cause,), (ModelName(pair.first.label), " → ", ModelName(pair.second.label))), pair

    return tabulated(key, title, "what differs", map(row, found), columns, caption.strip())


def _facts(found: Sequence[AblationPair]) -> Iterator[Column[AblationPair]]:
    yield Column("file", lambda pair: fact(pair.file_ratio, notation.NUMBER))
    if any(pair.working_set_ratio for pair in found):
        head = Label(("working",), ("set",))
        yield Column(head, lambda pair: fact(pair.working_set_ratio, notation.NUMBER, _UNDETERMINED))


def _measured(analysis: Analysis) -> Iterator[Column[AblationPair]]:
    yield from _counted(analysis.costs)
    peaks = analysis.peak_rss_bytes
    if peaks:
        yield _of_ratio(
            Label(("peak resident",), ("memory",)),
            lambda pair: quotient(peaks.get(pair.second.label), peaks.get(pair.first.label)),
        )


def _of_ratio(
    head: Label | str, ratio: Callable[[AblationPair], Estimate | None], status: FigureStatus = "counted"
) -> Column[AblationPair]:
    return Column(head, lambda pair: estimated(ratio(pair), notation.NUMBER, status, _UNDETERMINED))


def _rows(costs: Costs) -> str:
    """What a row is; and what an interval shows, where there are any."""
    figures = (figure for event in costs.events for cost in costs.of(event) for figure in (cost.fixed, cost.per_image))
    return f"{_ROWS} {_INTERVALS}" if any(figure and figure.interval for figure in figures) else _ROWS


def _counted(costs: Costs) -> Iterator[Column[AblationPair]]:
    """What is paid once and for each image in the leading event, and for each image in others that were asked for."""
    judged = measure(costs)
    if judged and any(cost.fixed for cost in costs.of(judged.event)):
        yield _column(costs, judged.event, "once", lambda pair: pair.fixed(*judged))
    beside = [event for metric in BESIDE if (event := costs.answering(metric)) and event != (judged and judged.event)]
    for event in [*([judged.event] if judged else []), *beside]:
        yield _each_image(costs, event)


def _each_image(costs: Costs, event: Event) -> Column[AblationPair]:
    return _column(costs, event, "each image", lambda pair: pair.per_image(costs, event))


def _column(
    costs: Costs, event: Event, paid: str, ratio: Callable[[AblationPair], Estimate | None]
) -> Column[AblationPair]:
    head = headed(Label((event.name,), (paid,)), costs.simulated)
    statuses = [cost.status for cost in costs.of(event)]
    return _of_ratio(head, ratio, max(statuses, key=DOUBTFUL.index))
