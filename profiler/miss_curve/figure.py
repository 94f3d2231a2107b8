"""The drawing of a miss curve, and what it shows in words."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from profiler.analysis import notation
from profiler.analysis.notation import listed, plain
from profiler.miss_curve.curve import CurvePoint, Level, levels, machines, short, spread, spreads
from profiler.miss_curve.sentences import heading
from profiler.records import MissCurve
from profiler.report.figures.layout import WIDTH, SeriesMark, marks
from profiler.report.figures.render import svg

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_HEIGHT, _ROW = 3.9, 0.16
"""Inches: of the drawing, and of each line of words around it."""
_WARM, _COLD = "simulated, cache warm (band: ± one standard error)", "simulated, cache empty at the start"
_CROSS = "x"
_DASHED, _DOTTED = (0, (5, 2)), (0, (1, 1.5))
_FONT = 8
_LETTER = 0.62 * _FONT / 72
"""Width of a letter in inches, above the mean of the font that is laid out in."""
_AXES = 0.75
"""Share of the drawing's width that its axes surely have."""
_TICKS = 6


def draw(curve: MissCurve, points: Sequence[CurvePoint]) -> bytes:
    """The curve, the caches of known machines and the points, as an SVG file."""
    return svg(heading(curve), lambda canvas: paint(canvas, curve, points))


def alt(curve: MissCurve, points: Sequence[CurvePoint]) -> str:
    """What the drawing shows, for a reader who cannot see it."""
    warm, cold = spreads(curve.steady), spreads(curve.cold)
    first, last = (notation.size(curve.sizes_bytes[place]) for place in (0, -1))
    found = listed(dict.fromkeys(point.series for point in points))
    beside = f" Points beside it: {found}." if found else ""
    return (
        f"Simulated misses of an inference of {curve.file} against cache size: with warm caches from "
        f"{plain(warm[0].value, '')} at {first} down to {plain(warm[-1].value, '')} at {last}; with empty "
        f"ones from {plain(cold[0].value, '')} to {plain(cold[-1].value, '')}. Vertical lines at "
        f"{listed(words for _, words in _marked(curve))}.{beside}"
    )


def caption(curve: MissCurve, points: Sequence[CurvePoint]) -> str:
    """What the drawing's parts mean."""
    kinds = {point.kind for point in points}
    said = [
        "The line is for an LRU cache without sets. Warm, it still has what the inference before left; the dashed "
        "line is for one that is empty at the inference's start. Vertical lines are the caches of known machines. "
        f"The dotted line is what any empty cache misses: each distinct line of {curve.line_bytes} bytes once."
    ]
    if kinds - {"measured"}:
        said.append("Crosses and hollow marks are simulated, cache by cache, with sets.")
    if "measured" in kinds:
        said.append("Filled marks are counted by hardware, on which a prefetcher's reads may be among them.")
    return " ".join(said)


def paint(canvas: "Canvas", curve: MissCurve, points: Sequence[CurvePoint]) -> None:
    """Draws on the canvas, whose size this sets."""
    series = dict.fromkeys(point.series for point in points)
    looks = marks((_WARM, _COLD, *series))
    looks |= {point.series: SeriesMark("#111", _CROSS) for point in points if point.kind == "same pass"}
    rows = _rows(curve)
    canvas.set_size_inches(WIDTH, _HEIGHT + _ROW * (len(series) + max(rows.values(), default=0)))
    axes = canvas.subplots()
    _curves(axes, curve, looks)
    _floor(axes, curve)
    for point in points:
        _point(axes, point, looks[point.series])
    _axes(axes, curve)
    _caches(axes, rows)
    handles, labels = axes.get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    canvas.legend(
        named.values(), named.keys(), loc="outside lower left", ncols=1, frameon=False, fontsize=_FONT, labelspacing=0.3
    )


def _curves(axes: "Axes", curve: MissCurve, looks: dict[str, SeriesMark]) -> None:
    sizes = np.array(curve.sizes_bytes)
    warm, cold = spreads(curve.steady), spreads(curve.cold)
    mean = np.array([found.value for found in warm])
    error = np.array([found.error or 0 for found in warm])
    axes.fill_between(sizes, mean - error, mean + error, color=looks[_WARM].colour, alpha=0.25, linewidth=0, zorder=3)
    axes.plot(sizes, mean, color=looks[_WARM].colour, linewidth=1.8, zorder=4, label=_WARM)
    values = [found.value for found in cold]
    axes.plot(sizes, values, color=looks[_COLD].colour, linewidth=1.1, linestyle=_DASHED, zorder=5, label=_COLD)


