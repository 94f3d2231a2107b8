"""Small Keras files made by hand, with known facts, for tests that need no Keras."""

import io
import json
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

Config = dict[str, Any]
METADATA = b'{"keras_version": "3.15.0"}'


def tensor(shape: Sequence[int | None], layer: str, call: int = 0, output: int = 0) -> Config:
    """A tensor as Keras 3 names it in an argument."""
    history = [layer, call, output]
    return {"class_name": "__keras_tensor__", "config": {"shape": shape, "dtype": "float32", "keras_history": history}}


def layer(kind: str, name: str, *calls: Any, module: str | None = "keras.layers", **config: Any) -> Config:
    """A layer's entry; each call is the list of its arguments."""
    entry: Config = {
        "class_name": kind,
        "config": {"name": name, "dtype": "float32", **config},
        "registered_name": None,
        "name": name,
        "inbound_nodes": [{"args": call, "kwargs": {}} for call in calls],
    }
    return entry if module is None else {"module": module, **entry}


def functional(name: str, layers: Sequence[Config], inputs: Any, outputs: Any, *calls: Any) -> Config:
    """A Functional model's entry, alone or as a layer."""
    made = layer("Functional", name, *calls, module="keras.src.models.functional", layers=layers)
    made["config"] |= {"input_layers": inputs, "output_layers": outputs}
    return made


def sequential(*layers: Config) -> Config:
    return {"module": "keras", "class_name": "Sequential", "config": {"name": "sequential", "layers": list(layers)}}


def source(name: str, shape: Sequence[int | None], dtype: str = "float32") -> Config:
    """An input layer."""
    return layer("InputLayer", name, batch_shape=shape) | {
        "config": {"batch_shape": shape, "dtype": dtype, "name": name}
    }


def conv(name: str, *calls: Any, filters: int = 8, **config: Any) -> Config:
    """A 3x3 convolution with `same` padding."""
    common: Config = {"kernel_size": [3, 3], "strides": [1, 1], "padding": "same", "dilation_rate": [1, 1], "groups": 1}
    return layer("Conv2D", name, *calls, filters=filters, **(common | config))


def hdf5(arrays: Mapping[str, Any], attributes: Mapping[str, bytes] | None = None, **options: Any) -> bytes:
    """An HDF5 file of these arrays, by path."""
    buffer = io.BytesIO()
    with h5py.File(buffer, "w") as file:
        for path, array in arrays.items():
            file.create_dataset(path, data=np.asarray(array), **options)
        for name, text in (attributes or {}).items():
            file.attrs[name] = text
    return buffer.getvalue()


def archive(path: Path, config: Any, weights: bytes, *others: tuple[str, bytes], deflate: bool = False) -> Path:
    """A .keras archive."""
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    members = (("metadata.json", METADATA), ("config.json", text), ("model.weights.h5", weights), *others)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED if deflate else zipfile.ZIP_STORED) as file:
        for name, data in members:
            file.writestr(zipfile.ZipInfo(name), data, file.compression)
    return path


def small(trained: bool = True) -> tuple[Config, bytes]:
    """A convolution, a dropout with a seed and a dense layer on 4x4 images: config and weights."""
    config = sequential(
        source("image", [None, 4, 4, 3], "uint8"),
        conv("look"),
        layer("Dropout", "drop", rate=0.5),
        layer("Flatten", "flat"),
        layer("Dense", "logit", units=2),
    )
    arrays: dict[str, Any] = {
        "layers/conv2d/vars/0": np.ones((3, 3, 3, 8), np.float32),
        "layers/conv2d/vars/1": np.ones(8, np.float32),
        "layers/dropout/seed_generator/vars/0": np.ones(2, np.uint32),
        "layers/dense/vars/0": np.ones((128, 2), np.float16),
        "layers/dense/vars/1": np.ones(2, np.float16),
    }
    if trained:
        arrays |= {"optimizer/vars/0": np.int64(7), "optimizer/vars/1": np.ones((3, 3, 3, 8), np.float32)}
    return config, hdf5(arrays)
