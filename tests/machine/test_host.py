import dataclasses
import functools
import tomllib
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.machine import host
from profiler.machine.events import core, recognise
from profiler.records import Cache, Machine, from_json, to_json

ARM_PROCESSOR = """processor\t: {number}
BogoMIPS\t: 108.00
Features\t: fp asimd evtstrm crc32 cpuid
CPU implementer\t: {implementer}
CPU architecture: 8
CPU variant\t: 0x4
CPU part\t: {part}
CPU revision\t: 1

"""
PI_BOARD = "Revision\t: d04170\nSerial\t\t: 0000000000000000\nModel\t\t: {board}\n"
X86_PROCESSOR = """processor\t: {number}
vendor_id\t: AuthenticAMD
cpu family\t: 26
model\t\t: 2
model name\t: AMD EPYC
stepping\t: 1
cpu MHz\t\t: 2596.118
flags\t\t: fpu vme{flags} lahf_lm
power management:

"""
MEMINFO = """MemTotal:        8245888 kB
MemAvailable:    7000000 kB
HugePages_Total:       0
SwapTotal:        204800 kB
SwapFree:         102400 kB
"""
CPU0_CACHE = "sys/devices/system/cpu/cpu0/cache"
PMUS = "sys/bus/event_source/devices"
KIB = 1024

Programs = Callable[[str, str], Path]


@dataclasses.dataclass
class Tree:
    """A made tree of files below `root`, named as on the machine it stands for."""

    root: Path

    def write(self, files: dict[str, str]) -> None:
        for name, text in files.items():
            path = self.root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)

    def cache(self, index: int, level: int, kind: str, size: str | None, ways: int = 0, cpus: str = "0") -> None:
        facts = {"level": f"{level}", "type": kind, "shared_cpu_list": cpus}
        if size:
            facts |= {"size": size, "ways_of_associativity": f"{ways}", "coherency_line_size": "64"}
        self.write({f"{CPU0_CACHE}/index{index}/{name}": f"{text}\n" for name, text in facts.items()})

    def arm(self, board: str, part: str, implementer: str = "0x41") -> None:
        processors = [ARM_PROCESSOR.format(number=number, part=part, implementer=implementer) for number in range(4)]
        self.write(
            {
                "proc/cpuinfo": "".join(processors),
                "proc/device-tree/model": f"{board}\0",
                "proc/meminfo": MEMINFO,
                "proc/sys/kernel/arch": "aarch64\n",
                "proc/sys/kernel/osrelease": "6.12.25+rpt-rpi-2712\n",
                "proc/sys/kernel/perf_event_paranoid": "2\n",
                "sys/devices/system/cpu/online": "0-3\n",
                "etc/os-release": 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\n',
            }
        )

    def pi5(self) -> None:
        self.arm("Raspberry Pi 5 Model B Rev 1.0", "0xd0b")
        self.write({f"{PMUS}/armv8_cortex_a76/cpus": "0-3\n", f"{PMUS}/software/type": "1\n"})

    def x86(self, flags: str = " hypervisor") -> None:
        processors = "".join(X86_PROCESSOR.format(number=number, flags=flags) for number in range(2))
        self.write({"proc/cpuinfo": processors, "sys/devices/system/cpu/online": "0-1\n"})


@pytest.fixture
def tree(tmp_path: Path) -> Tree:
    return Tree(tmp_path / "root")


