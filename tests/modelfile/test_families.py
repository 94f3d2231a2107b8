"""Families: found by name or folder, read from their manifest, and refused in one line where something is wrong."""

import hashlib
import json
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.modelfile import families
from profiler.modelfile.families import MANIFEST, Family, FamilyMember, Origin
from profiler.records import Form, to_json

FORM = Form(family="lab", weights="same", runtime="litert", precision="fp32", optimiser_state=False, alpha=1.0)
ORIGIN = Origin(
    weights="those of cat-dog-mnv2.keras",
    weights_sha256="00",
    pictures="5 photos of cats and 5 photos of dogs",
    pictures_count=10,
    pictures_sha256="11",
    builtin=False,
    seed=0,
    packages={"profiler": "0.1.0"},
)


def make(folder: Path, name: str = "lab") -> Path:
    """A family of two forms, whose files are no models: reading a manifest does not look into them."""
    folder.mkdir(parents=True)
    members = []
    for label, runtime in (("keras", "keras"), ("litert-int8", "litert")):
        path = folder / f"{label}.model"
        path.write_bytes(label.encode())
        members.append(families.member(path, label, msgspec.structs.replace(FORM, family=name, runtime=runtime), "A."))
    (folder / MANIFEST).write_bytes(to_json(Family(name=name, members=tuple(members), origin=ORIGIN)))
    return folder


