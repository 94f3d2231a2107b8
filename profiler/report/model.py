"""What a report is before it has a format: sections of sentences, tables and figures, all of them plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from profiler.analysis.agreement import MARK
from profiler.analysis.costs import FigureStatus
from profiler.analysis.quantity import Quantity, QuantityKey
from profiler.report.figures.data import Drawing
from profiler.validity.model import Validity


@dataclass(frozen=True, slots=True)
class ModelName:
    """A model's label where a table names it.

    Attributes:
        disagrees: With whom its answers disagree, and on how many images; empty where they do not.
    """

    label: str
    disagrees: str = ""

    def __str__(self) -> str:
        return f"{self.label}{MARK if self.disagrees else ''}"


Words = tuple[str | ModelName, ...]
"""Text with the models that it names."""


@dataclass(frozen=True, slots=True)
class Label:
    """Words of a table: the name of a row, a column or the table, or a cell that is no figure.

    Attributes:
        under: Said more quietly, on a line of its own.
        notes: What the reader must know of it.
    """

    words: Words
    under: Words = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of a table.

    Attributes:
        value: In `unit`; None where there is none, for the reason that `notes` begin with.
        unit: "" for occurrences, "ns", "bytes", "%", "1" for a ratio, "×" for a multiple.
        status: Where it is from; `fact` of what is known without counting, such as a file's size.
        low, high: Ends of the 95 % interval; None where there is none.
        digits: Most that are written of a figure that is no estimate; None for as many as the interval bears, and for
            all of an int.
        after: Words behind it, on the same line.
        under: A second figure or words, said more quietly on a line of its own.
        notes: What the reader must know of it.
        quantity: The quantity of the report that it shows; None where it shows none.
    """

    value: float | None
    unit: str = ""
    status: FigureStatus | Literal["fact"] = "fact"
    low: float | None = None
    high: float | None = None
    digits: int | None = None
    after: str = ""
    under: "Cell | str" = ""
    notes: tuple[str, ...] = ()
    quantity: QuantityKey | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Return both ends of the interval, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)


Entry = Cell | Label | str
"""What stands in a cell; a string is words without notes."""


@dataclass(frozen=True, slots=True)
class Table:
    """Figures and words in rows and columns; the first column names the row.

    Attributes:
        key: Unique in the report.
        title: Empty where the section's own says it.
        rows: As many entries a row as there are columns.
        caption: What the reader must know to read it, in sentences.
        words: Most cells are words, and an interval stands beside its figure.
        intervals: Whether figures stand with intervals and notes, or in brief: with the interval's further end as a
            share of the figure, or alone.
    """

    key: str
    title: Label | str
    columns: tuple[Label | str, ...]
    rows: tuple[tuple[Entry, ...], ...]
    caption: str = ""
    words: bool = False
    intervals: Literal["full", "error", "none"] = "full"


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
    drawing: Drawing


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