@pytest.fixture(autouse=True)
def programs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Programs:
    """Makes shell scripts in a folder that is all of PATH."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def program(name: str, script: str) -> Path:
        path = folder / name
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    return program


def test_pi5_with_caches_in_sysfs(tree: Tree, programs: Programs) -> None:
    tree.pi5()
    tree.cache(0, 1, "Data", "64K", ways=4)
    tree.cache(1, 1, "Instruction", "64K", ways=4)
    tree.cache(2, 2, "Unified", "512K", ways=8)
    tree.cache(3, 3, "Unified", "2048K", ways=16, cpus="0-3")
    programs("perf", "echo perf version 6.12.25")

    facts = host.describe(tree.root)

    assert (facts.arch, facts.cpu, facts.uarch, facts.cpus) == ("aarch64", "Cortex-A76", "cortex-a76", 4)
    assert (facts.board, facts.virtual, facts.pmu) == ("Raspberry Pi 5 Model B Rev 1.0", None, "armv8_cortex_a76")
    assert (facts.kernel, facts.system) == ("6.12.25+rpt-rpi-2712", "Debian GNU/Linux 12 (bookworm)")
    assert (facts.perf_version, facts.perf_event_paranoid) == ("6.12.25", 2)
    assert facts.memory_bytes == 8245888 * KIB
    assert [cache.size_bytes // KIB for cache in facts.caches] == [64, 64, 512, 2048]
    assert facts.caches[3] == Cache(
        level=3, type="Unified", size_bytes=2048 * KIB, ways=16, line_bytes=64, shared_by=4, source="sysfs"
    )


def test_board_table_serves_where_sysfs_has_no_sizes(tree: Tree) -> None:
    tree.pi5()
    tree.cache(0, 1, "Data", None)
    tree.cache(1, 2, "Unified", None)

    caches = host.describe(tree.root).caches

    assert [(cache.level, cache.type, cache.size_bytes // KIB, cache.shared_by) for cache in caches] == [
        (1, "Data", 64, 1),
        (1, "Instruction", 64, 1),
        (2, "Unified", 512, 1),
        (3, "Unified", 2048, 4),
    ]
    assert all("bcm2712.dtsi" in cache.source for cache in caches)


def test_board_named_by_cpuinfo_alone(tree: Tree) -> None:
    processor = ARM_PROCESSOR.format(number=0, part="0xd08", implementer="0x41")
    tree.write({"proc/cpuinfo": processor + PI_BOARD.format(board="Raspberry Pi 4 Model B Rev 1.5")})

    facts = host.describe(tree.root)

    assert (facts.cpu, facts.uarch, facts.cpus, facts.pmu) == ("Cortex-A72", "cortex-a72", 1, None)
    assert facts.board == "Raspberry Pi 4 Model B Rev 1.5"
    assert [cache.size_bytes // KIB for cache in facts.caches] == [32, 48, 1024]


@pytest.mark.parametrize("board", ["FriendlyElec NanoPC-T6", "Raspberry Pi 5 Model B Rev 1.0 (QEMU virt)"])
def test_same_core_on_no_such_board_has_no_table(tree: Tree, board: str) -> None:
    tree.arm(board, "0xd0b")

    facts = host.describe(tree.root)

    assert (facts.uarch, facts.caches) == ("cortex-a76", ())


@pytest.mark.parametrize(
    ("implementer", "part", "name"),
    [
        ("0x41", "0xd08", "Cortex-A72"),
        ("0x41", "0xfff", "arm, part 0xfff"),
        ("0x61", "0x22", "implementer 0x61, part 0x022"),
    ],
)
def test_arm_core_name(tree: Tree, implementer: str, part: str, name: str) -> None:
    tree.arm("A board", part, implementer)
    assert host.describe(tree.root).cpu == name


@pytest.mark.parametrize("file", sorted(host.MACHINES.glob("*.toml")), ids=lambda file: file.stem)
def test_board_table_is_consistent(file: Path, tree: Tree) -> None:
    table = tomllib.loads(file.read_text())
    part = table["recognise"]["part"]
    assert recognise("arm", part=part) == table["uarch"]
    assert core(table["uarch"]).title == table["core"]
    for board in table["recognise"]["boards"]:
        tree.arm(f"{board} Rev 1.0", f"{part:#x}")
        assert len(host.describe(tree.root).caches) == len(table["cache"])


def test_board_tables_give_the_sets_of_the_device_trees() -> None:
    sets = {
        (file.stem, cache["level"], cache["type"]): cache["size_bytes"] / (cache["ways"] * cache["line_bytes"])
        for file in host.MACHINES.glob("*.toml")
        for cache in tomllib.loads(file.read_text())["cache"]
    }
    assert sets == {
        ("pi5", 1, "Data"): 256,
        ("pi5", 1, "Instruction"): 256,
        ("pi5", 2, "Unified"): 1024,
        ("pi5", 3, "Unified"): 2048,
        ("pi4", 1, "Data"): 256,
        ("pi4", 1, "Instruction"): 256,
        ("pi4", 2, "Unified"): 1024,
        ("pi3", 1, "Data"): 128,
        ("pi3", 1, "Instruction"): 256,
        ("pi3", 2, "Unified"): 512,
    }


def test_x86_virtual_machine(tree: Tree) -> None:
    tree.x86()
    tree.cache(0, 1, "Data", "48K", ways=12)
    tree.cache(1, 3, "Unified", "32768K", ways=0, cpus="0-1")
    tree.write({f"{PMUS}/software/type": "1", host.CLOCKS: "tsc kvm-clock \n"})

    facts = host.describe(tree.root)

    assert (facts.cpu, facts.cpus, facts.board, facts.virtual) == ("AMD EPYC", 2, None, "KVM")
    assert facts.uarch == recognise("AuthenticAMD", family=26, model=2, stepping=1)
    assert (facts.pmu, facts.perf_version, facts.perf_event_paranoid) == (None, None, None)
    assert facts.system == "Linux"
    assert [(cache.size_bytes // KIB, cache.ways, cache.shared_by) for cache in facts.caches] == [
        (48, 12, 1),
        (32768, None, 2),
    ]


@pytest.mark.parametrize(
    ("flags", "vendor", "product", "virtual"),
    [
        ("", "Amazon EC2", "c5.metal", None),
        ("", "LENOVO", "20XW", None),
        (" hypervisor", "unheard of", "", "a hypervisor"),
        (" hypervisor", "Microsoft Corporation", "Virtual Machine", "Hyper-V"),
        (" hypervisor", "Amazon EC2", "c5.large", "Amazon EC2"),
        (" hypervisor", "QEMU", "Standard PC (Q35 + ICH9, 2009)", "QEMU"),
    ],
)
def test_hypervisor_on_x86(tree: Tree, flags: str, vendor: str, product: str, virtual: str | None) -> None:
    tree.x86(flags)
    tree.write({f"{host.DMI}/sys_vendor": vendor, f"{host.DMI}/product_name": product})

    facts = host.describe(tree.root)

    assert (facts.virtual, facts.board) == (virtual, product or None)


@pytest.mark.parametrize(
    ("board", "vendor", "product", "virtual"),
    [
        ("Raspberry Pi 5 Model B Rev 1.0", "", "", None),
        ("Raspberry Pi 5 Model B Rev 1.0 (QEMU virt)", "", "", "QEMU"),
        ("linux,dummy-virt", "", "", "a hypervisor"),
        ("", "Amazon EC2", "m6g.large", "Amazon EC2"),
        ("", "Amazon EC2", "m6g.metal", None),
        ("", "Google", "Google Compute Engine", "Google Compute Engine"),
    ],
)
def test_hypervisor_on_arm(tree: Tree, board: str, vendor: str, product: str, virtual: str | None) -> None:
    tree.arm(board, "0xd0c")
    tree.write({f"{host.DMI}/sys_vendor": vendor, f"{host.DMI}/product_name": product})
    assert host.describe(tree.root).virtual == virtual


@pytest.mark.parametrize(
    ("pmus", "expected"),
    [
        ({"cpu/type": "4"}, "cpu"),
        ({"cpu_atom/type": "10", "cpu_core/type": "4"}, "cpu_core"),
        ({"armv8_pmuv3_0/cpus": "0-3"}, "armv8_pmuv3_0"),
        ({"armv8_cortex_a55/cpus": "4-7", "armv8_cortex_a76/cpus": "0-3"}, "armv8_cortex_a76"),
        ({"arm_dsu_0/type": "12", "software/type": "1"}, None),
    ],
)
def test_pmu(tree: Tree, pmus: dict[str, str], expected: str | None) -> None:
    tree.write({f"{PMUS}/{name}": text for name, text in pmus.items()})
    assert host.describe(tree.root).pmu == expected


def test_pmu_events(tree: Tree) -> None:
    files = {"cpu_cycles": "event=0x0011\n", "l1d_cache": "event=0x0004\n", "l1d_cache.scale": "64\n", "odd": "\n"}
    tree.write({f"{PMUS}/armv8_cortex_a76/events/{name}": text for name, text in files.items()})
    assert host.pmu_events("armv8_cortex_a76", tree.root) == {0x11, 0x04}
    assert host.pmu_events("cpu", tree.root) == frozenset()


@pytest.mark.parametrize(
    ("arch", "text", "held"),
    [("x86_64", "1\n", True), ("x86_64", "0\n", False), ("x86_64", "", False), ("aarch64", "1\n", False)],
)
def test_nmi_watchdog(tree: Tree, arch: str, text: str, held: bool) -> None:
    tree.write({"proc/sys/kernel/arch": f"{arch}\n", "proc/sys/kernel/nmi_watchdog": text})
    assert host.nmi_watchdog(tree.root) is held


def test_state_of_a_pi(tree: Tree, programs: Programs) -> None:
    tree.pi5()
    policies = {
        0: ("2400000", "ondemand"),
        1: ("2400000", "ondemand"),
        2: ("1500000", "ondemand"),
        3: ("1500000", "powersave"),
    }
    for cpu, (clock, governor) in policies.items():
        folder = f"sys/devices/system/cpu/cpu{cpu}/cpufreq"
        tree.write({f"{folder}/scaling_cur_freq": f"{clock}\n", f"{folder}/scaling_governor": f"{governor}\n"})
    tree.write(
        {
            "proc/loadavg": "0.25 0.10 0.05 1/187 6543\n",
            "sys/class/thermal/thermal_zone0/type": "rp1_adc\n",
            "sys/class/thermal/thermal_zone0/temp": "99000\n",
            "sys/class/thermal/thermal_zone1/type": "cpu-thermal\n",
            "sys/class/thermal/thermal_zone1/temp": "52350\n",
        }
    )
    programs("vcgencmd", '[ "$1" = get_throttled ] && echo throttled=0x50005')

    now = host.state(tree.root)

    assert now.load_1min == 0.25
    assert now.clock_hz == (2_400_000_000, 2_400_000_000, 1_500_000_000, 1_500_000_000)
    assert now.governor == "ondemand,powersave"
    assert now.temperature_celsius == 52.35
    assert now.throttled == 0x50005
    assert now.memory_available_bytes == 7_000_000 * KIB
    assert now.swap_used_bytes == 102_400 * KIB
    assert datetime.fromisoformat(now.at).utcoffset() is not None


def test_x86_clock_without_cpufreq(tree: Tree) -> None:
    tree.x86()
    assert host.state(tree.root).clock_hz == (2_596_118_000, 2_596_118_000)


def test_first_thermal_zone_where_none_is_named_after_the_cpu(tree: Tree) -> None:
    tree.write(
        {
            "sys/class/thermal/thermal_zone0/type": "acpitz",
            "sys/class/thermal/thermal_zone0/temp": "27800",
            "sys/class/thermal/thermal_zone1/type": "iwlwifi_1",
            "sys/class/thermal/thermal_zone1/temp": "40000",
        }
    )
    assert host.state(tree.root).temperature_celsius == 27.8


@pytest.mark.parametrize(
    "script", [None, "echo 'VCHI initialization failed'; exit 255", "echo throttled=", "exec /no/such"]
)
@pytest.mark.parametrize("soc", ["soc/soc:firmware", "soc@107c000000/soc@107c000000:firmware"])
def test_throttling_from_the_kernel_where_vcgencmd_does_not_say(
    tree: Tree, programs: Programs, script: str | None, soc: str
) -> None:
    tree.write({f"sys/devices/platform/{soc}/get_throttled": "80008\n"})
    if script:
        programs("vcgencmd", script)
    assert host.state(tree.root).throttled == 0x80008


def test_no_throttling_is_not_unknown_throttling(tree: Tree, programs: Programs) -> None:
    assert host.state(tree.root).throttled is None
    programs("vcgencmd", "echo throttled=0x0")
    assert host.state(tree.root).throttled == 0


def test_throttled_text() -> None:
    assert host.throttled_text(0) == ()
    assert host.throttled_text(0x50005) == (
        "under-voltage now",
        "throttled now",
        "under-voltage since boot",
        "throttled since boot",
    )
    assert host.throttled_text(0xA000A) == (
        "Arm frequency capped now",
        "soft temperature limit now",
        "Arm frequency capped since boot",
        "soft temperature limit since boot",
    )


def test_perf_on_path_is_first(programs: Programs) -> None:
    perf = programs("perf", 'echo "perf version 6.1.187"')
    programs("perf_6.12", 'echo "perf version 6.12.95"')
    assert host.find_perf() == str(perf)
    assert host.perf_version(str(perf)) == (6, 1, 187)


def test_newest_numbered_perf_where_the_wrapper_fails(programs: Programs) -> None:
    programs("perf", 'echo "/usr/bin/perf: line 13: exec: perf_5.15: not found" >&2; exit 127')
    programs("perf_5.9", "echo perf version 5.9.16")
    newest = programs("perf_5.10", "echo perf version 5.10.262")
    programs("perf_6.1", "exit 1")
    assert host.find_perf() == str(newest)


def test_no_perf(programs: Programs) -> None:
    assert host.find_perf() is None
    programs("perf", "echo something else")
    assert host.find_perf() is None
    assert host.perf_version("/no/such/perf") is None


def test_perf_speaks_the_c_locale(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    perf = programs("perf", '[ "$LC_ALL" = C ] && echo perf version 6.12.95')
    assert host.perf_version(str(perf)) == (6, 12, 95)


def test_hanging_program_is_given_up(programs: Programs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(host, "output", functools.partial(host.output, limit_s=0.1))
    perf = programs("perf", "echo perf version 6.1.187; while :; do :; done")
    assert host.perf_version(str(perf)) is None


def test_empty_tree(tree: Tree) -> None:
    facts = host.describe(tree.root)
    assert (facts.cpu, facts.cpus, facts.caches, facts.system) == ("unknown", 1, (), "Linux")
    assert (facts.board, facts.virtual, facts.pmu, facts.memory_bytes, facts.perf_version) == (None,) * 5
    now = host.state(tree.root)
    assert to_json(now) == to_json(type(now)(at=now.at))


FILES = (
    "proc/cpuinfo",
    "proc/device-tree/model",
    "proc/loadavg",
    "proc/meminfo",
    "proc/sys/kernel/perf_event_paranoid",
    "etc/os-release",
    "sys/class/thermal/thermal_zone0/temp",
    "sys/devices/platform/soc/soc:firmware/get_throttled",
    "sys/devices/system/cpu/online",
    "sys/devices/system/cpu/cpu0/cpufreq/scaling_cur_freq",
    *(f"{CPU0_CACHE}/index0/{name}" for name in ("level", "type", "size", "ways_of_associativity", "shared_cpu_list")),
)
MALFORMED = [
    b"",
    b"\0",
    b"\n\n",
    b":",
    b"=",
    b"-1",
    b"<unknown>",
    b"4K",
    b"1e9",
    b"nan",
    b"\xff\xfe",
    b"0-",
    b"9" * 5000,
]


@pytest.mark.parametrize("content", MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_files_never_raise(tree: Tree, content: bytes) -> None:
    tree.write(dict.fromkeys(FILES, ""))
    for name in FILES:
        (tree.root / name).write_bytes(content)
    facts, now = host.describe(tree.root), host.state(tree.root)
    assert (facts.caches, facts.memory_bytes, now.memory_available_bytes) == ((), None, None)


def test_malformed_values_in_well_formed_lines(tree: Tree) -> None:
    tree.write(
        {
            "proc/cpuinfo": "processor : x\nvendor_id : GenuineIntel\ncpu family : six\nmodel : \ncpu MHz : inf\n",
            "proc/meminfo": "MemTotal: lots kB\nMemAvailable: 12\nSwapTotal: 5 kB\n",
        }
    )
    facts, now = host.describe(tree.root), host.state(tree.root)
    assert (facts.cpu, facts.memory_bytes) == ("unknown", None)
    assert (now.clock_hz, now.memory_available_bytes, now.swap_used_bytes) == (None, None, None)


def test_directories_in_place_of_files(tree: Tree) -> None:
    for name in FILES:
        (tree.root / name).mkdir(parents=True)
    assert host.describe(tree.root).board is None


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(0, 9)), min_size=1))
def test_cpu_list_of_ranges(ranges: list[tuple[int, int]]) -> None:
    text = ",".join(f"{first}-{first + more}" if more else f"{first}" for first, more in ranges)
    assert host._cpu_list(text) == tuple(cpu for first, more in ranges for cpu in range(first, first + more + 1))


@given(st.text(alphabet="0123456789-,x \n"))
def test_cpu_list_of_anything(text: str) -> None:
    assert all(cpu in range(100_000) for cpu in host._cpu_list(text))


def test_this_machine_survives_json(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    facts = host.describe()
    assert from_json(Machine, to_json(facts)) == facts
    assert facts.cpus >= len(host.usable_cpus()) >= 1
    assert facts.memory_bytes is not None
    now = host.state()
    assert from_json(type(now), to_json(now)) == now
