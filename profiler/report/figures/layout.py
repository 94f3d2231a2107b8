"""What all drawings share: how a model looks, panels on a grid, keys, lines of caches, which points are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import numpy as np
from numpy.typing import NDArray

from profiler.machine.cache_fit import Level

if TYPE_CHECKING:
    import matplotlib.axes
    import matplotlib.figure

Axes: TypeAlias = "matplotlib.axes.Axes"
Canvas: TypeAlias = "matplotlib.figure.Figure"

Properties = dict[str, Any]
"""Of an artist of matplotlib's."""

Dashes = str | tuple[float, tuple[float, ...]]
"""`-`, or offset, and lengths of strokes and gaps in line widths."""

SOLID: Dashes = "-"
DASHED: Dashes = (0, (4, 3))
DOTTED: Dashes = (0, (1, 2))

# Okabe and Ito's palette, which colour-blind readers tell apart, without its yellow; no two markers look alike in grey.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES: tuple[Dashes, ...] = (SOLID, (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.6, 1.2, 1.6)))

WIDTH = 6.6
"""Of a figure, in inches."""

ABREAST = 3
"""Most panels in a row."""

SMALL = 7.5
"""Font size within small panels, in points."""

DOTS, GRID_DOTS = 300, 60
"""Most marks that a panel has of a model, alone and among many; more only blacken it."""

STEPS = 300
"""Most steps of a distribution; of more values these are their quantiles."""

_ALONE = 0.6
"""Share of `WIDTH` that a panel has by itself."""

_KEY_ROW, _KEY_MARK = 0.19, 0.42
"""Height of a key's row, and width of an entry beside its letters, in inches."""

_LABEL, _HEAD = 20, 7
"""Letters of a label that a panel is wide enough for, and those from its beginning where it is cut: models of one
family differ at the end."""

_HEADS = {1: (9.5, 44), 2: (9, 28), 3: (8, _LABEL)}
"""Font size in points and letters of a panel's head, by how many stand abreast."""


class ModelStyle(NamedTuple):
    """How a model looks in every figure."""

    colour: str
    marker: str
    dashes: Dashes = SOLID


Styles = Mapping[str, ModelStyle]
"""By model label."""


class Margins(NamedTuple):
    """Around a grid of panels and between them, in inches."""

    left: float = 0.72
    right: float = 0.2
    top: float = 0.32
    bottom: float = 0.5
    across: float = 0.72
    down: float = 0.82


