"""Makes small .tflite files with the schema's own builder: tensors and operators as given, nothing converted."""

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import flatbuffers
import numpy as np
import tflite

FLOAT32, INT32, INT8 = tflite.TensorType.FLOAT32, tflite.TensorType.INT32, tflite.TensorType.INT8


class T(NamedTuple):
    """A tensor.

    Attributes:
        data: Makes it a constant; an index of another tensor shares that one's buffer.
        signature: The shape with its open sizes.
    """

    shape: Sequence[int]
    type: int = FLOAT32
    data: np.ndarray | int | None = None
    name: str = ""
    scales: Sequence[float] = ()
    zeros: Sequence[int] = ()
    signature: Sequence[int] = ()
    variable: bool = False


class Op(NamedTuple):
    """An operator: its code, or a custom operator's name.

    Attributes:
        options: The schema's table of its settings, and the fields that are set.
    """

    code: int | str
    inputs: Sequence[int]
    outputs: Sequence[int]
    options: tuple[str, dict[str, Any]] | None = None


class Graph(NamedTuple):
    tensors: Sequence[T]
    ops: Sequence[Op]
    inputs: Sequence[int]
    outputs: Sequence[int]


class Signature(NamedTuple):
    """Names of inputs and outputs, with their tensors."""

    key: str
    inputs: dict[str, int]
    outputs: dict[str, int]
    graph: int = 0


def constant(*shape: int, dtype: Any = np.float32) -> np.ndarray:
    """Data with no zero in it, so that no byte passes for padding."""
    return np.full(shape, 1.9, np.float32).astype(dtype)


def model(
    *graphs: Graph,
    signatures: Sequence[Signature] = (),
    metadata: dict[str, bytes] | None = None,
    unused: Sequence[bytes] = (),
    old_codes: bool = False,
    far: bool = False,
) -> bytes:
    """The bytes of a file.

    Args:
        metadata: Name and content of each entry.
        unused: Contents of buffers that nothing names.
        far: Data stands behind the flatbuffer, as in files beyond 2 GiB, each from a multiple of 16 on.
        old_codes: Operators' codes stand in the byte-sized field alone, as writers of schema 3 left them.
    """
    near, contents = _flatbuffer(graphs, signatures, metadata or {}, unused, old_codes, 16 if far else None)
    if not far:
        return near
    # A place takes as many bytes wherever it is, so the second flatbuffer is as long as the first.
    whole = bytearray(_flatbuffer(graphs, signatures, metadata or {}, unused, old_codes, len(near))[0])
    for content, (at, _) in zip(contents, _places(contents, len(near)), strict=True):
        whole.extend(bytes(max(0, at - len(whole))) + content)
    return bytes(whole)


