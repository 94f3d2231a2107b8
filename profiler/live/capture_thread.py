"""The capture thread: it keeps the newest frame of a source and nothing else, so that no lag can build up."""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple

from profiler.camera.source import Capture, Facts, Frame, LostError, OverError
from profiler.errors import ProfilerError

PAUSES_S = (0.25, 0.5, 1.0, 2.0, 4.0)
"""Before each try to open a lost source anew; the last is that of all further ones."""
LEAVING_S = 1.0
"""How long an end waits for a capture thread that is inside a read; one that hangs is left behind as a daemon."""


class Tally(NamedTuple):
    """What the capture thread has come to since it began.

    Attributes:
        captured: Usable frames delivered.
        dropped: Of these, those that a newer one replaced before they were taken.
        corrupt: Reads that gave no usable picture.
        reconnects: Times the source was opened anew.
        cpu_ns: CPU time of the thread itself; a decoder's own threads are not in it.
    """

    captured: int = 0
    dropped: int = 0
    corrupt: int = 0
    reconnects: int = 0
    cpu_ns: int = 0


class Newest:
    """Reads a source in a thread of its own and holds its newest frame; a context, which starts and ends the thread.

    A lost source is opened again and again until the end; `silent_s` tells how long that has been going on. Frames are
    numbered on over reconnects.

    Args:
        source: Opens the source; it is called here, and later in the thread.
        every: No frame is replaced: the next is read when the last one was taken.
        clock: In ns.

    Raises:
        ProfilerError: The source cannot be opened.
    """

    def __init__(
        self, source: Callable[[], Capture], *, every: bool = False, clock: Callable[[], int] = time.perf_counter_ns
    ) -> None:
        self._source, self._every, self._clock = source, every, clock
        self._changed, self._closing = threading.Condition(), threading.Event()
        self._frame: Frame | None = None
        self._counts = Tally()
        self._trouble: str | None = None
        self._over = False
        self._failure: BaseException | None = None
        self._numbered = self._tries = 0
        self._capture: Capture | None = source()
        self.facts: Facts = self._capture.facts
        self._last_ns = clock()
        self._thread = threading.Thread(target=self._run, name="capture", daemon=True)

    def __enter__(self) -> "Newest":
        self._last_ns = self._clock()
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Ends the thread, where there is one, and with it the source."""
        if self._closing.is_set():
            return
        self._closing.set()
        if self._thread.ident is None:
            self._release()
            return
        with self._changed:
            self._changed.notify_all()
        self._thread.join(LEAVING_S)

    def take(self, within_s: float) -> Frame | None:
        """The newest frame not taken yet, waiting for it; None where none came in time or the source has ended.

        Raises:
            Exception: What ended the thread, where that was neither the source's end nor its loss.
        """
        with self._changed:
            if self._frame is None and not self._over:
                self._changed.wait(within_s)
            frame, self._frame = self._frame, None
            if frame is not None:
                self._last_ns = self._clock()
                if self._every:
                    self._changed.notify_all()
            elif self._failure is not None:
                raise self._failure
            return frame

    @property
    def over(self) -> bool:
        """The source has come to its end, and its last frame was taken."""
        with self._changed:
            return self._over and self._frame is None and self._failure is None

    def silent_s(self) -> float:
        """Since the last usable frame came or was taken, or since the beginning; 0 where one lies ready."""
        with self._changed:
            return 0.0 if self._frame is not None else (self._clock() - self._last_ns) / 1e9

    def tally(self) -> Tally:
        """The counts until now."""
        with self._changed:
            return self._counts

    @property
    def trouble(self) -> str | None:
        """What is wrong with the source now; None while it delivers or has not yet said anything."""
        with self._changed:
            return self._trouble

    def _run(self) -> None:
        try:
            self._read_all()
        except OverError:
            pass
        except BaseException as error:
            # Whatever it is, it is raised anew where somebody waits for a frame.
            self._failure = error
        finally:
            with self._changed:
                self._over = True
                self._changed.notify_all()

    def _read_all(self) -> None:
        """Reads to one end or the other, and releases the source."""
        try:
            while not self._closing.is_set():
                self._read_on()
        finally:
            self._release()

    def _read_on(self) -> None:
        """Reads until the source is lost, and opens it anew."""
        assert self._capture is not None
        first = self._numbered
        try:
            while self._wanted():
                self._keep(self._capture.read(), first)
        except LostError as lost:
            self._release()
            self._reopen(str(lost))

    def _wanted(self) -> bool:
        """Whether to read on. Where no frame is replaced, it waits for its turn first: a frame read early would age."""
        if self._every:
            with self._changed:
                self._changed.wait_for(lambda: self._frame is None or self._closing.is_set())
        return not self._closing.is_set()

    def _keep(self, frame: Frame | None, first: int) -> None:
        """Puts a frame where `take` finds it. `first` frames came before this source was opened."""
        with self._changed:
            counts = self._counts._replace(cpu_ns=time.thread_time_ns())
            if frame is None or frame.pixels.size == 0:
                self._counts = counts._replace(corrupt=counts.corrupt + 1)
                return
            self._counts = counts._replace(
                captured=counts.captured + 1, dropped=counts.dropped + (self._frame is not None)
            )
            self._numbered = first + frame.number
            self._frame = frame._replace(number=self._numbered) if first else frame
            self._trouble, self._tries, self._last_ns = None, 0, self._clock()
            self._changed.notify_all()

    def _reopen(self, why: str) -> None:
        """Tries until the source is open again or nobody wants it any more."""
        while not self._closing.is_set():
            # A source that opens and is lost before its first frame was not regained: its tries count on.
            self._tries += 1
            with self._changed:
                self._trouble = f"{why}; opening it anew, try {self._tries}"
            if self._closing.wait(PAUSES_S[min(self._tries, len(PAUSES_S)) - 1]):
                return
            try:
                self._capture = self._source()
            except (ProfilerError, LostError) as error:
                why = error.cause if isinstance(error, ProfilerError) else str(error)
                continue
            with self._changed:
                self._counts = self._counts._replace(reconnects=self._counts.reconnects + 1)
            return

    def _release(self) -> None:
        if self._capture is not None:
            self._capture.close()
            self._capture = None
