"""A study for other tools: pyperf's own commands, pandas and a JSON reader take what is exported."""

import csv
import gzip
import io
import statistics
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pandas as pd
import pyperf
import pytest
from msgspec.structs import replace
from studies import LITERT, failing, made_study, study_beside, virtual_study

from profiler import export
from profiler.errors import ProfilerError
from profiler.export import frames, json_document, parquet, pyperf_suite
from profiler.records import SCHEMA, Run, Study, from_json

QUICK = {"images": (1, 5), "repeats": 3, "noise": 0.01}


def framed(**recipe: object) -> frames.StudyFrames:
    return frames.StudyFrames(*made_study(**{**QUICK, **recipe}))


def benchmarks(study: frames.StudyFrames) -> dict[str, pyperf.Benchmark]:
    return {benchmark.get_name(): benchmark for benchmark in pyperf_suite.suite(study)}


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two studies' exports, of which the second is slower in LiteRT by half."""
    folder = tmp_path_factory.mktemp("pyperf")
    slower = {**LITERT, "duration_time": tuple(1.5 * ns for ns in LITERT["duration_time"])}
    first, second = framed(), framed(truth={"keras": LITERT, "litert": slower})
    export.write(first, "pyperf", folder / "first.json")
    export.write(second, "pyperf", folder / "second.json")
    return folder / "first.json", folder / "second.json"


def command(*arguments: str | Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "pyperf", *map(str, arguments)], capture_output=True, text=True, check=True
    )
    assert not done.stderr
    return done.stdout


def test_there_is_a_benchmark_of_each_model_and_image_count_and_of_its_inferences() -> None:
    assert list(benchmarks(framed())) == [
        "keras, whole process of 1 image",
        "keras, whole process of 5 images",
        "keras, steady inference",
        "litert, whole process of 1 image",
        "litert, whole process of 5 images",
        "litert, steady inference",
    ]


def test_whole_processes_are_their_wall_time() -> None:
    study = framed()
    found = benchmarks(study)["litert, whole process of 5 images"]
    wall = study.counts.query("model == 'litert' and images == 5 and region == 'process' and event == 'duration_time'")[
        "value"
    ]
    assert found.get_nrun() == len(wall) == 3
    assert [run.values for run in found.get_runs()] == [(ns / 1e9,) for ns in wall]
    assert found.get_unit() == "second"
    assert found.get_runs()[0].get_metadata()["timer"] == "duration_time"


def test_inferences_are_those_of_the_longest_runs_after_the_first_and_the_warmup() -> None:
    study = framed()
    found = benchmarks(study)["litert, steady inference"]
    longest = [run for run in study.run_records if (run.case.model, run.case.images) == ("litert", 5)]
    assert found.get_nrun() == len(longest) == 6
    for run, made in zip(longest, found.get_runs(), strict=True):
        done = run.completion
        assert done is not None
        assert made.values == tuple(ns / 1e9 for ns in done.latencies_ns)
        assert made.warmups == ((1, done.phases["first"].wall_ns / 1e9), (1, done.phases["warmup"].wall_ns / 1e9))
    assert found.median() == pytest.approx(
        statistics.median(study.latencies.query("model == 'litert' and images == 5")["latency_ns"]) / 1e9
    )


def test_a_run_carries_the_machine_under_pyperfs_names() -> None:
    told = benchmarks(framed())["keras, steady inference"].get_runs()[0].get_metadata()
    assert told["cpu_model_name"] == "Cortex-A76"
    assert told["perf_version"] == pyperf.__version__
    assert told["load_avg_1min"] == 0.4
    assert told["profiler_model"] == "cat-dog-mnv2.keras"
    assert told["profiler_images"] == 5
    assert "hostname" not in told


def test_failed_and_simulated_runs_are_left_out() -> None:
    study = frames.StudyFrames(*study_beside(**QUICK, change=failing("keras", 1, 0)))
    found = benchmarks(study)
    assert found["keras, whole process of 1 image"].get_nrun() == 2
    # The made simulator's times are 40 times as long.
    assert found["litert, whole process of 5 images"].mean() < 2 * 0.22


@pytest.mark.parametrize(
    "made",
    [
        virtual_study(),
        made_study(**QUICK, change=lambda run: replace(run, outcome="failed", counts=(), completion=None)),
    ],
    ids=["virtual", "failed"],
)
def test_a_study_without_times_is_none_for_pyperf(made: tuple[Study, tuple[Run, ...]], tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="has no times for pyperf") as error:
        export.write(frames.StudyFrames(*made), "pyperf", tmp_path / "a.json")
    assert "csv, parquet or json" in error.value.remedy
    assert not list(tmp_path.iterdir())


