"""A model opened in this process and asked for frames."""

import json
import threading
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from made_classifiers import UINT8, colours, frame
from made_networks import made_form
from made_tflite import FLOAT32, INT8, Graph, T, model
from reading import present
from videos import make_video

from profiler import modelfile, pixels
from profiler.camera.open import open_capture
from profiler.errors import ProfilerError
from profiler.images import pools
from profiler.live import session
from profiler.live.classified_frame import ClassifiedFrame
from profiler.live.classifier import Classifier, open_classifier
from profiler.modelfile import ModelFile
from profiler.records import Counting, Usage

pytest.importorskip("ai_edge_litert")

PHOTOS = Path(__file__).parent.parent.parent.parent / "shared" / "data" / "pets" / "test"
SIDE = 480
COUNTING = Counting(frames=0, events=(), ipc=None, scope=None, lack="not asked for")


def opened(file: ModelFile, **asked: Any) -> Classifier:
    told: dict[str, Any] = {
        "threads": 1,
        "call": "graph",
        "output": None,
        "labels": None,
        "fit": "crop",
        "top": 3,
        "pixels": None,
    }
    return open_classifier(file, **(told | asked))


def ask(classifier: Classifier, pixels: Any) -> tuple[list[tuple[str, float]], int, float]:
    shown, winner, score = classifier.answer(classifier.infer(classifier.prepare(pixels)))
    return [(each.label, round(each.probability, 4)) for each in shown], winner, score


def shipped(runtime: str) -> ModelFile:
    return modelfile.parse(runtime)[0]


@pytest.fixture
def labels(tmp_path: Path) -> Path:
    path = tmp_path / "labels.txt"
    path.write_text("0 red\n1 green\n2 blue\n")
    return path


@pytest.mark.parametrize("type", [FLOAT32, UINT8])
@pytest.mark.parametrize(
    ("ending", "best"), [("dense", 0.8788), ("sigmoid", 0.9999), ("softmax", 0.8788)], ids=lambda value: str(value)
)
def test_the_order_of_colours_and_the_kind_of_output(
    tmp_path: Path, labels: Path, type: int, ending: str, best: float
) -> None:
    classifier = opened(colours(tmp_path / "m.tflite", ending, type), labels=labels)
    assert classifier.classes == ("red", "green", "blue")
    answers, winner, _ = ask(classifier, frame(9, 7, 3))
    assert [name for name, _ in answers] == ["red", "green", "blue"]
    assert answers[0][1] == pytest.approx(best, abs=2e-4)
    assert winner == 0
    assert ask(classifier, frame(3, 7, 9, 30, 50))[0][0][0] == "blue"


def test_int8_in_and_out(tmp_path: Path, labels: Path) -> None:
    classifier = opened(colours(tmp_path / "m.tflite", type=INT8), labels=labels, output="logit")
    assert (classifier.input.dtype, classifier.output.zero_point, classifier.output.scale) == ("int8", -128, 1.0)
    answers, winner, score = ask(classifier, frame(7, 9, 3))
    assert answers == [("green", 0.8789), ("red", 0.1189), ("blue", 0.0022)]
    assert (winner, score) == (1, 9 - 128)


def test_the_range_of_pixels_is_told_or_on_the_card(tmp_path: Path) -> None:
    file = colours(tmp_path / "m.tflite", "dense")
    assert ask(opened(file), frame(255, 0, 51))[2] == 255
    assert ask(opened(file, pixels=(0, 1)), frame(255, 0, 51))[2] == pytest.approx(1)
    (tmp_path / "m.json").write_text(json.dumps({"profiler_card": 1, "pixels": [-1, 1]}))
    half = ask(opened(file), frame(51, 0, 0))[2]
    assert half == pytest.approx(-0.6)
    assert ask(opened(file, pixels=(0, 255)), frame(51, 0, 0))[2] == 51


def test_a_grey_network_with_one_output(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"profiler_card": 1, "classes": ["dark", "light"]}))
    file = colours(tmp_path / "m.tflite", "sigmoid", channels=1)
    classifier = opened(file, pixels=(-1, 1))
    assert classifier.kind == "sigmoid"
    assert ask(classifier, frame(255, 255, 255))[:2] == ([("light", 0.7311), ("dark", 0.2689)], 1)
    assert ask(classifier, frame(0, 0, 0))[:2] == ([("dark", 0.7311), ("light", 0.2689)], 0)


