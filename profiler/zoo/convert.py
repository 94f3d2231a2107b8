"""A Keras model as a file: .keras, or .tflite in any precision with a batch of one and signature `serving_default`."""

import errno
import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from profiler.pixels import Pixels
from profiler.records import Precision
from profiler.zoo.architecture import SIDE
from profiler.zoo.quiet import quiet

_TABLE_FIELD = 8
"""Where a flatbuffer's table keeps the offset of its third field, which in an OperatorCode is the version."""


@quiet()
def save(model: Any, path: Path) -> None:
    """Writes a .keras file, with the optimiser's state where the model has one."""
    model.save(path)


@quiet()
def export(tf: Any, model: Any, folder: Path) -> Path:
    """Writes the SavedModel that `lite` reads into `folder`, which is made, and returns it.

    Raises:
        OSError: The disk is full, as any other file's writing says it.
    """
    archive = tf.keras.export.ExportArchive()
    archive.track(model)
    archive.add_endpoint(
        "serving_default",
        lambda image: {"logit": model(image, training=False)},
        input_signature=[tf.TensorSpec((1, SIDE, SIDE, 3), model.inputs[0].dtype, name="image")],
    )
    try:
        archive.write_out(str(folder))
    except tf.errors.ResourceExhaustedError as error:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC)) from error
    return folder


@quiet()
def lite(tf: Any, saved: Path, precision: Precision, pixels: Pixels | None = None) -> bytes:
    """The SavedModel as .tflite.

    Args:
        saved: From `export`: of a model that takes uint8, or, for `int8`, of one that takes float32.
        precision: `fp16` halves the weights in the file; `dynamic` quantises those of 1024 values or more; `int8`
            quantises weights, activations, input (a pixel's value less 128) and output.
        pixels: What `int8` is calibrated on.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    if precision != "fp32":
        converter.optimizations = [tf.lite.Optimize.DEFAULT]
    if precision == "fp16":
        converter.target_spec.supported_types = [tf.float16]
    if precision == "int8":
        assert pixels is not None
        converter.representative_dataset = lambda: _samples(pixels)
        converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
        converter.inference_input_type = converter.inference_output_type = tf.int8
    content = converter.convert()
    return loadable(content) if precision == "dynamic" else bytes(content)


@quiet()
def shipped_lite(tf: Any, saved: Path) -> bytes:
    """The SavedModel as .tflite as the shipped file has it: dynamic range, by TensorFlow's older quantizer.

    That one writes FULLY_CONNECTED version 9, and beside the scales the range of every channel, which no engine reads.
    """
    converter = tf.lite.TFLiteConverter.from_saved_model(str(saved))
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.experimental_new_dynamic_range_quantizer = False
    return bytes(converter.convert())


def _samples(pixels: Pixels) -> Iterator[list[Any]]:
    """Batches of one for calibration; the first has a black and a white point.

    Together they make an int8 input's scale 1 and its zero point -128, whatever the pictures are: a pixel less 128.
    """
    first = pixels[0].copy()
    first[0, :2] = [[0], [255]]
    for picture in (first, *pixels[1:]):
        yield [picture[None].astype(np.float32)]


def loadable(content: bytes) -> bytes:
    """The .tflite with FULLY_CONNECTED version 12 called 9, which is all that tflite-runtime 2.14 knows.

    12 says that the weights have a scale for each output. This program's networks have one output, so one scale, which
    is what 9 means. Changed in place: packing the file anew would lose its buffers' alignment.
    """
    import tflite

    changed = bytearray(content)
    model = tflite.Model.GetRootAs(changed, 0)
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        if code.BuiltinCode() == tflite.BuiltinOperator.FULLY_CONNECTED and code.Version() == 12:
            struct.pack_into("<i", changed, code._tab.Pos + code._tab.Offset(_TABLE_FIELD), 9)
    return bytes(changed)
