"""`profiler export`, in this process, of the studies that ship."""

import json
import shutil
from pathlib import Path

import pyperf
import pytest
from click.testing import CliRunner, Result

import profiler
from profiler import cli, export
from profiler.cli.export import FORMATS

RUNS = Path(profiler.__file__).parents[1] / "runs"


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["export", *arguments, "--runs", str(RUNS)])


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_every_format_is_offered() -> None:
    assert tuple(export.FORMATS) == FORMATS
    for name in FORMATS:
        assert name in CliRunner().invoke(cli.main, ["export", "--help"]).output


@pytest.mark.parametrize(
    ("to", "name"), [("pyperf", "x86-vm.pyperf.json"), ("json", "x86-vm.json"), ("csv", "x86-vm-csv")]
)
def test_the_output_is_named_after_the_study(here: Path, to: str, name: str) -> None:
    done = invoke("x86-vm", "--to", to)
    assert done.exit_code == 0, done.output
    assert done.stdout == f"export: {name}\n"
    assert [path.name for path in here.iterdir()] == [name]


def test_parquet(here: Path) -> None:
    pytest.importorskip("pyarrow")
    assert invoke("x86-vm", "--to", "parquet", "--output", "deep/er").exit_code == 0
    assert (here / "deep/er/counts.parquet").stat().st_size > 1000


def test_the_shipped_study_is_pyperfs_too(here: Path) -> None:
    assert invoke("x86-vm", "--to", "pyperf", "--output", "a.json").exit_code == 0
    found = pyperf.BenchmarkSuite.load("a.json").get_benchmark("litert, steady inference")
    timed = profiler.load(RUNS / "x86-vm").latencies.query("model == 'litert'")
    longest = timed[timed["images"] == timed["images"].max()]
    assert found.get_nvalue() == len(longest)
    assert found.mean() == pytest.approx(longest["latency_ns"].mean() / 1e9)


def test_without_a_name_it_is_the_newest(here: Path, tmp_path: Path) -> None:
    shutil.copytree(RUNS / "x86-vm", tmp_path / "runs" / "mine")
    done = CliRunner().invoke(cli.main, ["export", "--to", "json"])
    assert done.stdout == "export: x86-vm.json\n"


def test_one_file_may_go_to_standard_output(here: Path) -> None:
    done = invoke("x86-vm", "--to", "json", "--output", "-")
    assert json.loads(done.stdout)["study"]["name"] == "x86-vm"
    done = invoke("x86-vm", "--to", "pyperf", "--output", "-")
    assert pyperf.BenchmarkSuite.loads(done.stdout).get_benchmark_names()[0] == "keras, whole process of 1 image"
    assert not list(here.iterdir())


def test_a_folder_may_not() -> None:
    done = invoke("x86-vm", "--to", "csv", "--output", "-")
    assert done.exit_code == 2
    assert done.stderr.startswith("profiler: csv is several files, which standard output cannot hold: see `")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("nothing", "--to", "csv"), "no study 'nothing'"),
        (("x86-vm", "--to", "csv", "--output", "file/below"), "the export cannot be written"),
        (("x86-vm", "--to", "json", "--output", "folder"), "the export cannot be written"),
    ],
)
def test_what_cannot_be_is_one_line(here: Path, arguments: tuple[str, ...], says: str) -> None:
    (here / "file").write_text("kept")
    (here / "folder").mkdir()
    done = invoke(*arguments)
    assert done.exit_code == cli.CANNOT
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert sorted(path.name for path in here.iterdir()) == ["file", "folder"]
    assert (here / "file").read_text() == "kept"


def test_a_format_is_asked_for() -> None:
    assert invoke("x86-vm").exit_code == 2
    assert invoke("x86-vm", "--to", "xlsx").exit_code == 2
