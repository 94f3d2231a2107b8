"""Video nodes: what is read from the kernel, what a node is, and why one cannot be used. The drivers are stand-ins that
fill the structures of linux/videodev2.h, as ctypes lays them out, for a tree of nodes made in the test."""

import ctypes
import errno
import os
import shutil
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, NamedTuple

import pytest

from profiler.camera import v4l2, v4l2_ioctl
from profiler.camera.v4l2_ioctl import Format, Size
from profiler.errors import ProfilerError

U32 = ctypes.c_uint32


class Capability(ctypes.Structure):
    _fields_ = [
        ("driver", ctypes.c_char * 16),
        ("card", ctypes.c_char * 32),
        ("bus_info", ctypes.c_char * 32),
        ("version", U32),
        ("capabilities", U32),
        ("device_caps", U32),
        ("reserved", U32 * 3),
    ]


class FormatDescription(ctypes.Structure):
    _fields_ = [
        ("index", U32),
        ("type", U32),
        ("flags", U32),
        ("description", ctypes.c_char * 32),
        ("pixelformat", U32),
        ("mbus_code", U32),
        ("reserved", U32 * 3),
    ]


class SizeEnum(ctypes.Structure):
    _fields_ = [
        ("index", U32),
        ("pixel_format", U32),
        ("type", U32),
        ("union", U32 * 6),
        ("reserved", U32 * 2),
    ]


class IntervalEnum(ctypes.Structure):
    _fields_ = [
        ("index", U32),
        ("pixel_format", U32),
        ("width", U32),
        ("height", U32),
        ("type", U32),
        ("union", U32 * 6),
        ("reserved", U32 * 2),
    ]


class Driver(NamedTuple):
    """A driver's answers; `formats` by code: kind of its sizes, sizes, kind of its intervals, intervals."""

    driver: str
    card: str
    bus: str
    whole: int
    own: int
    formats: Mapping[str, tuple[int, list[list[int]], int, list[list[int]]]] = MappingProxyType({})
    buffers: int = 1
    error: int = 0


HD_SIZES = [[640, 480], [1280, 720]]
C920 = Driver(
    "uvcvideo",
    "HD Pro Webcam C920",
    "usb-0000:01:00.0-1.2",
    0x84A00001,
    0x04200001,
    {"YUYV": (1, [[640, 480]], 1, [[1, 30], [1, 15]]), "MJPG": (1, HD_SIZES, 1, [[1, 30], [2, 15]])},
)
C920_META = C920._replace(own=0x04A00000, formats={})
VIVID = Driver(
    "vivid",
    "vivid",
    "platform:vivid-000",
    0xBDFF0FF7,
    0x05A30005,
    {"RGB3": (3, [[16, 16384, 2, 16, 8640, 2]], 3, [[1, 60, 1, 5, 1, 60]])},
)
PISPBE_IN = Driver("pispbe", "pispbe", "platform:1000880000.pisp_be", 0x8CA03000, 0x04202000)
PISPBE_OUT = PISPBE_IN._replace(own=0x04201000)
CFE = Driver("rp1-cfe", "rp1-cfe", "platform:1f00128000.csi", 0xA4A00001, 0x24A00001)
HEVC = Driver("rpivid", "rpivid", "platform:rpivid", 0x84204000, 0x04204000)
PLANES = Driver(
    "mtk-cam", "mtk", "platform:1", 0x84201000, 0x04201000, {"NV12": (1, [[640, 360]], 1, [[1, 30]])}, buffers=9
)


def number(code: str) -> int:
    return int.from_bytes(code.encode(), "little")


def answer(driver: Driver, request: int, data: bytearray) -> None:
    """What the kernel would put into `data`; the request numbers are those that videodev2.h makes."""
    if driver.error:
        raise OSError(driver.error, os.strerror(driver.error))
    if request == 0x80685600:
        texts = (one.encode() for one in (driver.driver, driver.card, driver.bus))
        data[:] = bytes(Capability(*texts, 0x060C00, driver.whole, driver.own))
    elif request == 0xC0405602:
        asked = FormatDescription.from_buffer(data)
        codes = list(driver.formats) if asked.type == driver.buffers else []
        code = item(codes, asked.index)
        asked.description, asked.pixelformat = f"{code} of a camera".encode(), number(code)
    elif request == 0xC02C564A:
        wanted = SizeEnum.from_buffer(data)
        kind, sizes, _, _ = formats_by_number(driver)[wanted.pixel_format]
        fill(wanted, kind, item(sizes, wanted.index))
    elif request == 0xC034564B:
        sought = IntervalEnum.from_buffer(data)
        assert (sought.width, sought.height) != (0, 0)
        _, _, kind, intervals = formats_by_number(driver)[sought.pixel_format]
        fill(sought, kind, item(intervals, sought.index))
    else:
        raise OSError(errno.ENOTTY, "no such request")


