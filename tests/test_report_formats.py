"""A report's files: one page that needs nothing else, Markdown, tidy tables, figures; the same bytes every time."""

import csv
import io
import re
from html.parser import HTMLParser
from pathlib import Path
from xml.etree import ElementTree

import pytest
from msgspec.structs import replace
from reading import SVG, markdown_tables
from studies import failing, made_study, recounting

from profiler import report
from profiler.errors import ProfilerError
from profiler.report import markdown, tidy

HOSTILE = ("keras|`<script>alert(1)</script>$x_{2}$", 'litert](http://x) *b* _c_ & "q"')


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a study with all kinds of sections."""
    target = tmp_path_factory.mktemp("reports") / "new" / "made"
    study, runs = made_study(images=(1, 5, 10), repeats=3, phases=True, change=failing("keras", 5, 0))
    assert report.write(report.build(study, runs), target) == target / "index.html"
    return target


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of models whose labels are markup."""
    target = tmp_path_factory.mktemp("reports") / "hostile"
    study, runs = made_study(labels=HOSTILE, images=(1, 5), repeats=2, change=failing(HOSTILE[0], 1, 0, "a|b\n<i>c"))
    report.write(report.build(replace(study, command="profiler `x` ``` <b>"), runs), target)
    return target


class Page(HTMLParser):
    """Elements with their attributes, and whether each is closed."""

    VOID = frozenset({"meta", "img", "br", "link"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def cells(line: str) -> list[str]:
    """The cells of a Markdown table's row."""
    assert line.startswith("| ")
    assert line.endswith(" |")
    return re.split(r"(?<!\\)\|", line[1:-1])


def test_all_files_are_there_and_no_others(folder: Path) -> None:
    names = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    figures = {name for name in names if name.startswith("figures/")}
    assert names - figures == {"index.html", "report.md", "runs.csv", "latencies.csv"}
    assert {"figures/01-duration_time.svg", "figures/phases.svg", "figures/latency.svg"} <= figures


@pytest.mark.parametrize("which", ["folder", "hostile"])
def test_the_page_is_whole_and_needs_nothing_beside_itself(which: str, request: pytest.FixtureRequest) -> None:
    text = (request.getfixturevalue(which) / "index.html").read_text()
    page = Page(text)
    assert page.open == []
    assert not {tag for tag, _ in page.elements} & {"script", "link", "iframe", "object", "form"}
    for _, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action"):
            reference = attributes.get(name)
            assert (
                reference is None
                or reference.startswith(("#", "data:image/svg+xml;base64,"))
                or reference
                in (
                    "runs.csv",
                    "latencies.csv",
                )
            )
        assert not any(name.startswith("on") for name in attributes)
    assert "@import" not in text
    assert "url(" not in text


def test_ids_are_unique_and_links_lead_somewhere(folder: Path) -> None:
    page = Page((folder / "index.html").read_text())
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(ids)) == len(ids)
    links = {attributes["href"] for tag, attributes in page.elements if tag == "a"}
    assert {link[1:] for link in links if link and link.startswith("#")} <= set(ids)


@pytest.mark.parametrize("which", ["folder", "hostile"])
def test_every_figure_says_what_it_shows(which: str, request: pytest.FixtureRequest) -> None:
    page = Page((request.getfixturevalue(which) / "index.html").read_text())
    alts = [attributes.get("alt") for tag, attributes in page.elements if tag == "img"]
    assert len(alts) >= 10
    assert all(alt and len(alt) > 40 for alt in alts)


def test_labels_are_text_and_never_markup(hostile: Path) -> None:
    page = (hostile / "index.html").read_text()
    assert "<script" not in page
    assert "&lt;script&gt;alert(1)" in page
    document = (hostile / "report.md").read_text()
    assert "<script" not in document
    assert "](http" not in document.replace("\\](http", "")
    for path in (hostile / "figures").glob("*.svg"):
        assert not list(ElementTree.parse(path).iter(f"{SVG}script"))


def test_figures_show_labels_as_they_are(hostile: Path) -> None:
    texts = [element.text or "" for element in ElementTree.parse(hostile / "figures/02-cycles.svg").iter(f"{SVG}text")]
    assert "keras|`…ript>$x_{2}$" in texts


@pytest.mark.parametrize("which", ["folder", "hostile"])
def test_markdown_tables_are_well_formed(which: str, request: pytest.FixtureRequest) -> None:
    found = markdown_tables((request.getfixturevalue(which) / "report.md").read_text())
    assert len(found) >= 8
    for lines in found:
        assert len({len(cells(line)) for line in lines}) == 1
        assert all(re.fullmatch(r" (:--|--:) ", cell) for cell in cells(lines[1]))


def test_markdown_figures_are_files(folder: Path) -> None:
    text = (folder / "report.md").read_text()
    shown = re.findall(r"^!\[.{40,}\]\((figures/[\w-]+\.svg)\)$", text, re.MULTILINE)
    assert {str(path.relative_to(folder)) for path in folder.glob("figures/*")} == set(shown)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("l2d_cache_inval 14.6 G [14.5, 14.7]", "l2d_cache_inval 14.6 G [14.5, 14.7]"),
        ("a|b", r"a\|b"),
        ("<i> & _x_ *y*", r"&lt;i&gt; &amp; \_x\_ \*y\*"),
        ("[a](b) [c]: d", r"[a\](b) [c\]: d"),
        ("# a", r"\# a"),
        ("1. a", r"1\. a"),
        ("two\nlines", "two lines"),
        ("see `perf stat -e` *now*", r"see `perf stat -e` \*now\*"),
        ("`<b>` `x", r"\`&lt;b&gt;\` \`x"),
    ],
)
def test_markdown_escapes(text: str, written: str) -> None:
    assert markdown.prose(text) == written


