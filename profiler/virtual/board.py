"""The boards: what the kernel of each shows of its CPUs, as files for the guest to read.

Engines choose their code by it: which core, how many, and how large the caches are. Without it they would choose by the
host's.
"""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from profiler.errors import ProfilerError
from profiler.machine import targets
from profiler.records import Cache, Record, Target
from profiler.virtual.guest import SITE

_DATA = Path(__file__).parent.parent / "data" / "virtual"
_CPUS = Path("sys/devices/system/cpu")


class _Clocks(Record, frozen=True):
    min_khz: int
    max_khz: int


class Board(NamedTuple):
    """A board that can be emulated.

    Attributes:
        cpu: QEMU's name of its core.
    """

    key: str
    cpu: str
    target: Target
    clocks: _Clocks
    cpuinfo: str


def known() -> tuple[str, ...]:
    """The boards, the newest first."""
    return tuple(_clocks())


def find(key: str) -> Board:
    """The board of that key.

    Raises:
        ProfilerError: There is none.
    """
    clocks = _clocks().get(key)
    if clocks is None:
        raise ProfilerError(f"there is no virtual board '{key}'", f"use one of {', '.join(known())}")
    target = targets.find(key)
    assert target.emulated_cpu is not None
    return Board(key, target.emulated_cpu, target, clocks, (_DATA / f"{key}.cpuinfo").read_text())


def _clocks() -> dict[str, _Clocks]:
    return msgspec.convert(tomllib.loads((_DATA / "boards.toml").read_text()), dict[str, _Clocks])


def build(folder: Path, board: Board, system: Path, site: Path) -> None:
    """Makes `folder` the root of the board's file system: links to the system and the packages, and its own files.

    Args:
        system: Path of the unpacked system, as seen from `folder`.
        site: Path of the packages, as seen from `folder`.
    """
    for entry in sorted((folder / system).iterdir()):
        if entry.is_dir():
            (folder / entry.name).symlink_to(system / entry.name)
    # A package that asks for its own real path (OpenCV) must get one that the guest can open: the host's.
    (folder / SITE.lstrip("/")).symlink_to((folder / site).resolve())
    for name, text in {"proc/cpuinfo": board.cpuinfo, **_sysfs(board)}.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def _sysfs(board: Board) -> dict[str, str]:
    """Linux's ABI/stable/sysfs-devices-system-cpu and ABI/testing/sysfs-devices-system-cpu, of what engines read."""
    cpus = board.target.cpus
    everyone = _cpu_list(range(cpus))
    texts = {"possible": everyone, "present": everyone, "online": everyone, "kernel_max": str(cpus - 1)}
    for cpu in range(cpus):
        # The boards' device trees know no clusters: each CPU is then one of its own.
        texts |= {
            f"cpu{cpu}/topology/physical_package_id": "0",
            f"cpu{cpu}/topology/core_id": str(cpu),
            f"cpu{cpu}/topology/thread_siblings_list": str(cpu),
            f"cpu{cpu}/topology/core_cpus_list": str(cpu),
            f"cpu{cpu}/topology/cluster_cpus_list": str(cpu),
            f"cpu{cpu}/topology/core_siblings_list": everyone,
            f"cpu{cpu}/topology/package_cpus_list": everyone,
            f"cpu{cpu}/cpufreq/cpuinfo_min_freq": str(board.clocks.min_khz),
            f"cpu{cpu}/cpufreq/cpuinfo_max_freq": str(board.clocks.max_khz),
        }
        for index, cache in enumerate(board.target.caches):
            texts |= {f"cpu{cpu}/cache/index{index}/{name}": text for name, text in _cache(cache, cpu).items()}
    return {str(_CPUS / name): f"{text}\n" for name, text in texts.items()}


def _cache(cache: Cache, cpu: int) -> dict[str, str]:
    assert cache.ways
    assert cache.line_bytes
    assert cache.shared_by
    first = cpu - cpu % cache.shared_by
    users = range(first, first + cache.shared_by)
    return {
        "level": str(cache.level),
        "type": cache.type,
        "size": f"{cache.size_bytes // 1024}K",
        "ways_of_associativity": str(cache.ways),
        "coherency_line_size": str(cache.line_bytes),
        "number_of_sets": str(cache.size_bytes // cache.ways // cache.line_bytes),
        "shared_cpu_list": _cpu_list(users),
        "shared_cpu_map": f"{sum(1 << user for user in users):x}",
    }


def _cpu_list(cpus: Sequence[int]) -> str:
    return f"{cpus[0]}-{cpus[-1]}" if len(cpus) > 1 else str(cpus[0])
