"""What a miss curve says: figures at a size, points of studies, tables and sentences, the drawing, the page."""

import csv
import io
from collections.abc import Callable, Mapping
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pytest
from made_curves import BOARD, MINE, SIZES, made_curve, misses
from matplotlib.lines import Line2D
from msgspec.structs import replace
from reading import SVG, shown
from studies import LITERT, NO_PMU, PI5, made_study, study_beside

from profiler.machine import targets
from profiler.miss_curve import figure, sentences
from profiler.miss_curve import page as curve_page
from profiler.miss_curve.curve import CurvePoint, apart, at, levels, machines, points, predictions, spread
from profiler.records import Cache, Machine, MissCurve, Run, Study, Target, from_json, to_json


def holding(study: Study, sha256: str = MINE) -> Study:
    """The study, its LiteRT model being of that digest."""
    models = (replace(model, sha256=sha256 if model.runtime == "litert" else "0" * 64) for model in study.models)
    return replace(study, models=tuple(models))


def on(machine: Machine, **recipe: object) -> tuple[Study, tuple[Run, ...]]:
    """A study of the curve's model, counted by perf on that machine, without noise."""
    study, runs = made_study(machine=machine, noise=0.0, repeats=2, images=(1, 5), **recipe)
    return holding(study), runs


def by_series(found: tuple[CurvePoint, ...], kind: str) -> dict[str, dict[int, float]]:
    series: dict[str, dict[int, float]] = {}
    for point in found:
        if point.kind == kind:
            series.setdefault(point.series, {})[point.size_bytes] = point.misses
    return series


def test_a_curve_is_its_own_record() -> None:
    curve = made_curve()
    assert from_json(MissCurve, to_json(curve)) == curve


def test_a_spread_is_mean_and_standard_error() -> None:
    assert spread([1.0, 2.0, 3.0, 4.0]) == pytest.approx((2.5, np.sqrt(5 / 3 / 4)))
    assert spread([7.0]) == (7.0, None)


def test_misses_at_a_size_on_and_between_the_curves_sizes() -> None:
    curve = made_curve()
    found = at(curve, 2**19)
    assert found is not None
    assert found.value == pytest.approx(500e3)
    assert found.error == pytest.approx(500e3 * np.std([0.99, 1.01, 0.97, 1.03], ddof=1) / 2)
    between = at(curve, 3 * 2**18)
    assert between is not None
    assert between.value == pytest.approx(misses(3 * 2**18))


@pytest.mark.parametrize("size", [2**13, 2**27])
def test_beyond_its_ends_a_curve_says_nothing(size: int) -> None:
    assert at(made_curve(), size) is None
    assert apart(made_curve(), size) is None


def test_seeds_are_compared_by_the_means_of_their_own_samples() -> None:
    rows = ((100.0,), (102.0,), (110.0,), (112.0,))
    curve = made_curve(steady=rows, cold=rows, sizes_bytes=(2**19,))
    assert apart(curve, 2**19) == pytest.approx(10 / 106)
    assert apart(replace(curve, seeds=(1,)), 2**19) is None
    assert apart(made_curve(), 2**24) is None


def test_machines_are_those_with_a_file_and_the_simulated_one() -> None:
    assert [machine.title for machine in machines(made_curve())] == [f"Raspberry Pi {n}" for n in (5, 4, 3)]
    other = replace(BOARD, title="A server")
    assert machines(made_curve(target=other))[0] == other


def test_a_machine_of_the_users_own_with_a_known_name_stands_beside_it() -> None:
    larger = tuple(replace(cache, size_bytes=2 * cache.size_bytes) for cache in BOARD.caches)
    curve = made_curve(target=replace(BOARD, key="mine", caches=larger))
    own, shipped, *_ = machines(curve)
    assert (own.title, own.caches) == ("Raspberry Pi 5 (mine)", larger)
    assert shipped.title == "Raspberry Pi 5"
    first, second, *_ = shown(sentences.tables(curve)[0]).rows
    assert (first[:2], second[:2]) == (("Raspberry Pi 5 (mine)", "1 MiB"), ("Raspberry Pi 5", "512 KiB"))
    assert "Pi 5 (mine) L2" in figure.alt(curve, ())


def test_machines_and_points_with_other_lines_are_left_out() -> None:
    wide = tuple(replace(cache, line_bytes=128) for cache in BOARD.caches)
    curve = made_curve(arch="x86_64", line_bytes=128, target=replace(BOARD, title="Mine", caches=wide), full={})
    assert [machine.title for machine in machines(curve)] == ["Mine"]
    study, runs = study_beside()
    assert points(curve, [(holding(study), runs), on(PI5)]) == ()


