from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest

from profiler import virtual
from profiler.counters import Setup, UnusableError
from profiler.machine import host
from profiler.measure import doctor
from profiler.measure.doctor import Examination, examine
from profiler.records import Machine, MachineState

CALM = MachineState(
    at="2026-01-01T00:00:00+00:00", load_1min=0.0, governor="performance", throttled=0, swap_used_bytes=0
)


@pytest.fixture
def calm(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Sets the machine's state; a quiet one by itself."""

    def settle(**fields: Any) -> None:
        monkeypatch.setattr(host, "state", lambda: msgspec.structs.replace(CALM, **fields))
        monkeypatch.setattr(host, "nmi_watchdog", lambda: False)

    settle()
    return settle


def found(examination: Examination, what: str) -> tuple[str, str, str | None]:
    finding = next(finding for finding in examination.findings if finding.what == what)
    return finding.level, finding.detail, finding.remedy


def test_a_machine_with_everything(pi5: Machine, fake_perf: Any, calm: Any) -> None:
    fake_perf()
    examination = examine()
    levels = {finding.what: finding.level for finding in examination.findings}
    assert {levels[what] for what in ("core", "perf", "scope", "hardware counters", "clock")} == {"ok"}
    assert found(examination, "hardware counters")[1] == "7 of 7 events of the set, in 1 pass, none multiplexed"
    assert examination.absent == {}


def test_a_pi_without_its_pmu_node(pi5: Machine, fake_perf: Any, calm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "describe", lambda: msgspec.structs.replace(pi5, pmu=None))
    fake_perf(no_pmu=True)
    level, detail, remedy = found(examine(), "hardware counters")
    assert (level, detail) == ("missing", "none: cycles, stalls and caches are n/a")
    assert remedy is not None
    assert "sudo apt full-upgrade" in remedy


def test_a_virtual_machine(pi5: Machine, fake_perf: Any, calm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "describe", lambda: msgspec.structs.replace(pi5, pmu=None, virtual="KVM"))
    fake_perf(no_pmu=True)
    examination = examine()
    assert "virtual machine" in str(found(examination, "hardware counters")[2])
    assert set(examination.absent) == {event.name for event in examination.events}


def test_a_pmu_without_the_events_asked_for(pi5: Machine, fake_perf: Any, calm: Any) -> None:
    fake_perf(unsupported=["LLC-loads"])
    assert found(examine("LLC-loads"), "hardware counters") == (
        "missing",
        "armv8_cortex_a76 has none of the events asked for",
        "profiler events  (lists those of this core)",
    )


@pytest.mark.parametrize(("wanted", "levels"), [("lab,task-clock", ["missing"]), ("task-clock", [])])
def test_a_software_event_is_no_hardware_counter(
    pi5: Machine, fake_perf: Any, calm: Any, monkeypatch: pytest.MonkeyPatch, wanted: str, levels: list[str]
) -> None:
    monkeypatch.setattr(host, "describe", lambda: msgspec.structs.replace(pi5, pmu=None))
    fake_perf(no_pmu=True)
    findings = examine(wanted).findings
    assert [finding.level for finding in findings if finding.what == "hardware counters"] == levels


def test_a_narrow_scope(pi5: Machine, fake_perf: Any, calm: Any) -> None:
    fake_perf(user_only=True)
    assert found(examine(), "scope")[2] == "sudo sysctl kernel.perf_event_paranoid=1"


@pytest.mark.usefixtures("no_perf", "pi5")
def test_no_perf(calm: Any) -> None:
    assert found(examine(), "perf") == (
        "missing",
        "perf is not installed",
        "sudo apt install linux-perf, or use --counters software",
    )


@pytest.mark.parametrize(
    ("state", "what", "words"),
    [
        ({"governor": "ondemand"}, "clock", "scaling_governor"),
        ({"throttled": 0x50005}, "throttling", "cool the board"),
        ({"load_1min": 3.5}, "load", "top"),
        ({"swap_used_bytes": 1 << 20}, "memory", "swapoff"),
    ],
)
def test_an_unquiet_machine(
    pi5: Machine, fake_perf: Any, calm: Any, state: dict[str, Any], what: str, words: str
) -> None:
    fake_perf()
    calm(**state)
    level, _, remedy = found(examine(), what)
    assert level == "warning"
    assert words in str(remedy)


def test_the_watchdog(pi5: Machine, fake_perf: Any, calm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    fake_perf()
    monkeypatch.setattr(host, "nmi_watchdog", lambda: True)
    assert found(examine(), "watchdog")[2] == "sudo sysctl kernel.nmi_watchdog=0"


def test_an_unknown_core(pi5: Machine, fake_perf: Any, calm: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "describe", lambda: msgspec.structs.replace(pi5, uarch="generic", pmu="cpu"))
    fake_perf()
    assert found(examine(), "core")[0] == "warning"


def test_a_missing_engine_names_its_package(
    pi5: Machine, fake_perf: Any, calm: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_perf()
    monkeypatch.setattr("profiler.measure.doctor._version", lambda package: None)
    assert found(examine(), "Keras") == ("missing", "not installed", "pip install tensorflow")
    assert found(examine(), "LiteRT") == ("missing", "not installed", "pip install ai-edge-litert")


class Simulators:
    """Which simulators run here, and what is wrong with the others."""

    def __init__(self, **usable: str) -> None:
        self._usable = usable

    def __call__(self, name: str, setup: Setup) -> tuple[Any, tuple[str, ...]]:
        if name not in self._usable:
            raise UnusableError(f"{name} is not installed", f"sudo apt install {name}")
        return SimpleNamespace(version=self._usable[name], arch="x86_64"), ()


@pytest.mark.parametrize(
    ("hardware", "usable", "level", "words"),
    [
        (True, {"qemu": "QEMU 7.2", "valgrind": "valgrind 3.19"}, "ok", "perf, for it counts hardware events"),
        (False, {"qemu": "QEMU 7.2", "valgrind": "valgrind 3.19"}, "ok", "QEMU 7.2 simulates the caches"),
        (False, {"valgrind": "valgrind 3.19"}, "ok", "valgrind 3.19 simulates the caches"),
        (False, {}, "warning", "neither perf nor a simulator"),
    ],
)
def test_the_chain_of_auto(
    pi5: Machine,
    fake_perf: Any,
    calm: Any,
    monkeypatch: pytest.MonkeyPatch,
    hardware: bool,
    usable: dict[str, str],
    level: str,
    words: str,
) -> None:
    fake_perf(no_pmu=not hardware)
    monkeypatch.setattr(doctor, "choose_simulator", Simulators(**usable))
    examination = examine()
    assert found(examination, "--counters auto")[0] == level
    assert words in found(examination, "--counters auto")[1]
    for name in ("qemu", "valgrind"):
        assert found(examination, name)[0] == ("ok" if name in usable else "missing")
        assert (found(examination, name)[2] is None) == (name in usable)


@pytest.mark.slow
def test_virtual_boards_are_named(
    pi5: Machine, fake_perf: Any, calm: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    fake_perf()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert "profiler virtual setup pi5" in found(examine(), "virtual boards")[1]
    board = virtual.Virtual("pi4", "Raspberry Pi 4", tmp_path, tmp_path, tmp_path, "cortex-a72", {})
    monkeypatch.setattr(virtual, "installed", lambda: ((board, 1),))
    assert found(examine(), "virtual boards") == ("ok", "Raspberry Pi 4", None)
