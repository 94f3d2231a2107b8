"""A camera's pixels as a network takes them."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from reading import present

from profiler.errors import ProfilerError
from profiler.images import pools
from profiler.live.preprocess import Preparer, stretch
from profiler.records import Fit, TensorSpec
from profiler.runtimes import Tensor
from profiler.worker import _batches

SHAPES = ((1, 150, 150, 3), (1, 96, 128, 3), (1, 64, 64, 1))
DTYPES = ("uint8", "int8", "float32", "float16", "float64", "int32")


def spec(shape: tuple[int, ...] = SHAPES[0], dtype: str = "uint8") -> TensorSpec:
    return TensorSpec(name="image", shape=shape, dtype=dtype)


@pytest.fixture(scope="module")
def photo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a photo that is no square."""
    path = tmp_path_factory.mktemp("photo") / "cat.png"
    path.write_bytes(pools.BUILTIN.read_bytes())
    return path


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_pixels_are_those_of_a_sweep(photo: Path, tmp_path: Path, shape: tuple[int, ...], dtype: str) -> None:
    pool = tmp_path / "pool.npy"
    _, height, width, channels = shape
    np.save(pool, pools.pool(str(photo.parent), 1, height, width, channels, seed=0))
    (expected,) = _batches(str(pool), Tensor("image", shape, dtype, None, None))
    frame = present(cv2.imread(str(photo))).astype(np.uint8, copy=False)
    given = Preparer(spec(shape, dtype), "crop")(frame)
    assert (given.dtype, given.shape) == (expected.dtype, expected.shape)
    assert given.tobytes() == expected.tobytes()


@pytest.mark.parametrize("fit", ["crop", "stretch"])
@pytest.mark.parametrize("size", [(480, 640), (640, 480), (720, 1280), (150, 150), (20, 30), (1, 1), (1, 400)])
def test_frames_of_any_size(fit: Fit, size: tuple[int, int]) -> None:
    frame = np.full((*size, 3), (1, 2, 3), np.uint8)
    given = Preparer(spec(), fit)(frame)
    assert given.shape == (1, 150, 150, 3)
    assert (given == (3, 2, 1)).all()


def test_crop_takes_the_middle_and_stretch_takes_all() -> None:
    frame = np.zeros((100, 300, 3), np.uint8)
    frame[:, 100:200] = 255
    cropped, stretched = (Preparer(spec((1, 60, 60, 3)), fit)(frame) for fit in ("crop", "stretch"))
    assert (cropped == 255).all()
    assert (stretched[:, :, 20:40] == 255).all()
    assert not stretched[:, :, :20].any()
    assert not stretched[:, :, 40:].any()


def test_shrinking_averages_the_area() -> None:
    frame = np.random.default_rng(0).integers(0, 256, (80, 120, 3), np.uint8)
    small = stretch(frame, 8, 12).astype(float)
    means = frame.reshape(8, 10, 12, 10, 3).mean((1, 3))
    assert np.abs(small - means).max() <= 0.5


@pytest.mark.parametrize(("dtype", "bound"), [("float32", 1e-6), ("float16", 5e-4), ("float64", 1e-12)])
@pytest.mark.parametrize("pixels", [(0.0, 1.0), (-1.0, 1.0), (-127.5, 127.5), (0.0, 255.0)])
def test_a_range_of_its_own(dtype: str, bound: float, pixels: tuple[float, float]) -> None:
    low, high = pixels
    every = np.arange(256, dtype=np.uint8).reshape(16, 16)
    given = Preparer(spec((1, 16, 16, 3), dtype), "crop", pixels)(np.stack([every] * 3, -1))
    expected = low + np.arange(256) * (high - low) / 255
    assert given.dtype == dtype
    assert np.abs(given[0, :, :, 0].ravel() - expected).max() <= bound * max(1, high)
    assert given.min() == pytest.approx(low)
    assert given.max() == pytest.approx(high)


def test_integers_have_no_range_of_their_own() -> None:
    frame = np.full((8, 8, 3), 200, np.uint8)
    assert (Preparer(spec((1, 8, 8, 3), "uint8"), "crop", (0, 1))(frame) == 200).all()
    assert (Preparer(spec((1, 8, 8, 3), "int8"), "crop", (0, 1))(frame) == 72).all()


def test_two_batches_share_no_memory() -> None:
    preparer = Preparer(spec((1, 8, 8, 3)), "crop")
    first: Any = preparer(np.full((8, 8, 3), 1, np.uint8))
    preparer(np.full((8, 8, 3), 2, np.uint8))
    assert (first == 1).all()


@pytest.mark.parametrize("dtype", ["string", "bool", "complex64", "bfloat16"])
def test_what_pixels_cannot_be(dtype: str) -> None:
    with pytest.raises(ProfilerError, match=f"takes {dtype}"):
        Preparer(spec(dtype=dtype), "crop")
