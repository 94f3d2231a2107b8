"""Figures: which a study has, what their words and drawings say, and that the same gives the same bytes."""

import itertools
import re
from functools import cache
from xml.etree import ElementTree

import pytest
from made_networks import made_network, made_resident
from msgspec.structs import replace
from reading import SVG
from studies import KERAS, LAB, LITERT, NO_PMU, family_study, made_study, recounting, study_beside, virtual_study

from profiler import report
from profiler.analysis import amortisation
from profiler.records import Run, Study
from profiler.report.figures import layout, render
from profiler.report.figures.data import (
    AmortisedLines,
    CostGrid,
    LatencySteps,
    LatencyTrace,
    RatioDots,
    RunBars,
    SizeDots,
)
from profiler.report.figures.select_latency import DOTS, MODEL_DOTS
from profiler.report.model import Figure, Report

SMALL = {"images": (1, 5, 10), "repeats": 3}
FACTS = {label: {"network": made_network(), "resident": made_resident()} for label in ("keras", "litert")}
BAND = 1
"""A shade is an element like a mark."""
MANY = tuple(f"litert:form-{place}-of-a-family-with-long-names" for place in range(10))


@cache
def measured() -> Report:
    return report.build(*made_study(**SMALL))


@cache
def many() -> Report:
    return report.build(*made_study(labels=MANY, **SMALL))


def drawn(of: Report) -> dict[str, Figure]:
    return {figure.key: figure for section in of.sections for figure in section.figures}


def svg(of: Report, key: str) -> ElementTree.Element:
    return ElementTree.fromstring(render.draw(drawn(of)[key], layout.marks(of.labels))["svg"])


def words(of: Report, key: str) -> list[str]:
    return [element.text or "" for element in svg(of, key).iter(f"{SVG}text")]


LEADING = ["ratios", "01-duration_time", "amortised", "counts", "phases", "latency-distribution", "latency-trace"]


@pytest.mark.parametrize(
    ("study", "keys"),
    [
        (made_study(**SMALL), [*LEADING, "sizes"]),
        (made_study(labels=("litert",), **SMALL), LEADING[1:]),
        (made_study(images=(5,), repeats=3), ["ratios", *LEADING[4:], "sizes"]),
        (made_study(regions=("inference",), **SMALL), ["ratios", *LEADING[5:], "sizes"]),
        (study_beside(**SMALL), [*LEADING, "simulated-refills", "simulated-ratios", "sizes"]),
        (
            virtual_study(),
            ["simulated-refills", "simulated-ratios", "simulated-amortised", "simulated-counts", "sizes"],
        ),
        (
            family_study(simulated=("inference",), **SMALL),
            [
                *LEADING,
                "simulated-refills",
                "simulated-ratios",
                "working-sets",
                "misses",
                "simulated-misses",
                "sizes",
            ],
        ),
        (made_study(change=lambda run: replace(run, outcome="failed", counts=(), completion=None)), ["sizes"]),
    ],
    ids=["measured", "one model", "one count", "inference alone", "beside", "virtual", "family", "failed"],
)
def test_a_study_has_the_figures_that_its_data_allow(study: tuple[Study, tuple[Run, ...]], keys: list[str]) -> None:
    assert list(drawn(report.build(*study))) == keys


@pytest.mark.parametrize("key", [*LEADING, "sizes"])
def test_the_same_figure_gives_the_same_bytes_in_each_format(key: str) -> None:
    figure, looks = drawn(measured())[key], layout.marks(measured().labels)
    both = render.draw(figure, looks, ("svg", "pdf"))
    assert render.draw(figure, looks) == {"svg": both["svg"]}
    assert render.draw(figure, looks, ("pdf",)) == {"pdf": both["pdf"]}
    assert both["pdf"].startswith(b"%PDF")
    for said in (b"/CreationDate", b"/Producer"):
        assert said not in both["pdf"]


