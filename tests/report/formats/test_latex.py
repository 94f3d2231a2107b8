"""A report as LaTeX: nothing in it is markup by chance, all of it is there, it fits on paper, and pdflatex sets it."""

import dataclasses
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hostile import HOSTILE
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace
from studies import failing, family_study, made_study, study_beside, virtual_study

from profiler import report
from profiler.records import Run, Study
from profiler.report.figures.rendered import Drawings
from profiler.report.formats import latex, latex_tables, latex_text
from profiler.report.formats.cell_values import table_text
from profiler.report.model import Cell, Figure, Label, Question, Report, Section, Table
from profiler.validity.model import Finding, Validity

MEANT = {
    r"\ensuremath{\backslash}": "\\",
    r"\ensuremath{\mathdollar}": "$",
    r"\ensuremath{\vert}": "|",
    r"\ensuremath{\{}": "{",
    r"\ensuremath{\}}": "}",
    r"\ensuremath{<}": "<",
    r"\ensuremath{>}": ">",
    r"\textasciicircum{}": "^",
    r"\textasciitilde{}": "~",
    r"\allowbreak{}": "",
    "{}": "",
    "{`}": "`",
    "''": '"',
    **{f"\\{letter}": letter for letter in "&#%_"},
}
"""What TeX makes of that."""
TOKEN = re.compile("|".join([*map(re.escape, MEANT), r"[^\\{}$&#%^~<>|`_\"]"]))

WITHOUT_LATEX = pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
EIGHT = tuple(f"{runtime}:{form}" for runtime in ("keras", "litert") for form in ("fp32", "int8", "w0.35", "saved"))
STUDIES: dict[str, Callable[[], tuple[Study, tuple[Run, ...]]]] = {
    "measured": lambda: made_study(phases=True),
    "family": lambda: family_study(phases=True),
    "eight": lambda: made_study(labels=EIGHT, phases=True, repeats=2),
    "virtual": virtual_study,
    "beside": study_beside,
    "one": lambda: made_study(labels=("litert",), phases=True),
    "failed": lambda: made_study(images=(1,), repeats=1, change=lambda run: replace(run, outcome="failed", counts=())),
    "hostile": lambda: made_study(
        labels=HOSTILE, images=(1, 5), repeats=2, change=failing(HOSTILE[0], 1, 0, "a|b\n<i>c ö 中 \x07")
    ),
}


def read(written: str) -> str:
    """The text that TeX sets; fails where something is markup."""
    found, place = [], 0
    while place < len(written):
        token = TOKEN.match(written, place)
        assert token, written[place:]
        found.append(MEANT.get(token.group(), token.group()))
        place = token.end()
    return "".join(found)


@cache
def built(name: str) -> Report:
    study, runs = STUDIES[name]()
    return report.build(study, runs)


def table(**fields: object) -> Table:
    given: dict[str, object] = {"key": "t", "title": "", "columns": ("event", "a"), "rows": (("cycles", "1"),)}
    return Table(**given | fields)  # type: ignore[arg-type]


def fit(**fields: object) -> tuple[bool, list[latex_tables.ColumnGroup]]:
    return latex_tables.fit(table_text(table(**fields)))


def a_report(**fields: object) -> Report:
    given: dict[str, object] = dict.fromkeys(("answer", "warnings", "summary", "sections", "labels"), ())
    return Report(**given | {"name": "n", "title": "T", "subtitle": "S", "origin": "O"} | fields)  # type: ignore[arg-type]


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126)))
def test_all_of_ascii_is_set_as_it_is(text: str) -> None:
    assert read(latex_text.escape(text)) == text


@given(st.text())
def test_any_text_is_written_in_ascii_and_closes_what_it_opens(text: str) -> None:
    for write in (latex_text.escape, latex_text.code, latex_text.prose):
        written = write(text)
        assert written.isascii()
        assert written.isprintable()
        bare = re.sub(r"\\char`\\[^{]\{\}|\\char`\\\{\{\}|\\[{}\\$%&#]", "", written)
        assert bare.count("{") == bare.count("}")
        assert bare.count("$") % 2 == 0


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("12 µs ± 3 °C", r"12 \ensuremath{\mu}s \ensuremath{\pm} 3 \ensuremath{^\circ}C"),
        (
            "−5 × 2 → 3 ≤ 4…",
            r"\ensuremath{-}5 \ensuremath{\times} 2 \ensuremath{\rightarrow} 3 \ensuremath{\leq} 4\textellipsis{}",
        ),
        ("n/a ¹", r"n/\allowbreak{}a\,\textsuperscript{1}"),
        ("n/a ¹ ²", r"n/\allowbreak{}a\,\textsuperscript{1,\,2}"),
        ("¹² not steady", r"\textsuperscript{12} not steady"),
        ("litert ‡", r"litert \ensuremath{\ddagger}"),
        ("é ñ ł ǘ", r"\'e \~n \l{} u"),
        ("α Σ", r"\ensuremath{\alpha} \ensuremath{\Sigma}"),
        ("中", "[U+4E2D]"),
        ("a\x00b\x7f", r"a\allowbreak{}[U+0000]\allowbreak{}b\allowbreak{}[U+007F]"),
        ("\ud800", "[U+D800]"),
        ("Ａ", "A"),
        ("--repeats", "-{}-repeats"),
        ("1.5 1,500", "1.5 1,500"),
        ("two\nlines", "two lines"),
    ],
)
def test_other_letters_have_commands_or_their_number(text: str, written: str) -> None:
    assert latex_text.escape(text) == written