def change(folder: Path, **changes: Any) -> None:
    """Changes fields of the first member in the manifest."""
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["members"][0].update(changes)
    (folder / MANIFEST).write_text(json.dumps(manifest))


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder and the source tree are both new and empty; the latter is returned."""
    source = tmp_path / "source"
    monkeypatch.setattr(families, "__file__", str(source / "profiler" / "network" / "families.py"))
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    return source


def test_a_member_is_described_from_its_file(tmp_path: Path) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(b"abc")
    found = families.member(path, "a", FORM, "What it is.")
    assert found == FamilyMember(
        label="a",
        file="a.tflite",
        sha256=hashlib.sha256(b"abc").hexdigest(),
        size_bytes=3,
        form=FORM,
        what="What it is.",
    )


def test_a_folder_gives_its_forms_in_the_manifests_order(tmp_path: Path) -> None:
    folder = make(tmp_path / "mine")
    found = families.find(str(folder))
    assert [(label, runtime, path) for label, runtime, path, _ in found] == [
        ("keras", "keras", folder / "keras.model"),
        ("litert-int8", "litert", folder / "litert-int8.model"),
    ]
    assert [form.runtime for *_, form in found] == ["keras", "litert"]
    assert families.read(folder).origin == ORIGIN


def test_a_name_is_sought_here_first_and_then_in_the_source_tree(elsewhere: Path) -> None:
    make(elsewhere / "models" / "lab")
    assert families.find("lab")[0][2] == elsewhere / "models" / "lab" / "keras.model"
    make(Path("models/lab"))
    assert families.find("lab")[0][2] == Path("models/lab/keras.model")


def test_a_pattern_takes_some_forms_for_a_sweep(tmp_path: Path) -> None:
    folder = make(tmp_path / "lab")
    assert [model.label for model in modelfile.parse(f"family:{folder}")] == ["keras", "litert-int8"]
    (chosen,) = modelfile.parse(f"family:{folder}:litert-*")
    assert (chosen.label, chosen.runtime, chosen.path) == ("litert-int8", "litert", folder / "litert-int8.model")
    assert chosen.form
    (folder / "keras.model").unlink()
    assert modelfile.parse(f"family:{folder}:litert-*") == (chosen,)
    with pytest.raises(ProfilerError, match=r"no form 'fp16': it has keras, litert-int8"):
        modelfile.parse(f"family:{folder}:fp16")


def test_a_folder_in_the_current_one_needs_no_slash(elsewhere: Path) -> None:
    make(Path("mine"))
    assert families.find("mine")[0][2] == Path("mine/keras.model")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("lab", "profiler models build --family lab [--photos DIR]"),
        ("width", "profiler models build --family width"),
    ],
)
def test_a_family_that_is_not_built_names_the_command(elsewhere: Path, name: str, command: str) -> None:
    with pytest.raises(ProfilerError) as caught:
        families.find(name)
    assert str(caught.value) == f"family '{name}' is not built: type: {command}"


@pytest.mark.parametrize("text", ["", "labs", "keras"])
def test_an_unknown_family_is_named(elsewhere: Path, text: str) -> None:
    with pytest.raises(ProfilerError, match=f"unknown family '{text}': use lab or width, or a folder"):
        families.find(text)


@pytest.mark.parametrize("text", ["none/", "./none", "here", "file/lab"])
def test_a_folder_without_a_manifest_is_refused(elsewhere: Path, text: str) -> None:
    Path("here").mkdir()
    Path("file").touch()
    with pytest.raises(ProfilerError, match=rf"no family in .*{MANIFEST}|cannot be read"):
        families.find(text)


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", "null", "{}", '{"name": "lab", "members": []}', '{"name": 1, "members": [], "origin": {}}', "\x00"],
)
def test_a_damaged_manifest_says_build_again(elsewhere: Path, text: str) -> None:
    folder = make(Path("models/lab"))
    (folder / MANIFEST).write_text(text)
    with pytest.raises(ProfilerError, match=r"family.json is damaged .*type: profiler models build --family lab"):
        families.find("lab")


@pytest.mark.parametrize(
    ("field", "value", "cause"),
    [
        ("file", "../keras.model", "is no file name"),
        ("file", "/etc/passwd", "is no file name"),
        ("file", "..", "is no file name"),
        ("file", "", "is no file name"),
        ("file", "a\0b", "is no file name"),
        ("label", "litert-int8", "two forms of one label"),
        ("size_bytes", "5", "Expected `int`"),
        ("extra", 1, "unknown field"),
    ],
)
def test_a_manifest_that_makes_no_sense_is_refused(tmp_path: Path, field: str, value: object, cause: str) -> None:
    folder = make(tmp_path / "mine")
    change(folder, **{field: value})
    with pytest.raises(ProfilerError, match=cause) as caught:
        families.find(str(folder))
    assert "is damaged" in caught.value.cause


def test_a_runtime_that_is_not_known_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "mine")
    change(folder, form=json.loads(to_json(msgspec.structs.replace(FORM, runtime="onnx"))))
    with pytest.raises(ProfilerError, match="unknown runtime 'onnx'"):
        families.find(str(folder))


def test_a_family_without_forms_is_refused(tmp_path: Path) -> None:
    folder = make(tmp_path / "mine")
    (folder / MANIFEST).write_bytes(to_json(Family(name="lab", members=(), origin=ORIGIN)))
    with pytest.raises(ProfilerError, match="no forms"):
        families.find(str(folder))


@pytest.mark.parametrize("content", [b"shorter or longer", b"KERAS"])
def test_a_file_other_than_the_manifests_is_refused(tmp_path: Path, content: bytes) -> None:
    folder = make(tmp_path / "a b" / "lab")
    (folder / "keras.model").write_bytes(content)
    with pytest.raises(ProfilerError, match=r"keras.model is not the file that family.json names: ") as caught:
        families.find(str(folder))
    assert caught.value.remedy == f"type: profiler models build --family lab [--photos DIR] --output '{tmp_path}/a b'"


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    folder = make(tmp_path / "mine")
    (folder / "litert-int8.model").unlink()
    with pytest.raises(ProfilerError, match=r"litert-int8.model cannot be read .*: restore the folder"):
        families.find(str(folder))


@given(data=st.data())
def test_whatever_a_manifest_holds_it_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, data: Any) -> None:
    folder = make(tmp_path_factory.mktemp("any") / "lab")
    whole = (folder / MANIFEST).read_bytes()
    place = data.draw(st.integers(0, len(whole) - 1))
    changed = data.draw(
        st.one_of(
            st.binary(max_size=40),
            st.just(whole[:place]),
            st.binary(min_size=1, max_size=3).map(lambda part: whole[:place] + part + whole[place + len(part) :]),
        )
    )
    (folder / MANIFEST).write_bytes(changed)
    with suppress(ProfilerError):
        assert [path.parent for _, _, path, _ in families.find(str(folder))] == [folder, folder]
