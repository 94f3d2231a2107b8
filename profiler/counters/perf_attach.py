"""perf on this running process: what its threads cost in a window of time, exact to where the window begins and ends.

perf takes tens of milliseconds to start and a few to end. So each window has a perf of its own, started beforehand with
nothing enabled; its `--control` begins and ends the window, and that takes a fraction of a millisecond. One thread of
this process starts each perf and reads what it leaves. perf is given every thread but that one: an event is inherited
by what a counted thread starts, and so it counts new threads, and would count perf itself.

A perf looks once a second whether its threads are still there, and ends by itself where none is: it does not outlive
this process even where that is killed (until somebody has waited for it, a killed process is still there).
"""

import threading
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from profiler.counters import UnusableError, perf
from profiler.counters.perf_output import parse
from profiler.counters.perf_process import GoneError, Process
from profiler.errors import ProfilerError
from profiler.machine import events as catalogue
from profiler.records import Count, Event, Machine

METRICS = ("cycles", "instructions", "stall_backend", "stall_memory", "stall_frontend", "llc_load", "llc_load_miss")
"""What is asked of a core, most important first."""
START_LIMIT_S = 10.0
ANSWER_LIMIT_S = 2.0
"""perf answers within a millisecond; so long may a busy machine keep it from running."""
TRIES = 5
_QUALITIES = ("exact", "proxy", "unsupported")


class RestlessError(Exception):
    """Threads of this process began or ended each time that perf was attached to them."""


class Measured(NamedTuple):
    """A window's counts, and perf's own file of them; None where it was not counted."""

    counts: tuple[Count, ...]
    raw: Path | None


class Chosen(NamedTuple):
    """What is counted, and what is not.

    Attributes:
        group: Names of the events that are counted, all at once.
        events: What was wanted, most important first.
        absent: Why one of `events` is not counted, by its name.
        scope: `user+kernel`, or `user` where the kernel's part is refused.
        notes: What a reader of the counts must be told once.
    """

    group: tuple[str, ...]
    events: tuple[Event, ...]
    absent: dict[str, str]
    scope: str
    notes: tuple[str, ...]


def attach(machine: Machine, folder: Path) -> "Attached":
    """perf on this process, found to count; its files come to lie in `folder`.

    Raises:
        UnusableError: perf counts no hardware event here, or cannot be attached.
    """
    source = perf.open()
    attached = Attached(source, _choose(source, machine), folder)
    try:
        attached.wait()
    except (GoneError, RestlessError) as error:
        attached.close()
        raise UnusableError(f"perf cannot be attached to this process ({error})", "see `profiler doctor`") from error
    return attached


def _choose(source: perf.Perf, machine: Machine) -> Chosen:
    """The most important events that the counters hold at once."""
    events = _one_a_metric(machine)
    try:
        survey = source.survey(events, machine, ("live",))
    except UnusableError:
        raise
    except ProfilerError as error:
        raise UnusableError(error.cause, error.remedy) from error
    group = survey.groups[0]
    if not group:
        reason = survey.absent.get(events[0].name, "its PMU has none of those asked for")
        raise UnusableError(f"perf counts no hardware event here: {reason}", "see `profiler doctor`")
    full = f"left out: the counters hold {len(group)} of these events at once"
    left_out = {name: full for others in survey.groups[1:] for name in others if name not in group}
    return Chosen(group, events, survey.absent | left_out, survey.scope, survey.notes)


def _one_a_metric(machine: Machine) -> tuple[Event, ...]:
    """The core's best answer to each metric; of the further stalls the memory's where the core has it exactly."""
    best: dict[str, Event] = {}
    for event in catalogue.resolve(",".join(METRICS), catalogue.core(machine.uarch), machine.pmu):
        known = best.get(event.metric)
        if known is None or _QUALITIES.index(event.quality) < _QUALITIES.index(known.quality):
            best[event.metric] = event
    memory = best.get("stall_memory")
    best.pop("stall_frontend" if memory and memory.quality == "exact" else "stall_memory", None)
    return tuple(best.values())