def marks(labels: Sequence[str]) -> dict[str, ModelStyle]:
    """Return a colour, a marker and dashes for each model; where the colours come again, each has the next marker."""
    count = len(_COLOURS)
    return {
        label: ModelStyle(
            _COLOURS[place % count], _MARKERS[(place + place // count) % len(_MARKERS)], _DASHES[place % len(_DASHES)]
        )
        for place, label in enumerate(labels)
    }


def grid(
    canvas: Canvas, heights: Sequence[float], columns: int, margins: Margins, width: float = WIDTH
) -> list[list[Axes]]:
    """Return axes by row and column, of these heights in inches; sets the canvas's size.

    The places are fixed beforehand: matplotlib's layouts, which measure all text, take twice as long as the drawing.
    """
    whole = margins.top + sum(heights) + margins.down * (len(heights) - 1) + margins.bottom
    canvas.set_size_inches(width, whole)
    each = (width - margins.left - margins.right - margins.across * (columns - 1)) / columns
    rows, top = [], whole - margins.top
    for height in heights:
        bottom = (top - height) / whole
        lefts = [margins.left + column * (each + margins.across) for column in range(columns)]
        rows.append([canvas.add_axes((left / width, bottom, each / width, height / whole)) for left in lefts])
        top -= height + margins.down
    return rows


def cells(
    canvas: Canvas, count: int, height: float, margins: Margins, abreast: int = ABREAST, width: float = WIDTH
) -> list[Axes]:
    """Return so many axes of one height in inches on a grid, row by row."""
    columns = min(count, abreast)
    every = [axes for row in grid(canvas, [height] * -(-count // columns), columns, margins, width) for axes in row]
    for unused in every[count:]:
        unused.remove()
    return every[:count]


def panels(canvas: Canvas, count: int, margins: Margins, height: float = 1.53) -> list[Axes]:
    """Return axes as `cells` does; one by itself is not as wide as the page."""
    return cells(canvas, count, height, margins, width=WIDTH if count > 1 else _ALONE * WIDTH)


def inches(letters: int, size: float) -> float:
    """Return the width of so many letters in a font size; of DejaVu Sans, which is wider than most."""
    return letters * 0.6 * size / 72


class Key(NamedTuple):
    """What looks mean, above the panels: the words, and the properties of the `Line2D` beside them."""

    entries: Sequence[tuple[str, Properties]]

    @property
    def columns(self) -> int:
        longest = max((len(words) for words, _ in self.entries), default=0)
        return max(1, int(WIDTH / (inches(longest, 8) + _KEY_MARK)))

    @property
    def height(self) -> float:
        """In inches."""
        return -(-len(self.entries) // self.columns) * _KEY_ROW + 0.06 if self.entries else 0.0

    def draw(self, canvas: Canvas) -> None:
        """Draw at the upper left corner of the canvas, row by row."""
        from matplotlib.lines import Line2D

        columns = min(self.columns, len(self.entries))
        handles = [Line2D([], [], label=words, **look) for words, look in self.entries]
        # A legend fills column by column.
        ordered = [handle for column in range(columns) for handle in handles[column::columns]]
        if ordered:
            canvas.legend(handles=ordered, loc="upper left", bbox_to_anchor=(0, 1), ncols=columns)


def model_key(looks: Styles, labels: Sequence[str]) -> Key:
    """Return the models' colours, markers and dashes."""
    longest = 44 if len(labels) < ABREAST else 32
    size: Properties = {"markersize": 4.5, "linewidth": 1.3}
    mine = {label: looks[label] for label in labels}
    return Key(
        [
            (short(label, longest), {"color": look.colour, "marker": look.marker, "linestyle": look.dashes, **size})
            for label, look in mine.items()
        ]
    )


def head(axes: Axes, label: str, look: ModelStyle, abreast: int = ABREAST, pad: float = 5) -> None:
    """Write a model's name above its panel, as long as a panel of so many abreast is wide; `pad` points above it."""
    size, letters = _HEADS[min(abreast, ABREAST)]
    axes.set_title(short(label, letters), color=look.colour, fontweight="bold", fontsize=size, pad=pad)


def with_unit(words: str, symbol: str) -> str:
    """Return an axis's label: `latency (ms)`."""
    return f"{words} ({symbol})" if symbol else words


def cache_lines(axes: Axes, levels: Sequence[Level], upright: bool = True, dashes: Dashes = DOTTED) -> None:
    """Draw a line at the size of each cache, with its name at the line's end above the panel or right of it."""
    line, along = (axes.axvline, axes.get_xaxis_transform()) if upright else (axes.axhline, axes.get_yaxis_transform())
    for name, size in levels:
        line(size, color="#444", linewidth=1, linestyle=dashes, zorder=1.5)
        end, apart, at = ((size, 1), (0, 2), "center") if upright else ((1, size), (2, -2.5), "left")
        axes.annotate(name, end, apart, along, "offset points", fontsize=SMALL, ha=at)


def some(count: int, most: int) -> NDArray[np.intp]:
    """Return places of the points to draw: all, or `most` of them by chance, always the same."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def short(label: str, most: int = _LABEL) -> str:
    """Return a label of no more letters than `most`."""
    return label if len(label) <= most else f"{label[:_HEAD]}…{label[_HEAD + 1 - most :]}"
