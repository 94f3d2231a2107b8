"""`profiler live`, with real videos, a real network camera and a real model; on a pseudo-terminal too."""

import errno
import functools
import json
import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import msgspec
import pytest
from click.testing import CliRunner, Result
from reading import present
from rich.cells import cell_len
from terminals import LIMIT_S, Terminal, drawn, whole
from videos import MjpegServer, make_video

from profiler import cli, store
from profiler.camera.source import ASKED_RATE
from profiler.cli.live import live as command
from profiler.cli.live import plain_output
from profiler.errors import ProfilerError
from profiler.live import session
from profiler.records import Machine, Second, Summary, from_json

CAT = Path(cli.__file__).parent.parent / "data" / "images" / "chelsea.png"
OPENED = "centre crop to 150 x 150 x 3 uint8"
LIVE = [sys.executable, "-m", "profiler.cli", "live", "--counters", "software"]

if find_spec("ai_edge_litert") is None:
    pytest.skip("no LiteRT engine", allow_module_level=True)


def invoke(*arguments: str) -> Result:
    return CliRunner().invoke(cli.main, ["live", *arguments])


@pytest.fixture(autouse=True)
def workplace(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def cat() -> Any:
    """A picture of a cat as a camera gives it, 4:3 about its middle."""
    return cv2.resize(present(cv2.imread(str(CAT))), (320, 240))


@pytest.fixture
def video(workplace: Path, cat: Any) -> Path:
    """Ten frames of a cat."""
    return make_video(workplace / "cat.avi", [cat] * 10)


def test_a_video_is_labelled_to_its_end_and_summed_up(video: Path) -> None:
    done = invoke("--camera", "cat.avi", "--every-frame", "--counters", "software")
    assert done.exit_code == 0, done.output
    shown = done.stdout.splitlines()
    assert shown[0] == "litert cat-dog-mnv2.tflite: logit of cat and dog, centre crop to 150 x 150 x 3 uint8"
    assert shown[1] == "file cat.avi: 320 x 240 MJPG, declared 30 fps"
    assert shown[2] == "counters n/a: not asked for (--counters software)"
    assert "ended     the video has ended" in shown
    assert "labels    cat 10 (100 %)" in shown
    assert "\x1b" not in done.stdout
    assert done.stderr == ""


def test_a_picture_before_the_camera_gives_a_line_each_second(workplace: Path) -> None:
    done = invoke("--camera", str(CAT), "--seconds", "1.2", "--fit", "stretch", "--counters", "software")
    assert done.exit_code == 0, done.output
    assert ", stretch to 150 x 150" in done.stdout
    assert re.search(r"^1 s: cat >?\d+\.\d %, \d+\.\d fps, source ", done.stdout, re.MULTILINE)
    assert "ended     1.2 s have passed" in done.stdout


def test_json_alone_is_on_standard_output(workplace: Path) -> None:
    done = invoke("--camera", str(CAT), "--seconds", "1.2", "--json", "--counters", "software")
    assert done.exit_code == 0, done.output
    *seconds, last = done.stdout.splitlines()
    assert [from_json(Second, line).top[0].label for line in seconds] == ["cat"] * len(seconds)
    assert seconds
    summary = msgspec.convert(json.loads(last)["summary"], Summary)
    assert summary.labels["cat"] == summary.frames > 0
    assert OPENED in done.stderr


def test_a_network_camera_is_shown_without_its_password(cat: Any) -> None:
    with MjpegServer([cat]) as server:
        done = invoke("--camera", server.url_with("me:secret"), "--frames", "5", "--counters", "software")
    assert done.exit_code == 0, done.output
    assert f"stream {server.url}: 320 x 240" in done.stdout
    assert "secret" not in done.output
    assert "ended     5 frames were labelled" in done.stdout


def test_a_camera_s_frames_cannot_all_be_labelled(cat: Any, workplace: Path) -> None:
    with MjpegServer([cat]) as server:
        done = invoke("--camera", server.url, "--every-frame", "--counters", "software", "--record", "evening")
    assert done.exit_code == cli.CANNOT
    assert done.stderr == f"profiler: --every-frame is for files, and {server.url} is none: leave --every-frame out\n"
    assert not (workplace / "runs" / "evening").exists()


def test_a_lost_camera_is_the_exit_status_and_one_line(cat: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "run", functools.partial(session.run, patience_s=0.5))
    with MjpegServer([cat], count=5) as server:
        real = plain_output.Lines.opened

        def opened(*arguments: Any) -> None:
            server.refuse()
            real(*arguments)

        monkeypatch.setattr(plain_output.Lines, "opened", opened)
        done = invoke("--camera", server.url, "--counters", "software")
    assert done.exit_code == cli.CANNOT
    (line,) = done.stderr.splitlines()
    assert line.startswith("profiler: the camera was lost: no usable frame for ")
    assert "ended     no usable frame for " in done.stdout


def test_counters_count_the_session(fake_perf: Callable[..., None], pi5: Machine) -> None:
    fake_perf()
    done = invoke("--camera", str(CAT), "--seconds", "1.2")
    assert done.exit_code == 0, done.output
    assert re.search(r"^counters: cycles, .*, user\+kernel, of this whole process", done.stdout, re.MULTILINE)
    assert re.search(r"^1 s: .*, counters (IPC |none before the first window)", done.stdout, re.MULTILINE)


def test_no_perf_is_said_and_stops_nobody(no_perf: None, video: Path) -> None:
    done = invoke("--camera", "cat.avi", "--every-frame")
    assert done.exit_code == 0, done.output
    assert "counters n/a: perf is not installed" in done.stdout
    asked = invoke("--camera", "cat.avi", "--counters", "perf")
    assert asked.exit_code == cli.CANNOT
    assert asked.stderr.startswith("profiler: perf is not installed: ")


def test_a_page_is_served_as_long_as_the_session(video: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found: list[bytes] = []
    real = plain_output.Lines.opened

    def opened(watch: plain_output.Lines, setting: Any, facts: Any) -> None:
        real(watch, setting, facts)
        port = int(present(re.fullmatch(r"http://127\.0\.0\.1:(\d+)/", setting.url))[1])
        with socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S) as visitor:
            visitor.sendall(f"GET / HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nConnection: close\r\n\r\n".encode())
            found.append(visitor.recv(64))

    monkeypatch.setattr(plain_output.Lines, "opened", opened)
    done = invoke("--camera", "cat.avi", "--every-frame", "--web", "0", "--counters", "software")
    assert done.exit_code == 0, done.output
    assert re.search(r"^page: http://127\.0\.0\.1:\d+/$", done.stdout, re.MULTILINE)
    assert found[0].startswith(b"HTTP/1.1 200")


def test_a_page_for_others_has_a_token_in_its_address(video: Path) -> None:
    done = invoke("--camera", "cat.avi", "--every-frame", "--web", "0.0.0.0:0", "--counters", "software")
    assert re.search(r"^page: http://\S+:\d+/\?token=\S{20,}$", done.stdout, re.MULTILINE)


def test_a_taken_port_is_one_line(video: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = invoke("--camera", "cat.avi", "--web", str(port))
    assert done.exit_code == cli.CANNOT
    assert done.stderr == f"profiler: port {port} of 127.0.0.1 is taken: name another, or 0 for any that is free\n"
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("192.0.2.7:80", ("192.0.2.7", 80)),
        ("9000", ("127.0.0.1", 9000)),
        (":9000", ("127.0.0.1", 9000)),
        ("board.local", ("board.local", 8080)),
        ("0.0.0.0", ("0.0.0.0", 8080)),
        ("[::1]:0", ("::1", 0)),
        ("[::]", ("::", 8080)),
    ],
)
def test_addresses_of_a_page(monkeypatch: pytest.MonkeyPatch, text: str, address: tuple[str, int]) -> None:
    assert wanted(monkeypatch, "--web", text).web == address


