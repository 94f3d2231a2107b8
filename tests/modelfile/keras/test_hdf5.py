"""Damaged and hostile Keras files: one line each, nothing followed, nothing unpacked beyond bounds."""

import io
import itertools
import json
import struct
import sys
import tempfile
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest import mock

import h5py
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from made_keras import archive, functional, hdf5, layer, sequential, small, source, tensor

from profiler.errors import ProfilerError
from profiler.modelfile.keras import archive as keras_archive
from profiler.modelfile.keras import hdf5 as reading
from profiler.modelfile.keras import hdf5_worker, zip_members
from profiler.modelfile.keras.graph import KerasGraph
from profiler.modelfile.keras.operators import network
from profiler.modelfile.keras.weights import by_store
from profiler.records import Network
from profiler.records.base import to_json

NOTHING = reading.Contents((), {})


def contents(data: bytes, texts: tuple[str, ...] = ()) -> reading.Contents:
    """As the reader's process finds it, found in this one."""
    return hdf5_worker.contents(hdf5_worker.Part(io.BytesIO(b"0123" + data), 4, len(data)), len(data), "m.h5", texts)


def made(write: Callable[[h5py.File], None], **options: Any) -> bytes:
    buffer = io.BytesIO()
    with h5py.File(buffer, "w", **options) as file:
        write(file)
    return buffer.getvalue()


def refusal(path: Path) -> str:
    """Why a file is refused, in one line."""
    with pytest.raises(ProfilerError) as caught:
        keras_archive.read(path)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def refused(data: bytes) -> str:
    with pytest.raises(ProfilerError) as caught:
        contents(data)
    assert len(str(caught.value).splitlines()) == 1
    return str(caught.value)


def test_datasets_of_all_layouts() -> None:
    array = np.zeros((64, 32), np.float32)

    def write(file: h5py.File) -> None:
        file["a/plain"] = array
        file.create_dataset("a/chunked", data=array, chunks=(16, 32))
        file.create_dataset("a/packed", data=array, chunks=(16, 32), compression="gzip")
        file.create_dataset("b/flag", data=np.ones(3, bool))
        file.create_dataset("b/text", data=b"words")
        file.create_dataset("b/unwritten", (5,), np.uint16)
        file.create_dataset("b/scalar", data=np.int64(1))
        file.create_dataset("b/half", data=np.zeros(3, "V2")).attrs["dtype"] = "bfloat16"
        compact = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        compact.set_layout(h5py.h5d.COMPACT)
        space = h5py.h5s.create_simple((2,))
        h5py.h5d.create(file.id, b"compact", h5py.h5t.NATIVE_INT8, space, compact)

    found = {each.path: each for each in contents(made(write)).datasets}
    assert list(found) == sorted(found)
    assert found["a/plain"] == ("a/plain", "float32", (64, 32), 2048, 8192, 8192)
    assert found["a/chunked"][1:] == ("float32", (64, 32), 2048, 8192, 8192)
    assert found["a/packed"].size_bytes == 8192
    assert 0 < found["a/packed"].stored_bytes < 1000
    assert found["b/flag"][1:] == ("bool", (3,), 3, 3, 3)
    assert found["b/text"].dtype == "string"
    assert found["b/unwritten"][1:] == ("uint16", (5,), 5, 0, 10)
    assert found["b/scalar"][1:] == ("int64", (), 1, 8, 8)
    assert found["b/half"].dtype == "bfloat16"
    assert found["compact"][1:] == ("int8", (2,), 2, 2, 2)


def test_an_object_with_two_names_counts_once() -> None:
    def write(file: h5py.File) -> None:
        file["a"] = np.zeros(4)
        file["b"] = file["a"]
        file.create_group("c")["up"] = file["/"]

    assert [each.stored_bytes for each in contents(made(write)).datasets] == [32]


def test_texts_that_are_asked_for() -> None:
    data = hdf5({}, {"model_config": '{"é": 1}'.encode(), "backend": b"jax"})
    assert contents(data, ("model_config", "training_config")).texts == {"model_config": '{"é": 1}'.encode()}


