"""What a figure draws: each kind of drawing with its figures, all of them plain data."""

from dataclasses import dataclass

from profiler.analysis.costs import Cost
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Latency, Phase
from profiler.machine.cache_fit import Level


class Drawing:
    """Any of them."""


@dataclass(frozen=True)
class CostLines(Drawing):
    """One event's counts against images, a line and its interval for each model that has them."""

    costs: tuple[Cost, ...]


@dataclass(frozen=True)
class CostGrid(Drawing):
    """Counts of several events against images: a row an event and a panel a model, or of many models a panel an event.

    Attributes:
        rows: By what the event is called there, its costs, one a model that has it.
    """

    rows: dict[str, tuple[Cost, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """How many times another's cost something's is, of the event of that name; None where that is not determined."""

    name: str
    per_image: Estimate | None
    once: Estimate | None


@dataclass(frozen=True)
class RatioDots(Drawing):
    """Ratios on a logarithmic axis, a panel for each that is divided.

    Attributes:
        below: What all are divided by.
        panels: By label.
        simulated: The ratios are of simulated figures.
    """

    below: str
    panels: dict[str, tuple[Ratio, ...]]
    simulated: bool = False


@dataclass(frozen=True)
class RunBars(Drawing):
    """Wall time of whole runs in parts: what is paid once by phase, then the steady inferences.

    Attributes:
        phases: By model label, as `per_image_ns` of a steady inference; a model without has its phases alone.
        images: Of the runs, ascending.
        words: What each phase is called.
    """

    phases: dict[str, tuple[Phase, ...]]
    per_image_ns: dict[str, float]
    images: tuple[int, ...]
    words: dict[str, str]


@dataclass(frozen=True)
class AmortisedLines(Drawing):
    """What an image costs in a run of so many images, its part of the fixed cost included; all costs have lines.

    Attributes:
        shares: Shares of the fixed cost, and by model label beyond how many images it is below.
        most: Images at the right end.
    """

    costs: tuple[Cost, ...]
    shares: dict[float, dict[str, float]]
    most: int


@dataclass(frozen=True)
class LatencySteps(Drawing):
    """Which share of the steady inferences takes no longer than what is below it, by model label.

    Attributes:
        marked: Quantiles in ns by their names.
    """

    latencies: dict[str, Latency]
    marked: dict[str, dict[str, float]]


@dataclass(frozen=True)
class LatencyTrace(Drawing):
    """Single inferences over the time of the study, and the machine's state beneath.

    Attributes:
        latencies: By model label, time since the first run in s and latency in ns.
        marked: Quantiles in ns by their names, by model label.
        temperature: Time in s, degrees Celsius.
        clock: Time in s, clock of the slowest and of the fastest core in Hz.
        throttled: Times in s at which the board throttled.
    """

    latencies: dict[str, tuple[tuple[float, float], ...]]
    marked: dict[str, dict[str, float]]
    temperature: tuple[tuple[float, float], ...]
    clock: tuple[tuple[float, float, float], ...]
    throttled: tuple[float, ...]


@dataclass(frozen=True)
class SizeDots(Drawing):
    """Sizes of models in bytes, a panel for each kind of size.

    Attributes:
        panels: Sizes by model label, by what they are of.
        levels: The caches that are marked; `whose` says whose they are.
    """

    panels: dict[str, dict[str, int]]
    levels: tuple[Level, ...]
    whose: str = ""


@dataclass(frozen=True)
class RefillBars(Drawing):
    """What each cache brings in for each image: costs by what they are called, by model label."""

    costs: dict[str, dict[str, Cost]]


@dataclass(frozen=True)
class OperatorBars(Drawing):
    """Working set of each operator in the order of execution, in bytes, by model label; and caches that are marked."""

    sets: dict[str, tuple[int, ...]]
    levels: tuple[Level, ...]


@dataclass(frozen=True)
class MissDots(Drawing):
    """Misses of a model for each image against its working set, a panel for each event; and caches that are marked.

    Attributes:
        working_sets: In bytes, by model label.
        panels: Costs that have a figure for each image, by what they are called.
        line_bytes: Of a cache line.
    """

    working_sets: dict[str, int]
    panels: dict[str, tuple[Cost, ...]]
    levels: tuple[Level, ...]
    line_bytes: int
