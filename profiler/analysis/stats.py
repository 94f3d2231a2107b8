"""Figures with 95 % intervals: fixed cost and cost per image, whether a line describes them, whether latencies drift.

Estimates are ordinary least squares, a mean or a quotient of sums. Intervals are bootstrapped over processes: their
standardised residuals are resampled, each resample's error is studentised (bootstrap-t: Efron and Tibshirani, An
Introduction to the Bootstrap, 1993, 12.5). Where a count's noise is proportional to it, the few processes with the most
images decide the slope: too few for standard errors of their own (HC2, HC3). So the noise is taken to grow linearly
with the images, in the ways of `GROWTH`, averaged by their likelihood, in every resample anew.

Sequences have a figure for each process. One that is not finite, or too few for what is asked, is a ValueError.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
DRAWS = 2000  # bootstrap draws of an estimate
LEVEL = (0.025, 0.975)  # quantiles of the draws at the ends of an interval
MIN_FREEDOM = 2  # processes beyond the coefficients for an interval; with 1, Student's is 25 standard errors wide
MATTERS = 0.01  # smallest relative difference worth a warning: simulated counts repeat, so any of theirs is significant
NEGLIGIBLE = 0.001  # share of the largest mean below which a bend is nobody's cost, however significant
LACK_OF_FIT_P = 0.01  # p-value below which a line is doubted: low, because a report judges hundreds of lines
OUTLIER_SCALES = 6.0  # robust standard deviations: of lines with normal noise fewer than 1 in 50 have a process beyond
GROWTH = (0.03, 0.1, 0.3, 1.0, 3.0, 30.0)  # noise at the fewest images over its rise: 34-fold to hardly any growth
SMOOTHING = 0.5  # share of a second residual: of 3 or 4 processes, one alone too often gives no scatter
ROUNDING = 1e-12  # share of the largest value below which a difference is rounding, not scatter
TINY = float(np.finfo(np.float64).tiny)  # keeps 0 / 0 and log 0 away
MANY = 256
"""Processes beyond which figures and intervals are of batches' means, which are nearly normal and soon resampled."""

MIN_SEQUENCE = 5  # images of a process for its drift
FEW_LEVELS = 4  # points of one image count from which on pairs are taken by counts and not singly: the same, but sooner
MAX_BLOCKS = 200  # longer sequences are represented by medians of blocks, because pairs grow with the square


@dataclass(frozen=True, slots=True, eq=False)
class Estimate:
    """A figure in the unit of the values it was made from, with its 95 % interval.

    Attributes:
        low: Lower end of the interval; None, like `high`, where there are too few processes for one.
        draws: (DRAWS,) bootstrap draws, of which the interval is the percentiles; empty where there is none.
        reason: Why there is no interval.
    """

    value: float
    low: float | None
    high: float | None
    draws: Floats = field(repr=False)
    reason: str | None = None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Both ends, or None."""
        return None if self.low is None or self.high is None else (self.low, self.high)


@dataclass(frozen=True, slots=True)
class LackOfFit:
    """Whether the means at the image counts lie on a line.

    Attributes:
        p_value: Of the pure-error F test (Draper and Smith, Applied Regression Analysis, 1998, 2.1), by resampling.
        worst_relative: Largest distance of a mean from the line, as a share of the range of the means.
        flagged: `p_value` below `LACK_OF_FIT_P`, `worst_relative` above `MATTERS`, and not `NEGLIGIBLE`.
    """

    p_value: float
    worst_relative: float
    flagged: bool


@dataclass(frozen=True, slots=True, eq=False)
class Fit:
    """A whole process as fixed + images x per_image; the draws of the two are joint.

    Attributes:
        lack_of_fit: None with fewer than 3 image counts or without repeats.
        outliers: Places of the processes far from a robust line. The fit includes them: leaving one out is a decision.
    """

    fixed: Estimate
    per_image: Estimate
    lack_of_fit: LackOfFit | None
    outliers: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Steady:
    """Whether latencies stay level.

    Attributes:
        drift: Relative change from first to last image (0.05: slower by 5 %), the Theil-Sen line's, mean of processes.
        steady: False where the interval excludes 0 and the drift exceeds `MATTERS`; True says that no drift was shown.
    """

    drift: Estimate
    steady: bool


class Quantiles(NamedTuple):
    """Median, 95th and 99th percentile, linear between order statistics, in the values' unit."""

    p50: float
    p95: float
    p99: float


