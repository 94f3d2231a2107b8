"""What each event costs each model: paid once and paid for each image, with intervals. Pure."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from profiler.analysis import stats
from profiler.analysis.metrics import Metric
from profiler.analysis.regions import Around
from profiler.analysis.stats import Estimate, Fit
from profiler.machine.targets import LATENCY
from profiler.records import Event, Region, Run, Study

What = Literal["fixed", "slope", "region", "image", "whole"]
"""A figure of a cost: paid once; for each image by the line through whole processes, counted in their region alone, or
whichever of the two is `Cost.per_image`; of a whole process."""

BENT = "the counts are not on a line over the images: fixed cost and slope average over a bend"
CONTRADICTED = "slope and region contradict each other beyond their intervals"

FigureStatus = Literal["counted", "scaled", "simulated", "modelled", "absent"]
"""Where a figure is from; `absent` where there is none."""

DOUBTFUL: tuple[FigureStatus, ...] = ("counted", "scaled", "simulated", "modelled")
"""The least doubtful first: a ratio is no better than the worse of its two figures."""

FULL = 100.0
"""Running percent below which a count is scaled."""

_BY_TICKS = ("user_time", "system_time")
"""The kernel parts CPU time into these by where its timer ticks found the process: over a short region too coarse a
sample to contradict or bend anything."""


class Point(NamedTuple):
    """One run's count of one event."""

    order: int
    images: int
    value: float


@dataclass(frozen=True, slots=True, eq=False)
class Cost:
    """What one event costs one model.

    Attributes:
        unit: Of all figures ("" or "ns"); per image in `direct` and in the line's slope.
        points: Whole-process counts in the order of running; `inside` those of the region `inference`, of a live
            session those of its windows.
        line: Fixed cost and slope over `points`; None without two image counts.
        direct: Cost per image counted in that region alone; None where it was not. Without an interval where it is
            simulated: such counts repeat, and how near they are to a real machine's no repeat tells.
        reason: Why there is no figure at all; None where there is one.
        sources: Who counted.
        running_percent: Lowest share of a run in which a counter was on the event; None where no source said.
        simulated: Counted by a simulator and not by this machine.
        estimated: Some count was scaled up by a share that nobody noted.
        around: What `direct` was counted around.
    """

    event: Event
    model: str
    unit: str
    points: tuple[Point, ...]
    inside: tuple[Point, ...]
    line: Fit | None
    direct: Estimate | None
    reason: str | None
    sources: tuple[str, ...]
    running_percent: float | None
    simulated: bool
    estimated: bool = False
    around: Around = "inference"

    @property
    def fixed(self) -> Estimate | None:
        """What a process pays once."""
        return self.line.fixed if self.line else None

    @property
    def slope(self) -> Estimate | None:
        """What each further image adds to a whole process."""
        return self.line.per_image if self.line else None

    @property
    def per_image(self) -> Estimate | None:
        """The direct figure where there is one, for it has no fixed cost to be told apart; else the slope."""
        return self.direct or self.slope

    def told(self, what: What) -> What:
        """Return which figure it is: of an image the one that `per_image` is."""
        return what if what != "image" else "region" if self.direct else "slope"

    def figure(self, what: What, images: int | None = None) -> Estimate | None:
        """Return one of its figures, of a whole process of so many images; None where there is none."""
        if what == "whole":
            return None if images is None else self.whole(images)
        return {"fixed": self.fixed, "slope": self.slope, "region": self.direct}[self.told(what)]

    def lack(self, what: What) -> str:
        """Return why there is no such figure."""
        if self.reason:
            return self.reason
        if what == "whole":
            return "no whole process of this image count was counted"
        if what == "region":
            return "the region of inferences alone was not counted"
        if self.points:
            return "one image count only, so fixed cost and cost per image cannot be told apart"
        return "no whole process was counted"

    def doubts(self, what: What, estimate: Estimate) -> Iterator[str]:
        """Yield what the reader must know of that figure, which is `estimate`."""
        if self.scaled:
            yield (
                "scaled up: a counter was on it for an unknown part of the run"
                if self.running_percent is None
                else f"scaled up: a counter was on it for no more than {self.running_percent:.0f} % of some run"
            )
        if what != "region" and self.bend is not None:
            yield BENT
        if what == "slope" and self.disagreement:
            yield CONTRADICTED
        # A simulated count repeats: the lack of an interval says nothing against it.
        if estimate.reason and not self.simulated:
            yield f"no interval: {estimate.reason}"

    @property
    def scaled(self) -> bool:
        """Some count ran less than the whole region on its counter and is an estimate."""
        return self.estimated or (self.running_percent is not None and self.running_percent < FULL)

    @property
    def status(self) -> FigureStatus:
        """Where its figures are from, if it has any."""
        if self.event.name == LATENCY:
            return "modelled"
        if self.simulated:
            return "simulated"
        return "scaled" if self.scaled else "counted"

    @property
    def bend(self) -> float | None:
        """Where the counts are not on a line over the images: how far off, as a share of their range."""
        found = self.line.lack_of_fit if self.line else None
        return found.worst_relative if found and found.flagged and self.event.name not in _BY_TICKS else None

    @property
    def disagreement(self) -> bool:
        """Slope and direct figure contradict each other beyond their intervals."""
        if self.line is None or self.direct is None or self.event.name in _BY_TICKS:
            return False
        exact = replace(self.direct, low=self.direct.value, high=self.direct.value)
        return stats.disagree(self.line.per_image, exact if self.simulated else self.direct)

    def whole(self, images: int) -> Estimate | None:
        """A whole process of `images` images: on the line, or without one the mean of the runs of that count."""
        if self.line:
            return stats.at(self.line, images)
        values = [point.value for point in self.points if point.images == images]
        return stats.mean(values) if values else None


