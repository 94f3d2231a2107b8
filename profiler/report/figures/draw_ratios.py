"""Drawings of ratios on logarithmic axes, and of whole runs in parts."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Phase
from profiler.report.figures.data import Ratio, RatioDots, RunBars
from profiler.report.figures.layout import ABREAST, SMALL, WIDTH, Key, Margins, SeriesMark, cells, head, inches, short
from profiler.report.figures.log_ticks import log_ticks

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_ROW = 0.21
"""Height of a ratio's row, in inches."""

_NARROW = 1.6
"""Width of the events' names up to which three panels stand beside them, in inches."""

_FAR = 4.0
"""How many times as far as the outermost ratio an interval's end may take an axis."""

_APART = 0.17
"""Of the two ratios of an event from the row's middle, in rows."""

# Grey for what is no phase of the worker, then from dark blue to light yellow, an order that grey print keeps.
_PHASE_COLOURS = ("#d9d9d9", "#00204d", "#5a6f98", "#8c8c8c", "#b5a76c", "#eadb5f")
_STEADY: dict[str, Any] = {"facecolor": "white", "edgecolor": "#444", "hatch": "////", "linewidth": 0.8}

_BAR = 0.24
"""Height of a run's bar with the gap to the next, in inches."""

_ONE_COLUMN = 4
"""Most models whose bars stand beneath one another."""


def ratio_dots(canvas: "Canvas", drawing: RatioDots, looks: dict[str, SeriesMark]) -> None:
    """A panel for each that is divided, a row an event; a line at 1."""
    names = [ratio.name for ratio in next(iter(drawing.panels.values()))]
    key = Key([("for each image", _mark("o", "#444", filled=True)), ("once", _mark("o", "#444", filled=False))])
    left = inches(max(map(len, names)), SMALL) + 0.15
    abreast = min(len(drawing.panels), ABREAST if left < _NARROW else 2)
    margins = Margins(left=left, right=0.2, top=0.3 + key.height, bottom=0.5, across=0.2, down=0.6)
    low, high = _range([ratio for ratios in drawing.panels.values() for ratio in ratios])
    found = cells(canvas, len(drawing.panels), _ROW * len(names) + 0.1, margins, abreast)
    for place, (axes, (label, ratios)) in enumerate(zip(found, drawing.panels.items(), strict=True)):
        look = looks[label]
        axes.set_xscale("log")
        axes.set_xlim(low, high)
        axes.set_ylim(len(names) - 0.4, -0.6)
        axes.axvline(1, color="#222", linewidth=1, zorder=1)
        for row, ratio in enumerate(ratios):
            _ratio(axes, ratio.per_image, row - _APART, look, filled=True)
            _ratio(axes, ratio.once, row + _APART, look, filled=False)
        axes.set_yticks(range(len(names)), names if place % abreast == 0 else [""] * len(names))
        axes.tick_params(axis="y", length=0, labelsize=SMALL)
        axes.tick_params(axis="x", labelsize=8, length=2.5)
        log_ticks(axes.xaxis, low, high, lambda value: notation.number(value), 7 - abreast)
        axes.grid(visible=True)
        axes.set_axisbelow(True)
        head(axes, label, look, abreast)
    said = f"times {short(drawing.below, 44)}'s cost{f', {SIMULATED}' if drawing.simulated else ''}"
    canvas.text(left / WIDTH, 0.08 / canvas.get_size_inches()[1], said, fontsize=8.5)
    key.draw(canvas)


def _mark(marker: str, colour: str, filled: bool) -> dict[str, Any]:
    face = colour if filled else "white"
    look = {"marker": marker, "color": colour, "markerfacecolor": face, "markersize": 4.6, "markeredgewidth": 1.1}
    return look | {"linestyle": ""}


def _range(ratios: Sequence[Ratio]) -> tuple[float, float]:
    """An axis for all ratios, 1, its half and its double, and those ends of intervals that are not far off."""
    figures = [figure for ratio in ratios for figure in (ratio.per_image, ratio.once) if figure and figure.value > 0]
    values = [1.0, *(figure.value for figure in figures)]
    least, most = min(values) / _FAR, max(values) * _FAR
    ends = [end for figure in figures for end in figure.interval or () if least < end < most]
    return min(0.45, min(*values, *ends) / 1.3), max(2.2, max(*values, *ends) * 1.3)


