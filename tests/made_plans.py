"""Plans made for tests, and what is true of the machine that they run on."""

import platform
import shutil
from typing import Any

import pytest

from profiler.records import Plan

TRUTH: dict[str, dict[str, Any]] = {
    "keras": {
        "cycles": {"fixed": {"process": 1e8, "import": 9e9, "load": 1e9, "first": 9e8}, "per_image": 2e8},
        "ll_cache_miss_rd": {"fixed": {"process": 1e5, "import": 3e6}, "per_image": 4e5},
        "task-clock": {"fixed": {"import": 4e9}, "per_image": 8e7},
    },
    "litert": {
        "cycles": {"fixed": {"process": 1e8, "import": 2e8, "load": 5e7, "first": 1e7}, "per_image": 2e7},
        "ll_cache_miss_rd": {"fixed": {"process": 1e5}, "per_image": 2e4},
        "task-clock": {"fixed": {"import": 2e8}, "per_image": 1e7},
    },
}


def planned(**fields: Any) -> Plan:
    return Plan(
        **{
            "images": (1, 5, 10),
            "repeats": 2,
            "warmup": 1,
            "threads": 1,
            "regions": ("process", "inference"),
            "phases": False,
            "event_set": "lab",
            "counters": "perf",
            "source": "synthetic",
            "seed": 0,
            "timeout_s": 60.0,
            "cpus": None,
            "keras_call": "predict",
            **fields,
        }
    )


EMULATOR = shutil.which(f"qemu-{platform.machine()}")
needs_qemu = pytest.mark.skipif(EMULATOR is None, reason="QEMU's user emulation is not installed")