def test_the_curve_beside_the_full_simulation() -> None:
    l2, l3 = predictions(made_curve())
    assert (l2.level.name, l2.full, l3.level.name, l3.full) == ("L2", 480e3, "L3", 320e3)
    assert l2.off == pytest.approx(500 / 480 - 1)
    assert l3.off == pytest.approx(300 / 320 - 1)


def test_without_an_l3_the_full_simulation_is_what_the_l2_brought_in() -> None:
    curve = made_curve(target=targets.find("pi4"), full={"l2d_cache_refill": 410e3})
    (only,) = predictions(curve)
    assert (only.level.size_bytes, only.full) == (2**20, 410e3)
    assert predictions(replace(curve, full={})) == ()


def test_points_of_a_simulated_sweep_are_at_its_own_caches() -> None:
    study, runs = study_beside()
    found = by_series(points(made_curve(arch="x86_64"), [(holding(study), runs)]), "simulated")
    ((series, figures),) = found.items()
    assert series == "simulated, Pi 5's caches, reads of a stride prefetcher included"
    assert figures == pytest.approx({2**19: 432_702, 2**21: 203_482})


def test_another_instruction_set_threads_and_machine_are_named() -> None:
    study, runs = study_beside(target="pi4")
    study = replace(study, plan=replace(study.plan, threads=4))
    found = by_series(points(made_curve(), [(holding(study), runs)]), "simulated")
    assert list(found) == ["simulated, Pi 4's caches, no prefetcher, x86-64 instructions, 4 threads"]
    assert list(found.popitem()[1]) == [2**20]


def test_points_of_the_same_sweep_twice_are_drawn_once() -> None:
    study, runs = study_beside()
    twice = [(holding(study), runs), (holding(replace(study, name="again")), runs)]
    assert points(made_curve(), twice) == points(made_curve(), twice[:1])


def test_another_models_sweep_has_no_points() -> None:
    study, runs = study_beside()
    found = points(made_curve(), [(holding(study, "1" * 64), runs)])
    assert {point.kind for point in found} == {"same pass"}
    assert points(made_curve(full={}), [(holding(study, "1" * 64), runs)]) == ()


def test_reads_of_the_l3_that_a_pi_5_counted_are_at_its_l2() -> None:
    found = points(made_curve(), [on(PI5)])
    ((series, figures),) = by_series(found, "measured").items()
    assert series == "measured by perf, Pi 5 Model B Rev 1.0"
    assert figures == pytest.approx({2**19: LITERT["ll_cache_rd"][1], 2**21: LITERT["ll_cache_miss_rd"][1]}, rel=1e-3)


def uncached(machine: Machine) -> Machine:
    return replace(machine, caches=())


def of_an_n1(machine: Machine) -> Machine:
    """Its LLC may lie outside the cluster, so that only what its L2 brought in is known to have left the L2."""
    return replace(machine, uarch="neoverse-n1", pmu="armv8_pmuv3_0", board=None, cpu="Neoverse-N1")


@pytest.mark.parametrize(("change", "expected"), [(uncached, {}), (of_an_n1, {2**19: LITERT["l2d_cache_refill"][1]})])
def test_no_point_is_drawn_where_it_is_not_known_what_was_counted(
    change: Callable[[Machine], Machine], expected: Mapping[int, float]
) -> None:
    found = by_series(points(made_curve(), [on(change(PI5))]), "measured")
    figures = next(iter(found.values()), {})
    assert figures == pytest.approx(expected, rel=1e-3)


def test_a_machine_without_a_pmu_has_no_measured_points() -> None:
    study, runs = study_beside(machine=NO_PMU)
    assert by_series(points(made_curve(), [(holding(study), runs)]), "measured") == {}


def test_the_tables_say_what_each_machines_caches_leave() -> None:
    machines_table, predicted = map(shown, sentences.tables(made_curve()))
    rows = {row[0]: row[1:] for row in machines_table.rows}
    assert rows["Raspberry Pi 5"] == ("512 KiB", "500 k ±1.3 %", "30.5 MiB", "2 MiB", "300 k ±1.3 %", "18.3 MiB")
    assert rows["Raspberry Pi 4"] == ("1 MiB", "400 k ±1.3 %", "24.4 MiB", "no L3", "", "")
    assert "simulated" in machines_table.title
    assert [row[-1] for row in predicted.rows] == ["+4.2 %", "−6.2 %"]
    assert all(len(row) == len(table.columns) for table in (machines_table, predicted) for row in table.rows)


def test_a_cache_beyond_the_curve_has_no_figure() -> None:
    caches = tuple(replace(cache, size_bytes=2**27) if cache.level == 3 else cache for cache in BOARD.caches)
    curve = made_curve(target=replace(BOARD, title="A server", caches=caches))
    (row,) = (row for row in shown(sentences.tables(curve)[0]).rows if row[0] == "A server")
    assert row[4:] == ("128 MiB", "n/a", "n/a")
    assert "128 MiB" not in " ".join(sentences.summary(curve))


