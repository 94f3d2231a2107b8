"""The cache simulator against arithmetic: loops whose counts at every level follow from their sizes alone."""

import json
import platform
import shutil
import subprocess
from collections import Counter, OrderedDict
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent
SOURCES = sorted((TESTS.parent / "profiler" / "counters" / "cachesim").glob("*.c"))
PLUGIN_FLAGS = ["-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden", "-Wall", "-Wextra", "-Werror"]
QEMU = shutil.which(f"qemu-{platform.machine()}")
LIMIT_S = 120

PI5 = {"l1i": "65536:4:64", "l1d": "65536:4:64", "l2": "524288:8:64:private", "l3": "2097152:16:64"}
PI4 = {"l1i": "49152:3:64", "l1d": "32768:2:64", "l2": "1048576:16:64:shared"}
ODD = {"l1i": "49152:3:128", "l1d": "49152:3:128", "l2": "262144:16:128:private", "l3": "1048576:16:128"}
GEOMETRIES = {"pi5": PI5, "pi4": PI4, "odd": ODD}
LEVELS = {name: [*list(geometry)[1:], ""] for name, geometry in GEOMETRIES.items()}
"""What a buffer fits into; the last is nothing."""

FEW = 40
"""Lines of stack and code that the region's ends touch; the loops themselves touch none but the buffer's."""
SOME = 3 * FEW
"""Loads and stores of the region's ends and of the calls between passes."""
PAGE = 4096

Simulate = Callable[..., dict[str, Any]]


def takes_plugins() -> bool:
    return QEMU is not None and "-plugin" in subprocess.run([QEMU, "-h"], capture_output=True, text=True).stdout


