"""What `perf stat -x ';'` prints from 5.10 on: value;unit;event;run time;percent running, then metrics."""

import math
from typing import NamedTuple

from profiler.machine.events import strip
from profiler.records import Count, Status

_STATUS: dict[str, Status] = {"<not counted>": "not_counted", "<not supported>": "not_supported"}


class Reading(NamedTuple):
    """One event's line.

    Attributes:
        event: The name as stored: modifiers stripped.
        echoed: The name as perf printed it, which shows a `:u` that perf added by itself.
        running_percent: 100 also for an event that never ran, so look at the status first.
    """

    event: str
    echoed: str
    value: float | None
    unit: str
    status: Status
    running_percent: float


def parse(text: str) -> tuple[Reading, ...]:
    """The readings of a whole file; comments, metric-only lines and perf's messages are passed over."""
    lines = (_line(line) for line in text.splitlines())
    return tuple(reading for reading in lines if reading is not None)


def _line(line: str) -> Reading | None:
    fields = line.split(";")
    # A field before the value (-I, -A, --per-thread) or the variance (-r) would move the rest: run time is whole ns.
    if len(fields) < 5 or not fields[2].strip() or not fields[3].isdecimal():
        return None
    text, unit, echoed = fields[0].strip(), fields[1].strip(), fields[2].strip()
    percent, value = _number(fields[4]), _number(text)
    if percent is None or not 0 <= percent <= 100 or (value is None and text not in _STATUS):
        return None
    if unit == "msec" and value is not None:
        value, unit = float(round(value * 1e6)), "ns"
    return Reading(strip(echoed), echoed, value, unit.replace("msec", "ns"), _STATUS.get(text, "counted"), percent)


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def counts(readings: tuple[Reading, ...]) -> dict[str, Count]:
    """The readings as counts of source `perf`, by event."""
    return {reading.event: _count(reading) for reading in readings}


def _count(reading: Reading) -> Count:
    value = reading.value
    return Count(
        event=reading.event,
        value=int(value) if value is not None and value.is_integer() else value,
        unit=reading.unit,
        status=reading.status,
        source="perf",
        running_percent=None if value is None else reading.running_percent,
        reason=_REASONS.get(reading.status),
    )


_REASONS: dict[Status, str] = {
    "not_counted": "perf never had it on a counter",
    "not_supported": "perf says not supported",
}
