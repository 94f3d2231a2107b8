from pathlib import Path

import cv2
import numpy as np
import pytest

from profiler.errors import ProfilerError
from profiler.images import labelled_photos
from profiler.images import pools as images
from profiler.pixels import Pixels


def made(folder: Path, **classes: int) -> Path:
    """A folder of so many photos a class, each of one grey that tells its place among all."""
    for name, count in classes.items():
        (folder / name).mkdir(parents=True)
        for index in range(count):
            cv2.imwrite(str(folder / name / f"{index}.png"), np.full((20, 30, 3), 100 + index, np.uint8))
    return folder


def found(folder: Path, seed: int = 0) -> labelled_photos.Labelled:
    return labelled_photos.find(folder, seed, lambda line: None)


def test_classes_are_folders_in_order_of_name_and_label_their_photos(tmp_path: Path) -> None:
    labelled = found(made(tmp_path, dog=1, cat=2, bird=1))
    assert labelled.classes == ("bird", "cat", "dog")
    assert labelled.labels.tolist() == [0, 1, 1, 2]
    assert [str(path.relative_to(tmp_path)) for path in labelled.photos if isinstance(path, Path)] == [
        "bird/0.png",
        "cat/0.png",
        "cat/1.png",
        "dog/0.png",
    ]


def test_hidden_files_files_beside_the_classes_and_folders_in_them_are_no_photos(tmp_path: Path) -> None:
    folder = made(tmp_path, cat=1, dog=1)
    (folder / "cat" / "more").mkdir()
    for name in (".hidden/a.png", "cat/.DS_Store", "readme.txt"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_bytes(b"")
    assert len(found(folder).photos) == 2


@pytest.mark.parametrize(
    ("classes", "cause"),
    [({}, "no folder of photos"), ({"cat": 2}, "has only cat/"), ({"cat": 2, "dog": 0}, "dog has no photo")],
)
def test_what_is_not_a_folder_of_classes_is_refused(tmp_path: Path, classes: dict[str, int], cause: str) -> None:
    with pytest.raises(ProfilerError, match=cause):
        found(made(tmp_path, **classes))


def test_a_folder_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="there is no folder"):
        found(tmp_path / "none")


def test_of_many_photos_some_are_drawn_by_the_seed_and_this_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(labelled_photos, "MOST", 6)
    told: list[str] = []
    folder = made(tmp_path, cat=10, dog=10)
    labelled = labelled_photos.find(folder, 1, told.append)
    assert len(labelled.photos) == len(labelled.labels) == 6
    assert [path.parent.name == "dog" for path in labelled.photos if isinstance(path, Path)] == (
        labelled.labels == 1
    ).tolist()
    assert labelled.photos == found(folder, 1).photos
    assert labelled.photos != found(folder, 2).photos
    assert told == ["of 20 photos 6 are asked, drawn at random (seed 1)"]


def test_an_unreadable_photo_is_named(tmp_path: Path) -> None:
    folder = made(tmp_path / "photos", cat=1, dog=1)
    (folder / "dog" / "broken.jpg").write_bytes(b"no image")
    with pytest.raises(ProfilerError, match=r"dog/broken\.jpg is not a readable image"):
        labelled_photos.stage(found(folder), [(8, 8, 3)], 0, tmp_path)


def test_each_shape_gets_all_photos_as_they_are_and_then_degraded(tmp_path: Path) -> None:
    labelled = found(made(tmp_path / "photos", cat=2, dog=1))
    shapes = [(16, 16, 3), (8, 12, 1)]
    pools = {shape: np.load(path) for shape, path in labelled_photos.stage(labelled, shapes, 0, tmp_path).items()}
    assert {shape: pool.shape for shape, pool in pools.items()} == {shape: (6, *shape) for shape in shapes}
    for pool in pools.values():
        assert pool.dtype == np.uint8
        assert [int(photo.mean()) for photo in pool[:3]] == [100, 101, 100]
        assert pool[:3].std(axis=(1, 2, 3)).max() == 0
        assert pool[3:].mean() == pytest.approx(50, abs=2)


def test_the_same_seed_gives_the_same_pools_and_another_another_noise(tmp_path: Path) -> None:
    labelled = found(made(tmp_path / "photos", cat=1, dog=1))

    def staged(seed: int) -> Pixels:
        (path,) = labelled_photos.stage(labelled, [(16, 16, 3)], seed, tmp_path).values()
        pool: Pixels = np.load(path)
        return pool

    first, again, other = staged(0), staged(0), staged(1)
    np.testing.assert_array_equal(first, again)
    np.testing.assert_array_equal(first[:2], other[:2])
    assert (first[2:] != other[2:]).any()
    # Nor do two photos have the same noise, though these two are the same.
    assert (first[2] != first[3]).any()


def test_a_degraded_photo_is_coarse_dark_and_noisy_as_is_said() -> None:
    rng = np.random.default_rng(0)
    grey = labelled_photos.degraded(
        np.full((300, 200, 3), 120, np.uint8), labelled_photos.LOW, labelled_photos.LOW, rng
    )
    assert grey.mean() == pytest.approx(120 * labelled_photos.DARK, abs=0.2)
    assert grey.std() == pytest.approx(labelled_photos.NOISE, rel=0.02)
    stripes = np.tile(np.array([[0, 255]], np.uint8), (512, 256))[..., None].repeat(3, axis=2)
    coarse = labelled_photos.degraded(stripes, 256, 256, rng)
    assert coarse.std() < 2 * labelled_photos.NOISE
    assert all(
        f"{each:g}" in labelled_photos.DEGRADED
        for each in (labelled_photos.LOW, labelled_photos.DARK, labelled_photos.NOISE)
    )


def test_a_degraded_photo_keeps_the_shape_of_what_it_shows() -> None:
    photo = np.zeros((100, 200, 3), np.uint8)
    photo[:, :100] = 200
    shown = labelled_photos.degraded(photo, 100, 200, np.random.default_rng(0))
    assert shown.shape == (100, 200, 3)
    assert shown[:, :95].mean() == pytest.approx(100, abs=2)
    assert shown[:, 105:].mean() < 5


def test_without_photos_there_are_crops_of_one_cat() -> None:
    labelled = labelled_photos.builtin(0)
    assert len(labelled.photos) == images.POOL
    assert set(labelled.labels.tolist()) == {0}
    assert labelled.classes[0] == "cat"
