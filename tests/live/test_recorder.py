"""A recorded session is a study like any other: whole from its beginning, a run a window, closed with its summary."""

import gc
import time
from collections.abc import Iterable
from concurrent.futures import Future
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from msgspec.structs import replace
from reading import present
from studies import LIVE, NO_PMU, PI5, live_study

from profiler import modelfile, store
from profiler.camera.source import Facts
from profiler.counters.perf_attach import Chosen
from profiler.errors import ProfilerError
from profiler.export.frames import StudyFrames as Frames
from profiler.live.classifier import Classifier, open_classifier
from profiler.live.recorder import Recorder
from profiler.live.windows import Window, accounted
from profiler.machine import events as catalogue
from profiler.modelfile.digest import file_sha256
from profiler.records import Count, MachineState, Run, Study, Summary, Usage
from profiler.report import build

FRAMES = 4
FILE = modelfile.parse("litert")[0]
FACTS = Facts("/dev/video3", "HD Webcam", "device", 640, 480, 36.0, 30.0, "MJPG")

USAGE = Usage(
    wall_ns=133_000_000,
    cpu_ns=36_000_000,
    user_ns=30_000_000,
    system_ns=6_000_000,
    page_faults=8,
    context_switches=40,
)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    pytest.importorskip("ai_edge_litert")
    return open_classifier(FILE, threads=1, call="predict", output=None, labels=None, fit="crop", top=3, pixels=None)


def begun(root: Path, classifier: Classifier, **others: Any) -> Recorder:
    asked: dict[str, Any] = {"command": "profiler live", "machine": NO_PMU, "attached": None, "window": FRAMES} | others
    return Recorder.begin(root, "session", classifier=classifier, file=FILE, facts=FACTS, **asked)


def window(number: int = 1, frames: int = FRAMES, counts: tuple[Count, ...] = (), raw: Path | None = None) -> Window:
    state = MachineState(at=f"2026-03-02T09:30:{number:02}+00:00", temperature_celsius=50.0 + number)
    return Window(
        number=number,
        started_at=state.at,
        wall_ns=USAGE.wall_ns,
        usage=USAGE,
        latencies_ns=tuple(5_000_000 + 1000 * place for place in range(frames)),
        tops=(1,) * frames,
        scores=(2.5,) * frames,
        counts=(*accounted(USAGE), *counts),
        before=state,
        after=replace(state, temperature_celsius=51.0 + number),
        raw=raw,
    )


def ended(frames: int) -> Summary:
    summary = present(present(live_study()[0].live).summary)
    return replace(summary, frames=frames, labels={"dog": frames})


def recorded(recorder: Recorder, windows: Iterable[Window], frames: int) -> tuple[Study, tuple[Run, ...]]:
    for each in windows:
        recorder.window(each)
    recorder.close(ended(frames))
    return store.load(recorder.folder)


def test_a_session_that_has_just_begun_is_a_readable_study(tmp_path: Path, classifier: Classifier) -> None:
    recorder = begun(tmp_path, classifier)
    study, runs = store.load(recorder.folder)
    assert (study.plan.repeats, study.plan.regions, study.plan.images) == (0, ("live",), (FRAMES,))
    assert study.live
    assert study.live.summary is None
    assert (study.live.source, study.live.window, study.live.output) == ("HD Webcam", FRAMES, classifier.kind)
    assert runs == ()
    assert build(study, runs).answer == ("No window of frames was recorded, so there is no figure.",)


def test_each_whole_window_is_a_run_and_the_rest_is_told(tmp_path: Path, classifier: Classifier) -> None:
    study, runs = recorded(begun(tmp_path, classifier), [window(1), window(2), window(3), window(4, 2)], 14)
    assert [run.order for run in runs] == [0, 1, 2]
    assert {run.case for run in runs} == set(study.cases)
    assert study.plan.repeats == 3
    assert present(study.live).summary == ended(14)
    assert "2 of 14 labelled frames are in no run: they filled no window of 4." in study.notes
    assert present(runs[1].completion).latencies_ns == window(2).latencies_ns
    assert (present(runs[1].completion).top, present(runs[1].completion).scores) == ((1,) * FRAMES, (2.5,) * FRAMES)
    assert (runs[1].before, runs[1].after, runs[1].wall_ns) == (window(2).before, window(2).after, 133_000_000)


def test_what_is_paid_once_stands_in_the_first_run_alone(tmp_path: Path, classifier: Classifier) -> None:
    _, runs = recorded(begun(tmp_path, classifier), [window(1), window(2)], 8)
    assert set(present(runs[0].completion).phases) == {"import", "load", "first", "live"}
    assert present(runs[0].completion).phases["first"] == classifier.phases["first"]
    assert set(present(runs[1].completion).phases) == {"live"}


def test_the_kernel_accounts_and_the_cameras_pace_is_no_cost(tmp_path: Path, classifier: Classifier) -> None:
    study, runs = recorded(begun(tmp_path, classifier), [window()], 4)
    counts = {count.event: count.value for count in runs[0].counts}
    assert counts["task-clock"] == 36_000_000
    assert counts["context-switches"] == 40
    assert "duration_time" not in counts
    assert "duration_time" not in {event.name for event in study.events}
    assert study.counter_source == "software"
    assert any("no hardware event" in note for note in study.notes)


def test_why_nothing_is_counted_takes_the_place_of_the_usual_words(tmp_path: Path, classifier: Classifier) -> None:
    recorder = begun(tmp_path, classifier, notes=("perf is not installed",))
    assert store.load(recorder.folder)[0].notes == ("perf is not installed",)


