"""`profiler models`, in this process: real files are inspected, what takes an engine or QEMU is made."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner, Result
from made_curves import made_curve
from made_networks import made_check

from profiler import cli, modelfile
from profiler.errors import ProfilerError
from profiler.measure import accuracy
from profiler.miss_curve import measure
from profiler.modelfile import checks
from profiler.modelfile.digest import file_sha256
from profiler.zoo import default, families

KERAS, TFLITE = (modelfile.shipped(modelfile.DEFAULTS[name]) for name in ("keras", "litert"))


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["models", *arguments])


def test_inspect_says_where_the_bytes_go_and_what_fits() -> None:
    done = invoke("inspect", str(TFLITE), "--no-load")
    assert done.exit_code == 0, done.output
    lines = done.stdout.splitlines()
    assert lines[0].startswith("cat-dog-mnv2.tflite: 2,650,632 bytes, tflite, sha256 ")
    assert any(line.startswith("the file") and "2,650,632" in line for line in lines)
    assert "caches of Raspberry Pi 5" in done.stdout
    assert "spills L1D, L2 and L3" in done.stdout
    assert max(map(len, (line for line in lines if "  " in line))) <= 80


def test_inspect_lists_every_operator_where_asked(tmp_path: Path) -> None:
    pytest.importorskip("h5py")
    done = invoke("inspect", str(KERAS), "--operators", "--caches", "pi4")
    assert done.exit_code == 0, done.output
    listed = [line for line in done.stdout.splitlines() if "block_" in line or "Conv2D" in line]
    found = modelfile.facts(KERAS)
    assert len(listed) >= sum(operator.name == "Conv2D" for operator in found.operators)
    assert "--load asks it" in done.stdout
    assert "L3" not in done.stdout


def test_inspect_in_json() -> None:
    done = invoke("inspect", str(TFLITE), "--no-load", "--json")
    (line,) = done.stdout.splitlines()
    found = json.loads(line)
    assert sum(share["size_bytes"] for share in found["network"]["shares"]) == TFLITE.stat().st_size
    assert found["look"] is None


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"no model at all", "is not a model"),
        (b"\x1c\0\0\0TFL3", "truncated or damaged"),
        (b"PK\x03\x04", "archive is damaged"),
    ],
)
def test_a_bad_file_is_a_line_and_the_others_are_inspected(tmp_path: Path, content: bytes, says: str) -> None:
    bad = tmp_path / "bad.bin"
    bad.write_bytes(content)
    done = invoke("inspect", str(bad), str(TFLITE), "--no-load")
    assert done.exit_code == cli.CANNOT
    (line,) = done.stderr.splitlines()
    assert line.startswith(f"profiler: {bad}")
    assert says in line
    assert "cat-dog-mnv2.tflite: 2,650,632 bytes" in done.stdout


def test_names_out_of_files_are_no_markup_and_do_not_control_a_terminal(tmp_path: Path) -> None:
    content = TFLITE.read_bytes()
    path = tmp_path / "[bold]\x1b[31m\n.tflite"
    path.write_bytes(content.replace(b"serving_default", b"[red]\x1b[31m name"))
    done = invoke("inspect", str(path), "--no-load")
    assert done.stdout.startswith("[bold]?[31m\n.tflite: 2,650,632 bytes")
    assert "input of [red]?[31m name" in done.stdout
    assert "\x1b" not in done.stdout
    path.write_bytes(b"no model")
    done = invoke("inspect", str(path))
    assert (done.exit_code, done.stderr.count("\n")) == (cli.CANNOT, 1)


@pytest.mark.parametrize("seed", ["-1", str(2**31)])
def test_a_seed_that_no_generator_takes(seed: str) -> None:
    for arguments in (["build", "--family", "lab"], ["check"], ["curve", str(TFLITE)]):
        done = invoke(*arguments, "--seed", seed)
        assert (done.exit_code, done.stderr.count("\n")) == (2, 1)
        assert f"{seed} is not in the range" in done.stderr


def test_no_such_file() -> None:
    done = invoke("inspect", "gone.tflite")
    assert (done.exit_code, done.stderr.count("\n")) == (cli.CANNOT, 1)
    assert "gone.tflite cannot be read" in done.stderr


@pytest.mark.slow
def test_the_engine_tells_what_its_delegate_took_also_of_several_inputs(tmp_path: Path) -> None:
    pytest.importorskip("ai_edge_litert")
    done = invoke("inspect", str(TFLITE))
    assert "delegate XNNPACK: took" in done.stdout
    assert "resident after load" in done.stdout


def test_build_without_photos_or_family() -> None:
    done = invoke("build")
    assert done.exit_code == 2
    assert "--photos DIR" in done.stderr


def test_build_says_what_it_does(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def build(photos: Path, output: Path, seed: int, report: Callable[[str], object]) -> None:
        report(f"from {photos} to {output} with seed {seed}")

    def family(name: str, output: Path, photos: Path | None, seed: int, report: Callable[[str], object]) -> None:
        report(f"{name} from {photos} to {output} with seed {seed}")

    monkeypatch.setattr(default, "build", build)
    monkeypatch.setattr(families, "build", family)
    done = invoke("build", "--photos", str(tmp_path), "--seed", "7")
    assert done.stdout == f"from {tmp_path} to models with seed 7\n"
    assert invoke("build", "--family", "lab").stdout == "lab from None to models with seed 0\n"


class TestCheck:
    @pytest.fixture
    def made(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
        path = tmp_path / "a.tflite"
        path.write_bytes(TFLITE.read_bytes())
        found = made_check("litert", file_sha256(path), agree=200, file="a.tflite", reference="keras")
        monkeypatch.setattr(accuracy, "check", lambda *_: accuracy.Result((found,), (ProfilerError("b", "mend it"),)))
        return path

    def test_what_is_found_is_printed_and_kept(self, made: Path) -> None:
        done = invoke("check", f"litert={made}")
        assert "litert disagrees: it agrees with keras on fewer than 98 %" in done.stdout
        assert (done.exit_code, done.stderr) == (cli.CANNOT, "profiler: b: mend it\n")
        check, _ = checks.known(made, file_sha256(made))
        assert check
        assert check.disagrees

    def test_failures_are_said_also_where_nothing_can_be_kept(self, made: Path) -> None:
        (made.parent / f"{checks.FILE}.part").mkdir()
        done = invoke("check", f"litert={made}")
        first, second = done.stderr.splitlines()
        assert first == "profiler: b: mend it"
        assert f"cannot be kept in {made.parent}" in second
        assert done.exit_code == cli.CANNOT

    def test_a_record_that_cannot_be_added_to_is_said_before_anything_is_asked(self, made: Path) -> None:
        (made.parent / checks.FILE).write_text("{")
        done = invoke("check", f"litert={made}")
        assert (done.exit_code, done.stdout) == (cli.CANNOT, "")
        assert "is damaged" in done.stderr

    def test_answers_of_other_classes_are_neither_right_nor_wrong(
        self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        path = tmp_path / "a.tflite"
        path.write_bytes(TFLITE.read_bytes())
        (answers,) = made_check("litert", "00").answers
        others = (msgspec.structs.replace(answers, correct=None),)
        found = made_check("litert", file_sha256(path), file="a.tflite", answers=others)
        monkeypatch.setattr(accuracy, "check", lambda *_: accuracy.Result((found,), ()))
        done = invoke("check", f"litert={path}")
        assert done.exit_code == 0
        assert "n/a: the network's outputs are not the photos' classes" in " ".join(done.stdout.split())

    def test_a_family_that_is_not_built(self, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(modelfile, "shipped", lambda name: tmp_path / name)
        done = invoke("check", "family:lab")
        assert done.exit_code == cli.CANNOT
        assert "profiler models build --family" in done.stderr


def test_a_curve_is_printed_and_drawn_with_other_files_going_on(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    asked: list[Any] = []

    def run(model: modelfile.ModelFile, options: measure.Options, tell: Callable[[str], None]) -> object:
        asked.append((model.path, options.caches, options.on, options.seeds))
        tell("simulating")
        return made_curve()

    monkeypatch.setattr(measure, "run", run)
    output = tmp_path / "reports"
    done = invoke("curve", "gone.tflite", str(TFLITE), "--seed", "4", "--output", str(output))
    assert asked == [(TFLITE, None, None, (5, 6))]
    assert done.exit_code == cli.CANNOT
    assert "gone.tflite cannot be read" in done.stderr
    page = output / "cat-dog-mnv2.tflite-curve" / "index.html"
    assert done.stdout.splitlines()[-1] == f"curve: {page}"
    assert sorted(path.name for path in page.parent.iterdir()) == ["curve.csv", "curve.json", "curve.svg", "index.html"]
