"""The parts of a live session put together: camera, model, counters, page, recording, and what is shown of it."""

import errno
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple, TextIO

from profiler.camera.open import look_for, open_capture
from profiler.camera.source import Capture, Facts
from profiler.cli.live import stdio_and_signals, wording
from profiler.cli.live.plain_output import Json, Lines, Watch
from profiler.cli.live.terminal_output import InPlace
from profiler.cli.options import USUAL_RUNS
from profiler.counters import UnusableError
from profiler.counters.perf_attach import Attached, attach
from profiler.errors import ProfilerError
from profiler.live import session
from profiler.live.classifier import Classifier, open_classifier
from profiler.live.recorder import Recorder
from profiler.live.state_sampler import Sampler
from profiler.live.web import Hub, serve
from profiler.live.windows import Window, Windows
from profiler.machine import host
from profiler.measure.process import Stop
from profiler.modelfile import ModelFile
from profiler.records import Fit, Machine, OutputKind, Second, Summary

RUN_FRAMES = 60
"""Of a window that becomes a run of a study: two seconds of a camera that gives 30 a second."""
_UNREAD = (errno.EPIPE, errno.EIO)
"""Nobody reads any more: a pipe's other end has closed (`| head`), or a terminal has gone."""
_NOT_ASKED = "not asked for (--counters software)"


class Wanted(NamedTuple):
    """What a command line asks for; the options' names and meanings."""

    command: str
    file: ModelFile
    camera: str
    size: tuple[int, int] | None
    rate: float
    top: int
    seconds: float | None
    frames: int | None
    every: bool
    fit: Fit
    output: OutputKind | None
    labels: Path | None
    pixels: tuple[float, float] | None
    threads: int | None
    keras_call: str
    counters: str
    web: tuple[str, int] | None
    record: str | None
    runs: Path


class Parts(NamedTuple):
    """What is open before the source is.

    Attributes:
        attached: What counts hardware events; None where nothing does, for the reason `lack`.
        hub: What the page shows, at `url`; None where there is no page.
    """

    classifier: Classifier
    machine: Machine
    attached: Attached | None
    lack: str | None
    sampler: Sampler
    windows: Windows
    hub: Hub | None
    url: str | None


