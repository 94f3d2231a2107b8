"""Model cards for programs: a small JSON file beside a model that says what its input and its output mean."""

import re
from pathlib import Path

import msgspec

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.modelfile import ModelFile, families
from profiler.modelfile.digest import file_sha256
from profiler.modelfile.families import Family, FamilyMember
from profiler.records import OutputKind, Record, from_json, to_json

SCHEMA = 1
_MARK = "profiler_card"
_REMEDY = "correct it, or remove it"
_DIGEST = re.compile("[0-9a-f]{64}")


class Card(Record, frozen=True, kw_only=True):
    """What a card says; `model.json` is that of `model.tflite` and `model.keras`. What it does not say is None.

    Attributes:
        profiler_card: Version of the format; a JSON file without this field is no card.
        classes: Names of the outputs in their order; of a network with one output, the negative and the positive.
        output: What the last layer gives.
        pixels: What 0 and 255 become for an input of floating point.
        sha256: Of the model files it speaks of, in hexadecimal; empty where it speaks of any beside it.
    """

    profiler_card: int
    classes: tuple[str, ...] | None = None
    output: OutputKind | None = None
    pixels: tuple[float, float] | None = None
    sha256: tuple[str, ...] = ()


def of(model: ModelFile) -> Card | None:
    """The card of a model: that beside it; or of a family's form, the card of the file whose weights it has.

    Only the shipped models' weights are known so. Random weights have no card, whatever lies beside them.

    Raises:
        ProfilerError: The card is damaged, contradicts itself, or speaks of other files than this.
    """
    if random_weights(model):
        return None
    path = model.path.with_suffix(".json")
    card = read(path)
    if card is None:
        return _inherited(model)
    if card.sha256 and file_sha256(model.path) not in card.sha256:
        raise ProfilerError(f"{path} is the card of another file than {model.path.name}", _REMEDY)
    return card


def random_weights(model: ModelFile) -> bool:
    """Whether a model has random weights, so that its answers mean nothing.

    Raises:
        ProfilerError: The manifest beside it is damaged.
    """
    if model.form is not None:
        return model.form.weights == "random"
    family = _family(model.path)
    return family is not None and family[1].form.weights == "random"


def text(card: Card) -> bytes:
    """The card as it stands in its file."""
    return msgspec.json.format(to_json(card), indent=1) + b"\n"


def read(path: Path) -> Card | None:
    """The card in a file; None where there is none, or JSON that is something else.

    Raises:
        ProfilerError: As `of` says.
    """
    try:
        found = path.read_bytes()
        if not _marked(found):
            return None
        card = from_json(Card, found)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise ProfilerError(f"{path} cannot be read ({error.strerror})", "make it readable, or remove it") from error
    except msgspec.DecodeError as error:
        raise ProfilerError(f"model card {path} is damaged ({error})", _REMEDY) from error
    if card.profiler_card != SCHEMA:
        raise ProfilerError(
            f"model card {path} has version {card.profiler_card}, this profiler reads {SCHEMA}",
            "use the version that it was written for",
        )
    wrong = _wrong(card)
    if wrong:
        raise ProfilerError(f"model card {path} contradicts itself: {wrong}", _REMEDY)
    return card


def _marked(content: bytes) -> bool:
    """Whether JSON is meant as a card: other programs too keep a file of a model's name beside it."""
    found: object = from_json(object, content)
    return isinstance(found, dict) and _MARK in found


def _wrong(card: Card) -> str | None:
    classes = card.classes
    if classes is not None:
        if len(classes) < 2:
            return "a classifier has two classes or more"
        if len(set(classes)) < len(classes):
            return "two classes have one name"
        if not all(name.strip() and name.isprintable() for name in classes):
            return "the name of a class is empty or not printable"
    if card.pixels is not None and not card.pixels[0] < card.pixels[1]:
        return "the first of pixels is not below the second"
    if not all(_DIGEST.fullmatch(digest) for digest in card.sha256):
        return "a sha256 is not 64 hexadecimal digits in small letters"
    return None


def _inherited(model: ModelFile) -> Card | None:
    """The shipped models' card, where a family's manifest says that the file has a shipped model's weights."""
    family = _family(model.path)
    if family is None or family[1].form.weights != "same":
        return None
    for name in modelfile.DEFAULTS.values():
        card = read(modelfile.shipped(name).with_suffix(".json"))
        if card is not None and family[0].origin.weights_sha256 in card.sha256:
            return card
    return None


def _family(path: Path) -> tuple[Family, FamilyMember] | None:
    """The family in the file's folder and what it says of the file, if it speaks of this very file."""
    if not (path.parent / families.MANIFEST).is_file():
        return None
    family = families.read(path.parent)
    entry = next((entry for entry in family.members if entry.file == path.name), None)
    return (family, entry) if entry is not None and file_sha256(path) == entry.sha256 else None
