"""Drawings of costs: counts against images, and what an image costs in a run of so many."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from profiler.analysis import amortisation, notation, stats
from profiler.analysis.costs import Cost
from profiler.analysis.labels import SIMULATED
from profiler.report.figures import layout
from profiler.report.figures.data import AmortisedLines, CostGrid, CostLines
from profiler.report.figures.layout import Axes, Canvas, ModelStyle, Properties, Styles
from profiler.report.figures.log_ticks import even_ticks, log_ticks

_ROOM = 1.5
"""How many times as far right or as high as another an image count must be to stand beside it."""

_CURVE = 41
"""Points of a curve or of a band's edge."""


def cost_lines(canvas: Canvas, drawing: CostLines, looks: Styles) -> None:
    """A panel a model, each with a scale of its own."""
    costs = drawing.costs
    most = max(point.images for cost in costs for point in cost.points)
    for axes, cost in zip(layout.panels(canvas, len(costs), layout.Margins()), costs, strict=True):
        symbol = _counts(axes, cost, looks[cost.model], most, layout.DOTS)
        layout.head(axes, cost.model, looks[cost.model], len(costs))
        name = f"{cost.event.name}\n{SIMULATED}" if cost.simulated else cost.event.name
        axes.set(xlabel="images", ylabel=layout.with_unit(name, symbol))
        even_ticks(axes.yaxis, 5)


def cost_grid(canvas: Canvas, drawing: CostGrid, looks: Styles) -> None:
    """A row an event and a column a model; of more models than stand abreast a panel an event with all of them."""
    every = [cost for costs in drawing.rows.values() for cost in costs]
    models = list(dict.fromkeys(cost.model for cost in every))
    if len(models) > layout.ABREAST:
        _overlaid(canvas, drawing, models, looks)
        return
    most = max(point.images for cost in every for point in cost.points)
    margins = layout.Margins(left=0.62, right=0.1, top=0.5, bottom=0.42, across=0.62, down=0.3)
    rows = layout.grid(canvas, [0.8] * len(drawing.rows), len(models), margins)
    for axes, label in zip(rows[0], models, strict=True):
        layout.head(axes, label, looks[label], len(models), pad=17)
    for row, (name, costs) in zip(rows, drawing.rows.items(), strict=True):
        row[0].annotate(name, (0, 1), (0, 3), "axes fraction", "offset points", fontsize=8.5)
        found = {cost.model: cost for cost in costs}
        for axes, label in zip(row, models, strict=True):
            axes.tick_params(labelsize=layout.SMALL, labelbottom=row is rows[-1], pad=2)
            cost = found.get(label)
            if cost is None:
                axes.set(xticks=[], yticks=[])
                axes.spines[:].set_visible(False)
                axes.text(0.5, 0.5, notation.ABSENT, transform=axes.transAxes, ha="center", va="center", color="#666")
                continue
            symbol = _counts(axes, cost, looks[label], most, layout.GRID_DOTS)
            axes.set_ylabel(layout.with_unit(_what(cost), symbol), fontsize=layout.SMALL)
            axes.set_xlabel("images" if row is rows[-1] else "")
            even_ticks(axes.yaxis, 4, min_n_ticks=3)


def _what(cost: Cost) -> str:
    return SIMULATED if cost.simulated else "time" if cost.unit == "ns" else "count"


def _points(cost: Cost) -> tuple[stats.Floats, stats.Floats]:
    """Images and count of each whole process."""
    images, values = np.array([(point.images, point.value) for point in cost.points], dtype=np.float64).T
    return images, values


def _counts(axes: Axes, cost: Cost, look: ModelStyle, most: int, dots: int) -> str:
    """Draw marks, line and interval of one cost from no image to `most`; return the unit's symbol."""
    x, y = _points(cost)
    divisor, symbol = notation.scale(float(y.max()), cost.unit)
    shown = layout.some(y.size, dots)
    size: Properties = {"markersize": 3.2, "alpha": 0.65, "markeredgewidth": 0}
    axes.plot(x[shown], y[shown] / divisor, look.marker, color=look.colour, zorder=3, **size)
    if cost.line:
        _line(axes, cost, cost.line, most, divisor, look)
    axes.set_xlim(0, most * 1.04)
    lowest = min(0.0, cost.line.fixed.value / divisor if cost.line else 0.0, y.min() / divisor)
    axes.set_ylim(lowest * 1.1, axes.dataLim.ymax * 1.05 or 1)
    even_ticks(axes.xaxis, 5, integer=True, steps=[1, 2, 5, 10])
    return symbol


def _line(axes: Axes, cost: Cost, line: stats.Fit, most: int, divisor: float, look: ModelStyle) -> None:
    """Draw the fit, its interval, and the line that rises from the same fixed cost as the region says."""
    ends = np.array([0, most])
    axes.plot(ends, (line.fixed.value + line.per_image.value * ends) / divisor, color=look.colour, linewidth=1.3)
    xs = np.linspace(0, most, _CURVE)
    if band := stats.band(line, xs):
        axes.fill_between(xs, band[0] / divisor, band[1] / divisor, color=look.colour, alpha=0.18, linewidth=0)
    if cost.direct:
        region = (line.fixed.value + cost.direct.value * ends) / divisor
        axes.plot(ends, region, color="#222", linewidth=1, linestyle=layout.DASHED)


