"""A live session with nothing made up but the core and what stands before the camera: in a virtual machine with a PMU.

The camera is the kernel's own virtual one, `vivid`, whose driver is like that of a webcam. What the emulated PMU counts
is in `vm/guest.py`: an instruction takes one nanosecond, and so does a cycle.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest
from reading import present
from vm.session import Answers, answers, said, status

from profiler import store
from profiler.records import Run, Second, Study, Summary

pytestmark = pytest.mark.slow

CAMERA = "vivid-000-vid-cap"
FRAMES = 20
NOT_COUNTING = {"stall_backend", "stall_frontend", "ll_cache_rd", "ll_cache_miss_rd"}


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return answers(tmp_path_factory)


@pytest.fixture(scope="module")
def live(machines: Answers) -> Path:
    return machines.live


@pytest.fixture(scope="module")
def recorded(live: Path) -> tuple[Study, Run]:
    """The recorded session, and its one window."""
    assert status(live, "live") == 0, said(live, "live", "err")
    study, runs = store.load(live / "runs/live")
    (run,) = runs
    return study, run


def session(folder: Path, name: str) -> tuple[list[Second], Summary]:
    """What a session said each second, and last."""
    *seconds, last = said(folder, name).splitlines()
    summary = msgspec.json.decode(last, type=dict[str, Summary])
    return [msgspec.json.decode(second, type=Second) for second in seconds], summary["summary"]


def values(run: Run) -> dict[str, float | None]:
    return {count.event: count.value for count in run.counts}


def test_the_camera_is_told_from_the_drivers_other_nodes(live: Path) -> None:
    assert status(live, "cameras") == 0
    nodes: list[dict[str, Any]] = json.loads(said(live, "cameras"))
    assert {node["name"]: node["role"] for node in nodes} == {
        CAMERA: "camera",
        "vivid-000-vid-out": "output",
        "vivid-000-meta-cap": "metadata",
        "vivid-000-meta-out": "metadata",
    }
    (camera,) = (node for node in nodes if node["role"] == "camera")
    assert camera["driver"] == "vivid"
    sizes = {(size["width"], size["height"]): size["rates"] for size in camera["formats"][0]["sizes"]}
    assert 25.0 in sizes[640, 480]


def test_the_camera_is_found_and_its_frames_are_labelled(live: Path) -> None:
    assert status(live, "live") == 0, said(live, "live", "err")
    assert f"device {CAMERA} (/dev/video0): 640 x 480" in said(live, "live", "err")
    _, summary = session(live, "live")
    assert (summary.frames, summary.failed, summary.corrupt, summary.reconnects) == (FRAMES, False, 0, 0)
    assert summary.ended == "20 frames were labelled"
    assert sum(summary.labels.values()) == FRAMES
    assert summary.captured >= FRAMES + summary.dropped


def test_a_users_own_session_is_counted_by_perf(recorded: tuple[Study, Run]) -> None:
    study, run = recorded
    assert (study.counter_source, study.scope, study.machine.pmu) == ("perf", "user+kernel", "armv8_cortex_a76")
    assert study.groups == (("cycles", "inst_retired"),)
    counted = {count.event: count for count in run.counts if count.source == "perf"}
    assert set(counted) == {"cycles", "inst_retired"}
    assert {count.running_percent for count in counted.values()} == {100}
    assert set(study.absent) == NOT_COUNTING


def test_perf_counts_what_the_kernel_accounts_to_the_process(recorded: tuple[Study, Run]) -> None:
    """By two independent ways: the PMU's instructions in all threads, and the process's CPU time at 1 ns each."""
    _, run = recorded
    counts = values(run)
    assert counts["inst_retired"] == pytest.approx(counts["task-clock"], rel=0.01)
    assert counts["cycles"] == pytest.approx(counts["inst_retired"], rel=0.01)


def test_a_frame_costs_its_inference_and_more(machines: Answers, recorded: tuple[Study, Run]) -> None:
    _, run = recorded
    assert run.completion is not None
    assert run.case.images == len(run.completion.latencies_ns) == FRAMES
    instructions = values(run)["inst_retired"]
    assert instructions is not None
    assert instructions / FRAMES > machines.instructions_an_image()


def test_the_recorded_session_has_a_report(live: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "profiler.cli", "report", str(live / "runs/live")],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"frames a second of {CAMERA}" in done.stdout
    assert "inst_retired" in done.stdout
    assert list(tmp_path.rglob("index.html"))


def test_a_user_outside_the_group_is_told_of_it(live: Path) -> None:
    assert status(live, "denied") == 1
    assert said(live, "denied") == ""
    (line,) = said(live, "denied", "err").splitlines()
    assert f"/dev/video0 ({CAMERA}) cannot be used: permission denied" in line
    assert "sudo usermod -aG video $USER" in line


def test_a_camera_in_use_is_said_and_by_whom(live: Path) -> None:
    assert (live / "held").read_text() == "streaming\n"
    assert status(live, "busy") == 1
    (line,) = said(live, "busy", "err").splitlines()
    assert f"/dev/video0 ({CAMERA}) cannot be used: it is in use by python3 (process " in line


def test_a_session_outlives_an_unplugged_camera_and_not_a_lost_one(live: Path) -> None:
    seconds, summary = session(live, "lost")
    troubled = [second.trouble is not None for second in seconds]
    first, last = troubled.index(True), len(troubled) - 1 - troubled[::-1].index(False)
    assert 0 < first < last < len(seconds) - 1
    assert (summary.reconnects, summary.failed) == (1, True)
    assert summary.frames == seconds[-1].total_frames > seconds[first].total_frames
    assert "no usable frame for 30 s" in summary.ended
    assert status(live, "lost") == 1
    assert "the camera was lost" in said(live, "lost", "err")


def test_each_second_says_what_a_frame_costs(machines: Answers, live: Path) -> None:
    seconds, _ = session(live, "lost")
    counted = [second.counting for second in seconds if second.counting.frames]
    assert counted
    for counting in counted:
        per_frame = {figure.event: figure.per_frame for figure in counting.events}
        assert present(per_frame["inst_retired"]) > machines.instructions_an_image()
        assert counting.ipc == pytest.approx(1, rel=0.01)
        assert (counting.scope, counting.lack) == ("user+kernel", None)
        reasons = {figure.event for figure in counting.events if figure.per_frame is None and figure.reason}
        assert reasons == NOT_COUNTING
