"""What the kernel accounts for every process without perf: times, page faults, context switches."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from profiler.counters import Launch, Survey
from profiler.records import Count, Event, Machine, Region, Usage

_FIELDS = {
    "task-clock": ("cpu_ns", "ns"),
    "duration_time": ("wall_ns", "ns"),
    "user_time": ("user_ns", "ns"),
    "system_time": ("system_ns", "ns"),
    "page-faults": ("page_faults", ""),
    "context-switches": ("context_switches", ""),
}


def counts(usage: Usage, source: str) -> tuple[Count, ...]:
    """The events that `usage` answers, as counts of `source` (`wait4` or `getrusage`)."""
    return tuple(
        Count(event=event, value=getattr(usage, field), unit=unit, status="counted", source=source)
        for event, (field, unit) in _FIELDS.items()
    )


def open() -> "Software":
    """The source; it is always there."""
    return Software()


class Software:
    """Counts by rusage alone; it adds nothing to the command."""

    name = "software"

    def survey(self, events: Sequence[Event], machine: Machine, regions: Sequence[Region]) -> Survey:  # noqa: ARG002
        absent = {event.name: "rusage knows no such event" for event in events if event.name not in _FIELDS}
        note = "Counted by rusage alone, without perf: times, page faults and context switches; no hardware event."
        return Survey("user+kernel", absent, ((),), (note,))

    @contextmanager
    def launch(self, command: Sequence[str], group: Sequence[str], region: Region, raw: Path) -> Iterator[Launch]:  # noqa: ARG002
        yield Launch(tuple(command), {}, ())

    def read(self, raw: Path, group: Sequence[str]) -> tuple[Count, ...]:  # noqa: ARG002
        return ()
