"""The models' ratios within each study, side by side: what stays true on another machine."""

from profiler.analysis import notation
from profiler.analysis.costs import DOUBTFUL, Cost, quotient
from profiler.analysis.labels import keyed, titled
from profiler.compare.model import Comparison, Row
from profiler.compare.study import Subject
from profiler.compare.tables import when
from profiler.report.cells import absent, estimated
from profiler.report.model import Cell, Entry, Table


def within(found: Comparison, simulated: bool) -> Table | None:
    """How many times one model's cost another's is in each study: a ratio that the machine's own speed is no part of.

    Of the models that all studies share, over the first study's baseline; for each image, and of the whole run.
    """
    trusted = [subject for subject in found.subjects if subject.costs(simulated)]
    base = found.first.analysis.baseline
    rows: dict[str, list[Cell]] = {}
    shared = {
        row.key: row for row in found.rows if row.simulated == simulated and row.what in ("region", "slope", "whole")
    }
    models = dict.fromkeys(model for model, _, _ in shared if model != base)
    for (model, event, kind), row in shared.items():
        if model not in models or (base, event, kind) not in shared:
            continue
        cells = [_ratio_within(found, subject, row, base) for subject in found.subjects]
        if sum(cell.value is not None for cell in cells) > 1:
            rows[f"{model} / {base} {row.event}, {when(row)}"] = cells
    if len(trusted) < 2 or not rows:
        return None
    heads = ("models and event", *(subject.name for subject in found.subjects))
    caption = (
        "Each ratio is of two models in one study on one machine: it shows whether the models compare alike there."
    )
    title = titled("The models' ratios within each study", simulated)
    lines: tuple[tuple[Entry, ...], ...] = tuple((name, *cells) for name, cells in rows.items())
    return Table(keyed("within", simulated), title, heads, lines, caption)


def _ratio_within(found: Comparison, subject: Subject, row: Row, base: str) -> Cell:
    """A ratio of the study's own models, under the labels and the event name that it has them by."""
    costs = _partners(found, subject, row, base)
    if costs is None:
        return absent()
    status = max((cost.status for cost in costs), key=DOUBTFUL.index)
    ratio = quotient(*(cost.figure(row.what, row.images) for cost in costs))
    return estimated(ratio, notation.NUMBER, status, under="scaled up" if any(cost.scaled for cost in costs) else "")


def _partners(found: Comparison, subject: Subject, row: Row, base: str) -> tuple[Cost, Cost] | None:
    """The costs of both models in that study, where its rows have them."""
    if subject is found.first:
        place, rows = 0, list(found.rows)
    else:
        place, rows = 1, [each for each in found.rows if each.study == subject.name]
    mine = {each.key: each.costs[place] for each in rows if each.simulated == row.simulated}
    above, below = (mine.get((label, row.key[1], row.what)) for label in (row.model, base))
    return (above, below) if above and below else None
