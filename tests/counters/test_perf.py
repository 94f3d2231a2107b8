"""The perf source against the fake perf, as a Cortex-A76 machine."""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from studies import LAB

from profiler.counters import Survey, choose, perf
from profiler.counters.perf_output import Reading
from profiler.errors import ProfilerError
from profiler.machine import events as catalogue
from profiler.machine import host
from profiler.records import Event, Machine, Region

FakePerf = Callable[..., None]
BOTH: tuple[Region, ...] = ("process", "inference")


def events(wanted: str = "lab") -> tuple[Event, ...]:
    core = catalogue.core("cortex-a76")
    return (*catalogue.resolve(wanted, core, "armv8_cortex_a76"), *catalogue.always())


def surveyed(machine: Machine, wanted: str = "lab", regions: tuple[Region, ...] = BOTH) -> Survey:
    return perf.open().survey(events(wanted), machine, regions)


def test_the_lab_set_is_one_group(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf()
    survey = surveyed(pi5)
    assert survey == Survey("user+kernel", {}, (LAB,), ())


@pytest.mark.parametrize("counters", [6, 5, 4, 3])
def test_groups_shrink_to_the_counters_there_are(pi5: Machine, fake_perf: FakePerf, counters: int) -> None:
    fake_perf(counters=counters)
    groups = surveyed(pi5).groups
    assert all(len(group) <= counters + 1 for group in groups)
    assert {name for group in groups for name in group} == set(LAB)


def test_no_group_fits(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf(counters=1)
    with pytest.raises(ProfilerError, match="no group of them in full"):
        surveyed(pi5)


def test_an_event_that_is_never_counted_is_in_no_group(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf(unsupported=["stall_backend", "LLC-loads"])
    survey = surveyed(pi5, "lab,LLC-loads")
    assert set(survey.absent) == {"stall_backend", "LLC-loads"}
    assert survey.groups == (tuple(name for name in LAB if name != "stall_backend"),)


def test_a_pmu_that_has_none_of_the_events_is_not_called_missing(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf(unsupported=["LLC-loads"])
    survey = surveyed(pi5, "LLC-loads")
    assert survey.groups == ((),)
    assert survey.notes[0].startswith("No hardware event is counted: armv8_cortex_a76 has none of those asked for.")


def test_a_tool_event_is_tried_in_company(
    pi5: Machine, fake_perf: FakePerf, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_perf(user_only=True)
    source = perf.open()
    trial = source._try

    def refuses_a_lone_tool_event(selection: str, *workload: Sequence[str]) -> tuple[int, tuple[Reading, ...], str]:
        # As perf 6.1 does at perf_event_paranoid 2.
        return (255, (), "") if selection == "duration_time" else trial(selection, *workload)

    monkeypatch.setattr(source, "_try", refuses_a_lone_tool_event)
    survey = source.survey(events(), pi5, BOTH)
    with source.launch(["true"], survey.groups[0], "process", tmp_path / "raw") as launch:
        assert any("duration_time" in word for word in launch.argv)


@pytest.mark.parametrize("source", ["perf", "auto"])
def test_an_unknown_event_is_an_error(pi5: Machine, fake_perf: FakePerf, source: str) -> None:
    fake_perf()
    with pytest.raises(ProfilerError, match="perf knows no event 'no-such-event'"):
        choose(source, events("lab,no-such-event"), pi5, BOTH)


def test_an_event_of_a_pmu_that_is_not_there_is_absent(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf()
    survey = surveyed(pi5, "lab,some_pmu/event=0x1/")
    assert survey.absent == {"some_pmu/event=0x1/": "this perf knows no such PMU or event"}
    assert survey.groups == (LAB,)


def test_a_raw_code_below_0x40_needs_the_kernels_word(
    pi5: Machine, fake_perf: FakePerf, monkeypatch: pytest.MonkeyPatch
) -> None:
    fake_perf()
    listed = frozenset({0x11, 0x08, 0x24, 0x17, 0x04})
    monkeypatch.setattr(host, "pmu_events", lambda pmu: listed)
    absent = surveyed(pi5).absent
    assert set(absent) == {"ll_cache_rd", "ll_cache_miss_rd"}


def test_a_pmu_without_l1d_cache_is_emulated(
    pi5: Machine, fake_perf: FakePerf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What QEMU's PMU shows: no code says that it lacks 0x58, and what it lists of the stalls stays 0."""
    fake_perf(silent=["stall_backend", "l2d_cache_inval", "r58"])
    monkeypatch.setattr(host, "pmu_events", lambda pmu: frozenset({0x11, 0x08, 0x23, 0x24}))
    survey = surveyed(pi5, "lab,r58,ref-cycles")
    assert survey.groups == (("cycles", "inst_retired", "ref-cycles"),)
    assert "l1d_cache" in survey.absent["l2d_cache_inval"]
    assert "(0x58)" in survey.absent["r58"]
    assert survey.absent["stall_backend"] == STILL
    (note,) = survey.notes
    assert note.startswith("The PMU armv8_cortex_a76 lists not even l1d_cache")


STILL = "reads 0 over 60 million instructions: not counting on this machine"


def test_an_event_that_stays_0_over_real_work_does_not_count(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf(silent=["stall_backend", "ll_cache_rd"])
    survey = surveyed(pi5)
    assert survey.absent == {"stall_backend": STILL, "ll_cache_rd": STILL}
    assert survey.groups == (tuple(name for name in LAB if name not in survey.absent),)
    assert survey.notes == ()


def test_those_left_are_grouped_again(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf(counters=4, silent=["stall_backend", "ll_cache_rd", "ll_cache_miss_rd"])
    assert surveyed(pi5).groups == (("cycles", "inst_retired", "l2d_cache_inval", "l2d_cache_refill"),)


@pytest.mark.parametrize(
    "wanted", ["lab", "cycles,instructions,l2d_invalidate", "l2d_invalidate,armv8_cortex_a76/event=0x59/"]
)
def test_an_event_that_work_can_do_without_may_be_0(pi5: Machine, fake_perf: FakePerf, wanted: str) -> None:
    fake_perf(silent=["l2d_cache_inval", "armv8_cortex_a76/event=0x59/"])
    survey = surveyed(pi5, wanted)
    assert survey.absent == {}
    assert any("l2d_cache_inval" in group for group in survey.groups)


def test_where_no_other_event_counts_it_goes_with_them(pi5: Machine, fake_perf: FakePerf) -> None:
    silent = [name for name in LAB if name not in {"cycles", "inst_retired"}]
    fake_perf(silent=silent)
    survey = surveyed(pi5)
    assert survey.absent == dict.fromkeys(silent, STILL)
    assert survey.groups == (("cycles", "inst_retired"),)


@pytest.mark.parametrize("wanted", ["lab", "l2d_refill"])
def test_a_pmu_that_stands_still_counts_no_hardware(pi5: Machine, fake_perf: FakePerf, wanted: str) -> None:
    fake_perf(silent=LAB)
    survey = surveyed(pi5, wanted)
    assert set(survey.absent) == {event.name for event in events(wanted) if event.kind == "hardware"}
    assert set(survey.absent.values()) == {"reads 0 over millions of instructions: not counting on this machine"}
    assert not any(survey.groups)
    assert survey.notes[0].startswith("No hardware")


def test_a_refused_perf_names_the_command(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf(refuse=True)
    with pytest.raises(ProfilerError) as raised:
        surveyed(pi5)
    assert raised.value.remedy == "sudo sysctl kernel.perf_event_paranoid=1"


def test_an_old_perf_counts_processes_only(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf(version="5.8.0", no_control=True)
    with pytest.raises(ProfilerError, match=r"perf 5\.8\.0 is too old to count a region"):
        surveyed(pi5)
    assert surveyed(pi5, regions=("process",)).groups == (LAB,)


@pytest.mark.usefixtures("no_perf")
def test_no_perf_at_all(pi5: Machine) -> None:
    with pytest.raises(ProfilerError, match=r"perf is not installed: sudo apt install linux-perf"):
        perf.open()
    source, survey = choose("auto", events(), pi5, BOTH)
    assert source.name == "software"
    assert "perf is not installed" in survey.notes[0]
    assert survey.absent["cycles"] == "rusage knows no such event"


@pytest.mark.parametrize("version", ["5.10.262", "6.1.187", "6.12.107"])
@pytest.mark.parametrize("user_only", [False, True])
def test_counts_of_a_process(pi5: Machine, fake_perf: FakePerf, tmp_path: Path, version: str, user_only: bool) -> None:
    fake_perf(version=version, user_only=user_only)
    source = perf.open()
    survey = source.survey(events(), pi5, BOTH)
    assert survey.scope == ("user" if user_only else "user+kernel")
    raw = tmp_path / "raw"
    with source.launch(["true"], survey.groups[0], "process", raw) as launch:
        assert launch.environment["LC_ALL"] == "C"
        subprocess.run(launch.argv, check=True, pass_fds=launch.pass_fds)
    counts = {count.event: count for count in source.read(raw, survey.groups[0])}
    assert set(LAB) <= set(counts)
    assert all(counts[name].status == "counted" and counts[name].running_percent == 100 for name in LAB)
    assert counts["cycles"].value
    assert counts["task-clock"].unit == "ns"
    assert counts["duration_time"].unit == "ns"
    assert ("user_time" in counts) is (version != "5.10.262")
    assert ({"context-switches", "page-faults"} <= set(counts)) is not user_only


def test_what_happens_in_the_kernel_alone_is_absent_for_a_user(pi5: Machine, fake_perf: FakePerf) -> None:
    fake_perf(user_only=True)
    assert set(surveyed(pi5, "lab,cpu-migrations").absent) == {"cpu-migrations"}


def test_a_region_opens_fds_only_while_it_runs(pi5: Machine, fake_perf: FakePerf, tmp_path: Path) -> None:
    fake_perf()
    source = perf.open()
    survey = source.survey(events(), pi5, BOTH)
    with source.launch(["true"], survey.groups[0], "inference", tmp_path / "raw") as launch:
        assert len(launch.pass_fds) == 4
        assert launch.environment["PROFILER_GATE"].startswith("fd:")
        assert "-D" in launch.argv
        assert not any("duration_time" in word for word in launch.argv)
        subprocess.run(launch.argv, check=True, pass_fds=launch.pass_fds, capture_output=True)
    # The workload never opened the region, and says so instead of 0.
    counts = {count.event: count for count in source.read(tmp_path / "raw", survey.groups[0])}
    assert counts["cycles"].value is None
    assert counts["cycles"].status == "not_counted"
    assert counts["cycles"].reason


def test_a_perf_that_left_nothing(pi5: Machine, fake_perf: FakePerf, tmp_path: Path) -> None:
    fake_perf()
    counts = perf.open().read(tmp_path / "gone", ("cycles",))
    assert [(count.event, count.value, count.status) for count in counts] == [("cycles", None, "not_counted")]


def test_the_software_source_counts_the_kernels_own(pi5: Machine, tmp_path: Path) -> None:
    source, survey = choose("software", events(), pi5, BOTH)
    assert survey.groups == ((),)
    assert "task-clock" not in survey.absent
    with source.launch(["true"], (), "inference", tmp_path / "raw") as launch:
        assert launch == (("true",), {}, ())
    assert source.read(tmp_path / "raw", ()) == ()
