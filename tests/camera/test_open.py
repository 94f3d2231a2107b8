"""Sources of frames: real OpenCV on a video, a picture and a network camera; a camera's driver is a stand-in."""

import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import cv2
import numpy as np
import pytest
from videos import MjpegServer, index_of, make_video, picture

from profiler.camera import auto_select, open, quiet_opencv, readers, v4l2
from profiler.camera.open import look_for, open_capture
from profiler.camera.source import Capture, Facts, LostError, OverError
from profiler.camera.url import obstacle, shown
from profiler.camera.v4l2 import Device
from profiler.camera.v4l2_ioctl import Format
from profiler.errors import ProfilerError

RAMP = [picture(index) for index in range(32)]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    return make_video(tmp_path / "ramp.avi", RAMP[:20], 25.0)


class Clock:
    """Time that passes only when it is slept."""

    def __init__(self) -> None:
        self.now_ns = 1_000_000_000

    def perf_counter_ns(self) -> int:
        return self.now_ns

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.now_ns += round(seconds * 1e9)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    made = Clock()
    monkeypatch.setattr(readers, "time", made)
    return made


def all_of(capture: Capture) -> Iterator[tuple[int, int, int]]:
    """Number, index and time of each frame to the file's end."""
    try:
        while (frame := capture.read()) is not None:
            yield frame.number, index_of(frame.pixels), frame.at_ns
    except OverError:
        capture.close()


# Files


def test_a_video_is_played_by_its_own_rate(video: Path, clock: Clock) -> None:
    capture = open_capture(str(video))
    assert capture.facts == Facts(str(video), str(video), "file", 64, 48, None, 25.0, "MJPG")
    frames = list(all_of(capture))
    assert [frame[:2] for frame in frames] == [(index + 1, index) for index in range(20)]
    assert [at - frames[0][2] for _, _, at in frames] == [40_000_000 * index for index in range(20)]
    assert clock.now_ns == frames[-1][2]


def test_a_late_reader_gets_every_frame_with_the_time_it_was_due(video: Path, clock: Clock) -> None:
    capture = open_capture(str(video))
    first = capture.read()
    clock.now_ns += 100_000_000
    late_ns = clock.now_ns
    frames = [capture.read() for _ in range(3)]
    assert first is not None
    assert [frame and frame.at_ns - first.at_ns for frame in frames] == [40_000_000, 80_000_000, 120_000_000]
    assert clock.now_ns == late_ns + 20_000_000


def test_real_time_is_really_waited_for(tmp_path: Path) -> None:
    capture = open_capture(str(make_video(tmp_path / "short.avi", RAMP[:5], 50.0)))
    frames = [(frame.at_ns, time.perf_counter_ns()) for frame in iter(lambda: over(capture), None)]
    assert [at - frames[0][0] for at, _ in frames] == [20_000_000 * index for index in range(5)]
    assert all(given >= at for at, given in frames)


def over(capture: Capture) -> Any:
    try:
        return capture.read()
    except OverError:
        return None


def test_every_frame_at_once(video: Path, clock: Clock) -> None:
    frames = list(all_of(open_capture(str(video), every=True)))
    assert [index for _, index, _ in frames] == list(range(20))
    assert {at for _, _, at in frames} == {clock.now_ns}
    assert clock.now_ns == Clock().now_ns


def test_a_rate_that_no_video_has_counts_as_30(tmp_path: Path, clock: Clock) -> None:
    capture = open_capture(str(make_video(tmp_path / "odd.avi", RAMP[:3], 1000.0)))
    assert capture.facts.declared_rate is None
    at = [one for _, _, one in all_of(capture)]
    assert at[1] - at[0] == round(1e9 / 30)


