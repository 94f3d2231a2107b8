"""How models answer photos: with a worker that gives made outputs, and once with the real engines."""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made_networks import made_check, made_form
from msgspec.structs import replace
from needs import NEEDS_LITERT, NEEDS_TENSORFLOW

from profiler import modelfile
from profiler.errors import ProfilerError
from profiler.measure import accuracy
from profiler.modelfile import ModelFile
from profiler.modelfile.digest import file_sha256
from profiler.records import AGREE, Check, Form

WORKER = """
import json, sys
request = json.load(open(sys.argv[1]))
model = json.load(open(request["model"]))
outputs = model["outputs"][:request["images"]]
usage = dict.fromkeys(("wall_ns", "cpu_ns", "user_ns", "system_ns", "page_faults", "context_switches"), 0)
record = {
    "engine": {"package": "made", "version": "1", "call": "invoke", "threads": None},
    "input": {"name": "image", "shape": [1, 8, 8, 3], "dtype": "uint8"},
    "output": {"name": "answer", "shape": [1, model.get("size", 1)], "dtype": "float32", **model.get("output", {})},
    "phases": {"inference": usage},
    "latencies_ns": [1] * len(outputs),
    "top": model["top"][:request["images"]] if "top" in model else [int(output > 0) for output in outputs],
    "scores": outputs,
    "peak_rss_bytes": 1,
}
if "error" in model:
    record = {"error": model["error"], "remedy": "mend it"}
json.dump(record, open(request["record"], "w"))
"""
"""It gives the outputs that its model file holds, a JSON object."""
CATS, DOGS = 3, 2


@pytest.fixture
def worker(tmp_path: Path) -> tuple[str, ...]:
    path = tmp_path / "worker.py"
    path.write_text(WORKER)
    return (sys.executable, "-S", "-E", str(path))


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """Three cats and two dogs."""
    folder = tmp_path / "photos"
    for name, count in (("cat", CATS), ("dog", DOGS)):
        (folder / name).mkdir(parents=True)
        for index in range(count):
            cv2.imwrite(str(folder / name / f"{index}.png"), np.full((10, 10, 3), 80, np.uint8))
    return folder


def model(
    folder: Path, label: str, outputs: Sequence[float], form: Form | None = None, runtime: str = "litert", **fields: Any
) -> ModelFile:
    """A model that gives these outputs: five for the photos as they are, then five for the degraded ones."""
    path = folder / f"{label}.tflite"
    path.write_text(json.dumps({"outputs": list(outputs), **fields}))
    return ModelFile(label, runtime, path, form)


def checked(models: Sequence[ModelFile], photos: Path, worker: Sequence[str]) -> dict[str, Check]:
    """What is found of models that can all be checked."""
    found, failures = accuracy.check(models, photos, 0, lambda line: None, worker)
    assert not failures
    return {check.label: check for check in found}


RIGHT = [-1, -2, -3, 4, 5]
"""A network's logits, all right."""
SOFTMAX: list[list[Any]] = [[0.9, 0.8, 0.95, 0.7, 0.6] * 2, [0, 0, 0, 1, 1] * 2]
"""A classifier's winning outputs, and which they are."""


def test_answers_are_compared_with_labels_and_reference_on_both_sets(
    tmp_path: Path, photos: Path, worker: tuple[str, ...]
) -> None:
    first = model(tmp_path, "first", [*RIGHT, -1, -1, 1, 1, 1])
    second = model(tmp_path, "second", [-1, -2, 1, 4, 5.5, -1, -1, 1, -1, 2])
    found = checked([first, second], photos, worker)
    as_they_are, degraded = found["second"].answers
    assert (as_they_are.photos, degraded.photos) == ("as they are", "degraded")
    assert (as_they_are.total, as_they_are.correct, as_they_are.agree) == (5, 4, 4)
    assert (as_they_are.drift, as_they_are.mean_drift) == pytest.approx((4, 4.5 / 5))
    assert (degraded.total, degraded.correct, degraded.agree) == (5, 3, 4)
    assert (degraded.drift, degraded.mean_drift) == pytest.approx((2, 3 / 5))
    assert [answers.correct for answers in found["first"].answers] == [5, 4]
    assert {(answers.agree, answers.drift) for answers in found["first"].answers} == {(5, 0)}
    assert {check.reference for check in found.values()} == {"first"}


