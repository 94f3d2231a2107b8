"""What an HDF5 file holds, found by a process of its own that a damaged file may hang or end."""

import json
import os
import subprocess
import sys
from collections.abc import Collection
from pathlib import Path
from typing import Any, NamedTuple

from profiler.errors import ProfilerError

MAGIC = b"\x89HDF\r\n\x1a\n"
TEXT_LIMIT = 64 << 20
"""Bytes of an attribute that is read as text; the config of a network of 1,000 layers has about 1 MiB."""
TIME_LIMIT_S = 30.0
"""A file of 10,000 datasets takes a second or two."""
DAMAGED = "save the model again, or copy it again"
"""What to do about a damaged file."""


class Dataset(NamedTuple):
    """An array in the file.

    Attributes:
        path: From the root, without the first slash.
        stored_bytes: That it takes in the file, all chunks together.
        size_bytes: Of its elements when they are unpacked.
    """

    path: str
    dtype: str
    shape: tuple[int, ...]
    elements: int
    stored_bytes: int
    size_bytes: int


class Contents(NamedTuple):
    """What a file holds: its datasets, and those of the texts at its root that were asked for and are there."""

    datasets: tuple[Dataset, ...]
    texts: dict[str, bytes]


def read(file: Any, start: int, size_bytes: int, name: str, texts: Collection[str] = ()) -> Contents:
    """The contents of an HDF5 file that is an open file, or lies in one.

    Args:
        file: Open for reading, in the operating system too.
        start: Of the HDF5 file in it.
        size_bytes: Of the HDF5 file.
        name: What messages call it.
        texts: Attributes of the root that are wanted.

    Raises:
        ProfilerError: h5py is missing; the file is damaged, leads out of itself or claims what it does not hold.
    """
    file.flush()
    request = json.dumps((file.fileno(), start, size_bytes, name, list(texts)))
    answer = _ask(request, file.fileno())
    if answer is None:
        raise ProfilerError(f"the HDF5 file {name} is damaged", DAMAGED)
    if "error" in answer:
        raise ProfilerError(*answer["error"])
    datasets = tuple(Dataset(path, dtype, tuple(shape), *counts) for path, dtype, shape, *counts in answer["datasets"])
    return Contents(datasets, {key: text.encode("latin-1") for key, text in answer["texts"].items()})


_READER = "from sys import argv; from profiler.modelfile.keras.hdf5_worker import main; main(argv[1])"


def _ask(request: str, fd: int) -> Any:
    """What the reader found; None where it found no end, or a bad one."""
    package = str(Path(__file__).parents[3])
    # A file needs no linear algebra: its threads would take address space that the reader does without.
    environment = {**os.environ, "OPENBLAS_NUM_THREADS": "1"}
    environment["PYTHONPATH"] = os.pathsep.join(filter(None, (package, os.environ.get("PYTHONPATH"))))
    command = (sys.executable, "-P", "-c", _READER, request)
    try:
        ended = subprocess.run(command, pass_fds=[fd], env=environment, capture_output=True, timeout=TIME_LIMIT_S)
    except subprocess.TimeoutExpired:
        return None
    return json.loads(ended.stdout) if ended.returncode == 0 else None
