"""perf attached to this process: the fake one, whose meter says how much work was done when, and the real one."""

import itertools
import os
import select
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from reading import present

from profiler.counters import UnusableError, perf, perf_attach
from profiler.counters.perf_attach import Attached, Chosen, Measured, attach
from profiler.records import Machine

FakePerf = Callable[..., None]
WORK = 1000
"""Cycles; the fake retires 1.5 instructions in each."""


class Work:
    """What the fake perf is told that this process does."""

    def __init__(self, meter: Path) -> None:
        meter.touch()
        self.meter = meter

    def __call__(self, cycles: int = WORK) -> None:
        with self.meter.open("ab") as file:
            file.write(bytes(cycles))


@pytest.fixture
def work(tmp_path: Path) -> Work:
    return Work(tmp_path / "meter")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    return folder


@pytest.fixture
def pair(fake_perf: FakePerf, work: Work, files: Path) -> Iterator[Attached]:
    """Counts cycles and instructions by a perf that does all it is told."""
    fake_perf(meter=str(work.meter))
    with counting(files) as made:
        yield made
    assert perfs() == []


def counting(folder: Path, *group: str) -> Attached:
    """Without finding out first what counts here."""
    group = group or ("cycles", "instructions")
    made = Attached(perf.open(), Chosen(group, (), {}, "user+kernel", ()), folder)
    made.wait()
    return made


def values(measured: Measured) -> dict[str, float | None]:
    return {count.event: count.value for count in measured.counts}


def reasons(measured: Measured) -> set[str | None]:
    assert not any(values(measured).values())
    return {count.reason for count in measured.counts}


def perfs() -> list[int]:
    """Children of this process that run perf."""
    threads = Path("/proc/self/task").iterdir()
    children = [int(child) for thread in threads for child in (thread / "children").read_text().split()]
    return [child for child in children if b"stat" in Path(f"/proc/{child}/cmdline").read_bytes()]


def test_a_windows_counts_are_those_between_its_ends(pair: Attached, work: Work) -> None:
    for number in range(1, 4):
        work(7)
        pair.begin()
        work(number * WORK)
        found = pair.end()
        work(7)
        assert values(found.result()) == {"cycles": number * WORK, "instructions": 1.5 * number * WORK}
        pair.wait()


def test_perfs_file_is_kept_for_its_window(pair: Attached, work: Work, files: Path) -> None:
    pair.begin()
    work()
    raw = pair.end().result().raw
    pair.close()
    assert raw is not None
    assert list(files.iterdir()) == [raw]
    assert "instructions" in raw.read_text()


def test_closing_leaves_no_perf_and_no_file(pair: Attached, files: Path) -> None:
    pair.begin()
    pair.wait()
    assert len(perfs()) == 2
    pair.close()
    assert perfs() == []
    assert list(files.iterdir()) == []
    assert pair.lack == "counting was ended"
    pair.close()


def test_windows_leave_no_descriptor_open(fake_perf: FakePerf, work: Work, files: Path) -> None:
    fake_perf(meter=str(work.meter))
    before = descriptors()
    with counting(files) as made:
        for _ in range(3):
            made.begin()
            work()
            made.end().result()
            made.wait()
    assert descriptors() == before


def descriptors() -> list[str]:
    return sorted(entry.name for entry in Path("/proc/self/fd").iterdir())


def test_a_window_never_waits_for_perf(pair: Attached, work: Work) -> None:
    hold = holding(pair)
    pair.begin()
    pair.end()
    pair.begin()
    work()
    without = pair.end()
    hold.set()
    assert reasons(without.result()) == {"perf was not ready when the window began"}
    assert without.result().raw is None
    pair.wait()
    pair.begin()
    work()
    assert values(pair.end().result())["cycles"] == WORK
    assert pair.lack is None


def test_an_end_without_a_beginning_has_no_counts(pair: Attached) -> None:
    assert reasons(pair.end().result()) == {"no window was begun"}


def holding(made: Attached) -> threading.Event:
    """Nothing is started or read until it is set."""
    hold = threading.Event()
    made._beside.submit(hold.wait)
    return hold


def settled(made: Attached) -> None:
    """All that was to be started and read has been."""
    made._beside.submit(int).result()


def ends_counting(made: Attached, measured: Measured, reason: str) -> None:
    assert reasons(measured) == {reason}
    assert made.lack == reason
    made.begin()
    assert reasons(made.end().result()) == {reason}


def test_a_perf_that_is_killed_in_a_window_ends_counting(pair: Attached, work: Work, files: Path) -> None:
    (pid,) = perfs()
    pair.begin()
    work()
    os.kill(pid, signal.SIGKILL)
    ends_counting(pair, pair.end().result(), "perf ended by itself (status -9)")
    pair.close()
    assert list(files.iterdir()) == []


def test_a_perf_that_is_killed_before_it_writes_ends_counting(pair: Attached, work: Work) -> None:
    (pid,) = perfs()
    pair.begin()
    hold = holding(pair)
    work()
    found = pair.end()
    os.kill(pid, signal.SIGKILL)
    hold.set()
    ends_counting(pair, found.result(), "perf left no counts of a window (status -9)")


