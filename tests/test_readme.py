"""The README names what there is: every command, and only files that are there."""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import pytest

from profiler.cli import main

ROOT = Path(__file__).parent.parent
TEXT = (ROOT / "README.md").read_text()


def commands(group: click.Group, path: str) -> Iterator[str]:
    """Every command with the words that lead to it."""
    for name, command in group.commands.items():
        yield f"{path} {name}"
        if isinstance(command, click.Group):
            yield from commands(command, f"{path} {name}")


@pytest.mark.parametrize("command", list(commands(main, "profiler")))
def test_every_command_is_in_the_readme(command: str) -> None:
    assert re.search(rf"{command}\b", " ".join(TEXT.split()))


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#]+)\)", TEXT))))
def test_every_link_leads_to_a_file(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("command", sorted(set(re.findall(r"(?:^    |`)profiler ([a-z]+)", TEXT, re.MULTILINE))))
def test_no_command_is_made_up(command: str) -> None:
    assert command in main.commands


def test_the_first_report_is_quoted_as_it_is() -> None:
    """Its answer, word by word: when the example is made anew, so are the figures beside it."""
    section = TEXT.partition("## A first report, line by line")[2]
    quoted = section.partition("\n> ")[2].partition("\n\n")[0].replace("\n> ", " ")
    assert len(quoted) > 100
    assert quoted in (ROOT / "reports/x86-vm/report.md").read_text()