FigureOf = Callable[[Cost], Estimate | None]
"""A choice of one of a cost's figures."""


class Derived(NamedTuple):
    """A metric of one model: over what is paid once, and over what each image costs."""

    metric: Metric
    fixed: Estimate | None
    per_image: Estimate | None


@dataclass(frozen=True, slots=True, eq=False)
class Costs(Mapping[tuple[str, str], Cost]):
    """What may share a table, by event name and model label: either all counted on this machine, or all simulated.

    Attributes:
        events: Every event asked for, in the study's order.
        models: Labels, in the study's order.
        baseline: The model that others are divided by.
        derived: Metrics by label.
        phases: Mean count by event name, model label and phase, where the study has runs of phases alone.
    """

    found: dict[tuple[str, str], Cost]
    events: tuple[Event, ...]
    models: tuple[str, ...]
    baseline: str
    derived: dict[str, tuple[Derived, ...]]
    phases: dict[tuple[str, str, Region], Estimate]
    simulated: bool

    def __getitem__(self, key: tuple[str, str]) -> Cost:
        return self.found[key]

    def __iter__(self) -> Iterator[tuple[str, str]]:
        return iter(self.found)

    def __len__(self) -> int:
        return len(self.found)

    @property
    def compared(self) -> list[str]:
        """Labels of the models that are divided by the baseline."""
        return [label for label in self.models if label != self.baseline]

    @property
    def around(self) -> Around:
        """What the figures of an image were counted around, the same for all."""
        return next((cost.around for cost in self.values()), "inference")

    def of(self, event: Event) -> list[Cost]:
        """The costs of an event that have a figure, one a model."""
        return [cost for label in self.models if not (cost := self.found[event.name, label]).reason]

    def answering(self, metric: str) -> Event | None:
        """The event that answers a metric exactly and has a figure for some model."""
        return next(
            (event for event in self.events if event.metric == metric and event.quality == "exact" and self.of(event)),
            None,
        )


def native(runs: Sequence[Run]) -> list[Run]:
    """The runs on this machine itself: the others' times, memory and page faults are a simulator's."""
    return [run for run in runs if run.case.simulator is None]


def baseline(study: Study) -> str:
    """The label of the model that others are divided by: of a family LiteRT's plain form, else LiteRT's first."""
    light = [model for model in study.models if model.runtime == "litert"]
    plain = [model for model in light if model.form and (model.form.precision, model.form.alpha) == ("fp32", 1)]
    return next((model.label for model in (*plain, *light)), study.models[-1].label)


def above_nothing(estimate: Estimate | None) -> bool:
    """Whether the figure is above 0 with its whole interval; without an interval, by its value."""
    return estimate is not None and (estimate.interval or (estimate.value,))[0] > 0


def quotient(above: Estimate | None, below: Estimate | None) -> Estimate | None:
    """How many times `below` is in `above`; None where either is missing, or `below` is not shown to cost anything."""
    if above is None or below is None or not above_nothing(below):
        return None
    return stats.ratio(above, below)


def line(points: Sequence[Point], seed: int) -> Fit | None:
    """The line through whole-process counts; None without two image counts."""
    images = [point.images for point in points]
    return stats.fit(images, [point.value for point in points], seed) if len(set(images)) > 1 else None


def direct(points: Sequence[Point], seed: int, simulated: bool) -> Estimate | None:
    """The cost per image counted in the region of inferences, as `Cost.direct` says; None without a count."""
    if not points:
        return None
    found = stats.per_image([point.images for point in points], [point.value for point in points], seed)
    bare = replace(found, low=None, high=None, draws=found.draws[:0], reason="a simulated count repeats")
    return bare if simulated else found


def together(above: Cost, below: Cost, seed: int) -> tuple[Cost, Cost]:
    """Both costs over the processes that counted both, so that what disturbed one count disturbed the other as well.

    Figures of the two that are of one kind may then be divided as paired.
    """
    process, inside = (
        {point.order for point in mine} & {point.order for point in others}
        for mine, others in ((above.points, below.points), (above.inside, below.inside))
    )
    return _among(above, process, inside, seed), _among(below, process, inside, seed)


def _among(cost: Cost, process: set[int], inside: set[int], seed: int) -> Cost:
    """The cost with its figures made anew where some of its processes are not among these."""
    if len(process) == len(cost.points) and len(inside) == len(cost.inside):
        return cost
    points = tuple(point for point in cost.points if point.order in process)
    counted = tuple(point for point in cost.inside if point.order in inside)
    return replace(
        cost, points=points, inside=counted, line=line(points, seed), direct=direct(counted, seed, cost.simulated)
    )
