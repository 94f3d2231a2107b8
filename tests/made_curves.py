"""Miss curves made for tests."""

import math

from msgspec.structs import replace

from profiler.machine import targets
from profiler.records import MissCurve


def made_curve(**fields: object) -> MissCurve:
    """Two seeds of two samples each: 1 % below and above the truth for the first, 3 % for the second."""
    factors = (0.99, 1.01, 0.97, 1.03)
    steady = tuple(tuple(factor * misses(size) for size in SIZES) for factor in factors)
    own: dict[str, object] = {
        "file": "net.tflite",
        "file_bytes": 2**21,
        "sha256": MINE,
        "runtime": "litert",
        "source": "QEMU 7.2.22",
        "arch": "aarch64",
        "guest": "Raspberry Pi 5",
        "engine": "ai-edge-litert 2.3.0",
        "threads": 1,
        "images": 1,
        "line_bytes": 64,
        "one_in": 16,
        "seeds": (1, 2),
        "sizes_bytes": SIZES,
        "steady": steady,
        "cold": tuple(tuple(max(value, 131072.0) for value in row) for row in steady),
        "touched": (131000.0, 131144.0, 131072.0, 131072.0),
        "target": BOARD,
        "full": {"ll_cache_rd": 480e3, "l2d_cache_refill": 480e3, "ll_cache_miss_rd": 320e3},
    }
    return MissCurve(**own | fields)  # type: ignore[arg-type]


SIZES = tuple(2**power for power in range(14, 27))


BOARD = replace(targets.find("pi5"), prefetch={"kind": "none"})


MINE = "f0" * 32
"""Digest of the model that the made curve is of."""


def misses(size_bytes: float) -> float:
    """Of the made curve: falls by a tenth of a million with every doubling, and from 8 MiB on there are none."""
    return 1e5 * (24 - math.log2(size_bytes)) if size_bytes < 2**23 else 0.0
