"""Simulated figures in a report: in columns of their own, labelled wherever they stand, never taken for measured."""

import csv
import io
import re
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import msgspec
import pytest
from msgspec.structs import replace
from reading import SVG, Shown, cell, everything, markdown_tables, number, row, section, shown, table, tables, value
from studies import failing, made_study, study_beside, virtual_study

from profiler import report
from profiler.cli import terminal
from profiler.export import tidy_tables
from profiler.records import Run, Study, from_json, to_json
from profiler.report.figures.data import CostGrid, RefillBars
from profiler.report.formats import file_manifest
from profiler.report.model import Report
from profiler.report.sections import simulation_provenance

SMALL = {"images": (1, 5, 10), "repeats": 3, "noise": 0.001}
GEOMETRY = "Raspberry Pi 5: L1 64 KiB 4-way, L2 512 KiB 8-way private, L3 2 MiB 16-way shared, 64 B lines"
LABEL = ("Simulated by QEMU 7.2.22, not measured", "1 thread", "1 simulated core", GEOMETRY)
TIME = re.compile(r"\d (ns|µs|ms|s)\b")
MEASURED = {
    "What it costs",
    "Counts against images",
    "What is paid once, by phase",
    "Latency",
    "Derived metrics",
    "What the counters mean",
}

Change = Callable[[Run], Run]


@cache
def beside(**recipe: object) -> Report:
    return report.build(*study_beside(**{**SMALL, **recipe}))


@cache
def virtual(**recipe: object) -> Report:
    return report.build(*virtual_study(**recipe))


@cache
def with_pmu() -> Report:
    """Simulated counts of the very events that were counted."""
    return report.build(*made_study(simulated=("inference", "process"), event_set="caches", phases=True, **SMALL))


def multiplied(run: Run) -> Run:
    """All that the run counted, timed and used, several times as large: of each model as many times."""
    times = 2 if run.case.model == "litert" else 3
    counts = (replace(count, value=None if count.value is None else round(count.value * times)) for count in run.counts)
    assert run.completion
    return replace(run, counts=tuple(counts), completion=slowed(run, times))


def slowed(run: Run, times: int) -> Any:
    assert run.completion
    phases = {
        name: replace(usage, **{key: getattr(usage, key) * times for key in usage.__struct_fields__})
        for name, usage in run.completion.phases.items()
    }
    return replace(
        run.completion,
        phases=phases,
        latencies_ns=tuple(latency * times for latency in run.completion.latencies_ns),
        peak_rss_bytes=run.completion.peak_rss_bytes * times,
    )


def changed_columns(of: Report, other: Report) -> dict[tuple[str, int], Shown]:
    """Columns with a cell that differs, by their table's key and place, the terminal's tables among them."""
    found = {}
    for ours, theirs in zip(tables(of), tables(other), strict=True):
        assert ours.key == theirs.key
        for place in range(len(ours.columns)):
            if [cells[place] for cells in ours.rows] != [cells[place] for cells in theirs.rows]:
                found[ours.key, place] = ours
    return found


def only(simulated: bool) -> Change:
    return lambda run: multiplied(run) if (run.case.simulator is not None) == simulated else run


@pytest.mark.parametrize(
    "make",
    [
        lambda change: study_beside(change=change, **SMALL),
        lambda change: made_study(
            change=change, simulated=("inference", "process"), event_set="caches", phases=True, **SMALL
        ),
    ],
    ids=["without a PMU", "with a PMU that counts events of the same names"],
)
def test_simulated_and_counted_figures_share_no_column(make: Callable[[Change | None], tuple[Study, Any]]) -> None:
    of = report.build(*make(None))
    by_simulated = changed_columns(of, report.build(*make(only(simulated=True))))
    by_counted = changed_columns(of, report.build(*make(only(simulated=False))))
    assert len(by_simulated) >= 6
    assert len(by_counted) >= 15
    assert not by_simulated.keys() & by_counted.keys()
    assert not {key for key, _ in by_simulated} & {key for key, _ in by_counted}
    for (_, place), found in by_simulated.items():
        assert "simulated" in found.title
        assert "simulated" in found.columns[place] or found.key.startswith("simulated-summary-")
    for (_, place), found in by_counted.items():
        assert "simulated" not in found.title + found.columns[place]


