"""Fixtures for all tests."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from browsers import CHROMIUM
from hypothesis import settings
from studies import PI5

from profiler.machine import host
from profiler.records import Machine

# The same examples every time, and none refused for a slow machine.
settings.register_profile("profiler", deadline=None, derandomize=True)
settings.load_profile("profiler")

# A shell starts what it runs in the background deaf to Ctrl-C, which some tests send.
signal.signal(signal.SIGINT, signal.default_int_handler)

FAKES = Path(__file__).parent / "fakes"


@pytest.fixture
def fake_perf(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Puts the fake perf first on PATH; called with what is true of the machine (keys in `fakes/fake_truth.py`)."""

    def install(**truth: Any) -> None:
        path = tmp_path_factory.mktemp("perf") / "truth.json"
        path.write_text(json.dumps(truth))
        monkeypatch.setenv("FAKE_PERF_TRUTH", str(path))
        # The fake is run by the tests' own interpreter, whatever python3 is elsewhere on PATH.
        folders = (str(FAKES), str(Path(sys.executable).parent), os.environ["PATH"])
        monkeypatch.setenv("PATH", os.pathsep.join(folders))

    return install


@pytest.fixture
def fake_worker() -> tuple[str, ...]:
    """The command of the fake worker, without its request; FAKE_WORKER says how it fails (`fakes/worker.py`)."""
    return (sys.executable, "-S", "-E", str(FAKES / "worker.py"))


@pytest.fixture
def pi5(monkeypatch: pytest.MonkeyPatch) -> Machine:
    """This machine passes for a Raspberry Pi 5."""
    monkeypatch.setattr(host, "describe", lambda: PI5)
    monkeypatch.setattr(host, "pmu_events", lambda pmu: frozenset())
    return PI5


@pytest.fixture
def no_perf(monkeypatch: pytest.MonkeyPatch) -> None:
    """There is no perf on this machine."""
    monkeypatch.setattr(host, "find_perf", lambda: None)


@pytest.fixture(scope="session")
def lab_family(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The family `lab`, built by a process of its own without photos; what that said is in `said` beside it. Slow."""
    for package in ("tensorflow", "ai_edge_litert"):
        if find_spec(package) is None:
            pytest.skip(f"no {package}")
    folder = tmp_path_factory.mktemp("families")
    build = "from profiler.zoo import families; import pathlib, sys; "
    build += "families.build('lab', pathlib.Path(sys.argv[1]), None, 0, print)"
    with (folder / "said").open("w") as said:
        subprocess.run([sys.executable, "-c", build, folder], stdout=said, stderr=said, check=True)
    return folder / "lab"


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield chromium
        chromium.close()
