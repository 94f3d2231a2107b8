"""Ticks of axes, linear and logarithmic."""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from profiler.analysis import notation

if TYPE_CHECKING:
    from matplotlib.axis import Axis


def even_ticks(axis: "Axis", most: int, **options: Any) -> None:
    """Divide a linear axis into at most `most` equal steps; `options` are those of matplotlib's `MaxNLocator`."""
    from matplotlib.ticker import MaxNLocator

    axis.set_major_locator(MaxNLocator(**{"nbins": most, "steps": [1, 2, 2.5, 5, 10], **options}))


def log_ticks(axis: "Axis", low: float, high: float, said: Callable[[float], str], most: int = 5) -> None:
    """Set ticks of a logarithmic axis: of powers of ten, of 1, 3 and of 1, 2, 5 the most that are at most `most`."""
    from matplotlib.ticker import MaxNLocator

    powers = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
    choices = [[factor * 10.0**power for power in powers for factor in each] for each in ((1, 2, 5), (1, 3), (1,))]
    choices += [[10.0**power for power in powers if power % step == 0] for step in (2, 3, 4, 6)]
    inside = [[tick for tick in ticks if low <= tick <= high] for ticks in choices]
    ticks = next((found for found in inside if len(found) <= most), inside[-1])
    if len(ticks) < 2:
        ticks = [tick for tick in MaxNLocator(nbins=most - 1).tick_values(low, high) if low <= tick <= high]
    _fix(axis, ticks, said)


def byte_ticks(axis: "Axis", low: float, high: float, most: int = 5) -> None:
    """Set ticks of a logarithmic axis at powers of two, as many doublings apart as leave no more than `most`."""
    first, last = int(np.ceil(np.log2(low))), int(np.floor(np.log2(high)))
    step = max(1, -(-(last - first) // (most - 1)))
    _fix(axis, [2.0**power for power in range(first, last + 1, step)], lambda size: notation.plain(size, "bytes"))


def _fix(axis: "Axis", ticks: Sequence[float], said: Callable[[float], str]) -> None:
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: said(value)))
    axis.set_minor_locator(NullLocator())
