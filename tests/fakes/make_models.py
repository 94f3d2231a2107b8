"""Makes small models of every shape a user may bring, into the folder named by the only argument (needs TensorFlow)."""

import sys
from pathlib import Path

import keras
import tensorflow as tf
from keras import layers


def save(model: keras.Model, path: Path) -> None:
    model.save(path.with_suffix(".keras"))
    path.with_suffix(".tflite").write_bytes(tf.lite.TFLiteConverter.from_keras_model(model).convert())


def classifier(shape: tuple[int | None, int | None, int], dtype: str) -> keras.Model:
    image = keras.Input(shape, dtype=dtype, name="image")
    features = layers.GlobalAveragePooling2D()(layers.Rescaling(1 / 255)(image))
    return keras.Model(image, layers.Dense(4, name="classes")(features))


def two_images() -> keras.Model:
    images = [keras.Input((8, 8, 3)), keras.Input((8, 8, 3))]
    return keras.Model(images, layers.Flatten()(layers.Add()(images)))


def vector() -> keras.Model:
    numbers = keras.Input((10,))
    return keras.Model(numbers, layers.Dense(1)(numbers))


def full_int8(folder: Path) -> None:
    converter = tf.lite.TFLiteConverter.from_keras_model(classifier((8, 8, 3), "float32"))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    images = tf.random.stateless_uniform((8, 1, 8, 8, 3), (1, 2), 0, 255)
    converter.representative_dataset = lambda: ([image] for image in images)
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    (folder / "int8.tflite").write_bytes(converter.convert())


def main(folder: Path) -> None:
    save(classifier((8, 8, 3), "uint8"), folder / "image")
    save(classifier((8, 8, 1), "float32"), folder / "grey")
    save(classifier((None, None, 3), "float32"), folder / "open")
    save(two_images(), folder / "two")
    save(vector(), folder / "vector")
    full_int8(folder)
    trained = classifier((8, 8, 3), "float32")
    trained.compile(optimizer="adam", loss="mse")
    trained.save(folder / "trained.h5")
    for suffix in (".keras", ".tflite"):
        whole = (folder / "image").with_suffix(suffix).read_bytes()
        (folder / "truncated").with_suffix(suffix).write_bytes(whole[: len(whole) // 2])


if __name__ == "__main__":
    main(Path(sys.argv[1]))
