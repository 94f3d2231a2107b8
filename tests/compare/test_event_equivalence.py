"""Which events may share a row: by what they count, never by the name alone."""

import pytest
from msgspec.structs import replace
from studies import NO_PMU, PI5

from profiler.compare import event_equivalence
from profiler.machine import events as catalogue
from profiler.records import Event, Machine

PI4 = replace(PI5, uarch="cortex-a72", cpu="Cortex-A72", page_bytes=4096)
N1 = replace(PI5, uarch="neoverse-n1", cpu="Neoverse-N1")
XEON = replace(PI5, uarch="skylake-x", cpu="Xeon", arch="x86_64", page_bytes=4096)
CASCADE = replace(XEON, uarch="icelake-x")
ZEN = replace(XEON, uarch="amd-zen3", cpu="EPYC")


def event(name: str, on: Machine) -> Event:
    (found,) = (each for each in catalogue.resolve(name, catalogue.core(on.uarch), None) if each.name == name)
    return found


def unlike(name: str, on: Machine, other_name: str, other: Machine) -> str | None:
    return event_equivalence.unlike(event(name, on), on, event(other_name, other), other)


@pytest.mark.parametrize(
    ("name", "other_name"),
    [
        ("LLC-loads", "ll_cache_rd"),
        ("LLC-load-misses", "ll_cache_miss_rd"),
        ("cache-misses", "l1d_cache_refill"),
        ("stalled-cycles-backend", "stall_backend"),
        ("cpu_cycles", "cycles"),
        ("cycles", "cycles"),
    ],
)
def test_on_one_core_an_alias_is_its_event(name: str, other_name: str) -> None:
    assert unlike(name, PI5, other_name, PI5) is None


@pytest.mark.parametrize(
    ("name", "other_name"),
    [("cache-misses", "ll_cache_miss_rd"), ("LLC-loads", "l1d_cache"), ("l2d_cache", "l2d_cache_refill")],
)
def test_on_one_core_other_events_are_apart(name: str, other_name: str) -> None:
    assert "another event" in (unlike(name, PI5, other_name, PI5) or "")


@pytest.mark.parametrize(
    ("name", "on", "other"),
    [
        ("LLC-loads", PI5, XEON),
        ("LLC-load-misses", PI5, XEON),
        ("LLC-loads", PI5, N1),
        ("cache-misses", PI5, ZEN),
        ("cache-misses", PI5, XEON),
        ("cache-references", PI5, XEON),
        ("cache-references", XEON, ZEN),
        ("L1-dcache-loads", PI5, ZEN),
        ("dTLB-load-misses", PI5, ZEN),
        ("l2d_cache_inval", PI5, PI4),
        ("l2d_cache_refill", PI5, PI4),
    ],
)
def test_equal_names_of_other_meaning_on_two_cores_never_share_a_row(name: str, on: Machine, other: Machine) -> None:
    mine, its = event(name, on), event(name, other)
    assert event_equivalence.related(mine, on, its, other)
    assert event_equivalence.unlike(mine, on, its, other)
    assert event_equivalence.unlike(its, other, mine, on)


def test_the_reason_says_what_each_core_counts() -> None:
    reason = unlike("l2d_cache_refill", PI5, "l2d_cache_refill", PI4) or ""
    assert reason.startswith("another event meaning: on cortex-a76 lines brought into the L2 on demand")
    assert "on cortex-a72 lines brought into the L2, which the cluster's cores share" in reason


@pytest.mark.parametrize(
    ("name", "on", "other_name", "other"),
    [
        ("cycles", PI5, "cycles", ZEN),
        ("inst_retired", PI5, "instructions", XEON),
        ("l1d_cache_refill", PI5, "l1d_cache_refill", PI4),
        ("stall_backend", PI5, "stall_backend", N1),
        ("LLC-loads", XEON, "LLC-loads", CASCADE),
        ("cache-references", PI5, "L1-dcache-loads", PI4),
    ],
)
def test_equal_meanings_on_two_cores_share_a_row(name: str, on: Machine, other_name: str, other: Machine) -> None:
    assert unlike(name, on, other_name, other) is None


