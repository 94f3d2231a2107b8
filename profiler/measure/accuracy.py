"""Accuracy beside speed: how models answer labelled photos, as they are and degraded, and how far they agree.

Every model answers in processes of its own, so that a crash ends one model's check alone and engines do not meet.
"""

import math
import tempfile
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from profiler.errors import ProfilerError
from profiler.images.labelled_photos import Labelled, Shape, builtin, find, stage
from profiler.images.pools import POOL
from profiler.measure.process import Stop
from profiler.measure.run import WORKER, Workplace, uncounted, uncounted_plan
from profiler.modelfile import ModelFile
from profiler.modelfile.digest import file_sha256
from profiler.records import AGREE, Answers, Case, Check

SETS = ("as they are", "degraded")
"""What every model is asked, in this order; `photos.DEGRADED` says how the latter are made."""
ONE_CAT = (
    f"Without --photos, {POOL} crops of the built-in photograph are asked, all of one cat: that says little, "
    "for a form that calls everything a cat passes too."
)
_SPREAD = 0.5
"""What probabilities of photos of two classes spread over at least; the outputs of a broken form may not."""
_START_S, _EACH_S = 120.0, 2.0
"""What a process may take to start, and for each photo: more than the slowest board needs."""

T = TypeVar("T")
Made = TypeVar("Made")
Vector = NDArray[np.float64]
Indices = NDArray[np.int64]


class Result(NamedTuple):
    """What was found of each model that could be checked, and why others could not."""

    checks: tuple[Check, ...]
    failures: tuple[ProfilerError, ...]


class Outputs(NamedTuple):
    """A model's answers: to all photos as they are, then to all of them degraded.

    Attributes:
        size: How many numbers the network gives for a photo.
        values: The one number, or the winning one of several; quantised ones made real.
        top: Index of the winning number.
    """

    model: ModelFile
    engine: str
    size: int
    values: Vector
    top: Indices

    @property
    def within_one(self) -> bool:
        """Whether all values could be probabilities."""
        return bool(self.values.min() >= 0 and self.values.max() <= 1)


def check(
    models: Sequence[ModelFile],
    photos: Path | None,
    seed: int,
    tell: Callable[[str], object],
    worker: Sequence[str] = WORKER,
) -> Result:
    """Asks every model for all photos and compares the answers with the labels and with the reference's answers.

    The reference of a model is the first that is known to compute in fp32, by its form or because Keras runs it; where
    there is none, the first. A form of another width is no reference. Of networks with several outputs, the drift is
    that of the winning one.

    Args:
        photos: Folder with one folder of photos a class, such as cat/ and dog/; None for the built-in photograph.
        seed: Of the noise, of the built-in photograph's crops, and of which photos are drawn where there are many.
        tell: Is told what goes on, a line each.

    Raises:
        ProfilerError: The photos cannot be used. What is wrong with one model is among the failures.
    """
    labelled = builtin(seed) if photos is None else find(photos, seed, tell)
    if photos is None:
        tell(ONE_CAT)
    failures: list[ProfilerError] = []
    with tempfile.TemporaryDirectory(prefix="profiler-") as folder, Stop() as stop:
        inferences = 2 * len(labelled.photos)
        limit_s = _START_S + _EACH_S * inferences
        plan = uncounted_plan("graph", limit_s, None, (inferences,), str(photos or "builtin"), seed)
        place = Workplace(Path(folder), worker, plan, {model.label: model for model in models}, {}, {}, stop)
        shapes = dict(_each(models, lambda model: _shape(model, place, tell), failures))
        pools = stage(labelled, set(shapes.values()), seed, place.folder)
        place = place._replace(pools={model.label: pools[shape] for model, shape in shapes.items()})
        asked = _each(shapes, lambda model: _ask(model, place, tell), failures)
    outputs = [found for _, found in asked]
    checks = _each(outputs, lambda found: _checked(found, _reference(found.model, outputs), labelled), failures)
    return Result(tuple(found for _, found in checks), tuple(failures))


