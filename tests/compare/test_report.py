"""The report of a comparison: sentences, tables, figures, numbers."""

import csv
import io
import re
from pathlib import Path
from typing import Any

import pytest
from made_comparisons import SMALL, compared, dearer, made
from msgspec.structs import replace
from reading import section, shown, table
from studies import KERAS, LITERT, PI5, recounting, study_beside, virtual_study

from profiler import report as reports
from profiler.compare import build
from profiler.compare.machine_differences import clock_hz
from profiler.compare.model import Comparison
from profiler.records import Machine
from profiler.report.figures.data import RatioDots
from profiler.report.model import Report


@pytest.fixture(scope="module")
def changed() -> Report:
    return build(compared(made(draw=1), made(draw=2, **dearer("l2d_cache_refill", 1.5))))


def cells(of: Report, key: str, name: str) -> dict[str, str]:
    found = table(of, key)
    (row,) = (row for row in found.rows if row[0] == name)
    return dict(zip(found.columns, row, strict=True))


def test_the_answer_names_what_changed_most_and_how_many_would_by_chance(changed: Report) -> None:
    (paragraph,) = changed.answer
    assert paragraph.startswith("Against A, in B, of duration_time no difference is shown for keras once (")
    assert "figures differ beyond their intervals (of equal studies about" in paragraph
    assert "Changed most: keras's l2d_cache_refill each image, 1.5" in paragraph


def test_the_ranked_table_and_the_terminals_begin_with_it(changed: Report) -> None:
    assert table(changed, "changed").rows[0][0] == "keras l2d_cache_refill, each image"
    assert changed.summary[0].rows[0][:2] == ("keras l2d_cache_refill", "each image")


def test_every_figure_stands_beside_the_firsts_with_ratio_and_verdict(changed: Report) -> None:
    mine = cells(changed, "image", "keras l2d_cache_refill")
    assert mine["A"].startswith("3.5")
    assert mine["B / A"].startswith("1.5")
    assert mine["shown"] == "more"
    assert cells(changed, "fixed", "litert cycles")["shown"] == "no difference shown"
    assert table(changed, "whole").title == "The whole run at 10 images"


def test_the_models_ratios_within_each_study_stand_side_by_side(changed: Report) -> None:
    mine = cells(changed, "within", "keras / litert l2d_cache_refill, each image")
    assert mine["A"].startswith("38")
    assert mine["B"].startswith("57.8")


def test_a_terminal_of_80_columns_holds_the_summary(changed: Report) -> None:
    for each in map(shown, changed.summary):
        widths = [
            max(len(line) for cell in column for line in cell.split("\n")) for column in zip(*each.rows, strict=True)
        ]
        assert sum(widths) + 2 * len(widths) <= 80


def test_the_figure_has_a_panel_a_model_and_the_same_events_in_each(changed: Report) -> None:
    (figure,) = section(changed, "What changed most").figures
    drawing = figure.drawing
    assert isinstance(drawing, RatioDots)
    assert drawing.below == "A"
    assert list(drawing.panels) == ["keras", "litert"]
    names = {tuple(ratio.name for ratio in ratios) for ratios in drawing.panels.values()}
    assert len(names) == 1
    assert "l2d_cache_refill each image 1.5" in figure.alt


def test_every_format_takes_it_and_gives_the_same_bytes_again(changed: Report, tmp_path: Path) -> None:
    pages = [reports.write(changed, tmp_path / name, ("html", "md", "json", "csv")) for name in ("one", "two")]
    for name in ("index.html", "report.md", "report.json", "comparison.csv", "figures/ratios-1.svg"):
        first, second = ((page.parent / name).read_bytes() for page in pages)
        assert first == second
        assert first


def test_the_csv_has_a_line_a_figure_and_one_for_what_was_kept_apart() -> None:
    found = compared(made(), made(scope="user"))
    lines = list(csv.DictReader(io.StringIO(build(found).data["comparison.csv"]().decode())))
    assert len(lines) == len(found.rows) + len(found.apart)
    whole = next(line for line in lines if line["figure"] == "whole")
    assert (whole["study"], whole["first"], whole["images"]) == ("B", "A", "10")
    assert float(whole["ratio_low"]) < float(whole["ratio"]) < float(whole["ratio_high"])
    assert {line["ratio"] for line in lines if line["kept_apart"]} == {""}


def test_the_quantities_are_both_figures_and_their_ratio(changed: Report) -> None:
    mine = [each for each in changed.quantities if each.event == "cycles" and each.what.startswith("region")]
    assert [each.subject for each in mine if each.subject.endswith("keras")] == ["A: keras", "B: keras", "B / A: keras"]
    first, second, ratio = mine[:3]
    assert first.value
    assert second.value
    assert ratio.value == pytest.approx(second.value / first.value)
    assert (ratio.what, ratio.unit, first.status) == ("region_ratio", "1", "counted")


