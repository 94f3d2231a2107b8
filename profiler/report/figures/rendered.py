"""A report's figures as SVG and as PDF files, each drawn when it is first asked for."""

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from profiler.report.figures import layout
from profiler.report.model import Report

if TYPE_CHECKING:
    from profiler.report.figures.render import Format


class Drawings(Mapping[str, bytes]):
    """SVG files by the figures' keys, in the report's order; a format without figures pays for none.

    Args:
        printed: PDF files will be asked for too: a figure is then drawn once for both.
    """

    def __init__(self, report: Report, printed: bool = False) -> None:
        self._figures = {figure.key: figure for section in report.sections for figure in section.figures}
        self._looks = layout.marks(report.labels)
        # SVG always, and first: its layout serves the PDF file, which is then the same whatever is asked for.
        self._formats: tuple[Format, ...] = ("svg", "pdf") if printed else ("svg",)
        self._drawn: dict[str, dict[Format, bytes]] = {}

    def __getitem__(self, key: str) -> bytes:
        return self._files(key)["svg"]

    def __iter__(self) -> Iterator[str]:
        return iter(self._figures)

    def __len__(self) -> int:
        return len(self._figures)

    @property
    def pdfs(self) -> Mapping[str, bytes]:
        """The same figures as PDF files, where they are to be printed."""
        return {key: self._files(key)["pdf"] for key in self._figures}

    def _files(self, key: str) -> "dict[Format, bytes]":
        from profiler.report.figures import render

        if key not in self._drawn:
            self._drawn[key] = render.draw(self._figures[key], self._looks, self._formats)
        return self._drawn[key]
