import queue
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from videos import MjpegServer, index_of, make_video, picture

from profiler.camera.open import open_capture
from profiler.camera.source import Facts, Frame, LostError, OverError
from profiler.errors import ProfilerError
from profiler.live import capture_thread
from profiler.live.capture_thread import Newest

FACTS = Facts("made", "made", "stream", 64, 48, None, 30.0, None)
LONG_S = 30.0
"""How long a test waits for what comes at once; it fails where it does not."""


def frame(number: int) -> Frame:
    return Frame(picture(number), number * 33_000_000, number)


class Fed:
    """A capture that delivers what the test gives it, an exception among it."""

    def __init__(self) -> None:
        self.facts = FACTS
        self.closed = threading.Event()
        self._fed: queue.Queue[Frame | Exception | None] = queue.Queue()
        self._asked = threading.Semaphore(0)

    def read(self) -> Frame | None:
        self._asked.release()
        given = self._fed.get()
        if isinstance(given, Exception):
            raise given
        return given

    def close(self) -> None:
        self.closed.set()

    def give(self, *given: Frame | Exception | None) -> "Fed":
        for one in given:
            self._fed.put(one)
        return self

    def delivered(self, count: int) -> None:
        """Returns when so many were kept: the thread is back for more."""
        for _ in range(count + 1):
            assert self._asked.acquire(timeout=LONG_S)


