"""Keras files: where the bytes go, which layers are called on what, and what they cost."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_keras import archive, conv, functional, hdf5, layer, sequential, small, source, tensor

from profiler.errors import ProfilerError
from profiler.modelfile import shipped
from profiler.modelfile.keras import archive as keras_archive
from profiler.modelfile.tflite import reader
from profiler.records import Network

SHIPPED = shipped("cat-dog-mnv2.keras")


def kept(network: Network) -> dict[tuple[str, str], int]:
    return {(share.kind, share.what): share.size_bytes for share in network.shares}


def read(path: Path) -> Network:
    """The network, of whose file each byte is accounted for."""
    network = keras_archive.read(path)
    assert sum(share.size_bytes for share in network.shares) == network.size_bytes == path.stat().st_size
    assert all(share.size_bytes > 0 for share in network.shares)
    return network


def mobilenet_v2_macs(size: int) -> int:
    """From table 2 of M. Sandler et al., "MobileNetV2: inverted residuals and linear bottlenecks", CVPR 2018."""
    size = -(-size // 2)
    channels, macs = 32, size * size * 9 * 3 * 32
    blocks = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))
    for expansion, out, repeats, first_stride in blocks:
        for stride in (first_stride, *[1] * (repeats - 1)):
            wide = channels * expansion
            macs += size * size * channels * wide * (expansion > 1)
            size = -(-size // stride)
            macs += size * size * wide * (9 + out)
            channels = out
    return macs + size * size * channels * 1280 + 1280


def test_the_shipped_network_is_as_its_paper_has_it() -> None:
    network = read(SHIPPED)
    assert network.parameters == 2_259_265
    assert network.weights_bytes == 4 * 2_259_265
    assert kept(network)["weights", "float32"] == 4 * 2_259_265
    assert network.macs == mobilenet_v2_macs(150) == 146_447_568
    assert all(operator.macs is not None and not operator.custom for operator in network.operators)
    # The padding before the second depthwise convolution: its input and its output, of floats.
    assert network.arena_bytes == network.least_bytes == 4 * 96 * (75 * 75 + 77 * 77)
    (signature,) = network.signatures
    assert [(port.name, port.shape, port.dtype) for port in signature.inputs] == [("image", (-1, 150, 150, 3), "uint8")]
    assert [(port.name, port.shape, port.dtype) for port in signature.outputs] == [("logit", (-1, 1), "float32")]


def test_the_shipped_forms_multiply_as_often() -> None:
    assert read(SHIPPED).macs == reader.read(shipped("cat-dog-mnv2.tflite")).macs


def test_all_weights_of_the_shipped_network_belong_to_a_layer() -> None:
    network = read(SHIPPED)
    assert sum(operator.weight_bytes for operator in network.operators) == network.weights_bytes


def test_the_bytes_of_an_archive(tmp_path: Path) -> None:
    config, weights = small()
    network = read(archive(tmp_path / "m.keras", config, weights, ("assets/words.txt", b"cat dog"), ("x.py", b"1")))
    shares = kept(network)
    assert shares.pop(("container", "HDF5 structure")) + 4 * 224 + 2 * 258 + 8 + 8 + 4 * 216 == len(weights)
    assert shares.pop(("container", "zip structure")) > 5 * (30 + 46) + 22
    assert shares == {
        ("weights", "float32"): 4 * 224,
        ("weights", "float16"): 2 * 258,
        ("optimiser", "int64"): 8,
        ("optimiser", "float32"): 4 * 216,
        ("optimiser", "random seeds"): 8,
        ("graph", "config.json"): len(json.dumps(config)),
        ("metadata", "metadata.json"): 27,
        ("metadata", "assets"): 7,
        ("metadata", "other members"): 1,
    }
    assert network.parameters == 224 + 258


def test_a_compressed_archive_is_unpacked_to_be_read(tmp_path: Path) -> None:
    config, weights = small()
    plain = read(archive(tmp_path / "plain.keras", config, weights))
    network = read(archive(tmp_path / "m.keras", config, weights, deflate=True))
    assert network.operators == plain.operators
    assert network.weights_bytes == plain.weights_bytes
    assert 0 < kept(network)["container", "compressed"] < len(weights)
    assert "optimiser float32 864" in network.notes[0]


def test_operators_of_a_sequence(tmp_path: Path) -> None:
    network = read(archive(tmp_path / "m.keras", *small()))
    assert [
        (op.name, op.output, op.activations, op.weights, op.input_bytes, op.weight_bytes, op.output_bytes, op.macs)
        for op in network.operators
    ] == [
        ("Conv2D", "look", "uint8", "float32", 48, 4 * 224, 512, 16 * 27 * 8),
        ("Dropout", "drop", "float32", None, 0, 0, 0, 0),
        ("Flatten", "flat", "float32", None, 512, 0, 512, 0),
        ("Dense", "logit", "float32", "float16", 512, 2 * 258, 8, 256),
    ]
    assert network.arena_bytes == 1024
    assert any("Dropout" in note for note in network.notes)


def branches() -> dict[str, Any]:
    """An input that two convolutions read, one of them twice over, and a sum; the model within is called once."""
    size = [None, 4, 4, 8]
    inner = functional(
        "inner",
        [source("in", size), conv("c", [tensor(size, "in")]), layer("ReLU", "r", [tensor(size, "c")])],
        ["in", 0, 0],
        ["r", 0, 0],
        [tensor(size, "a")],
    )
    merge = layer("Add", "sum", [[tensor(size, "b", 1), tensor(size, "inner")]])
    return functional(
        "outer",
        [
            source("x", [None, 4, 4, 3]),
            conv("a", [tensor([None, 4, 4, 3], "x")]),
            conv("b", [tensor(size, "a")], [tensor(size, "b")]),
            inner,
            merge,
        ],
        [["x", 0, 0]],
        [["sum", 0, 0], ["inner", 1, 0]],
    )


def test_a_model_within_a_model_and_a_layer_called_twice(tmp_path: Path) -> None:
    arrays = {
        "layers/conv2d/vars/0": np.zeros((3, 3, 3, 8), np.float32),
        "layers/conv2d_1/vars/0": np.zeros((3, 3, 8, 8), np.float32),
        "layers/functional/layers/conv2d/vars/0": np.zeros((3, 3, 8, 8), np.float16),
    }
    network = read(archive(tmp_path / "m.keras", branches(), hdf5(arrays)))
    operators = network.operators
    assert [op.output for op in operators] == ["a", "b", "b", "inner/c", "inner/r", "sum"]
    assert [op.weight_bytes for op in operators] == [864, 2304, 2304, 1152, 0, 0]
    assert [op.macs for op in operators] == [16 * 27 * 8, *[16 * 72 * 8] * 3, 0, 0]
    assert network.parameters == 216 + 576 + 576
    assert [port.name for port in network.signatures[0].outputs] == ["sum", "inner"]
    # At the ReLU: its input and output, and the second result of `b`, which the sum waits for.
    assert network.arena_bytes == 3 * 512


def test_the_lists_that_keras_2_wrote(tmp_path: Path) -> None:
    """Calls of a model within are numbered from 1, shapes follow from the layers alone, modules are not named."""
    old = {"batch_input_shape": [None, 9, 9, 3], "dtype": "float32", "name": "in"}
    first = {"class_name": "InputLayer", "config": old, "name": "in", "inbound_nodes": []}
    strided = conv("c", module=None, strides=[2, 2], padding="valid") | {"inbound_nodes": [[["in", 0, 0, {}]]]}
    pool = layer("GlobalAveragePooling2D", "p", module=None) | {"inbound_nodes": [[["inner", 1, 0, {}]]]}
    moved = layer("TFOpLambda", "op", module=None, function="math.add") | {
        "inbound_nodes": [["p", 0, 0, {"y": ["p", 0, 0], "name": None}]]
    }
    ends = layer("Dense", "d", module=None, units=2) | {"inbound_nodes": [[["p", 0, 0, {"mask": None}]]]}
    inner = functional("inner", [first, strided], [["in", 0, 0]], [["c", 0, 0]])
    inner |= {"module": None, "inbound_nodes": [[["x", 0, 0, {}]]]}
    whole = functional(
        "m",
        [first | {"name": "x"}, inner, pool, moved, ends],
        [["x", 0, 0]],
        [["d", 0, 0], ["op", 0, 0]],
    )
    arrays = {
        "model_weights/inner/c/kernel:0": np.zeros((3, 3, 3, 8), np.float32),
        "model_weights/d/d/kernel:0": np.zeros((8, 2), np.float32),
        "optimizer_weights/Adam/m/c/kernel:0": np.zeros((3, 3, 3, 8), np.float32),
    }
    text = json.dumps(whole).encode()
    path = tmp_path / "m.h5"
    path.write_bytes(hdf5(arrays, {"model_config": text, "training_config": b"{}", "keras_version": b"2.15.0"}))
    network = read(path)
    assert network.format == "h5"
    assert kept(network)["graph", "model_config"] == len(text)
    assert kept(network)["optimiser", "float32"] == kept(network)["weights", "float32"] - 64 == 864
    assert kept(network)["metadata", "training_config"] == 2
    assert [(op.name, op.output_bytes, op.weight_bytes, op.macs) for op in network.operators] == [
        ("Conv2D", 512, 864, 16 * 27 * 8),
        ("GlobalAveragePooling2D", 32, 0, 0),
        ("TFOpLambda", None, 0, None),
        ("Dense", 8, 64, 16),
    ]
    assert network.arena_bytes is None
    assert any("TFOpLambda" in note and "Shapes" in note for note in network.notes)


LAMBDA = {"class_name": "__lambda__", "config": {"code": "Y29kZSB0aGF0IG11c3Qgbm90IHJ1bg=="}}


@pytest.mark.parametrize(
    "entry",
    [
        layer("Lambda", "odd", function=LAMBDA),
        layer("Mine", "odd", module="my_package.layers") | {"registered_name": "mine>Mine"},
        layer("Mine", "odd", module=None),
        layer("Dense", "odd", module="elsewhere", units=2),
    ],
)
def test_what_is_not_of_keras_is_only_named(tmp_path: Path, entry: dict[str, Any]) -> None:
    config = sequential(source("x", [None, 3]), entry, layer("Dense", "after", units=4))
    network = read(archive(tmp_path / "m.keras", config, hdf5({"layers/dense/vars/0": np.zeros((3, 4), np.float32)})))
    odd, after = network.operators
    assert (odd.custom, odd.macs, after.custom) == (True, None, False)
    assert any(f"odd ({entry['class_name']})" in note and "neither run" in note for note in network.notes)
    # Its output is not known, so neither is the next layer's work.
    assert after.macs is None
    assert network.arena_bytes is None


def test_a_class_of_ones_own_as_the_whole_model(tmp_path: Path) -> None:
    config = {"module": "mine", "class_name": "Net", "config": {"units": 3}, "registered_name": "mine>Net"}
    network = read(archive(tmp_path / "m.keras", config, hdf5({"first/vars/0": np.zeros((3, 4), np.float32)})))
    (operator,) = network.operators
    assert (operator.name, operator.custom, operator.macs, operator.weight_bytes) == ("Net", True, None, 48)
    assert (operator.input_bytes, operator.output_bytes, operator.working_set_bytes) == (None, None, None)
    assert network.arena_bytes is None
    assert network.parameters == 12
    assert any("the model (Net)" in note for note in network.notes)


def test_weights_of_no_layer_are_told(tmp_path: Path) -> None:
    config = sequential(source("x", [None, 3]), layer("Dense", "d", units=4))
    network = read(archive(tmp_path / "m.keras", config, hdf5({"layers/other/vars/0": np.zeros(5, np.float32)})))
    assert network.weights_bytes == 20
    assert any("20 bytes of weights belong to no layer" in note for note in network.notes)


def test_a_fixed_batch_is_told(tmp_path: Path) -> None:
    config = sequential(source("x", [8, 3]), layer("Dense", "d", units=4))
    network = read(archive(tmp_path / "m.keras", config, hdf5({})))
    assert network.macs == 8 * 12
    assert network.signatures[0].inputs[0].shape == (8, 3)
    assert any("fixed at 8" in note for note in network.notes)


@pytest.mark.parametrize(
    ("entry", "taken", "given", "macs"),
    [
        (layer("Conv1D", "l", filters=4, kernel_size=[3], strides=[1], padding="causal"), [9, 2], 36, 9 * 3 * 2 * 4),
        (conv("l", strides=[2, 2], padding="valid", dilation_rate=[1, 1], groups=2), [9, 9, 4], 128, 16 * 9 * 2 * 8),
        (
            layer("DepthwiseConv2D", "l", kernel_size=3, strides=1, padding="same", depth_multiplier=2),
            [5, 5, 4],
            200,
            25 * 8 * 9,
        ),
        (
            layer("SeparableConv2D", "l", filters=6, kernel_size=3, strides=1, padding="valid", depth_multiplier=1),
            [5, 5, 4],
            54,
            9 * (36 + 24),
        ),
        (layer("Conv2DTranspose", "l", filters=6, kernel_size=3, strides=2, padding="valid"), [4, 4, 2], 486, 16 * 108),
        (layer("Dense", "l", units=3), [7, 5], 21, 105),
        (layer("EinsumDense", "l", equation="abc,cde->abde", output_shape=[None, 2, 4]), [6, 5], 48, 6 * 5 * 8),
        (layer("LSTM", "l", units=4, return_sequences=True), [6, 5], 24, 6 * 4 * 4 * 9),
        (
            layer("TimeDistributed", "l", layer=layer("Dense", "inner", units=3)),
            [6, 5],
            18,
            90,
        ),
        (layer("MaxPooling2D", "l", pool_size=3, strides=2, padding="same"), [7, 7, 2], 32, 0),
        (layer("ZeroPadding2D", "l", padding=[[0, 1], [2, 3]]), [4, 4, 1], 45, 0),
        (layer("Cropping1D", "l", cropping=[1, 2]), [9, 2], 12, 0),
        (layer("UpSampling2D", "l", size=[2, 3]), [2, 2, 1], 24, 0),
        (layer("Reshape", "l", target_shape=[-1, 2]), [3, 4], 12, 0),
        (layer("Embedding", "l", output_dim=6), [5], 30, 0),
        (layer("GlobalMaxPooling2D", "l", keepdims=True), [3, 3, 2], 2, 0),
        (layer("Resizing", "l", height=2, width=3), [9, 9, 2], 12, None),
    ],
    ids=lambda value: value["class_name"] if isinstance(value, dict) else None,
)
def test_shapes_and_multiply_accumulates(
    tmp_path: Path, entry: dict[str, Any], taken: list[int], given: int, macs: int | None
) -> None:
    config = sequential(source("x", [None, *taken]), entry)
    (operator,) = read(archive(tmp_path / "m.keras", config, hdf5({}))).operators
    assert (operator.output_bytes, operator.macs) == (4 * given, macs)
    assert operator.input_bytes == 4 * int(np.prod(taken))


def test_attention_multiplies_projections_scores_and_sums(tmp_path: Path) -> None:
    query, value = [None, 10, 16], [None, 7, 12]
    attention = layer("MultiHeadAttention", "l", [tensor(query, "q"), tensor(value, "v")], num_heads=2, key_dim=8)
    inputs = [["q", 0, 0], ["v", 0, 0]]
    config = functional("m", [source("q", query), source("v", value), attention], inputs, [["l", 0, 0]])
    (operator,) = read(archive(tmp_path / "m.keras", config, hdf5({}))).operators
    projected = 10 * 16 * 16 + 2 * 7 * 12 * 16 + 10 * 16 * 16
    assert operator.macs == projected + 2 * 2 * 10 * 7 * 8
    assert operator.input_bytes == 4 * (160 + 84)


@pytest.mark.parametrize(
    ("policy", "dtype"),
    [
        ("mixed_bfloat16", "bfloat16"),
        ({"class_name": "DTypePolicy", "config": {"name": "float16"}}, "float16"),
        ({"class_name": "QuantizedDTypePolicy", "config": {"mode": "int8", "source_name": "mixed_float16"}}, "float16"),
        ("int8_from_float32", "float32"),
    ],
)
def test_activations_have_the_type_that_the_policy_computes_in(tmp_path: Path, policy: Any, dtype: str) -> None:
    config = sequential(
        source("x", [None, 3]), layer("Dense", "d", units=4) | {"config": {"units": 4, "dtype": policy}}
    )
    network = read(archive(tmp_path / "m.keras", config, hdf5({})))
    assert network.signatures[0].outputs[0].dtype == dtype
    assert network.operators[0].output_bytes == 4 * {"float32": 4}.get(dtype, 2)


def test_no_engine_is_imported_and_no_time_lost() -> None:
    code = (
        "import sys; from pathlib import Path; from profiler.modelfile.keras import archive;"
        "archive.read(Path(sys.argv[1]));"
        "print(sorted({'tensorflow', 'keras', 'h5py', 'jax', 'torch'} & set(sys.modules)))"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent.parent.parent.parent)}
    done = subprocess.run([sys.executable, "-c", code, SHIPPED], env=environment, capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[]\n", "")


def test_what_is_no_keras_file(tmp_path: Path) -> None:
    (tmp_path / "m.keras").write_bytes(b"a text")
    with pytest.raises(ProfilerError, match="not a Keras model"):
        keras_archive.read(tmp_path / "m.keras")
    with pytest.raises(ProfilerError, match="cannot be read"):
        keras_archive.read(tmp_path / "none.keras")


REAL = """
import sys
import numpy as np
import keras
L = keras.layers
i = keras.Input((16, 16, 3)); x = L.Conv2D(8, 3, strides=2, padding="same")(i); x = L.BatchNormalization()(x)
base = keras.Model(i, L.SeparableConv2D(12, 3)(L.ReLU(6.0)(x)), name="base")
i = keras.Input((16, 16, 3), name="image", dtype="uint8")
x = L.Dropout(0.2, seed=3)(L.GlobalAveragePooling2D()(base(L.Rescaling(1 / 127.5, -1)(i))))
d = L.Dense(12); x = keras.ops.relu(d(d(x)) + 1.0)
m = keras.Model(i, L.Dense(1, name="logit")(x))
m.compile("adam", "mse", metrics=["mae"])
m.train_on_batch(np.zeros((2, 16, 16, 3), "uint8"), np.zeros((2, 1)))
m.save(sys.argv[1] + "/m.keras"); m.save(sys.argv[1] + "/m.h5")
state = sum(int(np.prod(v.shape)) * np.dtype(v.dtype).itemsize for v in m.optimizer.variables)
print(m.count_params(), state)
"""


@pytest.mark.slow
def test_what_keras_saves_after_training(tmp_path: Path) -> None:
    pytest.importorskip("tensorflow")
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"}
    done = subprocess.run([sys.executable, "-c", REAL, tmp_path], env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    parameters, state = map(int, done.stdout.split()[-2:])
    for name in ("m.keras", "m.h5"):
        network = read(tmp_path / name)
        shares = kept(network)
        assert network.parameters == parameters
        assert shares["weights", "float32"] == network.weights_bytes == 4 * parameters
        assert shares["optimiser", "float32"] + shares["optimiser", "int64"] == state
        assert [op.output for op in network.operators] == [
            "rescaling", "base/conv2d", "base/batch_normalization", "base/re_lu", "base/separable_conv2d",
            "global_average_pooling2d", "dropout", "dense", "dense", "add", "relu", "logit",
        ]  # fmt: skip
        dense = 4 * (12 * 12 + 12)
        # The layer that is called twice reads its weights twice.
        assert sum(op.weight_bytes for op in network.operators) == network.weights_bytes + dense
        assert network.macs == 64 * 27 * 8 + 36 * 8 * (9 + 12) + 2 * 144 + 12
        assert network.arena_bytes == 768 * 4 + 64 * 8 * 4
