"""The page in a browser: silent, without the network, accessible, sorted and enlarged by keyboard."""

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from browsers import IN_A_BROWSER
from studies import KERAS, LITERT, failing, family_study, made_study, virtual_study

from profiler import report
from profiler.report.cells import absent, fact
from profiler.report.figures.rendered import Drawings
from profiler.report.formats import html
from profiler.report.formats.cross_references import places
from profiler.report.model import Question, Report, Section, Table
from profiler.validity.model import Finding, Validity

pytestmark = IN_A_BROWSER

HOSTILE = ("keras|`<script>alert(1)</script>$x_{2}$", 'litert](http://x) *b* _c_ & "q"')
FORMS = ("keras", "keras:weights", *(f"litert:{form}" for form in ("fp32", "fp16", "int8", "dynamic", "a50", "a35")))
STUDIES: dict[str, Callable[[], Any]] = {
    "pmu": lambda: made_study(images=(1, 5, 10), repeats=3, phases=True, change=failing("keras", 5, 0)),
    "family": family_study,
    "forms": lambda: made_study(labels=FORMS, repeats=2, truth={"keras": KERAS, "keras:weights": KERAS}),
    "virtual": virtual_study,
    "one": lambda: made_study(labels=("litert",), repeats=2),
    "hostile": lambda: made_study(labels=HOSTILE, images=(1, 5), repeats=2),
}
QUESTIONS = (
    Question("q1", "Overall", "Which?", "keras.", ("`cycles` 3 [2, 4].",), ("More.",), shown=("t", "phases")),
    Question("q2", "Sizes", "How much?", "Not known.", answered=False, command=f"profiler sweep --models {'x' * 300}"),
)
SORTED = Table(
    "t",
    "To be sorted",
    ("model", "time", "note"),
    (
        ("b", fact(61.2e6, "ns"), "x"),
        ("a", absent("not counted"), ""),
        ("d", fact(5e3, "ns"), "z"),
        ("c", fact(6.7e9, "ns"), absent()),
    ),
)


@cache
def built(name: str) -> Report:
    """The report of a study, with a grade, questions and a table of its own."""
    made = report.build(*STUDIES[name]())
    findings = (Finding("few-repeats", "degraded", "Few."),)
    there = Section("To be sorted", tables=(SORTED,))
    questions = tuple(
        dataclasses.replace(each, shown=each.shown if each.shown[1:] and "phases" in places(made) else ("t",))
        for each in QUESTIONS
    )
    return dataclasses.replace(
        made,
        questions=questions,
        validity=Validity("degraded", findings, {}, {}),
        sections=(*made.sections, there),
    )


@pytest.fixture(scope="module")
def page_of(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], str]:
    folder = tmp_path_factory.mktemp("pages")

    @cache
    def address(name: str) -> str:
        path = folder / f"{name}.html"
        path.write_text(html.render(built(name), Drawings(built(name))))
        return path.as_uri()

    return address


@pytest.fixture
def shown(browser: Any, page_of: Callable[[str], str]) -> Iterator[Any]:
    """The first study's page."""
    page = browser.new_page(viewport={"width": 1400, "height": 900})
    page.goto(page_of("pmu"))
    yield page
    page.close()


def column(page: Any, place: int = 1) -> list[str]:
    return list(page.locator(f"#table-t tbody tr > :nth-child({place})").all_inner_texts())


def sort_button(page: Any, name: str) -> Any:
    return page.locator("#table-t").get_by_role("button", name=name)


@pytest.mark.parametrize(("scheme", "width"), [("light", 1400), ("dark", 400)])
@pytest.mark.parametrize("name", STUDIES)
def test_it_is_silent_accessible_and_fits(
    browser: Any, page_of: Callable[[str], str], name: str, scheme: str, width: int
) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.goto(page_of(name))
    found = Axe().run(page).response
    assert len(found["passes"]) > 10
    assert [(fault["id"], fault["nodes"][0]["html"][:200]) for fault in found["violations"]] == []
    assert said == []
    assert {url for url in asked if not url.startswith("data:")} == {page_of(name)}
    assert page.evaluate("document.documentElement.scrollWidth") == width
    broken = page.evaluate("[...document.querySelectorAll('figure img')].filter(i => !i.naturalWidth).length")
    assert broken == 0
    page.close()