def test_no_more_answers_than_asked_for_and_numbers_for_names(tmp_path: Path) -> None:
    rows = np.arange(30).reshape(10, 3)
    classifier = opened(colours(tmp_path / "m.tflite", "dense", weights=list(rows)), top=2)
    assert classifier.classes == tuple(f"class {number}" for number in range(10))
    assert [name for name, _ in ask(classifier, frame(1, 1, 1))[0]] == ["class 9", "class 8"]


def test_stretch_sees_what_crop_cuts_off(tmp_path: Path, labels: Path) -> None:
    file = colours(tmp_path / "m.tflite", "dense")
    wide = np.concatenate([frame(0, 0, 200), frame(200, 0, 0), frame(0, 0, 200)], axis=1)
    assert ask(opened(file, labels=labels, fit="crop"), wide)[0][0][0] == "red"
    assert ask(opened(file, labels=labels, fit="stretch"), wide)[0][0][0] == "blue"


def test_every_step_to_the_first_answer_is_timed_and_the_engine_tells_of_itself(tmp_path: Path) -> None:
    classifier = opened(colours(tmp_path / "m.tflite", "dense"), threads=2)
    assert list(classifier.phases) == ["import", "load", "first"]
    assert all(isinstance(phase, Usage) and phase.wall_ns > 0 for phase in classifier.phases.values())
    engine = classifier.engine()
    assert (engine.package, engine.call, engine.threads) == ("ai-edge-litert", "invoke", 2)
    assert engine.operators is not None
    assert {kind.name for kind in engine.operators} == {"MEAN", "FULLY_CONNECTED"}


def test_the_shipped_model_sees_the_cat(capfd: pytest.CaptureFixture[str]) -> None:
    classifier = opened(shipped("litert"))
    assert (classifier.kind, classifier.classes, classifier.fit) == ("logit", ("cat", "dog"), "crop")
    photo = present(cv2.imread(str(pools.BUILTIN)))
    answers, winner, score = ask(classifier, photo)
    assert answers[0][0] == "cat"
    assert answers[0][1] > 0.99
    assert winner == 0
    assert score < -5
    # Not the network's sight alone: the colours the wrong way round are less of a cat, and must not pass unseen.
    assert ask(classifier, photo[..., ::-1])[2] != pytest.approx(score, abs=0.1)
    assert capfd.readouterr().err == ""


def test_the_same_score_as_in_a_sweep(tmp_path: Path) -> None:
    classifier = opened(shipped("litert"))
    photo = pixels.load(pools.BUILTIN)
    swept = pixels.fit(photo, 150, 150)[None]
    assert classifier.infer(swept).tobytes() == classifier.infer(classifier.prepare(photo[..., ::-1])).tobytes()


@pytest.mark.parametrize(
    ("asked", "cause"),
    [
        ({"output": "softmax"}, r"--output says that m\.tflite gives .*, but its last layer gives numbers"),
        ({"pixels": (1.0, 0.0)}, "pixels cannot range from 1 to 0"),
        ({"pixels": (0.0, float("inf"))}, "pixels cannot range"),
        ({"labels": Path("/nowhere/labels.txt")}, "cannot be read"),
    ],
)
def test_what_does_not_fit_the_model(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], asked: dict[str, Any], cause: str
) -> None:
    with pytest.raises(ProfilerError, match=cause):
        opened(colours(tmp_path / "m.tflite", "dense"), **asked)
    assert capfd.readouterr().err == ""


def test_labels_of_another_model(tmp_path: Path, labels: Path) -> None:
    with pytest.raises(ProfilerError, match=r"names 3 classes, and cat-dog-mnv2\.tflite has 1 output"):
        opened(shipped("litert"), labels=labels)


def test_a_range_for_integers(tmp_path: Path) -> None:
    with pytest.raises(ProfilerError, match=r"takes pixels as uint8, which has no range to choose: .*--pixels"):
        opened(colours(tmp_path / "m.tflite", "dense", UINT8), pixels=(0, 1))


