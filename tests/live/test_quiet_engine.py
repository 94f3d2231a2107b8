"""An engine's chatter, kept from the terminal."""

import os

import pytest

from profiler.errors import ProfilerError
from profiler.live.quiet_engine import hushed


def chatter() -> None:
    """As C++ does, past Python's own stream."""
    os.write(2, b"INFO: from below\n")


def fail(error: Exception, behind: Exception | None = None) -> None:
    with hushed():
        chatter()
        raise error from behind


def test_nothing_is_said_where_all_goes_well(capfd: pytest.CaptureFixture[str]) -> None:
    with hushed():
        chatter()
    os.write(2, b"after\n")
    assert capfd.readouterr().err == "after\n"


def test_all_of_it_is_said_before_an_error_of_something_else(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match="broken"):
        fail(ValueError("broken"))
    assert capfd.readouterr().err == "INFO: from below\n"


def test_a_finding_that_has_an_engine_s_error_behind_it_shows_what_the_engine_said(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with pytest.raises(ProfilerError):
        fail(ProfilerError("cannot be loaded", "use another"), ValueError("broken"))
    assert capfd.readouterr().err == "INFO: from below\n"


def test_a_finding_of_our_own_is_told_alone(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ProfilerError):
        fail(ProfilerError("not one image", "use another"))
    assert capfd.readouterr().err == ""


def test_no_file_is_left_open() -> None:
    before = os.listdir("/proc/self/fd")  # noqa: PTH208 - names, not files that may be gone
    with hushed():
        chatter()
    assert os.listdir("/proc/self/fd") == before  # noqa: PTH208
