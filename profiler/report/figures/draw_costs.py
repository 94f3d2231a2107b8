"""Drawings of costs: counts against images, ratios, whole runs in parts, what an image costs in a run of so many."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from profiler.analysis import amortisation, notation, stats
from profiler.analysis.costs import Cost
from profiler.analysis.labels import SIMULATED
from profiler.report.figures.data import AmortisedLines, CostGrid, CostLines
from profiler.report.figures.layout import (
    ABREAST,
    DASHED,
    DOTS,
    GRID_DOTS,
    SMALL,
    Key,
    Margins,
    SeriesMark,
    cells,
    grid,
    head,
    model_key,
    panels,
    short,
    some,
)
from profiler.report.figures.log_ticks import log_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_GRID_HEIGHT = 0.8
_OVERLAID_HEIGHT = 1.55
_OVERLAID_ABREAST = 2
_ROOM = 1.5
"""How many times as far right or as high as another an image count must be to stand beside it."""

_CURVE = 41
"""Points of a curve or of a band's edge."""


def cost_lines(canvas: "Canvas", drawing: CostLines, looks: dict[str, SeriesMark]) -> None:
    """A panel a model, each with a scale of its own."""
    from matplotlib.ticker import MaxNLocator

    costs = drawing.costs
    most = max(point.images for cost in costs for point in cost.points)
    for axes, cost in zip(panels(canvas, len(costs)), costs, strict=True):
        look = looks[cost.model]
        symbol = _counts(axes, cost, look, most, DOTS, 3.4)
        name = f"{cost.event.name}\n{SIMULATED}" if cost.simulated else cost.event.name
        head(axes, cost.model, look, len(costs))
        axes.set_xlabel("images")
        axes.set_ylabel(f"{name}{f' ({symbol})' if symbol else ''}")
        axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))


def cost_grid(canvas: "Canvas", drawing: CostGrid, looks: dict[str, SeriesMark]) -> None:
    """A row an event and a column a model; of more models than stand abreast a panel an event with all of them."""
    models = list(dict.fromkeys(cost.model for costs in drawing.rows.values() for cost in costs))
    if len(models) > ABREAST:
        _overlaid(canvas, drawing, models, looks)
        return
    from matplotlib.ticker import MaxNLocator

    margins = Margins(top=0.5, bottom=0.42, across=0.62, down=0.3)
    most = max(point.images for costs in drawing.rows.values() for cost in costs for point in cost.points)
    rows = grid(canvas, [_GRID_HEIGHT] * len(drawing.rows), len(models), margins)
    for axes, label in zip(rows[0], models, strict=True):
        _head(canvas, axes, label, looks[label])
    for row, (name, costs) in zip(rows, drawing.rows.items(), strict=True):
        row[0].set_title(name, loc="left", fontsize=8.5, pad=3)
        found = {cost.model: cost for cost in costs}
        for axes, label in zip(row, models, strict=True):
            axes.tick_params(labelsize=SMALL, labelbottom=row is rows[-1], length=2.5, pad=2)
            cost = found.get(label)
            if cost is None:
                _nothing(axes)
                continue
            symbol = _counts(axes, cost, looks[label], most, GRID_DOTS, 3)
            axes.set_ylabel(_unit(cost, symbol), fontsize=SMALL, labelpad=2)
            axes.yaxis.set_major_locator(MaxNLocator(nbins=4, min_n_ticks=3, steps=[1, 2, 2.5, 5, 10]))
            if row is rows[-1]:
                axes.set_xlabel("images", fontsize=8, labelpad=2)


def _head(canvas: "Canvas", axes: "Axes", label: str, look: SeriesMark) -> None:
    """A model's name above its column."""
    place = axes.get_position()
    height = canvas.get_size_inches()[1]
    where = (place.x0, 1 - 0.06 / height)
    canvas.text(*where, short(label, 26), color=look.colour, fontweight="bold", fontsize=9, va="top")


def _nothing(axes: "Axes") -> None:
    axes.set_xticks([])
    axes.set_yticks([])
    axes.spines[:].set_visible(False)
    axes.text(0.5, 0.5, notation.ABSENT, transform=axes.transAxes, ha="center", va="center", fontsize=8, color="#666")


def _unit(cost: Cost, symbol: str) -> str:
    what = SIMULATED if cost.simulated else "time" if cost.unit == "ns" else "count"
    return f"{what} ({symbol})" if symbol else what