@pytest.fixture(autouse=True)
def no_pauses(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Tries follow each other at once, and no capture thread outlives its test."""
    monkeypatch.setattr(capture_thread, "PAUSES_S", (0.0,))
    yield
    for thread in threading.enumerate():
        if thread.name == "capture":
            thread.join(LONG_S)
            assert not thread.is_alive()


def one_of(captures: list[Fed | Exception]) -> Callable[[], Fed]:
    """A source that opens these, one after the other."""
    left = iter(captures)

    def source() -> Fed:
        made = next(left)
        if isinstance(made, Exception):
            raise made
        return made

    return source


def test_only_the_newest_frame_is_kept() -> None:
    fed = Fed().give(frame(1), frame(2), frame(3))
    with Newest(lambda: fed) as found:
        fed.delivered(3)
        taken = found.take(0)
        assert taken is not None
        assert taken.number == 3
        assert found.take(0) is None
        tally = found.tally()
        assert (tally.captured, tally.dropped, tally.corrupt, tally.reconnects) == (3, 2, 0, 0)
        assert tally.cpu_ns > 0
        assert found.trouble is None
        assert not found.over
        fed.give(OverError())
    assert fed.closed.is_set()


def test_a_taker_is_woken_by_a_frame() -> None:
    fed = Fed()
    with Newest(lambda: fed) as found:
        threading.Timer(0.01, fed.give, (frame(1), OverError())).start()
        taken = found.take(LONG_S)
    assert taken is not None
    assert taken.number == 1


def test_every_frame_waits_until_the_last_was_taken() -> None:
    fed = Fed().give(*map(frame, range(1, 6)), OverError())
    with Newest(lambda: fed, every=True) as found:
        numbers = []
        while (taken := found.take(LONG_S)) is not None:
            numbers.append(taken.number)
        assert found.over
        assert numbers == [1, 2, 3, 4, 5]
        assert (found.tally().captured, found.tally().dropped) == (5, 0)


def test_an_end_comes_while_a_frame_waits_to_be_taken() -> None:
    fed = Fed().give(frame(1), frame(2))
    with Newest(lambda: fed, every=True):
        fed.delivered(0)
    assert fed.closed.wait(LONG_S)


def test_unusable_frames_are_counted_and_skipped() -> None:
    empty = Frame(np.zeros((0, 0, 3), np.uint8), 0, 1)
    fed = Fed().give(None, empty, frame(2), None)
    with Newest(lambda: fed) as found:
        fed.delivered(4)
        assert (found.tally().captured, found.tally().corrupt, found.tally().dropped) == (1, 3, 0)
        taken = found.take(0)
        assert taken is not None
        assert taken.number == 2
        fed.give(OverError())


def test_the_last_frame_is_taken_before_the_end() -> None:
    fed = Fed().give(frame(1), OverError())
    with Newest(lambda: fed) as found:
        assert fed.closed.wait(LONG_S)
        assert not found.over
        assert found.take(LONG_S) is not None
        assert found.take(LONG_S) is None
        assert found.over


def test_a_lost_source_is_opened_anew_and_numbers_go_on() -> None:
    first, second = Fed().give(frame(1), frame(2), LostError("the camera is gone")), Fed()
    opening, opened = threading.Event(), threading.Event()

    def source() -> Fed:
        if first.closed.is_set():
            opening.set()
            assert opened.wait(LONG_S)
            return second
        return first

    with Newest(source) as found:
        assert opening.wait(LONG_S)
        assert found.trouble == "the camera is gone; opening it anew, try 1"
        assert found.take(0) is not None
        opened.set()
        second.give(frame(1), frame(2))
        second.delivered(2)
        taken = found.take(0)
        assert taken is not None
        assert (taken.number, index_of(taken.pixels)) == (4, 2)
        assert found.trouble is None
        assert (found.tally().captured, found.tally().reconnects) == (4, 1)
        second.give(OverError())
    assert second.closed.is_set()


def test_what_cannot_be_opened_or_gives_no_frame_is_one_more_try() -> None:
    said: list[str | None] = []
    broken = ProfilerError("no such device", "plug it in")
    first, last = Fed(), Fed()
    opens = one_of([first, broken, Fed().give(LostError("silent")), LostError("in use"), last])

    def source() -> Fed:
        # The test's own thread opens the first, and goes on before that is lost.
        if threading.current_thread() is not threading.main_thread():
            said.append(found.trouble)
        return opens()

    with Newest(source) as found:
        first.give(LostError("gone"))
        last.delivered(0)
        assert said == [
            "gone; opening it anew, try 1",
            "no such device; opening it anew, try 2",
            "silent; opening it anew, try 3",
            "in use; opening it anew, try 4",
        ]
        assert found.tally().reconnects == 2
        last.give(frame(1), LostError("gone again"))
        assert found.take(LONG_S) is not None


def test_an_end_does_not_wait_for_the_next_try(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_thread, "PAUSES_S", (3600.0,))
    fed = Fed().give(LostError("gone"))
    with Newest(lambda: fed):
        assert fed.closed.wait(LONG_S)


def test_a_hanging_read_does_not_hold_up_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capture_thread, "LEAVING_S", 0.01)
    fed = Fed()
    with Newest(lambda: fed):
        fed.delivered(0)
    assert not fed.closed.is_set()
    # What was left behind releases the source as soon as it can.
    fed.give(frame(1))
    assert fed.closed.wait(LONG_S)


def test_the_first_opening_fails_as_it_is() -> None:
    with pytest.raises(ProfilerError, match="no such device"):
        Newest(one_of([ProfilerError("no such device", "plug it in")]))


def test_what_nobody_expected_is_raised_where_frames_are_taken() -> None:
    fed = Fed().give(frame(1), ValueError("a mistake"))
    with Newest(lambda: fed) as found:
        assert fed.closed.wait(LONG_S)
        assert found.take(LONG_S) is not None
        assert not found.over
        with pytest.raises(ValueError, match="a mistake"):
            found.take(LONG_S)


def test_a_source_that_cannot_be_closed_is_no_endless_wait() -> None:
    class Stuck(Fed):
        def close(self) -> None:
            raise OSError("busy")

    with Newest(lambda: Stuck().give(OverError("over"))) as read, pytest.raises(OSError, match="busy"):
        read.take(LONG_S)


def test_silence_is_since_the_last_frame_came_or_was_taken() -> None:
    now = [0]
    fed = Fed()
    with Newest(lambda: fed, clock=lambda: now[0]) as found:
        now[0] = 4_000_000_000
        assert found.silent_s() == 4
        fed.give(frame(1), None)
        fed.delivered(2)
        now[0] = 7_000_000_000
        assert found.silent_s() == 0
        assert found.take(0) is not None
        now[0] = 9_500_000_000
        assert found.silent_s() == 2.5
        fed.give(OverError())


def test_a_video_file_frame_by_frame(tmp_path: Path) -> None:
    video = make_video(tmp_path / "a.avi", [picture(index) for index in range(12)])
    with Newest(lambda: open_capture(str(video), every=True), every=True) as found:
        shown = []
        while (taken := found.take(LONG_S)) is not None:
            shown.append(index_of(taken.pixels))
        assert shown == list(range(12))
        assert found.over
        assert found.tally()[:4] == (12, 0, 0, 0)


def test_a_network_camera_that_goes_and_comes_back() -> None:
    with MjpegServer([picture(index) for index in range(8)], rate=200) as camera:
        with Newest(lambda: open_capture(camera.url, limit_s=LONG_S)) as found:
            assert found.take(LONG_S) is not None
            camera.drop()
            while found.tally().reconnects == 0:
                assert found.take(LONG_S) is not None
            taken = found.take(LONG_S)
        assert taken is not None
        assert taken.number > 1
        assert camera.connections >= 2
