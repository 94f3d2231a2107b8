"""What a live session reaches: `python -m benchmarks.live [--seconds S] [--frames N]`.

Each session runs in a process of its own over a video that is made here, and its figures are printed beside what
bounded them in the same run: the source's rate, and the times of preprocessing and inference. Nothing is asserted.
"""

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import urllib.parse
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import numpy as np

from benchmarks.run import show
from profiler import pixels
from profiler.camera.open import open_capture
from profiler.images import pools
from profiler.live import session
from profiler.live.classified_frame import ClassifiedFrame
from profiler.live.classifier import open_classifier
from profiler.live.web import Hub, serve
from profiler.modelfile import parse
from profiler.records import Counting, Summary

NOTHING = Counting(frames=0, events=(), ipc=None, scope=None, lack="not asked for")
ALLOWED_MS = 10.0
"""What a frame's age may have beside one frame period, preprocessing and inference."""
SETTLED = 2000
"""Frames after which memory has to stay as it is, and between two figures printed of it."""
EACH = 100
"""Frames from one look at the memory to the next."""


class Asked(NamedTuple):
    """A session to measure.

    Attributes:
        size: Width and height of the video.
        rate: Its frames a second.
        viewers: That read the page's stream of pictures meanwhile, each a process.
        least: Share of the possible rate that it should reach.
    """

    runtime: str
    size: tuple[int, int]
    rate: float
    viewers: int = 0
    least: float = 0.95

    @property
    def title(self) -> str:
        """As printed."""
        return f"{self.runtime}, {self.rate:.0f} fps" + (f", {self.viewers} viewers" if self.viewers else "")


SESSIONS = (
    Asked("litert", (640, 480), 30),
    Asked("keras", (640, 480), 30),
    Asked("litert", (320, 240), 200),
    Asked("keras", (640, 480), 60),
    Asked("litert", (640, 480), 30, viewers=2, least=0.9),
    Asked("keras", (640, 480), 30, viewers=2, least=0.9),
    Asked("litert", (320, 240), 200, viewers=2, least=0.9),
)
LONG = (Asked("litert", (160, 120), 30), Asked("litert", (160, 120), 30, viewers=2))
"""For memory: every frame, as fast as it goes."""


def make_video(path: Path, size: tuple[int, int], rate: float, frames: int) -> None:
    """The shipped photo, moving, as a Motion JPEG video."""
    import cv2

    photo = cv2.resize(cv2.cvtColor(pixels.load(pools.BUILTIN), cv2.COLOR_RGB2BGR), size)
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, size)
    for number in range(frames):
        writer.write(np.roll(photo, number % 40, axis=1))
    writer.release()


class Memory:
    """Looks at this process's resident memory now and then: an observer."""

    def __init__(self) -> None:
        self._seen: list[tuple[int, int]] = []
        self._frames = 0

    def labelled(self, _: ClassifiedFrame) -> None:
        self._frames += 1
        if self._frames % EACH == 0:
            self._seen.append((self._frames, resident_kib()))

    def growth(self) -> tuple[float, list[int]]:
        """Once it has settled: KiB a thousand frames by least squares; and the KiB at each so many frames."""
        frames, kib = np.array([seen for seen in self._seen if seen[0] >= SETTLED], dtype=float).T
        return float(np.polyfit(frames, kib, 1)[0]) * 1000, [kib for at, kib in self._seen if at % SETTLED == 0]


def resident_kib() -> int:
    """Of this process, from the kernel."""
    (line,) = (line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1])


def watch(url: str) -> None:
    """A viewer: reads the page's stream to its end; says when it has begun, and then how many pictures came."""
    parts = urllib.parse.urlsplit(url)
    connection = HTTPConnection(parts.hostname or "", parts.port, timeout=60)
    connection.request("GET", f"/stream?{parts.query}")
    answer, pictures = connection.getresponse(), 0
    print("watching", flush=True)
    while data := answer.read1(1 << 16):
        pictures += data.count(b"\xff\xd8\xff")
    print(pictures)


def measured(asked: Asked, video: Path, every: bool) -> dict[str, Any]:
    """A session over a whole video: its summary, and with `every` what memory did; of viewers the pictures they got."""
    hub, memory = Hub(), Memory()
    (file,) = parse(asked.runtime)
    classifier = open_classifier(
        file, threads=None, call="graph", output=None, labels=None, fit="crop", top=10, pixels=None
    )

    def run() -> Summary:
        return session.run(
            lambda: open_capture(str(video), every=every),
            classifier,
            every=every,
            observers=[memory.labelled, *([hub.labelled] if asked.viewers else [])],
            tell=hub.second,
            counting=lambda: NOTHING,
            stop=threading.Event(),
        )

    summary, pictures = viewed(hub, asked.viewers, run) if asked.viewers else (run(), [])
    found = {**msgspec.to_builtins(summary), "pictures": pictures}
    return {**found, "growth": memory.growth()} if every else found


