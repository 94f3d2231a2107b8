"""Quantities to text: digits follow the interval, prefixes follow the size."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.analysis import notation
from profiler.analysis.stats import Estimate


def estimate(value: float, low: float | None = None, high: float | None = None) -> Estimate:
    return Estimate(value, low, high, np.empty(0))


@pytest.mark.parametrize(
    ("figures", "unit", "written"),
    [
        ((61.2e6, 60.1e6, 62.4e6), "ns", "61.2 ms [60.1, 62.4]"),
        ((6.1e9, 6.05e9, 6.15e9), "ns", "6.10 s [6.05, 6.15]"),
        ((61.23e6, 61.21e6, 61.26e6), "ns", "61.23 ms [61.21, 61.26]"),
        ((812.0, 790.0, 830.0), "ns", "812 ns [790, 830]"),
        ((50_100.0, 49_800.0, 50_300.0), "ns", "50.1 µs [49.8, 50.3]"),
        ((0.8e6, -11e6, 13e6), "ns", "1 ms [−11, 13]"),
        ((1.234e6, 1.21e6, 1.25e6), "", "1.23 M [1.21, 1.25]"),
        ((14.6e9, 14.5e9, 14.7e9), "", "14.6 G [14.5, 14.7]"),
        ((7289.0, 7286.0, 7293.0), "", "7289 [7286, 7293]"),
        ((2.0, 2.0, 2.0), "", "2 [2, 2]"),
        ((0.0, 0.0, 0.0), "", "0 [0, 0]"),
        ((0.9999999999, 0.9999999999, 0.9999999999), "", "1 [1, 1]"),
        ((0.038, 0.025, 0.053), "", "0.038 [0.025, 0.053]"),
        ((-458.0, -2330.0, 1282.0), "", "−500 [−2300, 1300]"),
        ((12.2, 12.0, 12.4), notation.NUMBER, "12.2 [12.0, 12.4]"),
        ((1234.0, 1190.0, 1290.0), notation.NUMBER, "1230 [1190, 1290]"),
        ((71.2, 70.9, 71.5), "%", "71.2 % [70.9, 71.5]"),
        ((56.1 * 2**20, 55 * 2**20, 57 * 2**20), "bytes", "56.1 MiB [55.0, 57.0]"),
        ((6.1e9, None, None), "ns", "6.10 s"),
        ((0.0, None, None), "", "0"),
    ],
)
def test_figures_with_their_intervals(figures: tuple[float, ...], unit: str, written: str) -> None:
    assert notation.in_sentence(estimate(*figures), unit) == written


@pytest.mark.parametrize(
    ("figures", "written"),
    [((61.2, 60.1, 62.4), "±2.0 %"), ((100, 60, 120), "±40 %"), ((1, -10, 10), "±>100 %"), ((-2, -3, -1), "±50 %")],
)
def test_the_further_end_of_the_interval_is_the_error(figures: tuple[float, float, float], written: str) -> None:
    value, low, high = figures
    assert notation.error(value, (low, high)) == written


@pytest.mark.parametrize(
    ("value", "unit", "written"),
    [
        (65536, "bytes", "64 KiB"),
        (2 * 2**20, "bytes", "2 MiB"),
        (9_626_662, "bytes", "9.18 MiB"),
        (8 * 2**30, "bytes", "8 GiB"),
        (64, "bytes", "64 bytes"),
        (0, "bytes", "0 bytes"),
        (3.72, notation.NUMBER, "3.72"),
        (1234.5, notation.NUMBER, "1234"),
        (0.0000349, notation.NUMBER, "3.49e-05"),
        (2.1, "%", "2.1 %"),
        (59.26, "s", "59.3 s"),
        (150, "s", "2.5 min"),
        (2.4e9, "Hz", "2.40 GHz"),
        (0.5, "×", "× 0.5"),
        (29.97, "1/s", "30"),
    ],
)
def test_plain_quantities(value: float, unit: str, written: str) -> None:
    assert notation.plain(value, unit) == written


@given(
    st.floats(-1e15, 1e15, allow_nan=False),
    st.floats(0, 1e14, allow_nan=False),
    st.sampled_from(["ns", "", "bytes", notation.NUMBER, "%"]),
)
def test_what_is_written_is_the_figure_within_its_interval(value: float, half: float, unit: str) -> None:
    found = estimate(value, value - half, value + half)
    written = notation.quantity(found, unit).replace(notation.MINUS, "-").split(" ")
    largest = max(abs(value - half), abs(value + half))
    said = float(written[0]) * notation.scale(largest, unit).divisor
    assert abs(said - value) <= max(0.2 * half, 5e-3 * largest, 1e-9)


@given(st.floats(1e-6, 1e6), st.floats(1.1e-3, 10))
def test_an_interval_that_is_there_is_seen(value: float, relative: float) -> None:
    half = value * relative
    low, high = notation.interval(estimate(value, value - half, value + half), notation.NUMBER)[1:-1].split(", ")
    assert low != high


@given(st.floats(1e-6, 1e6), st.floats(0, 10))
def test_no_more_than_four_digits(value: float, relative: float) -> None:
    found = notation.quantity(estimate(value, value * (1 - relative), value * (1 + relative)), notation.NUMBER)
    assert len(found.replace(".", "").strip("0")) <= 4


@pytest.mark.parametrize(
    ("share", "written"),
    [(0.0, "0 %"), (0.0004, "0.04 %"), (0.021, "2.1 %"), (0.0995, "10 %"), (0.71, "71 %"), (1.5, "150 %")],
)
def test_percent(share: float, written: str) -> None:
    assert notation.percent(share) == written


def test_lists_in_words() -> None:
    assert notation.listed([]) == ""
    assert notation.listed(["a"]) == "a"
    assert notation.listed(["a", "b", "c"]) == "a, b and c"
    assert notation.listed("abcde", 3) == "a, b and 3 more"
    assert notation.counted(1, "run") == "1 run"
    assert notation.counted(5000, "run") == "5,000 runs"


def test_the_mark_of_a_note() -> None:
    assert notation.superscript(12) == "¹²"