def _places(contents: Sequence[bytes], start: int) -> list[tuple[int, int]]:
    found = []
    for content in contents:
        at = -(-start // 16) * 16 if content else 0
        found.append((at, len(content)))
        start = at + len(content) if content else start
    return found


def _flatbuffer(
    graphs: Sequence[Graph],
    signatures: Sequence[Signature],
    metadata: dict[str, bytes],
    unused: Sequence[bytes],
    old_codes: bool,
    far_from: int | None,
) -> tuple[bytes, list[bytes]]:
    """The flatbuffer, and the contents of its buffers."""
    b = flatbuffers.Builder(1024)
    # Buffer 0 is empty by agreement.
    contents: list[bytes] = [b""]
    codes: list[int | str] = []
    subgraphs = [_graph(b, graph, contents, codes) for graph in graphs]
    entries = []
    for name, content in metadata.items():
        contents.append(content)
        entries.append(_table(b, "Metadata", Name=b.CreateString(name), Buffer=len(contents) - 1))
    contents.extend(unused)
    if far_from is None:
        buffers = [_table(b, "Buffer", Data=_bytes(b, content) if content else None) for content in contents]
    else:
        buffers = [_table(b, "Buffer", Offset=at, Size=size) for at, size in _places(contents, far_from)]
    fields = {
        "OperatorCodes": _tables(b, "Model", "OperatorCodes", [_code(b, code, old_codes) for code in codes]),
        "Subgraphs": _tables(b, "Model", "Subgraphs", subgraphs),
        "Buffers": _tables(b, "Model", "Buffers", buffers),
        "Description": b.CreateString("made"),
    }
    if entries:
        fields["Metadata"] = _tables(b, "Model", "Metadata", entries)
    if signatures:
        fields["SignatureDefs"] = _tables(b, "Model", "SignatureDefs", [_signature(b, one) for one in signatures])
    b.Finish(_table(b, "Model", Version=3, **fields), b"TFL3")
    return bytes(b.Output()), contents


def _graph(b: Any, graph: Graph, contents: list[bytes], codes: list[int | str]) -> int:
    places: list[int] = []
    for tensor in graph.tensors:
        if isinstance(tensor.data, int):
            places.append(places[tensor.data])
        elif tensor.data is None:
            places.append(0)
        else:
            contents.append(tensor.data.tobytes())
            places.append(len(contents) - 1)
    tensors = [_tensor(b, index, one, places[index]) for index, one in enumerate(graph.tensors)]
    ops = []
    for op in graph.ops:
        if op.code not in codes:
            codes.append(op.code)
        inputs, outputs = _ints(b, op.inputs), _ints(b, op.outputs)
        fields = {"OpcodeIndex": codes.index(op.code), "Inputs": inputs, "Outputs": outputs}
        if op.options:
            table, settings = op.options
            number = getattr(tflite.BuiltinOptions, table)
            fields |= {"BuiltinOptionsType": number, "BuiltinOptions": _table(b, table, **settings)}
        ops.append(_table(b, "Operator", **fields))
    return _table(
        b,
        "SubGraph",
        Tensors=_tables(b, "SubGraph", "Tensors", tensors),
        Inputs=_ints(b, graph.inputs),
        Outputs=_ints(b, graph.outputs),
        Operators=_tables(b, "SubGraph", "Operators", ops),
        Name=b.CreateString("main"),
    )


def _tensor(b: Any, index: int, tensor: T, place: int) -> int:
    quantisation = None
    if tensor.scales:
        quantisation = _table(
            b,
            "QuantizationParameters",
            Scale=b.CreateNumpyVector(np.array(tensor.scales, np.float32)),
            ZeroPoint=b.CreateNumpyVector(np.array(tensor.zeros, np.int64)) if tensor.zeros else None,
        )
    return _table(
        b,
        "Tensor",
        Shape=_ints(b, tensor.shape),
        Type=tensor.type,
        Buffer=place,
        Name=b.CreateString(tensor.name or f"tensor {index}"),
        Quantization=quantisation,
        IsVariable=tensor.variable,
        ShapeSignature=_ints(b, tensor.signature) if tensor.signature else None,
    )


def _code(b: Any, code: int | str, old: bool) -> int:
    if isinstance(code, str):
        custom = b.CreateString(code)
        number = tflite.BuiltinOperator.CUSTOM
        return _table(b, "OperatorCode", DeprecatedBuiltinCode=number, BuiltinCode=number, CustomCode=custom)
    return _table(b, "OperatorCode", DeprecatedBuiltinCode=min(code, 127), BuiltinCode=0 if old else code)


def _signature(b: Any, signature: Signature) -> int:
    ends = {}
    for end, names in (("Inputs", signature.inputs), ("Outputs", signature.outputs)):
        maps = [_table(b, "TensorMap", Name=b.CreateString(name), TensorIndex=i) for name, i in names.items()]
        ends[end] = _tables(b, "SignatureDef", end, maps)
    return _table(b, "SignatureDef", SignatureKey=b.CreateString(signature.key), SubgraphIndex=signature.graph, **ends)


def _bytes(b: Any, content: bytes) -> int:
    return int(b.CreateNumpyVector(np.frombuffer(content, np.uint8)))


def _ints(b: Any, numbers: Sequence[int]) -> int:
    return int(b.CreateNumpyVector(np.array(numbers, np.int32)))


def _tables(b: Any, table: str, field: str, places: Sequence[int]) -> int:
    _of(table, f"Start{field}Vector")(b, len(places))
    for place in reversed(places):
        b.PrependUOffsetTRelative(place)
    return int(b.EndVector())


def _table(b: Any, table: str, **fields: Any) -> int:
    _of(table, "Start")(b)
    for name, value in fields.items():
        if value is not None:
            _of(table, f"Add{name}")(b, value)
    return int(_of(table, "End")(b))


def _of(table: str, function: str) -> Callable[..., Any]:
    found: Callable[..., Any] = getattr(tflite, f"{table}{function}")
    return found
