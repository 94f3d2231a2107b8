"""The family `lab`: the shipped model's weights in six forms, so that runtime, precision and file format part."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from profiler import modelfile
from profiler.modelfile.families import FamilyMember, member
from profiler.records import Form, Precision
from profiler.zoo.architecture import architecture
from profiler.zoo.convert import export, lite, save
from profiler.zoo.pictures import Pictures
from profiler.zoo.quiet import quiet

BATCH = 8
"""Pictures of the training step."""

_TRAINED = (
    "As saved after training: compiled with Adam, whose two moments of every trainable weight one training step "
    "filled; the weights are those from before that step."
)
_KERAS = "Weights only: not compiled, no optimiser's state."
_LITE: dict[Precision, str] = {
    "fp32": "Weights and activations float32.",
    "fp16": "Weights float16 in the file, float32 when computed with.",
    "dynamic": "Weights int8 with a scale for each output channel where a tensor has 1024 values or more; activations "
    "float32 between operators.",
    "int8": "Weights, activations, input (a pixel's value less 128) and output int8.",
}


def source() -> Path:
    """The file that all weights are from."""
    return modelfile.shipped(modelfile.DEFAULTS["keras"])


def make(
    tf: Any, folder: Path, work: Path, pictures: Pictures, seed: int, report: Callable[[FamilyMember], object]
) -> tuple[FamilyMember, ...]:
    """Makes the forms in `folder`, with `work` for what is needed on the way; `report` is told of each."""

    def told(path: Path, form: Form, what: str) -> FamilyMember:
        made = member(path, path.stem, form, what)
        report(made)
        return made

    model = load(tf, source())
    trained, weights_only = folder / "keras-trained.keras", folder / "keras.keras"
    save(model, weights_only)
    train(tf, model, pictures, seed)
    save(model, trained)
    made = [
        told(trained, _form("keras", "fp32", optimiser_state=True), _TRAINED),
        told(weights_only, _form("keras", "fp32"), _KERAS),
    ]
    integer = with_float_input(tf, model)
    saved, saved_integer = export(tf, model, work / "uint8"), export(tf, integer, work / "float32")
    for precision, what in _LITE.items():
        path = folder / f"litert-{precision}.tflite"
        path.write_bytes(lite(tf, saved_integer if precision == "int8" else saved, precision, pictures.pixels))
        made.append(told(path, _form("litert", precision), what))
    return tuple(made)


def _form(runtime: str, precision: Precision, optimiser_state: bool = False) -> Form:
    return Form(
        family="lab",
        weights="same",
        runtime=runtime,
        precision=precision,
        optimiser_state=optimiser_state,
        alpha=1.0,
    )


@quiet()
def load(tf: Any, path: Path) -> Any:
    """The model in a .keras file, not compiled."""
    return tf.keras.models.load_model(path, compile=False)


@quiet()
def train(tf: Any, model: Any, pictures: Pictures, seed: int) -> None:
    """Compiles the model and takes one training step, for the optimiser's state; the weights stay as they are."""
    weights = model.get_weights()
    batch = np.random.default_rng(seed).permutation(len(pictures.pixels))[:BATCH]
    loss = tf.keras.losses.BinaryCrossentropy(from_logits=True)
    model.compile(optimizer=tf.keras.optimizers.Adam(), loss=loss)
    model.train_on_batch(pictures.pixels[batch], pictures.labels[batch, None].astype(np.float32))
    # The step moved them, and the statistics of the batch normalisation.
    model.set_weights(weights)


@quiet()
def with_float_input(tf: Any, model: Any) -> Any:
    """The same network for pixels in float32: an int8 form's input is made from that, and not from uint8."""
    twin = architecture(tf, dtype="float32")
    twin.set_weights(model.get_weights())
    return twin
