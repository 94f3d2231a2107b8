"""A Keras model file, the .keras archive or the older .h5, read without running anything of it and without Keras."""

import json
import os
from collections import Counter
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, BinaryIO, TypeVar

from profiler.errors import ProfilerError
from profiler.modelfile.keras import hdf5, zip_members
from profiler.modelfile.keras.graph import KerasGraph
from profiler.modelfile.keras.hdf5 import Dataset
from profiler.modelfile.keras.operators import network
from profiler.modelfile.keras.weights import by_name, by_store
from profiler.records import Network, Share, ShareKind

CONFIG, METADATA, WEIGHTS = "config.json", "metadata.json", "model.weights.h5"

T = TypeVar("T")
Kept = tuple[ShareKind, str]
"""Kind of a share and what it is."""


def read(path: Path) -> Network:
    """What a .keras or .h5 file says of the network in it.

    Raises:
        ProfilerError: It cannot be read, is no Keras model, is damaged or hostile, or h5py is missing.
    """
    return _told(path, _archive, _legacy)


def graph(path: Path) -> KerasGraph:
    """The layers' calls of the model in a .keras or .h5 file; raises as `read` does."""
    return _told(path, lambda file, size: _archive_graph(zip_members.Archive(file, size)), _legacy_graph)


def _told(path: Path, archive: Callable[[BinaryIO, int], T], legacy: Callable[[BinaryIO, int], T]) -> T:
    """What one of the two says of the file, as its first bytes have it."""
    try:
        with path.open("rb") as file:
            head, size_bytes = file.read(8), os.fstat(file.fileno()).st_size
            if head.startswith(zip_members.MAGIC):
                return archive(file, size_bytes)
            if head == hdf5.MAGIC:
                return legacy(file, size_bytes)
    except OSError as error:
        raise ProfilerError(f"model file {path} cannot be read ({error.strerror})", "name an existing file") from error
    except ProfilerError as error:
        raise ProfilerError(f"{path} cannot be inspected: {error.cause}", error.remedy) from error
    raise ProfilerError(f"{path} is not a Keras model", "use a .keras or .h5 file")


def _archive_graph(archive: zip_members.Archive) -> KerasGraph:
    return KerasGraph(_json(archive.text(CONFIG, hdf5.TEXT_LIMIT), CONFIG))


def _archive(file: BinaryIO, size_bytes: int) -> Network:
    archive = zip_members.Archive(file, size_bytes)
    graph = _archive_graph(archive)
    with archive.opened(WEIGHTS) as (opened, start):
        member = archive.members[WEIGHTS]
        datasets = [
            dataset._replace(path=dataset.path.replace("_layer_checkpoint_dependencies/", "layers/"))
            for dataset in hdf5.read(opened, start, member.size_bytes, WEIGHTS).datasets
        ]
    inside = _inside(datasets, member.size_bytes, _state)
    shares: Counter[Kept] = Counter()
    notes = []
    for name, each in archive.members.items():
        if name == WEIGHTS and not each.deflated:
            shares += inside
        elif name == WEIGHTS:
            shares[inside.most_common(1)[0][0][0], "compressed"] += each.stored_bytes
            notes.append(_unpacked(inside, each.stored_bytes))
        else:
            shares[_member(name)] += each.stored_bytes
    shares["container", "zip structure"] = size_bytes - sum(shares.values())
    weights = by_store(each for each in datasets if _state(each)[0] == "weights")
    return network("keras", size_bytes, _shares(shares), graph, weights, notes)


def _legacy_graph(file: BinaryIO, size_bytes: int) -> KerasGraph:
    return _graph_of(_contents(file, size_bytes))


def _contents(file: BinaryIO, size_bytes: int) -> hdf5.Contents:
    texts = ("model_config", "training_config", "keras_version", "backend")
    return hdf5.read(file, 0, size_bytes, Path(file.name).name, texts)


def _graph_of(contents: hdf5.Contents) -> KerasGraph:
    if "model_config" not in contents.texts:
        raise ProfilerError(
            "the HDF5 file has no model_config, so it is no whole model", "save the model, not its weights alone"
        )
    return KerasGraph(_json(contents.texts["model_config"], "model_config"))


def _legacy(file: BinaryIO, size_bytes: int) -> Network:
    contents = _contents(file, size_bytes)
    graph = _graph_of(contents)
    shares = _inside(contents.datasets, size_bytes, _legacy_state)
    for key, text in contents.texts.items():
        kept: Kept = ("graph" if key == "model_config" else "metadata", key)
        shares[kept] += len(text)
        shares["container", "HDF5 structure"] -= len(text)
    if shares["container", "HDF5 structure"] < 0:
        raise ProfilerError("the HDF5 file claims more bytes than it has", hdf5.DAMAGED)
    weights = by_name(each for each in contents.datasets if _legacy_state(each)[0] == "weights")
    return network("h5", size_bytes, _shares(shares), graph, weights, [])


def _json(text: bytes, name: str) -> Any:
    """Raises: ProfilerError: Not an object of JSON, or nested deeper than any config is."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ProfilerError(f"{name} is not JSON as Keras writes it", hdf5.DAMAGED) from error
    if not isinstance(value, dict):
        raise ProfilerError(f"{name} is not an object of JSON", hdf5.DAMAGED)
    return value


def _inside(datasets: Iterable[Dataset], size_bytes: int, state: Callable[[Dataset], Kept]) -> Counter[Kept]:
    shares: Counter[Kept] = Counter()
    for dataset in datasets:
        shares[state(dataset)] += dataset.stored_bytes
    shares["container", "HDF5 structure"] = size_bytes - sum(shares.values())
    return shares


def _state(dataset: Dataset) -> Kept:
    """What a dataset of `model.weights.h5` is: the optimiser's, the state of a random generator, or weights.

    The generators of Dropout and of the layers that vary images keep a seed and a count in two integers; only training
    touches them, and Keras does not count them among the parameters.
    """
    parts = dataset.path.split("/")
    if parts[0] == "optimizer":
        return "optimiser", dataset.dtype
    owner = parts[-3] if len(parts) > 2 else ""
    if owner.endswith("generator") and dataset.shape == (2,) and "int" in dataset.dtype:
        return "optimiser", "random seeds"
    return "weights", dataset.dtype


def _legacy_state(dataset: Dataset) -> Kept:
    top = dataset.path.partition("/")[0]
    if top == "optimizer_weights":
        return "optimiser", dataset.dtype
    return ("weights", dataset.dtype) if top == "model_weights" else ("metadata", "other datasets")


def _member(name: str) -> Kept:
    if name == CONFIG:
        return "graph", name
    if name == METADATA:
        return "metadata", name
    return "metadata", "assets" if name.startswith("assets/") else "other members"


def _unpacked(inside: Counter[Kept], stored_bytes: int) -> str:
    parts = ", ".join(f"{kind} {what} {count}" for (kind, what), count in sorted(inside.items()) if count)
    return f"The weights member is compressed into {stored_bytes} bytes; unpacked it has, in bytes: {parts}."


def _shares(shares: Counter[Kept]) -> tuple[Share, ...]:
    return tuple(
        Share(kind=kind, what=what, size_bytes=count) for (kind, what), count in sorted(shares.items()) if count
    )