@pytest.mark.parametrize("command", ["enable", "disable"])
def test_a_perf_that_dies_between_windows_ends_counting(
    pair: Attached, fake_perf: FakePerf, work: Work, command: str
) -> None:
    fake_perf(dies_at=command)
    pair.begin()
    work()
    assert values(pair.end().result())["cycles"] == WORK
    settled(pair)
    pair.begin()
    ends_counting(pair, pair.end().result(), "perf ended by itself (status -9)")


def test_a_perf_that_does_not_answer_ends_counting(
    pair: Attached, fake_perf: FakePerf, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_perf(no_ack=["enable"])
    pair.begin()
    work()
    assert values(pair.end().result())["cycles"] == WORK
    pair.wait()
    monkeypatch.setattr(perf_attach, "ANSWER_LIMIT_S", 0.05)
    pair.begin()
    ends_counting(pair, pair.end().result(), "perf did not acknowledge 'enable' within 0.05 s")


def test_a_thread_that_ends_as_perf_attaches_is_tried_without(
    fake_perf: FakePerf, work: Work, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_perf(meter=str(work.meter))
    really, gone = perf_attach._other_threads, iter([{99999999}])
    monkeypatch.setattr(perf_attach, "_other_threads", lambda: really() | next(gone, set()))
    with counting(files) as made:
        made.begin()
        work()
        assert values(made.end().result())["cycles"] == WORK


def test_a_thread_that_begins_as_perf_attaches_is_not_missed(
    pair: Attached, work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    """perf is attached anew until nothing began meanwhile. Here something always does, and later no more."""
    really, calls = perf_attach._other_threads, itertools.count()
    with monkeypatch.context() as patch:
        patch.setattr(perf_attach, "_other_threads", lambda: really() | ({99999999} if next(calls) % 2 else set()))
        pair.begin()
        settled(pair)
    pair.end()
    assert next(calls) == 2 * perf_attach.TRIES
    pair.begin()
    assert reasons(pair.end().result()) == {"threads began or ended each time that perf was attached"}
    assert pair.lack is None
    pair.wait()
    pair.begin()
    work()
    assert values(pair.end().result())["cycles"] == WORK


def test_perf_is_told_every_thread_but_the_one_that_starts_it(pair: Attached) -> None:
    (pid,) = perfs()
    words = Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")
    told = {int(thread) for thread in words[words.index(b"-t") + 1].split(b",")}
    all_threads = {int(thread.name) for thread in Path("/proc/self/task").iterdir()}
    starter = pair._beside.submit(threading.get_native_id).result()
    assert threading.get_native_id() in told
    assert told == all_threads - {starter}


def test_scaled_and_uncounted_events_say_so(fake_perf: FakePerf, work: Work, files: Path) -> None:
    fake_perf(meter=str(work.meter), scaled={"cycles": 60}, unsupported=["LLC-loads"])
    with counting(files, "cycles", "instructions") as scaled:
        scaled.begin()
        work()
        assert {count.running_percent for count in scaled.end().result().counts} == {60}
    with counting(files, "cycles", "LLC-loads") as without:
        without.begin()
        work()
        found = {count.event: (count.value, count.status) for count in without.end().result().counts}
    assert found == {"cycles": (None, "not_counted"), "LLC-loads": (None, "not_supported")}


def test_the_most_important_events_are_counted_at_once(
    pi5: Machine, fake_perf: FakePerf, work: Work, files: Path
) -> None:
    fake_perf(meter=str(work.meter))
    with attach(pi5, files) as made:
        assert made.chosen.group == tuple(event.name for event in made.chosen.events) == PI5_EVENTS
        assert (made.chosen.absent, made.chosen.scope, made.chosen.notes) == ({}, "user+kernel", ())
        made.begin()
        work()
        assert set(values(made.end().result())) == set(PI5_EVENTS)


def test_what_the_counters_do_not_hold_is_left_out(pi5: Machine, fake_perf: FakePerf, files: Path) -> None:
    fake_perf(counters=3, user_only=True)
    with attach(pi5, files) as made:
        assert made.chosen.group == PI5_EVENTS[:4]
        assert made.chosen.absent == dict.fromkeys(
            PI5_EVENTS[4:], "left out: the counters hold 4 of these events at once"
        )
        assert made.chosen.scope == "user"


PI5_EVENTS = ("cycles", "inst_retired", "stall_backend", "stall_frontend", "ll_cache_rd", "ll_cache_miss_rd")


@pytest.mark.parametrize(
    ("uarch", "metrics", "proxies"),
    [
        ("cortex-a76", "stall_backend,stall_frontend", ""),
        ("cortex-a53", "stall_backend,stall_memory", "other_interlock_stall,l2d_cache,l2d_cache_refill"),
        ("skylake-x", "stall_backend,stall_memory", ""),
        (
            "generic",
            "stall_backend,stall_frontend",
            "stalled-cycles-backend,stalled-cycles-frontend,LLC-loads,LLC-load-misses",
        ),
    ],
)
def test_each_metric_has_the_cores_best_event(pi5: Machine, uarch: str, metrics: str, proxies: str) -> None:
    events = perf_attach._one_a_metric(msgspec.structs.replace(pi5, uarch=uarch, pmu=None))
    assert [event.metric for event in events] == [
        "cycles",
        "instructions",
        *metrics.split(","),
        "llc_load",
        "llc_load_miss",
    ]
    assert [event.name for event in events if event.quality == "proxy"] == (proxies.split(",") if proxies else [])


def test_without_a_pmu_nothing_is_attached(pi5: Machine, fake_perf: FakePerf, files: Path) -> None:
    fake_perf(no_pmu=True)
    with pytest.raises(UnusableError) as raised:
        attach(msgspec.structs.replace(pi5, pmu=None), files)
    assert raised.value.cause == (
        "perf counts no hardware event here: this machine shows no hardware counters (no PMU)"
    )
    assert perfs() == []


def test_a_refused_perf_says_what_allows_it(pi5: Machine, fake_perf: FakePerf, files: Path) -> None:
    fake_perf(refuse=True)
    with pytest.raises(UnusableError, match="perf_event_paranoid") as raised:
        attach(pi5, files)
    assert raised.value.remedy == "sudo sysctl kernel.perf_event_paranoid=1"


@pytest.mark.usefixtures("no_perf")
def test_no_perf_at_all(pi5: Machine, files: Path) -> None:
    with pytest.raises(UnusableError, match="perf is not installed"):
        attach(pi5, files)


def test_counters_that_hold_no_group_are_unusable(pi5: Machine, fake_perf: FakePerf, files: Path) -> None:
    fake_perf(counters=1)
    with pytest.raises(UnusableError, match="no group of them in full"):
        attach(pi5, files)


def test_a_perf_that_never_answers_is_not_attached(
    pi5: Machine, fake_perf: FakePerf, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_perf(no_ack=True)
    monkeypatch.setattr(perf_attach, "START_LIMIT_S", 0.05)
    with pytest.raises(UnusableError) as raised:
        attach(pi5, files)
    assert raised.value.cause == (
        "perf cannot be attached to this process (perf did not acknowledge 'disable' within 0.05 s)"
    )
    assert perfs() == []
    assert list(files.iterdir()) == []


ALONE = """
import sys
from pathlib import Path
sys.path[:0] = sys.argv[2:]
import test_perf_attach
made = test_perf_attach.counting(Path(sys.argv[1]), "task-clock", "page-faults")
made.begin()
made.wait()
print(*test_perf_attach.perfs(), flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("kind", ["fake", "real"])
def test_no_perf_outlives_a_process_that_is_killed(kind: str, fake_perf: FakePerf, files: Path) -> None:
    if kind == "fake":
        fake_perf()
    else:
        needs_perf()
    here = Path(__file__).parent
    call = [sys.executable, "-c", ALONE, str(files), str(here), str(here.parent)]
    with subprocess.Popen(call, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        handles = [os.pidfd_open(int(pid)) for pid in present(process.stdout).readline().split()]
        process.kill()
    assert len(handles) == 2
    for handle in handles:
        assert select.select([handle], [], [], 60)[0]
        os.close(handle)


def needs_perf() -> None:
    real = shutil.which("perf")
    events = ["-e", "{task-clock,page-faults}"]
    if real is None or subprocess.run([real, "stat", *events, "true"], capture_output=True, check=False).returncode:
        pytest.skip("there is no perf that counts here")


def burn(seconds: float) -> None:
    """CPU time of the thread that runs this."""
    end = time.thread_time() + seconds
    while time.thread_time() < end:
        pass


@pytest.mark.slow
def test_perf_counts_all_threads_and_not_its_own(files: Path) -> None:
    """Threads that were there and new ones; neither the thread that starts perf nor what that starts."""
    needs_perf()
    with ThreadPoolExecutor(1) as there, counting(files, "task-clock", "page-faults") as made:
        there.submit(burn, 0.001).result()
        # Its thread began after perf was attached, and was inherited; the next perf is given it by name.
        for _ in range(2):
            made.begin()
            before = time.process_time()
            burn(0.1)
            there.submit(burn, 0.1).result()
            new = threading.Thread(target=burn, args=(0.1,))
            new.start()
            new.join()
            made._beside.submit(burn, 0.3).result()
            made._beside.submit(subprocess.run, [sys.executable, "-c", BURN], check=True).result()
            used_s = time.process_time() - before
            counts = {count.event: count for count in made.end().result().counts}
            assert 0.3 <= present(counts["task-clock"].value) / 1e9 <= used_s - 0.3 + 0.05
            assert counts["task-clock"].running_percent == 100
            made.wait()


BURN = "import time\nwhile time.process_time() < 0.3: pass"
