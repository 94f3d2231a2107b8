"""What all drawings share: how a model looks, and panels side by side."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

# Okabe and Ito's palette, which colour-blind readers tell apart, without its yellow; no two markers look alike in grey.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#555555")
_MARKERS = ("o", "s", "^", "D", "v", "P", "X")

WIDTH = 6.6
"""Of a figure, in inches."""

PANEL_HEIGHT = 2.35

_ABREAST = 3
_LABEL = 20
"""Letters of a label that a panel is wide enough for."""
_HEAD = 7
"""Of these, letters from its beginning where it is cut: models of one family differ at the end."""


class Mark(NamedTuple):
    """How a model looks in every figure."""

    colour: str
    marker: str


def marks(labels: Sequence[str]) -> dict[str, Mark]:
    """A colour and a marker for each model; where the colours come again, each has the next marker."""
    count = len(_COLOURS)
    return {
        label: Mark(_COLOURS[place % count], _MARKERS[(place + place // count) % len(_MARKERS)])
        for place, label in enumerate(labels)
    }


def panels(canvas: "Canvas", count: int, height: float = PANEL_HEIGHT) -> list["Axes"]:
    """Axes side by side, `_ABREAST` in a row, each with a scale of its own; `height` is a row's, in inches."""
    columns = min(count, _ABREAST)
    rows = -(-count // columns)
    canvas.set_size_inches(WIDTH if columns > 1 else WIDTH * 0.6, height * rows)
    every = list(canvas.subplots(rows, columns, squeeze=False).flat)
    for unused in every[count:]:
        unused.remove()
    return every[:count]


def short(label: str) -> str:
    """A label that a panel is wide enough for."""
    return label if len(label) <= _LABEL else f"{label[:_HEAD]}…{label[_HEAD + 1 - _LABEL :]}"
