"""What is plotted is what the study says: places, heights, intervals, axes and the order of rows.

Expected are the runs' own counts, or the estimates made of them; their unit is the one that the axis names.
"""

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any

import matplotlib
import numpy as np
import pytest
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure as Canvas
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle, StepPatch
from msgspec.structs import replace
from reading import present
from studies import LAB, family_study, made_study, virtual_study

from profiler import report
from profiler.analysis import amortisation, stats
from profiler.analysis.costs import Cost
from profiler.analysis.estimation import counted
from profiler.analysis.stats import Estimate
from profiler.analysis.study_analysis import Analysis, analyse
from profiler.records import Run, Study
from profiler.report.figures import layout, render
from profiler.report.model import Report

SMALL = {"images": (1, 5, 10), "repeats": 3}
MANY = tuple(f"litert:form-{place}" for place in range(5))
UNITS = {None: 1, "k": 1e3, "M": 1e6, "G": 1e9, "ns": 1, "µs": 1e3, "ms": 1e6, "s": 1e9}


@cache
def study() -> tuple[Study, tuple[Run, ...]]:
    return made_study(**SMALL)


@cache
def analysis() -> Analysis:
    return analyse(*study())


@cache
def measured() -> Report:
    return report.build(*study())


@cache
def many() -> tuple[Study, tuple[Run, ...]]:
    return made_study(labels=MANY, **SMALL)


@cache
def family() -> Report:
    return report.build(*family_study(simulated=("inference",), **SMALL))


def panels(of: Report, key: str) -> list[Axes]:
    """The painted axes of a figure."""
    (drawing,) = (figure.drawing for section in of.sections for figure in section.figures if figure.key == key)
    with matplotlib.rc_context(render.STYLE):
        painted = Canvas()
        render.paint(painted, drawing, layout.marks(of.labels))
    return painted.axes


def panel(of: Report, key: str, title: str) -> Axes:
    (found,) = (axes for axes in panels(of, key) if axes.get_title(loc="left") == title)
    return found


def unit(label: str) -> float:
    """What the axis of that label divides by: `latency (ms)`."""
    found = re.search(r"\((\w+)\)", label)
    return UNITS[found.group(1) if found else None]


def dots(axes: Axes) -> list[Line2D]:
    return [line for line in axes.lines if line.get_marker() != "None"]


def strokes(axes: Axes) -> list[Line2D]:
    return [line for line in axes.lines if line.get_marker() == "None"]


def points(line: Line2D) -> np.ndarray:
    return np.column_stack((line.get_xdata(), line.get_ydata())).astype(float)


def every(lines: Iterable[Line2D]) -> np.ndarray:
    """The points of all, in order."""
    return np.array(sorted(map(tuple, np.concatenate([points(line) for line in lines]))))


def near(expected: Any) -> Any:
    return pytest.approx(np.asarray(expected, dtype=float), rel=1e-9)


def edges(axes: Axes) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """x, lower and upper edge of the panel's only shade."""
    (shade,) = axes.collections
    corners = np.asarray(shade.get_paths()[0].vertices)
    xs = np.unique(corners[:, 0])
    ends = [[corners[corners[:, 0] == x, 1].min(), corners[corners[:, 0] == x, 1].max()] for x in xs]
    return xs, *np.array(ends).T


def runs_of(runs: Sequence[Run], model: str, event: str, region: str = "process") -> np.ndarray:
    """Images and count of each run, in order."""
    return np.array(
        sorted(
            (run.case.images, count.value)
            for run in runs
            if (run.case.model, run.case.region) == (model, region)
            for count in run.counts
            if count.event == event
        )
    )


def figure(estimate: Estimate | None) -> float:
    assert estimate is not None
    return estimate.value


