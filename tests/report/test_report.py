"""What a report says: sentences, tables and warnings of studies whose truth is known."""

from functools import cache
from typing import Any

import pytest
from msgspec.structs import replace
from reading import cell, everything, number, row, section, shown, table, value
from studies import GENERIC_HARDWARE, KERAS, LITERT, NO_PMU, NO_PMU_WHY, PI5, failing, made_study, recounting

from profiler import report
from profiler.cli import terminal
from profiler.records import Run
from profiler.report.figures.data import CostGrid, CostLines
from profiler.report.model import Report


def built(**recipe: object) -> Report:
    return report.build(*made_study(**{"images": (1, 5, 10), "repeats": 3, "noise": 0.001, **recipe}))


@cache
def clean() -> Report:
    return built()


@cache
def without_pmu() -> Report:
    note = "No hardware counters: the kernel shows no usable PMU."
    return built(machine=NO_PMU, groups=((),), absent=dict.fromkeys(GENERIC_HARDWARE, NO_PMU_WHY), notes=(note,))


def test_the_answer_says_what_a_run_costs_and_how_much_of_it_is_paid_once() -> None:
    (said,) = clean().answer
    run, share = said.split(". Of such a run, ")
    assert run.startswith("A run of 10 images costs keras 6.7")
    assert number(run.split("costs keras ")[1]) == pytest.approx(6.73, rel=0.01)
    assert number(run.split(" and litert ")[1]) == pytest.approx(240.5, rel=0.01)
    assert number(run.split("that is ")[1]) == pytest.approx(6730 / 240.5, rel=0.01)
    assert number(share) == pytest.approx(100 * 6120 / 6730, rel=0.01)
    assert number(share.split("with keras and ")[1]) == pytest.approx(100 * 190 / 240.5, rel=0.01)
    assert said.count("[") == 5


def test_the_answer_of_one_model_compares_nothing() -> None:
    found = built(labels=("litert",))
    assert number(found.answer[0].split("costs litert ")[1]) == pytest.approx(240.5, rel=0.01)
    assert "against" not in " ".join(found.answer)
    assert table(found, "fixed").columns == ("event", "litert")
    assert found.title == "What litert costs"


def test_of_a_fixed_cost_below_zero_no_share_is_told() -> None:
    truth = {"keras": KERAS, "litert": {**LITERT, "duration_time": (-1e9, 200e6)}}
    found = built(truth=truth)
    assert found.answer[0].endswith("with keras is paid once, whatever its images.")
    assert value(row(table(found, "fixed"), "duration_time")["keras / litert"]) == "n/a"


def test_the_answer_of_runs_of_one_count_has_no_share() -> None:
    (said,) = built(images=(5,), regions=("process",)).answer
    assert said.startswith("A run of 5 images costs keras ")
    assert "paid once" not in said


def test_the_answer_without_whole_processes_is_of_an_image() -> None:
    (said,) = built(regions=("inference",)).answer
    assert said.startswith("An image costs keras 61")
    assert number(said.split(" and litert ")[1]) == pytest.approx(5.05, rel=0.01)
    assert said.endswith("Whole processes were not counted, so what a run costs is not known.")


def test_without_any_good_run_the_report_says_so() -> None:
    found = built(change=lambda run: replace(run, outcome="failed", counts=(), completion=None, error="no memory"))
    assert found.answer == ("No run of this study ended well, so there is no figure.",)
    assert found.summary == ()
    assert [figure.key for each in found.sections for figure in each.figures] == ["sizes"]
    assert {cells[-1] for cells in table(found, "gaps").rows} == {"no memory"}


def test_the_fixed_cost_table_has_all_events_in_order_and_their_ratio() -> None:
    found = table(clean(), "fixed")
    assert found.columns == ("event", "keras", "litert", "keras / litert")
    names = [cells[0] for cells in found.rows]
    hardware = ["cycles", "inst_retired", "stall_backend", "l2d_cache_inval", "ll_cache_rd", "ll_cache_miss_rd"]
    accounted = ["duration_time", "task-clock", "user_time", "system_time", "page-faults", "context-switches"]
    assert names == [*hardware, "l2d_cache_refill", *accounted]
    cycles = row(found, "cycles")
    assert value(cycles["keras"]).endswith(" G")
    assert number(cycles["keras"]) == pytest.approx(14.6, rel=0.01)
    assert number(cycles["keras / litert"]) == pytest.approx(14.6 / 0.38, rel=0.01)
    assert "\n[" in cycles["keras"]


