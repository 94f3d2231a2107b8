"""What all records are, and what is counted: events, counts, the cells of a sweep."""

from typing import Literal, TypeVar

import msgspec

Quality = Literal["exact", "proxy", "unsupported"]
EventKind = Literal["hardware", "software", "tool"]
Status = Literal["counted", "not_counted", "not_supported", "simulated"]
Outcome = Literal["ok", "failed", "timeout"]
Region = Literal["process", "import", "load", "images", "first", "warmup", "inference", "live"]

PHASES: tuple[Region, ...] = ("import", "load", "images", "first", "warmup", "inference")
"""The worker's phases in the order in which they run; `process` is all of them and the interpreter. `live` is no phase:
a window of a live session's frames, with all that the process does meanwhile."""


class Record(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Base of all records."""


R = TypeVar("R")


def to_json(record: Record) -> bytes:
    """The record as one line of JSON without the line's end."""
    return msgspec.json.encode(record)


def from_json(kind: type[R], text: bytes | str) -> R:
    """The record in `text`, or the plain value of this type.

    Raises:
        msgspec.DecodeError: Not JSON, or nothing of this kind (`ValidationError`, its subclass).
    """
    try:
        return msgspec.json.decode(text, type=kind)
    except UnicodeDecodeError as error:
        raise msgspec.DecodeError(f"no UTF-8: {error.reason}") from error


class Event(Record, frozen=True, kw_only=True):
    """One event as a core has it.

    Attributes:
        name: The stored key, in perf's spelling (`l2d_cache_refill`, `LLC-loads`).
        metric: The question it answers on every core (`l2d_refill`, `llc_load`), or the name itself.
        kind: Who counts it: the PMU, the kernel, or perf itself.
        quality: `exact`, `proxy` (a neighbour, kept under its own name) or `unsupported`.
        encoding: What perf is given, before a modifier; None where the core lacks the event.
        meaning: What it counts on this core, in a sentence.
    """

    name: str
    metric: str
    kind: EventKind
    quality: Quality
    encoding: str | None
    meaning: str


class Count(Record, frozen=True, kw_only=True):
    """What was counted of one event in one run.

    Attributes:
        event: The event's name.
        value: The count, whole except where it was scaled, or None with a `reason`.
        unit: "" for occurrences, "ns" for times.
        running_percent: Share of the region in which a counter was on the event; below 100 the value is scaled.
        source: Who counted: `perf`, `wait4` (rusage of the ended process), `getrusage` (the worker at a phase's ends),
            `qemu` or `valgrind` (simulated).
        reason: Why there is no value.
        estimated: Scaled up from a share of the region that nobody noted (an imported count).
    """

    event: str
    value: int | float | None
    unit: str
    status: Status
    source: str
    running_percent: float | None = None
    reason: str | None = None
    estimated: bool = False


class Case(Record, frozen=True, kw_only=True):
    """One cell of a sweep: all that must be equal for two runs to be repeats of each other.

    Attributes:
        model: The model's label in the study.
        images: Images inferred in the steady phase.
        region: What was counted.
        group: Names of the hardware events counted together in this pass; empty where there are none.
        simulator: The simulator the process ran under; None where it ran on this machine itself.
    """

    model: str
    images: int
    region: Region
    group: tuple[str, ...] = ()
    simulator: str | None = None
