"""Families: folders with forms of one network, or of one network in several widths, and a manifest that says of each
form what it is.
"""

import shlex
from fnmatch import fnmatchcase
from pathlib import Path

import msgspec

from profiler.errors import ProfilerError
from profiler.modelfile.digest import file_sha256
from profiler.records import Form, Record, from_json
from profiler.runtimes import RUNTIMES

NAMES = ("lab", "width")
"""The families that this program builds."""

MANIFEST = "family.json"
_HERE = Path("models")
"""Where families are built unless another folder is named."""


class FamilyMember(Record, frozen=True, kw_only=True):
    """One form.

    Attributes:
        label: Its name in tables, unique in the family.
        file: The file's name; the file is in the family's folder.
        what: A sentence that describes it.
    """

    label: str
    file: str
    sha256: str
    size_bytes: int
    form: Form
    what: str


class Origin(Record, frozen=True, kw_only=True):
    """How and from what a family was built.

    Attributes:
        weights: Where the weights are from, in words.
        weights_sha256: Of the model file that they were taken from; None where they are random.
        pictures: What int8 forms were calibrated on, in words.
        pictures_sha256: Of those pictures' pixels, uint8, picture by picture.
        builtin: The pictures were made from the built-in photograph, for want of others.
        seed: Of everything random.
        packages: Version of each package that took part, this program's among them.
    """

    weights: str
    weights_sha256: str | None
    pictures: str
    pictures_count: int
    pictures_sha256: str
    builtin: bool
    seed: int
    packages: dict[str, str]


class Family(Record, frozen=True, kw_only=True):
    """What a manifest holds."""

    name: str
    members: tuple[FamilyMember, ...]
    origin: Origin


def member(path: Path, label: str, form: Form, what: str) -> FamilyMember:
    """The manifest's entry of the form in `path`."""
    return FamilyMember(
        label=label,
        file=path.name,
        sha256=file_sha256(path),
        size_bytes=path.stat().st_size,
        form=form,
        what=what,
    )


def find(text: str, pattern: str = "*") -> tuple[tuple[str, str, Path, Form], ...]:
    """Label, runtime, file and form of each member of a family whose label matches, in the manifest's order.

    Args:
        text: A name, for the folder of that name in `models` here, or else in this program's source tree; or a folder.

    Raises:
        ProfilerError: No such family; not built; its manifest is damaged; no label matches; a file of those that do is
            missing or is another.
    """
    folder = _folder(text)
    family = read(folder)
    chosen = [entry for entry in family.members if fnmatchcase(entry.label, pattern)]
    if not chosen:
        labels = ", ".join(entry.label for entry in family.members)
        raise ProfilerError(f"family {text} has no form '{pattern}'", f"it has {labels}")
    for entry in chosen:
        _same(folder / entry.file, entry)
    return tuple((entry.label, entry.form.runtime, folder / entry.file, entry.form) for entry in chosen)


def read(folder: Path) -> Family:
    """The family in `folder`; its files are not looked at.

    Raises:
        ProfilerError: No manifest there, or a damaged one.
    """
    path = folder / MANIFEST
    try:
        family = from_json(Family, path.read_bytes())
    except FileNotFoundError:
        raise ProfilerError(f"there is no family in {folder} (no {MANIFEST})", "name a folder that has one") from None
    except OSError as error:
        raise ProfilerError(f"{path} cannot be read ({error.strerror})", "make it readable") from error
    except msgspec.DecodeError as error:
        raise ProfilerError(f"{path} is damaged ({error})", _again(folder)) from error
    wrong = _wrong(family.members)
    if wrong:
        raise ProfilerError(f"{path} is damaged ({wrong})", _again(folder))
    return family


def _wrong(members: tuple[FamilyMember, ...]) -> str | None:
    """What is wrong in a manifest that has the right shape."""
    labels = [entry.label for entry in members]
    if not labels or len(set(labels)) < len(labels):
        return "two forms of one label" if labels else "no forms"
    for entry in members:
        if entry.form.runtime not in RUNTIMES:
            return f"unknown runtime '{entry.form.runtime}'"
        if entry.file in ("", ".", "..") or "/" in entry.file or "\0" in entry.file:
            return f"'{entry.file}' is no file name"
    return None


def _folder(text: str) -> Path:
    if text in NAMES:
        source = Path(__file__).parent.parent.parent
        places = (root / _HERE / text for root in (Path(), source))
        folder = next((place for place in places if (place / MANIFEST).exists()), None)
        if folder is None:
            raise ProfilerError(f"family '{text}' is not built", _again(_HERE / text))
        return folder
    if not text or ("/" not in text and not Path(text).is_dir()):
        raise ProfilerError(f"unknown family '{text}'", f"use {' or '.join(NAMES)}, or a folder with {MANIFEST}")
    return Path(text)


def _same(path: Path, entry: FamilyMember) -> None:
    """Raises ProfilerError: The file is not the one that the manifest names."""
    try:
        same = path.stat().st_size == entry.size_bytes and file_sha256(path) == entry.sha256
    except OSError as error:
        raise ProfilerError(f"model file {path} cannot be read ({error.strerror})", _again(path.parent)) from error
    if not same:
        raise ProfilerError(f"{path} is not the file that {MANIFEST} names", _again(path.parent))


def _again(folder: Path) -> str:
    """The command that builds the family in that folder, where this program can."""
    if folder.name not in NAMES:
        return "restore the folder"
    photos = " [--photos DIR]" if folder.name == NAMES[0] else ""
    output = "" if folder.parent == _HERE else f" --output {shlex.quote(str(folder.parent))}"
    return f"type: profiler models build --family {folder.name}{photos}{output}"
