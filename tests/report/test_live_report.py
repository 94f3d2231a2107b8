"""The report of a recorded session says what is true of it: made sessions with known truth."""

import re
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from reading import present, table
from studies import LIVE, LIVE_ONCE, NO_PMU, live_study, made_study, put

from profiler import compare, report, store
from profiler.analysis.live_session import session, trend
from profiler.analysis.study_analysis import analyse
from profiler.compare.study import Loaded
from profiler.errors import ProfilerError
from profiler.export.frames import StudyFrames as Frames
from profiler.export.pyperf_suite import suite
from profiler.records import Run, Study
from profiler.report.figures.data import LatencyTrace
from profiler.report.figures.rendered import Drawings
from profiler.report.formats import html, latex, markdown
from profiler.report.model import Question, Report

SHOWN = ("live-session", "live-latency", "live-once", "live-labels", "live-source")


def built(**recipe: Any) -> Report:
    return report.build(*live_study(**recipe))


def cells(made: Report, key: str) -> dict[str, tuple[str, ...]]:
    return {row[0]: row[1:] for row in table(made, key).rows}


def question(made: Report, key: str) -> Question:
    return next(each for each in made.questions if each.key == key)


def codes(made: Report) -> dict[str, str]:
    return {finding.code: finding.grade for finding in present(made.validity).findings}


def figures(made: Report) -> dict[tuple[str, str], Any]:
    return {(each.event, each.what): each for each in made.quantities}


def method(made: Report) -> str:
    return " ".join(next(section for section in made.sections if section.title == "Method").points)


def test_the_figure_of_a_frame_is_the_truth_in_its_interval() -> None:
    found = figures(built(noise=0.02))
    for event in ("task-clock", "cycles", "ll_cache_miss_rd"):
        cost = found[event, "region"]
        assert cost.low < LIVE[event] < cost.high, event
    ipc = found["IPC", "image"]
    assert ipc.low < LIVE["inst_retired"] / LIVE["cycles"] < ipc.high


def test_nothing_stands_there_that_a_session_cannot_have() -> None:
    made = built()
    keys = {each.key for section in made.sections for each in section.tables}
    assert keys.isdisjoint({"fixed", "whole", "phases", "latency"})
    assert set(SHOWN) <= keys
    assert {each.what for each in made.quantities}.isdisjoint({"fixed", "slope", "fixed_ratio"})
    assert "duration_time" not in {each.event for each in made.quantities}
    assert not {"one-image-count", "few-repeats", "missing-runs", "thread-count", "scattered"} & set(codes(made))


def test_the_answer_has_rate_latency_cost_and_what_was_seen() -> None:
    (answer,) = built().answer
    assert "litert labelled 29.7 frames a second of HD Webcam C270, which gave 30 frames a second" in answer
    assert "4 frames dropped for a newer one" in answer
    assert re.search(r"An inference takes 5\.\d+ ms at the median \(p95 5\.\d+ ms and p99 5\.\d+ ms\)", answer)
    assert "From its capture to its label a frame takes 13.9 ms at the median (p95 19.2 ms and p99 23 ms)" in answer
    assert "15 % is inference, 2.0 % preprocessing, 80 % waiting for a frame" in answer
    assert re.search(r"A frame costs 9\.\d+ ms \[9\.\d+, 9\.\d+\] of CPU time", answer)
    assert "ll_cache_miss_rd and" in answer
    assert "instructions a cycle" in answer
    assert "What it saw, in frames: cat 257 and dog 110." in answer


def test_without_a_pmu_no_hardware_event_is_spoken_of() -> None:
    made = built(pmu=False, machine=NO_PMU)
    assert "PMU" not in made.answer[0]
    assert "instructions a cycle" not in made.answer[0]
    assert [row[0] for row in table(made, "image").rows] == [
        "task-clock", "user_time", "system_time", "page-faults", "context-switches"
    ]  # fmt: skip
    assert codes(made)["no-hardware-counts"] == "valid"
    assert "No hardware event was counted." in method(made)


def test_the_session_is_told_in_a_table() -> None:
    rows = cells(built(), "live-session")
    assert rows["labelled frames a second"] == ("29.7",)
    assert rows["frames a second from the source"] == ("30",)
    assert rows["dropped for a newer one"] == ("4 (1.1 %)",)
    assert rows["waiting for a frame"] == ("80 %",)
    latencies = [rows[f"from capture to label, {name}"] for name in ("p50", "p95", "p99")]
    assert latencies == [("13.9 ms",), ("19.2 ms",), ("23 ms",)]
    assert rows["ended"] == ("30 seconds were over",)