def test_the_checker_finds_faults(browser: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_page()
    page.set_content(
        '<html lang="en"><title>t</title><main><h1>h</h1><img src="data:,"><button></button></main></html>'
    )
    assert {fault["id"] for fault in Axe().run(page).response["violations"]} >= {"image-alt", "button-name"}
    page.close()


def test_figures_sort_by_their_worth_and_what_is_absent_stays_last(shown: Any) -> None:
    assert column(shown) == ["b", "a", "d", "c"]
    button, head = sort_button(shown, "time"), shown.locator("#table-t th", has_text="time")
    button.click()
    assert column(shown, 2) == ["5 µs", "61.2 ms", "6.7 s", "n/a ¹"]
    assert head.get_attribute("aria-sort") == "ascending"
    button.click()
    assert column(shown, 2) == ["6.7 s", "61.2 ms", "5 µs", "n/a ¹"]
    assert head.get_attribute("aria-sort") == "descending"
    button.click()
    assert column(shown) == ["b", "a", "d", "c"]
    assert head.get_attribute("aria-sort") is None


def test_one_column_at_a_time_is_sorted_by_keyboard_too(shown: Any) -> None:
    sort_button(shown, "time").click()
    sort_button(shown, "model").focus()
    shown.keyboard.press("Enter")
    assert column(shown) == ["a", "b", "c", "d"]
    shown.keyboard.press("Space")
    assert column(shown) == ["d", "c", "b", "a"]
    assert shown.locator("#table-t th[aria-sort]").count() == 1


def test_words_sort_and_empty_cells_are_absent(shown: Any) -> None:
    sort_button(shown, "note").click()
    assert column(shown, 3) == ["x", "z", "", "n/a"]


def test_a_figure_is_enlarged_and_the_focus_returns(shown: Any) -> None:
    button = shown.get_by_role("button", name="Enlarge figure").first
    button.focus()
    shown.keyboard.press("Enter")
    dialog = shown.get_by_role("dialog")
    assert dialog.is_visible()
    small = shown.locator("figure img").first
    assert dialog.locator("img").get_attribute("alt") == small.get_attribute("alt")
    assert dialog.bounding_box()["width"] > small.bounding_box()["width"]
    shown.keyboard.press("Escape")
    assert not dialog.is_visible()
    assert button.evaluate("button => button === document.activeElement")


def test_the_enlarged_figure_is_accessible(shown: Any) -> None:
    from axe_playwright_python.sync_playwright import Axe

    shown.locator("figure img").first.click()
    found = Axe().run(shown, context="dialog").response
    assert [fault["id"] for fault in found["violations"]] == []
    shown.get_by_role("button", name="Close").click()
    assert not shown.get_by_role("dialog").is_visible()


def test_links_of_questions_reach_what_they_name(shown: Any) -> None:
    shown.locator("#question-q1 .shown a").first.click()
    assert shown.evaluate("location.hash") == "#table-t"
    assert shown.locator("#table-t").evaluate("table => table.getBoundingClientRect().top < innerHeight")


def test_without_script_all_is_there_and_nothing_pretends(browser: Any, page_of: Callable[[str], str]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(page_of("pmu"))
    assert page.locator("#table-t tbody tr").count() == len(SORTED.rows)
    assert page.locator("button:visible").count() == 0
    assert page.locator("figure img").count() >= 6
    context.close()


def test_the_first_column_stays_in_sight(browser: Any, page_of: Callable[[str], str]) -> None:
    page = browser.new_page(viewport={"width": 400, "height": 900})
    page.goto(page_of("forms"))
    table = page.locator("#table-image .scroll")
    table.evaluate("scroll => scroll.scrollLeft = 500")
    assert table.evaluate("scroll => scroll.scrollLeft") == 500
    left = table.locator("tbody th").first.evaluate("head => head.getBoundingClientRect().left")
    assert 0 <= left < 20
    page.close()


@pytest.mark.parametrize("name", ["pmu", "forms"])
def test_print_cuts_no_table(browser: Any, page_of: Callable[[str], str], name: str) -> None:
    """On A4 the widest tables go across; 96 CSS pixels are an inch, margins as the style sheet has them."""
    page = browser.new_page(viewport={"width": 680, "height": 1000})
    page.goto(page_of(name))
    page.emulate_media(media="print")
    upright, across = (210 - 30) / 25.4 * 96, (297 - 24) / 25.4 * 96
    widths: Sequence[Sequence[Any]] = page.evaluate(
        "[...document.querySelectorAll('.table')].map(t => [t.className, t.querySelector('table').offsetWidth])"
    )
    assert widths
    page.set_viewport_size({"width": round(across), "height": 700})
    wider = dict(enumerate(page.evaluate("[...document.querySelectorAll('table')].map(t => t.offsetWidth)")))
    for place, (classes, width) in enumerate(widths):
        limit, found = (across, wider[place]) if "widest" in classes else (upright, width)
        assert found <= limit + 1, classes
    assert page.locator("nav, dialog, button.zoom").first.is_hidden()
    page.close()


def test_it_is_printed_as_a_pdf_of_a4_pages(browser: Any, page_of: Callable[[str], str], tmp_path: Path) -> None:
    page = browser.new_page()
    page.goto(page_of("one"))
    data = page.pdf(prefer_css_page_size=True, path=tmp_path / "page.pdf")
    assert data.startswith(b"%PDF")
    assert b"/MediaBox [0 0 594" in data
    page.close()


def test_ten_models_stay_below_two_megabytes() -> None:
    labels = ("keras", *(f"litert:{place}" for place in range(9)))
    many = report.build(*made_study(labels=labels, repeats=5, truth={"keras": KERAS, "litert:0": LITERT}))
    assert len(html.render(many, Drawings(many)).encode()) < 2_000_000
