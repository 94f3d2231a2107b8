"""Labelled photos: for training the default model, and the pictures that forms of a model are calibrated on."""

import hashlib
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profiler.errors import ProfilerError
from profiler.images.pools import BUILTIN, pool
from profiler.pixels import Pixels, fit, load
from profiler.zoo.architecture import SIDE

CLASSES = ("cat", "dog")
"""Names of the photo folders; the logit is negative for the first and positive for the second."""

LEAST = 5
"""Photos that a class must have."""

MOST = 256
"""Photos that are read for calibration: quantisation needs the range of the activations, not more."""

CROPS = 64
"""Crops of the built-in photograph, and as many pictures of noise, where there are no photos."""

GRID = 15
"""Points of noise along a side, enlarged to the picture. From pixels to 3 points, the default model's logit is largest
with this size: 4.1 to 6.1."""


class Pictures(NamedTuple):
    """What forms are calibrated on.

    Attributes:
        pixels: Shape (pictures, SIDE, SIDE, 3).
        labels: Of each picture its index in `CLASSES`.
        what: In words, where they are from.
        builtin: No photos were given.
    """

    pixels: Pixels
    labels: NDArray[np.int64]
    what: str
    builtin: bool

    @property
    def sha256(self) -> str:
        """Hexadecimal digest of the pixels."""
        return hashlib.sha256(self.pixels.tobytes()).hexdigest()


def labelled(folder: Path) -> tuple[list[Path], NDArray[np.int64]]:
    """The photos in `cat/` and `dog/` of `folder` in order of name, and each one's index in `CLASSES`.

    Raises:
        ProfilerError: One of the two folders is missing or has too few photos.
    """
    by_class = [_files(folder / name) for name in CLASSES]
    paths = [path for group in by_class for path in group]
    return paths, np.repeat(np.arange(len(CLASSES)), [len(group) for group in by_class])


def _files(folder: Path) -> list[Path]:
    if not folder.is_dir():
        raise ProfilerError(f"there is no folder {folder}", "name a folder with photos in cat/ and dog/")
    try:
        paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    except OSError as error:
        raise ProfilerError(f"{folder} cannot be read ({error.strerror})", "make it readable") from error
    if len(paths) < LEAST:
        raise ProfilerError(f"{folder} has {len(paths)} photos", f"put at least {LEAST} there")
    return paths


def pictures(folder: Path | None, seed: int) -> Pictures:
    """Pictures to calibrate on: photos of `folder`, or, where it is None, made from the built-in photograph and noise.

    The noise is there because the photograph shows a cat in every crop: what the network computes for another answer
    would lie outside the calibrated range.

    Args:
        seed: Of the choice among more than `MOST` photos, of the crops and of the noise.

    Raises:
        ProfilerError: Too few or unreadable photos.
    """
    if folder is None:
        return _builtin(seed)
    paths, labels = labelled(folder)
    chosen = np.sort(np.random.default_rng(seed).permutation(len(paths))[:MOST])
    pixels = np.stack([fit(load(paths[index]), SIDE, SIDE) for index in chosen])
    counts = np.bincount(labels[chosen], minlength=len(CLASSES))
    what = " and ".join(f"{count} photos of {name}s" for count, name in zip(counts, CLASSES, strict=True))
    return Pictures(pixels, labels[chosen], what, builtin=False)


def _builtin(seed: int) -> Pictures:
    crops = pool("builtin", CROPS, SIDE, SIDE, 3, seed)
    what = f"{CROPS} crops of the built-in photograph {BUILTIN.name} and {CROPS} pictures of seeded noise"
    return Pictures(np.concatenate([crops, _noise(seed)]), np.repeat([0, 1], CROPS), what, builtin=True)


def _noise(seed: int) -> Pixels:
    import cv2

    points = np.random.default_rng(seed).integers(0, 256, (CROPS, GRID, GRID, 3), dtype=np.uint8)
    enlarged = [cv2.resize(point, (SIDE, SIDE), interpolation=cv2.INTER_CUBIC) for point in points]
    return np.stack(enlarged).astype(np.uint8, copy=False)
