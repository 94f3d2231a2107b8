"""What a report is before it has a format: sections of sentences, tables and figures, all of them plain data."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from profiler.analysis.quantity import Quantity
from profiler.report.figures.data import Drawing
from profiler.validity.model import Validity


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