def _floor(axes: "Axes", curve: MissCurve) -> None:
    touched = spread(curve.touched).value
    axes.axhline(touched, color="#444", linewidth=1, linestyle=_DOTTED, zorder=2)
    said = f"distinct lines touched ({notation.size(touched * curve.line_bytes)})"
    axes.annotate(
        said,
        (0, touched),
        (4, 3),
        xycoords=axes.get_yaxis_transform(),
        textcoords="offset points",
        fontsize=_FONT,
        bbox={"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5},
        zorder=2.5,
    )


def _point(axes: "Axes", point: CurvePoint, look: SeriesMark) -> None:
    """Crosses and hollow marks are simulated, filled ones measured; with their intervals, where they have any."""
    if point.interval:
        ends = [point.size_bytes, point.size_bytes]
        axes.plot(ends, point.interval, color=look.colour, linewidth=1.2, zorder=6)
    axes.plot(
        point.size_bytes,
        point.misses,
        look.marker,
        color=look.colour,
        markerfacecolor=look.colour if point.kind == "measured" else "white",
        markersize=7,
        markeredgewidth=1.4,
        zorder=8 if look.marker == _CROSS else 7,
        label=point.series,
        clip_on=False,
    )


def _axes(axes: "Axes", curve: MissCurve) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, MultipleLocator, NullLocator

    smallest, largest = curve.sizes_bytes[0], curve.sizes_bytes[-1]
    axes.set_xscale("log", base=2)
    axes.set_xlim(smallest, largest)
    axes.xaxis.set_major_locator(FixedLocator([float(2**power) for power in range(14, 27, 2)]))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.xaxis.set_major_formatter(FuncFormatter(lambda size, _: notation.size(size)))
    axes.set_xlabel("cache size")
    # A straight scale, on which nothing vanishes: a cache that holds all leaves 0 or nearly so.
    most = axes.dataLim.ymax
    axes.set_ylim(-0.015 * most, 1.05 * most)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda misses, _: plain(misses, "")))
    axes.set_ylabel("misses an inference")
    line = curve.line_bytes
    beyond = axes.secondary_yaxis("right", functions=(lambda y: np.multiply(y, line), lambda y: np.divide(y, line)))
    beyond.yaxis.set_major_locator(MultipleLocator(_step(most * line)))
    beyond.yaxis.set_major_formatter(FuncFormatter(lambda size, _: notation.size(size)))
    beyond.set_ylabel(f"bytes from beyond ({line} a miss)")
    axes.grid(visible=True)
    axes.set_axisbelow(True)


def _marked(curve: MissCurve) -> Iterator[tuple[int, str]]:
    """The sizes of known machines' caches on the curve, ascending, each with whose it is."""
    found: dict[int, list[Level]] = {}
    for machine in machines(curve):
        for level in levels(machine):
            if curve.sizes_bytes[0] <= level.size_bytes <= curve.sizes_bytes[-1]:
                found.setdefault(level.size_bytes, []).append(level)
    for size in sorted(found):
        whose = ", ".join(f"{short(level.machine)} {level.name}" for level in found[size])
        yield size, f"{whose} {notation.size(size)}"


def _step(most: float) -> float:
    """The power of two between ticks that makes at most `_TICKS` of them up to `most`."""
    return float(2 ** np.ceil(np.log2(max(most, 1) / _TICKS)))


def _rows(curve: MissCurve) -> dict[tuple[int, str], int]:
    """For each cache's label the row above the axes where it meets neither another nor another's line.

    A label begins at its line and goes right, so those on the right stand lowest.
    """
    octave = _AXES * WIDTH / np.log2(curve.sizes_bytes[-1] / curve.sizes_bytes[0])
    begins: list[float] = []
    rows = {}
    for size, words in sorted(_marked(curve), reverse=True):
        begin = octave * float(np.log2(size))
        end = begin + len(words) * _LETTER
        row = next(row for row in range(len(begins) + 1) if all(end < other for other in begins[row:]))
        begins[row : row + 1] = [begin]
        rows[size, words] = row
    return rows


def _caches(axes: "Axes", rows: dict[tuple[int, str], int]) -> None:
    """A vertical line a size, which goes on to its label above the axes."""
    look: dict[str, Any] = {"color": "#666", "linewidth": 0.9, "linestyle": _DASHED}
    for (size, words), row in rows.items():
        axes.axvline(size, zorder=1, **look)
        axes.annotate(
            words,
            (size, 1),
            (3, 4 + row * _ROW * 72),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            fontsize=_FONT,
        )
        axes.annotate(
            "",
            (size, 1),
            (0, 12 + row * _ROW * 72),
            xycoords=axes.get_xaxis_transform(),
            textcoords="offset points",
            arrowprops={"arrowstyle": "-", "shrinkA": 0, "shrinkB": 0, **look},
        )
