"""A report as a PDF file: by LaTeX, by Chromium where that fails, the same bytes each time; a line where by neither."""

import dataclasses
import os
import re
import select
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from studies import made_study

from profiler import report
from profiler.errors import MissingProgramError, ProfilerError
from profiler.report.figures.rendered import Drawings
from profiler.report.formats import html, pdf
from profiler.report.model import Report

REAL_PATH = os.environ["PATH"]
MINIMAL = b"%PDF-1.5\n1 0 obj\n/CreationDate (D:20260302093000+01'00') /ID (node00000041) /ID (node00000007)\n%%EOF\n"
NO_BOOKTABS = (
    "cat <<'END'\n(report.tex)\n\n! LaTeX Error: File `booktabs.sty' not found.\n\nType X to quit\nEND\nexit 1"
)
"""What pdflatex says, as the body of a program."""

Fake = Callable[[str, str], None]


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Fake:
    """Puts a program of that name on a PATH on which there is no other; its body is of a shell."""
    folder = tmp_path / "programs"
    folder.mkdir()
    monkeypatch.setenv("PATH", str(folder))

    def install(name: str, body: str) -> None:
        path = folder / name
        path.write_text(f"#!/bin/sh\nPATH='{REAL_PATH}'\n{body}\n")
        path.chmod(0o755)

    return install


@cache
def built() -> Report:
    return report.build(*made_study(images=(1, 5), repeats=2))


def page() -> str:
    return "<!doctype html><title>x</title><p>The page"


def made(pdf_file: bytes, tmp_path: Path, name: str) -> str:
    """The body of a program that makes this file under that name."""
    (tmp_path / "made.pdf").write_bytes(pdf_file)
    return f"cp '{tmp_path / 'made.pdf'}' {name}"


PRINT = "for each; do case $each in --print-to-pdf=*) out=${each#--print-to-pdf=};; esac; done"


def test_latex_comes_first_and_runs_twice_without_a_shell(tmp_path: Path, fake: Fake) -> None:
    said = tmp_path / "said"
    fake(
        "pdflatex", f'echo "$@" >>{said}; env >{said}.env; ls figures >>{said}\n{made(MINIMAL, tmp_path, "report.pdf")}'
    )
    fake("chromium", "exit 1")
    assert pdf.make("tex", {"a": b"x"}, page) == (MINIMAL, "")
    first, figures, second, _ = said.read_text().splitlines()
    assert figures == "a.pdf"
    assert "-draftmode" in first
    assert "-draftmode" not in second
    for command in (first, second):
        assert {"-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode"} <= set(command.split())
    assert {"openin_any=p", "openout_any=p"} <= set((tmp_path / "said.env").read_text().splitlines())


def test_where_latex_fails_chromium_prints_and_a_line_says_why(tmp_path: Path, fake: Fake) -> None:
    fake("pdflatex", NO_BOOKTABS)
    fake("chromium", f"{PRINT}\n{made(MINIMAL, tmp_path, '$out')}")
    data, said = pdf.make("tex", {}, page)
    assert data.startswith(b"%PDF-")
    assert "printed by chromium" in said
    assert "File `booktabs.sty' not found" in said
    assert said.endswith(pdf.REMEDY)
    assert "\n" not in said


def test_a_printed_file_tells_no_time_and_keeps_its_length(tmp_path: Path, fake: Fake) -> None:
    fake("google-chrome", f"{PRINT}\n{made(MINIMAL, tmp_path, '$out')}")
    data, said = pdf.make("tex", {}, page)
    assert said == ""
    assert len(data) == len(MINIMAL)
    assert b"(D:19700101000000+01'00')" in data
    assert re.findall(rb"node\d+", data) == [b"node00000001", b"node00000000"]


