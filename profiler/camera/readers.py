"""How frames are read from an open source: as they come, or when they are due."""

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from profiler.camera.quiet_opencv import silent_decoding
from profiler.camera.source import Facts, Frame, LostError, OverError
from profiler.pixels import Pixels

UNKNOWN_RATE = 30.0
"""Frames a second of a picture, and of a file that does not say, or says what no video has."""
FAILURES = 30
"""Reads that fail one after the other until a source counts as lost, or a file as at its end."""
_SHARE_OF_LIMIT = 0.9
"""A failed read that took so much of the time limit was silence, not a bad frame."""

Grab = Callable[[], Pixels | None]


def bgr(pixels: Any) -> Pixels | None:
    """A frame in OpenCV's order; None for what is no usable picture."""
    import cv2

    if not isinstance(pixels, np.ndarray) or pixels.size == 0 or pixels.dtype != np.uint8:
        return None
    channels = 1 if pixels.ndim == 2 else pixels.shape[2]
    if channels == 1:
        return cv2.cvtColor(pixels, cv2.COLOR_GRAY2BGR).astype(np.uint8, copy=False)
    if channels == 4:
        return cv2.cvtColor(pixels, cv2.COLOR_BGRA2BGR).astype(np.uint8, copy=False)
    return pixels if channels == 3 else None


class LiveCapture:
    """A camera or a stream: frames come when they come.

    Args:
        video: OpenCV's open capture.
        gone: Says that the source is no more there, in words; None where it is.
        stamped: The driver's stamps are asked for.
    """

    def __init__(
        self, video: Any, facts: Facts, limit_s: float, gone: Callable[[], str | None], stamped: bool = False
    ) -> None:
        self.facts = facts
        self._video, self._limit_s, self._gone, self._stamped = video, limit_s, gone, stamped
        self._since_ns = time.perf_counter_ns()
        self._number = self._bad = 0
        self._kept: Frame | None = None

    def read(self) -> Frame | None:
        """As in `Capture`. Bad frames are told from a lost source by the good one that follows, which is kept."""
        if self._kept is None:
            self._kept = self._next()
        if self._bad:
            self._bad -= 1
            return None
        frame, self._kept = self._kept, None
        return frame

    def see(self) -> None:
        """Waits for a first frame and lets it go: it tells that frames come, and how large they are.

        Raises:
            LostError: None came.
        """
        while (frame := self.read()) is None:
            pass
        self.facts = sized(self.facts, frame.pixels)
        self._number = 0

    def close(self) -> None:
        """Releases the device; not while another thread reads."""
        self._video.release()

    def _next(self) -> Frame:
        started_ns = time.perf_counter_ns()
        for _ in range(FAILURES):
            asked_ns = time.perf_counter_ns()
            pixels = self._grabbed()
            now_ns = time.perf_counter_ns()
            if pixels is not None:
                self._number += 1
                return Frame(pixels, self._taken(now_ns), self._number)
            self._bad += 1
            if now_ns - asked_ns >= self._limit_s * 1e9 * _SHARE_OF_LIMIT:
                raise LostError(self._gone() or f"{self.facts.where} was silent for {self._limit_s:g} s")
            if now_ns - started_ns >= self._limit_s * 1e9:
                raise LostError(f"{self.facts.where} delivered no usable picture for {self._limit_s:g} s")
        raise LostError(self._gone() or f"{self.facts.where} delivers nothing more")

    def _grabbed(self) -> Pixels | None:
        import cv2

        try:
            if not self._video.grab():
                return None
            with silent_decoding():
                found, pixels = self._video.retrieve()
        except cv2.error:
            return None
        return bgr(pixels) if found else None

    def _taken(self, now_ns: int) -> int:
        """The driver's stamp where it is on this clock, which is Linux's monotonic one: between opening and now."""
        import cv2

        if not self._stamped:
            return now_ns
        stamp_ns = round(self._video.get(cv2.CAP_PROP_POS_MSEC) * 1e6)
        return stamp_ns if self._since_ns <= stamp_ns <= now_ns else now_ns


class Played:
    """A file. Frames are due one period after the other from the first read on; a late reader gets them late.

    Args:
        grab: The next picture; None where there is none or it cannot be decoded.
        failures: So many None one after the other are the file's end.
    """

    def __init__(self, grab: Grab, facts: Facts, every: bool, close: Callable[[], object], failures: int) -> None:
        self.facts = facts
        self._grab, self._every, self._close, self._failures = grab, every, close, failures
        self._period_ns = 1e9 / (facts.declared_rate or UNKNOWN_RATE)
        self._first_ns: int | None = None
        self._number = self._place = self._bad = 0
        self._kept: Pixels | None = None

    def peek(self) -> Pixels | None:
        """The next picture, without taking it; None at the end."""
        if self._kept is None:
            self._bad = 0
            while self._kept is None and self._bad < self._failures:
                self._kept = self._grab()
                self._bad += self._kept is None
        return self._kept

    def read(self) -> Frame | None:
        """As in `Capture`."""
        pixels = self.peek()
        if pixels is None:
            raise OverError(f"{self.facts.where} is over")
        due_ns = self._due()
        self._place += 1
        if self._bad:
            self._bad -= 1
            return None
        self._number, self._kept = self._number + 1, None
        return Frame(pixels, due_ns, self._number)

    def close(self) -> None:
        """Closes the file."""
        self._close()

    def _due(self) -> int:
        now_ns = time.perf_counter_ns()
        if self._every:
            return now_ns
        if self._first_ns is None:
            self._first_ns = now_ns
        due_ns = self._first_ns + round(self._place * self._period_ns)
        if due_ns > now_ns:
            time.sleep((due_ns - now_ns) / 1e9)
        return due_ns


def sized(facts: Facts, pixels: Pixels) -> Facts:
    """The facts with the frames' real size."""
    return facts._replace(width=pixels.shape[1], height=pixels.shape[0])