def test_times_of_simulated_runs_are_nowhere() -> None:
    def change(run: Run) -> Run:
        return replace(run, completion=slowed(run, 7), wall_ns=run.wall_ns * 7) if run.case.simulator else run

    assert everything(beside()) == everything(report.build(*study_beside(change=change, **SMALL)))


def test_what_was_measured_reads_as_without_a_simulation() -> None:
    study, runs = study_beside(**SMALL)
    native = replace(study, simulation=None, cases=tuple(case for case in study.cases if case.simulator is None))
    alone = report.build(native, [run for run in runs if run.case.simulator is None])
    both = beside()
    assert both.answer == alone.answer
    assert both.summary[:2] == alone.summary
    measured = [each for each in alone.sections if each.title in MEASURED]
    assert len(measured) == 5
    for ours, theirs in zip((each for each in both.sections if each.title in MEASURED), measured, strict=True):
        assert (ours.title, ours.sentences, ours.tables) == (theirs.title, theirs.sentences, theirs.tables)
        assert [figure.key for figure in ours.figures] == [figure.key for figure in theirs.figures]
    assert table(both, "machine") == table(alone, "machine")
    assert [each for each in both.warnings if "imulated" not in each] == list(alone.warnings)


def test_a_study_from_before_simulation_is_what_it_was() -> None:
    study, runs = made_study(**SMALL)
    plain = msgspec.json.decode(to_json(study))
    del plain["simulation"]
    for case in plain["cases"]:
        del case["simulator"]
    for name in ("caches", "on", "simulated_images"):
        plain["plan"].pop(name)
    old = from_json(Study, msgspec.json.encode(plain))
    assert everything(report.build(old, runs)) == everything(report.build(study, runs))
    assert "imulat" not in everything(report.build(old, runs))


@pytest.mark.parametrize("of", [beside, with_pmu, virtual], ids=["beside", "with a PMU", "virtual"])
def test_every_table_of_simulated_figures_says_whence_they_are(of: Callable[[], Report]) -> None:
    found = map(shown, section(of(), "Simulated caches").tables)
    figures = [each for each in found if not each.words]
    assert len(figures) >= 2
    for each in figures:
        assert each.key.startswith("simulated-")
        assert each.title.endswith(", simulated")
        assert all(part in each.caption for part in LABEL)
        assert all("simulated" in head for head in each.columns[1:])


def test_the_instruction_set_is_named_and_a_foreign_one_is_said_to_be_none_of_the_targets() -> None:
    assert "x86-64 instructions" in table(beside(), "simulated-image").caption
    first = section(beside(), "Simulated caches").sentences[0]
    assert "not of Raspberry Pi 5's own" in first
    assert "arm64 instructions" in table(virtual(), "simulated-image").caption
    own = section(virtual(), "Simulated caches").sentences[0]
    assert "not of" not in own
    assert "a virtual Raspberry Pi 5" in own


@pytest.mark.parametrize(
    ("arch", "uarch", "foreign"),
    [
        ("x86_64", "cortex-a76", True),
        ("aarch64", "cortex-a76", False),
        ("x86_64", "skylake-x", False),
        ("aarch64", "amd-zen3", True),
        ("x86_64", "generic", False),
        ("x86_64", "of-tomorrow", False),
    ],
)
def test_instructions_are_foreign_where_the_core_is_known_to_have_others(arch: str, uarch: str, foreign: bool) -> None:
    simulation = study_beside(**SMALL)[0].simulation
    assert simulation
    target = replace(simulation.target, uarch=uarch)
    assert simulation_provenance.foreign(replace(simulation, arch=arch, target=target)) == foreign


