"""Which files of a report's folder are a report's: a list kept beside them, so that no outdated one is taken for new.

The list names every file that was written and the report that they are of. Only what it names is ever removed.
"""

import contextlib
from collections.abc import Collection, Iterable
from pathlib import Path, PurePosixPath

import msgspec

LIST = ".report-files.json"


class _Listed(msgspec.Struct, frozen=True):
    """What the list says.

    Attributes:
        of: The report's digest.
        files: Relative to the folder.
    """

    of: str
    files: tuple[str, ...]


def settled(folder: Path, names: Collection[str], of: str) -> tuple[dict[str, bytes], list[str]]:
    """The new list as a file by its name, and which files of a former report are out of date.

    Args:
        names: Files that are about to be written, relative to `folder`.
        of: A digest of the report: files of the same one stay, whatever formats were asked for before.
    """
    former = _former(folder)
    others = [name for name in former.files if name not in names]
    kept, stale = (others, []) if former.of == of else ([], others)
    listed = _Listed(of, tuple(sorted({*names, *kept})))
    return {LIST: msgspec.json.format(msgspec.json.encode(listed), indent=1) + b"\n"}, stale


def remove(folder: Path, names: Iterable[str]) -> None:
    """Removes files, and folders that are then empty; what is not there, or refuses, is passed over."""
    for name in names:
        with contextlib.suppress(OSError):
            (folder / name).unlink()
            if (folder / name).parent != folder:
                (folder / name).parent.rmdir()


def _former(folder: Path) -> _Listed:
    try:
        found = msgspec.json.decode((folder / LIST).read_bytes(), type=_Listed)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return _Listed("", ())
    return _Listed(found.of, tuple(name for name in found.files if _inside(name)))


def _inside(name: str) -> bool:
    """Whether a name can be of a report's file: a list that was tampered with must not reach beyond its folder."""
    path = PurePosixPath(name)
    return bool(path.parts) and not path.is_absolute() and ".." not in path.parts
