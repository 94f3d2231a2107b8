"""What a cell is sorted by, and that the order of figures in text is that of the quantities."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.analysis import notation
from profiler.report.formats.cell_values import bound, worth


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("61.2 ms\n[60.1, 62.4]", 61.2e6),
        ("5 µs", 5e3),
        ("1.99 M ¹", 1.99e6),
        ("3 KiB", 3072),
        ("1,840", 1840),
        ("−210 ns", -210),
        ("−0.03", -0.03),
        ("2.1 %", 2.1),
        ("6.7 s", 6.7e9),
        ("±2 %", 2),
        ("3 runs", 3),
        ("0", 0),
        ("n/a ¹", None),
        ("keras", None),
        ("", None),
        ("l2d_cache 3", None),
        ("4-way", None),
        ("2026-03-02", None),
        ("12.3.1", None),
    ],
)
def test_worth(cell: str, value: float | None) -> None:
    assert worth(cell) == (value if value is None else pytest.approx(value))


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("5.3 s [4.9, 5.7]", "5.3~s [4.9, 5.7]"),
        ("95 % of 2 MiB, 1.9 M and 64 bytes.", "95~% of 2~MiB, 1.9~M and 64~bytes."),
        ("2 models in 7 kittens", "2 models in 7 kittens"),
        ("10 to 40 µs)", "10 to 40~µs)"),
    ],
)
def test_bound(text: str, written: str) -> None:
    assert bound(text) == written.replace("~", "\N{NO-BREAK SPACE}")


@given(st.floats(1e-3, 1e14), st.sampled_from(["", "ns", "bytes", notation.NUMBER]))
def test_every_figure_that_a_table_writes_is_worth_itself(value: float, unit: str) -> None:
    if unit == "bytes":
        value = max(1.0, value)
    assert worth(notation.plain(value, unit)) == pytest.approx(value, rel=0.006)
