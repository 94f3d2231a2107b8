"""Debian's arm64 Python, unpacked into a folder from this machine's own apt sources.

apt works in directories of its own: it neither reads nor changes what is installed here, and needs no root.
"""

import fnmatch
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import NamedTuple

from profiler.errors import ProfilerError
from profiler.records import Record
from profiler.virtual import run_tool

_LEFT_OUT = Path(__file__).parent.parent / "data" / "virtual" / "left-out.txt"
_CONFIGURATION = """\
{host}
Dir::Etc::main "/dev/null";
Dir::Etc::parts "/dev/null";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::State "{folder}/state";
Dir::State::status "{folder}/status";
Dir::Cache "{folder}/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
APT::Architecture "arm64";
APT::Architectures {{ "arm64"; }};
APT::Install-Recommends "false";
APT::Get::Show-User-Simulation-Note "false";
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::GzipIndexes "true";
"""
"""Of the host's configuration come the sources with their keys, and how to reach them (proxies among it); its hooks and
preferences stay out. As root apt would fetch as a user of its own, who may not read a private folder."""
_NOT_OF_THE_HOST = ("Acquire::IndexTargets", "Acquire::Languages")
"""Further files that are fetched for programs other than apt."""


class System(Record, frozen=True):
    """What was unpacked.

    Attributes:
        python: Python's version (`3.11.2`).
        glibc: That of the C library (`2.36`), which decides what wheels run.
    """

    python: str
    glibc: str

    @property
    def executable(self) -> str:
        """Python's path in the guest."""
        return f"/usr/bin/python{self.minor}"

    @property
    def library(self) -> str:
        """Its standard library's path in the guest."""
        return f"/usr/lib/python{self.minor}"

    @property
    def minor(self) -> str:
        """The version without its last part (`3.11`)."""
        return ".".join(self.python.split(".")[:2])


class _Package(NamedTuple):
    name: str
    version: str

    @property
    def upstream(self) -> str:
        """Its version's leading numbers, without Debian's epoch."""
        found = re.match(r"(?:\d+:)?(\d+(?:\.\d+)*)", self.version)
        return found[1] if found else self.version


def unpack(folder: Path, downloads: Path, tell: Callable[[str], None]) -> System:
    """Unpacks Python and the libraries that it and compiled wheels need into `folder`.

    Args:
        downloads: Keeps what was fetched, for a setup that comes again after an interruption.

    Raises:
        ProfilerError: No apt here, no network, or no arm64 Python in this machine's sources.
    """
    run_tool.need("apt-get", "apt-cache", "apt-config", "dpkg-deb")
    environment = _private(downloads / "apt")
    tell("reading Debian's arm64 package lists")
    _, updated = run_tool.run(("apt-get", "update"), environment)
    packages = _resolve(_python(environment, updated), environment)
    tell(f"downloading Debian's arm64 Python ({len(packages)} packages)")
    files = _download(packages, downloads / "debs", environment)
    tell("unpacking it")
    for file in files:
        status, output = run_tool.run(("dpkg-deb", "--extract", str(file), str(folder)))
        if status != 0:
            raise ProfilerError(
                f"{file.name} cannot be unpacked ({run_tool.complaint(output, 'tar: ')})", "run it again"
            )
    _finish(folder)
    versions = {package.name: package.upstream for package in packages}
    python = next(version for name, version in versions.items() if re.fullmatch(r"python3\.\d+-minimal", name))
    return System(python, ".".join(versions["libc6"].split(".")[:2]))


def _private(folder: Path) -> dict[str, str]:
    """The environment in which apt knows arm64 alone and writes below `folder` only."""
    for name in ("state/lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True, exist_ok=True)
    (folder / "status").touch()
    _, dump = run_tool.run(("apt-config", "dump", "Acquire", "Dir::Etc"))
    settings = re.findall(r'^(?:Acquire|Dir::Etc)\S* ".*";$', dump, re.MULTILINE)
    host = "\n".join(setting for setting in settings if not setting.startswith(_NOT_OF_THE_HOST))
    (folder / "apt.conf").write_text(_CONFIGURATION.format(host=host, folder=folder))
    return {"APT_CONFIG": str(folder / "apt.conf")}


def _python(environment: Mapping[str, str], updated: str) -> str:
    """Python's package without the suffix (`python3.11`), from the release's `python3`.

    Args:
        updated: What apt printed when it read the lists: the reason where there is no such package.
    """
    _, depends = run_tool.run(("apt-cache", "depends", "python3"), environment)
    found = re.search(r"Depends: (python3\.\d+)\b", depends)
    if found is None:
        if re.search("^(Err:|[EW]: )", updated, re.MULTILINE):
            raise _unreachable("Debian's arm64 package lists", updated)
        raise ProfilerError(
            "this machine's apt sources have no arm64 python3", "add a source that has arm64 packages, such as Debian's"
        )
    return found[1]


def _resolve(python: str, environment: Mapping[str, str]) -> list[_Package]:
    """What the interpreter, its standard library and C++ wheels need, without what is left out."""
    wanted = (f"{python}-minimal", f"lib{python}-stdlib", "libstdc++6")
    status, output = run_tool.run(("apt-get", "install", "--simulate", *wanted), environment)
    if status != 0:
        raise ProfilerError(
            f"apt cannot put Debian's arm64 Python together ({run_tool.complaint(output, 'E: ')})",
            "mend the apt sources: they must belong to one release",
        )
    left_out = [line for line in _LEFT_OUT.read_text().splitlines() if not line.startswith("#")]
    found = (_Package(*match) for match in re.findall(r"^Inst (\S+) \((\S+) ", output, re.MULTILINE))
    return [package for package in found if not any(fnmatch.fnmatch(package.name, name) for name in left_out)]


def _download(packages: list[_Package], folder: Path, environment: Mapping[str, str]) -> list[Path]:
    """The packages' files; those that are there whole already are not fetched again."""
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{package.name}={package.version}" for package in packages]
    status, output = run_tool.run(("apt-get", "download", *names), environment, folder)
    if status != 0:
        raise _unreachable("Debian's arm64 Python", output)
    return [_file(package, folder) for package in packages]


def _file(package: _Package, folder: Path) -> Path:
    version = package.version.replace(":", "%3a")
    return next(folder.glob(f"{package.name}_{version}_*.deb"))


def _unreachable(what: str, output: str) -> ProfilerError:
    return ProfilerError(
        f"apt could not download {what}: {run_tool.complaint(output, 'E: ', 'W: ')}",
        "check the network and run it again; what is there already is kept",
    )


def _finish(folder: Path) -> None:
    """Makes of the unpacked packages a system that needs nothing of the host's."""
    shutil.rmtree(folder / "usr" / "share", ignore_errors=True)
    # Packages of a release with a merged /usr bring no /lib, which the interpreter's loader is named by.
    for name in ("lib", "bin"):
        if not (folder / name).exists():
            (folder / name).symlink_to(Path("usr") / name)
    # Without its own the guest's loader would read the host's.
    (folder / "etc").mkdir(exist_ok=True)
    for name in ("ld.so.cache", "ld.so.preload"):
        (folder / "etc" / name).touch()