def test_a_command_with_backticks_stays_in_its_block(hostile: Path) -> None:
    assert "````sh\nprofiler `x` ``` <b>\n````" in (hostile / "report.md").read_text()


def test_the_page_is_readable_in_the_dark_and_on_paper(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    assert "prefers-color-scheme: dark" in page
    assert "@media print" in page


def test_axes_name_the_event_and_its_unit(folder: Path) -> None:
    texts = [element.text for element in ElementTree.parse(folder / "figures/01-duration_time.svg").iter(f"{SVG}text")]
    assert {"keras", "litert", "images", "duration_time (s)", "duration_time (ms)"} <= set(texts)


def test_a_model_has_one_colour_in_all_figures(folder: Path) -> None:
    for path in folder.glob("figures/0*.svg"):
        for element in ElementTree.parse(path).iter(f"{SVG}text"):
            if element.text in ("keras", "litert"):
                colour = {"keras": "#0072b2", "litert": "#d55e00"}[element.text]
                assert colour in element.attrib["style"]


def test_runs_make_the_way_to_csv_and_back() -> None:
    study, runs = made_study(images=(1, 5), repeats=2, change=recounting("cycles", value=None, reason="never, on"))
    lines = list(csv.DictReader(io.StringIO(tidy.runs_csv(study, runs).decode())))
    assert len(lines) == sum(len(run.counts) for run in runs)
    counts = iter(lines)
    for run in runs:
        for count in run.counts:
            line = next(counts)
            assert (int(line["order"]), line["model"], int(line["images"])) == (
                run.order,
                run.case.model,
                run.case.images,
            )
            assert (line["region"], int(line["repeat"]), line["outcome"]) == (run.case.region, run.repeat, "ok")
            assert tuple(line["group"].split()) == run.case.group
            assert (line["event"], line["unit"], line["status"]) == (count.event, count.unit, count.status)
            assert (line["source"], line["reason"]) == (count.source, count.reason or "")
            assert float(line["running_percent"]) == count.running_percent
            assert line["value"] == ("" if count.value is None else str(int(count.value)))
            assert line["started_at"] == run.started_at


def test_a_failed_run_is_a_line_with_its_reason() -> None:
    study, runs = made_study(images=(1,), repeats=1, change=failing("keras", 1, 0, "killed, twice"))
    lines = list(csv.DictReader(io.StringIO(tidy.runs_csv(study, runs).decode())))
    failed = [line for line in lines if line["outcome"] == "failed"]
    assert [(line["event"], line["value"], line["reason"]) for line in failed] == [("", "", "killed, twice")] * 2


def test_every_latency_is_a_line(folder: Path) -> None:
    study, runs = made_study(images=(1, 5, 10), repeats=3, phases=True, change=failing("keras", 5, 0))
    lines = list(csv.DictReader(io.StringIO((folder / "latencies.csv").read_text())))
    expected = [
        (run.order, index, latency)
        for run in runs
        if run.completion
        for index, latency in enumerate(run.completion.latencies_ns)
    ]
    assert [(int(line["order"]), int(line["index"]), int(line["latency_ns"])) for line in lines] == expected
    assert study.name == "made"


def test_the_same_study_gives_the_same_bytes(folder: Path, tmp_path: Path) -> None:
    study, runs = made_study(images=(1, 5, 10), repeats=3, phases=True, change=failing("keras", 5, 0))
    report.write(report.build(study, runs), tmp_path)
    for path in folder.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path.name


def test_a_report_of_nothing_but_failures_is_written(tmp_path: Path) -> None:
    study, runs = made_study(
        images=(1, 5),
        repeats=2,
        change=lambda run: replace(run, outcome="failed", counts=(), completion=None, error="no memory"),
    )
    page = report.write(report.build(study, runs), tmp_path).read_text()
    assert "No run of this study ended well" in page
    assert "no memory" in page


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ProfilerError, match=r"cannot be written to .*file.*--output"):
        report.write(report.build(*made_study(images=(1, 5), repeats=2)), tmp_path / "file")
