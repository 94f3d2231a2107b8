"""Real models through real simulators: what must repeat repeats, what must be on a line is, and two agree."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import virtual_pi
from commands import profiler
from needs import NEEDS_LITERT
from vm import session

from profiler import store
from profiler.counters import Setup, UnusableError, choose_simulator
from profiler.machine.targets import find
from profiler.records import Run, Study

pytestmark = pytest.mark.slow

Counts = dict[str, float]
"""Counts by event."""


def swept(folder: Path, *arguments: str) -> tuple[Study, dict[int, list[Counts]]]:
    """The study and, by images, the counts of each simulated run."""
    done = profiler(sys.executable, folder, "sweep", "--models", "litert", "--name", "job", *arguments)
    assert done.returncode == 0, done.stderr
    study, runs = store.load(folder / "runs/job")
    found: dict[int, list[Counts]] = {}
    for run in runs:
        if run.case.simulator:
            found.setdefault(run.case.images, []).append(counts_of(run))
    return study, found


def counts_of(run: Run) -> Counts:
    assert {count.status for count in run.counts} == {"simulated"}
    return {count.event: float(count.value or 0) for count in run.counts}


@pytest.fixture(scope="module")
def simulator(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], tuple[Study, dict[int, list[Counts]]]]:
    """Sweeps LiteRT beside native runs under a simulator, without a prefetcher; skips where it cannot run."""
    board = tmp_path_factory.mktemp("board") / "board.toml"
    shipped = Path(__file__).parent.parent.parent / "profiler/data/machines/pi5.toml"
    text = shipped.read_text()
    board.write_text(text[: text.index("[prefetch]")] + '[prefetch]\nkind = "none"\n')

    def sweep(name: str, images: str) -> tuple[Study, dict[int, list[Counts]]]:
        try:
            choose_simulator(name, Setup(find(str(board)), 1, None))
        except UnusableError as error:
            pytest.skip(str(error))
        native = ("--images", "1", "--repeats", "1", "--region", "inference")
        folder = tmp_path_factory.mktemp(name)
        return swept(folder, *native, "--counters", name, "--caches", str(board), "--simulated-images", images)

    return sweep


def check_repeats_and_lines(counts: dict[int, list[Counts]], events: tuple[str, ...]) -> None:
    first, again = counts[1]
    assert first == again
    (second,), (fourth,) = counts[2], counts[4]
    for event in events:
        slope = (fourth[event] - first[event]) / 3
        assert abs(first[event] + slope - second[event]) <= 0.001 * second[event], event


def per_image(counts: dict[int, list[Counts]], event: str) -> float:
    """From the fewest images to the most; valgrind counts an event in one of its passes only."""
    values = {images: next(run[event] for run in runs if event in run) for images, runs in counts.items()}
    fewest, most = min(values), max(values)
    return (values[most] - values[fewest]) / (most - fewest)


@NEEDS_LITERT
def test_qemu_repeats_itself_and_agrees_with_valgrind(
    simulator: Callable[[str, str], tuple[Study, dict[int, list[Counts]]]],
) -> None:
    study, qemu = simulator("qemu", "1,2,4")
    assert study.simulation is not None
    assert study.simulation.guest is None
    check_repeats_and_lines(qemu, ("inst_retired", "l1d_cache", "l1d_cache_refill", "l2d_cache_refill", "ll_cache_rd"))
    _, valgrind = simulator("valgrind", "1,2")
    for event in ("inst_retired", "l1d_cache_refill"):
        mine, its = per_image(qemu, event), per_image(valgrind, event)
        assert mine == pytest.approx(its, rel=0.01), event


def test_the_virtual_pi_executes_what_an_armv8_pmu_counts(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    virtual_pi.ready()
    study, counts = swept(tmp_path, "--on", "pi5")
    assert study.simulation is not None
    assert (study.simulation.guest, study.simulation.arch) == ("Raspberry Pi 5", "aarch64")
    assert study.counter_source is None
    assert study.models[0].engine.package == "ai-edge-litert"
    check_repeats_and_lines(counts, ("inst_retired", "l1d_cache", "l1d_cache_refill"))
    # The same model, the same LiteRT: a virtual machine's PMU counted these instructions, the kernel's included.
    counted = session.answers(tmp_path_factory).instructions_an_image()
    assert per_image(counts, "inst_retired") == pytest.approx(counted, rel=0.005)


def test_the_pi_4_has_no_l3_and_no_such_events(tmp_path: Path) -> None:
    virtual_pi.ready("pi4")
    study, counts = swept(tmp_path, "--on", "pi4", "--images", "1")
    assert study.simulation is not None
    assert study.simulation.target.title == "Raspberry Pi 4"
    assert "ll_cache_rd" in study.simulation.absent
    assert counts[1][0]["l2d_cache_refill"] > 0
    assert not {"ll_cache_rd", "l3d_cache"} & counts[1][0].keys()