def test_what_leads_out_of_the_file_is_refused(tmp_path: Path) -> None:
    other = tmp_path / "other.h5"
    other.write_bytes(hdf5({"x": np.zeros(3)}))
    (tmp_path / "raw").write_bytes(bytes(24))

    def soft(file: h5py.File) -> None:
        file["a/b"] = h5py.SoftLink("/a")

    def external(file: h5py.File) -> None:
        file["a"] = h5py.ExternalLink(other, "/x")

    def elsewhere(file: h5py.File) -> None:
        file.create_dataset("a", (3,), np.float64, external=[(str(tmp_path / "raw"), 0, 24)])

    def virtual(file: h5py.File) -> None:
        layout = h5py.VirtualLayout((3,), np.float64)
        layout[:] = h5py.VirtualSource(other, "x", (3,))
        file.create_virtual_dataset("a", layout)

    assert "'a/b' in the HDF5 file m.h5 is a link" in refused(made(soft))
    assert "is a link" in refused(made(external))
    assert "in other files" in refused(made(elsewhere))
    assert "in other files" in refused(made(virtual))


def test_what_claims_more_than_there_is_is_refused() -> None:
    def vast(file: h5py.File) -> None:
        file.create_dataset("a", (1 << 40,), np.float32, chunks=(1 << 10,))

    def deep(file: h5py.File) -> None:
        file.create_group("/".join("a" * 100))

    assert "claims 4398046511104 bytes and holds 0" in refused(made(vast))
    assert "nested more than 64 deep" in refused(made(deep))


@pytest.mark.parametrize("share", [0.1, 0.5, 0.99])
def test_a_truncated_file_is_damaged(share: float) -> None:
    data = small()[1]
    assert "damaged" in refused(data[: int(share * len(data))])


def test_a_missing_h5py_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    data = hdf5({})
    monkeypatch.setitem(sys.modules, "h5py", None)
    assert refused(data).endswith("pip install h5py")


def test_a_reader_that_hangs_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TIME_LIMIT_S", 0.001)
    assert "damaged" in refusal(archive(tmp_path / "m.keras", *small()))


def test_a_reader_that_dies_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    script = tmp_path / "python"
    script.write_text("#!/bin/sh\nkill -SEGV $$\n")
    script.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(script))
    assert "damaged" in refusal(archive(tmp_path / "m.keras", *small()))


def test_weights_alone_are_no_model(tmp_path: Path) -> None:
    path = tmp_path / "m.weights.h5"
    path.write_bytes(small()[1])
    assert "no model_config" in refusal(path)


@pytest.mark.parametrize("name", ["../x", "/etc/x", "a/../../x", "\\x", "c:x", "a\\..\\x"])
def test_members_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    path = archive(tmp_path / "m.keras", *small(), (name, b"text"))
    assert f"{name!r} leaves the folder" in refusal(path)
    assert [each.name for each in tmp_path.iterdir()] == ["m.keras"]


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_member_that_comes_twice_is_refused(tmp_path: Path) -> None:
    assert "two members 'config.json'" in refusal(archive(tmp_path / "m.keras", *small(), ("config.json", b"{}")))


@pytest.mark.parametrize("gone", ["config.json", "model.weights.h5"])
def test_a_member_that_lacks_is_named(tmp_path: Path, gone: str) -> None:
    path = archive(tmp_path / "m.keras", *small())
    with zipfile.ZipFile(path) as old, zipfile.ZipFile(tmp_path / "less.keras", "w") as new:
        for name in {*old.namelist()} - {gone}:
            new.writestr(name, old.read(name))
    assert f"has no {gone}" in refusal(tmp_path / "less.keras")


def directory(data: bytes, member: str) -> int:
    """Where the directory's entry of a member begins."""
    return data.index(b"PK\x01\x02", data.rindex(member.encode()) - 46)


