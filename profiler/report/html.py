"""A report as one HTML page that needs nothing beside itself: no network, no script, figures inside."""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from profiler.report.figures import FONTS
from profiler.report.markdown import CODE
from profiler.report.model import Report
from profiler.report.text import ABSENT

if TYPE_CHECKING:
    from markupsafe import Markup

_TEMPLATE = "page.html.jinja"


def render(report: Report, figures: Mapping[str, bytes]) -> str:
    """The page; `figures` are SVG files by the figures' keys."""
    return fill(_TEMPLATE, report=report, figures={key: embedded(svg) for key, svg in figures.items()})


def fill(template: str, **values: object) -> str:
    """The template with these values, in the reports' fonts."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(anchor=_anchor, prose=_prose)
    fonts = ", ".join(f'"{name}"' if " " in name else name for name in FONTS)
    return environment.get_template(template).render(fonts=fonts, absent=ABSENT, **values)


def embedded(svg: bytes) -> str:
    """An SVG file as an address that holds it."""
    return f"data:image/svg+xml;base64,{base64.b64encode(svg).decode()}"


def _anchor(title: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")


def _prose(text: str) -> "Markup":
    """Escaped, with code within it in a code element."""
    from markupsafe import Markup

    parts = CODE.split(text)
    return Markup("").join(
        Markup("<code>{}</code>").format(part) if place % 2 else part for place, part in enumerate(parts)
    )
