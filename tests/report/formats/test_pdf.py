"""A report as a PDF file: by LaTeX, the same bytes each time; without it one line says what to install."""

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
from profiler.report.formats import pdf
from profiler.report.model import Report

REAL_PATH = os.environ["PATH"]
MINIMAL = b"%PDF-1.5\n1 0 obj\n%%EOF\n"
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


def test_latex_runs_twice_without_a_shell(tmp_path: Path, fake: Fake) -> None:
    said = tmp_path / "said"
    (tmp_path / "made.pdf").write_bytes(MINIMAL)
    fake(
        "pdflatex",
        f'echo "$@" >>{said}; env >{said}.env; ls figures >>{said}; cp {tmp_path}/made.pdf report.pdf',
    )
    assert pdf.make("tex", {"a": b"x"}) == MINIMAL
    first, figures, second, _ = said.read_text().splitlines()
    assert figures == "a.pdf"
    assert "-draftmode" in first
    assert "-draftmode" not in second
    for command in (first, second):
        assert {"-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode"} <= set(command.split())
    assert {"openin_any=p", "openout_any=p", "MKTEXPK=0"} <= set((tmp_path / "said.env").read_text().splitlines())


def test_without_latex_one_line_says_what_to_install(fake: Fake) -> None:
    with pytest.raises(MissingProgramError, match=r"no pdflatex here: sudo apt install texlive") as caught:
        pdf.make("tex", {})
    assert "\n" not in str(caught.value)


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
    with pytest.raises(MissingProgramError, match=rf"pdflatex:? {why}") as caught:
        pdf.make("tex", {})
    assert "\n" not in str(caught.value)


def test_what_takes_too_long_is_ended(tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pdf, "_SECONDS", 1.0)
    os.mkfifo(tmp_path / "alive")
    end = os.open(tmp_path / "alive", os.O_RDONLY | os.O_NONBLOCK)
    fake("pdflatex", f"exec sleep 600 >{tmp_path}/alive")
    with pytest.raises(MissingProgramError, match="took more than 1 s"):
        pdf.make("tex", {})
    # It held the other end, so that this one is at its end as soon as it is.
    assert select.select([end], [], [], 60)[0]
    assert os.read(end, 1) == b""
    os.close(end)


def test_a_program_that_cannot_be_started_is_named(tmp_path: Path, fake: Fake) -> None:
    fake("pdflatex", "")
    (tmp_path / "programs/pdflatex").write_text("#!/no/such/shell\n")
    with pytest.raises(MissingProgramError, match=r"pdflatex cannot be started \(No such file"):
        pdf.make("tex", {})


def test_nothing_is_left_of_the_work(tmp_path: Path, fake: Fake, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "work"))
    (tmp_path / "work").mkdir()
    fake("pdflatex", "exit 1")
    with pytest.raises(MissingProgramError):
        pdf.make("tex", {})
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
def test_the_same_report_gives_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        report.write(built(), tmp_path / name, ("pdf",))
    first, second = ((tmp_path / name / "report.pdf").read_bytes() for name in ("a", "b"))
    assert first == second
    assert first.startswith(b"%PDF-")
    assert b"CreationDate" not in first
    assert b"/tmp" not in first
