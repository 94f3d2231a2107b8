import msgspec
import pytest

from profiler.errors import ProfilerError
from profiler.records import Case, Count, from_json, to_json


def test_an_absent_count_stays_absent() -> None:
    count = Count(event="cycles", value=None, unit="", status="not_supported", source="perf", reason="no PMU")
    assert from_json(Count, to_json(count)) == count
    assert b'"value":null' in to_json(count)


@pytest.mark.parametrize(
    "text",
    [
        b'{"model":"a","images":1,"region":"lunch"}',
        b'{"model":"a","images":"1","region":"process"}',
        b'{"model":"a","images":1,"region":"process","more":1}',
        b'{"model":"a","images":1}',
        b'{"model":"a"',
        b"[]",
    ],
)
def test_what_is_no_record_is_refused(text: bytes) -> None:
    with pytest.raises(msgspec.DecodeError):
        from_json(Case, text)


def test_records_are_frozen_and_hashable() -> None:
    case = Case(model="a", images=1, region="process")
    with pytest.raises(AttributeError):
        case.images = 2  # type: ignore[misc]
    assert {case: 1}[Case(model="a", images=1, region="process")] == 1


def test_an_error_is_one_line_of_cause_and_remedy() -> None:
    assert str(ProfilerError("no perf", "sudo apt install linux-perf")) == "no perf: sudo apt install linux-perf"
