"""A live session in place on a terminal: drawn anew each second and whenever the terminal is resized."""

import contextlib
import os
import select
import signal
import threading
from collections.abc import Sequence
from queue import SimpleQueue
from typing import Any, TextIO

from rich.console import Console, Group
from rich.live import Live
from rich.text import Text

from profiler.camera.source import Facts
from profiler.cli.live import wording
from profiler.cli.live.plain_output import WIDTH, Watch, rows
from profiler.cli.live.terminal_layout import Around, screen
from profiler.records import Second, Summary
from profiler.sanitize import safe

BACK = b"\x1b[?1049l\x1b[?25h"
"""Leaves the alternate screen and shows the cursor (xterm's control sequences)."""
_COLUMNS, _LINES = 80, 24
"""Of a terminal that does not tell its size, such as a serial line."""


class InPlace(Watch):
    """Shows a session on the alternate screen, where a resized terminal leaves nothing behind.

    The heading and the summary are said on the ordinary screen too, and stay. As long as it is in place, nothing else
    may write to the terminal.

    Args:
        out: The terminal.
    """

    def __init__(self, out: TextIO) -> None:
        self._console, self._out = Console(file=out, highlight=False), out
        bar = "#" if self._console.options.ascii_only else "█"
        self._around = Around((), None, None, bar=bar)
        self._second: Second | None = None
        self._live = Live(
            console=self._console,
            screen=True,
            auto_refresh=False,
            redirect_stdout=False,
            redirect_stderr=False,
            get_renderable=self._render,
        )
        # A handler may be interrupted by the next resize's: this queue's `put`, unlike an event's `set`, bears that.
        self._resized: SimpleQueue[bool] = SimpleQueue()
        self._redrawing = threading.Thread(target=self._redraw, name="redraw", daemon=True)
        self._handler: Any = None

    @staticmethod
    def fits(out: TextIO) -> bool:
        """Whether it is a terminal that can be drawn on."""
        console = Console(file=out)
        return out.isatty() and console.is_terminal and not console.is_dumb_terminal

    def loading(self, what: str) -> None:
        self._say([safe(f"loading {what}")])

    def opened(self, setting: wording.Setting, facts: Facts) -> None:
        heading = wording.heading(setting, facts)
        self._around = self._around._replace(heading=heading, lack=setting.lack, asked_rate=facts.asked_rate)
        self._say(heading)

    def second(self, second: Second) -> None:
        self._second = second
        if not self._live.is_started:
            self._start()
        self._live.refresh()

    def note(self, line: str) -> None:
        self._around = self._around._replace(notes=(*self._around.notes, line))

    def ended(self, summary: Summary, recorded: str | None) -> None:
        self.close()
        width, _ = self._fit()
        self._say([*rows(summary, recorded, min(width, WIDTH)), *map(safe, self._around.notes)])

    def close(self) -> None:
        """The terminal as it was before."""
        if self._live.is_started:
            signal.signal(signal.SIGWINCH, self._handler)
            self._resized.put(False)
            self._redrawing.join()
            self._live.stop()

    def abandon(self) -> None:
        # A terminal that was halted by Ctrl-S, or is full, would hold up the end of the process.
        if self._live.is_started and select.select([], [self._out], [], 0)[1]:
            with contextlib.suppress(OSError):
                os.write(self._out.fileno(), BACK)

    def _say(self, lines: Sequence[str]) -> None:
        """Lines that stay, broken between words; one with an address by the terminal, so that it is copied whole."""
        self._fit()
        for line in lines:
            self._console.print(Text(line), soft_wrap="://" in line)

    def _start(self) -> None:
        self._live.start()
        # The handler runs between any two steps of the loop, amid a drawing too: another thread draws.
        self._handler = signal.signal(signal.SIGWINCH, lambda *_: self._resized.put(True))
        self._redrawing.start()

    def _redraw(self) -> None:
        # A terminal that has gone is noticed by the loop too.
        with contextlib.suppress(OSError):
            while self._resized.get():
                # Of a window that is being dragged only the latest size is drawn.
                if self._resized.empty():
                    self._live.refresh()

    def _render(self) -> Group | str:
        if self._second is None:
            return ""
        width, height = self._fit()
        return Group(*screen(self._second, self._around, width, height))

    def _fit(self) -> tuple[int, int]:
        """The terminal's size now, which becomes the console's: rich asks streams that may lead elsewhere."""
        size = os.get_terminal_size(self._out.fileno())
        width, height = size.columns or _COLUMNS, size.lines or _LINES
        self._console.size = width, height
        return width, height
