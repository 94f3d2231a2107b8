"""Sweep to store to statistics, end to end: the fake perf counts a known truth, and the figures must find it."""

import json
import os
import signal
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from made_plans import TRUTH, planned
from studies import LAB

from profiler import modelfile, store
from profiler.analysis.study_analysis import Analysis, analyse
from profiler.errors import ProfilerError
from profiler.measure import sweep
from profiler.measure.progress import ProgressStep
from profiler.measure.sweep import SweepResult
from profiler.modelfile import ModelFile, checks
from profiler.records import PHASES, SCHEMA, Run

FakePerf = Callable[..., None]


@pytest.fixture
def models(tmp_path: Path) -> list[ModelFile]:
    files = [ModelFile(name, name, tmp_path / f"model.{name}") for name in ("keras", "litert")]
    for file in files:
        file.path.write_bytes(b"weights of " + file.label.encode())
    return files


def swept(tmp_path: Path, models: list[ModelFile], worker: tuple[str, ...], **fields: Any) -> SweepResult:
    return sweep.run("s", tmp_path / "runs", planned(**fields), models, lambda step: None, worker)


def analysed(result: SweepResult) -> Analysis:
    return analyse(*store.load(result.folder))


def loaded(result: SweepResult) -> tuple[Run, ...]:
    return store.load(result.folder)[1]


@pytest.mark.usefixtures("pi5")
class TestTruth:
    def test_exact_counts_are_found_exactly(
        self, tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any
    ) -> None:
        fake_perf(models=TRUTH)
        result = swept(tmp_path, models, fake_worker)
        assert (result.failed, result.interrupted) == (0, False)
        assert result.study.groups == (LAB,)
        analysis = analysed(result)
        for label, events in TRUTH.items():
            for event in ("cycles", "ll_cache_miss_rd", "task-clock"):
                cost = analysis.costs[event, label]
                assert cost.line is not None
                assert cost.direct is not None
                assert cost.line.fixed.value == pytest.approx(sum(events[event]["fixed"].values()), rel=1e-6)
                assert cost.line.per_image.value == pytest.approx(events[event]["per_image"], rel=1e-6)
                assert cost.direct.value == pytest.approx(events[event]["per_image"], rel=1e-6)
                assert not cost.disagreement
                assert not cost.scaled

    @pytest.mark.slow
    def test_noisy_counts_are_within_their_intervals(
        self, tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any
    ) -> None:
        fake_perf(models=TRUTH, noise=0.01, seed=3)
        analysis = analysed(swept(tmp_path, models, fake_worker, repeats=4))
        inside = []
        for label, events in TRUTH.items():
            for event in ("cycles", "ll_cache_miss_rd", "task-clock"):
                cost = analysis.costs[event, label]
                assert cost.line is not None
                assert cost.direct is not None
                for estimate in (cost.line.per_image, cost.direct):
                    assert estimate.low is not None
                    assert estimate.high is not None
                    assert estimate.low < estimate.value < estimate.high
                    inside.append(estimate.low <= events[event]["per_image"] <= estimate.high)
        assert sum(inside) >= len(inside) - 2

    @pytest.mark.slow
    def test_what_the_core_lacks_is_none_with_its_reason(
        self, tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any
    ) -> None:
        fake_perf(models=TRUTH, unsupported=["l2d_cache_inval"])
        result = swept(tmp_path, models, fake_worker)
        assert "l2d_cache_inval" not in result.study.groups[0]
        cost = analysed(result).costs["l2d_cache_inval", "keras"]
        assert (cost.line, cost.direct, cost.points) == (None, None, ())
        assert cost.reason == "perf says not supported on this machine"

    @pytest.mark.slow
    def test_without_a_pmu_software_events_remain(
        self, tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any
    ) -> None:
        fake_perf(models=TRUTH, no_pmu=True)
        result = swept(tmp_path, models, fake_worker)
        analysis = analysed(result)
        assert result.study.groups == ((),)
        assert len([note for note in result.study.notes if "No hardware counters" in note]) == 1
        assert analysis.costs["cycles", "keras"].reason
        assert analysis.costs["task-clock", "keras"].line is not None

    @pytest.mark.slow
    def test_several_passes_share_cycles(
        self, tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any
    ) -> None:
        fake_perf(models=TRUTH)
        result = swept(tmp_path, models[1:], fake_worker, event_set="lab,tlb", images=(1, 10), repeats=1)
        groups = result.study.groups
        assert len(groups) > 1
        assert all(group[:2] == ("cycles", "inst_retired") and len(group) <= 7 for group in groups)
        cost = analysed(result).costs["cycles", "litert"]
        assert len(cost.points) == 2 * len(groups)
        assert cost.line is not None
        assert cost.line.per_image.value == pytest.approx(2e7)

    @pytest.mark.slow
    def test_phases_are_counted_one_by_one(
        self, tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any
    ) -> None:
        fake_perf(models=TRUTH)
        analysis = analysed(swept(tmp_path, models, fake_worker, phases=True, images=(2, 4)))
        found = {
            phase: analysis.costs.phases["cycles", "keras", phase].value for phase in PHASES if phase != "inference"
        }
        assert found == {"import": 9e9, "load": 1e9, "images": 0, "first": 9e8, "warmup": 0}

    def test_a_user_only_perf_says_so_and_takes_switches_from_the_kernel(
        self, tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any
    ) -> None:
        fake_perf(models=TRUTH, user_only=True)
        result = swept(tmp_path, models, fake_worker, images=(1, 2), repeats=1)
        assert result.study.scope == "user"
        counts = {count.event: count for count in loaded(result)[0].counts}
        assert counts["cycles"].source == counts["task-clock"].source == "perf"
        assert counts["context-switches"].source in {"wait4", "getrusage"}