def test_code_in_a_sentence_is_in_the_typewriter_font() -> None:
    assert latex_text.prose("Type `perf stat` *now*") == r"Type \texttt{perf\ stat} *now*"


@given(st.text())
def test_bookmarks_are_plain(text: str) -> None:
    assert re.fullmatch(r"[A-Za-z0-9 .,:;()/+=*@!?-]*", latex_text.simple(text))


CELLS = st.text("abc _-19.[],µ¹", max_size=24)


@given(st.integers(1, 24), st.integers(1, 4), st.booleans(), st.data())
def test_every_column_is_in_one_part_and_no_part_is_wider_than_a_page(
    columns: int, rows: int, words: bool, data: st.DataObject
) -> None:
    drawn = [tuple(data.draw(CELLS) for _ in range(columns)) for _ in range(rows + 1)]
    _, parts = fit(columns=drawn[0], rows=tuple(drawn[1:]), words=words)
    shown = Counter(place for part in parts for place in part.columns[1:])
    assert shown == Counter(range(1, columns))
    for part in parts:
        assert part.columns[0] == 0
        assert sum(part.shares) <= 1.0001
        assert min(part.shares) > 0


def test_a_table_is_set_in_one_part_and_one_line_a_cell_where_it_fits() -> None:
    stacked, parts = fit(columns=("event", "keras"), rows=(("cycles", Cell(14.6e9, low=14.5e9, high=14.7e9)),))
    assert (stacked, [part.lines for part in parts]) == (False, [1])


def test_a_wide_table_puts_intervals_under_their_figures_before_it_is_split() -> None:
    cell = Cell(14.66e9, low=14.55e9, high=14.77e9)
    stacked, parts = fit(columns=("event", *"abcde"), rows=(("cycles", *[cell] * 5),))
    assert (stacked, [part.lines for part in parts]) == (True, [2])
    stacked, parts = fit(columns=("event", *"abcdefghijklmno"), rows=(("cycles", *[cell] * 15),))
    assert (stacked, len(parts)) == (True, 3)


def test_room_goes_to_the_column_whose_cells_are_long_and_not_to_one_long_cell() -> None:
    long = "words that go on and on " * 8
    rows = (("a", long[:90], long), *(("b", "short", long) for _ in range(9)))
    _, (part,) = fit(columns=("event", "by", "meaning"), rows=rows, words=True)
    assert part.shares[2] > 3 * part.shares[1]


def test_a_table_is_kept_on_one_page_unless_it_has_many_rows() -> None:
    def wanted(count: int) -> int:
        rows = tuple((f"event {place}", "1") for place in range(count))
        written = latex.render(a_report(sections=(Section("S", tables=(table(rows=rows),)),)))
        (points,) = re.findall(r"\\needs\{(\d+)pt\}\n\{\\footnotesize", written)
        assert written.count(r"\endhead") == 1
        return int(points)

    assert 30 * 11 < wanted(30) < 700
    assert wanted(60) < 200


def test_a_row_that_begins_like_an_option_of_the_row_before_is_a_row() -> None:
    rows = (("a", "1"), ("[3pt] b", "2"), ("*c", "3"))
    written = latex.render(a_report(sections=(Section("S", tables=(table(rows=rows),)),)))
    assert not re.search(r"\\\\\s*[\[*]", written)


def question(**fields: object) -> Question:
    given = {"key": "stalls", "title": "Pipeline stalls", "asked": "How many?", "verdict": "Half of 10 % stall."}
    return Question(**given | fields)  # type: ignore[arg-type]


def test_a_question_has_its_answer_its_limits_and_where_it_is_shown() -> None:
    drawing = next(figure.drawing for section in built("one").sections for figure in section.figures)
    shown = Figure("the-figure", "F", "alt", "", drawing)
    section = Section("S", tables=(table(key="the_table", title="Stalls"),), figures=(shown,))
    asked = question(
        evidence=("50 % [49, 51].",),
        caveats=("Not of memory alone.",),
        command="profiler sweep --events 'a b'",
        shown=("the_table", "the-figure"),
    )
    written = latex.render(a_report(questions=(asked,), sections=(section,)))
    for words in ("Pipeline stalls", "How many?", r"Half of 10~\% stall.", r"50~\% [49, 51].", "Not of memory alone."):
        assert words in written
    assert r"\typed{profiler\ sweep\ --events\ \char13{}a\ b\char13{}}" in written
    labels = set(re.findall(r"\\label\{([^}]*)\}", written))
    assert {"table:the-table", "figure:the-figure", "question:stalls"} <= labels
    assert r"\hyperref[table:the-table]{Table~\ref*{table:the-table}}" in written
    assert "For a better answer" in written
    assert "For the answer" in latex.render(a_report(questions=(dataclasses.replace(asked, answered=False, shown=()),)))


