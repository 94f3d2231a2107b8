"""The drawing of models' sizes against caches."""

from typing import TYPE_CHECKING

from profiler.analysis import notation
from profiler.report.figures.data import SizeDots
from profiler.report.figures.layout import DOTTED, SMALL, WIDTH, Margins, SeriesMark, cells, inches, short
from profiler.report.figures.log_ticks import byte_ticks

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Canvas

_ROW = 0.22
"""Height of a model's row, in inches."""


def size_dots(canvas: "Canvas", drawing: SizeDots, looks: dict[str, SeriesMark]) -> None:
    """A panel a kind of size, a row a model, all on one axis of bytes; lines at the caches' sizes."""
    labels = list(dict.fromkeys(label for sizes in drawing.panels.values() for label in sizes))
    every = [size for sizes in drawing.panels.values() for size in sizes.values()]
    low = min((*every, *(size for _, size in drawing.levels))) / 2
    # The figure beside the rightmost mark needs room.
    high = max((*every, *(size for _, size in drawing.levels))) * 8
    abreast = min(len(drawing.panels), 2)
    left = inches(max(len(short(label)) for label in labels), 8) + 0.15
    margins = Margins(left=left, right=0.12, top=0.42, bottom=0.62, across=0.35, down=0.9)
    found = cells(canvas, len(drawing.panels), _ROW * len(labels) + 0.08, margins, 2)
    for place, (axes, (words, sizes)) in enumerate(zip(found, drawing.panels.items(), strict=True)):
        axes.set_xscale("log", base=2)
        axes.set_xlim(low, high)
        axes.set_ylim(len(labels) - 0.4, -0.6)
        for row, label in enumerate(labels):
            if label not in sizes:
                axes.text(0.02, row, notation.ABSENT, transform=axes.get_yaxis_transform(), fontsize=SMALL, va="center")
                continue
            look, size = looks[label], sizes[label]
            axes.plot([low, size], [row, row], color=look.colour, linewidth=1.6, alpha=0.6, zorder=2)
            axes.plot(size, row, look.marker, color=look.colour, markersize=5.5, zorder=3)
            said = notation.size(size)
            box = {"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 0.6}
            axes.annotate(
                said, (size, row), (6, 0), textcoords="offset points", fontsize=SMALL, va="center", bbox=box, zorder=4
            )
        for name, size in drawing.levels:
            axes.axvline(size, color="#444", linewidth=1, linestyle=DOTTED, zorder=1)
            above = axes.get_xaxis_transform()
            axes.annotate(
                name, (size, 1), (0, 2), xycoords=above, textcoords="offset points", fontsize=SMALL, ha="center"
            )
        byte_ticks(axes.xaxis, low, high, lambda size: notation.size(size), 5)
        axes.set_yticks(range(len(labels)), [short(label) for label in labels] if place % abreast == 0 else [])
        axes.tick_params(axis="y", length=0, labelsize=8)
        axes.tick_params(axis="x", labelsize=8, length=2.5)
        axes.grid(visible=True, axis="x")
        axes.set_axisbelow(True)
        axes.set_title(words, loc="left", fontsize=9, pad=13)
        axes.set_xlabel("size", fontsize=8.5, labelpad=2)
    if drawing.levels:
        where = (left / WIDTH, 0.06 / canvas.get_size_inches()[1])
        canvas.text(*where, f"dotted lines: {drawing.whose}", fontsize=SMALL, color="#444")
