import errno
import os
from pathlib import Path

import pytest
from msgspec.structs import replace
from studies import family_study, made_study

from profiler import store
from profiler.errors import ProfilerError
from profiler.records import READABLE, SCHEMA, Case, MachineState, Run, Study, from_json, upgraded

STATE = MachineState(at="2026-01-01T00:00:00+00:00")


def study(name: str, created_at: str = "2026-01-01T00:00:00+00:00", schema: int = 1) -> Study:
    return from_json(
        Study,
        f"""{{"schema": {schema}, "name": "{name}", "created_at": "{created_at}",
        "profiler_version": "0", "command": "",
        "plan": {{"images": [1], "repeats": 1, "warmup": 0, "threads": 1, "regions": ["process"], "phases": false,
        "event_set": "lab", "counters": "auto", "source": "builtin", "seed": 0, "timeout_s": 1, "cpus": null,
        "keras_call": "predict"}}, "machine": {{"arch": "", "cpu": "", "uarch": "", "cpus": 1, "board": null,
        "caches": [], "memory_bytes": null, "page_bytes": 4096, "kernel": "", "system": "", "virtual": null,
        "pmu": null, "perf_version": null, "perf_event_paranoid": null, "python": ""}},
        "models": [{{"label": "a", "runtime": "litert", "file": "a.tflite", "size_bytes": 1, "sha256": "",
        "engine": {{"package": "", "version": "", "call": "invoke", "threads": 1}},
        "input": {{"name": "", "shape": [1], "dtype": "uint8"}},
        "output": {{"name": "", "shape": [1], "dtype": "float32"}}}}],
        "counter_source": "perf", "scope": "", "events": [], "absent": {{}}, "groups": [], "cases": []}}""",
    )


def run(order: int) -> Run:
    return Run(
        order=order,
        case=Case(model="a", images=1, region="process"),
        repeat=0,
        started_at=STATE.at,
        wall_ns=1,
        outcome="ok",
        returncode=0,
        counts=(),
        before=STATE,
        after=STATE,
    )


def test_what_is_appended_is_loaded(tmp_path: Path) -> None:
    kept = store.create(tmp_path, study("s"))
    assert kept.raw.is_dir()
    for order in range(3):
        kept.append(run(order))
    assert store.load(kept.folder) == (upgraded(study("s")), (run(0), run(1), run(2)))


def test_a_study_without_runs(tmp_path: Path) -> None:
    assert store.load(store.create(tmp_path, study("s")).folder)[1] == ()


def test_an_unfinished_last_line_is_passed_over(tmp_path: Path) -> None:
    kept = store.create(tmp_path, study("s"))
    kept.append(run(0))
    with (kept.folder / "runs.jsonl").open("ab") as file:
        file.write(b'{"order": 1, "ca')
    assert store.load(kept.folder)[1] == (run(0),)


def test_damage_is_named(tmp_path: Path) -> None:
    kept = store.create(tmp_path, study("s"))
    (kept.folder / "runs.jsonl").write_bytes(b"nonsense\n")
    with pytest.raises(ProfilerError, match="is damaged"):
        store.load(kept.folder)
    for damaged in (b"[", b'{"schema": "\xff"}'):
        (kept.folder / "study.json").write_bytes(damaged)
        with pytest.raises(ProfilerError, match="is damaged"):
            store.load(kept.folder)


def test_another_schema_is_refused(tmp_path: Path) -> None:
    kept = store.create(tmp_path, study("s", schema=999))
    with pytest.raises(ProfilerError, match="has schema 999, this profiler reads 1"):
        store.load(kept.folder)


@pytest.mark.parametrize("schema", READABLE)
def test_earlier_schemas_are_read(tmp_path: Path, schema: int) -> None:
    kept = store.create(tmp_path, study("s", schema=schema))
    kept.append(run(0))
    assert store.load(kept.folder) == (upgraded(study("s", schema=schema)), (run(0),))


def test_a_study_of_schema_2_is_read_and_knows_nothing_of_files() -> None:
    """Two runs of a real one."""
    kept, runs = store.load(Path(__file__).parent / "samples/study-schema-2")
    assert kept.schema == 2
    assert len(runs) == 2
    for model in kept.models:
        assert (model.network, model.network_lack, model.resident, model.form, model.check) == (None,) * 5
        assert (model.engine.operators, model.engine.arena_bytes) == (None, None)