def test_the_table_per_image_has_region_and_slope_beside_each_other() -> None:
    found = table(clean(), "image")
    region, slope = "keras\nregion", "keras\nslope"
    assert found.columns == ("event", region, slope, "litert\nregion", "litert\nslope", "keras / litert")
    cycles = row(found, "cycles")
    assert number(cycles[region]) == pytest.approx(150, rel=0.01)
    assert number(cycles[slope]) == pytest.approx(150, rel=0.05)
    assert number(cycles["keras / litert"]) == pytest.approx(150 / 11.2, rel=0.01)


@pytest.mark.parametrize(
    ("images", "title"),
    [
        ((1, 5, 20), "The whole run at 10 images"),
        ((1, 5), "The whole run at 5 images"),
        ((20, 40), "The whole run at 20 images"),
        ((1,), "The whole run at 1 image"),
    ],
)
def test_the_whole_run_is_at_ten_images_or_the_nearest_that_was_measured(images: tuple[int, ...], title: str) -> None:
    found = table(built(images=images), "whole")
    assert found.title == title
    assert ("outside the range of the runs" in found.caption) == (len(images) > 1 and "10 images" not in title)


def test_three_models_are_each_divided_by_the_baseline() -> None:
    found = built(labels=("keras", "litert", "litert:int8"))
    assert table(found, "fixed").columns[-2:] == ("keras / litert", "litert:int8 / litert")
    assert number(row(table(found, "image"), "cycles")["litert:int8 / litert"]) == pytest.approx(0.6, rel=0.01)
    assert "keras and 0.60" in found.answer[0]


def test_an_absent_event_is_never_a_zero_and_its_reason_is_said_once() -> None:
    found = table(without_pmu(), "fixed")
    for name in ("cycles", "instructions", "ll_cache_rd"):
        assert {value(cell) for cell in list(row(found, name).values())[1:]} == {"n/a"}
    assert sum(NO_PMU_WHY in note for note in found.notes) == 1
    assert number(row(found, "duration_time")["keras"]) == pytest.approx(6.12, rel=0.01)


def test_an_absent_event_has_no_figure_and_no_metric() -> None:
    shown = section(without_pmu(), "Counts against images").figures
    assert [figure.key for figure in shown] == ["01-duration_time", "amortised", "counts"]
    assert isinstance(shown[-1].drawing, CostGrid)
    assert list(shown[-1].drawing.rows) == ["task-clock", "page-faults"]
    assert "Derived metrics" not in [each.title for each in without_pmu().sections]


def test_that_there_is_no_pmu_is_said_once() -> None:
    warnings = [warning for warning in without_pmu().warnings if "hardware" in warning or "Not counted" in warning]
    assert warnings == ["No hardware counters: the kernel shows no usable PMU."]


def test_some_absent_hardware_is_a_warning() -> None:
    found = built(absent={"l2d_cache_inval": "perf says not supported"})
    assert "Not counted here: l2d_cache_inval. The notes under the tables say why." in found.warnings
    drawing = section(found, "Counts against images").figures[-1].drawing
    assert isinstance(drawing, CostGrid)
    assert "cycles" in drawing.rows
    assert "l2d_cache_inval" not in drawing.rows


def test_a_proxy_is_marked_and_never_stands_under_the_real_name() -> None:
    of = built(machine=replace(PI5, uarch="generic"))
    found = table(of, "fixed")
    assert value(row(found, "stall_backend")["keras"]) == "n/a"
    assert "stalled-cycles-backend (proxy)" in [cells[0] for cells in shown(of.summary[0]).rows]
    (name,) = (cells[0] for cells in found.rows if cells[0].startswith("stalled-cycles-backend"))
    assert name.startswith("stalled-cycles-backend (proxy) ")
    mark = name[-1]
    assert any(note.startswith(f"{mark} stands in for stall_backend") for note in found.notes)


@pytest.mark.parametrize(
    ("recipe", "event", "key", "column", "note"),
    [
        (
            {"change": recounting("cycles", running_percent=41.7)},
            "cycles",
            "fixed",
            "keras",
            "no more than 42 % of some run",
        ),
        ({"bend": {"cycles": 50e6}}, "cycles", "fixed", "litert", "not on a line over the images"),
        ({"outside": {"cycles": 60e6}}, "cycles", "image", "keras\nslope", "contradict each other"),
        ({"repeats": 1, "images": (1, 10)}, "cycles", "fixed", "keras", "no interval: too few processes"),
        ({"images": (5,)}, "cycles", "image", "keras", None),
    ],
)
def test_a_doubtful_figure_is_marked(
    recipe: dict[str, Any], event: str, key: str, column: str, note: str | None
) -> None:
    found = table(built(**recipe), key)
    cell = row(found, event)[column].partition("\n")[0]
    marks = {note_[0] for note_ in found.notes if note and note in note_}
    assert bool(marks) == bool(note)
    assert any(mark in cell for mark in marks) == bool(note)


