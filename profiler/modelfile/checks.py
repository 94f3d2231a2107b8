"""What `profiler models check` found, kept beside the model files."""

from collections.abc import Iterable
from pathlib import Path

import msgspec

from profiler.errors import ProfilerError
from profiler.modelfile import ModelFile
from profiler.records import Check, Record, from_json, to_json
from profiler.store import write_whole

FILE, SCHEMA = "check.json", 1
"""The file of what was found, beside the model files, and the version of its format."""


class _Kept(Record, frozen=True, kw_only=True):
    """The file beside the models: checks by the models' SHA-256."""

    schema: int
    checks: dict[str, Check]


def store(checks: Iterable[Check], models: Iterable[ModelFile]) -> None:
    """Keeps what was found beside each model file, in place of what was found before of this file.

    Only what knows less of the same file does not replace what was found: a check on fewer photos, or without a
    reference but itself.

    Raises:
        ProfilerError: A folder cannot be written, or what stands there is not what this program wrote.
    """
    folders = {model.label: model.path.parent for model in models}
    found: dict[Path, list[Check]] = {}
    for each in checks:
        found.setdefault(folders[each.label], []).append(each)
    for folder, mine in found.items():
        before, files = _read(folder / FILE), {each.file for each in mine}
        better = {each.sha256: each for each in mine if _worth(each) >= _worth(before.get(each.sha256))}
        # A file that was made anew has another digest, and what was found of the old one is of no use.
        digests = {each.sha256 for each in mine}
        others = {digest: each for digest, each in before.items() if each.file not in files or digest in digests}
        kept = _Kept(schema=SCHEMA, checks=others | better)
        try:
            write_whole(folder / FILE, msgspec.json.format(to_json(kept), indent=1) + b"\n")
        except OSError as error:
            cause = f"the check cannot be kept in {folder} ({error.strerror})"
            raise ProfilerError(cause, "copy the models to a folder you may write to") from error


def readable(models: Iterable[ModelFile]) -> None:
    """Looks at what was found before, so that what `store` would refuse is known before the models are asked.

    Raises:
        ProfilerError: What stands beside a model is not what this program wrote.
    """
    for folder in {model.path.parent for model in models}:
        _read(folder / FILE)


def _worth(check: Check | None) -> tuple[bool, int]:
    """What of two checks of the same file decides which is kept: the greater."""
    return (check.reference != check.label, sum(each.total for each in check.answers)) if check else (False, 0)


def known(model: Path, sha256: str) -> tuple[Check | None, str | None]:
    """What was found of a model file, if it is the same file still; beside it why nothing can be known, where that is
    for want of a readable record and not of a check.
    """
    try:
        return _read(model.parent / FILE).get(sha256), None
    except ProfilerError as error:
        return None, str(error)


def _read(path: Path) -> dict[str, Check]:
    try:
        kept = from_json(_Kept, path.read_bytes())
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ProfilerError(f"{path} cannot be read ({error.strerror})", "make it readable") from error
    except msgspec.DecodeError as error:
        raise ProfilerError(f"{path} is damaged ({error})", "remove it, and check the models again") from error
    if kept.schema != SCHEMA:
        raise ProfilerError(
            f"{path} has schema {kept.schema}, this profiler reads {SCHEMA}", "use the version that wrote it"
        )
    return kept.checks