def counts_against_images(axes: Axes, cost: Cost, scale: float) -> None:
    """Runs, fit, its interval and the region's slope, from no image on."""
    assert every(dots(axes)) == near(runs_of(study()[1], cost.model, cost.event.name) / (1, scale))
    assert cost.line
    assert cost.direct
    fixed = cost.line.fixed.value
    fit, region = strokes(axes)
    assert points(fit) == near([(0, fixed / scale), (10, (fixed + 10 * cost.line.per_image.value) / scale)])
    assert points(region) == near([(0, fixed / scale), (10, (fixed + 10 * cost.direct.value) / scale)])
    assert fit.get_linestyle() == "-"
    assert region.get_linestyle() == "--"
    xs, low, high = edges(axes)
    band = stats.band(cost.line, xs)
    assert band
    assert (xs[0], xs[-1]) == (0, 10)
    assert low == near(band[0] / scale)
    assert high == near(band[1] / scale)
    assert axes.get_xlim() == (0, near(10.4))
    bottom, top = axes.get_ylim()
    assert bottom == 0
    assert max(every(dots(axes))[:, 1].max(), high.max()) < top < 1.2 * high.max()


@pytest.mark.parametrize("label", ["keras", "litert"])
def test_times_of_whole_processes_their_fit_and_its_interval(label: str) -> None:
    axes = panel(measured(), "01-duration_time", label)
    assert unit(axes.get_ylabel()) == {"keras": 1e9, "litert": 1e6}[label]
    counts_against_images(axes, analysis().costs["duration_time", label], unit(axes.get_ylabel()))


def test_counts_of_the_lab_a_row_an_event_and_a_column_a_model() -> None:
    grid = panels(measured(), "counts")
    assert [axes.texts[0].get_text() for axes in grid[::2]] == list(LAB)
    for event, *row in zip(LAB, grid[::2], grid[1::2], strict=True):
        for axes, label in zip(row, ("keras", "litert"), strict=True):
            counts_against_images(axes, analysis().costs[event, label], unit(axes.get_ylabel()))


def test_of_many_models_the_means_of_image_counts_and_the_fits() -> None:
    made, runs = many()
    costs = counted(made, runs)
    grid = panels(report.build(made, runs), "counts")
    assert [axes.get_title(loc="left") for axes in grid] == list(LAB)
    for axes, event in zip(grid, LAB, strict=True):
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        for label, mark, fit in zip(MANY, dots(axes), strokes(axes), strict=True):
            mine, line = runs_of(runs, label, event), costs[event, label].line
            means = [(count, mine[mine[:, 0] == count, 1].mean()) for count in (1, 5, 10)]
            assert points(mark) == near(means)
            x, y = points(fit).T
            assert line
            assert y == near(line.fixed.value + line.per_image.value * x)
            assert (x[0], x[-1]) == near((1, 10))
        left, right = axes.get_xlim()
        low, high = axes.get_ylim()
        assert left < 1
        assert 10 < right < 12
        drawn = every(axes.lines)[:, 1]
        assert drawn.min() / 2 < low < drawn.min()
        assert drawn.max() < high < 2 * drawn.max()


def test_the_cost_of_an_image_by_the_run_and_where_the_fixed_share_falls() -> None:
    (axes,) = panels(measured(), "amortised")
    assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
    signs: dict[str, list[tuple[float, float]]] = {"|": [], "+": []}
    for place, label in enumerate(("keras", "litert")):
        cost = analysis().costs["duration_time", label]
        further = amortisation.further(cost)
        assert cost.line
        assert further
        fixed, mine = cost.line.fixed.value, runs_of(study()[1], label, "duration_time")
        mark = [line for line in dots(axes) if line.get_marker() not in signs][place]
        assert points(mark) == near([(count, mine[mine[:, 0] == count, 1].mean() / count) for count in (1, 5, 10)])
        whole, inside = strokes(axes)[2 * place : 2 * place + 2]
        x, y = points(whole).T
        assert y == near(fixed / x + further.value)
        assert x[0] == near(1)
        x, y = points(inside).T
        assert y == near(fixed / x + cost.line.per_image.value)
        assert (x[0], x[-1]) == near((1, 10))
        corners = np.asarray(axes.collections[place].get_paths()[0].vertices)
        band = stats.band(cost.line, [1, 10])
        assert band
        for count, low, high in zip((1, 10), *band, strict=True):
            found = corners[np.isclose(corners[:, 0], count), 1]
            assert (found.min(), found.max()) == near((low / count, high / count))
        for sign, share in (("|", 0.5), ("+", 0.1)):
            images = amortisation.falls_under(cost, share)
            assert images
            signs[sign].append((images.value, fixed / images.value + further.value))
    for sign, expected in signs.items():
        found = [line for line in dots(axes) if line.get_marker() == sign]
        assert every(found) == near(sorted(expected))
    most = max(1.5 * images for images, _ in signs["+"])
    assert axes.get_xlim() == pytest.approx((0.9, 1.1 * most), rel=0.01)


