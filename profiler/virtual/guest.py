"""The guest: Debian's arm64 Python on an emulated core, with a folder for the root of its file system.

QEMU looks up every absolute path below that folder first (`-L`), so the guest finds its own libraries, packages and
CPUs under the names that they have on a board, the same for every user and host: names are in memory, and their
lengths move what follows them.
"""

import shutil
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from tempfile import NamedTemporaryFile

from profiler.errors import ProfilerError
from profiler.machine.host import usable_cpus
from profiler.virtual import run_tool
from profiler.virtual.debian import System

SITE = "/site"
"""Where the guest sees its packages."""
INSTALL = "sudo apt install qemu-user"
_NOT_OF_THE_HOST = ("LD_LIBRARY_PATH", "LD_PRELOAD", "PYTHONHOME", "PYTHONPLATLIBDIR")
"""Variables that would lead the guest to what the host has."""


def emulator() -> str | None:
    """QEMU's user emulation of arm64 on this machine, with plugins or without."""
    return shutil.which("qemu-aarch64") or shutil.which("qemu-aarch64-static")


def command(emulator: str, plugin: str | None, root: Path, cpu: str, executable: str) -> tuple[str, ...]:
    """The command of the guest's Python up to its own options.

    It adds nothing to sys.path but PYTHONPATH and its standard library: no working directory (-P), no user's packages
    (-s), no `site` (-S). -I would also leave PYTHONPATH out.
    """
    return (
        *(emulator, "-L", str(root), "-cpu", cpu, "-U", ",".join(_NOT_OF_THE_HOST)),
        *(("-plugin", plugin) if plugin else ()),
        *("-0", executable, f"{root}{executable}", "-P", "-s", "-S"),
    )


def environment(*folders: str) -> dict[str, str]:
    """What is added to the environment: the guest imports from its packages, then from the folders. Its locale is C,
    for the host's locales lie where it would look for its own.
    """
    return {"PYTHONPATH": ":".join((SITE, *folders)), "LC_ALL": "C"}


def same_bytecode(system: System) -> bool:
    """Whether the guest's Python runs what this Python compiles."""
    return sys.implementation.cache_tag == "cpython-" + system.minor.replace(".", "")


def compile_all(folder: Path, shown_as: str, root: Path, system: System) -> None:
    """Compiles the Python files in `folder`, which the guest cannot do later: below its root it makes no new files.

    This interpreter does it, many times faster, where its bytecode is the guest's. Files that are no valid Python are
    passed over.

    Raises:
        ProfilerError: Only the guest could do it, and there is no emulator; or nothing could be compiled.
    """
    python = _compiler(root, system)
    files = sorted(map(str, folder.rglob("*.py")))
    cpus = len(usable_cpus())

    def compile_share(cpu: int) -> str:
        # The module's own workers (-j) are started by a path that is the guest's and not the host's.
        with NamedTemporaryFile("w") as share:
            share.write("\n".join(files[cpu::cpus]))
            share.flush()
            arguments = ("-m", "compileall", "-q", "-q", "-s", str(folder), "-p", shown_as, "-i", share.name)
            return run_tool.run((*python, *arguments))[1]

    with ThreadPoolExecutor(cpus) as threads:
        output = "".join(threads.map(compile_share, range(cpus)))
    if next(folder.rglob("*.pyc"), None) is None:
        raise ProfilerError(
            f"the board's Python files cannot be compiled ({run_tool.complaint(output)})", "mend that and run it again"
        )


def _compiler(root: Path, system: System) -> tuple[str, ...]:
    if same_bytecode(system):
        return (sys.executable, "-P")
    found = emulator()
    if found is None:
        raise ProfilerError(f"Python {system.minor} is not this Python, and qemu-aarch64 is not installed", INSTALL)
    return command(found, None, root, "max", system.executable)
