"""The valgrind source: what it finds, asks for and reads, mostly with another program in valgrind's place."""

import platform
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import pytest
from msgspec.structs import replace

from profiler.counters import Setup, UnusableError, valgrind
from profiler.counters.valgrind import Valgrind
from profiler.machine import targets
from profiler.records import Cache, Count, Event, Machine, Target
from profiler.virtual import Virtual

PI5, PI4 = targets.find("pi5"), targets.find("pi4")
NAMES = "Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw ILdmr DLdmr DLdmw"

needs_valgrind = pytest.mark.skipif(
    not shutil.which("valgrind") or not shutil.which("cc"), reason="valgrind or a C compiler is not installed"
)


def events(target: Target = PI5) -> tuple[Event, ...]:
    """All simulated events of the target's core that have a model."""
    found, absent = targets.events(target, ())
    return tuple(event for event in found if event.name not in absent)


def source(target: Target = PI5, arch: str = "x86_64") -> Valgrind:
    """The source with a program in valgrind's place that takes any cache."""
    return Valgrind("/bin/true", "valgrind 3.19.0", arch, Setup(target, 1, None), Path("/cache/region.so"))


def groups(target: Target, machine: Machine) -> tuple[tuple[str, ...], ...]:
    return source(target).survey(events(target), machine, ("inference",)).groups


# What is counted in which pass


def test_a_target_with_an_l3_takes_two_passes(pi5: Machine) -> None:
    near, far = groups(PI5, pi5)
    assert far == ("inst_retired", "l3d_cache_refill", "l3d_cache_wb", "ll_cache_miss_rd")
    assert {"inst_retired", "l1d_cache", "l2d_cache_rd", "l2d_cache_refill", "ll_cache_rd"} <= set(near)
    assert not set(near) & set(far[1:])


def test_a_target_without_an_l3_takes_one_pass(pi5: Machine) -> None:
    (group,) = groups(PI4, pi5)
    assert {"inst_retired", "l2d_cache_refill", "memory_latency_cycles"} <= set(group)
    assert not {name for name in group if name.startswith(("l3d_", "ll_"))}


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        ({"l1d_cache"}, (("l1d_cache",),)),
        ({"ll_cache_miss_rd"}, (("ll_cache_miss_rd",),)),
        ({"inst_retired", "ll_cache_miss_rd"}, (("inst_retired",), ("inst_retired", "ll_cache_miss_rd"))),
        ({"l2d_cache_inval"}, ((),)),
    ],
)
def test_only_passes_that_are_wanted(pi5: Machine, wanted: set[str], expected: tuple[tuple[str, ...], ...]) -> None:
    asked = [event for event in events() if event.name in wanted]
    assert source().survey(asked, pi5, ("inference",)).groups == expected


def test_every_event_is_in_a_group_or_absent_with_a_reason(pi5: Machine) -> None:
    survey = source().survey(events(), pi5, ("process",))
    grouped = {name for group in survey.groups for name in group}
    assert survey.scope == "user"
    assert grouped | survey.absent.keys() == {event.name for event in events()}
    assert not grouped & survey.absent.keys()
    assert survey.absent == {
        "l1i_cache": "callgrind looks every instruction up by itself, a core a block of them",
        "l1d_cache_wb": "callgrind counts no write-backs of the L1D",
        "l1d_cache_inval": "callgrind simulates one core's caches, and so no coherence",
        "l2d_cache": "callgrind counts no write-backs of the L1D, which are part of this event",
        "l2d_cache_wr": "callgrind counts no write-backs of the L1D",
        "l2d_cache_inval": "callgrind simulates one core's caches, and so no coherence",
        "memory_latency_cycles": "callgrind simulates the L2 and the L3 in runs of their own",
    }


@pytest.mark.parametrize(
    ("name", "reason"), [("ll_cache_rd", "Raspberry Pi 4 has no L3"), ("bus_access", "not modelled by callgrind")]
)
def test_events_that_a_target_or_callgrind_lacks(pi5: Machine, name: str, reason: str) -> None:
    event = replace(events()[0], name=name)
    assert source(PI4).survey([event], pi5, ("process",)).absent == {name: reason}


