"""Question 2: relative model sizes (file, weights, resident, working set), and whether the cost goes with them."""

from collections.abc import Iterator, Sequence

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import Measure, Verdict
from profiler.analysis.costs import quotient
from profiler.analysis.stats import MATTERS, Estimate
from profiler.analysis.study_analysis import Analysis
from profiler.records import Model, Study
from profiler.report.model import Question
from profiler.report.questions.common import again, explained, leading, noun, scaled_mark, way
from profiler.report.questions.memory_footprint import SIZES, facts
from profiler.report.sections.model_files import lack

_ALIKE = 0.1
"""How far one ratio may be from another and still be called alike."""

_NAMED = 8
"""Most models that a sentence names."""

_SHOWN = ("sizes", "files", "needs", "fits-here", "fits-simulated", "working-sets", "causes", "models")


def sizes(study: Study, analysis: Analysis) -> Question:
    """How many times as large and as dear one model is as another, in each way of saying how large."""
    unknown = [model for model in study.models if model.network is None]
    known = len(unknown) < len(study.models)
    return Question(
        "sizes",
        "Relative model sizes",
        "How large are the models beside each other, in file, weights, resident memory and working set, and does the "
        "cost go with it?",
        _verdict(study.models, analysis) if known else _files_only(study.models),
        evidence=tuple(_evidence(study, analysis)),
        caveats=tuple(_caveats(study, unknown)),
        answered=not unknown,
        command=again(study) if unknown else "",
        shown=_SHOWN,
    )


def file_ratio_holds(file: float, other: float | Estimate) -> bool | None:
    """Whether another ratio is the files' one, give or take `_ALIKE`; None where its interval does not tell."""
    value, ends = (other.value, other.interval) if isinstance(other, Estimate) else (other, None)
    low, high = (end / file - 1 for end in ends or (value, value))
    if low >= -_ALIKE and high <= _ALIKE:
        return True
    return False if low > _ALIKE or high < -_ALIKE else None


def misleads(file: float, found: Verdict) -> bool:
    """Whether the smaller file is not shown to be the cheaper model, where files differ and the verdict is in."""
    smaller, larger = file < 1 - _ALIKE, file > 1 + _ALIKE
    return (smaller and found in ("more", "same")) or (larger and found in ("less", "same"))


def _files_only(models: Sequence[Model]) -> str:
    """Where no file was read."""
    why = notation.listed(dict.fromkeys(map(lack, models)))
    figures = notation.listed((f"{model.label} {notation.size(model.size_bytes)}" for model in models), _NAMED)
    if len(models) == 2:
        figures += f", {notation.number(models[0].size_bytes / models[1].size_bytes)} times"
    rounded = "" if all(model.sha256 for model in models) else ", as their source rounds it"
    return (
        f"Only the size of the file is known ({figures}{rounded}), and a file's size is not what an inference reads of "
        f"it: of weights, resident memory and working set nothing is, for {why}."
    )


def _verdict(models: Sequence[Model], analysis: Analysis) -> str:
    if len(models) == 1:
        return _alone(models[0])
    if len(models) > 2:
        return _range(models, analysis)
    base = next((model for model in models if model.label == analysis.baseline), models[-1])
    other = next(model for model in models if model is not base)
    return _against(other, base, analysis)


def _alone(model: Model) -> str:
    """What is known of it; beside the file's size how many times that the rest is."""
    parts = [f"its file is {notation.size(model.size_bytes)}"]
    for what, find in SIZES.items():
        size = find(model)
        if what != "file" and size is not None:
            are = "are" if what.endswith("s") else "is"
            parts.append(
                f"its {what} {are} {notation.size(size)} ({notation.number(size / model.size_bytes)} times the file)"
            )
    return f"Of {model.label}, {notation.listed(parts)}."


def _against(other: Model, base: Model, analysis: Analysis) -> str:
    """Every ratio of the two, and which of them the files' ratio is not."""
    parts = []
    for what, find in SIZES.items():
        mine, its = find(other), find(base)
        if mine is not None and its:
            parts.append(
                f"the same {what} ({notation.size(its)})"
                if mine == its
                else f"{notation.number(mine / its)} times the {what} "
                f"({notation.size(mine)} against {notation.size(its)})"
            )
    file, measure = other.size_bytes / base.size_bytes, leading(analysis)
    cost = _cost_ratio(other.label, base.label, measure)
    if measure and cost:
        marked = _marked(measure, other.label, base.label)
        parts.append(f"{notation.ratio(cost)} times{marked} the {explained(measure)} for each image")
    conclusion = _conclusion(file, other, base, cost)
    return f"Beside {base.label}, {other.label} has {notation.listed(parts)}: {conclusion}."


def _conclusion(file: float, other: Model, base: Model, cost: Estimate | None) -> str:
    """Of working sets and costs, which are as the files are."""
    working = SIZES["working set"]
    mine, its = working(other), working(base)
    found: dict[str, float | Estimate] = {}
    if mine is not None and its:
        found["working sets"] = mine / its
    if cost:
        found["costs"] = cost
    if not found:
        return "whether working sets or costs are as the files are is not known"
    holds, fails, untold = (
        [what for what, ratio in found.items() if file_ratio_holds(file, ratio) is said] for said in (True, False, None)
    )
    parts = [f"that of the {' and of the '.join(holds)}"] if holds else []
    parts += [f"not that of the {' nor of the '.join(fails)}"] if fails else []
    told = [f"the ratio of the files is {', but '.join(parts)}"] if parts else []
    told += [f"whether the ratio of the {what} is that of the files, its interval does not tell" for what in untold]
    return "; ".join(told)