class Attached:
    """Counts window after window of this process; a context. `begin` and `end` are for one thread.

    Attributes:
        lack: Why nothing is counted any more; None where counting goes on.
    """

    def __init__(self, source: perf.Perf, chosen: Chosen, folder: Path) -> None:
        self.chosen = chosen
        self.lack: str | None = None
        self._source, self._folder, self._number = source, folder, 0
        # Its one thread begins with the first job, before there is a perf that would count it.
        self._beside = ThreadPoolExecutor(1, "perf")
        self._now: Process | str = "no window was begun"
        self._next = self._beside.submit(self._start)

    def __enter__(self) -> "Attached":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def wait(self) -> None:
        """Until the next window's perf is ready.

        Raises:
            GoneError: perf refuses.
            RestlessError: The threads keep changing.
        """
        self._next.result()

    def begin(self) -> None:
        """Counts from here on, unless perf is not ready: nothing waits for it."""
        self._now = self._begun()

    def end(self) -> "Future[Measured]":
        """Counts no more. What was counted is read in another thread; where nothing was, the reason is there now."""
        now, self._now = self._now, "no window was begun"
        if isinstance(now, Process):
            try:
                now.tell("disable", ANSWER_LIMIT_S)
                return self._beside.submit(self._read, now)
            except GoneError as error:
                now.kill()
                now = self._give_up(error)
        found: Future[Measured] = Future()
        found.set_result(self._nothing(now))
        return found

    def close(self) -> None:
        """Ends every perf that runs; may be called again."""
        self.lack = self.lack or "counting was ended"
        self._beside.shutdown()
        for process in (self._now, None if self._next.exception() else self._next.result()):
            if isinstance(process, Process):
                process.kill()

    def _begun(self) -> "Process | str":
        """The window's perf, enabled; or why there is none."""
        if self.lack is not None:
            return self.lack
        if not self._next.done():
            return "perf was not ready when the window began"
        try:
            process = self._next.result()
        except RestlessError as error:
            self._next = self._beside.submit(self._start)
            return str(error)
        except GoneError as error:
            return self._give_up(error)
        try:
            process.tell("enable", ANSWER_LIMIT_S)
        except GoneError as error:
            process.kill()
            return self._give_up(error)
        self._next = self._beside.submit(self._start)
        return process

    def _give_up(self, error: GoneError) -> str:
        self.lack = str(error)
        return self.lack

    def _nothing(self, reason: str) -> Measured:
        return Measured(tuple(perf.uncounted(name, reason) for name in self.chosen.group), None)

    def _start(self) -> "Process":
        """A perf attached to every thread but the one that this runs in."""
        for _ in range(TRIES):
            threads = _other_threads()
            self._number += 1
            process = Process(self._source, self.chosen.group, self._folder / f"{self._number:05}.perf", threads)
            try:
                # Its first answer says that it is attached.
                process.tell("disable", START_LIMIT_S)
            except GoneError:
                process.kill()
                # perf refuses to attach to a thread that has ended since.
                if threads <= _other_threads():
                    raise
            else:
                # A thread that began meanwhile may have been missed; those from here on are inherited.
                if _other_threads() <= threads:
                    return process
                process.kill()
        raise RestlessError("threads began or ended each time that perf was attached")

    def _read(self, process: "Process") -> Measured:
        """What a window's perf leaves once it has been ended."""
        said = process.end()
        if not process.raw.exists() or not parse(process.raw.read_text(errors="replace")):
            return self._nothing(self._give_up(GoneError(f"perf left no counts of a window ({said})")))
        return Measured(self._source.read(process.raw, self.chosen.group), process.raw)


def _other_threads() -> set[int]:
    """This process's threads but for the one that asks."""
    return {int(thread.name) for thread in Path("/proc/self/task").iterdir()} - {threading.get_native_id()}
