"""`perf stat`: real counters, one pass a group so that nothing is multiplexed, the region by `--control`."""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from profiler.counters import Launch, Survey, UnusableError
from profiler.counters.perf_output import Reading, counts, parse
from profiler.errors import ProfilerError
from profiler.machine import events as catalogue
from profiler.machine import host
from profiler.records import Count, Event, Machine, Region

_CONTROL_SINCE = (5, 9)
_PROBE_LIMIT_S = 20
_TRIVIAL = (shutil.which("true") or "true",)
_WORK = (sys.executable, "-S", "-E", "-c", "bytes(bytearray(b'x') * (1 << 24))")
"""Python starts, fills 16 MiB and copies them: tens of millions of instructions, through every cache and the memory."""
_ANCHORS = {"cycles", "instructions"}
_IN_ALL_WORK = {
    *_ANCHORS,
    *("stall_frontend", "stall_backend", "stall_memory", "l1d_access", "l1d_refill", "l2d_access", "l2d_refill"),
    *("l2d_writeback", "l2d_victim", "llc_load", "llc_load_miss", "l3_access", "l3_refill", "mem_access", "bus_access"),
    *("dtlb_access", "dtlb_refill", "dtlb_walk", "branches", "branch_misses"),
}
"""Metrics that cannot stay 0 over `_WORK`. Others can: nothing need be invalidated in the caches of a lone thread."""
_L1D_CACHE = 0x04
_TOOLS = {"duration_time", "user_time", "system_time"}
"""perf's own events: of the whole process whatever the region, and without a scope."""
_IN_THE_KERNEL = {"context-switches", "page-faults", "cpu-migrations"}
"""Software events that happen in the kernel wholly or in part. Counted user-only, perf prints 0 or too few of them,
which would be a lie; the kernel's own accounting has the first two whole."""


def open() -> "Perf":
    """The source with this machine's perf.

    Raises:
        UnusableError: There is none.
    """
    executable = host.find_perf()
    if executable is None:
        raise UnusableError("perf is not installed", "sudo apt install linux-perf, or use --counters software")
    return Perf(executable)


