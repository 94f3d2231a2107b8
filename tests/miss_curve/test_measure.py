"""A model's miss curve: distances to misses, processes under QEMU to one record, the record to files."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_curves import made_curve
from made_plans import needs_qemu
from needs import NEEDS_LITERT

from profiler import modelfile
from profiler.counters import UnusableError
from profiler.counters.reuse_distance import Distances, Reuse, Sample
from profiler.errors import ProfilerError
from profiler.machine import targets
from profiler.miss_curve import measure
from profiler.miss_curve.curve import apart, predictions
from profiler.modelfile import ModelFile
from profiler.modelfile.digest import file_sha256
from profiler.records import MissCurve, from_json, to_json

LINE, EDGES = 64, (0, 1, 2, 3, 5, 8)
TRACES = st.lists(st.integers(0, 9), max_size=60)


def sampled(before: list[int], region: list[int]) -> Sample:
    """The distances of a region's accesses to lines, by their definition, after others that were not counted."""
    stack = [line for place, line in enumerate(before) if line not in before[place + 1 :]]
    seen, never = set(), 0
    first, again = [0] * len(EDGES), [0] * len(EDGES)
    for line in region:
        if line in stack:
            distance = len(stack) - 1 - stack.index(line)
            entry = max(place for place, edge in enumerate(EDGES) if edge <= distance)
            (again if line in seen else first)[entry] += 1
            stack.remove(line)
        else:
            never += 1
        stack.append(line)
        seen.add(line)
    return Sample(len(seen), never, tuple(first), tuple(again))


def lru_misses(lines: int, before: list[int], region: list[int]) -> int:
    """What a fully associative LRU cache misses in the region."""
    cache: list[int] = []
    missed = 0
    for place, line in enumerate([*before, *region]):
        missed += line not in cache and place >= len(before)
        cache = [*(other for other in cache if other != line), line][-lines:]
    return missed


@given(TRACES, TRACES)
def test_misses_are_those_of_lru_caches_warm_and_empty(before: list[int], region: list[int]) -> None:
    found = Distances(LINE, 1, EDGES, (sampled(before, region), sampled([], region)))
    sizes = [edge * LINE for edge in EDGES[1:]]
    steady, cold = measure.misses(found, sizes)
    expected = [lru_misses(edge, before, region) for edge in EDGES[1:]]
    empty = [lru_misses(edge, [], region) for edge in EDGES[1:]]
    assert steady[0].tolist() == expected
    assert cold[0].tolist() == steady[1].tolist() == cold[1].tolist() == empty


def test_a_sample_stands_for_all_lines() -> None:
    sample = Sample(3, 1, (0, 0, 1, 0, 1, 0), (0, 5, 0, 2, 0, 1))
    (one,), (one_cold,) = measure.misses(Distances(LINE, 1, EDGES, (sample,)), [2 * LINE])
    steady, cold = measure.misses(Distances(LINE, 16, EDGES, (sample, sample)), [2 * LINE])
    assert steady.tolist() == [[16 * one[0]]] * 2 == [[16 * 6]] * 2
    assert cold.tolist() == [[16 * one_cold[0]]] * 2


def test_the_curve_is_of_caches_from_16_kib_to_64_mib() -> None:
    edges = (0, 128, 256, 300, 2**20, 2**21)
    assert measure.sizes(Distances(LINE, 1, edges, ())) == (2**14, 300 * LINE, 2**26)


@pytest.fixture
def model(tmp_path: Path) -> ModelFile:
    file = ModelFile("net.tflite", "litert", tmp_path / "net.tflite")
    file.path.write_bytes(b"weights")
    return file


