"""A report as JSON: everything that is in it, as other programs read it."""

import dataclasses
import json

from studies import made_study

from profiler import report
from profiler.export import tidy_tables
from profiler.records import Case
from profiler.report.formats import as_json
from profiler.report.model import Question
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
            assert (table["key"], [tuple(row) for row in table["rows"]]) == (mine.key, [*mine.rows])
        for figure, drawn in zip(written["figures"], section.figures, strict=True):
            assert figure == {name: getattr(drawn, name) for name in ("key", "title", "alt", "caption")}
    assert len(found["quantities"]) == len(asked.quantities) > 100
    assert found["quantities"][0] == {name: getattr(asked.quantities[0], name) for name in tidy_tables.QUANTITIES}


def test_no_number_is_one_that_json_does_not_know() -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    json.loads(as_json.render(report.build(*made_study(images=(1,), repeats=1))), parse_constant=refuse)
