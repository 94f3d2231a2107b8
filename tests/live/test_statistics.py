import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.camera.source import Frame
from profiler.live.capture_thread import Tally
from profiler.live.classified_frame import ClassifiedFrame
from profiler.live.statistics import RECENT, Histogram, Meter, spread
from profiler.records import Counting, MachineState, Second, Shown

MS = 1_000_000
S = 1000 * MS
PIXELS = np.zeros((2, 2, 3), np.uint8)
STATE = MachineState(at="then")
NONE = Tally()
NOTHING = Counting(frames=0, events=(), ipc=None, scope=None, lack="no PMU")


def labelled(
    number: int, at_ms: float, taken_ms: float, preprocess_ms: float = 2, inference_ms: float = 8, label: str = "cat"
) -> ClassifiedFrame:
    taken, frame = round(taken_ms * MS), Frame(PIXELS, round(at_ms * MS), number)
    prepared = taken + round(preprocess_ms * MS)
    return ClassifiedFrame(
        frame, (Shown(label=label, probability=0.9),), 0, -2.0, taken, prepared, prepared + round(inference_ms * MS)
    )


def second(meter: Meter, now_ns: int, cpu_ns: int = 0, tally: Tally = NONE, trouble: str | None = None) -> Second:
    return meter.second(now_ns, cpu_ns, tally, at="now", state=STATE, counting=NOTHING, trouble=trouble)


def play(meter: Meter, frames: int, period_ms: float, first: int = 1) -> None:
    """So many frames, each taken 1 ms after it was delivered."""
    for number in range(first, first + frames):
        meter.waited(round((period_ms - 10) * MS))
        meter.labelled(labelled(number, number * period_ms, number * period_ms + 1))


def test_a_second_in_figures() -> None:
    meter = Meter(0, 5 * MS, 40.0)
    play(meter, 40, 25)
    tally = Tally(captured=50, dropped=9, corrupt=3, reconnects=1, cpu_ns=100 * MS)
    told = second(meter, S, 755 * MS, tally, "the lens is covered")
    assert (told.elapsed_s, told.span_s, told.frames, told.fps, told.source_fps) == (1, 1, 40, 40, 50)
    assert (told.dropped, told.corrupt, told.reconnects, told.stale) == (9, 3, 1, 0)
    assert told.shares.preprocess == pytest.approx(8)
    assert told.shares.inference == pytest.approx(32)
    assert told.shares.idle == pytest.approx(60)
    assert told.shares.other == pytest.approx(0)
    assert told.shares.capture == pytest.approx(10)
    assert told.cpu_percent == pytest.approx(75)
    assert (told.latency_ms.count, told.latency_ms.p50, told.latency_ms.p95, told.latency_ms.p99) == (40, 10, 10, None)
    assert told.age_ms.p50 == 11
    assert told.top == (Shown(label="cat", probability=0.9),)
    assert (told.state, told.counting, told.trouble, told.at) == (STATE, NOTHING, "the lens is covered", "now")


def test_a_second_is_of_its_own_span_and_totals_are_of_all() -> None:
    meter = Meter(7 * S, 0, None)
    play(meter, 10, 100)
    second(meter, 8 * S, 500 * MS, Tally(captured=12, dropped=2, corrupt=1, reconnects=1, cpu_ns=10 * MS))
    play(meter, 30, 100, first=11)
    told = second(meter, 10 * S, 900 * MS, Tally(captured=45, dropped=5, corrupt=1, reconnects=1, cpu_ns=30 * MS))
    assert (told.elapsed_s, told.span_s, told.frames, told.fps, told.source_fps) == (3, 2, 30, 15, 16.5)
    assert (told.dropped, told.corrupt, told.reconnects) == (3, 0, 0)
    assert (told.total_frames, told.total_dropped) == (40, 5)
    assert told.shares.capture == pytest.approx(1)
    assert told.cpu_percent == pytest.approx(20)


def test_a_second_without_frames() -> None:
    told = second(Meter(0, 0, 30.0), S)
    assert (told.frames, told.fps, told.source_fps, told.top) == (0, 0, 0, ())
    assert (told.latency_ms.count, told.latency_ms.p50, told.age_ms.p99) == (0, None, None)
    assert told.shares.other == 100


def test_the_summary_is_of_the_whole_session() -> None:
    meter = Meter(S, 0, 10.0)
    play(meter, 200, 100)
    second(meter, 11 * S)
    meter.labelled(labelled(201, 20_100, 20_101, label="dog"))
    found = meter.summary(21 * S, 4 * S, Tally(210, 9, 2, 3, S), ended="stopped", failed=False)
    assert (found.seconds, found.frames, found.fps, found.source_fps) == (20, 201, 10.05, 10.5)
    assert (found.captured, found.dropped, found.corrupt, found.reconnects, found.stale) == (210, 9, 2, 3, 0)
    assert found.labels == {"cat": 200, "dog": 1}
    assert found.cpu_percent == pytest.approx(20)
    assert found.shares.capture == pytest.approx(5)
    assert found.latency_ms.count == 201
    assert found.latency_ms.p99 == pytest.approx(10, rel=0.005)
    assert (found.ended, found.failed) == ("stopped", False)


def test_a_session_that_ended_at_once() -> None:
    found = Meter(S, 0, None).summary(S, 0, Tally(), ended="stopped", failed=False)
    assert (found.seconds, found.fps, found.shares.other) == (0, 0, 100)


