import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import ProfilerError
from profiler.machine.board_file import LEVELS, parameters, read
from profiler.machine.host import MACHINES
from profiler.records import Target

TEXT = """
title = "A board"
cpus = 2

[[cache]]
level = 1
type = "Data"
size_bytes = 32_768
ways = 8
line_bytes = 64
shared_by = 1
source = "its manual"

[[cache]]
level = 1
type = "Instruction"
size_bytes = 32_768
ways = 8
line_bytes = 64
shared_by = 1
source = "its manual"

[[cache]]
level = 2
type = "Unified"
size_bytes = 262_144
ways = 8
line_bytes = 64
shared_by = 1
source = "its manual"
"""
LATENCIES = """
[[latency]]
level = "memory"
cycles = 200
ns = 100
clock_mhz = 2000
source = "measured"

[[latency]]
level = "l2"
cycles = 10.5
source = "measured"
"""


@pytest.fixture
def write(tmp_path: Path) -> Any:
    """Makes a machine file of the text and gives its path."""

    def write(text: str | bytes) -> Path:
        path = tmp_path / "board.toml"
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        return path

    return write


def refusal(path: Path) -> str:
    """The one line that a user sees of a file that is refused."""
    with pytest.raises(ProfilerError) as error:
        read(path)
    assert len(str(error.value).splitlines()) == 1
    return str(error.value)


def tried(path: Path) -> Target | str:
    """The machine, or what a user sees of a refusal."""
    try:
        return read(path)
    except ProfilerError as error:
        return str(error)


def test_what_a_user_must_write_is_little(write: Any) -> None:
    board = read(write(TEXT))
    assert (board.key, board.title, board.uarch, board.cpus, board.source) == (
        "board",
        "A board",
        "generic",
        2,
        "board.toml",
    )
    assert (board.emulated_cpu, board.latency_cycles, board.latency_source) == (None, {}, "")
    assert board.prefetch == {"kind": "none"}
    assert [cache.size_bytes for cache in board.caches] == [32768, 32768, 262144]


def test_latencies_and_prefetcher(write: Any) -> None:
    prefetch = '[prefetch]\nkind = "stride"\ndistance = 8\ndegree = 2\n'
    board = read(write('uarch = "cortex-a76"\nemulated_cpu = "cortex-a76"\n' + TEXT + LATENCIES + prefetch))
    assert (board.uarch, board.emulated_cpu) == ("cortex-a76", "cortex-a76")
    assert board.latency_cycles == {"memory": 200, "l2": 10.5}
    assert board.latency_source == "measured"
    assert parameters(board.prefetch) == [("degree", 2), ("distance", 8)]


@pytest.mark.parametrize("file", sorted(MACHINES.glob("*.toml")), ids=lambda file: file.stem)
def test_every_figure_that_ships_has_its_source(file: Path) -> None:
    board = read(file)
    levels = set(LEVELS) if any(cache.level == 3 for cache in board.caches) else set(LEVELS) - {"l3"}
    assert set(board.latency_cycles) == levels
    assert board.emulated_cpu == board.uarch
    # Only where a real board's counts were there to choose by.
    assert board.prefetch["kind"] == ("stride" if file.stem == "pi5" else "none")
    for part in (*tomllib.loads(file.read_text())["latency"], *tomllib.loads(file.read_text())["cache"]):
        assert len(part["source"]) > 20


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('title = "A board"\n', "", "missing required field `title`"),
        ("cpus = 2\n", "", "missing required field `cpus`"),
        ("ways = 8\n", "", "missing required field `ways`"),
        ("cpus = 2\n", 'cpus = 2\nspeed = "fast"\n', "unknown field `speed`"),
        ("ways = 8\n", "ways = 8\nsets = 64\n", "unknown field `sets`"),
        ("cpus = 2\n", 'cpus = "2"\n', "Expected `int`, got `str`"),
        ("cpus = 2\n", "cpus = 0\n", "`int` >= 1"),
        ("cpus = 2\n", "cpus = 2.5\n", "Expected `int`"),
        ("cpus = 2\n", "cpus = true\n", "Expected `int`, got `bool`"),
        ("cpus = 2\n", f"cpus = {'9' * 5000}\n", "board.toml"),
        ('"Data"', '"data"', "data"),
        ('"A board"', '"A\\nboard"', "'A\\nboard' is not a line of text"),
        ('"A board"', '" "', "is not a line of text"),
        ('"its manual"', '"\\u2028"', "is not a line of text"),
        ("cpus = 2\n", 'cpus = 2\nuarch = "z80"\n', "no core 'z80' in the event catalogue"),
        ("cpus = 2\n", 'cpus = 2\nemulated_cpu = "max,sve=on -plugin x"\n', "emulated_cpu"),
        ("size_bytes = 32_768", "size_bytes = 33_000", "L1D: 33000 bytes are not 8 ways"),
        ("cpus = 2\n", "cpus = 2\ncpus = 2\n", "Cannot overwrite"),
        ("cpus = 2\n", "cpus = \n", "Invalid value"),
    ],
)
def test_a_malformed_file_is_refused(write: Any, old: str, new: str, said: str) -> None:
    assert old in TEXT
    line = refusal(write(TEXT.replace(old, new, 1)))
    assert said in line
    assert "board.toml: " in line
    assert "pi5.toml is an example" in line