@needs_qemu
def test_every_seed_is_a_process_and_all_samples_are_in_the_record(
    model: ModelFile, fake_worker: tuple[str, ...]
) -> None:
    told: list[str] = []
    found = measure.run(model, measure.Options(seeds=(7, 8, 9)), told.append, fake_worker)
    assert found.seeds == (7, 8, 9)
    assert (found.file, found.file_bytes, found.sha256) == ("net.tflite", 7, file_sha256(model.path))
    assert (found.engine, found.guest, found.threads, found.images) == ("fake-runtime 1.0", None, 1, 1)
    assert found.target.prefetch == {"kind": "none"}
    assert found.target.caches == targets.find("pi5").caches
    assert len(found.steady) == len(found.cold) == len(found.touched) == 3 * measure.HANDS
    assert {len(row) for row in (*found.steady, *found.cold)} == {len(found.sizes_bytes)}
    assert (found.sizes_bytes[0], found.sizes_bytes[-1]) == (2**14, 2**26)
    # Different draws of lines see different numbers of them, but 32 KiB are read and as much is written.
    assert len(set(found.touched)) > 1
    assert np.mean(found.touched) > 2 * 32 * 1024 / LINE
    assert (np.diff(found.steady, axis=1) <= 0).all()
    assert found.full["inst_retired"] > 1000
    assert from_json(MissCurve, to_json(found)) == found
    assert len(told) == 2


@needs_qemu
def test_a_worker_that_fails_is_one_line(
    model: ModelFile, fake_worker: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    fault = {"fault": "segv", "when": {"region": "inference"}}
    monkeypatch.setenv("FAKE_WORKER", json.dumps({model.label: fault}))
    with pytest.raises(ProfilerError, match=r"net\.tflite cannot be run under QEMU") as caught:
        measure.run(model, measure.Options(), worker=fake_worker)
    assert "\n" not in str(caught.value)


@needs_qemu
def test_the_processes_files_go(model: ModelFile, fake_worker: tuple[str, ...]) -> None:
    with measure.ready(model, measure.Options(), fake_worker) as found:
        run = found.simulate(0, Reuse(seed=3))
        assert found.distances(run).samples
        folder = found.place.folder
    assert not folder.exists()


@needs_qemu
def test_without_sampling_there_are_counts_and_no_distances(model: ModelFile, fake_worker: tuple[str, ...]) -> None:
    with measure.ready(model, measure.Options(), fake_worker) as found:
        run = found.simulate(0, None)
        assert all(count.value is not None for count in run.counts)
        with pytest.raises(ProfilerError, match="without its reuse distances"):
            found.distances(run)


def test_without_an_emulator_there_is_no_curve(
    model: ModelFile, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnusableError, match="is not installed"):
        measure.run(model, measure.Options())


def test_an_unknown_machine_is_refused(model: ModelFile) -> None:
    with pytest.raises(ProfilerError, match="unknown machine 'pi9'"):
        measure.run(model, measure.Options(caches="pi9"))


def test_the_files_are_all_there(tmp_path: Path) -> None:
    folder = tmp_path / "new" / "curve"
    page = measure.write(made_curve(), (), folder)
    assert page == folder / "index.html"
    assert {path.name for path in folder.iterdir()} == {"curve.json", "curve.csv", "curve.svg", "index.html"}
    assert from_json(MissCurve, (folder / "curve.json").read_bytes()) == made_curve()


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ProfilerError, match="the curve cannot be written") as caught:
        measure.write(made_curve(), (), tmp_path / "file" / "curve")
    assert "--output" in caught.value.remedy
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.slow
@needs_qemu
@NEEDS_LITERT
def test_the_shipped_models_curve_is_near_the_full_simulation() -> None:
    model = modelfile.alone(modelfile.shipped(modelfile.DEFAULTS["litert"]))
    found = measure.run(model, measure.Options())
    for prediction in predictions(found):
        assert abs(prediction.off) < 0.1, prediction.level
        share = apart(found, prediction.level.size_bytes)
        assert share is not None
        assert share < 0.1
    steady, cold = np.array(found.steady), np.array(found.cold)
    assert (np.diff(steady, axis=1) <= 0).all()
    assert (np.diff(cold, axis=1) <= 0).all()
    # Its weights alone are 2 MiB; with 64 MiB, all that a second inference touches is still there from the first.
    assert np.mean(found.touched) * found.line_bytes > 2**21
    assert steady[:, -1].mean() < 0.01 * steady[:, 0].mean()
    assert cold[:, -1].mean() == pytest.approx(np.mean(found.touched), rel=0.05)