def formats_by_number(driver: Driver) -> dict[int, Any]:
    return {number(code): each for code, each in driver.formats.items()}


def item(items: list[Any], index: int) -> Any:
    if index >= len(items):
        raise OSError(errno.EINVAL, "Invalid argument")
    return items[index]


def fill(structure: SizeEnum | IntervalEnum, kind: int, values: list[int]) -> None:
    structure.type = kind
    for index, value in enumerate(values):
        structure.union[index] = value


Nodes = Callable[..., Path]


@pytest.fixture
def nodes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Nodes:
    """Makes nodes with drivers behind them; gives the tree's root."""
    drivers: dict[str, Driver] = {}

    def make(names: dict[int, str], **behind: Driver) -> Path:
        (tmp_path / "dev").mkdir()
        for index, name in names.items():
            folder = tmp_path / f"sys/class/video4linux/video{index}"
            folder.mkdir(parents=True)
            (folder / "name").write_text(f"{name}\n")
            (tmp_path / f"dev/video{index}").touch()
            drivers[f"video{index}"] = behind[f"video{index}"]
        return tmp_path

    def ioctl(node: int, request: int, data: bytearray) -> None:
        answer(drivers[Path(f"/proc/self/fd/{node}").readlink().name], request, data)

    monkeypatch.setattr(v4l2_ioctl, "ioctl", ioctl)
    return make


def test_sizes_and_numbers_are_those_of_the_header() -> None:
    assert (v4l2_ioctl.QUERYCAP, v4l2_ioctl.ENUM_FMT) == (0x80685600, 0xC0405602)
    assert (v4l2_ioctl.ENUM_FRAMESIZES, v4l2_ioctl.ENUM_FRAMEINTERVALS) == (0xC02C564A, 0xC034564B)
    layouts = (v4l2_ioctl._CAPABILITY, v4l2_ioctl._FORMAT, v4l2_ioctl._SIZE, v4l2_ioctl._INTERVAL)
    kinds = (Capability, FormatDescription, SizeEnum, IntervalEnum)
    assert [one.size for one in layouts] == [ctypes.sizeof(one) for one in kinds]


@pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")
@pytest.mark.skipif(not Path("/usr/include/linux/videodev2.h").exists(), reason="no kernel headers")
def test_the_compiler_makes_the_same_of_the_header(tmp_path: Path) -> None:
    source = tmp_path / "numbers.c"
    source.write_text(
        """#include <stdio.h>
#include <stddef.h>
#include <linux/videodev2.h>
int main(void) {
    printf("%lu %lu %lu %lu\\n", (unsigned long)VIDIOC_QUERYCAP, (unsigned long)VIDIOC_ENUM_FMT,
           (unsigned long)VIDIOC_ENUM_FRAMESIZES, (unsigned long)VIDIOC_ENUM_FRAMEINTERVALS);
    printf("%zu %zu %zu %zu\\n", offsetof(struct v4l2_capability, device_caps),
           offsetof(struct v4l2_fmtdesc, pixelformat), offsetof(struct v4l2_frmsizeenum, stepwise),
           offsetof(struct v4l2_frmivalenum, stepwise));
    printf("%u %u %u %u %u\\n", V4L2_CAP_VIDEO_CAPTURE_MPLANE, V4L2_CAP_VIDEO_M2M_MPLANE, V4L2_CAP_META_CAPTURE,
           V4L2_CAP_IO_MC, V4L2_CAP_DEVICE_CAPS);
    return 0;
}
"""
    )
    subprocess.run(["cc", source, "-o", tmp_path / "numbers"], check=True)
    said = subprocess.run([tmp_path / "numbers"], check=True, capture_output=True, text=True).stdout.splitlines()
    numbers, offsets, flags = ([int(one) for one in line.split()] for line in said)
    mine = v4l2_ioctl
    assert numbers == [mine.QUERYCAP, mine.ENUM_FMT, mine.ENUM_FRAMESIZES, mine.ENUM_FRAMEINTERVALS]
    fields = (Capability.device_caps, FormatDescription.pixelformat, SizeEnum.union, IntervalEnum.union)
    assert offsets == [field.offset for field in fields]
    assert flags == [
        mine.CAPTURE_PLANES,
        mine.MEM2MEM_PLANES,
        mine.META_CAPTURE,
        mine.MEDIA_CONTROLLER,
        mine.DEVICE_CAPS,
    ]


