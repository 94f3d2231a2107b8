"""What this machine is and the state it is in: CPU, caches, PMU, clocks, throttling, perf.

All is read below a `root`, so that a tree of copied files describes its own machine, the page size apart. Only perf and
vcgencmd are run, from PATH. What is missing, unreadable or malformed is None, never an error.
"""

import os
import platform
import re
import shutil
import subprocess
import tomllib
from datetime import datetime
from pathlib import Path

import msgspec

from profiler.machine.events import GENERIC, core, recognise
from profiler.records import Cache, Machine, MachineState

COMMAND_LIMIT_S = 5.0
MACHINES = Path(__file__).parent.parent / "data" / "machines"
CLOCKS = "sys/devices/system/clocksource/clocksource0/available_clocksource"
DEVICES = "sys/bus/event_source/devices"
DMI = "sys/class/dmi/id"
ONLINE = "sys/devices/system/cpu/online"

HYPERVISOR_SIGNS = ("sys/hypervisor/type", f"{DMI}/sys_vendor", f"{DMI}/product_name", CLOCKS)
HYPERVISORS = (
    (r"amazon ec2(?!.*\.metal)", "Amazon EC2"),
    (r"google compute engine", "Google Compute Engine"),
    (r"vmware", "VMware"),
    (r"innotek|virtualbox", "VirtualBox"),
    (r"microsoft corporation virtual machine|hyperv_clocksource", "Hyper-V"),
    (r"\bxen\b", "Xen"),
    (r"\bkvm\b", "KVM"),
    (r"\bqemu\b", "QEMU"),
    (r"linux,dummy-virt", "a hypervisor"),
)
"""What gives a hypervisor away in those files or the device tree's model, the one built on another first."""

THROTTLE_BITS = ("under-voltage", "Arm frequency capped", "throttled", "soft temperature limit")
"""Bits 0-3 of `get_throttled`, and 16-19 (Raspberry Pi documentation, `vcgencmd get_throttled`)."""


def describe(root: Path = Path("/")) -> Machine:
    """The machine's facts. Where its cores differ (big.LITTLE, hybrid), core, caches and PMU are the first CPU's."""
    paragraphs = _cpuinfo(root)
    processors = [paragraph for paragraph in paragraphs if "processor" in paragraph]
    cpu = processors[0] if processors else {}
    title, uarch = _core(cpu)
    board = _text(root / "proc/device-tree/model") or paragraphs[-1].get("Model") or _text(root / DMI / "product_name")
    virtual = _virtual(root, cpu, board)
    perf = find_perf()
    version = perf_version(perf) if perf else None
    caches = tuple(filter(None, map(_sysfs_cache, sorted(root.glob("sys/devices/system/cpu/cpu0/cache/index*")))))
    return Machine(
        arch=_arch(root),
        cpu=title,
        uarch=uarch,
        cpus=len(_cpu_list(_text(root / ONLINE))) or len(processors) or 1,
        board=board,
        # A virtual machine may be given a board's name, but not its caches.
        caches=caches or (() if virtual else _known_caches(cpu, board)),
        memory_bytes=_memory_bytes(root).get("MemTotal"),
        page_bytes=os.sysconf("SC_PAGE_SIZE"),
        kernel=_text(root / "proc/sys/kernel/osrelease") or platform.release(),
        system=_system(root),
        virtual=virtual,
        pmu=_pmu(root),
        perf_version=".".join(map(str, version)) if version else None,
        perf_event_paranoid=_int(_text(root / "proc/sys/kernel/perf_event_paranoid")),
        python=platform.python_version(),
    )


def state(root: Path = Path("/")) -> MachineState:
    """What may move between two runs, read in a few milliseconds.

    The clock is cpufreq's: a Pi's firmware may run the cores slower, which only `throttled` tells (raspberrypi/linux
    issue 2986).
    """
    cpufreq = [root / f"sys/devices/system/cpu/cpu{cpu}/cpufreq" for cpu in _cpu_list(_text(root / ONLINE))]
    governors = {_text(cpu / "scaling_governor") for cpu in cpufreq}
    memory = _memory_bytes(root)
    swap, swap_free = memory.get("SwapTotal"), memory.get("SwapFree")
    return MachineState(
        at=datetime.now().astimezone().isoformat(timespec="milliseconds"),
        load_1min=_decimal((_text(root / "proc/loadavg") or "").partition(" ")[0]),
        clock_hz=_clock_hz(root, cpufreq),
        governor=",".join(sorted(filter(None, governors))) or None,
        temperature_celsius=_temperature_celsius(root),
        throttled=_throttled(root),
        memory_available_bytes=memory.get("MemAvailable"),
        swap_used_bytes=None if swap is None or swap_free is None else swap - swap_free,
    )