def test_a_check_says_which_file_was_run_by_what(tmp_path: Path, photos: Path, worker: tuple[str, ...]) -> None:
    file = model(tmp_path, "only", RIGHT * 2)
    (check,) = checked([file], photos, worker).values()
    assert (check.file, check.engine, check.bound) == ("only.tflite", "made 1", AGREE)
    assert check.sha256 == file_sha256(file.path)
    assert not check.disagrees


def test_quantised_outputs_are_made_real(tmp_path: Path, photos: Path, worker: tuple[str, ...]) -> None:
    real = model(tmp_path, "real", RIGHT * 2, runtime="keras")
    output = {"dtype": "int8", "scale": 0.5, "zero_point": 10}
    quantised = model(tmp_path, "quantised", [8, 6, 4, 18, 20] * 2, output=output)
    answers = checked([real, quantised], photos, worker)["quantised"].answers
    assert [(each.correct, each.agree, each.drift) for each in answers] == [(5, 5, 0)] * 2


@pytest.mark.parametrize(
    ("forms", "runtimes", "references"),
    [
        ((None, None), ("litert", "litert"), ("a", "a")),
        ((None, None), ("litert", "keras"), ("b", "b")),
        ((made_form(precision="int8"), made_form()), ("litert", "litert"), ("b", "b")),
        ((made_form(precision="fp16"), made_form(precision="int8")), ("litert", "litert"), ("a", "a")),
        ((made_form(), made_form(precision="int8", alpha=0.5)), ("litert", "litert"), ("a", "b")),
        ((made_form(), None), ("litert", "litert"), ("a", "a")),
    ],
)
def test_the_reference_is_the_first_of_the_same_width_that_computes_in_fp32(
    tmp_path: Path,
    photos: Path,
    worker: tuple[str, ...],
    forms: tuple[Form | None, ...],
    runtimes: tuple[str, str],
    references: tuple[str, str],
) -> None:
    models = [
        model(tmp_path, label, RIGHT * 2, form, runtime)
        for label, form, runtime in zip("ab", forms, runtimes, strict=True)
    ]
    assert tuple(check.reference for check in checked(models, photos, worker).values()) == references


@pytest.mark.parametrize(
    ("answers", "disagrees"),
    [(((250, 245),), False), (((250, 244),), True), (((250, 250), (250, 244)), True), (((64, 63),), False)],
)
def test_a_form_disagrees_below_the_bound_on_any_set(answers: Sequence[tuple[int, int]], disagrees: bool) -> None:
    (made,) = made_check("form", "ab").answers
    each = tuple(replace(made, total=total, agree=agree) for total, agree in answers)
    assert made_check("form", "ab", answers=each).disagrees is disagrees


def test_of_a_classifier_the_winning_outputs_are_compared(
    tmp_path: Path, photos: Path, worker: tuple[str, ...]
) -> None:
    scores, top = SOFTMAX
    first = model(tmp_path, "first", scores, size=2, top=top)
    second = model(tmp_path, "second", [score - 0.1 for score in scores], size=2, top=[1, *top[1:]])
    as_they_are, degraded = checked([first, second], photos, worker)["second"].answers
    assert (as_they_are.correct, as_they_are.agree, degraded.correct, degraded.agree) == (4, 4, 5, 5)
    assert as_they_are.drift == pytest.approx(0.1)


def test_where_outputs_are_not_the_photos_classes_there_is_no_accuracy(
    tmp_path: Path, photos: Path, worker: tuple[str, ...]
) -> None:
    many = model(tmp_path, "many", SOFTMAX[0], size=1000, top=[281, 281, 282, 207, 208] * 2)
    found = checked([many], photos, worker)["many"].answers
    assert [(answers.correct, answers.agree) for answers in found] == [(None, 5)] * 2


def test_probabilities_of_two_classes_part_at_one_half(tmp_path: Path, photos: Path, worker: tuple[str, ...]) -> None:
    sigmoid = model(tmp_path, "sigmoid", [0.1, 0.2, 0.3, 0.9, 0.4, 0.1, 0.1, 0.1, 0.9, 0.9])
    assert [answers.correct for answers in checked([sigmoid], photos, worker)["sigmoid"].answers] == [4, 5]


