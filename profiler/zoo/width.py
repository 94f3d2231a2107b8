"""The family `width`: MobileNetV2 in several widths with random weights, so that size crosses the caches' sizes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from profiler.modelfile.families import FamilyMember, member
from profiler.pixels import Pixels
from profiler.records import Form, Precision
from profiler.zoo.architecture import architecture
from profiler.zoo.convert import export, lite
from profiler.zoo.pictures import Pictures
from profiler.zoo.quiet import quiet

ALPHAS = (0.35, 0.5, 0.75, 1.0, 1.4)
BATCH = 16
"""Pictures that the statistics of the batch normalisation are from."""

_WHAT: dict[Precision, str] = {
    "fp32": "Width {alpha}, random weights; weights and activations float32.",
    "int8": "Width {alpha}, random weights; weights, activations, input (a pixel's value less 128) and output int8.",
}


def make(
    tf: Any,
    folder: Path,
    work: Path,
    pictures: Pictures,
    seed: int,
    report: Callable[[FamilyMember], object],
    alphas: tuple[float, ...] = ALPHAS,
) -> tuple[FamilyMember, ...]:
    """Makes the forms in `folder`, with `work` for what is needed on the way; `report` is told of each."""
    made = []
    for alpha in alphas:
        model = random_network(tf, alpha, pictures.pixels, seed)
        twins: dict[Precision, Any] = {"fp32": _twin(tf, model, alpha), "int8": model}
        for precision, twin in twins.items():
            saved = export(tf, twin, work / f"{alpha}-{precision}")
            path = folder / f"w{alpha}-{precision}.tflite"
            path.write_bytes(lite(tf, saved, precision, pictures.pixels))
            made.append(member(path, path.stem, _form(alpha, precision), _WHAT[precision].format(alpha=alpha)))
            report(made[-1])
    return tuple(made)


def _form(alpha: float, precision: Precision) -> Form:
    return Form(
        family="width", weights="random", runtime="litert", precision=precision, optimiser_state=False, alpha=alpha
    )


@quiet()
def random_network(tf: Any, alpha: float, pixels: Pixels, seed: int) -> Any:
    """The network for pixels in float32, with weights drawn anew, the same for the same seed.

    Kernels are normal with variance 2 / inputs (K. He, X. Zhang, S. Ren, J. Sun, "Delving Deep into Rectifiers", ICCV
    2015), biases 0. The batch normalisation has the statistics of one pass over some of the pictures: with those of an
    untrained network (mean 0, variance 1) activations would shrink from layer to layer, and int8 would round them off.
    """
    model = architecture(tf, alpha, dtype="float32", name="mnv2")
    rng = np.random.default_rng(seed)
    for layer in model.layers:
        depthwise = isinstance(layer, tf.keras.layers.DepthwiseConv2D)
        layer.set_weights([_drawn(weight, depthwise, rng) for weight in layer.weights])
        if isinstance(layer, tf.keras.layers.BatchNormalization):
            # Then a pass in training leaves the batch's statistics and nothing of those before.
            layer.momentum = 0.0
    model(pixels[:: max(1, len(pixels) // BATCH)][:BATCH].astype(np.float32), training=True)
    return model


def _drawn(weight: Any, depthwise: bool, rng: np.random.Generator) -> Any:
    """A kernel's new value; of any other weight the one that it has."""
    if weight.name != "kernel":
        return weight.numpy()
    # Rows and columns, in a depthwise kernel channels and 1, in another inputs and outputs.
    inputs = np.prod(weight.shape[:2] if depthwise else weight.shape[:-1])
    return rng.normal(0, np.sqrt(2 / inputs), weight.shape)


@quiet()
def _twin(tf: Any, model: Any, alpha: float) -> Any:
    """The same network for pixels in uint8."""
    twin = architecture(tf, alpha, name="mnv2")
    twin.set_weights(model.get_weights())
    return twin
