"""Quantities to text: as many digits as the interval bears, SI prefixes for times and counts, KiB for memory."""

import math
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from profiler.analysis.stats import Estimate

NUMBER = "1"
"""The unit of a pure number (a ratio): no prefix, no symbol."""

ABSENT = "n/a"
MINUS = "\N{MINUS SIGN}"

# From what absolute value on, the divisor, its symbol; 4-digit counts stay whole.
_NS = ((1e9, 1e9, "s"), (1e6, 1e6, "ms"), (1e3, 1e3, "µs"), (0.0, 1.0, "ns"))
_COUNTS = ((1e12, 1e12, "T"), (1e9, 1e9, "G"), (1e6, 1e6, "M"), (1e4, 1e3, "k"), (0.0, 1.0, ""))
_BYTES = ((2.0**30, 2.0**30, "GiB"), (2.0**20, 2.0**20, "MiB"), (2.0**10, 2.0**10, "KiB"), (0.0, 1.0, "bytes"))
_SCALES = {"ns": _NS, "": _COUNTS, "bytes": _BYTES, NUMBER: ((0.0, 1.0, ""),), "1/s": ((0.0, 1.0, ""),)}
_NOTHING, _SMALLEST = 1e-30, 1e-4
_SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Scale(NamedTuple):
    """What a figure is divided by to be written with `symbol`."""

    divisor: float
    symbol: str


def scale(largest: float, unit: str) -> Scale:
    """The scale in which `largest` is readable; `unit` is "ns", "bytes", "" for occurrences, `NUMBER` or any other."""
    steps = _SCALES.get(unit, ((0.0, 1.0, unit),))
    return next(Scale(divisor, symbol) for least, divisor, symbol in steps if abs(largest) >= least)


def quantity(estimate: Estimate, unit: str) -> str:
    """The figure alone: `61.2 ms`."""
    return written(estimate.value, estimate.interval, unit)[0]


def interval(estimate: Estimate, unit: str) -> str:
    """Its 95 % interval in the figure's unit and digits: `[60.1, 62.4]`; nothing where there is none."""
    return written(estimate.value, estimate.interval, unit)[1]


def in_sentence(estimate: Estimate, unit: str) -> str:
    """The figure and its interval on one line: `61.2 ms [60.1, 62.4]`."""
    return " ".join(filter(None, written(estimate.value, estimate.interval, unit)))


def error(value: float, interval: tuple[float, float]) -> str:
    """Return how far the further end of a figure's interval is off, as a share of the figure: `±2 %`."""
    off = max(abs(end - value) for end in interval) / abs(value)
    return f"±{percent(off) if off <= 1 else '>100 %'}"


def percent(share: float) -> str:
    """`0.021` as `2.1 %`: two digits below 10, none after the point from there on."""
    return plain(share * 100, "%")


def _percent(value: float) -> str:
    if value < 0.1:
        return "0 %" if value < 0.005 else f"{value:.2f} %"
    return f"{value:.1f} %" if value < 9.95 else f"{value:.0f} %"


def plain(value: float, unit: str, digits: int = 3) -> str:
    """A figure that has no interval, to 3 digits: `61.2 ms`, `2 MiB`; a very small ratio as `3.5e-05`."""
    if unit in _OWN_RULE:
        return _OWN_RULE[unit](value)
    divisor, symbol = scale(value, unit)
    if unit == NUMBER and 0 < abs(value) < _SMALLEST:
        return f"{value:.{digits}g}"
    text = _rounded(value / divisor, max(0, digits - 1 - _magnitude(value / divisor)))
    return _joined(text.rstrip("0").rstrip(".") if "." in text else text, symbol)


def ratio(estimate: Estimate) -> str:
    """A ratio and its interval on one line: `1.20 [1.18, 1.22]`."""
    return in_sentence(estimate, NUMBER)


def number(value: float) -> str:
    """A pure number that has no interval, to 3 digits."""
    return plain(value, NUMBER)


def size(size_bytes: float) -> str:
    """`2 MiB`."""
    return plain(size_bytes, "bytes")


def clock(hz: float) -> str:
    """`2.40 GHz`."""
    return f"{hz / 1e9:.2f} GHz"


def seconds(span: float) -> str:
    """`59.3 s`, or minutes."""
    return f"{span:.1f} s" if span < 120 else f"{span / 60:.1f} min"


_OWN_RULE: dict[str, Callable[[float], str]] = {
    "%": _percent,
    "s": seconds,
    "Hz": clock,
    "×": lambda times: f"× {plain(times, NUMBER)}",
}
"""Units whose figures are written by a rule of their own."""


def superscript(number: int) -> str:
    """The mark of a note: `¹`."""
    return str(number).translate(_SUPERSCRIPTS)


def counted(number: int, noun: str) -> str:
    """`1 run`, `2 runs`."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def listed(items: Iterable[str], most: int = 99) -> str:
    """`a, b and c`; `a, b and 7 more` where there are more than `most`."""
    found = list(items)
    if len(found) > most:
        found = [*found[: most - 1], f"{len(found) - most + 1} more"]
    return " and ".join(filter(None, (", ".join(found[:-1]), *found[-1:])))


def sentence(text: str) -> str:
    """A cause, reason or meaning as a sentence of its own."""
    return f"{capital(text).rstrip('.')}." if text else ""


def capital(text: str) -> str:
    """The words as a sentence begins."""
    return f"{text[:1].upper()}{text[1:]}"


def written(value: float, interval: tuple[float, float] | None, unit: str) -> tuple[str, str]:
    """Return a figure and its interval, empty where there is none, in one scale and with the same digits."""
    ends = interval or ()
    largest = max(abs(number) for number in (value, *ends))
    divisor, symbol = scale(largest, unit)
    decimals = _decimals(largest / divisor, [end / divisor for end in ends])
    rounded, *around = (_rounded(number / divisor, decimals) for number in (value, *ends))
    return _joined(rounded, symbol), f"[{', '.join(around)}]" if around else ""


def _decimals(largest: float, ends: Sequence[float]) -> int:
    """Places after the point, negative for tens and hundreds.

    The interval's half width decides: two of its digits are written where they are at most 35, else one (the rule of
    the Particle Data Group's Review of Particle Physics), but no more than 3 digits of the figure, or a fourth where
    without it the interval would vanish.
    """
    half = (ends[1] - ends[0]) / 2 if ends else 0.0
    three = 2 - _magnitude(largest)
    if half > 10.0 ** -(three + 1) / 2:
        wanted = (1 if half / 10.0 ** _magnitude(half) < 3.55 else 0) - _magnitude(half)
        return min(wanted, three if half > 10.0**-three / 2 else three + 1)
    # Nothing is uncertain, or nothing is known of it: digits after the point only where they say something.
    rounded = round(largest, three + 1)
    return min(0, three + 1) if rounded == round(rounded) and (ends or not rounded) else max(0, three)


def _magnitude(value: float) -> int:
    """Power of ten of the first digit; 0 for 0, and for what is so small that it is one."""
    return math.floor(math.log10(abs(value))) if abs(value) > _NOTHING else 0


def _rounded(value: float, decimals: int) -> str:
    rounded = round(value, decimals)
    return f"{rounded:.{max(decimals, 0)}f}".replace("-", MINUS if rounded else "")


def _joined(number: str, symbol: str) -> str:
    return f"{number} {symbol}" if symbol else number
