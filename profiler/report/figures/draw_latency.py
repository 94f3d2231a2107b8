"""Drawings of single inferences: how they are distributed, and how they go over the time of the study."""

from typing import TYPE_CHECKING, Any

import numpy as np

from profiler.analysis import notation, stats
from profiler.report.figures.data import LatencySteps, LatencyTrace
from profiler.report.figures.layout import (
    DASHED,
    DOTTED,
    SMALL,
    SOLID,
    STEPS,
    Dashes,
    Key,
    Margins,
    SeriesMark,
    cells,
    grid,
    head,
)

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure as Canvas

_QUANTILES: dict[str, Dashes] = {"p50": SOLID, "p95": DASHED, "p99": DOTTED}

_BEYOND = 2.0
"""Where an axis ends beyond the 99th percentile, in its distances from the median."""

_MINUTES, _HOURS = (180.0, "min", 60.0), (3 * 3600.0, "h", 3600.0)
"""From what span in seconds on, the unit of a time axis, and its seconds."""

_TRACE_HEIGHT = {4: 0.95, 99: 0.7}
"""Height of a model's panel up to so many models, in inches."""

_STATE_HEIGHT = 0.6


def latency_steps(canvas: "Canvas", drawing: LatencySteps, looks: dict[str, SeriesMark]) -> None:
    """A panel a model, each with an axis of its own."""
    from matplotlib.ticker import MaxNLocator

    margins = Margins(top=0.42, bottom=0.5, across=0.55, down=0.95)
    found = cells(canvas, len(drawing.latencies), 1.5, margins)
    for axes, (label, latency) in zip(found, drawing.latencies.items(), strict=True):
        look, marked = looks[label], drawing.marked[label]
        every = np.sort(np.array(latency.runs_ns, dtype=np.float64).ravel())
        divisor, symbol = notation.scale(latency.quantiles_ns.p50, "ns")
        x, y = _steps(every)
        axes.step(x / divisor, y * 100, where="post", color=look.colour, linewidth=1.4, zorder=3)
        for name, value in marked.items():
            axes.axvline(value / divisor, color="#222", linewidth=0.9, linestyle=_QUANTILES[name], zorder=2)
        p50, _, p99 = latency.quantiles_ns
        last = min(every[-1], p99 + _BEYOND * (p99 - p50))
        edge = (last - every[0]) * 0.04 or every[-1] * 0.01
        axes.set_xlim((every[0] - edge) / divisor, (last + edge) / divisor)
        axes.set_ylim(0, 102)
        slower = int(np.count_nonzero(every > last))
        if slower:
            said = f"{slower:,} more, to {notation.plain(every[-1], 'ns')}"
            axes.text(0.99, 0.03, said, transform=axes.transAxes, fontsize=SMALL, ha="right", color="#444")
        values = ", ".join(f"{name} {notation.number(value / divisor)}" for name, value in marked.items())
        head(axes, label, look, len(found), pad=15)
        axes.annotate(
            f"{values} {symbol}", (0, 1), (0, 4), xycoords="axes fraction", textcoords="offset points", fontsize=6.8
        )
        axes.set_xlabel(f"latency ({symbol})", fontsize=8.5, labelpad=2)
        axes.set_ylabel("inferences (%)", fontsize=8, labelpad=2)
        axes.tick_params(labelsize=8, length=2.5)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=4, steps=[1, 2, 2.5, 5, 10]))
        axes.set_yticks([0, 25, 50, 75, 100])
        axes.grid(visible=True)
        axes.set_axisbelow(True)


def _steps(ascending: stats.Floats) -> tuple[stats.Floats, stats.Floats]:
    """Latencies, and the share that takes no longer; of many `STEPS` of them with both ends."""
    places = np.unique(np.linspace(0, ascending.size - 1, min(ascending.size, STEPS)).round().astype(np.intp))
    x, y = ascending[places], (places + 1) / ascending.size
    return np.concatenate((x[:1], x)), np.concatenate(([0.0], y))


