"""OpenCV, FFmpeg and libjpeg without their own messages on standard error: what matters is said by whoever asked."""

import ctypes
import os
import platform
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

_LOW_LATENCY = "rtsp_flags;prefer_tcp|fflags;nobuffer|flags;low_delay|max_delay;0"
"""FFmpeg's options for a live stream, as OpenCV takes them: RTSP over TCP, nothing kept back to be sorted."""
_OPTIONS = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
_SILENT = 0
"""OpenCV's log level of that name."""
_opening = threading.Lock()


def silenced_opencv() -> Any:
    """The cv2 module, silent. FFmpeg's level is read once, when OpenCV first opens something with it."""
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")
    import cv2

    if hasattr(cv2, "setLogLevel"):
        cv2.setLogLevel(_SILENT)
    else:
        # OpenCV 5 has it elsewhere.
        cv2.utils.logging.setLogLevel(_SILENT)
    return cv2


@contextmanager
def low_latency() -> Iterator[None]:
    """What is opened inside, by FFmpeg, is not buffered. The options go by the environment, which OpenCV reads at each
    opening; they would cost a file its first frames, so that they are taken back. A user's own options stay.
    """
    with _opening:
        own = os.environ.get(_OPTIONS, "")
        os.environ[_OPTIONS] = own or _LOW_LATENCY
        try:
            yield
        finally:
            # Emptied and not deleted: another thread may be copying the environment for a process that it starts.
            os.environ[_OPTIONS] = own


@contextmanager
def silent_decoding() -> Iterator[None]:
    """C code inside writes to nowhere what it means for `stderr`.

    Many USB cameras send JPEGs with a few bytes too many, of which libjpeg complains for each frame, past OpenCV's
    logging. The C library's variable is changed, which glibc's manual allows, and not the file descriptor: Python's
    standard error goes on. What other threads' C code says meanwhile is lost too; threads inside together only end
    the silence early.
    """
    streams = _streams()
    if streams is None:
        yield
        return
    where, usual, nowhere = streams
    where.value = nowhere
    try:
        yield
    finally:
        where.value = usual


@cache
def _streams() -> tuple[ctypes.c_void_p, int | None, int] | None:
    """The C library's variable `stderr`, its value, and a stream that leads nowhere.

    None unless it is glibc: other libraries keep the variable where nothing may be written.
    """
    if platform.libc_ver()[0] != "glibc":
        return None
    library = ctypes.CDLL(None)
    library.fopen.restype = ctypes.c_void_p
    nowhere: int | None = library.fopen(os.devnull.encode(), b"w")
    where = ctypes.c_void_p.in_dll(library, "stderr")
    return (where, where.value, nowhere) if nowhere else None
