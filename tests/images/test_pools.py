import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from videos import make_video

from profiler import pixels, worker
from profiler.camera import image_source, source, worker_feed
from profiler.errors import ProfilerError
from profiler.images import pools as images
from profiler.runtimes import Tensor


def photo(path: Path, bgr: tuple[int, int, int], size: tuple[int, int] = (20, 30)) -> None:
    cv2.imwrite(str(path), np.full((*size, 3), bgr, np.uint8))


def test_builtin_is_seeded_and_varied() -> None:
    first = images.pool("builtin", 5, 150, 150, 3, seed=1)
    assert first.shape == (5, 150, 150, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, images.pool("builtin", 5, 150, 150, 3, seed=1))
    assert not np.array_equal(first, images.pool("builtin", 5, 150, 150, 3, seed=2))
    assert all(not np.array_equal(first[0], other) for other in first[1:])


def test_fewer_images_are_the_beginning_of_more() -> None:
    assert np.array_equal(images.pool("builtin", 3, 32, 32, 3, 0), images.pool("builtin", 8, 32, 32, 3, 0)[:3])


def test_a_pool_is_never_larger_than_ram_allows() -> None:
    assert len(images.pool("synthetic", 10_000, 8, 8, 3, 0)) == images.POOL


def test_grey_models_get_one_channel() -> None:
    assert images.pool("builtin", 2, 28, 28, 1, 0).shape == (2, 28, 28, 1)


def test_folder_colours_are_rgb(tmp_path: Path) -> None:
    photo(tmp_path / "blue.png", (255, 0, 0))
    (pixels,) = images.pool(str(tmp_path), 4, 10, 10, 3, 0)
    assert pixels[5, 5].tolist() == [0, 0, 255]


def test_folder_skips_what_is_no_image(tmp_path: Path) -> None:
    photo(tmp_path / "a.png", (1, 2, 3))
    (tmp_path / "broken.jpg").write_bytes(b"not a jpeg")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("hello")
    assert len(images.pool(str(tmp_path), 9, 10, 10, 3, 0)) == 1


@pytest.mark.parametrize("make_broken", [True, False])
def test_folder_without_a_readable_image(tmp_path: Path, make_broken: bool) -> None:
    if make_broken:
        (tmp_path / "broken.jpg").write_bytes(b"not a jpeg")
    with pytest.raises(ProfilerError, match="no readable image"):
        images.pool(str(tmp_path), 1, 10, 10, 3, 0)


def test_unknown_source() -> None:
    with pytest.raises(ProfilerError, match="no image source or folder named 'webcam'"):
        images.pool("webcam", 1, 10, 10, 3, 0)


@pytest.mark.parametrize(("height", "width"), [(10, 10), (5, 40), (40, 5)])
def test_fit_crops_the_centre_without_distortion(height: int, width: int) -> None:
    square = np.zeros((60, 90, 3), np.uint8)
    square[:, 30:60] = 255
    fitted = pixels.fit(square, height, width)
    assert fitted.shape == (height, width, 3)
    assert fitted[height // 2, width // 2].tolist() == [255, 255, 255]


def test_load_says_which_file_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match=r"gone\.png cannot be read"):
        pixels.load(tmp_path / "gone.png")


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Six pictures in colour, wider than high, each unlike the others."""
    photos = images.pool("builtin", 6, 48, 80, 3, 0)
    return make_video(tmp_path / "video.avi", [photo[..., ::-1] for photo in photos])


def decoded(video: Path) -> Iterator[pixels.Pixels]:
    """The video's pictures in RGB, as OpenCV alone reads them."""
    reader = cv2.VideoCapture(str(video))
    while (read := reader.read())[0]:
        yield cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)
    reader.release()


def test_frames_of_a_video_are_rgb_and_fitted_as_photos_are(video: Path) -> None:
    found = images.pool(f"camera:{video}", 4, 20, 20, 3, 0)
    assert found.dtype == np.uint8
    assert np.array_equal(found, [pixels.fit(photo, 20, 20) for photo in list(decoded(video))[:4]])


def test_a_video_shorter_than_asked_gives_what_it_has(video: Path) -> None:
    assert len(images.pool(f"camera:{video}", 9, 8, 8, 3, 0)) == 6