def test_a_bad_frame_of_a_video_is_none_and_the_next_ones_come(video: Path, clock: Clock) -> None:
    raw = bytearray(video.read_bytes())
    places = [place for place in range(len(raw)) if raw[place : place + 3] == b"\xff\xd8\xff"]
    raw[places[4] : places[4] + 200] = bytes(200)
    video.write_bytes(raw)
    capture = open_capture(str(video))
    found = [capture.read() for _ in range(19)]
    assert [frame and index_of(frame.pixels) for frame in found[:7]] == [0, 1, 2, 3, None, 5, 6]
    assert [frame and frame.number for frame in found[3:6]] == [4, None, 5]


def test_a_picture_is_held_before_the_camera(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "cat.png"
    cv2.imwrite(str(path), cv2.cvtColor(picture(9), cv2.COLOR_BGR2GRAY))
    capture = open_capture(str(path))
    assert capture.facts == Facts(str(path), str(path), "file", 64, 48, None, None, None)
    frames = [capture.read() for _ in range(61)]
    assert frames[0] is not None
    assert frames[60] is not None
    assert frames[60].at_ns - frames[0].at_ns == 2_000_000_000
    assert (frames[60].number, index_of(frames[60].pixels), frames[60].pixels.shape) == (61, 9, (48, 64, 3))
    frames[60].pixels[:] = 0
    again = capture.read()
    assert again is not None
    assert index_of(again.pixels) == 9


def test_a_picture_at_once(tmp_path: Path, clock: Clock) -> None:
    path = tmp_path / "cat.jpg"
    cv2.imwrite(str(path), picture(9))
    capture = open_capture(str(path), every=True)
    assert [frame and frame.number for frame in (capture.read() for _ in range(100))] == list(range(1, 101))
    assert clock.now_ns == Clock().now_ns


def test_files_that_are_no_pictures(tmp_path: Path) -> None:
    text, empty, cut = tmp_path / "text.avi", tmp_path / "empty.mp4", tmp_path / "cut.jpg"
    text.write_text("no video")
    empty.touch()
    cv2.imwrite(str(cut), picture(3, 480, 640))
    cut.write_bytes(cut.read_bytes()[:400])
    for path in (text, empty):
        with pytest.raises(ProfilerError, match="is no video or picture that can be decoded: name another file"):
            open_capture(str(path))
    with pytest.raises(ProfilerError, match="name another"):
        open_capture(str(cut))
    with pytest.raises(ProfilerError, match="is a folder"):
        open_capture(str(tmp_path))
    with pytest.raises(ProfilerError, match="no camera is named: name one"):
        open_capture("")
    with pytest.raises(ProfilerError, match="there is no camera or file"):
        open_capture(str(tmp_path / "absent.avi"))


def test_other_shapes_become_bgr_or_nothing() -> None:
    grey = np.full((4, 6), 7, np.uint8)
    with_alpha = np.dstack([np.full((4, 6), value, np.uint8) for value in (1, 2, 3, 255)])
    for pixels, first in ((grey, [7, 7, 7]), (grey[..., None], [7, 7, 7]), (with_alpha, [1, 2, 3])):
        made = readers.bgr(pixels)
        assert made is not None
        assert (made.shape, made[0, 0].tolist()) == ((4, 6, 3), first)
    for bad in (None, np.zeros((0, 0, 3), np.uint8), np.zeros((4, 6, 2), np.uint8), np.zeros((4, 6, 3), np.uint16)):
        assert readers.bgr(bad) is None


# Network cameras


def test_a_network_camera() -> None:
    with MjpegServer(RAMP, rate=200.0) as server:
        capture = open_capture(server.url_with("me:secret"), limit_s=5.0)
        before_ns = time.perf_counter_ns()
        frames = [capture.read() for _ in range(6)]
        after_ns = time.perf_counter_ns()
        capture.close()
        assert capture.facts == Facts(server.url, server.url, "stream", 64, 48, None, None, "MJPG")
        shades = [frame and index_of(frame.pixels) for frame in frames]
        assert shades == list(range(shades[0] or 0, (shades[0] or 0) + 6))
        assert [frame and frame.number for frame in frames] == [1, 2, 3, 4, 5, 6]
        times = [frame.at_ns for frame in frames if frame]
        assert before_ns <= times[0] <= times[-1] <= after_ns
        assert times == sorted(times)


def test_corrupt_parts_of_a_stream_are_none_and_it_goes_on() -> None:
    with MjpegServer(RAMP, rate=200.0) as server:
        capture = open_capture(server.url, limit_s=5.0)
        server.corrupt(2)
        frames = [capture.read() for _ in range(12)]
        capture.close()
        assert frames.count(None) == 2
        assert frames[-1] is not None


def test_a_stream_that_stalls_is_lost_after_the_limit() -> None:
    with MjpegServer(RAMP, rate=200.0) as server:
        capture = open_capture(server.url, limit_s=0.3)
        server.stall()
        with pytest.raises(LostError, match=r"was silent for 0\.3 s"):
            read_on(capture)
        capture.close()
        server.resume()
        again = open_capture(server.url, limit_s=5.0)
        assert again.read() is not None
        again.close()


def read_on(capture: Capture) -> None:
    while True:
        capture.read()


def test_a_stream_that_ends_is_lost() -> None:
    with MjpegServer(RAMP, rate=None, count=10) as server:
        capture = open_capture(server.url, limit_s=5.0)
        with pytest.raises(LostError, match="delivers nothing more"):
            read_on(capture)
        capture.close()


def test_a_dropped_connection_is_lost() -> None:
    with MjpegServer(RAMP, rate=200.0) as server:
        capture = open_capture(server.url, limit_s=5.0)
        server.drop()
        with pytest.raises(LostError):
            read_on(capture)
        capture.close()


def test_why_a_stream_cannot_be_opened() -> None:
    with MjpegServer(RAMP) as server:
        server.refuse()
        with pytest.raises(ProfilerError, match="delivers no frame: the server says 503") as raised:
            open_capture(server.url_with("me:secret"), limit_s=2.0)
        assert "secret" not in str(raised.value)
        url = server.url
    with pytest.raises(ProfilerError, match=r"nothing listens on port \d+ of 127\.0\.0\.1"):
        open_capture(url, limit_s=2.0)


def test_a_stream_without_a_frame() -> None:
    with MjpegServer(RAMP, count=0) as server:
        with pytest.raises(ProfilerError, match="it answers with multipart/x-mixed-replace, of which no frame came"):
            open_capture(server.url, limit_s=2.0)
        server.stall()
        with pytest.raises(ProfilerError, match="of which no frame came"):
            open_capture(server.url, limit_s=0.2)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ("HTTP/1.1 500 \x1b[2Jno\r\n\r\n", "the server says 500 (?[2Jno)"),
        ("HTTP/1.1 200 OK\r\nContent-Type: a/\x1bb\r\n\r\n", "it answers with a/?b, of which"),
    ],
)
def test_what_a_server_says_controls_no_terminal(answer: str, told: str) -> None:
    def reply() -> None:
        connection, _ = listener.accept()
        with connection:
            connection.recv(4096)
            connection.sendall(answer.encode())

    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(30)
        replying = threading.Thread(target=reply)
        replying.start()
        said = obstacle(f"http://127.0.0.1:{listener.getsockname()[1]}/", 10.0)
        replying.join()
    assert said.startswith(told)