@pytest.mark.parametrize("key", [*LEADING, "sizes"])
def test_an_alt_text_has_figures_with_units_and_every_model_of_two(key: str) -> None:
    alt = drawn(measured())[key].alt
    assert "keras" in alt
    assert "litert" in alt
    assert re.search(r"\d+(\.\d+)? (ms|s|G|M|MiB|times)\b", alt)


def test_counts_are_one_figure_without_the_leading_event() -> None:
    drawing = drawn(measured())["counts"].drawing
    assert isinstance(drawing, CostGrid)
    assert tuple(drawing.rows) == LAB
    said = words(measured(), "counts")
    assert {"keras", "litert", "cycles", "images", "count (G)", "count (M)", "count (k)"} <= set(said)


def test_scaled_counts_say_so_in_their_figures() -> None:
    found = report.build(*made_study(change=recounting("cycles", running_percent=41.7), **SMALL))
    for key in ("counts", "ratios"):
        assert "cycles, scaled up" in words(found, key)
        assert "called scaled up are estimates" in drawn(found)[key].caption
        assert "scaled" not in drawn(measured())[key].caption


def test_more_events_than_a_figure_bears_are_said() -> None:
    figure = drawn(report.build(*made_study(event_set="all", **SMALL)))["counts"]
    assert isinstance(figure.drawing, CostGrid)
    assert len(figure.drawing.rows) == 10
    assert list(figure.drawing.rows)[:2] == ["cycles", "inst_retired"]
    assert re.search(r" [1-9]\d* further events are in the tables alone\.", figure.caption)


def test_ratios_are_the_tables() -> None:
    drawing = drawn(measured())["ratios"].drawing
    assert isinstance(drawing, RatioDots)
    assert (drawing.below, list(drawing.panels)) == ("litert", ["keras"])
    cycles = next(ratio for ratio in drawing.panels["keras"] if ratio.name == "cycles")
    assert cycles.per_image
    assert cycles.once
    assert cycles.per_image.value == pytest.approx(KERAS["cycles"][1] / LITERT["cycles"][1], rel=0.02)
    assert cycles.once.value == pytest.approx(KERAS["cycles"][0] / LITERT["cycles"][0], rel=0.02)
    assert "times litert's cost" in words(measured(), "ratios")


def test_a_ratio_without_a_base_is_left_out() -> None:
    truth = {"keras": KERAS, "litert": {**LITERT, "ll_cache_rd": (-1e9, 88e3)}}
    drawing = drawn(report.build(*made_study(truth=truth, **SMALL)))["ratios"].drawing
    assert isinstance(drawing, RatioDots)
    found = next(ratio for ratio in drawing.panels["keras"] if ratio.name == "ll_cache_rd")
    assert found.per_image
    assert found.once is None


def test_the_amortised_cost_has_the_counts_where_the_fixed_share_falls() -> None:
    figure = drawn(measured())["amortised"]
    assert isinstance(figure.drawing, AmortisedLines)
    for cost in figure.drawing.costs:
        fixed, each = {"keras": KERAS, "litert": LITERT}[cost.model]["duration_time"]
        assert figure.drawing.shares[0.5][cost.model] == pytest.approx(fixed / each, rel=0.05)
        assert figure.drawing.shares[0.1][cost.model] == pytest.approx(9 * fixed / each, rel=0.05)
        half = amortisation.falls_under(cost, 0.5)
        assert half
        assert f"{half.value:,.0f} and " in figure.alt
    assert {"images of the run", "duration_time for each image", "fixed share falls under 50 %"} <= set(
        words(measured(), "amortised")
    )


def test_where_nothing_was_timed_simulated_instructions_are_amortised() -> None:
    found = report.build(*virtual_study())
    figure = drawn(found)["simulated-amortised"]
    assert figure.title.endswith(", simulated")
    assert "inst_retired for each image, simulated" in words(found, "simulated-amortised")
    # 60 images' cost once and one for each: at 60 the start is half of the run.
    assert isinstance(figure.drawing, AmortisedLines)
    assert figure.drawing.shares[0.5] == pytest.approx({"keras": 60, "litert": 5}, rel=0.03)


