"""A live session: the newest frame of a source, classified, again and again until an end."""

import math
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Any, NamedTuple, Protocol

from profiler.camera.source import Capture, Facts, Frame
from profiler.errors import ProfilerError
from profiler.live.capture_thread import Newest, Tally
from profiler.live.classified_frame import ClassifiedFrame
from profiler.live.state_sampler import Sampler
from profiler.live.statistics import Meter
from profiler.pixels import Pixels
from profiler.records import Counting, MachineState, Second, Shown, Summary

SECOND_NS = 1_000_000_000
LOOK_S = 0.1
"""How often a loop without frames looks whether it was stopped."""


class Asked(Protocol):
    """A classifier, in the three steps whose times are told apart."""

    def prepare(self, pixels: Pixels, /) -> Any:
        """The model's input for a BGR frame."""

    def infer(self, batch: Any, /) -> Any:
        """The model's output."""

    def answer(self, raw: Any, /) -> tuple[tuple[Shown, ...], int, float]:
        """Answers best first, the winning class and its score, as in `Labelled`."""


class Wish(Protocol):
    """Whether the session is to end: a `threading.Event`, or what else can be set."""

    def is_set(self) -> bool:
        """Asked before each frame."""


class Ending(NamedTuple):
    """Why a session is over, in words, and whether its source failed it."""

    why: str
    failed: bool = False


class Limits(NamedTuple):
    """When a session ends by itself; None is never.

    Attributes:
        patience_s: So long without a usable frame, and the source is given up.
    """

    seconds: float | None
    frames: int | None
    patience_s: float


class Frames(Protocol):
    """What gives frames: `Newest`."""

    def take(self, within_s: float, /) -> Frame | None:
        """As `Newest.take`."""

    @property
    def over(self) -> bool:
        """As `Newest.over`."""

    @property
    def trouble(self) -> str | None:
        """As `Newest.trouble`."""

    def silent_s(self) -> float:
        """As `Newest.silent_s`."""

    def tally(self) -> Tally:
        """As `Newest.tally`."""


def run(
    source: Callable[[], Capture],
    classifier: Asked,
    *,
    seconds: float | None = None,
    frames: int | None = None,
    every: bool = False,
    observers: Sequence[Callable[[ClassifiedFrame], object]] = (),
    tell: Callable[[Second], object],
    counting: Callable[[], Counting],
    stop: Wish,
    patience_s: float = 30.0,
    opened: Callable[[Facts], object] | None = None,
    state: Callable[[], MachineState] | None = None,
) -> Summary:
    """Classifies until `stop` is set, a limit is reached or the source ends; the source is released however it ends.

    Args:
        source: Opens the source, and opens it anew where it was lost.
        seconds: Limit, from the first frame asked for.
        frames: Limit of labelled frames.
        every: No frame is left out, however long one takes.
        observers: Called with each labelled frame, in the loop.
        tell: Called once a second, in the loop, on a fixed schedule; where a frame took longer, once after it.
        counting: What the PMU says, asked once a second.
        patience_s: A source without a usable frame for so long ends the session as failed.
        opened: Called with the facts of the source once it is open, before its first frame is asked for.
        state: The machine's newest state; None reads it beside the loop.

    Raises:
        ProfilerError: The source cannot be opened at first, or what the classifier or an observer raised.
    """
    with ExitStack() as held:
        newest = Newest(source, every=every)
        held.callback(newest.close)
        if opened:
            opened(newest.facts)
        state = state or _read_beside(held)
        # Only now, for a file in real time plays on while others get ready.
        held.enter_context(newest)
        limits = Limits(seconds, frames, patience_s)
        rate = newest.facts.declared_rate
        loop = Loop(newest, classifier, limits, rate, observers, tell, counting, state, stop, paced=not every)
        return loop.run()


def _read_beside(held: ExitStack) -> Callable[[], MachineState]:
    """The machine's state from a thread that ends with `held`."""
    sampler = held.enter_context(Sampler())
    return lambda: sampler.latest


