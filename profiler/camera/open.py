"""Opening sources of frames: a camera, a network stream, a video file, a picture."""

import math
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

from profiler.camera import auto_select, v4l2
from profiler.camera.quiet_opencv import low_latency, silenced_opencv, silent_decoding
from profiler.camera.readers import FAILURES, LiveCapture, Played, bgr, sized
from profiler.camera.source import ASKED_RATE, Capture, Facts, LostError
from profiler.camera.url import checked, is_url, obstacle, shown
from profiler.camera.v4l2_ioctl import fourcc
from profiler.errors import ProfilerError
from profiler.pixels import Pixels

BUFFERS = 3
"""Of a camera's driver: one that is read, one that fills, one for when reading is late."""
_SLOWEST, _FASTEST = 0.5, 240.0
"""Frames a second that a source can mean; some files say 1000, which is their clock."""
_READABLE = {"MJPG", "JPEG", "YUYV", "UYVY", "NV12", "NV21", "YU12", "YV12", "BGR3", "RGB3", "GREY", "Y16", "Y10"}
"""Formats that OpenCV reads from a camera, among others; a camera that has one and is not opened is in use."""


def device(number: int, size: tuple[int, int] | None, rate: float, limit_s: float) -> Capture:
    """The camera /dev/video`number`, asked for MJPG, which alone gives full rates over USB 2.

    Raises:
        ProfilerError: It cannot be opened, or delivers no frame.
    """
    found = v4l2.usable(number)
    os.environ.setdefault("OPENCV_VIDEOIO_V4L_SELECT_TIMEOUT", str(max(1, math.ceil(limit_s))))
    cv2 = silenced_opencv()
    video = cv2.VideoCapture(found.path, cv2.CAP_V4L2)
    if not video.isOpened():
        raise _refused(found)
    video.set(cv2.CAP_PROP_FOURCC, cv2.VideoWriter.fourcc(*"MJPG"))
    if size:
        video.set(cv2.CAP_PROP_FRAME_WIDTH, size[0])
        video.set(cv2.CAP_PROP_FRAME_HEIGHT, size[1])
    video.set(cv2.CAP_PROP_BUFFERSIZE, BUFFERS)
    # Last, for each of the settings before it starts the driver anew.
    video.set(cv2.CAP_PROP_FPS, rate)
    facts = Facts(found.path, found.name, "device", 0, 0, rate, _declared(video, cv2), _code(video, cv2))
    live = LiveCapture(video, facts, limit_s, lambda: _unplugged(found), stamped=True)
    return _seen(live, lambda: _silent(found))


def stream(url: str, limit_s: float) -> Capture:
    """The network stream at `url`, decoded by one thread, so that capturing costs what it is said to cost.

    Raises:
        ProfilerError: It cannot be opened within the limit, or delivers no frame.
    """
    parts, address = checked(url), shown(url)
    cv2 = silenced_opencv()
    limit_ms = max(1, round(limit_s * 1000))
    limits = [cv2.CAP_PROP_OPEN_TIMEOUT_MSEC, limit_ms, cv2.CAP_PROP_READ_TIMEOUT_MSEC, limit_ms]
    with low_latency():
        video = cv2.VideoCapture(url, cv2.CAP_FFMPEG, [*limits, cv2.CAP_PROP_N_THREADS, 1])
    if not video.isOpened():
        raise _unreachable(url, limit_s)
    # Motion JPEG over HTTP and raw streams say no rate: FFmpeg's 25 is a guess.
    declared = _declared(video, cv2) if parts.scheme.lower().startswith("rtsp") else None
    facts = Facts(address, address, "stream", 0, 0, None, declared, _code(video, cv2))
    return _seen(LiveCapture(video, facts, limit_s, lambda: None), lambda: _unreachable(url, limit_s))


def file(path: Path, every: bool) -> Capture:
    """The picture or video at `path`.

    Raises:
        ProfilerError: It is neither, or cannot be read.
    """
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise ProfilerError(f"{path} cannot be read ({error.strerror})", "name a readable video or picture") from error
    cv2 = silenced_opencv()
    if cv2.haveImageReader(str(path)) and cv2.imcount(str(path)) == 1:
        with silent_decoding():
            picture = bgr(cv2.imread(str(path), cv2.IMREAD_COLOR))
        if picture is None:
            raise ProfilerError(f"{path} is no whole picture", "name another one")
        held = picture
        facts = sized(Facts(str(path), str(path), "file", 0, 0, None, None, None), held)
        return Played(held.copy, facts, every, lambda: None, 1)
    return _video(path, every, cv2)


