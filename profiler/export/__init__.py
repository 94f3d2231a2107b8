"""A study for other tools: `write` puts it into a file or folder of one of `FORMATS`."""

import importlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from profiler import store
from profiler.export.frames import StudyFrames

Make = Callable[[StudyFrames, str], Mapping[str, bytes]]
"""From a study and a name to files by name within the export's folder; a format of one file gives it that name."""


class ExportFormat(NamedTuple):
    """A format.

    Attributes:
        module: Where its `files` is.
        ending: What its output's name ends with, after the study's own.
        folder: It is several files in a folder of their own.
    """

    module: str
    ending: str
    folder: bool


FORMATS = {
    "pyperf": ExportFormat("profiler.export.pyperf_suite", ".pyperf.json", folder=False),
    "csv": ExportFormat("profiler.export.csv_files", "-csv", folder=True),
    "parquet": ExportFormat("profiler.export.parquet", "-parquet", folder=True),
    "json": ExportFormat("profiler.export.json_document", ".json", folder=False),
}


def default(study: StudyFrames, to: str) -> Path:
    """Where the export goes unasked: into the current folder."""
    return Path(study.record.name + FORMATS[to].ending)


def write(study: StudyFrames, to: str, output: Path) -> None:
    """Writes the export to the file or, of several files, to the folder; files of these names are overwritten.

    Raises:
        ProfilerError: The study has nothing that goes there, a package is not installed, or `output` cannot be written.
    """
    whole = FORMATS[to].folder
    folder, name = (output, "") if whole else (output.parent, output.name)
    made = {folder / each: data for each, data in _make(to)(study, name).items()}
    store.write_all(made, folder, "export")


def content(study: StudyFrames, to: str) -> bytes:
    """The one file of such a format.

    Raises:
        ProfilerError: As `write`.
    """
    (data,) = _make(to)(study, "").values()
    return data


def _make(to: str) -> Make:
    make: Make = importlib.import_module(FORMATS[to].module).files
    return make