@pytest.mark.parametrize(
    ("first", "second", "cause"),
    [
        ({"outputs": RIGHT * 2}, {"outputs": SOFTMAX[0], "size": 2, "top": SOFTMAX[1]}, "b gives 2 numbers .*, a 1"),
        ({"outputs": RIGHT * 2}, {"outputs": [0.1, 0.2, 0.1, 0.9, 0.8] * 2}, "b gives probabilities, a logits"),
        ({"outputs": [0.1, 0.2, 0.1, 0.9, 0.8] * 2}, {"outputs": RIGHT * 2}, "b gives logits, a probabilities"),
    ],
)
def test_outputs_of_different_kinds_are_not_compared(
    tmp_path: Path,
    photos: Path,
    worker: tuple[str, ...],
    first: dict[str, Any],
    second: dict[str, Any],
    cause: str,
) -> None:
    models = [model(tmp_path, label, **fields) for label, fields in (("a", first), ("b", second))]
    found, (failure,) = accuracy.check(models, photos, 0, lambda line: None, worker)
    assert [check.label for check in found] == ["a"]
    with pytest.raises(ProfilerError, match=cause):
        raise failure


@pytest.mark.parametrize("stuck", [0.0, 0.3, -4.0])
def test_a_form_that_always_says_the_same_disagrees(
    tmp_path: Path, photos: Path, worker: tuple[str, ...], stuck: float
) -> None:
    models = [model(tmp_path, "good", RIGHT * 2), model(tmp_path, "broken", [stuck] * 10)]
    found = checked(models, photos, worker)
    assert found["broken"].disagrees
    assert not found["good"].disagrees


def test_a_model_that_cannot_be_run_does_not_stop_the_others(
    tmp_path: Path, photos: Path, worker: tuple[str, ...]
) -> None:
    models = [
        model(tmp_path, "bad", [], made_form(), error="bad.tflite cannot be loaded"),
        model(tmp_path, "good", RIGHT * 2),
    ]
    found, failures = accuracy.check(models, photos, 0, lambda line: None, worker)
    assert [(check.label, check.reference) for check in found] == [("good", "good")]
    assert [str(failure) for failure in failures] == ["bad.tflite cannot be loaded: mend it"]


def test_a_model_that_crashes_on_the_photos_is_named(
    tmp_path: Path, photos: Path, fake_worker: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    crash = {"litert": {"fault": "segv", "when": {"images": 2 * (CATS + DOGS)}}}
    monkeypatch.setenv("FAKE_WORKER", json.dumps(crash))
    models = [model(tmp_path, label, [], runtime=label) for label in ("keras", "litert")]
    found, (failure,) = accuracy.check(models, photos, 0, lambda line: None, fake_worker)
    assert [check.label for check in found] == ["keras"]
    assert "litert.tflite cannot be run by litert (killed by signal 11)" in str(failure)


def test_random_weights_are_not_asked(tmp_path: Path, photos: Path, worker: tuple[str, ...]) -> None:
    told: list[str] = []
    random = model(tmp_path, "wide", RIGHT * 2, made_form(weights="random", family="width"))
    found, (failure,) = accuracy.check([random], photos, 0, told.append, worker)
    assert (found, told) == ((), [])
    assert "wide has random weights" in str(failure)


def test_bad_photos_are_refused_before_any_model_is_run(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match="there is no folder"):
        accuracy.check([model(tmp_path, "a", RIGHT * 2)], tmp_path / "none", 0, lambda line: None, ("false",))


def test_without_photos_the_one_cat_is_asked_and_that_is_said(tmp_path: Path, worker: tuple[str, ...]) -> None:
    told: list[str] = []
    cats = model(tmp_path, "cats", [-1.0] * 128)
    ((check,), _) = accuracy.check([cats], None, 0, told.append, worker)
    assert [(answers.total, answers.correct) for answers in check.answers] == [(64, 64)] * 2
    assert told[0] == accuracy.ONE_CAT


@pytest.mark.slow
@NEEDS_LITERT
@NEEDS_TENSORFLOW
def test_the_shipped_models_agree() -> None:
    found, failures = accuracy.check(modelfile.parse("litert,keras"), None, 0, lambda line: None)
    assert not failures
    litert, keras = found
    assert litert.reference == keras.reference == "keras"
    assert keras.engine.startswith("tensorflow ")
    for answers in (*litert.answers, *keras.answers):
        assert answers.total == answers.correct == answers.agree == 64
    # Eight bits a weight move a logit by less than one where the photo is good, but they move it.
    assert 0.01 < litert.answers[0].mean_drift < litert.answers[0].drift < 1
    assert litert.answers[1].drift > litert.answers[0].drift
