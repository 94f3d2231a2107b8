"""A live session where there is no terminal: a plain line a second, or a JSON object; and its summary for all."""

import shlex
from collections.abc import Iterable, Sequence
from typing import TextIO

import click
import msgspec
from rich.cells import cell_len, chop_cells

from profiler.analysis import notation
from profiler.camera.source import Facts
from profiler.cli.live import wording
from profiler.cli.options import complain
from profiler.records import Second, Summary, to_json
from profiler.sanitize import safe

WIDTH = 80
"""Columns that a summary fits into."""
LABEL = 10
"""Columns of a row's name and the space after it."""
_LABELS = 10
"""Classes in a summary; the others are one figure."""


class Watch:
    """A way of showing a session. A method raises OSError where nobody reads any more."""

    def loading(self, what: str) -> None:
        """A model is loaded next, which with Keras takes many seconds; said to whoever sits before it."""

    def opened(self, setting: wording.Setting, facts: Facts) -> None:
        """The source is open for the first time: the heading is due."""
        raise NotImplementedError

    def second(self, second: Second) -> None:
        """A second is over."""
        raise NotImplementedError

    def note(self, line: str) -> None:
        """Something beside the session went wrong; it goes on."""
        complain(line)

    def ended(self, summary: Summary, recorded: str | None) -> None:
        """The session is over; `recorded` is the study it was kept in, as `profiler report` takes it."""
        raise NotImplementedError

    def close(self) -> None:
        """Shows no more, however the session ended; may be called twice."""

    def abandon(self) -> None:
        """The process is about to end at once."""


class Lines(Watch):
    """Plain lines for a file or a pipe: no colour, no control characters, each written at once."""

    def __init__(self, out: TextIO) -> None:
        self._out = out
        self._lack: str | None = None
        self._asked: float | None = None

    def opened(self, setting: wording.Setting, facts: Facts) -> None:
        self._lack, self._asked = setting.lack, facts.asked_rate
        self._say(*wording.heading(setting, facts))

    def second(self, second: Second) -> None:
        self._say(line(second, self._lack, self._asked))

    def ended(self, summary: Summary, recorded: str | None) -> None:
        self._say(*rows(summary, recorded))

    def _say(self, *lines: str) -> None:
        self._out.write("".join(f"{each}\n" for each in lines))
        self._out.flush()


class Json(Watch):
    """A `records.Second` a line and nothing else, but for the last line: `{"summary": records.Summary}`."""

    def __init__(self, out: TextIO) -> None:
        self._out = out

    def opened(self, setting: wording.Setting, facts: Facts) -> None:
        for each in wording.heading(setting, facts):
            click.echo(each, err=True)

    def second(self, second: Second) -> None:
        self._say(to_json(second))

    def ended(self, summary: Summary, recorded: str | None) -> None:
        self._say(msgspec.json.encode({"summary": summary}))
        if recorded is not None:
            click.echo(_recorded(recorded), err=True)

    def _say(self, line: bytes) -> None:
        self._out.write(f"{line.decode()}\n")
        self._out.flush()


def line(second: Second, lack: str | None, asked_rate: float | None) -> str:
    """A second's figures in one line; `lack` is why nothing is counted, where that has been said."""
    best = wording.answer(second.top[0]) if second.top else "no label"
    groups = (
        [f"{second.elapsed_s:.0f} s: {best}", *wording.rates(second, asked_rate)],
        [f"latency {' '.join(wording.quantiles(second.latency_ms))}"],
        [f"age {' '.join(wording.quantiles(second.age_ms))}"],
        wording.lost(second),
        wording.shares(second.shares),
        wording.machine(second.cpu_percent, second.state),
        [f"counters {' '.join(wording.counts(second.counting, lack))}"],
        [f"trouble: {safe(second.trouble)}"] if second.trouble else [],
    )
    return ", ".join(item for group in groups for item in group)


def rows(summary: Summary, recorded: str | None, width: int = WIDTH) -> list[str]:
    """The summary's lines, none wider than `width`."""
    found: tuple[tuple[str, list[str]], ...] = (
        ("ended", [safe(summary.ended)]),
        ("frames", [f"{summary.frames:,} in {summary.seconds:.1f} s", *wording.rates(summary)]),
        ("shares", wording.shares(summary.shares)),
        ("latency", [*wording.quantiles(summary.latency_ms), "to preprocess and infer"]),
        ("age", [*wording.quantiles(summary.age_ms), "from capture to label"]),
        ("lost", wording.lost(summary)),
        ("labels", _won(summary)),
        ("CPU", [f"{summary.cpu_percent:.0f} % of one"]),
        ("recorded", [] if recorded is None else [_recorded(recorded)]),
    )
    return [each for name, items in found if items for each in row(name, items, width)]


def row(name: str, items: Sequence[str], width: int) -> list[str]:
    """A row's name and its items, on as many lines as they need, none of them wider than `width`."""
    commas = (*[","] * (len(items) - 1), "")
    pieces = (f"{item}{comma}" for item, comma in zip(items, commas, strict=True))
    lines = wrapped(pieces, width - LABEL)
    heads = (name, *[""] * (len(lines) - 1))
    return [f"{head:<{LABEL}}{each}" for head, each in zip(heads, lines, strict=True)]


def wrapped(pieces: Iterable[str], width: int) -> list[str]:
    """The pieces on lines no wider than `width`; one that is wider falls into its words, and a word into what fits."""
    lines = [""]
    for whole in pieces:
        for piece in _fitting(whole, width):
            joined = f"{lines[-1]} {piece}" if lines[-1] else piece
            if cell_len(joined) <= width:
                lines[-1] = joined
            else:
                lines.append(piece)
    return lines


def _fitting(piece: str, width: int) -> list[str]:
    if cell_len(piece) <= width:
        return [piece]
    return [part for word in piece.split() for part in chop_cells(word, width)]


def _won(summary: Summary) -> list[str]:
    """How often each class won, the most frequent first."""
    ranked = sorted(summary.labels.items(), key=lambda pair: -pair[1])
    shown, others = ranked[:_LABELS], ranked[_LABELS:]
    if others:
        shown = [*shown, (f"{len(others)} others", sum(times for _, times in others))]
    return [f"{safe(name)} {times:,} ({notation.percent(times / summary.frames)})" for name, times in shown if times]


def _recorded(name: str) -> str:
    return f"`profiler report {shlex.quote(safe(name))}` shows it"
