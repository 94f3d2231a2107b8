"""`profiler check`: what it prints and how it ends."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace
from studies import Change, failing, made_study, put

from profiler import cli
from profiler.cli.options import DEGRADED, INVALID
from profiler.validity.codes import CODES


def check(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["check", *arguments])


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to call from."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def kept(root: Path, change: Change | None = None, name: str = "made", **recipe: object) -> Path:
    """A study's folder."""
    study, runs = made_study(images=(1, 5, 10), repeats=3, change=change, **recipe)
    return put(root, (replace(study, name=name, schema=4), runs))


def failed(run: object) -> object:
    return replace(run, outcome="failed", counts=(), completion=None, error="no memory")  # type: ignore[type-var]


def test_statuses_are_apart_from_those_of_other_ends() -> None:
    assert (DEGRADED, INVALID) == (4, 5)
    assert len({0, 2, cli.CANNOT, cli.RUNS_FAILED, DEGRADED, INVALID, cli.INTERRUPTED}) == 7


def test_a_valid_study_ends_well(folder: Path) -> None:
    kept(folder / "runs")
    done = check()
    assert done.exit_code == 0, done.output
    assert " ".join(done.stdout.split()) == (
        "Study made is valid: every figure says what it seems to. Of 12 cases none is less than valid; of 36 runs none "
        "is less than valid."
    )


def test_a_degraded_study_says_why_and_what_to_do_within_80_columns(folder: Path) -> None:
    kept(folder / "runs", failing("keras", 5, 0), governor="ondemand")
    done = check("made")
    assert done.exit_code == DEGRADED
    lines = done.stdout.splitlines()
    assert max(map(len, lines)) <= 80
    assert not [line for line in lines if line != line.rstrip() and line.startswith(" ")]
    assert [line for line in lines if line.startswith(("degraded", "invalid", "good"))] == [
        "invalid: failed-runs (2 runs)",
        "degraded: clock-moved (36 runs)",
        "degraded: few-repeats (2 cases)",
    ]
    assert "    -> Mend the cause, and sweep again." in lines
    assert done.stderr == ""


def test_a_study_of_failed_runs_is_invalid_for_one_reason(folder: Path) -> None:
    kept(folder / "runs", failed)  # type: ignore[arg-type]
    done = check("made")
    assert done.exit_code == INVALID
    assert [line for line in done.stdout.splitlines() if line.startswith(("degraded", "invalid", "good"))] == [
        "invalid: no-figures (36 runs and 12 cases)"
    ]
    assert "no memory" in done.stdout


@pytest.mark.parametrize("lines", ["", "{"])
def test_a_study_without_a_whole_run_is_invalid(folder: Path, lines: str) -> None:
    """A last line that a power cut left unfinished is no run."""
    (kept(folder / "runs") / "runs.jsonl").write_text(lines)
    done = check("made")
    assert done.exit_code == INVALID
    assert "no run was made" in done.stdout


@pytest.mark.parametrize(("file", "text"), [("runs.jsonl", "{}\n"), ("study.json", "{"), ("study.json", "")])
def test_damage_is_a_line_and_no_verdict(folder: Path, file: str, text: str) -> None:
    (kept(folder / "runs") / file).write_text(text)
    done = check("made")
    assert (done.exit_code, done.stdout) == (cli.CANNOT, "")
    assert done.stderr.count("\n") == 1
    assert "damaged" in done.stderr


def test_an_unknown_study_is_a_line(folder: Path) -> None:
    done = check("nowhere")
    assert (done.exit_code, done.stdout, done.stderr.count("\n")) == (cli.CANNOT, "", 1)


def test_the_newest_study_of_a_folder_is_checked(folder: Path) -> None:
    kept(folder / "mine", name="first", scope="user")
    done = check("--runs", "mine", "--json")
    assert json.loads(done.stdout)["study"] == "first"


def test_json_is_the_whole_validity(folder: Path) -> None:
    kept(folder / "runs", failing("keras", 5, 0))
    done = check("--json")
    assert done.exit_code == DEGRADED
    found = json.loads(done.stdout)
    assert found["grade"] == "degraded"
    assert [each["code"] for each in found["findings"]] == ["failed-runs", "few-repeats"]
    (bad, few) = found["findings"]
    assert {each["run"] for each in found["runs"]} == set(bad["runs"])
    assert {"what", "remedy", "grade", "runs", "cases", "study"} < set(bad)
    assert [each["case"]["images"] for each in found["cases"]] == [5, 5]
    assert few["cases"] == [each["case"] for each in found["cases"]]


def test_names_out_of_a_study_are_no_markup_and_control_nothing(folder: Path) -> None:
    kept(folder / "runs", name="[red]x\x1b[2J", notes=("[bold]a\x07b",))
    done = check()
    assert "[red]x?[2J" in done.stdout
    assert "[bold]a?b" in done.stdout
    assert "\x1b" not in done.stdout


def test_codes_are_listed_with_their_meaning(folder: Path) -> None:
    done = check("--codes")
    assert done.exit_code == 0
    words = " ".join(done.stdout.split())
    for name in CODES:
        assert f" {name} " in words
    assert max(map(len, done.stdout.splitlines())) <= 80
    listed = json.loads(check("--codes", "--json").stdout)
    assert {name: each["meaning"] for name, each in listed.items()} == {
        name: code.meaning for name, code in CODES.items()
    }


def test_a_check_imports_nothing_that_draws(folder: Path) -> None:
    kept(folder / "runs")
    script = (
        "import sys\nfrom profiler.cli import main\n"
        "try:\n    main(['check'])\nexcept SystemExit as end:\n    assert end.code == 0, end.code\n"
        "heavy = {'matplotlib', 'jinja2', 'pandas', 'tensorflow', 'pyarrow', 'cv2'} & set(sys.modules)\n"
        "assert not heavy, heavy\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
