"""`profiler compare`: what it prints, what it writes, how it ends."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from made_comparisons import dearer, made
from msgspec.structs import replace
from studies import failing, put

from profiler.cli import main
from profiler.cli.options import CANNOT, GOT_WORSE

Keep = Callable[..., Path]


@pytest.fixture
def keep(tmp_path: Path) -> Keep:
    """Puts a made study into the runs' folder."""

    def kept(name: str, **recipe: Any) -> Path:
        study, runs = made(**recipe)
        return put(tmp_path / "runs", (replace(study, name=name), runs))

    return kept


def compare(folder: Path, *arguments: str) -> Result:
    places = ("--runs", str(folder / "runs"), "--output", str(folder / "reports"), "--format", "html,json,csv")
    return CliRunner().invoke(main, ["compare", *arguments, *places])


def said(result: Result) -> str:
    (line,) = result.stderr.splitlines()
    return line


def test_it_says_what_changed_and_writes_the_report(keep: Keep, tmp_path: Path) -> None:
    keep("old")
    keep("new", draw=2, **dearer("l2d_cache_refill", 1.5))
    result = compare(tmp_path, "old", "new")
    assert result.exit_code == 0
    assert "Changed most" in result.stdout
    assert "keras l2d_cache_refill" in result.stdout
    page = tmp_path / "reports" / "compare-old-new" / "index.html"
    assert f"report: {page}" in result.stdout
    assert page.exists()
    assert page.with_name("comparison.csv").exists()


def test_studies_may_be_paths(keep: Keep, tmp_path: Path) -> None:
    paths = [str(keep("old")), str(keep("new", draw=2))]
    assert compare(tmp_path, *paths).exit_code == 0


def test_fail_over_ends_with_its_own_status_and_says_which(keep: Keep, tmp_path: Path) -> None:
    keep("old")
    keep("new", draw=2, **dearer("l2d_cache_refill", 1.5))
    result = compare(tmp_path, "old", "new", "--fail-over", "5%")
    assert result.exit_code == GOT_WORSE == 6
    lines = result.stderr.splitlines()
    assert any(
        line.startswith("profiler: worse by more than 5 %: new: keras l2d_cache_refill, each image: 1.5")
        for line in lines
    )
    assert (tmp_path / "reports" / "compare-old-new" / "index.html").exists()


@pytest.mark.parametrize("limit", ["80%", "80", "80 %"])
def test_what_rose_by_less_than_the_limit_passes(keep: Keep, tmp_path: Path, limit: str) -> None:
    keep("old")
    keep("new", draw=2, **dearer("l2d_cache_refill", 1.5))
    result = compare(tmp_path, "old", "new", "--fail-over", limit)
    assert result.exit_code == 0
    assert "no cost is shown to have risen by more than 80 %" in result.stdout


def test_what_fell_passes(keep: Keep, tmp_path: Path) -> None:
    keep("old", **dearer("l2d_cache_refill", 1.5))
    keep("new", draw=2)
    assert compare(tmp_path, "old", "new", "--fail-over", "5%").exit_code == 0


def test_what_cannot_be_judged_is_no_pass(keep: Keep, tmp_path: Path) -> None:
    keep("old", images=(10,), repeats=1, regions=("process",))
    keep("new", draw=2)
    result = compare(tmp_path, "old", "new", "--fail-over", "5%")
    assert result.exit_code == CANNOT
    assert said(result).startswith("profiler: no cost can be judged")


@pytest.mark.parametrize("limit", ["five", "-5%", "5%%", ""])
def test_a_limit_that_is_no_share_is_refused(keep: Keep, tmp_path: Path, limit: str) -> None:
    result = compare(tmp_path, "old", "new", "--fail-over", limit)
    assert result.exit_code == 2
    assert "is not a share such as 5%" in said(result)


def test_a_limit_that_may_be_a_share_or_a_percentage_is_refused(keep: Keep, tmp_path: Path) -> None:
    result = compare(tmp_path, "old", "new", "--fail-over", "0.05")
    assert result.exit_code == 2
    assert "'0.05' may mean 0.05% or 5%" in said(result)
    assert "may mean" not in said(compare(tmp_path, "old", "new", "--fail-over", "0.05%"))


@pytest.mark.parametrize("names", [(), ("old",)])
def test_fewer_than_two_studies_are_refused(keep: Keep, tmp_path: Path, names: tuple[str, ...]) -> None:
    keep("old")
    result = compare(tmp_path, *names)
    assert result.exit_code == 2
    assert "at least two studies are needed" in said(result)


def test_the_same_study_twice_is_refused_however_it_is_written(keep: Keep, tmp_path: Path) -> None:
    folder = keep("old")
    result = compare(tmp_path, "old", str(folder))
    assert result.exit_code == CANNOT
    assert "is named twice: it does not differ from itself" in said(result)


def test_a_study_that_is_not_there_is_told(keep: Keep, tmp_path: Path) -> None:
    keep("old")
    result = compare(tmp_path, "old", "gone")
    assert result.exit_code == CANNOT
    assert "no study 'gone'" in said(result)


def test_a_newer_schema_and_damage_are_one_line_each(keep: Keep, tmp_path: Path) -> None:
    keep("old")
    newer, damaged = keep("newer"), keep("damaged")
    path = newer / "study.json"
    path.write_text(path.read_text().replace('"schema": 1', '"schema": 99'))
    (damaged / "runs.jsonl").write_text("{\n")
    for name, words in (("newer", "has schema 99"), ("damaged", "is damaged")):
        result = compare(tmp_path, "old", name)
        assert result.exit_code == CANNOT
        assert words in said(result)
    assert not (tmp_path / "reports").exists()


def test_only_failed_runs_are_one_line(keep: Keep, tmp_path: Path) -> None:
    keep("old")
    keep("broken", change=lambda run: failing(run.case.model, run.case.images, run.repeat)(run))
    result = compare(tmp_path, "old", "broken")
    assert result.exit_code == CANNOT
    assert said(result).startswith("profiler: no run of study broken ended well (killed by signal 9)")


def test_nothing_comparable_is_one_line_with_the_reason(keep: Keep, tmp_path: Path) -> None:
    keep("old")
    keep("other", facts={label: {"sha256": f"{place}f" * 32} for place, label in enumerate(("keras", "litert"))})
    result = compare(tmp_path, "old", "other")
    assert result.exit_code == CANNOT
    assert said(result).startswith("profiler: nothing in old and other can be compared: another model file")
    assert not (tmp_path / "reports").exists()


def test_a_folder_that_cannot_be_written_is_one_line(keep: Keep, tmp_path: Path) -> None:
    keep("old")
    keep("new", draw=2)
    (tmp_path / "reports").write_text("a file")
    result = compare(tmp_path, "old", "new")
    assert result.exit_code == CANNOT
    assert "the report cannot be written" in said(result)
