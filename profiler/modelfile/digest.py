"""The digest that tells one model file from another."""

import hashlib
from pathlib import Path


def file_sha256(path: Path) -> str:
    """Hexadecimal digest of the file."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
