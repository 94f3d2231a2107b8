"""Figures of a live session, by the second and of all of it: arithmetic over what the loop tells, of bounded memory."""

import math
from collections import Counter, deque
from collections.abc import Callable, Sequence
from statistics import median
from typing import NamedTuple

from profiler.live.capture_thread import Tally
from profiler.live.classified_frame import ClassifiedFrame
from profiler.records import Counting, MachineState, Second, Shares, Shown, Spread, Summary

RECENT = 300
"""Frames whose times a second's quantiles are of."""
ALLOWED_NS = 10_000_000
"""What a frame may be older than one frame period and its own preprocessing and inference before it is stale."""
PERIODS = 31
"""Distances between labelled frames whose median is the source's period."""
GROWTH = 1.01
"""Each bucket of a histogram reaches so much further than the one before."""


class Mark(NamedTuple):
    """What has been counted up to a moment; the difference of two marks is what was between them."""

    at_ns: int
    tally: Tally
    cpu_ns: int
    frames: int
    stale: int
    idle_ns: int
    preprocess_ns: int
    inference_ns: int

    def since(self, earlier: "Mark") -> "Mark":
        """What came after an earlier mark; its `at_ns` is the time between the two."""
        tally = Tally(*(new - old for new, old in zip(self.tally, earlier.tally, strict=True)))
        rest = (int(new) - int(old) for new, old in zip(self[2:], earlier[2:], strict=True))
        return Mark(self.at_ns - earlier.at_ns, tally, *rest)

    def rate(self, count: int) -> float:
        """So many, a second."""
        return count * 1e9 / max(self.at_ns, 1)

    def percent(self, ns: int) -> float:
        """So much time, of all of it."""
        return 100 * ns / max(self.at_ns, 1)

    def shares(self) -> Shares:
        """Where the time went."""
        parts = [self.percent(ns) for ns in (self.preprocess_ns, self.inference_ns, self.idle_ns)]
        preprocess, inference, idle = parts
        return Shares(
            capture=self.percent(self.tally.cpu_ns),
            preprocess=preprocess,
            inference=inference,
            idle=idle,
            other=100 - sum(parts),
        )


class Histogram:
    """Times in buckets that grow by 1 %: a quantile is at most 0.5 % off, and 1 ns to a day need 3,200 buckets."""

    def __init__(self) -> None:
        self._buckets: Counter[int] = Counter()

    def add(self, ns: int) -> None:
        """Counts one; times below 1 ns as that."""
        self._buckets[math.floor(math.log(max(ns, 1)) / _LOG)] += 1

    def spread(self) -> Spread:
        """Of all times added, each as the geometric middle of its bucket."""
        return _spread(self._buckets.total(), self._at)

    def _at(self, place: int) -> float:
        """The time in ms at this place, from 1, in rising order."""
        for bucket in sorted(self._buckets):
            place -= self._buckets[bucket]
            if place <= 0:
                break
        return float(GROWTH ** (bucket + 0.5)) / 1e6


_LOG = math.log(GROWTH)


def told(count: int, percent: int) -> bool:
    """Whether so many tell a quantile: it needs 1 / (1 - q) of them, that one lies beyond it."""
    return count * (100 - percent) >= 100


