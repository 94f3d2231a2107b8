"""A session in sentences: its answer, and what its questions share."""

from collections.abc import Iterator

from profiler.records import Spread
from profiler.report import text
from profiler.report.details import TAIL
from profiler.report.questions.words import scaled_mark, written
from profiler.report.session.figures import Session

_SPOKEN = 4
"""Most classes that a sentence names."""

BESIDE = ("llc_load_miss", "stall_backend", "stall_memory")
"""Metrics of hardware events that an answer names for each frame, the first of either stall alone."""


def answer(found: Session | None) -> tuple[str, ...]:
    """One paragraph: how fast, how late, at what cost, and what was seen."""
    if found is None:
        return ("No window of frames was recorded, so there is no figure.",)
    said = (pace(found), *_late(found), *_busy(found), *cost(found), *_seen(found), *_end(found))
    return (" ".join(said),)


def pace(found: Session) -> str:
    """How many frames were labelled, of how many that the source gave."""
    summary = found.summary
    rate = f"{found.model} labelled {fps(found.fps)} of {found.live.source}"
    if summary is None:
        return (
            f"{rate}, over the {text.counted(found.frames, 'frame')} of the recorded windows; its end was not recorded."
        )
    if found.live.every:
        return (
            f"{rate}, a file read on demand, each of its frames as soon as the last had its label, over "
            f"{seconds(summary.seconds)}: {text.counted(summary.frames, 'frame')} labelled."
        )
    lost = text.listed(
        f"{text.counted(number, 'frame')} {what}"
        for number, what in ((summary.dropped, "dropped for a newer one"), (summary.stale, "labelled late (stale)"))
        if number
    )
    return (
        f"{rate}, which gave {fps(summary.source_fps)}, over {seconds(summary.seconds)}: "
        f"{text.counted(summary.frames, 'frame')} labelled, {lost or 'none dropped, none stale'}."
    )


def fps(rate: float) -> str:
    """`29.7 frames a second`."""
    return f"{text.plain(rate, text.NUMBER)} frames a second"


def rates(found: Session) -> str:
    """Of the windows the slowest and the fastest, in frames a second: `28.1 to 29.9`."""
    return " to ".join(dict.fromkeys(text.plain(rate, text.NUMBER) for rate in (min(found.rates), max(found.rates))))


def seconds(span: float) -> str:
    """`59.3 s`, or minutes."""
    return f"{span:.1f} s" if span < 120 else f"{span / 60:.1f} min"


def _late(found: Session) -> Iterator[str]:
    if found.latency:
        yield f"An inference takes {quantiles(found)}."
    if found.summary and found.summary.age_ms.p50 is not None:
        yield f"From its capture to its label a frame takes {spread(found.summary.age_ms)}."


def quantiles(found: Session) -> str:
    """Of single inferences, as far as their number bears them."""
    if found.latency is None:
        return text.ABSENT
    its = found.latency.quantiles_ns
    tail = [
        f"{name} {text.plain(getattr(its, name), 'ns')}" for name, least in TAIL.items() if found.latency.count >= least
    ]
    return f"{text.plain(its.p50, 'ns')} at the median{f' ({text.listed(tail)})' if tail else ''}"


def spread(times: Spread) -> str:
    """`14.2 ms at the median (p95 17.9 ms and p99 21 ms)`."""
    tail = [f"{name} {ms(value)}" for name in ("p95", "p99") if (value := getattr(times, name)) is not None]
    return f"{ms(times.p50)} at the median{f' ({text.listed(tail)})' if tail else ''}"


def ms(value: float | None) -> str:
    """A time that is stored in ms."""
    return text.ABSENT if value is None else text.plain(value * 1e6, "ns")


def share(percent: float) -> str:
    """`14 %`."""
    return text.percent(percent / 100)


def _busy(found: Session) -> Iterator[str]:
    if found.summary:
        its = found.summary.shares
        yield (
            f"Of the classifying thread's time {share(its.inference)} is inference, {share(its.preprocess)} "
            f"preprocessing, {share(its.idle)} waiting for a frame."
        )


def cost(found: Session) -> Iterator[str]:
    """CPU time for each frame, and of hardware events what tells most."""
    if found.cpu is None:
        return
    clock = found.costs["task-clock", found.model]
    yield f"A frame costs {written(clock, found.cpu)} of CPU time, of the whole process."
    if hardware := list(events(found)):
        yield f"By the PMU that is {text.listed(hardware)}, for each frame."


def events(found: Session) -> Iterator[str]:
    """Instructions a cycle, misses of the last cache, stalls, as far as they were counted."""
    for each in found.costs.derived.get(found.model, ()):
        if each.metric.name == "IPC" and each.per_image:
            above, below = (found.costs.answering(name) for name in (each.metric.above, each.metric.below))
            mark = scaled_mark(found.costs[event.name, found.model] for event in (above, below) if event)
            yield f"{text.in_sentence(each.per_image, text.NUMBER)}{mark} instructions a cycle"
    for metric in BESIDE:
        event = found.costs.answering(metric)
        figure = found.costs[event.name, found.model].direct if event else None
        if event and figure:
            yield f"{written(found.costs[event.name, found.model], figure)} {event.name}"


def _seen(found: Session) -> Iterator[str]:
    won = [f"{label} {count:,}" for label, count in ranked(found)]
    if won:
        yield f"What it saw, in frames: {text.listed(won, _SPOKEN)}."


def ranked(found: Session) -> list[tuple[str, int]]:
    """The classes that won a frame, the most frequent first."""
    return sorted(((label, count) for label, count in found.labels.items() if count), key=lambda each: -each[1])


def _end(found: Session) -> Iterator[str]:
    if found.summary and found.summary.failed:
        yield text.sentence(f"the session was ended by its source: {found.summary.ended}")