def test_the_table_per_image_has_the_truth() -> None:
    found = table(beside(), "simulated-image")
    assert found.title == "Paid for each image, simulated"
    assert found.columns == ("event", "keras\nsimulated", "litert\nsimulated", "keras / litert\nsimulated")
    keras, litert, ratio = (cell(beside(), found.key, "ll_cache_miss_rd", head) for head in found.columns[1:])
    assert keras.value == pytest.approx(2.65e6, rel=2e-3)
    assert ratio.value == pytest.approx(13, rel=2e-3)
    assert litert.value == pytest.approx(203e3, rel=5e-3)
    assert (keras.status, keras.interval, ratio.status) == ("simulated", None, "simulated")
    assert cell(beside(), found.key, "l2d_cache_inval", "litert\nsimulated").value == 0


def test_what_is_not_simulated_is_absent_with_its_reason() -> None:
    found = table(beside(), "simulated-image")
    for name in ("cycles", "stall_backend"):
        cells = row(found, name)
        assert {value(cell) for cell in list(cells.values())[1:]} == {"n/a"}
        mark = cells["litert\nsimulated"][-1]
        assert f"{mark} not modelled: the simulation has no notion of time" in found.notes
    meanings = {cells[0]: cells for cells in table(beside(), "simulated-events").rows}
    assert meanings["cycles"][3] == "n/a: not modelled: the simulation has no notion of time"
    assert meanings["inst_retired"][3] == "qemu"


def test_the_modelled_figure_is_called_an_upper_bound_wherever_it_stands() -> None:
    for found in (*map(shown, beside().summary[2:]), table(beside(), "simulated-image")):
        names = [cells[0] for cells in found.rows]
        assert "memory_latency_cycles\nmodelled, upper bound" in names
    (how,) = (point for point in section(beside(), "Simulated caches").points if "memory_latency_cycles" in point)
    assert "no count but modelled, an upper bound" in how
    assert "cycles; " in how


def test_metrics_of_simulated_counts_have_a_table_of_their_own() -> None:
    found = table(beside(), "simulated-derived")
    assert found.columns == ("metric", "keras\nper image, simulated", "litert\nper image, simulated")
    ratio = next(cells for cells in found.rows if cells[0].startswith("LLC read miss ratio"))
    assert number(ratio[1]) == pytest.approx(47.0, abs=0.1)
    assert "Derived metrics" not in [each.title for each in beside().sections]


def test_whole_simulated_processes_have_the_labs_three_tables_and_figures() -> None:
    keys = [each.key for each in section(virtual(), "Simulated caches").tables]
    assert keys[:3] == ["simulated-fixed", "simulated-image", "simulated-whole"]
    assert table(virtual(), "simulated-whole").title == "The whole run at 4 images, simulated"
    figures = section(virtual(), "Simulated caches").figures
    (lines,) = [figure for figure in figures if isinstance(figure.drawing, CostGrid)]
    assert lines.key == "simulated-counts"
    assert lines.title.endswith(", simulated")
    assert isinstance(lines.drawing, CostGrid)
    assert [*lines.drawing.rows][:2] == ["inst_retired", "l1d_cache"]
    assert not any(isinstance(figure.drawing, CostGrid) for figure in section(beside(), "Simulated caches").figures)


def test_figures_of_counted_and_simulated_events_have_names_of_their_own() -> None:
    keys = [figure.key for each in with_pmu().sections for figure in each.figures]
    assert len(set(keys)) == len(keys)


def test_phases_simulated_alone_have_their_table() -> None:
    found = table(virtual(simulated=("process", "inference", "import")), "simulated-phase-counts-1")
    assert found.title == "litert: events by phase, simulated"
    assert found.columns == ("event", "import of the engine\nsimulated")


def test_the_refills_figure_has_a_bar_a_cache() -> None:
    found = section(beside(), "Simulated caches").figures[0]
    assert found.title == "Where the refills are served, simulated"
    assert isinstance(found.drawing, RefillBars)
    for label in ("keras", "litert"):
        assert list(found.drawing.costs[label]) == ["L1D refills", "L2 refills", "LLC misses"]
    assert "litert: L1D refills 843 k, L2 refills 433 k and LLC misses 203 k" in found.alt