def test_ratios_in_their_rows_with_their_intervals() -> None:
    (axes,) = panels(measured(), "ratios")
    names = [tick.get_text() for tick in axes.get_yticklabels()]
    assert names[:2] == ["cycles", "inst_retired"]
    assert list(axes.get_yticks()) == list(range(len(names)))
    assert axes.get_xscale() == "log"
    bottom, top = axes.get_ylim()
    assert top < 0 < len(names) - 1 < bottom
    low, high = axes.get_xlim()
    marks = {round(float(y), 2): line for line in dots(axes) for _, y in points(line)}
    lines = {round(float(points(line)[0, 1]), 2): line for line in strokes(axes) if len(set(points(line)[:, 0])) > 1}
    for row, name in enumerate(names):
        above, below = (analysis().costs[name, label] for label in ("keras", "litert"))
        for offset, over, under in ((-0.17, above.per_image, below.per_image), (0.17, above.fixed, below.fixed)):
            place, ratio = round(row + offset, 2), stats.ratio(over, under) if over and under else None
            if ratio is None or under is None or under.value <= 0:
                assert place not in marks
                continue
            assert points(marks[place])[0, 0] == near(ratio.value)
            assert low < ratio.value < high
            face = to_hex(marks[place].get_markerfacecolor())
            assert (face == "#ffffff") == (offset > 0)
            assert every([lines[place]])[:, 0] == pytest.approx(ratio.interval, rel=0.05)
    (one,) = (line for line in strokes(axes) if set(points(line)[:, 0]) == {1})
    assert one.get_linestyle() == "-"


def test_whole_runs_are_stacked_from_their_phases_to_their_images() -> None:
    for label, axes in zip(("keras", "litert"), panels(measured(), "phases"), strict=True):
        scale = unit(axes.get_xlabel())
        bars = [patch for patch in axes.patches if isinstance(patch, Rectangle)]
        phases = [phase.wall_ns.value for phase in analysis().phases[label]]
        once, each = sum(phases), figure(analysis().costs["duration_time", label].per_image)
        assert [tick.get_text() for tick in axes.get_yticklabels()] == ["1 image", "10 images"]
        assert axes.get_ylim()[0] > axes.get_ylim()[1]
        for row, images in enumerate((1, 10)):
            mine = [bar for bar in bars if round(bar.get_y() + bar.get_height() / 2) == row]
            widths = [*phases, images * each]
            assert [bar.get_width() for bar in mine] == near(np.array(widths) / scale)
            assert [bar.get_x() for bar in mine] == near(np.cumsum([0, *widths[:-1]]) / scale)
            assert [bool(bar.get_hatch()) for bar in mine] == [False] * len(phases) + [True]
        assert axes.get_xlim() == (0, near((once + 10 * each) / scale))


