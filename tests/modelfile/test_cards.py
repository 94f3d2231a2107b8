"""Model cards for programs."""

import json
from pathlib import Path

import pytest
from made_networks import made_form

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.modelfile import ModelFile, families
from profiler.modelfile.cards import Card, of, random_weights, read, text
from profiler.modelfile.digest import file_sha256
from profiler.modelfile.families import MANIFEST, Family, Origin, member
from profiler.records import Form, to_json
from profiler.zoo.pictures import CLASSES

SHIPPED = [modelfile.shipped(name) for name in modelfile.DEFAULTS.values()]


def model(folder: Path, card: object = None, form: Form | None = None) -> ModelFile:
    """A file beside which there is this card: text, or fields beside the version."""
    path = folder / "m.tflite"
    path.write_bytes(b"....TFL3")
    if isinstance(card, dict):
        (folder / "m.json").write_text(json.dumps({"profiler_card": 1, **card}))
    elif isinstance(card, bytes):
        (folder / "m.json").write_bytes(card)
    return ModelFile("litert", "litert", path, form)


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.suffix)
def test_the_shipped_card_speaks_of_the_shipped_files(path: Path) -> None:
    card = of(modelfile.alone(path))
    assert card is not None
    assert (card.classes, card.output, card.pixels) == (CLASSES, "logit", (0, 255))
    assert sorted(card.sha256) == sorted(map(file_sha256, SHIPPED))
    assert path.with_suffix(".json").read_bytes() == text(card)


def test_a_card_may_say_little(tmp_path: Path) -> None:
    assert of(model(tmp_path)) is None
    assert of(model(tmp_path, {})) == Card(profiler_card=1)
    fields = {"classes": ["a", "b"], "output": "softmax", "pixels": [-1, 1]}
    assert of(model(tmp_path, fields)) == Card(profiler_card=1, classes=("a", "b"), output="softmax", pixels=(-1, 1))


def test_json_of_another_program_is_no_card(tmp_path: Path) -> None:
    for other in (b"{}", b'{"class_name": "Functional", "config": {}}', b"[1, 2]", b"null"):
        assert of(model(tmp_path, other)) is None


@pytest.mark.parametrize(
    ("card", "cause"),
    [
        (b"", "is damaged"),
        (b'{"profiler_card": 1, "classes": ["a", ', "is damaged"),
        (b'{"profiler_card": 1, "classes": "\xff"}', "is damaged"),
        ({"kind": "logit"}, "is damaged"),
        ({"output": "tanh"}, "is damaged"),
        ({"pixels": [0, 1, 2]}, "is damaged"),
        ({"profiler_card": 2}, "has version 2, this profiler reads 1"),
        ({"classes": ["cat"]}, "contradicts itself: a classifier has two classes or more"),
        ({"classes": ["cat", "cat"]}, "contradicts itself: two classes have one name"),
        ({"classes": ["cat", " "]}, "contradicts itself: the name of a class is empty"),
        ({"classes": ["cat", "\x1b[2J"]}, "contradicts itself: the name of a class is empty or not printable"),
        ({"pixels": [1, 1]}, "contradicts itself: the first of pixels"),
        ({"sha256": ["ABC"]}, "contradicts itself: a sha256 is not"),
        ({"sha256": ["0" * 64]}, r"is the card of another file than m\.tflite"),
    ],
)
def test_a_card_that_cannot_be_used_is_named_with_a_remedy(tmp_path: Path, card: object, cause: str) -> None:
    with pytest.raises(ProfilerError, match=cause) as raised:
        of(model(tmp_path, card))
    assert "m.json" in raised.value.cause
    assert "\n" not in str(raised.value)


def test_a_card_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "m.json").mkdir()
    with pytest.raises(ProfilerError, match=r"m\.json cannot be read"):
        of(model(tmp_path))


def test_a_card_is_written_as_it_is_read(tmp_path: Path) -> None:
    card = Card(profiler_card=1, classes=("ä", "b"), output="sigmoid", pixels=(0, 0.5), sha256=("0" * 64,))
    (tmp_path / "m.json").write_bytes(text(card))
    assert read(tmp_path / "m.json") == card


def family(folder: Path, sha256: str | None, form: Form) -> ModelFile:
    """A file that a manifest names, of a family whose weights are those of the file with this digest."""
    made = model(folder)
    origin = Origin(
        weights="those of a file",
        weights_sha256=sha256,
        pictures="crops",
        pictures_count=1,
        pictures_sha256="0" * 64,
        builtin=True,
        seed=0,
        packages={},
    )
    entry = member(made.path, "m", form, "A form.")
    (folder / MANIFEST).write_bytes(to_json(Family(name="lab", members=(entry,), origin=origin)))
    return made


def test_a_form_with_the_shipped_weights_has_the_shipped_card(tmp_path: Path) -> None:
    made = family(tmp_path, file_sha256(SHIPPED[0]), made_form())
    assert of(made) == of(modelfile.alone(SHIPPED[0]))
    (found,) = families.find(str(tmp_path))
    assert of(ModelFile(*found)) == of(made)
    made.path.write_bytes(b"....TFL3 another file")
    assert of(made) is None


def test_other_weights_have_no_card(tmp_path: Path) -> None:
    assert of(family(tmp_path, "0" * 64, made_form())) is None
    random = family(tmp_path, file_sha256(SHIPPED[0]), made_form(weights="random"))
    assert of(random) is None
    assert random_weights(random)
    assert not random_weights(modelfile.alone(SHIPPED[0]))
    (tmp_path / "other.tflite").write_bytes(b"....TFL3")
    assert of(modelfile.alone(tmp_path / "other.tflite")) is None


def test_random_weights_have_no_card_even_where_one_lies_beside_them(tmp_path: Path) -> None:
    made = model(tmp_path, {"classes": ["a", "b"]}, made_form(weights="random"))
    assert of(made) is None
    assert random_weights(made)


def test_a_damaged_manifest_is_told(tmp_path: Path) -> None:
    made = family(tmp_path, None, made_form())
    (tmp_path / MANIFEST).write_text("{")
    with pytest.raises(ProfilerError, match=r"family\.json is damaged"):
        of(made)
