"""A .tflite file, read without running it: where its bytes go, what goes in and out, what each operator touches."""

import math
import mmap
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from profiler.errors import ProfilerError
from profiler.modelfile import arena, dtypes
from profiler.modelfile.tflite.arena import activations, workspace
from profiler.modelfile.tflite.flatbuffer import DAMAGE, Allowance, Damaged, Span, Walk, content, far, share_out
from profiler.modelfile.tflite.graph import Reader, TfliteGraph, TfliteTensor
from profiler.modelfile.tflite.operators import operator, parameters
from profiler.records import Network, Port, Share, ShareKind, Signature

IDENTIFIER = b"TFL3"
"""Bytes 4 to 7 of every .tflite file."""

FIELDS = {
    "Metadata": "metadata",
    "MetadataBuffer": "metadata",
    "Description": "metadata",
    "Quantization": "quantisation",
}
"""What is not of the graph's own structure, by the field that refers to it."""
ALIGNMENT: tuple[ShareKind, str] = ("padding", "zeros between objects")
UNREFERENCED: tuple[ShareKind, str] = ("padding", "unreferenced")
ATTACHED: tuple[ShareKind, str] = ("metadata", "attached files")
"""What bytes are that nothing in the flatbuffer refers to."""
ZIP_START, ZIP_END, ZIP_TAIL = b"PK\x03\x04", b"PK\x05\x06", 22 + 0xFFFF
"""Signatures of a zip archive's first entry and of its end record, which is among the file's last so many bytes."""

ARENA_HOW = (
    "planned greedily by size, 64-byte aligned, as LiteRT does for its own kernels; their temporaries and a delegate's "
    "own workspace not included"
)
PLANNED = 10_000
"""Activations that are planned; the time goes with the square of their number."""

MAIN = 0
"""The subgraph that an engine runs unless it is told another."""


def read(path: Path) -> Network:
    """What the file says of its network.

    Raises:
        ProfilerError: Not a .tflite file, or a truncated or damaged one.
    """
    return parse(_open(path), path)


def opened(path: Path) -> "File":
    """The file, read and nothing said of it; raises as `read` does."""
    data = _open(path)
    with _whole(path):
        return File(data)


def parse(data: memoryview, path: Path) -> Network:
    """What `read` says, of the file's bytes; the path is for the error."""
    with _whole(path):
        return _network(File(data))


def _open(path: Path) -> memoryview:
    """The file's bytes, mapped; they are let go with the last that refers to them."""
    try:
        with path.open("rb") as file:
            head = file.read(8)
            if head[4:] != IDENTIFIER:
                raise ProfilerError(f"{path} is not a .tflite model", "name a .tflite file")
            return memoryview(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ))
    except OSError as error:
        raise ProfilerError(f"model file {path} cannot be read ({error.strerror})", "name an existing file") from error


@contextmanager
def _whole(path: Path) -> Iterator[None]:
    try:
        yield
    except DAMAGE as error:
        reason = str(error) if isinstance(error, Damaged) else "refers to bytes that are not in it"
        raise ProfilerError(
            f"{path} is a truncated or damaged .tflite file: it {reason}", "copy or convert it again"
        ) from error


class File:
    """What is read of a file before anything is said of it.

    Attributes:
        walk: What was reached from its root.
        buffers: Where the data of each buffer lies.
        weights: Data types of the buffers that operators read, by index.
    """

    def __init__(self, data: memoryview) -> None:
        import tflite

        allowance = Allowance()
        self.size = len(data)
        self.data = data
        self.model = tflite.Model.GetRootAs(data)
        self.walk = Walk(data, tflite, FIELDS, allowance)
        self.walk.claim(0, 8, "graph")
        self.walk.visit(self.model, "graph")
        self.buffers = [_data(self.model.Buffers(index)) for index in range(self.model.BuffersLength())]
        sizes = [stop - start for start, stop in self.buffers]
        self.reader = Reader(tflite, self.model, sizes, allowance)
        self.graphs = [self.reader.graph(index) for index in range(self.model.SubgraphsLength())]
        if not self.graphs:
            raise Damaged("has no graph")
        self.weights = _weights(self.graphs)

    def metadata(self) -> set[int]:
        """Indices of the buffers that metadata entries name."""
        entries = (self.model.Metadata(index).Buffer() for index in range(self.model.MetadataLength()))
        found = {*entries, *self.reader.numbers(self.model.MetadataBufferAsNumpy())}
        return {index for index in found if 0 <= index < len(self.buffers)}


