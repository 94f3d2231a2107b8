"""An HDF5 file's datasets and texts, read without reading any dataset and without opening another file.

HDF5 can lead out of the file: by external links, by datasets whose bytes are in other files, by virtual datasets. Each
is looked for before anything that would follow it, and refused; so are soft links, which Keras writes nowhere.

Run as a program it reads one file and prints what `hdf5.read` understands. That is how it is used: libhdf5 trusts what
it reads, and a damaged file can keep it busy for ever, take all memory or end the process.
"""

import io
import itertools
import json
import os
import resource
from collections.abc import Collection
from typing import Any, BinaryIO

from profiler.errors import ProfilerError
from profiler.modelfile import dtypes
from profiler.modelfile.keras.hdf5 import DAMAGED, TEXT_LIMIT, Contents, Dataset

_DEEPEST = 64
_BOMB_BYTES, _BOMB_RATIO = 1 << 32, 1000
"""A dataset may claim more than so many bytes only where the file holds a fair part of them. Keras's own bounds
(keras/src/saving/saving_lib.py, `safe_get_h5_dataset`)."""

_MEMORY_BYTES = 2 << 30
_BROKEN = (OSError, LookupError, RuntimeError, ValueError, TypeError, AttributeError, OverflowError, MemoryError)
"""What h5py raises on a damaged file."""


