"""Standard output for one alone, and signals that end in good order."""

import os
import pty
import shlex
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from profiler.cli import INTERRUPTED
from profiler.cli.live import stdio_and_signals
from profiler.measure.process import Stop

CHATTER = """
import os, sys
from profiler.cli.live import stdio_and_signals as owned
print("before")
with owned.output() as out:
    os.write(1, b"one ")
    os.write(2, b"two ")
    print("three")
    out.write("mine\\n")
print("after")
"""


def run(**streams: Any) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run([sys.executable, "-c", CHATTER], check=True, **streams)


def read_all(terminal: int) -> bytes:
    """What was written to a terminal whose other end is closed."""
    parts = []
    try:
        while part := os.read(terminal, 4096):
            parts.append(part)
    except OSError:
        pass
    os.close(terminal)
    return b"".join(parts)


def test_what_others_print_goes_to_standard_error() -> None:
    done = run(stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert sorted(done.stdout.split()) == [b"after", b"before", b"mine"]
    assert sorted(done.stderr.split()) == [b"one", b"three", b"two"]


def test_nothing_else_reaches_a_terminal() -> None:
    master, terminal = pty.openpty()
    run(stdout=terminal, stderr=terminal)
    os.close(terminal)
    assert read_all(master).split() == [b"before", b"mine", b"after"]


def test_complaints_into_a_file_are_kept(tmp_path: Path) -> None:
    master, terminal = pty.openpty()
    with (tmp_path / "log").open("wb") as log:
        run(stdout=terminal, stderr=log.fileno())
    os.close(terminal)
    assert b"mine" in read_all(master)
    assert (tmp_path / "log").read_bytes() == b"two "


CLOSED = """
import os, sys
from pathlib import Path
from profiler.cli.live import stdio_and_signals as owned
with owned.output() as out, Path(sys.argv[1]).open("w") as study:
    os.write(1, b"one ")
    os.write(2, b"two ")
    print("three")
    print("four", file=sys.stderr)
    out.write("mine\\n")
    study.write("a run")
"""


def test_without_standard_streams_what_is_said_goes_nowhere_and_into_no_file(tmp_path: Path) -> None:
    program = shlex.join([sys.executable, "-c", CLOSED, str(tmp_path / "study")])
    subprocess.run(f"{program} <&- >&- 2>&-", shell=True, check=True)
    assert (tmp_path / "study").read_text() == "a run"


def test_a_program_that_replaced_standard_output_keeps_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with stdio_and_signals.output() as out:
        out.write("mine")
    assert capsys.readouterr().out == "mine"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_asks_for_an_end_and_then_means_what_it_did(number: signal.Signals) -> None:
    before, stop = signal.getsignal(number), Stop()
    with stdio_and_signals.stoppable(stop, lambda: None):
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
        if number != signal.SIGINT:
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[object] = []
    monkeypatch.setattr(os, "_exit", said.append)
    with stdio_and_signals.stoppable(Stop(), lambda: said.append("left")):
        signal.raise_signal(signal.SIGINT)
        assert said == []
        signal.raise_signal(signal.SIGINT)
    assert said == ["left", INTERRUPTED]


AMID = """
import signal, sys
from profiler.cli.live import stdio_and_signals as owned
from profiler.measure.process import Stop

def amid(frame, event, _value):
    # Each line that runs while the first signal is answered is interrupted by another one.
    if len(said) < 20:
        said.append(event)
        signal.raise_signal(signal.SIGTERM)
    return amid

said, stop = [], Stop()
with owned.stoppable(stop, lambda: None):
    sys.settrace(amid)
    signal.raise_signal(signal.SIGHUP)
    sys.settrace(None)
print(stop.is_set(), len(said) > 1)
"""


def test_a_signal_amid_another_is_no_deadlock() -> None:
    done = subprocess.run([sys.executable, "-c", AMID], stdout=subprocess.PIPE, check=True, timeout=60)
    assert done.stdout == b"True True\n"


def test_a_process_that_was_started_deaf_stays_so() -> None:
    before, stop = signal.signal(signal.SIGHUP, signal.SIG_IGN), Stop()
    try:
        with stdio_and_signals.stoppable(stop, lambda: None):
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)
