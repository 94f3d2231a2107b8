"""The QEMU source: what it finds, starts and reads; the real emulator where it is installed."""

import json
import os
import platform
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from profiler.counters import Setup, UnusableError, compile_plugin, qemu
from profiler.counters.qemu import Qemu
from profiler.machine import targets
from profiler.records import Machine
from profiler.virtual import Virtual

PI5 = targets.find("pi5")
GROUP = ("inst_retired", "l1d_cache", "l1d_cache_refill", "ll_cache_miss_rd", "memory_latency_cycles")
COUNTS = {
    "inst_retired": 1000,
    "l1d_cache": 400,
    "l1d_cache_refill": 30,
    "served_l2": 20,
    "served_l3": 8,
    "served_memory": 2,
}


@pytest.fixture
def emulators(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Makes PATH have one emulator only, which prints the given help."""

    def install(usage: str, version: str = "qemu-x86_64 version 9.1.2 (Debian 1:9.1.2)") -> Path:
        fake = tmp_path / "qemu-x86_64"
        fake.write_text(f"#!/bin/sh\ncase $1 in -h) echo '{usage}';; *) echo '{version}';; esac\n")
        fake.chmod(0o755)
        monkeypatch.setenv("PATH", str(tmp_path))
        return fake

    return install


def source(virtual: Virtual | None = None) -> Qemu:
    return Qemu("/bin/qemu-x86_64", "QEMU 7.2", "x86_64", Setup(PI5, 2, virtual), Path("/cache/cachesim.so"))


def test_an_emulator_with_plugins_is_found(emulators: Callable[..., Path]) -> None:
    fake = emulators("-plugin  QEMU_PLUGIN  [file=]<file>")
    assert qemu.emulator("x86_64") == (str(fake), "QEMU 9.1.2")


def test_an_emulator_without_plugins_is_refused(emulators: Callable[..., Path]) -> None:
    emulators("-cpu model")
    with pytest.raises(UnusableError, match="built without plugins") as caught:
        qemu.emulator("x86_64")
    assert "--counters valgrind" in caught.value.remedy


def test_no_emulator(emulators: Callable[..., Path]) -> None:
    emulators("-plugin").unlink()
    with pytest.raises(UnusableError, match="qemu-x86_64 is not installed") as caught:
        qemu.emulator("x86_64")
    assert caught.value.remedy == "sudo apt install qemu-user"


def test_a_plugin_that_does_not_compile_is_a_line(
    emulators: Callable[..., Path], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    emulators("-plugin")
    compiler = tmp_path / "cc"
    compiler.write_text("#!/bin/sh\necho 'plugin.c:1: fatal error: stdint.h: No such file' >&2\nexit 1\n")
    compiler.chmod(0o755)
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    with pytest.raises(UnusableError, match=r"cannot compile .*stdint\.h") as caught:
        qemu.open(Setup(PI5, 1, None))
    assert "\n" not in str(caught.value)
    assert list((tmp_path / "cache").rglob("*.so")) == []


def test_the_command_of_a_region(tmp_path: Path) -> None:
    with source().launch(("python", "worker"), GROUP, "inference", tmp_path / "raw") as launch:
        assert launch.environment["PROFILER_GATE"] == "prctl"
        assert launch.argv[:4] == ("/bin/qemu-x86_64", "-cpu", "max,vendor=GenuineIntel", "-plugin")
        assert launch.argv[5:] == ("python", "worker")
        plugin, *options = launch.argv[4].split(",")
        assert plugin == "/cache/cachesim.so"
        assert {"region=gate", "cores=2", "l3=2097152:16:64", "l2=524288:8:64:private"} <= set(options)


def test_the_command_of_a_whole_process_has_no_gate(tmp_path: Path) -> None:
    with source().launch(("python",), GROUP, "process", tmp_path / "raw") as launch:
        assert "PROFILER_GATE" not in launch.environment
        assert "region=process" in launch.argv[4].split(",")


def test_a_boards_own_command_takes_the_plugin_in(tmp_path: Path) -> None:
    board = Virtual("pi5", "Raspberry Pi 5", tmp_path, tmp_path, tmp_path, "cortex-a76", {})
    command = ("/bin/qemu-aarch64", "-L", "root", "python3.11", "-m", "profiler.worker")
    with source(board).launch(command, GROUP, "inference", tmp_path / "raw") as launch:
        assert launch.argv[:2] == ("/bin/qemu-aarch64", "-plugin")
        assert launch.argv[3:] == command[1:]


def test_what_the_plugin_writes_is_kept_under_a_name_with_commas(tmp_path: Path) -> None:
    raw = tmp_path / "a,b=c.qemu"
    with source().launch(("python",), GROUP, "process", raw) as launch:
        out = next(word for word in launch.argv[4].split(",") if word.startswith("out="))
        Path(out.removeprefix("out=")).write_text(json.dumps({"regions": 1, "counts": COUNTS}))
    counts = {count.event: count for count in source().read(raw, GROUP)}
    assert (counts["inst_retired"].value, counts["inst_retired"].status) == (1000, "simulated")
    assert counts["ll_cache_miss_rd"].value is None
    assert counts["ll_cache_miss_rd"].reason == "not simulated"
    latency = PI5.latency_cycles
    modelled = 20 * latency["l2"] + 8 * latency["l3"] + 2 * latency["memory"]
    assert counts["memory_latency_cycles"].value == pytest.approx(modelled)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "the emulator ended without its counts"),
        ("", "the emulator ended without its counts"),
        ("{}", "the emulator ended without its counts"),
        ("[1]", "the emulator ended without its counts"),
        (json.dumps({"regions": 0, "counts": COUNTS}), "the region was never entered"),
    ],
)
def test_counts_that_are_not_there_are_none_with_the_reason(tmp_path: Path, text: str | None, reason: str) -> None:
    raw = tmp_path / "raw"
    if text is not None:
        raw.write_text(text)
    for count in source().read(raw, GROUP):
        assert (count.value, count.status, count.reason) == (None, "not_counted", reason)


def test_only_what_is_modelled_is_in_the_group(pi5: Machine) -> None:
    events, _ = targets.events(PI5, ())
    survey = source().survey(events, pi5, ("inference",))
    assert survey.groups == (tuple(event.name for event in events),)
    assert survey.absent == {}
    assert survey.scope == "user"


@pytest.fixture(scope="module")
def real() -> Callable[..., Qemu]:
    """Opens the real source for any target, or skips."""

    def open_for(**fields: object) -> Qemu:
        try:
            return qemu.open(Setup(replace(PI5, **fields), 1, None))
        except UnusableError as error:
            pytest.skip(str(error))

    return open_for


def counted(source: Qemu, code: str, raw: Path) -> dict[str, int | float | None]:
    command = (sys.executable, "-S", "-c", code)
    with source.launch(command, GROUP, "inference", raw) as launch:
        # Hash order moves addresses, as it does for a worker.
        environment = {**os.environ, **launch.environment, "PYTHONHASHSEED": "0"}
        subprocess.run(launch.argv, env=environment, check=True, capture_output=True)
    return {count.event: count.value for count in source.read(raw, GROUP)}


def test_a_real_process_is_counted_in_its_region_alone(real: Callable[..., Qemu], tmp_path: Path) -> None:
    inside = (
        "import ctypes; tell = ctypes.CDLL(None).prctl; data = bytearray(1 << 22)\n"
        "tell(0x50524f46, 1, 0, 0, 0); data = bytearray(data); tell(0x50524f46, 0, 0, 0, 0)\n"
        "data = bytearray(data)"
    )
    never = "data = bytearray(1 << 22)"
    source = real(prefetch={"kind": "none"})
    values = counted(source, inside, tmp_path / "one")
    lines = (1 << 22) // 64
    # What is copied is read and written once, and is twice as large as the L3.
    assert 2 * lines <= int(values["ll_cache_miss_rd"] or 0) <= 2.1 * lines
    assert values == counted(source, inside, tmp_path / "two")
    assert counted(source, never, tmp_path / "none")["inst_retired"] is None


def test_what_a_prefetcher_brings_is_no_refill(real: Callable[..., Qemu], tmp_path: Path) -> None:
    code = (
        "import ctypes; tell = ctypes.CDLL(None).prctl; data = bytearray(1 << 20)\n"
        "tell(0x50524f46, 1, 0, 0, 0); data.count(1); tell(0x50524f46, 0, 0, 0, 0)"
    )
    without = counted(real(prefetch={"kind": "none"}), code, tmp_path / "none")
    beside = counted(real(prefetch={"kind": "next-line"}), code, tmp_path / "next")
    assert int(beside["l1d_cache_refill"] or 0) < 0.1 * int(without["l1d_cache_refill"] or 0)
    assert beside["l1d_cache"] == without["l1d_cache"]


def test_the_library_is_compiled_once(real: Callable[..., Qemu]) -> None:
    real()
    made = compile_plugin.library("cachesim", qemu.SOURCES)
    before = made.stat()
    assert compile_plugin.library("cachesim", qemu.SOURCES) == made
    assert (made.stat().st_ino, made.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)
