"""A report's files: one page that needs nothing else, Markdown, tidy tables, figures; the same bytes every time."""

import base64
import csv
import dataclasses
import errno
import hashlib
import io
import os
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from hostile import HOSTILE
from msgspec.structs import replace
from reading import SVG, markdown_tables
from studies import failing, made_study, recounting

from profiler import report
from profiler.errors import MissingProgramError, ProfilerError
from profiler.export import tidy_tables
from profiler.report.figures import layout
from profiler.report.figures.rendered import Drawings
from profiler.report.formats import file_manifest, html, latex, markdown
from profiler.report.model import Question, Report, Section, Table
from profiler.validity.model import Finding, Validity

WRITTEN = ("html", "md", "json", "csv")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of a study with all kinds of sections."""
    target = tmp_path_factory.mktemp("reports") / "new" / "made"
    study, runs = made_study(images=(1, 5, 10), repeats=3, phases=True, change=failing("keras", 5, 0))
    assert report.write(report.build(study, runs), target, WRITTEN) == target / "index.html"
    return target


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The report of models whose labels are markup."""
    target = tmp_path_factory.mktemp("reports") / "hostile"
    study, runs = made_study(labels=HOSTILE, images=(1, 5), repeats=2, change=failing(HOSTILE[0], 1, 0, "a|b\n<i>c"))
    report.write(report.build(replace(study, command="profiler `x` ``` <b>"), runs), target, WRITTEN)
    return target


@pytest.fixture(scope="module")
def asked() -> Report:
    """A report with two questions, one of them unanswered, and a grade."""
    built = report.build(*made_study(images=(1, 5, 10), repeats=3))
    answered = Question(
        key="overall",
        title="Overall",
        asked="Which model costs what?",
        verdict="keras pays 32 times as much <once>.",
        evidence=("Once: `cycles` 14.5 G [14.4, 14.6].",),
        caveats=("Nothing about memory bandwidth.",),
        shown=("image", "phases"),
    )
    open_one = Question(
        key="sizes",
        title="Sizes & more",
        asked="How do the sizes compare?",
        verdict="No model file was read.",
        answered=False,
        command="profiler sweep --models `x`",
    )
    findings = (
        Finding("few-repeats", "degraded", "Two repeats."),
        Finding("few-repeats", "degraded", "Two again.", runs=(3,)),
        Finding("slope-region", "valid", "Apart."),
    )
    others = (section for section in built.sections if section.title != "Verdict")
    return dataclasses.replace(
        built,
        questions=(answered, open_one),
        validity=Validity("degraded", findings, {}, {0: ("valid", ()), 3: ("degraded", ("few-repeats",))}),
        sections=(*others, Section("Verdict", ("Degraded.",))),
    )


@pytest.fixture(scope="module")
def page_of_asked(asked: Report) -> str:
    return html.render(asked, Drawings(asked))


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
    csvs = {"counts.csv", "latencies.csv", "costs.csv"}
    assert names - figures == {"index.html", "report.md", "report.json", file_manifest.LIST, *csvs}
    assert {"figures/01-duration_time.svg", "figures/phases.svg"} <= figures


@pytest.mark.parametrize("which", ["folder", "hostile"])
def test_the_page_is_whole_and_needs_nothing_beside_itself(which: str, request: pytest.FixtureRequest) -> None:
    text = (request.getfixturevalue(which) / "index.html").read_text()
    page = Page(text)
    assert page.open == []
    assert not {tag for tag, _ in page.elements} & {"iframe", "object", "form", "base"}
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "data", "action"):
            reference = attributes.get(name)
            beside = ("counts.csv", "latencies.csv", "costs.csv")
            assert reference is None or reference.startswith(("#", "data:")) or reference in beside
        assert not any(name.startswith("on") for name in attributes)
        assert tag != "link" or attributes == {"rel": "icon", "href": "data:,"}
    assert "@import" not in text
    assert "url(" not in text


