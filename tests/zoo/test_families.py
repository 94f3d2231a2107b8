"""Building the families: whole or not at all, from photos or without, and what the forms are."""

import collections
import errno
import hashlib
import os
import struct
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import tflite
from asked import logits

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.images.pools import BUILTIN, pool
from profiler.modelfile.digest import file_sha256
from profiler.modelfile.families import MANIFEST, FamilyMember, find, member, read
from profiler.pixels import load
from profiler.records import Form
from profiler.zoo import convert, families, lab, width
from profiler.zoo.architecture import SIDE
from profiler.zoo.convert import loadable
from profiler.zoo.pictures import CROPS, LEAST, MOST, pictures
from profiler.zoo.quiet import quiet

TFLITE = modelfile.shipped(modelfile.DEFAULTS["litert"])
PHOTOS = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "pets"
LABELS = ("keras-trained", "keras", "litert-fp32", "litert-fp16", "litert-dynamic", "litert-int8")
FORM = Form(family="lab", weights="same", runtime="keras", precision="fp32", optimiser_state=False, alpha=1.0)

Maker = Callable[..., tuple[FamilyMember, ...]]


def photo_folder(folder: Path, count: int = LEAST) -> Path:
    """`count` small pictures a class, all different."""
    import cv2

    rng = np.random.default_rng(0)
    for name in ("cat", "dog"):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            picture = rng.integers(0, 256, (8, 8, 3), dtype=np.uint8)
            assert cv2.imwrite(str(folder / name / f"{index}.png"), picture)
    return folder


