"""The parser on recorded outputs, and on anything at all."""

import re
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from profiler.counters.perf_output import Reading, counts, parse
from profiler.machine.events import strip

SAMPLES = Path(__file__).parent.parent / "samples"
MACHINE = SAMPLES / "pmu-vm"
RECORDED = sorted(path.stem for path in MACHINE.glob("*.txt"))
BOTH = ("6.1", "6.12")
NEVER, NONE = "not_counted", "not_supported"


def sample(name: str) -> dict[str, Reading]:
    """The readings of a recorded output; some were recorded with a comma between the fields."""
    text = (SAMPLES / f"perf-{name}.txt").read_text()
    return {reading.event: reading for reading in parse(text if ";" in text else text.replace(",", ";"))}


def recorded(name: str) -> tuple[str, str]:
    """A command on the machine with a PMU, and all that it printed; the last line is its exit status and duration."""
    command, *printed, _ = (MACHINE / f"{name}.txt").read_text().splitlines()
    return command.removeprefix("$ "), "\n".join(printed)


def short(text: str) -> list[tuple[str, float | str, float]]:
    """Of each reading the name as printed, the value or why there is none, and the percentage."""
    return [
        (reading.echoed, reading.status if reading.value is None else reading.value, reading.running_percent)
        for reading in parse(text)
    ]


def rows(names: str, value: float | str, percent: float) -> list[tuple[str, float | str, float]]:
    return [(name, value, percent) for name in names.split()]


@pytest.mark.parametrize("version", BOTH)
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


def test_all_that_the_machine_printed_is_survived() -> None:
    assert len(RECORDED) == 248
    for name in RECORDED:
        _, printed = recorded(name)
        for reading in parse(printed):
            assert (reading.value is None) is (reading.status != "counted"), name
            assert 0 <= reading.running_percent <= 100, name
            assert reading.echoed in printed, name
        assert all((count.value is None) is bool(count.reason) for count in counts(parse(printed)).values()), name


def asked(command: str) -> list[str]:
    """The events of a command's `-e`, as perf prints them: out of their braces, by the name given to them."""
    words = shlex.split(command)
    events = re.sub(r"[{}]|:W$", "", words[words.index("-e") + 1])
    named = (event for event in re.findall(r"(?:[^,/]|/[^/]*/)+", events))
    return [strip(event) if "name=" in event else event for event in named]


PLAIN = [
    name
    for name in RECORDED
    if re.match(r"(mkfifo [^;]*; )?perf stat (-D -1 |-i |-C 0 |-a )*-x ';' -e [^&]*$", recorded(name)[0])
    and "\n# rc=0 " in (MACHINE / f"{name}.txt").read_text()
]


@pytest.mark.parametrize("name", PLAIN)
def test_every_event_asked_for_is_read(name: str) -> None:
    command, printed = recorded(name)
    assert [reading.echoed for reading in parse(printed)] == asked(command)


def test_many_are_asked() -> None:
    assert len(PLAIN) > 70


SIX = "r23 r24 r36 r37 r58"

