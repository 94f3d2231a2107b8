"""Text that controls no terminal."""

import pytest

from profiler.cli.options import complain
from profiler.sanitize import safe


def test_what_cannot_be_printed_is_a_question_mark() -> None:
    assert safe("Käse \x1b[2J\n\u202e\x9b") == "Käse ?[2J???"


def test_a_complaint_is_one_line_and_nothing_else(capsys: pytest.CaptureFixture[str]) -> None:
    complain("the camera \x1b]0;x\x07 was\nlost")
    assert capsys.readouterr().err == "profiler: the camera ?]0;x? was lost\n"
