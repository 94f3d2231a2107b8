"""How the figures of a session came about, in points."""

from collections.abc import Iterator, Sequence

from profiler.analysis import stats
from profiler.analysis.notation import ABSENT, counted, percent
from profiler.analysis.regions import REGIONS
from profiler.records import Run, Study


def points(study: Study, runs: Sequence[Run], threads: str) -> Iterator[str]:
    """What ran, what a window is, what intervals say.

    Args:
        threads: How many the engine was asked for, in words.
    """
    live, model = study.live, study.models[0].label
    if live is None:
        return
    frames = runs[0].case.images if runs else study.plan.images[0]
    kept = "each is kept until it is taken, none left out" if live.every else "only the newest is kept"
    yield (
        f"{counted(len(runs), 'run')}, each a window of {counted(frames, 'labelled frame')}, "
        f"one after the other in one process of {model}. They are no independent processes: successive windows share "
        "memory, caches, temperature and what the source shows, so that what differs from one session to the next is "
        "in no interval, and an interval may be too narrow."
    )
    yield (
        f"Frames: {live.source}, captured in a thread of its own, of which {kept}; one at a time is "
        f"made the model's input and inferred. Asked for {threads}."
    )
    yield REGIONS["live"]["live"]
    yield (
        "The source sets the pace, so a frame's share of the time is no cost, and there is none here; what a process "
        "pays once (import, load, first inference) was paid before the first window and is in none."
    )
    low, high = stats.LEVEL
    yield (
        f"Figures are quotients of sums; intervals are of {percent(high - low)}, from {stats.DRAWS:,} bootstrap "
        f"draws over windows (bootstrap-t, seed {study.plan.seed}; of more than {stats.MANY} windows, over means of "
        "batches)."
    )
    yield f"{ABSENT} is a figure that is not there, never a zero."