def maker(content: bytes, then: BaseException | None = None) -> Maker:
    """Makes a family of one file, and may fail once it is written."""

    def make(tf: Any, folder: Path, work: Path, chosen: Any, seed: int, report: Any) -> tuple[FamilyMember, ...]:
        (folder / "a.keras").write_bytes(content)
        (work / "saved").mkdir()
        if then:
            raise then
        made = member(folder / "a.keras", "a", FORM, "What it is.")
        report(made)
        return (made,)

    return make


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Builds `lab` by a maker into `models`, without TensorFlow; returns the lines that were told."""
    packages = SimpleNamespace(__version__="2.0", keras=SimpleNamespace(__version__="3.0"))
    monkeypatch.setattr(families, "tensorflow", lambda: packages)

    def run(make: Maker, photos: Path | None = None) -> list[str]:
        monkeypatch.setitem(families._MAKERS, "lab", make)
        told: list[str] = []
        assert families.build("lab", tmp_path / "models", photos, 3, told.append) == tmp_path / "models" / "lab"
        return told

    return run


def test_a_family_is_its_files_a_manifest_and_a_card(build: Callable[..., list[str]], tmp_path: Path) -> None:
    told = build(maker(b"one"), photo_folder(tmp_path / "photos"))
    folder = tmp_path / "models" / "lab"
    assert told == ["pictures: 5 photos of cats and 5 photos of dogs", "a: 3 bytes", f"wrote {folder}"]
    assert sorted(path.name for path in folder.iterdir()) == ["README.md", "a.keras", MANIFEST]
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["lab"]
    ((label, runtime, path, form),) = find(str(folder))
    assert (label, runtime, path.read_bytes(), form) == ("a", "keras", b"one", FORM)
    origin = read(folder).origin
    assert origin.weights_sha256 == file_sha256(lab.source())
    assert (origin.pictures_count, origin.builtin, origin.seed) == (10, False, 3)
    assert origin.packages == {"profiler": "0.1.0", "tensorflow": "2.0", "keras": "3.0"}


def test_the_card_says_what_the_manifest_says(build: Callable[..., list[str]], tmp_path: Path) -> None:
    build(maker(b"one"), photo_folder(tmp_path / "photos"))
    card = (tmp_path / "models" / "lab" / "README.md").read_text()
    family = read(tmp_path / "models" / "lab")
    (entry,), origin = family.members, family.origin
    for fact in (entry.sha256, entry.what, origin.weights_sha256, origin.pictures, origin.pictures_sha256, "seed 3"):
        assert str(fact) in card
    assert "No photos were named" not in card


def test_without_photos_all_three_places_say_so(build: Callable[..., list[str]], tmp_path: Path) -> None:
    told = build(maker(b"one"))
    assert "built-in photograph chelsea.png" in told[0]
    assert "because no --photos were named" in told[0]
    folder = tmp_path / "models" / "lab"
    assert "No photos were named for this build" in (folder / "README.md").read_text()
    assert read(folder).origin.builtin
    assert read(folder).origin.pictures_count == 2 * CROPS


def test_a_new_family_replaces_the_former(build: Callable[..., list[str]], tmp_path: Path) -> None:
    for content in (b"one", b"two"):
        build(maker(content))
        assert find(str(tmp_path / "models" / "lab"))[0][2].read_bytes() == content
    assert [path.name for path in (tmp_path / "models").iterdir()] == ["lab"]


@pytest.mark.parametrize("former", [True, False])
@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError(28, "No space left on device")])
def test_an_end_on_the_way_leaves_the_former(
    build: Callable[..., list[str]], tmp_path: Path, error: BaseException, former: bool
) -> None:
    if former:
        build(maker(b"one"))
    with pytest.raises((KeyboardInterrupt, ProfilerError)) as caught:
        build(maker(b"two", error))
    if isinstance(error, OSError):
        assert "cannot write to" in str(caught.value)
        assert "No space left" in str(caught.value)
    left = [path.read_bytes() for path in (tmp_path / "models").rglob("*.keras")]
    assert left == ([b"one"] if former else [])
    assert [path.name for path in (tmp_path / "models").iterdir()] == (["lab"] if former else [])


def test_ctrl_c_between_the_two_renames_puts_the_former_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    draft, target = tmp_path / "draft", tmp_path / "lab"
    for folder in (draft, target):
        folder.mkdir()
        (folder / folder.name).touch()
    rename = Path.rename

    def interrupted(path: Path, to: Path) -> Path:
        if path == draft:
            raise KeyboardInterrupt
        return rename(path, to)

    monkeypatch.setattr(Path, "rename", interrupted)
    with pytest.raises(KeyboardInterrupt):
        families._replace(draft, target, tmp_path / "former")
    assert [path.name for path in target.iterdir()] == ["lab"]


@pytest.mark.parametrize("kind", ["folder", "file"])
def test_what_is_no_family_is_not_replaced(build: Callable[..., list[str]], tmp_path: Path, kind: str) -> None:
    mine = tmp_path / "models" / "lab"
    mine = mine / "thesis.txt" if kind == "folder" else mine
    mine.parent.mkdir(parents=True)
    mine.write_text("mine")
    with pytest.raises(ProfilerError, match="exists and is no model family: move it away"):
        build(maker(b"one"))
    assert mine.read_text() == "mine"


def test_a_folder_that_cannot_be_written_is_named(build: Callable[..., list[str]], tmp_path: Path) -> None:
    (tmp_path / "models").touch()
    with pytest.raises(ProfilerError, match=r"cannot write to .*models"):
        build(maker(b"one"))


def test_random_weights_take_no_photos(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="takes no photos"):
        families.build("width", tmp_path, tmp_path, 0, print)


def test_a_missing_tensorflow_is_named_and_nothing_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    with pytest.raises(ProfilerError, match="TensorFlow is not installed"):
        families.build("lab", tmp_path / "models", None, 0, print)
    assert not (tmp_path / "models").exists()


@pytest.mark.parametrize("count", [0, LEAST - 1])
def test_too_few_photos_are_refused_before_anything_is_made(tmp_path: Path, count: int) -> None:
    photos = photo_folder(tmp_path / "photos", count)
    with pytest.raises(ProfilerError, match=f"has {count} photos"):
        families.build("lab", tmp_path / "models", photos, 0, print)
    assert not (tmp_path / "models").exists()


def test_an_unreadable_photo_is_named(tmp_path: Path) -> None:
    photos = photo_folder(tmp_path / "photos")
    (photos / "dog" / "2.png").write_bytes(b"no picture")
    with pytest.raises(ProfilerError, match=r"2\.png is not a readable image"):
        families.build("lab", tmp_path / "models", photos, 0, print)


def test_of_many_photos_the_seed_draws_some(tmp_path: Path) -> None:
    folder = photo_folder(tmp_path, MOST // 2 + 20)
    first, again, other = (pictures(folder, seed) for seed in (0, 0, 1))
    assert first.pixels.shape == (MOST, SIDE, SIDE, 3)
    assert len(first.labels) == MOST
    assert first.sha256 == again.sha256 != other.sha256
    cats, dogs = np.bincount(first.labels)
    assert first.what == f"{cats} photos of cats and {dogs} photos of dogs"
    # Labels stay with their photos: the folder's order is kept.
    assert (np.diff(first.labels) >= 0).all()


def test_without_photos_the_seed_makes_the_pictures() -> None:
    first, again, other = (pictures(None, seed) for seed in (0, 0, 1))
    assert first.sha256 == again.sha256 != other.sha256
    assert first.sha256 == hashlib.sha256(first.pixels.tobytes()).hexdigest()
    assert np.bincount(first.labels).tolist() == [CROPS, CROPS]
    np.testing.assert_array_equal(first.pixels[:CROPS], pool("builtin", CROPS, SIDE, SIDE, 3, seed=0))


def test_calibration_sees_the_whole_range_of_a_pixel() -> None:
    grey = np.full((2, 4, 4, 3), 100, np.uint8)
    (first,), (second,) = convert._samples(grey)
    assert (first.min(), first.max(), first.dtype, first.shape) == (0, 255, np.float32, (1, 4, 4, 3))
    assert (first != 100).any(axis=-1).sum() == 2
    assert (second == 100).all()
    assert (grey == 100).all()


def test_a_full_disk_is_one_error_whoever_writes(tmp_path: Path) -> None:
    class ResourceExhaustedError(Exception):
        pass

    class ExportArchive:
        track = add_endpoint = staticmethod(lambda *_, **__: None)

        def write_out(self, folder: str) -> None:
            raise ResourceExhaustedError(f"{folder}; No space left on device")

    tf = SimpleNamespace(
        keras=SimpleNamespace(export=SimpleNamespace(ExportArchive=ExportArchive)),
        errors=SimpleNamespace(ResourceExhaustedError=ResourceExhaustedError),
        TensorSpec=lambda *_, **__: None,
    )
    with pytest.raises(OSError, match="No space left") as caught:
        convert.export(tf, SimpleNamespace(inputs=[SimpleNamespace(dtype="uint8")]), tmp_path)
    assert caught.value.errno == errno.ENOSPC


def versions(content: bytes) -> dict[int, int]:
    """Each kind of operator to its version."""
    model = tflite.Model.GetRootAs(content, 0)
    codes = [model.OperatorCodes(index) for index in range(model.OperatorCodesLength())]
    return {code.BuiltinCode(): code.Version() for code in codes}


def test_only_the_version_of_the_last_operator_is_changed() -> None:
    shipped = TFLITE.read_bytes()
    assert loadable(shipped) == shipped
    newer, model = bytearray(shipped), tflite.Model.GetRootAs(shipped, 0)
    for index in range(model.OperatorCodesLength()):
        code = model.OperatorCodes(index)
        if code.BuiltinCode() == tflite.BuiltinOperator.FULLY_CONNECTED:
            struct.pack_into("<i", newer, code._tab.Pos + code._tab.Offset(8), 12)
    assert versions(bytes(newer))[tflite.BuiltinOperator.FULLY_CONNECTED] == 12
    assert loadable(bytes(newer)) == shipped


def test_quiet_holds_back_what_python_and_what_others_say(capfd: pytest.CaptureFixture[str]) -> None:
    with quiet():
        print("python")
        print("python", file=sys.stderr)
        os.write(1, b"others")
        os.write(2, b"others")
    print("after", flush=True)
    os.write(2, b"after")
    assert capfd.readouterr() == ("after\n", "after")


def test_quiet_lets_errors_pass_and_speech_return(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ZeroDivisionError), quiet():
        raise ZeroDivisionError
    os.write(1, b"after")
    assert capfd.readouterr().out == "after"


def operators(path: Path) -> list[tuple[str, list[str], list[str]]]:
    """Of each operator its name, and the types of its inputs and outputs."""
    names, types = (
        {value: name for name, value in vars(kind).items() if isinstance(value, int)}
        for kind in (tflite.BuiltinOperator, tflite.TensorType)
    )
    model = tflite.Model.GetRootAs(path.read_bytes(), 0)
    graph = model.Subgraphs(0)

    def kinds(indices: Any) -> list[str]:
        return [types[graph.Tensors(index).Type()] for index in indices if index >= 0]

    found = []
    for index in range(graph.OperatorsLength()):
        operator = graph.Operators(index)
        name = names[model.OperatorCodes(operator.OpcodeIndex()).BuiltinCode()]
        found.append((name, kinds(operator.InputsAsNumpy()), kinds(operator.OutputsAsNumpy())))
    return found


def is_int8(path: Path) -> bool:
    """Whether every operator takes and gives int8, beside int32 biases and the axes of the mean."""
    found = operators(path)
    return (
        all(set(takes) <= {"INT8", "INT32"} and gives == ["INT8"] for _, takes, gives in found)
        and all(takes[0] == "INT8" for _, takes, _ in found)
        and not {"QUANTIZE", "DEQUANTIZE", "CAST"} & {name for name, _, _ in found}
    )


def arrays(path: Path, group: str) -> dict[str, np.ndarray]:
    """The arrays of a group in a .keras file, by name."""
    h5py = pytest.importorskip("h5py")
    found: dict[str, np.ndarray] = {}
    with zipfile.ZipFile(path) as archive, archive.open("model.weights.h5") as member, h5py.File(member) as file:
        file[group].visititems(lambda name, item: found.update({name: item[()]} if hasattr(item, "shape") else {}))
    return found


@pytest.mark.slow
def test_lab_is_six_forms_of_the_expected_sizes(lab_family: Path) -> None:
    forms = {label: (path, form) for label, _, path, form in find(str(lab_family))}
    assert tuple(forms) == LABELS
    size = {label: path.stat().st_size for label, (path, _) in forms.items()}
    assert size["keras-trained"] == pytest.approx(27e6, rel=0.05)
    assert size["keras"] == pytest.approx(9.6e6, rel=0.01)
    assert size["litert-fp32"] == pytest.approx(8.88e6, rel=0.01)
    assert size["litert-fp16"] == pytest.approx(size["litert-fp32"] / 2, rel=0.02)
    assert size["litert-dynamic"] == pytest.approx(2.5e6, rel=0.05)
    assert size["litert-int8"] == pytest.approx(2.7e6, rel=0.02)
    assert [form.optimiser_state for _, form in forms.values()] == [True, *[False] * 5]
    assert [form.precision for _, form in forms.values()] == ["fp32"] * 3 + ["fp16", "dynamic", "int8"]
    assert {(form.family, form.weights, form.alpha) for _, form in forms.values()} == {("lab", "same", 1.0)}


@pytest.mark.slow
def test_building_lab_says_one_line_a_step_and_nothing_else(lab_family: Path) -> None:
    lines = (lab_family.parent / "said").read_text().splitlines()
    assert [line.partition(":")[0] for line in lines] == ["pictures", *LABELS, f"wrote {lab_family}"]
    assert list(lab_family.parent.glob(".build-*")) == []


@pytest.mark.slow
@pytest.mark.parametrize("label", ["keras", "keras-trained"])
def test_the_keras_forms_have_the_shipped_weights_exactly(lab_family: Path, label: str) -> None:
    mine, shipped = (arrays(path, "layers") for path in (lab_family / f"{label}.keras", lab.source()))
    assert sum(array.size for array in mine.values()) == 2_259_265

    def sorted_bytes(found: dict[str, np.ndarray]) -> list[bytes]:
        return sorted(array.tobytes() for array in found.values())

    # Versions of Keras name the layers in this file in ways of their own; the arrays themselves tell.
    assert sorted_bytes(mine) == sorted_bytes(shipped)


@pytest.mark.slow
def test_only_the_trained_form_has_an_optimisers_state_and_it_is_filled(lab_family: Path) -> None:
    state = arrays(lab_family / "keras-trained.keras", "optimizer")
    moments = [array for array in state.values() if array.ndim]
    assert sum(array.size for array in moments) == 2 * 2_225_153
    assert all(array.any() for array in moments)
    assert arrays(lab_family / "keras.keras", "/").keys() == {
        name for name in arrays(lab_family / "keras-trained.keras", "/") if not name.startswith("optimizer/")
    }


@pytest.mark.slow
def test_the_int8_form_is_int8_throughout(lab_family: Path) -> None:
    assert is_int8(lab_family / "litert-int8.tflite")
    assert not is_int8(lab_family / "litert-dynamic.tflite")


@pytest.mark.slow
def test_the_lite_forms_have_one_signature_and_operators_that_2_14_knows(lab_family: Path) -> None:
    interpreter = pytest.importorskip("ai_edge_litert.interpreter").Interpreter
    for path in sorted(lab_family.glob("*.tflite")):
        signatures = interpreter(str(path)).get_signature_list()
        assert signatures == {"serving_default": {"inputs": ["image"], "outputs": ["logit"]}}
        assert versions(path.read_bytes())[tflite.BuiltinOperator.FULLY_CONNECTED] <= 9


@pytest.mark.slow
def test_an_int8_inputs_values_are_pixels_less_128(lab_family: Path) -> None:
    runtime = pytest.importorskip("profiler.runtimes.litert")
    image, output = runtime.open(1, "").load(str(lab_family / "litert-int8.tflite"))
    assert (image.dtype, image.scale, image.zero_point) == ("int8", 1.0, -128)
    assert (output.dtype, output.shape) == ("int8", (1, 1))
    assert output.scale is not None


@pytest.mark.slow
# Keras 3.15 asks TensorFlow's variables for arrays in a way that NumPy 2 deprecates.
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
def test_all_forms_of_lab_give_the_same_answers(lab_family: Path) -> None:
    photos = [load(BUILTIN), *pool("builtin", 8, SIDE, SIDE, 3, seed=9), *pictures(None, 9).pixels[CROPS : CROPS + 8]]
    found = {label: logits(path, photos) for label, _, path, _ in find(str(lab_family))}
    reference = found["keras"]
    assert (reference[:9] < 0).all()
    assert (reference[9:] > 0).all()
    bounds = dict(zip(LABELS, (0, 0, 0.01, 0.05, 1, 1.5), strict=True))
    for label, bound in bounds.items():
        assert np.abs(found[label] - reference).max() <= bound, label


@pytest.mark.slow
@pytest.mark.skipif(not PHOTOS.is_dir(), reason="no labelled photos")
def test_lab_without_photos_still_tells_cats_from_dogs(lab_family: Path) -> None:
    photos = pictures(PHOTOS / "test", 0)
    for label in ("litert-dynamic", "litert-int8"):
        right = (logits(lab_family / f"{label}.tflite", photos.pixels) > 0) == photos.labels
        assert (right.sum(), len(right)) >= (248, 250)


BUILD_WIDTH = """
import json, pathlib, sys
from profiler.zoo import width
from profiler.zoo.pictures import pictures
from profiler.zoo.quiet import tensorflow
tf, folder = tensorflow(), pathlib.Path(sys.argv[1])
for name in sys.argv[2:]:
    (folder / name / "forms").mkdir(parents=True)
    width.make(tf, folder / name / "forms", folder / name, pictures(None, 5), 5, print, alphas=(0.35,))
