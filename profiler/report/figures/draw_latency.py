"""Drawings of single inferences: how they are distributed, and how they go over the time of the study."""

import numpy as np

from profiler.analysis import notation, stats
from profiler.report.figures import layout
from profiler.report.figures.data import LatencySteps, LatencyTrace
from profiler.report.figures.layout import Axes, Canvas, ModelStyle, Properties, Styles
from profiler.report.figures.log_ticks import even_ticks

_QUANTILES: dict[str, layout.Dashes] = {"p50": layout.SOLID, "p95": layout.DASHED, "p99": layout.DOTTED}

_BEYOND = 2.0
"""Where an axis ends beyond the 99th percentile, in its distances from the median."""

_MINUTES, _HOURS = (180.0, "min", 60.0), (3 * 3600.0, "h", 3600.0)
"""From what span in seconds on, the unit of a time axis, and its seconds."""

_FEW = 4
"""Most models whose panels of a trace are high."""

_THROTTLED: Properties = {"color": "#d55e00", "marker": "x", "linestyle": "", "markersize": 5}


def latency_steps(canvas: Canvas, drawing: LatencySteps, looks: Styles) -> None:
    """A panel a model, each with an axis of its own."""
    margins = layout.Margins(left=0.62, right=0.1, top=0.42, across=0.55, down=0.95)
    found = layout.cells(canvas, len(drawing.latencies), 1.5, margins)
    for axes, (label, latency) in zip(found, drawing.latencies.items(), strict=True):
        marked = drawing.marked[label]
        every = np.sort(np.array(latency.runs_ns, dtype=np.float64).ravel())
        divisor, symbol = notation.scale(latency.quantiles_ns.p50, "ns")
        x, y = _steps(every)
        axes.step(x / divisor, y * 100, where="post", color=looks[label].colour, linewidth=1.4, zorder=3)
        for name, value in marked.items():
            axes.axvline(value / divisor, color="#222", linewidth=0.9, linestyle=_QUANTILES[name])
        p50, _, p99 = latency.quantiles_ns
        last = min(every[-1], p99 + _BEYOND * (p99 - p50))
        edge = (last - every[0]) * 0.04 or every[-1] * 0.01
        axes.set(xlim=((every[0] - edge) / divisor, (last + edge) / divisor), ylim=(0, 102))
        slower = int(np.count_nonzero(every > last))
        if slower:
            said = f"{slower:,} more, to {notation.plain(every[-1], 'ns')}"
            axes.text(0.99, 0.03, said, transform=axes.transAxes, fontsize=layout.SMALL, ha="right", color="#444")
        values = ", ".join(
            f"{name} {notation.plain(value / divisor, notation.NUMBER)}" for name, value in marked.items()
        )
        layout.head(axes, label, looks[label], len(found), pad=15)
        axes.annotate(f"{values} {symbol}", (0, 1), (0, 4), "axes fraction", "offset points", fontsize=6.8)
        axes.set(xlabel=f"latency ({symbol})", ylabel="inferences (%)", yticks=[0, 25, 50, 75, 100])
        even_ticks(axes.xaxis, 4)


def _steps(ascending: stats.Floats) -> tuple[stats.Floats, stats.Floats]:
    """Return latencies, and the share that takes no longer; of many `STEPS` of them with both ends."""
    places = np.unique(np.linspace(0, ascending.size - 1, min(ascending.size, layout.STEPS)).round().astype(np.intp))
    x, y = ascending[places], (places + 1) / ascending.size
    return np.concatenate((x[:1], x)), np.concatenate(([0.0], y))


def latency_trace(canvas: Canvas, drawing: LatencyTrace, looks: Styles) -> None:
    """A panel a model, then temperature and clock where they are known, all over one axis of time."""
    key = layout.Key(
        [
            ("median", {"color": "#222", "linewidth": 1}),
            ("95th percentile", {"color": "#222", "linestyle": layout.DASHED}),
            *([("board throttled", _THROTTLED)] if drawing.throttled and drawing.clock else []),
        ]
    )
    heights = [0.95 if len(drawing.latencies) <= _FEW else 0.7] * len(drawing.latencies)
    heights += [0.6] * (bool(drawing.temperature) + bool(drawing.clock))
    margins = layout.Margins(left=0.8, top=0.25 + key.height, right=0.15, bottom=0.45, down=0.32)
    rows = [axes for (axes,) in layout.grid(canvas, heights, 1, margins)]
    spans = [time for dots in drawing.latencies.values() for time, _ in dots]
    spans += [time for time, *_ in (*drawing.temperature, *drawing.clock)]
    last = max(spans, default=0.0) or 1.0
    _, unit, seconds = next((each for each in (_HOURS, _MINUTES) if last >= each[0]), (0.0, "s", 1.0))
    for axes, (label, dots) in zip(rows, drawing.latencies.items(), strict=False):
        _dots(axes, np.array(dots) / (seconds, 1), drawing.marked[label], looks[label])
        layout.head(axes, label, looks[label], 1, pad=3)
    if drawing.temperature:
        _temperature(rows[len(drawing.latencies)], np.array(drawing.temperature) / (seconds, 1))
    if drawing.clock:
        _clock(rows[-1], np.array(drawing.clock) / (seconds, 1e9, 1e9), np.array(drawing.throttled) / seconds)
    for axes in rows:
        axes.set_xlim(-0.01 * last / seconds, 1.01 * last / seconds)
        even_ticks(axes.xaxis, 8)
        even_ticks(axes.yaxis, 3)
        axes.tick_params(labelbottom=axes is rows[-1])
    rows[-1].set_xlabel(f"time since the first run ({unit})")
    key.draw(canvas)


def _dots(axes: Axes, dots: stats.Floats, marked: dict[str, float], look: ModelStyle) -> None:
    divisor, symbol = notation.scale(marked["p50"], "ns")
    size: Properties = {"markersize": 2.4, "alpha": 0.5, "markeredgewidth": 0}
    axes.plot(dots[:, 0], dots[:, 1] / divisor, look.marker, color=look.colour, **size)
    for name in ("p50", "p95"):
        if name in marked:
            axes.axhline(marked[name] / divisor, color="#222", linewidth=0.9, linestyle=_QUANTILES[name], zorder=3)
    axes.set_ylabel(f"latency\n({symbol})")


def _temperature(axes: Axes, seen: stats.Floats) -> None:
    axes.plot(*seen.T, color="#222", linewidth=0.9)
    axes.set(ylabel="(°C)", title="temperature", ylim=_room(seen[:, 1], 1.0))


def _clock(axes: Axes, seen: stats.Floats, throttled: stats.Floats) -> None:
    times, slowest, fastest = seen.T
    low, high = _room(seen[:, 1:], 0.05)
    axes.fill_between(times, slowest, fastest, color="#888", alpha=0.35, linewidth=0)
    axes.plot(times, fastest, color="#222", linewidth=0.9)
    axes.set(ylabel="(GHz)", title="clock, from the slowest to the fastest core", ylim=(low, high))
    if throttled.size:
        axes.plot(throttled, np.full(throttled.size, low), clip_on=False, zorder=5, **_THROTTLED)


def _room(values: stats.Floats, least: float) -> tuple[float, float]:
    """Return limits around the values that make nothing of a change less than `least`."""
    edge = max(float(np.ptp(values)) * 0.12, least)
    return float(values.min()) - edge, float(values.max()) + edge
