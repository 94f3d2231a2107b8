"""The real virtual Raspberry Pi, for slow tests: set up once in the user's cache folder, as a user would."""

import shutil

import pytest

from profiler import virtual
from profiler.errors import ProfilerError
from profiler.virtual import Virtual, guest

_UNREACHED = ("could not download", "could not reach")


def ready(key: str = "pi5", keras: bool = False) -> Virtual:
    """The board, set up now if it is not; the test is skipped where it cannot be: no emulator, no apt, no network."""
    if guest.emulator() is None:
        pytest.skip("there is no qemu-aarch64")
    try:
        return virtual.find(key, keras)
    except ProfilerError:
        if shutil.which("apt-get") is None:
            pytest.skip("the virtual board is not set up, and there is no apt-get")
    try:
        return virtual.setup(key, keras, print)
    except ProfilerError as error:
        if any(sign in error.cause for sign in _UNREACHED):
            pytest.skip(f"the virtual board is not set up: {error}")
        raise