def viewed(hub: Hub, viewers: int, run: Any) -> tuple[Summary, list[int]]:
    """The session's summary while so many watch, and how many pictures each of them got."""
    with serve(hub, "127.0.0.1", 0, None) as url:
        command = [sys.executable, "-m", "benchmarks.live", "--watch", url]
        readers = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True) for _ in range(viewers)]
        for reader in readers:
            assert reader.stdout is not None
            reader.stdout.readline()
        summary = run()
    return summary, [int(reader.communicate()[0]) for reader in readers]


def apart(asked: Asked, frames: int, every: bool) -> dict[str, Any]:
    """The same in a process of its own, with a video of so many frames."""
    with tempfile.TemporaryDirectory() as folder:
        video = Path(folder) / "video.avi"
        make_video(video, asked.size, asked.rate, frames)
        options = ["--measure", json.dumps(asked), "--video", str(video), *(["--every"] if every else [])]
        command = [sys.executable, "-m", "benchmarks.live", *options]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return dict(json.loads(done.stdout))


def verdict(figure: float, target: float, at_least: bool) -> str:
    """What it should be, and whether it is."""
    reached = figure >= target if at_least else figure <= target
    return f"{'at least' if at_least else 'at most'} {target:.3g}: {'reached' if reached else 'missed'}"


def pace(asked: Asked, seconds: float) -> None:
    """Prints how near a session's rate is to what was possible, and how old its frames are.

    A p95 of the age that is allowed says that 95 % of the frames are no older than theirs: their own preprocessing and
    inference, one period of the source and 10 ms.
    """
    found = apart(asked, round(seconds * asked.rate), every=False)
    shares, latency_ms, age_ms = found["shares"], found["latency_ms"], found["age_ms"]
    work_s = (shares["preprocess"] + shares["inference"]) / 100 * found["seconds"] / found["frames"]
    reached = found["fps"] / min(asked.rate, 1 / work_s)
    allowed_ms = 1000 / asked.rate + latency_ms["p50"] + ALLOWED_MS
    show(f"{asked.title}: frames a second", found["fps"], f"of {found['source_fps']:.1f}, {1 / work_s:.1f} by the work")
    show(f"{asked.title}: of what is possible", reached, verdict(reached, asked.least, at_least=True))
    stale_percent = 100 * found["stale"] / found["frames"]
    show(f"{asked.title}: older than allowed, % of frames", stale_percent, verdict(stale_percent, 5, at_least=False))
    show(f"{asked.title}: age at p95, ms", age_ms["p95"], f"{allowed_ms:.1f} with the median of the work")
    show(f"{asked.title}: idle, %", shares["idle"], f"all else {shares['other']:.2f}, capture {shares['capture']:.1f}")
    if found["pictures"]:
        show(f"{asked.title}: pictures a second", min(found["pictures"]) / found["seconds"], "of the slower viewer")


def memory(asked: Asked, frames: int) -> None:
    """Prints how memory goes on over so many frames."""
    found = apart(asked, frames, every=True)
    slope_kib, seen_kib = found["growth"]
    title = f"{asked.runtime}, every frame" + (f", {asked.viewers} viewers" if asked.viewers else "")
    show(f"{title}: KiB / 1000 frames", slope_kib, f"over {found['frames']:,} frames")
    print(f"    KiB each {SETTLED:,} frames: {' '.join(map(str, seen_kib))}")
    other_us = found["shares"]["other"] / 100 * found["seconds"] / found["frames"] * 1e6
    show(f"{title}: loop's own µs a frame", other_us, "")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20, help="of each session (default 20)")
    parser.add_argument("--frames", type=int, default=20_000, help="for memory, 0 for none (default 20000)")
    parser.add_argument("--watch", help=argparse.SUPPRESS)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    parser.add_argument("--video", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--every", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.watch:
        watch(arguments.watch)
        return
    if arguments.measure:
        print(json.dumps(measured(Asked(*json.loads(arguments.measure)), arguments.video, arguments.every)))
        return
    for asked in SESSIONS:
        pace(asked, arguments.seconds)
    if arguments.frames > SETTLED + 2 * EACH:
        for asked in LONG:
            memory(asked, arguments.frames)


if __name__ == "__main__":
    main()
