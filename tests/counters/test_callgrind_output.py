"""What callgrind writes, recorded and made up, and what becomes of it."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.counters.callgrind_output import LACKS, TERMS, abridged, parse, served, total

SAMPLES = Path(__file__).parent.parent / "samples" / "callgrind"
NAMES = "Ir Dr Dw I1mr D1mr D1mw ILmr DLmr DLmw ILdmr DLdmr DLdmw"


def recorded(sample: str) -> str:
    return (SAMPLES / f"3.19-{sample}.out").read_text()


@pytest.mark.parametrize(
    ("sample", "expected"),
    [
        (
            "region",
            {
                "inst_retired": 344125,
                "mem_access": 49165,
                "mem_access_rd": 5,
                "mem_access_wr": 49160,
                "l1i_cache_refill": 6,
                "l1d_cache": 49165,
                "l1d_cache_rd": 5,
                "l1d_cache_wr": 49160,
                "l1d_cache_refill": 49157,
                "l1d_cache_refill_rd": 3,
                "l1d_cache_refill_wr": 49154,
                "l2d_cache_rd": 49163,
                "l2d_cache_refill": 49163,
                "l2d_cache_refill_rd": 49163,
                "l2d_cache_wb": 40964,
                "l2d_cache_wb_victim": 40964,
                "l3d_cache": 90127,
                "l3d_cache_rd": 49163,
                "ll_cache_rd": 49163,
                "l3d_cache_refill": 49163,
                "ll_cache_miss_rd": 49163,
                "l3d_cache_wb": 40964,
            },
        ),
        ("warmed", {"inst_retired": 229418, "l1d_cache_refill_wr": 32769, "l2d_cache_wb": 32767}),
    ],
)
def test_events_in_recorded_output(sample: str, expected: dict[str, int]) -> None:
    for text in (recorded(sample), abridged(recorded(sample))):
        totals, _ = parse(text)
        assert {event: total(TERMS[event], totals) for event in expected} == expected


def test_every_event_has_terms_or_a_reason() -> None:
    totals, _ = parse(recorded("region"))
    assert all(total(terms, totals) is not None for terms in TERMS.values())
    assert not TERMS.keys() & LACKS.keys()


def test_what_is_kept_says_the_caches_and_no_wrong_summary() -> None:
    kept = abridged(recorded("warmed"))
    assert "LL cache: 524288 B, 64 B, 8-way associative" in kept
    assert "summary" not in kept
    assert "fn=" not in kept


def test_refills_by_what_had_the_line() -> None:
    totals, _ = parse(f"events: {NAMES}\ntotals: 1000 200 100 4 30 6 1 8 3\n")
    assert served(totals) == {"served_l2": 28, "served_memory": 12}
    assert served({"I1mr": 1}) == {}


def test_no_terms_are_no_count() -> None:
    assert total((), {"Ir": 1}) is None
    assert total(("Ir", "Dr"), {"Ir": 1}) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "valgrind ended without its counts"),
        ("events: Ir Dr\n", "valgrind ended without its counts"),
        ("events: Ir Dr\ntotals: 12 3", "valgrind ended without its counts"),
        ("totals: 12 3\n", "valgrind ended without its counts"),
        ("events: Ir Dr\ntotals: 12 -3\n", "valgrind ended without its counts"),
        ("events: Ir Dr\ntotals: 12 3 4\n", "callgrind's output is malformed"),
        ("events: Ir Dr\ntotals: 0\n", "the region was never entered"),
        (recorded("never-entered"), "the region was never entered"),
    ],
)
def test_output_without_counts(text: str, reason: str) -> None:
    assert parse(text) == ({}, reason)


@given(counts=st.lists(st.integers(0, 2**64 - 1) | st.just(0), min_size=12, max_size=12))
def test_totals_come_back_though_zeros_at_the_end_are_left_out(counts: list[int]) -> None:
    written = [str(count) for count in counts]
    while len(written) > 1 and written[-1] == "0":
        written.pop()
    totals, reason = parse(f"desc: x\nevents: {NAMES}\nfn=(1) main\n0 1\n\ntotals: {' '.join(written)}\n")
    expected = dict(zip(NAMES.split(), counts, strict=True)) if any(counts) else {}
    assert totals == expected
    assert reason == ("callgrind did not count it" if expected else "the region was never entered")


@given(
    st.text() | st.lists(st.sampled_from(["events:", "totals:", " ", "Ir", "\n", "9" * 5000, "٣", "3"])).map("".join)
)
def test_any_text_is_counts_or_a_reason(text: str) -> None:
    totals, reason = parse(text)
    assert reason
    assert all(count >= 0 for count in totals.values())
    assert set(abridged(text)) <= set(text)