def test_the_source_is_told_in_a_table() -> None:
    rows = cells(built(), "live-source")
    assert rows["name"] == ("HD Webcam C270",)
    assert rows["frames"] == ("640 × 480, MJPG",)
    assert rows["rate asked for"] == ("36 a second",)
    assert rows["rate it declares"] == ("30 a second",)
    of_file = cells(built(facts={"kind": "file", "asked_rate": None, "format": None}), "live-source")
    assert of_file["rate asked for"] == ("cannot be asked",)
    assert of_file["frames"] == ("640 × 480, format not told",)


def test_what_is_paid_once_is_said_once() -> None:
    made = built()
    assert cells(made, "live-once")["import of the engine"][0] == "400 ms"
    assert set(cells(made, "live-once")) == {"import of the engine", "model load", "first inference"}
    first = figures(made)["latency", "first"]
    assert (first.value, first.low) == (LIVE_ONCE["first"], None)


def test_the_peak_of_memory_is_the_process_s_last() -> None:
    assert figures(built(windows=5))["peak-rss", "whole"].value == 94 * 2**20


def test_a_session_that_drops_much_does_not_keep_up() -> None:
    assert question(built(), "pace").verdict.startswith("Yes: ")
    slow = built(rate=11.0, latency_ns=80e6)
    assert question(slow, "pace").verdict.startswith("No: ")
    assert codes(slow)["dropped-frames"] == "valid"
    assert "capturing and decoding the dropped ones is in them" in " ".join(slow.warnings)


def test_a_file_read_on_demand_keeps_up_with_nothing() -> None:
    made = built(facts={"kind": "file", "source": "cat.avi", "every": True}, source_rate=29.7)
    assert question(made, "pace").verdict.startswith("There was no pace to keep up with: litert labelled ")
    assert "a file read on demand" in made.answer[0]
    assert "which gave" not in made.answer[0]
    assert "none left out" in method(made)
    assert "only the newest is kept" not in method(made)
    assert "frame period" not in " ".join(question(made, "late").evidence)
    assert "while the last is being labelled" in " ".join(question(made, "late").caveats)
    played = built(facts={"kind": "file", "source": "cat.avi"})
    assert question(played, "pace").verdict.startswith("Yes: ")
    assert "due by the file's own rate" in " ".join(question(played, "late").caveats)
    assert "only the newest is kept" in method(played)


def test_a_cost_without_a_dropped_frame_has_no_dropped_frames_in_it() -> None:
    made = built(source_rate=29.7)
    assert "dropped-frames" not in codes(made)
    assert "none dropped, none stale" in made.answer[0]
    assert not any("dropped" in caveat for caveat in question(made, "frame").caveats)


def test_one_window_has_no_intervals_and_says_so() -> None:
    made = built(windows=1)
    assert codes(made)["few-repeats"] == "degraded"
    assert "1 window of 30 frames" in made.warnings[0]
    assert "too few windows for an interval" in " ".join(table(made, "image").notes)
    assert "processes" not in " ".join(table(made, "image").notes)
    assert figures(made)["task-clock", "region"].low is None


def test_a_lost_camera_is_told_and_what_was_reopened_degrades() -> None:
    lost = {"failed": True, "ended": "no usable frame for 30 s"}
    made = built(summary=lost)
    assert (present(made.validity).grade, codes(made)["source-lost"]) == ("valid", "valid")
    assert "The session was ended by its source: no usable frame for 30 s." in made.answer[0]
    again = built(summary=lost | {"reconnects": 2, "corrupt": 3})
    assert (present(again.validity).grade, codes(again)["source-reopened"]) == ("degraded", "degraded")
    assert codes(again)["corrupt-frames"] == "valid"


@pytest.mark.parametrize(("stale", "grade"), [(3, "valid"), (40, "degraded")])
def test_labels_that_came_late_degrade_where_they_are_many(stale: int, grade: str) -> None:
    made = built(summary={"stale": stale})
    assert codes(made)["stale-frames"] == grade
    assert question(made, "conditions").verdict == "Labels came late."


def test_a_session_that_was_cut_off_says_what_is_not_known() -> None:
    made = built(summary=None)
    assert codes(made) == {"session-cut": "valid"}
    assert "29.7 frames a second" in made.answer[0]
    assert "dropped" not in made.answer[0]
    assert "cat 252 and dog 108" in made.answer[0]
    assert not question(made, "pace").answered
    assert not question(made, "late").answered
    assert question(made, "frame").answered
    assert list(cells(made, "live-session")) == ["labelled frames a second", "latency, last third / first third"]


