"""The disk of the tests' virtual machine: an arm64 Debian with its own kernel, perf and Python, the packages that
`requirements-lite.txt` names, and the kernel's virtual camera.

It is made of what a virtual board is made of, in the same way: by this host's own apt and pip, without touching the
host's packages and without being root. It is kept in the user's cache under a key of all that goes into it.
"""

import fnmatch
import hashlib
import lzma
import os
import re
import shutil
import subprocess
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from profiler.errors import ProfilerError
from profiler.machine.host import user_cache
from profiler.virtual import debian, folder, run_tool, wheels
from profiler.virtual import guest as board
from profiler.virtual.debian import System

HERE = Path(__file__).parent
PROJECT = HERE.parent.parent
PLACE = "PROFILER_TEST_VM"
"""Environment variable that names another folder for the image."""
SITE = "/usr/lib/python3/dist-packages"
"""Where Debian's Python looks for packages."""

PROGRAMS = {
    "apt-get": "apt",
    "dpkg-deb": "dpkg",
    "qemu-system-aarch64": "qemu-system-arm",
    "fdtput": "device-tree-compiler",
    "cpio": "cpio",
    "mke2fs": "e2fsprogs",
}
"""What building and booting run, and the Debian package that brings it."""
PATH = {"PATH": os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"])}
"""With the system's own tools, whose folders a user's PATH may lack."""

PACKAGES = ("python3", "linux-perf", "busybox-static")
KERNEL = "linux-image-arm64"
"""The one with all drivers; that for clouds has no cameras."""
DISKS = ("virtio_mmio", "virtio_blk", "crc32c_generic", "ext4")
"""What mounting the root disk takes: modules, or in the kernel itself."""
CAMERA = "vivid"
"""The kernel's virtual camera: a driver like any other of V4L2, whose pictures are made up."""
CAMERA_PLACE = "usr/lib/camera"
"""Where the guest has the modules for it, in the order in which they go in."""
COMMANDS = (
    *(
        "sh",
        "cat",
        "chgrp",
        "chmod",
        "cp",
        "dmesg",
        "grep",
        "insmod",
        "ls",
        "mkdir",
        "mount",
        "poweroff",
        "sleep",
        "su",
    ),
    *("sync", "sysctl", "tar", "true"),
)
"""busybox's, for the guest's scripts and for what the project runs itself."""


class UnavailableError(Exception):
    """The virtual machine cannot be set up here; the message says why in a line."""


class Image(NamedTuple):
    """What QEMU boots; `python` is the version of the guest's (`3.11`)."""

    kernel: Path
    initrd: Path
    root: Path
    python: str


def image() -> Image:
    """The image, built where the cache has none of this key.

    Raises:
        UnavailableError: A program, a package or the network is missing.
    """
    missing = sorted(package for program, package in PROGRAMS.items() if not shutil.which(program, path=PATH["PATH"]))
    if missing:
        raise UnavailableError(f"not installed: {', '.join(missing)}")
    cache = Path(os.environ.get(PLACE) or user_cache() / "test-vm")
    place = cache / _key()
    try:
        with folder.locked(cache, lambda _line: None):
            if not place.exists():
                _make(place)
    except ProfilerError as error:
        raise UnavailableError(str(error)) from error
    return Image(place / "vmlinuz", place / "initrd.gz", place / "root.img", (place / "python").read_text())


def _key() -> str:
    """Changes with whatever the image is made from: these scripts, the release of the host, the packages it takes."""
    parts = [(HERE / name).read_bytes() for name in ("image.py", "initrd.sh", "init.sh")]
    here = wheels.versions()
    versions = {wheels.name(asked): here.get(wheels.name(asked)) for asked in _requirements()}
    parts += [repr(versions).encode(), Path("/etc/os-release").read_bytes()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:16]


def _requirements() -> list[str]:
    """What the project needs on a small board, without the project itself, which is put in at every boot."""
    project = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    listed = (PROJECT / "requirements-lite.txt").read_text().splitlines()
    named = [line.strip() for line in listed if line.strip() and not line.startswith(("#", "-e"))]
    return sorted({*named, *project["dependencies"], *project["optional-dependencies"]["litert"]})


def _make(place: Path) -> None:
    """Builds aside and renames. Images of other keys go, and so does what a killed build has left."""
    for other in place.parent.iterdir():
        if other.is_dir():
            shutil.rmtree(other)
    with folder.making(place) as part, tempfile.TemporaryDirectory(dir=place.parent) as workshop:
        _build(Path(workshop), part)


def _build(workshop: Path, made: Path) -> None:
    """Makes `made/vmlinuz`, `initrd.gz`, `root.img` and `python`."""
    root, kernel = workshop / "root", workshop / "kernel"
    environment = debian._private(workshop / "apt")
    _run(("apt-get", "update", "-o", "APT::Update::Error-Mode=any"), environment)
    with ThreadPoolExecutor() as pool:
        system = _system(environment)
        site = pool.submit(_install, root / SITE[1:], system, workshop / "downloads")
        for package in _download(workshop / "debs", environment):
            _unpack(package, kernel if package.name.startswith("linux-image-") else root)
        site.result()
    for unused in ("usr/share", "usr/include", "usr/lib/aarch64-linux-gnu/gconv", "usr/lib/aarch64-linux-gnu/perl"):
        shutil.rmtree(root / unused, ignore_errors=True)
    _furnish(root)
    _write_modules(kernel, (CAMERA,), root / CAMERA_PLACE)
    for code in (system.library, SITE):
        board.compile_all(root / code[1:], code, root, system)
    shutil.copy(next(kernel.glob("boot/vmlinuz-*")), made / "vmlinuz")
    _initrd(root, kernel, workshop / "initrd", made / "initrd.gz")
    used = sum(path.lstat().st_size + 4096 for path in root.rglob("*"))
    size = f"{used * 11 // 10 // 2**20 + 32}M"
    _run(("mke2fs", "-q", "-t", "ext4", "-O", "^has_journal", "-d", str(root), str(made / "root.img"), size))
    (made / "python").write_text(system.minor)


def _run(command: Sequence[str], environment: Mapping[str, str] | None = None, where: Path | None = None) -> str:
    """What a command prints.

    Raises:
        UnavailableError: It fails.
    """
    status, output = run_tool.run(command, {**PATH, **(environment or {})}, where)
    if status != 0:
        raise UnavailableError(f"{command[0]} {command[1]} fails: {run_tool.complaint(output, 'E: ')}")
    return output


def _depends(package: str, pattern: str, environment: Mapping[str, str]) -> str:
    """The first package of this pattern that a package depends on."""
    words = _run(("apt-cache", "depends", package), environment).split()[1:]
    found = next((word for word in words if fnmatch.fnmatch(word, pattern)), None)
    if found is None:
        raise UnavailableError(f"this machine's apt sources have no {package} for arm64")
    return found


def _system(environment: Mapping[str, str]) -> System:
    """The versions of Python and of the C library in the release."""
    found = []
    for package in (_depends("python3", "python3.*", environment), "libc6"):
        version = re.search(r"^Version: (\d+(\.\d+)+)", _run(("apt-cache", "show", package), environment), re.MULTILINE)
        if version is None:
            raise UnavailableError(f"this machine's apt sources have no {package} for arm64")
        found.append(version[1])
    return System(*found)


def _download(where: Path, environment: Mapping[str, str]) -> list[Path]:
    """The kernel, and the other packages with all that they depend on, as files."""
    simulated = _run(("apt-get", "install", "--simulate", *PACKAGES), environment)
    names = [f"{name}={version}" for name, version in re.findall(r"^Inst (\S+) \((\S+) ", simulated, re.MULTILINE)]
    where.mkdir()
    _run(("apt-get", "download", _depends(KERNEL, "linux-image-*", environment), *names), environment, where)
    return sorted(where.glob("*.deb"))


def _install(site: Path, system: System, downloads: Path) -> None:
    """The project's packages for the guest, without tests: they take half the room, and most of the time to compile."""
    downloads.mkdir()
    wheels.install(site, _requirements(), {}, system, downloads, lambda _line: None)
    for tests in [path for path in site.rglob("tests") if path.is_dir()]:
        shutil.rmtree(tests)


def _unpack(package: Path, root: Path) -> None:
    """A package's files; `lib` and its like are links into `usr`, as releases with a merged /usr have them."""
    for name in ("bin", "sbin", "lib"):
        (root / "usr" / name).mkdir(parents=True, exist_ok=True)
        if not (root / name).is_symlink():
            (root / name).symlink_to(f"usr/{name}")
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", package], stdout=subprocess.PIPE) as files:
        subprocess.run(["tar", "-x", "--keep-directory-symlink", "-C", root], stdin=files.stdout, check=True)


def _furnish(root: Path) -> None:
    """busybox's commands, a user without privileges and one in the group `video`, mount points, the first process."""
    for name in COMMANDS:
        (root / "bin" / name).unlink(missing_ok=True)
        (root / "bin" / name).symlink_to("busybox")
    for name in ("proc", "sys", "dev", "tmp", "in", "out", "etc"):
        (root / name).mkdir(exist_ok=True)
    users = {"root": 0, "user": 1000, "viewer": 1001}
    files = {
        "passwd": "".join(f"{name}:x:{number}:{number}:{name}:/tmp:/bin/sh\n" for name, number in users.items()),
        "group": "".join(f"{name}:x:{number}:\n" for name, number in users.items()) + "video:x:44:viewer\n",
        "os-release": Path("/etc/os-release").read_text(),
    }
    for name, text in files.items():
        (root / "etc" / name).unlink(missing_ok=True)
        (root / "etc" / name).write_text(text)
    shutil.copy(HERE / "init.sh", root / "sbin/init-guest")
    (root / "sbin/init-guest").chmod(0o755)


def _write_modules(kernel: Path, names: Sequence[str], where: Path) -> None:
    """Modules and those that they need, uncompressed, named so that in order of names each comes after what it needs.

    What is no module is in the kernel itself.
    """
    files = {_plain(path): path for path in kernel.rglob("*.ko*")}
    found: dict[str, bytes] = {}

    def add(name: str) -> None:
        if name not in files or name in found:
            return
        packed = files[name].read_bytes()
        code = lzma.decompress(packed) if files[name].suffix == ".xz" else packed
        needs = re.search(rb"\0depends=([^\0]*)", code)
        for needed in needs[1].decode().split(",") if needs else ():
            add(needed.replace("-", "_"))
        found[name] = code

    for name in names:
        add(name)
    where.mkdir(parents=True)
    for number, (name, code) in enumerate(found.items()):
        (where / f"{number:02}-{name}.ko").write_bytes(code)


def _plain(module: Path) -> str:
    """A module's name as the kernel has it."""
    return module.name.partition(".")[0].replace("-", "_")


def _initrd(root: Path, kernel: Path, disk: Path, made: Path) -> None:
    """A memory disk that can mount the root disk: busybox, the drivers of virtio disks, initrd.sh."""
    for name in ("bin", "proc", "sys", "dev", "root"):
        (disk / name).mkdir(parents=True)
    shutil.copy(root / "bin/busybox", disk / "bin/busybox")
    shutil.copy(HERE / "initrd.sh", disk / "init")
    (disk / "init").chmod(0o755)
    _write_modules(kernel, DISKS, disk / "modules")
    _run(("sh", "-c", f"find . | cpio -o -H newc --quiet | gzip -1 >'{made}'"), where=disk)
