"""Models asked in this process, apart from the worker."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from profiler.pixels import Pixels, fit
from profiler.runtimes import Tensor, open_runtime


def logits(model: Path, photos: Iterable[Pixels]) -> np.ndarray:
    """A default model's output for each photo, of any size, as a real number: below 0 a cat, above a dog."""
    runtime = open_runtime("litert" if model.suffix == ".tflite" else "keras", None, "graph")
    image, output = runtime.load(str(model))
    return np.array([_real(runtime.infer(_batch(photo, image)).item(), output) for photo in photos])


def _batch(photo: Pixels, image: Tensor) -> Any:
    """The photo as the model wants it: an int8 input's pixels are shifted by 128."""
    _, height, width, _ = image.shape
    pixels = fit(photo, height, width)[None]
    return pixels if image.dtype == "uint8" else (pixels.astype(np.int16) - 128).astype(np.int8)


def _real(value: float, output: Tensor) -> float:
    """The number that an output's value stands for."""
    if output.scale is None:
        return value
    return (value - (output.zero_point or 0)) * output.scale
