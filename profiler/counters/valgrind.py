"""valgrind's callgrind, which simulates caches: for machines whose QEMU takes no plugins.

callgrind has two levels of caches. A target with an L2 and an L3 takes two passes: one with the L2 as callgrind's last
level (LL), one with the L3. What each event is in callgrind's terms stands in `callgrind_output`.
"""

import platform
import re
import shlex
import shutil
import subprocess
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Literal

from profiler.counters import Launch, Setup, Survey, UnusableError
from profiler.counters.callgrind_output import L3, LACKS, TERMS, TO_L3, abridged, parse, served, total
from profiler.counters.compile_plugin import library
from profiler.counters.simulator_output import UNTIMED, counts, tunables
from profiler.machine import targets
from profiler.records import Cache, Count, Event, Machine, Region

SHIM = Path(__file__).with_name("valgrind_region.c")
ARCHITECTURES = ("x86_64", "aarch64")
_PROBE_LIMIT_S = 60
_INSTALL = "sudo apt install valgrind"
_HEADERS = ("valgrind/callgrind.h", "valgrind/valgrind.h")
_OPTIONS = (
    "--tool=callgrind",
    # The user's own settings could change what is counted.
    "--command-line-only=yes",
    # The worker's last words are then the last that is printed.
    "-q",
    # Debugging pipes would stay behind in /tmp where a run is killed.
    "--vgdb=no",
    "--cache-sim=yes",
    "--simulate-wb=yes",
)
_INSTRUCTIONS = "inst_retired"

NOTES = (
    UNTIMED,
    "callgrind simulates LRU caches, write-allocate, looked up by virtual address, without prefetches and coherence; "
    "the kernel's own accesses, speculative ones and page-table walks are not among them.",
    "Every write reaches the level behind the L1D at once, and from there memory when its line is given up; the L1D's "
    "own write-backs are not counted.",
    "An access that reaches into a second line is one access and at most one refill.",
    "Threads run one at a time and all through one core's caches; their waiting loops are counted.",
)
_X86 = (
    "Some x86 instructions are not taken as they are: one that reads and writes one place is one write, and a fused "
    "multiply-add reads memory once for each number of its vector, so that accesses come out too high, not refills."
)
_TWO_PASSES = (
    "The L2 and the L3 are simulated in runs of their own. The L3's own run has no L2: all that the L1 caches lack is "
    "looked up in the L3, which so keeps other lines than behind an L2."
)


def open(setup: Setup) -> "Valgrind":
    """The source, with its shim compiled and the target's caches tried.

    Raises:
        UnusableError: There is no valgrind for what is to run, its header or a compiler is missing, or callgrind
            refuses the target's caches.
    """
    if setup.virtual is not None:
        raise UnusableError("valgrind runs only this machine's own programs, no virtual board's", "use --counters qemu")
    arch = platform.machine()
    if arch not in ARCHITECTURES:
        raise UnusableError(f"valgrind is not used on {arch}", f"use a machine of {' or '.join(ARCHITECTURES)}")
    executable = shutil.which("valgrind")
    if executable is None:
        raise UnusableError("valgrind is not installed", _INSTALL)
    folder = _include_folder(executable)
    shim = library("valgrind-region", [SHIM, *(folder / header for header in _HEADERS)], [folder])
    return Valgrind(executable, _version(executable), arch, setup, shim)


def _include_folder(executable: str) -> Path:
    """The folder with valgrind's headers, best of the same installation."""
    own = Path(executable).resolve().parent.parent / "include"
    for folder in (own, Path("/usr/local/include"), Path("/usr/include")):
        if all((folder / header).is_file() for header in _HEADERS):
            return folder
    raise UnusableError(
        "valgrind's header callgrind.h is not installed", f"{_INSTALL}, or valgrind-devel where that is a package"
    )


def _version(executable: str) -> str:
    told = re.match(r"valgrind-(\S+)", _run(executable, "--version").stdout)
    return f"valgrind {told[1]}" if told else "valgrind of unknown version"


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=_PROBE_LIMIT_S, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UnusableError(f"{command[0]} does not run ({error})", _INSTALL) from error


