"""Which forms answer otherwise than the network they are compared with, and why that is known."""

from collections.abc import Mapping, Sequence

from profiler.analysis import notation
from profiler.analysis.study_analysis import Agreement
from profiler.records import AGREE, Check, Form, Model

MARK = "‡"
"""What a table puts behind the name of such a form."""


def warning(found: Mapping[str, str]) -> str:
    """What is said once of the forms that disagree, for these `reasons`."""
    return (
        f"{notation.listed(found)} {'is' if len(found) == 1 else 'are'} marked {MARK} in all tables: "
        f"{'; '.join(found.values())}. What a form costs that answers otherwise is the cost of other answers."
    )


def reasons(models: Sequence[Model], agreements: Sequence[Agreement]) -> dict[str, str]:
    """Of each form that disagrees, by label and in the models' order: with whom, and on how many images."""
    of = {model.label: model for model in models}
    found = {
        each.second: _reason(each.second, each.first, each.same, f"{each.images} inferences of this study", AGREE)
        for each in agreements
        # Of few images a single one is below any bound and no proof.
        if each.same < AGREE * each.images and each.images - each.same > 1
        if _one_network(of[each.first].form, of[each.second].form)
    }
    found |= {
        model.label: _on_photos(model.label, model.check)
        for model in models
        if model.check and model.check.disagrees and not _random(model.form)
    }
    return {label: found[label] for label in of if label in found}


def _one_network(first: Form | None, second: Form | None) -> bool:
    """Whether two models should answer alike, as far as is known: random weights and other widths need not."""
    known = [form for form in (first, second) if form]
    return not any(_random(form) for form in known) and len({form.alpha for form in known}) < 2


def _random(form: Form | None) -> bool:
    return form is not None and form.weights == "random"


def _on_photos(label: str, check: Check) -> str:
    worst = min(check.answers, key=lambda answers: answers.agree / answers.total)
    return _reason(label, check.reference, worst.agree, f"{worst.total} photos ({worst.photos})", check.bound)


def _reason(label: str, reference: str, agree: int, asked: str, bound: float) -> str:
    return f"{label} agrees with {reference} on {agree} of {asked}, below the bound of {notation.percent(bound)}"
