"""Windows of a session: which frames are in which, what was counted of them, when they are handed over."""

import mmap
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from reading import present

from profiler.camera.source import Frame
from profiler.counters import perf
from profiler.counters.perf_attach import Attached, Chosen
from profiler.errors import ProfilerError
from profiler.live.classified_frame import ClassifiedFrame
from profiler.live.windows import Window, Windows
from profiler.records import Counted, Event, MachineState, Quality

FakePerf = Callable[..., None]
PIXELS = np.zeros((1, 1, 3), np.uint8)
CYCLES_A_FRAME = 1000
"""The fake retires 1.5 instructions in each, and has 0.01 of every event that it knows no better."""


def frame(number: int) -> ClassifiedFrame:
    """Its inference took as many ns as its number is."""
    return ClassifiedFrame(Frame(PIXELS, 0, number), (), number % 2, number / 10, 0, 100, 100 + number)


class States:
    """A state of the machine that tells when it was asked for."""

    def __init__(self) -> None:
        self.asked = 0

    def __call__(self) -> MachineState:
        self.asked += 1
        return MachineState(at=str(self.asked))


class Clock:
    """Goes on when it is told to."""

    def __init__(self) -> None:
        self.ns = 0

    def __call__(self) -> int:
        return self.ns


def event(name: str, metric: str, quality: Quality = "exact") -> Event:
    return Event(name=name, metric=metric, kind="hardware", quality=quality, encoding=name, meaning="made")


EVENTS = (event("cycles", "cycles"), event("inst_retired", "instructions"), event("LLC-loads", "llc_load", "proxy"))


@pytest.fixture
def meter(tmp_path: Path) -> Path:
    path = tmp_path / "meter"
    path.touch()
    return path


@pytest.fixture
def attached(fake_perf: FakePerf, meter: Path, tmp_path: Path) -> Iterator[Attached]:
    fake_perf(meter=str(meter))
    folder = tmp_path / "files"
    folder.mkdir()
    chosen = Chosen(("cycles", "inst_retired"), EVENTS, {"LLC-loads": "too many"}, "user", ())
    with Attached(perf.open(), chosen, folder) as made:
        made.wait()
        yield made


def works(windows: Windows, meter: Path, numbers: range, beside: Attached | None = None) -> None:
    """Frames, each of which costs the same and comes when all that is done `beside` is done."""
    for number in numbers:
        if beside:
            beside._beside.submit(int).result()
        with meter.open("ab") as file:
            file.write(bytes(CYCLES_A_FRAME))
        windows.labelled(frame(number))


def figures(window: Window) -> dict[str, float | None]:
    return {count.event: count.value for count in window.counts if count.source == "perf"}


def test_frames_are_in_the_window_in_which_they_were_labelled() -> None:
    found: list[Window] = []
    windows = Windows(None, States(), 3, found.append)
    windows.opened()
    for number in range(1, 9):
        windows.labelled(frame(number))
    assert [window.number for window in found] == [1, 2]
    windows.close()
    assert [window.latencies_ns for window in found] == [(1, 2, 3), (4, 5, 6), (7, 8)]
    assert [window.tops for window in found] == [(1, 0, 1), (0, 1, 0), (1, 0)]
    assert [window.scores for window in found] == [(0.1, 0.2, 0.3), (0.4, 0.5, 0.6), (0.7, 0.8)]
    assert [(window.before.at, window.after.at) for window in found] == [("1", "2"), ("3", "4"), ("5", "6")]
    windows.close()
    assert len(found) == 3


def test_a_session_without_frames_has_no_window() -> None:
    found: list[Window] = []
    windows = Windows(None, States(), 3, found.append)
    windows.opened()
    windows.close()
    assert found == []


def test_without_a_word_of_the_opening_the_first_frame_is_in_no_window() -> None:
    """It cannot be told what came before it."""
    found: list[Window] = []
    windows = Windows(None, States(), 2, found.append)
    for number in range(1, 4):
        windows.labelled(frame(number))
    windows.close()
    assert [window.latencies_ns for window in found] == [(2, 3)]


def test_a_source_that_is_opened_anew_begins_no_window() -> None:
    found: list[Window] = []
    windows = Windows(None, States(), 2, found.append)
    windows.opened()
    windows.labelled(frame(1))
    windows.opened()
    windows.labelled(frame(2))
    assert [window.latencies_ns for window in found] == [(1, 2)]


def test_without_a_number_of_frames_a_window_ends_with_the_first_frame_after_a_second() -> None:
    found: list[Window] = []
    clock = Clock()
    windows = Windows(None, States(), None, found.append, clock=clock)
    windows.opened()
    for number, ms in enumerate((400, 999, 1300, 2299, 2300), 1):
        clock.ns = ms * 1_000_000
        windows.labelled(frame(number))
    assert [window.latencies_ns for window in found] == [(1, 2, 3), (4, 5)]


