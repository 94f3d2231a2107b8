"""The worker's own logic with a made engine; real engines are in test_runtimes.py."""

import json
import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from made_requests import asked
from needs import NEEDS_COMPILER
from videos import make_video, picture

from profiler import worker
from profiler.camera import image_source, worker_feed
from profiler.errors import ProfilerError
from profiler.measure import run as measure
from profiler.records import PHASES, Completion, from_json
from profiler.runtimes import Tensor, one_image, one_output
from profiler.worker import Request


class Doubler:
    """An engine whose output is the sum of the image's first row, as one logit or as two classes."""

    def __init__(self, dtype: str = "uint8", outputs: int = 1) -> None:
        self.batches: list[Any] = []
        self._dtype, self._outputs = dtype, outputs

    def load(self, path: str) -> tuple[Tensor, Tensor]:
        return Tensor("x", (1, 2, 2, 1), self._dtype, None, None), Tensor(
            "y", (1, self._outputs), "float32", None, None
        )

    def infer(self, batch: Any) -> Any:
        self.batches.append(batch)
        return np.full((1, self._outputs), batch[0, 0, 0, 0], np.float32) * np.arange(1, self._outputs + 1)

    def read(self, path: str) -> tuple[list[Tensor], list[Tensor]]:
        image, output = self.load(path)
        return [image], [output]

    def infer_any(self, batches: list[Any]) -> None:
        self.batches += batches

    def engine(self) -> dict[str, object]:
        return {"package": "doubler", "version": "1", "call": "invoke", "threads": 1}


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Doubler:
    made = Doubler()
    monkeypatch.setattr(worker, "open_runtime", lambda name, threads, call: made)
    monkeypatch.delenv("PROFILER_GATE", raising=False)
    return made


def request(tmp_path: Path, **fields: Any) -> Request:
    pool = tmp_path / "pool.npy"
    np.save(pool, np.arange(3 * 4, dtype=np.uint8).reshape(3, 2, 2, 1))
    return asked(tmp_path, **{"images": 5, "warmup": 2, "region": "process", "pool": str(pool), **fields})


def served(fields: Request) -> Completion:
    return from_json(Completion, json.dumps(worker.serve(fields)))


def test_a_completion_record_is_whole(engine: Doubler, tmp_path: Path) -> None:
    done = served(request(tmp_path))
    assert tuple(done.phases) == PHASES
    assert len(done.latencies_ns) == len(done.scores) == 5
    assert all(latency > 0 for latency in done.latencies_ns)
    assert done.peak_rss_bytes > 1_000_000
    # first, two warm-ups, then the pool round and round.
    assert [int(batch[0, 0, 0, 0]) for batch in engine.batches] == [0, 0, 4, 0, 4, 8, 0, 4]
    assert done.scores == (0.0, 4.0, 8.0, 0.0, 4.0)
    assert done.top == (0, 1, 1, 0, 1)


def test_steady_time_is_within_its_phase(engine: Doubler, tmp_path: Path) -> None:
    done = served(request(tmp_path))
    assert sum(done.latencies_ns) <= done.phases["inference"].wall_ns


def test_an_inspection_infers_one_black_image(engine: Doubler, tmp_path: Path) -> None:
    done = served(request(tmp_path, images=0, warmup=0, pool=None, region=None))
    assert done.latencies_ns == ()
    assert [batch.shape for batch in engine.batches] == [(1, 2, 2, 1)]
    assert not engine.batches[0].any()


def test_an_inspection_tells_of_engine_and_memory(engine: Doubler, tmp_path: Path) -> None:
    done = served(request(tmp_path, images=0, warmup=0, pool=None, region=None))
    assert done.engine is not None
    assert done.resident is not None
    assert done.resident.first_bytes is not None
    assert done.resident.file_bytes == 0


@pytest.mark.parametrize("region", [*PHASES, "process"])
@pytest.mark.parametrize("gate", [None, "prctl"])
def test_a_counted_process_reads_nothing_of_memory_or_engine(
    engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str, gate: str | None
) -> None:
    def refused(*_: object) -> None:
        raise AssertionError("a counted process looked at itself")

    if gate:
        monkeypatch.setenv("PROFILER_GATE", gate)
    monkeypatch.setattr(worker, "_memory", refused)
    monkeypatch.setattr(engine, "engine", refused)
    done = served(request(tmp_path, region=region))
    assert (done.engine, done.resident) == (None, None)


