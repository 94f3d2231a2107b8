"""Figures to SVG, by matplotlib's objects: the same figure gives the same bytes."""

import io
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.report.figures import draw_costs, draw_latency, draw_networks, draw_ratios, draw_sizes
from profiler.report.figures.data import (
    AmortisedLines,
    CostGrid,
    CostLines,
    Drawing,
    LatencySteps,
    LatencyTrace,
    MissDots,
    OperatorBars,
    RatioDots,
    RefillBars,
    RunBars,
    SizeDots,
)
from profiler.report.figures.layout import Margins, SeriesMark, head, panels
from profiler.report.model import Figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica", "Arial", "sans-serif")
"""The page's own, in the order of trial."""

_LAID_OUT_IN = "DejaVu Sans"
"""Comes with matplotlib, and is wider than any of `FONTS`: what fits in it fits."""

ImageFormat = Literal["svg", "pdf"]

_UNSAID: dict[ImageFormat, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""What a file does not tell, for it would differ from one day or machine to another."""

_STYLE: dict[Any, Any] = {
    # Outlines too, and embedded; making subsets of TrueType fonts (42) would take longer than LaTeX takes.
    "pdf.fonttype": 3,
    "svg.fonttype": "none",
    "svg.hashsalt": "profiler",
    "font.family": [_LAID_OUT_IN],
    "font.size": 10,
    "text.parse_math": False,
    "text.color": "#222",
    "axes.edgecolor": "#888",
    "axes.labelcolor": "#222",
    "axes.labelsize": 9,
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


def draw(
    figure: Figure, looks: dict[str, SeriesMark], formats: Sequence[ImageFormat] = ("svg",)
) -> dict[ImageFormat, bytes]:
    """The figure as a file of each of the formats, drawn once."""
    return _files(figure.title, lambda canvas: paint(canvas, figure.drawing, looks), formats)


def paint(canvas: "Canvas", drawing: Drawing, looks: dict[str, Mark]) -> None:
    """Draw on an empty canvas, whose size this sets."""
    _PAINTERS[type(drawing)](canvas, drawing, looks)


def svg(title: str, paint: Callable[["Canvas"], None]) -> bytes:
    """What `paint` draws on an empty canvas in the reports' style, as an SVG file."""
    return _files(title, paint, ("svg",), "constrained")["svg"]


def _files(
    title: str,
    paint: Callable[["Canvas"], None],
    formats: Sequence[ImageFormat],
    layout: Literal["constrained"] | None = None,
) -> dict[ImageFormat, bytes]:
    """What `paint` draws, in each of the formats."""
    import matplotlib
    from matplotlib.figure import Figure as Canvas

    files: dict[ImageFormat, bytes] = {}
    with matplotlib.rc_context(_STYLE):
        canvas = Canvas(layout=layout)
        paint(canvas)
        for name in formats:
            file = io.BytesIO()
            canvas.savefig(file, format=name, metadata={**_UNSAID[name], "Title": title})
            files[name] = file.getvalue()
    if "svg" in files:
        files["svg"] = _in_page_fonts(files["svg"].decode()).encode()
    return files


def _in_page_fonts(svg: str) -> str:
    stack = ", ".join(f"'{name}'" if " " in name else name for name in FONTS)
    return re.sub(rf"'{_LAID_OUT_IN}'(, sans-serif)?", stack, svg)


def _refill_bars(canvas: "Canvas", drawing: RefillBars, looks: dict[str, SeriesMark]) -> None:
    """For each model a bar a cache, from the core outwards: what a bar is shorter than the one above, its cache had."""
    beside = panels(
        canvas, len(drawing.costs), margins=Margins(left=0.15, right=0.25, top=0.32, bottom=0.5, across=0.3)
    )
    for axes, (label, found) in zip(beside, drawing.costs.items(), strict=True):
        look = looks[label]
        figures = {words: cost.per_image for words, cost in found.items() if cost.per_image}
        most = max(figure.value for figure in figures.values())
        divisor, symbol = notation.scale(most, "")
        for place, (words, figure) in enumerate(figures.items()):
            axes.barh(place, figure.value / divisor, height=0.5, color=look.colour, alpha=1 - 0.28 * place)
            said = f"{words}: {notation.quantity(figure, '')}"
            axes.annotate(said, (0, place - 0.25), (1, 2), textcoords="offset points", fontsize=8.5)
        head(axes, label, look, len(drawing.costs))
        axes.set_xlabel(f"for each image, {SIMULATED}{f' ({symbol})' if symbol else ''}")
        axes.set_yticks([])
        axes.set_ylim(len(figures) - 0.6, -0.75)
        axes.set_xlim(0, most / divisor or None)


_PAINTERS: dict[type, Callable[["Canvas", Any, dict[str, SeriesMark]], None]] = {
    CostLines: draw_costs.cost_lines,
    CostGrid: draw_costs.cost_grid,
    AmortisedLines: draw_costs.amortised_lines,
    RatioDots: draw_ratios.ratio_dots,
    RunBars: draw_ratios.run_bars,
    LatencySteps: draw_latency.latency_steps,
    LatencyTrace: draw_latency.latency_trace,
    SizeDots: draw_sizes.size_dots,
    RefillBars: _refill_bars,
    OperatorBars: draw_networks.operator_bars,
    MissDots: draw_networks.miss_dots,
}
"""What draws each kind of drawing on an empty canvas, whose size it sets."""
