"""How far a sweep is, and how long the rest will take."""

from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from profiler.measure.run import EMULATED
from profiler.records import Case, Run, Study, planned

Kind = tuple[str, str | None]
"""Runs of one model and one simulator last about as long as each other."""


class ProgressStep(NamedTuple):
    """Where a sweep stands: told before each process and once at the end.

    Attributes:
        what: What runs now, in words.
        left_s: Estimated time to the end; None as long as no run has ended.
    """

    what: str
    done: int
    total: int
    left_s: float | None


class Progress:
    """Follows a study's runs and tells each step.

    Until a simulated run of a model has ended, one is taken to last `EMULATED` times as long as its others.
    """

    def __init__(self, study: Study, lanes: int, tell: Callable[[ProgressStep], None]) -> None:
        self.failed = 0
        self._study, self._lanes, self._tell = study, lanes, tell
        self._left: Counter[Kind] = Counter()
        for case in study.cases:
            self._left[case.model, case.simulator] += planned(study, case)
        self._total = self._left.total()
        self._walls_s: dict[Kind, list[float]] = {}

    def starts(self, case: Case, repeat: int) -> None:
        """A run begins."""
        of = planned(self._study, case)
        images = "1 image" if case.images == 1 else f"{case.images} images"
        where = f", {case.simulator}" if case.simulator else ""
        self._say(f"{case.model}, {images}, {case.region}{where} ({repeat + 1}/{of})")

    def ended(self, run: Run) -> None:
        """A run has ended and is kept."""
        kind = (run.case.model, run.case.simulator)
        self._walls_s.setdefault(kind, []).append(run.wall_ns / 1e9)
        self._left[kind] -= 1
        self.failed += run.outcome != "ok"

    def done(self) -> None:
        """All runs have ended."""
        self._say("done")

    def _say(self, what: str) -> None:
        self._tell(ProgressStep(what, self._total - self._left.total(), self._total, self._left_s()))

    def _left_s(self) -> float | None:
        """Simulated runs go `lanes` at a time."""
        if not self._walls_s:
            return None
        spans = {kind: self._mean_s(kind) * left for kind, left in self._left.items()}
        return sum(span / (self._lanes if simulator else 1) for (_, simulator), span in spans.items())

    def _mean_s(self, kind: Kind) -> float:
        """Of the runs of this kind, else of those most like it."""
        model, simulator = kind
        likest = (
            (kind, 1.0),
            ((model, None), float(EMULATED) if simulator else 1.0),
            *((other, 1.0) for other in self._walls_s if other[1] == simulator),
            *((other, float(EMULATED)) for other in self._walls_s),
        )
        other, times = next(pair for pair in likest if pair[0] in self._walls_s)
        return times * sum(self._walls_s[other]) / len(self._walls_s[other])
