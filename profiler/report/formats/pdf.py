"""A report as one PDF file, set by LaTeX: the same bytes each time."""

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from profiler.errors import MissingProgramError

REMEDY = "sudo apt install texlive-latex-recommended"
"""What brings pdflatex and all that report.tex asks of it, on Debian and its descendants."""

_SECONDS = 120.0
"""Longest that one run may take: pdflatex takes a second on a desktop machine, some ten on a small board."""

# It tells no time, reads and writes nothing outside its folder and TeX's own, starts no other program to make a font,
# and does not wrap what it says.
_SETTING = {
    "SOURCE_DATE_EPOCH": "0",
    "FORCE_SOURCE_DATE": "1",
    "openin_any": "p",
    "openout_any": "p",
    "MKTEXPK": "0",
    "MKTEXTFM": "0",
    "max_print_line": "1000",
}


def make(tex: str, figures: Mapping[str, bytes]) -> bytes:
    """Return the report as a PDF file: what `report.tex` gives when pdflatex has run twice.

    Args:
        tex: The report as LaTeX.
        figures: PDF files by the figures' keys, which it includes.

    Raises:
        MissingProgramError: There is no pdflatex, or it makes no file of this.
    """
    program = shutil.which("pdflatex")
    if program is None:
        raise _error("there is no pdflatex here")
    with tempfile.TemporaryDirectory(prefix="profiler-") as made:
        folder = Path(made)
        (folder / "report.tex").write_text(tex, encoding="ascii")
        (folder / "figures").mkdir()
        for key, figure in figures.items():
            (folder / "figures" / f"{key}.pdf").write_bytes(figure)
        # The first time finds where everything is, the second writes it.
        for options in (["-draftmode"], []):
            _run([program, "-no-shell-escape", "-halt-on-error", "-interaction=nonstopmode", *options], folder)
        path = folder / "report.pdf"
        data = path.read_bytes() if path.exists() else b""
    if not data.startswith(b"%PDF-") or b"%%EOF" not in data[-64:]:
        raise _error("pdflatex wrote no whole PDF file")
    return data


def _run(command: list[str], folder: Path) -> None:
    try:
        done = subprocess.run(
            [*command, "report.tex"],
            cwd=folder,
            env={**os.environ, **_SETTING},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except OSError as error:
        raise _error(f"pdflatex cannot be started ({error.strerror})") from error
    except subprocess.TimeoutExpired as error:
        raise _error(f"pdflatex took more than {_SECONDS:.0f} s") from error
    if done.returncode:
        said = re.search(r"^! *(?:LaTeX Error: )?(.+?)\.?$", done.stdout, re.MULTILINE)
        raise _error(f"pdflatex: {said[1]}" if said else "pdflatex ended without a word of what is wrong")


def _error(why: str) -> MissingProgramError:
    return MissingProgramError(f"report.pdf cannot be made: {why}", REMEDY)
