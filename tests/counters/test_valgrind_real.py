"""The valgrind source with the real callgrind: loops whose counts arithmetic knows, and the real worker."""

import importlib.util
import json
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from made_requests import written
from msgspec.structs import replace

from profiler.counters import Setup, valgrind
from profiler.counters.valgrind import Valgrind
from profiler.machine import targets
from profiler.measure import process
from profiler.measure.run import WORKER
from profiler.records import Cache, Count, Region, Target

pytestmark = pytest.mark.skipif(
    not shutil.which("valgrind") or not shutil.which("cc"), reason="valgrind or a C compiler is not installed"
)

ROOT = Path(__file__).parent.parent.parent
SWEEP = Path(__file__).parent.parent / "callgrind_sweep.c"
LIMIT_S = 300
NEAR = (
    "inst_retired",
    "l1d_cache_rd",
    "l1d_cache_wr",
    "l1d_cache_refill_rd",
    "l1d_cache_refill_wr",
    "l2d_cache_rd",
    "l2d_cache_refill",
    "l2d_cache_wb_victim",
    "ll_cache_rd",
)
FAR = ("inst_retired", "ll_cache_miss_rd", "l3d_cache_wb")
LINE = 64
PASSES = 10
STRAY = 24
"""Accesses and lines of code and data at the region's own ends, at most: calls, returns, the request to callgrind."""

Values = dict[str, int | float | None]

cached = partial(Cache, line_bytes=LINE, shared_by=1, source="made up")
L1I = cached(level=1, type="Instruction", size_bytes=2**14, ways=2)
SMALL = replace(
    targets.find("pi5"),
    key="small",
    caches=(
        L1I,
        cached(level=1, type="Data", size_bytes=8 * 1024, ways=2),
        cached(level=2, type="Unified", size_bytes=64 * 1024, ways=4),
        cached(level=3, type="Unified", size_bytes=256 * 1024, ways=8),
    ),
)
THREE_WAYS = replace(
    SMALL,
    key="three-ways",
    caches=(
        L1I,
        cached(level=1, type="Data", size_bytes=12 * 1024, ways=3),
        cached(level=2, type="Unified", size_bytes=96 * 1024, ways=3),
    ),
)
PI5 = targets.find("pi5")


class Bench:
    """Runs commands under callgrind."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.sources: dict[str, Valgrind] = {}
        self.program = folder / "sweep"
        command = ["cc", "-O2", "-o", str(self.program), str(SWEEP), "-ldl", "-lpthread"]
        subprocess.run(command, check=True, capture_output=True)

    def counts(
        self, command: Sequence[object], group: tuple[str, ...], target: Target = SMALL, region: Region = "inference"
    ) -> tuple[Count, ...]:
        """What is counted of a group; the raw file has a name that valgrind would take to pieces."""
        source = self.sources.get(target.key) or valgrind.open(Setup(target, 1, None))
        self.sources[target.key] = source
        raw = self.folder / "100 %p, %q{HOME} 'raw'"
        raw.unlink(missing_ok=True)
        with source.launch(tuple(map(str, command)), group, region, raw) as launch:
            self.ended = process.run(launch, self.folder / "output", LIMIT_S, None)
        return source.read(raw, group)

    def sweep(
        self, *words: object, group: tuple[str, ...] = NEAR, target: Target = SMALL, region: Region = "inference"
    ) -> Values:
        """Counts of the loop by event."""
        counts = self.counts((self.program, *words), group, target, region)
        assert self.ended.returncode == 0, self.ended.output_tail
        return {count.event: count.value for count in counts}


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("bench"))


def lines(kib: int) -> int:
    return kib * 1024 // LINE


def within(count: float | None, expected: int) -> bool:
    """Whether a count is the arithmetic's, but for the region's own ends."""
    return count is not None and expected <= count <= expected + STRAY


def given_up(target: Target, level: int, kib: int, times: int) -> int:
    """Dirty lines that a cache gave up: all that were brought in but those still there, if they do not fit."""
    cache = targets.cache(target, level, "Unified")
    assert cache is not None
    return 0 if times == ONCE else times * lines(kib) - cache.size_bytes // LINE


ONCE, EACH = 1, PASSES
"""How often a line is brought in: once where the block is half a cache's size, in every pass where it is twice."""

LEVELS = [
    # KiB, and how often the L1D, the L2 and the L3 bring each line in
    pytest.param(SMALL, 4, ONCE, ONCE, ONCE, id="small-in-l1d"),
    pytest.param(SMALL, 16, EACH, ONCE, ONCE, id="small-in-l2"),
    pytest.param(SMALL, 128, EACH, EACH, ONCE, id="small-in-l3"),
    pytest.param(SMALL, 512, EACH, EACH, EACH, id="small-in-memory"),
    pytest.param(THREE_WAYS, 6, ONCE, ONCE, None, id="three-ways-in-l1d"),
    pytest.param(THREE_WAYS, 24, EACH, ONCE, None, id="three-ways-in-l2"),
    pytest.param(THREE_WAYS, 192, EACH, EACH, None, id="three-ways-in-memory"),
    pytest.param(PI5, 32, ONCE, ONCE, ONCE, id="pi5-in-l1d"),
    pytest.param(PI5, 128, EACH, ONCE, ONCE, id="pi5-in-l2"),
    pytest.param(PI5, 1024, EACH, EACH, ONCE, id="pi5-in-l3"),
    pytest.param(PI5, 4096, EACH, EACH, EACH, id="pi5-in-memory"),
]