def test_a_ratio_that_is_not_determined_is_absent_and_says_why() -> None:
    truth = {"keras": KERAS, "litert": LITERT | {"page-faults": (1840, 50)}}
    found = build(compared(made(draw=1), made(draw=2, truth=truth)))
    (ratio,) = (
        each
        for each in found.quantities
        if (each.subject, each.event, each.what) == ("B / A: litert", "page-faults", "region_ratio")
    )
    assert (ratio.value, ratio.status) == (None, "absent")
    assert ratio.reason
    assert cells(found, "image", "litert page-faults")["B / A"] == "from nothing shown"


def test_equal_studies_say_that_nothing_is_shown() -> None:
    """The very same runs, which is said; every ratio's interval includes 1."""
    study = made()
    found = build(compared(study, study))
    assert "no difference is shown" in found.answer[0]
    assert found.warnings[0] == "A and B hold the same runs: every ratio is 1 whatever was measured."
    assert section(found, "What changed most").sentences == ("No figure differs beyond its interval.",)


def test_without_an_interval_nothing_is_said_to_have_changed() -> None:
    once = made(images=(10,), repeats=1, regions=("process",))
    found = build(compared(once, made(draw=2)))
    assert "without an interval" in found.answer[0]
    assert section(found, "What changed most").sentences[0].startswith("No ratio has an interval")
    assert {each.title for each in found.summary} == {
        "No change is shown; whole runs",
        "The models' ratios within each study",
    }
    mine = cells(found, "whole", "keras cycles")
    assert mine["shown"] == "nothing: no interval"


def test_what_differs_is_listed_and_what_is_equal_is_not() -> None:
    study, runs = made()
    other = replace(study, machine=replace(PI5, kernel="6.99"), plan=replace(study.plan, threads=4))
    other = replace(
        other, models=tuple(replace(each, engine=replace(each.engine, version="9.9")) for each in study.models)
    )
    rows = {row[0]: row[1:] for row in table(build(compared((study, runs), (other, runs))), "differences").rows}
    assert rows["kernel"] == (PI5.kernel, "6.99")
    assert rows["threads"] == ("1", "4")
    assert rows["litert engine"] == ("ai-edge-litert 2.3.0", "ai-edge-litert 9.9")
    assert rows["grade"][0] == "valid"
    assert not {"CPU", "page size", "Python", "keras asked by"} & set(rows)


def test_what_a_study_is_worth_stands_before_the_figures() -> None:
    found = build(compared(made(), made(draw=2, repeats=1)))
    assert any(each.startswith("B is degraded (") and "`few-repeats`" in each for each in found.warnings)
    assert not any(each.startswith("A is") for each in found.warnings)


def test_what_is_kept_apart_is_told_with_its_reason() -> None:
    found = build(compared(made(), made(scope="user", absent={"cycles": "this core lacks it"})))
    (blocked,) = table(found, "blocked").rows
    assert blocked[0] == "another scope"
    assert blocked[2].startswith("keras, litert: inst_retired")
    (lacking,) = table(found, "lacking").rows
    assert lacking == ("B has no figure", "this core lacks it", "keras, litert: cycles")
    assert "Kept apart: another scope." in found.answer[1]
    assert shown(found.summary[-1]).rows == (("another scope", "12"),)


def test_several_studies_have_a_column_each() -> None:
    found = build(compared(made(draw=1), made(draw=2), made(draw=3, **dearer("cycles", 2.0))))
    assert table(found, "image").columns == ("model and event", "A", "B", "C", "B / A", "C / A", "shown")
    assert "C: more" in cells(found, "image", "keras cycles")["shown"]
    first = dict(zip(table(found, "changed").columns, table(found, "changed").rows[0], strict=True))
    assert first["study"] == "C"
    assert [figure.key for figure in section(found, "What changed most").figures] == ["ratios-1", "ratios-2"]


def test_simulated_figures_stand_apart_and_say_so() -> None:
    found = build(compared(study_beside(**SMALL), study_beside(**SMALL)))
    assert table(found, "simulated-image").title == "Paid for each image, simulated"
    assert "simulated-image" not in [each.key for each in section(found, "Cost beside cost").tables]
    statuses = {each.event: each.status for each in found.quantities if each.what == "region"}
    assert statuses["l2d_cache_refill"] == "simulated"
    assert statuses["memory_latency_cycles"] == "modelled"
    assert statuses["duration_time"] == "counted"


