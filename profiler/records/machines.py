"""Machines: what one is, the state it is in, and one whose caches are simulated."""

from typing import Literal

from profiler.records.base import Record

NOT_TOLD = "not told"
"""Stands in a field of an imported study that its source says nothing of."""


class MachineState(Record, frozen=True, kw_only=True):
    """What may have moved between two runs. None where this machine does not tell.

    Attributes:
        throttled: Bits of the firmware's `get_throttled` (0-3 now, 16-19 since boot).
    """

    at: str
    load_1min: float | None = None
    clock_hz: tuple[int, ...] | None = None
    governor: str | None = None
    temperature_celsius: float | None = None
    throttled: int | None = None
    memory_available_bytes: int | None = None
    swap_used_bytes: int | None = None


class Cache(Record, frozen=True, kw_only=True):
    """One cache.

    Attributes:
        shared_by: How many of the machine's CPUs use it.
        source: Where the figures come from (`sysfs`, or the document behind a table).
    """

    level: int
    type: Literal["Data", "Instruction", "Unified"]
    size_bytes: int
    ways: int | None
    line_bytes: int | None
    shared_by: int | None
    source: str


class Machine(Record, frozen=True, kw_only=True):
    """The facts that must agree before two runs share a table.

    Attributes:
        uarch: Key of the event catalogue (`cortex-a76`), or `generic`.
        pmu: Name of the core's PMU in sysfs; None where the kernel shows none.
        virtual: The hypervisor, where one is known to be there.
    """

    arch: str
    cpu: str
    uarch: str
    cpus: int
    board: str | None
    caches: tuple[Cache, ...]
    memory_bytes: int | None
    page_bytes: int
    kernel: str
    system: str
    virtual: str | None
    pmu: str | None
    perf_version: str | None
    perf_event_paranoid: int | None
    python: str


class Target(Record, frozen=True, kw_only=True):
    """The machine whose caches are simulated.

    Attributes:
        key: `pi5`, `pi4`, `pi3`, `host`, or the stem of a machine file.
        uarch: Key of the event catalogue.
        emulated_cpu: QEMU's name of the core, for running its own instruction set; None where there is none.
        latency_cycles: From load to use, by level (`l1d`, `l2`, `l3`, `memory`); only those known.
        prefetch: The prefetcher's `kind` and its parameters.
        source: The machine file's name, or `sysfs`.
    """

    key: str
    title: str
    uarch: str
    cpus: int
    caches: tuple[Cache, ...]
    emulated_cpu: str | None
    latency_cycles: dict[str, float]
    latency_source: str
    prefetch: dict[str, int | str]
    source: str
