"""A live session: what it saw each second, what it came to, and what a recorded one adds to a study."""

from typing import Literal

from profiler.records.base import Record
from profiler.records.machines import MachineState

Fit = Literal["crop", "stretch"]
"""How a frame comes to the model's shape: its largest centred part of that aspect, or all of it, distorted."""
OutputKind = Literal["logit", "sigmoid", "softmax"]
"""What a model's last layer gives: numbers without bounds, a probability for each output by itself, or probabilities
that share 1 among the outputs."""
SourceKind = Literal["device", "file", "stream"]


class Spread(Record, frozen=True, kw_only=True):
    """Quantiles of times in ms (nearest rank) over `count` of them; a quantile that so few do not tell is None."""

    count: int
    p50: float | None
    p95: float | None
    p99: float | None


class Shares(Record, frozen=True, kw_only=True):
    """Where the time went, in percent.

    Attributes:
        capture: CPU time of the capture thread (waiting costs none), of one CPU; it runs beside the others.
        preprocess: Of the classifying thread's time, as are the next three; the four are 100 together.
        inference: As `preprocess`.
        idle: Waiting for a frame.
        other: All else: the output read, what is shown and handed on.
    """

    capture: float
    preprocess: float
    inference: float
    idle: float
    other: float


class Shown(Record, frozen=True, kw_only=True):
    """One answer: a class and its probability, 0 to 1."""

    label: str
    probability: float


class Counted(Record, frozen=True, kw_only=True):
    """A hardware event of this whole process, for each labelled frame.

    Attributes:
        event: In perf's spelling; `metric` as in `records.Event`.
        proxy: The event is a neighbour of what its metric asks for.
        per_frame: None for the `reason`.
        running_percent: Share of the time in which a counter was on it; below 100 the figure is scaled.
    """

    event: str
    metric: str
    proxy: bool
    per_frame: float | None
    running_percent: float | None
    reason: str | None = None


class Counting(Record, frozen=True, kw_only=True):
    """What the PMU says of the last whole window of frames.

    Attributes:
        frames: Frames of the window; 0 before the first has ended.
        ipc: Instructions a cycle, of all the process's threads.
        scope: `user+kernel` or `user`.
        lack: Why nothing is counted; None where something is.
    """

    frames: int
    events: tuple[Counted, ...]
    ipc: float | None
    scope: str | None
    lack: str | None


class Second(Record, frozen=True, kw_only=True):
    """What a session says each second; as JSON the line of `--json`.

    Attributes:
        elapsed_s: Since the first frame was asked for.
        span_s: How long this object's own span is; its figures without `total` are of it.
        frames: Labelled in the span; `fps` is that over the span.
        source_fps: Usable frames that the source delivered, over the span; a file read on demand gives what is taken.
        dropped: Frames that a newer one replaced before they were looked at.
        stale: Labelled frames whose age passed one frame period + their own preprocessing and inference + 10 ms;
            none of a file read on demand.
        corrupt: Reads that gave no usable picture.
        reconnects: Times the source was opened anew.
        latency_ms: Preprocessing and inference of a frame, over the last 300 frames.
        age_ms: From a frame's capture to its label, over the same.
        cpu_percent: CPU time of all threads of the process, of one CPU; above 100 where several worked.
        top: Of the newest labelled frame, best first; empty before there is one.
        trouble: What is wrong with the source now, in words; None where nothing is.
    """

    at: str
    elapsed_s: float
    span_s: float
    frames: int
    fps: float
    source_fps: float
    dropped: int
    stale: int
    corrupt: int
    reconnects: int
    total_frames: int
    total_dropped: int
    total_stale: int
    total_corrupt: int
    total_reconnects: int
    shares: Shares
    latency_ms: Spread
    age_ms: Spread
    cpu_percent: float
    state: MachineState
    counting: Counting
    top: tuple[Shown, ...]
    trouble: str | None


class Summary(Record, frozen=True, kw_only=True):
    """A whole session; fields as in `Second`, over all of it.

    Attributes:
        seconds: From the first frame asked for to the end.
        labels: How many labelled frames each class won.
        ended: Why it ended, in words.
        failed: It ended because the source was lost.
    """

    seconds: float
    frames: int
    fps: float
    source_fps: float
    captured: int
    dropped: int
    stale: int
    corrupt: int
    reconnects: int
    shares: Shares
    latency_ms: Spread
    age_ms: Spread
    cpu_percent: float
    labels: dict[str, int]
    ended: str
    failed: bool


class Live(Record, frozen=True, kw_only=True):
    """What a study that is a recorded session knows beside its runs, each of which is a window of frames.

    Attributes:
        source: The camera's, file's or stream's name, without credentials.
        width: Of the frames as delivered; `height` too.
        asked_rate: Frames a second asked of a camera; None for what cannot be asked.
        declared_rate: What driver or file says; None where it says nothing.
        format: The frames' four-character code (`MJPG`); None where it is not told.
        classes: Names of the model's outputs, of one output the negative and the positive.
        window: Frames of a run.
        every: The source, a file, was read on demand, so that no frame was dropped; else the newest frame was taken.
        summary: None where the session was cut off.
    """

    source: str
    kind: SourceKind
    width: int
    height: int
    asked_rate: float | None
    declared_rate: float | None
    format: str | None
    fit: Fit
    output: OutputKind
    classes: tuple[str, ...]
    window: int
    every: bool = False
    summary: Summary | None = None
