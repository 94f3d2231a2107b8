"""What all drawings share: how a model looks, panels on a grid, keys, ticks, which points are drawn."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

Dashes = str | tuple[float, tuple[float, ...]]
"""`-`, or offset, and lengths of strokes and gaps in line widths."""

# Okabe and Ito's palette, which colour-blind readers tell apart, without its yellow; no two markers look alike in grey.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")
_DASHES: tuple[Dashes, ...] = ("-", (0, (5, 1.6)), (0, (1.2, 1.2)), (0, (6, 1.6, 1.2, 1.6)))

WIDTH = 6.6
"""Of a figure, in inches."""

PANEL_HEIGHT = 2.35

ABREAST = 3
"""Most panels in a row."""

LETTER = 0.6
"""Mean width of a letter, in font sizes; of DejaVu Sans, which is wider than most."""

SMALL = 7.5
"""Font size within small panels, in points."""

SOLID: Dashes = "-"
DASHED: Dashes = (0, (4, 3))
DOTTED: Dashes = (0, (1, 2))

DOTS = 300
"""Most marks that a panel has of a model; more only blacken it."""

GRID_DOTS = 60
"""The same of one panel among many."""

STEPS = 300
"""Most steps of a distribution; of more values these are their quantiles."""

_INCH = 72.0
"""In points."""

_KEY_ROW = 0.19
"""Height of a key's row, in inches."""
_KEY_MARK = 0.42
"""Width of an entry beside its letters, in inches."""

_LABEL = 20
"""Letters of a label that a panel is wide enough for."""
_HEAD = 7
"""Of these, letters from its beginning where it is cut: models of one family differ at the end."""


_HEADS = {1: (9.5, 44), 2: (9, 28), 3: (8, _LABEL)}
"""Font size in points and letters of a panel's head, by how many stand abreast."""


class SeriesMark(NamedTuple):
    """How a model looks in every figure."""

    colour: str
    marker: str
    dashes: Dashes = SOLID


class Margins(NamedTuple):
    """Around a grid of panels and between them, in inches."""

    left: float = 0.62
    right: float = 0.1
    top: float = 0.3
    bottom: float = 0.45
    across: float = 0.6
    down: float = 0.35


_AROUND = Margins(left=0.72, right=0.2, top=0.32, bottom=0.5, across=0.72)

_ALONE = 0.6
"""Share of `WIDTH` that a panel has by itself."""


def marks(labels: Sequence[str]) -> dict[str, SeriesMark]:
    """A colour, a marker and dashes for each model; where the colours come again, each has the next marker."""
    count = len(_COLOURS)
    return {
        label: SeriesMark(
            _COLOURS[place % count],
            _MARKERS[(place + place // count) % len(_MARKERS)],
            _DASHES[place % len(_DASHES)],
        )
        for place, label in enumerate(labels)
    }


def panels(
    canvas: "Canvas", count: int, height: float = PANEL_HEIGHT, margins: Margins = _AROUND, above: float = 0.0
) -> list["Axes"]:
    """Axes side by side, `ABREAST` in a row, each with a scale of its own.

    Args:
        height: Of a row with what is around it, in inches.
        above: What a key takes, in inches.
    """
    inside = height - margins.top - margins.bottom
    margins = margins._replace(top=margins.top + above, down=margins.top + margins.bottom)
    return cells(canvas, count, inside, margins, width=WIDTH if count > 1 else _ALONE * WIDTH)


def grid(
    canvas: "Canvas", heights: Sequence[float], columns: int, margins: Margins, width: float = WIDTH
) -> list[list["Axes"]]:
    """Axes by row and column, of these heights in inches; sets the canvas's size.

    The places are fixed beforehand: a layout that measures all text takes longer than the drawing.
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
    canvas: "Canvas", count: int, height: float, margins: Margins, abreast: int = ABREAST, width: float = WIDTH
) -> list["Axes"]:
    """So many axes of one height on a grid, row by row."""
    columns = min(count, abreast)
    rows = grid(canvas, [height] * -(-count // columns), columns, margins, width)
    every = [axes for row in rows for axes in row]
    for unused in every[count:]:
        unused.remove()
    return every[:count]


def inches(letters: int, size: float) -> float:
    """Width of so many letters in a font size."""
    return letters * LETTER * size / _INCH


class Key(NamedTuple):
    """What looks mean, above the panels.

    Attributes:
        entries: The words, and the properties of the `Line2D` beside them.
        size: Of the font, in points.
    """

    entries: Sequence[tuple[str, Mapping[str, Any]]]
    size: float = 8

    @property
    def columns(self) -> int:
        longest = max((len(words) for words, _ in self.entries), default=0)
        return max(1, int(WIDTH / (inches(longest, self.size) + _KEY_MARK)))

    @property
    def height(self) -> float:
        """In inches."""
        return -(-len(self.entries) // self.columns) * _KEY_ROW + 0.06 if self.entries else 0.0

    def draw(self, canvas: "Canvas") -> None:
        """At the upper left corner of the canvas, row by row."""
        from matplotlib.lines import Line2D

        columns = min(self.columns, len(self.entries))
        if not columns:
            return
        handles = [Line2D([], [], label=words, **look) for words, look in self.entries]
        # A legend fills column by column.
        canvas.legend(
            handles=[handle for column in range(columns) for handle in handles[column::columns]],
            loc="upper left",
            bbox_to_anchor=(0, 1),
            ncols=columns,
            frameon=False,
            fontsize=self.size,
            handlelength=2.0,
            handletextpad=0.5,
            columnspacing=1.0,
            labelspacing=0.35,
            borderaxespad=0.1,
        )


def model_key(looks: Mapping[str, SeriesMark], labels: Sequence[str]) -> Key:
    """The models' colours, markers and dashes."""
    longest = 44 if len(labels) < ABREAST else 32
    return Key(
        [
            (
                short(label, longest),
                {
                    "color": looks[label].colour,
                    "marker": looks[label].marker,
                    "linestyle": looks[label].dashes,
                    "markersize": 4.5,
                    "linewidth": 1.3,
                },
            )
            for label in labels
        ]
    )


def head(axes: "Axes", label: str, look: SeriesMark, abreast: int = ABREAST, pad: float = 5) -> None:
    """A model's name above its panel, as long as a panel of so many abreast is wide; `pad` points above it."""
    size, letters = _HEADS[min(abreast, ABREAST)]
    words = short(label, letters)
    axes.set_title(words, loc="left", color=look.colour, fontweight="bold", fontsize=size, pad=pad)


def some(count: int, most: int) -> NDArray[np.intp]:
    """Places of the points to draw: all, or `most` of them by chance, always the same."""
    return np.sort(np.random.default_rng(0).permutation(count)[:most])


def short(label: str, most: int = _LABEL) -> str:
    """A label of no more letters than `most`."""
    return label if len(label) <= most else f"{label[:_HEAD]}…{label[_HEAD + 1 - most :]}"
