"""A study's report: `build` makes it from the runs, `write` puts it into files."""

from collections.abc import Sequence
from pathlib import Path

from profiler import store
from profiler.records import Run, Study
from profiler.report.model import Report


def build(study: Study, runs: Sequence[Run]) -> Report:
    """The report of a study; the same study gives the same report."""
    from profiler.report.compose import compose

    return compose(study, runs)


def write(report: Report, folder: Path) -> Path:
    """Writes index.html, report.md, the data and figures/*.svg; each file is there whole or not at all.

    Nothing is written before all of it is made, and the page comes last.

    Returns:
        The page's path.

    Raises:
        ProfilerError: The folder cannot be written.
    """
    from profiler.report import canvas, figures, html, markdown

    looks = canvas.marks(report.labels)
    drawn = {figure.key: figures.draw(figure, looks) for section in report.sections for figure in section.figures}
    page = folder / "index.html"
    files = {folder / "figures" / f"{key}.svg": svg for key, svg in drawn.items()}
    files |= {folder / name: make() for name, make in report.data.items()}
    files |= {
        folder / "report.md": markdown.render(report).encode(),
        page: html.render(report, drawn).encode(),
    }
    store.write_all(files, folder, "report")
    return page
