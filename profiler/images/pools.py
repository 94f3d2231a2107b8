"""Image sources: where the pixels come from. Every photo is decoded here, before any worker starts, so that no decoder
runs inside a measured process and every runtime sees the same bytes.
"""

from collections.abc import Callable, Iterable
from pathlib import Path

import numpy as np

from profiler.errors import ProfilerError
from profiler.pixels import Pixels, Shape, Size, fit, in_channels, is_camera, load

BUILTIN = Path(__file__).parent.parent / "data" / "images" / "chelsea.png"
POOL = 64
"""Most images a sweep keeps in RAM; a run of more goes round again."""
_READABLE = {".jpg", ".jpeg", ".png", ".bmp", ".webp", ".tif", ".tiff", ".ppm"}


def pool(source: str, count: int, height: int, width: int, channels: int, seed: int) -> Pixels:
    """Like `pools`, of one shape."""
    shape = height, width, channels
    return pools(source, count, [shape], seed)[shape]


def pools(source: str, count: int, shapes: Iterable[Shape], seed: int) -> dict[Shape, Pixels]:
    """The images of a sweep in every shape, of all sources but a camera the same for the same arguments.

    Args:
        source: `builtin` (seeded crops and flips of the shipped photograph), `synthetic` (seeded noise), a folder, or
            a camera as `profiler.camera.image_source` knows it, whose frames are the same in every shape.
        count: Images wanted; at most `POOL` are made, and from a folder or a video at most as many as it has.

    Returns:
        Arrays of shape (images, height, width, channels), uint8.

    Raises:
        ProfilerError: Neither a source's name nor a folder with a readable photo, or a camera that delivers nothing.
    """
    shapes = tuple(dict.fromkeys(shapes))
    make = SOURCES.get("camera" if is_camera(source) else source, _each(_folder))
    photos = make(source, min(count, POOL), tuple(dict.fromkeys(shape[:2] for shape in shapes)), seed)
    return {shape: np.stack([in_channels(photo, shape[2]) for photo in photos[shape[:2]]]) for shape in shapes}


def _each(make: Callable[[str, int, int, int, int], list[Pixels]]) -> "Source":
    """A source whose photos are made for each size from (source, count, height, width, seed)."""
    return lambda source, count, sizes, seed: {size: make(source, count, *size, seed) for size in sizes}


def _builtin(_source: str, count: int, height: int, width: int, seed: int) -> list[Pixels]:
    photo = load(BUILTIN)
    rng = np.random.default_rng(seed)
    return [fit(_crop(photo, rng), height, width) for _ in range(count)]


def _crop(photo: Pixels, rng: np.random.Generator) -> Pixels:
    """A square of 80 to 100 % of the photo's height, anywhere in it, mirrored every other time."""
    rows, columns = photo.shape[:2]
    side = round(rows * rng.uniform(0.8, 1.0))
    top, left = rng.integers(rows - side + 1), rng.integers(columns - side + 1)
    part = photo[top : top + side, left : left + side]
    return part[:, ::-1] if rng.random() < 0.5 else part


def _synthetic(_source: str, count: int, height: int, width: int, seed: int) -> list[Pixels]:
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, 256, (count, height, width, 3), dtype=np.uint8))


def _folder(source: str, count: int, height: int, width: int, seed: int) -> list[Pixels]:
    folder = Path(source)
    if not folder.is_dir():
        known = ", ".join(SOURCES)
        raise ProfilerError(f"no image source or folder named '{source}'", f"use {known} or a folder of photos")
    names = sorted(path for path in folder.rglob("*") if path.suffix.lower() in _READABLE and path.is_file())
    photos: list[Pixels] = []
    for index in np.random.default_rng(seed).permutation(len(names)):
        if len(photos) == count:
            break
        try:
            photos.append(fit(load(names[index]), height, width))
        except ProfilerError:
            continue
    if not photos:
        raise ProfilerError(f"folder '{source}' has no readable image", "put JPEG or PNG photos in it")
    return photos


def _camera(source: str, count: int, sizes: Iterable[Size], _seed: int) -> dict[Size, list[Pixels]]:
    from profiler.camera import image_source

    return image_source.frames(source, count, sizes)


Source = Callable[[str, int, Iterable[Size], int], dict[Size, list[Pixels]]]

SOURCES: dict[str, Source] = {"builtin": _each(_builtin), "synthetic": _each(_synthetic), "camera": _camera}
"""A source's name to the function that makes its photos in every size from (source, count, sizes, seed)."""