def _counts(axes: "Axes", cost: Cost, look: SeriesMark, most: int, dots: int, size: float) -> str:
    """Marks, line and interval of one cost from no image to `most`; returns the unit's symbol."""
    from matplotlib.ticker import MaxNLocator

    x, y = np.array([(point.images, point.value) for point in cost.points]).T
    divisor, symbol = notation.scale(float(y.max()), cost.unit)
    shown = some(y.size, dots)
    dotted: dict[str, Any] = {"color": look.colour, "markersize": size, "alpha": 0.65, "markeredgewidth": 0}
    axes.plot(x[shown], y[shown] / divisor, look.marker, zorder=3, **dotted)
    if cost.line:
        _line(axes, cost, np.linspace(0, most, _CURVE), divisor, look)
    axes.set_xlim(0, most * 1.04)
    lowest = min(0.0, cost.line.fixed.value / divisor if cost.line else 0.0, y.min() / divisor)
    axes.set_ylim(lowest * 1.1, axes.dataLim.ymax * 1.05 or 1)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 5, 10]))
    _gridded(axes)
    return symbol


def _line(axes: "Axes", cost: Cost, xs: stats.Floats, divisor: float, look: SeriesMark) -> None:
    assert cost.line
    fixed, slope = cost.line.fixed.value, cost.line.per_image.value
    axes.plot(xs[[0, -1]], (fixed + slope * xs[[0, -1]]) / divisor, color=look.colour, linewidth=1.3, zorder=2)
    band = stats.band(cost.line, xs)
    if band:
        low, high = band[0] / divisor, band[1] / divisor
        axes.fill_between(xs, low, high, color=look.colour, alpha=0.18, linewidth=0, zorder=1)
    if cost.direct:
        region = (fixed + cost.direct.value * xs[[0, -1]]) / divisor
        axes.plot(xs[[0, -1]], region, color="#222", linewidth=1, linestyle=DASHED, zorder=2)


def _overlaid(canvas: "Canvas", drawing: CostGrid, models: Sequence[str], looks: dict[str, SeriesMark]) -> None:
    """On logarithmic axes, where models that cost many times as much as others have room beside them."""
    key = model_key(looks, models)
    margins = Margins(left=0.75, top=0.3 + key.height, bottom=0.42, across=0.75, down=0.58)
    every = [point.images for costs in drawing.rows.values() for cost in costs for point in cost.points]
    found = cells(canvas, len(drawing.rows), _OVERLAID_HEIGHT, margins, _OVERLAID_ABREAST)
    for axes, (name, costs) in zip(found, drawing.rows.items(), strict=True):
        axes.set_xscale("log")
        axes.set_yscale("log")
        for cost in costs:
            _curve(axes, cost, looks[cost.model])
        axes.set_xlim(max(min(every), 1) / 1.15, max(every) * 1.15)
        _log_axes(axes, costs[0].unit, 4)
        axes.set_title(name, loc="left", fontsize=8.5, pad=3)
        axes.set_xlabel("images", fontsize=8, labelpad=2)
        axes.set_ylabel(_unit(costs[0], ""), fontsize=SMALL, labelpad=2)
    key.draw(canvas)


def _curve(axes: "Axes", cost: Cost, look: SeriesMark) -> None:
    """The line, curved by the axes, with the mean at each image count; what is not above 0 has no place."""
    x, y = np.array([(point.images, point.value) for point in cost.points]).T
    levels = np.unique(x)
    means = np.array([y[x == level].mean() for level in levels])
    seen = (levels > 0) & (means > 0)
    marked: dict[str, Any] = {"markersize": 3.6, "markerfacecolor": "white", "markeredgewidth": 0.9}
    axes.plot(levels[seen], means[seen], look.marker, color=look.colour, zorder=3, **marked)
    if cost.line and seen.any():
        xs = np.geomspace(levels[seen][0], levels[-1], _CURVE)
        ys = cost.line.fixed.value + cost.line.per_image.value * xs
        above = ys > 0
        axes.plot(xs[above], ys[above], color=look.colour, linewidth=1.1, linestyle=look.dashes, zorder=2)


