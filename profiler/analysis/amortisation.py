"""How the images of a run share what is paid once. Pure."""

from profiler.analysis import stats
from profiler.analysis.ablation_pairs import verdict
from profiler.analysis.costs import Cost, above_nothing, quotient
from profiler.analysis.metrics import scaled
from profiler.analysis.stats import Estimate


def falls_under(cost: Cost, share: float) -> Estimate | None:
    """The images beyond which the fixed cost is less than `share` of a run: (1 - share) / share x fixed / per image.

    None where the fixed cost or that of each image is not shown to be above 0.
    """
    each = further(cost)
    if cost.fixed is None or each is None or not all(map(above_nothing, (cost.fixed, each))):
        return None
    count = stats.ratio(cost.fixed, each, paired=each is cost.slope)
    return scaled(count, (1 - share) / share) if count else None


def paid_once(cost: Cost, count: int) -> Estimate | None:
    """The share of a run of `count` images that is the fixed cost, from 0 to 1; None as in `falls_under`."""
    half = falls_under(cost, 0.5)
    if half is None:
        return None
    # What falls under a half at h images is h / (h + n) of n; it rises with h, so the ends stay ends.
    low, high = (None if end is None else end / (end + count) for end in (half.low, half.high))
    return Estimate(half.value / (half.value + count), low, high, half.draws / (half.draws + count), half.reason)


def further(cost: Cost) -> Estimate | None:
    """What each further image costs: counted in the region where it was, unless the runs' own slope contradicts it."""
    return cost.slope if cost.disagreement else cost.per_image


def amortised(cost: Cost, count: int) -> Estimate | None:
    """What one image of a run of `count` images costs, its part of the fixed cost included.

    Among the counts that were run, on the line; of longer runs the fixed cost and the sharper figure of each image.
    """
    each = further(cost)
    if not cost.line or each is None:
        return None
    if each is cost.slope or count <= max(point.images for point in cost.points):
        return scaled(stats.at(cost.line, count), 1 / count)
    return stats.combined(scaled(cost.line.fixed, 1 / count), stats.independent(each))


def crossing(first: Cost, second: Cost) -> Estimate | None:
    """The image count at which both cost the same: one is shown to pay more once, the other more for each image.

    None where that is not so.
    """
    figures = (first.fixed, second.fixed), (first.slope, second.slope)
    ratios = [quotient(*pair) for pair in figures]
    ways = tuple(verdict(ratio, first.simulated) if ratio else "not told" for ratio in ratios)
    if ways == ("less", "more"):
        return crossing(second, first)
    if ways != ("more", "less") or not first.line or not second.line:
        return None
    fixed, slope = map(stats.independent, (second.line.fixed, second.line.per_image))
    dearer, cheaper = stats.combined(first.line.fixed, fixed, -1), stats.combined(slope, first.line.per_image, -1)
    return stats.ratio(dearer, cheaper, paired=True)
