"""A miss curve's page, which needs nothing beside itself, and its figures as a tidy table."""

from collections.abc import Iterator, Sequence

from profiler.records import MissCurve
from profiler.report.curves import curve_figure, curve_words
from profiler.report.curves.curve import Point
from profiler.report.formats import html
from profiler.report.formats.tidy import table

_TEMPLATE = "curve.html.jinja"
COLUMNS = ("size_bytes", "sample", "seed", "steady", "cold")


def render(curve: MissCurve, points: Sequence[Point], figure: bytes) -> str:
    """The page; `figure` is the drawn curve, an SVG file."""
    return html.fill(
        _TEMPLATE,
        title=curve_words.heading(curve),
        subtitle=curve_words.label(curve),
        summary=curve_words.summary(curve),
        figure=html.embedded(figure),
        alt=curve_figure.alt(curve, points),
        caption=curve_figure.caption(curve, points),
        tables=curve_words.tables(curve),
        trust=curve_words.trust(curve),
        limits=curve_words.limits(curve),
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