def test_caches_without_an_l3_have_the_bars_that_they_have() -> None:
    of = beside(target="pi4")
    found = section(of, "Simulated caches").figures[0]
    assert isinstance(found.drawing, RefillBars)
    assert list(found.drawing.costs["litert"]) == ["L1D refills", "L2 refills"]


def test_the_proof_is_told() -> None:
    proof = section(beside(), "Simulated caches").sentences[1]
    assert proof.startswith("2 runs of litert with 1 image gave the same counts in all 29 events.")
    assert (
        "Over 1, 2 and 4 images litert's simulated instructions lie on a line within 0.01 %, "
        "all 29 events within 0.01 %." in proof
    )


def test_the_proof_names_another_region() -> None:
    proof = section(virtual(simulated=("process",)), "Simulated caches").sentences[1]
    assert proof == "2 runs of litert with 1 image (region `process`) gave the same counts in all 29 events."


def test_counts_that_do_not_repeat_or_bend_are_told() -> None:
    def change(run: Run) -> Run:
        more = {("l1d_cache_inval", 1, 1): 16, ("ll_cache_rd", 2, 0): 43_270}
        if run.case.simulator is None:
            return run
        counts = (
            replace(count, value=(count.value or 0) + more.get((count.event, run.case.images, run.repeat), 0))
            for count in run.counts
        )
        return replace(run, counts=tuple(counts))

    proof = section(report.build(*study_beside(change=change, **SMALL)), "Simulated caches").sentences[1]
    assert "2 runs of litert with 1 image differ by up to 1.0 % (l1d_cache_inval)." in proof
    assert "gave the same" not in proof
    assert re.search(
        r"litert's simulated instructions lie on a line within 0.01 %, .* \(the worst: ll_cache_rd\)", proof
    )


def test_the_answer_beside_measured_times_has_no_simulated_figure() -> None:
    assert "imulated" not in " ".join(beside().answer)


def test_the_answer_of_a_virtual_board_is_of_simulated_instructions() -> None:
    (said,) = virtual().answer
    lead, figures = said.split(", untimed. ")
    assert lead == "All figures are simulated: arm64 instructions under QEMU 7.2.22, on a virtual Raspberry Pi 5"
    assert figures.startswith(
        "A simulated run of 4 images costs keras 66.0 G and litert 713 M, in simulated instruction"
    )
    assert "Of such a simulated run, 93.7 %" in figures


def test_the_region_alone_has_its_answer_too() -> None:
    (said,) = virtual(simulated=("inference",)).answer
    assert "An image costs keras 1.03 G and litert 79.3 M, in simulated instructions (inst_retired)." in said
    assert " once" not in said


@pytest.mark.parametrize("make", [study_beside, virtual_study])
def test_runs_that_all_failed_leave_no_figure(make: Callable[..., tuple[Study, tuple[Run, ...]]]) -> None:
    def change(run: Run) -> Run:
        return replace(run, outcome="failed", counts=(), completion=None, error="no memory")

    found = report.build(*make(change=change, images=(1, 5), repeats=2))
    assert len(found.answer) == 1
    assert "ended well" in found.answer[0]
    assert found.summary == ()
    assert [figure.key for each in found.sections for figure in each.figures] == ["sizes"]


def test_simulated_figures_stand_where_every_measured_run_failed() -> None:
    def change(run: Run) -> Run:
        return run if run.case.simulator else replace(run, outcome="failed", counts=(), completion=None, error="gone")

    found = report.build(*study_beside(change=change, images=(1, 5), repeats=2))
    (said,) = found.answer
    assert said.startswith(
        "No run on this machine itself ended well, so nothing was measured. All figures are simulated"
    )
    assert "An image costs keras 1.03 G and litert 79.3 M, in simulated instructions" in said
    assert [each.key for each in found.summary] == ["simulated-summary-image"]


