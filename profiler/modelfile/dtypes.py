"""Data types of tensors by name, as numpy spells them, and in the same manner those that it lacks (`int4`)."""

import re

_NUMERIC = re.compile(r"(?:u?int|b?float|complex)(\d+)(?:_\w+)?")
"""`float8_e4m3fn` too: of the 8-bit floats, the bits of exponent and mantissa follow the width."""


def bits(name: str) -> int | None:
    """Width of a value in bits; None where values have no fixed width (`string`) or the type is not known."""
    if name == "bool":
        return 8
    numeric = _NUMERIC.fullmatch(name)
    return int(numeric[1]) if numeric else None


def size_bytes(name: str, elements: int) -> int | None:
    """Bytes of so many values, narrow types packed; None as in `bits`."""
    width = bits(name)
    return None if width is None else -(-elements * width // 8)