def _range(models: Sequence[Model], analysis: Analysis) -> str:
    """Of many models the ends in each way of saying how large, and how far these are apart."""
    differ, alike = [], []
    for what, find in SIZES.items():
        found = {model.label: size for model in models if (size := find(model))}
        least, most = (min(found, key=found.__getitem__), max(found, key=found.__getitem__)) if found else ("", "")
        if found and found[most] / found[least] - 1 <= MATTERS:
            alike.append(f"{what} ({notation.size(found[most])})")
        elif found:
            differ.append(
                f"{what} {notation.number(found[most] / found[least])} times, from {notation.size(found[least])} "
                f"({least}) to "
                f"{notation.size(found[most])} ({most})"
            )
    differ += _cost_range(analysis)
    same = f"; they are alike in {notation.listed(alike)}" if alike else ""
    return (
        f"From the least to the most the models differ in {'; in '.join(differ)}{same}." if differ else f"{same[2:]}."
    )


def _cost_range(analysis: Analysis) -> list[str]:
    measure = leading(analysis)
    costs = [cost for cost in measure.costs.of(measure.event) if cost.per_image] if measure else []
    ranked = sorted(costs, key=lambda cost: cost.per_image.value if cost.per_image else 0)
    apart = quotient(ranked[-1].per_image, ranked[0].per_image) if len(ranked) > 1 else None
    if measure is None or apart is None:
        return []
    times = notation.ratio(apart)
    marked = scaled_mark([ranked[-1], ranked[0]])
    return [f"{noun(measure)} for each image {times} times{marked}, from {ranked[0].model} to {ranked[-1].model}"]


def _evidence(study: Study, analysis: Analysis) -> Iterator[str]:
    models, measure = study.models, leading(analysis)
    if len(models) > 2:
        yield from _each(models, analysis, measure)
    yield from _misleading(models, analysis, measure)
    yield from facts(study, analysis, measure)


def _each(models: Sequence[Model], analysis: Analysis, measure: Measure | None) -> Iterator[str]:
    """Every model's file, working set and cost beside the baseline's."""
    base = next((model for model in models if model.label == analysis.baseline), models[-1])
    parts = []
    for model in models:
        cost = _cost_ratio(model.label, base.label, measure)
        figures = [_size_ratio(model, base, what) for what in ("file", "working set")]
        marked = _marked(measure, model.label, base.label)
        figures.append(f"{notation.ratio(cost)}{marked}" if cost else notation.ABSENT)
        if model is not base:
            parts.append(f"{model.label} {notation.listed(figures)}")
    what = f"{noun(measure)} for each image" if measure else "cost"
    yield f"Times the file, working set and {what} of {base.label}: {'; '.join(parts)}."


def _size_ratio(model: Model, base: Model, what: str) -> str:
    mine, its = SIZES[what](model), SIZES[what](base)
    return notation.number(mine / its) if mine is not None and its else notation.ABSENT


def _misleading(models: Sequence[Model], analysis: Analysis, measure: Measure | None) -> Iterator[str]:
    """Models whose file is smaller and whose cost is not, or the other way round."""
    base = next((model for model in models if model.label == analysis.baseline), models[-1])
    found = []
    for model in models:
        cost = _cost_ratio(model.label, base.label, measure)
        if model is base or measure is None or cost is None:
            continue
        file = model.size_bytes / base.size_bytes
        mine, its = (measure.costs[measure.event.name, each.label].per_image for each in (model, base))
        if misleads(file, way(mine, its, measure.costs)):
            times = f"{notation.ratio(cost)} times{_marked(measure, model.label, base.label)}"
            found.append(f"{model.label} with {notation.number(file)} times the file takes {times} the {noun(measure)}")
    if found:
        yield (
            f"Here a smaller file does not go with a smaller cost: beside {base.label}, "
            f"{notation.listed(found, _NAMED)} for each image."
        )


def _marked(measure: Measure | None, *labels: str) -> str:
    """Whether the cost of any of these models is of scaled counts."""
    return scaled_mark(measure.costs[measure.event.name, label] for label in labels) if measure else ""


def _cost_ratio(label: str, base: str, measure: Measure | None) -> Estimate | None:
    """How many times the base's cost for each image a model's is."""
    if measure is None:
        return None
    first, second = (measure.costs[measure.event.name, each].per_image for each in (label, base))
    return quotient(first, second)


def _caveats(study: Study, unknown: Sequence[Model]) -> Iterator[str]:
    if study.models != tuple(unknown):
        for model in unknown:
            yield f"Of {model.label} nothing but the size of its file is known: {lack(model)}."
        yield (
            "The working set is by the file alone, all weights that an inference reads and its activations' memory: "
            "code, the engine's own data and packed copies come on top. A shared cache counts as if one core had all "
            "of it."
        )
    rounded = [model.label for model in study.models if not model.sha256]
    if rounded and study.models != tuple(unknown):
        yield f"The size of the file of {notation.listed(rounded)} is as its source rounds it."
    if any(model.resident for model in study.models):
        yield "Sizes are facts of files and have no interval; resident memory was seen once."
    if len(study.models) > 1:
        yield "That a size and a cost differ alike, or do not, says nothing by itself of what makes the cost."
