"""Figures to SVG, by matplotlib's objects: the same figure gives the same bytes."""

import io
import re
from collections.abc import Callable, Sequence
from typing import Any, Literal

from profiler.report.figures import data, draw_costs, draw_latency, draw_networks, draw_ratios, draw_sizes
from profiler.report.figures.layout import Canvas, Styles
from profiler.report.model import Figure

FONTS = ("system-ui", "-apple-system", "Segoe UI", "Roboto", "Helvetica", "Arial", "sans-serif")
"""The page's own, in the order of trial."""

_LAID_OUT_IN = "DejaVu Sans"
"""Comes with matplotlib, and is wider than any of `FONTS`: what fits in it fits."""

Format = Literal["svg", "pdf"]

_UNSAID: dict[Format, dict[str, None]] = {
    "svg": {"Date": None, "Creator": None},
    "pdf": {"CreationDate": None, "Creator": None, "Producer": None},
}
"""What a file does not tell, for it would differ from one day or machine to another."""

STYLE: dict[Any, Any] = {
    # Outlines too, and embedded; making subsets of TrueType fonts (42) would take longer than LaTeX takes.
    "pdf.fonttype": 3,
    "svg.fonttype": "none",
    "svg.hashsalt": "profiler",
    "font.family": [_LAID_OUT_IN],
    "font.size": 8.5,
    "text.parse_math": False,
    "text.color": "#222",
    "axes.axisbelow": True,
    "axes.edgecolor": "#888",
    "axes.formatter.useoffset": False,
    "axes.grid": True,
    "axes.labelcolor": "#222",
    "axes.labelpad": 2,
    "axes.labelsize": 8.5,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlepad": 3,
    "axes.titlesize": 8.5,
    "grid.color": "#e4e4e4",
    "grid.linewidth": 0.6,
    "legend.borderaxespad": 0.1,
    "legend.columnspacing": 1.0,
    "legend.fontsize": 8,
    "legend.frameon": False,
    "legend.handletextpad": 0.5,
    "legend.labelspacing": 0.35,
    "xtick.color": "#444",
    "xtick.labelsize": 8,
    "xtick.major.size": 2.5,
    "ytick.color": "#444",
    "ytick.labelsize": 8,
    "ytick.major.size": 2.5,
}


def draw(figure: Figure, looks: Styles, formats: Sequence[Format] = ("svg",)) -> dict[Format, bytes]:
    """Return the figure as a file of each of the formats, drawn once."""
    return files(figure.title, lambda canvas: paint(canvas, figure.drawing, looks), formats)


def paint(canvas: Canvas, drawing: data.Drawing, looks: Styles) -> None:
    """Draw on an empty canvas, whose size this sets."""
    _PAINTERS[type(drawing)](canvas, drawing, looks)


def files(
    title: str,
    paint: Callable[[Canvas], None],
    formats: Sequence[Format] = ("svg",),
    layout: Literal["constrained"] | None = None,
) -> dict[Format, bytes]:
    """Return what `paint` draws on an empty canvas in the reports' style, as a file of each of the formats."""
    import matplotlib
    import matplotlib.figure

    made: dict[Format, bytes] = {}
    with matplotlib.rc_context(STYLE):
        canvas = matplotlib.figure.Figure(layout=layout)
        paint(canvas)
        for name in formats:
            file = io.BytesIO()
            canvas.savefig(file, format=name, metadata={**_UNSAID[name], "Title": title})
            made[name] = _in_page_fonts(file.getvalue()) if name == "svg" else file.getvalue()
    return made


def _in_page_fonts(svg: bytes) -> bytes:
    stack = ", ".join(f"'{name}'" if " " in name else name for name in FONTS)
    return re.sub(rf"'{_LAID_OUT_IN}'(, sans-serif)?", stack, svg.decode()).encode()


_PAINTERS: dict[type, Callable[[Canvas, Any, Styles], None]] = {
    data.CostLines: draw_costs.cost_lines,
    data.CostGrid: draw_costs.cost_grid,
    data.AmortisedLines: draw_costs.amortised_lines,
    data.RatioDots: draw_ratios.ratio_dots,
    data.RunBars: draw_ratios.run_bars,
    data.LatencySteps: draw_latency.latency_steps,
    data.LatencyTrace: draw_latency.latency_trace,
    data.SizeDots: draw_sizes.size_dots,
    data.RefillBars: draw_networks.refill_bars,
    data.OperatorBars: draw_networks.operator_bars,
    data.MissDots: draw_networks.miss_dots,
}
"""What draws each kind of drawing on an empty canvas, whose size it sets."""