class Valgrind:
    """Counts in callgrind's model of one target's caches, with what they leave out in its survey's notes.

    Raises:
        UnusableError: callgrind refuses them.
    """

    name = "valgrind"
    prefetches = False

    def __init__(self, executable: str, version: str, arch: str, setup: Setup, shim: Path) -> None:
        self.version, self.arch = version, arch
        self._executable, self._target, self._shim = executable, setup.target, shim
        self._l3 = targets.cache(setup.target, 3, "Unified")
        self._l1 = (f"--I1={self._geometry(1, 'Instruction')}", f"--D1={self._geometry(1, 'Data')}")
        self._ll = {"L2": f"--LL={self._geometry(2, 'Unified')}"}
        if self._l3 is not None:
            self._ll["L3"] = f"--LL={_geometry(self._l3)}"
        for option in self._ll.values():
            self._try(option)

    def survey(self, events: Sequence[Event], machine: Machine, regions: Sequence[Region]) -> Survey:  # noqa: ARG002
        reasons = {event.name: self._lack(event.name) for event in events}
        here = [name for name, reason in reasons.items() if reason is None]
        near = tuple(name for name in here if name not in L3)
        far = tuple(name for name in here if name in L3)
        if far and _INSTRUCTIONS in here:
            far = (_INSTRUCTIONS, *far)
        groups = tuple(group for group in (near, far) if group) or ((),)
        absent = {name: reason for name, reason in reasons.items() if reason is not None}
        return Survey("user", absent, groups, self._notes())

    @contextmanager
    def launch(self, command: Sequence[str], group: Sequence[str], region: Region, raw: Path) -> Iterator[Launch]:
        environment = {"LC_ALL": "C", **tunables(self.arch)}
        options = [*_OPTIONS, *self._l1, self._ll["L3" if self._l3 and set(group) & L3.keys() else "L2"]]
        if region != "process":
            options.append("--instr-atstart=no")
            environment["PROFILER_GATE"] = f"library:{self._shim}"
        with tempfile.TemporaryDirectory(prefix="profiler-") as folder:
            yield Launch((*_writing_to(folder), self._executable, *options, *command), environment, ())
            written = _of_the_first_process(Path(folder))
            if written:
                raw.write_text(written)

    def read(self, raw: Path, group: Sequence[str]) -> tuple[Count, ...]:
        totals, reason = parse(raw.read_text(errors="replace") if raw.exists() else "")
        return counts(group, {name: self._value(name, totals) for name in group}, self.name, reason)

    def _geometry(self, level: int, kind: Literal["Data", "Instruction", "Unified"]) -> str:
        cache = targets.cache(self._target, level, kind)
        if cache is None:
            raise UnusableError(
                f"{self._target.title} has no level {level} {kind.lower()} cache, which callgrind needs",
                "simulate another machine's caches with --caches",
            )
        return _geometry(cache)

    def _try(self, last_level: str) -> None:
        """Runs nothing with these caches. callgrind wants lines as long as the CPU's longest register, at least."""
        tried = _run(self._executable, *_OPTIONS, *self._l1, last_level, "--callgrind-out-file=/dev/null", "/bin/true")
        if tried.returncode != 0:
            raise UnusableError(
                f"callgrind does not simulate the caches of {self._target.title} ({_complaint(tried.stderr)})",
                "use --counters qemu, or another machine's caches with --caches",
            )

    def _notes(self) -> tuple[str, ...]:
        x86 = (_X86,) if self.arch == "x86_64" else ()
        return (*NOTES, *x86, *((_TWO_PASSES,) if self._l3 else ()))

    def _lack(self, name: str) -> str | None:
        """Why callgrind cannot count an event of this target; None where it can."""
        if name == targets.LATENCY:
            return "callgrind simulates the L2 and the L3 in runs of their own" if self._l3 else None
        if self._l3 is None and name in TO_L3 | L3:
            return f"{self._target.title} has no L3"
        return None if name in TERMS else LACKS.get(name, f"{targets.NOT_MODELLED} by callgrind")

    def _value(self, name: str, totals: Mapping[str, int]) -> int | float | None:
        if name == targets.LATENCY:
            return targets.latency_bound(self._target, served(totals))
        return total(TERMS.get(name, ()), totals)


def _geometry(cache: Cache) -> str:
    return f"{cache.size_bytes},{cache.ways},{cache.line_bytes}"


def _writing_to(folder: str) -> tuple[str, ...]:
    """The beginning of a command under callgrind: its process writes to `PID.PID` in the folder.

    callgrind goes on in children that a process forks, and they end with counts too. So the name has the process's own
    number (`%p`), and before it that of the shell, whose place the first process takes.
    """
    path = shlex.quote(folder.replace("%", "%%"))
    return ("/bin/sh", "-c", f'valgrind=$1; shift; exec "$valgrind" --callgrind-out-file={path}/$$.%p "$@"', "sh")


def _of_the_first_process(folder: Path) -> str:
    """The output's part that is kept; empty where there is none."""
    for path in folder.iterdir():
        if path.stem == path.suffix[1:]:
            return abridged(path.read_text(errors="replace"))
    return ""


def _complaint(message: str) -> str:
    """The first two lines, which are one sentence or a flaw and its option, without valgrind's marks and warnings."""
    lines = [re.sub(r"^(?:(?:==|--)\d+(?:==|--)|valgrind:)\s*", "", line) for line in message.splitlines()]
    said = [line.strip() for line in lines if line.strip() and "warning:" not in line]
    return " ".join(said[:2]) or "it says nothing"