def test_order_is_seeded_and_interleaved(tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any) -> None:
    study = swept(tmp_path, models, fake_worker, counters="software").study
    jobs = list(sweep.schedule(study))
    assert jobs == list(sweep.schedule(study))
    assert Counter(job.case for job in jobs) == dict.fromkeys(study.cases, 2)
    half = len(jobs) // 2
    assert [job.repeat for job in jobs] == [0] * half + [1] * half
    assert [job.case for job in jobs[:half]] != [job.case for job in jobs[half:]]
    assert [job.case for job in jobs[:half]] != list(study.cases)


def test_every_run_is_kept_with_its_machine_state(tmp_path: Path, models: Any, fake_worker: Any) -> None:
    result = swept(tmp_path, models, fake_worker, counters="software")
    runs = loaded(result)
    assert [run.order for run in runs] == list(range(24))
    assert all(run.before.at <= run.after.at and run.wall_ns > 0 for run in runs)
    assert {run.outcome for run in runs} == {"ok"}
    assert {count.source for run in runs for count in run.counts} == {"wait4", "getrusage"}


def test_progress_counts_up_and_estimates(tmp_path: Path, models: Any, fake_worker: Any) -> None:
    steps: list[ProgressStep] = []
    sweep.run("s", tmp_path, planned(counters="software", repeats=1), models, steps.append, fake_worker)
    assert [step.what for step in steps[:2]] == ["looking at keras", "looking at litert"]
    assert [step.done for step in steps[2:]] == list(range(13))
    assert steps[2].left_s is None
    assert all(step.left_s is not None and step.left_s > 0 for step in steps[3:-1])
    assert steps[-1].left_s == 0


@pytest.mark.parametrize(
    ("fault", "outcome", "words"),
    [
        ("segv", "failed", "killed by signal 11"),
        ("norecord", "failed", "ended with 0 and left no record"),
        ("error", "failed", "the fake worker was told to fail: unset FAKE_WORKER"),
        ("traceback", "failed", "left no record"),
        ("hang", "timeout", "no end within the time limit of 1 s"),
    ],
)
def test_a_failed_run_is_kept_and_the_rest_goes_on(
    tmp_path: Path, models: Any, fake_worker: Any, monkeypatch: pytest.MonkeyPatch, fault: str, outcome: str, words: str
) -> None:
    struck = {"fault": fault, "when": {"images": 10, "region": "process"}}
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"litert": struck}))
    result = swept(tmp_path, models, fake_worker, counters="software", timeout_s=1.0, repeats=1)
    runs = loaded(result)
    bad = [run for run in runs if run.outcome != "ok"]
    assert result.failed == len(bad) == 1
    assert len(runs) == 12
    assert (bad[0].outcome, bad[0].case.model, bad[0].counts) == (outcome, "litert", ())
    assert words in str(bad[0].error)
    (gap,) = analysed(result).gaps
    assert (gap.case, gap.failed, gap.unmade, gap.errors) == (bad[0].case, 1, 0, (bad[0].error,))
    if fault == "traceback":
        assert "RuntimeError" in str(bad[0].stderr_tail)