def test_a_usb_camera_is_told_from_its_metadata_node(nodes: Nodes) -> None:
    root = nodes({0: "HD Pro Webcam C920", 1: "HD Pro Webcam C920"}, video0=C920, video1=C920_META)
    camera, metadata = v4l2.devices(root)
    assert (camera.role, camera.usb, camera.driver, camera.name) == ("camera", True, "uvcvideo", "HD Pro Webcam C920")
    assert (metadata.role, metadata.formats) == ("metadata", ())
    assert camera.formats == (
        Format("YUYV", "YUYV of a camera", (Size(640, 480, 640, 480, (15.0, 30.0), False),)),
        Format(
            "MJPG",
            "MJPG of a camera",
            (Size(640, 480, 640, 480, (7.5, 30.0), False), Size(1280, 720, 1280, 720, (7.5, 30.0), False)),
        ),
    )


def test_stepwise_sizes_and_rates_are_ranges(nodes: Nodes) -> None:
    (found,) = v4l2.devices(nodes({0: "vivid-000-vid-cap"}, video0=VIVID))
    assert (found.role, found.usb) == ("camera", False)
    assert found.formats[0].sizes == (Size(16, 16, 16384, 8640, (5.0, 60.0), True),)


def test_a_multi_planar_camera_is_asked_for_its_own_kind_of_buffers(nodes: Nodes) -> None:
    (found,) = v4l2.devices(nodes({0: "mtk"}, video0=PLANES))
    assert [each.code for each in found.formats] == ["NV12"]


def test_what_a_raspberry_pi_5_has_is_no_camera_but_the_one_on_usb(nodes: Nodes) -> None:
    names = {36: "C920", 0: "rp1-cfe-csi2_ch0", 19: "rpivid", 20: "pispbe-input", 21: "pispbe-output0"}
    behind = {"video0": CFE, "video19": HEVC, "video20": PISPBE_IN, "video21": PISPBE_OUT, "video36": C920}
    root = nodes(names, **behind)
    found = v4l2.devices(root)
    assert [(one.number, one.role) for one in found] == [
        (0, "csi"),
        (19, "codec"),
        (20, "isp"),
        (21, "isp"),
        (36, "camera"),
    ]
    with pytest.raises(ProfilerError, match="rpicam-vid") as raised:
        v4l2.usable(0, root)
    assert "ribbon-cable" in raised.value.cause
    with pytest.raises(ProfilerError, match="part of an image processor, no camera"):
        v4l2.usable(20, root)
    assert v4l2.usable(36, root).name == "C920"


@pytest.mark.parametrize(
    ("driver", "caps", "role"),
    [
        ("bcm2835-codec", 0x04204000, "codec"),
        ("some-codec", 0x04208000, "codec"),
        ("some-csi", 0x24200001, "csi"),
        ("unicam", 0x05200001, "csi"),
        ("v4l2 loopback", 0x05200002, "output"),
        ("v4l2 loopback", 0x05200003, "camera"),
        ("odd", 0x04000000, "unknown"),
    ],
)
def test_roles(driver: str, caps: int, role: str) -> None:
    assert v4l2.role_of(driver, caps) == role


def test_a_driver_without_own_capabilities_is_known_by_those_of_the_whole(nodes: Nodes) -> None:
    (found,) = v4l2.devices(nodes({0: "old"}, video0=C920._replace(whole=0x04000001, own=0)))
    assert found.role == "camera"


