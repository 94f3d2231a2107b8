import math
import subprocess
import sys
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tflite as schema
from hypothesis import given
from hypothesis import strategies as st
from made_tflite import FLOAT32, INT8, INT32, Graph, Op, Signature, T, constant, model

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.modelfile import arena
from profiler.modelfile.tflite import reader
from profiler.modelfile.tflite.arena import activations, workspace
from profiler.modelfile.tflite.flatbuffer import share_out
from profiler.records import Network, Operator, from_json, to_json

SHIPPED = modelfile.shipped("cat-dog-mnv2.tflite")
CODE: Any = schema.BuiltinOperator
FLOAT16 = schema.TensorType.FLOAT16
MADE = Path("made.tflite")
MIB = 2**20


def read(data: bytes) -> Network:
    return reader.parse(memoryview(data), MADE)


def read_one(tensors: list[T], code: int | str, inputs: list[int], outputs: list[int]) -> Network:
    """A network of one operator, whose inputs without data are the network's."""
    given = [index for index in inputs if index >= 0 and tensors[index].data is None]
    return read(model(Graph(tensors, [Op(code, inputs, outputs)], given, outputs)))


def sizes(found: Network) -> dict[tuple[str, str], int]:
    assert sum(share.size_bytes for share in found.shares) == found.size_bytes
    return {(share.kind, share.what): share.size_bytes for share in found.shares}


def touched(operator: Operator) -> tuple[int | None, int, int | None]:
    return operator.input_bytes, operator.weight_bytes, operator.output_bytes


@pytest.fixture(scope="module")
def shipped() -> Network:
    return reader.read(SHIPPED)


# MobileNetV2: expansion, output channels, repeats and first stride of each group of blocks; Sandler et al., table 2.
BLOCKS = ((1, 16, 1, 1), (6, 24, 2, 2), (6, 32, 3, 2), (6, 64, 4, 2), (6, 96, 3, 1), (6, 160, 3, 2), (6, 320, 1, 1))


def mobilenet_v2_macs(side: int, classes: int) -> int:
    """By the paper's layers: a 3x3 convolution, the blocks, a 1x1 convolution to 1280 channels, and a dense layer."""
    side, channels = math.ceil(side / 2), 32
    total = side**2 * 3 * 3 * 3 * channels
    for expansion, output, repeats, first_stride in BLOCKS:
        for stride in (first_stride, *[1] * (repeats - 1)):
            wide = channels * expansion
            total += side**2 * channels * wide if expansion > 1 else 0
            side = math.ceil(side / stride)
            total += side**2 * (3 * 3 * wide + wide * output)
            channels = output
    return total + side**2 * channels * 1280 + 1280 * classes


def test_the_formula_agrees_with_the_paper() -> None:
    # Table 4 of Sandler et al.: 300 million multiply-adds at 224 pixels.
    assert mobilenet_v2_macs(224, 1000) == pytest.approx(300e6, rel=0.005)


def test_the_shipped_model(shipped: Network) -> None:
    assert shipped.size_bytes == SHIPPED.stat().st_size == 2_650_632
    assert shipped.macs == mobilenet_v2_macs(150, 1) == 146_447_568
    assert len(shipped.operators) == 67
    (signature,) = shipped.signatures
    assert signature.key == "serving_default"
    assert [(port.name, port.shape, port.dtype) for port in signature.inputs] == [("image", (1, 150, 150, 3), "uint8")]
    assert [(port.name, port.shape, port.dtype) for port in signature.outputs] == [("logit", (1, 1), "float32")]


def test_the_shipped_models_bytes(shipped: Network) -> None:
    found = sizes(shipped)
    assert set(found) == {
        ("weights", "int8"),
        ("weights", "float32"),
        ("weights", "int32"),
        ("metadata", "entries"),
        ("graph", "scales and zero points"),
        ("graph", "structure"),
        ("padding", "zeros between objects"),
    }
    assert shipped.weights_bytes == sum(size for (kind, _), size in found.items() if kind == "weights")
    assert shipped.weights_bytes == sum(operator.weight_bytes for operator in shipped.operators)
    # The two axes of the mean.
    assert found["weights", "int32"] == 2 * 4
    assert found["padding", "zeros between objects"] < 1024


