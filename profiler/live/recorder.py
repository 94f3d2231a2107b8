"""A live session kept as a study like any other: one model, one case, each whole window of frames a run."""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from shutil import move
from typing import TYPE_CHECKING

from msgspec.structs import replace

from profiler import __version__, store
from profiler.camera.source import Facts
from profiler.errors import ProfilerError
from profiler.live.windows import PACED
from profiler.machine import events as catalogue
from profiler.measure import run
from profiler.modelfile import ModelFile
from profiler.records import (
    SCHEMA,
    Case,
    Completion,
    Engine,
    Live,
    Machine,
    Plan,
    Run,
    Study,
    Summary,
    Usage,
)
from profiler.runtimes.usage import peak_rss_bytes

if TYPE_CHECKING:
    from profiler.counters.perf_attach import Attached
    from profiler.live.classifier import Classifier
    from profiler.live.windows import Window

_WITHOUT = "Counted by rusage alone, without perf: CPU time, page faults and context switches; no hardware event."


class Recorder:
    """A study that grows by a run a window. It is whole from its beginning: a session that is killed leaves a study.

    Runs are written in a thread of their own, so that no frame waits for the disk.

    Attributes:
        lack: Why nothing more is written; None while all is well. What was written before stands.
    """

    def __init__(self, kept: store.Store, study: Study, phases: dict[str, Usage]) -> None:
        self.lack: ProfilerError | None = None
        self._kept, self._study, self._phases = kept, study, phases
        self._runs = self._frames = 0
        self._part: Window | None = None
        self._whole = False
        self._pending: deque[Future[None]] = deque()
        self._writer = ThreadPoolExecutor(1, "recorder")
        # Its thread is there before the first window, for counting is disturbed by threads that begin.
        self._writer.submit(lambda: None).result()

    @classmethod
    def begin(
        cls,
        root: Path,
        name: str,
        *,
        classifier: "Classifier",
        file: ModelFile,
        facts: Facts,
        command: str,
        machine: Machine,
        attached: "Attached | None",
        window: int,
        every: bool = False,
        notes: Sequence[str] = (),
    ) -> "Recorder":
        """Makes the study's folder under `root`.

        Args:
            command: The command line that the session began with, without credentials.
            attached: What counts hardware events; None where the kernel's accounting alone does.
            window: Frames of a run.
            every: As in `records.Live`.
            notes: What the reader must know; where nothing counts hardware events, why that is.

        Raises:
            ProfilerError: The name is taken, the folder cannot be written, or the model's file cannot be read.
        """
        live = _live(classifier, facts, window, every)
        study = _study(name, command, classifier, file, live, machine, attached, notes)
        return cls(store.create(root, study), study, classifier.phases)

    @property
    def folder(self) -> Path:
        """The study's."""
        return self._kept.folder

    @property
    def raw(self) -> Path:
        """Where perf's own files belong; one that lies elsewhere is moved here with its window."""
        return self._kept.raw

    def window(self, window: "Window") -> None:
        """Keeps a window as a run. One with fewer frames than asked is the run of a session that has no other.

        The counter's file of it is taken at once; the rest is left to the writer.
        """
        if len(window.latencies_ns) >= self._study.plan.images[0]:
            self._whole = True
            self._pending.append(self._writer.submit(self._keep, self._taken(window), self._study.cases[0]))
            while self._pending and self._pending[0].done():
                self._pending.popleft().result()
        elif not self._whole:
            self._part = self._taken(window)

    def close(self, summary: Summary) -> None:
        """Writes what the session came to; what could not be written is in `lack`."""
        self._writer.shutdown()
        while self._pending:
            self._pending.popleft().result()
        if self._part and self._part.latencies_ns:
            frames = len(self._part.latencies_ns)
            case = replace(self._study.cases[0], images=frames)
            self._study = replace(self._study, cases=(case,), plan=replace(self._study.plan, images=(frames,)))
            self._keep(self._part, case)
        live = self._study.live
        study = replace(
            self._study,
            plan=replace(self._study.plan, repeats=self._runs),
            notes=(*self._study.notes, *self._missing(summary)),
            live=replace(live, summary=summary) if live else None,
        )
        try:
            self._kept.rewrite(study)
        except ProfilerError as error:
            self.lack = self.lack or error

    def _missing(self, summary: Summary) -> list[str]:
        """Which frames are in no run."""
        outside = summary.frames - self._frames
        if outside <= 0:
            return []
        frames = f"{outside:,} of {summary.frames:,} labelled frames are in no run"
        if self.lack:
            return [f"{frames}, for the recording broke off: {self.lack.cause}."]
        return [f"{frames}: they filled no window of {self._study.plan.images[0]:,}."]

    def _keep(self, window: "Window", case: Case) -> None:
        """Appends a run; nothing after one that could not be, for its line may be half there."""
        if self.lack is not None:
            return
        try:
            self._kept.append(self._run(window, case))
        except ProfilerError as error:
            self.lack = ProfilerError(
                error.cause, "make room on the disk, and record again; the runs before it are kept"
            )
        else:
            self._runs += 1
            self._frames += case.images

    def _run(self, window: "Window", case: Case) -> Run:
        return Run(
            order=self._runs,
            case=case,
            repeat=self._runs,
            started_at=window.started_at,
            wall_ns=window.wall_ns,
            outcome="ok",
            returncode=None,
            counts=window.counts,
            before=window.before,
            after=window.after,
            completion=self._completion(window),
            raw=str(window.raw.relative_to(self.folder)) if window.raw else None,
        )

    def _completion(self, window: "Window") -> Completion:
        """What the process paid once stands in the first run alone: it was paid before the first window, and once."""
        model = self._study.models[0]
        return Completion(
            engine=None,
            input=model.input,
            output=model.output,
            phases={**(self._phases if not self._runs else {}), "live": window.usage},
            latencies_ns=tuple(window.latencies_ns),
            top=tuple(window.tops),
            scores=tuple(window.scores),
            peak_rss_bytes=peak_rss_bytes(),
        )

    def _taken(self, window: "Window") -> "Window":
        """The window with its counter's file within the study; without one that is not there or cannot be taken."""
        path = window.raw
        if path is None or self.lack is not None:
            return window._replace(raw=None)
        place = self.raw / path.name
        try:
            if path.parent.resolve() != self.raw.resolve():
                move(path, place)
        except OSError as error:
            self.lack = ProfilerError(f"{place} cannot be written ({error.strerror})", "make room on the disk")
            return window._replace(raw=None)
        return window._replace(raw=place)


