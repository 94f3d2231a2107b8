"""From a study's runs to figures with intervals: pure, without words and without formats."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import prod
from typing import NamedTuple

from profiler.analysis import stats
from profiler.analysis.costs import Costs, baseline, native
from profiler.analysis.estimation import counted, simulated
from profiler.analysis.simulation_checks import Linearity, Repeat, linearity, repeats
from profiler.analysis.stats import Estimate, Quantiles, Steady
from profiler.records import PHASES, Case, Completion, Run, Study, TensorSpec, planned

ONCE = ("rest", *(phase for phase in PHASES if phase != "inference"))
"""What a process pays once, in the order in which it begins; `rest` is the interpreter's start and end."""


@dataclass(frozen=True, slots=True, eq=False)
class Phase:
    """A phase of the worker over all whole-process runs of a model; times in ns.

    Attributes:
        name: One of `ONCE`.
    """

    name: str
    wall_ns: Estimate
    cpu_ns: Estimate
    page_faults: Estimate


@dataclass(frozen=True, slots=True, eq=False)
class Latency:
    """Time of single inferences of one model, in ns, over the runs of most images.

    Attributes:
        runs_ns: Latencies of each of those runs, in the order of the images.
        first_ns: The first inference of a process, over all runs; a session has one.
        steady: None with too few runs or images to judge, and of a session.
    """

    runs_ns: tuple[tuple[int, ...], ...]
    first_ns: Estimate
    quantiles_ns: Quantiles
    steady: Steady | None

    @property
    def count(self) -> int:
        """Latencies that the quantiles are of."""
        return sum(map(len, self.runs_ns))


class Agreement(NamedTuple):
    """How two models answer the same images.

    Attributes:
        same: Images with equal winners.
        largest_difference: Of the winning outputs, quantised ones made real.
    """

    first: str
    second: str
    images: int
    same: int
    largest_difference: float


class Gap(NamedTuple):
    """Planned runs of a case that the figures lack; `errors` says of the failed ones why, each cause once."""

    case: Case
    failed: int
    unmade: int
    errors: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Analysis:
    """All figures of a study. Times, memory and phases are those of runs on this machine itself.

    Attributes:
        costs: What was counted on this machine; without an event where nothing ran on it.
        simulated: What was simulated; None where nothing was.
        repeats: Of the simulated cases; `linearity` of the simulated models.
        phases: By model label; empty where no whole process ran.
        agreements: Of what the models answered on this machine, or where nothing ran on it, under the simulator; empty
            where they were not asked for the same images.
        baseline: The model that others are divided by.
    """

    costs: Costs
    simulated: Costs | None
    repeats: tuple[Repeat, ...]
    linearity: tuple[Linearity, ...]
    phases: dict[str, tuple[Phase, ...]]
    latencies: dict[str, Latency]
    peak_rss_bytes: dict[str, Estimate]
    agreements: tuple[Agreement, ...]
    baseline: str
    gaps: tuple[Gap, ...]


def analyse(study: Study, runs: Sequence[Run]) -> Analysis:
    """The study's figures; the same study gives the same figures."""
    ok = [run for run in runs if run.outcome == "ok"]
    measured, seed = native(ok), study.plan.seed
    by_model = _by_model(study, measured)
    in_model = simulated(study, ok)
    return Analysis(
        costs=counted(study, ok),
        simulated=in_model,
        repeats=repeats(ok),
        linearity=tuple(linearity(in_model)) if in_model else (),
        phases={label: _phases(mine, seed) for label, mine in by_model.items()},
        latencies={label: latency for label, mine in by_model.items() if (latency := _latency(mine, seed))},
        peak_rss_bytes={
            label: stats.mean(_peaks(study, done), seed)
            for label, mine in by_model.items()
            if (done := _completions(mine))
        },
        agreements=tuple(_agreements(study, by_model if measured else _by_model(study, ok))),
        baseline=baseline(study),
        gaps=_gaps(study, runs),
    )


def _by_model(study: Study, runs: Sequence[Run]) -> dict[str, list[Run]]:
    return {model.label: [run for run in runs if run.case.model == model.label] for model in study.models}


def _completions(runs: Sequence[Run]) -> list[Completion]:
    return [run.completion for run in runs if run.completion]


def _peaks(study: Study, done: Sequence[Completion]) -> list[int]:
    """Peaks of resident memory, one a process: the windows of a session share one, whose last peak is the highest."""
    peaks = [completion.peak_rss_bytes for completion in done]
    return peaks if study.live is None else [max(peaks)]