def test_the_shipped_models_parameters(shipped: Network) -> None:
    # Of the card's 2,259,265, four numbers a channel of 17,056 normalised channels are folded into one; the rescaling
    # of the image has two numbers.
    assert shipped.parameters == 2_259_265 - 3 * 17_056 + 2


def test_the_shipped_models_largest_operators(shipped: Network) -> None:
    widest = max(shipped.operators, key=lambda operator: operator.working_set_bytes or 0)
    assert (widest.name, widest.activations, widest.weights) == ("DEPTHWISE_CONV_2D", "float32", "float32")
    assert widest.input_bytes == 75 * 75 * 96 * 4
    heaviest = max(shipped.operators, key=lambda operator: operator.weight_bytes)
    assert (heaviest.name, heaviest.weights, heaviest.macs) == ("CONV_2D", "int8", 5 * 5 * 320 * 1280)
    assert touched(heaviest) == (5 * 5 * 320 * 4, 320 * 1280 + 1280 * 4, 5 * 5 * 1280 * 4)


def test_the_shipped_models_activations(shipped: Network) -> None:
    # Input and output of the widest depthwise convolution; the plan keeps the image and the logit besides.
    assert shipped.least_bytes == (75 * 75 + 38 * 38) * 96 * 4
    assert shipped.arena_bytes is not None
    assert shipped.least_bytes + 150 * 150 * 3 <= shipped.arena_bytes <= shipped.least_bytes + 150 * 150 * 3 + 2 * 64
    assert shipped.working_set_bytes == shipped.weights_bytes + shipped.arena_bytes
    assert any("49 operators" in note and "4,882,596" in note for note in shipped.notes)


