"""SVG files as matplotlib writes them to fewer letters that draw the same, for a page that carries them inside."""

import re

_DROPPED = re.compile(r"<metadata>.*?</metadata>|<\?xml.*?\?>|<!DOCTYPE.*?>|<!--.*?-->", re.DOTALL)
_COORDINATES = re.compile(r'(?:(?<==")|(?<=translate\()|(?<=rotate\())[-MLQCHVTZz\d.,\s]+(?=[")])')
_DIGITS = re.compile(r"(\.\d\d)\d+")
"""More than a hundredth of a point is nothing that anyone sees."""

_STYLE = re.compile(r' style="([^"]*)"')
_BETWEEN = re.compile(r">\s+<")
_OPEN_STYLE = '<style type="text/css">'


def compact(svg: bytes) -> bytes:
    """The same drawing: hundredths of a point, styles that come again by a class, no metadata, no indentation."""
    text = _DROPPED.sub("", svg.decode())
    text = _COORDINATES.sub(lambda found: " ".join(_DIGITS.sub(r"\1", found[0]).split()), text)
    text = _BETWEEN.sub("><", text).strip()
    if _OPEN_STYLE not in text:
        return text.encode()
    classes: dict[str, str] = {}
    text = _STYLE.sub(lambda found: f' class="{classes.setdefault(found[1], f"s{len(classes)}")}"', text)
    rules = "".join(f".{name}{{{style}}}" for style, name in classes.items())
    return text.replace(_OPEN_STYLE, f"{_OPEN_STYLE}{rules}", 1).encode()
