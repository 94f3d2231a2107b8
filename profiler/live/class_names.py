"""Names of a network's classes: from a file of labels, from the model's card, or numbers."""

import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from profiler.errors import ProfilerError
from profiler.modelfile.cards import Card
from profiler.sanitize import safe

LARGEST = 16 * 2**20
"""Bytes of a labels file; one of 22,000 classes has less than 1 MiB."""

_NUMBERED = re.compile(r"([0-9]{1,9})(?: ?: ?| )(.*)")
_ENDS = re.compile(r"\r\n|\r|\n")


def read(path: Path) -> tuple[str, ...]:
    """The names in a file: UTF-8, one a line; blank lines at its end are none.

    Where every line begins with a number (`0 cat`, `0:cat`) and these are 0, 1, 2 and so on in any order, they say
    which line is which class. A name that comes more than once gets its class's number, so that answers can be told
    apart.

    Raises:
        ProfilerError: It cannot be read, is no text, has a blank line between others, or nothing.
    """
    lines = [" ".join(line.split()) for line in _ENDS.split(_text(path))]
    while lines and not lines[-1]:
        lines.pop()
    if not lines:
        raise ProfilerError(f"labels file {path} is empty", "name a file with a class a line")
    names = _numbered(lines) or lines
    blank = next((number for number, name in enumerate(names, 1) if not name), None)
    if blank:
        raise ProfilerError(f"labels file {path} has no name in line {blank}", "write a class a line")
    return _distinct([safe(name) for name in names])


def names(file: Path, outputs: int, told: tuple[Path, tuple[str, ...]] | None, card: Card | None) -> tuple[str, ...]:
    """The classes of a network; of one with a single output the negative and the positive.

    Args:
        file: The model file.
        told: A labels file, and what it says.

    Raises:
        ProfilerError: As many names as are told do not fit so many outputs.
    """
    wanted = max(2, outputs)
    if told is None and (card is None or card.classes is None):
        return tuple(f"class {number}" for number in range(wanted))
    if told is not None:
        source, found = f"labels file {told[0]}", told[1]
    else:
        assert card is not None
        assert card.classes is not None
        source, found = f"the card of {file.name}", card.classes
    if len(found) != wanted:
        raise ProfilerError(
            f"{source} names {len(found)} class{'es' if len(found) > 1 else ''}, "
            f"and {file.name} has {outputs} output{'s' if outputs > 1 else ''}",
            "name as many as there are outputs; of one output two, first the negative",
        )
    return found


def _text(path: Path) -> str:
    try:
        if path.exists() and not path.is_file():
            raise ProfilerError(f"labels file {path} is no plain file", "name a text file with a class a line")
        if path.stat().st_size > LARGEST:
            raise ProfilerError(f"labels file {path} is larger than any labels are", "name a text file of labels")
        return path.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise ProfilerError(f"labels file {path} cannot be read ({error.strerror})", "name an existing file") from error
    except UnicodeDecodeError as error:
        raise ProfilerError(f"labels file {path} is not UTF-8", "save it as UTF-8 text") from error


def _numbered(lines: Sequence[str]) -> list[str] | None:
    """Names by number; None where the lines are not numbered so."""
    found: dict[int, str] = {}
    for line in lines:
        match = _NUMBERED.fullmatch(line)
        if match is None:
            return None
        found[int(match[1])] = match[2]
    return [found[number] for number in range(len(lines))] if sorted(found) == list(range(len(lines))) else None


def _distinct(found: Sequence[str]) -> tuple[str, ...]:
    times = Counter(found)
    return tuple(f"{name} ({number})" if times[name] > 1 else name for number, name in enumerate(found))
