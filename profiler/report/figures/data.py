"""What a figure draws: each kind of drawing with its figures, all of them plain data."""

from dataclasses import dataclass

from profiler.analysis.costs import Cost
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Latency, Phase
from profiler.machine.cache_fit import Level


@dataclass(frozen=True, slots=True)
class CostLines:
    """One event's counts against images, a line and its interval for each model that has them."""

    costs: tuple[Cost, ...]


@dataclass(frozen=True, slots=True)
class CostGrid:
    """Counts of several events against images: a row an event and a panel a model, or of many models a panel an event.

    Attributes:
        rows: By what the event is called there, its costs, one a model that has it.
    """

    rows: dict[str, tuple[Cost, ...]]


@dataclass(frozen=True, slots=True, eq=False)
class Ratio:
    """How many times another's cost something's is; None where that is not determined.

    Attributes:
        name: Of the event.
    """

    name: str
    per_image: Estimate | None
    once: Estimate | None


@dataclass(frozen=True, slots=True)
class RatioDots:
    """Ratios on a logarithmic axis, a panel for each that is divided.

    Attributes:
        below: What all are divided by.
        panels: By label.
        simulated: The ratios are of simulated figures.
    """

    below: str
    panels: dict[str, tuple[Ratio, ...]]
    simulated: bool = False


@dataclass(frozen=True, slots=True)
class RunBars:
    """Wall time of whole runs in parts: what is paid once by phase, then the steady inferences.

    Attributes:
        phases: By model label.
        per_image_ns: Of a steady inference by model label; a model without has its phases alone.
        images: Of the runs, ascending.
        words: What each phase is called.
    """

    phases: dict[str, tuple[Phase, ...]]
    per_image_ns: dict[str, float]
    images: tuple[int, ...]
    words: dict[str, str]


@dataclass(frozen=True, slots=True)
class AmortisedLines:
    """What an image costs in a run of so many images, its part of the fixed cost included; all costs have lines.

    Attributes:
        shares: Shares of the fixed cost, and by model label beyond how many images it is below.
        most: Images at the right end.
    """

    costs: tuple[Cost, ...]
    shares: dict[float, dict[str, float]]
    most: int


@dataclass(frozen=True, slots=True)
class LatencySteps:
    """Which share of the steady inferences takes no longer than what is below it, by model label.

    Attributes:
        latencies: In ns.
        marked: Quantiles with their names, by model label, in ns.
    """

    latencies: dict[str, Latency]
    marked: dict[str, dict[str, float]]


@dataclass(frozen=True, slots=True)
class LatencyTrace:
    """Single inferences over the time of the study, and the machine's state beneath.

    Attributes:
        latencies: By model label, time since the first run in s and latency in ns.
        marked: Quantiles with their names, by model label, in ns.
        temperature: Time in s, degrees Celsius.
        clock: Time in s, clock of the slowest and of the fastest core in Hz.
        throttled: Times in s at which the board throttled.
    """

    latencies: dict[str, tuple[tuple[float, float], ...]]
    marked: dict[str, dict[str, float]]
    temperature: tuple[tuple[float, float], ...]
    clock: tuple[tuple[float, float, float], ...]
    throttled: tuple[float, ...]


@dataclass(frozen=True, slots=True)
class SizeDots:
    """Sizes of models in bytes, a panel for each kind of size.

    Attributes:
        panels: Sizes by model label, by what they are of.
        levels: Name and size of the caches that are marked.
        whose: Whose caches those are.
    """

    panels: dict[str, dict[str, int]]
    levels: tuple[Level, ...]
    whose: str = ""


@dataclass(frozen=True, slots=True)
class RefillBars:
    """What each cache brings in for each image: costs by what they are called, by model label."""

    costs: dict[str, dict[str, Cost]]


@dataclass(frozen=True, slots=True)
class OperatorBars:
    """Working set of each operator in the order of execution, in bytes, by model label.

    Attributes:
        levels: Name and size of the caches that are marked.
    """

    sets: dict[str, tuple[int, ...]]
    levels: tuple[Level, ...]


@dataclass(frozen=True, slots=True)
class MissDots:
    """Misses of a model for each image against its working set, a panel for each event.

    Attributes:
        working_sets: In bytes, by model label.
        panels: Costs that have a figure for each image, by what they are called.
        levels: Name and size of the caches that are marked.
        line_bytes: Of a cache line.
    """

    working_sets: dict[str, int]
    panels: dict[str, tuple[Cost, ...]]
    levels: tuple[Level, ...]
    line_bytes: int


Drawing = (
    CostLines
    | CostGrid
    | RatioDots
    | RunBars
    | AmortisedLines
    | LatencySteps
    | LatencyTrace
    | SizeDots
    | RefillBars
    | OperatorBars
    | MissDots
)
"""Any of them."""
