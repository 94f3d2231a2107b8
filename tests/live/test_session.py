import queue
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from videos import MjpegServer, index_of, make_video, picture

from profiler.camera.open import open_capture
from profiler.camera.source import Facts, Frame, LostError, OverError
from profiler.errors import ProfilerError
from profiler.images import pools
from profiler.live import capture_thread, session
from profiler.live.capture_thread import Tally
from profiler.live.classified_frame import ClassifiedFrame
from profiler.live.classifier import Classifier, open_classifier
from profiler.live.session import Limits, Loop
from profiler.live.state_sampler import Sampler
from profiler.modelfile import DEFAULTS, ModelFile, shipped
from profiler.records import Counting, MachineState, Second, Shown, Summary

MS = 1_000_000
FACTS = Facts("made", "made", "stream", 64, 48, None, 30.0, None)
STATE = MachineState(at="then")
NOTHING = Counting(frames=0, events=(), ipc=None, scope=None, lack="no PMU")
NEVER = Limits(None, None, 30.0)


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns

    def pass_ms(self, ms: float) -> None:
        self.ns += round(ms * MS)


class Due:
    """Frames that are there at their times (ms), as the capture thread would have them, and then the end or nothing."""

    def __init__(self, clock: Clock, at_ms: Sequence[float], over: bool = True, trouble: str | None = None) -> None:
        self._clock, self._over, self.trouble = clock, over, trouble
        self._frames = [Frame(picture(number), round(at * MS), number) for number, at in enumerate(at_ms, 1)]
        self._count, self._last_ns = len(self._frames), 0
        self.dropped = 0

    def take(self, within_s: float) -> Frame | None:
        assert 0 <= within_s <= session.LOOK_S
        if not self._frames or self._frames[0].at_ns > self._clock.ns + within_s * 1e9:
            self._clock.pass_ms(1000 * within_s)
            return None
        self._clock.ns = max(self._clock.ns, self._frames[0].at_ns)
        while len(self._frames) > 1 and self._frames[1].at_ns <= self._clock.ns:
            self._frames.pop(0)
            self.dropped += 1
        self._last_ns = self._clock.ns
        return self._frames.pop(0)

    @property
    def over(self) -> bool:
        return self._over and not self._frames

    def silent_s(self) -> float:
        return (self._clock.ns - self._last_ns) / 1e9

    def tally(self) -> Tally:
        return Tally(self._count - len(self._frames), self.dropped)


class Timed:
    """A classifier that takes its time on the clock; what it says is the frame's index."""

    def __init__(self, clock: Clock, preprocess_ms: float = 2, inference_ms: float = 8, score: float = -1.5) -> None:
        self._clock, self._preprocess_ms, self._inference_ms, self._score = clock, preprocess_ms, inference_ms, score

    def prepare(self, pixels: Any) -> int:
        self._clock.pass_ms(self._preprocess_ms)
        return index_of(pixels)

    def infer(self, index: int) -> int:
        self._clock.pass_ms(self._inference_ms)
        return index

    def answer(self, index: int) -> tuple[tuple[Shown, ...], int, float]:
        return (Shown(label=f"class {index}", probability=0.75),), index, self._score


def looped(
    clock: Clock,
    frames: Due,
    *,
    classifier: Timed | None = None,
    limits: Limits = NEVER,
    observers: Sequence[Callable[[ClassifiedFrame], object]] = (),
    stop: threading.Event | None = None,
) -> tuple[Summary, list[Second]]:
    told: list[Second] = []
    loop = Loop(
        frames,
        classifier or Timed(clock),
        limits,
        None,
        observers,
        told.append,
        lambda: NOTHING,
        lambda: STATE,
        stop or threading.Event(),
        clock,
    )
    return loop.run(), told


def times(rate: float, seconds: float) -> list[float]:
    return [1000 * index / rate for index in range(1, round(rate * seconds))]


