"""A pseudo-terminal, and what a program draws on it."""

import fcntl
import os
import pty
import re
import select
import struct
import termios
import time
from collections.abc import Callable
from typing import TextIO

from rich.cells import cell_len

LIMIT_S = 60.0


class Terminal:
    """What is written to `out` can be read with `until`; at first it has 80 columns and 24 lines."""

    def __init__(self) -> None:
        self._end, slave = pty.openpty()
        self.out: TextIO = os.fdopen(slave, "w", encoding="utf-8")
        self._kept = ""
        self.resize(80, 24)

    def resize(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self.out.fileno(), termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    def until(self, wanted: str | Callable[[str], bool]) -> str:
        """All that has come since the last call, once these words are in it or it is as wanted."""
        is_there = wanted if callable(wanted) else lambda text: wanted in text
        end = time.monotonic() + LIMIT_S
        while not is_there(self._kept):
            # What is drawn again and again must not keep a test waiting that waits for something else.
            assert select.select([self._end], [], [], max(0.0, end - time.monotonic()))[0], self._kept
            self._kept += os.read(self._end, 1 << 16).decode(errors="replace")
        found, self._kept = self._kept, ""
        return found

    def close(self) -> None:
        self.out.close()
        os.close(self._end)


def drawn(text: str) -> list[str]:
    """The lines of the last drawing of the whole terminal."""
    return re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.split("\x1b[H")[-1]).split("\r\n")


def whole(columns: int, lines: int) -> Callable[[str], bool]:
    """Whether there is a drawing of so many lines, and the last one has come to its end: all are filled with spaces."""
    return lambda text: "\x1b[H" in text and len(drawn(text)) == lines and cell_len(drawn(text)[-1]) == columns
