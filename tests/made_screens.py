"""What a live session shows, made for tests."""

from typing import Any

from msgspec.structs import replace

from profiler.camera.source import Facts
from profiler.cli.live import wording
from profiler.records import Counting, MachineState, Second, Shares, Shown, Spread, Summary, TensorSpec

NO_PMU = "this machine shows no hardware counters (no PMU)"


SETTING = wording.Setting(
    runtime="litert",
    file="cat-dog.tflite",
    kind="logit",
    classes=("cat", "dog"),
    input=TensorSpec(name="image", shape=(1, 150, 150, 3), dtype="uint8"),
    fit="crop",
    url=None,
    lack=NO_PMU,
)


CAMERA = Facts("/dev/video8", "HD Webcam C270", "device", 640, 480, 36.0, 30.0, "MJPG")


QUIET = Counting(frames=0, events=(), ipc=None, scope=None, lack=NO_PMU)


def second(**changes: Any) -> Second:
    """A second of a session that goes well on a board that tells everything but counts nothing."""
    told = Second(
        at="2026-01-01T12:00:00+00:00",
        elapsed_s=12.0,
        span_s=1.0,
        frames=30,
        fps=29.9,
        source_fps=29.8,
        dropped=2,
        stale=1,
        corrupt=0,
        reconnects=0,
        total_frames=1358,
        total_dropped=31,
        total_stale=4,
        total_corrupt=7,
        total_reconnects=3,
        shares=Shares(capture=4.2, preprocess=8.0, inference=61.0, idle=30.0, other=1.0),
        latency_ms=Spread(count=300, p50=12.1, p95=14.0, p99=15.25),
        age_ms=Spread(count=3, p50=20.3, p95=None, p99=None),
        cpu_percent=143.4,
        state=MachineState(at="", clock_hz=(1_500_000_000, 2_400_000_000), temperature_celsius=62.13, throttled=0),
        counting=QUIET,
        top=(Shown(label="cat", probability=0.983), Shown(label="dog", probability=0.017)),
        trouble=None,
    )
    return replace(told, **changes)


def summary(**changes: Any) -> Summary:
    told = Summary(
        seconds=60.04,
        frames=1798,
        fps=29.95,
        source_fps=30.0,
        captured=1801,
        dropped=3,
        stale=0,
        corrupt=1,
        reconnects=2,
        shares=Shares(capture=4.2, preprocess=8.0, inference=61.0, idle=30.0, other=1.0),
        latency_ms=Spread(count=1798, p50=12.1, p95=14.0, p99=15.25),
        age_ms=Spread(count=1798, p50=20.3, p95=25.0, p99=31.0),
        cpu_percent=143.4,
        labels={"dog": 594, "cat": 1204},
        ended="stopped",
        failed=False,
    )
    return replace(told, **changes)