def test_a_source_slower_than_inference_is_followed_frame_by_frame() -> None:
    clock = Clock()
    summary, told = looped(clock, Due(clock, times(25, 4)))
    assert (summary.frames, summary.dropped, summary.stale) == (99, 0, 0)
    assert summary.labels == {f"class {index}": 3 + (index in (1, 2, 3)) for index in range(32)}
    assert [second.elapsed_s for second in told] == pytest.approx([1, 2, 3], abs=0.011)
    assert [second.fps for second in told] == pytest.approx([25, 25, 25], rel=0.02)
    assert told[0].age_ms.p50 == told[0].latency_ms.p50 == 10
    assert told[1].shares.inference == pytest.approx(20, rel=0.03)
    assert told[1].shares.preprocess == pytest.approx(5, rel=0.03)
    assert told[1].shares.idle == pytest.approx(75, rel=0.03)
    assert told[1].shares.other == pytest.approx(0, abs=1e-9)
    assert (told[2].state, told[2].counting, told[2].trouble) == (STATE, NOTHING, None)
    assert told[0].top[0].label == "class 25"
    assert (summary.ended, summary.failed) == ("the video has ended", False)


def test_of_a_faster_source_the_newest_is_taken_at_once() -> None:
    clock = Clock()
    summary, told = looped(clock, Due(clock, times(400, 2.001)))
    assert told[0].fps == pytest.approx(100, rel=0.02)
    assert told[0].source_fps == pytest.approx(400, rel=0.02)
    assert told[0].shares.idle < 2
    assert summary.frames + summary.dropped == summary.captured
    assert summary.stale == 0
    # A frame waits one period of the source at most.
    assert (summary.age_ms.p99 or 99) <= 1.01 * (2.5 + 10)


def test_what_observers_take_is_other() -> None:
    clock = Clock()
    seen: list[ClassifiedFrame] = []
    summary, _ = looped(clock, Due(clock, times(20, 3)), observers=(seen.append, lambda _: clock.pass_ms(15)))
    assert summary.shares.other == pytest.approx(30, rel=0.03)
    assert [done.frame.number for done in seen] == list(range(1, 60))
    assert seen[0].age_ns == 10 * MS
    assert (seen[0].inference_ns, seen[0].score, seen[0].winner) == (8 * MS, -1.5, 1)


def test_seconds_are_told_on_a_grid_that_does_not_drift() -> None:
    clock = Clock()
    _, told = looped(clock, Due(clock, times(7, 60)), classifier=Timed(clock, 20, 100))
    late = [second.elapsed_s - number for number, second in enumerate(told, 1)]
    assert len(told) == 59
    assert 0 <= min(late) <= max(late) <= 0.121
    assert sum(second.span_s for second in told) == pytest.approx(told[-1].elapsed_s)
    assert sum(second.frames for second in told) == told[-1].total_frames


def test_a_frame_that_takes_longer_than_a_second_is_told_once_after_it() -> None:
    clock = Clock()
    _, told = looped(clock, Due(clock, [10, 4050, 4300, 5500]), classifier=Timed(clock, 0, 2500))
    assert [second.elapsed_s for second in told] == pytest.approx([2.51, 3, 4, 6.55, 9.05], abs=0.001)
    assert [second.frames for second in told] == [1, 0, 0, 1, 1]


def test_a_silent_source_is_reported_each_second_and_then_given_up() -> None:
    clock = Clock()
    summary, told = looped(clock, Due(clock, [500], over=False), limits=Limits(None, None, 5.0))
    assert [second.elapsed_s for second in told] == pytest.approx([1, 2, 3, 4, 5])
    assert [second.fps for second in told] == [1, 0, 0, 0, 0]
    assert [second.trouble for second in told] == [None, *(f"no frame for {n} s" for n in ("2", "2", "4", "4"))]
    assert (summary.frames, summary.failed) == (1, True)
    assert summary.ended == "no usable frame for 5 s"
    assert summary.seconds == pytest.approx(5.5)