def test_a_session_without_a_window_has_no_figure() -> None:
    made = built(windows=0, summary=None)
    assert made.answer == ("No window of frames was recorded, so there is no figure.",)
    assert codes(made) == {"no-figures": "invalid"}
    assert "sweep" not in " ".join(made.warnings)
    assert made.questions == ()


def test_throttling_in_between_degrades_the_windows_that_it_was_in() -> None:
    study, runs = live_study(throttled={5: 0x4, 6: 0x4}, slower={5: 1.6, 6: 1.6})
    made = report.build(study, runs)
    assert codes(made)["throttled"] == "degraded"
    (finding,) = [each for each in present(made.validity).findings if each.code == "throttled"]
    assert finding.runs == (5, 6, 7)
    assert "record again" in finding.remedy
    assert question(made, "conditions").verdict == "The board throttled."
    drawings = [figure.drawing for section in made.sections for figure in section.figures]
    (trace,) = [drawing for drawing in drawings if isinstance(drawing, LatencyTrace)]
    window = runs[0].wall_ns / 1e9
    assert [round(at / window) for at in trace.throttled] == [6, 6, 7, 7]


def test_the_trace_spreads_a_window_s_inferences_over_it() -> None:
    study, runs = live_study(windows=3)
    drawings = [figure.drawing for section in report.build(study, runs).sections for figure in section.figures]
    (trace,) = [drawing for drawing in drawings if isinstance(drawing, LatencyTrace)]
    times = [at for at, _ in trace.latencies["litert"]]
    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) == 90
    assert all(gap == pytest.approx(1 / 29.7, abs=2e-3) for gap in gaps)


def test_latencies_that_rise_over_the_session_are_told() -> None:
    rising = {number: 1 + number / 50 for number in range(12)}
    study, runs = live_study(slower=rising)
    truth = (1 + 9.5 / 50) / (1 + 1.5 / 50)
    found = trend(runs, 0)
    assert found
    assert found.interval
    assert found.interval[0] < truth < found.interval[1]
    made = report.build(study, runs)
    assert codes(made)["unsteady"] == "degraded"
    assert "rose over the session" in " ".join(made.warnings)
    assert "unsteady" not in codes(built())
    assert trend(runs[:8], 0) is None


def loaded(load: float) -> Report:
    def change(run: Run) -> Run:
        return replace(run, after=replace(run.after, load_1min=load))

    return built(change=change)


def test_the_session_s_own_load_is_not_another_s() -> None:
    assert "loaded" not in codes(loaded(1.9))
    made = loaded(2.6)
    assert codes(made)["loaded"] == "degraded"
    assert "of which the session kept up to 0.3 busy" in " ".join(made.warnings)


def test_the_method_says_what_windows_are() -> None:
    said = method(built())
    assert "12 runs, each a window of 30 labelled frames, one after the other in one process of litert" in said
    assert "no independent processes" in said
    assert "Region `live`: everything this process did while it classified a window of frames: capture" in said
    assert "fresh process" not in said
    assert "over processes" not in said


def test_session_figures_are_numbers_too() -> None:
    found = figures(built())
    assert found["session", "fps"].value == 29.7
    assert found["session", "dropped"].value == 4
    assert found["session", "share-idle"].value == pytest.approx(80.0, abs=0.1)
    assert found["frame-age", "p95"].value == pytest.approx(19.2e6)


def test_a_quantile_that_so_few_frames_do_not_tell_is_absent() -> None:
    summary = present(present(live_study()[0].live).summary)
    made = built(summary={"age_ms": replace(summary.age_ms, p99=None)})
    assert figures(made)["frame-age", "p99"].status == "absent"
    assert "p99 23" not in made.answer[0]


@pytest.mark.parametrize("recipe", [{}, {"windows": 1, "pmu": False}, {"summary": None}])
def test_every_format_takes_it(recipe: dict[str, Any]) -> None:
    made = built(**recipe)
    drawn = Drawings(made, printed=False)
    assert "The live session" in html.render(made, drawn)
    assert "## The live session" in markdown.render(made)
    assert "The live session" in latex.render(made)


def test_a_sweep_is_no_session() -> None:
    study, runs = made_study(labels=("litert",), repeats=3)
    assert session(study, runs, analyse(study, runs)) is None