def test_the_page_forbids_itself_all_but_its_own_script(folder: Path) -> None:
    text = (folder / "index.html").read_text()
    (policy,) = [a["content"] or "" for _, a in Page(text).elements if a.get("http-equiv") == "Content-Security-Policy"]
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert policy.split("; ")[0] == "default-src 'none'"
    assert f"script-src 'sha256-{digest}'" in policy


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
    *shown, enlarged = alts
    assert len(shown) >= 6
    assert all(alt and len(alt) > 40 for alt in shown)
    assert enlarged == ""


def test_labels_are_text_and_never_markup(hostile: Path) -> None:
    page = (hostile / "index.html").read_text()
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)" in page
    # What is typed stands in fences, where nothing is markup.
    document = re.sub(r"(?ms)^(`{3,})\w*\n.*?^\1$", "", (hostile / "report.md").read_text())
    assert "<script" not in document
    assert "](http" not in document.replace("\\](http", "")
    for path in (hostile / "figures").glob("*.svg"):
        assert not list(ElementTree.parse(path).iter(f"{SVG}script"))


def test_figures_show_labels_as_they_are(hostile: Path) -> None:
    texts = [
        element.text or "" for element in ElementTree.parse(hostile / "figures/01-duration_time.svg").iter(f"{SVG}text")
    ]
    assert layout.short(HOSTILE[0], 28) in texts


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


def test_code_in_a_cell_is_code(asked: Report) -> None:
    table = Table("t", "", ("code", "what to do"), (("outliers", "More `--repeats` tell | *all*."),), words=True)
    of = dataclasses.replace(asked, questions=(), sections=(Section("Verdict", tables=(table,)),))
    assert r"| outliers | More `--repeats` tell \| \*all\*. |" in markdown.render(of)
    assert "<td>More <code>--repeats</code> tell | *all*.</td>" in html.render(of, {})


def test_a_figure_is_not_parted_from_its_unit(asked: Report) -> None:
    of = dataclasses.replace(asked, answer=("It costs 5.3 s [4.9, 5.7] and `2 s`.",), questions=(), sections=())
    assert "It costs 5.3\N{NO-BREAK SPACE}s [4.9, 5.7] and <code>2 s</code>." in html.render(of, {})
    assert "It costs 5.3~s [4.9, 5.7] and " in latex.render(of)


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
    lines = list(csv.DictReader(io.StringIO(tidy_tables.counts_csv(study, runs).decode())))
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
    lines = list(csv.DictReader(io.StringIO(tidy_tables.counts_csv(study, runs).decode())))
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
    report.write(report.build(study, runs), tmp_path, WRITTEN)
    for path in folder.rglob("*.*"):
        assert path.read_bytes() == (tmp_path / path.relative_to(folder)).read_bytes(), path.name


def test_a_report_of_nothing_but_failures_is_written(tmp_path: Path) -> None:
    study, runs = made_study(
        images=(1, 5),
        repeats=2,
        change=lambda run: replace(run, outcome="failed", counts=(), completion=None, error="no memory"),
    )
    page = report.write(report.build(study, runs), tmp_path, WRITTEN).read_text()
    assert "No run of this study ended well" in page
    assert "no memory" in page


def test_a_folder_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(ProfilerError, match=r"cannot be written to .*file.*--output"):
        report.write(report.build(*made_study(images=(1, 5), repeats=2)), tmp_path / "file", ("md", "json"))


@pytest.mark.slow
def test_a_full_disk_is_one_line_and_changes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    built = report.build(*made_study(images=(1, 5), repeats=2))
    report.write(built, tmp_path, ("md", "json"))
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    calls = []

    def full(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 3:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(ProfilerError, match=r"cannot be written .*No space left") as caught:
        report.write(dataclasses.replace(built, title="Another"), tmp_path, ("html", "md", "json"))
    assert "\n" not in str(caught.value)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_formats_asked_for_and_no_others(tmp_path: Path) -> None:
    built = report.build(*made_study(images=(1, 5), repeats=2))
    assert report.write(built, tmp_path, ("json",)) == tmp_path / "report.json"
    assert {path.name for path in tmp_path.iterdir()} == {"report.json", file_manifest.LIST}
    assert report.write(built, tmp_path / "page", ("html",)) == tmp_path / "page/index.html"
    assert {path.name for path in (tmp_path / "page").iterdir()} == {"index.html", file_manifest.LIST}
    assert "counts.csv</a>" not in (tmp_path / "page/index.html").read_text()


def test_a_format_without_its_program_is_left_out_unless_it_was_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_: Any) -> dict[str, bytes]:
        raise MissingProgramError("no press", "buy one")

    monkeypatch.setattr(report, "FORMATS", {"json": report.FORMATS["json"], "press": missing})
    built = report.build(*made_study(images=(1, 5), repeats=2))
    assert report.write(built, tmp_path) == tmp_path / "report.json"
    with pytest.raises(ProfilerError, match="no press: buy one"):
        report.write(built, tmp_path, ("press",))