class Perf:
    """Counts with the perf at path `executable`."""

    name = "perf"

    def __init__(self, executable: str) -> None:
        self._perf = executable
        self._modifier = ""
        self._encodings: dict[str, str] = {}
        self._beside: tuple[str, ...] = ()

    def survey(self, events: Sequence[Event], machine: Machine, regions: Sequence[Region]) -> Survey:
        """As the protocol says; an event that is counted and stays 0 over real work is absent too.

        So perf counts hardware on this machine where a group has an event: `any(survey.groups)`.
        """
        if any(region != "process" for region in regions):
            self._require_control()
        scope = self._scope()
        core = catalogue.core(machine.uarch)
        absent = {event.name: event.meaning for event in events if event.encoding is None}
        hardware = [event for event in events if event.kind == "hardware" and event.name not in absent]
        listed = host.pmu_events(machine.pmu) if machine.pmu else frozenset()
        for event in hardware:
            self._encodings[event.name] = event.encoding or ""
            reason = catalogue.gated(event, core, listed) or _unvouched(event, core, listed)
            reason = reason or self._refusal(event.name)
            if reason:
                absent[event.name] = reason
        groups, silent = self._counting([event for event in hardware if event.name not in absent], core)
        absent |= silent
        notes = (_no_counters(machine, absent),) if hardware and not any(groups) else ()
        if any(groups) and _emulated(core, listed):
            notes = (_EMULATED.format(pmu=machine.pmu),)
        if machine.pmu is None and not any(groups):
            absent.update({event.name: _NO_PMU for event in events if event.kind == "hardware"})
        if self._modifier and any(event.name == "cpu-migrations" for event in events):
            absent["cpu-migrations"] = "happens in the kernel, whose part perf may not count here"
        self._beside = self._software(events, absent)
        return Survey(scope, absent, groups, notes)

    @contextmanager
    def launch(self, command: Sequence[str], group: Sequence[str], region: Region, raw: Path) -> Iterator[Launch]:
        environment, fds, control = {"LC_ALL": "C"}, list[int](), None
        if region != "process":
            (control_read, control_write), (ack_read, ack_write) = os.pipe(), os.pipe()
            fds += [control_read, control_write, ack_read, ack_write]
            control = control_read, ack_write
            environment["PROFILER_GATE"] = f"fd:{control_write}:{ack_read}"
        try:
            yield Launch((*self.stat(group, region, raw, control), "--", *command), environment, tuple(fds))
        finally:
            # perf drops its control without a word when our ends close, so they stay open until it has ended.
            for fd in fds:
                os.close(fd)

    def read(self, raw: Path, group: Sequence[str]) -> tuple[Count, ...]:
        found = counts(parse(raw.read_text(errors="replace"))) if raw.exists() else {}
        missing = {name: uncounted(name, "perf left no line for this event") for name in group if name not in found}
        return tuple((found | missing).values())

    def stat(self, group: Sequence[str], region: Region, raw: Path, control: tuple[int, int] | None) -> list[str]:
        """perf's command, short of whom it counts; where `control` has its ends of the pipes for commands and
        acknowledgements, nothing is enabled at first.
        """
        command = [self._perf, "stat", "-x", ";", "-o", str(raw)]
        beside = [name for name in self._beside if name not in _TOOLS or region == "process"]
        if group:
            command += ["-e", "{" + ",".join(map(self._term, group)) + "}"]
        if beside:
            command += ["-e", ",".join(map(self._term, beside))]
        return command + (["-D", "-1", "--control", f"fd:{control[0]},{control[1]}"] if control else [])

    def _term(self, name: str) -> str:
        """What `-e` is given for an event: its encoding with the scope said, so that perf need not add it."""
        encoding = self._encodings.get(name, name)
        if not self._modifier or name in _TOOLS or ":" in encoding:
            return encoding
        return encoding + (self._modifier if encoding.endswith("/") else f":{self._modifier}")

    def _require_control(self) -> None:
        version = host.perf_version(self._perf)
        if version is not None and version < _CONTROL_SINCE:
            raise UnusableError(
                f"perf {'.'.join(map(str, version))} is too old to count a region (--control came with 5.9)",
                "install perf 5.10 or newer, or use --region process",
            )

    def _scope(self) -> str:
        """Whether the kernel's part is counted; perf says so by renaming an event it had to narrow."""
        code, readings, message = self._try("task-clock")
        if code != 0 or not readings:
            raise _refused(message)
        self._modifier = "u" if readings[0].echoed.endswith(":u") else ""
        return "user" if self._modifier else "user+kernel"

    def _refusal(self, name: str) -> str | None:
        """Why perf cannot count one event by itself; None where it can."""
        code, readings, message = self._try(self._term(name))
        if code == 129 and "/" not in self._encodings[name]:
            raise ProfilerError(
                f"perf knows no event '{name}'", "see `profiler events` and `perf list` for those there are"
            )
        if code == 129:
            return "this perf knows no such PMU or event"
        if code != 0 and not readings:
            return _first_line(message) or f"perf stat ends with {code}"
        if not readings or readings[0].status == "not_supported":
            return "perf says not supported on this machine"
        return None

    def _software(self, events: Sequence[Event], absent: dict[str, str]) -> tuple[str, ...]:
        """Software and tool events that perf has; the rest is left to rusage.

        Tried beside task-clock, as they will run: where only user space may be counted, perf 6.1 refuses a lone
        duration_time and counts it in company.
        """
        names = [event.name for event in events if event.kind != "hardware" and event.name not in absent]
        names = [name for name in names if not (self._modifier and name in _IN_THE_KERNEL)]
        company = self._term("task-clock")
        return tuple(name for name in names if self._try(f"{company},{self._term(name)}")[0] == 0)

    def _counting(
        self, countable: Sequence[Event], core: catalogue.Core
    ) -> tuple[tuple[tuple[str, ...], ...], dict[str, str]]:
        """Groups of the events that count over real work, and why the others do not."""
        groups, values = self._fitting(countable, core)
        silent = _silent(countable, values)
        if silent:
            groups, _ = self._fitting([event for event in countable if event.name not in silent], core)
        return groups, silent

    def _fitting(
        self, countable: Sequence[Event], core: catalogue.Core
    ) -> tuple[tuple[tuple[str, ...], ...], dict[str, float]]:
        """Groups that this machine really schedules, and what they counted over `_WORK`.

        They are tried, and made smaller until each is counted in full.
        """
        if not countable:
            return ((),), {}
        for counters in range(core.programmable, 0, -1):
            try:
                groups = catalogue.groups(countable, core, counters)
            except ValueError:
                break
            tried = [self._in_full(group) for group in groups]
            if all(tried):
                return groups, {name: value for values in tried for name, value in values.items()}
        raise ProfilerError(
            "perf counts these events one by one but no group of them in full",
            "end what else uses the counters (sudo sysctl kernel.nmi_watchdog=0), or name fewer events with --events",
        )

    def _in_full(self, group: Sequence[str]) -> dict[str, float]:
        """What the events of a group count over `_WORK`; nothing unless each is on a counter all the time."""
        _, readings, _ = self._try("{" + ",".join(self._term(name) for name in group) + "}", _WORK)
        values = [reading.value for reading in readings if reading.value is not None and reading.running_percent == 100]
        return dict(zip(group, values, strict=True)) if len(values) == len(group) else {}

    def _try(self, selection: str, workload: Sequence[str] = _TRIVIAL) -> tuple[int, tuple[Reading, ...], str]:
        """perf's exit status, readings and message for `selection` over a command."""
        with tempfile.TemporaryDirectory(prefix="profiler-") as folder:
            raw = Path(folder) / "probe"
            command = [self._perf, "stat", "-x", ";", "-o", str(raw), "-e", selection, "--", *workload]
            try:
                done = subprocess.run(
                    command,
                    env={**os.environ, "LC_ALL": "C"},
                    capture_output=True,
                    text=True,
                    errors="replace",
                    timeout=_PROBE_LIMIT_S,
                    check=False,
                )
            except (OSError, subprocess.TimeoutExpired) as error:
                return 255, (), str(error)
            readings = parse(raw.read_text(errors="replace")) if raw.exists() else ()
            return done.returncode, readings, done.stderr