def test_a_clean_study_has_no_warning() -> None:
    assert clean().warnings == ()


def slower_later(run: Run) -> Run:
    assert run.completion
    latencies = tuple(round(5e6 * (1 + place * 0.02)) for place in range(run.case.images))
    return replace(run, completion=replace(run.completion, latencies_ns=latencies))


def disturbed(run: Run) -> Run:
    if (run.case.model, run.case.images, run.case.region, run.repeat) != ("keras", 10, "process", 1):
        return run
    return recounting("duration_time", value=60e9)(run)


def hot(run: Run) -> Run:
    return replace(run, after=replace(run.after, throttled=0x40004)) if run.order == 7 else run


@pytest.mark.parametrize(
    ("recipe", "warning"),
    [
        (
            {"change": failing("keras", 5, 0)},
            "2 of 36 planned runs failed (keras): killed by signal 9. The table of missing runs says",
        ),
        (
            {"change": lambda run: run if run.repeat < 2 else None},
            "12 of 36 planned runs were not made: the sweep was cut",
        ),
        ({"change": hot}, "The board throttled while it was measured (throttled now and throttled since boot)"),
        ({"scope": "user"}, "Only user mode was counted (perf_event_paranoid 1)"),
        (
            {"change": recounting("cycles", running_percent=41.7)},
            "cycles: a counter was on the event for as little as 42 %",
        ),
        ({"bend": {"cycles": 50e6}}, "litert: cycles not on a line over the images"),
        (
            {"outside": {"cycles": 60e6}},
            "Slope and region disagree in 2 of 26 comparisons: keras cycles (210 M against 150 M)",
        ),
        ({"change": slower_later}, "keras: latencies rise by"),
        ({"repeats": 2}, "2 repeats a case: intervals are wide or missing"),
        ({"images": (5,)}, "One image count: whole processes do not tell fixed cost and cost per image apart"),
        ({"change": disturbed}, "Far off the line, and part of the figures all the same: run "),
        ({"governor": "ondemand"}, "The ondemand governor was free to move the clock"),
    ],
)
def test_what_makes_figures_doubtful_is_said(recipe: dict[str, Any], warning: str) -> None:
    assert any(found.startswith(warning) for found in built(**recipe).warnings), built(**recipe).warnings


def test_throttling_long_before_the_study_is_told_but_no_warning() -> None:
    found = built(throttled=0x10000)
    assert found.warnings == ()
    assert ("throttling", "under-voltage since boot") in table(found, "machine").rows


def test_missing_runs_stand_in_a_table_with_their_reason() -> None:
    found = table(built(change=failing("keras", 5, 0, "killed by signal 11")), "gaps")
    assert {(cells[0], cells[1], *cells[3:]) for cells in found.rows} == {
        ("keras", "5", "1", "0", "killed by signal 11")
    }
    assert "Missing runs" not in [each.title for each in clean().sections]


@pytest.mark.parametrize(
    ("recipe", "keys"),
    [
        ({}, ["fixed", "image", "whole"]),
        ({"regions": ("inference",)}, ["image"]),
        ({"regions": ("process",)}, ["fixed", "image", "whole"]),
        ({"images": (5,)}, ["image", "whole"]),
    ],
)
def test_the_lab_tables_are_those_that_the_regions_allow(recipe: dict[str, Any], keys: list[str]) -> None:
    assert [found.key for found in section(built(**recipe), "What it costs").tables] == keys


def test_without_whole_processes_the_report_says_what_is_not_known() -> None:
    found = built(regions=("inference",))
    assert "what is paid once is not known" in section(found, "What it costs").sentences[0]
    assert "Counts against images" not in [each.title for each in found.sections]


def test_the_phases_table_and_its_sum() -> None:
    found = section(clean(), "What is paid once, by phase")
    assert cell(clean(), "phases", "import", "keras\nwall").value == pytest.approx(0.55 * 6.12e9, rel=0.01)
    assert "keras 6.12 s against 6.1" in found.sentences[0]


def test_phases_counted_alone_have_a_table_a_model() -> None:
    of = built(phases=True)
    assert table(of, "phase-counts-0").title == "keras: events by phase"
    figure = cell(of, "phase-counts-0", "cycles", "import of the engine")
    assert figure.value == pytest.approx(0.55 * 14.6e9, rel=0.01)
    assert figure.quantity == ("keras", "cycles", "import", None)


def test_tails_of_few_latencies_are_not_given() -> None:
    few = table(built(images=(1, 2), repeats=3), "latency")
    assert [value(cell) for cell in few.rows[0][3:5]] == ["n/a", "n/a"]
    assert any("fewer than 100 inferences" in note for note in few.notes)
    many = table(built(images=(1, 40), repeats=3), "latency")
    assert not any(cell.startswith("n/a") for cell in many.rows[0])