def test_the_page_answers_the_questions_after_the_answer(page_of_asked: str) -> None:
    assert Page(page_of_asked).open == []
    places = [page_of_asked.index(f'id="{id_}"') for id_ in ("questions", "question-overall", "question-sizes")]
    table = page_of_asked.index('id="table-image"')
    assert page_of_asked.index('class="answer"') < places[0] < places[1] < places[2] < table
    first, second = page_of_asked[places[1] : places[2]], page_of_asked[places[2] : table]
    assert "keras pays 32 times as much &lt;once&gt;." in first
    assert "Once: <code>cycles</code> 14.5\N{NO-BREAK SPACE}G" in first
    assert first.index("What it does not show") < first.index("Nothing about memory bandwidth.")
    assert 'href="#table-image"' in first
    assert 'href="#figure-phases"' in first
    assert "not answered by these data" not in first
    assert "not answered by these data" in second
    assert "<code>profiler sweep --models `x`</code>" in second


def test_links_of_questions_lead_somewhere(page_of_asked: str) -> None:
    page = Page(page_of_asked)
    ids = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    links = {attributes["href"] or "" for tag, attributes in page.elements if tag == "a"}
    assert {link[1:] for link in links if link.startswith("#")} <= set(ids)
    assert len(set(ids)) == len(ids)


def test_the_grade_stands_at_the_top_with_its_codes(asked: Report, page_of_asked: str) -> None:
    badge = page_of_asked[page_of_asked.index('<p class="grade degraded">') :].partition("</p>")[0]
    assert "<strong>Degraded</strong>: few-repeats" in badge
    assert "slope-region" not in badge
    assert 'href="#verdict"' in badge
    assert "**Degraded**: `few-repeats` ([Verdict](#verdict))" in markdown.render(asked)


def test_markdown_answers_the_questions(asked: Report) -> None:
    document = markdown.render(asked)
    assert "### 1. Overall" in document
    assert "**keras pays 32 times as much &lt;once&gt;.**" in document
    assert "Shown in [Paid for each image](#what-it-costs), [" in document
    assert "](figures/phases.svg)." in document
    assert "### 2. Sizes &amp; more" in document
    assert "```sh\nprofiler sweep --models `x`\n```" in document


def test_markdown_anchors_are_those_that_github_makes() -> None:
    titles = ("What is paid once, by phase", "L2_x: (a) — b/c", "Overall")
    tables = [Table(f"t{place}", "", ("a", "b"), (("1", "2"),)) for place in range(3)]
    sections = tuple(Section(title, tables=(table,)) for title, table in zip(titles, tables, strict=True))
    question = Question("q", "Q", "?", "Yes.", shown=("t0", "t1", "t2"))
    document = markdown.render(Report("n", "Overall", "s", (), (), (), sections, (), "o", questions=(question,)))
    assert "(#what-is-paid-once-by-phase)" in document
    assert "(#l2_x-a--bc)" in document
    assert "(#overall-1)" in document


def test_figures_as_numbers_make_the_way_to_csv_and_back(asked: Report) -> None:
    lines = list(csv.DictReader(io.StringIO(tidy_tables.quantities_csv(asked.quantities).decode())))
    assert len(lines) == len(asked.quantities) > 100
    for line, quantity in zip(lines, asked.quantities, strict=True):
        assert (line["subject"], line["event"], line["what"]) == (quantity.subject, quantity.event, quantity.what)
        assert (float(line["value"]) if line["value"] else None) == quantity.value
        assert line["images"] == ("" if quantity.images is None else str(quantity.images))