def test_memory_under_a_simulator_is_not_told(engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PROFILER_GATE", "prctl")
    assert served(request(tmp_path, region=None)).resident is None


def test_importing_the_worker_brings_nothing_of_the_look() -> None:
    code = "import sys, profiler.worker; print([name for name in sys.modules if name.startswith('profiler')])"
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=True)
    names = ["profiler.version", "profiler", "profiler.errors", "profiler.runtimes", "profiler.runtimes.usage"]
    assert done.stdout.strip() == str([*names, "profiler.worker"])


class Odd(Doubler):
    """A network of other inputs than one image."""

    def __init__(self, *inputs: Tensor, fault: str | None = None) -> None:
        super().__init__()
        self._inputs, self._fault = list(inputs), fault

    def load(self, path: str) -> tuple[Tensor, Tensor]:
        raise AssertionError("a look takes any network")

    def read(self, path: str) -> tuple[list[Tensor], list[Tensor]]:
        return self._inputs, [Tensor("y", (1, 2), "float32", None, None), Tensor("z", (1, 3), "float32", None, None)]

    def infer_any(self, batches: list[Any]) -> None:
        if self._fault:
            raise RuntimeError(self._fault)
        super().infer_any(batches)


def looked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, made: Odd) -> measure.Look:
    monkeypatch.setattr(worker, "open_runtime", lambda *_: made)
    fields = request(tmp_path, region=None, pool=None, look=True)
    (tmp_path / "request.json").write_text(json.dumps(fields))
    assert worker.main(str(tmp_path / "request.json")) == 0
    return from_json(measure.Look, Path(fields["record"]).read_bytes())


def test_a_look_asks_any_network_once_with_zeros(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made = Odd(Tensor("a", (1, 3), "float32", None, None), Tensor("b", (2,), "int64", 0.5, 1))
    found = looked(tmp_path, monkeypatch, made)
    assert [(batch.shape, batch.dtype.name) for batch in made.batches] == [((1, 3), "float32"), ((2,), "int64")]
    assert not any(batch.any() for batch in made.batches)
    assert found.lack is None
    assert [spec.name for spec in (*found.inputs, *found.outputs)] == ["a", "b", "y", "z"]
    assert found.engine.package == "doubler"
    assert found.resident is not None
    assert found.resident.first_bytes is not None


@pytest.mark.parametrize(
    ("tensor", "fault", "lack"),
    [
        (Tensor("a", (1, -1), "float32", None, None), None, "input a has open sizes"),
        (Tensor("a", (1, 0), "float32", None, None), None, "input a has open sizes"),
        (Tensor("a", (1,), "str_", None, None), None, "input a is of str_"),
        (Tensor("a", (1,), "bfloat16", None, None), None, "input a is of bfloat16"),
        (Tensor("a", (1,), "float32", None, None), "gather index out of bounds\nNode 7", "gather index out of bounds"),
        (Tensor("a", (), "float32", None, None), " ", "RuntimeError"),
    ],
)
def test_a_network_that_cannot_be_asked_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, tensor: Tensor, fault: str | None, lack: str
) -> None:
    made = Odd(tensor, fault=fault)
    found = looked(tmp_path, monkeypatch, made)
    assert found.lack == lack
    assert made.batches == []
    assert found.engine.package == "doubler"
    assert found.resident is not None
    assert found.resident.first_bytes is None


@pytest.mark.parametrize("number", [float("nan"), float("-inf")])
def test_an_answer_that_is_no_number_is_an_error(
    engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: float
) -> None:
    monkeypatch.setattr(engine, "infer", lambda batch: np.full((1, 1), number, np.float32))
    with pytest.raises(ProfilerError, match="no number"):
        worker.serve(request(tmp_path))


