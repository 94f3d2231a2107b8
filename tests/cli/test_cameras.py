"""`profiler cameras`: the table, the JSON and the hints, for nodes as a Raspberry Pi 5 has them."""

import json
from collections.abc import Callable

import pytest
from click.testing import CliRunner, Result

from profiler.camera import auto_select, open, v4l2
from profiler.camera.auto_select import Trial
from profiler.camera.source import Facts
from profiler.camera.v4l2 import Device
from profiler.camera.v4l2_ioctl import Format, Size
from profiler.cli import main
from profiler.errors import ProfilerError

SMALL, LARGE = Size(640, 480, 640, 480, (15.0, 30.0), False), Size(1920, 1080, 1920, 1080, (5.0,), False)
MIDDLE = Size(1280, 720, 1280, 720, (30.0,), False)
ANY = Size(16, 16, 4096, 2160, (5.0, 60.0), True)
USB = Device(
    "/dev/video36",
    36,
    "HD Pro Webcam C920: HD Pro Webc",
    "uvcvideo",
    "usb-xhci-hcd.1-1",
    "camera",
    True,
    (
        Format("MJPG", "Motion-JPEG", (SMALL, MIDDLE, LARGE)),
        Format("YUYV", "YUYV 4:2:2", (SMALL,)),
        Format("YU12", "Planar", (SMALL,)),
        Format("RGB3", "24-bit RGB", (ANY,)),
        Format("GREY", "8-bit", ()),
    ),
)
RIBBON = Device("/dev/video0", 0, "rp1-cfe-csi2_ch0", "rp1-cfe", "platform:1", "csi", False, remedy=v4l2.LIBCAMERA)
CODEC = Device("/dev/video19", 19, "rpivid", "rpivid", "platform:rpivid", "codec", False)
ISPS = tuple(
    Device(f"/dev/video{number}", number, "pispbe-input", "pispbe", "platform:2", "isp", False)
    for number in range(20, 36)
)
LOCKED = Device(
    "/dev/video2",
    2,
    "Cam",
    "",
    "",
    "unknown",
    True,
    trouble="permission denied",
    remedy="run `sudo usermod -aG video $USER`, then log out and in again",
)
DELIVERS = Trial(Facts("/dev/video36", USB.name, "device", 640, 480, 36.0, 30.0, "MJPG"), 29.97)
SILENT = Trial(None, trouble="/dev/video36 (C920) opens but delivers no frame", remedy="unplug it")

Machine = Callable[..., None]


@pytest.fixture
def machine(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Gives this machine these nodes, of which cameras behave as the trial says."""

    def make(*nodes: Device, trial: Trial = DELIVERS) -> None:
        monkeypatch.setattr(v4l2, "devices", lambda: nodes)
        monkeypatch.setattr(auto_select, "tried", lambda opening, number: trial)

    return make


def run(*arguments: str, columns: int = 80) -> Result:
    result = CliRunner().invoke(main, ["cameras", *arguments], env={"COLUMNS": str(columns)})
    assert result.exception is None or isinstance(result.exception, SystemExit)
    return result


def test_a_camera_among_a_raspberry_pi_5s_nodes(machine: Machine) -> None:
    machine(RIBBON, CODEC, *ISPS, USB)
    result = run()
    assert result.exit_code == 0
    table, _, rest = result.output.partition("Formats")
    assert max(map(len, table.splitlines())) <= 80
    assert "/dev/video20-35" in table
    assert "16 nodes" in table
    assert table.count("pispbe") == 1
    flat = " ".join(result.output.split())
    assert "a USB camera" in flat
    assert "delivers 640x480" in flat
    assert "30.0/s" in flat
    assert "640x480 to 1280x720 (2 sizes) at 30; 1920x1080 at 5" in flat
    assert "YUYV, YU12" in flat
    assert "any from 16x16 to 4096x2160 at 60" in flat
    assert "not told" in rest
    assert "A camera on the ribbon cable needs libcamera" in flat
    assert "None of these" not in flat


def test_a_camera_that_delivers_nothing_says_why(machine: Machine) -> None:
    machine(USB, trial=SILENT)
    result = run()
    assert result.exit_code == 0
    assert "delivers nothing" in " ".join(result.output.split())
    assert "/dev/video36 (C920) opens but delivers no frame: unplug it." in result.output
    assert "None of these delivers a frame: plug in a USB camera" in result.output


def test_permission_denied_says_what_to_type(machine: Machine) -> None:
    machine(LOCKED)
    result = run()
    assert result.exit_code == 0
    assert "/dev/video2: permission denied: run `sudo usermod -aG video $USER`, then log out and in" in result.output


def test_no_node_at_all_is_a_sentence(machine: Machine) -> None:
    machine()
    result = run()
    assert result.exit_code == 0
    assert result.output.startswith("There is no video node (/dev/video*): plug in a USB camera")
    assert "--camera http" in result.output
    assert json.loads(run("--json").output) == []


def test_names_of_devices_are_no_markup(machine: Machine) -> None:
    machine(USB._replace(name="[red]Cam\x1b[2J"))
    output = run(columns=200).output
    assert "[red]Cam" in output
    assert "\x1b" not in output


def test_json(machine: Machine) -> None:
    machine(LOCKED, CODEC, USB)
    locked, codec, usb = json.loads(run("--json").output)
    assert (locked["delivers"], locked["trouble"], locked["role"]) == (None, "permission denied", "unknown")
    assert (codec["delivers"], codec["formats"], codec["measured_rate"]) == (None, [], None)
    assert (usb["delivers"], usb["measured_rate"], usb["width"], usb["format"]) == (True, 29.97, 640, "MJPG")
    assert usb["formats"][0]["sizes"][0] == {
        "width": 640,
        "height": 480,
        "largest_width": 640,
        "largest_height": 480,
        "rates": [15.0, 30.0],
        "any_rate": False,
    }


def test_json_of_a_camera_that_delivers_nothing(machine: Machine) -> None:
    machine(USB, trial=SILENT)
    (usb,) = json.loads(run("--json").output)
    assert (usb["delivers"], usb["remedy"]) == (False, "unplug it")
    assert usb["trouble"] == SILENT.trouble


def test_cameras_are_really_opened_and_other_nodes_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[int, float]] = []

    def device(number: int, size: None, rate: float, limit_s: float) -> None:
        asked.append((number, rate))
        raise ProfilerError(f"/dev/video{number} cannot be used: it is in use by zoom (process 7)", "end that program")

    monkeypatch.setattr(v4l2, "devices", lambda: (CODEC, *ISPS, USB))
    monkeypatch.setattr(open, "device", device)
    assert "in use by zoom (process 7): end that program." in run(columns=200).output
    assert asked == [(36, 36.0)]


def test_this_machine_as_it_is() -> None:
    assert run().exit_code == 0
    assert isinstance(json.loads(run("--json").output), list)
