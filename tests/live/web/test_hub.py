"""The hub: one encode for all, none while nobody watches, no queue; and the label drawn into a picture."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack

import cv2
import numpy as np
import pytest
from made_live import labelled, photo, second
from reading import present

from profiler.live.overlay import LARGEST, SMALLEST, annotated, chance
from profiler.live.web.hub import KEPT, Hub, encoded
from profiler.records import Shown

LIMIT_S = 20


@pytest.fixture
def hub() -> Iterator[Hub]:
    made = Hub()
    yield made
    made.close()


class Bell:
    """Counts what a hub tells."""

    def __init__(self) -> None:
        self.rung = threading.Semaphore(0)

    def __call__(self) -> None:
        self.rung.release()

    def wait(self) -> None:
        assert self.rung.acquire(timeout=LIMIT_S)


def test_nothing_is_encoded_while_nobody_watches(hub: Hub) -> None:
    threads = threading.active_count()
    for number in range(1, 100):
        hub.labelled(labelled(1))
        hub.second(second(number))
    assert hub.encoded == 0
    assert threading.active_count() == threads


def test_a_viewer_gets_the_newest_frame_at_once_and_each_frame_once(hub: Hub) -> None:
    bell = Bell()
    for number in range(1, 6):
        hub.labelled(labelled(number))
    with hub.told(bell), hub.watched():
        bell.wait()
        assert (hub.encoded, hub.picture.number) == (1, 5)
        hub.labelled(labelled(6))
        bell.wait()
        assert (hub.encoded, hub.picture.number) == (2, 6)
    assert hub.picture.jpeg == encoded(hub.newest[1] or labelled(0))


def test_many_viewers_share_an_encode(hub: Hub) -> None:
    bell = Bell()
    with ExitStack() as viewers:
        viewers.enter_context(hub.told(bell))
        for _ in range(5):
            viewers.enter_context(hub.watched())
        hub.labelled(labelled(1))
        bell.wait()
        assert hub.encoded == 1
    with hub.told(bell):
        hub.labelled(labelled(2))
        with hub.watched():
            bell.wait()
    assert (hub.encoded, hub.picture.number) == (2, 2)


def test_frames_are_skipped_and_not_queued(hub: Hub, monkeypatch: pytest.MonkeyPatch) -> None:
    """While one picture is encoded, ninety-nine frames come: the next picture is of the last."""
    begun, go, bell = threading.Event(), threading.Event(), Bell()

    def slow(frame: object) -> bytes:
        begun.set()
        assert go.wait(LIMIT_S)
        return encoded(labelled(1))

    monkeypatch.setattr("profiler.live.web.hub.encoded", slow)
    with hub.told(bell), hub.watched():
        hub.labelled(labelled(1))
        assert begun.wait(LIMIT_S)
        last = labelled(2)
        for _ in range(99):
            hub.labelled(last)
        go.set()
        bell.wait()
        assert hub.picture.number == 1
        bell.wait()
        assert (hub.encoded, hub.picture.number) == (2, 100)


def test_the_last_seconds_are_kept_and_numbered(hub: Hub) -> None:
    assert hub.seconds_after(0) == []
    for number in range(1, 3 * KEPT + 1):
        hub.second(second(number))
    assert [number for number, _ in hub.seconds_after(0)] == list(range(2 * KEPT + 1, 3 * KEPT + 1))
    assert hub.seconds_after(3 * KEPT - 1) == [(3 * KEPT, second(3 * KEPT))]
    assert hub.seconds_after(3 * KEPT) == []


def test_the_end_is_told_and_stops_the_encoder(hub: Hub) -> None:
    bell = Bell()
    with hub.told(bell), hub.watched():
        names = [thread.name for thread in threading.enumerate()]
        assert "pictures" in names
        hub.close()
        bell.wait()
    assert "pictures" not in [thread.name for thread in threading.enumerate()]
    with hub.watched():
        assert "pictures" not in [thread.name for thread in threading.enumerate()]


@pytest.mark.parametrize("size", [(640, 480), (480, 640), (1920, 1080), (160, 120), (33, 2), (1, 1), (20, 900)])
@pytest.mark.parametrize("label", ["cat", "W" * 300, ""])
def test_the_label_is_inside_the_picture_at_any_size(size: tuple[int, int], label: str) -> None:
    plain = cv2.resize(photo(), size)
    before = plain.copy()
    drawn = annotated(plain, Shown(label=label, probability=0.973))
    assert np.array_equal(plain, before)
    rows, columns = drawn.shape[:2]
    assert drawn.dtype == np.uint8
    assert SMALLEST <= max(rows, columns) <= LARGEST
    if min(rows, columns) > 200:
        bare = annotated(plain, None)
        changed = np.argwhere((drawn != bare).any(axis=2))
        (top, left), (low, right) = changed.min(axis=0), changed.max(axis=0)
        assert 0 < left < right < columns - 1
        assert rows * 0.7 < top < low < rows - 1
        white = np.argwhere((drawn[top:low, left:right] > 150).all(axis=2))
        assert len(white) > 20
        assert np.ptp(white[:, 0]) >= 9


def test_letters_that_cannot_be_drawn_are_question_marks() -> None:
    def drawn(label: str) -> bytes:
        return annotated(cv2.resize(photo(), (640, 480)), Shown(label=label, probability=0.5)).tobytes()

    assert drawn("Kätzchen 猫") == drawn("K?tzchen ?")
    assert drawn("Kätzchen") != drawn("Katzchen")


def test_of_a_long_label_the_end_is_cut_and_not_the_probability() -> None:
    def drawn(label: str, probability: float) -> bytes:
        return annotated(cv2.resize(photo(), (640, 480)), Shown(label=label, probability=probability)).tobytes()

    assert drawn("W" * 300, 0.5) == drawn("W" * 299 + "X", 0.5)
    assert drawn("W" * 300, 0.5) != drawn("W" * 300, 0.6)


def test_a_frame_without_an_answer_is_shown_as_it_is() -> None:
    shown = present(cv2.imdecode(np.frombuffer(encoded(labelled(3, answers=())), np.uint8), cv2.IMREAD_COLOR))
    difference = np.abs(shown.astype(int) - labelled(3).frame.pixels.astype(int))
    assert shown.shape == (480, 640, 3)
    assert difference.mean() < 4


@pytest.mark.parametrize(
    ("probability", "written"),
    [
        (1.0, "100.0 %"),
        (0.99999, ">99.9 %"),
        (0.9994, "99.9 %"),
        (0.5, "50.0 %"),
        (0.0006, "0.1 %"),
        (0.00001, "<0.1 %"),
        (0.0, "0.0 %"),
    ],
)
def test_what_is_not_certain_is_not_written_as_certain(probability: float, written: str) -> None:
    assert chance(probability) == written
