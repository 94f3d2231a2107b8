"""Raw outputs to classes and probabilities."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_classifiers import ENDINGS, colours

from profiler.errors import ProfilerError
from profiler.live.output_decoding import OutputDecoder, kind_of, sigmoid, softmax
from profiler.modelfile import ModelFile
from profiler.modelfile.cards import Card
from profiler.records import OutputKind, TensorSpec

LOGITS = st.floats(allow_nan=False, allow_infinity=False)


def reader(
    kind: OutputKind, classes: str = "abc", top: int = 9, dtype: str = "float32", **fields: Any
) -> OutputDecoder:
    spec = TensorSpec(name="out", shape=(1, len(classes)), dtype=dtype, **fields)
    return OutputDecoder("m.tflite", spec, kind, tuple(classes), top)


def answered(
    reader: OutputDecoder, *values: float, dtype: str = "float32"
) -> tuple[list[tuple[str, float]], int, float]:
    shown, winner, score = reader(np.array([values], dtype))
    return [(each.label, round(each.probability, 6)) for each in shown], winner, score


@given(LOGITS)
def test_a_sigmoid_is_finite_and_a_probability(logit: float) -> None:
    assert 0 <= sigmoid(logit) <= 1
    assert sigmoid(logit) + sigmoid(-logit) == pytest.approx(1)


@given(LOGITS, LOGITS)
def test_a_sigmoid_grows(first: float, second: float) -> None:
    low, high = sorted((first, second))
    assert sigmoid(low) <= sigmoid(high)


def test_a_sigmoid_against_its_definition() -> None:
    for logit in (-30.0, -2.5, -0.1, 0.0, 0.1, 2.5, 30.0):
        assert sigmoid(logit) == pytest.approx(0.5 * (1 + math.tanh(logit / 2)), abs=1e-15)


@given(st.lists(st.floats(-1e30, 1e30), min_size=1, max_size=50))
def test_a_softmax_is_finite_shares_one_and_keeps_the_order(logits: list[float]) -> None:
    found = softmax(np.array(logits))
    assert np.isfinite(found).all()
    assert (found >= 0).all()
    assert found.sum() == pytest.approx(1)
    ranked = found[np.argsort(logits, kind="stable")]
    assert (np.diff(ranked) >= 0).all()


@given(st.lists(st.floats(-50, 50), min_size=2, max_size=9), st.floats(-1e6, 1e6))
def test_a_softmax_does_not_see_a_shift(logits: list[float], shift: float) -> None:
    # Adding the shift rounds the logits by up to 1e-10.
    assert softmax(np.array(logits) + shift) == pytest.approx(softmax(np.array(logits)), abs=1e-8)


def test_one_logit_is_negative_and_positive() -> None:
    ask = reader("logit", "ab")
    assert answered(ask, 2.0) == ([("b", 0.880797), ("a", 0.119203)], 1, 2.0)
    assert answered(ask, -2.0) == ([("a", 0.880797), ("b", 0.119203)], 0, -2.0)
    assert answered(ask, 0.0) == ([("a", 0.5), ("b", 0.5)], 0, 0.0)
    # So near to 0 that both probabilities round to one half: still the one that the network prefers.
    assert answered(ask, 1e-30)[1:] == (1, pytest.approx(1e-30))  # type: ignore[comparison-overlap]
    assert answered(ask, 1e-30)[0][0][0] == "b"


def test_one_probability_is_the_positive_s() -> None:
    ask = reader("sigmoid", "ab")
    assert answered(ask, 0.75) == ([("b", 0.75), ("a", 0.25)], 1, 0.75)
    assert answered(ask, 0.25) == ([("a", 0.75), ("b", 0.25)], 0, 0.25)
    assert answered(ask, 0.5)[1] == 0


def test_many_outputs_of_each_kind() -> None:
    logits = np.log([0.1, 0.7, 0.2])
    assert answered(reader("logit"), *logits)[:2] == ([("b", 0.7), ("c", 0.2), ("a", 0.1)], 1)
    assert answered(reader("softmax"), 0.1, 0.7, 0.2) == (  # type: ignore[comparison-overlap]
        [("b", 0.7), ("c", 0.2), ("a", 0.1)],
        1,
        pytest.approx(0.7),
    )
    assert answered(reader("sigmoid"), 0.9, 0.8, 0.95)[0] == [("c", 0.95), ("a", 0.9), ("b", 0.8)]


def test_no_more_than_top_and_ties_in_their_order() -> None:
    assert [name for name, _ in answered(reader("logit", "abcde", top=3), 1, 5, 5, 0, 5)[0]] == ["b", "c", "e"]
    assert [name for name, _ in answered(reader("logit", "ab", top=1), -1.0)[0]] == ["a"]
    assert answered(reader("logit", "abc", top=1), 1, 1, 1)[1] == 0


@given(st.lists(st.integers(-128, 127), min_size=2, max_size=20), st.integers(1, 25))
def test_the_winner_is_the_first_largest_as_in_a_sweep(values: list[int], top: int) -> None:
    ask = reader("logit", "abcdefghijklmnopqrst"[: len(values)], top, dtype="int8", scale=0.1, zero_point=-3)
    shown, winner, score = ask(np.array([values], np.int8))
    assert winner == int(np.argmax(values))
    assert score == max(values)
    assert len(shown) == min(top, len(values))
    assert shown[0].label == "abcdefghijklmnopqrst"[winner]


def test_quantised_outputs_are_made_real() -> None:
    half = reader("logit", "ab", dtype="int8", scale=0.5, zero_point=4)
    assert answered(half, 8, dtype="int8") == ([("b", 0.880797), ("a", 0.119203)], 1, 8.0)
    assert answered(half, 0, dtype="int8") == ([("a", 0.880797), ("b", 0.119203)], 0, 0.0)
    shares = reader("softmax", dtype="uint8", scale=1 / 256, zero_point=0)
    assert answered(shares, 0, 255, 0, dtype="uint8")[0][0] == ("b", 0.996094)
    low = reader("softmax", dtype="int8", scale=1 / 256, zero_point=-128)
    assert answered(low, -128, 127, -128, dtype="int8")[0][0] == ("b", 0.996094)


@pytest.mark.parametrize(
    ("kind", "values", "cause"),
    [
        ("sigmoid", (0.5, 1.5, 0.2), r"gives 1\.5, which is not a probability for each output \(sigmoid\)"),
        ("sigmoid", (-0.5, 0.5, 0.2), r"gives -0\.5, which"),
        ("softmax", (8.0, -2.0, 1.0), r"gives -2, which is not probabilities that share 1 \(softmax\)"),
        ("softmax", (0.9, 0.8, 0.7), r"gives 2\.4 in sum, which"),
        ("logit", (math.nan, 1.0, 2.0), "answers with what is no number"),
        ("logit", (math.inf, 1.0, 2.0), "answers with what is no number"),
        ("sigmoid", (math.nan, 1.0, 0.0), "answers with what is no number"),
    ],
)
def test_values_that_are_not_what_was_said(kind: OutputKind, values: tuple[float, ...], cause: str) -> None:
    with pytest.raises(ProfilerError, match=cause) as raised:
        answered(reader(kind), *values)
    assert "is no number" in cause or "--output" in raised.value.remedy


def test_rounding_is_no_contradiction() -> None:
    assert answered(reader("softmax"), 1.0005, -0.0005, 0.0)[0] == [("a", 1.0), ("c", 0.0), ("b", 0.0)]
    many = np.full((1, 1001), -127, np.int8)
    reading = OutputDecoder(
        "m", TensorSpec(name="", shape=(1, 1001), dtype="int8", scale=1 / 256, zero_point=-128), "softmax", ("x",), 0
    )
    assert reading.probabilities(many).sum() == pytest.approx(1001 / 256)


@pytest.mark.parametrize("dtype", ["int64", "int32", "uint8", "bool"])
def test_integers_without_a_scale_are_no_answers(dtype: str) -> None:
    with pytest.raises(ProfilerError, match=f"gives {dtype} without a scale"):
        reader("logit", dtype=dtype)


@pytest.mark.parametrize(
    ("ending", "kind"), [("dense", "logit"), ("sigmoid", "sigmoid"), ("softmax", "softmax"), ("relu", None)]
)
def test_the_file_says_what_its_outputs_are_where_nothing_else_does(
    tmp_path: Path, ending: str, kind: OutputKind | None
) -> None:
    model = colours(tmp_path / "m.tflite", ending)
    if kind is None:
        with pytest.raises(ProfilerError, match=r"neither m\.tflite nor a card.*--output"):
            kind_of(model, 3, None, None)
    else:
        assert kind_of(model, 3, None, None) == kind


def card(output: OutputKind | None, *sha256: str) -> Card:
    return Card(profiler_card=1, output=output, sha256=sha256)


def test_what_is_told_goes_before_the_card(tmp_path: Path) -> None:
    model = colours(tmp_path / "m.tflite", "mean")
    assert kind_of(model, 3, None, card("sigmoid")) == "sigmoid"
    assert kind_of(model, 3, "logit", card("sigmoid")) == "logit"


@pytest.mark.parametrize("ending", [name for name in ENDINGS if name != "relu"])
@pytest.mark.parametrize("said", ["logit", "sigmoid", "softmax"])
def test_a_file_that_contradicts_what_is_said(tmp_path: Path, ending: str, said: OutputKind) -> None:
    """Numbers without bounds are no probabilities, nor the reverse. Which probabilities they are, values show."""
    model = colours(tmp_path / "m.tflite", ending)
    if (ending == "dense") == (said == "logit"):
        assert kind_of(model, 3, said, None) == kind_of(model, 3, None, card(said)) == said
        return
    with pytest.raises(ProfilerError, match=r"--output says that m\.tflite gives .*, but its last layer gives"):
        kind_of(model, 3, said, None)
    with pytest.raises(ProfilerError, match=r"the card says that m\.tflite gives"):
        kind_of(model, 3, None, card(said))


def test_a_card_of_this_very_file_needs_no_look_at_it() -> None:
    absent = ModelFile("litert", "litert", Path("/nowhere/m.tflite"))
    assert kind_of(absent, 3, None, card("softmax", "0" * 64)) == "softmax"


def test_a_softmax_of_one_output_tells_nothing(tmp_path: Path) -> None:
    model = colours(tmp_path / "m.tflite", "softmax", channels=1)
    for told in (None, "softmax"):
        with pytest.raises(ProfilerError, match="a softmax of one output is always 1"):
            kind_of(model, 1, told, None)
