"""Drawings in fewer letters: all that is drawn, its text and its styles stay."""

import re
from xml.etree import ElementTree

import pytest
from reading import SVG
from studies import made_study

from profiler import report
from profiler.report.figures.rendered import Drawings
from profiler.report.formats.minify_svg import compact


@pytest.fixture(scope="module")
def drawn() -> dict[str, bytes]:
    return dict(Drawings(report.build(*made_study(images=(1, 5, 10), repeats=3, phases=True))))


def styles(svg: bytes) -> list[str]:
    """Of each element that has one, its own style, whether it stands with it or in a class."""
    root = ElementTree.fromstring(svg)
    sheet = "".join(element.text or "" for element in root.iter(f"{SVG}style"))
    classes = dict(re.findall(r"\.(\w+)\{([^}]*)\}", sheet))
    return [
        element.attrib.get("style") or classes[element.attrib["class"]]
        for element in root.iter()
        if "style" in element.attrib or "class" in element.attrib
    ]


def shapes(svg: bytes) -> list[tuple[str, str, list[float]]]:
    """Elements with their text and the numbers of their places."""
    return [
        (
            element.tag,
            (element.text or "").strip(),
            [
                float(number)
                for name in ("d", "x", "y", "width", "height", "points", "transform")
                for number in re.findall(r"-?\d+(?:\.\d+)?", element.attrib.get(name, ""))
            ],
        )
        for element in ElementTree.fromstring(svg).iter()
        if "}" in element.tag and element.tag.startswith(SVG) and element.tag not in (f"{SVG}style", f"{SVG}metadata")
    ]


def test_nothing_that_is_drawn_is_lost(drawn: dict[str, bytes]) -> None:
    assert drawn
    for svg in drawn.values():
        small = compact(svg)
        assert len(small) < 0.8 * len(svg)
        assert styles(small) == styles(svg)
        for (tag, words, places), (its_tag, its_words, its_places) in zip(shapes(svg), shapes(small), strict=True):
            assert (tag, words) == (its_tag, its_words)
            assert places == pytest.approx(its_places, abs=0.01)


def test_a_drawing_without_a_style_sheet_keeps_its_styles() -> None:
    svg = b'<svg xmlns="http://www.w3.org/2000/svg"><path d="M 1.23456 2" style="fill: red"/></svg>'
    assert compact(svg) == svg.replace(b"1.23456", b"1.23")
