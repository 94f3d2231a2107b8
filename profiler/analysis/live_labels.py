"""How figures of a live session are written."""

from profiler.analysis import notation
from profiler.analysis.labels import TAIL
from profiler.analysis.live_session import SessionFigures
from profiler.records import Spread

BESIDE = ("llc_load_miss", "stall_backend", "stall_memory")
"""Metrics of hardware events that an answer names for each frame, the first of either stall alone."""


def fps(rate: float) -> str:
    """`29.7 frames a second`."""
    return f"{notation.number(rate)} frames a second"


def rates(found: SessionFigures) -> str:
    """Of the windows the slowest and the fastest, in frames a second: `28.1 to 29.9`."""
    return " to ".join(dict.fromkeys(notation.number(rate) for rate in (min(found.rates), max(found.rates))))


def quantiles(found: SessionFigures) -> str:
    """Of single inferences, as far as their number bears them."""
    if found.latency is None:
        return notation.ABSENT
    its = found.latency.quantiles_ns
    tail = [
        f"{name} {notation.plain(getattr(its, name), 'ns')}"
        for name, least in TAIL.items()
        if found.latency.count >= least
    ]
    return f"{notation.plain(its.p50, 'ns')} at the median{f' ({notation.listed(tail)})' if tail else ''}"


def spread(times: Spread) -> str:
    """`14.2 ms at the median (p95 17.9 ms and p99 21 ms)`."""
    tail = [f"{name} {ms(value)}" for name in ("p95", "p99") if (value := getattr(times, name)) is not None]
    return f"{ms(times.p50)} at the median{f' ({notation.listed(tail)})' if tail else ''}"


def ms(value: float | None) -> str:
    """A time that is stored in ms."""
    return notation.ABSENT if value is None else notation.plain(value * 1e6, "ns")


def share(percent: float) -> str:
    """`14 %`."""
    return notation.percent(percent / 100)
