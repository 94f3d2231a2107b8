"""The programs that a setup runs: apt, dpkg-deb, pip, the emulator."""

import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from profiler.errors import ProfilerError


def need(*programs: str) -> None:
    """Raises ProfilerError where one of the programs is not on PATH."""
    for program in programs:
        if shutil.which(program) is None:
            raise ProfilerError(
                f"there is no {program}, and a virtual board is made from Debian packages",
                "set it up on Debian or a distribution made from it",
            )


def run(
    command: Sequence[str],
    environment: Mapping[str, str] | None = None,
    folder: Path | None = None,
    heard: Callable[[str], None] = lambda _line: None,
) -> tuple[int, str]:
    """Runs it to its end, which comes at once where this process is interrupted.

    Args:
        environment: Added to this process's.
        folder: Its working directory.
        heard: Gets each line that it prints, as it prints it.

    Returns:
        Its exit status, and all that it printed.

    Raises:
        OSError: It says that the disk is full.
    """
    lines = []
    # What is inheritable is inherited: the lock, so that a program that outlives a killed setup holds off the next one.
    with subprocess.Popen(
        command,
        env={**os.environ, "LC_ALL": "C", **(environment or {})},
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        close_fds=False,
    ) as process:
        try:
            for line in process.stdout or ():
                lines.append(line)
                heard(line.rstrip())
        except BaseException:
            process.kill()
            raise
    output = "".join(lines)
    if os.strerror(errno.ENOSPC) in output:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    return process.returncode, output


def complaint(output: str, *marks: str) -> str:
    """The first line that begins with one of the marks, without it; else the last line of all."""
    lines = [line.strip() for line in output.splitlines() if line.strip()]
    for line in lines:
        for mark in marks:
            if line.startswith(mark):
                return line.removeprefix(mark).strip()
    return lines[-1] if lines else "it says nothing"