def test_a_page_without_an_address_is_for_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    assert wanted(monkeypatch, "--web", "--top", "3").web == ("127.0.0.1", 8080)
    assert wanted(monkeypatch).web is None


def wanted(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> Any:
    """What a command line comes to."""
    from profiler.cli.live import assemble as parts

    found: list[Any] = []

    def made(asked: Any, as_json: bool, out: Any) -> Any:
        found.append(asked)
        raise KeyboardInterrupt

    monkeypatch.setattr(parts, "Session", made)
    invoke(*arguments)
    return found[0]


@pytest.mark.parametrize("words", [["--camera", "rtsp://me:secret@cam/1"], ["--camera=rtsp://me:secret@cam/1"]])
def test_no_password_comes_into_the_command(monkeypatch: pytest.MonkeyPatch, words: list[str]) -> None:
    monkeypatch.setattr(sys, "argv", ["profiler", "live", *words])
    command = wanted(monkeypatch, *words).command
    assert "cam/1" in command
    assert "secret" not in command


def test_options_come_as_what_they_mean(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = wanted(monkeypatch, "--size", "640x480", "--pixels", "-1..1", "--threads", "default", "--output", "softmax")
    assert (asked.size, asked.pixels, asked.threads, asked.output) == ((640, 480), (-1.0, 1.0), None, "softmax")
    assert (asked.rate, asked.top, asked.fit, asked.camera) == (36.0, 10, "crop", "auto")
    assert asked.file.runtime == "litert"


def test_the_help_names_the_rate_that_is_asked() -> None:
    assert re.search(
        rf"asked of a camera, which may\s+give fewer\.\s+\[default: \({ASKED_RATE:g}\)", invoke("--help").stdout
    )


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--size", "640"), "'640' is not a size such as 640x480"),
        (("--size", "0x480"), "is not a size"),
        (("--web", "::1"), "'::1' is not an address such as 127.0.0.1:8080, 8080 or [::1]:8080"),
        (("--web", "a:b"), "is not an address"),
        (("--web", "localhost:65536"), "there is no port 65536"),
        (("--seconds", "3", "--frames", "5"), "--seconds and --frames are two ends"),
        (("--rate", "0"), "--rate"),
        (("--counters", "qemu"), "'qemu'"),
    ],
)
def test_a_command_line_that_makes_no_sense(arguments: tuple[str, ...], said: str) -> None:
    done = invoke(*arguments)
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert said in line


