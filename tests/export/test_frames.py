"""A study as pandas frames: what is in them, what is absent, and the example in the docstring of `profiler.load`."""

import doctest
import subprocess
import sys
from functools import cache
from pathlib import Path

import pandas as pd
import pytest
from msgspec.structs import replace
from studies import failing, family_study, made_study, recounting, virtual_study

import profiler
from profiler import store
from profiler.errors import ProfilerError
from profiler.export import frames, tidy_tables

ROOT = Path(profiler.__file__).parents[1]
QUICK = {"images": (1, 5, 10), "repeats": 3}


def framed(**recipe: object) -> frames.StudyFrames:
    return frames.StudyFrames(*made_study(**{**QUICK, **recipe}))


@cache
def plain() -> frames.StudyFrames:
    return framed()


def test_the_documented_example_is_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    runner = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE)
    for example in doctest.DocTestFinder().find(profiler.load, "load", globs={}):
        runner.run(example)
    assert runner.summarize().failed == 0
    assert runner.summarize().attempted >= 7


def test_a_study_is_found_by_path_and_by_name(tmp_path: Path) -> None:
    study, runs = made_study(**QUICK)
    kept = store.create(tmp_path, study)
    for run in runs:
        kept.append(run)
    for found in (profiler.load("made", tmp_path), profiler.load(tmp_path / "made"), profiler.load(str(kept.folder))):
        assert (found.record, found.run_records) == (study, runs)
    assert repr(found) == "<Study made: 2 models, 36 runs>"


def test_no_such_study_is_said(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="no study 'mine'"):
        profiler.load("mine", tmp_path)


