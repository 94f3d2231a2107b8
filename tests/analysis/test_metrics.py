"""Derived metrics: quotients with intervals, and None where a part is missing."""

import numpy as np
import pytest

from profiler.analysis.metrics import METRICS, Metric, derive, scaled
from profiler.analysis.stats import Estimate, mean

CYCLES = mean([100.0, 102.0, 98.0, 101.0])
TWICE = mean([200.0, 204.0, 196.0, 202.0])


def metric(name: str) -> Metric:
    return next(metric for metric in METRICS if metric.name == name)


def test_ipc_is_instructions_over_cycles() -> None:
    found = derive(metric("IPC"), {"instructions": TWICE, "cycles": CYCLES}.get)
    assert found is not None
    assert found.value == pytest.approx(2)


def test_what_disturbs_both_counts_of_a_process_cancels() -> None:
    found = derive(metric("IPC"), {"instructions": TWICE, "cycles": CYCLES}.get)
    assert found is not None
    assert found.interval == pytest.approx((2, 2))


def test_a_share_is_in_percent() -> None:
    found = derive(metric("backend stall share"), {"stall_backend": CYCLES, "cycles": TWICE}.get)
    assert found is not None
    assert found.value == pytest.approx(50)


@pytest.mark.parametrize(
    ("name", "above", "below"),
    [
        ("memory stall share", "stall_memory", "cycles"),
        ("L1D miss ratio", "l1d_refill", "l1d_access"),
        ("L2 invalidations against refills", "l2d_invalidate", "l2d_refill"),
    ],
)
def test_shares_are_of_the_events_that_their_names_say(name: str, above: str, below: str) -> None:
    found = derive(metric(name), {above: CYCLES, below: TWICE}.get)
    assert found is not None
    assert found.value == pytest.approx(50)
    assert derive(metric(name), {below: CYCLES, above: TWICE}.get).value == pytest.approx(200)  # type: ignore[union-attr]


@pytest.mark.parametrize("missing", ["instructions", "cycles"])
def test_a_missing_event_gives_none(missing: str) -> None:
    found = {"instructions": TWICE, "cycles": CYCLES, missing: None}
    assert derive(metric("IPC"), found.get) is None


def test_an_undetermined_quotient_gives_none() -> None:
    assert derive(metric("IPC"), {"instructions": TWICE, "cycles": mean([-1.0, 1.0, 2.0])}.get) is None


def test_scaling_keeps_a_missing_interval_missing() -> None:
    found = scaled(Estimate(2.0, None, None, np.empty(0), "too few"), 100)
    assert (found.value, found.interval, found.reason) == (200.0, None, "too few")