def test_the_grade_stands_first_with_its_codes() -> None:
    finding = Finding("few-repeats", "degraded", "Only 2 repeats.", study=True)
    known = Finding("note-only", "valid", "Good to know.")
    written = latex.render(a_report(validity=Validity("degraded", (finding, known), {}, {}), answer=("Much.",)))
    assert written.index(r"\textcolor{degraded}{degraded}") < written.index("Much.")
    assert r"\texttt{few-repeats}" in written
    assert "note-" not in written


@pytest.mark.parametrize("name", STUDIES)
def test_every_reference_has_its_label_and_every_environment_its_end(name: str) -> None:
    written = latex.render(built(name))
    assert written.isascii()
    labels = Counter(re.findall(r"\\label\{([^}]*)\}", written))
    assert set(labels.values()) <= {1}
    assert set(re.findall(r"\\ref\*?\{([^}]*)\}", written)) <= set(labels)
    begun = Counter(re.findall(r"\\begin\{(\w+\*?)\}", written))
    assert begun == Counter(re.findall(r"\\end\{(\w+\*?)\}", written))
    figures = [figure for section in built(name).sections for figure in section.figures]
    assert re.findall(r"\{(figures/[^}]*)\}", written)[: len(figures)] == [
        f"figures/{each.key}.pdf" for each in figures
    ]


def test_all_words_of_a_report_are_there() -> None:
    of, written = built("family"), latex.render(built("family"))
    for section in of.sections:
        assert latex_text.prose(section.title) in written
        for words in (*section.sentences, *section.points):
            assert latex_text.prose(words) in written
        for each in map(table_text, section.tables):
            assert latex_text.prose(each.caption) in written
            assert all(latex_text.prose(note) in written for note in each.notes)
            cells = (line for row in each.rows for cell in row for line in cell.lines)
            for cell in cells:
                ways = latex_text.prose(cell), latex_text.escape(cell).replace(" ", "~")
                assert any(way in written for way in ways)


def typeset(folder: Path, source: str) -> str:
    """Runs pdflatex twice; its log of the second time."""
    (folder / "report.tex").write_text(source, encoding="ascii")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "report.tex"]
    for _ in range(2):
        done = subprocess.run(command, cwd=folder, capture_output=True, check=False)
        assert done.returncode == 0, done.stdout.decode(errors="replace")[-2000:]
    return (folder / "report.log").read_text(errors="replace")


@pytest.mark.slow
@WITHOUT_LATEX
@pytest.mark.parametrize("name", STUDIES)
def test_pdflatex_sets_it_without_a_complaint(name: str, tmp_path: Path) -> None:
    of = built(name)
    (tmp_path / "figures").mkdir()
    drawn = Drawings(of, printed=True)
    for key in drawn:
        (tmp_path / f"figures/{key}.pdf").write_bytes(drawn.pdfs[key])
    log = typeset(tmp_path, latex.render(of))
    assert "Missing character" not in log
    assert "undefined" not in log
    assert not re.search(r"multiply.defined|Rerun to|destination with the same", log)
    assert not [width for width in re.findall(r"Overfull \\hbox \(([\d.]+)pt", log) if float(width) > 1]
    assert not re.findall(r"Overfull \\vbox", log)
    # All type is outlines: a bitmap font would have been made from Metafont's sources.
    assert "pk>" not in log


@pytest.mark.slow
@WITHOUT_LATEX
def test_pdflatex_sets_letters_of_all_kinds(tmp_path: Path) -> None:
    letters = [chr(code) for code in (*range(0x20, 0x250), *range(0x370, 0x400), *range(0x1E00, 0x1F00))]
    letters += [*"−×÷±°µ→←↑↓↔⇒≤≥≠≈∞√∑†‡…–—‘’“”•·⁰¹²³⁴⁵⁶⁷⁸⁹中文\u200b\u00a0\u202f😀\ud800"]
    rows = [(letter, f"{letter}{letter}x `{letter}`") for letter in letters]
    noted = ("", Label(("a",), notes=tuple(letters[:99])))
    everything = table(
        title="".join(letters[::7]),
        columns=("event", Label((" ",), under=("without a first line",))),
        rows=(*rows, noted),
        words=True,
    )
    of = a_report(
        title="".join(letters[32:90]),
        answer=(" ".join(letters),),
        sections=(Section("".join(letters[64:160:3]), tables=(everything,), command="".join(letters)),),
    )
    log = typeset(tmp_path, latex.render(of))
    assert "Missing character" not in log
    assert "pk>" not in log
