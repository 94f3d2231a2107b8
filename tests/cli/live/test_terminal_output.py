"""A session in place on a pseudo-terminal, with made figures."""

import os
import signal
import termios
import threading
from collections.abc import Iterator

import pytest
from made_screens import CAMERA, SETTING, second, summary
from terminals import LIMIT_S, Terminal

from profiler.cli.live.terminal_output import BACK, InPlace

DRAWN = "counters  "
"""The last row begins so; the heading has one space there."""


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> Iterator[Terminal]:
    monkeypatch.setenv("TERM", "xterm")
    made = Terminal()
    yield made
    made.close()


@pytest.fixture
def show(terminal: Terminal) -> Iterator[InPlace]:
    made = InPlace(terminal.out)
    made.opened(SETTING, CAMERA)
    yield made
    made.close()


def test_the_terminal_is_as_before_when_it_is_over(terminal: Terminal, show: InPlace) -> None:
    before = signal.getsignal(signal.SIGWINCH)
    show.second(second())
    assert "\x1b[?1049h" in terminal.until(DRAWN)
    show.ended(summary(), "evening")
    end = terminal.until("`profiler report evening` shows it")
    assert "\x1b[?1049l" in end.split("ended     stopped")[0]
    assert signal.getsignal(signal.SIGWINCH) is before


def test_it_is_drawn_anew_as_soon_as_the_terminal_is_resized(terminal: Terminal, show: InPlace) -> None:
    show.second(second())
    terminal.until(DRAWN)
    terminal.resize(50, 24)
    signal.raise_signal(signal.SIGWINCH)
    assert "29.9 fps, source 29.8 fps (asked 36),  " in terminal.until(DRAWN)


def test_a_terminal_that_does_not_tell_its_size_has_eighty_columns(terminal: Terminal, show: InPlace) -> None:
    terminal.resize(0, 0)
    show.second(second())
    assert "(asked 36), 12 s, 1,358 frames" in terminal.until(DRAWN)


def test_what_went_wrong_is_shown_and_said_again_at_the_end(terminal: Terminal, show: InPlace) -> None:
    show.note("the disk is full\x1b[2J")
    show.second(second())
    terminal.until("the disk is full?[2J")
    show.ended(summary(), None)
    assert "CPU       143 % of one" in terminal.until("the disk is full?[2J")


def test_it_leaves_the_terminal_usable_when_it_is_abandoned(terminal: Terminal, show: InPlace) -> None:
    show.second(second())
    terminal.until(DRAWN)
    show.abandon()
    terminal.until(BACK.decode())


def test_it_is_abandoned_at_once_though_the_terminal_is_halted(terminal: Terminal, show: InPlace) -> None:
    show.second(second())
    terminal.until(DRAWN)
    termios.tcflow(terminal.out.fileno(), termios.TCOOFF)
    leaving = threading.Thread(target=show.abandon, daemon=True)
    leaving.start()
    leaving.join(LIMIT_S)
    stuck = leaving.is_alive()
    termios.tcflow(terminal.out.fileno(), termios.TCOON)
    assert not stuck


def test_without_a_second_it_never_leaves_the_ordinary_screen(terminal: Terminal, show: InPlace) -> None:
    show.abandon()
    show.ended(summary(), None)
    assert "\x1b[?1049" not in terminal.until("CPU       143 % of one")


@pytest.mark.parametrize(("kind", "fits"), [("xterm", True), ("dumb", False)])
def test_what_can_be_drawn_on(terminal: Terminal, monkeypatch: pytest.MonkeyPatch, kind: str, fits: bool) -> None:
    monkeypatch.setenv("TERM", kind)
    assert InPlace.fits(terminal.out) is fits


def test_a_terminal_without_block_letters_gets_bars_of_others(
    terminal: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    with os.fdopen(os.dup(terminal.out.fileno()), "w", encoding="latin-1", errors="replace") as out:
        made = InPlace(out)
        made.second(second())
        assert "98.3 % \x1b[32m####" in terminal.until(DRAWN)
        made.close()
