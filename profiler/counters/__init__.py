"""Counter sources: who counts. A source says what it can count here, how a command is started under it, and what it
counted.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from typing import NamedTuple, Protocol

from profiler.counters.reuse_distance import Reuse
from profiler.errors import ProfilerError
from profiler.records import Count, Event, Machine, Region, Target
from profiler.virtual import Virtual


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


class Setup(NamedTuple):
    """What a simulator is to model.

    Attributes:
        cores: Simulated cores, each with the target's private caches; thread i runs on core i modulo `cores`.
        virtual: The virtual board whose own programs run; None where this machine's own do.
        reuse: Reuse distances to sample in the same pass, which qemu can; None for none.
    """

    target: Target
    cores: int
    virtual: Virtual | None
    reuse: Reuse | None = None


class Simulator(CounterSource, Protocol):
    """A source that counts in a model. Its scope is `user`: no kernel runs in it.

    Attributes:
        version: As it names itself (`QEMU 7.2.22`).
        arch: The instruction set that runs (`x86_64`, `aarch64`).
        prefetches: Whether it models the target's prefetcher.
    """

    version: str
    arch: str
    prefetches: bool


SOURCES = {"perf": "profiler.counters.perf", "software": "profiler.counters.software"}
"""A source's name to its module, which has `open()`."""

SIMULATORS = {"qemu": "profiler.counters.qemu", "valgrind": "profiler.counters.valgrind"}
"""A simulator's name to its module, which has `open(setup)`: UnusableError where it cannot run here. Best first."""

AUTO = "auto"
"""perf where it counts hardware events; else with the first simulator that runs here beside it."""


def choose(
    name: str, events: Sequence[Event], machine: Machine, regions: Sequence[Region]
) -> tuple[CounterSource, Survey]:
    """The source of that name, surveyed; for any other name the best that counts on this machine, noted if not perf.

    Raises:
        ProfilerError: The source asked for by name cannot count here, or an event is no event at all.
    """
    if name in SOURCES:
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


def choose_simulator(name: str, setup: Setup) -> tuple[Simulator, tuple[str, ...]]:
    """The simulator of that name; with `auto` the first that runs here, and why those before it do not.

    Raises:
        UnusableError: The one asked for cannot run here, or none can.
    """
    reasons: list[str] = []
    for candidate in SIMULATORS if name == AUTO else (name,):
        try:
            simulator: Simulator = import_module(SIMULATORS[candidate]).open(setup)
        except UnusableError as error:
            if name != AUTO:
                raise
            reasons.append(str(error))
        else:
            return simulator, tuple(reasons)
    raise UnusableError(f"no simulator runs here ({'; '.join(reasons)})", "see `profiler doctor`")
