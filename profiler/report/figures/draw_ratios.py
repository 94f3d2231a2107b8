"""Drawings of ratios on logarithmic axes, and of whole runs in parts."""

from collections.abc import Sequence

import numpy as np

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.analysis.stats import Estimate
from profiler.report.figures import layout
from profiler.report.figures.data import Ratio, RatioDots, RunBars
from profiler.report.figures.layout import Axes, Canvas, ModelStyle, Properties, Styles
from profiler.report.figures.log_ticks import even_ticks, log_ticks

_ROW, _BAR = 0.21, 0.24
"""Height of a ratio's row, and of a run's bar with the gap to the next, in inches."""

_NARROW = 1.6
"""Width of the events' names up to which three panels stand beside them, in inches."""

_FAR = 4.0
"""How many times as far as the outermost ratio an interval's end may take an axis."""

_APART = 0.17
"""Of the two ratios of an event from the row's middle, in rows."""

# Grey for what is no phase of the worker, then from dark blue to light yellow, an order that grey print keeps.
_PHASE_COLOURS = ("#d9d9d9", "#00204d", "#5a6f98", "#8c8c8c", "#b5a76c", "#eadb5f")
_STEADY: Properties = {"facecolor": "white", "edgecolor": "#444", "hatch": "////", "linewidth": 0.8}

_ONE_COLUMN = 4
"""Most models whose bars stand beneath one another."""


def ratio_dots(canvas: Canvas, drawing: RatioDots, looks: Styles) -> None:
    """A panel for each that is divided, a row an event; a line at 1."""
    names = [ratio.name for ratio in next(iter(drawing.panels.values()))]
    grey = ModelStyle("#444", "o")
    key = layout.Key([("for each image", _mark(grey, filled=True)), ("once", _mark(grey, filled=False))])
    left = layout.inches(max(map(len, names)), layout.SMALL) + 0.15
    abreast = min(len(drawing.panels), layout.ABREAST if left < _NARROW else 2)
    margins = layout.Margins(left, top=0.3 + key.height, across=0.2, down=0.6)
    low, high = _range([ratio for ratios in drawing.panels.values() for ratio in ratios])
    found = layout.cells(canvas, len(drawing.panels), _ROW * len(names) + 0.1, margins, abreast)
    for place, (axes, (label, ratios)) in enumerate(zip(found, drawing.panels.items(), strict=True)):
        axes.set(xscale="log", xlim=(low, high), ylim=(len(names) - 0.4, -0.6))
        axes.axvline(1, color="#222", linewidth=1, zorder=1)
        for row, ratio in enumerate(ratios):
            _ratio(axes, ratio.per_image, row - _APART, looks[label], filled=True)
            _ratio(axes, ratio.once, row + _APART, looks[label], filled=False)
        axes.set_yticks(range(len(names)), names if place % abreast == 0 else [""] * len(names))
        axes.tick_params(axis="y", length=0, labelsize=layout.SMALL)
        log_ticks(axes.xaxis, low, high, lambda value: notation.plain(value, notation.NUMBER), 7 - abreast)
        layout.head(axes, label, looks[label], abreast)
    said = f"times {layout.short(drawing.below, 44)}'s cost{f', {SIMULATED}' if drawing.simulated else ''}"
    canvas.text(left / layout.WIDTH, 0.08 / canvas.get_size_inches()[1], said, fontsize=8.5)
    key.draw(canvas)


def _mark(look: ModelStyle, filled: bool) -> Properties:
    face = look.colour if filled else "white"
    size = {"markersize": 4.6, "markeredgewidth": 1.1}
    return {"marker": look.marker, "color": look.colour, "markerfacecolor": face, "linestyle": "", **size}


def _range(ratios: Sequence[Ratio]) -> tuple[float, float]:
    """Return the ends of an axis for all ratios, 1, its half and its double, and those ends of intervals that are not
    far off.
    """
    figures = [figure for ratio in ratios for figure in (ratio.per_image, ratio.once) if figure and figure.value > 0]
    values = [1.0, *(figure.value for figure in figures)]
    least, most = min(values) / _FAR, max(values) * _FAR
    values += [end for figure in figures for end in figure.interval or () if least < end < most]
    return min(0.45, min(values) / 1.3), max(2.2, max(values) * 1.3)


def _ratio(axes: Axes, figure: Estimate | None, y: float, look: ModelStyle, filled: bool) -> None:
    if figure is None or figure.value <= 0:
        return
    if figure.interval:
        low, high = figure.interval
        # An end at or below 0 has no place on the axis: the line leaves the panel.
        axes.plot([max(low, figure.value * 1e-9), high], [y, y], color=look.colour, linewidth=1.1)
    axes.plot(figure.value, y, zorder=3, **_mark(look, filled))


def run_bars(canvas: Canvas, drawing: RunBars, looks: Styles) -> None:
    """A panel a model with a scale of its own, for what one pays in seconds another pays in milliseconds."""
    images = drawing.images if drawing.per_image_ns else ()
    key = _phase_key([drawing.words[phase.name] for phase in next(iter(drawing.phases.values()))], steady=bool(images))
    words = [notation.counted(count, "image") for count in images] or ["no image"]
    left = layout.inches(max(map(len, words)), 8) + 0.15
    margins = layout.Margins(left, right=0.75, top=0.32 + key.height, across=1.5, down=0.85)
    abreast = 1 if len(drawing.phases) <= _ONE_COLUMN else 2
    found = layout.cells(canvas, len(drawing.phases), _BAR * len(words), margins, abreast)
    for axes, (label, phases) in zip(found, drawing.phases.items(), strict=True):
        steady = [drawing.per_image_ns.get(label, 0.0) * count for count in images] or [0.0]
        parts = np.array([max(phase.wall_ns.value, 0) for phase in phases])
        divisor, symbol = notation.scale(parts.sum() + steady[-1], "ns")
        begins = np.cumsum([0, *parts]) / divisor
        for row, inferences in enumerate(steady):
            axes.barh(row, parts / divisor, 0.72, begins[:-1], color=_PHASE_COLOURS, edgecolor="white", linewidth=0.6)
            if inferences > 0:
                axes.barh(row, inferences / divisor, 0.72, begins[-1], **_STEADY)
            end, said = begins[-1] + inferences / divisor, notation.plain(parts.sum() + inferences, "ns")
            axes.annotate(said, (end, row), (3, 0), textcoords="offset points", va="center", fontsize=8)
        axes.set_yticks(range(len(words)), words)
        axes.set(ylim=(len(words) - 0.5, -0.5), xlim=(0, begins[-1] + steady[-1] / divisor or 1))
        axes.tick_params(axis="y", length=0, grid_alpha=0)
        axes.spines["left"].set_visible(False)
        even_ticks(axes.xaxis, 6)
        axes.set_xlabel(f"wall time ({symbol})")
        layout.head(axes, label, looks[label], abreast)
    key.draw(canvas)


def _phase_key(names: Sequence[str], steady: bool) -> layout.Key:
    square = {"marker": "s", "linestyle": "", "markersize": 8, "markeredgewidth": 0.6, "markeredgecolor": "#888"}
    entries = [(name, square | {"color": colour}) for name, colour in zip(names, _PHASE_COLOURS, strict=True)]
    hatched = ("inferences (hatched)", square | {"color": "white", "markeredgecolor": "#444"})
    return layout.Key([*entries, *([hatched] if steady else [])])