def test_backend_stalls_of_two_vendors_are_apart() -> None:
    assert "another event meaning" in (unlike("stall_backend", PI5, "resource_stalls.any", XEON) or "")


def test_a_proxy_is_never_the_event_itself() -> None:
    exact = event("ll_cache_rd", PI5)
    (proxy,) = (
        each for each in catalogue.resolve("llc_load", catalogue.core("cortex-a72"), None) if each.quality == "proxy"
    )
    reason = event_equivalence.unlike(exact, PI5, proxy, PI4)
    assert reason == "a proxy and the event itself: l2d_cache_rd only stands in for llc_load"


def test_cores_outside_the_catalogue_share_rows_of_the_same_cpu_alone() -> None:
    unknown, other = replace(NO_PMU, cpu="A CPU"), replace(NO_PMU, cpu="Another CPU")
    assert unlike("LLC-loads", unknown, "LLC-loads", unknown) is None
    assert "another event meaning" in (unlike("LLC-loads", unknown, "LLC-loads", other) or "")
    assert unlike("cycles", unknown, "cycles", other) is None


def test_one_name_for_two_codes_is_two_events() -> None:
    first = event("ll_cache_rd", PI5)
    second = replace(first, encoding="armv8_pmuv3_0/event=0x36,name=ll_cache_rd/")
    assert event_equivalence.unlike(first, PI5, second, PI5) is None
    third = replace(first, encoding="armv8_cortex_a76/event=0x2a,name=ll_cache_rd/")
    assert event_equivalence.unlike(first, PI5, third, PI5) == "another event: ll_cache_rd is event=0x2a and event=0x36"


def test_pages_of_another_size_are_other_things() -> None:
    faults, walks = event("page-faults", PI5), event("dtlb_walk", PI5)
    small = replace(PI5, page_bytes=4096)
    assert event_equivalence.unlike(faults, PI5, faults, small) == "another page size: 16 KiB and 4 KiB"
    assert event_equivalence.unlike(walks, PI5, walks, small) == "another page size: 16 KiB and 4 KiB"
    assert event_equivalence.unlike(faults, PI5, faults, PI5) is None


def test_time_is_time_everywhere() -> None:
    for name in ("duration_time", "task-clock", "user_time"):
        assert unlike(name, PI5, name, ZEN) is None
    assert unlike("duration_time", PI5, "task-clock", PI5)


def test_instructions_of_two_sets_share_a_row_and_are_marked() -> None:
    mine, its = event("inst_retired", PI5), event("instructions", XEON)
    names, sets = event_equivalence.marks(mine, PI5, its, XEON)
    assert names == "one event under two names"
    assert "two instruction sets, aarch64 and x86_64" in sets
    assert list(event_equivalence.marks(mine, PI5, mine, PI5)) == []


def test_victims_of_a_shared_l2_share_no_row_with_those_of_a_private_one() -> None:
    assert "another event meaning" in (unlike("l2d_cache_wb_victim", PI5, "l2d_cache_wb_victim", PI4) or "")
    assert unlike("l2d_cache_wb_victim", PI5, "l2d_cache_wb_victim", N1) is None


@pytest.mark.parametrize("cpu", ["", "unknown"])
def test_cpus_without_a_name_are_not_one_core(cpu: str) -> None:
    nameless = replace(NO_PMU, cpu=cpu)
    assert not event_equivalence.same_core(nameless, nameless)
    assert unlike("LLC-loads", nameless, "LLC-loads", nameless)
    assert event_equivalence.same_core(NO_PMU, NO_PMU)
    assert not event_equivalence.same_core(NO_PMU, replace(NO_PMU, arch="aarch64"))