def pmu_events(pmu: str, root: Path = Path("/")) -> frozenset[int]:
    """Codes of the events that the kernel says `pmu` has, of those that are a code alone, as Arm's are."""
    texts = (_text(file) for file in (root / DEVICES / pmu / "events").glob("*"))
    codes = (re.fullmatch(r"event=0x([0-9a-f]+)", text or "") for text in texts)
    return frozenset(int(code[1], 16) for code in codes if code)


def nmi_watchdog(root: Path = Path("/")) -> bool:
    """Whether the kernel's watchdog holds a hardware counter.

    On Arm the setting says nothing of it: without pseudo-NMIs each CPU watches its neighbour by timers, and all
    counters are free (Linux 6.5 on, CONFIG_HARDLOCKUP_DETECTOR_BUDDY).
    """
    return _arch(root).startswith("x86") and _text(root / "proc/sys/kernel/nmi_watchdog") == "1"


def throttled_text(bits: int) -> tuple[str, ...]:
    """The bits of `MachineState.throttled` in words, those of now before those since boot."""
    return tuple(
        f"{what} {when}"
        for first, when in ((0, "now"), (16, "since boot"))
        for bit, what in enumerate(THROTTLE_BITS, first)
        if bits >> bit & 1
    )


def find_perf() -> str | None:
    """Path of the first perf that works: `perf`, else the newest `perf_N.NN` on PATH.

    Debian 11's `perf` is a script that runs the `perf_N.NN` of the kernel's version and no other.
    """
    numbered = [path for folder in os.get_exec_path() for path in Path(folder).glob("perf_[0-9]*.[0-9]*")]
    numbered.sort(key=lambda path: [int(number) for number in re.findall(r"\d+", path.name)], reverse=True)
    return next((path for path in (shutil.which("perf"), *map(str, numbered)) if path and perf_version(path)), None)


def perf_version(path: str) -> tuple[int, ...] | None:
    """The version that the perf at `path` gives itself, (6, 1, 187); None where it does not run."""
    version = re.match(r"perf version (\d+(?:\.\d+)*)", output(path, "--version") or "")
    return tuple(map(int, version[1].split("."))) if version else None


def usable_cpus() -> tuple[int, ...]:
    """The CPUs on which this process may run."""
    return tuple(sorted(os.sched_getaffinity(0)))


def user_cache() -> Path:
    """This user's folder for what profiler can make again (XDG Base Directory Specification)."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "profiler"


def _text(path: Path) -> str | None:
    """The file's text without space and NUL at its ends; None where there is none."""
    try:
        return path.read_text("utf-8", errors="replace").strip(" \t\n\0") or None
    except OSError:
        return None


def _int(text: str | None, base: int = 10) -> int | None:
    try:
        return int(text or "", base)
    except ValueError:
        return None


def _decimal(text: str | None) -> float | None:
    number = re.fullmatch(r"\d{1,9}(?:\.\d{1,9})?", text or "")
    return float(number[0]) if number else None


def _fields(text: str | None, separator: str = ":") -> dict[str, str]:
    """The file's `name: value` lines."""
    lines = (line.partition(separator) for line in (text or "").splitlines())
    return {name.strip(): value.strip() for name, found, value in lines if found}


def _cpu_list(text: str | None) -> tuple[int, ...]:
    """The CPUs of a kernel list such as `0-2,5`; empty where it is none."""
    cpus: list[int] = []
    for part in (text or "").split(","):
        ends = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", part, re.ASCII)
        if not ends:
            return ()
        cpus.extend(range(int(ends[1]), int(ends[2] or ends[1]) + 1))
    return tuple(cpus)


def output(*command: str, limit_s: float = COMMAND_LIMIT_S) -> str | None:
    """What the command prints; None where it is not there, fails or hangs."""
    environment = {**os.environ, "LC_ALL": "C"}
    try:
        return subprocess.run(
            command, env=environment, capture_output=True, check=True, errors="replace", timeout=limit_s
        ).stdout
    except (OSError, subprocess.SubprocessError):
        return None


def _arch(root: Path) -> str:
    return _text(root / "proc/sys/kernel/arch") or platform.machine()


def _cpuinfo(root: Path) -> list[dict[str, str]]:
    """The paragraphs of /proc/cpuinfo, at least one: one a CPU and, on a Raspberry Pi, a last one for the board."""
    return [_fields(paragraph) for paragraph in (_text(root / "proc/cpuinfo") or "").split("\n\n")]


def _memory_bytes(root: Path) -> dict[str, int]:
    """The lines of /proc/meminfo that are sizes."""
    sizes = {
        name: re.fullmatch(r"(\d{1,15}) kB", value) for name, value in _fields(_text(root / "proc/meminfo")).items()
    }
    return {name: int(size[1]) * 1024 for name, size in sizes.items() if size}


def _system(root: Path) -> str:
    """The distribution; "Linux" is os-release(5)'s own default."""
    release = _text(root / "etc/os-release") or _text(root / "usr/lib/os-release")
    return _fields(release, "=").get("PRETTY_NAME", "").strip("\"'") or "Linux"


