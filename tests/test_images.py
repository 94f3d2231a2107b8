from pathlib import Path

import cv2
import numpy as np
import pytest

from profiler import images
from profiler.errors import ProfilerError


def photo(path: Path, bgr: tuple[int, int, int], size: tuple[int, int] = (20, 30)) -> None:
    cv2.imwrite(str(path), np.full((*size, 3), bgr, np.uint8))


def test_builtin_is_seeded_and_varied() -> None:
    first = images.pool("builtin", 5, 150, 150, 3, seed=1)
    assert first.shape == (5, 150, 150, 3)
    assert first.dtype == np.uint8
    assert np.array_equal(first, images.pool("builtin", 5, 150, 150, 3, seed=1))
    assert not np.array_equal(first, images.pool("builtin", 5, 150, 150, 3, seed=2))
    assert all(not np.array_equal(first[0], other) for other in first[1:])


def test_fewer_images_are_the_beginning_of_more() -> None:
    assert np.array_equal(images.pool("builtin", 3, 32, 32, 3, 0), images.pool("builtin", 8, 32, 32, 3, 0)[:3])


def test_a_pool_is_never_larger_than_ram_allows() -> None:
    assert len(images.pool("synthetic", 10_000, 8, 8, 3, 0)) == images.POOL


def test_grey_models_get_one_channel() -> None:
    assert images.pool("builtin", 2, 28, 28, 1, 0).shape == (2, 28, 28, 1)


def test_folder_colours_are_rgb(tmp_path: Path) -> None:
    photo(tmp_path / "blue.png", (255, 0, 0))
    (pixels,) = images.pool(str(tmp_path), 4, 10, 10, 3, 0)
    assert pixels[5, 5].tolist() == [0, 0, 255]


def test_folder_skips_what_is_no_image(tmp_path: Path) -> None:
    photo(tmp_path / "a.png", (1, 2, 3))
    (tmp_path / "broken.jpg").write_bytes(b"not a jpeg")
    (tmp_path / "empty.jpg").write_bytes(b"")
    (tmp_path / "notes.txt").write_text("hello")
    assert len(images.pool(str(tmp_path), 9, 10, 10, 3, 0)) == 1


@pytest.mark.parametrize("make_broken", [True, False])
def test_folder_without_a_readable_image(tmp_path: Path, make_broken: bool) -> None:
    if make_broken:
        (tmp_path / "broken.jpg").write_bytes(b"not a jpeg")
    with pytest.raises(ProfilerError, match="no readable image"):
        images.pool(str(tmp_path), 1, 10, 10, 3, 0)


def test_unknown_source() -> None:
    with pytest.raises(ProfilerError, match="no image source or folder named 'webcam'"):
        images.pool("webcam", 1, 10, 10, 3, 0)


@pytest.mark.parametrize(("height", "width"), [(10, 10), (5, 40), (40, 5)])
def test_fit_crops_the_centre_without_distortion(height: int, width: int) -> None:
    square = np.zeros((60, 90, 3), np.uint8)
    square[:, 30:60] = 255
    fitted = images.fit(square, height, width)
    assert fitted.shape == (height, width, 3)
    assert fitted[height // 2, width // 2].tolist() == [255, 255, 255]


def test_load_says_which_file_is_no_image(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match=r"gone\.png cannot be read"):
        images.load(tmp_path / "gone.png")