def test_the_distribution_is_the_share_that_takes_no_longer() -> None:
    study_of_many, runs = made_study(images=(1, 40), repeats=3)
    found = report.build(study_of_many, runs)
    for label, latency in analyse(study_of_many, runs).latencies.items():
        axes = panel(found, "latency-distribution", label)
        scale = unit(axes.get_xlabel())
        ascending = np.sort(np.concatenate(latency.runs_ns)) / scale
        steps, *quantiles = strokes(axes)
        shares_at = np.arange(ascending.size + 1) / ascending.size * 100
        assert points(steps) == near(np.column_stack((np.concatenate((ascending[:1], ascending)), shares_at)))
        assert steps.get_drawstyle() == "steps-post"
        at = [points(line)[0, 0] for line in quantiles]
        assert at == near(np.quantile(ascending, (0.5, 0.95, 0.99)))
        assert [line.get_linestyle() for line in quantiles] == ["-", "--", "--"]
        p50, _, p99 = at
        left, right = axes.get_xlim()
        last = min(ascending[-1], p99 + 2 * (p99 - p50))
        assert ascending[0] - 0.1 * (last - ascending[0]) < left < ascending[0]
        assert last < right < last + 0.1 * (last - ascending[0])
        slower = np.count_nonzero(ascending > last)
        assert [text.get_text().split(" ")[0] for text in axes.texts if "more" in text.get_text()] == (
            [f"{slower}"] if slower else []
        )


def an_hour_later(run: Run) -> Run:
    """Each run a minute after the one before, on cores of two speeds that grow warm; the fifth throttles the board."""
    at = f"2026-03-02T{9 + run.order // 60:02}:{run.order % 60:02}:00+00:00"
    slowest, fastest = int(1e9 + 1e7 * run.order), int(2.4e9 - 1e7 * run.order)
    state = replace(
        run.before,
        at=at,
        temperature_celsius=50.0 + run.order,
        clock_hz=(fastest, slowest, fastest),
        throttled=4 if run.order == 5 else 0x40000,
    )
    return replace(run, started_at=at, before=state, after=state)


def test_the_trace_has_latencies_and_the_machines_state_at_their_times() -> None:
    made, runs = made_study(change=an_hour_later, **SMALL)
    keras, litert, temperature, clock = panels(report.build(made, runs), "latency-trace")
    assert clock.get_xlabel() == "time since the first run (min)"
    for label, axes in (("keras", keras), ("litert", litert)):
        scale, latency = unit(axes.get_ylabel().replace("\n", " ")), analyse(made, runs).latencies[label]
        (marks,) = dots(axes)
        ends: list[tuple[float, float]] = []
        for run in runs:
            if run.case.model == label and run.completion:
                took = np.array(run.completion.latencies_ns)
                end = run.order + run.wall_ns / 60e9
                ends += zip(end - took[::-1].cumsum()[::-1] / 60e9, took / scale, strict=True)
        assert every([marks]) == near(sorted(ends))
        assert [points(line)[0, 1] for line in strokes(axes)] == near(np.array(latency.quantiles_ns[:2]) / scale)
        assert [line.get_linestyle() for line in strokes(axes)] == ["-", "--"]
    order = np.repeat(np.arange(36), 2)
    assert points(temperature.lines[0]) == near(np.column_stack((order, 50 + order)))
    fastest, throttled = clock.lines
    assert points(fastest) == near(np.column_stack((order, 2.4 - 0.01 * order)))
    xs, low, high = edges(clock)
    assert xs == near(np.arange(36))
    assert low == near(1 + 0.01 * xs)
    assert high == near(2.4 - 0.01 * xs)
    assert list(points(throttled)[:, 0]) == [5, 5]
    for axes in (keras, litert, temperature, clock):
        left, right = axes.get_xlim()
        assert left < 0
        assert 35 < right < 36
    for axes, least, most in ((temperature, 50, 85), (clock, 1, 2.4)):
        bottom, top = axes.get_ylim()
        assert bottom < least < most < top


def caches(axes: Axes, across: bool) -> list[float]:
    """The sizes at which lines cross the whole panel, ascending."""
    along = [points(line).T if across else points(line).T[::-1] for line in axes.lines]
    return sorted(there[0] for there, whole in along if list(whole) == [0, 1])


SIZES = [2**16, 2**19, 2**21]
"""Of a Pi 5's caches."""


