"""Python packages of the guest: arm64 wheels, chosen and fetched by this machine's pip."""

import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import distributions
from pathlib import Path

from profiler.errors import ProfilerError
from profiler.records import Record
from profiler.virtual import run_tool
from profiler.virtual.debian import System

_PRETEND = Path(__file__).with_name("pip_for_arch.py")
_OLDEST_GLIBC = 17
"""glibc 2.17 is the first that arm64 wheels may be built for (PEP 599, manylinux2014)."""
_QUIET = {
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_REQUIRE_VIRTUALENV": "0",
    "PIP_ROOT_USER_ACTION": "ignore",
    "PIP_USER": "0",
}
"""Against a user's settings that make no sense for a folder of another machine's wheels."""
_NOT_TO_BE_HAD = ("No matching distribution found", "ResolutionImpossible")
_ENGINES = ("ai-edge-litert", "tensorflow", "keras")


class Site(Record, frozen=True):
    """A folder of packages.

    Attributes:
        python: The Python they are for, without its last part (`3.11`).
        asked: What was asked for, without versions.
        versions: Of all packages in it, by name.
    """

    python: str
    asked: tuple[str, ...]
    versions: dict[str, str]


def requirements(keras: bool, extra: Sequence[str]) -> tuple[str, ...]:
    """What pip is asked for: LiteRT and numpy, TensorFlow with `keras`, and what is asked for by name."""
    return ("ai-edge-litert", "numpy", *(("tensorflow", "keras") if keras else ()), *extra)


def name(requirement: str) -> str:
    """The package's name as pip's index spells it (PEP 503), without a version."""
    found = re.match(r"[A-Za-z0-9._-]*[A-Za-z0-9]", requirement)
    if found is None:
        raise ProfilerError(
            f"'{requirement}' is not a Python package's name", "give names such as pillow, or pillow==11.0"
        )
    return re.sub(r"[-_.]+", "-", found[0]).lower()


def install(
    folder: Path,
    wanted: Sequence[str],
    fixed: Mapping[str, str],
    system: System,
    downloads: Path,
    tell: Callable[[str], None],
) -> None:
    """Installs the packages and what they require, uncompiled; in the versions that run here where arm64 has them.

    Args:
        fixed: Versions that packages must have, if they are installed.

    Raises:
        ProfilerError: There is no pip here, no network, or no version for the guest's Python.
    """
    constraints = downloads / "constraints.txt"
    constraints.parent.mkdir(parents=True, exist_ok=True)
    here = versions()
    engines = {key: here[key] for key in _ENGINES if key in here}
    for pinned in (here, engines, {}):
        constraints.write_text("".join(f"{key}=={version}\n" for key, version in {**pinned, **fixed}.items()))
        status, output = _pip(folder, wanted, system, downloads, tell)
        if status == 0:
            return
        if not any(sign in output for sign in _NOT_TO_BE_HAD) or "Retrying (" in output:
            break
        tell("not all of this machine's versions can be had for arm64; trying others")
    raise _failed(output)


def versions(folder: Path | None = None) -> dict[str, str]:
    """Versions of the packages in the folder, or of those that this Python imports, by name."""
    found = [*(distributions(path=[str(folder)]) if folder else distributions())]
    # Of two of one name the first is imported.
    return {name(each.name): each.version for each in reversed(found) if each.name and each.version}


def platforms(glibc: str) -> tuple[str, ...]:
    """Tags of the wheels that run with this glibc on arm64, the best first (PEP 600)."""
    minors = range(int(glibc.split(".")[1]), _OLDEST_GLIBC - 1, -1)
    return (*(f"manylinux_2_{minor}_aarch64" for minor in minors), "manylinux2014_aarch64", "linux_aarch64", "any")


def _pip(
    folder: Path, wanted: Sequence[str], system: System, downloads: Path, tell: Callable[[str], None]
) -> tuple[int, str]:
    # pip unpacks in a temporary folder before it fills its target: here, where there is room for it.
    temporary = downloads / "tmp"
    temporary.mkdir(exist_ok=True)
    where = [argument for tag in platforms(system.glibc) for argument in ("--platform", tag)]
    command = [
        *(sys.executable, "-P", str(_PRETEND), "aarch64", system.python),
        *("install", "--target", str(folder), "--cache-dir", str(downloads / "pip"), "--progress-bar", "off"),
        *("--no-compile", "--only-binary=:all:", "--constraint", str(downloads / "constraints.txt")),
        *(*where, "--implementation", "cp", "--python-version", system.python, *wanted),
    ]
    return run_tool.run(command, {**_QUIET, "TMPDIR": str(temporary)}, heard=lambda line: _told(line, tell))


def _told(line: str, tell: Callable[[str], None]) -> None:
    """Passes on what is worth waiting for: downloads of a megabyte and more."""
    found = re.match(r"\s*Downloading ([^-]+-[^-]+)-\S+ \((\d+)(?:\.\d+)? ?([MG])B\)", line)
    if found:
        tell(f"downloading {found[1].replace('-', ' ')} ({found[2]} {found[3]}B)")


def _failed(output: str) -> ProfilerError:
    if "No module named pip" in output:
        return ProfilerError("this Python has no pip", f"{sys.executable} -m ensurepip")
    if "Retrying (" in output:
        # What pip calls its error then is that it found no such package.
        found = re.search(r"Retrying \(.*\[Errno -?\d+\] ([\w ]+)", output)
        reason = f" ({found[1]})" if found else ""
        return ProfilerError(f"pip could not reach the package index{reason}", "check the network and run it again")
    said = run_tool.complaint(output, "ERROR: ")
    return ProfilerError(f"pip could not install the arm64 packages: {said}", "mend that and run it again")
