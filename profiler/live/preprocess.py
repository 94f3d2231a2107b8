"""Camera pixels to what a network takes: its size, its order of colours, its data type."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.camera.worker_feed import as_input
from profiler.errors import ProfilerError
from profiler.pixels import Pixels
from profiler.pixels import fit as cropped
from profiler.records import Fit, TensorSpec

WHOLE = (0.0, 255.0)
"""What 0 and 255 become for an input of floating point, unless the model says otherwise."""

Typed = Callable[[NDArray[np.uint8]], NDArray[Any]]


class Preparer:
    """Makes batches of one; called with a frame, height x width x 3 in OpenCV's order BGR.

    Resizing comes first: what follows then has few pixels to do. Each colour is resized by itself, so the pixels are
    the same as if the order had been changed before, as in a sweep.
    """

    def __init__(self, spec: TensorSpec, fit: Fit, pixels: tuple[float, float] = WHOLE) -> None:
        """Args:
            fit: What of a frame the network sees: its largest centred part of the input's aspect, or all of it,
                distorted. Either is resized by area average; what must be enlarged is interpolated.
            pixels: What 0 and 255 become for an input of floating point; integers take pixels as they are, int8 less
                128, which is what its zero point stands for.

        Raises:
            ProfilerError: No data type for pixels.
        """
        import cv2

        _, self._height, self._width, channels = self._shape = spec.shape
        self._fit = cropped if fit == "crop" else stretch
        self._order = cv2.COLOR_BGR2RGB if channels == 3 else cv2.COLOR_BGR2GRAY
        self._coloured = cv2.cvtColor
        self._typed = _typed(spec, pixels)

    def __call__(self, frame: Pixels) -> NDArray[Any]:
        small = self._fit(frame, self._height, self._width)
        coloured = self._coloured(small, self._order)
        return self._typed(coloured.astype(np.uint8, copy=False)).reshape(self._shape)


def stretch(photo: Pixels, height: int, width: int) -> Pixels:
    """All of `photo`, resized to this size (area average)."""
    import cv2

    return cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)


def floating(dtype: str) -> bool:
    """Whether an input of this type can have a range of its own."""
    return dtype in ("float16", "float32", "float64")


def _typed(spec: TensorSpec, pixels: tuple[float, float]) -> Typed:
    """What makes an input's data type of pixels."""
    if floating(spec.dtype) and pixels != WHOLE:
        return _scaled(spec.dtype, pixels)
    dtype = _dtype(spec.dtype)
    return lambda values: as_input(values, dtype)


def _dtype(name: str) -> "np.dtype[Any]":
    """Raises ProfilerError: No type of whole or floating numbers that NumPy knows."""
    try:
        dtype = np.dtype(name)
    except TypeError:
        dtype = np.dtype(object)
    if dtype.kind not in "iuf":
        raise ProfilerError(
            f"the network takes {name}, which pixels cannot be given as", "use a model of integer or float pixels"
        )
    return dtype


def _scaled(dtype: str, pixels: tuple[float, float]) -> Typed:
    low, high = pixels
    # In float32 at least: steps of float16 are coarser than a pixel's.
    computed: Any = np.promote_types(dtype, np.float32)
    factor, offset = computed.type((high - low) / 255), computed.type(low)

    def scaled(values: NDArray[np.uint8]) -> NDArray[Any]:
        made: NDArray[Any] = np.multiply(values, factor, dtype=computed)
        made += offset
        return made.astype(dtype, copy=False)

    return scaled