def test_where_there_is_neither_one_line_says_what_to_install(fake: Fake) -> None:
    with pytest.raises(MissingProgramError, match=r"neither pdflatex nor Chromium here: sudo apt install texlive"):
        pdf.make("tex", {}, page)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("exit 1", "ended without a word"),
        ("exit 0", "wrote no whole PDF file"),
        ("printf '%%PDF-1.5 and no end' >report.pdf", "wrote no whole PDF file"),
        (NO_BOOKTABS, "File `booktabs.sty' not found"),
        ("kill -9 $$", "ended without a word"),
    ],
)
def test_a_latex_that_makes_no_file_is_named_with_its_reason(fake: Fake, body: str, why: str) -> None:
    fake("pdflatex", body)
    with pytest.raises(MissingProgramError) as caught:
        pdf.make("tex", {}, page)
    assert f"pdflatex: {why}" in str(caught.value).replace("it ", "")
    assert "\n" not in str(caught.value)


def test_what_takes_too_long_is_ended_with_all_it_started(
    tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pdf, "_SECONDS", 1.0)
    os.mkfifo(tmp_path / "alive")
    end = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    fake("pdflatex", f"sleep 600 >{tmp_path}/alive & wait")
    with pytest.raises(MissingProgramError, match="took more than 1 s"):
        pdf.make("tex", {}, page)
    # Its child held the other end, so that this one is at its end as soon as the child is.
    assert select.select([end], [], [], 60)[0]
    assert os.read(end, 1) == b""
    os.close(end)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path, fake: Fake) -> None:
    fake("pdflatex", "")
    (tmp_path / "programs/pdflatex").write_text("#!/no/such/shell\n")
    with pytest.raises(MissingProgramError, match=r"pdflatex: it cannot be started \(No such file"):
        pdf.make("tex", {}, page)


def test_nothing_is_left_of_the_work(tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    fake("pdflatex", "exit 1")
    fake("chromium", f"{PRINT}\n{made(MINIMAL, tmp_path, '$out')}")
    pdf.make("tex", {}, page)
    assert not list((tmp_path / "work").iterdir())


@pytest.mark.slow
def test_a_report_without_a_program_for_pdf_is_whole_and_says_so(tmp_path: Path, fake: Fake) -> None:
    said: list[str] = []
    report.write(built(), tmp_path / "all", say=said.append)
    names = {path.name for path in (tmp_path / "all").iterdir()}
    assert {"index.html", "report.md", "report.tex"} <= names
    assert "report.pdf" not in names
    assert len(said) == 1
    assert said[0].endswith(pdf.REMEDY)
    with pytest.raises(ProfilerError, match="texlive"):
        report.write(built(), tmp_path / "asked", ("html", "pdf"))
    assert not (tmp_path / "asked").exists()


def test_latex_and_its_figures_stand_together(tmp_path: Path) -> None:
    assert report.write(built(), tmp_path, ("tex",)) == tmp_path / "report.tex"
    included = re.findall(r"\{(figures/[^{}]*\.pdf)\}", (tmp_path / "report.tex").read_text())
    figures = {str(path.relative_to(tmp_path)) for path in tmp_path.glob("figures/*")}
    assert figures == set(included)
    assert all((tmp_path / name).read_bytes().startswith(b"%PDF-") for name in figures)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="no pdflatex")
def test_the_same_report_gives_the_same_bytes_by_latex(tmp_path: Path) -> None:
    for name in ("a", "b"):
        report.write(built(), tmp_path / name, ("pdf",))
    first, second = ((tmp_path / name / "report.pdf").read_bytes() for name in ("a", "b"))
    assert first == second
    assert first.startswith(b"%PDF-")
    assert b"CreationDate" not in first
    assert b"/tmp" not in first


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("chromium") is None, reason="no chromium")
def test_the_same_report_gives_the_same_bytes_by_chromium(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_LATEX", ())
    alone = dataclasses.replace(built(), data={})
    drawn = Drawings(alone)
    first, second = (pdf.make("", {}, lambda: html.render(alone, drawn)).data for _ in "ab")
    assert first == second
    assert len(first) > 50_000
    assert b"/tmp" not in first