def test_one_model_is_shown_at_a_time() -> None:
    done = invoke("--model", "litert,keras")
    assert done.exit_code == cli.CANNOT
    assert done.stderr == (
        "profiler: 'litert,keras' is 2 models, and one is shown: name one, such as litert=my.tflite\n"
    )


def test_a_source_that_is_not_there_is_one_line() -> None:
    done = invoke("--camera", "absent.mp4", "--counters", "software")
    assert done.exit_code == cli.CANNOT
    (line,) = done.stderr.splitlines()
    assert "absent.mp4" in line
    assert done.stdout == ""


def test_a_session_is_recorded_as_a_study(video: Path, workplace: Path) -> None:
    done = invoke("--camera", "cat.avi", "--every-frame", "--counters", "software", "--record", "evening")
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "recorded  `profiler report evening` shows it"
    study, runs = store.load(workplace / "runs" / "evening")
    assert study.live is not None
    assert study.live.summary is not None
    assert study.live.summary.frames == 10
    assert study.live.every
    assert study.notes[0] == "No hardware event was counted: not asked for (--counters software)."
    assert [run.completion.top for run in runs if run.completion] == [(0,) * len(present(runs[0].completion).top)]


def test_the_command_that_shows_a_recording_finds_it(video: Path, workplace: Path) -> None:
    done = invoke("--camera", "cat.avi", "--counters", "software", "--record", "my desk", "--runs", "elsewhere")
    said = done.stdout.splitlines()[-1].partition("`")[2].partition("`")[0]
    assert said == "profiler report 'elsewhere/my desk'"
    shown = CliRunner().invoke(cli.main, [*shlex.split(said)[1:], "--format", "md"])
    assert shown.exit_code == 0, shown.output


def test_a_name_that_is_taken_is_said_before_anything_is_opened(workplace: Path) -> None:
    (workplace / "runs" / "evening").mkdir(parents=True)
    done = invoke("--camera", "absent.mp4", "--record", "evening")
    assert done.exit_code == cli.CANNOT
    assert done.stderr.startswith("profiler: study 'evening' exists in runs: ")


