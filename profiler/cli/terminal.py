"""What a terminal shows: the progress of a sweep, and tables."""

import re
from collections.abc import Callable, Mapping
from textwrap import fill, indent

import click
from rich import markup
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table as Grid

from profiler.analysis import notation
from profiler.images.labelled_photos import DEGRADED
from profiler.measure.doctor import Examination
from profiler.measure.inspection import Inspection
from profiler.measure.progress import ProgressStep
from profiler.miss_curve import sentences
from profiler.records import Answers, Check, Event, MissCurve, Target
from profiler.report.cells import Column, fact, tabulated
from profiler.report.formats.cell_values import table_text
from profiler.report.model import Cell, Label, Table
from profiler.report.sections import model_inspection
from profiler.report.sections import validity as validity_section
from profiler.validity.codes import Code
from profiler.validity.model import Validity


class Bar:
    """What runs now, done of total, time left: a bar on a terminal, a line a run elsewhere; on standard error."""

    def __init__(self) -> None:
        console = Console(stderr=True)
        self._live = console.is_terminal
        columns = (
            SpinnerColumn(),
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
        )
        self._progress = Progress(*columns, console=console, transient=True, disable=not self._live)
        self._task = self._progress.add_task("", total=None, left="")

    def __enter__(self) -> "Bar":
        self._progress.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._progress.stop()

    def __call__(self, step: ProgressStep) -> None:
        left = f"{_span(step.left_s)} left" if step.left_s else ""
        if self._live:
            self._progress.update(
                self._task, description=step.what, completed=step.done, total=step.total or None, left=left
            )
        else:
            place = f"{step.done}/{step.total} " if step.total else ""
            click.echo(f"{place}{step.what}{', about ' + left if left else ''}", err=True)


def _span(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def escape(text: str) -> str:
    """Text as it is: names out of files are neither markup nor control a terminal."""
    return markup.escape(re.sub(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]", "?", text))


def say(sentence: str) -> None:
    """Prints a sentence, broken between words on a terminal and not at all elsewhere."""
    console = Console(highlight=False)
    console.print(escape(sentence), soft_wrap=not console.is_terminal)


def show(table: Table) -> None:
    """Prints a table to standard output, as wide as the terminal allows."""
    its = table_text(table)
    grid = Grid(title=its.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
    grid.show_header = its.headed
    heads, *rows = (["\n".join(cell.lines) for cell in row] for row in (its.columns, *its.rows))
    for index, head in enumerate(heads):
        grid.add_column(head, justify="left" if index == 0 or its.words else "right", overflow="fold")
    for row in rows:
        grid.add_row(*map(escape, row))
    Console(highlight=False).print(grid)
    for note in its.notes:
        say(note)


_MARKS = {"ok": "[green]ok[/green]", "warning": "[yellow]warning[/yellow]", "missing": "[red]missing[/red]"}


def show_examination(examination: Examination) -> None:
    """Prints the doctor's findings, each with what mends it, and the events of the set."""
    console = Console(highlight=False, soft_wrap=True)
    for finding in examination.findings:
        console.print(f"{_MARKS[finding.level]} {escape(finding.what)}: {escape(finding.detail)}")
        if finding.remedy:
            console.print(f"    -> {escape(finding.remedy)}")
    console.print()
    for event in examination.events:
        reason = examination.absent.get(event.name)
        console.print(f"{event.name}: {escape(f'n/a ({reason})') if reason else f'counted, {event.quality}'}")


def show_events(title: str, events: tuple[Event, ...]) -> None:
    """Prints a core's catalogue: event, quality, meaning."""
    grid = Grid(title=f"Events of {title}", title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in ("event", "quality", "meaning"):
        grid.add_column(column, overflow="fold")
    for event in events:
        grid.add_row(event.name, event.quality, escape(event.meaning))
    Console().print(grid)


def show_inspection(found: Inspection, target: Target, every: bool) -> None:
    """Prints what is known of one model file; `every` lists each operator."""
    engine = found.look.engine if found.look else None
    resident = found.look.resident if found.look else None
    size = f"{found.network.size_bytes:,} bytes"
    say(f"{found.file}: {size}, {found.network.format}, sha256 {found.sha256[:12]}")
    if engine:
        told = engine.delegate or engine.delegated
        delegate = f", delegate {engine.delegate or 'none'}: {engine.delegated or 'untold'}" if told else ""
        say(f"{engine.package} {engine.version}{delegate}")
    else:
        say(f"Nothing is known from the engine: {found.look_lack}")
    for table in model_inspection.tables(found.network, engine, resident, target, every):
        click.echo()
        show(table)
    for note in found.network.notes:
        say(notation.sentence(note))
    click.echo()


def show_checks(checks: tuple[Check, ...]) -> None:
    """Prints how models answered photos, a table for each set of them, and which of them disagree."""
    for place, answers in enumerate(checks[0].answers if checks else ()):
        rows = [(check.label, check) for check in checks]
        columns = [_of_answers(head, place, entry) for head, entry in _ANSWERED.items()]
        columns.append(Column("with", lambda check: check.reference))
        show(tabulated("answers", f"{answers.total} photos, {answers.photos}", "model", rows, columns))
        click.echo()
    if checks:
        say(DEGRADED)
    if any(answers.correct is None for check in checks for answers in check.answers):
        say(
            f"{notation.ABSENT}: the network's outputs are not the photos' classes, so no answer of its is right or "
            "wrong."
        )
    for check in checks:
        if check.disagrees:
            bound = notation.percent(check.bound)
            say(f"{check.label} disagrees: it agrees with {check.reference} on fewer than {bound} of a set's photos.")


_ANSWERED: dict[Label | str, Callable[[Answers], Cell]] = {
    "right": lambda answers: fact(answers.correct),
    "agree": lambda answers: Cell(answers.agree),
    Label(("largest",), ("drift",)): lambda answers: fact(answers.drift, notation.NUMBER),
    Label(("mean",), ("drift",)): lambda answers: fact(answers.mean_drift, notation.NUMBER),
}


def _of_answers(head: Label | str, place: int, entry: Callable[[Answers], Cell]) -> Column[Check]:
    return Column(head, lambda check: entry(check.answers[place]))


def show_verdict(name: str, validity: Validity) -> None:
    """Prints a study's grade, and each finding with what it is about and what to do, as wide as the terminal allows."""
    console = Console(highlight=False)
    console.print(escape(validity_section.verdict(name, validity)))
    for finding in validity.findings:
        grade, about = validity_section.GRADE_WORDS[finding.grade], validity_section.about([finding])
        console.print(f"\n{_COLOURS[finding.grade]}{grade}[/]: {finding.code} ({about})")
        for line in filter(None, (finding.what, finding.remedy and f"-> {finding.remedy}")):
            console.print(escape(indent(fill(line, console.width - 4), "    ")), soft_wrap=True)


def show_codes(codes: Mapping[str, Code]) -> None:
    """Prints every code of a finding, the grades it gives and what it means."""
    rows = tuple((name, notation.listed(code.grades), code.meaning) for name, code in codes.items())
    show(Table("codes", "Codes of findings", ("code", "grade", "found where"), rows, words=True))


_COLOURS = {"valid": "[green]", "degraded": "[yellow]", "invalid": "[red]"}


def show_curve(curve: MissCurve) -> None:
    """Prints what a miss curve says, and its tables."""
    for sentence in (*sentences.summary(curve), *sentences.trust(curve)):
        say(sentence)
    for table in sentences.tables(curve):
        click.echo()
        show(table)
