"""Builds the model families: a folder each, with the forms, a manifest and a card; whole or not at all."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from profiler import __version__
from profiler.errors import ProfilerError
from profiler.modelfile.digest import file_sha256
from profiler.modelfile.families import MANIFEST, NAMES, Family, FamilyMember, Origin
from profiler.records import to_json
from profiler.store import write_whole
from profiler.zoo import card, lab, width
from profiler.zoo.pictures import Pictures, pictures
from profiler.zoo.quiet import tensorflow

_MAKERS = dict(zip(NAMES, (lab.make, width.make), strict=True))


def build(name: str, output: Path, photos: Path | None, seed: int, report: Callable[[str], object]) -> Path:
    """Builds the family `name` of `network.families.NAMES` into a folder of that name in `output`.

    A family that is there is replaced once the new one is whole, and stays as it is on an error or Ctrl-C.

    Args:
        photos: Folder with `cat/` and `dog/` that int8 is calibrated on and the training step takes; None for pictures
            made from the built-in photograph. Only `lab` takes photos: random weights tell nothing of them.
        seed: Of everything random.
        report: Is told each finished step in a line.

    Returns:
        The family's folder.

    Raises:
        ProfilerError: No TensorFlow; too few or unreadable photos; the folder cannot be written, or holds something
            else.
    """
    if name == "width" and photos is not None:
        raise ProfilerError("the family width has random weights and takes no photos", "leave --photos out")
    target = output / name
    _vacant(target)
    chosen = pictures(photos, seed)
    tf = tensorflow()
    try:
        output.mkdir(parents=True, exist_ok=True)
        # Beside the target, so that it comes there by a rename.
        with tempfile.TemporaryDirectory(dir=output, prefix=".build-") as work:
            draft = Path(work) / name
            draft.mkdir()
            _fill(tf, draft, name, chosen, seed, report)
            _replace(draft, target, Path(work) / "former")
    except OSError as error:
        raise ProfilerError(
            f"cannot write to {output} ({error.strerror or error})", "name a folder you may write to, with room for it"
        ) from error
    report(f"wrote {target}")
    return target


def _vacant(target: Path) -> None:
    """Raises ProfilerError: What is there is not a family, and replacing it would lose it."""
    if (target / MANIFEST).exists() or not target.exists():
        return
    if not target.is_dir() or any(target.iterdir()):
        raise ProfilerError(f"{target} exists and is no model family", "move it away, or name another --output")


def _fill(tf: Any, folder: Path, name: str, chosen: Pictures, seed: int, report: Callable[[str], object]) -> None:
    """Makes everything that the family's folder holds; what is needed on the way is left beside it."""
    why = ", because no --photos were named" if chosen.builtin and name == "lab" else ""
    report(f"pictures: {chosen.what}{why}")

    def tell(made: FamilyMember) -> None:
        report(f"{made.label}: {made.size_bytes:,} bytes")

    members = _MAKERS[name](tf, folder, folder.parent, chosen, seed, tell)
    packages = {"profiler": __version__, "tensorflow": tf.__version__, "keras": tf.keras.__version__}
    family = Family(name=name, members=members, origin=_origin(name, chosen, seed, packages))
    write_whole(folder / MANIFEST, msgspec.json.format(to_json(family), indent=1) + b"\n")
    write_whole(folder / "README.md", card.text(family).encode())


def _origin(name: str, chosen: Pictures, seed: int, packages: dict[str, str]) -> Origin:
    weights, sha256 = "random, drawn for the seed", None
    if name == "lab":
        weights, sha256 = f"those of {lab.source().name}", file_sha256(lab.source())
    return Origin(
        weights=weights,
        weights_sha256=sha256,
        pictures=chosen.what,
        pictures_count=len(chosen.pixels),
        pictures_sha256=chosen.sha256,
        builtin=chosen.builtin,
        seed=seed,
        packages=packages,
    )


def _replace(draft: Path, target: Path, aside: Path) -> None:
    """Puts the draft in the target's place; an error or Ctrl-C on the way leaves the former target there."""
    try:
        if target.exists():
            target.rename(aside)
        draft.rename(target)
    except BaseException:
        if aside.exists() and not target.exists():
            aside.rename(target)
        raise