def test_the_kernels_accounting_is_of_the_whole_process_and_has_no_wall_time() -> None:
    found: list[Window] = []
    windows = Windows(None, States(), 1, found.append)
    windows.opened()
    # The allocator may have pages left that cost no fault; a mapping of one's own has none.
    with mmap.mmap(-1, 1 << 24) as touched:
        touched[:: mmap.PAGESIZE] = b"\1" * ((1 << 24) // mmap.PAGESIZE)
        windows.labelled(frame(1))
    (window,) = found
    counts = {count.event: count for count in window.counts}
    assert set(counts) == {"task-clock", "user_time", "system_time", "page-faults", "context-switches"}
    assert present(counts["page-faults"].value) > 1000
    assert counts["task-clock"].value == window.usage.cpu_ns > 0
    assert window.wall_ns == window.usage.wall_ns > 0
    assert {count.source for count in window.counts} == {"getrusage"}
    assert window.raw is None


def test_counts_are_those_of_the_windows_own_frames(attached: Attached, meter: Path) -> None:
    found: list[Window] = []
    windows = Windows(attached, States(), 3, found.append)
    meter.write_bytes(bytes(77))
    windows.opened()
    works(windows, meter, range(1, 11), attached)
    windows.close()
    assert [figures(window) for window in found] == [
        {"cycles": 3000, "inst_retired": 4500},
        {"cycles": 3000, "inst_retired": 4500},
        {"cycles": 3000, "inst_retired": 4500},
        {"cycles": 1000, "inst_retired": 1500},
    ]


def test_what_is_done_with_a_window_is_counted_in_none(attached: Attached, meter: Path) -> None:
    found: list[Window] = []

    def keep(window: Window) -> None:
        with meter.open("ab") as file:
            file.write(bytes(1_000_000))
        found.append(window)

    windows = Windows(attached, States(), 2, keep)
    windows.opened()
    works(windows, meter, range(1, 7), attached)
    windows.close()
    assert [figures(window)["cycles"] for window in found] == [2000, 2000, 2000]


def test_a_window_is_handed_over_with_its_counts_by_the_thread_that_labels(attached: Attached, meter: Path) -> None:
    found: list[tuple[int, Window]] = []
    windows = Windows(attached, States(), 2, lambda window: found.append((threading.get_ident(), window)))
    windows.opened()
    hold = threading.Event()
    works(windows, meter, range(1, 2))
    attached._beside.submit(hold.wait)
    works(windows, meter, range(2, 5))
    # perf's file of the first has not come; the second had no perf, and waits behind it.
    assert found == []
    hold.set()
    windows.close()
    assert [(thread, window.number) for thread, window in found] == [(threading.get_ident(), n) for n in (1, 2)]
    assert figures(found[0][1])["cycles"] == 2000


def test_a_windows_file_is_there_when_it_is_handed_over_and_goes_unless_it_is_taken(
    attached: Attached, meter: Path, tmp_path: Path
) -> None:
    taken = tmp_path / "taken"

    def keep(window: Window) -> None:
        assert window.raw is not None
        assert "cycles" in window.raw.read_text()
        if window.number == 1:
            window.raw.rename(taken)

    windows = Windows(attached, States(), 2, keep)
    windows.opened()
    works(windows, meter, range(1, 5), attached)
    windows.close()
    assert taken.exists()
    assert list((tmp_path / "files").iterdir()) == []


def test_counting_says_what_a_frame_of_the_last_whole_window_cost(attached: Attached, meter: Path) -> None:
    windows = Windows(attached, States(), 4, lambda _window: None)
    windows.opened()
    works(windows, meter, range(1, 4))
    nothing = windows.counting()
    assert (nothing.frames, nothing.events, nothing.ipc, nothing.scope, nothing.lack) == (0, (), None, "user", None)
    works(windows, meter, range(4, 6), attached)
    counting = windows.counting()
    assert (counting.frames, counting.ipc, counting.scope, counting.lack) == (4, 1.5, "user", None)
    assert counting.events == (
        Counted(event="cycles", metric="cycles", proxy=False, per_frame=1000, running_percent=100),
        Counted(event="inst_retired", metric="instructions", proxy=False, per_frame=1500, running_percent=100),
        Counted(
            event="LLC-loads", metric="llc_load", proxy=True, per_frame=None, running_percent=None, reason="too many"
        ),
    )
    # What is left over at the end is no whole window.
    windows.close()
    assert windows.counting() == counting


def test_a_scaled_figure_is_marked(attached: Attached, fake_perf: FakePerf, meter: Path) -> None:
    fake_perf(meter=str(meter), scaled={"cycles": 60})
    windows = Windows(attached, States(), 1, lambda _window: None)
    windows.opened()
    works(windows, meter, range(1, 5), attached)
    assert {figure.running_percent for figure in windows.counting().events[:2]} == {60}


def test_a_perf_that_dies_ends_the_figures_and_not_the_session(
    attached: Attached, fake_perf: FakePerf, meter: Path
) -> None:
    fake_perf(meter=str(meter), dies_at="enable")
    found: list[Window] = []
    windows = Windows(attached, States(), 2, found.append)
    windows.opened()
    works(windows, meter, range(1, 7), attached)
    windows.close()
    why = "perf ended by itself (status -9)"
    assert [figures(window)["cycles"] for window in found] == [2000, None, None]
    assert {count.reason for count in found[1].counts if count.source == "perf"} == {why}
    assert [len(window.latencies_ns) for window in found] == [2, 2, 2]
    counting = windows.counting()
    assert (counting.lack, counting.ipc) == (why, None)
    assert {figure.reason for figure in counting.events} == {why, "too many"}


def test_without_counters_the_reason_is_said() -> None:
    windows = Windows(None, States(), 1, lambda _window: None, lack="no PMU here")
    windows.opened()
    windows.labelled(frame(1))
    counting = windows.counting()
    assert (counting.frames, counting.events, counting.lack) == (0, (), "no PMU here")


def test_counting_ends_though_a_window_is_refused(attached: Attached, meter: Path) -> None:
    def refuse(window: Window) -> None:
        raise ProfilerError(f"no room for window {window.number}", "make some")

    windows = Windows(attached, States(), 2, refuse)
    windows.opened()
    works(windows, meter, range(1, 2))
    with pytest.raises(ProfilerError, match="no room for window 1"):
        windows.close()
    assert attached.lack == "counting was ended"