def test_the_source_s_own_words_come_first() -> None:
    clock = Clock()
    gone = Due(clock, [], over=False, trouble="the camera is gone; opening it anew, try 7")
    summary, told = looped(clock, gone, limits=Limits(None, None, 1.5))
    assert told[0].trouble == "the camera is gone; opening it anew, try 7"
    assert summary.ended == "no usable frame for 2 s (the camera is gone; opening it anew, try 7)"


def test_a_slow_source_is_no_trouble() -> None:
    clock = Clock()
    _, told = looped(clock, Due(clock, [100 + 1500 * number for number in range(8)]))
    assert {second.trouble for second in told[3:]} == {None}


def test_limits() -> None:
    clock = Clock()
    summary, told = looped(clock, Due(clock, times(25, 9)), limits=Limits(2.0, None, 30.0))
    assert (len(told), summary.ended) == (2, "2 s have passed")
    assert summary.seconds == pytest.approx(2, abs=0.011)
    clock = Clock()
    summary, told = looped(clock, Due(clock, times(25, 9)), limits=Limits(None, 30, 30.0))
    assert (summary.frames, len(told), summary.ended) == (30, 1, "30 frames were labelled")


def test_a_stop_ends_it_after_the_frame() -> None:
    clock, stop = Clock(), threading.Event()

    def third(done: ClassifiedFrame) -> None:
        if done.frame.number == 3:
            stop.set()

    summary, told = looped(clock, Due(clock, times(25, 9)), observers=(third,), stop=stop)
    assert (summary.frames, summary.ended, summary.failed, told) == (3, "stopped", False, [])


@pytest.mark.parametrize("score", [float("nan"), float("inf"), float("-inf")])
def test_an_output_that_is_no_finite_number(score: float) -> None:
    clock = Clock()
    with pytest.raises(ProfilerError, match="no finite number"):
        looped(clock, Due(clock, [10]), classifier=Timed(clock, score=score))


class Scripted:
    """A capture that gives one thing after the other; an event is waited for, and what comes after the last is silence.

    Attributes:
        closed: Set once it is released.
    """

    def __init__(self, *script: Frame | Exception | threading.Event | None, facts: Facts = FACTS) -> None:
        self.facts, self.closed = facts, threading.Event()
        self._script = list(script)

    def read(self) -> Frame | None:
        while self._script:
            one = self._script.pop(0)
            if isinstance(one, threading.Event):
                one.wait()
            elif isinstance(one, Exception):
                raise one
            else:
                return one
        self.closed.wait(30)
        raise LostError("silent")

    def close(self) -> None:
        self.closed.set()


class Instant:
    """A classifier that takes no time; `failing` frames raise."""

    def __init__(self, failing: int = 0) -> None:
        self._failing = failing

    def prepare(self, pixels: Any) -> int:
        return index_of(pixels)

    def infer(self, index: int) -> int:
        if index == self._failing:
            raise ProfilerError("the model failed", "look at it")
        return index

    def answer(self, index: int) -> tuple[tuple[Shown, ...], int, float]:
        return (Shown(label="cat", probability=1.0),), 0, float(index)


def frames(*numbers: int) -> list[Frame]:
    return [Frame(picture(number), time.perf_counter_ns(), number) for number in numbers]


def run(source: Callable[[], Any], classifier: Any = None, **options: Any) -> Summary:
    options = {"tell": lambda _: None, "stop": threading.Event(), "state": lambda: STATE, **options}
    return session.run(source, classifier or Instant(), counting=lambda: NOTHING, **options)


