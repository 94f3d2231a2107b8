"""Names of classes: labels files, cards, numbers."""

from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.errors import ProfilerError
from profiler.live.class_names import LARGEST, names, read
from profiler.modelfile.cards import Card

NAMES = (
    st.text(st.characters(categories=("L", "N", "P", "S"), include_characters=" "))
    .map(lambda text: " ".join(text.split()))
    .filter(lambda name: name and not name.startswith(":"))
)
"""What can be printed; a colon in front no reader could tell from the separator behind a number."""
UNNUMBERED = NAMES.filter(lambda name: not name[0].isdecimal())


def written(folder: Path, text: str | bytes) -> Path:
    path = folder / "labels.txt"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("labels")


@given(st.lists(UNNUMBERED, min_size=1, unique=True), st.sampled_from(["\n", "\r\n", "\r"]), st.integers(0, 3))
def test_a_name_a_line(folder: Path, found: list[str], end: str, blank: int) -> None:
    assert read(written(folder, end.join([*found, *[""] * blank]))) == tuple(found)


@given(st.lists(NAMES, min_size=1, unique=True), st.sampled_from([" ", ":", ": ", "\t", "  ", " : "]), st.randoms())
def test_numbered_lines_in_any_order(folder: Path, found: list[str], between: str, random: Random) -> None:
    lines = [f"{number}{between}{name}" for number, name in enumerate(found)]
    random.shuffle(lines)
    assert read(written(folder, "\n".join(lines))) == tuple(found)


@pytest.mark.parametrize(
    "lines",
    [["7 up", "2 percent milk"], ["1 cat", "2 dog"], ["0 cat", "dog"], ["0 cat", "0 dog"], ["0", "1"], ["0 a", "2 b"]],
)
def test_numbers_that_number_no_classes_are_part_of_the_name(folder: Path, lines: list[str]) -> None:
    assert read(written(folder, "\n".join(lines))) == tuple(lines)


def test_a_name_that_comes_twice_gets_its_number(folder: Path) -> None:
    assert read(written(folder, "heron\ncrane\ntruck\ncrane\n")) == ("heron", "crane (1)", "truck", "crane (3)")


def test_a_byte_order_mark_is_no_part_of_a_name_and_control_characters_reach_no_terminal(folder: Path) -> None:
    assert read(written(folder, b"\xef\xbb\xbfcat\nd\x1b[2Jog")) == ("cat", "d?[2Jog")


@pytest.mark.parametrize(
    ("text", "cause"),
    [
        ("", "is empty"),
        ("\n \n", "is empty"),
        ("cat\n\ndog", "has no name in line 2"),
        (b"\xff\xfecat", "is not UTF-8"),
        ("a" * (LARGEST + 1), "larger than any labels are"),
    ],
)
def test_what_is_no_labels_file(tmp_path: Path, text: str | bytes, cause: str) -> None:
    with pytest.raises(ProfilerError, match=cause):
        read(written(tmp_path, text))


def test_what_is_no_file(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="is no plain file"):
        read(tmp_path)
    with pytest.raises(ProfilerError, match=r"cannot be read \(No such file"):
        read(tmp_path / "none.txt")


def card(*classes: str) -> Card:
    return Card(profiler_card=1, classes=classes or None)


def test_a_labels_file_goes_before_the_card_and_the_card_before_numbers() -> None:
    model, told = Path("m.tflite"), (Path("l.txt"), ("a", "b"))
    assert names(model, 2, told, card("x", "y")) == ("a", "b")
    assert names(model, 2, None, card("x", "y")) == ("x", "y")
    assert names(model, 3, None, card()) == names(model, 3, None, None) == ("class 0", "class 1", "class 2")
    assert names(model, 1, None, None) == ("class 0", "class 1")
    assert names(model, 1, told, None) == ("a", "b")


def test_a_file_of_1001_classes_with_a_background(folder: Path) -> None:
    found = read(written(folder, "\n".join(["background", *(f"thing {number}" for number in range(1000))])))
    assert names(Path("m.tflite"), 1001, (folder, found), None) == found
    with pytest.raises(ProfilerError, match=r"labels\.txt names 1001 classes, and m\.tflite has 1000 outputs"):
        names(Path("m.tflite"), 1000, (folder / "labels.txt", found), None)


def test_too_few_names_of_one_output_and_of_a_card() -> None:
    with pytest.raises(ProfilerError, match=r"names 1 class, and m\.tflite has 1 output: .*first the negative"):
        names(Path("m.tflite"), 1, (Path("l.txt"), ("dog",)), None)
    with pytest.raises(ProfilerError, match=r"the card of m\.tflite names 3 classes, and m\.tflite has 2 outputs"):
        names(Path("m.tflite"), 2, None, card("a", "b", "c"))
