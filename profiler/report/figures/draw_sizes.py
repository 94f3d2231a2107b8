"""The drawing of models' sizes against caches."""

from profiler.analysis import notation
from profiler.report.figures import layout
from profiler.report.figures.data import SizeDots
from profiler.report.figures.layout import Canvas, Properties, Styles
from profiler.report.figures.log_ticks import byte_ticks


def size_dots(canvas: Canvas, drawing: SizeDots, looks: Styles) -> None:
    """A panel a kind of size, a row a model, all on one axis of bytes; lines at the caches' sizes."""
    labels = list(dict.fromkeys(label for sizes in drawing.panels.values() for label in sizes))
    every = [size for sizes in drawing.panels.values() for size in sizes.values()]
    every += [size for _, size in drawing.levels]
    # The figure beside the rightmost mark needs room.
    low, high = min(every) / 2, max(every) * 8
    abreast = min(len(drawing.panels), 2)
    left = layout.inches(max(len(layout.short(label)) for label in labels), 8) + 0.15
    margins = layout.Margins(left, right=0.12, top=0.42, bottom=0.62, across=0.35, down=0.9)
    found = layout.cells(canvas, len(drawing.panels), 0.22 * len(labels) + 0.08, margins, abreast)
    said: Properties = {"fontsize": layout.SMALL, "va": "center"}
    box: Properties = {"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 0.6}
    for place, (axes, (words, sizes)) in enumerate(zip(found, drawing.panels.items(), strict=True)):
        axes.set_xscale("log", base=2)
        axes.set(xlim=(low, high), ylim=(len(labels) - 0.4, -0.6), xlabel="size")
        for row, label in enumerate(labels):
            if label not in sizes:
                axes.text(0.02, row, notation.ABSENT, transform=axes.get_yaxis_transform(), **said)
                continue
            look, size = looks[label], sizes[label]
            axes.plot([low, size], [row, row], color=look.colour, linewidth=1.6, alpha=0.6)
            axes.plot(size, row, look.marker, color=look.colour, markersize=5.5, zorder=3)
            beside: Properties = {"textcoords": "offset points", "bbox": box, "zorder": 4}
            axes.annotate(notation.plain(size, "bytes"), (size, row), (6, 0), **beside, **said)
        layout.cache_lines(axes, drawing.levels)
        byte_ticks(axes.xaxis, low, high)
        axes.set_yticks(range(len(labels)), [layout.short(label) for label in labels] if place % abreast == 0 else [])
        axes.tick_params(axis="y", length=0)
        axes.set_title(words, fontsize=9, pad=13)
    if drawing.levels:
        where = (left / layout.WIDTH, 0.06 / canvas.get_size_inches()[1])
        canvas.text(*where, f"dotted lines: {drawing.whose}", fontsize=layout.SMALL, color="#444")
