"""Memory of this process as the kernel accounts it. Imported by processes that nothing counts only."""

from pathlib import Path

_ROOM = 4096
"""More bytes than /proc/self/smaps_rollup has."""


class Memory:
    """The process's anonymous memory at the ends of its phases."""

    def __init__(self) -> None:
        # What a reading itself needs is there before the first one that counts.
        _anonymous_bytes()
        self._bytes: dict[str, int | None] = {}

    def mark(self, phase: str) -> None:
        """The phase ends now."""
        self._bytes[phase] = _anonymous_bytes()

    def resident(self, model: str) -> dict[str, int | None] | None:
        """The fields of `records.Resident`; None where the kernel does not tell."""
        load = self._growth("import", "load")
        if load is None:
            return None
        return {"load_bytes": load, "first_bytes": self._growth("images", "first"), "file_bytes": mapped_bytes(model)}

    def _growth(self, start: str, end: str) -> int | None:
        before, after = self._bytes.get(start), self._bytes.get(end)
        return None if before is None or after is None else after - before


def _anonymous_bytes() -> int | None:
    """Resident pages that belong to no file, from smaps_rollup (Linux 4.14); read without a buffer that would grow."""
    try:
        with Path("/proc/self/smaps_rollup").open("rb", buffering=0) as file:
            text = file.read(_ROOM)
    except OSError:
        return None
    line = next((line for line in text.splitlines() if line.startswith(b"Anonymous:")), None)
    return None if line is None else int(line.split()[1]) * 1024


def mapped_bytes(path: str) -> int:
    """Resident bytes of this process's mappings of a file; 0 where it was read and not mapped."""
    name, total, mine = str(Path(path).resolve()), 0, False
    with Path("/proc/self/smaps").open(encoding="utf-8", errors="surrogateescape") as file:
        for line in file:
            # A mapping's first line is addresses, rights, offset, device, inode and path; the others are "Key: n kB".
            fields = line.rstrip("\n").split(maxsplit=5)
            if not fields[0].endswith(":"):
                mine = len(fields) == 6 and fields[5] == name
            elif mine and fields[0] == "Rss:":
                total += int(fields[1]) * 1024
    return total
