"""README and docs: every command in them is run, or parsed by the program where it would take minutes or a device.

What a page shows as a command is a line of a code block, or a code span that begins with `profiler `. Names that stand
for a user's own (`my.tflite`, `STUDY`) get something of that kind.
"""

import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
import webbrowser
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from msgspec.structs import replace
from studies import made_study, put

from profiler import store
from profiler.cli import main
from profiler.images.pools import BUILTIN
from profiler.measure import sweep
from profiler.modelfile import families
from profiler.records import Plan

ROOT = Path(__file__).parent.parent
PAGES = [
    *(
        ROOT / name
        for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "models/README.md", "benchmarks/README.md")
    ),
    *sorted((ROOT / "docs").glob("*.md")),
]
SHOWN = {str(page.relative_to(ROOT)): page.read_text() for page in PAGES}
TEXT = "\n".join(SHOWN.values())

FENCED = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SPAN = re.compile(r"`([^`\n]+(?:\n[^`\n]+)?)`")
LINK = re.compile(r"\]\(([^)#]+)(?:#[^)]*)?\)")
HOUSE_PATH = re.compile(r"`((?:profiler|tests|scripts|docs)/[\w./-]+)`")

STANDS_FOR = {
    **dict.fromkeys(("STUDY", "YOUR_STUDY", "NAME"), "mine"),
    **dict.fromkeys(("DIR", "TEST_DIR", "FOLDER"), "photos"),
    "NAME=FILE": "litert=my.tflite",
}
EXAMPLES = ("x86-vm", "virtual-pi5", "pi5-cat-dog-lab", "live-x86-vm", "lab-x86-vm")
MINE = ("mine", "before", "after", "desk", "predict", "graph", "one", "four")
"""Studies that a reader is told to make, and then to report or compare: here each is the example of a machine."""

RUN = {"cameras", "check", "compare", "doctor", "events", "export", "models inspect", "report", "virtual list"}
"""Commands that are run as they are shown, over recorded and made studies and the shipped models."""
PARSED = {
    "live": "it needs a camera and ends with Ctrl-C (cli/live/test_live.py runs it)",
    "models build": "it needs TensorFlow and minutes (zoo/test_families.py runs it)",
    "models check": "it needs engines and labelled photos (measure/test_accuracy.py runs it)",
    "models curve": "it needs QEMU and a minute (miss_curve/test_measure.py runs it)",
    "virtual setup": "it unpacks 200 MB of packages (virtual/test_virtual.py runs it)",
    "virtual remove": "it removes what others may use (virtual/test_virtual.py runs it)",
}
"""Commands that the program only parses, and why. `sweep` goes as far as to its plan and model files."""
SLOW = {"compare", "report", "doctor"}
OTHERS = {"cd", "codespell", "git", "mypy", "pip", "python3", "ruff", "sudo", "."}
"""First words of lines that are other programs' commands; `python`, `make` and `profiler` have tests of their own."""


def lines(text: str) -> Iterator[str]:
    """Every command line of the code blocks: comments and line ends after `&&` taken away."""
    blocks = [body for language, body in FENCED.findall(text) if language in ("", "sh")]
    blocks += re.findall(r"(?:^ {4}\S.*\n?)+", FENCED.sub("", text), re.MULTILINE)
    for line in "".join(f"{block}\n" for block in blocks).splitlines():
        for part in re.sub(r"(?:^|\s)#.*", "", line).split("&&"):
            if part.strip():
                yield part.strip()


def commands(text: str, *programs: str) -> set[str]:
    """Command lines of these programs, in code blocks and in code spans."""
    spans = [" ".join(span.split()) for span in SPAN.findall(FENCED.sub("", text))]
    shown = [*lines(text), *(span for span in spans if " " in span)]
    return {line for line in shown if line.split()[0].rpartition("/")[2] in programs}


def every(group: click.Group, path: str) -> Iterator[str]:
    """Every command with the words that lead to it."""
    for name, command in group.commands.items():
        yield f"{path} {name}"
        if isinstance(command, click.Group):
            yield from every(command, f"{path} {name}")


