"""The perf path with nothing made up but the core: the project, perf and a kernel's PMU driver in a virtual machine.

What the emulated PMU counts is in `vm/guest.py`. No test looks at times or at instructions a cycle: both are the
emulator's.
"""

import json
import re
from pathlib import Path
from statistics import linear_regression
from typing import Any

import pytest
from vm.session import Answers, answers, said, status

from profiler.records import Run, Study

pytestmark = pytest.mark.slow

MANY = {"inst_retired", "r8", "r08", "r008", "r0008", "r00008", "r000008", "r11", "r011", "r0011"}
STILL = r"reads 0 over \d+ million instructions: not counting on this machine"
EMULATED = r"\(0x58\) is not to be trusted: .* lists not even l1d_cache"
UNLISTED = "is not among the events this PMU lists"
REMEDY = "sudo sysctl kernel.perf_event_paranoid=1"


@pytest.fixture(scope="module")
def machines(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    return answers(tmp_path_factory)


@pytest.fixture(scope="module")
def swept(machines: Answers) -> tuple[Study, tuple[Run, ...]]:
    assert status(machines.study, "sweep") == 0, said(machines.study, "sweep", "err")
    return machines.swept()


def survey(folder: Path, name: str) -> dict[str, Any]:
    assert status(folder, name) == 0, said(folder, name, "err")
    found: dict[str, Any] = json.loads(said(folder, name))
    return found


@pytest.mark.parametrize(("machine", "pmu"), [("study", "armv8_cortex_a76"), ("levels", "armv8_cortex_a72")])
def test_the_driver_is_the_one_of_a_board(machines: Answers, machine: str, pmu: str) -> None:
    kernel = (getattr(machines, machine) / "dmesg").read_text()
    assert f"enabled with {pmu} PMU driver, 7 counters available" in kernel


def test_every_run_is_whole_and_counted_in_full(swept: tuple[Study, tuple[Run, ...]]) -> None:
    study, runs = swept
    assert (study.counter_source, study.scope, study.machine.pmu) == ("perf", "user+kernel", "armv8_cortex_a76")
    assert study.machine.virtual == "QEMU"
    assert len(runs) == len(study.cases) * study.plan.repeats == 12
    for run in runs:
        assert (run.outcome, run.error) == ("ok", None)
        assert all(count.running_percent in (100, None) for count in run.counts)


def test_instructions_are_linear_in_images(machines: Answers) -> None:
    counted = [(n, value) for n, values in machines.instructions("inference").items() for value in values]
    slope, fixed = linear_regression(*zip(*counted, strict=True))
    assert [fixed + slope * images for images, _ in counted] == pytest.approx([n for _, n in counted], rel=1e-3)
    # A region that is opened and closed well holds nothing but its images.
    assert abs(fixed) < 5e-3 * slope


def test_slope_and_region_agree(machines: Answers) -> None:
    """Both ways to the cost of an image: what one more adds to a whole process, and what the region counts of one."""
    points = [(n, value) for n, values in machines.instructions("process").items() for value in values]
    slope, fixed = linear_regression(*zip(*points, strict=True))
    assert slope == pytest.approx(machines.instructions_an_image(), rel=5e-3)
    assert fixed > 5 * slope
    assert "inst_retired (" not in said(machines.study, "sweep").partition("disagree")[2].partition("\n")[0]


def test_an_image_costs_what_was_counted_before(machines: Answers, swept: tuple[Study, tuple[Run, ...]]) -> None:
    """45.31 million instructions by this PMU in user space, with LiteRT 2.3.0; other versions may differ."""
    (model,) = swept[0].models
    assert (model.file, model.input.shape) == ("cat-dog-mnv2.tflite", (1, 150, 150, 3))
    if model.engine.version == "2.3.0":
        assert machines.instructions_an_image() == pytest.approx(45.31e6, rel=5e-3)


@pytest.mark.parametrize(
    ("event", "reason"),
    [
        ("stall_backend", STILL),
        ("l2d_cache_inval", EMULATED),
        ("l2d_cache_refill", UNLISTED),
        ("ll_cache_rd", UNLISTED),
        ("ll_cache_miss_rd", UNLISTED),
        ("LLC-loads", "perf says not supported"),
    ],
)
def test_an_event_that_does_not_count_has_a_reason_and_no_figure(
    machines: Answers, swept: tuple[Study, tuple[Run, ...]], event: str, reason: str
) -> None:
    study, runs = swept
    assert re.search(reason, study.absent[event])
    assert not any(count.event == event and count.value is not None for run in runs for count in run.counts)
    table, notes = said(machines.study, "sweep").split("\nPaid once", 1)[::-1]
    assert event not in table
    assert event in notes
    if event != "LLC-loads":
        (line,) = (line for line in said(machines.study, "doctor").splitlines() if line.startswith(f"{event}:"))
        assert re.search(reason, line)


def test_what_counts_is_counted_and_called_emulated(swept: tuple[Study, tuple[Run, ...]]) -> None:
    study, runs = swept
    assert study.groups == (("cycles", "inst_retired"),)
    assert all(count.value for run in runs for count in run.counts if count.event in study.groups[0])
    assert any("emulated" in note for note in study.notes)


def test_groups_fit_the_counters(machines: Answers) -> None:
    """Six counters and the one of cycles; every event of a group was on one all the time."""
    found = survey(machines.levels, "survey")
    assert found["absent"] == {}
    assert {name for group in found["groups"] for name in group} == MANY | {"cycles"}
    assert [len(group) for group in found["groups"]] == [7, 6]


def test_groups_shrink_to_the_counters_that_others_leave(machines: Answers) -> None:
    found = survey(machines.levels, "survey-held")
    assert found["absent"] == {}
    assert {name for group in found["groups"] for name in group} == MANY | {"cycles"}
    assert all(len(group) <= 4 for group in found["groups"])


def test_doctor_names_the_remedy_of_each_level(machines: Answers) -> None:
    allowed, narrowed, refused = (
        said(machines.study, "doctor"),
        said(machines.levels, "doctor-2"),
        said(machines.levels, "doctor-3"),
    )
    assert "ok scope: user-space and kernel are counted (perf_event_paranoid 1)" in allowed
    assert REMEDY not in allowed
    assert f"only user-space is counted (perf_event_paranoid 2); the kernel's part is not\n    -> {REMEDY}" in narrowed
    assert f"missing perf: perf is refused by this kernel's perf_event_paranoid setting\n    -> {REMEDY}" in refused


def test_a_refused_sweep_ends_with_one_line_and_leaves_nothing(machines: Answers) -> None:
    assert status(machines.levels, "sweep-3") == 1
    assert said(machines.levels, "sweep-3") == ""
    assert said(machines.levels, "sweep-3", "err") == (
        f"profiler: perf is refused by this kernel's perf_event_paranoid setting: {REMEDY}\n"
    )
    assert (machines.levels / "left-3").read_text() == ""
