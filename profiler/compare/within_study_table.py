"""The models' ratios within each study, side by side: what stays true on another machine."""

from profiler.analysis import notation
from profiler.analysis.costs import Cost, quotient
from profiler.analysis.labels import SIMULATED
from profiler.analysis.stats import Estimate
from profiler.compare.model import Comparison, Row
from profiler.compare.study import Subject
from profiler.compare.tables import when
from profiler.report.model import Table


def within(found: Comparison, simulated: bool) -> Table | None:
    """How many times one model's cost another's is in each study: a ratio that the machine's own speed is no part of.

    Of the models that all studies share, over the first study's baseline; for each image, and of the whole run.
    """
    trusted = [subject for subject in found.subjects if subject.costs(simulated)]
    base = found.first.analysis.baseline
    rows: dict[tuple[str, str, str], list[str]] = {}
    shared = {
        row.key: row for row in found.rows if row.simulated == simulated and row.what in ("region", "slope", "whole")
    }
    models = dict.fromkeys(model for model, _, _ in shared if model != base)
    for (model, event, kind), row in shared.items():
        if model not in models or (base, event, kind) not in shared:
            continue
        cells = [_ratio_within(found, subject, row, base) for subject in found.subjects]
        if sum(cell != notation.ABSENT for cell in cells) > 1:
            rows[model, row.event, when(row)] = cells
    if len(trusted) < 2 or not rows:
        return None
    heads = ("models and event", *(subject.name for subject in found.subjects))
    cells_of = tuple((f"{model} / {base} {event}, {paid}", *cells) for (model, event, paid), cells in rows.items())
    caption = (
        "Each ratio is of two models in one study on one machine: it shows whether the models compare alike there."
    )
    title = f"The models' ratios within each study{f', {SIMULATED}' if simulated else ''}"
    return Table(f"{SIMULATED}-within" if simulated else "within", title, heads, cells_of, caption)


def _ratio_within(found: Comparison, subject: Subject, row: Row, base: str) -> str:
    """A ratio of the study's own models, under the labels and the event name that it has them by."""
    costs = _partners(found, subject, row, base)
    if costs is None:
        return notation.ABSENT
    figures = [_of(cost, row) for cost in costs]
    ratio = notation.figure(quotient(*figures), notation.NUMBER)
    return f"{ratio}\nscaled up" if ratio != notation.ABSENT and any(cost.scaled for cost in costs) else ratio


def _partners(found: Comparison, subject: Subject, row: Row, base: str) -> tuple[Cost, Cost] | None:
    """The costs of both models in that study, where its rows have them."""
    if subject is found.first:
        place, rows = 0, list(found.rows)
    else:
        place, rows = 1, [each for each in found.rows if each.study == subject.name]
    mine = {each.key: each.costs[place] for each in rows if each.simulated == row.simulated}
    above, below = (mine.get((label, row.key[1], row.what)) for label in (row.model, base))
    return (above, below) if above and below else None


def _of(cost: Cost, row: Row) -> Estimate | None:
    if row.images is not None:
        return cost.whole(row.images)
    return cost.direct if row.what == "region" else cost.slope