"""


@pytest.fixture(scope="session")
def narrow(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The narrowest network of the family `width`, built twice with one seed."""
    for package in ("tensorflow", "ai_edge_litert"):
        pytest.importorskip(package)
    folder = tmp_path_factory.mktemp("width")
    command = [sys.executable, "-c", BUILD_WIDTH, str(folder), "a", "b"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stderr == ""
    return folder / "a" / "forms", folder / "b" / "forms"


@pytest.mark.slow
def test_the_same_seed_gives_the_same_bytes(narrow: tuple[Path, Path]) -> None:
    first, second = narrow
    names = ["w0.35-fp32.tflite", "w0.35-int8.tflite"]
    assert sorted(path.name for path in first.iterdir()) == names
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes()


@pytest.mark.slow
def test_a_width_is_the_same_network_narrower(narrow: tuple[Path, Path], lab_family: Path) -> None:
    for precision in ("fp32", "int8"):
        mine, trained = narrow[0] / f"w0.35-{precision}.tflite", lab_family / f"litert-{precision}.tflite"
        counts = [collections.Counter(name for name, _, _ in operators(path)) for path in (mine, trained)]
        assert counts[0] == counts[1]
        assert mine.stat().st_size < trained.stat().st_size / 4
    assert is_int8(narrow[0] / "w0.35-int8.tflite")


@pytest.mark.slow
def test_random_weights_give_answers_that_depend_on_the_picture(narrow: tuple[Path, Path]) -> None:
    photos = pictures(None, 6).pixels[::8]
    for precision in ("fp32", "int8"):
        found = logits(narrow[0] / f"w0.35-{precision}.tflite", photos)
        assert np.isfinite(found).all()
        assert 0.01 < found.std() < 100


def test_widths_are_described_as_random() -> None:
    form = width._form(0.35, "int8")
    assert (form.weights, form.alpha, form.precision, form.runtime) == ("random", 0.35, "int8", "litert")
