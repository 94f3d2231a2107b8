"""What the simulators share: how their counts are written, and what the programs under them are told."""

import os
from collections.abc import Mapping, Sequence

from profiler.records import Count

UNTIMED = "The simulation has no notion of time: no cycles, no stalls."
"""What both models leave out, as a note."""
_TUNABLES = "GLIBC_TUNABLES"
_NO_STRING_INSTRUCTIONS = "glibc.cpu.hwcaps=-ERMS"
"""Where the CPU does x86 string instructions fast, glibc fills memory with them. callgrind takes each repetition for an
instruction, a byte each (4 % of the instructions of a LiteRT inference), QEMU all of them for one. Without them, both
count the same."""


def tunables(arch: str) -> dict[str, str]:
    """What glibc must be told, beside what the user tells it."""
    told = (os.environ.get(_TUNABLES), _NO_STRING_INSTRUCTIONS)
    return {_TUNABLES: ":".join(filter(None, told))} if arch == "x86_64" else {}


def counts(
    group: Sequence[str], values: Mapping[str, int | float | None], source: str, reason: str
) -> tuple[Count, ...]:
    """The counts of a group's events; `reason` is of those without a value."""
    return tuple(_count(name, values.get(name), source, reason) for name in group)


def _count(name: str, value: int | float | None, source: str, reason: str) -> Count:
    return Count(
        event=name,
        value=value,
        unit="",
        status="not_counted" if value is None else "simulated",
        source=source,
        reason=reason if value is None else None,
    )