def _ratio(axes: "Axes", figure: Estimate | None, y: float, look: SeriesMark, filled: bool) -> None:
    if figure is None or figure.value <= 0:
        return
    if figure.interval:
        low, high = figure.interval
        # An end at or below 0 has no place on the axis: the line leaves the panel.
        axes.plot([max(low, figure.value * 1e-9), high], [y, y], color=look.colour, linewidth=1.1, zorder=2)
    axes.plot(figure.value, y, zorder=3, **_mark(look.marker, look.colour, filled))


def run_bars(canvas: "Canvas", drawing: RunBars, looks: dict[str, SeriesMark]) -> None:
    """A panel a model with a scale of its own, for what one pays in seconds another pays in milliseconds."""
    from matplotlib.ticker import MaxNLocator

    names = [phase.name for phase in next(iter(drawing.phases.values()))]
    colours = dict(zip(names, _PHASE_COLOURS, strict=True))
    images = drawing.images if drawing.per_image_ns else ()
    key = _phase_key({drawing.words[name]: colour for name, colour in colours.items()}, steady=bool(images))
    words = [notation.counted(count, "image") for count in images] or ["no image"]
    margins = Margins(
        left=inches(max(map(len, words)), 8) + 0.15,
        right=0.75,
        top=0.32 + key.height,
        bottom=0.5,
        across=1.5,
        down=0.85,
    )
    abreast = 1 if len(drawing.phases) <= _ONE_COLUMN else 2
    found = cells(canvas, len(drawing.phases), _BAR * len(words), margins, abreast)
    for axes, (label, phases) in zip(found, drawing.phases.items(), strict=True):
        steady = drawing.per_image_ns.get(label, 0.0)
        runs = [steady * count for count in images] or [0.0]
        once = sum(max(phase.wall_ns.value, 0) for phase in phases)
        divisor, symbol = notation.scale(once + runs[-1], "ns")
        for row, inferences in enumerate(runs):
            _bar(axes, row, phases, inferences, divisor, colours)
            said = notation.plain(once + inferences, "ns")
            axes.annotate(
                said, ((once + inferences) / divisor, row), (3, 0), textcoords="offset points", va="center", fontsize=8
            )
        axes.set_yticks(range(len(words)), words)
        axes.set_ylim(len(words) - 0.5, -0.5)
        axes.tick_params(axis="y", length=0, labelsize=8)
        axes.tick_params(axis="x", labelsize=8, length=2.5)
        axes.spines["left"].set_visible(False)
        axes.set_xlim(0, (once + runs[-1]) / divisor or 1)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=6, steps=[1, 2, 2.5, 5, 10]))
        axes.set_xlabel(f"wall time ({symbol})", fontsize=8.5, labelpad=2)
        head(axes, label, looks[label], abreast)
    key.draw(canvas)


def _bar(
    axes: "Axes", row: int, phases: Sequence[Phase], inferences: float, divisor: float, colours: dict[str, str]
) -> None:
    left = 0.0
    for phase in phases:
        width = max(phase.wall_ns.value, 0) / divisor
        axes.barh(row, width, 0.72, left, color=colours[phase.name], edgecolor="white", linewidth=0.6)
        left += width
    if inferences > 0:
        axes.barh(row, inferences / divisor, 0.72, left, **_STEADY)


def _phase_key(colours: dict[str, str], steady: bool) -> Key:
    square = {"marker": "s", "linestyle": "", "markersize": 8, "markeredgewidth": 0.6}
    entries: list[tuple[str, dict[str, Any]]] = [
        (name, square | {"color": colour, "markeredgecolor": "#888"}) for name, colour in colours.items()
    ]
    if steady:
        entries.append(("inferences (hatched)", square | {"color": "white", "markeredgecolor": "#444"}))
    return Key(entries)