def test_warnings_say_that_there_are_no_counters_and_where_the_simulated_ones_are() -> None:
    assert beside().warnings[0] == "No hardware counters: the kernel shows no usable PMU."
    assert any("stand in tables of their own, which say so" in warning for warning in beside().warnings)
    assert any(warning.startswith("Nothing here was measured") for warning in virtual().warnings)


def test_the_simulators_load_clock_and_few_repeats_are_no_doubts() -> None:
    """The made simulated runs saw load 99, a throttled board and another governor."""
    for of in (beside(), virtual()):
        words = " ".join(of.warnings)
        for doubt in ("load of", "throttled", "governor", "repeats a case", "One image count", "Far off"):
            assert doubt not in words


def test_failed_simulated_runs_are_in_the_gaps_with_their_simulator() -> None:
    def change(run: Run) -> Run:
        return failing("litert", 4, 0, "killed by signal 11")(run)

    found = report.build(*study_beside(change=change, **SMALL))
    assert table(found, "gaps").columns == ("model", "images", "region", "run by", "failed", "not made", "why")
    assert table(found, "gaps").rows == (("litert", "4", "inference", "qemu", "1", "0", "killed by signal 11"),)
    assert any(each.startswith("1 of 43 planned runs failed (litert under qemu)") for each in found.warnings)


def test_a_simulated_line_that_bends_is_a_doubt() -> None:
    def change(run: Run) -> Run:
        if run.case.region != "process":
            return run
        counts = (replace(count, value=(count.value or 0) * run.case.images) for count in run.counts)
        return replace(run, counts=tuple(counts))

    study, runs = virtual_study(change=change, simulated_images=(1, 2, 4, 8))
    again = [replace(run, order=run.order + 100, repeat=run.repeat + 1) for run in runs]
    assert any(
        each.startswith("litert, simulated: ") and "not on a line" in each
        for each in report.build(study, (*runs, *again)).warnings
    )


def test_the_method_says_how_simulated_runs_were_made() -> None:
    points = section(beside(), "Method").points
    (how,) = (point for point in points if point.startswith("Simulated: "))
    assert how == (
        "Simulated: 7 runs, each a fresh process under QEMU 7.2.22: keras and litert with 1, 2 and 4 images, region "
        "`inference`; 1 repeat of every case, and once more litert with 1 image, which shows that counts repeat."
    )
    assert any("the caches are warm when the region begins" in point for point in points)
    assert points[0].startswith("36 runs, each a fresh process")
    assert not any(
        "the caches are warm" in point for point in section(virtual(simulated=("process",)), "Method").points
    )


def test_a_virtual_board_has_no_section_of_measurements() -> None:
    titles = [each.title for each in virtual().sections]
    assert titles == [
        "Simulated caches",
        "Models",
        "Do the models agree?",
        "Machine of the simulator",
        "Verdict",
        "Method",
        "What the simulated events mean",
    ]
    assert virtual().title == "What keras and litert cost, simulated"
    assert "virtual Raspberry Pi 5, 13 simulated runs" in virtual().subtitle
    words = everything(virtual())
    assert not TIME.search(words), TIME.search(words)
    for word in (
        "duration_time",
        "task-clock",
        "page-faults",
        "peak resident",
        "No hardware",
        "`perf stat`",
        "governor",
    ):
        assert word not in words
    for each in tables(virtual()):
        assert each.words or "simulated" in each.title


