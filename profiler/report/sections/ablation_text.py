"""What pairs of models show, in sentences made by rules: a verdict, the evidence, and what it does not tell."""

from collections.abc import Iterator, Sequence

from msgspec import structs

from profiler.analysis import delegation, notation
from profiler.analysis.ablation_pairs import BESIDE, AblationPair, Cause, Measure, measure, verdict
from profiler.analysis.costs import Costs
from profiler.analysis.labels import SIMULATED
from profiler.analysis.stats import MATTERS, Estimate
from profiler.analysis.study_analysis import Analysis

_NOUNS = {"duration_time": "time", "task-clock": "CPU time"}

_TOLD = 0.01
"""Share of a network's multiply-accumulates by which a delegate must have left more, if that is to explain anything."""

_ALIKE = 0.1
"""How far a file's size may be from another's and still be called alike."""

_SINGLY = 3
"""Most pairs of one cause that a brief sentence names one by one."""


def verdicts(found: Sequence[AblationPair], analysis: Analysis) -> Iterator[str]:
    """A paragraph for each pair; for pairs that differ in the same way, as at several widths, one together."""
    judged = _judged(analysis)
    if judged is None:
        return
    for pairs in _alike(found):
        if len(pairs) > 1:
            yield " ".join(_together(pairs, judged))
        else:
            yield " ".join(_alone(pairs[0], judged, analysis))


def in_brief(found: Sequence[AblationPair], analysis: Analysis) -> Iterator[str]:
    """`One thing at a time, in time for each image: runtime 0.17 times (keras → litert); precision 3.6 times ...`"""
    judged = _judged(analysis)
    if judged is None or not found:
        return
    by_cause: dict[Cause, list[AblationPair]] = {}
    for pair in found:
        by_cause.setdefault(pair.cause, []).append(pair)
    parts = [f"{cause} {said}" for cause, pairs in by_cause.items() if (said := _brief(pairs, judged))]
    if parts:
        yield f"One thing at a time, in {_noun(judged)} for each image: {'; '.join(parts)}."


def _judged(analysis: Analysis) -> Measure | None:
    """What was counted judges, and only where nothing was, what was simulated."""
    return measure(analysis.costs) or (measure(analysis.simulated) if analysis.simulated else None)


def _brief(pairs: Sequence[AblationPair], judged: Measure) -> str:
    ratios = {pair: ratio for pair in pairs if (ratio := pair.per_image(*judged))}
    if len(ratios) > _SINGLY:
        if all(verdict(ratio, judged.costs.simulated) == "same" for ratio in ratios.values()):
            return f"no difference shown ({len(ratios)} pairs)"
        values = sorted(ratio.value for ratio in ratios.values())
        low, high = (notation.number(end) for end in (values[0], values[-1]))
        return f"{low} to {high} times ({len(ratios)} pairs)"
    return notation.listed(
        f"{_times(ratio, judged)} ({pair.first.label} → {pair.second.label})" for pair, ratio in ratios.items()
    )


def _times(ratio: Estimate, judged: Measure) -> str:
    if verdict(ratio, judged.costs.simulated) == "same":
        return f"{_no_difference(ratio)} shown"
    return f"{notation.ratio(ratio)} times"


def _alike(found: Sequence[AblationPair]) -> list[list[AblationPair]]:
    """Pairs by what of their forms is not the width, in the order of the first of each."""
    groups: dict[tuple[object, ...], list[AblationPair]] = {}
    for pair in found:
        alike = [structs.replace(form, alpha=0.0) for form in pair.forms]
        groups.setdefault((pair.cause, *alike), []).append(pair)
    return list(groups.values())