def test_a_full_disk_is_said_once_and_does_not_end_the_session(
    workplace: Path, cat: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: Any) -> None:
        raise ProfilerError("run 0 cannot be written (No space left on device)", "make room on the disk")

    monkeypatch.setattr(store.Store, "append", full)
    make_video(workplace / "long.avi", [cat] * 130)
    done = invoke("--camera", "long.avi", "--every-frame", "--counters", "software", "--record", "evening")
    assert done.exit_code == cli.CANNOT
    (line,) = done.stderr.splitlines()
    assert line.startswith("profiler: not all of the session is recorded: run 0 cannot be written")
    assert "labels    cat 130 (100 %)" in done.stdout


def test_an_output_that_is_full_is_an_error(video: Path) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run([*LIVE, "--camera", "cat.avi"], stdout=full, stderr=subprocess.PIPE, text=True)
    assert done.returncode == cli.CANNOT
    (line,) = done.stderr.splitlines()
    assert os.strerror(errno.ENOSPC) in line


@pytest.fixture
def started(workplace: Path) -> Iterator[Callable[..., "subprocess.Popen[str]"]]:
    """Starts a session on a picture that stays before the camera; what still runs is ended."""
    processes: list[subprocess.Popen[str]] = []

    def start(*arguments: str, **streams: Any) -> "subprocess.Popen[str]":
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | streams
        processes.append(subprocess.Popen([*LIVE, "--camera", str(CAT), *arguments], text=True, **pipes))
        return processes[-1]

    yield start
    for process in processes:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_is_the_ordinary_end(started: Callable[..., Any], number: signal.Signals) -> None:
    process = started("--record", "evening")
    assert OPENED in process.stdout.readline()
    process.send_signal(number)
    out, error = process.communicate(timeout=LIMIT_S)
    assert process.returncode == 0, error
    assert "ended     stopped\n" in out
    assert error == ""
    assert present(present(store.load(Path("runs/evening"))[0].live).summary).ended == "stopped"


def test_whoever_stops_reading_ends_it_quietly(started: Callable[..., Any]) -> None:
    process = started()
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    _, error = process.communicate(timeout=LIMIT_S)
    assert (process.returncode, error) == (0, "")


@pytest.fixture
def terminal() -> Iterator[Terminal]:
    made = Terminal()
    yield made
    made.close()


def test_on_a_terminal_it_is_in_place_and_follows_its_size(started: Callable[..., Any], terminal: Terminal) -> None:
    streams = dict.fromkeys(("stdin", "stdout", "stderr"), terminal.out)
    process = started(**streams, env=os.environ | {"TERM": "xterm"})
    text = terminal.until(whole(80, 24))
    before = text.split("\x1b[?1049h")[0].partition("loading litert cat-dog-mnv2.tflite")[2]
    assert OPENED in " ".join(before.split())
    assert any(re.match(r"  cat  >?\d+\.\d %", line) for line in drawn(text))
    assert any(line.startswith("rate      ") for line in drawn(text))
    terminal.resize(60, 20)
    process.send_signal(signal.SIGWINCH)
    narrow = terminal.until(whole(60, 20))
    assert all(cell_len(line) <= 60 for line in drawn(narrow))
    assert any(line.startswith("shares    ") for line in drawn(narrow))
    process.send_signal(signal.SIGINT)
    shown, after = terminal.until("CPU       ").split("\x1b[?1049l")
    assert "ended     stopped" in after
    assert "\x1b[?25h" in shown + after
    assert process.wait(LIMIT_S) == 0


def test_a_terminal_that_cannot_be_drawn_on_gets_lines(started: Callable[..., Any], terminal: Terminal) -> None:
    environment = os.environ | {"TERM": "dumb"}
    process = started("--frames", "3", stdout=terminal.out, env=environment)
    assert "\x1b" not in terminal.until("CPU       ")
    assert process.wait(LIMIT_S) == 0


@pytest.mark.slow
def test_keras_labels_a_network_camera(cat: Any) -> None:
    if find_spec("tensorflow") is None:
        pytest.skip("no TensorFlow")
    with MjpegServer([cat]) as server:
        done = subprocess.run(
            [*LIVE, "--model", "keras", "--keras-call", "graph", "--camera", server.url, "--frames", "20"],
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stderr
    assert "labels    cat 20 (100 %)" in done.stdout
    assert done.stderr == ""


def test_its_options_are_what_the_session_takes() -> None:
    from profiler.cli.live.assemble import Wanted

    names = {parameter.name for parameter in command.params} - {"model", "as_json"}
    assert names | {"command", "file"} == set(Wanted._fields)
