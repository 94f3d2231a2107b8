"""Labelled photos, as they are and degraded: what the accuracy of models is found with."""

import random
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from profiler.errors import ProfilerError
from profiler.images.pools import POOL, pool
from profiler.pixels import Pixels, fit, in_channels, load

LOW, DARK, NOISE = 64, 0.5, 5.0
"""The degraded copy: pixels of its shorter side, what every value is multiplied by, and the noise's standard deviation
in values from 0 to 255. What a small camera gives in poor light: half the value is about a fifth of the light (values
go with its root of 2.2), and 2 % of the range is grain that shows and hides nothing. More is no better test, for of a
photo that the reference itself must guess, another form's guess tells nothing: of 250 photos the default Keras model
gets 244 right with 2 % of noise, 226 with 4 %, and 130 with 8 %."""
DEGRADED = (
    f"Degraded photos are what a small camera sees in poor light: {LOW} pixels on the shorter side (area average), "
    f"values multiplied by {DARK:g}, seeded Gaussian noise (standard deviation {NOISE:g} of 255) in every pixel and "
    "colour, enlarged again to the model's input (bilinear)."
)
MOST = 1000
"""Most photos that are asked; of more, so many are drawn."""

_CLASSES = ("cat", "dog")
_CROP = 300
"""Height of the built-in photograph in pixels."""

Labels = NDArray[np.int64]
Shape = tuple[int, int, int]
"""Height, width and channels."""


class Labelled(NamedTuple):
    """Photos and what is on them.

    Attributes:
        classes: Names, in the order of a classifier's outputs; of a network with one output, negative and positive.
        photos: Files, or pixels of any size.
        labels: Of each photo, its index in `classes`.
    """

    classes: tuple[str, ...]
    photos: Sequence[Path | Pixels]
    labels: Labels


def find(folder: Path, seed: int, tell: Callable[[str], object]) -> Labelled:
    """The photos in the folders of `folder`, one a class in order of name: cat is 0, dog is 1.

    Args:
        seed: Decides which photos are taken where there are more than `MOST`.
        tell: Is told where that is so.

    Raises:
        ProfilerError: No such folder, fewer than two classes in it, or a class without a photo.
    """
    if not folder.is_dir():
        raise ProfilerError(f"there is no folder {folder}", "name a folder with photos in cat/ and dog/")
    groups = {
        path.name: [photo for photo in _visible(path) if not photo.is_dir()]
        for path in _visible(folder)
        if path.is_dir()
    }
    if len(groups) < 2:
        found = f"only {next(iter(groups))}/" if groups else "no folder of photos"
        raise ProfilerError(f"{folder} has {found}", "put photos into one folder a class, such as cat/ and dog/")
    empty = next((name for name, files in groups.items() if not files), None)
    if empty:
        raise ProfilerError(f"{folder / empty} has no photo", "put photos there, or remove the folder")
    photos = [path for files in groups.values() for path in files]
    labels = np.repeat(np.arange(len(groups)), [len(files) for files in groups.values()])
    if len(photos) > MOST:
        tell(f"of {len(photos):,} photos {MOST:,} are asked, drawn at random (seed {seed})")
        places = sorted(random.Random(seed).sample(range(len(photos)), MOST))
        photos, labels = [photos[place] for place in places], labels[places]
    return Labelled(tuple(groups), photos, labels)


def _visible(folder: Path) -> list[Path]:
    return sorted(path for path in folder.iterdir() if not path.name.startswith("."))


def builtin(seed: int) -> Labelled:
    """Crops of the built-in photograph, all of one cat."""
    crops = pool("builtin", POOL, _CROP, _CROP, 3, seed)
    return Labelled(_CLASSES, list(crops), np.zeros(len(crops), np.int64))


def stage(labelled: Labelled, shapes: Iterable[Shape], seed: int, folder: Path) -> dict[Shape, Path]:
    """A file of an array for each shape: all photos as they are, then all of them degraded.

    Photos are decoded one by one and never all held: a camera's takes 36 MB.

    Args:
        seed: Of the noise, which is the same for all models.

    Raises:
        ProfilerError: A photo cannot be read.
    """
    paths = {shape: folder / f"pool-{'x'.join(map(str, shape))}.npy" for shape in shapes}
    count = len(labelled.photos)
    pools = {
        shape: np.lib.format.open_memmap(path, mode="w+", dtype=np.uint8, shape=(2 * count, *shape))
        for shape, path in paths.items()
    }
    for place, photo in enumerate(labelled.photos if pools else ()):
        pixels = load(photo) if isinstance(photo, Path) else photo
        for (height, width, channels), photos in pools.items():
            noise = np.random.default_rng((seed, place))
            photos[place] = in_channels(fit(pixels, height, width), channels)
            photos[count + place] = in_channels(degraded(pixels, height, width, noise), channels)
    return paths


def degraded(photo: Pixels, height: int, width: int, rng: np.random.Generator) -> Pixels:
    """The photo as `DEGRADED` says, in this size; its noise is the next that `rng` gives."""
    import cv2

    shorter = min(height, width)
    small = fit(photo, round(LOW * height / shorter), round(LOW * width / shorter))
    seen = np.rint(small * DARK + rng.normal(0, NOISE, small.shape)).clip(0, 255).astype(np.uint8)
    return cv2.resize(seen, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.uint8, copy=False)
