"""The main job as a user has it: whole commands, real models, real engines, whatever counters this machine has."""

import sys
from pathlib import Path

import pytest
from commands import ROOT, profiler
from needs import NEEDS_LITERT, NEEDS_TENSORFLOW

from profiler import store
from profiler.analysis.study_analysis import Analysis, analyse
from profiler.images.pools import BUILTIN
from profiler.records import PHASES, Study, planned

pytestmark = [pytest.mark.slow, NEEDS_LITERT, NEEDS_TENSORFLOW]

LITE, TFLITE = ROOT / ".venv-lite/bin/python", ROOT / ".venv-tflite/bin/python"


def swept(python: Path | str, folder: Path, *arguments: str) -> tuple[Study, Analysis]:
    done = profiler(python, folder, "sweep", "--name", "job", "--simulated-images", "1", *arguments)
    assert done.returncode == 0, done.stderr
    study, runs = store.load(folder / "runs/job")
    assert {run.outcome for run in runs} == {"ok"}
    assert len(runs) == sum(planned(study, case) for case in study.cases)
    assert (folder / "reports/job/index.html").stat().st_size > 10_000
    return study, analyse(study, runs)


@pytest.fixture(scope="module")
def both(tmp_path_factory: pytest.TempPathFactory) -> tuple[Study, Analysis]:
    folder = tmp_path_factory.mktemp("both")
    return swept(sys.executable, folder, "--models", "keras,litert", "--images", "1,6", "--repeats", "2")


def test_keras_and_litert_are_compared_on_the_same_photographs(both: tuple[Study, Analysis]) -> None:
    study, analysis = both
    (agreement,) = analysis.agreements
    assert (agreement.images, agreement.same) == (6, 6)
    assert agreement.largest_difference < 1
    assert [model.engine.package for model in study.models] == ["tensorflow", "ai-edge-litert"]


def test_both_proofs_of_the_cost_are_there(both: tuple[Study, Analysis]) -> None:
    _, analysis = both
    for label in ("keras", "litert"):
        cost = analysis.costs["task-clock", label]
        assert cost.line is not None
        assert cost.direct is not None
        assert 0 < cost.direct.value < cost.line.fixed.value


def test_one_thread_is_one_thread(tmp_path: Path) -> None:
    swept(sys.executable, tmp_path, "--models", "litert", "--images", "1,20", "--repeats", "2", "--warmup", "0")
    for run in store.load(tmp_path / "runs/job")[1]:
        if run.case.simulator:
            continue
        assert run.completion is not None
        steady = run.completion.phases["inference"]
        # However busy the machine is, one thread's CPU time is not above the wall's; another thread's would be added.
        assert steady.cpu_ns <= 1.02 * steady.wall_ns + 1_000_000


def test_the_fixed_cost_is_broken_down(both: tuple[Study, Analysis]) -> None:
    _, analysis = both
    for phases in analysis.phases.values():
        assert {phase.name for phase in phases} == {*PHASES, "rest"} - {"inference"}
    keras, litert = (sum(phase.cpu_ns.value for phase in analysis.phases[label]) for label in ("keras", "litert"))
    # Whatever the machine: TensorFlow is imported for longer than LiteRT lives.
    assert keras > litert


def test_an_absent_count_has_a_reason_and_no_figure(both: tuple[Study, Analysis]) -> None:
    study, analysis = both
    assert {event.name for event in study.events if event.encoding is None} <= set(study.absent)
    for cost in analysis.costs.values():
        assert cost.reason == study.absent.get(cost.event.name)
        assert bool(cost.reason) is (cost.line is None and cost.direct is None)


def test_a_board_without_tensorflow(tmp_path: Path) -> None:
    if not LITE.exists():
        pytest.skip("the environment of requirements-lite.txt is not there: make test")
    study, _ = swept(LITE, tmp_path, "--models", "litert", "--images", "1,5", "--repeats", "1")
    assert study.models[0].engine.package == "ai-edge-litert"
    refused = profiler(LITE, tmp_path, "sweep", "--models", "keras")
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == ("profiler: TensorFlow is not installed: pip install 'tensorflow>=2.18'")


def test_the_runtime_that_many_boards_still_have(tmp_path: Path, both: tuple[Study, Analysis]) -> None:
    if not TFLITE.exists():
        pytest.skip("tflite-runtime's last wheels are for Python 3.11, which is not on this machine")
    study, analysis = swept(TFLITE, tmp_path, "--models", "litert", "--images", "1,6", "--repeats", "1")
    engine = study.models[0].engine
    assert (engine.package, engine.version, engine.delegate) == ("tflite-runtime", "2.14.0", "XNNPACK")
    assert study.models[0].sha256 == both[0].models[1].sha256
    assert [len(run) for run in analysis.latencies["litert"].runs_ns] == [6, 6]


@pytest.mark.parametrize("python", [LITE, TFLITE], ids=["lite", "tflite"])
def test_a_live_session_runs_where_less_and_older_is_installed(python: Path, tmp_path: Path) -> None:
    """tflite-runtime wants NumPy 1, and that an OpenCV whose names are not all those of the newest."""
    if not python.exists():
        pytest.skip(f"no {python.parent.parent.name}: `make test` makes it")
    done = profiler(
        python, tmp_path, "live", "--camera", str(BUILTIN), "--frames", "5", "--web", "0", "--record", "desk"
    )
    assert done.returncode == 0, done.stderr
    assert "labels    cat 5 (100 %)\n" in done.stdout
    (run,) = store.load(tmp_path / "runs/desk")[1]
    assert run.completion is not None
    assert run.completion.top == (0,) * 5
