"""A report as JSON: everything that is in it, as other programs read it."""

import dataclasses
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from studies import live_study, made_study, study_beside, virtual_study

from profiler import report
from profiler.export import tidy_tables
from profiler.records import Case
from profiler.report.formats import as_json
from profiler.report.model import Question, Report
from profiler.validity.model import Finding, Validity

CASE = Case(model="keras", images=5, region="process", group=("cycles",))


def test_it_says_all_that_the_report_says() -> None:
    built = report.build(*made_study(images=(1, 5, 10), repeats=3))
    question = Question("overall", "Overall", "Which?", "keras.", shown=("image", "phases"))
    validity = Validity(
        "degraded",
        (Finding("few-repeats", "degraded", "Two.", "More.", runs=(3,), cases=(CASE,)),),
        {CASE: ("degraded", ("few-repeats",)), Case(model="a", images=1, region="load"): ("valid", ())},
        {0: ("valid", ()), 3: ("degraded", ("few-repeats",))},
    )
    asked = dataclasses.replace(built, questions=(question,), validity=validity)
    found = json.loads(as_json.render(asked))
    assert found["schema"] == as_json.SCHEMA
    assert (found["title"], found["labels"], found["name"]) == (asked.title, ["keras", "litert"], "made")
    assert found["questions"][0]["shown"] == ["image", "phases"]
    case = {"model": "keras", "images": 5, "region": "process", "group": ["cycles"], "simulator": None}
    assert found["validity"]["grade"] == "degraded"
    assert found["validity"]["findings"][0]["cases"] == [case]
    assert found["validity"]["cases"] == [{"case": case, "grade": "degraded", "codes": ["few-repeats"]}]
    assert found["validity"]["runs"] == [{"run": 3, "grade": "degraded", "codes": ["few-repeats"]}]
    for written, section in zip(found["sections"], asked.sections, strict=True):
        assert written["title"] == section.title
        for table, mine in zip(written["tables"], section.tables, strict=True):
            assert (table["key"], table["words"]) == (mine.key, mine.words)
            assert [len(row) for row in table["rows"]] == [len(row) for row in mine.rows]
        for figure, drawn in zip(written["figures"], section.figures, strict=True):
            assert figure == {name: getattr(drawn, name) for name in ("key", "title", "alt", "caption")}
    assert len(found["quantities"]) == len(asked.quantities) > 100
    assert found["quantities"][0] == {name: getattr(asked.quantities[0], name) for name in tidy_tables.QUANTITIES}


def figures(of: Report) -> Iterator[tuple[dict[str, Any], dict[str, Any] | None]]:
    """Every figure of the tables that names a quantity, and that quantity."""
    found = json.loads(as_json.render(of))
    key = ("subject", "event", "what", "images")
    known = {(*(its[name] for name in key), its["status"]): its for its in found["quantities"]}
    for section in found["sections"]:
        for row in (row for table in section["tables"] for row in table["rows"]):
            for cell in (cell for cell in row if "quantity" in cell):
                yield cell, known.get((*(cell["quantity"][name] for name in key), cell["status"]))


@pytest.mark.parametrize("make", [made_study, study_beside, virtual_study, live_study])
def test_a_figure_of_a_table_is_the_quantity_that_it_names(make: Callable[[], Any]) -> None:
    told = list(figures(report.build(*make())))
    assert len(told) > 30
    for cell, quantity in told:
        if quantity is None:  # what is not there is said once, and a ratio only where it is determined
            assert cell["status"] == "absent"
        elif cell["unit"] == quantity["unit"]:
            assert {name: cell[name] for name in ("value", "low", "high")} == {
                name: quantity[name] for name in ("value", "low", "high")
            }
        else:
            assert (cell["unit"], quantity["unit"]) == ("%", "1")
            assert cell["value"] == pytest.approx(100 * quantity["value"])


def test_an_entry_says_what_it_is_of() -> None:
    found = json.loads(as_json.render(report.build(*made_study(absent={"cycles": "no counter"}))))
    (fixed,) = (table for section in found["sections"] for table in section["tables"] if table["key"] == "fixed")
    assert fixed["columns"] == [
        "event",
        {"text": "keras", "models": ["keras"]},
        {"text": "litert", "models": ["litert"]},
        {"text": "keras / litert", "models": ["keras", "litert"]},
    ]
    cycles = fixed["rows"][0]
    key = {"subject": "keras", "event": "cycles", "what": "fixed", "images": None}
    absent = {"value": None, "low": None, "high": None, "unit": "", "status": "absent"}
    assert cycles[:2] == [{"text": "cycles"}, absent | {"notes": ["no counter"], "quantity": key}]


def test_no_number_is_one_that_json_does_not_know() -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads(as_json.render(report.build(*made_study(images=(1,), repeats=1))), parse_constant=refuse)