@given(st.lists(st.tuples(*[st.floats(0, 50)] * 4), max_size=30))
def test_shares_of_the_loop_are_100_together(times: list[tuple[float, float, float, float]]) -> None:
    meter, now = Meter(0, 0, None), 0.0
    for number, (wait, preprocess, inference, other) in enumerate(times, 1):
        meter.waited(round(wait * MS))
        now += wait
        meter.labelled(labelled(number, now, now, preprocess, inference))
        now += preprocess + inference + other
    shares = second(meter, round(now * MS) + MS).shares
    parts = shares.preprocess, shares.inference, shares.idle, shares.other
    assert sum(parts) == pytest.approx(100)
    assert min(parts) >= 0


def test_quantiles_by_nearest_rank() -> None:
    found = spread([number * MS for number in range(1, 201)])
    assert (found.count, found.p50, found.p95, found.p99) == (200, 100, 190, 198)


@pytest.mark.parametrize(
    ("count", "there"), [(1, ""), (2, "50"), (19, "50"), (20, "50 95"), (99, "50 95"), (100, "50 95 99")]
)
def test_so_many_tell_so_much(count: int, there: str) -> None:
    histogram = Histogram()
    for _ in range(count):
        histogram.add(MS)
    for found in (spread([MS] * count), histogram.spread()):
        assert found.count == count
        told = [name for name in ("50", "95", "99") if getattr(found, f"p{name}") is not None]
        assert told == there.split()


@given(st.lists(st.integers(1, 10**14), min_size=100, max_size=400))
def test_the_histogram_is_half_a_percent_off_at_most(times: list[int]) -> None:
    histogram = Histogram()
    for ns in times:
        histogram.add(ns)
    rough, exact = histogram.spread(), spread(times)
    for name in ("p50", "p95", "p99"):
        assert getattr(rough, name) == pytest.approx(getattr(exact, name), rel=0.005 + 1e-9)


def test_a_frame_from_the_future_does_no_harm() -> None:
    meter = Meter(0, 0, 30.0)
    for number in range(1, 3):
        meter.labelled(labelled(number, 5000 * number, 10))
    assert (meter.summary(S, 0, Tally(), ended="", failed=False).age_ms.p50 or math.inf) <= 2e-6


def test_recent_times_are_of_the_last_frames_only() -> None:
    meter = Meter(0, 0, None)
    meter.labelled(labelled(1, 0, 0, inference_ms=5000))
    play(meter, RECENT, 20, first=2)
    told = second(meter, S)
    assert told.latency_ms.count == RECENT
    assert told.latency_ms.p99 == 10
    assert meter.summary(S, 0, Tally(), ended="", failed=False).latency_ms.count == RECENT + 1


def test_stale_is_older_than_a_period_and_its_own_work_and_10_ms() -> None:
    meter = Meter(0, 0, 20.0)
    # Age 10 ms + delay; the period is 50 ms, so that a delay of 60 ms is the last that is allowed.
    meter.labelled(labelled(1, 0, 60))
    assert second(meter, S).stale == 0
    meter.labelled(labelled(2, 50, 110.1))
    assert second(meter, 2 * S).stale == 1
    meter.labelled(labelled(3, 100, 160, inference_ms=4000))
    told = second(meter, 6 * S)
    assert (told.stale, told.total_stale) == (0, 1)


def test_a_file_that_is_read_on_demand_has_no_stale_frames() -> None:
    meter = Meter(0, 0, 20.0, paced=False)
    meter.labelled(labelled(1, 0, 9000))
    assert second(meter, 9 * S).stale == 0


def test_the_period_is_measured_over_dropped_frames_and_gaps() -> None:
    meter = Meter(0, 0, 1000.0)
    assert meter.period_ns() == MS
    for number in (1, 4, 7, 10, 13):
        meter.labelled(labelled(number, 20 * number, 20 * number))
    meter.labelled(labelled(14, 9000, 9000))
    assert meter.period_ns() == 20 * MS


def test_without_any_period_nothing_is_stale() -> None:
    meter = Meter(0, 0, None)
    assert meter.period_ns() is None
    meter.labelled(labelled(1, 0, 9000))
    assert second(meter, S).stale == 0


def test_memory_stays_flat() -> None:
    meter = Meter(0, 0, 30.0)

    def thousand(first: int) -> None:
        for number in range(first, first + 1000):
            meter.labelled(labelled(number, number * 33, number * 33 + number % 17, inference_ms=5 + number % 23))
        second(meter, first * S)

    tracemalloc.start()
    try:
        thousand(1)
        thousand(1001)
        early = tracemalloc.get_traced_memory()[0]
        for first in range(2001, 20001, 1000):
            thousand(first)
        # A single number kept of each frame would be 500 KB; whole numbers that grow take a few bytes more.
        assert tracemalloc.get_traced_memory()[0] - early < 16_384
    finally:
        tracemalloc.stop()


def test_totals_are_of_the_whole_session() -> None:
    meter = Meter(0, 0, 30.0)
    second(meter, S, 0, Tally(captured=9, dropped=2, corrupt=3, reconnects=1))
    told = second(meter, 2 * S, 0, Tally(captured=20, dropped=5, corrupt=4, reconnects=1))
    assert (told.dropped, told.corrupt, told.reconnects) == (3, 1, 0)
    assert (told.total_dropped, told.total_corrupt, told.total_reconnects) == (5, 4, 1)