class Part(io.RawIOBase):
    """A stretch of an open file, as a file of its own that is only read."""

    def __init__(self, file: BinaryIO, start: int, size_bytes: int) -> None:
        super().__init__()
        self._file, self._start, self._size, self._at = file, start, size_bytes, 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        self._at = offset + {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        self._file.seek(self._start + self._at)
        got = self._file.read(max(0, min(len(buffer), self._size - self._at)))
        buffer[: len(got)] = got
        self._at += len(got)
        return len(got)


def contents(file: Any, size_bytes: int, name: str, texts: Collection[str] = ()) -> Contents:
    """The contents of an open HDF5 file; arguments as those of `hdf5.read`.

    Raises:
        ProfilerError: h5py is missing; the file is damaged, leads out of itself or claims what it does not hold.
    """
    try:
        import h5py
    except ImportError as error:
        raise ProfilerError("Keras files are read with h5py, which is not installed", "pip install h5py") from error
    try:
        with h5py.File(file, "r") as root:
            found = Contents(tuple(_datasets(h5py, root.id, name)), _texts(root, texts, name))
    except _BROKEN as error:
        raise ProfilerError(f"the HDF5 file {name} is damaged", DAMAGED) from error
    if sum(dataset.stored_bytes for dataset in found.datasets) > size_bytes:
        raise ProfilerError(f"datasets of the HDF5 file {name} claim more bytes than it has", DAMAGED)
    return found


def _datasets(h5py: Any, root: Any, name: str) -> list[Dataset]:
    """All datasets, groups within groups without recursion; an object with two names counts once."""
    found: list[Dataset] = []
    extents: list[tuple[int, int]] = []
    seen = {h5py.h5o.get_info(root).addr}
    waiting = [(root, "")]
    while waiting:
        group, path = waiting.pop()
        for key in _links(h5py, group, path, name):
            item = h5py.h5o.open(group, key)
            address = h5py.h5o.get_info(item).addr
            if address in seen:
                continue
            seen.add(address)
            inner = path + key.decode("utf-8", "replace")
            if isinstance(item, h5py.h5g.GroupID):
                waiting.append((item, f"{inner}/"))
            elif isinstance(item, h5py.h5d.DatasetID):
                found.append(_dataset(h5py, item, inner, name))
                extents += _extent(h5py, item, found[-1])
    _check_extents(extents, name)
    return sorted(found)


def _links(h5py: Any, group: Any, path: str, name: str) -> list[bytes]:
    """Names in a group, all of which lead to objects of this file."""
    if path.count("/") > _DEEPEST:
        raise ProfilerError(f"groups of the HDF5 file {name} are nested more than {_DEEPEST} deep", DAMAGED)
    links: list[tuple[bytes, int]] = []
    group.links.iterate(lambda key, info: links.append((key, info.type)), info=True)
    for key, kind in links:
        if kind != h5py.h5l.TYPE_HARD:
            raise ProfilerError(
                f"{(path + key.decode('utf-8', 'replace'))!r} in the HDF5 file {name} is a link, which is not followed",
                "save the model again with Keras, which writes none",
            )
    return [key for key, _ in links]


def _dataset(h5py: Any, item: Any, path: str, name: str) -> Dataset:
    layout = item.get_create_plist()
    if layout.get_layout() == h5py.h5d.VIRTUAL or layout.get_external_count():
        raise ProfilerError(
            f"{path!r} in the HDF5 file {name} has its bytes in other files, which are not opened",
            "save the model again with Keras, which keeps all in one",
        )
    space = item.get_space()
    shape = tuple(int(size) for size in space.get_simple_extent_dims() or ())
    elements = int(space.get_simple_extent_npoints())
    kind = item.get_type()
    stored, size = int(item.get_storage_size()), elements * int(kind.get_size())
    if size > _BOMB_BYTES and size > _BOMB_RATIO * stored:
        raise ProfilerError(f"{path!r} in the HDF5 file {name} claims {size} bytes and holds {stored}", DAMAGED)
    return Dataset(path, _dtype(h5py, item, kind), shape, elements, stored, size)


def _extent(h5py: Any, item: Any, dataset: Dataset) -> list[tuple[int, int]]:
    """Where a contiguous dataset's bytes are; of the others the sum is checked alone."""
    if item.get_create_plist().get_layout() != h5py.h5d.CONTIGUOUS or not dataset.stored_bytes:
        return []
    if dtypes.bits(dataset.dtype) and dataset.stored_bytes != dataset.size_bytes:
        raise ValueError(dataset.path)
    return [(int(item.get_offset()), dataset.stored_bytes)]


def _check_extents(extents: list[tuple[int, int]], name: str) -> None:
    extents.sort()
    for (start, size), (following, _) in itertools.pairwise(extents):
        if start + size > following:
            raise ProfilerError(f"datasets of the HDF5 file {name} overlap", DAMAGED)


def _dtype(h5py: Any, item: Any, kind: Any) -> str:
    """The data type's name; from its class and width, for building numpy's type would trust the file further."""
    family, width = kind.get_class(), 8 * kind.get_size()
    if family == h5py.h5t.FLOAT:
        exponent = kind.get_fields()[2]
        return "bfloat16" if (width, exponent) == (16, 8) else f"float{width}"
    if family == h5py.h5t.INTEGER:
        return f"{'u' if kind.get_sign() == h5py.h5t.SGN_NONE else ''}int{width}"
    if family == h5py.h5t.ENUM:
        return "bool"  # As h5py writes them.
    named = "string" if family == h5py.h5t.STRING else "opaque"
    if family == h5py.h5t.OPAQUE and h5py.h5a.exists(item, b"dtype"):
        text = h5py.Dataset(item).attrs["dtype"]
        return "bfloat16" if text == "bfloat16" else named  # So Keras marks the one type that HDF5 lacked.
    return named


def _texts(root: Any, wanted: Collection[str], name: str) -> dict[str, bytes]:
    texts = {}
    for key in wanted:
        if key not in root.attrs:
            continue
        if root.attrs.get_id(key).get_storage_size() > TEXT_LIMIT:
            raise ProfilerError(f"attribute {key} of the HDF5 file {name} is larger than a config can be", DAMAGED)
        value = root.attrs[key]
        text = value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogateescape")
        if len(text) > TEXT_LIMIT:
            raise ProfilerError(f"attribute {key} of the HDF5 file {name} is larger than a config can be", DAMAGED)
        texts[key] = text
    return texts


def main(request: str) -> None:
    """Reads as a request of `hdf5.read` says, and prints the contents or what is wrong."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    resource.setrlimit(resource.RLIMIT_AS, (_MEMORY_BYTES, _MEMORY_BYTES))
    fd, start, size_bytes, name, texts = json.loads(request)
    try:
        with os.fdopen(fd, "rb") as file:
            found = contents(Part(file, start, size_bytes), size_bytes, name, texts)
    except ProfilerError as error:
        print(json.dumps({"error": [error.cause, error.remedy]}))
    else:
        texts = {key: text.decode("latin-1") for key, text in found.texts.items()}
        print(json.dumps({"datasets": found.datasets, "texts": texts}))
