"""Ticks of logarithmic axes."""

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from matplotlib.axis import Axis


def log_ticks(axis: "Axis", low: float, high: float, said: Callable[[float], str], most: int = 5) -> None:
    """Ticks of a logarithmic axis: of powers of ten, of 1, 3 and of 1, 2, 5 the most that are no more than `most`."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

    first, last = int(np.floor(np.log10(low))), int(np.ceil(np.log10(high)))
    powers = range(first, last + 1)
    series = ((1, 2, 5), (1, 3), (1,))
    choices = [[factor * 10.0**power for power in powers for factor in factors] for factors in series]
    choices += [[10.0**power for power in powers if power % step == 0] for step in (2, 3, 4, 6)]
    inside = [[tick for tick in ticks if low <= tick <= high] for ticks in choices]
    ticks = next((found for found in inside if len(found) <= most), inside[-1])
    if len(ticks) < 2:
        ticks = [tick for tick in MaxNLocator(nbins=most - 1).tick_values(low, high) if low <= tick <= high]
    axis.set_major_locator(FixedLocator(ticks))
    axis.set_major_formatter(FuncFormatter(lambda value, _: said(value)))
    axis.set_minor_locator(NullLocator())


def byte_ticks(axis: "Axis", low: float, high: float, said: Callable[[float], str], most: int = 5) -> None:
    """Ticks of a logarithmic axis at powers of two, as many doublings apart as leave no more than `most`."""
    from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

    first, last = int(np.ceil(np.log2(low))), int(np.floor(np.log2(high)))
    step = max(1, -(-(last - first) // (most - 1)))
    axis.set_major_locator(FixedLocator([2.0**power for power in range(first, last + 1, step)]))
    axis.set_major_formatter(FuncFormatter(lambda size, _: said(size)))
    axis.set_minor_locator(NullLocator())