def _data(buffer: Any) -> Span:
    """Where the data of a buffer lies; as long as nothing where it has none."""
    start, stop = far(buffer)
    return (start, stop) if stop else content(buffer, "Data")


def _weights(graphs: Sequence[TfliteGraph]) -> dict[int, str]:
    """Data types of the buffers that operators read; of tensors that share one, the first's."""
    found: dict[int, str] = {}
    for graph in graphs:
        for tensor in (graph.tensors[index] for step in graph.steps for index in step.inputs if index >= 0):
            if tensor.constant_bytes:
                found.setdefault(tensor.buffer, tensor.dtype)
    return found


def _network(file: File) -> Network:
    main = file.graphs[MAIN]
    shares, unreferenced = _shares(file)
    needed, held = activations(main)
    weights_bytes = sum(share.size_bytes for share in shares if share.kind == "weights")
    return Network(
        format="tflite",
        size_bytes=file.size,
        shares=shares,
        signatures=_signatures(file),
        parameters=parameters(file.graphs),
        weights_bytes=weights_bytes,
        operators=tuple(operator(step, main) for step in main.steps),
        arena_bytes=arena.planned(held) if len(held) <= PLANNED else None,
        arena_how=ARENA_HOW if len(held) <= PLANNED else f"not planned: {len(held):,} activations",
        least_bytes=arena.least(needed),
        unpacked_bytes=weights_bytes + _unpacked(file, main) if main.copies else None,
        notes=(*_notes(main, held), *_doubts(file, unreferenced)),
    )


def _unpacked(file: File, main: TfliteGraph) -> int:
    """By how much copies of constants are larger than what they are made of and nothing else reads."""
    made_of: set[int] = set()
    read: set[int] = set()
    for step in main.steps:
        buffers = made_of if main.copies.intersection(step.outputs) else read
        buffers.update(main.tensors[index].buffer for index in step.inputs if index >= 0)
    sources = sum(stop - start for start, stop in (file.buffers[index] for index in made_of - read))
    return sum(main.tensors[index].size_bytes for index in main.copies) - sources


def _shares(file: File) -> tuple[tuple[Share, ...], int]:
    """Where the bytes go, and how many nothing refers to though they are not zero."""
    claims: dict[tuple[ShareKind, str], list[Span]] = {}
    for index, dtype in sorted(file.weights.items()):
        claims.setdefault(("weights", dtype), []).append(file.buffers[index])
    metadata = file.metadata()
    claims["metadata", "entries"] = [*file.walk.claims.get("metadata", []), *(file.buffers[i] for i in metadata)]
    unread = [span for index, span in enumerate(file.buffers) if index not in file.weights]
    claims["graph", "constants that no operator reads"] = unread
    claims["graph", "scales and zero points"] = file.walk.claims.get("quantisation", [])
    claims["graph", "structure"] = file.walk.claims["graph"]
    found, gaps = share_out(file.size, list(claims.items()))
    for start, stop in gaps:
        key = _unclaimed(file.data, start, stop)
        found[key] = found.get(key, 0) + stop - start
    shares = tuple(Share(kind=kind, what=what, size_bytes=size) for (kind, what), size in found.items() if size)
    return shares, found.get(UNREFERENCED, 0)


def _unclaimed(data: memoryview, start: int, stop: int) -> tuple[ShareKind, str]:
    """What bytes are that nothing in the flatbuffer refers to."""
    part = np.frombuffer(data, np.uint8, stop - start, start)
    if not part.any():
        return ALIGNMENT
    # A zip archive is read from its end, so one can follow: that is how metadata writers attach files of labels.
    first, last = data[start : start + len(ZIP_START)], data[max(start, stop - ZIP_TAIL) : stop].tobytes()
    attached = stop == len(data) and first == ZIP_START and ZIP_END in last
    return ATTACHED if attached else UNREFERENCED


