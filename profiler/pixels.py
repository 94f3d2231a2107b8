"""Pixels of an image file, fitted to what a model takes."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from profiler.errors import ProfilerError

Pixels = NDArray[np.uint8]
"""Height x width x 3, RGB."""


Size = tuple[int, int]
"""Height and width."""


Shape = tuple[int, int, int]
"""Height, width and channels: 3 for RGB, 1 for grey."""


def is_camera(source: str) -> bool:
    """Whether an image source is a camera, and what `camera:` goes before."""
    return source.partition(":")[0] == "camera"


def in_channels(photo: Pixels, channels: int) -> Pixels:
    """The photo in RGB or, with one channel, in grey."""
    if channels == 3:
        return photo
    import cv2

    return cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)[..., None].astype(np.uint8, copy=False)


def load(path: Path) -> Pixels:
    """The photo at `path`, turned upright by its EXIF orientation.

    Raises:
        ProfilerError: Not a readable image.
    """
    import cv2

    try:
        data = np.frombuffer(path.read_bytes(), dtype=np.uint8)
    except OSError as error:
        raise ProfilerError(f"{path} cannot be read ({error.strerror})", "name a readable image file") from error
    bgr = cv2.imdecode(data, cv2.IMREAD_COLOR) if data.size else None
    if bgr is None:
        raise ProfilerError(f"{path} is not a readable image", "use JPEG, PNG, BMP, WebP, TIFF or PPM files")
    return cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB).astype(np.uint8, copy=False)


def fit(photo: Pixels, height: int, width: int) -> Pixels:
    """The largest centred part of `photo` with the shape's aspect, resized to it (area average)."""
    import cv2

    rows, columns = photo.shape[:2]
    scale = min(rows / height, columns / width)
    crop_rows, crop_columns = max(1, round(height * scale)), max(1, round(width * scale))
    top, left = (rows - crop_rows) // 2, (columns - crop_columns) // 2
    part = photo[top : top + crop_rows, left : left + crop_columns]
    return cv2.resize(part, (width, height), interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
