"""An engine's chatter, kept from the terminal unless something goes wrong."""

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress

from profiler.errors import ProfilerError

_OUT, _ERROR = 1, 2


@contextmanager
def hushed() -> Iterator[None]:
    """What anything in this process says on standard error inside, C++ too, is shown only if something else's error
    leaves it: this program's own findings are told in a line.
    """
    with tempfile.TemporaryFile() as kept:
        try:
            with sent_to({_ERROR: kept.fileno()}):
                yield
        except Exception as error:
            if not isinstance(error, ProfilerError) or error.__cause__:
                kept.seek(0)
                sys.stderr.write(kept.read().decode("utf-8", "replace"))
            raise


@contextmanager
def sent_to(targets: Mapping[int, int]) -> Iterator[None]:
    """What is written to standard streams (1, 2) goes to other file descriptors inside, from C and C++ too."""
    streams = [sys.stdout if number == _OUT else sys.stderr for number in targets]
    for stream in streams:
        stream.flush()
    kept = {number: os.dup(number) for number in targets}
    try:
        for number, target in targets.items():
            os.dup2(target, number)
        yield
    finally:
        for stream, (number, copy) in zip(streams, kept.items(), strict=True):
            # What nobody reads any more cannot be flushed.
            with suppress(OSError):
                stream.flush()
            os.dup2(copy, number)
            os.close(copy)
