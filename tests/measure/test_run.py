import json
from pathlib import Path

import msgspec
import pytest
from made_networks import made_check, made_form
from studies import made_study

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.measure import run
from profiler.measure.process import Stop
from profiler.modelfile import ModelFile, checks
from profiler.modelfile.digest import file_sha256
from profiler.records import Model, Plan, Resident, Taken


@pytest.mark.parametrize(("threads", "idle_pool"), [(1, False), (4, False), (None, True)])
def test_numpys_pool_stays_only_where_engines_choose_their_threads(threads: int | None, idle_pool: bool) -> None:
    environment = run.worker_environment(msgspec.structs.replace(made_study()[0].plan, threads=threads))
    assert ("OPENBLAS_NUM_THREADS" not in environment) is idle_pool
    assert environment["PYTHONHASHSEED"] == "0"
    assert environment["CUDA_VISIBLE_DEVICES"] == "-1"


def inspected(file: ModelFile, folder: Path, worker: tuple[str, ...], **plan: object) -> Model:
    asked: Plan = msgspec.structs.replace(made_study()[0].plan, **plan)
    with Stop() as stop:
        return run.inspect(file, run.Workplace(folder, worker, asked, {file.label: file}, {}, {}, stop))


@pytest.fixture
def shipped() -> ModelFile:
    return ModelFile("litert", "litert", modelfile.shipped("cat-dog-mnv2.tflite"))


def test_a_model_comes_with_all_that_is_known_of_it(
    shipped: ModelFile, tmp_path: Path, fake_worker: tuple[str, ...]
) -> None:
    path = tmp_path / "a.tflite"
    path.write_bytes(shipped.path.read_bytes())
    digest = file_sha256(path)
    file = ModelFile("litert", "litert", path, made_form(precision="dynamic"))
    check = msgspec.structs.replace(made_check("litert", digest), file="a.tflite")
    checks.store([check], [file])
    model = inspected(file, tmp_path, fake_worker)
    assert model.network == modelfile.facts(path)
    assert model.network_lack is None
    assert model.network is not None
    assert sum(share.size_bytes for share in model.network.shares) == model.size_bytes == path.stat().st_size
    assert model.form == file.form
    assert model.check == check
    assert model.engine.operators == (Taken(name="CONV_2D", taken=1, total=2),)
    assert model.engine.arena_bytes == 4096
    assert model.resident == Resident(load_bytes=65536, first_bytes=8192, file_bytes=4096)


def test_what_only_the_engine_understands_is_measured_all_the_same(
    tmp_path: Path, fake_worker: tuple[str, ...]
) -> None:
    path = tmp_path / "odd.tflite"
    path.write_bytes(b"weights")
    model = inspected(ModelFile("litert", "litert", path), tmp_path, fake_worker)
    assert model.network is None
    assert model.network_lack == f"{path} is not a model"
    assert (model.form, model.check) == (None, None)
    assert model.resident is not None


def test_memory_of_a_board_that_is_emulated_is_not_told(
    shipped: ModelFile, tmp_path: Path, fake_worker: tuple[str, ...]
) -> None:
    assert inspected(shipped, tmp_path, fake_worker, on="pi5").resident is None


def test_a_look_needs_no_sweep(shipped: ModelFile, fake_worker: tuple[str, ...]) -> None:
    found = run.look(shipped, worker=fake_worker)
    assert found.engine.threads == 1
    assert found.engine.operators == (Taken(name="CONV_2D", taken=1, total=2),)
    assert found.resident == Resident(load_bytes=65536, first_bytes=8192, file_bytes=4096)
    assert [spec.shape for spec in found.inputs] == [(1, 32, 32, 3)]


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("error", "the fake worker was told to fail: unset FAKE_WORKER"),
        ("segv", "cat-dog-mnv2.tflite cannot be run by litert (killed by signal 11): use a whole model file"),
        ("hang", "(no end within the time limit of 0.5 s): inspect it with --no-load"),
        ("norecord", "left no record"),
    ],
)
def test_an_engine_that_ends_badly_is_one_line(
    shipped: ModelFile, fake_worker: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, fault: str, words: str
) -> None:
    monkeypatch.setenv("FAKE_WORKER", json.dumps({"litert": fault}))
    with pytest.raises(ProfilerError) as caught:
        run.look(shipped, timeout_s=0.5 if fault == "hang" else 60.0, worker=fake_worker)
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)
