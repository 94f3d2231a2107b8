"""The graphs of a .tflite file: tensors, and the steps that an engine takes."""

import math
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from profiler.modelfile import dtypes
from profiler.modelfile.tflite.flatbuffer import LETTERS, Allowance, Damaged, names

TYPES = {19: "int2", 20: "uint4", 21: "float8_e4m3fn", 22: "float8_e5m2"}
"""Types of tensors that are newer than the package's schema."""
LARGEST = 2**40
"""Elements of a tensor; a shape that says more is damaged."""
RANK = 64
"""Dimensions of a tensor, likewise."""
NAME_BYTES = 1000
"""What is read of a name."""

FOLDED = frozenset({"DEQUANTIZE", "DENSIFY"})
"""Operators that LiteRT runs once where their input is a constant, and whose output it keeps for good beside the arena
(dequantize.cc, densify.cc)."""


class TfliteTensor(NamedTuple):
    """A tensor of a graph.

    Attributes:
        raw: The schema's object.
        name: Cut off after `NAME_BYTES`.
        shape: With 1 for a size that is open.
        buffer: Index of its buffer in the file.
        constant_bytes: Of its buffer's data; 0 where it is no constant.
        size_bytes: By shape and type; 0 where values have no fixed size.
        open: It has a size that is open.
        variable: State that is kept from one inference to the next.
    """

    raw: Any
    name: str
    shape: tuple[int, ...]
    dtype: str
    buffer: int
    constant_bytes: int
    size_bytes: int
    open: bool
    variable: bool

    @property
    def elements(self) -> int:
        return math.prod(self.shape)


class Step(NamedTuple):
    """An operator as it stands in a graph.

    Attributes:
        name: Of a custom operator, its own; `operator 209` for one that is newer than the schema.
        inputs: Indices of tensors; -1 for an optional one that is absent.
    """

    name: str
    custom: bool
    unnamed: bool
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]


class TfliteGraph(NamedTuple):
    """A subgraph.

    Attributes:
        copies: Tensors that LiteRT makes of constants once, and keeps.
    """

    tensors: tuple[TfliteTensor, ...]
    steps: tuple[Step, ...]
    inputs: tuple[int, ...]
    outputs: tuple[int, ...]
    copies: frozenset[int]

    def constant(self, index: int) -> bool:
        """Whether a tensor is the same in every inference."""
        return self.tensors[index].constant_bytes > 0 or index in self.copies


class Reader:
    """Takes graphs from a file.

    Args:
        schema: The package `tflite`.
        buffers: Bytes of data of each of the file's buffers.
    """

    def __init__(self, schema: Any, model: Any, buffers: Sequence[int], allowance: Allowance) -> None:
        self._schema = schema
        self._model = model
        self._buffers = buffers
        self._allowance = allowance
        self._kinds = [self._kind(model.OperatorCodes(index)) for index in range(model.OperatorCodesLength())]

    def graph(self, index: int) -> TfliteGraph:
        """The subgraph of that index.

        Raises:
            Damaged: It refers to what the file has not.
        """
        raw = self._model.Subgraphs(index)
        tensors = tuple(self._tensor(raw.Tensors(index)) for index in range(raw.TensorsLength()))
        steps = tuple(self._step(raw.Operators(index), len(tensors)) for index in range(raw.OperatorsLength()))
        inputs = self.indices(raw.InputsAsNumpy(), len(tensors), least=0)
        outputs = self.indices(raw.OutputsAsNumpy(), len(tensors), least=0)
        return TfliteGraph(tensors, steps, inputs, outputs, _copies(tensors, steps))

    def numbers(self, vector: Any) -> tuple[int, ...]:
        """A vector of the file; its accessors give 0 for one that is absent."""
        if isinstance(vector, int):
            return ()
        self._allowance.spend(len(vector))
        return tuple(vector.tolist())

    def indices(self, vector: Any, length: int, least: int = -1) -> tuple[int, ...]:
        """A vector of indices of a list.

        Raises:
            Damaged: It has one that the list has not.
        """
        found = self.numbers(vector)
        if found and not least <= min(found) <= max(found) < length:
            raise Damaged("refers to a tensor that it has not")
        return found

    def text(self, raw: bytes | None) -> str:
        """A string of the file, cut off where no name goes on; empty where it is absent."""
        found = raw or b""
        self._allowance.spend(len(found) // LETTERS)
        return found[:NAME_BYTES].decode("utf-8", "replace")

    def _kind(self, code: Any) -> tuple[str, bool, bool]:
        """Name of an operator, whether it is a custom one, and whether the schema lacks it.

        Codes up to 126 stood in a byte, which newer writers fill too; LiteRT takes the larger (schema_utils.cc).
        """
        number = max(code.BuiltinCode(), code.DeprecatedBuiltinCode())
        if number == self._schema.BuiltinOperator.CUSTOM:
            return self.text(code.CustomCode()), True, False
        name = names(self._schema.BuiltinOperator).get(number)
        return name or f"operator {number}", False, name is None

    def _step(self, raw: Any, tensors: int) -> Step:
        if raw.OpcodeIndex() >= len(self._kinds):
            raise Damaged("refers to an operator that it has not")
        inputs, outputs = (self.indices(vector, tensors) for vector in (raw.InputsAsNumpy(), raw.OutputsAsNumpy()))
        name, custom, unnamed = self._kinds[raw.OpcodeIndex()]
        return Step(name, custom, unnamed, inputs, outputs)

    def _tensor(self, raw: Any) -> TfliteTensor:
        sizes = self.numbers(raw.ShapeAsNumpy())
        shape = tuple(1 if size == -1 else size for size in sizes)
        if len(shape) > RANK or min(shape, default=0) < 0 or math.prod(shape) > LARGEST:
            raise Damaged("has a tensor of a size that cannot be")
        if raw.Buffer() >= max(len(self._buffers), 1):
            raise Damaged("refers to a buffer that it has not")
        dtype = self._type(raw.Type())
        return TfliteTensor(
            raw,
            self.text(raw.Name()),
            shape,
            dtype,
            raw.Buffer(),
            self._buffers[raw.Buffer()] if self._buffers else 0,
            dtypes.size_bytes(dtype, math.prod(shape)) or 0,
            -1 in sizes or -1 in self.numbers(raw.ShapeSignatureAsNumpy()),
            raw.IsVariable(),
        )

    def _type(self, number: int) -> str:
        known = names(self._schema.TensorType)
        return known[number].lower() if number in known else TYPES.get(number, f"type {number}")


def _copies(tensors: Sequence[TfliteTensor], steps: Iterable[Step]) -> frozenset[int]:
    found: set[int] = set()
    for step in steps:
        first = step.inputs[0] if step.inputs else -1
        if step.name in FOLDED and first >= 0 and (tensors[first].constant_bytes or first in found):
            found.update(step.outputs)
    return frozenset(found)
