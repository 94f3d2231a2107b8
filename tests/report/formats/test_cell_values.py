"""Tables as text: digits, marks, second lines; figures are bound to their units."""

import pytest

from profiler.analysis.notation import NUMBER
from profiler.analysis.quantity import Quantity
from profiler.report.cells import Column, absent, estimated, fact, headed, name, names, of_quantity, share, tabulated
from profiler.report.formats.cell_values import bound, table_text
from profiler.report.model import Cell, Entry, Label, ModelName, Table

TIMED = Cell(61.2e6, "ns", "counted", 60.1e6, 62.4e6, notes=("scaled up",))


def lines(entry: Entry, **how: object) -> tuple[str, ...]:
    """What a table writes in that cell."""
    found = Table("t", "", ("", ""), (("row", entry),), **how)  # type: ignore[arg-type]
    return table_text(found).rows[0][1].lines


@pytest.mark.parametrize(
    ("entry", "written"),
    [
        (TIMED, ("61.2 ms ¹", "[60.1, 62.4]")),
        (Cell(1.0, NUMBER, "simulated"), ("1.00",)),
        (fact(1.0, NUMBER), ("1",)),
        (fact(3072, "bytes", under=share(1, 3)), ("3 KiB", "33 %")),
        (fact(0.5, "×"), ("× 0.5",)),
        (Cell(12345), ("12,345",)),
        (Cell(35, after="of 36"), ("35 of 36",)),
        (Cell(0.000035, NUMBER, digits=2), ("3.5e-05",)),
        (Cell(2.0, "", low=1.0, high=3.0, under="scaled up"), ("2.0", "[1.0, 3.0]", "scaled up")),
        (share(0, 0), ("n/a",)),
        (absent("not counted"), ("n/a ¹",)),
        (name("keras", "region"), ("keras", "region")),
        ("words", ("words",)),
    ],
)
def test_what_a_cell_is_written_as(entry: Entry, written: tuple[str, ...]) -> None:
    assert lines(entry) == written


def test_beside_words_an_interval_stands_on_the_figures_line() -> None:
    assert lines(TIMED, words=True) == ("61.2 ms ¹ [60.1, 62.4]",)


@pytest.mark.parametrize(("how", "written"), [("error", "61.2 ms ±2.0 %"), ("none", "61.2 ms")])
def test_in_brief_the_error_stands_for_the_interval_and_there_are_no_notes(how: str, written: str) -> None:
    assert lines(TIMED, intervals=how) == (written,)
    assert not table_text(Table("t", "", ("",), ((TIMED,),), intervals=how)).notes  # type: ignore[arg-type]


def test_equal_notes_have_one_mark_in_the_order_of_the_cells() -> None:
    first, second = Cell(1, notes=("one",)), Cell(2, notes=("two", "one"))
    found = table_text(Table("t", "", ("", "", ""), (("a", second, first), ("b", first, "c"))))
    assert found.notes == ("¹ two", "² one")
    assert [cell.lines[0] for row in found.rows for cell in row[1:]] == ["2 ¹ ²", "1 ²", "1 ²", "c"]


def test_a_column_is_sorted_by_the_number_itself() -> None:
    found = table_text(Table("t", "", ("",) * 4, (("a", TIMED, absent("why"), "12 of 13"),)))
    assert [cell.number for cell in found.rows[0]] == [None, 61.2e6, None, None]
    assert [cell.absent for cell in found.rows[0]] == [False, False, True, False]


def test_a_quantity_brings_its_key_and_its_reason() -> None:
    its = Quantity("keras", "cycles", "fixed", None, None, None, None, "", "absent", "no counter")
    cell = of_quantity(its, ["more"])
    assert (cell.value, cell.status, cell.notes) == (None, "absent", ("no counter", "more"))
    assert cell.quantity == ("keras", "cycles", "fixed", None)


def test_a_missing_estimate_is_absent_and_says_why() -> None:
    assert estimated(None, "ns", lack="no run") == absent("no run", "ns")


def test_simulated_heads_say_so_on_their_second_line() -> None:
    assert headed("event", simulated=True) == Label(("event",), ("simulated",))
    assert headed(name("keras", "slope"), simulated=True) == Label((ModelName("keras"),), ("slope", ", simulated"))
    assert headed("event", simulated=False) == "event"


@pytest.mark.parametrize(("most", "written"), [(9, "a, b and c"), (2, "a and 2 more")])
def test_names_in_a_list(most: int, written: str) -> None:
    assert "".join(map(str, names(("a", "b", "c"), most).words)) == written
    assert ModelName("a") in names(("a", "b", "c"), most).words


def test_a_table_by_columns() -> None:
    found = tabulated("key", "title", "what", [("one", 1), ("two", 2)], [Column("twice", lambda n: Cell(2 * n))])
    assert found.columns == ("what", "twice")
    assert found.rows == (("one", Cell(2)), ("two", Cell(4)))


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