@pytest.mark.slow
@pytest.mark.parametrize("access", ["rd", "wr"])
@pytest.mark.parametrize(("target", "kib", "l1d", "l2", "l3"), LEVELS)
def test_a_loop_gives_the_arithmetics_answer(
    bench: Bench, target: Target, kib: int, l1d: int, l2: int, l3: int | None, access: str
) -> None:
    other = {"rd": "wr", "wr": "rd"}[access]
    counts = bench.sweep(kib, PASSES, access[0], target=target)
    assert within(counts[f"l1d_cache_{access}"], PASSES * lines(kib))
    assert within(counts[f"l1d_cache_{other}"], 0)
    assert within(counts[f"l1d_cache_refill_{access}"], l1d * lines(kib))
    assert within(counts["l2d_cache_rd"], l1d * lines(kib))
    assert within(counts["l2d_cache_refill"], l2 * lines(kib))
    assert within(counts["l2d_cache_wb_victim"], given_up(target, 2, kib, l2) if access == "wr" else 0)
    if l3 is not None:
        beyond = bench.sweep(kib, PASSES, access[0], group=FAR, target=target)
        assert counts["ll_cache_rd"] == counts["l2d_cache_refill"]
        assert beyond["inst_retired"] == counts["inst_retired"]
        assert within(beyond["ll_cache_miss_rd"], l3 * lines(kib))
        assert within(beyond["l3d_cache_wb"], given_up(target, 3, kib, l3) if access == "wr" else 0)


def test_warm_caches_are_not_counted_and_not_cold(bench: Bench) -> None:
    counts = bench.sweep(4, PASSES, "r", "warm")
    assert within(counts["l1d_cache_rd"], PASSES * lines(4))
    assert within(counts["l1d_cache_refill_rd"], 0)
    assert within(counts["l2d_cache_refill"], 0)


def test_the_last_region_counts_from_cold_caches(bench: Bench) -> None:
    counts = bench.sweep(4, PASSES, "r", "twice")
    assert within(counts["l1d_cache_rd"], PASSES * lines(4))
    assert within(counts["l1d_cache_refill_rd"], lines(4))


def test_counts_repeat_in_odd_folders(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = bench.sweep(32, PASSES, "r")
    folder = tmp_path / "odd %p %n $HOME 'x\" %q{HOME}"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    assert bench.sweep(32, PASSES, "r") == plain
    assert list(folder.iterdir()) == []


def test_the_users_settings_change_nothing(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VALGRIND_OPTS", "--tool=none --cache-sim=no")
    assert within(bench.sweep(32, PASSES, "r")["l1d_cache_refill_rd"], PASSES * lines(32))


@pytest.mark.parametrize(("region", "most"), [("inference", 0), ("process", 90 * PASSES * lines(4))])
def test_a_forked_child_is_not_counted(bench: Bench, region: Region, most: int) -> None:
    alone = bench.sweep(4, PASSES, "r", region=region)["inst_retired"]
    beside = bench.sweep(4, PASSES, "r", "fork", region=region)["inst_retired"]
    assert alone
    assert beside
    assert 0 <= beside - alone <= most


def test_all_threads_are_counted(bench: Bench) -> None:
    counts = bench.sweep(256, PASSES, "w", "threads")
    assert counts["l1d_cache_wr"] == pytest.approx(2 * PASSES * lines(256), rel=0.05)


def test_a_whole_process_is_counted_without_a_region(bench: Bench) -> None:
    of_the_region = bench.sweep(32, PASSES, "w")["l1d_cache_wr"]
    of_the_process = bench.sweep(32, PASSES, "w", region="process")["l1d_cache_wr"]
    assert of_the_region
    assert of_the_process
    assert of_the_process > of_the_region


def test_a_killed_process_has_no_counts(bench: Bench) -> None:
    counts = bench.counts((bench.program, 4, 1, "r", "killed"), NEAR)
    assert {(count.value, count.reason) for count in counts} == {(None, "valgrind ended without its counts")}


def test_a_region_that_is_never_entered(bench: Bench) -> None:
    counts = bench.counts(("/bin/true",), NEAR)
    assert {(count.value, count.reason) for count in counts} == {(None, "the region was never entered")}


@pytest.mark.slow
@pytest.mark.skipif(importlib.util.find_spec("ai_edge_litert") is None, reason="LiteRT is not installed")
def test_the_real_worker_repeats_and_is_linear(bench: Bench, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONHASHSEED", "0")
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "1")
    monkeypatch.chdir(ROOT)

    def counted(images: int) -> Values:
        model = str(ROOT / "models" / "cat-dog-mnv2.tflite")
        request = written(tmp_path, model=model, images=images, call="invoke", region="inference")
        counts = bench.counts((*WORKER, request), NEAR, PI5)
        assert bench.ended.returncode == 0, bench.ended.output_tail
        assert len(json.loads((tmp_path / "record.json").read_text())["latencies_ns"]) == images
        return {count.event: count.value for count in counts}

    one, again, two, three = (counted(images) for images in (1, 1, 2, 3))
    for event in NEAR:
        first, second, third = one[event], two[event], three[event]
        assert first
        assert second
        assert third
        # The loop's own integers take more digits where an inference takes longer than 2**30 ns.
        assert again[event] == pytest.approx(first, rel=1e-6 if event == "inst_retired" else 1e-4)
        assert third - second == pytest.approx(second - first, rel=1e-3)