def fit(images: ArrayLike, values: ArrayLike, seed: int = 0) -> Fit:
    """The line through (images, value), of at least 2 different image counts."""
    x, y = _checked(images, values)
    if np.ptp(x) == 0:
        raise ValueError(f"a line needs at least 2 different image counts, here all are {x[0]:g}")
    outliers = _outliers(x, y)
    x, y = _batched(x, y)
    slope = (x - x.mean()) / np.sum((x - x.mean()) ** 2)
    least_squares = np.vstack((1 / x.size - x.mean() * slope, slope))
    sample = _bootstrap(np.column_stack((np.ones_like(x), x)), least_squares, x, y, seed)
    fixed, each = map(_estimate, sample.values, sample.draws.T)
    return Fit(fixed, each, _lack_of_fit(x, y, sample), outliers)


def at(line: Fit, images: float) -> Estimate:
    """What the line says of a process with `images` images, on average: fixed + images x per_image."""
    return _estimate(line.fixed.value + images * line.per_image.value, line.fixed.draws + images * line.per_image.draws)


def band(line: Fit, xs: ArrayLike) -> tuple[Floats, Floats] | None:
    """Lower and upper ends of `at` for each of `xs`; None where there is no interval."""
    if not line.fixed.draws.size:
        return None
    draws = line.fixed.draws[:, None] + np.outer(line.per_image.draws, np.asarray(xs, dtype=np.float64))
    low, high = np.quantile(draws, LEVEL, axis=0)
    return low, high


def per_image(images: ArrayLike, values: ArrayLike, seed: int = 0) -> Estimate:
    """The direct figure of a region without fixed cost: the sum of the values over the sum of the images."""
    x, y = _checked(images, values)
    if not x.any():
        raise ValueError("a figure per image needs at least one image")
    x, y = _batched(x, y)
    sample = _bootstrap(x[:, None], np.full((1, x.size), 1 / x.sum()), x, y, seed)
    return _estimate(sample.values[0], sample.draws[:, 0])


def mean(values: ArrayLike, seed: int = 0) -> Estimate:
    """The mean of the values."""
    return per_image(np.ones(np.shape(values)), values, seed)


def ratio(a: Estimate, b: Estimate, *, paired: bool = False) -> Estimate | None:
    """a / b; None where it is not determined, because b's interval (b, where it has none) touches or crosses 0.

    `paired`: both are of the same processes in the same order with the same seed (figures of one fit, events counted
    together), so what disturbed both cancels. Otherwise they are taken to be independent.
    """
    low, high = b.interval or (b.value, b.value)
    if low <= 0 <= high:
        return None
    below = (b if paired else independent(b)).draws
    return _estimate(a.value / b.value, a.draws / below if a.draws.size == below.size else np.empty(0))


def independent(estimate: Estimate) -> Estimate:
    """The figure beside one of other processes, its draws one place further.

    The n-th draws of both resample the same places; the n-th and the one before have nothing in common.
    """
    return replace(estimate, draws=np.roll(estimate.draws, 1))


def combined(a: Estimate, b: Estimate, times: float = 1.0) -> Estimate:
    """a + times x b, draw by draw: of figures of one fit, or of others made `independent`."""
    draws = a.draws + times * b.draws if a.draws.size == b.draws.size else np.empty(0)
    return _estimate(a.value + times * b.value, draws)


def disagree(a: Estimate, b: Estimate) -> bool:
    """Whether the intervals are apart and the values differ by more than `MATTERS`; False where one has no interval."""
    if a.interval is None or b.interval is None:
        return False
    apart = max(a.interval[0], b.interval[0]) > min(a.interval[1], b.interval[1])
    return apart and abs(a.value - b.value) > MATTERS * max(abs(a.value), abs(b.value))


def steady(latencies: Sequence[Sequence[float]], seed: int = 0) -> Steady | None:
    """Whether latencies, for each process in order, stay level; None with fewer than 3 processes of `MIN_SEQUENCE`."""
    drifts = [_drift(np.asarray(each, dtype=np.float64)) for each in latencies if len(each) >= MIN_SEQUENCE]
    drift = mean(drifts, seed) if drifts else None
    if drift is None or drift.interval is None:
        return None
    return Steady(drift, drift.interval[0] <= 0 <= drift.interval[1] or abs(drift.value) <= MATTERS)