def _video(path: Path, every: bool, cv2: Any) -> Capture:
    video = cv2.VideoCapture(str(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_N_THREADS, 1])

    def grab() -> Pixels | None:
        found, pixels = video.read()
        return bgr(pixels) if found else None

    declared = _declared(video, cv2) if video.isOpened() else None
    facts = Facts(str(path), str(path), "file", 0, 0, None, declared, _code(video, cv2))
    played = Played(grab, facts, every, video.release, FAILURES)
    first = played.peek() if video.isOpened() else None
    if first is None:
        video.release()
        raise ProfilerError(f"{path} is no video or picture that can be decoded", "name another file")
    played.facts = sized(facts, first)
    return played


def _seen(live: LiveCapture, failed: Callable[[], ProfilerError]) -> Capture:
    """The source, once a first frame has come."""
    try:
        live.see()
    except LostError as error:
        live.close()
        raise failed() from error
    return live


def _declared(video: Any, cv2: Any) -> float | None:
    rate = float(video.get(cv2.CAP_PROP_FPS))
    return round(rate, 3) if _SLOWEST <= rate <= _FASTEST else None


def _code(video: Any, cv2: Any) -> str | None:
    number = int(video.get(cv2.CAP_PROP_FOURCC))
    return fourcc(number) or None if number > 0 else None


def _refused(found: v4l2.Device) -> ProfilerError:
    """Why OpenCV could not open a node that we may open: it is in use, has gone, or delivers nothing that is known."""
    gone = _unplugged(found)
    if gone:
        return ProfilerError(gone, "plug it in again, see `profiler cameras`")
    if v4l2.holders(found.path) or any(one.code in _READABLE for one in found.formats):
        trouble, remedy = v4l2.busy(found.path)
        return ProfilerError(f"{found.path} ({found.name}) cannot be used: {trouble}", remedy)
    codes = ", ".join(one.code for one in found.formats) or "none"
    cause = f"{found.path} ({found.name}) delivers no format that OpenCV reads ({codes})"
    return ProfilerError(cause, "name another camera, see `profiler cameras`")


def _silent(found: v4l2.Device) -> ProfilerError:
    if v4l2.holders(found.path):
        trouble, remedy = v4l2.busy(found.path)
        return ProfilerError(f"{found.path} ({found.name}) delivers no frame: {trouble}", remedy)
    cause = f"{found.path} ({found.name}) opens but delivers no frame"
    return ProfilerError(cause, "unplug it and plug it in again, or name another camera, see `profiler cameras`")


def _unplugged(found: v4l2.Device) -> str | None:
    return None if Path(found.path).exists() else f"{found.path} ({found.name}) has gone: the camera was unplugged"


def _unreachable(url: str, limit_s: float) -> ProfilerError:
    reason = obstacle(url, limit_s)
    return ProfilerError(f"{shown(url)} delivers no frame: {reason}", "check the URL and that the camera is on")


def open_capture(
    where: str,
    *,
    size: tuple[int, int] | None = None,
    rate: float = ASKED_RATE,
    every: bool = False,
    limit_s: float = 5.0,
) -> Capture:
    """Opens a source of frames; the first frame has been seen when this returns.

    Args:
        where: `auto` (the first camera that delivers, those on USB first), a camera's number or device file, a video or
            picture file, or a URL (http, https, rtsp, rtsps, tcp).
        size: Width and height asked of a camera; None for OpenCV's 640 x 480.
        rate: Frames a second asked of a camera.
        every: Frames of a file come at once; else when they are due by its own rate, none left out. A picture file
            stands before the camera without end, 30 times a second.
        limit_s: How long a camera or stream may be silent. Of cameras the whole seconds of the first opening hold for
            the process: OpenCV reads its limit once.

    Raises:
        ProfilerError: It cannot be opened, or delivers no frame.
    """
    if where == "auto":
        return auto_select.first(lambda number: device(number, size, rate, limit_s))
    number = v4l2.number_of(where)
    if number is not None:
        return device(number, size, rate, limit_s)
    if is_url(where):
        return stream(where, limit_s)
    return file(_file(where), every)


def look_for(where: str) -> None:
    """Whether there is anything to open at all, at once: an engine takes seconds to load before a camera is opened.

    Raises:
        ProfilerError: There is nothing, or it may not be opened.
    """
    if where == "auto":
        auto_select.present()
    elif (number := v4l2.number_of(where)) is not None:
        v4l2.usable(number)
    elif is_url(where):
        checked(where)
    else:
        _file(where)


def _file(where: str) -> Path:
    if not where:
        raise ProfilerError("no camera is named", "name one, or leave --camera out")
    path = Path(where)
    if path.is_dir():
        raise ProfilerError(f"{where} is a folder", "name a video or picture file in it")
    if not path.exists():
        raise ProfilerError(f"there is no camera or file {where}", "see `profiler cameras`, or name a file or a URL")
    return path
