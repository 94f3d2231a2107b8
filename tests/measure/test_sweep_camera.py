"""Sweeps whose images are a camera's: real captures of a video file and of a network camera, and real inferences."""

import json
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_plans import TRUTH, needs_qemu, planned
from msgspec.structs import replace
from needs import NEEDS_LITERT
from reading import present
from videos import MjpegServer, make_video, picture

from profiler import modelfile, store
from profiler.camera import image_source, open
from profiler.errors import ProfilerError
from profiler.images import pools
from profiler.measure import run as measure
from profiler.measure import sweep
from profiler.measure.run import WORKER
from profiler.modelfile import ModelFile
from profiler.records import Run

FRAMES = 9


@pytest.fixture
def shipped() -> list[ModelFile]:
    return [ModelFile("litert", "litert", modelfile.shipped("cat-dog-mnv2.tflite"))]


@pytest.fixture
def video(tmp_path: Path) -> Path:
    """Frames of which no two look alike to the model."""
    frames = [photo[..., ::-1] for photo in pools.pool("builtin", FRAMES, 96, 128, 3, 0)]
    frames[::2] = [255 - frame for frame in frames[::2]]
    return make_video(tmp_path / "video.avi", frames)


Swept = Callable[..., sweep.SweepResult]


@pytest.fixture
def swept(tmp_path: Path, shipped: list[ModelFile]) -> Swept:
    def run(source: object, worker: tuple[str, ...] = WORKER, name: str = "s", **fields: Any) -> sweep.SweepResult:
        plan = planned(
            **{"source": f"camera:{source}", "counters": "software", "images": (1, 3), "repeats": 1, **fields}
        )
        return sweep.run(name, tmp_path / "runs", plan, shipped, lambda step: None, worker)

    return run


def runs_of(result: sweep.SweepResult) -> tuple[Run, ...]:
    return store.load(result.folder)[1]


def scores_of(runs: Iterable[Run]) -> set[tuple[float, ...]]:
    """What the runs of each count of images gave; one of a count where all of them agree."""
    return {run.completion.scores for run in runs if run.completion is not None}