def quantiles(values: ArrayLike) -> Quantiles:
    """Of at least one value."""
    return Quantiles(*np.percentile(np.asarray(values, dtype=np.float64), (50, 95, 99)).tolist())


class _Sample(NamedTuple):
    """Coefficients (p,), their draws (DRAWS, p), residuals (n,) and the resamples' residuals (DRAWS, n)."""

    values: Floats
    draws: Floats
    residuals: Floats
    resampled: Floats


def _checked(images: ArrayLike, values: ArrayLike) -> tuple[Floats, Floats]:
    x, y = np.asarray(images, dtype=np.float64), np.asarray(values, dtype=np.float64)
    if x.ndim != 1 or x.shape != y.shape or not x.size:
        raise ValueError(f"as many values as images are needed, at least one: the shapes are {y.shape} and {x.shape}")
    if not (np.isfinite(x).all() and np.isfinite(y).all() and (x >= 0).all()):
        raise ValueError("images must be finite and not negative, values finite")
    return x, y


def _batched(images: Floats, values: Floats) -> tuple[Floats, Floats]:
    """The processes themselves, or of more than `MANY` the means of batches of equal image counts, in their order."""
    if images.size <= MANY:
        return images, values
    size = -(-images.size // MANY)
    order = np.argsort(images, kind="stable")
    levels = np.split(order, np.flatnonzero(np.diff(images[order])) + 1)
    batches = [batch for level in levels for batch in np.array_split(level, max(1, level.size // size))]
    return np.array([images[batch[0]] for batch in batches]), np.array([values[batch].mean() for batch in batches])


def _estimate(value: float, draws: Floats) -> Estimate:
    if not draws.size:
        return Estimate(float(value), None, None, draws, "too few processes for an interval")
    low, high = np.quantile(draws, LEVEL)
    return Estimate(float(value), float(low), float(high), draws)


def _bootstrap(design: Floats, estimator: Floats, images: Floats, values: Floats, seed: int) -> _Sample:
    """Bootstrap-t of the coefficients `estimator` (p, n) @ `values` of `design` (n, p)."""
    coefficients = estimator @ values
    # Of counts that are all alike the slope is rounding, and an interval of no width would make much of it.
    coefficients[np.abs(coefficients) * design.max(axis=0) <= ROUNDING * np.abs(values).max()] = 0
    residuals = values - design @ coefficients
    residuals[np.abs(residuals) <= ROUNDING * np.abs(values).max()] = 0
    count = values.size
    draws = DRAWS if count - coefficients.size >= MIN_FREEDOM else 0
    if not draws or not residuals.any():
        return _Sample(coefficients, np.tile(coefficients, (draws, 1)), residuals, np.zeros((draws, count)))
    variances = (images - images.min() + np.outer(GROWTH, np.ptp(images) or 1.0)) ** 2
    variances /= variances.mean(axis=1, keepdims=True)
    covariances = np.einsum("aj,kj,bj->kab", estimator, variances, estimator)
    leverage = np.einsum("ia,ai->i", design, estimator)
    expected = variances * (1 - 2 * leverage) + np.einsum("ia,kab,ib->ki", design, covariances, design)
    # A process that alone decides a coefficient has no residual, nor is any expected.
    expected = np.maximum(expected, ROUNDING)
    errors = np.diagonal(covariances, axis1=1, axis2=2)
    scale = _scale(residuals, expected)
    pool = residuals / np.sqrt(scale @ expected)
    pool -= pool.mean()
    first, second, share = _resamples(count, seed)
    resampled = pool.take(second)
    resampled *= share
    resampled += pool.take(first)
    resampled *= np.sqrt(scale @ variances)
    shifts = resampled @ estimator.T
    resampled -= shifts @ design.T
    error = np.sqrt(scale @ errors)
    resampled_error = np.maximum(np.sqrt(_scale(resampled, expected) @ errors), ROUNDING * error)
    return _Sample(coefficients, coefficients - shifts * error / resampled_error, residuals, resampled)


def _scale(residuals: Floats, expected: Floats) -> Floats:
    """Mean noise variance (..., k) by each model times its likelihood; `expected` (k, n) where that variance is 1."""
    count = residuals.shape[-1]
    variance = np.maximum(residuals**2 @ (1 / expected).T / count, TINY)
    log_likelihood = -(np.log(expected).sum(axis=1) + count * np.log(variance)) / 2
    likelihood = np.exp(log_likelihood - log_likelihood.max(axis=-1, keepdims=True))
    return np.asarray(variance * likelihood / likelihood.sum(axis=-1, keepdims=True))


@lru_cache(maxsize=16)
def _resamples(count: int, seed: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """For each draw and process the places of two residuals and the second's share: the same for every event."""
    rng = np.random.default_rng((seed, count))
    first, second = rng.integers(count, size=(2, DRAWS, count))
    return first, second, SMOOTHING * rng.standard_normal((DRAWS, count))


def _lack_of_fit(images: Floats, values: Floats, sample: _Sample) -> LackOfFit | None:
    levels, place = np.unique(images, return_inverse=True)
    if not 3 <= levels.size < images.size:
        return None
    member = place == np.arange(levels.size)[:, None]
    averaging = member / member.sum(axis=1, keepdims=True)
    scatter = np.vstack((sample.residuals, sample.resampled))
    pure = np.sum((scatter - scatter @ averaging.T @ member) ** 2, axis=1) / np.maximum(
        np.sum(scatter**2, axis=1), TINY
    )  # falls with F
    p_value = int(np.count_nonzero(pure <= pure[0])) / pure.size
    departure, means = float(np.abs(averaging @ sample.residuals).max()), averaging @ values
    worst = departure / (float(np.ptp(means)) or 1.0)
    matters = worst > MATTERS and departure > NEGLIGIBLE * float(np.abs(means).max())
    return LackOfFit(p_value, worst, p_value < LACK_OF_FIT_P and matters)


def _outliers(images: Floats, values: Floats) -> tuple[int, ...]:
    """Places beyond `OUTLIER_SCALES` from the Theil-Sen line, be the noise constant or proportional to the value."""
    if values.size <= 2 + MIN_FREEDOM:
        return ()
    line = _theil_sen(images, values) * images
    line += np.median(values - line)
    distance = np.abs(values - line)
    floor = ROUNDING * np.abs(values).max() or 1.0
    # The line runs through about two processes, whose distances say nothing of the noise; 0.6745 is the median of |z|.
    shapes = np.vstack((np.ones_like(line), np.maximum(np.abs(line), floor)))
    scales = shapes * np.median(np.sort(distance / shapes)[:, 2:], axis=1, keepdims=True) / 0.6745
    limit = np.maximum(OUTLIER_SCALES * scales.max(axis=0), MATTERS * np.abs(line)) + floor
    # Where counts are not on a line, all processes of an image count are off it: one must be off the others too.
    for process in np.flatnonzero(distance > limit):
        others = values[(images == images[process]) & (np.arange(images.size) != process)]
        if others.size:
            distance[process] = min(distance[process], abs(values[process] - np.median(others)))
    return tuple(int(process) for process in np.flatnonzero(distance > limit))


def _drift(latencies: Floats) -> float:
    """Theil-Sen change from the first to the last latency, relative to their median."""
    middle = float(np.median(latencies))
    if not np.isfinite(latencies).all() or middle <= 0:
        raise ValueError("latencies must be finite and their median positive")
    if latencies.size > MAX_BLOCKS:
        latencies = np.array([np.median(block) for block in np.array_split(latencies, MAX_BLOCKS)])
    return _theil_sen(np.arange(latencies.size, dtype=np.float64), latencies) * (latencies.size - 1) / middle


def _theil_sen(x: Floats, y: Floats) -> float:
    """Median of the slopes between all pairs (Sen, J. Am. Stat. Assoc. 63, 1968): 29 % of the points may be wild."""
    levels, place = np.unique(x, return_inverse=True)
    if levels.size * FEW_LEVELS > x.size:
        i, j = np.nonzero(x < x[:, None])
        return float(np.median((y[i] - y[j]) / (x[i] - x[j])))
    at = [y[place == level] for level in range(levels.size)]
    slopes = [
        (np.subtract.outer(at[high], at[low]) / (levels[high] - levels[low])).ravel()
        for high in range(levels.size)
        for low in range(high)
    ]
    return float(np.median(np.concatenate(slopes), overwrite_input=True))
