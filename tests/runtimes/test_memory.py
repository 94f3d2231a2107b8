import mmap
from pathlib import Path

import pytest

from profiler.runtimes import memory
from profiler.runtimes.memory import Memory, mapped_bytes

SIZE = 32 * 2**20


def test_growth_is_found() -> None:
    reading = Memory()
    reading.mark("import")
    kept = mmap.mmap(-1, SIZE, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    for page in range(0, SIZE, mmap.PAGESIZE):
        kept[page] = 1
    reading.mark("load")
    reading.mark("images")
    reading.mark("first")
    kept.close()
    found = reading.resident(__file__)
    assert found is not None
    assert found["load_bytes"] == pytest.approx(SIZE, rel=0.1)
    assert found["first_bytes"] == pytest.approx(0, abs=SIZE / 10)


def test_without_a_first_inference() -> None:
    reading = Memory()
    for phase in ("import", "load", "images"):
        reading.mark(phase)
    found = reading.resident(__file__)
    assert found is not None
    assert found["first_bytes"] is None


def test_a_kernel_that_does_not_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory, "_anonymous_bytes", lambda: None)
    reading = Memory()
    for phase in ("import", "load", "images", "first"):
        reading.mark(phase)
    assert reading.resident(__file__) is None


def test_only_touched_pages_of_the_file_itself_are_counted(tmp_path: Path) -> None:
    file, other = tmp_path / "a model.tflite", tmp_path / "other.tflite"
    pages = 64
    for path in (file, other):
        path.write_bytes(bytes(pages * mmap.PAGESIZE))
    link = tmp_path / "link.tflite"
    link.symlink_to(file)
    assert mapped_bytes(str(file)) == 0
    with (
        file.open("rb") as stream,
        other.open("rb") as another,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as mapped,
        mmap.mmap(another.fileno(), 0, access=mmap.ACCESS_READ) as beside,
    ):
        assert bytes(mapped) == bytes(beside)
        assert mapped_bytes(str(file)) == mapped_bytes(str(link)) == pages * mmap.PAGESIZE
    assert mapped_bytes(str(file)) == 0