def test_a_whole_session() -> None:
    seen: list[ClassifiedFrame] = []
    opened: list[Facts] = []
    capture = Scripted(*frames(1, 2, 3), OverError())
    summary = run(lambda: capture, every=True, observers=[seen.append], opened=opened.append)
    assert [done.frame.number for done in seen] == [1, 2, 3]
    assert opened == [FACTS]
    assert (summary.frames, summary.captured, summary.dropped, summary.ended) == (3, 3, 0, "the video has ended")
    assert capture.closed.is_set()


def test_unplugged_and_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_thread, "PAUSES_S", (0.0,))
    captures: list[Scripted | Exception] = [
        Scripted(*frames(1), None, LostError("the camera is gone")),
        ProfilerError("no such device", "plug it in"),
        Scripted(*frames(1, 2), OverError()),
    ]
    left = iter(captures)
    seen: list[ClassifiedFrame] = []

    def source() -> Scripted:
        made = next(left)
        if isinstance(made, Exception):
            raise made
        return made

    summary = run(source, every=True, observers=[seen.append])
    assert [done.frame.number for done in seen] == [1, 2, 3]
    assert (summary.reconnects, summary.corrupt, summary.failed) == (1, 1, False)


def test_never_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_thread, "PAUSES_S", (0.0, 3600.0))
    first, tried = Scripted(*frames(1), LostError("the camera is gone")), threading.Event()

    def source() -> Scripted:
        if not first.closed.is_set():
            return first
        tried.set()
        raise ProfilerError("no such device", "plug it in")

    summary = run(source, every=True, patience_s=0.2)
    assert tried.is_set()
    assert (summary.frames, summary.failed) == (1, True)
    assert "try" in summary.ended


def test_a_stop_while_nothing_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_thread, "PAUSES_S", (3600.0,))
    stop = threading.Event()
    stopping = Scripted(*frames(1), LostError("gone"))
    threading.Thread(target=lambda: (stopping.closed.wait(30), stop.set())).start()  # type: ignore[func-returns-value]
    summary = run(lambda: stopping, every=True, stop=stop)
    assert summary.ended == "stopped"


def test_a_hanging_source_is_told_each_second_and_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_thread, "LEAVING_S", 0.01)
    hanging = threading.Event()
    told: list[Second] = []
    capture = Scripted(*frames(1), hanging, OverError())
    summary = run(lambda: capture, tell=told.append, patience_s=1.2)
    assert told
    assert {second.trouble for second in told} <= {None, "no frame for 1 s"}
    assert (summary.frames, summary.failed) == (1, True)
    assert not capture.closed.is_set()
    hanging.set()
    assert capture.closed.wait(30)


def test_the_source_is_released_whoever_fails() -> None:
    first, second = (Scripted(*frames(1, 2, 3), OverError()) for _ in range(2))
    with pytest.raises(ProfilerError, match="the model failed"):
        run(lambda: first, Instant(failing=2), every=True)
    assert first.closed.wait(30)

    def full(_: ClassifiedFrame) -> None:
        raise ProfilerError("the disk is full", "make room")

    with pytest.raises(ProfilerError, match="the disk is full"):
        run(lambda: second, observers=[full])
    assert second.closed.wait(30)


def test_the_source_is_released_where_it_is_never_read() -> None:
    capture = Scripted(*frames(1))

    def taken(_: Facts) -> None:
        raise ProfilerError("there is a study of that name", "choose another")

    with pytest.raises(ProfilerError, match="a study of that name"):
        run(lambda: capture, opened=taken)
    assert capture.closed.is_set()


def test_what_cannot_be_opened_is_said_as_it_is() -> None:
    def source() -> Scripted:
        raise ProfilerError("no such device", "plug it in")

    with pytest.raises(ProfilerError, match="no such device"):
        run(source)


def test_the_state_is_read_beside_the_loop() -> None:
    read: queue.Queue[int] = queue.Queue()

    def state() -> MachineState:
        read.put(threading.get_ident())
        return MachineState(at=str(read.qsize()))

    with Sampler(state, every_s=0.0) as sampler:
        assert read.get(timeout=30) == threading.get_ident()
        assert read.get(timeout=30) != threading.get_ident()
        assert sampler.latest.at
    assert not any(thread.name == "machine-state" for thread in threading.enumerate())