pytestmark = [
    pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler"),
    pytest.mark.skipif(not takes_plugins(), reason=f"there is no qemu-{platform.machine()} that takes plugins"),
]


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the plugin and the program."""
    folder = tmp_path_factory.mktemp("cachesim")
    plugin = ["cc", *PLUGIN_FLAGS, "-o", folder / "cachesim.so", *SOURCES, "-lpthread"]
    # Functions are bound at the start, so that the first call in a region is like the others.
    loop = ["cc", "-O2", "-Wall", "-Wextra", "-Werror", "-Wl,-z,now", "-o", folder / "loop", TESTS / "strided_loop.c"]
    for command in (plugin, [*loop, "-lpthread"]):
        subprocess.run([str(word) for word in command], check=True, capture_output=True, text=True)
    return folder


def run(built: Path, options: Mapping[str, object], loop: Mapping[str, object]) -> subprocess.CompletedProcess[str]:
    plugin = ",".join([str(built / "cachesim.so"), *(f"{name}={value}" for name, value in options.items())])
    assert QEMU
    command = [QEMU, "-plugin", plugin, str(built / "loop"), *(f"{name}={value}" for name, value in loop.items())]
    return subprocess.run(command, cwd=built, capture_output=True, text=True, timeout=LIMIT_S)


@pytest.fixture
def simulate(built: Path) -> Simulate:
    """Runs the loop with the plugin; `options` are the plugin's, the rest the loop's. What the plugin wrote."""

    def simulated(options: Mapping[str, object] = PI5, **loop: object) -> dict[str, Any]:
        out = built / "out.json"
        out.unlink(missing_ok=True)
        # The loop changes its directory, and the name is relative: it means where QEMU was started.
        ended = run(built, {"out": out.name, "region": "gate", "cores": 1, **options}, loop)
        assert ended.returncode == 0, ended.stderr
        assert ended.stderr == ""
        result: dict[str, Any] = json.loads(out.read_text())
        assert not list(built.glob("*.part"))
        check_sums(result)
        return result

    return simulated


def check_sums(result: dict[str, Any]) -> None:
    """What must hold of any counts."""
    counts, cores = result["counts"], result["per_core"]
    assert len(cores) == result["cores"]
    assert counts == {name: sum(core[name] for core in cores) for name in counts}
    assert counts["mem_access"] == counts["mem_access_rd"] + counts["mem_access_wr"] <= counts["l1d_cache"]
    assert counts["l1d_cache"] == counts["l1d_cache_rd"] + counts["l1d_cache_wr"]
    assert counts["l1d_cache_refill"] == counts["l1d_cache_refill_rd"] + counts["l1d_cache_refill_wr"]
    assert counts["l2d_cache"] == counts["l2d_cache_rd"] + counts["l2d_cache_wr"]
    assert counts["l2d_cache_wr"] == counts["l1d_cache_wb"]
    assert counts["l2d_cache_wb_victim"] <= counts["l2d_cache_wb"]
    refills = counts["l1i_cache_refill"] + counts["l1d_cache_refill"]
    served = ("served_l2", "served_l3", "served_memory")
    assert sum(counts[name] for name in served) == refills
    if result["geometry"].get("prefetch_l2_lookup", 0) == 0:
        assert counts["l2d_cache_rd"] == refills + counts["prefetch_l1"]
    if "l3" in result["geometry"]:
        assert counts["l3d_cache_rd"] == counts["ll_cache_rd"] == counts["l2d_cache_refill"] + counts["prefetch_l2"]
        assert counts["l3d_cache_refill"] == counts["ll_cache_miss_rd"]
        assert counts["l3d_cache"] == counts["l3d_cache_rd"] + counts["l2d_cache_wb"]
    else:
        assert not {name for name in counts if name.startswith(("l3d_", "ll_"))}
        assert counts["served_l3"] == 0


def size_of(cache: str) -> tuple[int, int]:
    """Bytes of a cache and of its line."""
    size, _, line = cache.split(":")[:3]
    return int(size), int(line)


def expected(cache: str, size: int, passes: int) -> tuple[int, int]:
    """Refills and, if the loop writes, write-backs of a level by a loop once a line over `size` bytes.

    What fits is brought in once and stays; of what is twice the cache, the least recently used line is always the next
    one needed, so every access refills, and all but the last cacheful are written back.
    """
    capacity, line = size_of(cache)
    if size <= capacity:
        return size // line, 0
    assert size >= 2 * capacity
    return passes * size // line, (passes * size - capacity) // line


def near(count: int, expectation: int, more: int = FEW) -> bool:
    return expectation <= count <= expectation + more


@pytest.mark.parametrize("write", [0, 1], ids=["read", "write"])
@pytest.mark.parametrize(("name", "level"), [(name, level) for name in GEOMETRIES for level in LEVELS[name]])
def test_strided_loops_give_the_arithmetics_answer(simulate: Simulate, name: str, level: str, write: int) -> None:
    """Of buffers that fit into one level and are twice the one before, and of one twice the largest."""
    geometry = GEOMETRIES[name]
    line = size_of(geometry["l1d"])[1]
    # Half a level leaves room for the stack's lines: one more than fits throws the loop's out, one after another.
    largest = max(size_of(cache)[0] for cache in geometry.values())
    size = size_of(geometry[level])[0] // 2 if level else 2 * largest
    passes = 4
    counts = simulate(geometry, size=size, stride=line, passes=passes, write=write)["counts"]
    accesses, others = ("mem_access_wr", "mem_access_rd")[:: 1 if write else -1]
    assert near(counts[accesses], passes * size // line, SOME)
    assert counts[others] < SOME
    refills, write_backs = expected(geometry["l1d"], size, passes)
    assert near(counts["l1d_cache_refill_wr" if write else "l1d_cache_refill_rd"], refills)
    assert near(counts["l1d_cache_wb"], write_backs * write)
    refills, write_backs = expected(geometry["l2"], size, passes)
    assert near(counts["l2d_cache_refill"], refills)
    assert near(counts["l2d_cache_wb"], write_backs * write)
    assert counts["l2d_cache_wb_victim"] == counts["l2d_cache_wb"]
    if "l3" in geometry:
        refills, write_backs = expected(geometry["l3"], size, passes)
        assert near(counts["l3d_cache_refill"], refills)
        assert near(counts["l3d_cache_wb"], write_backs * write)
    assert near(counts["served_memory"], refills)
    assert counts["l1d_cache_inval"] == counts["l2d_cache_inval"] == 0
    assert counts["prefetch_l1"] == counts["prefetch_l2"] == 0


class Lru:
    """A set-associative cache in a few lines: sets of line to dirty, the least recently used first."""

    def __init__(self, cache: str) -> None:
        size, self.ways, line = (int(part) for part in cache.split(":")[:3])
        self.sets: list[OrderedDict[int, bool]] = [OrderedDict() for _ in range(size // line // self.ways)]

    def of(self, line: int) -> OrderedDict[int, bool]:
        return self.sets[line % len(self.sets)]

    def use(self, line: int, dirty: bool) -> bool:
        """Whether it was there."""
        lines = self.of(line)
        if line not in lines:
            return False
        lines.move_to_end(line)
        lines[line] |= dirty
        return True

    def insert(self, line: int, dirty: bool) -> tuple[int, bool] | None:
        """The victim."""
        lines = self.of(line)
        victim = lines.popitem(last=False) if len(lines) == self.ways else None
        lines[line] = dirty
        return victim


class Levels:
    """One core's data caches, written apart from the plugin's; the L2 includes the L1D."""

    def __init__(self, geometry: Mapping[str, str]) -> None:
        self.l1d, self.l2, self.l3 = (Lru(geometry[level]) for level in ("l1d", "l2", "l3"))
        self.counts: Counter[str] = Counter()

    def write(self, line: int) -> None:
        if self.l1d.use(line, True):
            return
        self.counts["l1d_cache_refill"] += 1
        if not self.l2.use(line, False):
            self.refill_l2(line)
        victim = self.l1d.insert(line, True)
        if victim:
            self.counts["l1d_cache_wb"] += 1
            self.l2.of(victim[0])[victim[0]] = True

    def refill_l2(self, line: int) -> None:
        self.counts["l2d_cache_refill"] += 1
        if not self.l3.use(line, False):
            self.counts["l3d_cache_refill"] += 1
            self.insert_into_l3(line, False)
        victim = self.l2.insert(line, False)
        if not victim:
            return
        was, dirty = victim
        if self.l1d.of(was).pop(was, False):
            self.counts["l1d_cache_wb"] += 1
            dirty = True
        self.counts["l2d_cache_wb"] += dirty
        if dirty and not self.l3.use(was, True):
            self.insert_into_l3(was, True)

    def insert_into_l3(self, line: int, dirty: bool) -> None:
        victim = self.l3.insert(line, dirty)
        self.counts["l3d_cache_wb"] += victim is not None and victim[1]


@pytest.mark.parametrize("factor", [3, 11])
@pytest.mark.parametrize("geometry", [PI5, ODD], ids=["pi5", "odd"])
def test_a_second_model_counts_the_same(simulate: Simulate, geometry: dict[str, str], factor: int) -> None:
    """At random places of a buffer larger than the L2, the L3 or both."""
    line, passes = size_of(geometry["l1d"])[1], 2
    places = factor * size_of(geometry["l2"])[0] // 2 // line
    order, drawn = [], 1
    for _ in range(passes * places):
        drawn = (drawn * 6364136223846793005 + 1442695040888963407) % 2**64
        order.append((drawn >> 33) % places)
    counts = simulate(geometry, order="random", size=places * line, stride=line, passes=passes, write=1)["counts"]
    levels = Levels(geometry)
    for place in order:
        levels.write(place)
    assert levels.counts["l2d_cache_wb"] > 10 * FEW
    for name, value in levels.counts.items():
        assert counts[name] == pytest.approx(value, abs=2 * FEW), name


def test_vector_accesses_are_one_access_each(simulate: Simulate) -> None:
    for write, kind in enumerate(("rd", "wr")):
        counts = simulate(size=8192, passes=5, bytes=16, write=write)["counts"]
        assert near(counts[f"mem_access_{kind}"], 5 * 128, SOME)
        assert near(counts["l1d_cache"], counts["mem_access"])


@pytest.mark.parametrize("offset", [52, 56, 60])
def test_an_access_across_a_line_end_is_two_lookups(simulate: Simulate, offset: int) -> None:
    """The end lies between the parts that QEMU makes of it, or in one of them."""
    for write, kind in enumerate(("rd", "wr")):
        counts = simulate(size=8192, passes=5, bytes=16, offset=offset, write=write)["counts"]
        assert near(counts[f"mem_access_{kind}"], 5 * 128, SOME)
        assert near(counts[f"l1d_cache_{kind}"], 2 * 5 * 128, SOME)


@pytest.mark.skipif(platform.machine() != "x86_64", reason="x86-64 has repeated string instructions")
def test_a_repeated_string_instruction_is_one(simulate: Simulate) -> None:
    short, long = (simulate(order="string", size=size)["counts"] for size in (32, 32 + 64 * 32))
    assert long["inst_retired"] == short["inst_retired"]
    assert long["l1i_cache"] == short["l1i_cache"]
    assert long["mem_access_wr"] == short["mem_access_wr"] + 64


def test_two_runs_are_identical(simulate: Simulate) -> None:
    first, second = (simulate(order="random", size=1 << 20, passes=2, write=1) for _ in range(2))
    assert first == second


def test_warming_leaves_the_caches_full(simulate: Simulate) -> None:
    cold, warm = (simulate(size=32768, passes=3, warm=count)["counts"] for count in (0, 1))
    assert near(cold["l1d_cache_refill"], 512)
    assert warm["l1d_cache_refill"] < FEW
    assert warm["inst_retired"] == cold["inst_retired"]
    beyond = simulate(size=262144, passes=3, warm=1)["counts"]
    assert near(beyond["l1d_cache_refill"], 3 * 4096)
    assert beyond["l2d_cache_refill"] < FEW


def test_warm_counts_are_linear_in_passes(simulate: Simulate) -> None:
    one, two, four = (simulate(size=262144, passes=count, warm=1, write=1)["counts"] for count in (1, 2, 4))
    for name in ("inst_retired", "mem_access_wr", "l1d_cache_refill", "l1d_cache_wb", "l2d_cache_rd"):
        assert four[name] - two[name] == 2 * (two[name] - one[name]) > 0, name


def test_what_is_outside_the_region_is_not_counted(simulate: Simulate) -> None:
    nothing, much = (simulate(size=32768, passes=2, outside=count) for count in ("00", "50"))
    assert nothing == much


def test_regions_add_up(simulate: Simulate) -> None:
    one, three = (simulate(size=32768, passes=2, regions=count, outside=5) for count in (1, 3))
    assert (one["regions"], three["regions"]) == (1, 3)
    assert three["counts"]["inst_retired"] == 3 * one["counts"]["inst_retired"]
    # Every region starts from empty caches.
    assert near(three["counts"]["l1d_cache_refill"], 3 * 512)


def test_a_region_never_entered_counts_nothing(simulate: Simulate) -> None:
    result = simulate(regions=0)
    assert (result["regions"], result["threads"]) == (0, 0)
    assert set(result["counts"].values()) == {0}


def test_the_whole_process_is_a_region(simulate: Simulate) -> None:
    part = simulate(size=32768, passes=5)
    whole = simulate({**PI5, "region": "process"}, size=32768, passes=5)
    assert whole["regions"] == part["regions"] == 1
    assert whole["counts"]["inst_retired"] > part["counts"]["inst_retired"] + 10000


def test_the_result_says_what_it_is_of(simulate: Simulate) -> None:
    result = simulate({**PI4, "cores": 2})
    assert result["schema"] == 1
    assert result["target"] == platform.machine()
    assert (result["cores"], result["threads"]) == (2, 1)
    assert result["geometry"] == {"region": "gate", "cores": 2, "prefetch": "none", **PI4}
    prefetching = {"prefetch": "stride", "prefetch_l1_degree": 3, "prefetch_by_instruction": 1}
    geometry = simulate({**PI5, **prefetching})["geometry"]
    assert geometry.items() >= {**PI5, **prefetching, "prefetch_l1_streams": 16}.items()


def test_a_child_writes_nothing(simulate: Simulate) -> None:
    """It ends after its parent, having gone over the buffer once more, and would have the last word."""
    counts = simulate(order="fork", size=65536 * 4, passes=1)["counts"]
    assert counts["l1d_cache_refill_rd"] == pytest.approx(4096, abs=10 * FEW)


def test_a_killed_process_leaves_nothing(built: Path) -> None:
    ended = run(built, {"out": "killed.json", "region": "gate", "cores": 1, **PI5}, {"order": "killed"})
    assert ended.returncode != 0
    assert not list(built.glob("killed.json*"))


TURNS = 1000


@pytest.mark.parametrize(("geometry", "level"), [(PI5, "l2d"), (PI5, "l1d"), (PI4, "l1d")], ids=str)
def test_every_write_to_a_line_that_both_cores_use_invalidates(
    simulate: Simulate, geometry: dict[str, str], level: str
) -> None:
    result = simulate({**geometry, "cores": 2}, order="turns", passes=TURNS)
    assert result["threads"] == 2
    assert [core[f"{level}_cache_inval"] for core in result["per_core"]] == [TURNS, TURNS]
    # Each of them was dirty where it was, and was read by the other core before.
    assert [core["l1d_cache_wb"] for core in result["per_core"]] == [TURNS, TURNS]
    if geometry is PI4:
        assert result["counts"]["l2d_cache_inval"] == 0


def test_threads_on_one_core_need_no_coherence(simulate: Simulate) -> None:
    counts = simulate({**PI5, "cores": 1}, order="turns", passes=TURNS)["counts"]
    assert counts["l2d_cache_inval"] == counts["l1d_cache_inval"] == counts["l1d_cache_wb"] == 0


@pytest.mark.parametrize("cores", [1, 4])
def test_no_access_of_a_parallel_thread_is_lost(simulate: Simulate, cores: int) -> None:
    accesses = 200 * (1 << 20) // 64
    counts = simulate({**PI5, "cores": cores}, order="threads", size=1 << 20, passes=200)["counts"]
    assert accesses <= counts["mem_access_rd"] <= accesses + 100 * FEW


NEXT_LINE = {**PI5, "prefetch": "next-line"}
STRIDE = {**PI5, "prefetch": "stride"}
L1_ONLY = {**STRIDE, "prefetch_l2_degree": 0}
L2_ONLY = {**STRIDE, "prefetch_l1_degree": 0}
BY_INSTRUCTION = {**STRIDE, "prefetch_by_instruction": 1}
LINES = 4096
PAGES = LINES * 64 // PAGE


@pytest.mark.parametrize(
    ("options", "misses"),
    [(NEXT_LINE, PAGES), (STRIDE, 3 * PAGES), (L1_ONLY, 3 * PAGES), (BY_INSTRUCTION, PAGES + 2)],
    ids=["next-line", "stride", "L1 only", "by instruction"],
)
def test_prefetching_takes_the_refills_of_a_sequential_read(
    simulate: Simulate, options: dict[str, object], misses: int
) -> None:
    """What is left is what it takes to know a stream: its first lines in every page, or the page's first alone."""
    counts = simulate(options, size=LINES * 64)["counts"]
    assert near(counts["l1d_cache_refill"], misses)
    assert near(counts["l2d_cache_rd"], LINES)
    assert near(counts["l3d_cache_rd"], LINES)
    assert counts["prefetch_l1"] == pytest.approx(LINES - misses, abs=FEW)