def _signatures(file: File) -> tuple[Signature, ...]:
    model = file.model
    defined = tuple(_signature(file, model.SignatureDefs(index)) for index in range(model.SignatureDefsLength()))
    if defined:
        return defined
    main = file.graphs[MAIN]
    ports = [
        tuple(_port(file.reader, main.tensors[i].name, main.tensors[i]) for i in ends)
        for ends in (main.inputs, main.outputs)
    ]
    return (Signature(key="", inputs=ports[0], outputs=ports[1]),)


def _signature(file: File, raw: Any) -> Signature:
    if raw.SubgraphIndex() >= len(file.graphs):
        raise Damaged("refers to a graph that it has not")
    graph = file.graphs[raw.SubgraphIndex()]
    inputs = (raw.Inputs(index) for index in range(raw.InputsLength()))
    outputs = (raw.Outputs(index) for index in range(raw.OutputsLength()))
    return Signature(
        key=file.reader.text(raw.SignatureKey()),
        inputs=tuple(_named(file.reader, graph, entry) for entry in inputs),
        outputs=tuple(_named(file.reader, graph, entry) for entry in outputs),
    )


def _named(reader: Reader, graph: TfliteGraph, entry: Any) -> Port:
    if entry.TensorIndex() >= len(graph.tensors):
        raise Damaged("refers to a tensor that it has not")
    return _port(reader, reader.text(entry.Name()), graph.tensors[entry.TensorIndex()])


def _port(reader: Reader, name: str, tensor: TfliteTensor) -> Port:
    signature = reader.numbers(tensor.raw.ShapeSignatureAsNumpy())
    shape = signature if -1 in signature else reader.numbers(tensor.raw.ShapeAsNumpy())
    quantisation = tensor.raw.Quantization()
    scales = reader.numbers(quantisation.ScaleAsNumpy()) if quantisation else ()
    if not all(math.isfinite(scale) for scale in scales):
        raise Damaged("has a scale that is no number")
    zeros = reader.numbers(quantisation.ZeroPointAsNumpy()) if quantisation else ()
    # A writer may leave out zero points that are all 0.
    points = (*zeros, *[0] * len(scales))[: len(scales)]
    return Port(name=name, shape=shape, dtype=tensor.dtype, scales=scales, zero_points=points)


def _notes(main: TfliteGraph, held: Sequence[arena.Buffer]) -> Iterator[str]:
    if any(tensor.open for tensor in main.tensors):
        yield "Sizes that are open count as 1: figures are those of a batch of one."
    if main.copies:
        kinds = Counter(step.name for step in main.steps if main.copies.intersection(step.outputs))
        listed = " and ".join(f"{number} {name}" for name, number in kinds.items())
        size = sum(main.tensors[index].size_bytes for index in main.copies)
        yield (
            f"{listed} operators unpack constants once, and the engine keeps the {size:,} bytes: they count as weights "
            "of the operators that read them, and neither in the weights of the file nor as activations."
        )
    besides = workspace(main)
    if besides and len(held) + len(besides) <= PLANNED:
        number = len({buffer.first for buffer in besides})
        yield (
            f"{number} operators have float32 activations and quantised weights: what LiteRT's own kernels need for "
            f"them besides takes the activations' memory to {arena.planned([*held, *besides]):,} bytes."
        )
    state = sum(tensor.size_bytes for tensor in main.tensors if tensor.variable)
    if state:
        yield f"{state:,} bytes of state are kept from one inference to the next, outside the activations' memory."
    if any(dtypes.bits(tensor.dtype) is None for tensor in main.tensors):
        yield "Tensors whose values have no fixed size count as 0 bytes."


def _doubts(file: File, unreferenced: int) -> Iterator[str]:
    if len(file.graphs) > 1:
        yield (
            f"Operators, activations and multiply-accumulates are those of the first of {len(file.graphs)} graphs; "
            "weights and parameters are those of all."
        )
    if file.walk.newer:
        yield "The file uses a newer schema than this program's; what only its new fields refer to is called padding."
    if unreferenced:
        yield f"Nothing refers to {unreferenced:,} bytes that are not zero."