def test_sizes_of_models_stand_in_their_rows_against_the_caches() -> None:
    made, _ = family_study(simulated=("inference",), **SMALL)
    axes = panel(family(), "sizes", "working set of an inference")
    labels = [tick.get_text() for tick in panel(family(), "sizes", "file").get_yticklabels()]
    assert labels == [model.label for model in made.models]
    sizes = [present(model.network.working_set_bytes) for model in made.models if model.network]
    assert every(dots(axes)) == near(sorted(zip(sizes, range(4), strict=True)))
    assert caches(axes, across=True) == SIZES
    assert axes.get_xscale() == "log"
    low, high = axes.get_xlim()
    assert low < min(SIZES)
    assert max(sizes) < high
    assert len({axes.get_xlim() for axes in panels(family(), "sizes")}) == 1


def test_refills_are_bars_from_the_core_outwards() -> None:
    made, runs = virtual_study()
    costs = analyse(made, runs).simulated
    assert costs
    for axes, label in zip(panels(report.build(made, runs), "simulated-refills"), ("keras", "litert"), strict=True):
        events = ("l1d_cache_refill", "l2d_cache_refill", "ll_cache_miss_rd")
        figures_of = [figure(costs[event, label].per_image) / unit(axes.get_xlabel()) for event in events]
        bars = sorted((bar for bar in axes.patches if isinstance(bar, Rectangle)), key=lambda bar: bar.get_y())
        assert [bar.get_width() for bar in bars] == near(figures_of)
        assert axes.get_xlim() == (0, near(figures_of[0]))
        bottom, top = axes.get_ylim()
        assert top < bars[0].get_y() < bars[-1].get_y() < bottom


def test_operators_are_bars_in_order_of_execution() -> None:
    made, _ = family_study(simulated=("inference",), **SMALL)
    for model, axes in zip(made.models, panels(family(), "working-sets"), strict=True):
        assert model.network
        (steps,) = axes.patches
        assert isinstance(steps, StepPatch)
        values, at, baseline = steps.get_data()
        assert list(values) == [max(operator.working_set_bytes or 0, 1024) for operator in model.network.operators]
        assert (list(at), baseline) == (list(range(len(values) + 1)), 1024)
        assert caches(axes, across=False) == SIZES
        assert axes.get_yscale() == "log"
        bottom, top = axes.get_ylim()
        assert bottom <= 1024
        assert max(*values, *SIZES) < top


@pytest.mark.parametrize("key", ["misses", "simulated-misses"])
def test_misses_stand_over_working_sets_with_their_intervals(key: str) -> None:
    made, runs = family_study(simulated=("inference",), **SMALL)
    found = analyse(made, runs)
    costs = found.costs if key == "misses" else found.simulated
    assert costs
    for axes, event in zip(panels(family(), key), ("ll_cache_rd", "ll_cache_miss_rd"), strict=True):
        assert axes.get_ylabel().split("\n")[0] == event
        expected = {
            model.label: (model.network.working_set_bytes, costs[event, model.label].per_image)
            for model in made.models
            if model.network
        }
        marks = [(size, figure(estimate)) for size, estimate in expected.values()]
        assert every(dots(axes)) == near(sorted(marks))
        ends = {(size, estimate.interval) for size, estimate in expected.values() if estimate and estimate.interval}
        drawn = {(points(line)[0, 0], tuple(points(line)[:, 1])) for line in strokes(axes) if is_upright(line)}
        assert drawn == ends
        (once,) = (line for line in strokes(axes) if len(set(points(line)[:, 0])) > 1)
        assert points(once)[:, 1] == near(points(once)[:, 0] / 64)
        assert caches(axes, across=True) == SIZES[1:]
        assert (axes.get_xscale(), axes.get_yscale()) == ("log", "log")
        low, high = axes.get_ylim()
        assert low < min(value for _, value in marks)
        assert max(value for _, value in marks) < high


def is_upright(line: Line2D) -> bool:
    """At one place across, between two figures."""
    return len(set(points(line)[:, 0])) == 1 and list(points(line)[:, 1]) != [0, 1]
