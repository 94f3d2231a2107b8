"""What a session's viewers look at: one newest picture, encoded once for all, and the last seconds."""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from profiler.live.classified_frame import ClassifiedFrame
from profiler.live.overlay import annotated
from profiler.records import Second

KEPT = 120
"""Seconds that a new viewer's charts begin with."""

_QUALITY = 80
"""Of the JPEG; a 640 x 480 picture then has some 40 KB."""
_PICTURES_PER_S = 40.0
"""Most pictures encoded: above what cameras give, below what a file may."""
_SHARE = 0.25
"""Most of one CPU that encoding may take; a slow board shows fewer pictures rather than labels fewer frames."""


class Picture(NamedTuple):
    """An encoded frame.

    Attributes:
        number: Of the labelled frames, from 1; 0 before there is one.
    """

    number: int
    jpeg: bytes


class Hub:
    """Between the classifying thread and the viewers. `labelled` and `second` never wait for a viewer or an encode.

    Attributes:
        title: Of the session, for the page; may be empty.
        picture: The newest one; it is renewed only while somebody watches.
        encoded: Pictures encoded so far.
        watchers: Viewers of pictures.
    """

    def __init__(self, title: str = "") -> None:
        self.title = title
        self.picture = Picture(0, b"")
        self.encoded = 0
        self._newest: tuple[int, ClassifiedFrame | None] = (0, None)
        self._seconds: deque[tuple[int, Second]] = deque(maxlen=KEPT)
        self._changed = threading.Condition()
        self._over = threading.Event()
        self.watchers = 0
        self._listeners: tuple[Callable[[], object], ...] = ()
        self._encoder: threading.Thread | None = None

    def labelled(self, labelled: ClassifiedFrame) -> None:
        """Takes the newest labelled frame; its pixels must not be written to afterwards."""
        self._newest = (self._newest[0] + 1, labelled)
        if self.watchers:
            with self._changed:
                self._changed.notify_all()

    def second(self, second: Second) -> None:
        """Takes the figures of a second."""
        number = self._seconds[-1][0] + 1 if self._seconds else 1
        self._seconds.append((number, second))

    def close(self) -> None:
        """The session has ended: streams end, the encoder stops."""
        with self._changed:
            self._over.set()
            self._changed.notify_all()
            encoder = self._encoder
        if encoder:
            encoder.join()
        self._tell()

    @property
    def closed(self) -> bool:
        """Whether the session has ended."""
        return self._over.is_set()

    @property
    def newest(self) -> tuple[int, ClassifiedFrame | None]:
        """How many frames were labelled, and the last."""
        return self._newest

    def seconds_after(self, number: int) -> list[tuple[int, Second]]:
        """Those of the last `KEPT` with a higher number, oldest first; the first second has number 1."""
        return [each for each in self._seconds.copy() if each[0] > number]

    @contextmanager
    def watched(self) -> Iterator[None]:
        """While it lasts, somebody watches and pictures are encoded."""
        with self._changed:
            self.watchers += 1
            if not self._encoder and not self.closed:
                self._encoder = threading.Thread(target=self._encode_on, name="pictures", daemon=True)
                self._encoder.start()
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.watchers -= 1

    @contextmanager
    def told(self, listener: Callable[[], object]) -> Iterator[None]:
        """While it lasts, `listener` is called at each new picture and at the end, from other threads."""
        with self._changed:
            self._listeners = (*self._listeners, listener)
        try:
            yield
        finally:
            with self._changed:
                self._listeners = tuple(each for each in self._listeners if each is not listener)

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def _encode_on(self) -> None:
        """The encoder's thread, until the session ends."""
        while due := self._next():
            began, worked = time.monotonic(), time.thread_time()
            self.picture = Picture(due[0], encoded(due[1]))
            self.encoded += 1
            self._tell()
            rest = max(1 / _PICTURES_PER_S, (time.thread_time() - worked) / _SHARE) - (time.monotonic() - began)
            self._over.wait(max(0.0, rest))

    def _next(self) -> tuple[int, ClassifiedFrame] | None:
        """Waits for a frame that is newer than the picture while somebody watches; None at the end."""
        with self._changed:
            self._changed.wait_for(lambda: self.closed or (self.watchers and self._newest[0] > self.picture.number))
            number, labelled = self._newest
        return None if self.closed or labelled is None else (number, labelled)


def encoded(labelled: ClassifiedFrame) -> bytes:
    """The annotated frame as JPEG."""
    import cv2

    picture = annotated(labelled.frame.pixels, labelled.answers[0] if labelled.answers else None)
    _, data = cv2.imencode(".jpg", picture, [cv2.IMWRITE_JPEG_QUALITY, _QUALITY])
    return data.tobytes()