def test_whole_runs_are_stacked_from_their_phases_and_their_images() -> None:
    figure = drawn(measured())["phases"]
    assert isinstance(figure.drawing, RunBars)
    assert figure.drawing.images == (1, 10)
    assert figure.drawing.per_image_ns["keras"] == pytest.approx(61e6, rel=0.02)
    said = set(words(measured(), "phases"))
    assert {"1 image", "10 images", "wall time (s)", "wall time (ms)", "inferences (hatched)"} <= said
    whole = next(word for word in said if re.fullmatch(r"6\.7\d s", word))
    assert float(whole[:-2]) == pytest.approx(6.73, rel=0.01)


def test_the_distribution_marks_the_quantiles_that_so_many_inferences_bear() -> None:
    drawing = drawn(measured())["latency-distribution"].drawing
    assert isinstance(drawing, LatencySteps)
    assert list(drawing.marked["keras"]) == ["p50", "p95"]
    longer = drawn(report.build(*made_study(images=(1, 40), repeats=3)))["latency-distribution"]
    assert isinstance(longer.drawing, LatencySteps)
    assert list(longer.drawing.marked["keras"]) == ["p50", "p95", "p99"]
    assert "p99 6" in longer.alt
    assert {"latency (ms)", "inferences (%)"} <= set(words(measured(), "latency-distribution"))


def later_and_hotter(run: Run) -> Run:
    state = replace(
        run.before,
        temperature_celsius=50.0 + run.order,
        clock_hz=(1_500_000_000, 2_400_000_000),
        throttled=4 if run.order == 7 else 0x40000,
    )
    return replace(run, before=state, after=state)


def test_the_trace_has_the_machines_state_beneath() -> None:
    found = report.build(*made_study(change=later_and_hotter, **SMALL))
    figure = drawn(found)["latency-trace"]
    trace = figure.drawing
    assert isinstance(trace, LatencyTrace)
    assert [time for time, _ in trace.temperature] == sorted(time for time, _ in trace.temperature)
    assert {value for _, value in trace.temperature} == {50.0 + order for order in range(36)}
    assert {(low, high) for _, low, high in trace.clock} == {(1.5e9, 2.4e9)}
    assert trace.throttled == (7.0, 7.0)
    assert "Temperature 50 to 85 °C. Clock 1.5 to 2.4 GHz. The board throttled at 2 moments." in figure.alt
    said = set(words(found, "latency-trace"))
    assert {"time since the first run (s)", "(°C)", "(GHz)", "temperature", "board throttled"} <= said


def test_a_trace_has_every_inference_in_its_place() -> None:
    study, runs = made_study(**SMALL)
    trace = drawn(report.build(study, runs))["latency-trace"].drawing
    assert isinstance(trace, LatencyTrace)
    for label, dots in trace.latencies.items():
        mine = [run.completion.latencies_ns for run in runs if run.case.model == label and run.completion]
        assert sorted(value for _, value in dots) == sorted(value for latencies in mine for value in latencies)
        assert all(time > 0 for time, _ in dots)


def test_a_machine_that_tells_nothing_has_no_panel_for_it() -> None:
    def silent(run: Run) -> Run:
        state = replace(run.before, temperature_celsius=None, clock_hz=None, throttled=None)
        return replace(run, before=state, after=state)

    found = report.build(*made_study(change=silent, **SMALL))
    assert "temperature" not in words(found, "latency-trace")
    assert "did not tell its temperature and clock" in drawn(found)["latency-trace"].caption


