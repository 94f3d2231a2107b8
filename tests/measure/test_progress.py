"""What a sweep tells of its way: how much is done, and the time that what is left will take."""

import pytest
from msgspec.structs import replace
from studies import made_study

from profiler.machine.targets import find
from profiler.measure.progress import Progress, ProgressStep
from profiler.measure.run import EMULATED
from profiler.records import Case, Run, Simulation, Study

TARGET = find("pi5")


def small(*simulated: Case, proved: tuple[Case, ...] = ()) -> tuple[Study, Run]:
    """A study of two native cases of LiteRT with one run each, and the simulated cases; one of its runs."""
    study, runs = made_study()
    native = [replace(run.case, images=images) for run in runs[:1] for images in (1, 5)]
    native = [replace(case, model="litert", region="inference") for case in native]
    simulation = Simulation(
        source="qemu",
        version="QEMU 7.2.22",
        arch="x86_64",
        guest=None,
        target=TARGET,
        cores=1,
        images=(1,),
        repeats=1,
        proved=proved,
        events=(),
        absent={},
        groups=((),),
        notes=(),
    )
    study = replace(study, plan=replace(study.plan, repeats=1), cases=(*native, *simulated), simulation=simulation)
    return study, runs[0]


def told(study: Study, ends: list[tuple[Run, Case, float]], lanes: int = 1) -> list[ProgressStep]:
    """The steps of a sweep whose runs end one after another, each with its wall time in seconds."""
    steps: list[ProgressStep] = []
    progress = Progress(study, lanes, steps.append)
    for run, case, wall_s in ends:
        progress.starts(case, 0)
        progress.ended(replace(run, case=case, wall_ns=round(wall_s * 1e9)))
    progress.done()
    return steps


def test_each_run_is_told_with_what_is_done() -> None:
    study, run = small()
    steps = told(study, [(run, case, 2.0) for case in study.cases])
    assert [(step.done, step.total) for step in steps] == [(0, 2), (1, 2), (2, 2)]
    assert [step.left_s for step in steps] == [None, pytest.approx(2.0), 0.0]
    assert steps[0].what == "litert, 1 image, inference (1/1)"
    assert steps[1].what == "litert, 5 images, inference (1/1)"


def test_a_simulated_run_is_foretold_from_the_models_others_and_then_from_its_own() -> None:
    first = Case(model="litert", images=1, region="inference", simulator="qemu")
    second = replace(first, images=2)
    study, run = small(first, second, proved=(first,))
    native = study.cases[0]
    steps = told(study, [(run, native, 2.0), (run, study.cases[1], 2.0), (run, first, 10.0), (run, second, 20.0)])
    assert [step.total for step in steps] == [5] * 5
    assert steps[1].left_s == pytest.approx(2.0 + 3 * 2.0 * EMULATED)
    assert steps[2].what == "litert, 1 image, inference, qemu (1/2)"
    assert steps[3].left_s == pytest.approx(2 * 10.0)
    assert steps[4].left_s == pytest.approx(15.0)


def test_simulated_runs_side_by_side_take_a_part_of_the_time() -> None:
    simulated = Case(model="litert", images=1, region="inference", simulator="qemu")
    study, run = small(simulated, replace(simulated, images=2))
    steps = told(study, [(run, case, 1.0) for case in study.cases[:2]], lanes=2)
    assert steps[-1].left_s == pytest.approx(2 * EMULATED / 2)


def test_failed_runs_are_counted() -> None:
    study, run = small()
    progress = Progress(study, 1, lambda step: None)
    progress.ended(replace(run, case=study.cases[0]))
    progress.ended(replace(run, case=study.cases[1], outcome="timeout"))
    assert progress.failed == 1