def _alone(pair: AblationPair, judged: Measure, analysis: Analysis) -> Iterator[str]:
    ratio = pair.per_image(*judged)
    head, said = pair.cause.capitalize(), _said(pair, ratio, judged)
    if pair.cause == "file format":
        yield f"{head}: {_format(pair)}; {said}."
        yield from _paid_once(pair, judged)
        yield _of_format(ratio, judged)
        return
    runtime = pair.cause == "runtime" and ratio is not None
    weights = "with the same weights" if pair.forms[0].weights == "same" else "both with random weights"
    which = f", {weights} in the same precision" if runtime else ""
    yield f"{head}: {said}{which}{_sizes(pair, ratio, judged)}."
    yield from _evidence(pair, judged, analysis)
    if runtime:
        yield _of_runtime(pair)
    elif pair.cause == "precision":
        yield from _of_precision(pair, ratio, judged)


def _together(pairs: Sequence[AblationPair], judged: Measure) -> Iterator[str]:
    """All ratios in a sentence; then, of precisions that take more, why as far as it is known."""
    cause, (first, _) = pairs[0].cause, pairs[0].forms
    whose = {
        "width": pairs[0].first.label,
        "precision": f"the same network in {first.precision}",
        "runtime": f"the same network in {first.runtime}",
        "file format": "the same file with its optimiser's state",
    }[cause]
    listed = "; ".join(f"{pair.second.label} {_ratio(pair, judged)}{_beside(pair)}" for pair in pairs)
    yield f"{cause.capitalize()}, in {_noun(judged)} for each image against {whose}: {listed}."
    for pair in pairs if cause == "precision" else ():
        yield from _of_precision(pair, pair.per_image(*judged), judged, brief=True)


def _ratio(pair: AblationPair, judged: Measure) -> str:
    ratio = pair.per_image(*judged)
    if ratio is None:
        return "not determined"
    same = verdict(ratio, judged.costs.simulated) == "same"
    return f"{notation.ratio(ratio)} times{f', {_no_difference(ratio)} shown' if same else ''}"


def _beside(pair: AblationPair) -> str:
    """The facts that moved with the cause."""
    facts = {"MACs": pair.macs_ratio if pair.cause == "width" else None, "working set": pair.working_set_ratio}
    beside = [f"{what} {notation.number(times)}" for what, times in facts.items() if times]
    return f" ({', '.join(beside)})" if beside else ""


def _noun(judged: Measure) -> str:
    name = _NOUNS.get(judged.event.name, judged.event.name)
    return f"{SIMULATED} {name}" if judged.costs.simulated else name


def _said(pair: AblationPair, ratio: Estimate | None, judged: Measure) -> str:
    """The verdict with its figure."""
    first, second, noun = pair.first.label, pair.second.label, _noun(judged)
    if ratio is None:
        return f"how {second} compares with {first} in {noun} for each image is not determined"
    times = notation.ratio(ratio)
    match verdict(ratio, judged.costs.simulated):
        case "same":
            between = f"between {second} and {first} in {noun} for each image"
            return f"{_no_difference(ratio)} is shown {between} (ratio {times})"
        case "not told":
            return f"{second} takes {times} times {first}'s {noun} for each image, of too few runs for an interval"
        case _:
            return f"{second} takes {times} times {first}'s {noun} for each image"


def _no_difference(ratio: Estimate) -> str:
    """Of a ratio whose verdict is `same`: a difference may be shown that is too small to matter."""
    low, high = ratio.interval or (ratio.value, ratio.value)
    return "no difference" if low <= 1 <= high else f"no difference of more than {notation.percent(MATTERS)}"


def _sizes(pair: AblationPair, ratio: Estimate | None, judged: Measure) -> str:
    """How much smaller or larger the second is, with the word that says so where its cost does not follow."""
    file, touched = pair.file_ratio, pair.working_set_ratio
    way = verdict(ratio, judged.costs.simulated) if ratio else "not told"
    against = (file < 1 - _ALIKE and way in ("more", "same")) or (file > 1 + _ALIKE and way in ("less", "same"))
    working = f" and its working set {_as_large(touched)}" if touched else ""
    return f"{', although' if against else ';'} its file is {_as_large(file)}{working}"


