"""A plan as a command line, and what studies of older schemas did not record."""

import pytest
from msgspec.structs import replace
from studies import made_study

from profiler.records import Plan, upgraded


@pytest.mark.parametrize(
    ("plan", "words"),
    [
        (Plan.usual(), []),
        (Plan(), []),
        (Plan.usual("pi4"), ["--on", "pi4"]),
        (
            Plan(models=("keras", "litert=a.tflite"), images=(1, 9)),
            ["--models", "keras,litert=a.tflite", "--images", "1,9"],
        ),
        (Plan(threads=None, cpus=(0, 3), timeout_s=60.0), ["--threads", "default", "--timeout", "60", "--cpus", "0,3"]),
        (Plan(phases=True, regions=("load",), event_set="all"), ["--events", "all", "--region", "load", "--phases"]),
        (Plan(on="pi5", images=(1, 2, 4)), ["--repeats", "3", "--region", "process,inference", "--on", "pi5"]),
        (Plan(source="camera:2", capture_in_region=True), ["--source", "camera:2", "--capture-in-region"]),
    ],
)
def test_a_plan_is_a_command_without_what_goes_by_itself(plan: Plan, words: list[str]) -> None:
    assert plan.to_argv() == ["profiler", "sweep", *words]


@pytest.mark.parametrize(
    ("command", "models"),
    [
        ("profiler sweep --models family:lab --quick", ("family:lab",)),
        ("profiler sweep --quick --models=litert=a.tflite,keras", ("litert=a.tflite", "keras")),
        ("profiler sweep", ("keras", "litert=b c.tflite")),
        ('a quotation that does not "end', ("keras", "litert=b c.tflite")),
    ],
)
def test_an_older_studys_models_are_those_of_its_command_or_its_files(command: str, models: tuple[str, ...]) -> None:
    study, _ = made_study(images=(1, 5), facts={"litert": {"sha256": "", "file": "b c.tflite"}})
    old = replace(study, schema=5, command=command, plan=replace(study.plan, models=()))
    assert upgraded(old).plan.models == models


@pytest.mark.parametrize(
    ("source", "repeats"),
    [
        ("builtin", True),
        ("synthetic", True),
        ("photos", True),
        ("camera", False),
        ("camera:auto", False),
        ("camera:2", False),
        ("camera:/dev/video2", False),
        ("camera:/dev/v4l/by-id/usb-a-camera-that-is-not-here-video-index0", False),
        ("camera:rtsp://host/a", False),
        ("camera:walk.avi", True),
    ],
)
def test_whether_an_older_studys_images_repeat_is_told_by_the_name_of_the_source(source: str, repeats: bool) -> None:
    study, _ = made_study(images=(1, 5))
    old = replace(study, schema=4, plan=replace(study.plan, source=source))
    assert upgraded(old).source_repeats == repeats


def test_what_a_study_records_is_not_guessed() -> None:
    study, _ = made_study(images=(1, 5))
    new = replace(study, schema=6, plan=replace(study.plan, models=("a",), source="camera:2"), source_repeats=True)
    assert upgraded(new) == new
