import hashlib
import os
from pathlib import Path

import pytest

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.modelfile.digest import file_sha256

TFLITE, KERAS, HDF5 = b"\x1c\0\0\0TFL3rest", b"PK\x03\x04rest....", b"\x89HDF\r\n\x1a\nrest"


def made(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_defaults_are_the_shipped_models() -> None:
    keras, litert = modelfile.parse("keras,litert")
    assert (keras.label, keras.runtime, keras.path.name) == ("keras", "keras", "cat-dog-mnv2.keras")
    assert (litert.label, litert.runtime, litert.path.name) == ("litert", "litert", "cat-dog-mnv2.tflite")


def test_own_files_and_labels(tmp_path: Path) -> None:
    a, b = made(tmp_path / "a.tflite", TFLITE), made(tmp_path / "b.tflite", TFLITE)
    keras = made(tmp_path / "k.h5", HDF5)
    models = modelfile.parse(f"litert={a}, litert={b},keras={keras}")
    assert [model.label for model in models] == ["litert:a", "litert:b", "keras"]
    assert models[0].path == a


@pytest.mark.parametrize("text", ["pytorch", "", "litert,", "mobilenet.tflite"])
def test_unknown_runtime(text: str) -> None:
    with pytest.raises(ProfilerError, match="unknown model or runtime"):
        modelfile.parse(text)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match=r"gone\.tflite cannot be read \(No such file"):
        modelfile.parse(f"litert={tmp_path / 'gone.tflite'}")


def test_a_folder_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match=r"is a folder: name a .* file; convert a SavedModel"):
        modelfile.parse(f"litert={tmp_path}")


def test_what_would_be_waited_for_is_no_model(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.tflite")
    with pytest.raises(ProfilerError, match=r"pipe\.tflite is no plain file"):
        modelfile.alone(tmp_path / "pipe.tflite")


def test_a_path_that_no_record_can_hold(tmp_path: Path) -> None:
    file = made(tmp_path / os.fsdecode(b"bad\xff.tflite"), TFLITE)
    with pytest.raises(ProfilerError, match=r"bad\\xff\.tflite is not UTF-8: rename") as caught:
        modelfile.alone(file)
    assert str(caught.value).encode()


@pytest.mark.parametrize(
    ("runtime", "content"), [("litert", KERAS), ("keras", TFLITE), ("litert", b""), ("keras", b"PK")]
)
def test_foreign_files(tmp_path: Path, runtime: str, content: bytes) -> None:
    file = made(tmp_path / "model", content)
    with pytest.raises(ProfilerError, match=f"is not a {runtime} model"):
        modelfile.parse(f"{runtime}={file}")


def test_the_same_model_twice(tmp_path: Path) -> None:
    file = made(tmp_path / "a.tflite", TFLITE)
    with pytest.raises(ProfilerError, match="named twice"):
        modelfile.parse(f"litert={file},litert={file}")


def test_sha256(tmp_path: Path) -> None:
    file = made(tmp_path / "a", b"abc")
    assert file_sha256(file) == hashlib.sha256(b"abc").hexdigest()
