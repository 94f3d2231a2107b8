"""One perf on threads of this process, begun and ended by its `--control`."""

import os
import select
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path

from profiler.counters import perf

ACK = b"ack\n\0"
END_LIMIT_S = 5.0


class GoneError(Exception):
    """perf ended or fell silent; the message says so in words."""


class Process:
    """One perf, attached to threads of this process with nothing enabled."""

    def __init__(self, source: perf.Perf, group: Sequence[str], raw: Path, threads: set[int]) -> None:
        self.raw = raw
        (commands, self._control), (self._ack, acks) = os.pipe(), os.pipe()
        command = source.stat(group, "live", raw, (commands, acks))
        try:
            self._process = subprocess.Popen(
                [*command, "-t", ",".join(map(str, sorted(threads)))],
                env={**os.environ, "LC_ALL": "C"},
                pass_fds=(commands, acks),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                # Ctrl-C is for this process: perf is to hear of it from here.
                start_new_session=True,
            )
        except OSError as error:
            self._close()
            raise GoneError(f"perf cannot be started: {error.strerror}") from error
        finally:
            # Held by perf alone, they show that it has ended.
            os.close(commands)
            os.close(acks)

    def tell(self, command: str, limit_s: float) -> None:
        """Sends a command and waits for the acknowledgement.

        Raises:
            GoneError: perf has ended, or does not answer within the limit.
        """
        answer = b""
        try:
            os.write(self._control, f"{command}\n".encode())
        except BrokenPipeError as error:
            raise GoneError(self._ended()) from error
        while len(answer) < len(ACK):
            poller = select.poll()
            poller.register(self._ack, select.POLLIN)
            if not poller.poll(limit_s * 1000):
                raise GoneError(f"perf did not acknowledge '{command}' within {limit_s:g} s")
            part = os.read(self._ack, len(ACK) - len(answer))
            if not part:
                raise GoneError(self._ended())
            answer += part

    def end(self) -> str:
        """Has perf write its file; what it said. SIGTERM would end it without one."""
        self._process.send_signal(signal.SIGINT)
        return self._finish(END_LIMIT_S)

    def kill(self) -> None:
        """Ends perf, once or again, and leaves no file of it."""
        self._process.kill()
        self._finish(END_LIMIT_S)
        self.raw.unlink(missing_ok=True)

    def _ended(self) -> str:
        return f"perf ended by itself ({self._finish(END_LIMIT_S)})"

    def _finish(self, limit_s: float) -> str:
        """Waits for the end; perf's complaint, else how it ended."""
        try:
            said = self._process.communicate(timeout=limit_s)[1]
        except subprocess.TimeoutExpired:
            self._process.kill()
            said = self._process.communicate()[1]
        self._close()
        lines = [line.strip() for line in said.decode(errors="replace").splitlines()]
        heard = [line for line in lines if line and line != "Error:" and not line.startswith("Events ")]
        return heard[0] if heard else f"status {self._process.returncode}"

    def _close(self) -> None:
        for name in ("_control", "_ack"):
            if (fd := getattr(self, name)) >= 0:
                os.close(fd)
                setattr(self, name, -1)