def test_the_machine_s_own_state_is_told() -> None:
    told: list[Second] = []
    stop = threading.Event()

    def tell(second: Second) -> None:
        told.append(second)
        stop.set()

    hanging = Scripted(*frames(1))
    threading.Thread(target=lambda: (stop.wait(30), hanging.close())).start()  # type: ignore[func-returns-value]
    run(lambda: hanging, tell=tell, stop=stop, state=None)
    assert told[0].state.memory_available_bytes
    assert told[0].at


def real(runtime: str) -> Classifier:
    """The shipped model of this runtime."""
    file = ModelFile(runtime, runtime, shipped(DEFAULTS[runtime]))
    # Within a process TensorFlow's threads are set once, so that tests leave them as they are.
    return open_classifier(file, threads=None, call="graph", output=None, labels=None, fit="crop", top=10, pixels=None)


def cat() -> np.ndarray[Any, Any]:
    photo = cv2.imread(str(pools.BUILTIN))
    assert photo is not None
    return photo


@pytest.fixture(scope="module", params=["litert", pytest.param("keras", marks=pytest.mark.slow)])
def classifier(request: pytest.FixtureRequest) -> Classifier:
    pytest.importorskip({"litert": "ai_edge_litert", "keras": "tensorflow"}[request.param])
    return real(request.param)


def test_a_video_of_the_shipped_photo(classifier: Classifier, tmp_path: Path) -> None:
    video = str(make_video(tmp_path / "cat.avi", [cat()] * 12))
    summary = run(lambda: open_capture(video, every=True), classifier, every=True)
    assert (summary.frames, summary.dropped, summary.corrupt) == (12, 0, 0)
    assert summary.labels == {"cat": 12}
    assert summary.shares.inference > 0
    assert summary.shares.preprocess > 0
    assert summary.cpu_percent > 0
    assert (summary.ended, summary.failed) == ("the video has ended", False)


def test_a_video_in_real_time_is_not_faster_than_its_rate(classifier: Classifier, tmp_path: Path) -> None:
    video = str(make_video(tmp_path / "cat.avi", [cat()] * 12, rate=30.0))
    summary = run(lambda: open_capture(video), classifier)
    # From the first frame to the last are eleven periods; a slow machine takes longer, none is quicker.
    assert summary.seconds >= 11 / 30
    assert summary.frames + summary.dropped == summary.captured == 12


def test_a_network_camera_with_bad_frames_that_goes_and_comes_back(classifier: Classifier) -> None:
    with MjpegServer([cat()], rate=100) as camera:

        def trouble(done: ClassifiedFrame) -> None:
            if done.frame.number == 5:
                camera.corrupt(3)
            if done.frame.number == 15:
                camera.drop()

        def regained(done: ClassifiedFrame) -> None:
            if camera.connections > 1 and done.frame.number > 20:
                stop.set()

        stop = threading.Event()
        summary = run(
            lambda: open_capture(camera.url), classifier, every=True, observers=[trouble, regained], stop=stop
        )
    assert set(summary.labels) == {"cat"}
    assert summary.reconnects >= 1
    assert summary.corrupt >= 1
    assert (summary.ended, summary.failed) == ("stopped", False)


def test_a_stream_that_stalls_is_opened_anew_and_given_up_if_it_stays_silent(classifier: Classifier) -> None:
    with MjpegServer([cat()], rate=100) as camera:

        def stall(done: ClassifiedFrame) -> None:
            if done.frame.number >= 3:
                camera.stall()

        summary = run(lambda: open_capture(camera.url, limit_s=0.3), classifier, observers=[stall], patience_s=1.0)
    assert summary.frames >= 3
    assert summary.failed
    assert "try" in summary.ended
