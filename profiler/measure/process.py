"""A process from start to end: started under a counter source, ended by a time limit, accounted by the kernel."""

import os
import select
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from profiler.counters import Launch
from profiler.errors import ProfilerError
from profiler.records import Usage

Job = TypeVar("Job")
Made = TypeVar("Made")

_TAIL_BYTES = 4000


class Ended(NamedTuple):
    """How a process ended.

    Attributes:
        returncode: Negative for a signal, as in `subprocess`.
        timed_out: It was killed at the time limit.
        usage: Of the process and every descendant it waited for, by wait4.
        output_tail: The last of what it printed.
    """

    returncode: int
    timed_out: bool
    usage: Usage
    output_tail: str


class Stop:
    """Ends from one thread what `run` runs in others, once and for all."""

    def __init__(self) -> None:
        self._read, write = os.pipe()
        self._unset = [write]

    def __enter__(self) -> "Stop":
        return self

    def __exit__(self, *_exception: object) -> None:
        self.set()
        os.close(self._read)

    def set(self) -> None:
        """Every `run` that was given this stop ends now, as at its time limit."""
        # From a signal's handler too, which another signal's may interrupt: who takes the end away closes it.
        with suppress(IndexError):
            os.close(self._unset.pop())

    def is_set(self) -> bool:
        """Return whether it was set."""
        return not self._unset

    def fileno(self) -> int:
        """Readable once the stop is set."""
        return self._read


def run(launch: Launch, output: Path, timeout_s: float, cpus: Sequence[int] | None, stop: Stop | None = None) -> Ended:
    """Runs one process in a session of its own, so that nothing of it outlives it.

    Args:
        output: File that takes what it prints.
        cpus: CPUs it is pinned to, from its first instruction on.
        stop: Ends it before its time.

    Raises:
        ProfilerError: It cannot be started.
    """
    with output.open("wb") as stream:
        start = time.perf_counter_ns()
        process = _start(launch, stream.fileno(), cpus)
        try:
            timed_out = not _ends_within(process.pid, timeout_s, stop)
        finally:
            # Also where Ctrl-C came: perf and the worker under it go together.
            _kill_session(process.pid)
            _, status, used = os.wait4(process.pid, 0)
            process.returncode = os.waitstatus_to_exitcode(status)
        wall_ns = time.perf_counter_ns() - start
    user_ns, system_ns = round(used.ru_utime * 1e9), round(used.ru_stime * 1e9)
    usage = Usage(
        wall_ns=wall_ns,
        cpu_ns=user_ns + system_ns,
        user_ns=user_ns,
        system_ns=system_ns,
        page_faults=used.ru_minflt + used.ru_majflt,
        context_switches=used.ru_nvcsw + used.ru_nivcsw,
    )
    return Ended(process.returncode, timed_out, usage, _tail(output))


def _start(launch: Launch, output: int, cpus: Sequence[int] | None) -> subprocess.Popen[bytes]:
    allowed = os.sched_getaffinity(0)
    try:
        if cpus is not None:
            # A child inherits its parent's CPUs, so the parent steps aside for the moment of the start.
            os.sched_setaffinity(0, cpus)
        return subprocess.Popen(
            launch.argv,
            env={**os.environ, **launch.environment},
            pass_fds=launch.pass_fds,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    except OSError as error:
        raise ProfilerError(
            f"{launch.argv[0]} cannot be started ({error.strerror})", "see `profiler doctor`"
        ) from error
    finally:
        os.sched_setaffinity(0, allowed)


def _ends_within(pid: int, timeout_s: float, stop: Stop | None) -> bool:
    """Waits without reaping, so that wait4 still finds the process and its usage."""
    handle = os.pidfd_open(pid)
    try:
        watched = [handle] if stop is None else [handle, stop.fileno()]
        return handle in select.select(watched, [], [], timeout_s)[0]
    finally:
        os.close(handle)


def _kill_session(leader: int) -> None:
    try:
        os.killpg(leader, signal.SIGKILL)
    except (ProcessLookupError, PermissionError):
        return


def _tail(path: Path) -> str:
    return path.read_bytes()[-_TAIL_BYTES:].decode(errors="replace").strip()


def side_by_side(
    jobs: Sequence[Job], make: Callable[[Job], Made], keep: Callable[[Made], object], lanes: int, stop: Stop
) -> None:
    """Makes every job in threads, so many at once, and keeps each result as soon as it is there.

    For processes whose counts do not depend on what else runs. What one of them raises, or `keep`, ends all.
    """
    with ThreadPoolExecutor(lanes) as pool:
        try:
            for future in as_completed([pool.submit(make, job) for job in jobs]):
                keep(future.result())
        except BaseException:
            # Those that wait are never begun, and those that run end now.
            pool.shutdown(wait=False, cancel_futures=True)
            stop.set()
            raise
