"""Figures of single inferences, in data and words: their distribution, and their way through the study."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np

from profiler.analysis.costs import native
from profiler.analysis.labels import TAIL
from profiler.analysis.notation import counted, listed, plain
from profiler.analysis.stats import Floats
from profiler.analysis.study_analysis import Analysis, Latency
from profiler.records import Run
from profiler.report.figures.data import LatencySteps, LatencyTrace
from profiler.report.figures.layout import STEPS, some
from profiler.report.model import Figure

DOTS, MODEL_DOTS, _SLOWEST = 2000, 600, 20
"""Most inferences that a trace shows of all models together, and of one; of these, the slowest that are shown whatever
chance says."""

_STATES = 300
"""Most moments at which a trace shows the machine's state."""

_NOW = 0b1111
"""Bits of the firmware's throttling word that say how it is now, and not since boot."""

Dot = tuple[float, float]


def latency_figures(analysis: Analysis, runs: Sequence[Run]) -> tuple[Figure, ...]:
    """Distribution and trace, where inferences were timed."""
    return (*_distribution(analysis), *_trace(analysis, runs)) if analysis.latencies else ()


def _whose(analysis: Analysis) -> str:
    """The runs whose latencies the quantiles are of."""
    return "the recorded windows" if analysis.costs.around == "live" else "the longest runs"


def _marked(found: Latency) -> dict[str, float]:
    """The quantiles that so many inferences bear."""
    quantiles = found.quantiles_ns
    tail = {name: float(getattr(quantiles, name)) for name, least in TAIL.items() if found.count >= least}
    return {"p50": quantiles.p50} | tail


def _distribution(analysis: Analysis) -> Iterator[Figure]:
    marked = {label: _marked(found) for label, found in analysis.latencies.items()}
    said = {
        label: ", ".join(f"{name} {plain(ns, 'ns')}" for name, ns in each.items()) for label, each in marked.items()
    }
    alt = "; ".join(
        f"{label}: {values} of {counted(analysis.latencies[label].count, 'inference')}"
        for label, values in said.items()
    )
    title = "Distribution of steady latencies"
    caption = (
        f"The share of the inferences in {_whose(analysis)} that takes no longer than the time below; vertical lines "
        "are the median (p50), dashed the 95th and dotted the 99th percentile, where there are inferences enough for "
        "them. Models have their own scales, which do not start at 0 and leave out what is far slower."
    )
    if any(found.count > STEPS for found in analysis.latencies.values()):
        caption += f" Of more than {STEPS} inferences, that many steps are drawn."
    yield Figure("latency-distribution", title, f"{title}. {alt}.", caption, LatencySteps(analysis.latencies, marked))


def _trace(analysis: Analysis, runs: Sequence[Run]) -> Iterator[Figure]:
    mine = sorted(
        (run for run in native(runs) if run.outcome == "ok" and run.completion),
        key=lambda run: (run.started_at, run.order),
    )
    begin = min(_seconds(run.started_at) for run in mine)
    most = min(MODEL_DOTS, DOTS // len(analysis.latencies))
    dots = {label: _dots([run for run in mine if run.case.model == label], begin, most) for label in analysis.latencies}
    temperature, clock, throttled = _states(mine, begin)
    title = "Latencies over the time of the study"
    alt = "; ".join(
        f"{label}: {plain(min(ns for _, ns in found), 'ns')} to {plain(max(ns for _, ns in found), 'ns')}"
        for label, found in dots.items()
    )
    said = [f"{title}. {alt}."]
    if temperature:
        degrees = [value for _, value in temperature]
        said.append(f"Temperature {min(degrees):.0f} to {max(degrees):.0f} °C.")
    if clock:
        slowest, fastest = min(low for _, low, _ in clock) / 1e9, max(high for _, _, high in clock) / 1e9
        said.append(f"Clock {slowest:.2g} to {fastest:.2g} GHz.")
    if throttled:
        said.append(f"The board throttled at {counted(len(throttled), 'moment')}.")
    lack = [name for name, seen in (("temperature", temperature), ("clock", clock)) if not seen]
    caption = (
        "One mark an inference, in the order in which the study ran them; the lines are the median and, dashed, the "
        f"95th percentile of {_whose(analysis)}. Models have their own scales, which do not start at 0."
    )
    if any(len(found) == most for found in dots.values()):
        caption += f" Of more than {most} inferences of a model, the {_SLOWEST} slowest are drawn and others at random."
    live = analysis.costs.around == "live"
    if live:
        caption += " Over a window its inferences are spread evenly."
    if temperature or clock:
        caption += f" The machine's state was read before and after each {'window' if live else 'run'}."
    if lack:
        caption += f" This machine did not tell its {listed(lack)}."
    marked = {label: _marked(analysis.latencies[label]) for label in dots}
    drawing = LatencyTrace(dots, marked, temperature, clock, throttled)
    yield Figure("latency-trace", title, " ".join(said), caption, drawing)


def _seconds(moment: str) -> float:
    return datetime.fromisoformat(moment).timestamp()


def _dots(runs: Sequence[Run], begin: float, most: int) -> tuple[Dot, ...]:
    """Inferences at their times: a run's last one is taken to end with the process, those of a session's window to be
    spread evenly over it."""
    times, values = [], []
    for run in runs:
        latencies = np.array(run.completion.latencies_ns if run.completion else (), dtype=np.float64)
        end = _seconds(run.started_at) - begin + run.wall_ns / 1e9
        if run.case.region == "live":
            times.append(end - np.arange(latencies.size)[::-1] / latencies.size * run.wall_ns / 1e9)
        else:
            times.append(end - latencies[::-1].cumsum()[::-1] / 1e9)
        values.append(latencies)
    x, y = np.concatenate(times), np.concatenate(values)
    if y.size > most:
        slowest = np.argsort(-y, kind="stable")[:_SLOWEST]
        others = np.setdiff1d(np.arange(y.size), slowest)
        chosen = np.sort(np.concatenate((slowest, others[some(others.size, most - _SLOWEST)])))
        x, y = x[chosen], y[chosen]
    return tuple(zip(x.tolist(), y.tolist(), strict=True))


def _states(
    runs: Sequence[Run], begin: float
) -> tuple[tuple[Dot, ...], tuple[tuple[float, float, float], ...], tuple[float, ...]]:
    """Temperature, clock of the slowest and the fastest core, and when the board throttled; of many the extremes."""
    seen = ((_seconds(state.at) - begin, state) for run in runs for state in (run.before, run.after))
    states = sorted(seen, key=lambda each: each[0])
    warm = np.array([(at, state.temperature_celsius) for at, state in states if state.temperature_celsius is not None])
    ticks = np.array([(at, min(state.clock_hz), max(state.clock_hz)) for at, state in states if state.clock_hz])
    throttled = np.array([at for at, state in states if (state.throttled or 0) & _NOW])
    temperature = tuple((float(block[0, 0]), float(block[:, 1].max())) for block in _blocks(warm))
    clock = tuple((float(block[0, 0]), float(block[:, 1].min()), float(block[:, 2].max())) for block in _blocks(ticks))
    return temperature, clock, tuple(float(block[0]) for block in _blocks(throttled))


def _blocks(rows: Floats) -> list[Floats]:
    return np.array_split(rows, min(len(rows), _STATES)) if len(rows) else []
