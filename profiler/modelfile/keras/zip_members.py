"""Members of a zip archive, none of them ever written under its own name, none unpacked beyond bounds."""

import struct
import tempfile
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, BinaryIO, NamedTuple

from profiler.errors import ProfilerError
from profiler.modelfile.keras.hdf5 import DAMAGED

MAGIC = b"PK\x03\x04"
RATIO_LIMIT = 100
"""Floats hardly compress; zeros, as a fresh optimiser's state is, up to a thousand times."""
FREE_BYTES = 256 << 20
"""Up to this, what a member unpacks to may be any multiple of its size."""
UNPACKED_LIMIT = 8 << 30

_BROKEN = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    OSError,
    EOFError,
    RuntimeError,
    NotImplementedError,
    ValueError,
    LookupError,
    OverflowError,
)
_LOCAL_HEADER = 30
_BLOCK = 1 << 20


class Member(NamedTuple):
    """A file in the archive.

    Attributes:
        start: Of its bytes in the archive.
        stored_bytes: That they take there.
        size_bytes: Of the file itself.
    """

    name: str
    start: int
    stored_bytes: int
    size_bytes: int
    deflated: bool


class Archive:
    """An open archive whose directory has been checked."""

    def __init__(self, file: BinaryIO, size_bytes: int) -> None:
        """Reads the directory.

        Raises:
            ProfilerError: No whole archive; a member that leaves the folder, comes twice, is encrypted, lies over
                another, or would unpack to more than is sane.
        """
        self._file = file
        with _whole():
            self._zip = zipfile.ZipFile(file)
            infos = self._zip.infolist()
        _check_names([info.orig_filename for info in infos])
        with _whole():
            members = [_member(file, info) for info in infos]
        _check_places(members, size_bytes)
        self.members = {member.name: member for member in members}

    def text(self, name: str, limit: int) -> bytes:
        """A small member, whole.

        Raises:
            ProfilerError: There is none of that name; it is damaged, or larger than `limit`.
        """
        member = self._named(name)
        if member.size_bytes > limit:
            raise ProfilerError(f"{name} of the archive claims {member.size_bytes} bytes", f"at most {limit} are read")
        with _whole(), self._zip.open(name) as opened:
            text = opened.read(limit + 1)
        if len(text) != member.size_bytes:
            raise ProfilerError(f"{name} of the archive is not as long as its directory says", DAMAGED)
        return text

    @contextmanager
    def opened(self, name: str) -> Iterator[tuple[Any, int]]:
        """An open file that has a member's bytes as they are, and where they begin in it.

        That is the archive where the member is stored as it is, else a nameless file that it is unpacked into.

        Raises:
            ProfilerError: There is none of that name; it is damaged.
        """
        member = self._named(name)
        if not member.deflated:
            yield self._file, member.start
            return
        with tempfile.TemporaryFile() as unpacked:
            self._unpack(member, unpacked)
            yield unpacked, 0

    def _unpack(self, member: Member, into: Any) -> None:
        left = member.size_bytes
        for block in self._blocks(member):
            left -= len(block)
            if left < 0:
                break
            into.write(block)
        if left:
            raise ProfilerError(f"{member.name} of the archive is not as long as its directory says", DAMAGED)

    def _blocks(self, member: Member) -> Iterator[bytes]:
        with _whole(), self._zip.open(member.name) as opened:
            while block := opened.read(_BLOCK):
                yield block

    def _named(self, name: str) -> Member:
        if name not in self.members:
            raise ProfilerError(f"the archive has no {name}", "use a whole model, saved by model.save('NAME.keras')")
        return self.members[name]


@contextmanager
def _whole() -> Iterator[None]:
    """A damaged archive as one line, whatever zipfile raises."""
    try:
        yield
    except _BROKEN as error:
        raise ProfilerError("the archive is damaged", DAMAGED) from error


def _check_names(names: list[str]) -> None:
    for name in names:
        parts = name.replace("\\", "/").split("/")
        if ".." in parts or not parts[0] or ":" in parts[0] or "\0" in name:
            raise ProfilerError(f"the archive's member {name[:80]!r} leaves the folder", "do not use this file")
    twice = next((name for name, count in Counter(names).items() if count > 1), None)
    if twice is not None:
        raise ProfilerError(f"the archive has two members {twice[:80]!r}", DAMAGED)


def _member(file: BinaryIO, info: zipfile.ZipInfo) -> Member:
    """A member, its place from its local header, whose name and extra field can be longer than the directory's.

    Raises:
        ProfilerError: See `Archive`.
        ValueError: No local header.
    """
    name = info.orig_filename
    if info.flag_bits & 1:
        raise ProfilerError(f"the archive's member {name[:80]!r} is encrypted", "save the model without a password")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise ProfilerError(f"the archive's member {name[:80]!r} is packed in a way Keras does not use", DAMAGED)
    deflated = info.compress_type == zipfile.ZIP_DEFLATED
    bound = max(FREE_BYTES, RATIO_LIMIT * info.compress_size)
    if deflated and info.file_size > min(bound, UNPACKED_LIMIT):
        raise ProfilerError(
            f"the archive's member {name[:80]!r} would unpack from {info.compress_size} to {info.file_size} bytes",
            "do not use this file",
        )
    if not deflated and info.file_size != info.compress_size:
        raise ValueError(name)
    file.seek(info.header_offset)
    header = file.read(_LOCAL_HEADER)
    if len(header) < _LOCAL_HEADER or not header.startswith(MAGIC):
        raise ValueError(name)
    variable = int.from_bytes(header[26:28], "little") + int.from_bytes(header[28:30], "little")
    return Member(name, info.header_offset + _LOCAL_HEADER + variable, info.compress_size, info.file_size, deflated)


def _check_places(members: list[Member], size_bytes: int) -> None:
    """That members do not share bytes, so that each byte of the archive is counted once."""
    end = 0
    for member in sorted(members, key=lambda member: member.start):
        if member.start < end:
            raise ProfilerError(f"the archive's member {member.name[:80]!r} lies over another", "do not use this file")
        end = member.start + member.stored_bytes
    if end > size_bytes:
        raise ProfilerError("the archive is damaged", DAMAGED)