def _each(items: Iterable[T], make: Callable[[T], Made], failures: list[ProfilerError]) -> list[tuple[T, Made]]:
    """What is made of each item of which it can be made; the others leave a failure."""
    made = []
    for item in items:
        try:
            made.append((item, make(item)))
        except ProfilerError as error:
            failures.append(error)
    return made


def _shape(model: ModelFile, place: Workplace, tell: Callable[[str], object]) -> Shape:
    """Height, width and channels that the model takes.

    Raises:
        ProfilerError: It cannot be loaded, or has random weights.
    """
    if model.form and model.form.weights == "random":
        raise ProfilerError(f"{model.label} has random weights, so its answers mean nothing", "check trained models")
    tell(f"looking at {model.label}")
    completion, _ = uncounted(Case(model=model.label, images=0, region="process"), place)
    _, height, width, channels = completion.input.shape
    return height, width, channels


def _ask(model: ModelFile, place: Workplace, tell: Callable[[str], object]) -> Outputs:
    """The model's answers to its whole pool."""
    (inferences,) = place.plan.images
    tell(f"{model.label} answers {inferences // 2:,} photos, as they are and degraded")
    completion, engine = uncounted(Case(model=model.label, images=inferences, region="process"), place)
    spec = completion.output
    values = (np.array(completion.scores) - (spec.zero_point or 0)) * (spec.scale or 1.0)
    return Outputs(model, f"{engine.package} {engine.version}", math.prod(spec.shape), values, np.array(completion.top))


def _reference(model: ModelFile, outputs: Sequence[Outputs]) -> Outputs:
    """Whose answers the model's are compared with; its own where there is no better."""
    alike = [found for found in outputs if _same_width(found.model, model)]
    return next((found for found in alike if _fp32(found.model)), alike[0])


def _fp32(model: ModelFile) -> bool:
    return model.form.precision == "fp32" if model.form else model.runtime == "keras"


def _same_width(first: ModelFile, second: ModelFile) -> bool:
    """Whether two models can be forms of one network, as far as is known."""
    return first.form is None or second.form is None or first.form.alpha == second.form.alpha


def _checked(mine: Outputs, reference: Outputs, labelled: Labelled) -> Check:
    """What the check says of a model.

    Raises:
        ProfilerError: Its outputs are not of the reference's kind.
    """
    _comparable(mine, reference)
    # Probabilities of two classes part at one half, logits at zero.
    boundary = 0.5 if reference.within_one else 0.0
    known = len(labelled.classes) == max(2, mine.size)
    told, expected = _told(mine, boundary), _told(reference, boundary)
    count, drift = len(labelled.photos), np.abs(mine.values - reference.values)
    sets = dict(zip(SETS, (slice(count), slice(count, None)), strict=True))
    model = mine.model
    return Check(
        label=model.label,
        file=model.path.name,
        sha256=file_sha256(model.path),
        engine=mine.engine,
        reference=reference.model.label,
        bound=AGREE,
        answers=tuple(
            Answers(
                photos=name,
                total=count,
                correct=int((told[part] == labelled.labels).sum()) if known else None,
                agree=int((told[part] == expected[part]).sum()),
                drift=float(drift[part].max()),
                mean_drift=float(drift[part].mean()),
            )
            for name, part in sets.items()
        ),
    )


def _told(outputs: Outputs, boundary: float) -> Indices:
    """The class that a model tells of each photo."""
    return outputs.top if outputs.size > 1 else (outputs.values > boundary).astype(np.int64)


def _comparable(mine: Outputs, reference: Outputs) -> None:
    """Raises ProfilerError: The two give numbers of different kinds."""
    label, other = mine.model.label, reference.model.label
    remedy = "check the forms of one network together"
    if mine.size != reference.size:
        raise ProfilerError(f"{label} gives {mine.size} numbers for a photo, {other} {reference.size}", remedy)
    # Outputs of a broken form can lie anywhere: only what leaves no doubt is another kind.
    if reference.within_one and not mine.within_one:
        raise ProfilerError(f"{label} gives logits, {other} probabilities", remedy)
    if mine.within_one and not reference.within_one and np.ptp(mine.values) >= _SPREAD:
        raise ProfilerError(f"{label} gives probabilities, {other} logits", remedy)