NAMES = list(every(main, "profiler"))
# A command's bare name is one to type in a code block, and a mention in a sentence; `--help` any command has.
MENTIONED = {*NAMES, "profiler --help"} - {*lines(TEXT)}
SHOWN_COMMANDS = sorted(commands(TEXT, "profiler") - MENTIONED)


def words(line: str) -> list[str]:
    """The command's words after the program's name, with something real for each stand-in."""
    return [STANDS_FOR.get(word, word) for word in shlex.split(line)[1:]]


def found(line: str) -> tuple[str, click.Command, list[str]]:
    """The command's name (`models inspect`), the command, and its arguments."""
    name, rest = [], words(line)
    command: click.Command = main
    while isinstance(command, click.Group) and rest and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"{line}: no command {rest[0]}"
        name.append(rest[0])
        command = command.commands[rest.pop(0)]
    return " ".join(name), command, rest


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with all that the commands name."""
    folder = tmp_path_factory.mktemp("desk")
    for name in EXAMPLES:
        shutil.copytree(ROOT / "runs" / name, folder / "runs" / name, ignore=shutil.ignore_patterns("raw"))
    study, runs = store.load(folder / "runs/x86-vm")
    for name in MINE:
        put(folder / "runs", (replace(study, name=name), runs))
    for suffix in ("tflite", "keras"):
        (folder / f"my.{suffix}").symlink_to(ROOT / f"models/cat-dog-mnv2.{suffix}")
    shutil.copy(ROOT / "profiler/data/machines/pi5.toml", folder / "board.toml")
    for kind in ("cat", "dog"):
        (folder / "photos" / kind).mkdir(parents=True)
        shutil.copy(BUILTIN, folder / "photos" / kind)
    return folder


@pytest.fixture
def at_the_desk(desk: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.chdir(desk)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(webbrowser, "open", lambda _url: True)
    return desk


def of(*names: str) -> list[Any]:
    """The shown commands of these names, slow ones marked."""
    shown = [(line, found(line)[0]) for line in SHOWN_COMMANDS]
    return [pytest.param(line, marks=[pytest.mark.slow] * (name in SLOW)) for line, name in shown if name in names]


@pytest.mark.parametrize("line", SHOWN_COMMANDS)
def test_every_command_is_known(line: str) -> None:
    name, command, rest = found(line)
    assert name in {*RUN, *PARSED, "sweep"}
    assert command.make_context(name, rest).info_name == name


@pytest.mark.parametrize("line", of(*RUN))
def test_what_is_shown_runs(line: str, at_the_desk: Path) -> None:
    name, _, rest = found(line)
    if "pdf" in line and shutil.which("pdflatex") is None:
        pytest.skip("no pdflatex")
    done = CliRunner().invoke(main, [*name.split(), *rest, *(["--no-load"] if name == "models inspect" else [])])
    assert done.exit_code == 0, done.output


@pytest.mark.parametrize("line", of("sweep"))
def test_a_sweep_that_is_shown_has_a_plan(line: str, at_the_desk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    planned: list[tuple[Plan, Any]] = []

    def run(_name: str, _runs: Path, plan: Plan, files: Any, _bar: Any) -> sweep.SweepResult:
        planned.append((plan, files))
        return sweep.SweepResult(made_study(images=(1, 5), repeats=1)[0], at_the_desk, 0, interrupted=False)

    def family(name: str, pattern: str = "*") -> tuple[tuple[str, str, Path, None], ...]:
        return ((f"{name}-{pattern}", "litert", at_the_desk / "my.tflite", None),)

    monkeypatch.setattr(sweep, "run", run)
    monkeypatch.setattr(families, "find", family)
    monkeypatch.setattr(importlib.import_module("profiler.cli.sweep"), "show_report", lambda *_: None)
    done = CliRunner().invoke(main, ["sweep", *found(line)[2]])
    assert done.exit_code == 0, done.output
    ((plan, files),) = planned
    assert plan.images
    assert files


def test_no_reason_stands_for_a_command_that_is_not_there() -> None:
    assert {*RUN, *PARSED, "sweep"} == {found(line)[0] for line in SHOWN_COMMANDS}


@pytest.mark.parametrize("command", NAMES)
def test_every_command_is_shown(command: str) -> None:
    assert re.search(rf"{command}\b", " ".join(TEXT.split()))


def test_every_option_is_one_of_a_command() -> None:
    options: set[str] = set()
    for path in NAMES:
        for parameter in found(path)[1].params:
            options |= {*parameter.opts, *parameter.secondary_opts}
    spans = [span.split()[0] for span in SPAN.findall(FENCED.sub("", TEXT)) if span.startswith("--")]
    # perf's, docker's and the benchmarks' own, and what every command has.
    assert {*spans} <= options | {"--control", "--cap-add", "--associativity", "--keras", "--help"}


@pytest.mark.parametrize("page", SHOWN)
def test_lines_of_code_blocks_are_commands_of_known_programs(page: str) -> None:
    first = {line.split()[0].rpartition("/")[2] or line.split()[0] for line in lines(SHOWN[page])}
    assert first <= {*OTHERS, "make", "profiler", "python"}


@pytest.mark.parametrize("line", sorted(commands(TEXT, "make")))
def test_make_has_the_target(line: str) -> None:
    done = subprocess.run([*shlex.split(line), "--dry-run"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("line", sorted(commands(TEXT, "python", "python3") - {"python -m"}))
def test_python_finds_the_module_or_the_program(line: str) -> None:
    option, name, *_ = shlex.split(line)[1:]
    if option == "-m":
        assert find_spec(name)
    else:
        assert (ROOT / option).exists()


@pytest.mark.parametrize("line", sorted(line for line in lines(TEXT) if line.startswith("pip install")))
def test_pip_is_given_extras_and_files_that_are_there(line: str) -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    for extra in re.findall(r"\[([\w,]+)\]", line):
        assert {*extra.split(",")} <= extras.keys()
    for file in re.findall(r"-r (\S+)", line):
        assert (ROOT / file).exists()


@pytest.mark.parametrize("code", [body for language, body in FENCED.findall(TEXT) if language == "python"])
def test_python_that_is_shown_runs(code: str, at_the_desk: Path) -> None:
    exec(compile(code, "shown", "exec"), {})


@pytest.mark.parametrize("page", SHOWN)
def test_every_link_leads_to_a_file(page: str) -> None:
    for target in LINK.findall(SHOWN[page]):
        assert target.startswith("https:") or (ROOT / page).parent.joinpath(target).exists(), target


@pytest.mark.parametrize("page", SHOWN)
def test_every_path_of_the_house_is_there(page: str) -> None:
    named = {path for path in HOUSE_PATH.findall(SHOWN[page]) if "NAME" not in path}
    assert not {path for path in named if not (ROOT / path).exists()}


def test_the_readme_is_short() -> None:
    assert len(SHOWN["README.md"].splitlines()) <= 250


def test_the_first_report_is_quoted_as_it_is() -> None:
    """Its answer, word by word: when the example is made anew, so are the figures beside it."""
    section = SHOWN["docs/sweep-and-report.md"].partition("## A first report, line by line")[2]
    quoted = section.partition("\n> ")[2].partition("\n\n")[0].replace("\n> ", " ")
    assert len(quoted) > 100
    assert quoted in (ROOT / "reports/x86-vm/report.md").read_text()


def test_examples_are_small_and_each_is_shown() -> None:
    listed = subprocess.run(["git", "ls-files", "reports"], cwd=ROOT, capture_output=True, text=True, check=False)
    if listed.returncode or not listed.stdout:
        pytest.skip("not a git repository")
    kept = {ROOT / name for name in listed.stdout.splitlines()}
    assert sum(path.stat().st_size for path in kept) <= 2_000_000
    reports = [path for path in kept if path.name == "report.md"]
    shown = {
        Path(os.path.normpath(page.parent / target))
        for page in (*PAGES, *reports)
        for target in LINK.findall(page.read_text())
    }
    assert kept <= shown


@pytest.mark.slow
def test_the_pages_are_built_and_no_link_is_dead(tmp_path: Path) -> None:
    for package in ("sphinx", "myst_parser", "furo"):
        pytest.importorskip(package)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-c", "docs", ".", str(tmp_path)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "l2d_cache_inval" in (tmp_path / "docs/events.html").read_text()
