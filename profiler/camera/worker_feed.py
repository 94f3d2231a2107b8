"""Frames for the measured process: each is taken from the camera and made the model's input when it is wanted."""

from collections.abc import Iterator
from typing import Any

import numpy as np

from profiler.camera.image_source import empty, open_settled, picture, rgb
from profiler.pixels import Pixels, in_channels


class Feed:
    """An open camera, and its frames as batches of one.

    Args:
        where: As `profiler.camera.open.open_capture` knows it; a file starts over where it ends.
        shape: Of the model's input: 1, height, width and channels.
        dtype: Of the model's input.

    Attributes:
        first: The first batch.

    Raises:
        ProfilerError: It cannot be opened, or delivers no picture.
    """

    def __init__(self, where: str, shape: tuple[int, ...], dtype: str) -> None:
        self._where, self._dtype = where, np.dtype(dtype)
        _, self._height, self._width, self._depth = shape
        self._capture = open_settled(where)
        self.first = self.take()

    def take(self) -> Any:
        """The next frame as the model wants it, waiting for it.

        Raises:
            ProfilerError: The camera is lost, or gives nothing usable.
        """
        bgr = picture(self._capture)
        if bgr is None:
            bgr = self._over()
        photo = in_channels(rgb(bgr, self._height, self._width), self._depth)
        return as_input(photo, self._dtype)[None]

    def __iter__(self) -> Iterator[Any]:
        """Frames as `take` gives them, without end; each is taken when it is wanted."""
        while True:
            yield self.take()

    def close(self) -> None:
        """Releases the camera."""
        self._capture.close()

    def _over(self) -> Pixels:
        """The file's first picture once more."""
        self._capture.close()
        self._capture = open_settled(self._where)
        bgr = picture(self._capture)
        if bgr is None:
            raise empty(self._capture)
        return bgr


def as_input(photo: Pixels, dtype: "np.dtype[Any]") -> Any:
    """Pixels 0 to 255 in the model's own type: as the worker makes those in RAM, but one at a time and for less."""
    if dtype == np.int8:
        # The topmost bit turned over, read as a sign, is 128 less.
        return np.ascontiguousarray(photo ^ np.uint8(128)).view(np.int8)
    return np.ascontiguousarray(photo, dtype)
