"""What counts themselves show to be wrong: counters that stood still, runs of one case that are far apart."""

from collections.abc import Iterator, Sequence

from profiler.analysis.notation import counted, listed
from profiler.analysis.study_analysis import Analysis
from profiler.records import Case, Run, Study
from profiler.validity.check_figures import native
from profiler.validity.check_runs import NAMED
from profiler.validity.codes import FEW_REPEATS, SCATTERED
from profiler.validity.model import Finding

_NEVER_NONE = frozenset({"cycles", "instructions"})
"""Metrics of which every program has some."""

_TIME = "duration_time"


def stopped(study: Study, analysis: Analysis) -> Iterator[Finding]:
    """Counters that were on cycles or instructions and counted none, as some virtual machines' do."""
    none = [
        cost
        for cost in analysis.costs.values()
        if cost.event.metric in _NEVER_NONE
        and not cost.reason
        and not any(p.value for p in (*cost.points, *cost.inside))
    ]
    if none:
        events, labels = (dict.fromkeys(each) for each in zip(*((c.event.name, c.model) for c in none), strict=True))
        yield Finding(
            "stopped-counters",
            "degraded",
            f"{listed(events, NAMED)} of {listed(labels, NAMED)} counted 0 in every run, which no program "
            "can: the counters stood still, so that no hardware count of these runs is to be trusted.",
            "Count on the machine itself: some virtual machines show counters that do not count.",
            cases=tuple(case for case in native(study) if case.model in labels),
        )


def scattered(runs: Sequence[Run]) -> Iterator[Finding]:
    """Whole processes of most cases that are far apart in time."""
    times: dict[Case, list[float]] = {}
    for run in runs:
        if run.outcome == "ok" and run.case.region == "process":
            times.setdefault(run.case, []).extend(
                count.value for count in run.counts if count.event == _TIME and count.value
            )
    spreads = {case: max(mine) / min(mine) for case, mine in times.items() if len(mine) >= FEW_REPEATS}
    far = {case: spread for case, spread in spreads.items() if spread > SCATTERED}
    if 2 * len(far) > len(spreads):
        yield Finding(
            "scattered",
            "degraded",
            f"In {len(far)} of {counted(len(spreads), 'case')} the slowest whole process took more than "
            f"{SCATTERED:g} times as long as the fastest, up to {max(far.values()):.1f} times: something else decides "
            "how long a run takes, and a mean of such runs is no run's time.",
            "Find what differs between the runs (other programs, heat, another clock), and sweep again.",
            cases=tuple(far),
        )
