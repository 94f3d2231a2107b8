"""Figures to SVG, by matplotlib's objects: the same figure gives the same bytes."""

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from profiler import stats
from profiler.report import figures_networks, text
from profiler.report.analysis import Latency, Phase
from profiler.report.canvas import WIDTH, Mark, panels, short
from profiler.report.costs import Cost
from profiler.report.details import DOTS, PHASE_WORDS
from profiler.report.model import CostLines, Figure, LatencyDots, MissDots, OperatorBars, PhaseBars, RefillBars
from profiler.report.tables import SIMULATED

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica", "Arial", "sans-serif")
"""The page's own, in the order of trial."""

_LAID_OUT_IN = "DejaVu Sans"
"""Comes with matplotlib, and is wider than any of `FONTS`: what fits in it fits."""

_STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "profiler",
    "font.family": [_LAID_OUT_IN],
    "font.size": 10,
    "text.parse_math": False,
    "text.color": "#222",
    "axes.edgecolor": "#888",
    "axes.labelcolor": "#222",
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10,
    "axes.unicode_minus": True,
    "axes.formatter.useoffset": False,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "xtick.color": "#444",
    "ytick.color": "#444",
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
}

# Grey for what is no phase of the worker, then from dark blue to light yellow, an order that grey print keeps.
_PHASE_COLOURS = ("#d9d9d9", "#00204d", "#5a6f98", "#8c8c8c", "#b5a76c", "#eadb5f")


def draw(figure: Figure, looks: dict[str, Mark]) -> bytes:
    """The figure as an SVG file."""

    def paint(canvas: "Canvas") -> None:
        match figure.drawing:
            case CostLines(costs):
                _cost_lines(canvas, costs, looks)
            case PhaseBars(phases):
                _phase_bars(canvas, phases)
            case LatencyDots(latencies):
                _latency_dots(canvas, latencies, looks)
            case RefillBars(costs):
                _refill_bars(canvas, costs, looks)
            case OperatorBars():
                figures_networks.operator_bars(canvas, figure.drawing, looks)
            case MissDots():
                figures_networks.miss_dots(canvas, figure.drawing, looks)

    return svg(figure.title, paint)


def svg(title: str, paint: Callable[["Canvas"], None]) -> bytes:
    """What `paint` draws on an empty canvas in the reports' style, as an SVG file."""
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure as Canvas

    with matplotlib.rc_context(_STYLE):
        canvas = Canvas(layout="constrained")
        FigureCanvasSVG(canvas)
        paint(canvas)
        file = io.StringIO()
        canvas.savefig(file, format="svg", metadata={"Date": None, "Creator": None, "Title": title})
    return _in_page_fonts(file.getvalue()).encode()


def _in_page_fonts(svg: str) -> str:
    stack = ", ".join(f"'{name}'" if " " in name else name for name in FONTS)
    return re.sub(rf"'{_LAID_OUT_IN}'(, sans-serif)?", stack, svg)


def _cost_lines(canvas: "Canvas", costs: Sequence[Cost], looks: dict[str, Mark]) -> None:
    most = max(point.images for cost in costs for point in cost.points)
    for axes, cost in zip(panels(canvas, len(costs)), costs, strict=True):
        look = looks[cost.model]
        x, y = np.array([(point.images, point.value) for point in cost.points]).T
        divisor, symbol = text.scale(float(y.max()), cost.unit)
        shown = _some(y.size)
        axes.plot(
            x[shown],
            y[shown] / divisor,
            look.marker,
            color=look.colour,
            markersize=3.4,
            alpha=0.65,
            markeredgewidth=0,
            zorder=3,
        )
        if cost.line:
            _line(axes, cost, np.linspace(0, most, 41), divisor, look)
        name = f"{cost.event.name}\n{SIMULATED}" if cost.simulated else cost.event.name
        _dress(axes, cost.model, look, "images", f"{name}{f' ({symbol})' if symbol else ''}")
        axes.set_xlim(0, most * 1.04)
        lowest = min(0.0, cost.line.fixed.value / divisor if cost.line else 0.0, y.min() / divisor)
        axes.set_ylim(lowest * 1.1, axes.dataLim.ymax * 1.05 or None)


def _line(axes: "Axes", cost: Cost, xs: stats.Floats, divisor: float, look: Mark) -> None:
    assert cost.line
    fixed, slope = cost.line.fixed.value, cost.line.per_image.value
    axes.plot(xs[[0, -1]], (fixed + slope * xs[[0, -1]]) / divisor, color=look.colour, linewidth=1.3, zorder=2)
    band = stats.band(cost.line, xs)
    if band:
        low, high = band[0] / divisor, band[1] / divisor
        axes.fill_between(xs, low, high, color=look.colour, alpha=0.18, linewidth=0, zorder=1)
    if cost.direct:
        region = (fixed + cost.direct.value * xs[[0, -1]]) / divisor
        axes.plot(xs[[0, -1]], region, color="#222", linewidth=1, linestyle=(0, (4, 3)), zorder=2)


