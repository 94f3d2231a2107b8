"""Folders that are there whole or not at all, and the lock of the one that all boards are in."""

import errno
import fcntl
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from profiler.errors import ProfilerError

PART = ".part"
"""End of the name of a folder that is being made."""
_MEBI = 2**20


@contextmanager
def making(folder: Path) -> Iterator[Path]:
    """A new folder to fill, which takes the place of `folder` when that is done, and only then."""
    part = folder.with_name(folder.name + PART)
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir(parents=True)
    yield part
    shutil.rmtree(folder, ignore_errors=True)
    part.rename(folder)


@contextmanager
def locked(folder: Path, tell: Callable[[str], None]) -> Iterator[None]:
    """Holds the folder for this process alone, made if it is not there; waits for whoever holds it.

    Raises:
        ProfilerError: It cannot be written, or there is no room left in it.
    """
    try:
        handle = _lock(folder / "lock", tell)
        try:
            yield
        finally:
            os.close(handle)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise ProfilerError(f"no space is left in {folder}", "free some, or set XDG_CACHE_HOME") from error
        raise ProfilerError(
            f"{folder} cannot be written ({error.strerror})", "set XDG_CACHE_HOME to a folder you may write to"
        ) from error


def _lock(path: Path, tell: Callable[[str], None]) -> int:
    while True:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o666)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            tell("waiting for another setup to end")
            fcntl.flock(handle, fcntl.LOCK_EX)
        # Whoever held it may have removed the folder meanwhile.
        if path.exists() and os.path.samestat(path.stat(), os.fstat(handle)):
            os.set_inheritable(handle, True)
            return handle
        os.close(handle)


def require_room(folder: Path, mebibytes: int, title: str) -> None:
    """Raises ProfilerError where the folder's disk has less than that free."""
    free = shutil.disk_usage(folder).free // _MEBI
    if free < mebibytes:
        raise ProfilerError(
            f"the virtual {title} needs about {mebibytes} MiB in {folder}, where {free} MiB are free",
            "free some, or set XDG_CACHE_HOME to a folder with more",
        )


def link_tree(source: Path, target: Path, without: str) -> None:
    """Gives the files of `source` second names in `target`, in the place of what is there; `without` is passed over."""

    def link(file: str, name: str) -> None:
        Path(name).unlink(missing_ok=True)
        os.link(file, name)

    shutil.copytree(source, target, copy_function=link, ignore=shutil.ignore_patterns(without), dirs_exist_ok=True)


def size_bytes(*folders: Path) -> int:
    """What the folders take on the disk, each file once, however many names it has."""
    files = (file.lstat() for folder in folders for file in (folder, *folder.rglob("*")) if folder.exists())
    return sum({(file.st_dev, file.st_ino): file.st_blocks * 512 for file in files}.values())