def test_classes_win_by_their_largest_output(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(worker, "open_runtime", lambda *_: Doubler(outputs=3))
    done = served(request(tmp_path))
    assert done.top[1] == 2
    assert done.scores[1] == 12.0


@pytest.mark.parametrize(("dtype", "second"), [("uint8", 4), ("int8", -124), ("float32", 4.0), ("float16", 4.0)])
def test_pixels_in_the_models_own_type(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, dtype: str, second: float
) -> None:
    made = Doubler(dtype)
    monkeypatch.setattr(worker, "open_runtime", lambda *_: made)
    served(request(tmp_path))
    assert made.batches[2].dtype == dtype
    assert made.batches[2][0, 0, 0, 0] == second


class Perf(threading.Thread):
    """The other end of the gate: acknowledges, and keeps what it was told."""

    def __init__(self, mute: bool = False) -> None:
        super().__init__()
        self.control, write = os.pipe()
        read, self._ack = os.pipe()
        self.gate, self._mute, self.told = f"fd:{write}:{read}", mute, b""
        self._theirs = (write, read)

    def run(self) -> None:
        while command := os.read(self.control, 64):
            self.told += command
            if not self._mute:
                os.write(self._ack, worker.ACK)

    def close(self) -> bytes:
        os.close(self._theirs[0])
        self.join()
        for fd in (self.control, self._ack, self._theirs[1]):
            os.close(fd)
        return self.told


@pytest.mark.parametrize("region", PHASES)
def test_the_gate_opens_and_closes_once(
    engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str
) -> None:
    perf = Perf()
    perf.start()
    monkeypatch.setenv("PROFILER_GATE", perf.gate)
    served(request(tmp_path, region=region))
    assert perf.close() == b"disable\nenable\ndisable\n"


@pytest.mark.parametrize(
    ("region", "warmup", "told"),
    [
        ("inference", 2, ["disable", "warm", 2, "enable", 5, "disable"]),
        ("inference", 0, ["disable", "warm", "enable", 5, "disable"]),
        ("warmup", 2, ["disable", "enable", 2, "disable", 5]),
        ("process", 2, ["disable", 2, 5]),
    ],
)
def test_a_simulator_fills_its_caches_in_the_warm_up(
    engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, region: str, warmup: int, told: list[object]
) -> None:
    heard: list[object] = []
    monkeypatch.setenv("PROFILER_GATE", "prctl")
    monkeypatch.setitem(worker._GATES, "prctl", lambda _: heard.append)
    monkeypatch.setattr(worker, "_infer", lambda runtime, batches, images: heard.append(images) or ([], [], []))  # type: ignore[func-returns-value]
    served(request(tmp_path, region=region, warmup=warmup))
    assert [word for word in heard if word != 0] == told


@pytest.fixture
def video(tmp_path: Path) -> str:
    """Nine pictures; the upper left of the n-th is of the shade 8 n + 4."""
    return str(make_video(tmp_path / "video.avi", [picture(index, 16, 16) for index in range(9)]))


@pytest.mark.parametrize(
    ("region", "told"),
    [
        ("images", ["disable", "enable", "frame", "disable", "infer", *["frame", "infer"] * 5]),
        ("first", ["disable", "frame", "enable", "infer", "disable", *["frame", "infer"] * 5]),
        (
            "warmup",
            ["disable", "frame", "infer", "enable", *["frame", "infer"] * 2, "disable", *["frame", "infer"] * 3],
        ),
        (
            "inference",
            [
                "disable",
                "frame",
                "infer",
                "warm",
                *["frame", "infer"] * 2,
                "enable",
                *["frame", "infer"] * 3,
                "disable",
            ],
        ),
        ("process", ["disable", "frame", "infer", *["frame", "infer"] * 5]),
    ],
)
def test_frames_are_taken_inside_the_region(
    engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, video: str, region: str, told: list[str]
) -> None:
    heard: list[str] = []
    take, infer = image_source.picture, engine.infer
    monkeypatch.setenv("PROFILER_GATE", "prctl")
    monkeypatch.setitem(worker._GATES, "prctl", lambda _: heard.append)
    monkeypatch.setattr(worker_feed, "picture", lambda capture: (heard.append("frame"), take(capture))[1])  # type: ignore[func-returns-value]
    monkeypatch.setattr(engine, "infer", lambda batch: (heard.append("infer"), infer(batch))[1])  # type: ignore[func-returns-value]
    served(request(tmp_path, region=region, warmup=2, images=3, pool=None, camera=video))
    assert heard == told


def test_every_frame_is_inferred_once_in_its_order(engine: Doubler, tmp_path: Path, video: str) -> None:
    done = served(request(tmp_path, warmup=2, images=5, pool=None, camera=video))
    assert [int(batch[0, 0, 0, 0]) // 8 for batch in engine.batches] == list(range(8))
    assert [score // 8 for score in done.scores] == [3, 4, 5, 6, 7]
    assert len(done.latencies_ns) == 5
    assert sum(done.latencies_ns) <= done.phases["inference"].wall_ns


def test_a_camera_that_is_lost_is_told_in_place_of_the_record(
    engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fields = request(tmp_path, pool=None, camera=str(tmp_path / "gone.avi"))
    (tmp_path / "request.json").write_text(json.dumps(fields))
    assert worker.main(str(tmp_path / "request.json")) == 1
    assert "there is no camera or file" in json.loads(Path(fields["record"]).read_text())["error"]


def test_a_worker_without_a_camera_imports_nothing_of_it(tmp_path: Path) -> None:
    code = """if True:
        import json, sys
        import numpy as np
        from profiler import worker
        from profiler.runtimes import Tensor

        class Engine:
            def load(self, path):
                return Tensor("x", (1, 2, 2, 1), "uint8", None, None), Tensor("y", (1, 1), "float32", None, None)
            def infer(self, batch):
                return np.ones((1, 1))

        worker.open_runtime = lambda *_: Engine()
        before = set(sys.modules)
        worker.serve(json.load(open(sys.argv[1])))
        print(sorted(name for name in set(sys.modules) - before if name.startswith(("profiler", "cv2"))))
    """
    (tmp_path / "request.json").write_text(json.dumps(request(tmp_path)))
    command = [sys.executable, "-P", "-c", code, str(tmp_path / "request.json")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_kernel_does_not_mind_the_simulators_call() -> None:
    gate = worker.Gate("prctl")
    gate.warm()
    gate.enable()
    gate.disable()


@NEEDS_COMPILER
def test_a_library_is_told_by_number(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    source, library, heard = tmp_path / "heard.c", tmp_path / "heard.so", tmp_path / "heard"
    source.write_text(
        "#include <stdio.h>\n#include <stdlib.h>\n"
        'void region(int told) { FILE *f = fopen(getenv("HEARD"), "a"); fprintf(f, "%d ", told); fclose(f); }\n'
    )
    subprocess.run(["cc", "-shared", "-fPIC", "-o", library, source], check=True)
    monkeypatch.setenv("HEARD", str(heard))
    gate = worker.Gate(f"library:{library}")
    gate.warm()
    gate.enable()
    gate.disable()
    assert heard.read_text() == "0 2 1 0 "


def test_a_counter_that_does_not_answer(engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    perf = Perf(mute=True)
    perf.start()
    monkeypatch.setenv("PROFILER_GATE", perf.gate)
    monkeypatch.setattr(worker, "ACK_LIMIT_S", 0.01)
    with pytest.raises(ProfilerError, match="did not acknowledge 'disable'"):
        worker.serve(request(tmp_path))
    perf.close()


def test_main_writes_the_record_or_the_error(engine: Doubler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fields = request(tmp_path)
    file = tmp_path / "request.json"
    file.write_text(json.dumps(fields))
    assert worker.main(str(file)) == 0
    assert len(from_json(Completion, Path(fields["record"]).read_bytes()).top) == 5

    def no_engine(*_: object) -> None:
        raise ProfilerError("LiteRT is not installed", "pip install ai-edge-litert")

    monkeypatch.setattr(worker, "open_runtime", no_engine)
    assert worker.main(str(file)) == 1
    assert json.loads(Path(fields["record"]).read_text()) == {
        "error": "LiteRT is not installed",
        "remedy": "pip install ai-edge-litert",
    }


def tensor(*shape: int) -> Tensor:
    return Tensor("t", shape, "uint8", None, None)


@pytest.mark.parametrize("shape", [(1, 150, 150, 3), (1, 28, 28, 1)])
def test_one_image(shape: tuple[int, ...]) -> None:
    assert one_image([tensor(*shape)], "m").shape == shape


@pytest.mark.parametrize("shape", [(1, -1, -1, 3), (8, 10, 10, 3), (1, 3, 10, 10), (1, 10), (1, 10, 10, 4), ()])
def test_not_one_image(shape: tuple[int, ...]) -> None:
    with pytest.raises(ProfilerError, match="not one image"):
        one_image([tensor(*shape)], "m")


def test_several_inputs_or_outputs() -> None:
    two = [tensor(1, 2, 2, 3), tensor(1, 2, 2, 3)]
    with pytest.raises(ProfilerError, match="has 2 inputs"):
        one_image(two, "m")
    with pytest.raises(ProfilerError, match="has 2 outputs"):
        one_output(two, "m")