def _silent(countable: Sequence[Event], values: Mapping[str, float]) -> dict[str, str]:
    """Why an event does not count: it stays 0 over work that cannot do without it.

    One that work can do without is believed, unless nothing but cycles and instructions counts beside it.
    """
    still = [event for event in countable if values[event.name] == 0]
    broken = [event for event in still if event.quality == "exact" and event.metric in _IN_ALL_WORK]
    if broken and not any(values[event.name] for event in countable if event.metric not in _ANCHORS):
        broken = still
    work = max((values[event.name] for event in countable if event.metric == "instructions"), default=0)
    how_long = f"{work / 1e6:.0f} million" if work else "millions of"
    return {event.name: f"reads 0 over {how_long} instructions: not counting on this machine" for event in broken}


def _emulated(core: catalogue.Core, listed: frozenset[int]) -> bool:
    """Whether the PMU lists events, and not the L1 data cache accesses that PMUv3 asks of every core with such a cache.

    QEMU's lists cycles, instructions and stalls, and has nothing else (target/arm/helper.c); a hypervisor may filter.
    """
    return core.vendor == "arm" and bool(listed) and _L1D_CACHE not in listed


def _unvouched(event: Event, core: catalogue.Core, listed: frozenset[int]) -> str | None:
    """Why a code from 0x40 on, of which a PMU does not say whether it has it, is not trusted on this one."""
    code = catalogue.raw_code(event)
    if code is None or code < 0x40 or code in listed or not _emulated(core, listed):
        return None
    return f"{event.name} ({code:#04x}) is not to be trusted: emulated or filtered, this PMU lists not even l1d_cache"


_EMULATED = (
    "The PMU {pmu} lists not even l1d_cache, which every core's has: it is emulated or filtered. The cycles of an "
    "emulated one are the emulator's clock and say nothing of a core."
)
_NO_PMU = "this machine shows no hardware counters (no PMU)"


def _no_counters(machine: Machine, absent: dict[str, str]) -> str:
    if machine.pmu and "cycles" not in absent:
        return f"No hardware event is counted: {machine.pmu} has none of those asked for. See `profiler events`."
    where = f"a virtual machine ({machine.virtual}) without a virtual PMU" if machine.virtual else "this machine"
    return (
        f"No hardware counters: the kernel shows no usable PMU on {where}. Times, page faults and context switches are "
        "counted; cycles, stalls and caches are n/a. `profiler doctor` says what would mend it."
    )


def _refused(message: str) -> UnusableError:
    if "perf_event_paranoid" in message or "Permission" in message or "limited" in message:
        return UnusableError(
            "perf is refused by this kernel's perf_event_paranoid setting", "sudo sysctl kernel.perf_event_paranoid=1"
        )
    return UnusableError(
        f"perf stat does not work here ({_first_line(message) or 'it printed nothing'})", "use --counters software"
    )


def _first_line(message: str) -> str:
    lines = [line.strip() for line in message.splitlines()]
    return next((line for line in lines if line and line != "Error:"), "")


def uncounted(name: str, reason: str) -> Count:
    """An event without a figure."""
    return Count(event=name, value=None, unit="", status="not_counted", source="perf", reason=reason)
