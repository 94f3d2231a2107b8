"""Trying cameras: the first that really delivers is meant when none is named."""

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from profiler.camera import v4l2
from profiler.camera.source import Capture, Facts, LostError, OverError
from profiler.errors import ProfilerError

REMEDY = "see `profiler cameras`, or name a video file or a URL in its place"


def candidates(found: tuple[v4l2.Device, ...]) -> tuple[v4l2.Device, ...]:
    """Cameras, and nodes that could not be asked: those on USB first, then by number."""
    could = [one for one in found if one.role in ("camera", "unknown")]
    return tuple(sorted(could, key=lambda one: (not one.usb, one.number)))


def present(root: Path = Path("/")) -> tuple[v4l2.Device, ...]:
    """The video nodes.

    Raises:
        ProfilerError: There is none.
    """
    found = v4l2.devices(root)
    if not found:
        remedy = (
            "plug in a USB camera, or name a video file or a URL in its place; `profiler cameras` shows what there is"
        )
        raise ProfilerError("no camera: there is no /dev/video* at all", remedy)
    return found


def first(opening: Callable[[int], Capture], root: Path = Path("/")) -> Capture:
    """The first camera that `opening` opens, by its number.

    Raises:
        ProfilerError: None does; its cause lists what was tried and why each failed.
    """
    found = present(root)
    failed, remedies = [], []
    for one in candidates(found):
        try:
            return opening(one.number)
        except ProfilerError as error:
            failed.append(error.cause)
            remedies.append(error.remedy)
    others = {one.role: one for one in found if one.role not in ("camera", "unknown")}
    tried = "; ".join(failed) or "none of the video nodes is a camera to read from"
    own = [remedy for remedy in dict.fromkeys(remedies) if "sudo usermod" in remedy]
    own += [v4l2.LIBCAMERA] if "csi" in others else []
    raise ProfilerError(f"no camera delivers a frame ({tried})", "; ".join([*own, REMEDY]))


class Trial(NamedTuple):
    """What came of trying a camera.

    Attributes:
        facts: None where it delivers nothing, for the reason `trouble`; `remedy` says what to do.
        rate: Frames a second, measured; None where too few came.
    """

    facts: Facts | None
    rate: float | None = None
    trouble: str | None = None
    remedy: str | None = None


def tried(opening: Callable[[int], Capture], number: int, span_s: float = 1.0) -> Trial:
    """Opens the camera, reads it for `span_s`, and releases it."""
    try:
        capture = opening(number)
    except ProfilerError as error:
        return Trial(None, trouble=error.cause, remedy=error.remedy)
    with closing(capture):
        try:
            return Trial(capture.facts, _rate(capture, span_s))
        except (LostError, OverError) as error:
            return Trial(None, trouble=str(error), remedy=REMEDY)


def _rate(capture: Capture, span_s: float) -> float | None:
    """Frames a second between the first and the last that were taken within the span."""
    end_ns = time.perf_counter_ns() + round(span_s * 1e9)
    taken: list[int] = []
    while time.perf_counter_ns() < end_ns:
        frame = capture.read()
        if frame is not None:
            taken.append(frame.at_ns)
    return (len(taken) - 1) * 1e9 / (taken[-1] - taken[0]) if len(taken) > 1 and taken[-1] > taken[0] else None
