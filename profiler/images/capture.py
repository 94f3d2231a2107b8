"""Frames of a camera, a video file or a network stream, by OpenCV."""

from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, Protocol

from profiler.errors import ProfilerError
from profiler.images import Pixels

if TYPE_CHECKING:
    from profiler.records import SourceKind

ASKED_RATE = 36.0
"""Frames a second asked of a camera where 30 are wanted, as the lab does: the driver takes the nearest that it has."""


class LostError(Exception):
    """The source delivers nothing any more; the message says what happened."""


class OverError(Exception):
    """A file has come to its end."""


class Frame(NamedTuple):
    """A picture as it was delivered.

    Attributes:
        pixels: Height x width x 3, in OpenCV's order BGR.
        at_ns: When it was taken, on the clock of `time.perf_counter_ns`: the driver's stamp where it gives one, of a
            played file when it is due, else when it had arrived.
        number: From 1; counts what the source delivered.
    """

    pixels: Pixels
    at_ns: int
    number: int


class Facts(NamedTuple):
    """What is known of an open source.

    Attributes:
        where: What was opened; a URL without credentials.
        name: A camera's name in the kernel; of others `where`.
        asked_rate: None for what cannot be asked.
        declared_rate: What driver or file says; None where it says nothing.
        format: Four-character code; None where it is not told.
    """

    where: str
    name: str
    kind: "SourceKind"
    width: int
    height: int
    asked_rate: float | None
    declared_rate: float | None
    format: str | None


class Capture(Protocol):
    """An open source."""

    facts: Facts

    def read(self) -> Frame | None:
        """The next frame, waiting for it; None for one that is no usable picture (empty, corrupt).

        Raises:
            OverError: A file has come to its end.
            LostError: The source is gone, or silent beyond its time limit.
        """

    def close(self) -> None:
        """Releases the device."""


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
    from profiler.images import choosing, network, opened, v4l2

    if where == "auto":
        return choosing.first(lambda number: opened.device(number, size, rate, limit_s))
    number = v4l2.number_of(where)
    if number is not None:
        return opened.device(number, size, rate, limit_s)
    if network.is_url(where):
        return opened.stream(where, limit_s)
    return opened.file(_file(where), every)


def look_for(where: str) -> None:
    """Whether there is anything to open at all, at once: an engine takes seconds to load before a camera is opened.

    Raises:
        ProfilerError: There is nothing, or it may not be opened.
    """
    from profiler.images import choosing, network, v4l2

    if where == "auto":
        choosing.present()
    elif (number := v4l2.number_of(where)) is not None:
        v4l2.usable(number)
    elif network.is_url(where):
        network.checked(where)
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