@pytest.mark.parametrize("labels", [("litert",), ("keras", "litert"), ("keras", "litert", "litert:int8")])
def test_the_summary_fits_a_terminal_and_says_simulated(
    labels: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    found = beside(labels=labels)
    assert [each.key for each in found.summary] == ["summary-once", "summary-image", "simulated-summary-image"]
    last = found.summary[-1]
    assert last.title == "Paid for each image, simulated (QEMU 7.2.22, Raspberry Pi 5 caches)"
    terminal.show(last)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 80
    assert "ll_cache_miss_rd" in {line.split(" ")[0] for line in lines}
    assert any("modelled, upper bound" in line for line in lines)
    assert "±" not in "".join(lines)


@pytest.mark.parametrize(
    "recipe",
    [
        {"labels": ("litert",)},
        {"labels": ("keras", "litert", "litert:int8")},
        {"simulated_images": (1,)},
        {"simulated": ("process",)},
        {"simulated": ("process", "inference")},
        {"event_set": "all"},
        {"target": "pi4"},
        {"target": "pi3"},
        {"simulated_groups": (("inst_retired", "l2d_cache_refill"), ("inst_retired", "ll_cache_miss_rd"))},
    ],
)
@pytest.mark.parametrize("make", [study_beside, virtual_study])
def test_every_table_is_rectangular_and_no_word_is_a_slip(
    make: Callable[..., tuple[Study, tuple[Run, ...]]], recipe: dict[str, Any]
) -> None:
    found = report.build(*make(**{**SMALL, **recipe}))
    for each in tables(found):
        assert {len(cells) for cells in each.rows} == {len(each.columns)}
    words = everything(found)
    for slip in ("None", " nan", "[nan", " inf ", "{", "}", "  ", "Estimate(", " .", "()", ".."):
        assert slip not in words, slip


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a virtual board."""
    target = tmp_path_factory.mktemp("reports") / "virtual"
    report.write(virtual(), target, ("html", "md", "csv"))
    return target


def test_a_virtual_boards_files_have_no_latencies(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"index.html", "report.md", "counts.csv", "costs.csv", "figures", file_manifest.LIST}
    page, document = (folder / "index.html").read_text(), (folder / "report.md").read_text()
    assert "latencies.csv" not in page
    for word in ("duration_time", "page-faults", "Latency"):
        assert word not in page
        assert word not in document
    for lines in markdown_tables(document):
        assert len({line.count("|") - line.count("\\|") for line in lines}) == 1


def test_simulated_figures_are_drawn_in_their_models_colours_and_say_so(folder: Path) -> None:
    drawn = sorted(folder.glob("figures/*.svg"))
    assert "simulated-refills" in {path.stem for path in drawn}
    for path in drawn:
        assert path.stem.startswith("simulated-") or path.stem == "sizes"
        texts = [element.text or "" for element in ElementTree.parse(path).iter(f"{SVG}text")]
        assert any("simulated" in text for text in texts)
    bars = (folder / "figures/simulated-refills.svg").read_text()
    assert "#0072b2" in bars
    assert "#d55e00" in bars
    assert "LLC misses: 203 k" in bars


def test_rows_of_simulated_counts_cannot_be_mistaken() -> None:
    study, runs = study_beside(**SMALL)
    lines = list(csv.DictReader(io.StringIO(tidy_tables.counts_csv(study, runs).decode())))
    simulated = [line for line in lines if line["status"] == "simulated"]
    assert len(simulated) == 7 * 29
    for line in simulated:
        assert (line["source"], line["simulator"], line["arch"], line["threads"]) == ("qemu", "qemu", "x86_64", "1")
        assert line["simulated_caches"].startswith(GEOMETRY)
        assert line["simulated_cores"] == "1"
    others = [line for line in lines if line["status"] != "simulated"]
    assert others
    for line in others:
        assert (line["simulator"], line["simulated_caches"], line["simulated_cores"]) == ("", "", "")
        assert line["arch"] == study.machine.arch


def test_a_failed_simulated_run_is_a_line_with_its_simulator() -> None:
    study, runs = virtual_study(change=failing("keras", 4, 0))
    lines = csv.DictReader(io.StringIO(tidy_tables.counts_csv(study, runs).decode()))
    failed = [line for line in lines if line["outcome"] == "failed"]
    assert [(line["simulator"], line["arch"], line["event"]) for line in failed] == [("qemu", "aarch64", "")] * 2


def test_latencies_of_simulated_runs_are_not_written() -> None:
    runs = study_beside(**SMALL)[1]
    orders = {run.order for run in runs if run.case.simulator is None}
    lines = csv.DictReader(io.StringIO(tidy_tables.latencies_csv(runs).decode()))
    assert {int(line["order"]) for line in lines} == orders
    assert len(orders) < len(runs)