def test_all_that_is_known_of_models_is_kept(tmp_path: Path) -> None:
    made, _ = family_study()
    made = replace(made, schema=SCHEMA)
    loaded, _ = store.load(store.create(tmp_path, made).folder)
    assert loaded == made
    assert all(model.network and model.resident and model.form and model.check for model in loaded.models)


def test_a_name_is_taken_once(tmp_path: Path) -> None:
    store.create(tmp_path, study("s"))
    with pytest.raises(ProfilerError, match="study 's' exists"):
        store.create(tmp_path, study("s"))


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "-x"])
def test_names_that_are_no_folder(tmp_path: Path, name: str) -> None:
    with pytest.raises(ProfilerError, match="cannot be a study's name"):
        store.vacant(tmp_path, name)


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfilerError, match="cannot be written"):
        store.create(tmp_path / "file", study("s"))


def test_a_full_disk_leaves_the_name_free(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(ProfilerError, match=r"No space left on device\): make room on the disk"):
            store.create(tmp_path, study("s"))
    assert list(tmp_path.iterdir()) == []
    store.create(tmp_path, study("s"))


def test_a_run_that_cannot_be_written(tmp_path: Path) -> None:
    kept = store.create(tmp_path, study("s"))
    (kept.folder / "runs.jsonl").mkdir()
    with pytest.raises(ProfilerError, match="run 0 cannot be written"):
        kept.append(run(0))


def test_the_newest_is_newest_by_its_own_date(tmp_path: Path) -> None:
    store.create(tmp_path, study("new", "2026-03-01T00:00:00+00:00"))
    store.create(tmp_path, study("old", "2025-03-01T00:00:00+00:00"))
    assert store.find(tmp_path, None).name == "new"
    assert store.find(tmp_path, "old").name == "old"
    assert store.find(tmp_path / "elsewhere", str(tmp_path / "old")).name == "old"


def test_no_study(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="no study in"):
        store.find(tmp_path, None)
    with pytest.raises(ProfilerError, match="no study 'x'"):
        store.find(tmp_path, "x")
    with pytest.raises(ProfilerError, match="is not a study"):
        store.load(tmp_path)


def test_a_file_is_whole_or_not_there(tmp_path: Path) -> None:
    store.write_whole(tmp_path / "a", b"first")
    store.write_whole(tmp_path / "a", b"second")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"second"


def test_studies_of_a_model_file_are_found_and_damaged_ones_passed_over(tmp_path: Path) -> None:
    found, runs = made_study(repeats=1, images=(1,))
    kept = store.create(tmp_path, found)
    for made in runs:
        kept.append(made)
    (store.create(tmp_path, study("b")).folder / "study.json").write_bytes(b"[")
    digest = found.models[0].sha256
    assert store.of_model(tmp_path, digest) == [(found, runs)]
    assert store.of_model(tmp_path, "another") == []
    assert store.of_model(tmp_path / "nowhere", digest) == []


def test_of_several_files_none_is_written_where_one_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "first").write_bytes(b"kept")
    (tmp_path / "second").mkdir()
    files = {tmp_path / name: b"new" for name in ("first", "second")}
    with pytest.raises(ProfilerError, match=r"the export cannot be written to .*second is a folder"):
        store.write_all(files, tmp_path, "export")
    assert (tmp_path / "first").read_bytes() == b"kept"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["first", "second"]


def test_a_damaged_line_is_named(tmp_path: Path) -> None:
    kept = store.create(tmp_path, study("s"))
    kept.append(run(0))
    with (kept.folder / "runs.jsonl").open("ab") as file:
        file.write(b"{\n")
    with pytest.raises(ProfilerError, match=r"runs\.jsonl is damaged in line 2"):
        store.load(kept.folder)


def test_runs_of_another_study_are_not_taken(tmp_path: Path) -> None:
    made, runs = family_study()
    kept = store.create(tmp_path, study("s"))
    kept.append(runs[0])
    with pytest.raises(ProfilerError, match=f"has runs of {runs[0].case.model}, which is no model of study.json"):
        store.load(kept.folder)
    assert runs[0].case.model in {model.label for model in made.models}


def test_a_folder_without_a_study_is_named(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ProfilerError, match=r"empty has no study\.json"):
        store.find(tmp_path, "empty")
