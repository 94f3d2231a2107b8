"""How Sphinx builds these pages: from the Markdown files where they stand, so that links work in a repository too."""

from typing import Any

from profiler.machine import events
from profiler.version import __version__

project = "profiler"
copyright = "the profiler authors"
release = __version__

extensions = ["myst_parser"]
root_doc = "README"
include_patterns = [
    "README.md",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
    "benchmarks/README.md",
    "docs/*.md",
    "models/README.md",
    "reports/*/report.md",
]
myst_heading_anchors = 4

html_theme = "furo"
html_title = f"profiler {release}"
html_copy_source = False

_USE = ("raspberry-pi-5", "sweep-and-report", "compare", "live", "models", "without-counters", "notebooks")
_STUDIES = ("x86-vm", "virtual-pi5", "pi5-cat-dog-lab", "live-x86-vm")
_PAGES = {
    "Use": [f"docs/{page}" for page in _USE],
    "Understand": ["docs/method", "docs/events", "docs/faq"],
    "Take part": ["docs/extending", "docs/testing", "CONTRIBUTING", "CHANGELOG"],
    "Beside": ["Benchmarks <benchmarks/README>", "Model card <models/README>"],
    "Examples": [f"{study} <reports/{study}/report>" for study in _STUDIES],
}
"""Captions of the table of contents, and its pages."""


def _contents() -> str:
    """Return the table of contents, which a repository shows as a list of links instead."""
    return "\n\n".join(
        "\n".join(("```{toctree}", ":hidden:", f":caption: {caption}", "", *pages, "```"))
        for caption, pages in _PAGES.items()
    )


def _catalogue() -> str:
    """Return a section for each core of the catalogue: what each of its events counts."""
    sections = []
    for name in events.cores():
        core = events.core(name)
        rows = [f"| `{event.name}` | {event.quality} | {event.meaning} |" for event in events.catalogue(core)]
        sections.append(f"### {core.title}\n\n| event | quality | meaning |\n| :-- | :-- | :-- |\n" + "\n".join(rows))
    return "\n\n".join(sections)


_ADDED = {"README": _contents, "docs/events": _catalogue}


def _add(_app: Any, page: str, source: list[str]) -> None:
    """Append to a page what is made of the program's own data."""
    if page in _ADDED:
        source[0] += "\n\n" + _ADDED[page]()


def setup(app: Any) -> dict[str, bool]:
    """Connect what these pages add to Sphinx."""
    app.connect("source-read", _add)
    return {"parallel_read_safe": True}
