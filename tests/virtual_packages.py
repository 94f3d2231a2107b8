"""Small Debian packages and wheels of the names that a virtual board is made of, for the real apt and pip."""

import hashlib
import subprocess
import sys
import zipfile
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

MINOR = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The guest's Python is the tests' own, so that its files are compiled without an emulator."""
PYTHON = f"python{MINOR}"
EXECUTABLE = f"/usr/bin/{PYTHON}"

DEBS: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "python3": (f"{MINOR}.1-1", PYTHON, ()),
    PYTHON: (f"{MINOR}.1-1", f"{PYTHON}-minimal", ()),
    f"{PYTHON}-minimal": (f"{MINOR}.1-1", "libc6", (EXECUTABLE[1:],)),
    f"lib{PYTHON}-stdlib": (f"{MINOR}.1-1", "libc6, libreadline8", (f"usr/lib/{PYTHON}/os.py", "usr/share/doc/os")),
    "libstdc++6": ("12.2.0-14", "libc6", ("usr/lib/aarch64-linux-gnu/libstdc++.so.6",)),
    "libc6": ("1:2.36-9+deb12u1", "", ("usr/lib/ld-linux-aarch64.so.1",)),
    "libreadline8": ("8.2-1", "dpkg", ("usr/lib/libreadline.so.8",)),
    "dpkg": ("1.21.22", "", ("usr/bin/dpkg",)),
}
"""A package's version, what it depends on, and its files."""


def make_repository(folder: Path) -> Path:
    """A flat apt repository of arm64 packages; the path of an apt.conf that makes it the only source."""
    entries = [make_deb(folder, name, *facts) for name, facts in DEBS.items()]
    (folder / "Packages").write_text("\n".join(entries))
    return make_configuration(folder, f"deb [trusted=yes] file:{folder} ./")


def make_configuration(folder: Path, source: str) -> Path:
    """The path of an apt.conf that makes the line the only source."""
    for name in ("sources.list.d", "apt.conf.d", "preferences.d"):
        (folder / "etc" / name).mkdir(parents=True)
    (folder / "etc" / "sources.list").write_text(f"{source}\n")
    (folder / "apt.conf").write_text(f'Dir::Etc "{folder / "etc"}";\n')
    return folder / "apt.conf"


def make_deb(folder: Path, name: str, version: str, depends: str, files: Sequence[str]) -> str:
    """Builds a package in `folder`; its entry in an index."""
    tree = folder / "trees" / name
    for file in files:
        (tree / file).parent.mkdir(parents=True, exist_ok=True)
        (tree / file).write_text(f"# {file}\n")
    fields = {"Package": name, "Version": version, "Architecture": "arm64", "Maintainer": "nobody <n@example.org>"}
    fields |= {"Depends": depends} if depends else {}
    control = "".join(f"{field}: {value}\n" for field, value in fields.items())
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN" / "control").write_text(f"{control}Description: small\n")
    deb = folder / f"{name}.deb"
    subprocess.run(("dpkg-deb", "-Znone", "--build", tree, deb), check=True, capture_output=True)
    digest = hashlib.sha256(deb.read_bytes()).hexdigest()
    return f"{control}Filename: ./{deb.name}\nSize: {deb.stat().st_size}\nSHA256: {digest}\nDescription: small\n"


def make_wheel(folder: Path, name: str, version: str, requires: Sequence[str] = (), tag: str = "py3-none-any") -> None:
    """A wheel with one module, which prints its name when it is imported."""
    module = name.replace("-", "_")
    about = f"{module}-{version}.dist-info"
    metadata = [f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}", *(f"Requires-Dist: {r}" for r in requires)]
    members: Mapping[str, str] = {
        f"{module}/__init__.py": f"print('{name}')\n",
        f"{about}/METADATA": "\n".join(metadata) + "\n",
        f"{about}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = "".join(f"{member},,\n" for member in (*members, f"{about}/RECORD"))
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{module}-{version}-{tag}.whl", "w") as wheel:
        for member, text in {**members, f"{about}/RECORD": record}.items():
            wheel.writestr(member, text)


def make_wheels(folder: Path) -> Path:
    """Wheels of the engines in the versions that run here, of numpy for arm64 alone, and of one package more."""
    cpython = f"cp{MINOR.replace('.', '')}"
    make_wheel(folder, "numpy", here("numpy"), tag=f"{cpython}-{cpython}-manylinux_2_28_aarch64")
    make_wheel(folder, "ai-edge-litert", here("ai-edge-litert"), ["numpy"])
    make_wheel(folder, "tensorflow", here("tensorflow"), ["numpy", "keras"])
    make_wheel(folder, "keras", here("keras"))
    make_wheel(folder, "more", "3.0", ["numpy"])
    return folder


def here(name: str) -> str:
    """The version that is installed; any other where there is none."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "1.0"