def _overlaid(canvas: Canvas, drawing: CostGrid, models: Sequence[str], looks: Styles) -> None:
    """On logarithmic axes, where models that cost many times as much as others have room beside them."""
    key = layout.model_key(looks, models)
    margins = layout.Margins(left=0.75, right=0.1, top=0.3 + key.height, bottom=0.42, across=0.75, down=0.58)
    every = [point.images for costs in drawing.rows.values() for cost in costs for point in cost.points]
    found = layout.cells(canvas, len(drawing.rows), 1.55, margins, 2)
    for axes, (name, costs) in zip(found, drawing.rows.items(), strict=True):
        axes.set(xscale="log", yscale="log", title=name, xlabel="images", ylabel=_what(costs[0]))
        for cost in costs:
            levels = _means(axes, cost, looks[cost.model])
            if cost.line and levels.size:
                xs = np.geomspace(levels[0], max(every), _CURVE)
                ys = cost.line.fixed.value + cost.line.per_image.value * xs
                _curve(axes, xs, ys, looks[cost.model], linewidth=1.1)
        left, right = max(min(every), 1) / 1.15, max(every) * 1.15
        axes.set_xlim(left, right)
        log_ticks(axes.xaxis, left, right, lambda images: notation.plain(images, ""), 5)
        _log_costs(axes, costs[0].unit, 4)
    key.draw(canvas)


def _means(axes: Axes, cost: Cost, look: ModelStyle, each: bool = False) -> stats.Floats:
    """Mark the mean at each image count, with `each` over the images; return the counts. What is not above 0 has no
    place.
    """
    x, y = _points(cost)
    levels = np.unique(x[x > 0])
    means = np.array([y[x == level].mean() / (level if each else 1) for level in levels])
    levels, means = levels[means > 0], means[means > 0]
    marked: Properties = {"markersize": 5 if each else 3.6, "markerfacecolor": "white", "markeredgewidth": 1}
    axes.plot(levels, means, look.marker, color=look.colour, zorder=4, **marked)
    return levels


def _curve(axes: Axes, xs: stats.Floats, ys: stats.Floats, look: ModelStyle, **width: Any) -> None:
    """Draw a line that the axes curve; what is not above 0 has no place."""
    axes.plot(xs[ys > 0], ys[ys > 0], color=look.colour, linestyle=look.dashes, **width)


def amortised_lines(canvas: Canvas, drawing: AmortisedLines, looks: Styles) -> None:
    """A line and a band a model; outside the image counts that were run the line is thin, and without a band."""
    first = drawing.costs[0]
    look: Properties = {"color": "#111", "linestyle": "", "markersize": 10, "markeredgewidth": 1.5}
    signs = {share: look | {"marker": marker} for share, marker in zip(drawing.shares, "|+", strict=True)}
    key = layout.model_key(looks, [cost.model for cost in drawing.costs])
    falls = [
        (f"fixed share falls under {notation.percent(share)}", signs[share]) for share in signs if drawing.shares[share]
    ]
    key = layout.Key([*key.entries, *falls])
    ((axes,),) = layout.grid(canvas, [2.9], 1, layout.Margins(left=0.85, top=0.1 + key.height))
    axes.set(xscale="log", yscale="log", xlabel="images of the run", xlim=(0.9, drawing.most * 1.1))
    for cost in drawing.costs:
        _amortised(axes, cost, drawing.most, looks[cost.model])
    told: list[tuple[float, float]] = []
    for share, x, y in _falling(drawing):
        axes.plot(x, y, **signs[share], zorder=6)
        if all(max(x / other, other / x, y / high, high / y) > _ROOM for other, high in told):
            axes.annotate(f"{x:,.0f}", (x, y), (4, 5), textcoords="offset points", fontsize=8, zorder=7)
            told.append((x, y))
    log_ticks(axes.xaxis, 1, drawing.most, lambda images: f"{images:,.0f}", 7)
    _log_costs(axes, first.unit, 6)
    axes.set_ylabel(f"{first.event.name} for each image{f', {SIMULATED}' if first.simulated else ''}")
    key.draw(canvas)


def _falling(drawing: AmortisedLines) -> Iterator[tuple[float, float, float]]:
    """Yield each share, the images at which a model's fixed cost falls under it, and what an image then costs."""
    for cost in drawing.costs:
        further = amortisation.further(cost)
        for share, found in drawing.shares.items():
            images = found.get(cost.model)
            if images is not None and images <= drawing.most and cost.fixed and further:
                yield share, images, cost.fixed.value / images + further.value


def _amortised(axes: Axes, cost: Cost, most: int, look: ModelStyle) -> None:
    line, further = cost.line, amortisation.further(cost)
    assert line
    assert further
    levels = _means(axes, cost, look, each=True)
    xs = np.geomspace(1, max(most, 2), 2 * _CURVE)
    _curve(axes, xs, line.fixed.value / xs + further.value, look, linewidth=0.8, alpha=0.75)
    inside = np.geomspace(levels[0], levels[-1], _CURVE)
    ys = line.fixed.value / inside + line.per_image.value
    _curve(axes, inside, ys, look, linewidth=1.7)
    if band := stats.band(line, inside):
        low, high = (np.maximum(edge / inside, 0.01 * np.abs(ys)) for edge in band)
        axes.fill_between(inside, low, high, color=look.colour, alpha=0.2, linewidth=0)


def _log_costs(axes: Axes, unit: str, ticks: int) -> None:
    """Set limits around the drawn and ticks that say their unit."""
    low, high = axes.dataLim.minposy, axes.dataLim.ymax
    low, high = (low / 1.25, high * 1.25) if np.isfinite(low) and high > 0 else (1.0, 10.0)
    axes.set_ylim(low, high)
    log_ticks(axes.yaxis, low, high, lambda value: notation.plain(value, unit), ticks)