def test_a_host_that_is_none_and_a_path_that_is_odd() -> None:
    assert obstacle("http://" + "a" * 80 + "./", 1.0).startswith(("a" * 80, "no host named"))
    with MjpegServer(RAMP, count=0) as server:
        assert obstacle(f"{server.url}/bild ü", 1.0).startswith("it answers with multipart")


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("http://host/video", "http://host/video"),
        ("rtsp://me:p@ss@host:554/live", "rtsp://host:554/live"),
        ("http://host/v?user=me&pwd=x&size=2", "http://host/v?user=...&pwd=...&size=2"),
        ("http://host/v?access_token=x#top", "http://host/v?access_token=...#top"),
        ("rtsp://me:pa/ss@host/live", "rtsp://host/live"),
        ("http://[::1]:8080/@at", "http://[::1]:8080/@at"),
        ("http://host/@at", "http://host/@at"),
    ],
)
def test_what_is_shown_of_a_url(url: str, expected: str) -> None:
    assert shown(url) == expected


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("ftp://me:secret@host/x", "ftp://host/x cannot be opened"),
        ("tcp://me:secret@host", "tcp://host has no host or no port"),
        ("http://me:secret@host:port/x", "http://host:port/x is no URL"),
        ("http:///x", "http:///x has no host or no port"),
    ],
)
def test_urls_that_are_refused(url: str, cause: str) -> None:
    with pytest.raises(ProfilerError) as raised:
        open_capture(url)
    assert raised.value.cause == cause
    assert "secret" not in str(raised.value)


