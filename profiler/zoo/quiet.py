"""TensorFlow without its chatter: what it logs to the terminal, from Python and from C++, tells a user nothing."""

import os
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

from profiler.runtimes import keras

_STREAMS = (1, 2)


@contextmanager
def quiet() -> Iterator[None]:
    """Nothing said inside reaches standard output or standard error; exceptions do pass. Also a decorator."""
    with Path(os.devnull).open("w") as nowhere, redirect_stdout(nowhere), redirect_stderr(nowhere):
        kept = [os.dup(stream) for stream in _STREAMS]
        try:
            for stream in _STREAMS:
                os.dup2(nowhere.fileno(), stream)
            yield
        finally:
            for stream, copy in zip(_STREAMS, kept, strict=True):
                os.dup2(copy, stream)
                os.close(copy)


@quiet()
def tensorflow() -> Any:
    """The TensorFlow package, imported now.

    Raises:
        ProfilerError: It is not installed.
    """
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    return keras.tensorflow()
