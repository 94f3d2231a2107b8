"""What changed most, and what got worse by more than a share. Pure."""

from collections.abc import Sequence

from profiler.compare.model import Row

CHANCE = 0.05
"""Share of the ratios of equal costs whose 95 % interval leaves 1 out."""

_TAIL = CHANCE / 2
"""The part of it on one side."""

_UNSTEADY = frozenset({"user_time", "system_time", "context-switches", "cpu-migrations"})
"""Events that say more of the kernel's ticks and of the machine's other work than of the model."""


def ranked(rows: Sequence[Row]) -> list[Row]:
    """The rows that differ beyond their intervals, by how far from 1 the nearer end of the interval is.

    A whole run is fixed cost and images together, and among them only where there is neither.
    """
    found = [row for row in _parts(rows) if row.verdict in ("more", "less")]
    return sorted(found, key=lambda row: -abs(row.change))


def judged(rows: Sequence[Row]) -> list[Row]:
    """The rows that `ranked` chooses from and that can differ: by an interval, or as simulated without one."""
    return [row for row in _parts(rows) if row.verdict != "not told"]


def worse(rows: Sequence[Row], limit: float) -> list[Row]:
    """The costs that rose by more than `limit` (0.05: 5 %), the worst first.

    Time and counts, once and for each image; the whole run where there is neither. Not what the kernel's timer ticks
    or other processes decide: user and system time apart, context switches, migrations; nor simulated events too rare
    to cost anything.

    The interval's low end must be above the limit after it is widened for the number of costs that are judged
    (Bonferroni's bound, with Student's tails): of 40 ratios of equal costs one alone is above 1 by chance at its own
    95 % interval, and a check that cries wolf so often is switched off.
    """
    costs = [row for row in judged(rows) if row.costs[0].event.name not in _UNSTEADY and not row.rare]
    found = [(least, row) for row in costs if (least := row.at_least(_wider(row, len(costs)))) > 1 + limit]
    return [row for _, row in sorted(found, key=lambda each: -each[0])]


def _wider(row: Row, count: int) -> float:
    """How many times as wide an interval must be for all of `count` together to miss as seldom as one does."""
    from scipy.special import stdtrit

    return float(stdtrit(row.freedom, _TAIL / count) / stdtrit(row.freedom, _TAIL))


def unjudged(rows: Sequence[Row]) -> list[Row]:
    """The rows without an interval, of which nothing can be said."""
    return [row for row in _parts(rows) if row.verdict == "not told"]


def _parts(rows: Sequence[Row]) -> list[Row]:
    """The rows without those of whole runs that others make up."""
    told = {(row.study, row.model, row.event, row.simulated) for row in rows if row.what != "whole"}
    return [row for row in rows if row.what != "whole" or (row.study, row.model, row.event, row.simulated) not in told]
