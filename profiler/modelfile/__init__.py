"""Facts of a model file that need no engine: which runtime it is for, its digest, the network in it."""

import os
import stat
from pathlib import Path
from typing import NamedTuple

from profiler.errors import ProfilerError
from profiler.records import Form, Network
from profiler.runtimes import RUNTIMES, SUFFIXES

DEFAULTS = {"keras": "cat-dog-mnv2.keras", "litert": "cat-dog-mnv2.tflite"}
"""The shipped model of each runtime."""

FAMILY = "family:"
_ZIP, _HDF5, _TFLITE = b"PK\x03\x04", b"\x89HDF\r\n\x1a\n", b"TFL3"


class ModelFile(NamedTuple):
    """One model to measure: its label in tables, its runtime, its file, and what it is in its family, if in one."""

    label: str
    runtime: str
    path: Path
    form: Form | None = None


def parse(text: str) -> tuple[ModelFile, ...]:
    """The models in `keras,litert=my.tflite,family:lab`: a runtime with its shipped model or a file, or a family.

    Of a family all forms, or with a pattern (`family:lab:litert-*`) those that match it.

    Labels are the runtimes' names, where a runtime comes twice `runtime:file`; a family's forms have their own.

    Raises:
        ProfilerError: Unknown runtime; no such file; not a file of that runtime; the same model twice; a family that
            is not built.
    """
    items = [item.strip() for item in text.split(",")]
    runtimes = [item.partition("=")[0] for item in items]
    models = tuple(
        model
        for item, runtime in zip(items, runtimes, strict=True)
        for model in (_family(item) if item.startswith(FAMILY) else [_single(item, runtimes.count(runtime) > 1)])
    )
    labels = [model.label for model in models]
    twice = next((label for label in labels if labels.count(label) > 1), None)
    if twice:
        raise ProfilerError(f"model '{twice}' is named twice", "name each model once, in files of different names")
    return models


def _family(item: str) -> list[ModelFile]:
    """All forms of `family:lab`; of `family:lab:litert-*` those whose labels match."""
    from profiler.modelfile.families import find

    name, _, pattern = item.removeprefix(FAMILY).partition(":")
    return [ModelFile(*form) for form in find(name, pattern or "*")]


def _single(item: str, one_of_many: bool) -> ModelFile:
    runtime, path = _pair(item)
    return ModelFile(f"{runtime}:{path.stem}" if one_of_many else runtime, runtime, path)


def _pair(item: str) -> tuple[str, Path]:
    runtime, given, path = item.partition("=")
    if runtime not in RUNTIMES:
        raise ProfilerError(
            f"unknown model or runtime '{item}'",
            f"use {' or '.join(sorted(RUNTIMES))}, runtime=FILE, or {FAMILY}lab",
        )
    file = Path(path) if given else shipped(DEFAULTS[runtime])
    check(runtime, file)
    return runtime, file


def shipped(name: str) -> Path:
    """A shipped model: inside an installed package, or in models/ of a source tree."""
    package = Path(__file__).parent.parent
    inside = package / "data" / "models" / name
    return inside if inside.exists() else package.parent / "models" / name


def check(runtime: str, path: Path) -> None:
    """Looks at the file's first bytes, so that a wrong file is named before any engine starts.

    Raises:
        ProfilerError: No such file, or not one of this runtime's formats.
    """
    if _runtime(path) != runtime:
        raise ProfilerError(f"{path} is not a {runtime} model", f"use a {' or '.join(SUFFIXES[runtime])} file")


def alone(path: Path) -> ModelFile:
    """The model in a file by itself, labelled with the file's name; what is in the file says which runtime it is for.

    Raises:
        ProfilerError: No such file, or no model.
    """
    runtime = _runtime(path)
    if runtime is None:
        raise ProfilerError(f"{path} is not a model", f"use a {_kinds()} file")
    return ModelFile(path.name, runtime, path)


def _kinds() -> str:
    return " or ".join(suffix for suffixes in SUFFIXES.values() for suffix in suffixes)


def _runtime(path: Path) -> str | None:
    """The runtime whose format the file begins like.

    Raises:
        ProfilerError: No such file; no plain file, whose reading could wait for ever; a path that no record can hold.
    """
    try:
        str(path.absolute()).encode()
    except UnicodeEncodeError:
        shown = os.fsencode(path).decode(errors="backslashreplace")
        raise ProfilerError(f"the path of model file {shown} is not UTF-8", "rename the file or its folder") from None
    try:
        mode = path.stat().st_mode
        if stat.S_ISDIR(mode):
            raise ProfilerError(f"{path} is a folder", f"name a {_kinds()} file; convert a SavedModel to one")
        if not stat.S_ISREG(mode):
            raise ProfilerError(f"{path} is no plain file", "copy what it gives into a file, and name that")
        with path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        raise ProfilerError(f"model file {path} cannot be read ({error.strerror})", "name an existing file") from error
    if head[4:8] == _TFLITE:
        return "litert"
    return "keras" if head[:4] == _ZIP or head == _HDF5 else None


def facts(path: Path) -> Network:
    """What the file says of its network; nothing of it is run.

    Raises:
        ProfilerError: No model, or damaged.
    """
    # Their schema and archive packages are imported by nobody who does not ask this.
    from profiler.modelfile.keras import archive
    from profiler.modelfile.tflite import reader

    return reader.read(path) if alone(path).runtime == "litert" else archive.read(path)
