"""A made live session: the shipped photograph moved about, its answers, and the figures of its seconds."""

import itertools
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import cv2
import msgspec
import numpy as np

from profiler.camera.source import Frame
from profiler.images.pools import BUILTIN
from profiler.live.classified_frame import ClassifiedFrame
from profiler.live.web import Hub
from profiler.records import Counted, Counting, MachineState, Second, Shares, Shown, Spread

NO_PMU = Counting(frames=0, events=(), ipc=None, scope=None, lack="this machine shows no hardware counters (no PMU)")
COUNTING = Counting(
    frames=30,
    events=(
        Counted(event="LLC-load-misses", metric="llc_miss", proxy=False, per_frame=51_234.0, running_percent=62.5),
        Counted(
            event="stalled-cycles-backend",
            metric="stall_backend",
            proxy=False,
            per_frame=None,
            running_percent=None,
            reason="not supported by this core",
        ),
    ),
    ipc=1.234,
    scope="user",
    lack=None,
)


@cache
def photo() -> Any:
    """The shipped photograph, BGR."""
    return cv2.imread(str(BUILTIN))


def labelled(
    number: int, answers: tuple[Shown, ...] | None = None, size: tuple[int, int] = (640, 480)
) -> ClassifiedFrame:
    """The photograph moved on by `number` steps; its probability changes with it."""
    pixels = cv2.resize(np.roll(photo(), 9 * number, axis=1), size)
    now, cat = time.perf_counter_ns(), 0.9 + 0.001 * (number % 90)
    if answers is None:
        answers = (Shown(label="cat", probability=cat), Shown(label="dog", probability=1 - cat))
    return ClassifiedFrame(Frame(pixels, now, number), answers, 0, 2.5, now, now, now)


def second(number: int, **changes: Any) -> Second:
    """The session's second of that number, from 1."""
    wave = float(np.sin(number / 6))
    made = Second(
        at=f"2025-01-01T00:{number // 60 % 60:02}:{number % 60:02}+00:00",
        elapsed_s=float(number),
        span_s=1.0,
        frames=28,
        fps=28 + wave,
        source_fps=30.0,
        dropped=2,
        stale=number % 2,
        corrupt=0,
        reconnects=0,
        total_frames=28 * number,
        total_dropped=2 * number,
        total_stale=number // 2,
        total_corrupt=0,
        total_reconnects=0,
        shares=Shares(capture=4.2, preprocess=8.1, inference=61.3, idle=28.0, other=2.6),
        latency_ms=Spread(count=300, p50=7.1 + wave, p95=9.6 + wave, p99=14.2 + 2 * wave),
        age_ms=Spread(count=300, p50=19.3, p95=28.8, p99=35.1),
        cpu_percent=112.5,
        state=MachineState(
            at="2025-01-01T00:00:00+00:00",
            load_1min=1.4,
            clock_hz=(1_500_000_000, 2_400_000_000),
            temperature_celsius=61.2,
            throttled=0,
        ),
        counting=NO_PMU,
        top=(Shown(label="cat", probability=0.97), Shown(label="dog", probability=0.03)),
        trouble=None,
    )
    return msgspec.structs.replace(made, **changes)


@contextmanager
def running(hub: Hub, rate: float = 30.0, size: tuple[int, int] = (640, 480), **changes: Any) -> Iterator[None]:
    """While it lasts, the hub is fed in a thread, frames at `rate` a second and a second, with these
    changes, for every `rate` of them."""
    ended = threading.Event()

    def feed() -> None:
        for number in itertools.count(1):
            if ended.wait(1 / rate):
                return
            hub.labelled(labelled(number, size=size))
            if number % round(rate) == 0:
                hub.second(second(KEPT_BEFORE + number // round(rate), **changes))

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()


KEPT_BEFORE = 90
"""Seconds that a test may give the hub before `running` goes on with the next."""
