"""What the fake perf counts: the truth file, and the counts that it means for one run.

FAKE_PERF_TRUTH names a JSON file. Its keys, all optional, and their defaults are in DEFAULTS:

    version      perf's version: messages, percentages and events follow it
    pmu          name of the core's PMU, for `pmu/event=0x../`
    counters     programmable counters; hardware events beyond them take turns as the kernel makes them
    free         events with a counter of their own
    no_pmu       true: no core PMU, so no hardware event is supported
    unsupported  events that the core lacks
    uncounted    events that never get a counter, and so neither does the rest of their group
    silent       events that get a counter and stay 0, as in QEMU's PMU
    scaled       {event: percentage of the time that a counter was on it and its group}
    refuse       true: perf_event_open is refused, as at perf_event_paranoid 3
    user_only    true: the kernel's part is refused, as at perf_event_paranoid 2
    no_control   true: there is no --control, as before 5.9
    no_ack       true: commands are obeyed and never acknowledged; or a list of those that are not
    dies_at      the command at which perf is killed
    meter        path of a file that grows by a byte for each cycle that an attached process works
    noise, seed  relative standard deviation of every count, and where it starts from
    models       {label or runtime: {event: {"fixed": {phase: n, ...} or n, "per_image": n}}}, times in ns

`fixed` as one number is the phase `process`, the interpreter's own part outside every phase. An event that a model does
not list costs CYCLES times its RATE. Without a request, as in a probe, each count is PROBE_CYCLES times the rate. Of an
attached process it is the meter's growth while the events were enabled, times the rate and without noise. The noise of
a run starts from the seed, the request, the name of perf's output file and the event.
"""

# pathlib would be imported for this alone, in every process that a test counts.
# ruff: noqa: PTH119, PTH123, PTH202

import json
import os
from types import SimpleNamespace

TYPE_CHECKING = False
if TYPE_CHECKING:  # typing would be imported for this alone.
    from typing import Any

DEFAULTS = {
    "version": "6.1.187",
    "pmu": "armv8_cortex_a76",
    "counters": 6,
    "free": ["cycles", "cpu-cycles", "cpu_cycles"],
    "no_pmu": False,
    "unsupported": [],
    "uncounted": [],
    "silent": [],
    "scaled": {},
    "refuse": False,
    "user_only": False,
    "no_control": False,
    "no_ack": False,
    "dies_at": None,
    "meter": None,
    "noise": 0,
    "seed": 0,
    "models": {},
}

CYCLES = {
    "fixed": {
        "process": 5e7,
        "import": 2e9,
        "load": 3e8,
        "images": 1e8,
        "first": 6e7,
        "warmup": 5e7,
        "inference": 1e6,
    },
    "per_image": 5e7,
}
PROBE_CYCLES = 4e7

RATE = {
    "cycles": 1,
    "cpu_cycles": 1,
    "instructions": 1.5,
    "inst_retired": 1.5,
    "stalled-cycles-backend": 0.4,
    "stall_backend": 0.4,
    "l1d_cache": 0.5,
    "task-clock": 0.4,
    "cpu-clock": 0.4,
    "duration_time": 0.42,
    "user_time": 0.35,
    "system_time": 0.05,
    "page-faults": 1e-5,
    "minor-faults": 1e-5,
    "context-switches": 1e-6,
}
"""Events a cycle, and ns a cycle of 2.5 GHz."""
OTHER_RATE = 0.01


def read_truth(path: str | None) -> SimpleNamespace:
    """The truth file over the defaults; `version` also as the tuple `release`."""
    given = {}
    if path:
        with open(path, encoding="utf-8") as file:
            given = json.load(file)
    if unknown := given.keys() - DEFAULTS.keys():
        raise KeyError(f"{path}: no such key of the truth: {', '.join(sorted(unknown))}")
    truth = SimpleNamespace(**{**DEFAULTS, **given})
    truth.release = tuple(map(int, truth.version.split(".")))
    return truth


def read_request(command: list[str]) -> "dict[str, Any] | None":
    """The worker's request, where the workload's last argument is the path of one."""
    try:
        with open(command[-1], encoding="utf-8") as file:
            request = json.load(file)
    except (OSError, ValueError):
        return None
    return request if isinstance(request, dict) and "images" in request else None


class Counts:
    """What the truth says of one run.

    Args:
        region: The counted region: a phase, or `process` for all of them.
        output: perf's output file. Its name makes the noise of two runs with one request differ; folders do not count.
    """

    def __init__(self, truth: SimpleNamespace, request: "dict[str, Any] | None", region: str, output: str) -> None:
        self._truth, self._request, self._region = truth, request, region
        fields = (request or {}).values()
        names = [os.path.basename(field) if isinstance(field, str) else field for field in fields]
        self._origin = (truth.seed, names, os.path.basename(output))

    def of(self, event: str, region: str | None = None) -> int:
        """The count of an event in the run's region, or in another."""
        return round(self._exactly(event, region or self._region) * self._jitter(event))

    def _exactly(self, event: str, region: str) -> float:
        if event in self._truth.silent:
            return 0
        rate = RATE.get(event, OTHER_RATE)
        if self._request is None:
            return max(1, PROBE_CYCLES * rate)
        models = self._truth.models
        model = models.get(self._request["label"], models.get(self._request["runtime"], {}))
        if event in model:
            return self._cost(model[event], self._request["images"], region)
        return self._cost(CYCLES, self._request["images"], region) * rate

    def _cost(self, listed: "dict[str, Any]", images: int, region: str) -> float:
        fixed = listed.get("fixed", 0)
        phases: dict[str, float] = fixed if isinstance(fixed, dict) else {"process": fixed}
        steady: float = listed.get("per_image", 0) * images
        if region == "process":
            return sum(phases.values()) + steady
        return phases.get(region, 0) + (steady if region == "inference" else 0)

    def _jitter(self, event: str) -> float:
        if not self._truth.noise:
            return 1
        from random import Random

        return max(0, Random(repr((self._origin, event))).gauss(1, self._truth.noise))


class Meter:
    """What the truth says of an attached process: a file grows with its work."""

    def __init__(self, truth: SimpleNamespace) -> None:
        self._truth, self._grown = truth, 0
        self._from: int | None = None

    def start(self) -> None:
        """The events are enabled."""
        if self._from is None:
            self._from = self._size()

    def stop(self) -> None:
        """The events are disabled."""
        if self._from is not None:
            self._grown, self._from = self._grown + self._size() - self._from, None

    def of(self, event: str, _region: str | None = None) -> int:
        """The count of an event."""
        self.stop()
        return 0 if event in self._truth.silent else round(self._grown * RATE.get(event, OTHER_RATE))

    def _size(self) -> int:
        return os.path.getsize(self._truth.meter) if self._truth.meter else 0
