"""The lab's real board as a study: every figure is the table's, and its report says what it is worth."""

import csv
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest
from msgspec.structs import replace
from reading import everything, row, table

import profiler
from profiler import report, store
from profiler.analysis.study_analysis import analyse
from profiler.records import Run, Study
from profiler.report.model import Report

ROOT = Path(profiler.__file__).parents[1]
FOLDER = ROOT / "runs" / "pi5-cat-dog-lab"
TIMES = {"duration_time", "user_time", "system_time"}


def figures() -> dict[tuple[str, str], int]:
    """By model and event, as the table has them."""
    with (ROOT / "benchmarks/reference/pi5-cat-dog-lab.csv").open() as file:
        rows = list(csv.DictReader(file))
    return {
        (label, line["event"].removesuffix("_ns")): int(line[label]) for line in rows for label in ("keras", "litert")
    }


@cache
def kept() -> tuple[Study, tuple[Run, ...]]:
    return store.load(FOLDER)


@cache
def built() -> Report:
    return report.build(*kept())


def test_the_study_is_what_the_script_makes(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "benchmarks.pi5_lab_study", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    study, runs = store.load(tmp_path / FOLDER.name)
    assert (replace(study, profiler_version=kept()[0].profiler_version), runs) == kept()


def test_the_script_writes_over_nothing(tmp_path: Path) -> None:
    (tmp_path / FOLDER.name).mkdir()
    command = [sys.executable, "-m", "benchmarks.pi5_lab_study", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("study 'pi5-cat-dog-lab' exists")
    assert done.stderr.count("\n") == 1


def test_every_figure_is_the_tables_and_every_figure_of_the_table_is_there() -> None:
    found = {(run.case.model, count.event): count.value for run in kept()[1] for count in run.counts}
    assert found == figures()
    assert len(found) == 30


def test_hardware_counts_are_estimates_and_perfs_own_times_are_not() -> None:
    for run in kept()[1]:
        for count in run.counts:
            assert count.estimated is (count.event not in TIMES)
            assert count.running_percent is None
            assert count.unit == ("ns" if count.event in TIMES else "")


def test_what_is_not_known_is_not_said() -> None:
    study, runs = kept()
    assert study.imported_from == "QFlask/ece386-lab4, perf-catdog.csv"
    assert {model.sha256 for model in study.models} == {""}
    assert study.machine.kernel == study.machine.python == "not told"
    for run in runs:
        assert run.completion is None
        assert run.before.temperature_celsius is None
        assert run.before.throttled is None


def test_events_have_their_meaning_on_this_core() -> None:
    study, _ = kept()
    metrics = {event.name: event.metric for event in study.events}
    assert metrics["cpu_cycles"] == "cycles"
    assert metrics["LLC-loads"] == "llc_load"
    assert metrics["cache-misses"] == metrics["L1-dcache-load-misses"] == "l1d_refill"
    assert not [event.name for event in study.events if "not in the catalogue" in event.meaning]
    assert study.groups == (tuple(event.name for event in study.events if event.kind == "hardware"),)


def test_the_notes_figures_follow_from_the_table() -> None:
    told, notes = figures(), " ".join(kept()[0].notes)
    misses = told["litert", "L1-dcache-load-misses"] / told["litert", "cache-misses"] - 1
    assert f"by up to {misses * 100:.1f} % (cache-misses and L1-dcache-load-misses of litert)" in notes
    assert f"keras's take {told['keras', 'cpu_cycles'] / 2.4e9:.2f} s" in notes
    assert "12 hardware events shared 6 counters" in notes


def test_its_analysis_has_no_fixed_cost_and_no_interval() -> None:
    analysis = analyse(*kept())
    for cost in analysis.costs.values():
        assert cost.line is None
        assert cost.scaled is (cost.event.name not in TIMES)
        whole = cost.whole(10)
        assert whole is not None
        assert (whole.value, whole.interval) == (figures()[cost.model, cost.event.name], None)
    assert not analysis.latencies
    assert not analysis.gaps


def test_its_report_marks_every_hardware_count() -> None:
    whole = table(built(), "whole")
    for event in {event for _, event in figures()}:
        cells = row(whole, event)
        for label in ("keras", "litert"):
            assert ("¹" in cells[label]) is (event not in TIMES)
    assert any(note.startswith("¹ scaled up") for note in whole.notes)


def test_its_report_is_degraded_and_says_why() -> None:
    validity = built().validity
    assert validity is not None
    assert validity.grade == "degraded"
    codes = {finding.code for finding in validity.findings}
    assert {"multiplexed", "imported", "few-repeats", "one-image-count"} <= codes


@pytest.mark.parametrize(
    "untrue", ["none is multiplexed", "Within a repeat all cases", "decoded and resized", "0 % of"]
)
def test_its_report_says_nothing_of_runs_that_this_tool_would_have_made(untrue: str) -> None:
    assert untrue not in everything(built())


def test_its_report_has_every_format(tmp_path: Path) -> None:
    page = report.write(built(), tmp_path)
    assert "QFlask/ece386-lab4" in page.read_text()
    assert "31.6 G" in (tmp_path / "report.md").read_text()