def test_importing_the_package_imports_nothing_of_it() -> None:
    code = "import sys; before = set(sys.modules); import profiler; print(*sorted(set(sys.modules) - before))"
    done = subprocess.run([sys.executable, "-S", "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["profiler", "profiler.version"]


def test_runs_are_one_row_a_process() -> None:
    study = plain()
    assert len(study.runs) == len(study.run_records)
    run, row = study.run_records[7], study.runs.loc[7]
    assert (row["order"], row["model"], row["images"], row["region"], row["repeat"]) == (
        run.order,
        run.case.model,
        run.case.images,
        run.case.region,
        run.repeat,
    )
    assert row["wall_ns"] == run.wall_ns
    assert row["started_at"] == pd.Timestamp(run.started_at)
    assert run.completion is not None
    assert row["mem_max_rss"] == run.completion.peak_rss_bytes
    assert row["clock_hz_before"] == 2.4e9
    assert row["temperature_celsius_after"] == run.after.temperature_celsius
    assert row["reason"] is pd.NA


def test_a_failed_run_has_its_reason_and_no_counts() -> None:
    study = framed(change=failing("keras", 5, 1, "no memory"))
    bad = study.runs[study.runs["outcome"] != "ok"]
    assert set(bad["reason"]) == {"no memory"}
    assert bad["mem_max_rss"].isna().all()
    for frame in (study.counts, study.latencies, study.phases):
        assert not set(frame["order"]) & set(bad["order"])


def test_counts_are_those_of_the_runs() -> None:
    study = plain()
    told = {(run.order, count.event): count for run in study.run_records for count in run.counts}
    assert len(study.counts) == len(told)
    assert tuple(study.counts.columns) == tidy_tables.COUNTS
    for row in study.counts.sample(50, random_state=0).itertuples():
        count = told[int(str(row.order)), str(row.event)]
        assert (row.value, row.unit, row.status, row.estimated) == (count.value, count.unit, "counted", False)


def test_an_absent_count_is_na_with_a_reason() -> None:
    study = framed(change=recounting("cycles", value=None, status="not_counted", reason="the PMU was busy"))
    rows = study.counts[study.counts["event"] == "cycles"]
    assert len(rows)
    assert rows["value"].isna().all()
    assert set(rows["reason"]) == {"the PMU was busy"}


def test_a_scaled_count_is_marked() -> None:
    study = framed(change=recounting("cycles", estimated=True, running_percent=None))
    rows = study.counts[study.counts["estimated"]]
    assert set(rows["event"]) == {"cycles"}
    costs = study.costs[(study.costs["event"] == "cycles") & study.costs["value"].notna()]
    assert set(costs["status"]) == {"scaled"}


@pytest.mark.parametrize("recipe", [{}, {"change": lambda run: None}], ids=["full", "empty"])
def test_dtypes_do_not_depend_on_what_is_in_a_frame(recipe: dict[str, object]) -> None:
    found, expected = framed(**recipe).tables, plain().tables
    assert {name: dict(frame.dtypes) for name, frame in found.items()} == {
        name: dict(frame.dtypes) for name, frame in expected.items()
    }
    assert "object" not in {str(dtype) for frame in found.values() for dtype in frame.dtypes}


def test_latencies_are_one_row_an_inference() -> None:
    study = plain()
    run = next(run for run in study.run_records if run.case.images == 5)
    assert run.completion is not None
    rows = study.latencies[study.latencies["order"] == run.order]
    assert tuple(rows["latency_ns"]) == run.completion.latencies_ns
    assert tuple(rows["index"]) == (0, 1, 2, 3, 4)


def test_phases_are_one_row_a_phase() -> None:
    study = plain()
    run = study.run_records[0]
    assert run.completion is not None
    rows = study.phases[study.phases["order"] == run.order].set_index("phase")
    assert {name: usage.cpu_ns for name, usage in run.completion.phases.items()} == rows["cpu_ns"].to_dict()


def test_models_tell_what_is_known_of_the_files() -> None:
    study = plain()
    (keras, litert) = study.models.itertuples()
    assert (keras.model, keras.size_bytes, keras.input_shape) == ("keras", 9_626_662, "1x150x150x3")
    assert litert.delegate == "XNNPACK"
    assert keras.working_set_bytes is pd.NA
    assert keras.reason == "the study does not hold what is in the file"


def test_a_model_that_was_read_has_its_facts() -> None:
    study, runs = family_study(images=(1,), repeats=1)
    (first, *others) = study.models
    changed = replace(study, models=(replace(first, sha256=""), *others))
    row = frames.StudyFrames(changed, runs).models.loc[0]
    assert first.network is not None
    assert first.resident is not None
    assert (row["macs"], row["working_set_bytes"]) == (first.network.macs, first.network.working_set_bytes)
    assert row["resident_load_bytes"] == first.resident.load_bytes
    assert row["sha256"] is pd.NA
    assert row["reason"] is pd.NA


def test_costs_are_the_truth_of_the_study() -> None:
    found = {(row.subject, row.event, row.what): row.value for row in framed(noise=0.0).costs.itertuples()}
    assert found["litert", "cycles", "fixed"] == pytest.approx(0.38e9, rel=0.01)
    assert found["litert", "cycles", "slope"] == pytest.approx(11.2e6, rel=0.01)
    assert found["keras", "cycles", "region"] == pytest.approx(150e6, rel=0.01)


def test_the_frames_have_no_time_of_a_simulator() -> None:
    study = frames.StudyFrames(*virtual_study())
    assert set(study.runs["simulator"]) == {"qemu"}
    assert study.runs["wall_ns"].isna().all()
    assert study.runs["mem_max_rss"].isna().all()
    assert set(study.counts["status"]) == {"simulated"}
    assert study.latencies.empty
    assert study.phases.empty
    assert set(study.costs["status"]) <= {"simulated", "modelled", "absent"}


def test_metadata_has_pyperfs_names() -> None:
    told = plain().metadata.set_index("key")["fact"].to_dict()
    assert told == {
        "cpu_model_name": "Cortex-A76",
        "cpu_machine": "Raspberry Pi 5 Model B Rev 1.0",
        "cpu_count": "4",
        "platform": "Linux-6.12.34+rpt-rpi-2712-aarch64",
        "python_version": "3.11.2",
    }


def test_a_moment_of_which_only_the_year_is_known_is_no_moment() -> None:
    made, runs = made_study(**QUICK)
    study = frames.StudyFrames(made, tuple(replace(run, started_at="2025") for run in runs))
    assert study.runs["started_at"].isna().all()
    assert study.counts["started_at"].isna().all()
