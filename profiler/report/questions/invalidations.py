"""Question 5: how many lines of the L2 are invalidated, beside those that refills displace."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

from profiler.analysis import notation
from profiler.analysis.costs import Cost
from profiler.analysis.labels import SIMULATED
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Study
from profiler.report.model import Question
from profiler.report.questions.common import SINGLY, again, scaled_mark
from profiler.report.questions.evidence import (
    EACH,
    ONCE,
    REAL,
    TARGET,
    EventAnswer,
    View,
    When,
    caveats,
    counted_view,
    elsewhere,
    lack,
    main,
    remedy,
    said,
    table_keys,
    views,
    with_events,
)
from profiler.report.questions.last_level import last_level
from profiler.report.sections.conditions import threads

KEY, TITLE = "invalidations", "L2 invalidations"
_ASKED = "How many lines of the L2 are invalidated, and how many do new lines overwrite?"

_METRIC, _VICTIMS = "l2d_invalidate", "l2d_victim"
_FEW, _MANY = 10.0, 50.0
"""Percent of the refills below which invalidations are few beside them, and from which on they are comparable."""

_Size = Literal["none", "few", "some", "many"]
_SAID: dict[_Size, str] = {
    "none": "no line of the L2 was invalidated while refills brought lines in",
    "few": "invalidations are few beside the lines that refills bring in",
    "some": "invalidations are fewer than the lines that refills bring in, but not few beside them",
    "many": "invalidations are comparable with the lines that refills bring in, so these counts do not tell whether "
    "lines are lost to coherence or overwritten",
}


class _InvalidationCounts(NamedTuple):
    """What there is in a view.

    Attributes:
        refills: What displaces lines; None where it was not counted.
        stands_in: The refills are reads of the next cache, which the L2 asks for what it lacks.
        victims: Displaced lines that were written back, or what is nearest.
    """

    view: View
    inval: EventAnswer
    refills: EventAnswer | None
    stands_in: bool
    victims: tuple[EventAnswer, ...]
    when: When


class _Beside(NamedTuple):
    """Of one model: invalidations, refills and the one in percent of the other, where that is determined."""

    model: str
    inval: Cost
    refill: Cost | None
    percent: Estimate | None

    @property
    def size(self) -> _Size | None:
        if self.percent is None:
            return None
        low, high = self.percent.interval or (self.percent.value, self.percent.value)
        if self.percent.value == high == 0:
            return "none"
        return "few" if high < _FEW else "many" if low >= _MANY else "some"


def invalidations(study: Study, analysis: Analysis) -> Question:
    """Invalidations against refills by rule: few, some, or as many, which would leave the question open."""
    found = [each for view in views(study, analysis) if (each := _found(view))]
    if not found:
        return _unanswered(study, analysis)
    first, *others = found
    measured = not first.view.costs.simulated
    used = [cost for answer in _answers(first) for cost in answer.costs.values()]
    beside = _beside(first)
    settled = [each.size for each in beside if each.size]
    return Question(
        KEY,
        TITLE,
        _ASKED,
        _verdict(first, beside),
        evidence=(
            *(line for each in found for line in _evidence(each)),
            *(_verdict(each, _beside(each)) for each in others),
        ),
        caveats=tuple(_caveats(study, analysis, found, used)),
        answered=bool(settled) and "many" not in settled,
        command=_command(study, analysis, first, settled),
        shown=(
            *(key for each in found for key in table_keys(each.when, each.view.costs.simulated)),
            *(["ratios"] if measured else []),
        ),
    )


def _found(view: View) -> _InvalidationCounts | None:
    inval = view.answer(_METRIC)
    if inval is None:
        return None
    refills, stands_in = _refills(view)
    return _InvalidationCounts(
        view, inval, refills, stands_in, view.answers(_VICTIMS), main(view, inval.costs.values())
    )


def _refills(view: View) -> tuple[EventAnswer | None, bool]:
    """Lines that the L2 brings in; without that count the reads of an L3, where there is one."""
    refills = view.answer("l2d_refill")
    last = last_level(view)
    if refills or last is None or last.level < 3:
        return refills, False
    reads = view.answer("llc_load")
    return (reads, True) if reads and reads.event.quality == "exact" else (None, False)


def _answers(found: _InvalidationCounts) -> Iterator[EventAnswer]:
    yield found.inval
    yield from filter(None, (found.refills,))
    yield from found.victims


def _beside(found: _InvalidationCounts) -> list[_Beside]:
    made = []
    for model, cost in found.inval.costs.items():
        refill = found.refills.costs.get(model) if found.refills else None
        percent = found.view.quotient(cost, refill, found.when, 100) if refill else None
        made.append(_Beside(model, cost, refill, percent))
    return made


def _verdict(found: _InvalidationCounts, beside: Sequence[_Beside]) -> str:
    head = f"{found.view.source}{found.when.words}"
    by_size: dict[_Size, list[_Beside]] = {}
    for each in beside:
        if each.size:
            by_size.setdefault(each.size, []).append(each)
    if not by_size:
        figures = notation.listed((f"{each.model} has {said(each.inval, found.when)}" for each in beside), SINGLY)
        unknown = "how many refills overwrite is not known"
        if found.refills:
            unknown = f"what share of {found.refills.name} that is, is not determined"
        return notation.capital(f"{head}, {figures} invalidations of L2 lines; {unknown}.")
    parts = [f"{_SAID[size]} ({_percents(mine, found)})" for size, mine in by_size.items()]
    return notation.capital(f"{head}, {'; '.join(parts)}.")


def _percents(beside: Sequence[_Beside], found: _InvalidationCounts) -> str:
    """`share of l2d_cache_refill: keras 7.4 % and litert 1.0 %`; of many models the ends."""
    assert found.refills
    none = all(each.size == "none" for each in beside)
    told, many = _told(beside, found), len(beside) > SINGLY
    if none:
        figures = [f"{each.model} {said(each.refill, found.when)}" for each in told if each.refill]
    else:
        figures = [f"{each.model} {_percent(each)}" for each in told]
    listed = f"of {len(beside)} models from {' to '.join(figures)}" if many else notation.listed(figures)
    name = f"{found.refills.name}, which stands in for them" if found.stands_in else found.refills.name
    return f"{name}: {listed}" if none else f"share of {name}: {listed}"


def _percent(each: _Beside) -> str:
    mark = scaled_mark(filter(None, (each.inval, each.refill)))
    return f"{notation.in_sentence(each.percent, '%')}{mark}" if each.percent else notation.ABSENT


def _told(beside: Sequence[_Beside], found: _InvalidationCounts) -> list[_Beside]:
    """Of many models those with the least and the largest share, or of no invalidations at all, refills."""
    if len(beside) <= SINGLY:
        return list(beside)

    def rank(each: _Beside) -> tuple[float, float]:
        refills = found.when.figure(each.refill) if each.refill else None
        return (each.percent.value if each.percent else 0, refills.value if refills else 0)

    return [min(beside, key=rank), max(beside, key=rank)]


def _evidence(found: _InvalidationCounts) -> Iterator[str]:
    every = _beside(found)
    ends = {each.model for each in _told(every, found)} | {found.view.costs.baseline}
    beside = [each for each in every if each.model in ends] if len(every) > SINGLY else every
    for each in beside:
        whens = [found.when, *([ONCE] if found.when is EACH and each.inval.fixed else [])]
        parts = [f"{when.words} {notation.listed(_counts(each, found, when))}" for when in whens]
        yield f"{each.model}{f', {SIMULATED}' if found.view.costs.simulated else ''}: {'; '.join(parts)}."


def _counts(each: _Beside, found: _InvalidationCounts, when: When) -> Iterator[str]:
    for answer in _answers(found):
        if (cost := answer.costs.get(each.model)) and when.figure(cost):
            yield f"{said(cost, when)} {answer.name}"


def _caveats(
    study: Study, analysis: Analysis, found: Sequence[_InvalidationCounts], used: Sequence[Cost]
) -> Iterator[str]:
    first = found[0]
    for each in found:
        yield each.inval.counts(each.view)
        if each.inval.event.quality == "proxy":
            yield f"{each.inval.event.name} stands in for an event that this core lacks."
    many = any(each.size == "many" for each in _beside(first))
    if many and _alone(study):
        yield (
            "The runs had one pinned thread, which leaves hardly any coherence: as many invalidations as refills are "
            "the sign of a core that counts overwritten lines too."
        )
    elif many:
        yield (
            "As many invalidations as refills may be coherence at work, or a core that counts overwritten lines too: "
            "a sweep with one pinned thread leaves hardly any coherence, and what is then left tells which."
        )
    if first.refills:
        yield first.refills.counts(first.view)
        yield (
            "In a full cache each line that comes in, prefetched ones with them, takes another's place: that, not "
            "invalidation, is overwriting."
        )
    yield from (victims.counts(first.view) for victims in first.victims)
    if first.view.costs.simulated:
        yield from _of_simulation(study, first)
        yield f"What a real core would count is not known: {lack(study, analysis, _METRIC)}."
    else:
        yield from caveats(study, first.view, used)


def _alone(study: Study) -> bool:
    """Whether the runs had one thread on one CPU."""
    return study.plan.threads == 1 and len(study.plan.cpus or ()) == 1


def _of_simulation(study: Study, found: _InvalidationCounts) -> Iterator[str]:
    none = all(each.size == "none" for each in _beside(found))
    if none and study.simulation and study.simulation.cores == 1:
        yield f"With {threads(study)} on one simulated core 0 is a true count: there is no other core to take a line."


def _command(study: Study, analysis: Analysis, found: _InvalidationCounts, sizes: Sequence[_Size]) -> str:
    """What would settle it, or add the lines that were written back to make room."""
    if found.view.costs.simulated:
        return elsewhere(study) if study.counter_source is None else REAL
    if "many" in sizes and not _alone(study):
        return again(study, threads=1, cpus=(study.machine.cpus - 1,))
    there = (("l2d_refill", found.refills and not found.stands_in), (_VICTIMS, found.victims))
    missing = [metric for metric, counted in there if not counted]
    more = [metric for metric in missing if remedy(study, analysis, metric)]
    return with_events(study, *more) if more else ""


def _unanswered(study: Study, analysis: Analysis) -> Question:
    """The count is not there; what displaces lines may be."""
    view = counted_view(study, analysis)
    refills, _ = _refills(view)
    lines = []
    if refills:
        when = main(view, refills.costs.values())
        lines = [f"{model}: {said(cost, when)} {refills.name} {when.words}." for model, cost in refills.costs.items()]
    command = remedy(study, analysis, _METRIC)
    simulating = study.simulation is None and (not command or command == REAL)
    return Question(
        KEY,
        TITLE,
        _ASKED,
        f"Invalidations of L2 lines are not known: {lack(study, analysis, _METRIC).rstrip('.')}.",
        evidence=tuple(lines),
        caveats=tuple(
            filter(
                None,
                (
                    f"{refills.counts(view)} What displaces lines is known even so." if refills else "",
                    f"The command simulates the caches of another machine ({TARGET})." if simulating else "",
                    f"`{REAL}` says what would make this machine's counters count." if command == REAL else "",
                ),
            )
        ),
        answered=False,
        command=again(study, caches=TARGET) if simulating else command or elsewhere(study),
        shown=("events", "image"),
    )