def test_derived_metrics_say_what_they_mean() -> None:
    found = table(clean(), "derived")
    assert number(row(found, "IPC")["litert\nper image"]) == pytest.approx(26 / 11.2, rel=0.01)
    assert any("upper bound for waiting on memory" in note for note in found.notes)


def test_the_models_their_sizes_and_the_caches() -> None:
    assert row(table(clean(), "models"), "file")["litert"] == "cat-dog-mnv2.tflite"
    assert "(3.72 times litert)" in section(clean(), "Models and caches").sentences[0]
    assert ("L3 unified", "2 MiB", "16", "64 bytes", "4 CPUs", "sysfs") in table(clean(), "caches").rows
    assert "caches" not in [t.key for each in built(machine=replace(PI5, caches=())).sections for t in each.tables]


def test_agreement_is_a_sentence() -> None:
    (said,) = section(clean(), "Do the models agree?").points
    assert said.startswith("keras and litert give 9 of 10 inferences on the same images the same label")


def test_what_the_machine_did_not_tell_is_said_as_such() -> None:
    found = table(built(governor=None, throttled=None), "machine").rows
    assert ("governor", "not told") in found
    assert ("throttling", "not told") in found


def test_one_image_count_has_no_line_to_draw() -> None:
    assert "Counts against images" not in [each.title for each in built(images=(5,)).sections]


def test_the_method_has_the_command() -> None:
    found = section(clean(), "Method")
    assert found.command == "profiler sweep --models keras,litert"
    assert any("`perf stat`" in point for point in found.points)


def test_meanings_are_those_of_the_studys_events() -> None:
    study, _ = made_study()
    found = table(clean(), "events").rows
    assert {cells[0]: cells[4] for cells in found} == {event.name: event.meaning for event in study.events}


def test_every_event_with_a_figure_has_one_model_after_the_other() -> None:
    leading, amortised, rest = section(clean(), "Counts against images").figures
    assert (leading.key, amortised.key, rest.key) == ("01-duration_time", "amortised", "counts")
    assert isinstance(leading.drawing, CostLines)
    assert isinstance(rest.drawing, CostGrid)
    assert len(rest.drawing.rows) == 7
    assert "duration_time" not in rest.drawing.rows
    for costs in (leading.drawing.costs, *rest.drawing.rows.values()):
        assert [cost.model for cost in costs] == ["keras", "litert"]


@pytest.mark.parametrize("labels", [("litert",), ("keras", "litert"), ("keras", "litert", "litert:int8")])
def test_the_summary_fits_a_terminal(
    labels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = built(labels=labels, noise=0.05)
    assert [each.key for each in found.summary] == ["summary-once", "summary-image"]
    for each in found.summary:
        terminal.show(each)
        lines = [line.split() for line in capsys.readouterr().out.splitlines()]
        for cells in shown(each).rows:
            assert " ".join(cells).split() in lines


def test_of_many_models_the_summary_has_a_row_each(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    labels = ("keras", "litert", "litert:dynamic", "litert:int8", "litert:fp16")
    found = built(labels=labels)
    for each in found.summary:
        terminal.show(each)
        assert [cells[0] for cells in shown(each).rows] == list(labels)
        assert max(map(len, capsys.readouterr().out.splitlines())) <= 80
    images = [shown(each) for each in found.summary if each.key.startswith("summary-image")]
    named = [event for each in images for event in each.columns[1:]]
    assert named == [cells[0] for cells in shown(built().summary[1]).rows]


def test_the_summary_leaves_out_what_was_not_counted() -> None:
    for found in without_pmu().summary:
        assert next(cells[0] for cells in shown(found).rows) == "duration_time"


@pytest.mark.parametrize(
    "recipe",
    [
        {},
        {"labels": ("litert",)},
        {"labels": ("keras", "litert", "litert:int8")},
        {"images": (5,)},
        {"repeats": 1, "images": (1, 10)},
        {"regions": ("inference",)},
        {"regions": ("process",)},
        {"phases": True},
        {"event_set": "all"},
        {"change": failing("keras", 10, 0)},
        {"change": lambda run: run if run.case.model == "litert" else replace(run, outcome="timeout", completion=None)},
    ],
)
def test_every_table_is_rectangular_and_no_word_is_a_slip(recipe: dict[str, Any]) -> None:
    found = built(**recipe)
    for each in found.sections:
        for its in each.tables:
            assert {len(cells) for cells in its.rows} == {len(its.columns)}
    words = everything(found)
    for slip in ("None", " nan", "[nan", " inf ", "{", "}", "  ", "Estimate(", " ."):
        assert slip not in words, slip


def test_the_same_study_gives_the_same_report() -> None:
    assert everything(built()) == everything(built())
