"""Drawings of working sets and misses: of operators against caches, of models against misses, of refills by cache."""

from profiler.analysis import notation
from profiler.analysis.labels import SIMULATED
from profiler.report.figures import layout
from profiler.report.figures.data import MissDots, OperatorBars, RefillBars
from profiler.report.figures.layout import Canvas, ModelStyle, Properties, Styles
from profiler.report.figures.log_ticks import byte_ticks, even_ticks, log_ticks

_LEAST_BYTES = 1024
"""Where the bars of working sets begin: what is less touches a few lines."""


def refill_bars(canvas: Canvas, drawing: RefillBars, looks: Styles) -> None:
    """For each model a bar a cache, from the core outwards: what a bar is shorter than the one above, its cache had."""
    beside = layout.panels(canvas, len(drawing.costs), layout.Margins(left=0.2, right=0.25, across=0.3))
    for axes, (label, found) in zip(beside, drawing.costs.items(), strict=True):
        figures = {words: cost.per_image for words, cost in found.items() if cost.per_image}
        most = max(figure.value for figure in figures.values())
        divisor, symbol = notation.scale(most, "")
        for place, (words, figure) in enumerate(figures.items()):
            axes.barh(place, figure.value / divisor, height=0.5, color=looks[label].colour, alpha=1 - 0.28 * place)
            said = f"{words}: {notation.quantity(figure, '')}"
            axes.annotate(said, (0, place - 0.25), (1, 2), textcoords="offset points", fontsize=8.5)
        layout.head(axes, label, looks[label], len(drawing.costs))
        axes.set(yticks=[], ylim=(len(figures) - 0.6, -0.75), xlim=(0, most / divisor or None))
        axes.set_xlabel(layout.with_unit(f"for each image, {SIMULATED}", symbol))


def operator_bars(canvas: Canvas, drawing: OperatorBars, looks: Styles) -> None:
    """A panel a model, a bar an operator, all on one scale; lines at the caches' sizes."""
    most = max(max(map(max, drawing.sets.values())), *(size for _, size in drawing.levels))
    found = layout.panels(canvas, len(drawing.sets), layout.Margins(right=0.38, across=1.0))
    for axes, (label, sizes) in zip(found, drawing.sets.items(), strict=True):
        heights = [max(size, _LEAST_BYTES) for size in sizes]
        axes.stairs(heights, baseline=_LEAST_BYTES, fill=True, color=looks[label].colour, linewidth=0)
        axes.set_yscale("log", base=2)
        axes.set(ylim=(_LEAST_BYTES, most * 1.6), xlim=(0, len(sizes)), xlabel="operator")
        byte_ticks(axes.yaxis, _LEAST_BYTES, most)
        even_ticks(axes.xaxis, 4, integer=True)
        layout.cache_lines(axes, drawing.levels, upright=False, dashes=layout.DASHED)
        layout.head(axes, label, looks[label], len(drawing.sets))


def miss_dots(canvas: Canvas, drawing: MissDots, looks: Styles) -> None:
    """A panel an event, a mark a model; a line where every line of the working set is brought in once."""
    shown = dict.fromkeys(cost.model for costs in drawing.panels.values() for cost in costs)
    key = layout.Key([(layout.short(label), _hollow(looks[label])) for label in shown])
    # With room for two lines of words beside each panel.
    margins = layout.Margins(left=0.98, top=0.42 + key.height, across=1.0)
    for axes, (words, costs) in zip(
        layout.panels(canvas, len(drawing.panels), margins, 2.08), drawing.panels.items(), strict=True
    ):
        every = [*(drawing.working_sets[cost.model] for cost in costs), *(size for _, size in drawing.levels)]
        left, right = min(every) / 2, max(every) * 2
        once = [left / drawing.line_bytes, right / drawing.line_bytes]
        values = [*once]
        axes.plot([left, right], once, color="#222", linewidth=1, linestyle=layout.DASHED, zorder=1)
        for cost in costs:
            figure, look, size = cost.per_image, looks[cost.model], drawing.working_sets[cost.model]
            assert figure
            values.append(figure.value)
            axes.plot(size, figure.value, zorder=3, **_hollow(look))
            # An interval that reaches 0 has no lower end on a logarithmic axis: it leaves the panel.
            if figure.interval:
                low, high = figure.interval
                axes.plot([size, size], [max(low, 1), high], color=look.colour, linewidth=1.2)
        low, high = min(values) / 2, max(values) * 2
        axes.set_xscale("log", base=2)
        axes.set(yscale="log", xlim=(left, right), ylim=(low, high), xlabel="working set")
        layout.cache_lines(axes, drawing.levels)
        byte_ticks(axes.xaxis, left, right)
        log_ticks(axes.yaxis, low, high, lambda value: notation.plain(value, ""))
        axes.set_title(words, fontsize=9, pad=13)
        name = costs[0].event.name
        axes.set_ylabel(f"{name}\n{SIMULATED}" if costs[0].simulated else name)
    key.draw(canvas)


def _hollow(look: ModelStyle) -> Properties:
    """Return the look of marks that may lie on one another: all of them show."""
    shape = {"markersize": 6, "markerfacecolor": "none", "markeredgewidth": 1.5}
    return {"color": look.colour, "marker": look.marker, "linestyle": "", **shape}
