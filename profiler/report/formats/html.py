"""A report as one HTML page that needs nothing beside itself: no network, style, script and figures inside.

The script sorts tables and enlarges figures; without it the page says and shows the same.
"""

import base64
import hashlib
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.report.figures.render import FONTS
from profiler.report.formats import cell_values
from profiler.report.formats.cross_references import QUESTIONS, codes, places, verdicts
from profiler.report.formats.markdown import CODE
from profiler.report.formats.minify_svg import compact
from profiler.report.model import Report

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATE = "page.html.jinja"
_SCRIPT = "script.js"
_HERE = Path(__file__).parent

_SORTED = 3
"""Rows from which on a table is worth sorting."""

_WIDE, _WIDEST = 8, 12
"""Columns from which on a table is printed across, and from which on smaller still."""


def render(report: Report, figures: Mapping[str, bytes]) -> str:
    """The page; `figures` are SVG files by the figures' keys."""
    script = (_HERE / _SCRIPT).read_text(encoding="utf-8")
    return fill(
        _TEMPLATE,
        report=report,
        figures={key: embedded(svg) for key, svg in figures.items()},
        asked_title=QUESTIONS,
        places=places(report),
        codes=codes(report),
        verdicts=verdicts(report),
        script=script,
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode(),
    )


def fill(template: str, **values: object) -> str:
    """The template with these values, in the reports' fonts."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(_HERE),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(anchor=_anchor, prose=_prose, coded=_coded, kinds=_kinds, text=cell_values.table_text)
    fonts = ", ".join(f'"{name}"' if " " in name else name for name in FONTS)
    return environment.get_template(template).render(fonts=fonts, **values)


def embedded(svg: bytes) -> str:
    """An SVG file as an address that holds its drawing."""
    return f"data:image/svg+xml;base64,{base64.b64encode(compact(svg)).decode()}"


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _kinds(table: cell_values.TableText) -> str:
    """The classes of a table: what is in it, whether it can be sorted, how it is printed."""
    columns = len(table.columns)
    kinds = {
        "words": table.words,
        "sortable": len(table.rows) >= _SORTED and all(head.lines[0] for head in table.columns),
        "wide": columns >= _WIDE,
        "widest": columns >= _WIDEST,
    }
    return " ".join(name for name, so in kinds.items() if so)


def _prose(text: str) -> "Markup":
    """Sentences: escaped, with code within them in code elements, and figures bound to their units."""
    return _coded(text, cell_values.bound)


def _coded(text: str, words: Callable[[str], str] = str) -> "Markup":
    """Escaped, with code within it in code elements; `words` changes what is no code."""
    from markupsafe import Markup

    parts = CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else words(part) for place, part in enumerate(parts)
    )