def _study(
    name: str,
    command: str,
    classifier: "Classifier",
    file: ModelFile,
    live: Live,
    machine: Machine,
    attached: "Attached | None",
    notes: Sequence[str],
) -> Study:
    """The study before its first run."""
    engine, chosen = classifier.engine(), attached.chosen if attached else None
    group = chosen.group if chosen else ()
    accounted = (event for event in catalogue.always() if event.name != PACED)
    events = {event.name: event for event in (*(chosen.events if chosen else ()), *accounted)}
    return Study(
        schema=SCHEMA,
        name=name,
        created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        profiler_version=__version__,
        command=command,
        plan=_plan(live, engine, hardware=bool(group)),
        machine=machine,
        models=(run.described(file, engine, classifier.input, classifier.output),),
        counter_source="perf" if chosen else "software",
        scope=chosen.scope if chosen else "user+kernel",
        events=tuple(events.values()),
        absent=chosen.absent if chosen else {},
        groups=(group,),
        cases=(Case(model=file.label, images=live.window, region="live", group=group),),
        notes=(*notes, *(chosen.notes if chosen else () if notes else (_WITHOUT,))),
        live=live,
    )


def _plan(live: Live, engine: Engine, *, hardware: bool) -> Plan:
    """What a session has of a sweep's plan; how many windows there are is known at its end."""
    return Plan(
        images=(live.window,),
        repeats=0,
        warmup=0,
        threads=engine.threads,
        regions=("live",),
        event_set="live",
        counters="perf" if hardware else "software",
        source=live.source,
        timeout_s=0.0,
        keras_call=engine.call,
    )


def _live(classifier: "Classifier", facts: Facts, window: int, every: bool) -> Live:
    return Live(
        source=facts.name,
        kind=facts.kind,
        width=facts.width,
        height=facts.height,
        asked_rate=facts.asked_rate,
        declared_rate=facts.declared_rate,
        format=facts.format,
        fit=classifier.fit,
        output=classifier.kind,
        classes=classifier.classes,
        window=window,
        every=every,
    )
