"""A session cut into windows of labelled frames: what each took, and what was counted of it."""

import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, wait
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from profiler.counters import software
from profiler.counters.perf_attach import Attached, Measured
from profiler.live.classified_frame import ClassifiedFrame
from profiler.records import Count, Counted, Counting, Event, MachineState, Usage
from profiler.runtimes.usage import account, used

UNCUT_NS = 1_000_000_000
"""How long a window lasts at least where no number of frames was asked for."""
PACED = "duration_time"
"""The event that is no cost of a frame: the source sets the pace of a session."""


class Window(NamedTuple):
    """A stretch of a session, from the end of one frame's labelling to that of another.

    Attributes:
        number: From 1.
        started_at: As in `MachineState.at`.
        usage: Of the whole process, its threads for capture and display included.
        latencies_ns: Of the inference of each of its frames; `tops` and `scores` are their winners.
        counts: The kernel's own of the whole process, and perf's. A window's wall time is the camera's and in none.
        before: The machine's newest state when the window began; `after` when it ended.
        raw: perf's file of it, which goes once the window was handed over; None where perf counted nothing.
    """

    number: int
    started_at: str
    wall_ns: int
    usage: Usage
    latencies_ns: tuple[int, ...]
    tops: tuple[int, ...]
    scores: tuple[float, ...]
    counts: tuple[Count, ...]
    before: MachineState
    after: MachineState
    raw: Path | None


class Windows:
    """Watches a session and hands over its windows; all methods but `counting` are for the session's own thread.

    perf's file of a window comes after its end. A window is handed over between two later ones, when nothing is
    counted, or by `close`; so what is done with it costs no window anything.

    Args:
        attached: What counts, already tried; None where nothing does, for the reason `lack`. It is closed with this.
        state: The machine's newest state.
        frames: Of a window; None for those of about a second.
        ended: Takes each window, in order; the last may have fewer frames.
    """

    def __init__(
        self,
        attached: Attached | None,
        state: Callable[[], MachineState],
        frames: int | None,
        ended: Callable[[Window], object],
        *,
        lack: str = "hardware counters were not asked for",
        clock: Callable[[], int] = time.perf_counter_ns,
    ) -> None:
        self._attached, self._state, self._frames, self._ended = attached, state, frames, ended
        self._clock = clock
        self._open: _Open | None = None
        self._number = 0
        self._waiting: deque[tuple[_Shut, Future[Measured]]] = deque()
        self._ready: deque[Window] = deque()
        self._counting = Counting(
            frames=0,
            events=(),
            ipc=None,
            scope=attached.chosen.scope if attached else None,
            lack=None if attached else lack,
        )

    def opened(self, _facts: object = None) -> None:
        """Begins the first window. Where this is not called, the first labelled frame does, and is itself in none."""
        if self._open is None:
            self._begin()

    def labelled(self, frame: ClassifiedFrame) -> None:
        """One more frame."""
        window = self._open
        if window is None:
            self._begin()
            return
        window.latencies_ns.append(frame.inference_ns)
        window.tops.append(frame.winner)
        window.scores.append(frame.score)
        if self._is_whole(window):
            self._end(window, whole=True)
            self._read()
            self._hand_over()
            self._begin()
        else:
            self._read()

    def counting(self) -> Counting:
        """What was counted of the last whole window; without events before the first has ended."""
        return self._counting

    def close(self) -> None:
        """Hands over all that was labelled, and ends counting."""
        window, self._open = self._open, None
        try:
            if window is not None and window.latencies_ns:
                self._end(window, whole=False)
            wait([future for _, future in self._waiting])
            self._read()
            self._hand_over()
        finally:
            if self._attached:
                self._attached.close()

    def _begin(self) -> None:
        self._open = _Open(self._state(), self._clock())
        if self._attached:
            self._attached.begin()

    def _is_whole(self, window: "_Open") -> bool:
        if self._frames is None:
            return self._clock() - window.begun_ns >= UNCUT_NS
        return len(window.latencies_ns) >= self._frames

    def _end(self, window: "_Open", whole: bool) -> None:
        counted: Future[Measured] = self._attached.end() if self._attached else Future()
        self._number += 1
        shut = _Shut(self._number, window, window.usage(), self._state(), whole)
        if self._attached is None:
            counted.set_result(Measured((), None))
        self._waiting.append((shut, counted))

    def _read(self) -> None:
        """Takes what has come of windows that have ended."""
        while self._waiting and self._waiting[0][1].done():
            shut, future = self._waiting.popleft()
            counted = future.result()
            self._ready.append(shut.window(counted))
            if shut.whole and self._attached:
                self._counting = _figures(self._attached, counted.counts, len(shut.open.latencies_ns))

    def _hand_over(self) -> None:
        while self._ready:
            window = self._ready.popleft()
            self._ended(window)
            if window.raw:
                # A session that goes on for days must not fill the disk with files that nobody took.
                window.raw.unlink(missing_ok=True)


class _Open:
    """A window that goes on; made when it begins."""

    def __init__(self, before: MachineState, begun_ns: int) -> None:
        self.before, self.begun_ns = before, begun_ns
        self.started_at = datetime.now().astimezone().isoformat(timespec="milliseconds")
        self.latencies_ns: list[int] = []
        self.tops: list[int] = []
        self.scores: list[float] = []
        self._account = account()

    def usage(self) -> Usage:
        """From its beginning to now."""
        return Usage(**used(self._account, account()))


class _Shut(NamedTuple):
    """A window that has ended, without perf's counts; `whole` says that it was not cut short."""

    number: int
    open: _Open
    usage: Usage
    after: MachineState
    whole: bool

    def window(self, counted: Measured) -> Window:
        """With the counts."""
        return Window(
            number=self.number,
            started_at=self.open.started_at,
            wall_ns=self.usage.wall_ns,
            usage=self.usage,
            latencies_ns=tuple(self.open.latencies_ns),
            tops=tuple(self.open.tops),
            scores=tuple(self.open.scores),
            counts=(*accounted(self.usage), *counted.counts),
            before=self.open.before,
            after=self.after,
            raw=counted.raw,
        )


def accounted(usage: Usage) -> tuple[Count, ...]:
    """What the kernel counts of a window by its own accounting."""
    return tuple(count for count in software.counts(usage, "getrusage") if count.event != PACED)


def _figures(attached: Attached, counts: Sequence[Count], frames: int) -> Counting:
    """A window's counts for each of its frames."""
    by_event = {count.event: count for count in counts}
    chosen = attached.chosen
    figures = [_figure(event, by_event.get(event.name), chosen.absent, frames) for event in chosen.events]
    of_metric = {figure.metric: figure.per_frame for figure in figures}
    cycles, instructions = of_metric.get("cycles"), of_metric.get("instructions")
    return Counting(
        frames=frames,
        events=tuple(figures),
        ipc=instructions / cycles if cycles and instructions is not None else None,
        scope=chosen.scope,
        lack=attached.lack,
    )


def _figure(event: Event, count: Count | None, absent: Mapping[str, str], frames: int) -> Counted:
    value = count.value if count else None
    return Counted(
        event=event.name,
        metric=event.metric,
        proxy=event.quality == "proxy",
        per_frame=None if value is None else value / frames,
        running_percent=count.running_percent if count else None,
        reason=None if value is not None else count.reason if count else absent.get(event.name),
    )