def test_a_driver_that_fails_at_its_formats_is_a_camera_still(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    root = nodes({0: "C920"}, video0=C920)

    def broken(node: int, caps: int) -> tuple[Format, ...]:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(v4l2_ioctl, "formats", broken)
    (found,) = v4l2.devices(root)
    assert (found.role, found.formats, found.trouble) == ("camera", (), None)


@pytest.mark.parametrize(
    ("error", "trouble", "remedy"),
    [
        (errno.ENODEV, "it is gone", "plug the camera in"),
        (errno.ENOTTY, "it is no video device", "profiler cameras"),
        (errno.EIO, "the driver refuses it (Input/output error)", "dmesg"),
        (errno.EBUSY, "it is in use by another program, perhaps another user's", "end that program"),
    ],
)
def test_what_the_driver_refuses_is_said(nodes: Nodes, error: int, trouble: str, remedy: str) -> None:
    (found,) = v4l2.devices(nodes({0: "C920"}, video0=C920._replace(error=error)))
    assert (found.name, found.role, found.trouble) == ("C920", "unknown", trouble)
    assert remedy in (found.remedy or "")


def test_permission_denied_names_the_group(nodes: Nodes, monkeypatch: pytest.MonkeyPatch) -> None:
    root = nodes({0: "C920"}, video0=C920)

    def refuse(*_arguments: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(ProfilerError) as raised:
        v4l2.usable(0, root)
    assert raised.value.cause == "/dev/video0 (C920) cannot be used: permission denied"
    assert "sudo usermod -aG " in raised.value.remedy
    assert "log out and in again" in raised.value.remedy


def test_the_group_is_video_where_the_node_is_roots_or_unknown(tmp_path: Path) -> None:
    _, remedy = v4l2.why(PermissionError(errno.EACCES, "no"), "/dev/video9", tmp_path)
    assert remedy.startswith("run `sudo usermod -aG video $USER`")


def test_who_holds_a_camera_is_found_among_the_processes(tmp_path: Path) -> None:
    for process, comm, target in ((7, "zoom", "/dev/video0"), (8, "bash", "/dev/null"), (11, "cheese", "/dev/video0")):
        folder = tmp_path / f"proc/{process}/fd"
        folder.mkdir(parents=True)
        (folder / "5").symlink_to(target)
        (folder.parent / "comm").write_text(f"{comm}\n")
    (tmp_path / "proc/sys").mkdir()
    assert v4l2.holders("/dev/video0", tmp_path) == ((7, "zoom"), (11, "cheese"))
    assert v4l2.busy("/dev/video0", tmp_path)[0] == "it is in use by zoom (process 7) and cheese (process 11)"
    assert v4l2.holders("/dev/video1", tmp_path) == ()


def test_no_name_controls_the_terminal(nodes: Nodes, tmp_path: Path) -> None:
    root = nodes({0: "HD \x1b[2JWebcam", 1: ""}, video0=C920, video1=C920._replace(card="Cam\x1b]0;x\x07"))
    assert [one.name for one in v4l2.devices(root)] == ["HD ?[2JWebcam", "Cam?]0;x?"]
    folder = tmp_path / "proc/7/fd"
    folder.mkdir(parents=True)
    (folder / "5").symlink_to("/dev/video0")
    (folder.parent / "comm").write_text("zo\x1bom\n")
    assert v4l2.holders("/dev/video0", root) == ((7, "zo?om"),)


def test_a_real_process_that_has_a_file_open_is_found(tmp_path: Path) -> None:
    held = tmp_path / "node"
    held.touch()
    with held.open() as opened:
        child = subprocess.Popen(["cat"], stdin=subprocess.PIPE, pass_fds=[opened.fileno()])
        try:
            assert (child.pid, "cat") in v4l2.holders(str(held))
        finally:
            child.communicate()


def test_no_node_at_all(tmp_path: Path) -> None:
    assert v4l2.devices(tmp_path) == ()
    with pytest.raises(ProfilerError, match="there is no /dev/video3: see `profiler cameras`"):
        v4l2.usable(3, tmp_path)


def test_a_missing_number_names_those_that_are_there(nodes: Nodes) -> None:
    root = nodes({2: "C920", 10: "C920"}, video2=C920, video10=C920)
    with pytest.raises(ProfilerError, match="there is no /dev/video0: use /dev/video2, /dev/video10"):
        v4l2.usable(0, root)


def test_a_node_without_sysfs_is_named_by_its_card(nodes: Nodes, tmp_path: Path) -> None:
    root = nodes({4: "C920"}, video4=C920)
    shutil.rmtree(root / "sys")
    (found,) = v4l2.devices(root)
    assert (found.number, found.name) == (4, "HD Pro Webcam C920")


def test_a_list_without_end_is_not_followed_for_ever(nodes: Nodes) -> None:
    endless = C920._replace(formats={"YUYV": (1, [[640, 480]] * 5000, 1, [])})
    (found,) = v4l2.devices(nodes({0: "C920"}, video0=endless))
    assert len(found.formats[0].sizes) == v4l2_ioctl._MOST


@pytest.mark.parametrize(
    ("where", "number"),
    [
        ("0", 0),
        ("35", 35),
        ("/dev/video12", 12),
        ("auto", None),
        ("video.avi", None),
        ("/dev/null", None),
        ("-1", None),
    ],
)
def test_how_a_camera_is_named(where: str, number: int | None) -> None:
    assert v4l2.number_of(where) == number


def test_big_endian_and_padded_codes() -> None:
    assert v4l2_ioctl.fourcc(number("Y16 ")) == "Y16"
    assert v4l2_ioctl.fourcc(number("Y16 ") | 1 << 31) == "Y16"