def test_a_stream_may_run_backward_and_in_strides(simulate: Simulate) -> None:
    for order in ("forward", "backward"):
        counts = simulate(STRIDE, order=order, size=LINES * 64, stride=192 if order == "forward" else 128)["counts"]
        assert near(counts["l1d_cache_refill"], 3 * PAGES)


def test_an_l2_prefetcher_leaves_the_l1_alone(simulate: Simulate) -> None:
    counts = simulate(L2_ONLY, size=LINES * 64)["counts"]
    assert near(counts["l1d_cache_refill"], LINES)
    assert near(counts["l2d_cache_rd"], LINES)
    assert near(counts["l2d_cache_refill"], 3 * PAGES)
    assert near(counts["ll_cache_miss_rd"], LINES)
    assert near(counts["served_l2"], LINES - 3 * PAGES)
    looked_up = simulate({**L2_ONLY, "prefetch_l2_lookup": 1}, size=LINES * 64)["counts"]
    assert looked_up["l2d_cache_rd"] == counts["l2d_cache_rd"] + counts["prefetch_l2"]


def test_stores_may_be_prefetched_into_the_l2_only(simulate: Simulate) -> None:
    options = {**STRIDE, "prefetch_l1_stores": 0}
    read, written = (simulate(options, size=LINES * 64, write=write)["counts"] for write in (0, 1))
    assert near(read["l1d_cache_refill"], 3 * PAGES)
    assert near(written["l1d_cache_refill"], LINES)
    assert near(written["l2d_cache_refill"], 3 * PAGES)


