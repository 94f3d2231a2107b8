"""Counter sources: who counts. A source says what it can count here, how a command is started under it, and what it
counted.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from profiler.errors import ProfilerError
from profiler.records import Count, Event, Machine, Region


class UnusableError(ProfilerError):
    """A source cannot count anything here, so another one may."""


class Survey(NamedTuple):
    """What a source can count on this machine.

    Attributes:
        scope: `user+kernel`, or `user` where the kernel's part is refused.
        absent: Why an event cannot be counted, by its name.
        groups: Hardware events that fit the counters together; one empty group where there are none.
        notes: What a reader of the counts must be told once.
    """

    scope: str
    absent: dict[str, str]
    groups: tuple[tuple[str, ...], ...]
    notes: tuple[str, ...]


class Launch(NamedTuple):
    """How to start a process so that it is counted."""

    argv: tuple[str, ...]
    environment: dict[str, str]
    pass_fds: tuple[int, ...]


class CounterSource(Protocol):
    """A way of counting events of a process or of a region in it."""

    name: str

    def survey(self, events: Sequence[Event], machine: Machine, regions: Sequence[Region]) -> Survey:
        """Tries each event; keeps what it needs to know of them for `launch`.

        Raises:
            UnusableError: The source cannot count anything here, or not these regions.
            ProfilerError: One of the events is no event at all.
        """

    def launch(
        self, command: Sequence[str], group: Sequence[str], region: Region, raw: Path
    ) -> AbstractContextManager[Launch]:
        """What starts `command` counted; open as long as the process lives. The counts go to `raw`."""

    def read(self, raw: Path, group: Sequence[str]) -> tuple[Count, ...]:
        """The counts in `raw`; an event of `group` that is not there is `not_counted` with the reason."""


SOURCES = {"perf": "profiler.counters.perf", "software": "profiler.counters.software"}
"""A source's name to its module, which has `open()`."""

AUTO = "auto"
"""perf where it works at all, else software."""


def choose(
    name: str, events: Sequence[Event], machine: Machine, regions: Sequence[Region]
) -> tuple[CounterSource, Survey]:
    """The source asked for, surveyed; with `auto` the best that counts here, and a note where that is not perf.

    Raises:
        ProfilerError: The source asked for by name cannot count here, or an event is no event at all.
    """
    if name != AUTO:
        return _surveyed(name, events, machine, regions)
    try:
        return _surveyed("perf", events, machine, regions)
    except UnusableError as error:
        source, survey = _surveyed("software", events, machine, regions)
        return source, survey._replace(notes=(f"perf cannot count here: {error}.", *survey.notes))


def _surveyed(
    name: str, events: Sequence[Event], machine: Machine, regions: Sequence[Region]
) -> tuple[CounterSource, Survey]:
    source: CounterSource = import_module(SOURCES[name]).open()
    return source, source.survey(events, machine, regions)