def rank(count: int, percent: int) -> int:
    """The nearest rank of a quantile, from 1."""
    return -(-count * percent // 100)


def spread(times_ns: Sequence[int]) -> Spread:
    """Quantiles of these times."""
    ordered = sorted(times_ns)
    return _spread(len(ordered), lambda place: ordered[place - 1] / 1e6)


def _spread(count: int, at: Callable[[int], float]) -> Spread:
    """Quantiles of so many times, of which `at` gives the one in ms at a place, from 1, in rising order."""
    found = {percent: at(rank(count, percent)) for percent in (50, 95, 99) if told(count, percent)}
    return Spread(count=count, p50=found.get(50), p95=found.get(95), p99=found.get(99))


class Meter:
    """Adds up what the loop tells it.

    Args:
        now_ns: The beginning, on the clock of the frames.
        cpu_ns: CPU time of the process then.
        declared_rate: The source's own, which holds until frames tell its period.
        paced: The source sets the pace. No frame of one that is read on demand is late, whatever it waited.
    """

    def __init__(self, now_ns: int, cpu_ns: int, declared_rate: float | None, paced: bool = True) -> None:
        self._paced = paced
        self._begun = self._told = Mark(now_ns, Tally(), cpu_ns, 0, 0, 0, 0, 0)
        self._frames = self._stale = self._idle_ns = self._preprocess_ns = self._inference_ns = 0
        self._latencies: deque[int] = deque(maxlen=RECENT)
        self._ages: deque[int] = deque(maxlen=RECENT)
        self._all_latencies, self._all_ages = Histogram(), Histogram()
        self._labels: Counter[str] = Counter()
        self._top: tuple[Shown, ...] = ()
        self._declared_ns = 1e9 / declared_rate if declared_rate else None
        self._periods: deque[float] = deque(maxlen=PERIODS)
        self._last: tuple[int, int] | None = None

    @property
    def frames(self) -> int:
        """Labelled so far."""
        return self._frames

    def waited(self, ns: int) -> None:
        """So long there was no frame to work on."""
        self._idle_ns += ns

    def labelled(self, done: ClassifiedFrame) -> None:
        """A frame was labelled; its first answer is the winning class."""
        self._frames += 1
        self._preprocess_ns += done.prepared_ns - done.taken_ns
        self._inference_ns += done.inference_ns
        latency_ns = done.inferred_ns - done.taken_ns
        self._note_period(done.frame.number, done.frame.at_ns)
        self._stale += self._is_stale(done.age_ns, latency_ns)
        for times, histogram, ns in (
            (self._latencies, self._all_latencies, latency_ns),
            (self._ages, self._all_ages, done.age_ns),
        ):
            times.append(ns)
            histogram.add(ns)
        self._top = done.answers
        self._labels[done.answers[0].label] += 1

    def period_ns(self) -> float | None:
        """The source's: median distance of the latest labelled frames, by their numbers, else the declared one."""
        return median(self._periods) if self._periods else self._declared_ns

    def second(
        self,
        now_ns: int,
        cpu_ns: int,
        tally: Tally,
        *,
        at: str,
        state: MachineState,
        counting: Counting,
        trouble: str | None,
    ) -> Second:
        """Of the time since the last call, or since the beginning."""
        mark = self._mark(now_ns, cpu_ns, tally)
        span, whole, self._told = mark.since(self._told), mark.since(self._begun), mark
        return Second(
            at=at,
            elapsed_s=whole.at_ns / 1e9,
            span_s=span.at_ns / 1e9,
            frames=span.frames,
            fps=span.rate(span.frames),
            source_fps=span.rate(span.tally.captured),
            dropped=span.tally.dropped,
            stale=span.stale,
            corrupt=span.tally.corrupt,
            reconnects=span.tally.reconnects,
            total_frames=whole.frames,
            total_dropped=whole.tally.dropped,
            total_stale=whole.stale,
            total_corrupt=whole.tally.corrupt,
            total_reconnects=whole.tally.reconnects,
            shares=span.shares(),
            latency_ms=spread(self._latencies),
            age_ms=spread(self._ages),
            cpu_percent=span.percent(span.cpu_ns),
            state=state,
            counting=counting,
            top=self._top,
            trouble=trouble,
        )

    def summary(self, now_ns: int, cpu_ns: int, tally: Tally, *, ended: str, failed: bool) -> Summary:
        """Of all of the session."""
        whole = self._mark(now_ns, cpu_ns, tally).since(self._begun)
        return Summary(
            seconds=whole.at_ns / 1e9,
            frames=whole.frames,
            fps=whole.rate(whole.frames),
            source_fps=whole.rate(tally.captured),
            captured=tally.captured,
            dropped=tally.dropped,
            stale=whole.stale,
            corrupt=tally.corrupt,
            reconnects=tally.reconnects,
            shares=whole.shares(),
            latency_ms=self._all_latencies.spread(),
            age_ms=self._all_ages.spread(),
            cpu_percent=whole.percent(whole.cpu_ns),
            labels=dict(self._labels),
            ended=ended,
            failed=failed,
        )

    def _mark(self, now_ns: int, cpu_ns: int, tally: Tally) -> Mark:
        sums = (self._frames, self._stale, self._idle_ns, self._preprocess_ns, self._inference_ns)
        return Mark(now_ns, tally, cpu_ns, *sums)

    def _note_period(self, number: int, at_ns: int) -> None:
        if self._last is not None and number > self._last[0]:
            self._periods.append((at_ns - self._last[1]) / (number - self._last[0]))
        self._last = number, at_ns

    def _is_stale(self, age_ns: int, latency_ns: int) -> bool:
        """A source's first frame is none where the source does not declare its rate."""
        period_ns = self.period_ns()
        return self._paced and period_ns is not None and age_ns > period_ns + latency_ns + ALLOWED_NS
