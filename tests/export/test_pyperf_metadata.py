"""A machine under pyperf's names."""

import pytest
from msgspec.structs import replace
from studies import made_study

from profiler.export import pyperf_metadata
from profiler.records import NOT_TOLD

STUDY, RUNS = made_study(images=(1, 2), repeats=1)


def test_a_study_tells_its_machine() -> None:
    pinned = replace(STUDY, plan=replace(STUDY.plan, cpus=(0, 2, 3)))
    assert pyperf_metadata.of_study(pinned) == {
        "cpu_model_name": "Cortex-A76",
        "cpu_machine": "Raspberry Pi 5 Model B Rev 1.0",
        "cpu_count": 4,
        "cpu_affinity": "0,2-3",
        "platform": "Linux-6.12.34+rpt-rpi-2712-aarch64",
        "python_version": "3.11.2",
    }


def test_what_is_not_told_is_left_out() -> None:
    machine = replace(STUDY.machine, board=None, kernel=NOT_TOLD, python=NOT_TOLD)
    assert pyperf_metadata.of_study(replace(STUDY, machine=machine)) == {"cpu_model_name": "Cortex-A76", "cpu_count": 4}


def test_a_run_tells_the_machines_state() -> None:
    run = RUNS[0]
    told = pyperf_metadata.of_run(run)
    assert run.completion is not None
    assert told == {
        "date": run.started_at.replace("T", " "),
        "duration": run.wall_ns / 1e9,
        "load_avg_1min": 0.4,
        "cpu_freq": "0-3=2400 MHz",
        "cpu_temp": f"{run.before.temperature_celsius:.0f} C",
        "cpu_config": "governor:performance",
        "mem_max_rss": run.completion.peak_rss_bytes,
    }


def test_clocks_that_differ_are_told_apart() -> None:
    before = replace(RUNS[0].before, clock_hz=(2_400_000_000, 1_500_000_000, 2_400_000_000, 2_400_000_000))
    assert pyperf_metadata.of_run(replace(RUNS[0], before=before))["cpu_freq"] == "0,2-3=2400 MHz; 1=1500 MHz"


def test_of_an_imported_run_little_is_told() -> None:
    bare = replace(RUNS[0].before, load_1min=None, clock_hz=None, governor=None, temperature_celsius=None)
    run = replace(RUNS[0], before=bare, started_at="2025", completion=None)
    assert set(pyperf_metadata.of_run(run)) == {"duration"}


@pytest.mark.parametrize(
    ("numbers", "listed"), [((), ""), ((3,), "3"), ((0, 1), "0-1"), ((5, 0, 1, 2), "0-2,5"), ((0, 2, 4), "0,2,4")]
)
def test_cpus_are_listed_as_the_kernel_does(numbers: tuple[int, ...], listed: str) -> None:
    assert pyperf_metadata.cpus(numbers) == listed