def test_what_was_not_simulated_in_full_has_no_table() -> None:
    assert [table.key for table in sentences.tables(made_curve(full={}))] == ["machines"]
    assert len(sentences.trust(made_curve(full={}))) == 1


def test_the_summary_tells_working_set_falls_and_what_is_left() -> None:
    touched, falls, left = sentences.summary(made_curve())
    assert "touches 8 MiB of memory (131 k ±0.02 % distinct lines of 64 bytes), 4 times the file's 2 MiB" in touched
    assert "none of the sampled lines misses" in touched
    assert "16 KiB misses 1 M times" in falls
    assert "50 % from 512 KiB on, 10 % from 8 MiB on and 1 % from 8 MiB on" in falls
    assert "the L2 (512 KiB) leaves 500 k misses an inference (30.5 MiB from beyond)" in left
    assert "the L3 (2 MiB) leaves 300 k" in left


def test_a_curve_that_does_not_fall_says_so() -> None:
    rows = ((100.0, 90.0), (100.0, 90.0))
    curve = made_curve(steady=rows, cold=rows, touched=(90.0, 90.0), sizes_bytes=(2**19, 2**21))
    assert "No size on the curve brings them below 50 %." in sentences.summary(curve)[1]
    assert "90 misses are left" in sentences.summary(curve)[0]


def test_how_far_to_trust_it() -> None:
    sampling, compared = sentences.trust(made_curve())
    assert "standard error of the 4 samples' mean is at most 1.3 %" in sampling
    assert "another seed (1 and 2)" in sampling
    assert "the curve differs there by at most 0 %" in sampling
    assert "the curve is 4.2 % above its L2 of 512 KiB (500 k against 480 k)" in compared
    assert "6.2 % below its L3 of 2 MiB (300 k against 320 k)" in compared


def test_one_sample_has_no_error_to_tell() -> None:
    curve = made_curve()
    curve = replace(curve, seeds=(1,), steady=curve.steady[:1], cold=curve.cold[:1], touched=curve.touched[:1])
    assert len(sentences.trust(curve)) == 1
    assert "±" not in "".join(
        cell for table in map(shown, sentences.tables(curve)) for row in table.rows for cell in row
    )
    figure.draw(curve, ())


def test_where_the_figures_come_from() -> None:
    label = sentences.label(made_curve())
    for word in (
        "QEMU 7.2.22, not measured",
        "arm64",
        "virtual Raspberry Pi 5",
        "1 thread",
        "one line in 16",
        "1 and 2",
    ):
        assert word in label
    assert "virtual" not in sentences.label(made_curve(guest=None))
    assert "4 threads share the cache" in " ".join(sentences.limits(made_curve(threads=4)))


def words_of(svg: bytes) -> list[str]:
    return ["".join(text.itertext()) for text in ElementTree.fromstring(svg).iter(f"{SVG}text")]


def test_the_drawing_names_caches_floor_and_every_series() -> None:
    curve = made_curve()
    found = points(curve, [on(PI5)])
    svg = figure.draw(curve, found)
    words = words_of(svg)
    assert {"Pi 5 L2, Pi 3 L2 512 KiB", "Pi 4 L2 1 MiB", "Pi 5 L3 2 MiB"} <= set(words)
    assert "distinct lines touched (8 MiB)" in words
    assert {point.series for point in found} <= set(words)
    assert {"16 KiB", "64 MiB", "cache size", "misses an inference"} <= set(words)
    assert svg == figure.draw(curve, found)


def along(line: Line2D) -> tuple[list[float], list[float]]:
    """Where a line's points are, across and up."""
    return list(np.asarray(line.get_xdata())), list(np.asarray(line.get_ydata()))


