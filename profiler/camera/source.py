"""What a camera, file or stream gives: frames, facts, errors."""

from typing import TYPE_CHECKING, NamedTuple, Protocol

from profiler.pixels import Pixels

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
