"""What a terminal shows of a live session at one moment, in as many columns and lines as it has."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.cells import cell_len, set_cell_size
from rich.text import Text

from profiler.cli.live import wording
from profiler.cli.live.plain_output import LABEL, row, wrapped
from profiler.live.overlay import chance
from profiler.records import Second, Shown
from profiler.sanitize import safe

_IN_A_COLUMN = 4
"""So many answers stand below each other; of more, two stand side by side."""
_TWO = 60
"""Columns from which on there is room for that."""
_GAP, _NAME, _INSET = 2, 24, 2
"""Columns between two answers, of the longest name of a class, before the label."""

_LABEL_STYLE = "bold reverse"


class Around(NamedTuple):
    """What is shown beside a second's figures.

    Attributes:
        lack: Why nothing is counted, where the heading says so.
        asked_rate: Frames a second asked of the source.
        notes: What went wrong beside the session.
        bar: The letter that bars are made of.
    """

    heading: tuple[str, ...]
    lack: str | None
    asked_rate: float | None
    notes: tuple[str, ...] = ()
    bar: str = "█"


def screen(second: Second, around: Around, width: int, height: int) -> list[Text]:
    """The lines, none wider than `width` and no more than `height`.

    Where there is too little room the heading goes first, then the lesser answers, then the figures from the last up;
    what is wrong stays.
    """
    heading = [Text(line, "dim") for whole in around.heading for line in wrapped(whole.split(), width)]
    alarms = list(_alarms(second, around, width))[: max(0, height - 1)]
    figures = [*list(_figures(second, around, width))[: max(0, height - 1 - len(alarms))], *alarms]
    room = height - 1 - len(figures)
    if len(heading) + min(len(second.top), _IN_A_COLUMN) > room:
        heading = []
    answers = list(_answers(second.top, max(0, room - len(heading)), width, around.bar))
    label, high = _label(second.top, width), room - len(heading) - len(answers) >= 2
    edge = [Text(" " * width, _LABEL_STYLE)] if high else []
    lines = [*heading, *edge, label, *edge, *answers, *figures][:height]
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return lines


def _label(top: Sequence[Shown], width: int) -> Text:
    """The winner across the whole width; its probability stays where its name is too long."""
    said = chance(top[0].probability) if top else ""
    name = safe(top[0].label) if top else "no label yet"
    line = f"{' ' * _INSET}{_cut(name, width - 2 * _INSET - len(said) - 2)}  {said}"
    return Text(set_cell_size(line, width), _LABEL_STYLE)


def _answers(top: Sequence[Shown], lines: int, width: int, bar: str) -> Iterator[Text]:
    """As many answers as fit the lines, each with its bar; the best stands in the first line."""
    columns = 1 if len(top) <= _IN_A_COLUMN or width < _TWO else 2
    column = (width - (columns - 1) * _GAP) // columns
    shown = top[: lines * columns]
    down = -(-len(shown) // columns)
    name = min(_NAME, column // 2, max((cell_len(safe(each.label)) for each in shown), default=0))
    cells = [_answer(each, name, column, bar) for each in shown]
    for place in range(down):
        yield Text(" " * _GAP).join(cells[place::down])


def _answer(shown: Shown, name: int, width: int, bar: str) -> Text:
    said = f"{set_cell_size(_cut(safe(shown.label), name), name)} {chance(shown.probability):>7} "
    most = max(0, width - cell_len(said))
    drawn = min(most, round(shown.probability * most))
    return Text.assemble(said, (bar * drawn, "green"), " " * (most - drawn))


def _cut(text: str, width: int) -> str:
    """The text, or its beginning and a mark that there is more."""
    return text if cell_len(text) <= width else f"{set_cell_size(text, max(0, width - 1))}…"


def _figures(second: Second, around: Around, width: int) -> Iterator[Text]:
    rates = [*wording.rates(second, around.asked_rate), f"{second.elapsed_s:,.0f} s", f"{second.total_frames:,} frames"]
    for name, items in (
        ("rate", rates),
        ("shares", wording.shares(second.shares)),
        ("latency", wording.quantiles(second.latency_ms)),
        ("age", wording.quantiles(second.age_ms)),
        ("lost", wording.lost(second)),
        ("in all", wording.lost(second, "total_")),
        ("machine", wording.machine(second.cpu_percent, second.state)),
        ("counters", wording.counts(second.counting, around.lack)),
    ):
        for line in row(name, items, width):
            text = Text(line)
            text.stylize("dim", 0, LABEL)
            yield text


def _alarms(second: Second, around: Around, width: int) -> Iterator[Text]:
    if second.trouble:
        yield from (Text(line, "bold yellow") for line in row("trouble", [safe(second.trouble)], width))
    for note in around.notes:
        yield from (Text(line, "bold red") for line in wrapped(safe(note).split(), width))
