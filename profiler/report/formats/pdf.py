"""A report as one PDF file, the same bytes each time: set by LaTeX or, where that fails, printed by Chromium."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from profiler.errors import MissingProgramError

REMEDY = "sudo apt install texlive-latex-recommended"
"""What brings pdflatex and all that report.tex asks of it, on Debian and its descendants."""

_LATEX = ("pdflatex",)
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")

_SECONDS = 120.0
"""Longest that one program may take: pdflatex takes one on a desktop machine, a small board about ten times as long."""

_HELD = Path("report.tex")

# The date is nobody's: a file tells no time, and a PDF that says when it was made is another one each time.
_NO_DATE = b"19700101000000"

_NODE = rb"\bnode\d{8}\b"
"""What Chromium calls an element of the page in the file's structure."""


class Printed(NamedTuple):
    """The file; `said` is what the user should know of it in a line, or empty."""

    data: bytes
    said: str


class _FailedError(Exception):
    """A program did not make the file; its words say why."""


def make(tex: str, figures: Mapping[str, bytes], page: Callable[[], str]) -> Printed:
    """The report as a PDF file.

    Args:
        tex: The report as LaTeX.
        figures: PDF files by the figures' keys, which it includes.
        page: Makes the page that Chromium prints, where LaTeX is missing or fails. It has no links to files beside it,
            for Chromium would make them links to the folder it printed in.

    Raises:
        MissingProgramError: There is neither, or none of them can.
    """
    ways: tuple[tuple[tuple[str, ...], Callable[[str], bytes]], ...] = (
        (_LATEX, lambda program: _typeset(program, tex, figures)),
        (_BROWSERS, lambda program: _print(program, page())),
    )
    failures: list[str] = []
    for names, way in ways:
        program = next(filter(None, map(shutil.which, names)), None)
        if program is None:
            continue
        try:
            return Printed(way(program), _instead(Path(program).name, failures))
        except _FailedError as error:
            failures.append(f"{Path(program).name}: {error}")
    cause = f"report.pdf cannot be made: {'; '.join(failures) or 'there is neither pdflatex nor Chromium here'}"
    raise MissingProgramError(cause, REMEDY)


def _instead(program: str, failures: Sequence[str]) -> str:
    why = "; ".join(failures)
    return f"report.pdf was printed by {program}, for LaTeX failed ({why}): {REMEDY}" if failures else ""


def _typeset(program: str, tex: str, figures: Mapping[str, bytes]) -> bytes:
    """Sets the document twice: the first time finds where everything is, the second writes it."""
    with tempfile.TemporaryDirectory(prefix="profiler-") as made:
        folder = Path(made)
        (folder / _HELD).write_text(tex, encoding="ascii")
        (folder / "figures").mkdir()
        for key, figure in figures.items():
            (folder / "figures" / f"{key}.pdf").write_bytes(figure)
        command = [program, "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode"]
        for options in (["-draftmode"], []):
            said = _run([*command, *options, _HELD.name], folder, _LATEX_SETTING)
            if said.code:
                raise _FailedError(_complaint(said.output))
        return _whole(folder / _HELD.with_suffix(".pdf"))


# Reads and writes nothing outside its folder and TeX's own, and does not wrap what it says.
_LATEX_SETTING = {
    "SOURCE_DATE_EPOCH": "0",
    "FORCE_SOURCE_DATE": "1",
    "openin_any": "p",
    "openout_any": "p",
    "max_print_line": "1000",
}


def _complaint(log: str) -> str:
    """What LaTeX said first of what is wrong."""
    found = re.search(r"^! *(?:LaTeX Error: )?(.+?)\.?$", log, re.MULTILINE)
    return found[1] if found else "it ended without a word of what is wrong"


def _print(program: str, page: str) -> bytes:
    with tempfile.TemporaryDirectory(prefix="profiler-", ignore_cleanup_errors=True) as made:
        folder = Path(made)
        (folder / "index.html").write_text(page, encoding="utf-8")
        command = [
            program,
            "--headless",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--no-first-run",
            f"--user-data-dir={folder / 'profile'}",
            "--no-pdf-header-footer",
            "--print-to-pdf-no-header",
            f"--print-to-pdf={folder / 'report.pdf'}",
        ]
        if os.geteuid() == 0:
            # Chromium refuses to run as root in its sandbox; the page is our own and has no script from elsewhere.
            command.append("--no-sandbox")
        _run([*command, (folder / "index.html").as_uri()], folder, {})
        return _settled(_whole(folder / "report.pdf"))


def _settled(pdf: bytes) -> bytes:
    """Without the time of printing, and with the page's elements numbered from 0 where Chromium goes on counting.

    Nothing changes its length, for a PDF file has a table of the places in it.
    """
    nodes = {name: b"node%08d" % place for place, name in enumerate(sorted(set(re.findall(_NODE, pdf))))}
    undated = re.sub(rb"(/(?:CreationDate|ModDate) ?\(D:)\d{14}", rb"\g<1>" + _NO_DATE, pdf)
    return re.sub(_NODE, lambda found: nodes[found[0]], undated)


def _whole(path: Path) -> bytes:
    data = path.read_bytes() if path.exists() else b""
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-64:]:
        raise _FailedError("it wrote no whole PDF file")
    return data


class _Said(NamedTuple):
    code: int
    output: str


def _run(command: Sequence[str], folder: Path, setting: Mapping[str, str]) -> _Said:
    """Runs a program in the folder until it ends; what it started itself ends with it, also where time is up."""
    try:
        process = subprocess.Popen(
            command,
            cwd=folder,
            env={**os.environ, **setting},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    except OSError as error:
        raise _FailedError(f"it cannot be started ({error.strerror})") from error
    try:
        output, _ = process.communicate(timeout=_SECONDS)
    except subprocess.TimeoutExpired as error:
        raise _FailedError(f"it took more than {_SECONDS:.0f} s") from error
    finally:
        _end(process)
    return _Said(process.returncode, output.decode(errors="replace"))


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        os.killpg(process.pid, signal.SIGKILL)
    except ProcessLookupError:
        return
    finally:
        process.wait()
        if process.stdout:
            process.stdout.close()