def _phase_bars(canvas: "Canvas", phases: dict[str, tuple[Phase, ...]]) -> None:
    """A bar a model on an axis of its own, for what one pays in seconds another pays in milliseconds."""
    from matplotlib.patches import Patch

    canvas.set_size_inches(WIDTH, 0.95 * len(phases) + 0.7)
    names = [phase.name for phase in next(iter(phases.values()))]
    colours = dict(zip(names, _PHASE_COLOURS, strict=False))
    rows = canvas.subplots(len(phases), 1, squeeze=False).flat
    for axes, (label, found) in zip(rows, phases.items(), strict=True):
        total = sum(phase.wall_ns.value for phase in found)
        divisor, symbol = text.scale(total, "ns")
        left = 0.0
        for phase in found:
            width = max(phase.wall_ns.value, 0) / divisor
            axes.barh(0, width, left=left, color=colours[phase.name], edgecolor="white", linewidth=0.8)
            left += width
        axes.set_yticks([0], [short(label)])
        axes.tick_params(axis="y", length=0, labelsize=9)
        axes.spines["left"].set_visible(False)
        axes.set_xlabel(f"wall time ({symbol})")
        axes.set_xlim(0, left)
    patches = [Patch(facecolor=colours[name], label=PHASE_WORDS[name]) for name in names]
    canvas.legend(handles=patches, loc="outside upper left", ncols=3, frameon=False, fontsize=8, handlelength=1.2)


def _refill_bars(canvas: "Canvas", costs: dict[str, dict[str, Cost]], looks: dict[str, Mark]) -> None:
    """For each model a bar a cache, from the core outwards: what a bar is shorter than the one above, its cache had."""
    for axes, (label, found) in zip(panels(canvas, len(costs)), costs.items(), strict=True):
        look = looks[label]
        figures = {words: cost.per_image for words, cost in found.items() if cost.per_image}
        most = max(figure.value for figure in figures.values())
        divisor, symbol = text.scale(most, "")
        for place, (words, figure) in enumerate(figures.items()):
            axes.barh(place, figure.value / divisor, height=0.5, color=look.colour, alpha=1 - 0.28 * place)
            said = f"{words}: {text.quantity(figure, '')}"
            axes.annotate(said, (0, place - 0.25), (1, 2), textcoords="offset points", fontsize=8.5)
        axes.set_title(short(label), loc="left", color=look.colour, fontweight="bold")
        axes.set_xlabel(f"for each image, {SIMULATED}{f' ({symbol})' if symbol else ''}")
        axes.set_yticks([])
        axes.set_ylim(len(figures) - 0.6, -0.75)
        axes.set_xlim(0, most / divisor or None)


def _latency_dots(canvas: "Canvas", latencies: dict[str, Latency], looks: dict[str, Mark]) -> None:
    for axes, (label, found) in zip(panels(canvas, len(latencies)), latencies.items(), strict=True):
        look = looks[label]
        y = np.array(found.runs_ns, dtype=np.float64)
        x = np.broadcast_to(np.arange(1, y.shape[1] + 1), y.shape)
        shown = _some(y.size)
        divisor, symbol = text.scale(found.quantiles_ns.p50, "ns")
        dots = x.ravel()[shown], y.ravel()[shown] / divisor
        axes.plot(*dots, look.marker, color=look.colour, markersize=2.6, alpha=0.45, markeredgewidth=0, zorder=2)
        axes.axhline(found.quantiles_ns.p50 / divisor, color="#222", linewidth=1, zorder=3)
        axes.axhline(found.quantiles_ns.p95 / divisor, color="#222", linewidth=1, linestyle=(0, (4, 3)), zorder=3)
        _dress(axes, label, look, "image of the run", f"latency ({symbol})")


def _some(count: int) -> NDArray[np.intp]:
    """Places of the points to draw: all, or `DOTS` of them by chance, always the same."""
    return np.sort(np.random.default_rng(0).permutation(count)[:DOTS])


def _dress(axes: "Axes", label: str, look: Mark, x: str, y: str) -> None:
    from matplotlib.ticker import MaxNLocator

    axes.set_title(short(label), loc="left", color=look.colour, fontweight="bold")
    axes.set_xlabel(x)
    axes.set_ylabel(y)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=5, integer=True, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 2.5, 5, 10]))
    axes.grid(visible=True)
    axes.set_axisbelow(True)
