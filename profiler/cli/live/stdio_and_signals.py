"""Standard output for a session alone, and the signals that end it."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from profiler.cli.options import INTERRUPTED
from profiler.live.quiet_engine import sent_to
from profiler.measure.process import Stop

_OUT, _ERROR = 1, 2
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


@contextmanager
def output() -> Iterator[TextIO]:
    """Standard output, which whatever else is in this process, engines and decoders in C too, no longer reaches.

    What they print goes to standard error. Where output is a terminal, what they print or complain of on a terminal
    goes nowhere, for it would stand amid the figures. Where this process was started without standard output (`>&-`)
    what is written goes nowhere.
    """
    _fill()
    try:
        kept = os.dup(sys.stdout.fileno())
    except OSError:
        # Within a program that has put something else in its place.
        yield sys.stdout
        return
    out = os.fdopen(kept, "w", encoding=sys.stdout.encoding, errors="replace")
    try:
        with _away(out.isatty()):
            yield out
    finally:
        # What nobody reads any more cannot be flushed either.
        with contextlib.suppress(OSError):
            out.close()


def _fill() -> None:
    """Gives standard streams that were closed a place that leads nowhere: the next file opened, a camera or a study's,
    would get their number, and with it what engines print.
    """
    for number in (0, _OUT, _ERROR):
        try:
            os.fstat(number)
        except OSError:
            nowhere = os.open(os.devnull, os.O_RDWR)
            if nowhere != number:
                os.dup2(nowhere, number)
                os.close(nowhere)
    # Python has none for a stream that was closed when it began.
    sys.stdout = sys.stdout or os.fdopen(_OUT, "w", closefd=False)
    sys.stderr = sys.stderr or os.fdopen(_ERROR, "w", closefd=False)


@contextmanager
def _away(silent: bool) -> Iterator[None]:
    """Standard output goes to standard error; where that is `silent`, both go nowhere as far as they are terminals."""
    with Path(os.devnull).open("w") as nowhere:
        target = {_OUT: nowhere.fileno() if silent else _ERROR}
        if silent and os.isatty(_ERROR):
            target[_ERROR] = nowhere.fileno()
        with sent_to(target):
            yield


@contextmanager
def stoppable(stop: Stop, leave: Callable[[], object]) -> Iterator[None]:
    """Ctrl-C, a request to end and a closed connection set `stop`; whoever looks at it ends in good order.

    A second Ctrl-C calls `leave` and ends the process at once. A signal that this process was started deaf to (by
    `nohup`) stays unheard.
    """

    def end(number: int, _frame: Any) -> None:
        if number == signal.SIGINT and stop.is_set():
            leave()
            os._exit(INTERRUPTED)
        stop.set()

    before = {each: signal.getsignal(each) for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN}
    for each in before:
        signal.signal(each, end)
    try:
        yield
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)
