"""What a report is before it has a format: sections of sentences, tables and figures, all of them plain data."""

from dataclasses import dataclass

from profiler.network.fit import Level
from profiler.records import Run, Study
from profiler.report.analysis import Latency, Phase
from profiler.report.costs import Cost


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
class PhaseBars:
    """What is paid once, in parts: the phases of each model by label."""

    phases: dict[str, tuple[Phase, ...]]


@dataclass(frozen=True, slots=True)
class LatencyDots:
    """Single inferences against their place in the run, by model label."""

    latencies: dict[str, Latency]


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
    drawing: CostLines | PhaseBars | LatencyDots | RefillBars | OperatorBars | MissDots


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
class Report:
    """All that every format shows.

    Attributes:
        subtitle: Which study this is, on which machine.
        answer: The study's answer in sentences.
        warnings: What makes a figure doubtful, the most serious first; empty for a clean study.
        summary: The short tables a terminal of 80 columns shows.
    """

    study: Study
    runs: tuple[Run, ...]
    title: str
    subtitle: str
    answer: tuple[str, ...]
    warnings: tuple[str, ...]
    summary: tuple[Table, ...]
    sections: tuple[Section, ...]
