"""What a comparison finds: rows of two figures and their ratio, and what is kept apart. Plain data."""

import math
from dataclasses import dataclass
from typing import Literal, NamedTuple

from profiler.analysis.ablation_pairs import Verdict
from profiler.analysis.costs import Cost, What
from profiler.analysis.regions import WORDS
from profiler.analysis.stats import Estimate
from profiler.compare import comparability
from profiler.compare.study import Subject
from profiler.records import Model

EVERY_SIMULATED = "all simulated events"
"""Stands for the event where nothing simulated may be divided."""


@dataclass(frozen=True, slots=True, eq=False)
class Row:
    """One figure of one study and the first study's.

    Attributes:
        study: The other study's name.
        what: `region` and `slope` are both for each image.
        images: Of the whole run; None for other figures.
        ratio: The other study's over the first's; None where the first's is not shown to be above 0.
        verdict: What the ratio shows; of a cost that the first study does not show to be there, whether it is now.
        marks: What the reader must know of it.
        slack: By which share two simulated runs of one case differed, in the study with the larger; 0 of counted ones.
        rare: A simulated event of too few for a cost to be made of it, in both studies.
    """

    study: str
    what: What
    images: int | None
    costs: tuple[Cost, Cost]
    first: Estimate
    second: Estimate
    ratio: Estimate | None
    verdict: Verdict
    marks: tuple[str, ...]
    slack: float = 0.0
    rare: bool = False

    @property
    def model(self) -> str:
        """Its label in the first study."""
        return self.costs[0].model

    @property
    def noun(self) -> str:
        """What a figure for each is of: an image, or a live session's frame."""
        return WORDS[self.costs[0].around].noun

    @property
    def paid(self) -> str:
        """What the figure is, in a table's cell: `once`, `each image`, `whole run`."""
        return {"fixed": "once", "whole": "whole run"}.get(self.what, f"each {self.noun}")

    @property
    def simulated(self) -> bool:
        """Both figures are a simulator's."""
        return self.costs[0].simulated

    @property
    def event(self) -> str:
        """The event's name, or both names."""
        names = dict.fromkeys(cost.event.name for cost in self.costs)
        return " = ".join(names)

    @property
    def key(self) -> tuple[str, str, str]:
        """What the rows of several studies share."""
        return self.model, self.costs[0].event.name, self.what

    @property
    def shown(self) -> str:
        """What the ratio shows, in words."""
        untold = "nothing: no interval" if self.ratio else "nothing: not shown to cost anything"
        return {"more": "more", "less": "less", "same": "no difference shown"}.get(self.verdict, untold)

    def at_least(self, wider: float = 1.0) -> float:
        """How many times as much it is at least: the low end of the ratio's interval, `wider` times as far from it.

        Of a cost that the first study does not show to be there: this study's low end over the first's high end.
        """
        if self.ratio and self.ratio.value > 0:
            low = self.ratio.low if self.ratio.low is not None else self.ratio.value / (1 + self.slack)
            return self.ratio.value * (low / self.ratio.value) ** wider if low > 0 else 0.0
        least, most = (_end(self.second, "low", wider), _end(self.first, "high", wider))
        return 0.0 if least <= 0 else least / most if most > 0 else math.inf

    @property
    def freedom(self) -> int:
        """Degrees of freedom of the scatter, of the study with fewer: processes beyond the coefficients; 1 at least."""
        inside = self.what == "region"
        counts = [len(cost.inside) - 1 if inside else len(cost.points) - 1 - bool(cost.line) for cost in self.costs]
        return max(1, min(counts))

    @property
    def change(self) -> float:
        """How much it has changed at least: the logarithm of the interval's end that is nearer to 1."""
        high = self.ratio.high if self.ratio and self.ratio.high is not None else None
        near = self.at_least() if self.verdict == "more" else high or (self.ratio.value if self.ratio else 1.0)
        return math.log(near) if near > 0 else -math.inf


def _end(estimate: Estimate, which: Literal["low", "high"], wider: float) -> float:
    """An end of the interval, `wider` times as far from the value; the value where there is none."""
    end = getattr(estimate, which)
    return estimate.value if end is None else estimate.value + (end - estimate.value) * wider


class Apart(NamedTuple):
    """What is not divided.

    Attributes:
        what: Which figures, in words; empty for all.
        blocked: They must not be compared; else one of them is not there.
    """

    study: str
    model: str
    event: str
    what: str
    reason: str
    blocked: bool = True

    @property
    def names(self) -> list[str]:
        """Names of the events that it is about; none has a space in it."""
        return self.event.split()


@dataclass(frozen=True, slots=True, eq=False)
class Comparison:
    """All that is found of some studies.

    Attributes:
        subjects: The first is the one that others are divided by.
        images: Of the whole runs, counted and simulated; None where there is no count that two studies share.
    """

    subjects: tuple[Subject, ...]
    rows: tuple[Row, ...]
    apart: tuple[Apart, ...]
    pairs: dict[str, tuple[comparability.ModelPair, ...]]
    images: dict[bool, int | None]

    @property
    def first(self) -> Subject:
        """The study that others are divided by."""
        return self.subjects[0]

    @property
    def others(self) -> tuple[Subject, ...]:
        """The studies that are divided."""
        return self.subjects[1:]

    def partner(self, label: str, subject: Subject) -> Model | None:
        """The study's model that is the first study's of that label."""
        if subject is self.first:
            return next((model for model in subject.study.models if model.label == label), None)
        return next((pair.second for pair in self.pairs[subject.name] if pair.first.label == label), None)