def test_reading_imports_no_engine() -> None:
    code = (
        "import sys; from pathlib import Path; from profiler.modelfile.tflite import reader as tflite; "
        f"tflite.read(Path({str(SHIPPED)!r})); "
        "print([name for name in ('tensorflow', 'keras', 'ai_edge_litert', 'tflite_runtime') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_all_that_a_file_can_hold_is_accounted() -> None:
    data = model(
        Graph(
            [
                T([1, 5]),
                T([7, 5], INT8, constant(7, 5, dtype=np.int8)),
                T([7], data=constant(7)),
                T([1, 7]),
                T([3], data=constant(3)),
            ],
            [Op(CODE.FULLY_CONNECTED, [0, 1, 2], [3])],
            [0],
            [3],
        ),
        metadata={"version": b"x" * 21},
        unused=[b"y" * 13],
    )
    found = sizes(read(data))
    assert (found["weights", "int8"], found["weights", "float32"]) == (35, 28)
    # A constant that no operator reads, and a buffer that not even a tensor names.
    assert found["graph", "constants that no operator reads"] == 3 * 4 + 13
    assert found["metadata", "entries"] > 21 + len("version")
    assert ("padding", "unreferenced") not in found


def test_padding_can_be_anything() -> None:
    """Whatever stands in bytes that are called padding, the network is the same."""
    data = model(Graph([T([3]), T([3], data=constant(3)), T([3])], [Op(CODE.ADD, [0, 1], [2])], [0], [2]))
    plain = read(data)
    gaps = share_out(len(data), list(reader.File(memoryview(data)).walk.claims.items()))[1]
    assert gaps
    for start, stop in gaps:
        changed = read(data[:start] + b"\xff" * (stop - start) + data[stop:])
        assert (changed.operators, changed.signatures) == (plain.operators, plain.signatures)
        assert sizes(changed)["padding", "unreferenced"] == stop - start
        assert any(f"Nothing refers to {stop - start} bytes" in note for note in changed.notes)


def test_what_hangs_on_the_file_is_named() -> None:
    data = model(Graph([T([3])], [], [0], [0]))
    assert sizes(read(data + b"\1\2\3"))["padding", "unreferenced"] == 3


def test_files_attached_as_a_zip_archive_are_metadata(tmp_path: Path) -> None:
    path = tmp_path / "labelled.tflite"
    data = model(Graph([T([3])], [], [0], [0]))
    path.write_bytes(data)
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr("labels.txt", "cat\ndog\n")
    found = reader.read(path)
    assert sizes(found)["metadata", "attached files"] == path.stat().st_size - len(data)
    assert not found.notes


def test_data_behind_the_flatbuffer_counts_as_weights() -> None:
    graph = Graph([T([3]), T([3], data=constant(3)), T([3])], [Op(CODE.ADD, [0, 1], [2])], [0], [2])
    near, away = read(model(graph)), read(model(graph, far=True))
    assert sizes(away)["weights", "float32"] == sizes(near)["weights", "float32"] == 12
    assert (near.operators, near.parameters) == (away.operators, away.parameters)
    assert ("padding", "unreferenced") not in sizes(away)


def test_a_shared_constant_is_counted_once_for_the_file_and_for_each_operator() -> None:
    tensors = [T([4]), T([4], data=constant(4)), T([4], data=1), T([4]), T([4])]
    found = read(model(Graph(tensors, [Op(CODE.ADD, [0, 1], [3]), Op(CODE.MUL, [3, 2], [4])], [0], [4])))
    assert (found.weights_bytes, found.parameters) == (16, 4)
    assert [touched(operator) for operator in found.operators] == [(16, 16, 16)] * 2


def test_a_tensor_read_twice_by_an_operator_is_touched_once() -> None:
    (operator,) = read_one([T([4]), T([4])], CODE.MUL, [0, 0], [1]).operators
    assert touched(operator) == (16, 0, 16)
    assert (operator.activations, operator.weights, operator.macs) == ("float32", None, 0)


def test_axes_and_shapes_are_weights_but_no_parameters() -> None:
    tensors = [T([2, 3]), T([1], INT32, np.array([1], np.int32)), T([2])]
    found = read_one(tensors, CODE.SUM, [0, 1], [2])
    assert (found.weights_bytes, found.parameters) == (4, 0)


@pytest.mark.parametrize(
    ("code", "shapes", "output", "macs"),
    [
        (CODE.CONV_2D, ([1, 8, 8, 3], [16, 3, 3, 3], [16]), [1, 4, 4, 16], 4 * 4 * 16 * 3 * 3 * 3),
        # Two groups: a filter sees half of the channels.
        (CODE.CONV_2D, ([1, 8, 8, 4], [6, 3, 3, 2]), [1, 8, 8, 6], 8 * 8 * 6 * 3 * 3 * 2),
        (CODE.DEPTHWISE_CONV_2D, ([2, 8, 8, 4], [1, 5, 5, 8], [8]), [2, 8, 8, 8], 2 * 8 * 8 * 8 * 5 * 5),
        (CODE.FULLY_CONNECTED, ([3, 20], [7, 20], [7]), [3, 7], 3 * 7 * 20),
        (CODE.TRANSPOSE_CONV, ([4], [5, 3, 3, 2], [1, 4, 4, 2]), [1, 8, 8, 5], 4 * 4 * 2 * 3 * 3 * 5),
        (CODE.BATCH_MATMUL, ([2, 3, 4], [2, 4, 5]), [2, 3, 5], 2 * 3 * 5 * 4),
        (CODE.BATCH_MATMUL, ([2, 4, 3], [2, 4, 5]), [2, 3, 5], 2 * 3 * 5 * 4),
        (CODE.CONV_3D, ([1, 4, 4, 4, 2], [3, 3, 3, 2, 6]), [1, 4, 4, 4, 6], 4**3 * 6 * 3**3 * 2),
        (CODE.MAX_POOL_2D, ([1, 4, 4, 2],), [1, 2, 2, 2], 0),
        (CODE.RESHAPE, ([4, 4],), [16], 0),
        (CODE.WHILE, ([4],), [4], None),
        (CODE.UNIDIRECTIONAL_SEQUENCE_LSTM, ([1, 4, 4],), [1, 4, 4], None),
        ("Own", ([4],), [4], None),
        (209, ([4],), [4], None),
        # Not what the operator takes.
        (CODE.CONV_2D, ([1, 8, 8, 3],), [1, 4, 4, 16], None),
        (CODE.CONV_2D, ([1, 8, 8, 3], [16, 27]), [1, 4, 4, 16], None),
        (CODE.BATCH_MATMUL, ([4], [4]), [1], None),
    ],
)
def test_multiply_accumulates(
    code: int | str, shapes: tuple[list[int], ...], output: list[int], macs: int | None
) -> None:
    tensors = [*(T(shape) for shape in shapes), T(output)]
    (operator,) = read_one(tensors, code, list(range(len(shapes))), [len(shapes)]).operators
    assert operator.macs == macs


def test_more_multiply_accumulates_than_a_number_holds_are_not_known() -> None:
    tensors = [T([2**19, 2**20]), T([2**20, 2**20]), T([2**19, 2**20])]
    assert read_one(tensors, CODE.FULLY_CONNECTED, [0, 1], [2]).macs == 2**59
    tensors = [T([2**20, 2**20]), T([1, 2**30]), T([2**20, 2**20])]
    (operator,) = read_one(tensors, CODE.FULLY_CONNECTED, [0, 1], [2]).operators
    assert operator.macs is None


def test_an_operator_without_what_it_needs_is_listed_with_what_it_has() -> None:
    tensors = [T([1, 5]), T([7, 5], INT8, constant(7, 5, dtype=np.int8))]
    for inputs, outputs in (([], []), ([0], []), ([0, 1], []), ([0, 1], [-1]), ([-1, -1], [0])):
        found = read(model(Graph(tensors, [Op(CODE.FULLY_CONNECTED, inputs, outputs)], [0], [0])))
        (operator,) = found.operators
        assert operator.macs is None
        assert touched(operator) == (20 if 0 in inputs else 0, 35 if 1 in inputs else 0, 20 if 0 in outputs else 0)
        assert not found.notes


def test_an_absent_optional_input_is_no_tensor() -> None:
    (operator,) = read_one(
        [T([1, 5]), T([7, 5], data=constant(7, 5)), T([1, 7])], CODE.FULLY_CONNECTED, [0, 1, -1], [2]
    ).operators
    assert touched(operator) == (20, 140, 28)


def test_a_custom_operator_has_its_own_name() -> None:
    (operator,) = read_one([T([4]), T([4])], "Own", [0], [1]).operators
    assert (operator.name, operator.custom, operator.output) == ("Own", True, "tensor 1")


def test_an_operator_newer_than_the_schema_has_its_number() -> None:
    (operator,) = read_one([T([4]), T([4])], 209, [0], [1]).operators
    assert (operator.name, operator.custom) == ("operator 209", False)


def test_codes_are_read_from_either_field() -> None:
    graph = Graph([T([4]), T([4])], [Op(CODE.ABS, [0], [1])], [0], [1])
    for old_codes in (False, True):
        assert read(model(graph, old_codes=old_codes)).operators[0].name == "ABS"
    # Beyond a byte, the old field says only that the new one has it.
    graph = Graph([T([4]), T([4])], [Op(CODE.GELU, [0], [1])], [0], [1])
    assert read(model(graph)).operators[0].name == "GELU"


@pytest.mark.parametrize(
    ("number", "name", "size"),
    [
        (schema.TensorType.BFLOAT16, "bfloat16", 10),
        (schema.TensorType.INT4, "int4", 3),
        (schema.TensorType.BOOL, "bool", 5),
        (19, "int2", 2),
        (20, "uint4", 3),
        (21, "float8_e4m3fn", 5),
        (22, "float8_e5m2", 5),
        (99, "type 99", 0),
        (schema.TensorType.STRING, "string", 0),
    ],
)
def test_types_of_tensors(number: int, name: str, size: int) -> None:
    found = read_one([T([5], number), T([5], number)], CODE.ABS, [0], [1])
    assert found.operators[0].activations == found.signatures[0].inputs[0].dtype == name
    assert touched(found.operators[0]) == (size, 0, size)
    assert any("no fixed size" in note for note in found.notes) == (size == 0)


def test_float16_constants_that_are_unpacked_are_counted_once_each() -> None:
    tensors = [
        T([1, 6]),
        T([4, 6], FLOAT16, constant(4, 6, dtype=np.float16)),
        T([4, 6]),
        T([1, 4]),
    ]
    ops = [Op(CODE.DEQUANTIZE, [1], [2]), Op(CODE.FULLY_CONNECTED, [0, 2], [3])]
    found = read(model(Graph(tensors, ops, [0], [3])))
    unpack, dense = found.operators
    assert (touched(unpack), unpack.weights, unpack.activations) == ((0, 48, 0), "float16", "")
    assert (touched(dense), dense.weights, dense.activations, dense.macs) == ((24, 96, 16), "float32", "float32", 24)
    assert (found.weights_bytes, found.parameters) == (48, 24)
    # The network's input and output alone.
    assert (found.arena_bytes, found.least_bytes) == (64 + 16, 24 + 16)
    assert any("1 DEQUANTIZE" in note and "96 bytes" in note for note in found.notes)


def test_what_is_unpacked_of_an_input_is_an_activation() -> None:
    (operator,) = read_one([T([5], INT8), T([5])], CODE.DEQUANTIZE, [0], [1]).operators
    assert touched(operator) == (5, 0, 20)


def test_signatures_have_their_own_names_and_quantisation() -> None:
    tensors = [
        T([1, 4], INT8, scales=[0.5], zeros=[-3], signature=[-1, 4]),
        T([1, 4], scales=[0.25, 0.5, 1.0, 2.0]),
    ]
    graph = Graph(tensors, [Op(CODE.ABS, [0], [1])], [0], [1])
    found = read(model(graph, signatures=[Signature("first", {"a": 0}, {"b": 1}), Signature("second", {"c": 0}, {})]))
    assert [signature.key for signature in found.signatures] == ["first", "second"]
    (port,) = found.signatures[0].inputs
    assert (port.name, port.shape, port.dtype, port.scales, port.zero_points) == ("a", (-1, 4), "int8", (0.5,), (-3,))
    (port,) = found.signatures[0].outputs
    assert (port.name, port.scales, port.zero_points) == ("b", (0.25, 0.5, 1.0, 2.0), (0, 0, 0, 0))
    assert found.signatures[1].outputs == ()
    assert any("batch of one" in note for note in found.notes)


def test_without_signatures_the_graphs_own_ends_are_one() -> None:
    found = read_one([T([2], name="left"), T([2], name="right"), T([2], name="sum")], CODE.ADD, [0, 1], [2])
    (signature,) = found.signatures
    assert signature.key == ""
    assert [port.name for port in signature.inputs] == ["left", "right"]
    assert [port.name for port in signature.outputs] == ["sum"]


def test_further_graphs_count_with_their_constants_only() -> None:
    main = Graph([T([4]), T([4])], [Op(CODE.IF, [0], [1])], [0], [1])
    branch = Graph([T([4]), T([4], data=constant(4)), T([4])], [Op(CODE.ADD, [0, 1], [2])], [0], [2])
    found = read(model(main, branch, branch, signatures=[Signature("of a branch", {"in": 0}, {"out": 2}, graph=1)]))
    assert [operator.name for operator in found.operators] == ["IF"]
    assert found.weights_bytes == 2 * 16
    assert found.signatures[0].outputs[0].name == "out"
    assert any("first of 3 graphs" in note for note in found.notes)


def test_state_is_not_in_the_arena() -> None:
    tensors = [T([4]), T([100], variable=True), T([4])]
    found = read(model(Graph(tensors, [Op("Own", [0, 1], [2])], [0], [2])))
    assert found.arena_bytes == 64 + 16
    assert any("400 bytes of state" in note for note in found.notes)


def test_an_addition_takes_the_place_of_what_nothing_else_reads() -> None:
    def arena_of(*ops: Op) -> int | None:
        return read(
            model(Graph([T([16])] * 8, [Op(CODE.FLOOR, [0], [1]), Op(CODE.CEIL, [0], [2]), *ops], [0], [7]))
        ).arena_bytes

    # The input stays; beside it are two tensors: the sum replaces one, and the output comes into the other's place.
    assert arena_of(Op(CODE.ADD, [1, 2], [3]), Op(CODE.FLOOR, [3], [7])) == 3 * 64
    # What is read again is not replaced: two sums have places of their own.
    assert arena_of(Op(CODE.ADD, [1, 2], [3]), Op(CODE.MUL, [1, 2], [4]), Op(CODE.ADD, [3, 4], [7])) == 5 * 64
    # A maximum is not done in place.
    assert arena_of(Op(CODE.MAXIMUM, [1, 2], [3]), Op(CODE.FLOOR, [3], [7])) == 4 * 64


def test_a_reshaped_tensor_lives_on_in_its_place() -> None:
    shape = T([2], INT32, np.array([4, 4], np.int32))
    tensors = [T([16]), T([16]), shape, T([4, 4]), T([16]), T([16])]
    ops = [
        Op(CODE.FLOOR, [0], [1]),
        Op(CODE.RESHAPE, [1, 2], [3]),
        Op(CODE.FLOOR, [1], [4]),
        Op(CODE.MAXIMUM, [3, 4], [5]),
    ]
    found = read(model(Graph(tensors, ops, [0], [5])))
    assert found.arena_bytes == 4 * 64
    assert found.least_bytes == 3 * 64


def test_too_many_activations_are_not_planned(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reader, "PLANNED", 1)
    found = read_one([T([4]), T([4])], CODE.ABS, [0], [1])
    assert (found.arena_bytes, found.least_bytes, found.arena_how) == (None, 32, "not planned: 2 activations")


@pytest.mark.parametrize(
    "content", [b"", b"TFL3", b"\x89PNG\r\n\x1a\n" * 9, b"PK\x03\x04" + bytes(90), b"some text, no model"]
)
def test_another_file_is_told(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "other.tflite"
    path.write_bytes(content)
    with pytest.raises(ProfilerError, match=r"is not a \.tflite model"):
        reader.read(path)


def test_no_file_is_told(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent.tflite"):
        with pytest.raises(ProfilerError, match="cannot be read"):
            reader.read(path)


RICH = model(
    Graph(
        [
            T([1, 6], INT8, scales=[0.5], zeros=[1], signature=[-1, 6]),
            T([4, 6], FLOAT16, constant(4, 6, dtype=np.float16)),
            T([4, 6]),
            T([1, 6]),
            T([1, 4], name="a longer name"),
            T([2], INT32, np.array([2, 2], np.int32)),
            T([2, 2]),
        ],
        [
            Op(CODE.DEQUANTIZE, [1], [2]),
            Op(CODE.DEQUANTIZE, [0], [3]),
            Op(CODE.FULLY_CONNECTED, [3, 2, -1], [4]),
            Op(CODE.RESHAPE, [4, 5], [6]),
            Op("Own", [6], []),
        ],
        [0],
        [6],
    ),
    Graph([T([2]), T([2])], [Op(CODE.ABS, [0], [1])], [0], [1]),
    signatures=[Signature("serve", {"x": 0}, {"y": 6})],
    metadata={"version": b"1.2"},
    unused=[b"unused"],
)


def told(data: bytes) -> Network | str:
    """The network, or why it is refused."""
    try:
        return read(data)
    except ProfilerError as error:
        return str(error)


def check_read_or_refused(data: bytes) -> None:
    """What is said of damaged bytes adds up and can be stored, or they are refused in a line."""
    found = told(data)
    if isinstance(found, str):
        assert "\n" not in found
    else:
        sizes(found)
        assert from_json(Network, to_json(found)) == found


def test_a_whole_file_is_read_and_no_part_of_it() -> None:
    assert read(RICH).notes
    check_read_or_refused(RICH)
    for length in range(len(RICH)):
        with pytest.raises(ProfilerError, match=r"made\.tflite is a truncated or damaged"):
            read(RICH[:length])


@given(st.lists(st.tuples(st.integers(8, len(RICH) - 1), st.integers(0, 255)), min_size=1, max_size=6))
def test_changed_bytes_are_read_or_refused(changes: list[tuple[int, int]]) -> None:
    data = bytearray(RICH)
    for place, value in changes:
        data[place] = value
    check_read_or_refused(bytes(data))


WORDS = [0, 1, 2, 2**16, 2**31 - 1, 2**31, 2**32 - 1, 2**32 - 4, len(RICH), len(RICH) - 4]


@given(
    st.integers(0, len(RICH) // 4 - 1),
    st.sampled_from(WORDS),
    st.integers(0, len(RICH) // 4 - 1),
    st.integers(0, 2**32 - 1),
)
def test_changed_words_are_read_or_refused(place: int, word: int, other: int, value: int) -> None:
    data = bytearray(RICH)
    data[4 * place : 4 * place + 4] = word.to_bytes(4, "little")
    data[4 * other : 4 * other + 4] = value.to_bytes(4, "little")
    check_read_or_refused(bytes(data))


@pytest.mark.parametrize(
    "graph",
    [
        Graph([T([4])], [Op(CODE.ABS, [0], [1])], [0], [0]),
        Graph([T([4])], [Op(CODE.ABS, [-2], [0])], [0], [0]),
        Graph([T([4])], [], [0], [7]),
        Graph([T([4])], [], [-1], [0]),
        Graph([T([2**21, 2**21])], [], [0], [0]),
        Graph([T([-2])], [], [0], [0]),
        Graph([T([1] * 65)], [], [0], [0]),
        Graph([T([4], scales=[math.nan])], [], [0], [0]),
    ],
)
def test_what_cannot_be_is_refused(graph: Graph) -> None:
    with pytest.raises(ProfilerError, match="damaged"):
        read(model(graph))


def test_signatures_of_what_is_not_there_are_refused() -> None:
    graph = Graph([T([4])], [], [0], [0])
    for signature in (Signature("", {"a": 1}, {}), Signature("", {"a": 0}, {}, graph=1)):
        with pytest.raises(ProfilerError, match="damaged"):
            read(model(graph, signatures=[signature]))


def test_a_model_without_a_graph_is_refused() -> None:
    with pytest.raises(ProfilerError, match="has no graph"):
        read(model())


def test_one_name_as_long_as_the_file_is_cut() -> None:
    found = read_one([T([4]), T([4], name="n" * MIB)], CODE.ABS, [0], [1])
    assert found.operators[0].output == "n" * 1000


def test_one_long_list_for_all_operators_is_refused() -> None:
    # 1.1 million numbers in all; a hostile writer would let all operators share one list.
    graph = Graph([T([4]), T([4])], [Op(CODE.ADD_N, [0] * 100_000, [1])] * 11, [0], [1])
    with pytest.raises(ProfilerError, match="far more"):
        read(model(graph))


def test_tensors_can_be_empty() -> None:
    found = read_one([T([0, 4]), T([0, 4], FLOAT32)], CODE.ABS, [0], [1])
    assert (found.arena_bytes, found.least_bytes) == (0, 0)


def real(data: bytes) -> tuple[dict[int, tuple[int, int]], Any]:
    """Where the interpreter, without a delegate, holds each tensor: address and bytes, by index."""
    litert = pytest.importorskip("ai_edge_litert.interpreter")
    interpreter = litert.Interpreter(
        model_content=data,
        num_threads=1,
        experimental_op_resolver_type=litert.OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
    )
    interpreter.allocate_tensors()
    found = {}
    for detail in interpreter.get_tensor_details():
        try:
            view = interpreter.tensor(detail["index"])()
        except ValueError:
            # It has no memory of its own.
            continue
        found[detail["index"]] = (view.__array_interface__["data"][0], view.nbytes)
    return found, interpreter


def extent(data: bytes) -> int:
    """Bytes from the first to the last of the activations that the interpreter planned, those of the file's graph."""
    file = reader.File(memoryview(data))
    (graph, *_) = file.graphs
    made = {*graph.inputs, *(index for step in graph.steps for index in step.outputs)}
    held, _interpreter = real(data)
    spans = [held[index] for index in made if index in held and not graph.constant(index)]
    return max(address + size for address, size in spans) - min(address for address, _ in spans)


OPS = st.sampled_from(["FLOOR", "ADD", "SUB", "MAXIMUM", "RESHAPE", "SLICE", "SOFTMAX"])


@st.composite
def graphs(draw: st.DrawFn) -> Graph:
    """Chains with branches, of vectors that become shorter; each operator reads what was made shortly before."""
    tensors, ops, sizes = [T([900])], [], {0: 900}
    for _ in range(draw(st.integers(3, 14))):
        kind = draw(OPS)
        read = draw(st.sampled_from(list(sizes)[-4:]))
        inputs, size = [read], sizes[read]
        if kind in {"ADD", "SUB", "MAXIMUM"}:
            inputs.append(draw(st.sampled_from([index for index, other in sizes.items() if other == size])))
        elif kind == "RESHAPE":
            tensors.append(T([1], INT32, np.array([size], np.int32)))
            inputs.append(len(tensors) - 1)
        elif kind == "SLICE":
            size = draw(st.integers(1, size))
            tensors.extend(T([1], INT32, np.array([number], np.int32)) for number in (0, size))
            inputs.extend((len(tensors) - 2, len(tensors) - 1))
        tensors.append(T([size]))
        sizes[len(tensors) - 1] = size
        ops.append(Op(getattr(CODE, kind), inputs, [len(tensors) - 1]))
    return Graph(tensors, ops, [0], [len(tensors) - 1])


@pytest.mark.slow
@given(graphs())
def test_the_plan_is_the_interpreters(graph: Graph) -> None:
    data = model(graph)
    assert read(data).arena_bytes == extent(data)


@pytest.mark.slow
def test_the_plan_of_the_float32_form_is_the_interpreters() -> None:
    tensorflow = pytest.importorskip("tensorflow")
    keras_model = tensorflow.keras.models.load_model(modelfile.shipped("cat-dog-mnv2.keras"))
    data = tensorflow.lite.TFLiteConverter.from_keras_model(keras_model).convert()
    found = read(data)
    assert found.macs == mobilenet_v2_macs(150, 1)
    assert not [share for share in found.shares if share.what == "unreferenced"]
    assert found.arena_bytes == extent(data)


@pytest.mark.slow
def test_the_plan_of_the_shipped_model_is_the_interpreters_but_for_its_temporaries() -> None:
    data = SHIPPED.read_bytes()
    (graph,) = reader.File(memoryview(data)).graphs
    held = activations(graph)[1]
    besides = workspace(graph)
    total = arena.planned([*held, *besides])
    places, _interpreter = real(data)
    base, _ = places[graph.inputs[0]]
    inside = [(address - base, size) for address, size in places.values() if base <= address < base + total]
    # The arena ends where the plan with the temporaries ends, and they are what is in it besides.
    assert max(start + size for start, size in inside) == total
    made = {*graph.inputs, *(index for step in graph.steps for index in step.outputs)}
    assert all(base <= places[index][0] < base + total for index in made)
    assert arena.planned(held) < total
    # The first convolution unrolls its input, and the mean has three small ones.
    others = [4 * 75 * 75 * 27, 4 * 4, 2 * 4, 1280 * 4]
    temporaries = [
        size for index, (address, size) in places.items() if index not in made and 0 <= address - base < total
    ]
    assert sorted(temporaries) == sorted([*(buffer.size_bytes for buffer in besides), *others])
