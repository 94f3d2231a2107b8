"""Real engines in real workers, on small models made by TensorFlow."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_requests import written
from needs import NEEDS_LITERT, NEEDS_TENSORFLOW
from reading import present

from profiler import modelfile
from profiler.images import pools
from profiler.measure.run import START, Look
from profiler.records import Completion, from_json
from profiler.runtimes import KERAS_CALLS, RUNTIMES, SUFFIXES, open_runtime

pytestmark = [pytest.mark.slow, NEEDS_LITERT, NEEDS_TENSORFLOW]

TFLITE = Path(__file__).parent.parent.parent / ".venv-tflite/bin/python"
QUIET = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": "-1"}


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("models")
    maker = Path(__file__).parent.parent / "fakes" / "make_models.py"
    subprocess.run([sys.executable, str(maker), str(folder)], check=True, capture_output=True, env=QUIET)
    return folder


def work(model: Path, runtime: str, folder: Path, python: str | Path = sys.executable, **fields: Any) -> dict[str, Any]:
    """The record that a worker process leaves for `model`; what it printed is beside it."""
    request = written(
        folder, **{"label": "m", "runtime": runtime, "model": str(model), "images": 2, "call": "graph", **fields}
    )
    command = [str(python), "-P", *START, str(request)]
    done = subprocess.run(command, capture_output=True, env=QUIET, check=False)
    (folder / "printed").write_bytes(done.stderr)
    record: dict[str, Any] = json.loads((folder / "record.json").read_text())
    return record


def completed(model: Path, runtime: str, folder: Path, **fields: Any) -> Completion:
    return from_json(Completion, json.dumps(work(model, runtime, folder, **fields)))


def looked(model: Path, runtime: str, folder: Path) -> Look:
    return from_json(Look, json.dumps(work(model, runtime, folder, look=True)))


def taken(done: Completion | Look) -> dict[str, tuple[int, int]]:
    """By kind of operator how many the delegate took, and how many there are."""
    assert done.engine is not None
    assert done.engine.operators is not None
    return {kind.name: (kind.taken, kind.total) for kind in done.engine.operators}


@pytest.fixture
def pool(tmp_path: Path) -> str:
    path = tmp_path / "pool.npy"
    np.save(path, pools.pool("builtin", 2, 8, 8, 3, 0))
    return str(path)


def test_litert_and_keras_answer_alike(models: Path, tmp_path: Path, pool: str) -> None:
    keras = completed(models / "image.keras", "keras", tmp_path, pool=pool)
    litert = completed(models / "image.tflite", "litert", tmp_path, pool=pool)
    assert keras.scores == pytest.approx(litert.scores, abs=1e-4)
    assert keras.top == litert.top
    assert keras.input.shape == litert.input.shape == (1, 8, 8, 3)
    assert keras.input.dtype == litert.input.dtype == "uint8"
    assert litert.engine is not None
    assert keras.engine is not None
    assert litert.engine.package == "ai-edge-litert"
    assert litert.engine.call == "invoke"
    assert litert.engine.delegate == "XNNPACK"
    assert (keras.engine.package, keras.engine.call, keras.engine.threads) == ("tensorflow", "graph", 1)


@pytest.mark.parametrize("call", [call for call in KERAS_CALLS if call != "graph"])
def test_every_way_to_ask_keras_gives_the_same(models: Path, tmp_path: Path, pool: str, call: str) -> None:
    asked = completed(models / "image.keras", "keras", tmp_path, pool=pool, call=call)
    litert = completed(models / "image.tflite", "litert", tmp_path, pool=pool)
    assert present(asked.engine).call == call
    assert asked.scores == pytest.approx(litert.scores, abs=1e-4)


@pytest.mark.parametrize("threads", [1, 2, None])
def test_threads_are_kept(models: Path, tmp_path: Path, threads: int | None) -> None:
    assert present(completed(models / "image.tflite", "litert", tmp_path, threads=threads).engine).threads == threads


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
    np.save(pool, pools.pool("builtin", 4, 150, 150, 3, 0))
    for runtime, name in modelfile.DEFAULTS.items():
        done = completed(modelfile.shipped(name), runtime, tmp_path, images=4, pool=str(pool))
        assert done.top == (0, 0, 0, 0)
        assert done.input.dtype == "uint8"
        assert done.output.shape == (1, 1)


def test_the_engine_tells_what_its_delegate_took(tmp_path: Path) -> None:
    """The shipped dynamic-range model: a conversion of pixels and the depthwise convolutions in int8 are left."""
    done = completed(modelfile.shipped(modelfile.DEFAULTS["litert"]), "litert", tmp_path)
    assert taken(done) == {
        "CAST": (0, 1),
        "MUL": (1, 1),
        "ADD": (11, 11),
        "CONV_2D": (35, 35),
        "DEPTHWISE_CONV_2D": (2, 17),
        "MEAN": (1, 1),
        "FULLY_CONNECTED": (1, 1),
    }
    assert done.engine is not None
    assert (done.engine.delegate, done.engine.delegated) == ("XNNPACK", "took 51 of 67 operators in 16 parts")
    # Its own log names the delegate, which the interpreter does not.
    assert "Created TensorFlow Lite XNNPACK delegate for CPU" in (tmp_path / "printed").read_text()


def test_the_runtime_that_many_boards_still_have_leaves_hybrid_convolutions(tmp_path: Path) -> None:
    if not TFLITE.exists():
        pytest.skip("tflite-runtime's last wheels are for Python 3.11, which is not on this machine")
    done = completed(modelfile.shipped(modelfile.DEFAULTS["litert"]), "litert", tmp_path, python=TFLITE)
    assert done.engine is not None
    assert done.engine.package == "tflite-runtime"
    assert done.engine.delegated == "took 17 of 67 operators in 13 parts"
    found = taken(done)
    assert (found["CONV_2D"], found["DEPTHWISE_CONV_2D"], found["FULLY_CONNECTED"]) == ((2, 35), (2, 17), (0, 1))


def test_the_arena_is_the_planned_one_where_no_delegate_takes_part_of_it() -> None:
    """Told in a process of its own: an engine without its delegate is nothing that a user can ask for."""
    code = """if True:
        import sys
        import numpy as np
        from ai_edge_litert.interpreter import Interpreter, OpResolverType
        from profiler.runtimes import litert_plan
        plain = OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES
        interpreter = Interpreter(sys.argv[1], experimental_op_resolver_type=plain, num_threads=1)
        interpreter.allocate_tensors()
        print(litert_plan.told(interpreter)["arena_bytes"], litert_plan.told(interpreter)["delegated"])
    """
    model = modelfile.shipped(modelfile.DEFAULTS["litert"])
    done = subprocess.run([sys.executable, "-P", "-c", code, str(model)], capture_output=True, text=True, check=True)
    told, _, words = done.stdout.strip().partition(" ")
    assert words == "took none of 67 operators"
    least = modelfile.facts(model).least_bytes
    assert least is not None
    assert least <= int(told) < 2 * least


def test_memory_after_the_load(tmp_path: Path) -> None:
    """LiteRT maps its file and packs copies of the weights beside it; Keras reads them into memory."""
    path = modelfile.shipped(modelfile.DEFAULTS["litert"])
    resident = completed(path, "litert", tmp_path).resident
    assert resident is not None
    assert 0.9 * path.stat().st_size < resident.file_bytes < 1.1 * path.stat().st_size
    assert 0.5 * path.stat().st_size < resident.load_bytes < 10 * path.stat().st_size
    path = modelfile.shipped(modelfile.DEFAULTS["keras"])
    resident = completed(path, "keras", tmp_path).resident
    assert resident is not None
    assert resident.file_bytes == 0
    assert resident.load_bytes > 0.9 * path.stat().st_size


@pytest.mark.parametrize(("file", "runtime"), [("two.tflite", "litert"), ("two.keras", "keras")])
def test_a_network_of_two_images_is_looked_at(models: Path, tmp_path: Path, file: str, runtime: str) -> None:
    found = looked(models / file, runtime, tmp_path)
    assert [spec.shape for spec in found.inputs] == [(1, 8, 8, 3), (1, 8, 8, 3)]
    assert [spec.shape for spec in found.outputs] == [(1, 192)]
    assert found.lack is None
    assert found.resident is not None
    assert found.resident.first_bytes is not None
    if runtime == "litert":
        assert taken(found)["ADD"][1] == 1


def test_a_network_of_open_sizes_is_looked_at_and_not_asked(models: Path, tmp_path: Path) -> None:
    found = looked(models / "open.tflite", "litert", tmp_path)
    assert found.inputs[0].shape == (1, -1, -1, 3)
    assert found.lack is not None
    assert found.lack.endswith("has open sizes")
    assert sum(total for _, total in taken(found).values()) == 3
    assert found.resident is not None
    assert found.resident.first_bytes is None


def test_a_damaged_file_is_no_network(models: Path, tmp_path: Path) -> None:
    assert "cannot be loaded by" in work(models / "truncated.tflite", "litert", tmp_path, look=True)["error"]


def test_every_runtime_has_its_module_and_formats() -> None:
    assert set(RUNTIMES) == set(SUFFIXES) == set(modelfile.DEFAULTS)
    with pytest.raises(KeyError):
        open_runtime("torch", 1, "predict")
