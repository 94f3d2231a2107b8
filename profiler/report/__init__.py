"""A study's report: `build` makes it from the runs, `write` puts it into files."""

import hashlib
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from profiler import __version__, store
from profiler.errors import MissingProgramError
from profiler.records import Run, Study
from profiler.report.figures.rendered import Drawings
from profiler.report.model import Report

Say = Callable[[str], object]
"""Is told, in a line, which format was not made and what to install."""

Renderer = Callable[[Report, Drawings], Mapping[str, bytes]]
"""From a report and its figures to files by name within the report's folder, the main one first.

May raise `MissingProgramError`.
"""


def build(study: Study, runs: Sequence[Run]) -> Report:
    """The report of a study; the same study gives the same report."""
    from profiler.report.compose import compose

    return compose(study, runs)


def _unheard(_line: str) -> None:
    """Nobody listens."""


def write(report: Report, folder: Path, formats: Collection[str] | None = None, say: Say = _unheard) -> Path:
    """Writes the report's files; nothing is written before all of it is made, and the page comes last.

    Files of a former report that are not written anew are removed where they were another report's.

    Args:
        formats: Keys of `FORMATS`; None for all that this machine has the programs for.
        say: Is told which format was not made, and what to install.

    Returns:
        The path of the first format's main file: the page, where there is one.

    Raises:
        ProfilerError: The folder cannot be written, or a program that one of `formats` needs is not there.
    """
    from profiler.report.formats import as_json, file_manifest

    made = _made(report, formats, say)
    files = {name: data for of_format in reversed(made) for name, data in of_format.items()}
    of = hashlib.sha256(__version__.encode() + as_json.render(report)).hexdigest()
    listed, stale = file_manifest.settled(folder, files, of)
    store.write_all({folder / name: data for name, data in (listed | files).items()}, folder, "report")
    file_manifest.remove(folder, stale)
    return folder / next(iter(made[0]), "")


def _made(report: Report, formats: Collection[str] | None, say: Say) -> list[Mapping[str, bytes]]:
    """The files of each format, in the order of `FORMATS`."""
    wanted = [name for name in FORMATS if formats is None or name in formats]
    drawn, made = Drawings(report, printed=not _PRINTED.isdisjoint(wanted)), []
    for name in wanted:
        linked = "csv" in wanted
        try:
            # A page without its data beside it must not point to them.
            made.append(FORMATS[name](report if linked or name == "csv" else replace(report, data={}), drawn))
        except MissingProgramError as error:
            if formats is not None:
                raise
            say(str(error))
    return made


def _html(report: Report, drawn: Drawings) -> dict[str, bytes]:
    from profiler.report.formats import html

    return {"index.html": html.render(report, drawn).encode()}


def _markdown(report: Report, drawn: Drawings) -> dict[str, bytes]:
    from profiler.report.formats import markdown

    figures = {f"figures/{key}.svg": svg for key, svg in drawn.items()}
    return {"report.md": markdown.render(report).encode()} | figures


def _json(report: Report, _drawn: Drawings) -> dict[str, bytes]:
    from profiler.report.formats import as_json

    return {"report.json": as_json.render(report)}


def _tex(report: Report, drawn: Drawings) -> dict[str, bytes]:
    from profiler.report.formats import latex

    figures = {f"figures/{key}.pdf": pdf for key, pdf in drawn.pdfs.items()}
    return {"report.tex": latex.render(report).encode("ascii")} | figures


def _pdf(report: Report, drawn: Drawings) -> dict[str, bytes]:
    from profiler.report.formats import latex, pdf

    return {"report.pdf": pdf.make(latex.render(report), drawn.pdfs)}


FORMATS: dict[str, Renderer] = {
    "html": _html,
    "md": _markdown,
    "json": _json,
    "csv": lambda report, _drawn: {name: make() for name, make in report.data.items()},
    "tex": _tex,
    "pdf": _pdf,
}
"""By the name that `--format` takes, the most readable first."""

_PRINTED = frozenset({"tex", "pdf"})
"""Formats that want their figures as PDF files."""
