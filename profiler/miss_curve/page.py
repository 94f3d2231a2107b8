"""A miss curve's page, which needs nothing beside itself, and its figures as a tidy table."""

from collections.abc import Iterator, Sequence

from profiler.export.tidy_tables import table
from profiler.miss_curve import sentences
from profiler.miss_curve.curve import CurvePoint
from profiler.miss_curve.figure import alt, caption
from profiler.records import MissCurve
from profiler.report.formats import html

_TEMPLATE = "curve.html.jinja"
COLUMNS = ("size_bytes", "sample", "seed", "steady", "cold")


def render(curve: MissCurve, points: Sequence[CurvePoint], figure: bytes) -> str:
    """The page; `figure` is the drawn curve, an SVG file."""
    return html.fill(
        _TEMPLATE,
        title=sentences.heading(curve),
        subtitle=sentences.label(curve),
        summary=sentences.summary(curve),
        figure=html.embedded(figure),
        alt=alt(curve, points),
        caption=caption(curve, points),
        tables=sentences.tables(curve),
        trust=sentences.trust(curve),
        limits=sentences.limits(curve),
        file=curve.file,
        sha256=curve.sha256,
    )


def csv(curve: MissCurve) -> bytes:
    """Misses an inference, a line a cache size and sample; `seed` is that of the sample's draw."""
    return table(COLUMNS, _lines(curve))


def _lines(curve: MissCurve) -> Iterator[tuple[object, ...]]:
    each = len(curve.steady) // len(curve.seeds)
    for column, size in enumerate(curve.sizes_bytes):
        for row, (steady, cold) in enumerate(zip(curve.steady, curve.cold, strict=True)):
            yield size, row, curve.seeds[row // each], steady[column], cold[column]
