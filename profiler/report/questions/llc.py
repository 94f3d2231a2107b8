"""Question 6: which cache is the last, how often it is asked and misses, and what that brings from memory an image."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.analysis.study_analysis import Analysis
from profiler.records import Model, Study
from profiler.report.model import Question
from profiler.report.questions.common import SINGLY, again, for_a_line, scaled_mark, spoken_of
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
)
from profiler.report.questions.last_level import catalogued, last_level, named, which
from profiler.report.questions.memory_traffic import Traffic, against_weights, brought, follows, left_out, traffic

KEY, TITLE = "llc", "LLC loads and misses"
_ASKED = (
    "Which cache is the LLC, how often is it read, how often does it miss, and what does that bring from memory for "
    "each image, against the model's weights?"
)
_LOADS, _MISSES = "llc_load", "llc_load_miss"


class _LlcCounts(NamedTuple):
    """What there is in a view; of loads and misses at least one.

    Attributes:
        traffic: Of the models whose misses for each image are known, where it is known what a miss is.
    """

    view: View
    loads: EventAnswer | None
    misses: EventAnswer | None
    when: When
    traffic: tuple[Traffic, ...]

    @property
    def answers(self) -> tuple[EventAnswer, ...]:
        """Those that are there; never empty."""
        return tuple(filter(None, (self.loads, self.misses)))


def llc(study: Study, analysis: Analysis) -> Question:
    """Loads, misses and bytes from memory against the weights; measured and simulated ones in their own sentences."""
    found = [each for view in views(study, analysis) if (each := _found(study, view))]
    if not found:
        return _unanswered(study, analysis)
    first, *others = found
    return Question(
        KEY,
        TITLE,
        _ASKED,
        _verdict(first),
        evidence=(
            *_evidence(study, first),
            *(line for each in others for line in (_verdict(each), *_evidence(study, each))),
        ),
        caveats=tuple(_caveats(study, analysis, found)),
        answered=first.misses is not None and catalogued(first.view),
        command=_command(study, analysis, first),
        shown=tuple(key for each in found for key in _shown(each)),
    )


def _found(study: Study, view: View) -> _LlcCounts | None:
    loads, misses = view.answer(_LOADS), view.answer(_MISSES)
    first = misses or loads
    if first is None:
        return None
    when = main(view, first.costs.values())
    # Of a run with its start, no part is an image's.
    known = misses is not None and when is EACH and catalogued(view)
    return _LlcCounts(view, loads, misses, when, tuple(traffic(study, view, misses)) if misses and known else ())


def _verdict(found: _LlcCounts) -> str:
    head = f"{found.view.source}{found.when.words}"
    if not found.traffic:
        return notation.capital(f"{head}, {_counts_alone(found)}.")
    if len(found.traffic) > 2:
        ranked = sorted(found.traffic, key=lambda each: each.bytes.value)
        told = f"of {len(ranked)} models {brought(ranked[0])}, the least, and {brought(ranked[-1])}, the most"
    else:
        told = _brought(found.traffic)
    return notation.capital(
        f"{head}, {told}{'' if any(each.weights for each in found.traffic) else '; no weights are known'}."
    )


def _brought(found: Sequence[Traffic]) -> str:
    """The bytes of each model and what follows from them, which is said once where it is the same of all."""
    what = dict.fromkeys(map(follows, found))
    if len(found) > 1 and len(what) == 1 and all(what):
        return f"{notation.listed(map(brought, found))}: each {next(iter(what))}"
    return "; ".join(": ".join(filter(None, (brought(each), follows(each)))) for each in found)


def _counts_alone(found: _LlcCounts) -> str:
    """Loads and misses of each model where bytes from memory for each image are not known."""
    what = f"{named(found.view)} {'misses' if found.misses else 'is read'}"
    answer = found.answers[-1]
    figures = [
        f"{label} {said(cost, found.when)}{_miss_ratio(label, found, found.when)}"
        for label, cost in answer.costs.items()
    ]
    unknown = "" if catalogued(found.view) else ", and what that counts on this core is not known"
    told = "; ".join(figures) if len(figures) <= SINGLY else notation.listed(figures, SINGLY)
    return f"{what} by {answer.name}: {told}{unknown}"


def _evidence(study: Study, found: _LlcCounts) -> Iterator[str]:
    yield which(study, found.view, found.answers[0], found.when)
    told = _told(study, found)
    for model in told:
        yield f"{model.label}{f', {SIMULATED}' if found.view.costs.simulated else ''}: {'; '.join(_of(model, found))}."
    yield from against_weights(found.traffic, {model.label for model in told}, found.view)


def _told(study: Study, found: _LlcCounts) -> list[Model]:
    """Of many models those with the fewest and the most misses, and the baseline."""
    costs = found.answers[-1].costs
    figures = {label: figure.value for label, cost in costs.items() if (figure := found.when.figure(cost))}
    kept = spoken_of(figures, found.view.costs.baseline)
    return [model for model in study.models if model.label in kept]


def _of(model: Model, found: _LlcCounts) -> Iterator[str]:
    """Loads, misses and the share that misses, for each image and once; what follows; the working set."""
    label = model.label
    for when in (found.when, *([ONCE] if found.when is EACH else [])):
        counts = [
            f"{said(cost, when)} {answer.name}"
            for answer in found.answers
            if (cost := answer.costs.get(label)) and when.figure(cost)
        ]
        if counts:
            yield f"{when.words} {notation.listed(counts)}{_miss_ratio(label, found, when)}"
    if len(found.traffic) > 2:
        yield from (
            f"{brought(each)}, {follows(each)}" for each in found.traffic if each.model == label and each.weights
        )
    last, size = last_level(found.view), model.network and model.network.working_set_bytes
    if size and last and catalogued(found.view):
        times = notation.number(size / last.size_bytes)
        yield f"the working set of an image is {notation.size(size)}, {times} times that cache"


def _miss_ratio(label: str, found: _LlcCounts, when: When) -> str:
    """Of two events that are each other's: a proxy's partner may be of another cache."""
    if found.loads is None or found.misses is None or found.loads.event.quality != found.misses.event.quality:
        return ""
    loads, misses = found.loads.costs.get(label), found.misses.costs.get(label)
    ratio = found.view.quotient(misses, loads, when, 100) if loads and misses else None
    if not (ratio and loads and misses):
        return ""
    # What stands in for loads may be other accesses too.
    of = "loads" if found.loads.event.quality == "exact" else found.loads.event.name
    return f", {notation.in_sentence(ratio, '%')}{scaled_mark([misses, loads])} of its {of}"


def _caveats(study: Study, analysis: Analysis, found: list[_LlcCounts]) -> Iterator[str]:
    for each in found:
        yield from (answer.counts(each.view) for answer in each.answers)
        if each.traffic:
            yield from left_out(study, each.view)
    first = found[0]
    yield from caveats(study, first.view, (cost for answer in first.answers for cost in answer.costs.values()))
    if without := [f"{each.model} ({each.lack})" for each in first.traffic if not each.weights]:
        yield f"Weights are not known of {notation.listed(without)}."
    if first.view.costs.simulated:
        yield f"What a real core would count is not known: {lack(study, analysis, _MISSES, _LOADS).rstrip('.')}."


def _command(study: Study, analysis: Analysis, found: _LlcCounts) -> str:
    if found.view.costs.simulated:
        return elsewhere(study) if study.counter_source is None else REAL
    if not catalogued(found.view):
        return again(study, caches=TARGET)
    if found.misses is None:
        return remedy(study, analysis, _MISSES)
    return "" if found.traffic else for_a_line(study)


def _shown(found: _LlcCounts) -> Iterator[str]:
    simulated = found.view.costs.simulated
    yield from table_keys(found.when, simulated)
    yield from (
        (f"{SIMULATED}-refills", f"{SIMULATED}-misses", f"fits-{SIMULATED}") if simulated else ("misses", "fits-here")
    )


def _unanswered(study: Study, analysis: Analysis) -> Question:
    command = remedy(study, analysis, _LOADS, _MISSES, every=True)
    simulating = study.simulation is None and (not command or command == REAL)
    view = counted_view(study, analysis)
    here = study.counter_source is not None and last_level(view) is not None and catalogued(view)
    notes = (
        f"The command simulates the caches of another machine ({TARGET})." if simulating else "",
        f"`{REAL}` says what would make this machine's counters count." if command == REAL else "",
    )
    return Question(
        KEY,
        TITLE,
        _ASKED,
        f"Loads and misses of the last cache are not known: {lack(study, analysis, _LOADS, _MISSES).rstrip('.')}.",
        evidence=(f"The last cache of this machine is {named(view)}.",) if here else (),
        caveats=tuple(filter(None, notes)),
        answered=False,
        command=again(study, caches=TARGET) if simulating else command or elsewhere(study),
        shown=("events", "image", "working-sets"),
    )