READ = {
    "6.1-named": [
        *rows("cpu_cycles inst_retired", 326896, 100),
        *rows("l2d_cache_inval ll_cache_rd ll_cache_miss_rd l2d_cache_refill", 0, 100),
    ],
    "6.1-generic-x": [
        *rows("cycles instructions", 324482, 100),
        *rows("stalled-cycles-backend stalled-cycles-frontend", 0, 100),
        *rows("LLC-loads LLC-load-misses L1-dcache-loads cache-misses branches branch-misses", NONE, 100),
    ],
    "6.1-group-six-raw": [*rows("cycles r08", 321635, 100), *rows(SIX, 0, 100)],
    "6.1-group-too-large": [*rows(f"cycles r08 {SIX}", NEVER, 100), ("r17", NONE, 100)],
    "6.12-group-too-large": [*rows(f"cycles r08 {SIX}", NEVER, 100), ("r17", NONE, 100)],
    "6.1-group-weak": [*rows("cycles r08", 321600, 100), *rows(SIX, 0, 100), ("r17", NEVER, 0)],
    "6.12-group-weak": [*rows("cycles r08", 309839, 100), *rows(SIX, 0, 100), ("r17", NEVER, 0)],
    "6.1-group-unsupported-member": [("cycles", NEVER, 100), ("LLC-loads", NONE, 100), ("instructions", 321587, 100)],
    "6.12-group-unsupported-member": [("cycles", NEVER, 100), ("LLC-loads", NONE, 100), ("instructions", 312757, 100)],
    "6.1-multiplexed-8": [
        ("cycles", 337255078, 86),
        ("r08", 337258279, 86),
        *rows("r23 r24", 0, 86),
        *rows("r36 r37 r58", 0, 88),
        ("r17", 0, 74),
    ],
    "6.12-multiplexed-8": [
        ("cycles", 347891223, 87),
        ("r08", 347886607, 87),
        *rows(SIX, 0, 87),
        ("r17", 0, 75),
    ],
    "6.1-multiplexed-groups": [
        *rows("cycles r08", 330149199, 66),
        *rows("r23 r24", 0, 66),
        *rows("r36 r37 r58 r17", 0, 33),
        ("r08", 330241111, 33),
        *rows("r16 r18", 0, 33),
    ],
    "6.12-multiplexed-short": [
        ("cycles", 328798, 47),
        ("r08", 328874, 100),
        *rows(SIX, 0, 100),
        *rows("r17 r16 r18 r13", NEVER, 0),
    ],
    "6.1-control-never-enabled": [*rows("cycles instructions", NEVER, 100), ("LLC-loads", NONE, 100)],
    "6.12-region-error-before-enable": rows("cycles instructions", NEVER, 100),
    "6.1-control-fds": [*rows("cycles instructions", 51348534, 100), ("stalled-cycles-backend", 0, 100)],
    "6.1-region-group-n4": [
        ("instructions:u", 181210591, 100),
        *rows("instructions cycles", 181391745, 100),
        ("stalled-cycles-backend", 0, 100),
        ("task-clock", 181390000, 100),
    ],
    "6.1-region-int8-n4-multiplexed": [
        ("cycles", 196319542, 75),
        ("r08", 196321037, 75),
        ("r23", 0, 77),
        *rows("r24 r36 r37 r58", 0, 79),
        ("r17", 0, 65),
        ("r16", 0, 63),
    ],
    "6.1-paranoid-2-user-region": [
        *rows("instructions:u cycles:u", 49033716, 100),
        ("LLC-loads:u", NONE, 100),
        ("r58:u", 0, 100),
    ],
    "6.12-paranoid-2-user-region": [
        *rows("instructions:u cycles:u", 49033731, 100),
        ("LLC-loads:u", NONE, 100),
        ("r58:u", 0, 100),
    ],
    "6.12-raw-names": [("l2inv", 0, 100), ("insn", 16175, 100)],
    "6.1-raw-pmu": [
        ("armv8_cortex_a76/event=0x58/", 0, 100),
        *rows("armv8_cortex_a76/event=0x11/ armv8_cortex_a76/event=0x08/", 327292, 100),
        ("armv8_cortex_a76/event=0x24/", 0, 100),
    ],
    "6.12-software": [
        ("task-clock", 320000, 100),
        *rows("context-switches cpu-migrations", 0, 100),
        ("page-faults", 33, 100),
        ("major-faults", 0, 100),
        ("duration_time", 1597744, 100),
    ],
    "6.1-default-x": [
        ("task-clock", 330000, 100),
        *rows("context-switches cpu-migrations", 0, 100),
        ("page-faults", 33, 100),
        *rows("cycles instructions", 332333, 100),
        *rows("branches branch-misses", NONE, 100),
    ],
    "6.1-modifiers": [
        ("cycles:u", 14498, 100),
        ("cycles:k", 306963, 100),
        ("cycles", 321461, 100),
        ("instructions:u", 14498, 100),
        ("instructions:k", 306963, 100),
        ("instructions", 321461, 100),
    ],
    "6.1-overflow-5G": rows("instructions cycles r08", 5382227780, 100),
    "6.12-sigkill": [*rows("cycles instructions", 50128907, 100), ("LLC-loads", NONE, 100)],
    "6.12-output-appended": [
        *rows("cycles instructions", 308568, 100),
        ("LLC-loads", NONE, 100),
        ("cycles", 308553, 100),
    ],
}


@pytest.mark.parametrize("name", READ)
def test_what_the_machine_printed_is_what_is_read(name: str) -> None:
    assert short(recorded(name)[1]) == READ[name]


@pytest.mark.parametrize("version", BOTH)
@pytest.mark.parametrize(
    "name",
    [
        *("interval", "repeat-3", "per-thread-pid", "system-wide-A"),
        *("json", "group-too-large-json", "default", "multiplexed-8-human"),
        *("bad-event", "bad-pmu", "raw-too-big", "no-command", "paranoid-3-user-plain", "perf-sigterm", "perf-sigkill"),
        *("perf-list", "sysfs-events", "env"),
    ],
)
def test_what_is_printed_otherwise_is_not_misread(version: str, name: str) -> None:
    """Another field before the value or behind the name, another format, a refusal, or nothing to do with counts."""
    assert short(recorded(f"{version}-{name}")[1]) == []


@pytest.mark.parametrize("line", ["0.05;30.1;msec;task-clock;30100000;100.00;;", "3;;cycles;0.26%;323;100.00;;"])
def test_a_moved_field_is_seen(line: str) -> None:
    assert parse(line) == ()


def test_a_comma_between_the_fields_reads_the_same() -> None:
    _, printed = recorded("6.1-comma")
    assert short(printed) == []
    assert short(printed.replace(",", ";")) == [*rows("cycles instructions", 324172, 100), ("LLC-loads", NONE, 100)]


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
