"""What the fake perf prints: `perf stat -x`, a line for each event."""

import math
from collections import namedtuple
from collections.abc import Iterator
from types import SimpleNamespace

from fake_events import CLOCKS, COUNTED, IN_KERNEL, NOT_COUNTED, Event
from fake_truth import Counts

Reading = namedtuple("Reading", "event state value run enabled", defaults=(0, 0, 0))


def read(event: Event, counts: Counts, enabled: bool, controlled: bool) -> Reading:
    """What perf reads of one event; `controlled` says whether there was a `--control`."""
    if event.state != COUNTED:
        return Reading(event, event.state)
    if event.kind == "tool":
        # As seen in 6.1: these count the whole process, whatever is enabled; and with --control perf has reaped the
        # child before it asks for the child's times, which are then 0.
        reaped = controlled and event.key != "duration_time"
        value = 0 if reaped else counts.of(event.key, "process")
        return Reading(event, COUNTED if value else NOT_COUNTED, value, value, value)
    if not enabled:
        return Reading(event, NOT_COUNTED)
    available = max(1, counts.of("task-clock"))
    run = math.ceil(round(available * event.share, 3))
    if not run:
        return Reading(event, NOT_COUNTED, 0, 0, available)
    hidden = event.key in IN_KERNEL and event.scope == "u"
    return Reading(event, COUNTED, 0 if hidden else counts.of(event.key), run, available)


def lines(truth: SimpleNamespace, readings: list[Reading], wall_ns: int, separator: str) -> Iterator[str]:
    """perf's lines: value, unit, event, run time, percentage, metric, the metric's unit."""
    for reading in readings:
        event = reading.event
        value, unit = f"<{reading.state}>", "ns" if event.kind == "tool" else ""
        metric: tuple[str, ...] = ("", "")
        if event.key in CLOCKS:
            unit = "msec"
        if reading.state == COUNTED:
            value = f"{reading.value / 1e6:.2f}" if event.key in CLOCKS else str(reading.value)
            metric = _metric(truth, reading, readings, wall_ns)
        percent = _percent(truth, reading.run, reading.enabled)
        yield separator.join((value, unit, event.name, str(reading.run), percent, *metric))
        if stalled := _stalled(truth, reading, readings):
            yield separator.join(stalled)


def _percent(truth: SimpleNamespace, run: int, enabled: int) -> str:
    """Cut to a whole number since 6.1; 100 also for what was never enabled."""
    if not enabled:
        return "100.00"
    return f"{100 * run // enabled}.00" if truth.release >= (6, 1) else f"{100 * run / enabled:.2f}"


def _value(readings: list[Reading], key: str, scope: str | None = None) -> int:
    return next((r.value for r in readings if r.event.key == key and scope in (None, r.event.scope)), 0)


def _metric(truth: SimpleNamespace, reading: Reading, readings: list[Reading], wall_ns: int) -> tuple[str, str]:
    """The metric beside a count. perf has more of them; nothing should read any."""
    key, value = reading.event.key, reading.value
    cycles, clock_ns = _value(readings, "cycles", reading.event.scope), _value(readings, "task-clock")
    if key == "instructions" and cycles:
        return f"{value / cycles:.2f}", "insn per cycle"
    if not clock_ns:
        return "", ""
    if key == "task-clock":
        return f"{value / wall_ns:.3f}", "CPUs utilized"
    if key == "cycles":
        return f"{value / clock_ns:.3f}", "GHz"
    return _rate(truth, value / clock_ns * 1e9)


def _rate(truth: SimpleNamespace, per_second: float) -> tuple[str, str]:
    if truth.release < (6,):
        small = per_second < 1e3
        return f"{per_second / (1e3 if small else 1e6):.3f}", "K/sec" if small else "M/sec"
    power = sum(per_second > limit for limit in (1e3, 1e6, 1e9))
    return f"{per_second / 1000**power:.3f}", ("", "K", "M", "G")[power] + "/sec"


def _stalled(truth: SimpleNamespace, reading: Reading, readings: list[Reading]) -> tuple[str, ...]:
    """The line without an event that follows instructions; older versions start it one field short."""
    event = reading.event
    sides = [_value(readings, f"stalled-cycles-{side}end", event.scope) for side in ("front", "back")]
    if event.key != "instructions" or not reading.value or not any(sides):
        return ()
    before = 4 if truth.release < (6, 2) else 5
    return (*[""] * before, f"{max(sides) / reading.value:.2f}", "stalled cycles per insn")
