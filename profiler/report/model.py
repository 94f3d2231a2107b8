"""What a report is before it has a format: sections of sentences, tables and figures, all of them plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from profiler.network.fit import Level
from profiler.report.analysis import Latency, Phase
from profiler.report.costs import Cost
from profiler.report.grading.validity import Validity
from profiler.stats import Estimate


@dataclass(frozen=True, slots=True)
class Table:
    """Text in rows and columns; the first column names the row.

    Attributes:
        key: Unique in the report.
        title: Empty where the section's own says it.
        rows: As many cells a row as there are columns. A cell's or a column's second line, where it has one, is said
            more quietly: an interval, a source.
        caption: What the reader must know to read it, in sentences.
        notes: What the marks (¹ ² ³) in cells say, each beginning with its mark.
        words: Cells are words, not figures.
    """

    key: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    caption: str = ""
    notes: tuple[str, ...] = ()
    words: bool = False


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
    """

    phases: dict[str, tuple[Phase, ...]]
    per_image_ns: dict[str, float]
    images: tuple[int, ...]


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


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure.

    Attributes:
        key: File-name-safe name.
        alt: What it shows, for a reader who cannot see it.
        drawing: What is drawn.
    """

    key: str
    title: str
    alt: str
    caption: str
    drawing: (
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


@dataclass(frozen=True, slots=True)
class Section:
    """A heading and what stands under it, in this order.

    Attributes:
        points: Sentences that stand as a list.
        command: What to type, in a block of its own.
    """

    title: str
    sentences: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    command: str = ""
    tables: tuple[Table, ...] = ()
    figures: tuple[Figure, ...] = ()


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its answer from the data: what is so, which figures say it, what they do not say.

    Attributes:
        key: Unique in the report, letters, digits and hyphens.
        title: What it is about, in a few words (`Pipeline stalls`).
        asked: The question in a sentence.
        verdict: The answer in a sentence; where the data cannot answer, that and why.
        evidence: Sentences with the figures and their intervals.
        caveats: Sentences on what this does not show.
        answered: Whether the data answer it.
        command: What to type for the answer, or for a better one; empty where nothing is missing.
        shown: Keys of the report's tables and figures that show it, the most telling first.
    """

    key: str
    title: str
    asked: str
    verdict: str
    evidence: tuple[str, ...] = ()
    caveats: tuple[str, ...] = ()
    answered: bool = True
    command: str = ""
    shown: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Quantity:
    """One figure of the report as a number, for other programs.

    Attributes:
        subject: The model's label, or what else the figure is of.
        event: The event's name, or the metric's.
        what: `fixed`, `slope`, `region` (both per image), `whole`, or another word; of a comparison `ratio` and such.
        images: Of the whole run; None where the figure is of no image count.
        value: None where there is no figure, for the `reason`.
        low, high: Ends of the 95 % interval; None where there is none.
        unit: "" for occurrences, "ns", "bytes", "1" for a ratio.
        status: Whether it was counted, scaled up, simulated, or is not there.
    """

    subject: str
    event: str
    what: str
    images: int | None
    value: float | None
    low: float | None
    high: float | None
    unit: str
    status: Literal["counted", "scaled", "simulated", "modelled", "absent"]
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """All that every format shows, of a study or of a comparison of studies.

    Attributes:
        name: The study's, or the studies'.
        subtitle: Which study this is, on which machine.
        answer: The answer in sentences.
        warnings: What makes a figure doubtful, the most serious first; empty where nothing does.
        summary: The short tables a terminal of 80 columns shows.
        labels: The models', in the order of their colours and markers.
        origin: What made it, in a sentence.
        validity: What the figures are worth; None where that is not judged.
        quantities: The figures as numbers.
        data: Files that stand beside the report, by name: what makes their bytes.
    """

    name: str
    title: str
    subtitle: str
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    summary: tuple[Table, ...]
    sections: tuple[Section, ...]
    labels: tuple[str, ...]
    origin: str
    questions: tuple[Question, ...] = ()
    validity: Validity | None = None
    quantities: tuple[Quantity, ...] = ()
    data: Mapping[str, Callable[[], bytes]] = field(default_factory=dict)