def latency_trace(canvas: "Canvas", drawing: LatencyTrace, looks: dict[str, SeriesMark]) -> None:
    """A panel a model, then temperature and clock where they are known, all over one axis of time."""
    from matplotlib.ticker import MaxNLocator

    height = next(inches for most, inches in _TRACE_HEIGHT.items() if len(drawing.latencies) <= most)
    states = [bool(drawing.temperature), bool(drawing.clock)]
    entries: list[tuple[str, dict[str, Any]]] = [
        ("median", {"color": "#222", "linewidth": 1}),
        ("95th percentile", {"color": "#222", "linestyle": DASHED}),
    ]
    key = Key([*entries, *([("board throttled", _THROTTLED)] if drawing.throttled and drawing.clock else [])])
    heights = [height] * len(drawing.latencies) + [_STATE_HEIGHT] * sum(states)
    rows = [row[0] for row in grid(canvas, heights, 1, Margins(left=0.8, top=0.25 + key.height, right=0.15, down=0.32))]
    spans = [time for dots in drawing.latencies.values() for time, _ in dots]
    spans += [time for time, *_ in (*drawing.temperature, *drawing.clock)]
    last = max(spans, default=0.0) or 1.0
    _, unit, seconds = next((each for each in (_HOURS, _MINUTES) if last >= each[0]), (0.0, "s", 1.0))
    for axes, (label, dots) in zip(rows, drawing.latencies.items(), strict=False):
        _dots(axes, np.array(dots) / (seconds, 1), drawing.marked[label], label, looks[label])
    beneath = iter(rows[len(drawing.latencies) :])
    if drawing.temperature:
        _temperature(next(beneath), np.array(drawing.temperature) / (seconds, 1))
    if drawing.clock:
        _clock(next(beneath), np.array(drawing.clock) / (seconds, 1, 1), np.array(drawing.throttled) / seconds)
    for axes in rows:
        axes.set_xlim(-0.01 * last / seconds, 1.01 * last / seconds)
        axes.xaxis.set_major_locator(MaxNLocator(nbins=8, steps=[1, 2, 2.5, 5, 10]))
        axes.yaxis.set_major_locator(MaxNLocator(nbins=3, steps=[1, 2, 2.5, 5, 10]))
        axes.tick_params(labelsize=8, labelbottom=axes is rows[-1], length=2.5)
        axes.grid(visible=True)
        axes.set_axisbelow(True)
    rows[-1].set_xlabel(f"time since the first run ({unit})", fontsize=8.5)
    key.draw(canvas)


def _dots(axes: "Axes", dots: stats.Floats, marked: dict[str, float], label: str, look: SeriesMark) -> None:
    divisor, symbol = notation.scale(marked["p50"], "ns")
    axes.plot(
        dots[:, 0],
        dots[:, 1] / divisor,
        look.marker,
        color=look.colour,
        markersize=2.4,
        alpha=0.5,
        markeredgewidth=0,
        zorder=2,
    )
    for name in ("p50", "p95"):
        if name in marked:
            axes.axhline(marked[name] / divisor, color="#222", linewidth=0.9, linestyle=_QUANTILES[name], zorder=3)
    head(axes, label, look, 1, pad=3)
    axes.set_ylabel(f"latency\n({symbol})", fontsize=8)


def _temperature(axes: "Axes", seen: stats.Floats) -> None:
    axes.plot(seen[:, 0], seen[:, 1], color="#222", linewidth=0.9)
    axes.set_ylabel("(°C)", fontsize=8)
    axes.set_title("temperature", loc="left", fontsize=8.5, pad=3)
    _room(axes, seen[:, 1], 1.0)


_THROTTLED: dict[str, Any] = {"color": "#d55e00", "marker": "x", "linestyle": "", "markersize": 5}


def _clock(axes: "Axes", seen: stats.Floats, throttled: stats.Floats) -> None:
    slowest, fastest = seen[:, 1] / 1e9, seen[:, 2] / 1e9
    axes.fill_between(seen[:, 0], slowest, fastest, color="#888", alpha=0.35, linewidth=0)
    axes.plot(seen[:, 0], fastest, color="#222", linewidth=0.9)
    axes.set_ylabel("(GHz)", fontsize=8)
    axes.set_title("clock, from the slowest to the fastest core", loc="left", fontsize=8.5, pad=3)
    _room(axes, np.concatenate((slowest, fastest)), 0.05)
    if throttled.size:
        axes.plot(throttled, np.full(throttled.size, axes.get_ylim()[0]), clip_on=False, zorder=5, **_THROTTLED)


def _room(axes: "Axes", values: stats.Floats, least: float) -> None:
    """Limits around the values that make nothing of a change less than `least`."""
    edge = max(float(np.ptp(values)) * 0.12, least)
    axes.set_ylim(values.min() - edge, values.max() + edge)
