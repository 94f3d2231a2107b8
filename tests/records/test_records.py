import msgspec
import pytest
from made_networks import made_check, made_network

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


def test_what_an_operator_and_an_inference_touch() -> None:
    network = made_network("fp32")
    stem = network.operators[0]
    assert stem.working_set_bytes == 4 * (67_500 + 864 + 180_000)
    assert network.macs == sum(operator.macs or 0 for operator in network.operators) == 24_956_280
    assert network.arena_bytes is not None
    assert network.working_set_bytes == network.weights_bytes + network.arena_bytes
    assert made_network("fp32", arena_bytes=None).working_set_bytes is None


@pytest.mark.parametrize("optimiser_state", [False, True])
def test_a_made_files_shares_are_its_size(optimiser_state: bool) -> None:
    network = made_network("int8", optimiser_state, format="keras")
    assert sum(share.size_bytes for share in network.shares) == network.size_bytes


@pytest.mark.parametrize(("agree", "disagrees"), [(250, False), (245, False), (244, True)])
def test_a_form_disagrees_below_the_bound(agree: int, disagrees: bool) -> None:
    assert made_check("a", "ab" * 32, agree).disagrees is disagrees


def test_an_error_is_one_line_of_cause_and_remedy() -> None:
    assert str(ProfilerError("no perf", "sudo apt install linux-perf")) == "no perf: sudo apt install linux-perf"