def test_every_shape_gets_the_same_frames(video: Path) -> None:
    square, flat, grey = (20, 20, 3), (10, 30, 3), (20, 20, 1)
    pools = images.pools(f"camera:{video}", 3, [square, flat, grey, square], 0)
    assert {shape: pixels.shape for shape, pixels in pools.items()} == {
        square: (3, *square),
        flat: (3, *flat),
        grey: (3, *grey),
    }
    first = next(decoded(video))
    assert np.array_equal(pools[flat][0], pixels.fit(first, 10, 30))
    assert np.array_equal(pools[grey][0, ..., 0], cv2.cvtColor(pixels.fit(first, 20, 20), cv2.COLOR_RGB2GRAY))


class Made:
    """A capture whose reads are told beforehand: a shade of grey, None, or what is raised; then it is over."""

    def __init__(self, reads: list[Any], kind: Any = "device") -> None:
        self.reads, self.closed = list(reads), False
        self.facts = source.Facts("/dev/video2", "Made Cam", kind, 4, 4, 36.0, 30.0, "MJPG")

    def read(self) -> source.Frame | None:
        assert not self.closed
        read = self.reads.pop(0) if self.reads else source.OverError()
        if isinstance(read, Exception):
            raise read
        return None if read is None else source.Frame(np.full((4, 4, 3), read, np.uint8), 0, 1)

    def close(self) -> None:
        self.closed = True


Opening = Callable[..., list[Made]]


@pytest.fixture
def opening(monkeypatch: pytest.MonkeyPatch) -> Opening:
    """Called with the reads of made captures, which are then opened one after the other; they are in its list."""

    def install(*reads: list[Any], kind: str = "device") -> list[Made]:
        made = [Made(each, kind) for each in reads]
        left = iter(made)

        def open_capture(where: str, *, every: bool = False) -> Made:
            assert every
            return next(left)

        monkeypatch.setattr("profiler.camera.open.open_capture", open_capture)
        return made

    return install


SETTLED = [0] * image_source.SETTLING


@pytest.mark.parametrize(("kind", "first"), [("device", 7), ("stream", 7), ("file", 0)])
def test_a_cameras_exposure_settles_first(opening: Opening, kind: str, first: int) -> None:
    (made,) = opening([*SETTLED, 7, 8, 9], kind=kind)
    assert images.pool("camera", 2, 2, 2, 3, 0)[0, 0, 0].tolist() == [first] * 3
    assert made.closed


def test_frames_that_are_no_picture_are_passed_over(opening: Opening) -> None:
    opening([*SETTLED, None, 7, None, None, 8])
    assert images.pool("camera", 2, 1, 1, 3, 0)[:, 0, 0, 0].tolist() == [7, 8]


@pytest.mark.parametrize(
    ("reads", "cause"),
    [
        ([*SETTLED, 7, source.LostError("it was unplugged")], r"Made Cam was lost \(it was unplugged\)"),
        ([0, source.LostError("it was unplugged")], "it was unplugged"),
        ([None] * image_source.UNUSABLE, "gives no usable picture: 100 one after the other"),
        ([], "/dev/video2 has no picture"),
    ],
)
def test_a_camera_that_fails_is_released_and_told_in_a_line(opening: Opening, reads: list[Any], cause: str) -> None:
    (made,) = opening(reads)
    with pytest.raises(ProfilerError, match=cause) as caught:
        images.pool("camera", 2, 2, 2, 3, 0)
    assert "\n" not in str(caught.value)
    assert made.closed


def test_a_look_takes_one_picture_and_releases_the_camera(opening: Opening) -> None:
    good, empty = opening([1, 2], [])
    assert image_source.look("camera") == good.facts
    assert (good.closed, good.reads) == (True, [2])
    with pytest.raises(ProfilerError, match="has no picture"):
        image_source.look("camera")
    assert empty.closed


@pytest.mark.parametrize(
    ("source", "is_camera", "where"),
    [
        ("camera", True, "auto"),
        ("camera:", True, "auto"),
        ("camera:2", True, "2"),
        ("camera:http://host:80/video", True, "http://host:80/video"),
        ("cameras", False, "auto"),
        ("./camera:2", False, "2"),
    ],
)
def test_what_a_source_opens(source: str, is_camera: bool, where: str) -> None:
    assert pixels.is_camera(source) == is_camera
    assert image_source.where(source) == where


