"""What a live session's figures look like: on a terminal of any size, as plain lines, as a summary."""

import io

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from made_screens import CAMERA, NO_PMU, QUIET, SETTING, second, summary
from msgspec.structs import replace
from rich.cells import cell_len
from rich.console import Console, Group

from profiler.cli.live import plain_output, wording
from profiler.cli.live.terminal_layout import Around, screen
from profiler.records import (
    Counted,
    Counting,
    MachineState,
    Second,
    Shown,
    Summary,
    from_json,
)

HOSTILE = "[bold]cat[/] \x1b[2J\x07\r\n猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫猫\u202e" * 3
EVENTS = (
    Counted(event="cycles", metric="cycles", proxy=False, per_frame=4e7, running_percent=100.0),
    Counted(event="inst_retired", metric="instructions", proxy=False, per_frame=8e7, running_percent=100.0),
    Counted(event="stall_backend", metric="stall_backend", proxy=False, per_frame=1.25e7, running_percent=83.0),
    Counted(event="ll_cache_miss_rd", metric="llc_load_miss", proxy=True, per_frame=52_340.0, running_percent=100.0),
    Counted(
        event="ll_cache_rd", metric="llc_load", proxy=False, per_frame=None, running_percent=None, reason="no counter"
    ),
)
COUNTING = Counting(frames=60, events=EVENTS, ipc=1.923, scope="user+kernel", lack=None)


AROUND = Around(wording.heading(SETTING, CAMERA), NO_PMU, 36.0)


def drawn(told: Second, around: Around = AROUND, width: int = 80, height: int = 24) -> list[str]:
    """The terminal's lines, drawn by rich as in earnest, without the spaces at their ends."""
    out = io.StringIO()
    console = Console(file=out, width=width, height=height, color_system=None, force_terminal=False)
    console.print(Group(*screen(told, around, width, height)))
    shown = out.getvalue().split("\n")[:-1]
    assert all(cell_len(line) <= width for line in shown)
    assert len(shown) <= height
    return [line.rstrip() for line in shown]


def test_a_second_in_eighty_columns() -> None:
    assert drawn(second()) == [
        "litert cat-dog.tflite: logit of cat and dog, centre crop to 150 x 150 x 3 uint8",
        "device HD Webcam C270 (/dev/video8): 640 x 480 MJPG, asked 36 fps, declared 30",
        "fps",
        f"counters n/a: {NO_PMU}",
        "",
        "  cat  98.3 %",
        "",
        f"cat  98.3 % {'█' * 67}",
        f"dog   1.7 % {'█'}",
        "rate      29.9 fps, source 29.8 fps (asked 36), 12 s, 1,358 frames",
        "shares    preprocess 8 %, inference 61 %, idle 30 %, other 1 %,",
        "          capture thread 4 %",
        "latency   p50 12.1 ms, p95 14.0 ms, p99 15.2 ms",
        "age       p50 20.3 ms, p95 n/a, p99 n/a",
        "lost      dropped 2, stale 1, corrupt 0, reconnects 0",
        "in all    dropped 31, stale 4, corrupt 7, reconnects 3",
        "machine   CPU 143 % of one, 62.1 °C, 1.50-2.40 GHz, not throttled",
        "counters  n/a",
    ]


def test_counts_carry_their_events_names_and_marks() -> None:
    shown = drawn(second(counting=COUNTING), AROUND._replace(lack=None))
    assert shown[-3:] == [
        "counters  IPC 1.92, ll_cache_miss_rd 52.3 k (proxy),",
        "          stall_backend 12.5 M (scaled), ll_cache_rd n/a,",
        "          for each frame of 60 (user+kernel)",
    ]


def test_an_ipc_of_scaled_events_is_scaled() -> None:
    cycles = replace(EVENTS[0], running_percent=50.0)
    assert wording.counts(replace(COUNTING, events=(cycles, *EVENTS[1:])), None)[0] == "IPC 1.92 (scaled)"
    assert wording.counts(replace(COUNTING, ipc=None), None)[0] == "IPC n/a"


