"""The video nodes of this machine: which of them is a camera, what it can deliver, and why one cannot be used."""

import errno
import grp
import os
import re
from contextlib import suppress
from pathlib import Path
from typing import Literal, NamedTuple

from profiler.camera import v4l2_ioctl as kernel
from profiler.camera.v4l2_ioctl import Format
from profiler.errors import ProfilerError
from profiler.sanitize import safe

Role = Literal["camera", "metadata", "codec", "isp", "csi", "output", "unknown"]

LIBCAMERA = (
    "a camera on the ribbon cable needs libcamera: start `rpicam-vid -t 0 -n --codec mjpeg --listen -o "
    "tcp://127.0.0.1:8888` and use --camera tcp://127.0.0.1:8888"
)
"""What a CSI camera is used by, on Raspberry Pi OS: no program can read frames from its nodes alone."""

_ISP = {"pispbe", "bcm2835-isp"}
"""Image signal processors of the Raspberry Pi 5 and of earlier ones, by their drivers' names."""
_CSI = {"rp1-cfe", "unicam"}
"""Camera receivers of the same boards: they deliver a sensor's raw data, which libcamera processes."""
_CODEC = {"bcm2835-codec", "rpivid", "rpi-hevc-dec"}
_META = kernel.META_CAPTURE | kernel.META_OUTPUT
_CAPTURES = kernel.CAPTURE | kernel.CAPTURE_PLANES


class Device(NamedTuple):
    """A video node.

    Attributes:
        path: As in `/dev/video0`.
        name: The kernel's, else what the driver calls the card.
        driver: Empty where it could not be asked; `bus` too.
        role: `camera` delivers frames by itself; `csi` only by libcamera.
        usb: The camera hangs on USB.
        formats: Of cameras only.
        trouble: Why it cannot be used, and `remedy` what to do; None where nothing stands against it.
    """

    path: str
    number: int
    name: str
    driver: str
    bus: str
    role: Role
    usb: bool
    formats: tuple[Format, ...] = ()
    trouble: str | None = None
    remedy: str | None = None


def devices(root: Path = Path("/")) -> tuple[Device, ...]:
    """All video nodes below `root`, by number; none of them is left open."""
    names = {*_numbers(root / "sys/class/video4linux"), *_numbers(root / "dev")}
    return tuple(device(number, root) for number in sorted(names))


def device(number: int, root: Path = Path("/")) -> Device:
    """What is known of /dev/video`number`, without taking a frame from it."""
    kind = root / f"sys/class/video4linux/video{number}"
    path, name = f"/dev/video{number}", ""
    with suppress(OSError):
        name = safe((kind / "name").read_text(errors="replace").strip())
    blank = Device(
        path, number, name or f"video{number}", "", "", "unknown", "/usb" in str((kind / "device").resolve())
    )
    try:
        node = os.open(root / path.lstrip("/"), os.O_RDWR | os.O_NONBLOCK)
    except OSError as error:
        trouble, remedy = why(error, path, root)
        return blank._replace(trouble=trouble, remedy=remedy)
    try:
        return _asked(node, blank)
    except OSError as error:
        trouble, remedy = why(error, path, root)
        return blank._replace(trouble=trouble, remedy=remedy)
    finally:
        os.close(node)


def _asked(node: int, blank: Device) -> Device:
    found = kernel.capability(node)
    role = role_of(found.driver, found.caps)
    return blank._replace(
        name=blank.name if blank.name != f"video{blank.number}" else found.card or blank.name,
        driver=found.driver,
        bus=found.bus,
        role=role,
        usb=found.bus.startswith("usb") or blank.usb,
        formats=_formats(node, found.caps) if role == "camera" else (),
        remedy=LIBCAMERA if role == "csi" else None,
    )


def _formats(node: int, caps: int) -> tuple[Format, ...]:
    """What a camera delivers; empty where its driver fails at the list, which says nothing of its frames."""
    try:
        return kernel.formats(node, caps)
    except OSError:
        return ()