def test_the_reader_is_told_what_the_model_leaves_out(pi5: Machine) -> None:
    on_x86 = source(PI5, "x86_64").survey(events(), pi5, ("process",)).notes
    on_arm = source(PI4, "aarch64").survey(events(PI4), pi5, ("process",)).notes
    assert all(any(word in note for note in on_arm) for word in ("time", "prefetches", "kernel", "Threads", "LRU"))
    assert [note for note in on_x86 if note not in on_arm] == [valgrind._X86, valgrind._TWO_PASSES]


# How a process is started


@pytest.mark.parametrize(
    ("target", "group", "last_level"),
    [
        (PI5, ("inst_retired", "l2d_cache_refill"), "--LL=524288,8,64"),
        (PI5, ("inst_retired",), "--LL=524288,8,64"),
        (PI5, ("inst_retired", "ll_cache_miss_rd"), "--LL=2097152,16,64"),
        (PI4, ("inst_retired", "l2d_cache_refill"), "--LL=1048576,16,64"),
    ],
)
def test_the_last_level_is_the_groups(tmp_path: Path, target: Target, group: tuple[str, ...], last_level: str) -> None:
    with source(target).launch(("python", "worker"), group, "inference", tmp_path / "raw") as launch:
        assert [word for word in launch.argv if word.startswith("--LL=")] == [last_level]
        assert launch.argv[-2:] == ("python", "worker")


def test_a_region_is_opened_by_the_shim(tmp_path: Path) -> None:
    with source().launch(("python",), ("inst_retired",), "inference", tmp_path / "raw") as launch:
        assert launch.environment["PROFILER_GATE"] == "library:/cache/region.so"
        assert "--instr-atstart=no" in launch.argv
        assert {"--I1=65536,4,64", "--D1=65536,4,64", "--cache-sim=yes"} <= set(launch.argv)


def test_a_whole_process_has_no_gate(tmp_path: Path) -> None:
    with source().launch(("python",), ("inst_retired",), "process", tmp_path / "raw") as launch:
        assert "PROFILER_GATE" not in launch.environment
        assert "--instr-atstart=no" not in launch.argv


@pytest.mark.parametrize(
    ("arch", "told", "expected"),
    [
        ("x86_64", None, "glibc.cpu.hwcaps=-ERMS"),
        ("x86_64", "glibc.malloc.check=1", "glibc.malloc.check=1:glibc.cpu.hwcaps=-ERMS"),
        ("aarch64", None, None),
    ],
)
def test_no_repeated_string_instructions_on_x86(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, arch: str, told: str | None, expected: str | None
) -> None:
    monkeypatch.delenv("GLIBC_TUNABLES", raising=False)
    if told:
        monkeypatch.setenv("GLIBC_TUNABLES", told)
    with source(arch=arch).launch(("python",), ("inst_retired",), "process", tmp_path / "raw") as launch:
        assert launch.environment.get("GLIBC_TUNABLES") == expected


def test_nothing_is_kept_where_nothing_was_written(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    with source().launch(("python",), ("inst_retired",), "process", raw):
        pass
    assert not raw.exists()


# What it counted


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "valgrind ended without its counts"),
        ("", "valgrind ended without its counts"),
        (f"events: {NAMES}\ntotals: 0\n", "the region was never entered"),
        ("events: Dr Dw\ntotals: 12 3\n", "callgrind did not count it"),
    ],
)
def test_counts_that_are_not_there_are_none_with_the_reason(tmp_path: Path, text: str | None, reason: str) -> None:
    raw = tmp_path / "raw"
    if text is not None:
        raw.write_text(text)
    for count in source().read(raw, ("inst_retired", "l2d_cache_refill")):
        assert (count.value, count.status, count.reason) == (None, "not_counted", reason)