def test_why_nothing_is_counted_is_said_where_the_heading_has_not() -> None:
    assert wording.counts(QUIET, None) == [f"n/a: {NO_PMU}"]
    assert wording.counts(QUIET, NO_PMU) == ["n/a"]
    assert wording.counts(replace(COUNTING, frames=0), None) == ["none before the first window of frames has ended"]


def test_a_machine_that_tells_nothing() -> None:
    told = wording.machine(20.0, MachineState(at=""))
    assert told == ["CPU 20 % of one", "not told here: temperature, clock and throttling"]


def test_throttling_is_in_words() -> None:
    state = MachineState(at="", throttled=0x50005)
    assert wording.machine(20.0, state)[1] == (
        "under-voltage now, throttled now, under-voltage since boot and throttled since boot"
    )


def test_trouble_and_notes_are_said_in_place_and_go() -> None:
    shown = drawn(second(trouble="the camera gives no frame; opening it anew, try 2"), AROUND._replace(notes=("full",)))
    assert shown[-2:] == ["trouble   the camera gives no frame; opening it anew, try 2", "full"]
    assert not any("trouble" in line for line in drawn(second()))


def test_before_the_first_label() -> None:
    assert "  no label yet" in drawn(second(top=()))


def test_many_answers_stand_in_two_columns_as_far_as_there_is_room() -> None:
    top = tuple(Shown(label=f"class {place}", probability=0.5 / 2**place) for place in range(10))
    shown = drawn(second(top=top))
    rows = [line for line in shown if line.startswith("class ")]
    assert [row.split("%")[0] for row in rows] == [f"class {place}  {50 / 2**place:4.1f} " for place in range(5)]
    assert all(f"class {place + 5}" in row for place, row in enumerate(rows))
    few = [line for line in drawn(second(top=top), height=14) if line.startswith("class ")]
    assert 0 < len(few) < 5


def test_a_low_terminal_keeps_the_label_and_the_rate() -> None:
    shown = drawn(second(), height=3)
    assert shown[0] == "  cat  98.3 %"
    assert shown[1].startswith("rate ")


def test_a_small_terminal_keeps_what_is_wrong() -> None:
    around = AROUND._replace(notes=("the disk is full",))
    shown = drawn(second(trouble="the camera has gone"), around, width=40, height=10)
    assert shown[0] == "  cat  98.3 %"
    assert shown[-2:] == ["trouble   the camera has gone", "the disk is full"]
    assert len(shown) == 10


@pytest.mark.parametrize("width", [80, 60, 40])
def test_hostile_names_neither_break_lines_nor_control_the_terminal(width: int) -> None:
    facts = CAMERA._replace(name=HOSTILE)
    around = Around(wording.heading(SETTING._replace(classes=(HOSTILE,)), facts), None, None, (HOSTILE,))
    top = tuple(Shown(label=HOSTILE, probability=0.1) for _ in range(10))
    shown = drawn(second(top=top, trouble=HOSTILE), around, width, height=60)
    text = "\n".join(shown)
    assert "[bold]cat[/]" in text
    assert all(letter.isprintable() or letter == "\n" for letter in text)
    assert any(line.endswith("10.0 %") and line.startswith("  [bold]cat[/]") for line in shown)


@given(st.integers(20, 130), st.integers(1, 50), st.lists(st.text(max_size=60), max_size=12), st.text(max_size=200))
def test_no_line_is_wider_than_the_terminal(width: int, height: int, labels: list[str], trouble: str) -> None:
    top = tuple(Shown(label=label, probability=1 / (place + 1)) for place, label in enumerate(labels))
    drawn(second(top=top, trouble=trouble, counting=COUNTING), AROUND, width, height)


def test_a_page_is_in_the_heading_whole() -> None:
    url = "http://192.0.2.7:8080/?token=0123456789abcdef0123456789abcdef"
    assert wording.heading(SETTING._replace(url=url), CAMERA)[-1] == f"page: {url}"


