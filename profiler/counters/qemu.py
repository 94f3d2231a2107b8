"""QEMU's user emulation with a plugin of ours that simulates caches: every access of the real inference, counted.

The plugin (`cachesim/`) sees each instruction and each address. What each event counts is in `cachesim/hierarchy.h`.
"""

import platform
import re
import shutil
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import msgspec

from profiler.counters import Launch, Setup, Survey, UnusableError
from profiler.counters.compile_plugin import library
from profiler.counters.reuse_distance import Reuse
from profiler.counters.simulator_output import UNTIMED, counts, tunables
from profiler.machine import targets
from profiler.machine.host import output
from profiler.records import Count, Event, Machine, Region
from profiler.virtual.guest import INSTALL

SOURCES = tuple(sorted((Path(__file__).parent / "cachesim").glob("*.[ch]")))
_PROBE_LIMIT_S = 20
_CPUS = {"x86_64": "max,vendor=GenuineIntel"}
"""Every feature of the instruction set that QEMU knows, for the engines' own kernels. QEMU's AMD tells nothing of its
caches, and an engine that fits its work to them (XNNPACK) then works otherwise than on any real CPU: 9 % more LLC
misses of LiteRT."""

NOTES = (
    UNTIMED,
    "Caches are LRU, write-back and write-allocate, looked up by virtual address; the kernel's own accesses, "
    "speculative ones and page-table walks are not among them.",
)
_ARM = "QEMU does not report the lines that DC ZVA zeroes, as memset does on Arm: these stores are not counted."


def open(setup: Setup) -> "Qemu":
    """The source, with its plugin compiled.

    Raises:
        UnusableError: There is no QEMU for this instruction set, it takes no plugins, or the plugin does not compile.
    """
    arch = "aarch64" if setup.virtual else platform.machine()
    executable, version = emulator(arch)
    return Qemu(executable, version, arch, setup, library("cachesim", SOURCES))


def emulator(arch: str) -> tuple[str, str]:
    """Path and version of the QEMU that runs this instruction set's programs and takes plugins.

    Raises:
        UnusableError: There is none.
    """
    name = f"qemu-{arch}"
    executable = shutil.which(name)
    if executable is None:
        raise UnusableError(f"{name} is not installed", INSTALL)
    if "-plugin" not in (output(executable, "-h", limit_s=_PROBE_LIMIT_S) or ""):
        raise UnusableError(
            f"{name} is built without plugins, as in Debian 13", "use --counters valgrind, or Debian 12's qemu-user"
        )
    version = re.search(r"version (\d+(?:\.\d+)+)", output(executable, "--version", limit_s=_PROBE_LIMIT_S) or "")
    return executable, f"QEMU {version[1]}" if version else "QEMU of unknown version"


class Qemu:
    """Counts in the model of one target's caches."""

    name = "qemu"
    prefetches = True

    def __init__(self, executable: str, version: str, arch: str, setup: Setup, plugin: Path) -> None:
        self.version, self.arch = version, arch
        self.executable, self._setup, self._plugin = executable, setup, plugin

    def survey(self, events: Sequence[Event], machine: Machine, regions: Sequence[Region]) -> Survey:  # noqa: ARG002
        names = tuple(event.name for event in events if event.name in targets.simulated())
        absent = {event.name: targets.NOT_MODELLED for event in events if event.name not in names}
        return Survey("user", absent, (names,), (*NOTES, *((_ARM,) if self.arch == "aarch64" else ())))

    @contextmanager
    def launch(self, command: Sequence[str], group: Sequence[str], region: Region, raw: Path) -> Iterator[Launch]:  # noqa: ARG002
        # Commas part the plugin's options, so what it writes goes by a path that has none.
        with tempfile.TemporaryDirectory(prefix="profiler-") as folder:
            counted = Path(folder) / "counts.json"
            options = {
                "out": str(counted),
                "region": "process" if region == "process" else "gate",
                "cores": str(self._setup.cores),
                **targets.hierarchy(self._setup.target),
                **_reuse(self._setup.reuse),
            }
            environment = {"LC_ALL": "C", **tunables(self.arch)}
            if region != "process":
                environment["PROFILER_GATE"] = "prctl"
            yield Launch(self._argv(command, options), environment, ())
            if counted.exists():
                shutil.move(counted, raw)

    def read(self, raw: Path, group: Sequence[str]) -> tuple[Count, ...]:
        found, reason = _read(raw)
        modelled = targets.latency_bound(self._setup.target, found)
        return counts(group, {**found, targets.LATENCY: modelled}, self.name, reason)

    def _argv(self, command: Sequence[str], options: Mapping[str, str]) -> tuple[str, ...]:
        plugin = ",".join([str(self._plugin), *(f"{name}={value}" for name, value in options.items())])
        if self._setup.virtual:
            # The command begins with the emulator already.
            return (command[0], "-plugin", plugin, *command[1:])
        return (self.executable, "-cpu", _CPUS.get(self.arch, "max"), "-plugin", plugin, *command)


def _reuse(reuse: Reuse | None) -> dict[str, str]:
    """What the plugin is told of it; `counters.reuse` reads what it leaves."""
    return {f"reuse_{name}": str(value) for name, value in reuse._asdict().items()} if reuse else {}


def _read(raw: Path) -> tuple[dict[str, int], str]:
    """The plugin's counts, and why one that is not there is not."""
    try:
        found = msgspec.json.decode(raw.read_bytes())
        read, regions = dict(found["counts"]), int(found["regions"])
    except (OSError, msgspec.DecodeError, KeyError, TypeError, ValueError):
        return {}, "the emulator ended without its counts"
    return (read, "not simulated") if regions else ({}, "the region was never entered")
