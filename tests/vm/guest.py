"""Boots the image on an emulated core with a payload, and brings back what the payload leaves.

The kernel, its PMU driver, perf and the project are real; the PMU is QEMU's (target/arm/helper.c): it counts
instructions, lets cycles follow its virtual clock, and leaves every other event at 0. With one core and `-icount
shift=0` an instruction takes one virtual nanosecond, so that counts do not depend on the host's load, and cycles equal
instructions.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import IO, NamedTuple

from vm.image import HERE, PATH, PROJECT, Image

OUT_BYTES = 64 * 2**20
"""Most that a payload can leave."""


class Core(NamedTuple):
    """An emulated core: QEMU's name of it, its PMU's and the board's name in the device tree."""

    cpu: str
    pmu: str
    board: str


CORTEX_A76 = Core("cortex-a76", "arm,cortex-a76-pmu", "emulated Cortex-A76 (QEMU)")
CORTEX_A72 = Core("cortex-a72", "arm,cortex-a72-pmu", "emulated Cortex-A72 (QEMU)")


def boot(image: Image, core: Core, script: str, out: Path, limit_s: float) -> None:
    """Runs a script of `payload` as root in the guest, the project in /in; what it leaves in /out comes to `out`.

    Raises:
        subprocess.SubprocessError: QEMU fails, or the guest does not end within the limit; `out/console` tells more.
    """
    with tempfile.TemporaryDirectory(prefix="profiler-") as folder:
        disks = {"root": image.root, "in": Path(folder, "in"), "out": Path(folder, "out")}
        _pack(image, script, disks["in"])
        with disks["out"].open("wb") as disk:
            disk.truncate(OUT_BYTES)
        command = _command(image, core, disks)
        tree = Path(folder, "tree.dtb")
        _run(*command, "-machine", f"dumpdtb={tree}")
        # The generic name in QEMU's tree would make the kernel call the PMU armv8_pmuv3, and not as on a board.
        _run("fdtput", "-t", "s", tree, "/pmu", "compatible", core.pmu)
        _run("fdtput", "-t", "s", tree, "/", "model", core.board)
        out.mkdir(parents=True)
        with (out / "console").open("wb") as console:
            _run(*command, "-dtb", tree, output=console, limit_s=limit_s)
        _run("tar", "-C", out, "-xf", disks["out"])


def _run(*command: str | Path, output: IO[bytes] | None = None, limit_s: float = 60) -> None:
    environment = {**os.environ, **PATH}
    where = subprocess.PIPE if output is None else output
    subprocess.run(
        command, env=environment, stdin=subprocess.DEVNULL, stdout=where, stderr=where, timeout=limit_s, check=True
    )


def _command(image: Image, core: Core, disks: dict[str, Path]) -> list[str]:
    command = ["qemu-system-aarch64", "-M", "virt", "-cpu", core.cpu, "-smp", "1", "-m", "1G", "-icount", "shift=0"]
    command += ["-nodefaults", "-display", "none", "-serial", "stdio", "-no-reboot"]
    command += ["-kernel", str(image.kernel), "-initrd", str(image.initrd)]
    command += ["-append", "console=ttyAMA0 panic=-1 quiet loglevel=4"]
    for name, file in disks.items():
        mode = "cache=unsafe" if name == "out" else "readonly=on"
        command += ["-drive", f"if=none,id={name},file={file},format=raw,{mode}"]
        command += ["-device", f"virtio-blk-device,drive={name},serial={name}"]
    return command


def _pack(image: Image, script: str, disk: Path) -> None:
    """Makes `disk`, a tar of the project, compiled, and of the payload with `script` as run.sh."""
    folder = disk.with_name("payload")
    shutil.copytree(HERE / "payload", folder)
    shutil.copytree(PROJECT / "profiler", folder / "profiler", ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(PROJECT / "models", folder / "models", ignore=shutil.ignore_patterns("*.keras"))
    shutil.copy(folder / script, folder / "run.sh")
    if image.python == f"{sys.version_info.major}.{sys.version_info.minor}":
        # Many times faster than the guest, which compiles what comes uncompiled.
        _run(sys.executable, "-m", "compileall", "-q", folder / "profiler")
    _run("tar", "-C", folder, "-cf", disk, ".")