def test_what_counts_is_in_the_heading_with_what_does_not_and_why() -> None:
    counting = SETTING._replace(
        lack=None,
        events=("cycles", "inst_retired"),
        scope="user",
        absent={"ll_cache_rd": "no such event"},
        notes=("n",),
    )
    assert wording.heading(counting, CAMERA)[2] == (
        "counters: cycles and inst_retired, user, of this whole process; ll_cache_rd n/a (no such event); n"
    )


def test_many_classes_are_three_names_and_a_number() -> None:
    setting = SETTING._replace(classes=tuple(f"c{place}" for place in range(1000)))
    assert "logit of c0, c1 and 998 more," in wording.heading(setting, CAMERA)[0]


def test_a_plain_line_has_the_main_figures() -> None:
    told = second(trouble="gone\n", counting=COUNTING)
    assert plain_output.line(told, NO_PMU, 36.0) == (
        "12 s: cat 98.3 %, 29.9 fps, source 29.8 fps (asked 36), latency p50 12.1 ms p95 14.0 ms p99 15.2 ms, "
        "age p50 20.3 ms p95 n/a p99 n/a, dropped 2, stale 1, corrupt 0, reconnects 0, preprocess 8 %, "
        "inference 61 %, idle 30 %, other 1 %, capture thread 4 %, CPU 143 % of one, 62.1 °C, 1.50-2.40 GHz, "
        "not throttled, counters IPC 1.92 ll_cache_miss_rd 52.3 k (proxy) stall_backend 12.5 M (scaled) "
        "ll_cache_rd n/a for each frame of 60 (user+kernel), trouble: gone?"
    )


def test_the_summary_fits_eighty_columns() -> None:
    shown = plain_output.rows(summary(), "evening")
    assert shown == [
        "ended     stopped",
        "frames    1,798 in 60.0 s, 29.9 fps, source 30.0 fps",
        "shares    preprocess 8 %, inference 61 %, idle 30 %, other 1 %,",
        "          capture thread 4 %",
        "latency   p50 12.1 ms, p95 14.0 ms, p99 15.2 ms, to preprocess and infer",
        "age       p50 20.3 ms, p95 25.0 ms, p99 31.0 ms, from capture to label",
        "lost      dropped 3, stale 0, corrupt 1, reconnects 2",
        "labels    cat 1,204 (67 %), dog 594 (33 %)",
        "CPU       143 % of one",
        "recorded  `profiler report evening` shows it",
    ]


def test_a_summary_of_many_or_hostile_classes_fits_too() -> None:
    labels = {f"{HOSTILE}{place}": 100 - place for place in range(50)}
    shown = plain_output.rows(summary(labels=labels, frames=sum(labels.values())), None)
    assert all(cell_len(line) <= plain_output.WIDTH and line.isprintable() for line in shown)
    assert "40 others" in " ".join(shown)
    assert "recorded" not in " ".join(shown)


def test_the_summary_fits_a_narrow_terminal() -> None:
    shown = plain_output.rows(summary(), "evening", 60)
    assert all(cell_len(line) <= 60 for line in shown)
    assert "          to preprocess and infer" in shown


def test_a_summary_without_frames() -> None:
    shown = plain_output.rows(summary(labels={}, frames=0), None)
    assert not any(line.startswith("labels") for line in shown)


def test_json_is_a_second_a_line_and_then_the_summary(capsys: pytest.CaptureFixture[str]) -> None:
    out = io.StringIO()
    watch = plain_output.Json(out)
    watch.opened(SETTING, CAMERA)
    watch.second(second())
    watch.note("the disk is full")
    watch.ended(summary(), "evening")
    first, last = out.getvalue().splitlines()
    assert from_json(Second, first) == second()
    assert msgspec.convert(msgspec.json.decode(last)["summary"], Summary) == summary()
    said = capsys.readouterr().err
    assert "HD Webcam C270" in said
    assert "profiler: the disk is full" in said
    assert "profiler report evening" in said
