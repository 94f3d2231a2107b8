import os
import signal
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from profiler.counters import Launch
from profiler.errors import ProfilerError
from profiler.measure import process


def python(code: str, **environment: str) -> Launch:
    return Launch((sys.executable, "-S", "-E", "-c", code), environment, ())


def test_usage_and_output(tmp_path: Path) -> None:
    ended = process.run(python("import sys; print('out'); print('err', file=sys.stderr)"), tmp_path / "o", 30, None)
    assert ended.returncode == 0
    assert not ended.timed_out
    assert "out" in ended.output_tail
    assert "err" in ended.output_tail
    assert ended.usage.wall_ns > 0
    assert ended.usage.cpu_ns == ended.usage.user_ns + ended.usage.system_ns
    assert ended.usage.page_faults > 0


def test_a_signal_is_a_negative_returncode(tmp_path: Path) -> None:
    ended = process.run(python("import os; os.kill(os.getpid(), 11)"), tmp_path / "o", 30, None)
    assert ended.returncode == -signal.SIGSEGV


def test_a_hanging_process_is_killed_with_its_children(tmp_path: Path) -> None:
    held, holding = os.pipe()
    launch = python("import os, signal; os.fork(); signal.pause()")._replace(pass_fds=(holding,))
    ended = process.run(launch, tmp_path / "o", 1, None)
    os.close(holding)
    assert ended.timed_out
    assert ended.returncode == -signal.SIGKILL
    # Ends when nobody holds the other end any more, and so waits for a child that lives on.
    assert os.read(held, 1) == b""
    os.close(held)


def test_cpus_are_inherited_and_our_own_are_restored(tmp_path: Path) -> None:
    mine = os.sched_getaffinity(0)
    ended = process.run(python("import os; print(os.sched_getaffinity(0))"), tmp_path / "o", 30, (min(mine),))
    assert ended.output_tail == str({min(mine)})
    assert os.sched_getaffinity(0) == mine


def test_environment_is_added(tmp_path: Path) -> None:
    ended = process.run(
        python("import os; print(os.environ['A'], 'PATH' in os.environ)", A="b"), tmp_path / "o", 30, None
    )
    assert ended.output_tail == "b True"


def test_long_output_keeps_its_end(tmp_path: Path) -> None:
    ended = process.run(python("print('x' * 10**6 + 'end')"), tmp_path / "o", 30, None)
    assert len(ended.output_tail) <= 4000
    assert ended.output_tail.endswith("end")


def test_what_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="cannot be started"):
        process.run(Launch((str(tmp_path / "gone"),), {}, ()), tmp_path / "o", 30, None)


def test_a_stop_set_by_another_thread_ends_a_run(tmp_path: Path) -> None:
    with process.Stop() as stop, ThreadPoolExecutor(1) as pool:
        begun = tmp_path / "begun"
        os.mkfifo(begun)
        waiting = python(f"import signal; open({str(begun)!r}, 'w').close(); signal.pause()")
        ending = pool.submit(process.run, waiting, tmp_path / "o", 60, None, stop)
        begun.read_text()
        stop.set()
        stop.set()
        ended = ending.result()
        assert ended.timed_out
        assert ended.returncode == -signal.SIGKILL
        assert process.run(python("import signal; signal.pause()"), tmp_path / "o", 60, None, stop).timed_out


def test_a_stop_that_nobody_sets_lets_a_run_end(tmp_path: Path) -> None:
    with process.Stop() as stop:
        assert not process.run(python("pass"), tmp_path / "o", 60, None, stop).timed_out
