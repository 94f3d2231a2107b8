"""What kind of numbers a model file's output is."""

import json
from pathlib import Path
from typing import Any

import pytest
import tflite as schema
from made_classifiers import CODES, ENDINGS, colours
from made_keras import archive, conv, functional, hdf5, layer, sequential, source, tensor
from made_tflite import INT8, Graph, Op, T, constant, model

from profiler import modelfile
from profiler.modelfile.output_kind import kind
from profiler.records import OutputKind

SAME = (CODES.RESHAPE, CODES.SQUEEZE, CODES.DEQUANTIZE, CODES.QUANTIZE, CODES.CAST)


@pytest.mark.parametrize("name", modelfile.DEFAULTS.values())
def test_the_shipped_models_end_in_a_plain_dense_layer(name: str) -> None:
    assert kind(modelfile.shipped(name)) == "logit"


@pytest.mark.parametrize(
    ("ending", "expected"),
    [("dense", "logit"), ("sigmoid", "sigmoid"), ("softmax", "softmax"), ("relu", None), ("mean", None)],
)
def test_the_last_operator(tmp_path: Path, ending: str, expected: OutputKind | None) -> None:
    assert set(ENDINGS) | {"mean"} >= {ending}
    assert kind(colours(tmp_path / "m.tflite", ending).path) == expected


@pytest.mark.parametrize("code", SAME)
def test_what_changes_shape_or_type_alone_is_looked_through(tmp_path: Path, code: int) -> None:
    softmax = Op(CODES.SOFTMAX, [0], [1], ("SoftmaxOptions", {"Beta": 1.0}))
    tensors = [T((1, 3)), T((1, 3)), T((3,)), T((3,))]
    path = tmp_path / "m.tflite"
    path.write_bytes(model(Graph(tensors, [softmax, Op(code, [1], [2]), Op(code, [2], [3])], [0], [3])))
    assert kind(path) == "softmax"


def test_the_operator_that_makes_the_output_and_not_the_last_in_the_file(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    tensors = [T((1, 3)), T((1, 3)), T((1, 3))]
    ops = [Op(CODES.LOGISTIC, [0], [1]), Op(CODES.SOFTMAX, [1], [2], ("SoftmaxOptions", {"Beta": 1.0}))]
    path.write_bytes(model(Graph(tensors, ops, [0], [1])))
    assert kind(path) == "sigmoid"


def test_a_convolution_over_one_place(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    tensors = [T((1, 1, 1, 8), INT8), T((3, 1, 1, 8), INT8, constant(3, 1, 1, 8, dtype="int8")), T((1, 1, 1, 3), INT8)]
    for fused, expected in ((0, "logit"), (schema.ActivationFunctionType.RELU6, None)):
        settings = {"StrideW": 1, "StrideH": 1, "FusedActivationFunction": fused}
        path.write_bytes(model(Graph(tensors, [Op(CODES.CONV_2D, [0, 1], [2], ("Conv2DOptions", settings))], [0], [2])))
        assert kind(path) == expected


def test_files_that_show_nothing(tmp_path: Path) -> None:
    path = tmp_path / "m.tflite"
    softmax = ("SoftmaxOptions", {"Beta": 1.0})
    two = Graph(
        [T((1, 3))] * 3,
        [Op(CODES.SOFTMAX, [0], [1], softmax), Op(CODES.SOFTMAX, [0], [2], softmax)],
        [0],
        [1, 2],
    )
    loop = Graph([T((1, 3))] * 2, [Op(CODES.RESHAPE, [1], [0]), Op(CODES.RESHAPE, [0], [1])], [0], [1])
    custom = Graph([T((1, 3))] * 2, [Op("Mine", [0], [1])], [0], [1])
    through = Graph([T((1, 3))], [], [0], [0])
    undressed = Graph([T((1, 3))] * 3, [Op(CODES.FULLY_CONNECTED, [0, 1], [2])], [0], [2])
    for graph in (two, loop, custom, through, undressed):
        path.write_bytes(model(graph))
        assert kind(path) is None
    path.write_bytes(path.read_bytes()[:100])
    assert kind(path) is None
    path.write_bytes(b"no model")
    assert kind(path) is None
    assert kind(tmp_path / "none.keras") is None


def kept(folder: Path, *layers: Any) -> Path:
    return archive(folder / "m.keras", sequential(source("image", [None, 4, 4, 3]), *layers), hdf5({}))


def dense(activation: object = "linear") -> Any:
    return layer("Dense", "last", units=3, activation=activation)


@pytest.mark.parametrize(
    ("layers", "expected"),
    [
        ([dense()], "logit"),
        ([dense("softmax")], "softmax"),
        ([dense("sigmoid")], "sigmoid"),
        ([dense("relu")], None),
        ([dense({"class_name": "Mine", "config": {}})], None),
        ([dense(), layer("Softmax", "s", axis=-1)], "softmax"),
        ([dense(), layer("Activation", "a", activation="sigmoid")], "sigmoid"),
        ([dense(), layer("Activation", "a", activation="linear")], "logit"),
        ([dense("softmax"), layer("Flatten", "f"), layer("Dropout", "d", rate=0.5)], "softmax"),
        ([conv("c", activation="linear", filters=3), layer("Reshape", "r", target_shape=[48])], "logit"),
        ([dense(), layer("GlobalAveragePooling2D", "g")], None),
        ([dense(), layer("Mine", "m", module="mine")], None),
        ([dense(), layer("Dense", "m", module="mine", units=3, activation="softmax")], None),
    ],
)
def test_the_last_layer_of_an_archive(tmp_path: Path, layers: list[Any], expected: OutputKind | None) -> None:
    assert kind(kept(tmp_path, *layers)) == expected


def test_the_layer_that_makes_the_output_of_a_functional_model(tmp_path: Path) -> None:
    layers = [
        source("image", [None, 8]),
        layer("Dense", "answer", [tensor([None, 8], "image")], units=3, activation="softmax"),
        layer("Dense", "aside", [tensor([None, 3], "answer")], units=2, activation="sigmoid"),
    ]
    config = functional("m", layers, [["image", 0, 0]], [["answer", 0, 0]])
    assert kind(archive(tmp_path / "m.keras", config, hdf5({}))) == "softmax"
    both = functional("m", layers, [["image", 0, 0]], [["answer", 0, 0], ["aside", 0, 0]])
    assert kind(archive(tmp_path / "m.keras", both, hdf5({}))) is None


def test_the_older_file(tmp_path: Path) -> None:
    config = json.dumps(sequential(source("image", [None, 4, 4, 3]), dense("sigmoid"))).encode()
    path = tmp_path / "m.h5"
    path.write_bytes(hdf5({}, {"model_config": config}))
    assert kind(path) == "sigmoid"
    path.write_bytes(hdf5({}))
    assert kind(path) is None
