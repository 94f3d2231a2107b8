"""C sources of this package to a shared library: compiled by the system's compiler on first use, kept by content."""

import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from profiler.counters import UnusableError
from profiler.machine.host import user_cache

COMPILE_LIMIT_S = 120
OPTIONS = ("-std=c11", "-O3", "-fPIC", "-shared", "-fvisibility=hidden")


def library(name: str, sources: Sequence[Path], includes: Sequence[Path] = ()) -> Path:
    """The library compiled from the `.c` files among `sources`, made now if it is not there.

    Args:
        name: Its file name's beginning; the rest is a digest of the sources, the options, the compiler's name and the
            instruction set.
        sources: All that the library depends on, headers included.
        includes: Folders for the system's headers that are needed.

    Raises:
        UnusableError: There is no compiler, it refuses, or the user's cache folder cannot be written.
    """
    command = (*_compiler(), *OPTIONS, *(f"-I{folder}" for folder in includes))
    made = user_cache() / "build" / f"{name}-{_digest(sources, (platform.machine(), *command))}.so"
    if not made.exists():
        _compile(command, [path for path in sources if path.suffix == ".c"], made)
    return made


def _compiler() -> tuple[str, ...]:
    """The compiler's path and the options that CC names with it, as in `ccache gcc`."""
    name, *options = os.environ.get("CC", "").split() or ["cc"]
    path = shutil.which(name)
    if path is None:
        raise UnusableError(f"there is no C compiler '{name}'", "sudo apt install gcc libc6-dev, or name one with CC")
    return path, *options


def _digest(sources: Sequence[Path], words: Sequence[str]) -> str:
    digest = hashlib.sha256("\0".join(words).encode())
    for path in sorted(sources):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:16]


def _compile(command: Sequence[str], sources: Sequence[Path], made: Path) -> None:
    """Beside its place and then into it, so that a library there is a whole one."""
    try:
        made.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=made.parent) as folder:
            part = Path(folder) / made.name
            _run((*command, "-o", str(part), *map(str, sources), "-lpthread"), made.name)
            part.replace(made)
    except OSError as error:
        raise UnusableError(
            f"{made.parent} cannot be written ({error.strerror})", "set XDG_CACHE_HOME to a folder you may write to"
        ) from error


def _run(command: Sequence[str], made: str) -> None:
    compiler = Path(command[0]).name
    try:
        done = subprocess.run(
            command, capture_output=True, text=True, errors="replace", timeout=COMPILE_LIMIT_S, check=False
        )
    except OSError as error:
        raise UnusableError(f"{compiler} cannot be run ({error.strerror})", "name another compiler with CC") from error
    except subprocess.TimeoutExpired:
        raise UnusableError(
            f"{compiler} takes longer than {COMPILE_LIMIT_S} s", "name another compiler with CC"
        ) from None
    if done.returncode != 0:
        raise UnusableError(
            f"{compiler} cannot compile {made} ({_complaint(done.stderr)})",
            "sudo apt install gcc libc6-dev, or name another compiler with CC",
        )


def _complaint(message: str) -> str:
    """The first line that says what is wrong."""
    lines = [line.strip() for line in message.splitlines() if line.strip()]
    return next((line for line in lines if "error" in line.lower()), lines[0] if lines else "it says nothing")
