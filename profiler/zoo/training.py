"""The default model's head: a logistic regression on the backbone's frozen features of views of labelled photos."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from profiler.errors import ProfilerError
from profiler.pixels import Pixels, fit, load
from profiler.zoo.architecture import SIDE
from profiler.zoo.pictures import LEAST
from profiler.zoo.quiet import quiet

FOLDS = LEAST
L2 = 0.01
"""Weight of the penalty. Cross-validation on the training photos made no error from 0.001 to 3: it is not critical."""
CROPS = 2
SMALLEST_CROP = 0.7
_NEWTON_STEPS = 50
_GRADIENT_LIMIT = 1e-8

Features = NDArray[np.float32]
Vector = NDArray[np.float64]


@quiet()
def features(tf: Any, model: Any, paths: list[Path], seed: int) -> Features:
    """What the head sees of each photo: array of shape (photos, views, channels); view 0 is the whole photo."""
    extractor = tf.keras.Model(model.inputs, model.layers[-1].input)
    rng = np.random.default_rng(seed)
    return np.stack([extractor.predict_on_batch(_views(load(path), rng)) for path in paths])


def _views(photo: Pixels, rng: np.random.Generator) -> Pixels:
    parts = [photo, *(_crop(photo, rng) for _ in range(CROPS))]
    views = np.stack([fit(part, SIDE, SIDE) for part in parts])
    return np.concatenate([views, views[:, :, ::-1]])


def _crop(photo: Pixels, rng: np.random.Generator) -> Pixels:
    rows, columns = photo.shape[:2]
    side = max(1, round(min(rows, columns) * rng.uniform(SMALLEST_CROP, 1)))
    top, left = rng.integers(rows - side + 1), rng.integers(columns - side + 1)
    return photo[top : top + side, left : left + side]


def cross_validate(views: Features, labels: NDArray[np.int64]) -> int:
    """How many whole photos are told right by a head trained on the other folds."""
    # Photos are in order of class and name: every FOLDS-th takes from each class and each series of names alike.
    fold = np.arange(len(labels)) % FOLDS
    correct = 0
    for held in range(FOLDS):
        train, test = views[fold != held], views[fold == held, 0]
        kernel, bias = logistic(train.reshape(-1, train.shape[-1]), labels[fold != held].repeat(train.shape[1]))
        correct += int(((test @ kernel + bias > 0) == labels[fold == held]).sum())
    return correct


def logistic(rows: Features, labels: NDArray[np.int64]) -> tuple[Vector, float]:
    """Logistic regression with an L2 penalty on standardised features, both classes weighing the same.

    Solved by Newton's method (iteratively reweighted least squares; Hastie, Tibshirani and Friedman, "The Elements of
    Statistical Learning", 2nd edition, section 4.4.1).

    Args:
        rows: Shape (examples, channels).
        labels: 0 or 1 for each example.

    Returns:
        Kernel of shape (channels,) and bias, for the features as they are: the standardisation is folded in.

    Raises:
        ProfilerError: It does not converge.
    """
    mean, deviation = rows.mean(axis=0, dtype=np.float64), rows.std(axis=0, dtype=np.float64)
    deviation[deviation == 0] = 1
    design = np.column_stack([(rows - mean) / deviation, np.ones(len(rows))])
    weight = 0.5 / np.bincount(labels)[labels]
    penalty = np.append(np.full(rows.shape[1], L2), 0)
    solution = np.zeros(design.shape[1])
    for _ in range(_NEWTON_STEPS):
        chance = np.exp(-np.logaddexp(0, -design @ solution))
        gradient = design.T @ (weight * (chance - labels)) + penalty * solution
        if np.abs(gradient).max() < _GRADIENT_LIMIT:
            kernel = solution[:-1] / deviation
            return kernel, float(solution[-1] - mean @ kernel)
        curvature = (design.T * (weight * chance * (1 - chance))) @ design + np.diag(penalty)
        solution -= np.linalg.solve(curvature, gradient)
    raise ProfilerError("the head's training does not converge", "use more photos, and each one once")
