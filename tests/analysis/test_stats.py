"""Figures with intervals, against known truths and their promised coverage."""

import random
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from profiler.analysis import stats

DEFAULT = np.repeat([1.0, 2, 5, 10, 20, 40], 3)
QUICK = np.repeat([1.0, 5, 10], 2)
FIXED, PER_IMAGE = 100.0, 10.0
TRUTH = FIXED + PER_IMAGE * DEFAULT

Noise = Callable[[NDArray[np.float64], np.random.Generator], NDArray[np.float64]]


def constant(truth: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return 5 * rng.standard_normal(truth.size)


def proportional(truth: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    return 0.02 * truth * rng.standard_normal(truth.size)


def long_tailed(truth: NDArray[np.float64], rng: np.random.Generator) -> NDArray[np.float64]:
    """Lognormal with mean 0."""
    tail = rng.lognormal(0, 0.5, truth.size) - float(np.exp(0.125))
    return 0.03 * truth * tail


def covers(estimate: stats.Estimate | None, truth: float) -> bool:
    assert estimate is not None
    assert estimate.interval is not None
    return estimate.interval[0] <= truth <= estimate.interval[1]


def width(estimate: stats.Estimate) -> float:
    assert estimate.interval is not None
    return estimate.interval[1] - estimate.interval[0]


def estimate(value: float, low: float, high: float) -> stats.Estimate:
    return stats.Estimate(value, low, high, np.linspace(low, high, stats.DRAWS))


def bare(value: float) -> stats.Estimate:
    return stats.Estimate(value, None, None, np.empty(0), "too few")


# Exact data


def test_exact_counts_give_the_line_and_no_width() -> None:
    line = stats.fit(DEFAULT, TRUTH)
    for figure, truth in ((line.fixed, FIXED), (line.per_image, PER_IMAGE), (stats.at(line, 7), 170.0)):
        assert figure.value == pytest.approx(truth)
        assert figure.interval == pytest.approx((truth, truth))
    assert line.lack_of_fit == stats.LackOfFit(p_value=1.0, worst_relative=0.0, flagged=False)
    assert line.outliers == ()


def test_a_count_of_nothing_is_nothing() -> None:
    line = stats.fit(DEFAULT, np.zeros(18))
    assert line.fixed.interval == line.per_image.interval == (0, 0)
    assert line.outliers == ()


def test_large_exact_counts_have_no_rounding_for_an_interval() -> None:
    assert width(stats.fit(DEFAULT, 10**15 + 3 * DEFAULT).per_image) == 0


def test_the_direct_figure_is_the_quotient_of_sums() -> None:
    assert stats.per_image([1, 3], [10, 50]).value == 15
    assert stats.per_image([1, 3, 6], [2, 6, 12]).interval == (2, 2)


def test_the_line_is_that_of_least_squares() -> None:
    values = TRUTH + constant(TRUTH, np.random.default_rng(0))
    line = stats.fit(DEFAULT, values)
    assert (line.per_image.value, line.fixed.value) == pytest.approx(tuple(np.polyfit(DEFAULT, values, 1)))


def test_quantiles() -> None:
    assert stats.quantiles(range(101)) == (50, 95, 99)


# Coverage


@pytest.mark.parametrize(
    ("images", "noise", "long_run"),
    [
        (DEFAULT, constant, (0.93, 0.98)),
        (DEFAULT, proportional, (0.94, 0.97)),
        (DEFAULT, long_tailed, (0.92, 0.97)),
        (QUICK, constant, (0.91, 0.98)),
        (QUICK, proportional, (0.93, 0.98)),
    ],
)
def test_intervals_cover(images: NDArray[np.float64], noise: Noise, long_run: tuple[float, float]) -> None:
    """Within three standard errors of 400 replicates of what thousands gave."""
    rng = np.random.default_rng(2)
    truth = FIXED + PER_IMAGE * images
    hits = []
    for _ in range(400):
        line = stats.fit(images, truth + noise(truth, rng))
        direct = stats.per_image(images, PER_IMAGE * images + noise(PER_IMAGE * images, rng))
        whole = stats.at(line, 40)
        pairs = ((line.fixed, FIXED), (line.per_image, PER_IMAGE), (whole, 500.0), (direct, PER_IMAGE))
        hits.append([covers(*pair) for pair in pairs])
    coverage = np.mean(hits, axis=0)
    least, most = (end + sign * 3 * np.sqrt(end * (1 - end) / 400) for end, sign in zip(long_run, (-1, 1), strict=True))
    assert ((least <= coverage) & (coverage <= most)).all(), coverage


def test_ratios_cover() -> None:
    rng = np.random.default_rng(3)
    lines = [stats.fit(DEFAULT, TRUTH + proportional(TRUTH, rng)) for _ in range(300)]
    models = [stats.ratio(a.per_image, b.per_image) for a, b in zip(lines[::2], lines[1::2], strict=True)]
    assert 0.92 <= np.mean([covers(figure, 1) for figure in models]) <= 0.99
    own = [stats.ratio(line.fixed, line.per_image, paired=True) for line in lines]
    assert 0.92 <= np.mean([covers(figure, FIXED / PER_IMAGE) for figure in own]) <= 0.99


def test_an_interval_from_three_processes_is_wide_but_not_endless() -> None:
    rng = np.random.default_rng(4)
    means = [stats.mean(rng.normal(size=3)) for _ in range(300)]
    assert 0.92 <= np.mean([covers(figure, 0) for figure in means]) <= 0.99
    students = 2 * 4.30 / np.sqrt(3)  # Student's t with 2 degrees of freedom
    assert 0.8 * students < np.median([width(figure) for figure in means]) < 1.5 * students


def test_an_interval_from_a_quick_sweep_is_about_as_wide_as_students() -> None:
    rng = np.random.default_rng(5)
    truth = FIXED + PER_IMAGE * QUICK
    widths = [width(stats.fit(QUICK, truth + constant(truth, rng)).per_image) for _ in range(200)]
    students = 2 * 2.78 * 5 / np.sqrt(np.sum((QUICK - QUICK.mean()) ** 2))  # 4 degrees of freedom
    assert 0.8 * students < np.median(widths) < 1.5 * students


# What an estimate is


def test_the_interval_is_the_percentiles_of_the_draws() -> None:
    line = stats.fit(DEFAULT, TRUTH + constant(TRUTH, np.random.default_rng(0)))
    for figure in (line.fixed, line.per_image, stats.at(line, 3)):
        assert figure.draws.shape == (stats.DRAWS,)
        assert figure.interval == pytest.approx(tuple(np.percentile(figure.draws, (2.5, 97.5))))


def test_fixed_and_slope_are_drawn_together() -> None:
    line = stats.fit(DEFAULT, TRUTH + constant(TRUTH, np.random.default_rng(0)))
    assert np.corrcoef(line.fixed.draws, line.per_image.draws)[0, 1] < -0.4
    ends = stats.band(line, [1, 10, 40])
    assert ends is not None
    expected = [stats.at(line, images).interval for images in (1, 10, 40)]
    assert [pytest.approx(pair) for pair in expected] == list(zip(*ends, strict=True))


def test_the_seed_decides() -> None:
    values = TRUTH + constant(TRUTH, np.random.default_rng(0))
    one, same, other = (stats.fit(DEFAULT, values, seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one.fixed.draws, same.fixed.draws)
    assert one.fixed.interval != other.fixed.interval
    assert one.fixed.value == other.fixed.value


def test_too_few_processes_give_a_figure_without_interval() -> None:
    line = stats.fit([1, 5, 10], [110, 150, 200])
    for figure in (line.fixed, line.per_image, stats.at(line, 3), stats.mean([1, 2]), stats.per_image([1], [2])):
        assert figure.interval is None
        assert figure.reason is not None
    assert line.fixed.value == pytest.approx(100)
    assert stats.band(line, [1, 2]) is None
    assert stats.fit([1, 5, 10, 20], [110, 150, 200, 301]).fixed.reason is None


def test_a_process_that_alone_decides_the_slope() -> None:
    line = stats.fit([1, 1, 1, 1000], [5.0, 6, 7, 5000])
    assert line.per_image.value == pytest.approx(4994 / 999)
    assert 0 < width(line.per_image) < 1


@pytest.mark.parametrize(
    ("images", "values", "match"),
    [
        ([2, 2, 2], [1, 2, 3], "2 different image counts"),
        ([1, 2], [1, 2, 3], "as many values as images"),
        ([], [], "at least one"),
        ([[1, 2]], [[1, 2]], "as many values as images"),
        ([1, np.nan], [1, 2], "finite"),
        ([1, np.inf], [1, 2], "finite"),
        ([1, 2], [1, np.nan], "finite"),
        ([1, -2], [1, 2], "not negative"),
    ],
)
def test_what_is_no_data_is_refused(images: list[float], values: list[float], match: str) -> None:
    with pytest.raises(ValueError, match=match):
        stats.fit(images, values)


def test_no_images_have_no_figure_per_image() -> None:
    with pytest.raises(ValueError, match="at least one image"):
        stats.per_image([0, 0], [1, 2])
    with pytest.raises(ValueError, match="at least one"):
        stats.mean([])


SWEEPS = st.lists(
    st.tuples(st.sampled_from([1, 2, 5, 10, 20, 40]), st.integers(0, 10**6)), min_size=4, max_size=18
).filter(lambda runs: len({images for images, _ in runs}) > 1)


@settings(max_examples=60)
@given(runs=SWEEPS, factor=st.floats(1e-3, 1e6), shift=st.integers(0, 10**6))
def test_units_and_a_constant_go_through(runs: list[tuple[int, int]], factor: float, shift: int) -> None:
    images, values = np.array(runs, dtype=float).T
    line, moved = stats.fit(images, values), stats.fit(images, factor * (values + shift))
    assert line.fixed.interval is not None
    assert line.per_image.interval is not None
    fixed = [factor * (end + shift) for end in (line.fixed.value, *line.fixed.interval)]
    slope = [factor * end for end in (line.per_image.value, *line.per_image.interval)]
    rounding = 1e-6 * factor * (1 + shift + values.max())
    assert [moved.fixed.value, moved.fixed.low, moved.fixed.high] == pytest.approx(fixed, rel=1e-4, abs=rounding)
    assert [moved.per_image.value, moved.per_image.low, moved.per_image.high] == pytest.approx(
        slope, rel=1e-4, abs=rounding
    )


@settings(max_examples=60)
@given(runs=SWEEPS, order=st.randoms(use_true_random=False))
def test_the_order_of_the_processes_does_not_matter(runs: list[tuple[int, int]], order: random.Random) -> None:
    shuffled = list(range(len(runs)))
    order.shuffle(shuffled)
    images, values = np.array(runs, dtype=float).T
    line, other = stats.fit(images, values), stats.fit(images[shuffled], values[shuffled])
    assert other.fixed.value == pytest.approx(line.fixed.value, abs=1e-6)
    assert other.per_image.value == pytest.approx(line.per_image.value, abs=1e-6)
    assert sorted(shuffled[place] for place in other.outliers) == list(line.outliers)
    direct = stats.per_image(images[shuffled], values[shuffled])
    assert direct.value == pytest.approx(stats.per_image(images, values).value)


def test_the_order_of_the_processes_hardly_moves_the_interval() -> None:
    values = TRUTH + proportional(TRUTH, np.random.default_rng(0))
    line, turned = stats.fit(DEFAULT, values), stats.fit(DEFAULT[::-1], values[::-1])
    assert turned.per_image.interval == pytest.approx(line.per_image.interval, abs=0.1 * width(line.per_image))


# Ratios and disagreement


def test_a_ratio_carries_both_intervals() -> None:
    a, b = stats.mean([9, 10, 11, 10, 9, 11]), stats.mean([4, 5, 6, 5, 4, 6])
    quotient = stats.ratio(a, b)
    assert quotient is not None
    assert quotient.value == 2
    exact = stats.ratio(a, stats.mean([5, 5, 5]))
    assert exact is not None
    assert exact.interval == pytest.approx(tuple(end / 5 for end in a.interval or ()))
    assert width(quotient) > width(exact)


def test_a_disturbance_of_the_same_processes_cancels_only_when_paired() -> None:
    cycles = np.array([100, 103, 98, 120, 101, 99.0])
    above, below = stats.mean(2 * cycles), stats.mean(cycles)
    paired, apart = stats.ratio(above, below, paired=True), stats.ratio(above, below)
    assert paired is not None
    assert apart is not None
    assert width(paired) < 1e-9
    assert width(apart) > 0.1


@pytest.mark.parametrize("below", [estimate(1, 0, 2), estimate(1, -1, 3), estimate(-1, -2, 0), bare(0)])
def test_a_ratio_to_what_may_be_nothing_is_not_determined(below: stats.Estimate) -> None:
    assert stats.ratio(estimate(5, 4, 6), below) is None


def test_a_ratio_without_an_interval_on_one_side_has_none() -> None:
    for above, below in ((bare(6), estimate(2, 1, 3)), (estimate(6, 5, 7), bare(2)), (bare(6), bare(2))):
        quotient = stats.ratio(above, below)
        assert quotient is not None
        assert quotient.value == 3
        assert quotient.interval is None


@pytest.mark.parametrize(
    ("other", "answer"),
    [
        (estimate(103, 102.5, 104), True),
        (estimate(97, 96, 98), True),
        (estimate(103, 100.5, 104), False),  # overlapping
        (estimate(100.9, 100.6, 101), False),  # apart, but by less than a hundredth
        (bare(200), False),
    ],
)
def test_figures_disagree_when_apart_and_when_it_matters(other: stats.Estimate, answer: bool) -> None:
    mine = estimate(100, 99.5, 100.5)
    assert stats.disagree(mine, other) is answer
    assert stats.disagree(other, mine) is answer


# Lack of fit


@pytest.mark.parametrize("noise", [None, constant, proportional])
@pytest.mark.parametrize(
    "bend",
    [lambda images: 0.5 * images**2, lambda images: 2000 * images / (images + 20)],
    ids=["quadratic", "saturating"],
)
def test_a_bend_is_flagged(bend: Callable[[NDArray[np.float64]], NDArray[np.float64]], noise: Noise | None) -> None:
    truth = FIXED + bend(DEFAULT)
    values = truth if noise is None else truth + 0.2 * noise(truth, np.random.default_rng(0))
    fit = stats.fit(DEFAULT, values)
    assert fit.lack_of_fit is not None
    assert fit.lack_of_fit.flagged
    assert fit.lack_of_fit.worst_relative > 0.05
    assert fit.outliers == ()


@pytest.mark.parametrize("noise", [constant, proportional])
def test_a_straight_noisy_line_is_not_flagged(noise: Noise) -> None:
    rng = np.random.default_rng(0)
    fits = [stats.fit(DEFAULT, TRUTH + noise(TRUTH, rng)).lack_of_fit for _ in range(200)]
    assert np.mean([found is not None and found.flagged for found in fits]) <= 0.03
    assert 0.3 < np.mean([found is not None and found.p_value < 0.5 for found in fits]) < 0.7


def test_a_significant_bend_too_small_to_matter_is_not_flagged() -> None:
    fit = stats.fit(DEFAULT, TRUTH + 0.001 * DEFAULT**2)
    assert fit.lack_of_fit is not None
    assert fit.lack_of_fit.p_value < stats.LACK_OF_FIT_P
    assert 0 < fit.lack_of_fit.worst_relative < stats.MATTERS
    assert not fit.lack_of_fit.flagged


@pytest.mark.parametrize("images", [[1, 1, 10, 10], [1, 2, 5, 10, 20, 40]])
def test_lack_of_fit_needs_three_image_counts_and_repeats(images: list[int]) -> None:
    assert stats.fit(images, [3 + 2 * count + count % 3 for count in images]).lack_of_fit is None


# Outliers


@pytest.mark.parametrize("noise", [constant, proportional])
def test_disturbed_processes_are_named_and_stay_in_the_fit(noise: Noise) -> None:
    values = TRUTH + noise(TRUTH, np.random.default_rng(1))
    values[[4, 16]] *= 2
    line = stats.fit(DEFAULT, values)
    assert line.outliers == (4, 16)
    assert line.per_image.value == pytest.approx(np.polyfit(DEFAULT, values, 1)[0])


def test_one_of_two_repeats_is_told_from_the_other() -> None:
    values = FIXED + PER_IMAGE * QUICK + np.array([0.4, -0.3, 0.1, -0.2, 0.3, -0.4])
    values[3] += 60
    assert stats.fit(QUICK, values).outliers == (3,)


@pytest.mark.parametrize("noise", [constant, proportional])
@pytest.mark.parametrize("images", [DEFAULT, QUICK])
def test_undisturbed_processes_are_seldom_named(images: NDArray[np.float64], noise: Noise) -> None:
    rng = np.random.default_rng(2)
    truth = FIXED + PER_IMAGE * images
    assert np.mean([bool(stats.fit(images, truth + noise(truth, rng)).outliers) for _ in range(300)]) < 0.03


def test_a_digit_off_is_no_outlier() -> None:
    values = TRUTH.copy()
    values[17] += 0.005 * values[17]
    assert stats.fit(DEFAULT, values).outliers == ()


# Steady phase


def latencies(processes: int, images: int, drift: float, seed: int) -> list[list[float]]:
    """Latencies in ns with 1 % noise, one of twenty up to a third slower."""
    rng = np.random.default_rng(seed)
    noise = 1 + 0.01 * rng.standard_normal((processes, images))
    noise += rng.uniform(0, 0.33, noise.shape) * (rng.random(noise.shape) < 0.05)
    each: list[list[float]] = (5e6 * (noise + drift * np.linspace(0, 1, images))).tolist()
    return each


@pytest.mark.parametrize("drift", [0.05, -0.05])
def test_drift_is_caught(drift: float) -> None:
    found = stats.steady(latencies(6, 40, drift, 0))
    assert found is not None
    assert not found.steady
    assert found.drift.value == pytest.approx(drift, abs=0.01)


def test_level_latencies_are_steady() -> None:
    found = [stats.steady(latencies(3, 40, 0, seed)) for seed in range(100)]
    assert np.mean([one is not None and one.steady for one in found]) >= 0.97
    assert np.mean([one is not None and covers(one.drift, 0) for one in found]) >= 0.92


def test_one_disturbed_process_is_not_a_drift() -> None:
    some = latencies(4, 40, 0, 0)
    some[2][20:] = [2 * latency for latency in some[2][20:]]
    found = stats.steady(some)
    assert found is not None
    assert found.steady


def test_a_real_drift_too_small_to_matter_is_steady() -> None:
    found = stats.steady([[1000 + 0.1 * image for image in range(40)]] * 3)
    assert found is not None
    assert found.drift.interval == pytest.approx((found.drift.value,) * 2)
    assert 0 < found.drift.value < stats.MATTERS
    assert found.steady


def test_long_sequences_are_judged_by_blocks() -> None:
    found = stats.steady(latencies(3, 5000, 0.05, 1))
    assert found is not None
    assert found.drift.value == pytest.approx(0.05, abs=0.005)
    assert not found.steady


def test_short_or_few_sequences_are_not_judged() -> None:
    assert stats.steady([]) is None
    assert stats.steady([[1.0] * 4] * 9) is None
    assert stats.steady([[1.0] * 5] * 2) is None
    assert stats.steady([[1.0] * 5] * 3 + [[1.0]]) is not None


@pytest.mark.parametrize("bad", [[1, 2, 3, 4, np.nan], [0, 0, 0, 0, 1]])
def test_impossible_latencies_are_refused(bad: list[float]) -> None:
    with pytest.raises(ValueError, match="latencies"):
        stats.steady([bad])


def test_counts_that_are_all_alike_cost_nothing_an_image() -> None:
    line = stats.fit([1, 2, 5, 10, 20, 40], [7286.0] * 6)
    assert line.per_image.value == 0
    assert line.fixed.value == pytest.approx(7286)
    assert not stats.disagree(line.per_image, stats.per_image([1, 5, 10], [0.0, 0.0, 0.0]))


def test_thousands_of_processes_give_the_same_figures_as_their_batches() -> None:
    rng = np.random.default_rng(5)
    images = rng.permutation(np.repeat([1.0, 5.0, 20.0], 600))
    values = (100 + 10 * images) * (1 + 0.02 * rng.standard_normal(images.size))
    line = stats.fit(images, values)
    slope, fixed = np.polyfit(images, values, 1)
    assert line.per_image.value == pytest.approx(slope, rel=1e-9)
    assert line.fixed.value == pytest.approx(fixed, rel=1e-9)
    assert line.per_image.interval is not None
    low, high = line.per_image.interval
    assert low < 10 < high
    # Noise of 2 % of the value at 600 processes a level: the textbook's standard error of the slope times 2 x 1.96.
    weights = (images - images.mean()) / np.sum((images - images.mean()) ** 2)
    error = np.sqrt(np.sum((weights * 0.02 * (100 + 10 * images)) ** 2))
    assert high - low == pytest.approx(3.92 * error, rel=0.15)


def test_a_bend_of_one_page_fault_in_thousands_is_no_lack_of_fit() -> None:
    images = np.repeat([1, 2, 5, 10, 20, 40], 3)
    faults = np.repeat([6788.0, 6788.0, 6788.0, 6789.0, 6789.0, 6789.0], 3) + np.tile([0, 0, 0.1], 6)
    judged = stats.fit(images, faults).lack_of_fit
    assert judged is not None
    assert judged.p_value < stats.LACK_OF_FIT_P
    assert judged.worst_relative > stats.MATTERS
    assert not judged.flagged
