"""The parser on recorded outputs, and on anything at all."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.counters.perf_output import Reading, counts, parse

SAMPLES = Path(__file__).parent / "samples"


def sample(name: str) -> dict[str, Reading]:
    """The readings of a recorded output; some were recorded with a comma between the fields."""
    text = (SAMPLES / f"perf-{name}.txt").read_text()
    return {reading.event: reading for reading in parse(text if ";" in text else text.replace(",", ";"))}


@pytest.mark.parametrize("version", ["6.1", "6.12"])
def test_a_region(version: str) -> None:
    readings = sample(f"{version}-region")
    assert readings["cycles"].status == "counted"
    assert readings["cycles"].running_percent == 100
    assert readings["cycles"].value


@pytest.mark.parametrize("version", ["5.10", "6.1", "6.12"])
def test_without_a_pmu(version: str) -> None:
    readings = sample(f"{version}-no-pmu")
    assert (readings["cycles"].value, readings["cycles"].status) == (None, "not_supported")
    assert (readings["task-clock"].unit, readings["task-clock"].status) == ("ns", "counted")
    assert readings["task-clock"].value
    assert readings["page-faults"].unit == ""


@pytest.mark.parametrize("version", ["5.10", "6.1", "6.12"])
def test_never_enabled_is_not_counted_though_the_percentage_is_100(version: str) -> None:
    name = "software-never-enabled"
    for reading in sample(f"{version}-{name}").values():
        assert (reading.value, reading.status, reading.running_percent) == (None, "not_counted", 100)


def test_multiplexed_counts_carry_their_percentage() -> None:
    readings = sample("6.1-multiplexed")
    assert all(reading.running_percent < 100 for reading in readings.values())
    assert all(
        count.running_percent == readings[name].running_percent
        for name, count in counts(tuple(readings.values())).items()
    )


def test_a_group_too_large() -> None:
    statuses = [reading.status for reading in sample("6.1-group-too-large").values()]
    assert statuses[-1] == "not_supported"
    assert set(statuses[:-1]) == {"not_counted"}


@pytest.mark.parametrize("version", ["5.10", "6.1", "6.12"])
def test_the_scope_that_perf_added_is_seen_and_stripped(version: str) -> None:
    readings = sample(f"{version}-no-pmu-user-only")
    assert "task-clock" in readings
    assert all(reading.echoed.endswith(":u") for reading in readings.values())


def test_headers_of_output_files_are_passed_over() -> None:
    assert sample("6.1-output-file")
    assert sample("6.12-output-file")


@pytest.mark.parametrize("name", ["6.1-refused", "6.12-unknown-event", "5.10-no-pmu-leader"])
def test_messages_are_no_readings(name: str) -> None:
    assert sample(name) == {}


def test_milliseconds_become_nanoseconds() -> None:
    (reading,) = parse("0.52;msec;task-clock;517304;100.00;0.568;CPUs utilized\n")
    assert (reading.value, reading.unit) == (520000.0, "ns")


def test_metric_only_lines_are_passed_over() -> None:
    assert parse(";;;;;0.40;stalled cycles per insn\n") == ()


def test_counts_are_whole_numbers_and_absent_ones_have_a_reason() -> None:
    found = counts(parse("5;;a;9;100.00;;\n<not counted>;;b;0;100.00;;\n<not supported>;;c;0;100.00;;\n"))
    assert found["a"].value == 5
    assert isinstance(found["a"].value, int)
    assert found["b"].value is None
    assert found["b"].running_percent is None
    assert found["b"].reason == "perf never had it on a counter"
    assert found["c"].reason == "perf says not supported"


@given(st.text())
def test_no_text_breaks_it(text: str) -> None:
    for reading in parse(text):
        assert (reading.value is None) is (reading.status != "counted")
        assert reading.event


@given(
    st.integers(0, 2**64 - 1),
    st.sampled_from(["cycles", "l2d_cache_inval", "LLC-loads", "armv8_cortex_a76/event=0x58,name=l2d_cache_inval/"]),
    st.sampled_from(["", ":u"]),
    st.floats(0, 100),
)
def test_what_perf_prints_is_read_back(value: int, event: str, modifier: str, percent: float) -> None:
    echoed = event + (modifier if not event.endswith("/") else modifier[1:])
    (reading,) = parse(f"{value};;{echoed};123456;{percent:.2f};;\n")
    assert reading.value == float(value)
    assert reading.event == {"armv8_cortex_a76/event=0x58,name=l2d_cache_inval/": "l2d_cache_inval"}.get(event, event)
    assert reading.running_percent == float(f"{percent:.2f}")