def test_low_latency_leaves_no_options_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
    monkeypatch.setenv(name, "")
    monkeypatch.delenv(name)
    for _ in range(2):
        with quiet_opencv.low_latency():
            assert "nobuffer" in os.environ[name]
        assert os.environ[name] == ""
    monkeypatch.setenv(name, "rtsp_transport;udp")
    with quiet_opencv.low_latency():
        assert os.environ[name] == "rtsp_transport;udp"
    assert os.environ[name] == "rtsp_transport;udp"


_NOISY = """
import sys
sys.path.insert(0, sys.argv[1])
import numpy as np, cv2
from videos import MjpegServer, picture
from profiler.errors import ProfilerError
from profiler.camera.open import open_capture
from profiler.camera.source import LostError
from profiler.camera.quiet_opencv import silent_decoding
noise = np.random.default_rng(0).integers(0, 255, (480, 640, 3), dtype=np.uint8)
jpeg = cv2.imencode(".jpg", noise)[1]
odd = np.concatenate([jpeg[:-2], np.zeros(9, np.uint8), jpeg[-2:]])
for where in (sys.argv[0], "http://127.0.0.1:1/", "0"):
    try:
        open_capture(where, limit_s=1)
    except ProfilerError:
        pass
with MjpegServer([picture(1)], rate=None, count=50) as server:
    capture = open_capture(server.url, limit_s=2)
    server.corrupt(2)
    try:
        while True:
            capture.read()
    except LostError:
        capture.close()
with silent_decoding():
    assert cv2.imdecode(odd, cv2.IMREAD_COLOR) is not None
print("Python's own", file=sys.stderr)
if sys.argv[2] == "loud":
    cv2.imdecode(odd, cv2.IMREAD_COLOR)
"""


