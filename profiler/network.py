"""Facts of a model file that need no engine: which runtime it is for, its size, its digest."""

import hashlib
from pathlib import Path
from typing import NamedTuple

from profiler.errors import ProfilerError
from profiler.runtimes import RUNTIMES, SUFFIXES

DEFAULTS = {"keras": "cat-dog-mnv2.keras", "litert": "cat-dog-mnv2.tflite"}
"""The shipped model of each runtime."""


class ModelFile(NamedTuple):
    """One model to measure: its label in tables, its runtime, its file."""

    label: str
    runtime: str
    path: Path


def parse(text: str) -> tuple[ModelFile, ...]:
    """The models in `keras,litert=my.tflite`: a runtime with its shipped model, or with a file.

    Labels are the runtimes' names; where a runtime comes twice, `runtime:file`.

    Raises:
        ProfilerError: Unknown runtime; no such file; not a file of that runtime; the same model twice.
    """
    pairs = [_pair(item.strip()) for item in text.split(",")]
    runtimes = [runtime for runtime, _ in pairs]
    models = tuple(
        ModelFile(runtime if runtimes.count(runtime) == 1 else f"{runtime}:{path.stem}", runtime, path)
        for runtime, path in pairs
    )
    labels = [model.label for model in models]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        raise ProfilerError(f"model '{twice}' is named twice", "name each model once, in files of different names")
    return models


def _pair(item: str) -> tuple[str, Path]:
    runtime, given, path = item.partition("=")
    if runtime not in RUNTIMES:
        raise ProfilerError(
            f"unknown model or runtime '{item}'", f"use {' or '.join(sorted(RUNTIMES))}, or runtime=FILE"
        )
    file = Path(path) if given else shipped(DEFAULTS[runtime])
    check(runtime, file)
    return runtime, file


def shipped(name: str) -> Path:
    """A shipped model: inside an installed package, or in models/ of a source tree."""
    package = Path(__file__).parent
    inside = package / "data" / "models" / name
    return inside if inside.exists() else package.parent / "models" / name


def check(runtime: str, path: Path) -> None:
    """Looks at the file's first bytes, so that a wrong file is named before any engine starts.

    Raises:
        ProfilerError: No such file, or not one of this runtime's formats.
    """
    try:
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ProfilerError(f"model file {path} cannot be read ({error.strerror})", "name an existing file") from error
    formats = {"litert": head[4:8] == b"TFL3", "keras": head[:4] == b"PK\x03\x04" or head == b"\x89HDF\r\n\x1a\n"}
    if not formats[runtime]:
        raise ProfilerError(f"{path} is not a {runtime} model", f"use a {' or '.join(SUFFIXES[runtime])} file")


def sha256(path: Path) -> str:
    """Hexadecimal digest of the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
