"""The machine's state once a second, read beside the loop: asking the firmware starts a process."""

import threading
from collections.abc import Callable

from profiler.machine import host
from profiler.records import MachineState


class Sampler:
    """Reads the state in a thread of its own; a context. The first reading is made before it begins.

    Args:
        read: Gives the state.
        every_s: From one reading's end to the next.
    """

    def __init__(self, read: Callable[[], MachineState] = host.state, every_s: float = 1.0) -> None:
        self._read, self._every_s = read, every_s
        self._closing = threading.Event()
        self._latest = read()
        self._thread = threading.Thread(target=self._run, name="machine-state", daemon=True)

    def __enter__(self) -> "Sampler":
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self._closing.set()
        self._thread.join()

    @property
    def latest(self) -> MachineState:
        """The last reading; it says itself when it was made."""
        return self._latest

    def _run(self) -> None:
        while not self._closing.wait(self._every_s):
            self._latest = self._read()