@pytest.mark.parametrize(
    ("added", "said"),
    [
        ('[[latency]]\nlevel = "l2"\ncycles = 200\nsource = "x"\n' + LATENCIES.replace('"l2"', '"l1d"'), "do not rise"),
        (LATENCIES + LATENCIES, "the latency of a level is there twice"),
        (LATENCIES.replace('"l2"', '"l3"'), "there is a latency of l3, but no L3"),
        (LATENCIES.replace('"l2"', '"l4"'), "l4"),
        (LATENCIES.replace("cycles = 10.5", "cycles = -1"), "> 0"),
        (LATENCIES.replace("cycles = 10.5", "cycles = nan"), "latency"),
        (LATENCIES.replace("cycles = 10.5", "cycles = inf"), "latency"),
        (LATENCIES.replace("cycles = 10.5", f"cycles = 1{'0' * 400}"), "board.toml"),
        (LATENCIES.replace("ns = 100\n", ""), "latency of memory: ns and clock_mhz come together"),
        (LATENCIES.replace("ns = 100\n", "ns = 200\n"), "ns at clock_mhz is 400.0 cycles, not 200"),
        (LATENCIES.replace('source = "measured"\n', "", 1), "missing required field `source`"),
        ('[prefetch]\nkind = "magic"\n', "must be one of none, next-line, stride"),
        ("[prefetch]\ndegree = 2\n", "must be one of none, next-line, stride"),
        ('[prefetch]\nkind = "none"\ndegree = 2\n', "kind none takes no parameters"),
        ('[prefetch]\nkind = "stride"\ndegree = "2"\n', "degree is not a whole number"),
        ('[prefetch]\nkind = "stride"\ndegree = -2\n', "degree is not a whole number"),
        ('[prefetch]\nkind = "stride"\ndegree = 2.0\n', "got `float`"),
        ('[prefetch]\nkind = "stride"\ndegree = true\n', "got `bool`"),
        ('[prefetch]\nkind = "stride"\n"a,b" = 2\n', "'a,b' is not a name of small letters"),
    ],
)
def test_malformed_latencies_and_prefetchers_are_refused(write: Any, added: str, said: str) -> None:
    assert said in refusal(write(TEXT + added))


@pytest.mark.parametrize(
    "text", [b"\xff\xfe", b"a = " + b"[" * 50_000, b"\0", b""], ids=["binary", "deep", "NUL", "empty"]
)
def test_what_is_no_toml_is_refused(write: Any, text: bytes) -> None:
    assert "board.toml: " in refusal(write(text))


@pytest.mark.parametrize("name", ["missing.toml", ".", "x" * 5000 + ".toml", "a/b.toml"])
def test_what_is_no_file_is_refused(tmp_path: Path, name: str) -> None:
    assert "name a" in refusal(tmp_path / name)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
KEYS = [
    "title",
    "cpus",
    "cache",
    "uarch",
    "emulated_cpu",
    "recognise",
    "latency",
    "prefetch",
    "source",
    "level",
    "ways",
]


def toml(value: Any) -> str:
    """The value as TOML."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{toml(str(key))} = {toml(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(toml, value)) + "]"
    if isinstance(value, bool) or value is None:
        return "true" if value else "false"
    if isinstance(value, str):
        return '"' + "".join(f"\\U{ord(char):08x}" for char in value) + '"'
    return str(value)


@given(st.lists(st.tuples(st.sampled_from(KEYS), values), max_size=4), st.booleans())
def test_no_toml_raises_anything_else(tmp_path_factory: Any, pairs: list[tuple[str, Any]], whole: bool) -> None:
    path = tmp_path_factory.getbasetemp() / "arbitrary.toml"
    path.write_text("\n".join(f"{key} = {toml(value)}" for key, value in pairs) + ("\n" + TEXT if whole else ""))
    outcome = tried(path)
    assert isinstance(outcome, Target) or len(outcome.splitlines()) == 1


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(tmp_path_factory: Any, content: bytes) -> None:
    path = tmp_path_factory.getbasetemp() / "arbitrary.toml"
    path.write_bytes(content)
    with pytest.raises(ProfilerError):
        read(path)


@given(st.data())
def test_a_damaged_file_of_ours_raises_nothing_else(tmp_path_factory: Any, data: st.DataObject) -> None:
    text = (MACHINES / "pi5.toml").read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    path = tmp_path_factory.getbasetemp() / "damaged.toml"
    path.write_text(text[:start] + data.draw(st.text(max_size=4).filter(str.isprintable)) + text[end:])
    outcome = tried(path)
    if isinstance(outcome, str):
        assert len(outcome.splitlines()) == 1
        return
    for cache in outcome.caches:
        assert cache.size_bytes % ((cache.ways or 0) * (cache.line_bytes or 0)) == 0
