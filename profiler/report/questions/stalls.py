"""Question 4: which share of its cycles a model's pipeline stalls, and whether that differs between models."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import verdict
from profiler.analysis.costs import Cost, quotient
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.machine.targets import LATENCY
from profiler.records import Study
from profiler.report.model import Question
from profiler.report.questions.common import scaled_mark, spoken_of
from profiler.report.questions.evidence import (
    EACH,
    ONCE,
    EventAnswer,
    View,
    When,
    caveats,
    counted_view,
    elsewhere,
    entries,
    lack,
    main,
    remedy,
    said,
    table_keys,
)
from profiler.report.questions.last_level import catalogued

KEY, TITLE = "stalls", "Pipeline stalls"
_ASKED = "For which share of its cycles does each model stall, and do more stalls mean more than more cycles?"

_METRICS = ("stall_backend", "stall_memory")
IN_SLOTS = frozenset({"de_no_dispatch_per_slot.backend_stalls"})
"""Events that count dispatch slots, several a cycle: over the cycles they are no share."""


class _Stalls(NamedTuple):
    """What speaks for stalls on this core.

    Attributes:
        others: Further events on stalls that have a figure.
    """

    answer: EventAnswer
    cycles: EventAnswer
    others: tuple[EventAnswer, ...]


class _Share(NamedTuple):
    """Of one model: its stalls over its cycles, and the two costs."""

    model: str
    value: Estimate
    stalls: Cost
    cycles: Cost


def stalls(study: Study, analysis: Analysis) -> Question:
    """The stall share of each model, and for several models whether it differs as their stalls do."""
    view = counted_view(study, analysis)
    found = _found(view)
    if found is None:
        return _unanswered(study, analysis, view)
    when = main(view, found.answer.costs.values())
    shares = _shares(found, view, when)
    if not shares:
        return _unanswered(study, analysis, view)
    used = [cost for share in shares for cost in (share.stalls, share.cycles)]
    unknown = "" if catalogued(view) else "; what that counts on this core is not known"
    return Question(
        KEY,
        TITLE,
        _ASKED,
        f"{notation.capital(when.words)}, by {found.answer.name}, {_verdict(shares, found, view, when)}{unknown}.",
        evidence=tuple(_evidence(shares, found, view, when)),
        caveats=(*_of_the_event(found, view), *caveats(study, view, used)),
        answered=catalogued(view),
        command=_better(found, study, analysis) if catalogued(view) else elsewhere(study),
        shown=(*table_keys(when, simulated=False), "ratios"),
    )


def _found(view: View) -> _Stalls | None:
    """The back-end stall where the core has it, else a stall on memory, else what stands in for either."""
    cycles = view.answer("cycles")
    by_metric = {metric: view.answers(metric) for metric in _METRICS}
    every = [*by_metric["stall_backend"], *by_metric["stall_memory"]]
    exact = [answer for answer in every if answer.event.quality == "exact"]
    ranked = exact + [answer for answer in every if answer.event.quality != "exact"]
    if cycles is None or not ranked:
        return None
    first = ranked[0]
    others: dict[str, EventAnswer] = {}
    for answer in ranked[1:]:
        if answer.event.name != first.event.name:
            others.setdefault(answer.event.name, answer)
    return _Stalls(first, cycles, tuple(others.values()))


def _shares(found: _Stalls, view: View, when: When) -> list[_Share]:
    return [
        _Share(model, value, cost, cycles)
        for model, cost in found.answer.costs.items()
        if (cycles := found.cycles.costs.get(model)) and (value := _over(found.answer, cost, cycles, view, when))
    ]


def _over(answer: EventAnswer, cost: Cost, cycles: Cost, view: View, when: When) -> Estimate | None:
    """Stalls over cycles: in percent, or in slots a cycle."""
    return view.quotient(cost, cycles, when, 1 if answer.event.name in IN_SLOTS else 100)


def _amount(value: Estimate, answer: EventAnswer) -> str:
    if answer.event.name in IN_SLOTS:
        return f"{notation.ratio(value)} slots of each cycle"
    return f"{notation.in_sentence(value, '%')} of its cycles"


def _stalls_for(share: _Share, found: _Stalls) -> str:
    """`keras stalls for 35 % [34, 36] of its cycles`."""
    return f"{share.model} stalls for {_amount(share.value, found.answer)}{_marked(share)}"


def _marked(*shares: _Share) -> str:
    """Whether any of the shares' counts is scaled up."""
    return scaled_mark(cost for share in shares for cost in (share.stalls, share.cycles))


def _verdict(shares: Sequence[_Share], found: _Stalls, view: View, when: When) -> str:
    if len(shares) == 1:
        return _stalls_for(shares[0], found)
    if len(shares) > 2:
        ranked = sorted(shares, key=lambda share: share.value.value)
        least, most = (_stalls_for(share, found) for share in (ranked[0], ranked[-1]))
        return f"of {len(shares)} models {least}, the least, and {most}, the most"
    base = _base(shares, view)
    other = next(share for share in shares if share is not base)
    told = f"{_stalls_for(other, found)} and {_stalls_for(base, found)}"
    return f"{told}: {_compared(other, base, view, when)}"


def _base(shares: Sequence[_Share], view: View) -> _Share:
    return next((share for share in shares if share.model == view.costs.baseline), shares[-1])


