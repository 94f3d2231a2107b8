"""A session in sentences: its answer, and what its questions share."""

from collections.abc import Iterator

from profiler.analysis.live_labels import BESIDE, fps, quantiles, share, spread
from profiler.analysis.live_session import SessionFigures
from profiler.analysis.notation import counted, listed, ratio, seconds, sentence
from profiler.report.questions.common import scaled_mark, written

_SPOKEN = 4
"""Most classes that a sentence names."""


def answer(found: SessionFigures | None) -> tuple[str, ...]:
    """One paragraph: how fast, how late, at what cost, and what was seen."""
    if found is None:
        return ("No window of frames was recorded, so there is no figure.",)
    said = (pace(found), *_late(found), *_busy(found), *cost(found), *_seen(found), *_end(found))
    return (" ".join(said),)


def pace(found: SessionFigures) -> str:
    """How many frames were labelled, of how many that the source gave."""
    summary = found.summary
    rate = f"{found.model} labelled {fps(found.fps)} of {found.live.source}"
    if summary is None:
        return f"{rate}, over the {counted(found.frames, 'frame')} of the recorded windows; its end was not recorded."
    if found.live.every:
        return (
            f"{rate}, a file read on demand, each of its frames as soon as the last had its label, over "
            f"{seconds(summary.seconds)}: {counted(summary.frames, 'frame')} labelled."
        )
    lost = listed(
        f"{counted(number, 'frame')} {what}"
        for number, what in ((summary.dropped, "dropped for a newer one"), (summary.stale, "labelled late (stale)"))
        if number
    )
    return (
        f"{rate}, which gave {fps(summary.source_fps)}, over {seconds(summary.seconds)}: "
        f"{counted(summary.frames, 'frame')} labelled, {lost or 'none dropped, none stale'}."
    )


def _late(found: SessionFigures) -> Iterator[str]:
    if found.latency:
        yield f"An inference takes {quantiles(found)}."
    if found.summary and found.summary.age_ms.p50 is not None:
        yield f"From its capture to its label a frame takes {spread(found.summary.age_ms)}."


def _busy(found: SessionFigures) -> Iterator[str]:
    if found.summary:
        its = found.summary.shares
        yield (
            f"Of the classifying thread's time {share(its.inference)} is inference, {share(its.preprocess)} "
            f"preprocessing, {share(its.idle)} waiting for a frame."
        )


def cost(found: SessionFigures) -> Iterator[str]:
    """CPU time for each frame, and of hardware events what tells most."""
    if found.cpu is None:
        return
    clock = found.costs["task-clock", found.model]
    yield f"A frame costs {written(clock, found.cpu)} of CPU time, of the whole process."
    if hardware := list(events(found)):
        yield f"By the PMU that is {listed(hardware)}, for each frame."


def events(found: SessionFigures) -> Iterator[str]:
    """Instructions a cycle, misses of the last cache, stalls, as far as they were counted."""
    for each in found.costs.derived.get(found.model, ()):
        if each.metric.name == "IPC" and each.per_image:
            above, below = (found.costs.answering(name) for name in (each.metric.above, each.metric.below))
            mark = scaled_mark(found.costs[event.name, found.model] for event in (above, below) if event)
            yield f"{ratio(each.per_image)}{mark} instructions a cycle"
    for metric in BESIDE:
        event = found.costs.answering(metric)
        figure = found.costs[event.name, found.model].direct if event else None
        if event and figure:
            yield f"{written(found.costs[event.name, found.model], figure)} {event.name}"


def _seen(found: SessionFigures) -> Iterator[str]:
    won = [f"{label} {count:,}" for label, count in ranked(found)]
    if won:
        yield f"What it saw, in frames: {listed(won, _SPOKEN)}."


def ranked(found: SessionFigures) -> list[tuple[str, int]]:
    """The classes that won a frame, the most frequent first."""
    return sorted(((label, count) for label, count in found.labels.items() if count), key=lambda each: -each[1])


def _end(found: SessionFigures) -> Iterator[str]:
    if found.summary and found.summary.failed:
        yield sentence(f"the session was ended by its source: {found.summary.ended}")
