"""Studies beside each other: which figures may be divided by which, what changed, and the report of it."""

from collections.abc import Sequence

from profiler.compare.model import Comparison
from profiler.compare.ratios import compare
from profiler.compare.study import Loaded, subjects
from profiler.report.model import Report


def comparison(loaded: Sequence[Loaded]) -> Comparison:
    """All studies against the first; the same studies give the same figures.

    Raises:
        ProfilerError: No run of one of them ended well, or no figure of theirs can be divided by another's.
    """
    return compare(subjects(loaded))


def build(found: Comparison) -> Report:
    """The report of a comparison."""
    from profiler.compare.report import compose

    return compose(found)
