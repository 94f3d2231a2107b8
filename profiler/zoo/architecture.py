"""The network that this program builds, at any width: MobileNetV2 with one logit."""

from typing import Any

SIDE = 150
"""Height and width of the input in pixels."""


def architecture(tf: Any, alpha: float = 1.0, dtype: str = "uint8", name: str = "cat_dog_mnv2") -> Any:
    """The untrained network: RGB, rescaled to [-1, 1], MobileNetV2, mean over the image, one logit.

    Args:
        alpha: Width: by how much the channels of every layer are more or fewer than in the paper.
        dtype: Of the pixels, which are 0 to 255 in any.
    """
    keras = tf.keras
    image = keras.Input((SIDE, SIDE, 3), dtype=dtype, name="image")
    scaled = keras.layers.Rescaling(1 / 127.5, offset=-1, name="rescaling")(image)
    backbone = keras.applications.MobileNetV2(input_tensor=scaled, alpha=alpha, include_top=False, weights=None)
    pooled = keras.layers.GlobalAveragePooling2D(name="pool")(backbone.output)
    logit = keras.layers.Dense(1, name="logit")(pooled)
    return keras.Model(image, logit, name=name)
