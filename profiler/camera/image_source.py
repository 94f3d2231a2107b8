"""The camera as an image source: `camera` is the first that delivers; `camera:` goes before a number, a device, a video
or picture file, or a URL.
"""

from collections.abc import Iterable, Iterator
from contextlib import closing
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from profiler.errors import ProfilerError
from profiler.pixels import Pixels, Size, fit, is_camera

if TYPE_CHECKING:
    from profiler.camera.source import Capture, Facts

SETTLING = 15
"""Frames of a camera or stream that are thrown away first, half a second at 30 a second: the first ones are dark, until
the camera has found its exposure. A file has nothing to settle."""
UNUSABLE = 100
"""So many empty or corrupt frames one after the other, 3 s at 30 a second, and a source is given up."""
_AGAIN = "see `profiler cameras`, and that nothing else uses it"


def where(source: str) -> str:
    """What is to be opened for an image source that is a camera."""
    return source.partition(":")[2] or "auto"


def concealed(text: str, source: str) -> str:
    """`text` without what the source's URL, if it is one, has of secrets: a user's name and password above all."""
    from profiler.camera.url import is_url, shown

    url = where(source)
    if not (is_camera(source) and is_url(url)):
        return text
    credentials, at, _ = urlsplit(url).netloc.rpartition("@")
    text = text.replace(url, shown(url))
    return text.replace(credentials + at, "") if at else text


def look(source: str) -> "Facts":
    """Opens the camera, takes one picture and releases it.

    Raises:
        ProfilerError: It cannot be opened, or delivers no picture.
    """
    from profiler.camera.open import open_capture

    with closing(open_capture(where(source), every=True)) as capture:
        if picture(capture) is None:
            raise empty(capture)
        return capture.facts


def frames(source: str, count: int, sizes: Iterable[Size]) -> dict[Size, list[Pixels]]:
    """The next `count` frames, RGB, each fitted to every size as it arrives; fewer where a file ends before.

    Raises:
        ProfilerError: It cannot be opened, delivers no picture, or is lost.
    """
    made: dict[Size, list[Pixels]] = {size: [] for size in sizes}
    with closing(open_settled(where(source))) as capture:
        for _ in range(count):
            bgr = picture(capture)
            if bgr is None:
                break
            for size, photos in made.items():
                photos.append(rgb(bgr, *size))
        if not all(made.values()):
            raise empty(capture)
    return made


def open_settled(what: str) -> "Capture":
    """The camera, video or stream `what`, open, and past the frames in which its exposure settles. A file is given
    frame by frame without waiting.

    Raises:
        ProfilerError: It cannot be opened, or is lost already.
    """
    from profiler.camera.open import open_capture

    capture = open_capture(what, every=True)
    try:
        if capture.facts.kind != "file":
            for _ in range(SETTLING):
                picture(capture)
    except BaseException:
        capture.close()
        raise
    return capture


def picture(capture: "Capture") -> Pixels | None:
    """The next usable picture in OpenCV's order BGR, waiting for it; None at the end of a file.

    Raises:
        ProfilerError: The source is lost, or gives nothing usable.
    """
    from profiler.camera.source import LostError, OverError

    name = capture.facts.name
    try:
        for _ in range(UNUSABLE):
            frame = capture.read()
            if frame is not None:
                return frame.pixels
    except OverError:
        return None
    except LostError as error:
        raise ProfilerError(f"{name} was lost ({error})", _AGAIN) from error
    raise ProfilerError(f"{name} gives no usable picture: {UNUSABLE} one after the other were empty or corrupt", _AGAIN)


def rgb(bgr: Pixels, height: int, width: int) -> Pixels:
    """A frame fitted to the size, as every other photo is, in the order RGB."""
    import cv2

    # The small picture's colours are cheaper to turn round than the frame's, and come out the same.
    return cv2.cvtColor(fit(bgr, height, width), cv2.COLOR_BGR2RGB).astype(bgr.dtype, copy=False)


def empty(capture: "Capture") -> ProfilerError:
    """What is wrong with a source that ends before its first picture."""
    return ProfilerError(f"{capture.facts.where} has no picture", "use a whole video file, or a camera")


def found(source: str, facts: "Facts") -> str:
    """The source by which the same camera is opened again: the device that was found, whichever is first then."""
    return f"camera:{facts.where}" if facts.kind == "device" else source


def told(facts: "Facts", in_region: bool) -> str:
    """What the reader of a study must know of the camera and of how its frames were taken."""
    name = facts.where if facts.name == facts.where else f"{facts.name} ({facts.where})"
    rate = "" if facts.declared_rate is None else f", {facts.declared_rate:.4g} frames a second as it declares"
    asked = "" if facts.asked_rate is None else f" (asked for {facts.asked_rate:g})"
    taken = " ".join(_inside(facts) if in_region else _outside(facts))
    return f"The images are frames of {name}: {facts.width} x {facts.height} pixels{rate}{asked}. {taken}"


def _outside(facts: "Facts") -> Iterator[str]:
    if facts.kind != "file":
        yield f"The first {SETTLING} were thrown away, for a camera's exposure takes its time."
    yield "They were taken before any process started, and all processes get the same ones."


def _inside(facts: "Facts") -> Iterator[str]:
    if facts.kind == "file":
        yield (
            "Every process reads the file from its start, frame by frame without waiting, for a file has no clock of "
            "its own; where the file ends before the images do, the process opens it again, inside the region."
        )
    else:
        yield (
            f"Every process opens it anew and throws the first {SETTLING} away, for a camera's exposure takes its "
            "time. The camera gives the pace: waiting for it is inside the region. The frames differ from process to "
            "process, so answers are not to be compared."
        )
    yield "Inside the region each is read, resized and inferred; an image's latency is that of its inference alone."
