"""The drawing of a miss curve, and what it shows in words."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from profiler.analysis.notation import listed, plain
from profiler.miss_curve.curve import CurvePoint, Level, levels, machines, short, spread, spreads
from profiler.miss_curve.sentences import heading
from profiler.records import MissCurve
from profiler.report.figures.layout import DASHED, DOTTED, WIDTH, Axes, Canvas, ModelStyle, Styles, inches, marks
from profiler.report.figures.log_ticks import byte_ticks
from profiler.report.figures.render import files

_HEIGHT, _ROW = 3.9, 0.16
"""Inches: of the drawing, and of each line of words around it."""
_WARM, _COLD = "simulated, cache warm (band: ± one standard error)", "simulated, cache empty at the start"
_CROSS = "x"
_FONT = 8
_AXES = 0.75
"""Share of the drawing's width that its axes surely have."""


def draw(curve: MissCurve, points: Sequence[CurvePoint]) -> bytes:
    """The curve, the caches of known machines and the points, as an SVG file."""
    return files(heading(curve), lambda canvas: paint(canvas, curve, points), layout="constrained")["svg"]


def alt(curve: MissCurve, points: Sequence[CurvePoint]) -> str:
    """What the drawing shows, for a reader who cannot see it."""
    warm, cold = spreads(curve.steady), spreads(curve.cold)
    first, last = (plain(curve.sizes_bytes[place], "bytes") for place in (0, -1))
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


def paint(canvas: Canvas, curve: MissCurve, points: Sequence[CurvePoint]) -> None:
    """Draw on the canvas, whose size this sets."""
    series = dict.fromkeys(point.series for point in points)
    looks = marks((_WARM, _COLD, *series))
    looks |= {point.series: ModelStyle("#111", _CROSS) for point in points if point.kind == "same pass"}
    rows = _rows(curve)
    canvas.set_size_inches(WIDTH, _HEIGHT + _ROW * (len(series) + max(rows.values(), default=0)))
    axes = canvas.subplots()
    _curves(axes, curve, looks)
    for point in points:
        _point(axes, point, looks[point.series])
    _axes(axes, curve)
    _caches(axes, rows)
    handles, labels = axes.get_legend_handles_labels()
    named = dict(zip(labels, handles, strict=True))
    canvas.legend(named.values(), named.keys(), loc="outside lower left", borderaxespad=0.5)


def _curves(axes: Axes, curve: MissCurve, looks: Styles) -> None:
    """Draw both curves, and the floor below which no empty cache comes."""
    sizes, touched = np.array(curve.sizes_bytes), spread(curve.touched).value
    mean, error = np.array([(each.value, each.error or 0) for each in spreads(curve.steady)]).T
    cold = [each.value for each in spreads(curve.cold)]
    axes.fill_between(sizes, mean - error, mean + error, color=looks[_WARM].colour, alpha=0.25, linewidth=0, zorder=3)
    axes.plot(sizes, mean, color=looks[_WARM].colour, linewidth=1.8, zorder=4, label=_WARM)
    axes.plot(sizes, cold, color=looks[_COLD].colour, linewidth=1.1, linestyle=DASHED, zorder=5, label=_COLD)
    axes.axhline(touched, color="#444", linewidth=1, linestyle=DOTTED, zorder=2)
    said = f"distinct lines touched ({plain(touched * curve.line_bytes, 'bytes')})"
    box: Any = {"facecolor": "white", "alpha": 0.8, "linewidth": 0, "pad": 0.5}
    left = axes.get_yaxis_transform()
    axes.annotate(said, (0, touched), (4, 3), left, "offset points", fontsize=_FONT, bbox=box, zorder=2.5)


def _point(axes: Axes, point: CurvePoint, look: ModelStyle) -> None:
    """Draw crosses and hollow marks, which are simulated, or filled ones, measured; with their intervals."""
    if point.interval:
        axes.plot([point.size_bytes] * 2, point.interval, color=look.colour, linewidth=1.2, zorder=6)
    face = look.colour if point.kind == "measured" else "white"
    shape: Any = {"color": look.colour, "markerfacecolor": face, "markersize": 7, "markeredgewidth": 1.4}
    above = 8 if look.marker == _CROSS else 7
    axes.plot(point.size_bytes, point.misses, look.marker, zorder=above, label=point.series, clip_on=False, **shape)


def _axes(axes: Axes, curve: MissCurve) -> None:
    from matplotlib.ticker import FuncFormatter, MultipleLocator

    smallest, largest, line = curve.sizes_bytes[0], curve.sizes_bytes[-1], curve.line_bytes
    axes.set_xscale("log", base=2)
    byte_ticks(axes.xaxis, smallest, largest, 7)
    # A straight scale, on which nothing vanishes: a cache that holds all leaves 0 or nearly so.
    most = axes.dataLim.ymax
    axes.set(xlim=(smallest, largest), ylim=(-0.015 * most, 1.05 * most))
    axes.set(xlabel="cache size", ylabel="misses an inference")
    axes.yaxis.set_major_formatter(FuncFormatter(lambda misses, _: plain(misses, "")))
    beyond = axes.secondary_yaxis("right", functions=(lambda y: np.multiply(y, line), lambda y: np.divide(y, line)))
    beyond.grid(visible=False)
    # A power of two, for at most 6 ticks.
    beyond.yaxis.set_major_locator(MultipleLocator(2 ** np.ceil(np.log2(max(most * line, 1) / 6))))
    beyond.yaxis.set_major_formatter(FuncFormatter(lambda size, _: plain(size, "bytes")))
    beyond.set_ylabel(f"bytes from beyond ({line} a miss)")


def _marked(curve: MissCurve) -> Iterator[tuple[int, str]]:
    """The sizes of known machines' caches on the curve, ascending, each with whose it is."""
    found: dict[int, list[Level]] = {}
    for machine in machines(curve):
        for level in levels(machine):
            if curve.sizes_bytes[0] <= level.size_bytes <= curve.sizes_bytes[-1]:
                found.setdefault(level.size_bytes, []).append(level)
    for size in sorted(found):
        whose = ", ".join(f"{short(level.machine)} {level.name}" for level in found[size])
        yield size, f"{whose} {plain(size, 'bytes')}"


def _rows(curve: MissCurve) -> dict[tuple[int, str], int]:
    """For each cache's label the row above the axes where it meets neither another nor another's line.

    A label begins at its line and goes right, so those on the right stand lowest.
    """
    octave = _AXES * WIDTH / np.log2(curve.sizes_bytes[-1] / curve.sizes_bytes[0])
    begins: list[float] = []
    rows = {}
    for size, words in sorted(_marked(curve), reverse=True):
        begin = octave * float(np.log2(size))
        end = begin + inches(len(words) + 1, _FONT)
        row = next(row for row in range(len(begins) + 1) if all(end < other for other in begins[row:]))
        begins[row : row + 1] = [begin]
        rows[size, words] = row
    return rows


def _caches(axes: Axes, rows: dict[tuple[int, str], int]) -> None:
    """Draw a vertical line a size, which goes on to its label above the axes."""
    look: dict[str, Any] = {"color": "#666", "linewidth": 0.9, "linestyle": DASHED}
    line = {"arrowstyle": "-", "shrinkA": 0, "shrinkB": 0, **look}
    above = axes.get_xaxis_transform()
    for (size, words), row in rows.items():
        height = row * _ROW * 72
        axes.axvline(size, zorder=1, **look)
        axes.annotate(words, (size, 1), (3, 4 + height), above, "offset points", fontsize=_FONT)
        axes.annotate("", (size, 1), (0, 12 + height), above, "offset points", arrowprops=line)