def test_the_drawing_is_at_the_curves_figures() -> None:
    from matplotlib.figure import Figure

    curve, canvas = made_curve(), Figure()
    found = points(curve, [on(PI5)])
    figure.paint(canvas, curve, found)
    (axes,) = canvas.axes
    by_label = {line.get_label(): line for line in axes.lines}
    steady, cold = np.array(curve.steady), np.array(curve.cold)
    warm = by_label["simulated, cache warm (band: ± one standard error)"]
    assert along(warm)[0] == list(SIZES)
    assert warm.get_ydata() == pytest.approx(steady.mean(axis=0))
    assert by_label["simulated, cache empty at the start"].get_ydata() == pytest.approx(cold.mean(axis=0))
    (band,) = axes.collections
    corners = np.asarray(band.get_paths()[0].vertices)
    for place, size in enumerate(SIZES):
        ends = corners[corners[:, 0] == size, 1]
        error = steady[:, place].std(ddof=1) / 2
        assert (ends.min(), ends.max()) == pytest.approx(
            (steady[:, place].mean() - error, steady[:, place].mean() + error)
        )
    marks = {(across[0], up[0]) for line in axes.lines if line.get_marker() != "None" for across, up in [along(line)]}
    assert marks == {(point.size_bytes, point.misses) for point in found}
    intervals = {tuple(up) for across, up in map(along, axes.lines) if len(across) == 2}
    assert {point.interval for point in found if point.interval} <= intervals
    levels_at = [across[0] for across, up in map(along, axes.lines) if up == [0, 1]]
    assert sorted(levels_at) == [2**19, 2**20, 2**21]
    (floor,) = (up for across, up in map(along, axes.lines) if across == [0, 1])
    assert floor[0] == 131072
    assert (axes.get_xscale(), axes.get_yscale(), axes.get_xlim()) == ("log", "linear", (SIZES[0], SIZES[-1]))
    low, high = axes.get_ylim()
    assert low < 0
    assert steady.max() < high < 1.2 * steady.max()
    (beyond,) = axes.child_axes
    canvas.draw_without_rendering()
    assert beyond.get_ylim() == pytest.approx((64 * low, 64 * high))


def crowded() -> Target:
    """A machine whose caches lie close to those of the boards, and at the curve's end."""
    sizes = {2: 2**19 + 2**16, 3: 2**26}
    caches = tuple(replace(cache, size_bytes=sizes.get(cache.level, cache.size_bytes)) for cache in BOARD.caches)
    return replace(BOARD, title="A server of some length", caches=caches)


@pytest.mark.parametrize("target", [BOARD, crowded()], ids=["boards", "crowded"])
def test_labels_of_caches_stay_apart_and_inside(target: Target) -> None:
    """By matplotlib's own measure of the words."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    curve = made_curve(target=target)
    canvas = Figure(layout="constrained")
    renderer = FigureCanvasAgg(canvas).get_renderer()  # type: ignore[no-untyped-call]
    figure.paint(canvas, curve, points(curve, []))
    canvas.draw(renderer)
    labels = [text for text in canvas.axes[0].texts if "L2" in text.get_text() or "L3" in text.get_text()]
    boxes = [label.get_window_extent(renderer) for label in labels]
    assert len(boxes) == 3 + 2 * (target is not BOARD)
    for place, box in enumerate(boxes):
        assert all(not box.overlaps(other) for other in boxes[:place])
        assert box.x0 >= 0
        assert box.x1 <= canvas.bbox.x1
        assert box.y1 <= canvas.bbox.y1


def test_the_alternative_text_tells_the_curve() -> None:
    curve = made_curve()
    alt = figure.alt(curve, points(curve, []))
    assert "from 1 M at 16 KiB down to 0 at 64 MiB" in alt
    assert "full simulation of the same pass" in alt


def test_the_caption_speaks_of_the_marks_that_there_are() -> None:
    curve = made_curve()
    assert "Filled" not in figure.caption(curve, points(curve, []))
    assert "Filled" in figure.caption(curve, points(curve, [on(PI5)]))
    assert "hollow" not in figure.caption(curve, ())


def test_the_table_has_a_line_a_size_and_sample() -> None:
    curve = made_curve()
    rows = list(csv.DictReader(io.StringIO(curve_page.csv(curve).decode())))
    assert tuple(rows[0]) == curve_page.COLUMNS
    assert len(rows) == len(SIZES) * 4
    assert [row["seed"] for row in rows[:4]] == ["1", "1", "2", "2"]
    found = [float(row["steady"]) for row in rows if row["size_bytes"] == str(2**19)]
    assert found == pytest.approx([495e3, 505e3, 485e3, 515e3])


class References(HTMLParser):
    """What a page refers to, and the words of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.found += [value or "" for name, value in attrs if name in ("src", "href")]


def test_the_page_is_one_file_that_escapes_names() -> None:
    curve = made_curve(file="<script>alert(1)</script>.tflite")
    text = curve_page.render(curve, (), figure.draw(curve, ()))
    page = References(text)
    assert not {"script", "link"} & set(page.tags)
    assert all(one.startswith(("data:image/svg+xml;base64,", "curve.")) for one in page.found)
    assert "prefers-color-scheme: dark" in text
    assert "url(" not in text
    assert "{{" not in text


def test_levels_are_the_unified_caches() -> None:
    assert [(level.name, level.size_bytes) for level in levels(BOARD)] == [("L2", 2**19), ("L3", 2**21)]
    without: tuple[Cache, ...] = tuple(cache for cache in BOARD.caches if cache.level == 1)
    assert levels(replace(BOARD, caches=without)) == ()
