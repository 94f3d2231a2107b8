"""Real engines in real workers, on small models made by TensorFlow."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from profiler import images, network
from profiler.records import Completion, from_json
from profiler.runtimes import KERAS_CALLS, RUNTIMES, SUFFIXES, open_runtime

pytestmark = pytest.mark.slow

QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    maker = Path(__file__).parent / "fakes" / "make_models.py"
    subprocess.run([sys.executable, str(maker), str(folder)], check=True, capture_output=True, env=QUIET)
    return folder


def work(model: Path, runtime: str, folder: Path, **fields: Any) -> dict[str, Any]:
    """The record that a worker process leaves for `model`."""
    request = {
        "label": "m",
        "runtime": runtime,
        "model": str(model),
        "images": 2,
        "warmup": 1,
        "threads": 1,
        "call": "graph",
        "region": None,
        "pool": None,
        "record": str(folder / "record.json"),
        **fields,
    }
    (folder / "request.json").write_text(json.dumps(request))
    command = [sys.executable, "-P", "-m", "profiler.worker", str(folder / "request.json")]
    subprocess.run(command, capture_output=True, env=QUIET, check=False)
    record: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return record


def completed(model: Path, runtime: str, folder: Path, **fields: Any) -> Completion:
    return from_json(Completion, json.dumps(work(model, runtime, folder, **fields)))


@pytest.fixture
def pool(tmp_path: Path) -> str:
    path = tmp_path / "pool.npy"
    np.save(path, images.pool("builtin", 2, 8, 8, 3, 0))
    return str(path)


def test_litert_and_keras_answer_alike(models: Path, tmp_path: Path, pool: str) -> None:
    keras = completed(models / "image.keras", "keras", tmp_path, pool=pool)
    litert = completed(models / "image.tflite", "litert", tmp_path, pool=pool)
    assert keras.scores == pytest.approx(litert.scores, abs=1e-4)
    assert keras.top == litert.top
    assert keras.input.shape == litert.input.shape == (1, 8, 8, 3)
    assert keras.input.dtype == litert.input.dtype == "uint8"
    assert litert.engine.package == "ai-edge-litert"
    assert litert.engine.call == "invoke"
    assert litert.engine.delegate == "XNNPACK"
    assert (keras.engine.package, keras.engine.call, keras.engine.threads) == ("tensorflow", "graph", 1)


@pytest.mark.parametrize("call", [call for call in KERAS_CALLS if call != "graph"])
def test_every_way_to_ask_keras_gives_the_same(models: Path, tmp_path: Path, pool: str, call: str) -> None:
    asked = completed(models / "image.keras", "keras", tmp_path, pool=pool, call=call)
    litert = completed(models / "image.tflite", "litert", tmp_path, pool=pool)
    assert asked.engine.call == call
    assert asked.scores == pytest.approx(litert.scores, abs=1e-4)


@pytest.mark.parametrize("threads", [1, 2, None])
def test_threads_are_kept(models: Path, tmp_path: Path, threads: int | None) -> None:
    assert completed(models / "image.tflite", "litert", tmp_path, threads=threads).engine.threads == threads


def test_quantised_input_is_known(models: Path, tmp_path: Path) -> None:
    done = completed(models / "int8.tflite", "litert", tmp_path)
    assert done.input.dtype == "int8"
    assert done.input.scale == pytest.approx(1.0, rel=0.05)
    assert done.input.zero_point == -128


def test_grey_images(models: Path, tmp_path: Path) -> None:
    assert completed(models / "grey.tflite", "litert", tmp_path).input.shape == (1, 8, 8, 1)


def test_a_model_with_its_training_state(models: Path, tmp_path: Path) -> None:
    assert completed(models / "trained.h5", "keras", tmp_path).output.shape == (1, 4)


@pytest.mark.parametrize(
    ("file", "cause"),
    [
        ("truncated.tflite", "cannot be loaded by ai-edge-litert"),
        ("open.tflite", "takes [1, -1, -1, 3], not one image"),
        ("two.tflite", "has 2 inputs"),
        ("vector.tflite", "takes [1, 10], not one image"),
        ("truncated.keras", "cannot be loaded by Keras"),
        ("two.keras", "has 2 inputs"),
    ],
)
def test_bad_models_are_named_with_a_remedy(models: Path, tmp_path: Path, file: str, cause: str) -> None:
    runtime = next(runtime for runtime, suffixes in SUFFIXES.items() if Path(file).suffix in suffixes)
    record = work(models / file, runtime, tmp_path)
    assert cause in record["error"]
    assert "\n" not in record["error"]
    assert record["remedy"]


def test_the_shipped_models_call_the_shipped_photograph_a_cat(tmp_path: Path) -> None:
    pool = tmp_path / "photos.npy"
    np.save(pool, images.pool("builtin", 4, 150, 150, 3, 0))
    for runtime, name in network.DEFAULTS.items():
        done = completed(network.shipped(name), runtime, tmp_path, images=4, pool=str(pool))
        assert done.top == (0, 0, 0, 0)
        assert done.input.dtype == "uint8"
        assert done.output.shape == (1, 1)


def test_every_runtime_has_its_module_and_formats() -> None:
    assert set(RUNTIMES) == set(SUFFIXES) == set(network.DEFAULTS)
    with pytest.raises(KeyError):
        open_runtime("torch", 1, "predict")