@NEEDS_LITERT
def test_every_run_gets_the_same_frames(swept: Swept, video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staged: list[Any] = []
    real = np.save

    def save(path: Path, pixels: np.ndarray) -> None:
        staged.append(pixels)
        real(path, pixels)

    monkeypatch.setattr(np, "save", save)
    result = swept(video, repeats=2, regions=("inference",))
    assert result.failed == 0
    (pool,) = staged
    assert np.array_equal(pool, pools.pool(f"camera:{video}", 3, 150, 150, 3, 0))
    one, three = sorted(scores_of(runs_of(result)), key=len)
    assert three[:1] == one
    assert len(set(three)) == 3
    study, _ = store.load(result.folder)
    assert (study.plan.source, study.plan.capture_in_region) == (f"camera:{video}", False)
    (note,) = [note for note in study.notes if str(video) in note]
    assert "128 x 96 pixels, 30 frames a second" in note
    assert "all processes get the same ones" in note


@pytest.mark.slow
@NEEDS_LITERT
@pytest.mark.usefixtures("pi5")
def test_a_run_takes_its_frames_inside_the_region(swept: Swept, video: Path, fake_perf: Callable[..., None]) -> None:
    """Perf's gate opens and closes around them, and what is inferred are the video's frames, one after the other."""
    fake_perf(models=TRUTH)
    result = swept(video, counters="perf", images=(1, FRAMES), warmup=2, capture_in_region=True)
    assert result.failed == 0
    counted = [run for run in runs_of(result) if run.case.region == "inference"]
    counts = {(run.case.images, count.event): count.value for run in counted for count in run.counts}
    assert counts[FRAMES, "cycles"] == FRAMES * present(counts[1, "cycles"])
    pool = swept(video, name="pool", images=(FRAMES,), regions=("inference",))
    (stored,) = scores_of(runs_of(pool))
    # The first inference and the warm-up took three frames, and after its last the video starts over.
    assert scores_of(counted) == {stored[3:4], (*stored[3:], *stored[:3])}
    study, _ = store.load(result.folder)
    assert study.plan.capture_in_region
    assert any("a file has no clock of its own" in note for note in study.notes)


@NEEDS_LITERT
def test_every_shape_of_a_sweep_gets_the_same_frames(swept: Swept, video: Path, tmp_path: Path) -> None:
    model = swept(video, images=(1,), regions=("inference",)).study.models[0]
    inputs = {"large": (1, 20, 30, 3), "small": (1, 8, 8, 3), "again": (1, 8, 8, 3)}
    models = [replace(model, label=label, input=replace(model.input, shape=shape)) for label, shape in inputs.items()]
    files = measure.stage(models, planned(source=f"camera:{video}", images=(2,)), tmp_path)
    assert files["small"] == files["again"]
    expected = pools.pools(f"camera:{video}", 2, [(20, 30, 3), (8, 8, 3)], 0)
    assert np.array_equal(np.load(files["large"]), expected[20, 30, 3])
    assert np.array_equal(np.load(files["small"]), expected[8, 8, 3])


def requests_of(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """The requests of all workers, as they are written."""
    made: list[dict[str, Any]] = []
    real = measure._command

    def command(*arguments: Any, **options: Any) -> Any:
        found = real(*arguments, **options)
        made.append(json.loads(arguments[2].read_text()))
        return found

    monkeypatch.setattr(measure, "_command", command)
    return made


def test_a_password_opens_the_camera_and_is_kept_nowhere(
    swept: Swept, fake_worker: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(monkeypatch)
    with MjpegServer([picture(1)], rate=None) as server:
        url = server.url_with("me:very-secret")
        monkeypatch.setattr(sys, "argv", ["profiler", "sweep", f"--source=camera:{url}"])
        monkeypatch.setenv("FAKE_WORKER", json.dumps({"litert": {"fault": "traceback", "when": {"images": 3}}}))
        result = swept(url, fake_worker, capture_in_region=True)
        assert result.failed == 2
        assert {request.get("camera") for request in requests} == {None, url}
        assert result.study.plan.source == f"camera:{server.url}"
    kept = [path for path in result.folder.rglob("*") if path.is_file()]
    assert len(kept) > 1
    assert not [path for path in kept if b"very-secret" in path.read_bytes()]


def test_what_a_worker_says_of_a_password_is_concealed(swept: Swept, tmp_path: Path) -> None:
    talker = tmp_path / "talker.py"
    talker.write_text(
        "import json, sys\n"
        "request = json.load(open(sys.argv[1]))\n"
        "if request['camera']: sys.exit('cannot open ' + request['camera'])\n"
        f"sys.argv[0] = {str(Path(__file__).parent.parent / 'fakes/worker.py')!r}\n"
        "exec(open(sys.argv[0]).read())\n"
    )
    with MjpegServer([picture(1)], rate=None) as server:
        result = swept(server.url_with("me:very-secret"), (sys.executable, str(talker)), capture_in_region=True)
        runs = runs_of(result)
        assert result.failed == len(runs) == 4
        for run in runs:
            assert run.stderr_tail == f"cannot open {server.url}"
            assert str(run.error).endswith(f"cannot open {server.url}")


@NEEDS_LITERT
def test_a_camera_that_is_lost_fails_the_run_and_the_rest_goes_on(swept: Swept) -> None:
    """Each connection gets enough frames for a run of one image, and too few for one of forty."""
    with MjpegServer([picture(index) for index in range(9)], rate=None, count=image_source.SETTLING + 12) as server:
        result = swept(server.url, images=(1, 40), regions=("inference",), capture_in_region=True, repeats=2)
    runs = runs_of(result)
    assert [run.outcome for run in sorted(runs, key=lambda run: run.case.images)] == ["ok", "ok", "failed", "failed"]
    for run in runs:
        if run.outcome == "failed":
            assert "was lost" in str(run.error)
            assert "\n" not in str(run.error)
            assert run.counts == ()
    (note,) = [note for note in result.study.notes if server.url in note]
    assert "The camera gives the pace" in note


@pytest.mark.parametrize("capture_in_region", [True, False])
def test_a_camera_that_is_missing_leaves_nothing(
    swept: Swept, tmp_path: Path, fake_worker: tuple[str, ...], capture_in_region: bool
) -> None:
    with pytest.raises(ProfilerError, match="there is no camera or file"):
        swept(tmp_path / "gone.avi", fake_worker, capture_in_region=capture_in_region)
    assert not (tmp_path / "runs").exists()


def test_the_camera_is_free_before_the_first_worker(
    swept: Swept, video: Path, fake_worker: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    open_now: list[Any] = []
    opened: list[Any] = []
    real, measured = open.open_capture, measure.measure

    def open_capture(*arguments: Any, **options: Any) -> Any:
        made = real(*arguments, **options)
        close = made.close
        open_now.append(made)
        opened.append(made)
        monkeypatch.setattr(made, "close", lambda: (open_now.remove(made), close()), raising=False)  # type: ignore[func-returns-value]
        return made

    def run(*arguments: Any) -> Run:
        assert open_now == []
        return measured(*arguments)

    monkeypatch.setattr(open, "open_capture", open_capture)
    monkeypatch.setattr(sweep, "measure", run)
    assert swept(video, fake_worker).failed == 0
    # Once to see that it is there, once for the frames.
    assert len(opened) == 2


@needs_qemu
@pytest.mark.usefixtures("no_perf")
def test_frames_in_ram_are_simulated_as_other_images_are(
    swept: Swept, video: Path, fake_worker: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = requests_of(monkeypatch)
    result = swept(video, fake_worker, counters="auto", images=(1,), simulated_images=(1,))
    assert result.failed == 0
    assert [run.case.simulator for run in runs_of(result)] == [None, None, "qemu", "qemu"]
    assert len({request["pool"] for request in requests[1:]}) == 1
    assert not any(request["camera"] for request in requests)


@pytest.mark.usefixtures("no_perf")
def test_no_simulation_goes_beside_a_capture_in_the_region(
    swept: Swept, video: Path, fake_worker: tuple[str, ...]
) -> None:
    study = swept(video, fake_worker, counters="auto", simulated_images=(1,), capture_in_region=True).study
    assert study.simulation is None
    assert any(note.startswith("No caches are simulated: a camera cannot") for note in study.notes)
    for asked in ({"on": "pi5"}, {"caches": "pi4", "simulated_images": (1,)}):
        with pytest.raises(ProfilerError, match="leave out --capture-in-region"):
            swept(video, fake_worker, name="other", capture_in_region=True, **asked)