def changed(path: Path, member: str, offset: int, form: str, value: int) -> Path:
    """The archive with a number in a member's entry of the directory changed (APPNOTE.TXT, section 4.3.12)."""
    data = bytearray(path.read_bytes())
    struct.pack_into(form, data, directory(bytes(data), member) + offset, value)
    path.write_bytes(data)
    return path


def test_an_encrypted_member_is_refused(tmp_path: Path) -> None:
    path = changed(archive(tmp_path / "m.keras", *small()), "config.json", 8, "<H", 1)
    assert "'config.json' is encrypted" in refusal(path)


def test_members_over_one_another_are_refused(tmp_path: Path) -> None:
    path = changed(archive(tmp_path / "m.keras", *small()), "config.json", 42, "<I", 0)
    assert "lies over another" in refusal(path)


def test_an_unusual_packing_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "m.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as file:
        file.writestr("config.json", b"{}")
    assert "packed in a way" in refusal(path)


def test_a_bomb_is_refused_by_what_it_declares(tmp_path: Path) -> None:
    path = archive(tmp_path / "m.keras", *small(), deflate=True)
    assert "would unpack from" in refusal(changed(path, "model.weights.h5", 24, "<I", zip_members.FREE_BYTES + 1))


def test_a_bomb_is_refused_by_what_it_unpacks_to(tmp_path: Path) -> None:
    config, _ = small()
    path = archive(tmp_path / "m.keras", config, bytes(1 << 22), deflate=True)
    assert "damaged" in refusal(changed(path, "model.weights.h5", 24, "<I", 1000))


def test_a_config_larger_than_any_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "TEXT_LIMIT", 100)
    assert "config.json of the archive claims" in refusal(archive(tmp_path / "m.keras", *small()))


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b"{", "not JSON"),
        (b"\xff", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b'{"a":' + b"9" * 5000 + b"}", "not JSON"),
        (b"[]", "not an object"),
        (b"{}", "not one of a Keras model"),
        (b'{"class_name": "Sequential", "config": {"layers": 7}}', "not one of a Keras model"),
    ],
    ids=range(7),
)
def test_a_config_that_is_none_is_refused(tmp_path: Path, text: bytes, why: str) -> None:
    assert why in refusal(archive(tmp_path / "m.keras", text, hdf5({})))


def graph_refusal(config: Any) -> str:
    with pytest.raises(ProfilerError) as caught:
        KerasGraph(config)
    return str(caught.value)


def test_a_graph_without_an_end_is_refused() -> None:
    size = [None, 4]
    loop = [
        layer("Dense", "a", [tensor(size, "b")], units=4),
        layer("Dense", "b", [tensor(size, "a")], units=4),
    ]
    assert "does not lead to the layer 'b'" in graph_refusal(functional("m", loop, [], [["b", 0, 0]]))
    assert "a layer 'c' that it lacks" in graph_refusal(functional("m", loop, [], [["c", 0, 0]]))


def test_models_that_call_each_other_without_end_are_refused() -> None:
    """Each calls the one below twice, over 40 levels: more calls than there are nanoseconds in an hour."""
    size = [None, 4]
    below = layer("ReLU", "l0", [tensor(size, "x")], [tensor(size, "l0", 0)])
    for level in range(1, 40):
        inner = functional(f"l{level}", [source("x", size), below], ["x", 0, 0], [f"l{level - 1}", 1 + (level > 1), 0])
        below = inner | {"inbound_nodes": [{"args": [tensor(size, "x")]}, {"args": [tensor(size, f"l{level}", 0)]}]}
    assert "more calls of layers" in graph_refusal(
        functional("m", [source("x", size), below], ["x", 0, 0], ["l39", 2, 0])
    )


