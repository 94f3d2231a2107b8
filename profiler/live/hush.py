"""An engine's chatter, kept from the terminal unless something goes wrong."""

import os
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager

from profiler.errors import ProfilerError

_STREAM = 2


@contextmanager
def hushed() -> Iterator[None]:
    """What anything in this process says on standard error inside, C++ too, is shown only if something else's error
    leaves it: this program's own findings are told in a line.
    """
    with tempfile.TemporaryFile() as kept:
        try:
            with _sent_to(kept.fileno()):
                yield
        except Exception as error:
            if not isinstance(error, ProfilerError) or error.__cause__:
                kept.seek(0)
                sys.stderr.write(kept.read().decode("utf-8", "replace"))
            raise


@contextmanager
def _sent_to(target: int) -> Iterator[None]:
    sys.stderr.flush()
    stream = os.dup(_STREAM)
    os.dup2(target, _STREAM)
    try:
        yield
    finally:
        sys.stderr.flush()
        os.dup2(stream, _STREAM)
        os.close(stream)