def test_values_that_contradict_what_is_told_end_the_opening(tmp_path: Path) -> None:
    """Of the black image already, whose mean is 0: no probabilities that share 1."""
    with pytest.raises(ProfilerError, match="gives 0 in sum, which is not probabilities that share 1"):
        opened(colours(tmp_path / "m.tflite"), output="softmax")
    classifier = opened(colours(tmp_path / "m.tflite"), output="sigmoid")
    with pytest.raises(ProfilerError, match="gives 3, which is not a probability"):
        ask(classifier, frame(9, 7, 3))


def test_a_network_that_gives_a_picture_is_no_classifier(tmp_path: Path) -> None:
    file = colours(tmp_path / "m.tflite")
    file.path.write_bytes(model(Graph([T((1, 4, 4, 3), name="image")], [], [0], [0])))
    with pytest.raises(ProfilerError, match=r"gives \[1, 4, 4, 3\], not a number for each class"):
        opened(file, output="logit")


def test_a_damaged_file(tmp_path: Path) -> None:
    file = colours(tmp_path / "m.tflite")
    file.path.write_bytes(shipped("litert").path.read_bytes()[:100_000])
    with pytest.raises(ProfilerError, match="cannot be loaded by ai-edge-litert"):
        opened(file)


def test_random_weights_have_numbers_for_names_and_a_remark(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_text(json.dumps({"profiler_card": 1, "classes": ["cat", "dog"]}))
    file = colours(tmp_path / "m.tflite", "dense", weights=[[1, 0, 0]])
    told, random = opened(file), opened(file._replace(form=made_form(weights="random")))
    assert (told.classes, told.remark) == (("cat", "dog"), None)
    assert random.classes == ("class 0", "class 1")
    assert random.remark == "The model's weights are random: its answers mean nothing."


# Keras 3.15 asks TensorFlow's variables for arrays in a way that NumPy 2 deprecates.
IN_KERAS = "ignore:__array__ implementation:DeprecationWarning"
# And calls every array another structure than the list that it made of its one input.
STRUCTURE = "ignore:(?s).*The structure of `inputs`:UserWarning"


def needs_keras() -> None:
    """Skips the test without TensorFlow, and does not import it: that is a part of what is tested."""
    if find_spec("tensorflow") is None:
        pytest.skip("no tensorflow")


@pytest.mark.slow
@pytest.mark.filterwarnings(IN_KERAS, STRUCTURE)
@pytest.mark.parametrize("call", ["graph", "call", "predict"])
def test_the_shipped_keras_model_sees_the_cat(call: str, capfd: pytest.CaptureFixture[str]) -> None:
    needs_keras()
    classifier = opened(shipped("keras"), threads=None, call=call)
    answers, winner, score = ask(classifier, cv2.imread(str(pools.BUILTIN)))
    assert answers[0][0] == "cat"
    assert answers[0][1] > 0.99
    assert (winner, classifier.engine().call) == (0, call)
    assert score < -5
    assert capfd.readouterr().err == ""


@pytest.fixture(scope="module")
def pets(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[int]]:
    """Labelled photos as a video, a frame each, and each one's class."""
    if not PHOTOS.is_dir():
        pytest.skip("no labelled photos")
    paths = sorted(path for path in PHOTOS.rglob("*.jpg"))
    pictures = [pixels.fit(pixels.load(path), SIDE, SIDE)[..., ::-1] for path in paths]
    video = make_video(tmp_path_factory.mktemp("pets") / "pets.avi", [np.ascontiguousarray(each) for each in pictures])
    return video, [("cat", "dog").index(path.parent.name) for path in paths]


@pytest.mark.slow
@pytest.mark.filterwarnings(IN_KERAS, STRUCTURE)
@pytest.mark.parametrize("runtime", ["litert", "keras"])
def test_cats_and_dogs_of_a_video_are_told_apart(pets: tuple[Path, list[int]], runtime: str) -> None:
    if runtime == "keras":
        needs_keras()
    video, expected = pets
    found: list[ClassifiedFrame] = []
    summary = session.run(
        lambda: open_capture(str(video), every=True),
        opened(shipped(runtime), threads=None),
        every=True,
        observers=[found.append],
        tell=lambda second: None,
        counting=lambda: COUNTING,
        stop=threading.Event(),
    )
    assert summary.frames == len(expected) == len(found)
    assert [each.frame.number for each in found] == list(range(1, len(expected) + 1))
    right = sum(each.winner == truth for each, truth in zip(found, expected, strict=True))
    assert right >= 0.99 * len(expected)
