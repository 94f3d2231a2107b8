"""The simulated caches against a second model of the same protocol, on random accesses to very small caches."""

import json
import shutil
import subprocess
from collections import Counter, OrderedDict
from collections.abc import Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest

TESTS = Path(__file__).parent.parent
CACHESIM = TESTS.parent / "profiler" / "counters" / "cachesim"
SOURCES = [
    path for path in sorted(CACHESIM.glob("*.c")) if path.name not in ("plugin.c", "thread.c", "turn.c", "blocks.c")
]

CORES = 3
LINES = 40
Access = tuple[int, str, int]
SEEDS = range(12)


def accesses(seed: int) -> list[Access]:
    """Some cores at random lines, and at times one that goes on to the next lines."""
    random = Random(seed)
    made: list[Access] = []
    while len(made) < 2000:
        core, line, length = random.randrange(CORES), random.randrange(LINES), random.choice([1, 1, 1, 1, 8])
        kinds = random.choices(["load", "load", "store", "fetch"], k=length)
        made += [(core, kind, (line + step) % LINES) for step, kind in enumerate(kinds)]
    return made


pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="there is no C compiler")


@pytest.fixture(scope="module")
def replay(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("replay") / "replay"
    flags = ["-std=c11", "-O1", "-g", "-fsanitize=undefined", "-fno-sanitize-recover", "-Wall", "-Wextra", "-Werror"]
    command: list[str | Path] = ["cc", *flags, f"-I{CACHESIM}", "-o", made, TESTS / "replay.c", *SOURCES]
    subprocess.run(command, check=True, capture_output=True, text=True)
    return made


def replayed(replay: Path, options: Sequence[str], accesses: Sequence[Access]) -> list[dict[str, int]]:
    """The counts of each core."""
    out = replay.with_name("out.json")
    command: list[str | Path] = [replay, f"out={out}", f"cores={CORES}", "region=process", *options]
    told = "".join(f"{core} {kind} {line}\n" for core, kind, line in accesses)
    subprocess.run(command, input=told, check=True, capture_output=True, text=True)
    result: dict[str, Any] = json.loads(out.read_text())
    cores: list[dict[str, int]] = result["per_core"]
    return cores


class Cache:
    """Sets of line to state, the least recently used first. A state is M, E or S; a clean L3 line is E."""

    def __init__(self, sets: int, ways: int) -> None:
        self.ways = ways
        self.sets: list[OrderedDict[int, str]] = [OrderedDict() for _ in range(sets)]

    def set_of(self, line: int) -> OrderedDict[int, str]:
        return self.sets[line % len(self.sets)]

    def state(self, line: int) -> str:
        """Empty where the line is not there."""
        return self.set_of(line).get(line, "")

    def change(self, line: int, state: str) -> None:
        """To no state: drops it."""
        lines = self.set_of(line)
        if not state:
            lines.pop(line, None)
        elif line in lines:
            lines[line] = state

    def use(self, line: int) -> bool:
        lines = self.set_of(line)
        if line in lines:
            lines.move_to_end(line)
        return line in lines

    def insert(self, line: int, state: str) -> tuple[int, str]:
        lines = self.set_of(line)
        victim = lines.popitem(last=False) if len(lines) == self.ways else (0, "")
        lines[line] = state
        return victim


class Machine:
    """Three cores, an L3 where `l2_shared` is false, and MESI among them."""

    def __init__(self, l2_shared: bool) -> None:
        self.l2_shared = l2_shared
        self.counts: list[Counter[str]] = [Counter() for _ in range(CORES)]
        self.l1i = [Cache(2, 1) for _ in range(CORES)]
        self.l1d = [Cache(2, 2) for _ in range(CORES)]
        self.l2 = [Cache(2, 4)] * CORES if l2_shared else [Cache(2, 4) for _ in range(CORES)]
        self.l3 = None if l2_shared else Cache(2, 6)
        self.fetched = [-1] * CORES

    def access(self, core: int, kind: str, line: int) -> None:
        if kind == "fetch":
            self.fetch(core, line)
        else:
            self.load_or_store(core, line, kind == "store")

    def fetch(self, core: int, line: int) -> None:
        if self.fetched[core] == line:
            return
        self.fetched[core] = line
        self.counts[core]["l1i_cache"] += 1
        if not self.l1i[core].use(line):
            self.counts[core]["l1i_cache_refill"] += 1
            self.read_l2(core, line, False)
            self.l1i[core].insert(line, "E")

    def load_or_store(self, core: int, line: int, store: bool) -> None:
        l1d = self.l1d[core]
        if not l1d.use(line):
            self.counts[core]["l1d_cache_refill_wr" if store else "l1d_cache_refill_rd"] += 1
            state = self.read_l2(core, line, store)
            was, lost = l1d.insert(line, state)
            if lost == "M":
                self.write_l2(core, was)
        elif store and l1d.state(line) == "S":
            self.snoop(core, line, True)
            self.l2[core].change(line, "M" if self.l2[core].state(line) == "M" else "E")
        if store:
            l1d.change(line, "M")

    def read_l2(self, core: int, line: int, store: bool) -> str:
        """The state in which an L1 gets the line."""
        self.counts[core]["l2d_cache_rd"] += 1
        kept = self.l2_shared and self.snoop(core, line, store)
        l2 = self.l2[core]
        if l2.use(line):
            if l2.state(line) == "S" and store:
                self.snoop(core, line, True)
                l2.change(line, "E")
            return "S" if kept or l2.state(line) == "S" else "E"
        self.counts[core]["l2d_cache_refill"] += 1
        kept = kept or self.snoop(core, line, store)
        self.read_l3(core, line)
        was, lost = l2.insert(line, "S" if kept and not self.l2_shared else "E")
        if lost:
            self.lose_from_l2(core, was, lost)
        return "S" if kept else "E"

    def lose_from_l2(self, core: int, line: int, state: str) -> None:
        for other in range(CORES):
            if self.l2[other] is self.l2[core]:
                if self.l1d[other].state(line) == "M":
                    self.counts[other].update(("l1d_cache_wb", "l2d_cache_wr"))
                    state = "M"
                self.l1d[other].change(line, "")
        if state == "M":
            self.counts[core]["l2d_cache_wb_victim"] += 1
            self.write_l3(core, line)

    def write_l2(self, core: int, line: int) -> None:
        self.counts[core].update(("l1d_cache_wb", "l2d_cache_wr"))
        self.l2[core].change(line, "M")

    def read_l3(self, core: int, line: int) -> None:
        if self.l3 is None:
            return
        self.counts[core]["l3d_cache_rd"] += 1
        if not self.l3.use(line):
            self.counts[core]["l3d_cache_refill"] += 1
            self.counts[core]["l3d_cache_wb"] += self.l3.insert(line, "E")[1] == "M"

    def write_l3(self, core: int, line: int) -> None:
        self.counts[core]["l2d_cache_wb"] += 1
        if self.l3 is None:
            return
        if not self.l3.use(line):
            self.counts[core]["l3d_cache_wb"] += self.l3.insert(line, "M")[1] == "M"
        self.l3.change(line, "M")

    def snoop(self, core: int, line: int, store: bool) -> bool:
        """Whether others keep a copy."""
        kept = False
        for other in range(CORES):
            caches = {"l1d": self.l1d[other]} if self.l2_shared else {"l1d": self.l1d[other], "l2d": self.l2[other]}
            if other == core or not any(cache.state(line) for cache in caches.values()):
                continue
            if self.l1d[other].state(line) == "M":
                self.write_l2(other, line)
            if not self.l2_shared and self.l2[other].state(line) == "M":
                self.write_l3(other, line)
            for level, cache in caches.items():
                self.counts[other][f"{level}_cache_inval"] += store and cache.state(line) != ""
                cache.change(line, "" if store else "S")
            kept |= not store
        return kept


PRIVATE = ["l1i=32:1:16", "l1d=64:2:16", "l2=128:4:16:private", "l3=192:6:16"]
SHARED = ["l1i=32:1:16", "l1d=64:2:16", "l2=128:4:16:shared"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("options", [PRIVATE, SHARED], ids=["private", "shared"])
def test_both_models_count_the_same(replay: Path, options: list[str], seed: int) -> None:
    machine = Machine(options is SHARED)
    for core, kind, line in accesses(seed):
        machine.access(core, kind, line)
    happened = set().union(*machine.counts)
    assert happened >= {"l1d_cache_wb", "l1d_cache_inval", "l2d_cache_wb_victim"}
    assert ("l2d_cache_inval" in happened) == ("l3d_cache_wb" in happened) == (options is PRIVATE)
    for told, counts in zip(replayed(replay, options, accesses(seed)), machine.counts, strict=True):
        assert {name: told[name] for name in counts} == dict(counts)


@pytest.mark.parametrize("options", [PRIVATE, SHARED], ids=["private", "shared"])
@pytest.mark.parametrize("kind", ["next-line", "stride", "stride prefetch_l1_streams=2 prefetch_by_instruction=1"])
def test_prefetching_keeps_what_must_hold(replay: Path, options: list[str], kind: str) -> None:
    prefetch = f"prefetch={kind} prefetch_l1_confidence=1 prefetch_l2_confidence=1".split()
    for told in replayed(replay, [*options, *prefetch], accesses(0)):
        assert told["prefetch_l1"] > 0
        assert (told["prefetch_l2"] > 0) == (kind != "next-line")
        refills = told["l1i_cache_refill"] + told["l1d_cache_refill"]
        assert told["l2d_cache_rd"] == refills + told["prefetch_l1"]
        assert told["served_l2"] + told["served_l3"] + told["served_memory"] == refills
        assert told["l2d_cache_wr"] == told["l1d_cache_wb"]
        if options is PRIVATE:
            assert told["l3d_cache_rd"] == told["l2d_cache_refill"] + told["prefetch_l2"]
