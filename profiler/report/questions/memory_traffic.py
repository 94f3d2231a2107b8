"""What a model brings from memory for each image, against the weights that it reads."""

from collections.abc import Collection, Iterator, Sequence
from typing import NamedTuple

from profiler.analysis import notation
from profiler.analysis.ablation_pairs import verdict
from profiler.analysis.costs import Cost, quotient
from profiler.analysis.metrics import scaled
from profiler.analysis.stats import MATTERS, Estimate
from profiler.records import Study
from profiler.report.questions.common import labelled, scaled_mark
from profiler.report.questions.evidence import EventAnswer, View
from profiler.report.questions.last_level import last_level, line_bytes

_ABOUT = 0.25
"""How far the interval of a ratio may reach from 1 for the bytes to be about the weights."""


class Traffic(NamedTuple):
    """Of one model.

    Attributes:
        bytes: Misses of the last cache for each image times its line.
        weights: Bytes of the weights that an inference reads; None where they are not known, for `lack`.
    """

    model: str
    misses: Cost
    bytes: Estimate
    weights: int | None
    lack: str

    @property
    def times(self) -> Estimate | None:
        """How many times the weights that is."""
        return scaled(self.bytes, 1 / self.weights) if self.weights else None


def traffic(study: Study, view: View, misses: EventAnswer) -> Iterator[Traffic]:
    """Of each model whose misses for each image are known."""
    for model in study.models:
        cost = misses.costs.get(model.label)
        if cost and cost.per_image:
            weights = model.network.read_bytes if model.network else 0
            lack = "it has none" if model.network else model.network_lack or "its file was not read"
            yield Traffic(model.label, cost, scaled(cost.per_image, line_bytes(view)), weights or None, lack)


def brought(each: Traffic) -> str:
    """`litert brings 1.28 MiB [1.26, 1.29] from memory, 0.53 times [0.52, 0.54] its weights (2.41 MiB)`."""
    proxy = each.misses.event.quality == "proxy"
    whence = f"from beyond the last cache by {each.misses.event.name} (proxy)" if proxy else "from memory"
    marked = scaled_mark([each.misses])
    amount = f"{notation.in_sentence(each.bytes, 'bytes')}{marked}"
    if min(each.bytes.interval or (each.bytes.value,)) < 0:
        return f"{each.model} is not shown to bring anything {whence} ({amount})"
    weights = ""
    if each.times and each.weights:
        weights = f", {times(each.times)}{marked} its weights ({notation.size(each.weights)})"
    return f"{each.model} brings {amount} {whence}{weights}"


def times(ratio: Estimate) -> str:
    """`1.3 times [1.2, 1.4]`."""
    return f"{notation.quantity(ratio, notation.NUMBER)} times {notation.interval(ratio, notation.NUMBER)}".rstrip()


def follows(each: Traffic) -> str:
    """What the bytes say of the weights. Simulated misses have the prefetcher's among them, counted ones may not."""
    if each.times is None:
        return ""
    low, high = each.times.interval or (each.times.value, each.times.value)
    if low >= 1:
        return "at least as much as if no weight stayed in the caches from one image to the next"
    if high > 1 and (low < 1 - _ABOUT or high > 1 + _ABOUT):
        return (
            "by its interval more or less than its weights, so whether a part of them stays in the caches is not told"
        )
    if high > 1:
        return "about as much as if no weight stayed in the caches from one image to the next"
    if each.misses.simulated:
        return "less than its weights, so a part of them stays in the caches"
    return "less than its weights, so a part of them stays in the caches or is prefetched uncounted"


def against_weights(found: Sequence[Traffic], told: Collection[str], view: View) -> Iterator[str]:
    """Whether misses go with the weights: a model that reads more may well miss less."""
    known = {each.model: each for each in found if each.weights}
    base = known.get(view.costs.baseline)
    for label, each in known.items():
        if base is None or each is base or label not in told or not (each.weights and base.weights):
            continue
        weights, ratio = each.weights / base.weights, quotient(each.bytes, base.bytes)
        if ratio:
            same = abs(weights - 1) <= MATTERS
            reads = "as many weights as" if same else f"{notation.number(weights)} times the weights of"
            has = f"{times(ratio)}{scaled_mark([each.misses, base.misses])} its {labelled('misses', view.costs)}"
            yield f"{label} reads {reads} {base.model} and has {has}{_order(weights, ratio, view)}."


def _order(weights: float, ratio: Estimate, view: View) -> str:
    """What is said where the misses do not go the way of the weights."""
    way = verdict(ratio, view.costs.simulated)
    if weights > 1 + MATTERS and way == "less":
        return ": more weights, yet fewer misses"
    if weights < 1 - MATTERS and way == "more":
        return ": fewer weights, yet more misses"
    if abs(weights - 1) > MATTERS and way == "same":
        return ": other weights, yet no difference in misses is shown"
    return ""


def left_out(study: Study, view: View) -> Iterator[str]:
    """What bytes from memory contain and what not."""
    line = f"Bytes are misses times the line of {line_bytes(view)} bytes"
    if view.costs.simulated:
        yield f"{line}, simulated: no write-backs, and nothing of the kernel or of other processes."
        if study.simulation and study.simulation.target.prefetch.get("kind", "none") != "none":
            yield "Lines that the modelled prefetcher brought are in these bytes, those that were of no use among them."
        return
    yield (
        f"{line}: a lower bound for what moves between memory and caches, for write-backs are not in it, and "
        "prefetches may not be."
    )
    last = last_level(view)
    if last and (last.shared_by or 1) > 1:
        yield "Other cores and processes share that cache: what they displace counts as misses here."