def compared(*named: tuple[str, tuple[Study, tuple[Run, ...]]]) -> Report:
    return compare.build(compare.comparison([Loaded(name, *study) for name, study in named]))


def test_two_sessions_compare_frame_by_frame() -> None:
    slower = live_study(draw=2, slower=dict.fromkeys(range(12), 1.2))
    made = compared(("old", live_study()), ("new", slower))
    assert "times as much for each frame" in made.answer[0]
    ratio = figures(made)["task-clock", "region_ratio"]
    assert ratio.low < 1.2 < ratio.high
    assert any("are live sessions, each one process" in warning for warning in made.warnings)
    assert table(made, "image").title == "For each labelled frame"


def test_how_a_file_was_read_is_a_difference() -> None:
    files = [live_study(facts={"kind": "file", "source": "cat.avi", "every": every}) for every in (False, True)]
    made = compared(("played", files[0]), ("read", files[1]))
    assert cells(made, "differences")["source of frames"][-1] == "cat.avi, 640 × 480 MJPG, read on demand"


def test_a_session_shares_no_row_with_a_sweep() -> None:
    sweep = made_study(labels=("litert",), repeats=3)
    with pytest.raises(
        ProfilerError, match=r"another region: sweep counted .*, live counted windows of a live session"
    ):
        compared(("sweep", sweep), ("live", live_study()))
    three = compared(("sweep", sweep), ("again", made_study(labels=("litert",), repeats=3)), ("live", live_study()))
    assert "live" not in {each.subject.partition(" / ")[0] for each in three.quantities}
    assert any("windows of a live session" in row[1] for row in table(three, "blocked").rows)


def captured() -> tuple[Study, tuple[Run, ...]]:
    study, runs = made_study(labels=("litert",), repeats=3)
    return replace(study, plan=replace(study.plan, capture_in_region=True), source_repeats=False), runs


def test_capture_inside_the_region_is_told_and_kept_apart() -> None:
    made = report.build(*captured())
    assert "capture, decoding and preprocessing" in made.answer[0]
    assert "steady inferences alone" not in method(made) + table(made, "image").caption
    assert "decoded and resized before any process starts" not in method(made)
    assert "images into RAM" not in latex.render(made)
    assert "opening of the camera" in cells(made, "phases")
    with pytest.raises(ProfilerError, match="with each image's capture in them"):
        compared(("plain", made_study(labels=("litert",), repeats=3)), ("captured", captured()))
    both = compared(("one", captured()), ("two", captured()))
    assert table(both, "image").title == "Paid for each image, its capture included"


def filmed(source: str) -> tuple[Study, tuple[Run, ...]]:
    study, runs = made_study(labels=("litert",), repeats=3)
    return replace(
        study,
        plan=replace(study.plan, source=source),
        source_repeats=not source.startswith(("camera:/dev", "camera:rtsp")) and source != "camera",
    ), runs


@pytest.mark.parametrize("source", ["camera:/dev/video0", "camera", "camera:rtsp://board/live"])
def test_two_sweeps_of_one_camera_are_not_of_the_same_images(source: str) -> None:
    (said,) = (line for line in compared(("one", filmed(source)), ("two", filmed(source))).warnings if "camera" in line)
    assert said.startswith("one and two took their images from a camera or stream: ")


@pytest.mark.parametrize("source", ["camera:cat.avi", "builtin"])
def test_two_sweeps_of_one_file_are_of_the_same_images(source: str) -> None:
    assert not any("camera" in line for line in compared(("one", filmed(source)), ("two", filmed(source))).warnings)


def test_frames_and_pyperf_take_windows() -> None:
    study, runs = live_study()
    frames = Frames(study, runs)
    assert len(frames.latencies) == 12 * 30
    assert set(frames.latencies["region"]) == {"live"}
    assert frames.costs.query("event == 'task-clock'")["what"].tolist() == ["region"]
    assert frames.costs.query("event == 'session' and what == 'fps'")["value"].tolist() == [29.7]
    assert (frames.phases["phase"] == "live").sum() == 12
    (benchmark,) = suite(frames).get_benchmarks()
    assert benchmark.get_name() == "litert, live inference"
    assert benchmark.get_nvalue() == 360


def test_a_stored_session_is_read_back(tmp_path: Path) -> None:
    study, runs = live_study()
    folder = put(tmp_path, (study, runs))
    assert store.load(folder) == (study, runs)