def role_of(driver: str, caps: int) -> Role:
    """What a node is by its driver and its own capabilities."""
    known: Role | None = "isp" if driver in _ISP else "csi" if driver in _CSI else "codec" if driver in _CODEC else None
    if known:
        return known
    if caps & (kernel.MEM2MEM | kernel.MEM2MEM_PLANES):
        return "codec"
    if caps & _CAPTURES:
        return "csi" if caps & kernel.MEDIA_CONTROLLER else "camera"
    if caps & _META:
        return "metadata"
    return "output" if caps & (kernel.OUTPUT | kernel.OUTPUT_PLANES) else "unknown"


def why(error: OSError, path: str, root: Path = Path("/")) -> tuple[str, str]:
    """What stands against using the node at `path`, and what to do, from what the system said."""
    if error.errno in (errno.EACCES, errno.EPERM):
        group = _group(root / path.lstrip("/"))
        return "permission denied", f"run `sudo usermod -aG {group} $USER`, then log out and in again"
    if error.errno == errno.EBUSY:
        return busy(path, root)
    if error.errno in (errno.ENOENT, errno.ENODEV, errno.ENXIO):
        return "it is gone", "plug the camera in again, see `profiler cameras`"
    if error.errno == errno.ENOTTY:
        return "it is no video device", "see `profiler cameras`"
    return f"the driver refuses it ({error.strerror})", "unplug the camera and plug it in again, see `sudo dmesg`"


def busy(path: str, root: Path = Path("/")) -> tuple[str, str]:
    """That another program uses the camera: which, where the kernel lets us see it."""
    users = [f"{name} (process {number})" for number, name in holders(path, root)]
    by = f"by {' and '.join(users)}" if users else "by another program, perhaps another user's"
    return f"it is in use {by}", "end that program, or name another camera"


def holders(path: str, root: Path = Path("/")) -> tuple[tuple[int, str], ...]:
    """Processes but this one that have the node open, as far as this user may look: number and name."""
    found = []
    for process in sorted(_entries(root / "proc"), key=lambda one: (len(one.name), one.name)):
        if not process.name.isdecimal() or process.name == str(os.getpid()):
            continue
        if any(_target(link) == path for link in _entries(process / "fd")):
            name = "a program"
            with suppress(OSError):
                name = safe((process / "comm").read_text(errors="replace").strip()) or name
            found.append((int(process.name), name))
    return tuple(found)


def number_of(where: str) -> int | None:
    """The number of a camera named `N` or /dev/videoN, also by a link to it as in /dev/v4l/by-id; None for others."""
    if re.fullmatch(r"[0-9]{1,4}", where):
        return int(where)
    path = str(Path(where).resolve()) if where.startswith("/dev/") else where
    match = re.fullmatch(r"/dev/video([0-9]{1,4})", path)
    return int(match[1]) if match else None


def usable(number: int, root: Path = Path("/")) -> Device:
    """The camera of this number.

    Raises:
        ProfilerError: There is none, it is no camera, or it may not be opened.
    """
    if not (root / f"dev/video{number}").exists():
        there = ", ".join(one.path for one in devices(root) if one.role in ("camera", "unknown"))
        raise ProfilerError(f"there is no /dev/video{number}", f"use {there}" if there else "see `profiler cameras`")
    found = device(number, root)
    if found.trouble:
        raise ProfilerError(f"{found.path} ({found.name}) cannot be used: {found.trouble}", found.remedy or "")
    if found.role != "camera":
        remedy = found.remedy or "see `profiler cameras` for those that are"
        raise ProfilerError(f"{found.path} ({found.name}) is {WORDS[found.role]}, no camera to read from", remedy)
    return found


WORDS: dict[Role, str] = {
    "camera": "a camera",
    "metadata": "a metadata node",
    "codec": "a video codec",
    "isp": "part of an image processor",
    "csi": "a ribbon-cable camera's receiver",
    "output": "a video output",
    "unknown": "of an unknown kind",
}
"""What a node of a role is, in words."""


def _numbers(folder: Path) -> set[int]:
    names = (re.fullmatch(r"video([0-9]{1,4})", one.name) for one in _entries(folder))
    return {int(match[1]) for match in names if match}


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _target(link: Path) -> str:
    try:
        return str(link.readlink())
    except OSError:
        return ""


def _group(node: Path) -> str:
    """The group that may use the node: `video` unless the system says another."""
    try:
        name = grp.getgrgid(node.stat().st_gid).gr_name
    except (OSError, KeyError):
        return "video"
    return "video" if name == "root" else name