def test_pyperf_reads_back_what_it_wrote(tmp_path: Path) -> None:
    study = framed()
    for name in ("a.json", "a.json.gz"):
        export.write(study, "pyperf", tmp_path / name)
        assert pyperf.BenchmarkSuite.load(str(tmp_path / name)).get_benchmark_names() == list(benchmarks(study))
    assert gzip.decompress((tmp_path / "a.json.gz").read_bytes()) == (tmp_path / "a.json").read_bytes()


@pytest.mark.slow
def test_pyperf_compares_two_studies(files: tuple[Path, Path]) -> None:
    told = command("compare_to", *files)
    assert "litert, steady inference: Mean +- std dev: [first] 5." in told
    assert told.count("x slower") == 3
    assert "keras, whole process of 1 image: Mean" in told
    assert told.count("x faster") == 4


@pytest.mark.slow
def test_pyperf_compares_in_a_table(files: tuple[Path, Path]) -> None:
    told = command("compare_to", "--table", *files)
    assert told.count("| litert, ") == 3


@pytest.mark.slow
@pytest.mark.parametrize("asked", ["hist", "check", "show", "stats", "metadata", "dump", "slowest"])
def test_pyperfs_own_commands_take_the_file(files: tuple[Path, Path], asked: str) -> None:
    told = command(asked, files[0])
    assert "litert, steady inference" in told
    if asked == "stats":
        assert "Number of warmup per run: 2" in told


@pytest.mark.slow
def test_pyperf_finds_a_quiet_study_stable(tmp_path: Path) -> None:
    export.write(framed(noise=0.0001, labels=("litert",), images=(5,), repeats=10), "pyperf", tmp_path / "a.json")
    assert "WARNING" not in command("check", "-b", "litert, whole process of 5 images", tmp_path / "a.json")


def test_csv_has_a_file_a_frame(tmp_path: Path) -> None:
    study = framed(change=failing("keras", 5, 0))
    export.write(study, "csv", tmp_path / "new" / "folder")
    written = {path.stem: path for path in (tmp_path / "new" / "folder").iterdir()}
    assert set(written) == set(study.tables)
    read = {name: list(csv.DictReader(io.StringIO(path.read_text()))) for name, path in written.items()}
    for name, rows in read.items():
        assert len(rows) == len(study.tables[name])
        assert list(rows[0]) == list(study.tables[name].columns)
    run = next(run for run in study.run_records if run.outcome == "ok")
    first = read["counts"][0]
    assert (first["order"], first["value"]) == (str(run.order), str(run.counts[0].value))
    assert (first["simulator"], first["started_at"]) == ("", run.started_at)
    figures = {(row["subject"], row["event"], row["what"], row["images"]): row["value"] for row in read["costs"]}
    for row in study.costs.dropna(subset=["value", "images"]).itertuples():
        assert float(figures[row.subject, row.event, row.what, str(row.images)]) == row.value


def test_parquet_gives_back_the_same_frames(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    study = framed(change=failing("keras", 5, 0))
    export.write(study, "parquet", tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {f"{name}.parquet" for name in study.tables}
    for name, frame in study.tables.items():
        pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / f"{name}.parquet"), frame, check_column_type=False)


def test_parquet_of_frames_without_a_row(tmp_path: Path) -> None:
    pytest.importorskip("pyarrow")
    study = frames.StudyFrames(*virtual_study())
    export.write(study, "parquet", tmp_path)
    pd.testing.assert_frame_equal(pd.read_parquet(tmp_path / "latencies.parquet"), study.latencies)


def test_without_pyarrow_a_line_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parquet, "find_spec", lambda name: None if name == "pyarrow" else find_spec(name))
    with pytest.raises(ProfilerError) as error:
        export.write(framed(), "parquet", tmp_path / "new")
    assert error.value.remedy == "pip install pyarrow"
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("made", [made_study(**QUICK), virtual_study()], ids=["measured", "virtual"])
def test_json_holds_all_of_the_study(made: tuple[Study, tuple[Run, ...]], tmp_path: Path) -> None:
    export.write(frames.StudyFrames(*made), "json", tmp_path / "a.json")
    found = from_json(json_document.Document, (tmp_path / "a.json").read_bytes())
    assert found.document == json_document.DOCUMENT
    assert found.study == replace(made[0], schema=SCHEMA)
    assert found.runs == made[1]
    assert found.metadata["cpu_count"] == 4


def test_what_was_there_is_overwritten(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old")
    export.write(framed(), "json", tmp_path / "a.json")
    assert (tmp_path / "a.json").read_bytes() == export.content(framed(), "json")


@pytest.mark.parametrize("to", ["csv", "json", "pyperf"])
def test_a_place_that_cannot_be_written_is_said(tmp_path: Path, to: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfilerError, match="export cannot be written"):
        export.write(framed(), to, tmp_path / "file" / "below")
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