class Session:
    """A session, shown on `out`: in place on a terminal, else as lines or JSON.

    Attributes:
        unrecorded: It was to be recorded, and not all of it was.
    """

    def __init__(self, wanted: Wanted, as_json: bool, out: TextIO) -> None:
        self.unrecorded = False
        self._wanted = wanted
        self._watch: Watch = _watch(out, as_json)
        self._stop = Stop()
        self._unread = False
        self._recorder: Recorder | None = None

    def run(self) -> Summary:
        """Until its end, however that comes.

        Raises:
            ProfilerError: Model, camera, page or study cannot be used.
        """
        wanted = self._wanted
        with ExitStack() as held:
            parts = self._parts(held)
            held.callback(self._close)
            held.enter_context(self._stop)
            held.enter_context(stdio_and_signals.stoppable(self._stop, self._watch.abandon))
            summary = session.run(
                self._source,
                parts.classifier,
                seconds=wanted.seconds,
                frames=wanted.frames,
                every=wanted.every,
                observers=[parts.windows.labelled, *([parts.hub.labelled] if parts.hub else [])],
                tell=partial(self._tell, parts.hub),
                counting=parts.windows.counting,
                stop=self._stop,
                opened=partial(self._opened, parts),
                state=lambda: parts.sampler.latest,
            )
            self._finish(parts, summary)
        return summary

    def _parts(self, held: ExitStack) -> Parts:
        wanted = self._wanted
        # First, for a port that is taken and a camera that is not there show at once; an engine takes seconds to load.
        hub, url = self._page(held)
        look_for(wanted.camera)
        self._show(lambda: self._watch.loading(f"{wanted.file.runtime} {wanted.file.path.name}"))
        classifier = open_classifier(
            wanted.file,
            threads=wanted.threads,
            call=wanted.keras_call,
            output=wanted.output,
            labels=wanted.labels,
            fit=wanted.fit,
            top=wanted.top,
            pixels=wanted.pixels,
        )
        described = host.describe()
        sampler = held.enter_context(Sampler())
        attached, lack = self._attached(held, described)
        frames = None if wanted.record is None else RUN_FRAMES
        windows = Windows(attached, lambda: sampler.latest, frames, self._keep, lack=lack or "")
        held.callback(windows.close)
        return Parts(classifier, described, attached, lack, sampler, windows, hub, url)

    def _page(self, held: ExitStack) -> tuple[Hub | None, str | None]:
        if self._wanted.web is None:
            return None, None
        hub = Hub(f"{self._wanted.file.label}: {self._wanted.file.path.name}")
        # Without a token of ours the server makes one wherever others could come in.
        return hub, held.enter_context(serve(hub, *self._wanted.web, None))

    def _attached(self, held: ExitStack, described: Machine) -> tuple[Attached | None, str | None]:
        """What counts hardware events, or why nothing does."""
        if self._wanted.counters == "software":
            return None, _NOT_ASKED
        folder = held.enter_context(tempfile.TemporaryDirectory(prefix="profiler-live-"))
        try:
            return held.enter_context(attach(described, Path(folder))), None
        except UnusableError as error:
            if self._wanted.counters == "perf":
                raise
            return None, error.cause

    def _source(self) -> Capture:
        wanted = self._wanted
        return open_capture(wanted.camera, size=wanted.size, rate=wanted.rate, every=wanted.every)

    def _opened(self, parts: Parts, facts: Facts) -> None:
        wanted = self._wanted
        if wanted.every and facts.kind != "file":
            # Its frames would wait in the driver's or the network's buffers, where nobody sees them grow old.
            raise ProfilerError(f"--every-frame is for files, and {facts.name} is none", "leave --every-frame out")
        if wanted.record is not None:
            self._recorder = Recorder.begin(
                wanted.runs,
                wanted.record,
                classifier=parts.classifier,
                file=wanted.file,
                facts=facts,
                command=wanted.command,
                machine=parts.machine,
                attached=parts.attached,
                window=RUN_FRAMES,
                every=wanted.every,
                notes=_notes(parts),
            )
        self._show(lambda: self._watch.opened(_setting(parts), facts))
        parts.windows.opened(facts)

    def _tell(self, hub: Hub | None, second: Second) -> None:
        self._look()
        self._show(lambda: self._watch.second(second))
        if hub:
            hub.second(second)

    def _keep(self, window: Window) -> None:
        if self._recorder:
            self._recorder.window(window)

    def _look(self) -> None:
        """Says once that the recording broke off; the session goes on."""
        if self._recorder and self._recorder.lack and not self.unrecorded:
            self.unrecorded = True
            line = f"not all of the session is recorded: {self._recorder.lack}"
            self._show(lambda: self._watch.note(line))

    def _finish(self, parts: Parts, summary: Summary) -> None:
        """The last window is kept, the study closed, the summary shown."""
        parts.windows.close()
        if self._recorder:
            self._recorder.close(summary)
            self._look()
        self._show(lambda: self._watch.ended(summary, self._named()))

    def _named(self) -> str | None:
        """The study as `profiler report` is told of it: its folder where that is not below the usual one."""
        name, root = self._wanted.record, self._wanted.runs
        return name if name is None or root == USUAL_RUNS else str(root / name)

    def _close(self) -> None:
        self._show(self._watch.close)

    def _show(self, show: Callable[[], object]) -> None:
        """Shows it as long as somebody reads; where nobody does any more, the session ends."""
        if self._unread:
            return
        try:
            show()
        except OSError as error:
            if error.errno not in _UNREAD:
                raise
            self._unread = True
            self._stop.set()


def _watch(out: TextIO, as_json: bool) -> Watch:
    if as_json:
        return Json(out)
    return InPlace(out) if InPlace.fits(out) else Lines(out)


def _notes(parts: Parts) -> tuple[str, ...]:
    """What a reader of the study must know: why nothing is counted, and what the answers are worth."""
    lack = f"No hardware event was counted: {parts.lack}." if parts.lack else None
    return tuple(filter(None, (lack, parts.classifier.remark)))


def _setting(parts: Parts) -> wording.Setting:
    classifier = parts.classifier
    setting = wording.Setting(
        runtime=classifier.file.runtime,
        file=classifier.file.path.name,
        kind=classifier.kind,
        classes=classifier.classes,
        input=classifier.input,
        fit=classifier.fit,
        url=parts.url,
        lack=parts.lack,
        remark=parts.classifier.remark,
    )
    if parts.attached is None:
        return setting
    chosen = parts.attached.chosen
    return setting._replace(events=chosen.group, scope=chosen.scope, absent=chosen.absent, notes=chosen.notes)