@pytest.mark.usefixtures("pi5")
def test_a_crash_under_perf_is_no_success(
    tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_perf(models=TRUTH)
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"keras": {"fault": "segv", "when": {"images": 5}}}))
    result = swept(tmp_path, models, fake_worker, repeats=1)
    bad = [run for run in loaded(result) if run.outcome != "ok"]
    assert len(bad) == 2
    assert {run.returncode for run in bad} == {0}
    assert all("Segmentation fault" in str(run.error) for run in bad)


def test_ctrl_c_keeps_all_that_is_done(
    tmp_path: Path, models: Any, fake_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tell(step: ProgressStep) -> None:
        if step.done == 5:
            os.kill(os.getpid(), signal.SIGINT)

    result = sweep.run("s", tmp_path, planned(counters="software"), models, tell, fake_worker)
    assert result.interrupted
    assert [run.order for run in loaded(result)] == [0, 1, 2, 3, 4]


@pytest.mark.parametrize(
    ("fields", "cause"),
    [
        ({"source": "/no/such/folder"}, "no image source or folder"),
        ({"event_set": "lab,,"}, "event"),
        ({"counters": "perf"}, "perf is refused"),
    ],
)
def test_what_can_be_refused_leaves_nothing(
    tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any, fields: dict[str, Any], cause: str
) -> None:
    fake_perf(refuse=True)
    with pytest.raises(ProfilerError, match=cause):
        swept(tmp_path, models, fake_worker, **fields)
    assert not (tmp_path / "runs").exists()


@pytest.mark.usefixtures("pi5")
def test_phases_need_a_perf_that_can_count_them(
    tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any
) -> None:
    fake_perf(version="5.8.0", no_control=True)
    with pytest.raises(ProfilerError, match="too old to count a region"):
        swept(tmp_path, models, fake_worker, regions=("process",), phases=True)
    assert swept(tmp_path, models, fake_worker, regions=("process",), images=(1, 2), repeats=1).failed == 0


def test_a_model_that_cannot_run_stops_the_sweep_before_it_begins(
    tmp_path: Path, models: Any, fake_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    for fault, words in (("error", "told to fail"), ("segv", "killed by signal 11")):
        monkeypatch.setenv("FAKE_WORKER", json.dumps({"keras": fault}))
        with pytest.raises(ProfilerError, match=words):
            swept(tmp_path, models, fake_worker, counters="software")
    assert not (tmp_path / "runs").exists()


def test_a_model_that_takes_too_long_to_look_at(
    tmp_path: Path, models: Any, fake_worker: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"keras": "hang"}))
    with pytest.raises(ProfilerError, match=r"time limit of 1 s\): give it longer with --timeout"):
        swept(tmp_path, models, fake_worker, counters="software", timeout_s=1.0)


def test_what_is_known_of_the_models_is_kept(tmp_path: Path, models: Any, fake_worker: Any) -> None:
    real = models[1].path.with_name("real.tflite")
    real.write_bytes(modelfile.shipped("cat-dog-mnv2.tflite").read_bytes())
    (tmp_path / checks.FILE).write_text("{")
    files = [models[0], ModelFile("litert", "litert", real)]
    kept = store.load(swept(tmp_path, files, fake_worker, counters="software", repeats=1).folder)[0]
    keras, litert = kept.models
    assert kept.schema == SCHEMA
    assert litert.network == modelfile.facts(real)
    assert (keras.network, keras.network_lack) == (None, f"{models[0].path} is not a model")
    assert keras.resident is not None
    assert litert.engine.operators is not None
    assert [note for note in kept.notes if "No check of the models is known" in note and "is damaged" in note]


def test_auto_falls_back_and_says_why(tmp_path: Path, models: Any, fake_perf: FakePerf, fake_worker: Any) -> None:
    fake_perf(refuse=True)
    study = swept(tmp_path, models, fake_worker, counters="auto", repeats=1).study
    assert study.counter_source == "software"
    assert any("perf_event_paranoid" in note for note in study.notes)
