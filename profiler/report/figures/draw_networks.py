"""Drawings of working sets: of each operator against the caches, and of each model against its misses."""

from typing import TYPE_CHECKING, Any

import numpy as np

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.report.figures.data import MissDots, OperatorBars
from profiler.report.figures.layout import DASHED, DOTTED, Key, Margins, SeriesMark, head, panels, short
from profiler.report.figures.log_ticks import byte_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_AROUND = Margins(left=0.72, right=0.38, top=0.32, bottom=0.5, across=1.0)

_NAMED = Margins(left=0.98, right=0.2, top=0.32, bottom=0.5, across=1.0)
"""With room for two lines of words beside each panel."""

_LEAST_BYTES = 1024
"""Where the bars of working sets begin: what is less touches a few lines."""

_HOLLOW: dict[str, Any] = {"markerfacecolor": "none", "markeredgewidth": 1.5}
"""Of marks that may lie on one another: all of them show."""


def operator_bars(canvas: "Canvas", drawing: OperatorBars, looks: dict[str, SeriesMark]) -> None:
    """A panel a model, a bar an operator, all on one scale; lines at the caches' sizes."""
    from matplotlib.ticker import MaxNLocator

    most = max(max(map(max, drawing.sets.values())), *(size for _, size in drawing.levels))
    found = panels(canvas, len(drawing.sets), margins=_AROUND)
    for axes, (label, sizes) in zip(found, drawing.sets.items(), strict=True):
        look = looks[label]
        heights = [max(size, _LEAST_BYTES) for size in sizes]
        axes.stairs(heights, baseline=_LEAST_BYTES, fill=True, color=look.colour, linewidth=0)
        axes.set_yscale("log", base=2)
        axes.set_ylim(_LEAST_BYTES, most * 1.6)
        axes.set_xlim(0, len(sizes))
        byte_ticks(axes.yaxis, _LEAST_BYTES, most, _bytes)
        for name, size in drawing.levels:
            axes.axhline(size, color="#222", linewidth=0.9, linestyle=DASHED, zorder=3)
            axes.text(1.01, size, name, transform=axes.get_yaxis_transform(), fontsize=7.5, va="center")
        head(axes, label, look, len(drawing.sets))
        axes.set_xlabel("operator")
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, integer=True))


def miss_dots(canvas: "Canvas", drawing: MissDots, looks: dict[str, SeriesMark]) -> None:
    """A panel an event, a mark a model."""
    shown = dict.fromkeys(cost.model for costs in drawing.panels.values() for cost in costs)
    key = Key([(short(label), {**_looks(looks[label]), "linestyle": ""}) for label in shown])
    found = panels(canvas, len(drawing.panels), 2.9, _NAMED, key.height)
    for axes, (words, costs) in zip(found, drawing.panels.items(), strict=True):
        for cost in costs:
            figure, look, size = cost.per_image, looks[cost.model], drawing.working_sets[cost.model]
            assert figure
            axes.plot(size, figure.value, zorder=3, **_looks(look))
            # An interval that reaches 0 has no lower end on a logarithmic axis: it leaves the panel.
            if figure.interval:
                low, high = figure.interval
                axes.plot([size, size], [max(low, 1), high], color=look.colour, linewidth=1.2, zorder=2)
        values = [cost.per_image.value for cost in costs if cost.per_image]
        _miss_axes(axes, [drawing.working_sets[cost.model] for cost in costs], values, drawing)
        axes.set_title(words, loc="left")
        name = costs[0].event.name
        axes.set_ylabel(f"{name}\n{SIMULATED}" if costs[0].simulated else name)
    key.draw(canvas)


def _miss_axes(axes: "Axes", sizes: list[int], values: list[float], drawing: MissDots) -> None:
    """Logarithmic axes with room around the marks and the caches, and the line of every line brought in once."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    every = [*sizes, *(size for _, size in drawing.levels)]
    ends = np.array([min(every) / 2, max(every) * 2])
    once = ends / drawing.line_bytes
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.plot(ends, once, color="#222", linewidth=1, linestyle=DASHED, zorder=1)
    axes.set_xlim(*ends)
    axes.set_ylim(min(*values, once[0]) / 2, max(*values, once[1]) * 2)
    for name, size in drawing.levels:
        axes.axvline(size, color="#666", linewidth=1, linestyle=DOTTED, zorder=1)
        axes.text(size, 0.99, f" {name}", transform=axes.get_xaxis_transform(), fontsize=8, va="top")
    byte_ticks(axes.xaxis, ends[0], ends[1], _bytes)
    axes.set_xlabel("working set")
    axes.yaxis.set_major_locator(LogLocator(numticks=6))
    axes.yaxis.set_minor_locator(NullLocator())
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: notation.plain(value, "")))
    axes.grid(visible=True)
    axes.set_axisbelow(True)


def _bytes(size: float) -> str:
    return notation.size(size)


def _looks(look: SeriesMark) -> dict[str, Any]:
    return {"color": look.colour, "marker": look.marker, "markersize": 6, **_HOLLOW}
