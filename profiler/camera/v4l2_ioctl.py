"""What the kernel tells of a video node: capabilities, formats, sizes, rates, by four ioctls.

Layouts and numbers are those of the kernel's linux/videodev2.h (Video for Linux API, second version), the numbers as
asm-generic/ioctl.h makes them, which holds on x86, Arm and RISC-V.
"""

import errno
import fcntl
import struct
from collections.abc import Callable, Iterator
from typing import NamedTuple

from profiler.sanitize import safe

_WRITE, _READ = 1, 2

_CAPABILITY = struct.Struct("=16s32s32sIII12x")
_FORMAT = struct.Struct("=III32sI16x")
_SIZE = struct.Struct("=III6I8x")
_INTERVAL = struct.Struct("=IIIII6I8x")


def _request(direction: int, number: int, layout: struct.Struct) -> int:
    return direction << 30 | layout.size << 16 | ord("V") << 8 | number


QUERYCAP = _request(_READ, 0, _CAPABILITY)
ENUM_FMT = _request(_READ | _WRITE, 2, _FORMAT)
ENUM_FRAMESIZES = _request(_READ | _WRITE, 74, _SIZE)
ENUM_FRAMEINTERVALS = _request(_READ | _WRITE, 75, _INTERVAL)

CAPTURE, CAPTURE_PLANES = 0x1, 0x1000
OUTPUT, OUTPUT_PLANES = 0x2, 0x2000
MEM2MEM_PLANES, MEM2MEM = 0x4000, 0x8000
META_CAPTURE, META_OUTPUT = 0x00800000, 0x08000000
STREAMING, MEDIA_CONTROLLER, DEVICE_CAPS = 0x04000000, 0x20000000, 0x80000000
"""V4L2_CAP_...: what a node, or its device as a whole, can do."""
_BUFFERS = {CAPTURE: 1, CAPTURE_PLANES: 9}
"""V4L2_BUF_TYPE_VIDEO_CAPTURE and its multi-planar kind, by the capability that has it."""
_DISCRETE = 1
_MOST = 256
"""Items of a list that are asked for; a driver whose list does not end is not followed further."""


class Capability(NamedTuple):
    """Who is behind a node; `caps` are those of the node itself where the driver tells them."""

    driver: str
    card: str
    bus: str
    caps: int


class Size(NamedTuple):
    """Width and height in pixels; where smallest and largest differ, all steps between them can be had.

    Attributes:
        rates: Frames a second, slowest first; with `any_rate` the two ends of a range.
    """

    width: int
    height: int
    largest_width: int
    largest_height: int
    rates: tuple[float, ...]
    any_rate: bool


class Format(NamedTuple):
    """A pixel format by its four-character code, such as MJPG."""

    code: str
    description: str
    sizes: tuple[Size, ...]


def ioctl(node: int, request: int, data: bytearray) -> None:
    """Asks the driver behind the file descriptor `node`; `data` goes in and comes back changed.

    Raises:
        OSError: The driver's errno.
    """
    fcntl.ioctl(node, request, data, True)


def capability(node: int) -> Capability:
    """Raises OSError where `node` is no video node, or gone."""
    data = bytearray(_CAPABILITY.size)
    ioctl(node, QUERYCAP, data)
    driver, card, bus, _version, whole, own = _CAPABILITY.unpack(data)
    return Capability(_text(driver), _text(card), _text(bus), own if whole & DEVICE_CAPS else whole)


def formats(node: int, caps: int) -> tuple[Format, ...]:
    """What a capture node can deliver."""
    kinds = [number for flag, number in _BUFFERS.items() if caps & flag]
    return tuple(found for kind in kinds for found in _formats(node, kind))


def fourcc(number: int) -> str:
    """The four characters of a format's number; the highest bit says big-endian and is left out (V4L2's `-BE`)."""
    code = (number & 0x7FFFFFFF).to_bytes(4, "little").decode("latin-1")
    return safe(code).strip()


def _formats(node: int, kind: int) -> Iterator[Format]:
    for data in _listed(node, ENUM_FMT, _FORMAT, lambda index: (index, kind, 0, b"", 0)):
        _index, _kind, _flags, description, number = _FORMAT.unpack(data)
        yield Format(fourcc(number), _text(description), tuple(_sizes(node, number)))


def _sizes(node: int, pixel_format: int) -> Iterator[Size]:
    for data in _listed(node, ENUM_FRAMESIZES, _SIZE, lambda index: (index, pixel_format, 0, *_zeros(6))):
        _index, _format, kind, *union = _SIZE.unpack(data)
        if kind == _DISCRETE:
            width, height = largest_width, largest_height = union[0], union[1]
        else:
            width, largest_width, _, height, largest_height, _ = union
        rates, any_rate = _rates(node, pixel_format, largest_width, largest_height)
        yield Size(width, height, largest_width, largest_height, rates, any_rate)
        if kind != _DISCRETE:
            return


def _rates(node: int, pixel_format: int, width: int, height: int) -> tuple[tuple[float, ...], bool]:
    """The rates of one size, and whether they are the ends of a range."""
    rates: set[float] = set()
    ask = (pixel_format, width, height, 0, *_zeros(6))
    for data in _listed(node, ENUM_FRAMEINTERVALS, _INTERVAL, lambda index: (index, *ask)):
        *_head, kind, first, second, third, fourth, _, _ = _INTERVAL.unpack(data)
        rates |= _rate(first, second)
        if kind != _DISCRETE:
            return tuple(sorted(rates | _rate(third, fourth))), True
    return tuple(sorted(rates)), False


def _rate(numerator: int, denominator: int) -> set[float]:
    """The rate of an interval of so many seconds; none where the driver gives 0."""
    return {round(denominator / numerator, 3)} if numerator and denominator else set()


def _listed(
    node: int, request: int, layout: struct.Struct, ask: Callable[[int], tuple[int | bytes, ...]]
) -> Iterator[bytearray]:
    """The items of one of the driver's lists, up to EINVAL, which is its end; a node without the list has ENOTTY."""
    for index in range(_MOST):
        data = bytearray(layout.pack(*ask(index)))
        try:
            ioctl(node, request, data)
        except OSError as error:
            if error.errno in (errno.EINVAL, errno.ENOTTY, errno.ENODATA):
                return
            raise
        yield data


def _zeros(count: int) -> tuple[int, ...]:
    return (0,) * count


def _text(field: bytes) -> str:
    return safe(field.split(b"\0")[0].decode("utf-8", "replace").strip())
