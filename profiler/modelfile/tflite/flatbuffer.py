"""Where the bytes of a .tflite flatbuffer go: every object that is reached from its root, by the schema's own package.

The accessors are those of the package `tflite`. Which there are, and at which place of a table each looks, is asked of
its classes, so that a field that it gains is followed too.
"""

import struct
from collections.abc import Hashable, Mapping, Sequence
from functools import cache
from types import FunctionType, SimpleNamespace
from typing import Any, Literal, NamedTuple, TypeVar

import numpy as np

Span = tuple[int, int]
"""First byte and the one after the last."""
K = TypeVar("K", bound=Hashable)

UNIONS = {
    "BuiltinOptions": "BuiltinOptions",
    "BuiltinOptions2": "BuiltinOptions2",
    "Details": "QuantizationDetails",
    "ArraySegments": "SparseIndexVector",
    "ArrayIndices": "SparseIndexVector",
}
"""Fields that hold a table of one of several classes, and the enumeration whose names are those classes."""

FAR = {"Buffer": ("Offset", "Size"), "Operator": ("LargeCustomOptionsOffset", "LargeCustomOptionsSize")}
"""Classes whose data may lie behind the flatbuffer, in a file too large for its 31-bit offsets: where, and how long."""

VTABLE_HEAD = 4
"""Bytes of a vtable before the places of the fields: its own size and the table's."""

ALLOWANCE = 1_000_000
"""What reading a file may cost, in numbers taken from it: a few seconds at most, enough for 30,000 operators. In
a small file a million references can lead to one object."""
TABLE = 10
"""What a table costs."""
VTABLE = 8
"""How many bytes of a vtable cost as much as a number."""
LETTERS = 64
"""How many characters cost as much as a number."""


class Damaged(Exception):  # noqa: N818 - it is a finding
    """The file is not what a writer of flatbuffers makes."""


DAMAGE = (Damaged, struct.error, TypeError, ValueError, OverflowError)
"""What reading a damaged file raises: its offsets lead out of it or to lengths that it does not have."""


class Allowance:
    """What may still be taken from the file."""

    def __init__(self, left: int = ALLOWANCE) -> None:
        self._left = left

    def spend(self, numbers: int) -> None:
        self._left -= numbers
        if self._left < 0:
            raise Damaged("refers to far more objects than a network has")


class _Field(NamedTuple):
    """A field that refers to something outside its table.

    Attributes:
        place: In the vtable, counted from the first field's.
    """

    name: str
    place: int
    kind: Literal["numbers", "tables", "union", "one"]


class _Layout(NamedTuple):
    """Fields of a class.

    Attributes:
        fields: Those that refer to something outside the table itself.
        known: Places in the vtable of all fields, counted from the first field's.
    """

    fields: tuple[_Field, ...]
    known: frozenset[int]


def _layout(table: Any) -> _Layout:
    """What the schema knows of a table's class."""
    table_class: Any = type(table)
    return _layout_of(table_class)


@cache
def _layout_of(table: Any) -> _Layout:
    names = {name for name, member in vars(table).items() if isinstance(member, FunctionType) and name[0].isupper()}
    derived = {name + suffix for name in names for suffix in ("Length", "AsNumpy", "IsNone")}
    fields, known = [], set()
    for name in sorted(names - derived - {"Init"}):
        vector = f"{name}Length" in names
        slots: list[int] = []
        # The accessor looks for its field, is told that it is absent, and gives the field's default.
        stand_in = table()
        stand_in._tab = SimpleNamespace(Offset=lambda slot, slots=slots: slots.append(slot) or 0)
        default = getattr(stand_in, name)(*([0] if vector else []))
        place = (slots[0] - VTABLE_HEAD) // 2
        known.add(place)
        if f"{name}AsNumpy" in names:
            fields.append(_Field(name, place, "numbers"))
        elif vector:
            fields.append(_Field(name, place, "tables"))
        elif default is None:
            fields.append(_Field(name, place, "union" if name in UNIONS else "one"))
    return _Layout(tuple(fields), frozenset(known))