def test_models_nested_too_deep_are_refused() -> None:
    below = layer("ReLU", "l")
    for _ in range(2000):
        below = sequential(source("x", [None, 4]), below)
    assert "nested too deep" in graph_refusal(below)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 1 << 70) | st.floats() | st.sampled_from(["valid", "a", "Dense", ""]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["name", "config", "units"]), inner),
    max_leaves=6,
)
SEEDS: tuple[Any, ...] = (
    small()[0],
    functional(
        "m",
        [source("x", [None, 9, 9, 3]), functional("i", [source("y", [None, 9, 9, 3])], ["y", 0, 0], ["y", 0, 0])],
        ["x", 0, 0],
        ["x", 0, 0],
    ),
    functional(
        "m",
        [source("q", [None, 3, 8]), layer("MultiHeadAttention", "a", *[[tensor([None, 3, 8], "q")] * 2], num_heads=2)],
        ["q", 0, 0],
        ["a", 0, 0],
    ),
)


def places(value: Any) -> list[tuple[Any, Any]]:
    """Everything in a value of JSON, as what it is in and its key there."""
    keys = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    return list(itertools.chain.from_iterable([(value, key), *places(value[key])] for key in keys))


@given(st.sampled_from(range(len(SEEDS))), st.lists(st.tuples(st.integers(0, 10_000), JSON), min_size=1, max_size=3))
@settings(max_examples=300)
def test_a_changed_config_is_read_or_refused(seed: int, changes: list[tuple[int, Any]]) -> None:
    config = json.loads(json.dumps(SEEDS[seed]))
    for place, value in changes:
        found = places(config)
        inside, key = found[place % len(found)]
        inside[key] = value
    made_network = tried(lambda: network("keras", 0, (), KerasGraph(config), by_store([]), []))
    assert made_network is None or to_json(made_network)


def tried(read: Callable[[], Network]) -> Network | None:
    """What is read; None where it is refused in one line."""
    try:
        return read()
    except ProfilerError as error:
        if len(str(error).splitlines()) != 1:
            raise
        return None


def accounted(path: Path) -> bool:
    """Whether the file is refused, or each of its bytes is accounted for."""
    found = tried(lambda: keras_archive.read(path))
    return found is None or sum(share.size_bytes for share in found.shares) == path.stat().st_size


def mutated(data: bytes, size: int, changes: list[tuple[int, int]], only: range) -> bytes:
    """The data cut to a size, with bytes changed within a range."""
    changed_data = bytearray(data)
    for place, value in changes:
        changed_data[only[place % len(only)]] = value
    return bytes(changed_data[:size])


CHANGES = st.lists(st.tuples(st.integers(0, 1 << 20), st.integers(0, 255)), max_size=6)


@given(CHANGES, st.booleans(), st.booleans())
@settings(max_examples=200)
def test_a_changed_archive_is_read_or_refused(changes: list[tuple[int, int]], deflate: bool, late: bool) -> None:
    """In its headers, its directory and its config; the weights are another process's to read."""
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(reading, "read", return_value=NOTHING):
        path = archive(Path(folder) / "m.keras", *small(), deflate=deflate)
        data = path.read_bytes()
        weights = data.index(b"model.weights.h5")
        only = range(data.index(b"PK\x01\x02"), len(data)) if late else range(weights)
        path.write_bytes(mutated(data, len(data), changes, only))
        assert accounted(path)


@given(st.integers(0, 30_000))
@settings(max_examples=30)
def test_a_truncated_archive_is_refused(size: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = archive(Path(folder) / "m.keras", *small())
        data = path.read_bytes()
        path.write_bytes(data[: size % len(data)])
        refusal(path)


@pytest.mark.slow
@given(CHANGES, st.booleans())
@settings(max_examples=60)
def test_changed_weights_are_read_or_refused(changes: list[tuple[int, int]], legacy: bool) -> None:
    """In the first bytes of the HDF5 file, where its tables are."""
    config, weights = small()
    weights = (
        hdf5({"model_weights/d/d/kernel": np.ones((3, 4), np.float32)}, {"model_config": json.dumps(config).encode()})
        if legacy
        else weights
    )
    weights = mutated(weights, len(weights), changes, range(8, 4096))
    with tempfile.TemporaryDirectory() as folder, mock.patch.object(reading, "TIME_LIMIT_S", 5.0):
        path = Path(folder) / "m"
        if legacy:
            path.write_bytes(weights)
        else:
            archive(path, config, weights)
        assert accounted(path)