def test_sizes_are_those_that_are_known() -> None:
    facts = {"keras": FACTS["keras"], "litert": {}}
    found = report.build(*made_study(facts=facts, **SMALL))
    figure = drawn(found)["sizes"]
    assert isinstance(figure.drawing, SizeDots)
    panels = figure.drawing.panels
    network, resident = made_network(), made_resident()
    assert panels["file"] == {"keras": 9_626_662, "litert": 2_585_904}
    assert panels["working set of an inference"] == {"keras": network.working_set_bytes}
    seen = resident.load_bytes + (resident.first_bytes or 0) + resident.file_bytes
    assert panels["resident after load and first inference"] == {"keras": seen}
    assert "Not known of every model: weights that an inference reads" in figure.caption
    assert {"n/a", "L1D", "L2", "L3", "size", "dotted lines: the caches of this machine"} <= set(words(found, "sizes"))


def test_sizes_stand_against_the_simulated_caches_where_there_are_any() -> None:
    found = report.build(*virtual_study(facts=FACTS))
    assert "dotted lines: the simulated caches of Raspberry Pi 5" in words(found, "sizes")


def test_a_machine_without_known_caches_has_sizes_without_lines() -> None:
    found = report.build(*made_study(machine=replace(NO_PMU, caches=()), groups=((),), event_set="software", **SMALL))
    assert drawn(found)["sizes"].title == "Sizes of the models"


@pytest.mark.parametrize("key", [*LEADING, "sizes"])
def test_ten_models_keep_their_looks_and_their_room(key: str) -> None:
    figure, looks = drawn(many())[key], layout.marks(many().labels)
    drawing = render.draw(figure, looks)["svg"].decode()
    baseline = {many().labels[0]} if key == "ratios" else set()
    for label in {*many().labels} - baseline:
        assert looks[label].colour in drawing
    assert len(drawing) < 350_000
    assert len(figure.alt) < 4000


def test_ten_models_differ_in_colour_or_marker_and_in_dashes_beside_one_another() -> None:
    looks = list(layout.marks(MANY).values())
    assert len({(look.colour, look.marker) for look in looks}) == 10
    assert all(first.dashes != second.dashes for first, second in itertools.pairwise(looks))


@pytest.mark.slow
def test_what_is_drawn_does_not_grow_with_the_runs() -> None:
    study, runs = made_study(images=(1, 40), repeats=60, noise=0.02)
    found = report.build(study, runs)
    trace = drawn(found)["latency-trace"].drawing
    assert isinstance(trace, LatencyTrace)
    timed = sum(len(run.completion.latencies_ns) for run in runs if run.completion)
    assert timed > 4 * DOTS
    for label, dots in trace.latencies.items():
        every = [run.completion.latencies_ns for run in runs if run.case.model == label and run.completion]
        assert len(dots) == MODEL_DOTS
        assert max(value for _, value in dots) == max(value for latencies in every for value in latencies)
    assert len(trace.temperature) <= 300
    for key, most in (("counts", 14 * (60 + BAND)), ("01-duration_time", 2 * (300 + BAND))):
        marks = list(svg(found, key).iter(f"{SVG}use"))
        assert 0 < len([mark for mark in marks if "fill-opacity" in mark.get("style", "")]) <= most
    looks = layout.marks(found.labels)
    assert sum(len(render.draw(figure, looks)["svg"]) for figure in drawn(found).values()) < 1_000_000


@pytest.mark.parametrize("low_high", [(1, 40), (1, 1e6), (100, 120), (0.3, 3e11), (5, 5.1)])
def test_logarithmic_axes_have_ticks(low_high: tuple[float, float]) -> None:
    from matplotlib.figure import Figure as Canvas

    from profiler.report.figures.log_ticks import log_ticks

    axes = Canvas().subplots()
    axes.set_xscale("log")
    axes.set_xlim(*low_high)
    log_ticks(axes.xaxis, *low_high, str, 5)
    ticks = axes.xaxis.get_majorticklocs()
    assert 2 <= len(ticks) <= 5
    assert low_high[0] <= min(ticks)
    assert max(ticks) <= low_high[1]
