"""A study's directory: study.json, runs.jsonl with a line a run, raw/ with what the counter source printed."""

import contextlib
import errno
import os
from collections.abc import Iterator, Mapping
from pathlib import Path

import msgspec

from profiler.errors import ProfilerError
from profiler.records import READABLE, Run, Study, from_json, to_json, upgraded

_STUDY, _RUNS, _RAW = "study.json", "runs.jsonl", "raw"
_FULL = (errno.ENOSPC, errno.EDQUOT)
"""No room on the disk, or none of this user's share of it."""


class Store:
    """An open study that runs are appended to."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def raw(self) -> Path:
        """Where the counter source's own files stand."""
        return self.folder / _RAW

    def append(self, run: Run) -> None:
        """Keeps a run for good: one line, on the disk when this returns.

        Raises:
            ProfilerError: The disk is full or refuses; the runs before it stand.
        """
        try:
            with (self.folder / _RUNS).open("ab") as file:
                file.write(to_json(run) + b"\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            raise ProfilerError(
                f"run {run.order} cannot be written to {self.folder} ({error.strerror})",
                "make room on the disk and measure again under another name; the runs before it are kept",
            ) from error

    def rewrite(self, study: Study) -> None:
        """Puts the study in the place of what was said of it before; the runs stay.

        Raises:
            ProfilerError: The disk is full or refuses; what was there stands.
        """
        try:
            write_whole(self.folder / _STUDY, _written(study))
        except OSError as error:
            raise ProfilerError(
                f"{self.folder / _STUDY} cannot be written ({error.strerror})", "make room on the disk"
            ) from error


def _written(study: Study) -> bytes:
    return msgspec.json.format(to_json(study), indent=1) + b"\n"


def vacant(root: Path, name: str) -> Path:
    """The folder of a study to be made.

    Raises:
        ProfilerError: The name is taken, or no plain folder name.
    """
    if not name or name in {".", ".."} or "/" in name or name.startswith("-"):
        raise ProfilerError(f"'{name}' cannot be a study's name", "use letters, digits, '-' and '_'")
    folder = root / name
    if folder.exists():
        raise ProfilerError(f"study '{name}' exists in {root}", "give another name, or remove that folder")
    return folder


def create(root: Path, study: Study) -> Store:
    """Makes the study's directory under `root`.

    Raises:
        ProfilerError: The name is taken, or the folder cannot be written; the name is free as before.
    """
    folder = vacant(root, study.name)
    try:
        (folder / _RAW).mkdir(parents=True)
        write_whole(folder / _STUDY, _written(study))
    except OSError as error:
        for made in (folder / _RAW, folder):
            with contextlib.suppress(OSError):
                made.rmdir()
        remedy = "make room on the disk" if error.errno in _FULL else "use a folder you may write to"
        raise ProfilerError(f"{folder} cannot be written ({error.strerror})", remedy) from error
    return Store(folder)


def load(folder: Path) -> tuple[Study, tuple[Run, ...]]:
    """A study and its runs in order. A last line that a power cut left unfinished is passed over.

    Raises:
        ProfilerError: Not a study, of another schema version, or damaged.
    """
    study, runs = _study(folder), _runs(folder)
    strange = {run.case.model for run in runs} - {model.label for model in study.models}
    if strange:
        raise ProfilerError(
            f"{folder / _RUNS} has runs of {min(strange)}, which is no model of {_STUDY} beside it",
            "restore both files, or sweep again",
        )
    return study, runs


def _study(folder: Path) -> Study:
    schema = _header(folder / _STUDY).get("schema")
    if schema not in READABLE:
        raise ProfilerError(
            f"study {folder} has schema {schema}, this profiler reads {READABLE[0]} to {READABLE[-1]}",
            "use the version that wrote it, or a newer one",
        )
    with _damage_named(folder / _STUDY):
        return upgraded(from_json(Study, (folder / _STUDY).read_bytes()))