def test_scaled_counts_carry_their_mark() -> None:
    found = build(compared(made(), made(draw=2, change=recounting("cycles", running_percent=None, estimated=True))))
    assert any(each.startswith("B's counts of cycles are scaled up") for each in found.warnings)
    assert any("scaled up in B" in note for note in table(found, "image").notes)
    assert {each.status for each in found.quantities if each.event == "cycles"} == {"counted", "scaled"}


def _clocked(hz: float) -> Comparison:
    """B does the same work at another clock, so that its times are others."""
    slow = {name: (once * 2.4e9 / hz, each * 2.4e9 / hz) for name, (once, each) in KERAS.items() if name in TIMES}
    return compared(
        made(draw=1, **NO_CYCLES),
        made(draw=2, **NO_CYCLES, truth={"keras": KERAS | slow, "litert": LITERT}, change=_at(hz)),
    )


TIMES = ("duration_time", "task-clock")
NO_CYCLES: dict[str, Any] = {"absent": {"cycles": "no counter for them"}}


def _at(hz: float) -> Any:
    def change(run: Any) -> Any:
        state = replace(run.before, clock_hz=(int(hz),) * 4)
        return replace(run, before=state, after=state)

    return change


def test_times_are_told_in_cycles_where_the_clocks_differ() -> None:
    found = build(_clocked(1.2e9))
    assert cells(found, "image", "keras duration_time")["shown"] == "more"
    mine = cells(found, "by-clock", "keras duration_time, each image")
    assert mine["A\ncycles"].startswith("14")
    assert mine["B / A"].startswith("1.0")
    assert "A 2.40 GHz and B 1.20 GHz" in table(found, "by-clock").caption


def test_equal_clocks_have_no_table() -> None:
    assert "by-clock" not in [each.key for each in _tables(build(_clocked(2.4e9)))]


def _tables(found: Report) -> list[Any]:
    return [each for of in found.sections for each in of.tables]


def test_the_clock_is_cycles_over_cpu_time_where_both_are_counted() -> None:
    subject = compared(made(), made(draw=2)).first
    over_cpu_time = (14.6e9 + 150e6 * 10) / (6.20e9 + 66e6 * 10) * 1e9
    assert clock_hz(subject) == pytest.approx(over_cpu_time, rel=0.02)


def test_scaled_cycles_tell_no_clock() -> None:
    half = recounting("cycles", running_percent=50.0)
    assert clock_hz(compared(made(change=half), made(draw=2)).first) == pytest.approx(2.4e9)


def _larger_l3() -> Machine:
    caches = tuple(replace(each, size_bytes=2**22) if each.level == 3 else each for each in PI5.caches)
    return replace(PI5, caches=caches)


def test_misses_beside_the_caches_say_where_they_are_scaled() -> None:
    half = recounting("ll_cache_miss_rd", running_percent=50.0)
    found = build(compared(made(), made(draw=2, machine=_larger_l3(), change=half)))
    assert cells(found, "by-cache", "keras ll_cache_miss_rd, scaled up")["A"].startswith("1.3")


def test_misses_stand_beside_the_caches_where_these_differ() -> None:
    found = build(compared(made(), made(draw=2, machine=_larger_l3())))
    assert cells(found, "by-cache", "L3 size") == {"": "L3 size", "A": "2 MiB", "B": "4 MiB", "B / A": "2"}
    assert cells(found, "by-cache", "keras ll_cache_miss_rd")["A"].startswith("1.3")
    assert "by-cache" not in [each.key for each in _tables(build(compared(made(), made(draw=2))))]


def test_an_unknown_file_is_told_before_the_figures() -> None:
    found = build(compared(made(), made(draw=2, facts={"keras": {"sha256": ""}})))
    assert any(each.startswith("keras: paired by label alone") for each in found.warnings)
    assert any("not shown to be the same file" in note for note in table(found, "image").notes)


def test_scaled_figures_say_so_in_sentences_tables_and_within_a_study() -> None:
    change = recounting("duration_time", running_percent=50.0)
    of = build(compared(made(), made(change=change, **dearer("duration_time", 1.5))))
    assert "times as much for each image, scaled up" in of.answer[0]
    ranked = [row for row in table(of, "changed").rows if "duration_time" in row[0]]
    assert ranked
    assert all(row[0].endswith(", scaled up") for row in ranked)
    (old, new) = next(row[1:] for row in table(of, "within").rows if "duration_time" in row[0])
    assert (old.endswith("scaled up"), new.endswith("scaled up")) == (False, True)


def test_figures_that_are_all_simulated_are_called_so() -> None:
    of = build(compared(virtual_study(), virtual_study(draw=5)))
    assert re.fullmatch(r"None of \d+ simulated figures differs .*", of.answer[0])