def test_a_simulated_count_says_so(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_text(f"events: {NAMES}\ntotals: 7\n")
    assert source().read(raw, ("inst_retired", "l1d_cache")) == (
        Count(event="inst_retired", value=7, unit="", status="simulated", source="valgrind"),
        Count(event="l1d_cache", value=0, unit="", status="simulated", source="valgrind"),
    )


def test_an_event_that_callgrind_lacks_is_not_counted(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_text(f"events: {NAMES}\ntotals: 7\n")
    (count,) = source().read(raw, ("l2d_cache_inval",))
    assert (count.value, count.status) == (None, "not_counted")


def test_latencies_are_added_up_where_the_l2_is_the_last_level(tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    raw.write_text(f"events: {NAMES}\ntotals: 1000 200 100 4 30 6 1 8 3\n")
    latency = PI4.latency_cycles
    (count,) = source(PI4).read(raw, ("memory_latency_cycles",))
    assert count.value == pytest.approx(28 * latency["l2"] + 12 * latency["memory"])


# Where it cannot be used


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes PATH have one program only: a valgrind with this text."""

    def install(text: str) -> None:
        folder = tmp_path / "prefix" / "bin"
        folder.mkdir(parents=True)
        (folder / "valgrind").write_text(text)
        (folder / "valgrind").chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


def refusal(setup: Setup) -> UnusableError:
    with pytest.raises(UnusableError) as caught:
        valgrind.open(setup)
    assert "\n" not in str(caught.value)
    return caught.value


def test_a_virtual_board_is_qemus(tmp_path: Path) -> None:
    board = Virtual("pi5", "Raspberry Pi 5", tmp_path, tmp_path, tmp_path, "cortex-a76", {})
    assert "qemu" in refusal(Setup(PI5, 1, board)).remedy


def test_an_instruction_set_that_is_not_tried(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    assert refusal(Setup(PI5, 1, None)).cause == "valgrind is not used on riscv64"


def test_no_valgrind(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    error = refusal(Setup(PI5, 1, None))
    assert (error.cause, error.remedy) == ("valgrind is not installed", "sudo apt install valgrind")


def test_no_header(monkeypatch: pytest.MonkeyPatch, installed: Callable[[str], None]) -> None:
    monkeypatch.setattr(valgrind, "_HEADERS", ("valgrind/no-such-header.h",))
    installed("#!/bin/sh\n")
    error = refusal(Setup(PI5, 1, None))
    assert "callgrind.h" in error.cause
    assert "valgrind" in error.remedy


@needs_valgrind
def test_no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", "no-such-compiler")
    assert "no C compiler" in refusal(Setup(PI5, 1, None)).cause


def test_a_valgrind_that_does_not_run(installed: Callable[[str], None]) -> None:
    installed("\0")
    with pytest.raises(UnusableError, match="does not run") as caught:
        Valgrind(shutil.which("valgrind") or "", "valgrind", "x86_64", Setup(PI5, 1, None), Path("shim"))
    assert caught.value.remedy == "sudo apt install valgrind"


def made_up(line: int = 64, **sizes: tuple[int, int]) -> Target:
    """A machine with caches of these sizes in KiB and ways: `l1i`, `l1d`, `l2`."""
    known: dict[str, tuple[int, Literal["Data", "Instruction", "Unified"]]] = {
        "l1i": (1, "Instruction"),
        "l1d": (1, "Data"),
        "l2": (2, "Unified"),
    }
    caches = tuple(
        Cache(level=level, type=kind, size_bytes=kib * 1024, ways=ways, line_bytes=line, shared_by=1, source="made up")
        for (level, kind), (kib, ways) in ((known[name], size) for name, size in sizes.items())
    )
    return replace(PI5, key="made", title="made-up machine", caches=caches)


def test_a_target_without_a_cache_that_callgrind_needs() -> None:
    with pytest.raises(UnusableError, match="has no level 2 unified cache"):
        source(made_up(l1i=(16, 2), l1d=(8, 2)))


@needs_valgrind
@pytest.mark.parametrize(
    ("refused", "complaint"),
    [
        (made_up(l1i=(16, 2), l1d=(8, 2), l2=(60, 4)), "Cache set count is not a power of two. Bad option: --LL=61440"),
        (made_up(8, l1i=(16, 2), l1d=(8, 2), l2=(64, 4)), "Cache line size is too small. Bad option: --I1=16384,2,8"),
    ],
)
def test_caches_that_callgrind_refuses(refused: Target, complaint: str) -> None:
    error = refusal(Setup(refused, 1, None))
    assert "made-up machine" in error.cause
    assert complaint in error.cause