@pytest.mark.parametrize(("how", "said"), [("quiet", 1), ("loud", 2)])
def test_nothing_of_others_reaches_standard_error(tmp_path: Path, how: str, said: int) -> None:
    script = tmp_path / "noisy.py"
    script.write_text(_NOISY)
    root = Path(__file__).parent.parent
    command = [sys.executable, str(script), str(root), how]
    done = subprocess.run(
        command, cwd=root.parent, env={"PYTHONPATH": str(root.parent)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    lines = done.stderr.splitlines()
    assert len(lines) == said, lines
    assert "Python's own" in lines


# Cameras


class Driver:
    """What stands for cv2.VideoCapture of a camera: each item of `script` is one grab's outcome.

    An item is a picture, None (the grab fails), or an exception of the decoding. After the script all grabs fail.
    """

    def __init__(self, script: list[Any], stamps: list[float] | None = None, opens: bool = True) -> None:
        self.script, self.stamps, self.opens = list(script), list(stamps or []), opens
        self.asked: list[tuple[int, float]] = []
        self.now: Any = None
        self.released = False
        self.after_grab: Callable[[], object] = lambda: None

    def isOpened(self) -> bool:  # noqa: N802
        return self.opens

    def set(self, name: int, value: float) -> bool:
        self.asked.append((name, value))
        return True

    def get(self, name: int) -> float:
        if name == cv2.CAP_PROP_POS_MSEC:
            return self.stamps.pop(0) if self.stamps else 0.0
        return {cv2.CAP_PROP_FPS: 30.0, cv2.CAP_PROP_FOURCC: float(cv2.VideoWriter.fourcc(*"YUYV"))}[name]

    def grab(self) -> bool:
        self.now = self.script.pop(0) if self.script else None
        self.after_grab()
        return self.now is not None

    def retrieve(self) -> tuple[bool, Any]:
        if isinstance(self.now, Exception):
            raise self.now
        return True, self.now

    def release(self) -> None:
        self.released = True


FACTS = Facts("/dev/video0", "Cam", "device", 64, 48, 36.0, 30.0, "MJPG")
CAMERA = Device("/dev/video0", 0, "Cam", "uvcvideo", "usb-1", "camera", True)


def live(driver: Driver, gone: str | None = None, limit_s: float = 5.0) -> readers.LiveCapture:
    return readers.LiveCapture(driver, FACTS, limit_s, lambda: gone, stamped=True)


def test_the_drivers_stamp_is_taken_where_it_is_on_this_clock(clock: Clock) -> None:
    driver = Driver(RAMP, stamps=[1005.5, 1.76e12, 0.0, 999.0, 1011.0])
    camera = live(driver)
    clock.now_ns += 10_000_000
    arrived_ns = clock.now_ns
    taken = [frame.at_ns for frame in (camera.read() for _ in range(5)) if frame]
    assert taken == [1_005_500_000, arrived_ns, arrived_ns, arrived_ns, arrived_ns]


def test_bad_frames_of_a_camera_are_none_and_numbers_count_the_good(clock: Clock) -> None:
    empty = np.zeros((0, 0, 3), np.uint8)
    camera = live(Driver([RAMP[0], empty, None, cv2.error("Corrupt"), RAMP[1]]))
    frames = [camera.read() for _ in range(5)]
    assert [frame and frame.number for frame in frames] == [1, None, None, None, 2]


def test_a_camera_that_was_unplugged_says_so(clock: Clock) -> None:
    camera = live(Driver([RAMP[0]]), gone="/dev/video0 (Cam) has gone: the camera was unplugged")
    assert camera.read() is not None
    with pytest.raises(LostError, match="the camera was unplugged"):
        camera.read()


def test_reads_that_fail_one_after_the_other_are_a_lost_camera(clock: Clock) -> None:
    driver = Driver([None] * (readers.FAILURES - 1) + [RAMP[0]])
    assert [live(driver).read()] == [None]
    with pytest.raises(LostError, match="/dev/video0 delivers nothing more"):
        live(Driver([None] * readers.FAILURES + [RAMP[0]])).read()


def test_silence_is_not_a_bad_frame(clock: Clock) -> None:
    driver = Driver([None, RAMP[0]])
    driver.after_grab = lambda: clock.sleep(5.0)
    with pytest.raises(LostError, match="/dev/video0 was silent for 5 s"):
        live(driver).read()


def test_nothing_but_bad_frames_is_lost_after_the_limit(clock: Clock) -> None:
    driver = Driver([None] * 29)
    driver.after_grab = lambda: clock.sleep(0.5)
    with pytest.raises(LostError, match="no usable picture for 5 s"):
        live(driver).read()


@pytest.fixture
def made_camera(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """The camera that `open_capture("0")` meets, by its stand-in."""

    def make(driver: Driver, holders: tuple[tuple[int, str], ...] = (), device: Device = CAMERA) -> None:
        silent = SimpleNamespace(**{name: getattr(cv2, name) for name in dir(cv2) if name.startswith("CAP_")})
        silent.VideoCapture = lambda path, backend: driver
        silent.VideoWriter = cv2.VideoWriter
        monkeypatch.setattr(open, "silenced_opencv", lambda: silent)
        monkeypatch.setattr(v4l2, "usable", lambda number: device)
        monkeypatch.setattr(v4l2, "holders", lambda path: holders)
        monkeypatch.setattr(v4l2, "busy", lambda path: ("it is in use by zoom (process 7)", "end that program"))
        monkeypatch.setattr(open, "_unplugged", lambda found: None)
        monkeypatch.setenv("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", "10")

    return make


def test_what_is_asked_of_a_camera(made_camera: Callable[..., None]) -> None:
    driver = Driver(RAMP)
    made_camera(driver)
    capture = open_capture("0", size=(1280, 720))
    assert driver.asked == [
        (cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG")),
        (cv2.CAP_PROP_FRAME_WIDTH, 1280),
        (cv2.CAP_PROP_FRAME_HEIGHT, 720),
        (cv2.CAP_PROP_BUFFERSIZE, open.BUFFERS),
        (cv2.CAP_PROP_FPS, 36.0),
    ]
    # The driver gave another format and size than it was asked for.
    assert capture.facts == Facts("/dev/video0", "Cam", "device", 64, 48, 36.0, 30.0, "YUYV")
    frame = capture.read()
    assert frame is not None
    assert (frame.number, index_of(frame.pixels)) == (1, 1)
    capture.close()
    assert driver.released


def test_a_camera_in_use(made_camera: Callable[..., None]) -> None:
    made_camera(Driver([], opens=False), holders=((7, "zoom"),))
    with pytest.raises(ProfilerError, match=r"\(Cam\) cannot be used: it is in use by zoom \(process 7\): end that"):
        open_capture("/dev/video0")


def test_a_camera_of_formats_that_cannot_be_read(made_camera: Callable[..., None]) -> None:
    depth = CAMERA._replace(formats=(Format("Z16", "Depth", ()),))
    made_camera(Driver([], opens=False), device=depth)
    with pytest.raises(ProfilerError, match=r"no format that OpenCV reads \(Z16\)"):
        open_capture("0")


def test_a_camera_that_opens_and_delivers_nothing(made_camera: Callable[..., None]) -> None:
    driver = Driver([])
    made_camera(driver)
    with pytest.raises(ProfilerError, match="opens but delivers no frame: unplug it"):
        open_capture("0")
    assert driver.released


# The camera that is meant


INTERNAL = Device("/dev/video0", 0, "Built in", "other", "platform:x", "camera", False)
USB = [Device(f"/dev/video{number}", number, "Cam", "uvcvideo", "usb-1", "camera", True) for number in (4, 12)]
ISP = Device("/dev/video20", 20, "pispbe-input", "pispbe", "platform:y", "isp", False)
RIBBON = Device("/dev/video1", 1, "rp1-cfe", "rp1-cfe", "platform:z", "csi", False, remedy=v4l2.LIBCAMERA)


class Opening:
    """Opens those numbers that deliver, and remembers which were tried."""

    def __init__(self, *delivering: int) -> None:
        self.delivering, self.tried = delivering, list[int]()

    def __call__(self, number: int) -> Capture:
        self.tried.append(number)
        if number not in self.delivering:
            raise ProfilerError(f"/dev/video{number} opens but delivers no frame", "name another camera")
        return live(Driver(RAMP))


@pytest.mark.parametrize(("delivering", "tried"), [((0, 4, 12), [4]), ((0, 12), [4, 12]), ((0,), [4, 12, 0])])
def test_the_first_usb_camera_that_delivers_is_meant(
    monkeypatch: pytest.MonkeyPatch, delivering: tuple[int, ...], tried: list[int]
) -> None:
    monkeypatch.setattr(v4l2, "devices", lambda root: (INTERNAL, RIBBON, *USB, ISP))
    opening = Opening(*delivering)
    auto_select.first(opening)
    assert opening.tried == tried


def test_when_none_delivers_each_is_named_with_its_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "devices", lambda root: (INTERNAL, RIBBON, *USB, ISP))
    with pytest.raises(ProfilerError) as raised:
        auto_select.first(Opening())
    assert raised.value.cause == (
        "no camera delivers a frame (/dev/video4 opens but delivers no frame; "
        "/dev/video12 opens but delivers no frame; /dev/video0 opens but delivers no frame)"
    )
    assert "rpicam-vid" in raised.value.remedy
    assert raised.value.remedy.endswith("see `profiler cameras`, or name a video file or a URL in its place")


def test_a_camera_that_may_not_be_opened_says_how_it_may(monkeypatch: pytest.MonkeyPatch) -> None:
    trouble, remedy = v4l2.why(PermissionError(13, "Permission denied"), "/dev/video4")
    locked = USB[0]._replace(role="unknown", trouble=trouble, remedy=remedy)
    monkeypatch.setattr(v4l2, "devices", lambda root: (locked,))
    monkeypatch.setattr(v4l2, "device", lambda number, root: locked)
    monkeypatch.setattr(Path, "exists", lambda path: True)
    with pytest.raises(ProfilerError) as raised:
        auto_select.first(lambda number: open.device(number, None, 36.0, 1.0))
    assert "(/dev/video4 (Cam) cannot be used: permission denied)" in raised.value.cause
    assert "run `sudo usermod -aG " in raised.value.remedy


def test_only_nodes_that_are_no_cameras(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "devices", lambda root: (ISP,))
    with pytest.raises(ProfilerError, match="none of the video nodes is a camera to read from") as raised:
        auto_select.first(Opening())
    assert "rpicam-vid" not in raised.value.remedy


def test_no_video_node_at_all(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match=r"there is no /dev/video\* at all: .*`profiler cameras`"):
        auto_select.first(Opening(), tmp_path)


def test_auto_asks_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "devices", lambda root: (INTERNAL,))
    monkeypatch.setattr(open, "device", lambda number, size, rate, limit_s: (number, size, rate, limit_s))
    asked: object = open_capture("auto", size=(320, 240), limit_s=2.0)
    assert asked == (0, (320, 240), 36.0, 2.0)


@pytest.mark.parametrize("where", ["auto", "35", "/dev/video35", "no-such.avi", ".", "gopher://host/", "tcp://host"])
def test_what_is_not_there_is_said_before_anything_is_opened(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "devices", lambda root: ())
    with pytest.raises(ProfilerError) as looked:
        look_for(where)
    with pytest.raises(ProfilerError) as opening:
        open_capture(where)
    assert str(looked.value) == str(opening.value)


def test_what_is_there_may_be_opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(v4l2, "devices", lambda root: (INTERNAL,))
    video = make_video(tmp_path / "a.avi", [picture(0)], 30)
    for where in ("auto", str(video), "http://127.0.0.1:9/nobody"):
        look_for(where)


def test_a_trial_measures_the_rate_by_the_frames_own_times(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(auto_select, "time", clock)
    driver = Driver(RAMP * 2)
    driver.after_grab = lambda: clock.sleep(0.04)
    trial = auto_select.tried(lambda number: live(driver), 0)
    assert trial.facts == FACTS
    assert trial.rate == pytest.approx(25.0)
    assert driver.released


def test_a_trial_of_a_camera_that_fails(clock: Clock) -> None:
    assert auto_select.tried(Opening(), 3).trouble == "/dev/video3 opens but delivers no frame"
    lost = auto_select.tried(lambda number: live(Driver([RAMP[0]])), 0)
    assert (lost.facts, lost.trouble) == (None, "/dev/video0 delivers nothing more")
