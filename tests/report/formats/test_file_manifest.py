"""Which files of a report's folder are removed: those of a former report that are out of date, and no others."""

from pathlib import Path

import pytest
from studies import made_study

from profiler import report
from profiler.report.formats import file_manifest


def written(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_files_of_the_same_report_stay_and_those_of_another_go(tmp_path: Path) -> None:
    study, runs = made_study(images=(1, 5), repeats=2)
    built = report.build(study, runs)
    report.write(built, tmp_path, ("md", "csv"))
    (tmp_path / "figures/mine.svg").write_text("mine")
    (tmp_path / "notes.md").write_text("mine")
    report.write(built, tmp_path, ("json",))
    assert {"report.md", "counts.csv", "report.json", "figures/phases.svg"} <= written(tmp_path)
    report.write(report.build(study, runs[:-1]), tmp_path, ("json",))
    assert written(tmp_path) == {"report.json", file_manifest.LIST, "figures/mine.svg", "notes.md"}


def test_a_folder_that_is_empty_then_goes_too(tmp_path: Path) -> None:
    study, runs = made_study(images=(1, 5), repeats=2)
    report.write(report.build(study, runs), tmp_path, ("md",))
    report.write(report.build(study, runs[:-1]), tmp_path, ("json",))
    assert not (tmp_path / "figures").exists()


@pytest.mark.parametrize(
    "text",
    [b"", b"{", b'{"of": 1}', b"\xff", b'{"of": "x", "files": ["../kept", "/etc/kept", "", ".", "a/../../kept"]}'],
)
def test_a_damaged_list_removes_nothing(tmp_path: Path, text: bytes) -> None:
    folder = tmp_path / "report"
    folder.mkdir()
    (tmp_path / "kept").write_text("kept")
    (folder / file_manifest.LIST).write_bytes(text)
    _, stale = file_manifest.settled(folder, ("report.json",), "new")
    file_manifest.remove(folder, stale)
    assert written(tmp_path) == {"kept", f"report/{file_manifest.LIST}"}