def _core(cpu: dict[str, str]) -> tuple[str, str]:
    """The core's name and its key in the event catalogue, from its paragraph of /proc/cpuinfo.

    Arm's cores say a number only: the name is the catalogue's, or the number where the catalogue lacks the core.
    """
    implementer, part = _int(cpu.get("CPU implementer"), 16), _int(cpu.get("CPU part"), 16)
    if implementer is None or part is None:
        family, model, stepping = (_int(cpu.get(name)) for name in ("cpu family", "model", "stepping"))
        uarch = recognise(cpu.get("vendor_id", ""), family=family, model=model, stepping=stepping)
        return cpu.get("model name") or "unknown", uarch
    vendor = "arm" if implementer == 0x41 else f"implementer {implementer:#04x}"
    uarch = recognise(vendor, part=part)
    return f"{vendor}, part {part:#05x}" if uarch == GENERIC else core(uarch).title, uarch


def _virtual(root: Path, cpu: dict[str, str], board: str | None) -> str | None:
    """The hypervisor's name as far as it can be told. x86 says for sure whether there is one, Arm does not."""
    flags = cpu.get("flags")
    if flags is not None and "hypervisor" not in flags.split():
        return None
    told = " ".join(filter(None, (board, *(_text(root / file) for file in HYPERVISOR_SIGNS)))).lower()
    unnamed = None if flags is None else "a hypervisor"
    return next((name for sign, name in HYPERVISORS if re.search(sign, told)), unnamed)


def _sysfs_cache(index: Path) -> Cache | None:
    """One cache; None where the kernel does not know its size, as on Arm without a word in the device tree."""
    size = re.fullmatch(r"(\d{1,9})([KMG]?)", _text(index / "size") or "")
    facts = {
        "level": _int(_text(index / "level")),
        "type": _text(index / "type"),
        "size_bytes": int(size[1]) << {"": 0, "K": 10, "M": 20, "G": 30}[size[2]] if size else None,
        "ways": _int(_text(index / "ways_of_associativity")) or None,
        "line_bytes": _int(_text(index / "coherency_line_size")) or None,
        "shared_by": len(_cpu_list(_text(index / "shared_cpu_list"))) or None,
        "source": "sysfs",
    }
    try:
        return msgspec.convert(facts, Cache)
    except msgspec.ValidationError:
        return None


def _known_caches(cpu: dict[str, str], board: str | None) -> tuple[Cache, ...]:
    """The caches that the documents give for this board."""
    for file in MACHINES.glob("*.toml"):
        machine = tomllib.loads(file.read_text("utf-8"))
        part, boards = machine["recognise"]["part"], tuple(machine["recognise"]["boards"])
        if _int(cpu.get("CPU part"), 16) == part and (board or "").startswith(boards):
            return tuple(Cache(**{name: cache[name] for name in Cache.__struct_fields__}) for cache in machine["cache"])
    return ()


def _pmu(root: Path) -> str | None:
    """The first CPU's PMU: `cpu` on x86 (`cpu_core` on a hybrid), `armv8_*` on Arm, named after the core or not."""
    devices = root / DEVICES
    x86 = (name for name in ("cpu", "cpu_core") if (devices / name).is_dir())
    arm = sorted(devices.glob("armv[89]_*"), key=lambda pmu: (0 not in _cpu_list(_text(pmu / "cpus")), pmu.name))
    return next(x86, arm[0].name if arm else None)


def _clock_hz(root: Path, cpufreq: list[Path]) -> tuple[int, ...] | None:
    clocks_khz = [_int(_text(cpu / "scaling_cur_freq")) for cpu in cpufreq]
    if any(clocks_khz):
        return tuple(khz * 1000 for khz in clocks_khz if khz)
    clocks_mhz = (_decimal(paragraph.get("cpu MHz")) for paragraph in _cpuinfo(root))
    return tuple(round(mhz * 1e6) for mhz in clocks_mhz if mhz) or None


def _temperature_celsius(root: Path) -> float | None:
    """The temperature of the zone named after the CPU, its package or the SoC, else of the first zone."""
    kinds, zones = ("cpu", "x86_pkg", "soc"), sorted(root.glob("sys/class/thermal/thermal_zone*"))
    named = (zone for kind in kinds for zone in zones if kind in (_text(zone / "type") or "").lower())
    millidegrees = _int(_text(next(named, root / "sys/class/thermal/thermal_zone0") / "temp"))
    return None if millidegrees is None else millidegrees / 1000


def _throttled(root: Path) -> int | None:
    told = output("vcgencmd", "get_throttled") if shutil.which("vcgencmd") else None
    bits = re.match(r"throttled=0x([0-9a-fA-F]+)", told or "")
    if bits:
        return int(bits[1], 16)
    # The copy of older kernels, whose driver clears bits 16-19 at every reading: unset, they say nothing here.
    copies = root.glob("sys/devices/platform/soc*/soc*:firmware/get_throttled")
    return next((_int(_text(copy), 16) for copy in copies), None)