def _as_large(times: float) -> str:
    return "as large" if abs(times - 1) <= MATTERS else f"{notation.number(times)} times as large"


def _evidence(pair: AblationPair, judged: Measure, analysis: Analysis) -> Iterator[str]:
    """Other events of the pair: those that were counted, or where none was, simulated ones."""
    for costs in filter(None, (analysis.costs, analysis.simulated)):
        times = list(_ratios(pair, costs, judged))
        if times:
            how = SIMULATED.capitalize() if costs.simulated else "Counted"
            yield f"{how}: {notation.listed(times)} for each image."
            return


def _ratios(pair: AblationPair, costs: Costs, judged: Measure) -> Iterator[str]:
    for metric in BESIDE:
        event = costs.answering(metric)
        if event and (costs is not judged.costs or event != judged.event) and (ratio := pair.per_image(costs, event)):
            yield f"{notation.quantity(ratio, notation.NUMBER)} times the {event.name}"


def _of_runtime(pair: AblationPair) -> str:
    calls = notation.listed(f"`{model.engine.call}`" for model in (pair.first, pair.second))
    return f"That is the engines as a whole: kernels, memory and the way of asking ({calls}) are not told apart."


def _format(pair: AblationPair) -> str:
    network = pair.first.network
    shares = network.shares if network else ()
    state = sum(share.size_bytes for share in shares if share.kind == "optimiser")
    without = f"the {notation.size(state)} of its optimiser's state" if state else "its optimiser's state"
    file = notation.number(pair.file_ratio)
    return f"{pair.second.label} is {pair.first.label} without {without}, {file} times its file"


def _paid_once(pair: AblationPair, judged: Measure) -> Iterator[str]:
    """The load reads a file whole, so its size may show in what is paid once."""
    ratio = pair.fixed(*judged)
    if ratio is None:
        return
    same = verdict(ratio, judged.costs.simulated) == "same"
    times = f"{notation.ratio(ratio)} times as much"
    yield f"Once, it pays {times}{f': {_no_difference(ratio)} is shown' if same else ''}."


def _of_format(ratio: Estimate | None, judged: Measure) -> str:
    if ratio and verdict(ratio, judged.costs.simulated) in ("more", "less"):
        return "An inference does not touch that state, so the cause is not in these data."
    return "An inference does not touch that state."


def _of_precision(pair: AblationPair, ratio: Estimate | None, judged: Measure, *, brief: bool = False) -> Iterator[str]:
    """Where a form takes more than its fp32 sibling: what the delegate did; where less: what is not told apart."""
    way = verdict(ratio, judged.costs.simulated) if ratio else "not told"
    if way == "more":
        yield _why_more(pair)
    elif way == "less" and not brief:
        yield "Precision changes kernels and bytes at once: how much of this the caches did, the pair does not tell."


def _why_more(pair: AblationPair) -> str:
    first, second = pair.first.label, pair.second.label
    ours, theirs = delegation.outside(pair.second), delegation.outside(pair.first)
    if ours is None or theirs is None or ours.least is None or theirs.most is None:
        return f"Which operators of {first} and {second} the delegate took is not known, and so the cause is not."
    name = pair.second.engine.delegate or "The delegate"
    if ours.least > theirs.most + _TOLD:
        left = delegation.share(theirs) if theirs.kinds else "nothing"
        took = (f"{kind.taken or 'none'} of its {kind.total} {kind.name}" for kind in ours.kinds)
        return (
            f"{name} took {notation.listed(took, delegation.NAMED)}: {delegation.share(ours)} run in "
            f"{delegation.OWN_KERNELS}"
            f"{delegation.among(ours)}. Of {first} it left {left}."
        )
    if not ours.kinds and not theirs.kinds:
        return f"{name} took every operator of both, so the cause is not in these data."
    return f"{name} is not shown to have left more of {second} than of {first}, so the cause is not in these data."