def _runs(folder: Path) -> tuple[Run, ...]:
    path, runs = folder / _RUNS, []
    with _damage_named(path):
        lines = path.read_bytes().split(b"\n") if path.exists() else [b""]
    for number, line in enumerate(lines[:-1], 1):
        with _damage_named(path, f" in line {number}"):
            runs.append(from_json(Run, line))
    return tuple(runs)


@contextlib.contextmanager
def _damage_named(path: Path, where: str = "") -> Iterator[None]:
    """Raises ProfilerError: What is read within cannot be, or is damaged."""
    try:
        yield
    except OSError as error:
        raise ProfilerError(f"{path} cannot be read ({error.strerror})", "make it readable") from error
    except msgspec.DecodeError as error:
        raise ProfilerError(f"{path} is damaged{where} ({error})", "restore the file, or sweep again") from error


def _header(path: Path) -> dict[str, object]:
    try:
        return from_json(dict[str, object], path.read_bytes())
    except OSError as error:
        raise ProfilerError(
            f"{path.parent} is not a study ({error.strerror})", "name a folder made by `profiler sweep`"
        ) from error
    except msgspec.DecodeError as error:
        raise ProfilerError(f"{path} is damaged ({error})", "restore the file, or sweep again") from error


def find(root: Path, name: str | None) -> Path:
    """The folder of a study by name or path; of the newest one under `root` where `name` is None.

    Raises:
        ProfilerError: There is none.
    """
    if name is not None:
        folder = next((path for path in (root / name, Path(name)) if (path / _STUDY).exists()), None)
        if folder is None:
            bare = next((path for path in (root / name, Path(name)) if path.is_dir()), None)
            cause = f"{bare} has no {_STUDY}" if bare else f"no study '{name}' in {root}"
            raise ProfilerError(cause, f"list {root} for the studies there are")
        return folder
    studies = {path.parent: _header(path) for path in root.glob(f"*/{_STUDY}")}
    if not studies:
        raise ProfilerError(f"no study in {root}", "run `profiler sweep --models keras,litert` first")
    # By its own date and not the file's, which a clone or a copy makes new.
    return max(studies, key=lambda folder: str(studies[folder].get("created_at", "")))


def of_model(root: Path, sha256: str) -> list[tuple[Study, tuple[Run, ...]]]:
    """The studies under `root` of a model file with that digest, and their runs; damaged ones are not among them."""
    found = []
    for folder in sorted(path.parent for path in root.glob(f"*/{_STUDY}")):
        with contextlib.suppress(ProfilerError):
            study = _study(folder)
            if sha256 in {model.sha256 for model in study.models}:
                found.append((study, _runs(folder)))
    return found


def write_all(files: Mapping[Path, bytes], folder: Path, what: str) -> None:
    """Writes what goes to a report's folder and its subfolders: all of it is on the disk before the first is in place.

    The files take their places in this order.

    Raises:
        ProfilerError: The folder cannot be written; `what` could not be. The files that were there stand.
    """
    parts: dict[Path, Path] = {}
    try:
        for path, data in files.items():
            path.parent.mkdir(parents=True, exist_ok=True)
            if path.is_dir():
                raise IsADirectoryError(errno.EISDIR, f"{path.name} is a folder")
            parts[path] = _beside(path, data)
        for path, part in parts.items():
            part.replace(path)
    except OSError as error:
        for part in parts.values():
            part.unlink(missing_ok=True)
        raise ProfilerError(
            f"the {what} cannot be written to {folder} ({error.strerror})",
            "use --output with a folder you may write to",
        ) from error


def write_whole(path: Path, data: bytes) -> None:
    """Writes a file so that it is there whole or not at all."""
    _beside(path, data).replace(path)


def _beside(path: Path, data: bytes) -> Path:
    """Writes the file under a name of its own beside its place; nothing is left of one that could not be written."""
    part = path.with_name(path.name + ".part")
    try:
        with part.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        with contextlib.suppress(OSError):
            part.unlink()
        raise
    return part
