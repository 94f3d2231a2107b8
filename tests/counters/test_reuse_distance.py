"""Reuse distances against a naive model of stacks, against arithmetic, and against the full simulation of caches."""

import json
import platform
import resource
import shutil
import subprocess
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from random import Random
from typing import Any

import made_requests
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from profiler import modelfile
from profiler.counters import Setup, UnusableError, choose_simulator
from profiler.counters.qemu import Qemu
from profiler.counters.reuse_distance import Distances, Reuse, Sample, read
from profiler.errors import ProfilerError
from profiler.machine import targets
from profiler.measure.run import WORKER

TESTS = Path(__file__).parent.parent
CACHESIM = TESTS.parent / "profiler" / "counters" / "cachesim"
NOT_ALONE = ("plugin.c", "thread.c", "turn.c", "blocks.c")
"""What needs QEMU."""
PI5 = replace(targets.find("pi5"), prefetch={"kind": "none"})
CACHES = ("l1i=2048:2:64", "l1d=2048:2:64", "l2=8192:4:64:private")

EDGES = (0, *((8 + step) * 2**octave // 8 for octave in range(4, 24) for step in range(8)), 2**24)
CORES = 3
Step = tuple[int, str, int]
"""A core, what it does, and to which line."""

has_compiler = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


def compiled(folder: Path, name: str, *words: str) -> Path:
    made = folder / name
    command = ["cc", "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", str(made), *words]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return made


# The stacks alone.


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    sources = [str(path) for path in sorted(CACHESIM.glob("*.c")) if path.name not in NOT_ALONE]
    flags = ("-O2", "-g", "-fsanitize=undefined", "-fno-sanitize-recover", f"-I{CACHESIM}")
    return compiled(tmp_path_factory.mktemp("replay"), "replay", *flags, str(TESTS / "replay.c"), *sources)


def replayed(replay: Path, steps: Sequence[Step], *options: str) -> Distances:
    out = replay.with_name("out.json")
    command: list[str | Path] = [replay, f"out={out}", f"cores={CORES}", "region=process", *CACHES, *options]
    told = "".join(f"{core} {kind} {line}\n" for core, kind, line in steps)
    subprocess.run(command, input=told, check=True, capture_output=True, text=True)
    return read(out)


class Stack:
    """A list of lines, the last touched at its end."""

    def __init__(self, one_in: int) -> None:
        self.one_in = one_in
        self.stack: list[int] = []
        self.seen: set[int] = set()
        self.first, self.again = [0] * len(EDGES), [0] * len(EDGES)
        self.never = 0

    def touch(self, line: int, counting: bool) -> None:
        distance = None
        if line in self.stack:
            at = self.stack.index(line)
            distance = (len(self.stack) - 1 - at) * self.one_in
            del self.stack[at]
        self.stack.append(line)
        if not counting:
            return
        if distance is None:
            self.never += 1
        elif line not in self.seen:
            self.first[bisect_right(EDGES, distance) - 1] += 1
        elif distance > 0:
            self.again[bisect_right(EDGES, distance) - 1] += 1
        self.seen.add(line)

    def sample(self) -> Sample:
        return Sample(self.never + sum(self.first), self.never, tuple(self.first), tuple(self.again))


def hashed(number: int) -> int:
    """SplittableRandom's finaliser."""
    number = (number ^ number >> 30) * 0xBF58476D1CE4E5B9 % 2**64
    number = (number ^ number >> 27) * 0x94D049BB133111EB % 2**64
    return number ^ number >> 31


def modelled(steps: Sequence[Step], one_in: int, hands: int, seed: int) -> tuple[Sample, ...]:
    stacks = [Stack(one_in) for _ in range(one_in)]
    fetched: dict[int, int] = {}
    counting = False
    for core, kind, line in steps:
        if kind in ("begin", "end"):
            counting = kind == "begin"
            for stack in stacks:
                stack.seen.clear()
        elif kind == "clear":
            fetched.clear()
            for stack in stacks:
                stack.stack.clear()
        elif kind != "fetch" or fetched.get(core) != line:
            stacks[hashed((line + hashed(seed)) % 2**64) % one_in].touch(line, counting)
            if kind == "fetch":
                fetched[core] = line
    return tuple(stack.sample() for stack in stacks[:hands])


def steps(seed: int, lines: int, count: int) -> list[Step]:
    """Cores at random lines, at times one that goes on to the next lines or stays; and two or three regions."""
    random = Random(seed)
    made: list[Step] = []
    while len(made) < count:
        core, line, stride = random.randrange(CORES), random.randrange(lines), random.choice([0, 1, 64])
        kinds = random.choices(["load", "load", "store", "fetch"], k=random.choice([1, 1, 1, 30]))
        made += [(core, kind, (line + step * stride) % lines) for step, kind in enumerate(kinds)]
    third = count // 3
    marks = [(third, "begin"), (third * 3 // 2, "end"), (2 * third, "begin")]
    if seed % 2:
        marks += [(third * 5 // 2, "end"), (third * 5 // 2, "clear"), (third * 5 // 2, "begin")]
    for at, kind in reversed(marks):
        made.insert(at, (0, kind, 0))
    return made


@has_compiler
@pytest.mark.parametrize("lines", [10, 700, 5000])
@pytest.mark.parametrize("seed", range(4))
def test_all_lines_followed_the_distances_are_exact(replay: Path, lines: int, seed: int) -> None:
    """5000 lines are more than the first slots hold, and 15000 accesses make them move together often."""
    trace = steps(seed, lines, 15000)
    found = replayed(replay, trace, "reuse_one_in=1")
    assert (found.line_bytes, found.one_in, found.edges) == (64, 1, EDGES)
    assert found.samples == modelled(trace, 1, 1, 1)
    assert found.samples[0].lines > 0 < sum(found.samples[0].again)


@has_compiler
@pytest.mark.parametrize(("one_in", "hands", "seed"), [(2, 2, 0), (8, 3, 1), (16, 8, 2147483647)])
def test_every_hand_is_a_stack_of_its_own(replay: Path, one_in: int, hands: int, seed: int) -> None:
    trace = steps(seed, 2000, 15000)
    options = (f"reuse_one_in={one_in}", f"reuse_hands={hands}", f"reuse_seed={seed}")
    assert replayed(replay, trace, *options).samples == modelled(trace, one_in, hands, seed)


@has_compiler
def test_without_a_region_nothing_counts(replay: Path) -> None:
    trace = [step for step in steps(0, 700, 3000) if step[1] not in ("begin", "end")]
    (sample,) = replayed(replay, trace, "reuse_one_in=1").samples
    assert sample == Sample(0, 0, (0,) * len(EDGES), (0,) * len(EDGES))


@has_compiler
@pytest.mark.parametrize("stride", [1, 3, 64, 4096, 1 << 20])
@pytest.mark.parametrize("seed", [0, 7])
def test_strided_lines_are_dealt_evenly(replay: Path, stride: int, seed: int) -> None:
    """Within four standard deviations of a binomial."""
    count, one_in = 16000, 16
    trace = [(0, "begin", 0), *((0, "load", number * stride) for number in range(count))]
    options = (f"reuse_one_in={one_in}", "reuse_hands=8", f"reuse_seed={seed}")
    for sample in replayed(replay, trace, *options).samples:
        assert abs(sample.lines - count / one_in) < 4 * (count / one_in) ** 0.5


@has_compiler
@pytest.mark.parametrize(
    ("options", "line"),
    [
        ({"reuse_one_in": 65537}, "reuse_one_in=65537: not a whole number from 0 to 65536"),
        ({"reuse_one_in": 24}, "reuse_one_in=24: not a power of two"),
        ({"reuse_one_in": 16, "reuse_hands": 0}, "reuse_hands=0: not a whole number from 1 to 8"),
        ({"reuse_one_in": 16, "reuse_hands": 9}, "reuse_hands=9: not a whole number from 1 to 8"),
        ({"reuse_one_in": 2, "reuse_hands": 3}, "reuse_hands=3: more than reuse_one_in=2"),
        ({"reuse_seed": -1}, "reuse_seed=-1: not a whole number from 0 to 2147483647"),
    ],
    ids=str,
)
def test_a_bad_option_is_one_line_and_an_error(replay: Path, options: Mapping[str, int], line: str) -> None:
    words = [f"{name}={value}" for name, value in options.items()]
    ended = subprocess.run([replay, "out=x", *CACHES, *words], input="", capture_output=True, text=True)
    assert (ended.returncode, ended.stderr) == (1, f"cachesim: {line}\n")


@has_compiler
def test_without_memory_it_ends_with_a_line(replay: Path) -> None:
    def little() -> None:
        resource.setrlimit(resource.RLIMIT_AS, (48 << 20, 48 << 20))

    out = replay.with_name("none.json")
    told = "".join(f"0 load {line}\n" for line in range(600000))
    command: list[str | Path] = [replay, f"out={out}", *CACHES, "reuse_one_in=1"]
    ended = subprocess.run(command, input=told, capture_output=True, text=True, preexec_fn=little)
    assert ended.returncode == 1
    assert ended.stderr == "cachesim: no memory for reuse distances: follow fewer lines (reuse_one_in)\n"
    assert not out.exists()


# Under QEMU.

EMULATOR = shutil.which(f"qemu-{platform.machine()}")
FEW = 60
"""Lines of stack and code that the region's ends touch."""
LINES = 10000
"""Of the buffer: with those few more still in the entry of distances from 9216 to 10240."""
ENTRY = EDGES.index(9216)


def takes_plugins() -> bool:
    return EMULATOR is not None and "-plugin" in subprocess.run([EMULATOR, "-h"], capture_output=True, text=True).stdout


needs_qemu = pytest.mark.skipif(not takes_plugins(), reason="there is no QEMU that takes plugins")
Loop = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def loop(tmp_path_factory: pytest.TempPathFactory) -> Loop:
    """Runs the loop under the plugin with all lines followed; what the plugin wrote, which `read` reads from `path`."""
    folder = tmp_path_factory.mktemp("loop")
    plugin_flags = ("-O3", "-fPIC", "-shared", "-fvisibility=hidden")
    plugin = compiled(folder, "cachesim.so", *plugin_flags, *map(str, sorted(CACHESIM.glob("*.c"))), "-lpthread")
    program = compiled(folder, "loop", "-O2", "-Wl,-z,now", str(TESTS / "strided_loop.c"), "-lpthread")

    def looped(one_in: int = 1, cores: int = 1, **loop: object) -> dict[str, Any]:
        out = folder / "out.json"
        out.unlink(missing_ok=True)
        caches = ",".join(f"{name}={value}" for name, value in targets.hierarchy(PI5).items())
        words = f"{plugin},out={out},region=gate,cores={cores},{caches},reuse_one_in={one_in}"
        command = [str(EMULATOR), "-plugin", words, str(program), *(f"{name}={value}" for name, value in loop.items())]
        ended = subprocess.run(command, capture_output=True, text=True, timeout=120)
        assert (ended.returncode, ended.stderr) == (0, "")
        found: dict[str, Any] = json.loads(out.read_text())
        if one_in:
            (found["sample"],) = read(out).samples
        return found

    return looped


def near(count: int, expectation: int, more: int = FEW) -> bool:
    return expectation <= count <= expectation + more


@has_compiler
@needs_qemu
@pytest.mark.parametrize("write", [0, 1], ids=["read", "write"])
def test_a_loops_distances_are_its_lines(loop: Loop, write: int) -> None:
    cold = loop(size=LINES * 64, passes=4, write=write)["sample"]
    assert near(cold.first_never, LINES)
    assert near(cold.again[ENTRY], 3 * LINES)
    assert sum(cold.first[1:]) == 0
    # Those below are fetches of a loop that lies in two lines.
    assert sum(cold.again[1:ENTRY]) < FEW
    assert sum(cold.again[ENTRY + 1 :]) == 0
    warm = loop(size=LINES * 64, passes=4, write=write, warm=1)["sample"]
    assert near(warm.first[ENTRY], LINES)
    assert near(warm.again[ENTRY], 3 * LINES)
    assert warm.first_never < FEW


@has_compiler
@needs_qemu
def test_every_region_starts_from_empty_stacks(loop: Loop) -> None:
    one, three = (loop(size=LINES * 64, passes=2, regions=count, outside=2)["sample"] for count in (1, 3))
    assert near(three.first_never, 3 * LINES, 3 * FEW)
    assert near(three.again[ENTRY], 3 * LINES, 3 * FEW)
    assert three.lines == pytest.approx(3 * one.lines, abs=3 * FEW)


@has_compiler
@needs_qemu
@pytest.mark.parametrize("cores", [1, 4])
def test_threads_share_the_stack(loop: Loop, cores: int) -> None:
    """Each goes over its quarter; between two touches of a line are at least that quarter, and at most all."""
    passes, lines = 100, 16384
    sample = loop(cores=cores, order="threads", size=lines * 64, passes=passes)["sample"]
    assert near(sample.first_never, lines, 10 * FEW)
    quarter, whole = EDGES.index(lines // 4), EDGES.index(lines * 9 // 8)
    assert near(sum(sample.again[quarter:]), (passes - 1) * lines, 100 * FEW)
    assert sum(sample.again[whole:]) == 0


@has_compiler
@needs_qemu
def test_the_caches_count_the_same_with_and_without(loop: Loop) -> None:
    """Of all lines followed, some and none; the accesses are random."""
    random: dict[str, Any] = {"order": "random", "size": 1 << 20, "passes": 2, "write": 1, "warm": 1}
    none, *others = (loop(one_in, **random) for one_in in (0, 1, 16))
    assert "reuse" not in none
    for other in others:
        assert other["counts"] == none["counts"]
        assert other["geometry"] == none["geometry"]


# What Python asks for and reads.


def test_the_plugin_is_told_what_to_sample(tmp_path: Path) -> None:
    def told(reuse: Reuse | None) -> set[str]:
        source = Qemu("/bin/qemu-x86_64", "QEMU 7.2", "x86_64", Setup(PI5, 1, None, reuse), Path("/cachesim.so"))
        with source.launch(("python",), (), "inference", tmp_path / "raw") as launch:
            return {word for word in launch.argv[4].split(",") if word.startswith("reuse")}

    assert told(None) == set()
    assert told(Reuse(32, 2, 5)) == {"reuse_one_in=32", "reuse_hands=2", "reuse_seed=5"}


SAMPLE = {"lines": 3, "first_never": 1, "first": [0, 2], "again": [5, 6]}
WRITTEN = {"line": 64, "one_in": 4, "hands": 1, "seed": 1, "edges": [0, 16], "samples": [SAMPLE]}
FILE = {"schema": 1, "regions": 1, "counts": {}, "reuse": WRITTEN}


def written(folder: Path, found: object) -> Path:
    raw = folder / "raw"
    raw.write_text(json.dumps(found))
    return raw


def test_distances_are_read(tmp_path: Path) -> None:
    found = read(written(tmp_path, FILE))
    assert found == Distances(64, 4, (0, 16), (Sample(3, 1, (0, 2), (5, 6)),))


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        ({**FILE, "regions": 0}, "the region was never entered"),
        ({"schema": 1, "regions": 1, "counts": {}}, "without its reuse distances"),
        ({**FILE, "reuse": {**WRITTEN, "edges": [0]}}, "malformed"),
        ({**FILE, "reuse": {**WRITTEN, "samples": [{"lines": 3}]}}, "without its reuse distances"),
        ([], "without its reuse distances"),
    ],
    ids=str,
)
def test_what_is_not_there_is_a_line(tmp_path: Path, found: object, cause: str) -> None:
    with pytest.raises(ProfilerError, match=cause):
        read(written(tmp_path, found))


def test_no_file_is_a_line(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="the emulator ended without its reuse distances"):
        read(tmp_path / "none")


@given(st.integers(0, len(json.dumps(FILE))), st.binary(max_size=3))
def test_a_damaged_file_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, at: int, damage: bytes) -> None:
    whole = json.dumps(FILE).encode()
    raw = tmp_path_factory.getbasetemp() / "damaged"
    raw.write_bytes(whole[:at] + damage + whole[at + len(damage) :])
    try:
        found = read(raw)
    except ProfilerError:
        return
    assert all(len(sample.first) == len(sample.again) == len(found.edges) for sample in found.samples)


# The real inference.


@pytest.mark.slow
@has_compiler
@needs_qemu
def test_a_real_inferences_misses_are_those_of_the_full_simulation(tmp_path: Path) -> None:
    """Within 10 % where the L2 and the L3 end: their ways, and what an L2 does not see, are the difference."""
    pytest.importorskip("ai_edge_litert")
    images = 2
    try:
        source, _ = choose_simulator("qemu", Setup(PI5, 1, None, Reuse()))
    except UnusableError as error:
        pytest.skip(str(error))
    raw = tmp_path / "raw"
    with source.launch(worker(tmp_path, images), (), "inference", raw) as launch:
        subprocess.run(launch.argv, env=environment(launch.environment), check=True, capture_output=True)
    found, counts = read(raw), {count.event: count.value for count in source.read(raw, EVENTS)}
    for event, size in zip(EVENTS, (512 << 10, 2048 << 10), strict=True):
        at = found.edges.index(size // found.line_bytes)
        samples = [
            found.one_in * (sum(sample.first[at:]) + sum(sample.again[at:]) + sample.first_never)
            for sample in found.samples
        ]
        assert np.mean(samples) == pytest.approx(counts[event], rel=0.10), event
        assert np.std(samples, ddof=1) < 0.10 * np.mean(samples), event
    # Each of a later image's lines was touched by one before.
    for sample in found.samples:
        assert sample.first_never < 0.05 * sample.lines


EVENTS = ("l2d_cache_refill", "ll_cache_miss_rd")


def environment(more: Mapping[str, str]) -> dict[str, str]:
    """The worker's: no idle threads of numpy."""
    return {"PATH": "/usr/bin:/bin", "PYTHONHASHSEED": "0", "OPENBLAS_NUM_THREADS": "1", **more}


def worker(folder: Path, images: int) -> tuple[str, ...]:
    """Its command, for black images and the shipped LiteRT model."""
    model = str(modelfile.shipped(modelfile.DEFAULTS["litert"]))
    return (*WORKER, str(made_requests.written(folder, model=model, images=images, region="inference")))
