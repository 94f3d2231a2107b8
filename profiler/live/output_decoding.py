"""What a network's raw output says: classes and their probabilities."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.errors import ProfilerError
from profiler.modelfile import ModelFile, output_kind
from profiler.modelfile.cards import Card
from profiler.records import OutputKind, Shown, TensorSpec

SLACK = 1e-3
"""By how much a computed probability may be outside 0 to 1: float16 has steps of 0.0005 below 1."""
SHARED = 0.01
"""By how much probabilities that share 1 may miss it together; rounding of quantised ones comes on top."""

_MEANINGS: dict[OutputKind, str] = {
    "logit": "numbers without bounds (logit)",
    "sigmoid": "a probability for each output (sigmoid)",
    "softmax": "probabilities that share 1 (softmax)",
}
_TELL = "say with --output logit, sigmoid or softmax what the last layer gives"

Vector = NDArray[np.float64]


def kind_of(model: ModelFile, outputs: int, told: OutputKind | None, card: Card | None) -> OutputKind:
    """What the outputs are: as told, else as the card says, else as the file shows.

    Raises:
        ProfilerError: Nothing says it; what is said contradicts the file, or is of no use with one output.
    """
    name = model.path.name
    stated = told or (card.output if card else None)
    # A card that names this very file needs no second opinion.
    seen = None if told is None and stated and card and card.sha256 else output_kind.kind(model.path)
    chosen = stated or seen
    if chosen is None:
        raise ProfilerError(f"neither {name} nor a card shows what its outputs are", _TELL)
    if seen is not None and (seen == "logit") != (chosen == "logit"):
        source = "--output" if told else "the card"
        raise ProfilerError(
            f"{source} says that {name} gives {_MEANINGS[chosen]}, but its last layer gives {_MEANINGS[seen]}",
            f"use --output {seen}",
        )
    if chosen == "softmax" and outputs == 1:
        raise ProfilerError(
            f"{name} has one output, and a softmax of one output is always 1",
            "use a model that ends in a sigmoid or a plain dense layer, or has an output for each class",
        )
    return chosen


class OutputDecoder:
    """Reads raw outputs; called with the array that an inference gave.

    Attributes:
        classes: Of one output the negative and the positive.
    """

    def __init__(self, name: str, spec: TensorSpec, kind: OutputKind, classes: tuple[str, ...], top: int) -> None:
        """Args:
            name: Of the model, for errors.
            top: Most answers that are wanted.

        Raises:
            ProfilerError: Integers without a scale, which stand for no real values.
        """
        self._name, self._kind, self._top = name, kind, top
        self.classes = classes
        quantised = "int" in spec.dtype
        if spec.dtype == "bool" or (quantised and not spec.scale):
            raise ProfilerError(
                f"{name} gives {spec.dtype} without a scale, so neither logits nor probabilities",
                "use a classifier whose last layer gives a number for each class",
            )
        self._scale = spec.scale if quantised and spec.scale else 1.0
        self._zero = spec.zero_point or 0 if quantised else 0
        self._step = self._scale if quantised else 0.0

    def __call__(self, raw: NDArray[Any]) -> tuple[tuple[Shown, ...], int, float]:
        """Answers best first, ties in the order of classes; the winning class; and its raw value, which for a network
        with one output is that output.

        Raises:
            ProfilerError: An output is no number, or not what was said of the outputs.
        """
        flat = raw.reshape(-1)
        found = self.probabilities(flat)
        # By the real values: their probabilities may round to one number.
        order = self._order(flat, found)
        best = tuple(Shown(label=self.classes[each], probability=float(found[each])) for each in order[: self._top])
        winner = order[0]
        return best, winner, float(flat[0] if flat.size == 1 else flat[winner])

    def probabilities(self, raw: NDArray[Any]) -> Vector:
        """Of each class, in order; raises as a call does."""
        real: Vector = (raw.reshape(-1).astype(np.float64) - self._zero) * self._scale
        if not np.isfinite(real).all():
            raise ProfilerError(f"{self._name} answers with what is no number", "convert it again, or use another file")
        if self._kind == "logit":
            return two(sigmoid(real[0])) if real.size == 1 else softmax(real)
        self._bounded(real)
        real = real.clip(0, 1)
        return two(float(real[0])) if real.size == 1 else real

    def _order(self, flat: NDArray[Any], found: Vector) -> Sequence[int]:
        """Classes, best first, ties in their own order."""
        if flat.size > 1:
            ranked: list[int] = np.argsort(-flat.astype(np.float64), kind="stable")[: self._top].tolist()
            return ranked
        positive = flat[0] > self._zero if self._kind == "logit" else found[1] > found[0]
        return (1, 0) if positive else (0, 1)

    def _bounded(self, real: Vector) -> None:
        """Raises ProfilerError: These are no probabilities of the kind that was said."""
        slack, total = SLACK + self._step, float(real.sum())
        wrong = [f"{value:.4g}" for value in (real.min(), real.max()) if not -slack <= value <= 1 + slack]
        if not wrong and self._kind == "softmax" and abs(total - 1) > SHARED + real.size * self._step:
            wrong = [f"{total:.4g} in sum"]
        if wrong:
            raise ProfilerError(f"{self._name} gives {wrong[0]}, which is not {_MEANINGS[self._kind]}", _TELL)


def two(positive: float) -> Vector:
    """Probabilities of the negative and the positive class."""
    return np.array([1 - positive, positive])


def sigmoid(logit: float) -> float:
    """1 / (1 + exp(-logit)), without overflow."""
    if logit >= 0:
        return 1 / (1 + math.exp(-logit))
    grown = math.exp(logit)
    return grown / (1 + grown)


def softmax(logits: Vector) -> Vector:
    """exp(x) over the sum of all, shifted by the largest, which changes nothing but keeps them finite."""
    grown: Vector = np.exp(logits - logits.max())
    shares: Vector = grown / grown.sum()
    return shares