@pytest.mark.parametrize("options", [STRIDE, BY_INSTRUCTION, L2_ONLY], ids=["page", "instruction", "L2 only"])
def test_a_random_order_gains_nothing(simulate: Simulate, options: dict[str, object]) -> None:
    loop = {"order": "random", "size": LINES * 64}
    none, prefetching = (simulate(geometry, **loop)["counts"] for geometry in (PI5, options))
    assert prefetching["l1d_cache_refill"] > 0.98 * none["l1d_cache_refill"]
    assert prefetching["prefetch_l1"] + prefetching["prefetch_l2"] < 0.02 * LINES


def test_a_stream_ends_with_its_page(simulate: Simulate) -> None:
    far = {"prefetch_l1_distance": 64, "prefetch_l1_degree": 64, "prefetch_l2_distance": 64, "prefetch_l2_degree": 64}
    nothing, page = (simulate({**STRIDE, **far}, size=PAGE, passes=passes)["counts"] for passes in (0, 1))
    assert near(page["l2d_cache_rd"], nothing["l2d_cache_rd"] + 64, FEW // 2)
    assert near(page["l3d_cache_rd"], nothing["l3d_cache_rd"] + 64, FEW // 2)


def test_with_degree_0_nothing_is_prefetched(simulate: Simulate) -> None:
    off = {**STRIDE, "prefetch_l1_degree": 0, "prefetch_l2_degree": 0}
    none, zero = (simulate(geometry, size=LINES * 64)["counts"] for geometry in (PI5, off))
    assert none == zero


GOOD: dict[str, object] = {"out": "bad.json", "region": "gate", "cores": 1, **PI5}


@pytest.mark.parametrize(
    ("change", "line"),
    [
        ({"out": None}, "out=FILE is missing"),
        ({"l1i": None}, "l1i=SIZE:WAYS:LINE is missing"),
        ({"l1d": None}, "l1d=SIZE:WAYS:LINE is missing"),
        ({"l2": None}, "l2=SIZE:WAYS:LINE is missing"),
        ({"region": "inference"}, "region=inference: neither process nor gate"),
        ({"cores": 0}, "cores=0: not a whole number from 1 to 64"),
        ({"cores": "2x"}, "cores=2x: not a whole number from 1 to 64"),
        ({"cores": -1}, "cores=-1: not a whole number from 1 to 64"),
        ({"l1d": "65536:4"}, "l1d=65536:4: not SIZE:WAYS:LINE"),
        ({"l1d": "65536:4:64:private"}, "l1d=65536:4:64:private: not SIZE:WAYS:LINE"),
        ({"l1d": "64K:4:64"}, "l1d=64K:4:64: not SIZE:WAYS:LINE"),
        ({"l1d": "65536:4:48"}, "l1d=65536:4:48: a line is not a power of two from 16 to 4096"),
        ({"l1d": "65536:0:64"}, "l1d=65536:0:64: the ways are not from 1 to 1024"),
        ({"l1d": "65536:3:64"}, "l1d=65536:3:64: the size is not ways x line x a power of two"),
        ({"l1d": "128:4:64"}, "l1d=128:4:64: the size is not ways x line x a power of two"),
        ({"l1d": "0:4:64"}, "l1d=0:4:64: the size is not ways x line x a power of two"),
        ({"l1d": "99999999999999999999:4:64"}, "l1d=99999999999999999999:4:64: not SIZE:WAYS:LINE"),
        ({"l1d": "65536:4:128"}, "l1d has lines of 128 bytes and l1i of 64: one line size for all is needed"),
        ({"l2": "524288:8:64"}, "l2=524288:8:64: not SIZE:WAYS:LINE:private or SIZE:WAYS:LINE:shared"),
        ({"l2": "524288:8:64:mine"}, "l2=524288:8:64:mine: not SIZE:WAYS:LINE:private or SIZE:WAYS:LINE:shared"),
        ({"l2": "32768:8:64:private"}, "the L2 includes the L1D and cannot be smaller"),
        ({"prefetch": "all"}, "prefetch=all: neither none nor next-line nor stride"),
        ({"prefetch_l1_degree": 65}, "prefetch_l1_degree=65: not a whole number from 0 to 64"),
        ({"prefetch_l1_confidence": 0}, "prefetch_l1_confidence=0: not a whole number from 1 to 64"),
        ({"l4": "1:1:1"}, "l4 is not an option"),
    ],
    ids=str,
)
def test_a_bad_option_is_one_line_and_an_error(built: Path, change: dict[str, object], line: str) -> None:
    options = {name: value for name, value in {**GOOD, **change}.items() if value is not None}
    ended = run(built, options, {})
    assert ended.returncode != 0
    assert [said for said in ended.stderr.splitlines() if said.startswith("cachesim")] == [f"cachesim: {line}"]
    assert not list(built.glob("bad.json*"))


def test_a_result_that_cannot_be_written_is_said(built: Path) -> None:
    ended = run(built, {**GOOD, "out": "missing/out.json"}, {})
    assert ended.returncode == 0
    assert ended.stderr == f"cachesim: cannot write {built}/missing/out.json: No such file or directory\n"