class Walk:
    """What has been reached.

    Args:
        data: The whole file.
        schema: The package `tflite`.
        kinds: Fields, of whatever table, whose content is of a kind of its own.

    Attributes:
        claims: Bytes that something refers to, by kind.
        newer: The file has fields or classes that the schema lacks; what only they refer to was not reached.
    """

    def __init__(self, data: memoryview, schema: Any, kinds: Mapping[str, str], allowance: Allowance) -> None:
        self.claims: dict[str, list[Span]] = {}
        self.newer = False
        self._size = len(data)
        self._schema = schema
        self._kinds = kinds
        self._allowance = allowance
        self._seen: set[tuple[str, int, str]] = set()
        self._widths: dict[tuple[str, str], int] = {}

    def claim(self, start: int, stop: int, kind: str) -> None:
        """Notes bytes that something refers to.

        Raises:
            Damaged: They are not in the file.
        """
        if not 0 <= start <= stop <= self._size:
            raise Damaged("refers to bytes that are not in it")
        self.claims.setdefault(kind, []).append((start, stop))

    def visit(self, table: Any, kind: str) -> None:
        """Notes a table and all that it refers to, as of that kind.

        Raises:
            Damaged: It leads out of the file, or to far too many others.
        """
        self._allowance.spend(TABLE)
        tab = table._tab
        reached = (type(table).__name__, tab.Pos, kind)
        if reached in self._seen:
            return
        self._seen.add(reached)
        layout = _layout(table)
        slots = self._inline(tab, kind)
        start, stop = far(table)
        if stop:
            self.claim(start, stop, kind)
        self.newer = self.newer or any(slot and place not in layout.known for place, slot in enumerate(slots))
        for field in layout.fields:
            if field.place < len(slots) and slots[field.place]:
                self._follow(table, field, slots[field.place], self._kinds.get(field.name, kind))

    def _inline(self, tab: Any, kind: str) -> tuple[int, ...]:
        """Notes a table's own bytes and its vtable; the places of its fields within it, 0 for one that is absent."""
        (back,) = struct.unpack_from("<i", tab.Bytes, tab.Pos)
        vtable = tab.Pos - back
        if vtable < 0:
            raise Damaged("refers to bytes that are not in it")
        length, size = struct.unpack_from("<HH", tab.Bytes, vtable)
        if length < VTABLE_HEAD or length % 2 or size < 4:
            raise Damaged("has a table without fields of its own")
        # Tables share vtables, and a vtable can be made as large as 64 KiB.
        self._allowance.spend(length // VTABLE)
        self.claim(vtable, vtable + length, kind)
        self.claim(tab.Pos, tab.Pos + size, kind)
        return struct.unpack_from(f"<{(length - VTABLE_HEAD) // 2}H", tab.Bytes, vtable + VTABLE_HEAD)

    def _follow(self, table: Any, field: _Field, place: int, kind: str) -> None:
        tab = table._tab
        if field.kind == "numbers":
            self._vector(tab.Vector(place), tab.VectorLen(place) * self._width(table, field.name), kind)
        elif field.kind == "tables":
            length = getattr(table, f"{field.name}Length")()
            self._vector(tab.Vector(place), 4 * length, kind)
            for index in range(length):
                self.visit(getattr(table, field.name)(index), kind)
        elif field.kind == "union":
            self._union(table, field.name, kind)
        else:
            found = getattr(table, field.name)()
            if isinstance(found, bytes):
                self._allowance.spend(len(found) // LETTERS)
                self._vector(tab.Indirect(tab.Pos + place) + 4, tab.VectorLen(place) + 1, kind)
            else:
                self.visit(found, kind)

    def _width(self, table: Any, name: str) -> int:
        """Bytes of a number of a vector."""
        key = (type(table).__name__, name)
        if key not in self._widths:
            self._widths[key] = getattr(table, f"{name}AsNumpy")().itemsize
        return self._widths[key]

    def _vector(self, start: int, size_bytes: int, kind: str) -> None:
        """Notes a vector's or a string's content, and the length in front of it."""
        self.claim(start - 4, start + size_bytes, kind)

    def _union(self, table: Any, name: str, kind: str) -> None:
        found = getattr(table, name)()
        name_of = names(getattr(self._schema, UNIONS[name]))
        member = getattr(self._schema, name_of.get(getattr(table, f"{name}Type")(), ""), None)
        if member is None:
            self.newer = True
            self._inline(found, kind)
            return
        options = member()
        options.Init(found.Bytes, found.Pos)
        self.visit(options, kind)


def far(table: Any) -> Span:
    """Bytes that a table refers to by their place in the file; (0, 0) where it does not. Offsets 0 and 1 mean none."""
    if type(table).__name__ not in FAR:
        return 0, 0
    start, size = (getattr(table, name)() for name in FAR[type(table).__name__])
    return (start, start + size) if start > 1 else (0, 0)


def content(table: Any, name: str) -> Span:
    """Where a vector of bytes lies; (0, 0) where it is absent."""
    field = next(field for field in _layout(table).fields if field.name == name)
    place = table._tab.Offset(VTABLE_HEAD + 2 * field.place)
    if not place:
        return 0, 0
    start = table._tab.Vector(place)
    return start, start + getattr(table, f"{name}Length")()


@cache
def names(enumeration: Any) -> Mapping[int, str]:
    """Names of the values of an enumeration, which the schema has as a class."""
    return {value: name for name, value in vars(enumeration).items() if isinstance(value, int)}


def share_out(size: int, claims: Sequence[tuple[K, Sequence[Span]]]) -> tuple[dict[K, int], list[Span]]:
    """How many bytes fall to each of the claims, each byte to the first that has it.

    Returns:
        Bytes by claim, and the spans of what is left, in order. Together they are the whole file.
    """
    spans = [np.array([span for span in part if span[0] < span[1]], np.int64).reshape(-1, 2) for _, part in claims]
    edges = np.unique(np.concatenate([np.array([0, size]), *(part.ravel() for part in spans)]))
    lengths = np.diff(edges)
    free = np.ones(len(lengths), bool)
    found: dict[K, int] = {}
    for (key, _), part in zip(claims, spans, strict=True):
        opened, closed = (np.bincount(np.searchsorted(edges, ends), minlength=len(edges)) for ends in part.T)
        covered = (opened - closed).cumsum()[:-1] > 0
        found[key] = found.get(key, 0) + int(lengths[covered & free].sum())
        free &= ~covered
    return found, list(zip(edges[:-1][free].tolist(), edges[1:][free].tolist(), strict=True))
