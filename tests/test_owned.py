"""Standard output for one alone, and signals that end in good order."""

import os
import pty
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from profiler.cli import INTERRUPTED, owned

CHATTER = """
import os, sys
from profiler.cli import owned
print("before")
with owned.output() as out:
    os.write(1, b"one ")
    os.write(2, b"two ")
    print("three")
    out.write("mine\\n")
print("after")
"""


def run(**streams: int) -> "subprocess.CompletedProcess[bytes]":
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


def test_a_program_that_replaced_standard_output_keeps_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    with owned.output() as out:
        out.write("mine")
    assert capsys.readouterr().out == "mine"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_each_signal_asks_for_an_end_and_then_means_what_it_did(number: signal.Signals) -> None:
    before, stop = signal.getsignal(number), threading.Event()
    with owned.stoppable(stop, lambda: None):
        assert not stop.is_set()
        signal.raise_signal(number)
        assert stop.is_set()
        if number != signal.SIGINT:
            signal.raise_signal(number)
    assert signal.getsignal(number) is before


def test_a_second_ctrl_c_ends_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    said: list[object] = []
    monkeypatch.setattr(os, "_exit", said.append)
    with owned.stoppable(threading.Event(), lambda: said.append("left")):
        signal.raise_signal(signal.SIGINT)
        assert said == []
        signal.raise_signal(signal.SIGINT)
    assert said == ["left", INTERRUPTED]


def test_a_process_that_was_started_deaf_stays_so() -> None:
    before, stop = signal.signal(signal.SIGHUP, signal.SIG_IGN), threading.Event()
    try:
        with owned.stoppable(stop, lambda: None):
            signal.raise_signal(signal.SIGHUP)
            assert not stop.is_set()
    finally:
        signal.signal(signal.SIGHUP, before)