def _phases(runs: Sequence[Run], seed: int) -> tuple[Phase, ...]:
    """Over whole-process runs, which no gate disturbs."""
    usages = [usages for run in runs if run.case.region == "process" for usages in _usages(run)]
    if not usages:
        return ()
    return tuple(
        Phase(name, *(stats.mean(values, seed) for values in zip(*(usage[name] for usage in usages), strict=True)))
        for name in ONCE
    )


def _usages(run: Run) -> Iterator[dict[str, tuple[float, float, float]]]:
    """Wall and CPU time and page faults of each phase of a run, and of what is in none of them."""
    counts = {count.event: count.value for count in run.counts}
    whole = [counts.get(event) for event in ("duration_time", "task-clock", "page-faults")]
    if run.completion is None or any(value is None for value in whole):
        return
    phases = {name: (usage.wall_ns, usage.cpu_ns, usage.page_faults) for name, usage in run.completion.phases.items()}
    sums = [sum(values) for values in zip(*phases.values(), strict=True)]
    wall, cpu, faults = (float(value or 0) - inside for value, inside in zip(whole, sums, strict=True))
    yield phases | {"rest": (wall, cpu, faults)}


def _latency(runs: Sequence[Run], seed: int) -> Latency | None:
    done = timed(runs)
    if not done:
        return None
    runs_ns = tuple(completion.latencies_ns for _, completion in longest(done))
    return Latency(
        runs_ns=runs_ns,
        first_ns=stats.mean([each.phases["first"].wall_ns for _, each in done if "first" in each.phases], seed),
        quantiles_ns=stats.quantiles([latency for latencies in runs_ns for latency in latencies]),
        # Windows of a session are no runs of their own: it is their succession that may drift.
        steady=None if done[0][0].case.region == "live" else stats.steady(runs_ns, seed),
    )


def timed(runs: Sequence[Run]) -> list[tuple[Run, Completion]]:
    """The runs that timed their inferences, and their records: a clock that did not advance timed nothing."""
    ended = ((run, run.completion) for run in runs if run.completion)
    return [(run, completion) for run, completion in ended if min(completion.latencies_ns, default=0) > 0]


def longest(done: Sequence[tuple[Run, Completion]]) -> list[tuple[Run, Completion]]:
    """Those of most images, whose latencies stand for the model's."""
    most = max((len(completion.latencies_ns) for _, completion in done), default=0)
    return [(run, completion) for run, completion in done if len(completion.latencies_ns) == most]


def _agreements(study: Study, by_model: dict[str, list[Run]]) -> Iterator[Agreement]:
    """Each model against the first, over the images of their longest runs; none where each run saw its own images."""
    if study.plan.capture_in_region and not study.source_repeats:
        return
    answers = {model.label: _answers(model.output, by_model[model.label]) for model in study.models}
    first, *others = [label for label, (winners, _) in answers.items() if winners] or [""]
    for other in others:
        (winners, scores), (other_winners, other_scores) = answers[first], answers[other]
        same = [a == b for a, b in zip(winners, other_winners, strict=False)]
        apart = max(abs(a - b) for a, b in zip(scores, other_scores, strict=False))
        yield Agreement(first, other, len(same), sum(same), apart)


def _answers(output: TensorSpec, runs: Sequence[Run]) -> tuple[list[int], list[float]]:
    """Winners and their outputs in the longest run; of a network with one output, which side of the real 0 it is on."""
    longest = max(_completions(runs), key=lambda completion: len(completion.top), default=None)
    if longest is None:
        return [], []
    scale, zero = output.scale or 1.0, output.zero_point or 0
    scores = [(score - zero) * scale for score in longest.scores]
    return [int(score > 0) for score in scores] if prod(output.shape) == 1 else list(longest.top), scores


def _gaps(study: Study, runs: Sequence[Run]) -> tuple[Gap, ...]:
    made: dict[Case, list[Run]] = {}
    for run in runs:
        made.setdefault(run.case, []).append(run)
    gaps = []
    for case in study.cases:
        mine = made.get(case, [])
        failed = [run for run in mine if run.outcome != "ok"]
        errors = dict.fromkeys(run.error or run.outcome for run in failed)
        gaps.append(Gap(case, len(failed), max(0, planned(study, case) - len(mine)), tuple(errors)))
    return tuple(gap for gap in gaps if gap.failed or gap.unmade)