class Loop:
    """Takes, classifies and tells, in the thread that runs it; arguments as of `run`."""

    def __init__(
        self,
        newest: Frames,
        classifier: Asked,
        limits: Limits,
        declared_rate: float | None,
        observers: Sequence[Callable[[ClassifiedFrame], object]],
        tell: Callable[[Second], object],
        counting: Callable[[], Counting],
        state: Callable[[], MachineState],
        stop: Wish,
        clock: Callable[[], int] = time.perf_counter_ns,
        paced: bool = True,
    ) -> None:
        self._newest, self._classifier, self._limits = newest, classifier, limits
        self._observers, self._tell, self._counting, self._state = observers, tell, counting, state
        self._stop, self._clock = stop, clock
        self._begun_ns = clock()
        self._due_ns = self._begun_ns + SECOND_NS
        self._meter = Meter(self._begun_ns, time.process_time_ns(), declared_rate, paced)

    def run(self) -> Summary:
        """Until an end."""
        while True:
            waiting_ns = self._clock()
            if waiting_ns >= self._due_ns:
                self._tell_second(waiting_ns)
                waiting_ns = self._clock()
            if ending := self._ending(waiting_ns):
                break
            frame = self._newest.take(self._wait_s(waiting_ns))
            taken_ns = self._clock()
            self._meter.waited(taken_ns - waiting_ns)
            if frame is not None:
                self._label(frame, taken_ns)
        return self._meter.summary(
            self._clock(), time.process_time_ns(), self._newest.tally(), ended=ending.why, failed=ending.failed
        )

    def _label(self, frame: Frame, taken_ns: int) -> None:
        batch = self._classifier.prepare(frame.pixels)
        prepared_ns = self._clock()
        raw = self._classifier.infer(batch)
        inferred_ns = self._clock()
        answers, winner, score = self._classifier.answer(raw)
        if not math.isfinite(score):
            raise ProfilerError(
                f"the model gave {score} for frame {frame.number}, no finite number",
                "check the model with `profiler models inspect`, or train it anew",
            )
        done = ClassifiedFrame(frame, answers, winner, score, taken_ns, prepared_ns, inferred_ns)
        self._meter.labelled(done)
        for observer in self._observers:
            observer(done)

    def _ending(self, now_ns: int) -> Ending | None:
        limits = self._limits
        if self._stop.is_set():
            return Ending("stopped")
        if limits.frames is not None and self._meter.frames >= limits.frames:
            return Ending(f"{limits.frames} frames were labelled")
        if limits.seconds is not None and now_ns >= self._ends_ns(limits.seconds):
            return Ending(f"{limits.seconds:g} s have passed")
        if self._newest.over:
            return Ending("the video has ended")
        silent_s = self._newest.silent_s()
        if silent_s >= limits.patience_s:
            trouble = self._newest.trouble
            return Ending(f"no usable frame for {silent_s:.0f} s" + (f" ({trouble})" if trouble else ""), True)
        return None

    def _ends_ns(self, seconds: float) -> int:
        return self._begun_ns + round(seconds * SECOND_NS)

    def _wait_s(self, now_ns: int) -> float:
        """To whatever is next that is not a frame."""
        next_ns = self._due_ns
        if self._limits.seconds is not None:
            next_ns = min(next_ns, self._ends_ns(self._limits.seconds))
        return min((next_ns - now_ns) / SECOND_NS, LOOK_S)

    def _tell_second(self, now_ns: int) -> None:
        """Tells the time since the last one, and when the next is due: on the grid of whole seconds."""
        second = self._meter.second(
            now_ns,
            time.process_time_ns(),
            self._newest.tally(),
            at=datetime.now().astimezone().isoformat(timespec="milliseconds"),
            state=self._state(),
            counting=self._counting(),
            trouble=self._trouble(),
        )
        self._due_ns += SECOND_NS * ((now_ns - self._due_ns) // SECOND_NS + 1)
        self._tell(second)

    def _trouble(self) -> str | None:
        """What the source says, or that it says nothing: for a second and longer than two of its frames take."""
        if (trouble := self._newest.trouble) is not None:
            return trouble
        silent_s = self._newest.silent_s()
        slow_s = 2 * (self._meter.period_ns() or 0) / SECOND_NS
        return f"no frame for {silent_s:.0f} s" if silent_s >= max(1.0, slow_s) else None