def amortised_lines(canvas: "Canvas", drawing: AmortisedLines, looks: dict[str, SeriesMark]) -> None:
    """A line and a band a model; outside the image counts that were run the line is thin, and without a band."""
    models = [cost.model for cost in drawing.costs]
    signs = dict(zip(drawing.shares, ("|", "+"), strict=True))
    key = model_key(looks, models)
    beside = [
        (f"fixed share falls under {notation.percent(share)}", _sign(signs[share]))
        for share in signs
        if drawing.shares[share]
    ]
    key = Key([*key.entries, *beside])
    ((axes,),) = grid(canvas, [2.9], 1, Margins(left=0.85, top=0.1 + key.height, bottom=0.5, right=0.2))
    axes.set_xscale("log")
    axes.set_yscale("log")
    told: list[tuple[float, float]] = []
    for cost in drawing.costs:
        _amortised(axes, cost, drawing, looks[cost.model])
        for share, sign in signs.items():
            images = drawing.shares[share].get(cost.model)
            further = amortisation.further(cost)
            if images is not None and images <= drawing.most and cost.line and further:
                each = cost.line.fixed.value / images + further.value
                axes.plot(images, each, **_sign(sign), zorder=6)
                if all(max(images / x, x / images, each / y, y / each) > _ROOM for x, y in told):
                    said = f"{images:,.0f}"
                    axes.annotate(said, (images, each), (4, 5), textcoords="offset points", fontsize=8, zorder=7)
                    told.append((images, each))
    axes.set_xlim(0.9, drawing.most * 1.1)
    unit = drawing.costs[0].unit
    log_ticks(axes.xaxis, 1, drawing.most, lambda images: f"{images:,.0f}", 7)
    _log_axes(axes, unit, 6, across=False)
    axes.set_xlabel("images of the run")
    name = drawing.costs[0].event.name
    axes.set_ylabel(f"{name} for each image{f', {SIMULATED}' if drawing.costs[0].simulated else ''}")
    key.draw(canvas)


def _sign(marker: str) -> dict[str, Any]:
    return {"marker": marker, "color": "#111", "linestyle": "", "markersize": 10, "markeredgewidth": 1.5}


def _amortised(axes: "Axes", cost: Cost, drawing: AmortisedLines, look: SeriesMark) -> None:
    further = amortisation.further(cost)
    assert cost.line
    assert further
    counts = np.array([point.images for point in cost.points], dtype=np.float64)
    values = np.array([point.value for point in cost.points])
    levels = np.unique(counts[counts > 0])
    xs = np.geomspace(1, max(drawing.most, 2), 2 * _CURVE)
    ys = cost.line.fixed.value / xs + further.value
    above = ys > 0
    axes.plot(xs[above], ys[above], color=look.colour, linewidth=0.8, linestyle=look.dashes, alpha=0.75, zorder=2)
    inside = np.geomspace(levels[0], levels[-1], _CURVE)
    ys = cost.line.fixed.value / inside + cost.line.per_image.value
    above = ys > 0
    axes.plot(inside[above], ys[above], color=look.colour, linewidth=1.7, linestyle=look.dashes, zorder=3)
    band = stats.band(cost.line, inside)
    if band:
        least = 0.01 * np.abs(ys)
        low, high = np.maximum(band[0] / inside, least), np.maximum(band[1] / inside, least)
        axes.fill_between(inside, low, high, color=look.colour, alpha=0.2, linewidth=0, zorder=1)
    means = np.array([values[counts == level].mean() / level for level in levels])
    marked: dict[str, Any] = {"markersize": 5, "markerfacecolor": "white", "markeredgewidth": 1.1}
    axes.plot(levels[means > 0], means[means > 0], look.marker, color=look.colour, zorder=4, **marked)


def _log_axes(axes: "Axes", unit: str, ticks: int, across: bool = True) -> None:
    """Limits around the drawn and ticks that say their unit."""
    low, high = axes.dataLim.minposy, axes.dataLim.ymax
    low, high = (low / 1.25, high * 1.25) if np.isfinite(low) and high > 0 else (1.0, 10.0)
    axes.set_ylim(low, high)
    log_ticks(axes.yaxis, low, high, lambda value: notation.plain(value, unit), ticks)
    if across:
        left, right = axes.get_xlim()
        log_ticks(axes.xaxis, left, right, lambda images: notation.plain(images, ""), ticks + 1)
    axes.tick_params(labelsize=SMALL if across else 8.5, length=2.5, pad=2)
    _gridded(axes)


def _gridded(axes: "Axes") -> None:
    axes.grid(visible=True)
    axes.set_axisbelow(True)