def test_no_password_is_kept() -> None:
    source = "camera:rtsp://me:p@ss@host:554/a"
    assert image_source.concealed(source, source) == "camera:rtsp://host:554/a"
    assert (
        image_source.concealed("cannot open 'rtsp://me:p@ss@host:554/a'", source) == "cannot open 'rtsp://host:554/a'"
    )
    assert image_source.concealed("tcp://me:p@ss@host:554", source) == "tcp://host:554"
    assert image_source.concealed("me@home", "camera:http://host/me@home") == "me@home"
    assert image_source.concealed("me@home", "me@home") == "me@home"
    token = "camera:http://host/?token=secret&size=2"
    assert image_source.concealed(token, token) == "camera:http://host/?token=...&size=2"


def test_the_device_that_was_found_is_opened_again() -> None:
    facts = Made([]).facts
    assert image_source.found("camera", facts) == "camera:/dev/video2"
    stream = facts._replace(where="http://host/", kind="stream")
    assert image_source.found("camera:http://me:secret@host/", stream) == "camera:http://me:secret@host/"


def test_what_is_told_of_a_camera() -> None:
    facts = Made([]).facts
    outside = image_source.told(facts, in_region=False)
    assert "Made Cam (/dev/video2): 4 x 4 pixels, 30 frames a second as it declares (asked for 36)" in outside
    assert "The first 15 were thrown away" in outside
    assert "all processes get the same ones" in outside
    inside = image_source.told(facts, in_region=True)
    assert "The camera gives the pace" in inside
    assert "answers are not to be compared" in inside
    file = facts._replace(kind="file", where="a.avi", name="a.avi", asked_rate=None, declared_rate=None)
    assert image_source.told(file, in_region=False).startswith(
        "The images are frames of a.avi: 4 x 4 pixels. They were taken"
    )
    assert "without waiting, for a file has no clock" in image_source.told(file, in_region=True)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "float32", "float16"])
@pytest.mark.parametrize("depth", [3, 1])
def test_a_fed_frame_is_what_the_worker_makes_of_one_in_ram(
    video: Path, tmp_path: Path, dtype: str, depth: int
) -> None:
    shape = (1, 9, 11, depth)
    np.save(tmp_path / "pool.npy", images.pool(f"camera:{video}", 6, *shape[1:], 0))
    batches = worker._batches(str(tmp_path / "pool.npy"), Tensor("x", shape, dtype, None, None))
    fed = worker_feed.Feed(str(video), shape, dtype)
    for index, taken in enumerate([fed.first, *(fed.take() for _ in range(7))]):
        # After its sixth picture the video starts over.
        assert np.array_equal(taken, batches[index % 6])
        assert (taken.dtype, taken.shape) == (batches[0].dtype, shape)
        assert taken.flags["C_CONTIGUOUS"]
    fed.close()


def test_a_latency_is_the_inference_alone(opening: Opening, monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0

    def passing(ns: int) -> None:
        nonlocal now
        now += ns

    (made,) = opening([*SETTLED, 1, 2, 3])
    fed = worker_feed.Feed("0", (1, 2, 2, 3), "uint8")
    read = made.read
    monkeypatch.setattr(made, "read", lambda: (passing(1000), read())[1])  # type: ignore[func-returns-value]
    monkeypatch.setattr(time, "perf_counter_ns", lambda: now)
    engine = SimpleNamespace(infer=lambda batch: (passing(7), int(batch[0, 0, 0, 0]))[1])  # type: ignore[func-returns-value]
    starts, ends, outputs = worker._infer(engine, iter(fed), 2)
    assert [end - start for start, end in zip(starts, ends, strict=True)] == [7, 7]
    assert starts == [1000, 2007]
    assert outputs == [2, 3]


def test_a_file_that_is_empty_the_second_time_is_told(opening: Opening) -> None:
    opening([1], [], kind="file")
    fed = worker_feed.Feed("a.avi", (1, 2, 2, 3), "uint8")
    with pytest.raises(ProfilerError, match="has no picture"):
        fed.take()
