"""Figures as they are written: what a cell is worth when its column is sorted, and what must not be parted from it."""

import re

from profiler.analysis.notation import ABSENT, MINUS

_PREFIXES = {"T": 1e12, "G": 1e9, "M": 1e6, "k": 1e3, "KiB": 2.0**10, "MiB": 2.0**20, "GiB": 2.0**30}
_TIMES = {"s": 1e9, "ms": 1e6, "µs": 1e3, "ns": 1.0}
_SCALES = {**_PREFIXES, **_TIMES, "GHz": 1e9, "MHz": 1e6, "kB": 1e3, "MB": 1e6, "GB": 1e9, "min": 6e10}

_FIGURE = re.compile(
    rf"[^\w\s{MINUS}-]?\s?(?P<number>[{MINUS}-]?\d[\d,]*(?:\.\d+)?)\s?(?P<unit>[A-Za-zµ]+)?(?=$|[\s,;%/])"
)
"""A figure at a cell's beginning, behind at most one sign (`±`, `<`), with the word behind it."""

_BEFORE_UNIT = re.compile(rf"(?<=\d) (?=(?:{'|'.join(_SCALES)}|bytes|%)(?![\w%]))")


def worth(cell: str) -> float | None:
    """The cell's figure, `61.2 ms` as 61.2e6; None for what is absent or begins with no figure.

    A word behind the figure that is no unit (`3 runs`) leaves it as it is.
    """
    if cell.startswith(ABSENT):
        return None
    found = _FIGURE.match(cell.partition("\n")[0])
    if found is None:
        return None
    number = float(found["number"].replace(MINUS, "-").replace(",", ""))
    return number * _SCALES.get(found["unit"] or "", 1.0)


def bound(text: str) -> str:
    """The text with each figure bound to its unit, so that no line ends between `5.3` and `s`."""
    return _BEFORE_UNIT.sub("\N{NO-BREAK SPACE}", text)