def test_hardware_counts_and_their_files_come_into_the_study(tmp_path: Path, classifier: Classifier) -> None:
    events = tuple(
        event for event in catalogue.resolve("lab", catalogue.core(PI5.uarch), PI5.pmu) if event.name in LIVE
    )
    group = tuple(event.name for event in events)
    chosen = Chosen(group, events, {}, "user", ("User mode alone was counted.",))
    recorder = begun(tmp_path, classifier, machine=PI5, attached=SimpleNamespace(chosen=chosen))
    raw = tmp_path / "elsewhere" / "00001.perf"
    raw.parent.mkdir()
    raw.write_text("what perf printed")
    counted = Count(event="cycles", value=84_000_000, unit="", status="counted", source="perf", running_percent=100.0)
    study, runs = recorded(recorder, [window(counts=(counted,), raw=raw)], 4)
    assert (study.counter_source, study.scope, study.groups) == ("perf", "user", (group,))
    assert study.cases[0].group == group
    assert counted in runs[0].counts
    assert runs[0].raw == "raw/00001.perf"
    assert (recorder.folder / runs[0].raw).read_text() == "what perf printed"
    assert not raw.exists()


def test_what_was_written_is_let_go(tmp_path: Path, classifier: Classifier) -> None:
    recorder, runs = begun(tmp_path, classifier), tmp_path / "session" / "runs.jsonl"
    runs.touch()
    for number in range(1, 31):
        recorder.window(window(number))
    ends = time.monotonic() + 60
    while runs.read_bytes().count(b"\n") < 30:
        assert time.monotonic() < ends
    recorder.window(window(31))
    assert sum(isinstance(each, Future) for each in gc.get_objects()) < 10
    assert len(recorded(recorder, [], 31 * FRAMES)[1]) == 31


def test_the_only_window_counts_though_it_is_not_whole(tmp_path: Path, classifier: Classifier) -> None:
    study, runs = recorded(begun(tmp_path, classifier), [window(1, 3)], 3)
    assert [run.case.images for run in runs] == [3]
    assert (study.cases, study.plan.images, study.plan.repeats) == ((runs[0].case,), (3,), 1)
    assert not any("in no run" in note for note in study.notes)


def test_a_session_without_a_frame_is_closed_without_a_run(tmp_path: Path, classifier: Classifier) -> None:
    study, runs = recorded(begun(tmp_path, classifier), [], 0)
    assert runs == ()
    assert present(present(study.live).summary).frames == 0


def test_a_full_disk_ends_the_recording_and_not_the_session(tmp_path: Path, classifier: Classifier) -> None:
    recorder = begun(tmp_path, classifier)
    (recorder.folder / "runs.jsonl").symlink_to("/dev/full")
    recorder.window(window(1))
    recorder.window(window(2))
    recorder.close(ended(8))
    assert "No space left" in present(recorder.lack).cause
    (recorder.folder / "runs.jsonl").unlink()
    study, runs = store.load(recorder.folder)
    assert runs == ()
    assert study.plan.repeats == 0
    assert any("8 of 8 labelled frames are in no run, for the recording broke off" in note for note in study.notes)


def test_what_was_written_before_the_disk_was_full_stands(
    tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder, append = begun(tmp_path, classifier), store.Store.append

    def full_from_the_second_on(kept: store.Store, run: Run) -> None:
        if run.order:
            raise ProfilerError("no room", "make some")
        append(kept, run)

    monkeypatch.setattr(store.Store, "append", full_from_the_second_on)
    study, runs = recorded(recorder, [window(1), window(2), window(3)], 12)
    assert len(runs) == study.plan.repeats == 1
    assert present(recorder.lack).cause == "no room"


def test_a_session_that_cannot_be_closed_is_one_that_was_cut_off(
    tmp_path: Path, classifier: Classifier, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_path: Path, _data: bytes) -> None:
        raise OSError(28, "No space left on device")

    recorder = begun(tmp_path, classifier)
    monkeypatch.setattr(store, "write_whole", full)
    study, runs = recorded(recorder, [window(number) for number in range(1, 5)], 16)
    assert "No space left" in present(recorder.lack).cause
    assert (len(runs), present(study.live).summary) == (4, None)
    assert "session-cut" in {finding.code for finding in present(build(study, runs).validity).findings}


def test_a_name_that_is_taken_is_refused(tmp_path: Path, classifier: Classifier) -> None:
    begun(tmp_path, classifier)
    with pytest.raises(ProfilerError, match="study 'session' exists"):
        begun(tmp_path, classifier)


def test_the_model_is_described_as_in_a_sweep(tmp_path: Path, classifier: Classifier) -> None:
    model = store.load(begun(tmp_path, classifier).folder)[0].models[0]
    assert (model.label, model.runtime, model.sha256) == ("litert", "litert", file_sha256(FILE.path))
    assert model.network == modelfile.facts(FILE.path)
    assert (model.engine, model.input, model.output) == (classifier.engine(), classifier.input, classifier.output)


def test_report_and_frames_take_a_recorded_session(tmp_path: Path, classifier: Classifier) -> None:
    study, runs = recorded(begun(tmp_path, classifier), [window(number) for number in range(1, 6)], 20)
    figures = {(each.event, each.what): each.value for each in build(study, runs).quantities}
    assert figures["task-clock", "region"] == 36_000_000 / FRAMES
    frames = Frames(study, runs)
    assert len(frames.latencies) == 20
    assert set(frames.phases["phase"]) == {"import", "load", "first", "live"}
    assert set(frames.runs["region"]) == {"live"}


def test_a_file_read_on_demand_is_recorded_as_such(tmp_path: Path, classifier: Classifier) -> None:
    folders = [begun(tmp_path / str(every), classifier, every=every).folder for every in (False, True)]
    assert [present(store.load(folder)[0].live).every for folder in folders] == [False, True]