def _compared(share: _Share, base: _Share, view: View, when: When) -> str:
    """Whether a model's stalls differ from the baseline's by more than its cycles do."""
    ratio = quotient(share.value, base.value)
    times = quotient(when.figure(share.stalls), when.figure(base.stalls))
    cycles = quotient(when.figure(share.cycles), when.figure(base.cycles))
    if ratio is None or times is None or cycles is None:
        return f"how {share.model} and {base.model} compare is not determined"
    way = verdict(ratio, view.costs.simulated)
    of = {
        "more": "a higher share",
        "less": "a lower share",
        "same": "no difference in the share is shown",
        "not told": "whether the shares differ is not shown without intervals",
    }[way]
    return (
        f"{share.model} has {notation.quantity(times, notation.NUMBER)} times"
        f"{scaled_mark([share.stalls, base.stalls])} the stalls of {base.model} with "
        f"{notation.quantity(cycles, notation.NUMBER)} times{scaled_mark([share.cycles, base.cycles])} its cycles, {of}"
    )


def _evidence(shares: Sequence[_Share], found: _Stalls, view: View, when: When) -> Iterator[str]:
    kept = spoken_of({share.model: share.value.value for share in shares}, view.costs.baseline)
    told = [share for share in shares if share.model in kept]
    for share in told:
        yield _of_one(share, found, view, when)
    if len(shares) > 2:
        base = _base(told, view)
        yield f"{'; '.join(_compared(share, base, view, when) for share in told if share is not base)}."
    for other in found.others:
        parts = [
            f"{share.model} {_amount(value, other)}{scaled_mark([cost, share.cycles])}"
            for share in told
            if (cost := other.costs.get(share.model)) and (value := _over(other, cost, share.cycles, view, when))
        ]
        if parts:
            yield f"{notation.capital(when.words)}, by {other.name}: {notation.listed(parts)}. {other.counts(view)}"


def _of_one(share: _Share, found: _Stalls, view: View, when: When) -> str:
    """Counts, IPC, and what is so of what is paid once."""
    parts = [f"{said(share.stalls, when)} {found.answer.name} in {said(share.cycles, when)} cycles {when.words}"]
    if when is EACH and share.stalls.fixed and share.cycles.fixed:
        once = _over(found.answer, share.stalls, share.cycles, view, ONCE)
        amount = f", {_amount(once, found.answer)}{_marked(share)}" if once else ""
        parts.append(f"{said(share.stalls, ONCE)} in {said(share.cycles, ONCE)} once{amount}")
    instructions = view.answer("instructions")
    cost = instructions.costs.get(share.model) if instructions else None
    ipc = [
        f"{notation.ratio(value)}{scaled_mark([cost, share.cycles])} {each.words}"
        for each in ((when, ONCE) if when is EACH else (when,))
        if cost and (value := view.quotient(cost, share.cycles, each))
    ]
    if ipc:
        parts.append(f"instructions per cycle {notation.listed(ipc)}")
    return f"{share.model}: {'; '.join(parts)}."


def _of_the_event(found: _Stalls, view: View) -> Iterator[str]:
    """What the event counts on this core, and what it therefore does not show."""
    yield found.answer.counts(view)
    event = found.answer.event
    if event.quality == "exact" and event.metric == "stall_backend":
        yield "So the share is an upper bound for waiting on memory, and no measure of it."
    elif event.quality == "proxy":
        yield f"{event.name} stands in for an event that this core lacks: it is compared with no other core's stalls."
    if event.name in IN_SLOTS:
        yield "Slots are several a cycle, so they are no share of the cycles; between models they compare all the same."


def _better(found: _Stalls, study: Study, analysis: Analysis) -> str:
    """The command that has stalls on memory alone counted too, where the core can and was not asked to."""
    there = any(answer.event.metric == "stall_memory" for answer in (found.answer, *found.others))
    known = entries(study.machine.uarch)
    can = any(entry.metric == "stall_memory" and entry.quality == "exact" for entry in known)
    return "" if there or not can else remedy(study, analysis, "stall_memory")


def _unanswered(study: Study, analysis: Analysis, view: View) -> Question:
    stalled = next((answer for metric in _METRICS for answer in view.answers(metric)), None)
    why = lack(study, analysis, "cycles") if stalled else lack(study, analysis, *_METRICS)
    of = "no share of the cycles is known" if stalled else "stalls are not known"
    when = main(view, stalled.costs.values() if stalled else ())
    modelled = analysis.simulated and any(
        event.name == LATENCY and analysis.simulated.of(event) for event in analysis.simulated.events
    )
    command = remedy(study, analysis, *(["cycles"] if stalled else _METRICS))
    return Question(
        KEY,
        TITLE,
        _ASKED,
        notation.sentence(f"{of}: {why}"),
        evidence=tuple(
            f"{model}: {said(cost, when)} {stalled.name} {when.words}." for model, cost in stalled.costs.items()
        )
        if stalled
        else (),
        caveats=(
            *(["A simulation of caches has no notion of time, so it counts no stalls."] if study.simulation else []),
            *([f"{LATENCY} is modelled from simulated refills: an upper bound, and no stall."] if modelled else []),
            *([] if command else ["No event of this core would answer: the same sweep on a core with one would."]),
        ),
        answered=False,
        command=command or elsewhere(study),
        shown=("events", "image", "simulated-events"),
    )
