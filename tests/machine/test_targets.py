import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from studies import LAB, PI5

import profiler
from profiler.errors import ProfilerError
from profiler.machine import host, targets
from profiler.machine.events import core, resolve
from profiler.records import Cache, Event, Target, from_json, to_json

KIB = 1024
ENTRIES = json.loads((Path(profiler.__file__).parent / "data" / "simulated.json").read_text())
LATENCY = "memory_latency_cycles"


def shown(target: Target, wanted: str) -> tuple[dict[str, Event], dict[str, str]]:
    """The events of a simulated study by name, and why some are absent."""
    events, absent = targets.events(target, resolve(wanted, core(target.uarch), None))
    assert len({event.name for event in events}) == len(events)
    assert set(absent) <= {event.name for event in events}
    return {event.name: event for event in events}, absent


def a_host(monkeypatch: pytest.MonkeyPatch, caches: Sequence[Cache], **facts: Any) -> Target:
    """This machine with these caches, as a target."""
    monkeypatch.setattr(host, "describe", lambda: replace(PI5, **{"cpu": "A CPU", "caches": tuple(caches), **facts}))
    return targets.find("host")


def x86(l3_kib: int = 36 * KIB, l3_ways: int | None = 12, l3_shared_by: int = 4, **changes: Any) -> list[Cache]:
    """The caches that sysfs shows of a machine with an L3 in slices."""
    rows: list[tuple[int, Any, int, int | None, int]] = [
        (1, "Data", 48, 12, 1),
        (1, "Instruction", 32, 8, 1),
        (2, "Unified", 1280, 20, 1),
        (3, "Unified", l3_kib, l3_ways, l3_shared_by),
    ]
    return [
        replace(
            Cache(
                level=level,
                type=kind,
                size_bytes=kib * KIB,
                ways=ways,
                line_bytes=64,
                shared_by=shared_by,
                source="sysfs",
            ),
            **changes,
        )
        for level, kind, kib, ways, shared_by in rows
    ]


# Finding a machine.


def test_the_boards_that_ship() -> None:
    assert targets.known() == ("pi5", "pi4", "pi3", "host")
    told = [targets.describe(targets.find(name)).split(", 64 B lines, ") for name in ("pi5", "pi4", "pi3")]
    assert told == [
        ["Raspberry Pi 5: L1 64 KiB 4-way, L2 512 KiB 8-way private, L3 2 MiB 16-way shared", "stride prefetcher"],
        ["Raspberry Pi 4: L1I 48 KiB 3-way, L1D 32 KiB 2-way, L2 1 MiB 16-way shared", "no prefetcher"],
        ["Raspberry Pi 3: L1I 32 KiB 2-way, L1D 32 KiB 4-way, L2 512 KiB 16-way shared", "no prefetcher"],
    ]


def test_options_of_the_simulator() -> None:
    assert list(targets.hierarchy(targets.find("pi5")).items()) == [
        ("l1i", "65536:4:64"),
        ("l1d", "65536:4:64"),
        ("l2", "524288:8:64:private"),
        ("l3", "2097152:16:64"),
        ("prefetch", "stride"),
        ("prefetch_l1_confidence", "8"),
        ("prefetch_l1_degree", "1"),
        ("prefetch_l1_distance", "2"),
        ("prefetch_l2_confidence", "1"),
        ("prefetch_l2_degree", "8"),
        ("prefetch_l2_distance", "16"),
    ]
    stride = replace(targets.find("pi4"), prefetch={"kind": "stride", "distance": 8, "degree": 2})
    assert list(targets.hierarchy(stride).items()) == [
        ("l1i", "49152:3:64"),
        ("l1d", "32768:2:64"),
        ("l2", "1048576:16:64:shared"),
        ("prefetch", "stride"),
        ("prefetch_degree", "2"),
        ("prefetch_distance", "8"),
    ]
    assert targets.describe(stride).endswith("64 B lines, stride prefetcher")
    assert targets.describe(replace(stride, prefetch={"kind": "next-line"})).endswith(", next-line prefetcher")


def test_the_options_do_not_depend_on_the_order_in_a_file() -> None:
    board = targets.find("pi5")
    turned = replace(board, caches=tuple(reversed(board.caches)))
    assert list(targets.hierarchy(turned).items()) == list(targets.hierarchy(board).items())
    assert targets.describe(turned) == targets.describe(board)


def test_a_target_is_stored_whole() -> None:
    for name in ("pi5", "pi4", "pi3"):
        assert from_json(Target, to_json(targets.find(name))) == targets.find(name)


def test_a_cache_by_level_and_type() -> None:
    found = targets.cache(targets.find("pi4"), 1, "Instruction")
    assert found is not None
    assert found.size_bytes == 48 * KIB
    assert targets.cache(targets.find("pi4"), 3, "Unified") is None


def test_a_file_by_path(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes((host.MACHINES / "pi3.toml").read_bytes())
    assert targets.find(str(path)) == replace(targets.find("pi3"), key="mine", source="mine.toml")


@pytest.mark.parametrize("name", ["pi6", "", "Pi5", "/etc/passwd"])
def test_an_unknown_machine_is_refused_with_the_known_ones(name: str) -> None:
    with pytest.raises(ProfilerError, match=r"unknown machine '.*': use one of pi5, pi4, pi3, host, or .*FILE.toml"):
        targets.find(name)


def test_a_missing_file_is_refused() -> None:
    with pytest.raises(ProfilerError, match=r"there is no machine file none\.toml"):
        targets.find("none.toml")


# This machine.


@pytest.mark.usefixtures("pi5")
def test_a_pi_as_host_is_that_pi() -> None:
    here, board = targets.find("host"), targets.find("pi5")
    assert (here.key, here.title, here.uarch, here.source) == ("host", "Cortex-A76", "cortex-a76", "sysfs")
    # The kernel tells of caches, not of prefetchers.
    assert targets.hierarchy(here) == targets.hierarchy(replace(board, prefetch={"kind": "none"}))
    assert here.latency_cycles == {}


def test_a_real_l3_is_rounded_down_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    here = a_host(monkeypatch, x86())
    assert targets.hierarchy(here)["l3"] == f"{24 * KIB * KIB}:12:64"
    assert targets.hierarchy(here)["l2"] == f"{1280 * KIB}:20:64:private"
    assert "simulated with 24576 of 36864 KiB" in here.caches[3].source


def test_two_threads_of_a_core_share_its_caches(monkeypatch: pytest.MonkeyPatch) -> None:
    caches = [replace(cache, shared_by=max(2, cache.shared_by or 0)) for cache in x86()]
    assert targets.hierarchy(a_host(monkeypatch, caches))["l2"].endswith(":private")
    caches = [replace(cache, shared_by=4 if cache.level == 2 else cache.shared_by) for cache in x86()]
    assert targets.hierarchy(a_host(monkeypatch, caches))["l2"].endswith(":shared")


def test_an_l3_for_each_cpu_of_a_virtual_machine_is_simulated_as_shared(monkeypatch: pytest.MonkeyPatch) -> None:
    here = a_host(monkeypatch, x86(l3_kib=32 * KIB, l3_ways=16, l3_shared_by=1))
    assert (here.caches[3].shared_by, here.caches[3].source) == (4, "sysfs; private, simulated as shared")
    alone = a_host(monkeypatch, x86(l3_kib=32 * KIB, l3_ways=16, l3_shared_by=1), cpus=1)
    assert (alone.caches[3].shared_by, alone.caches[3].source) == (1, "sysfs")


def test_a_host_without_l3_and_one_with_an_l4(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "l3" not in targets.hierarchy(a_host(monkeypatch, x86()[:3]))
    fourth = replace(x86()[3], level=4, size_bytes=128 * KIB * KIB, ways=16)
    assert len(a_host(monkeypatch, [*x86(), fourth]).caches) == 4


@pytest.mark.parametrize(
    ("caches", "said"),
    [
        ([], "there is no L1I"),
        (x86()[::2], "there is no L1I"),
        (x86(l3_ways=None), "L3: its ways, line size or sharing are unknown"),
        (x86(line_bytes=None), "its ways, line size or sharing are unknown"),
        ([*x86()[:3], replace(x86()[3], line_bytes=128)], "differ in size"),
    ],
)
def test_a_host_that_cannot_be_simulated_is_told_of_another(
    monkeypatch: pytest.MonkeyPatch, caches: list[Cache], said: str
) -> None:
    with pytest.raises(ProfilerError, match="simulate another machine's, such as pi5") as error:
        a_host(monkeypatch, caches)
    assert said in str(error.value)


def test_the_real_host_is_simulable_or_says_why() -> None:
    try:
        told = targets.describe(targets.find("host"))
    except ProfilerError as error:
        told = str(error)
    assert "64 B lines, no prefetcher" in told or "such as pi5" in told


# What a simulated study shows.


def test_simulated_events_bear_the_names_and_metrics_of_the_a76() -> None:
    metric = {entry.name: entry.metric for entry in core("cortex-a76").entries if entry.quality == "exact"}
    for entry in ENTRIES:
        assert entry["metric"] == metric.get(entry["name"], entry["name"])
        assert entry["meaning"]
        assert not entry["meaning"].endswith(".")
    assert targets.simulated() == {entry["name"] for entry in ENTRIES}
    assert len(targets.simulated()) == len(ENTRIES)


def test_the_lab_on_a_pi5() -> None:
    events, absent = shown(targets.find("pi5"), "lab")
    assert tuple(events)[:7] == LAB
    assert absent == dict.fromkeys(("cycles", "stall_backend"), "not modelled: the simulation has no notion of time")
    assert set(events) == targets.simulated() | set(absent)
    simulated = [event for name, event in events.items() if name not in absent]
    assert {(event.kind, event.encoding, event.quality) for event in simulated} == {("hardware", None, "exact")}
    assert events["ll_cache_rd"].metric == "llc_load"


def test_what_no_simulator_has_is_absent_with_a_reason() -> None:
    _, absent = shown(targets.find("pi5"), "dtlb_walk,branches,bus_access,stall_memory,page-faults,duration_time,r1b")
    assert absent == {
        "dtlb_walk": "not modelled",
        "br_retired": "not modelled",
        "bus_access": "not modelled",
        "stall_backend_mem": absent["stall_backend_mem"],
        "stall_backend": "not modelled: the simulation has no notion of time",
        "page-faults": "not modelled: the kernel, which is not simulated, counts it",
        "duration_time": "not modelled: the kernel, which is not simulated, counts it",
        "r1b": "not modelled",
    }
    assert "not implemented by Cortex-A76" in absent["stall_backend_mem"]


def test_no_l3_on_a_pi4_and_its_neighbours_stay_proxies() -> None:
    events, absent = shown(targets.find("pi4"), "llc_load,llc_load_miss,l3_access")
    assert set(absent) == {"ll_cache_rd", "ll_cache_miss_rd", "l3d_cache"}
    assert "no L3" in absent["ll_cache_rd"]
    assert (events["l2d_cache_rd"].quality, events["l2d_cache_rd"].metric) == ("proxy", "llc_load")
    assert (events["l2d_cache_refill_rd"].quality, events["l2d_cache_refill_rd"].metric) == ("proxy", "llc_load_miss")
    assert events["l2d_cache_rd"].meaning.endswith("; reads of the L2, the last level on this core: there is no L3")
    assert events["l2d_cache"].quality == "exact"
    unasked, _ = shown(targets.find("pi4"), "instructions")
    assert unasked["l2d_cache_rd"] == events["l2d_cache_rd"]
    assert not {name for name in unasked if name.startswith(("l3d_", "ll_"))}


def test_a_core_has_only_the_events_of_its_catalogue() -> None:
    events, absent = shown(targets.find("pi3"), "l2d_victim,llc_load")
    assert set(absent) == {"l2d_cache_wb_victim", "ll_cache_rd"}
    assert "l2d_cache_inval" not in events
    assert (events["l2d_cache"].metric, events["l2d_cache"].quality) == ("llc_load", "proxy")
    plain, _ = shown(targets.find("pi3"), "instructions")
    assert (plain["l2d_cache"].metric, plain["l2d_cache"].quality) == ("l2d_access", "exact")


def test_events_under_other_names_are_answered_by_metric(monkeypatch: pytest.MonkeyPatch) -> None:
    events, absent = shown(targets.find("pi5"), "LLC-loads,L1-dcache-load-misses,l1d_cache_rd")
    assert list(events)[:3] == ["ll_cache_rd", "l1d_cache_refill", "l1d_cache_rd"]
    assert absent == {}
    assert events["l1d_cache_rd"].quality == "exact"
    for uarch in ("generic", "skylake-x", "amd-zen4"):
        events, absent = shown(a_host(monkeypatch, x86(), uarch=uarch), "all")
        assert targets.simulated() <= set(events)
        assert set(absent).isdisjoint(targets.simulated() - {LATENCY})
        assert {events[name].quality for name in targets.simulated()} == {"exact"}


def test_an_event_wanted_by_the_simulations_name_on_another_core_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    events, absent = shown(a_host(monkeypatch, x86(), uarch="skylake-x"), "inst_retired,l1d_cache_refill")
    assert list(events)[:2] == ["inst_retired", "l1d_cache_refill"]
    assert (events["inst_retired"].metric, events["inst_retired"].quality) == ("instructions", "exact")
    assert set(absent) == {LATENCY}


def test_a_core_with_an_l3_event_on_a_machine_without_l3(monkeypatch: pytest.MonkeyPatch) -> None:
    here = a_host(monkeypatch, x86()[:3], uarch="cortex-a76")
    _, absent = shown(here, "llc_load,LLC-load-misses,l3d_cache")
    assert set(absent) == {"ll_cache_rd", "LLC-load-misses", "l3d_cache", LATENCY}
    assert {reason for name, reason in absent.items() if name != LATENCY} == {"A CPU has no L3"}


# The modelled latency.


def test_the_latency_bound_is_the_sum_over_levels() -> None:
    counts = {"served_l2": 1000, "served_l3": 100, "served_memory": 10, "l1d_cache": 5}
    board = targets.find("pi5")
    per_level = board.latency_cycles
    assert targets.latency_bound(board, counts) == pytest.approx(
        1000 * per_level["l2"] + 100 * per_level["l3"] + 10 * per_level["memory"]
    )
    small = targets.find("pi4")
    expected = 1000 * small.latency_cycles["l2"] + 10 * small.latency_cycles["memory"]
    assert targets.latency_bound(small, {"served_l2": 1000, "served_memory": 10}) == pytest.approx(expected)
    assert targets.latency_bound(board, {"served_l2": 0, "served_l3": 0, "served_memory": 0}) == 0


@pytest.mark.parametrize("missing", ["l2", "l3", "memory"])
def test_no_latency_bound_without_every_figure(missing: str) -> None:
    board = targets.find("pi5")
    counts = {f"served_{level}": 1 for level in ("l2", "l3", "memory")}
    partial = replace(board, latency_cycles={k: v for k, v in board.latency_cycles.items() if k != missing})
    assert targets.latency_bound(partial, counts) is None
    assert targets.latency_bound(board, {k: v for k, v in counts.items() if k != f"served_{missing}"}) is None
    events, absent = shown(partial, "instructions")
    assert absent == {LATENCY: f"pi5.toml has no latency of {missing}"}
    assert LATENCY in events


def test_the_modelled_latency_names_its_figures_and_their_source() -> None:
    events, _ = shown(targets.find("pi5"), LATENCY)
    assert next(iter(events)) == LATENCY
    meaning = events[LATENCY].meaning
    assert meaning.startswith("modelled: ")
    assert "(l2 12.1, l3 42.9, memory 280 cycles; ThomasKaiser/sbc-bench results/8-NK.txt" in meaning
    assert events[LATENCY].quality == "exact"


def test_a_prefetcher_weakens_the_bound() -> None:
    pi5 = targets.find("pi5")

    def meaning(target: Target) -> str:
        return next(event.meaning for event in targets.events(target, ())[0] if event.name == targets.LATENCY)

    assert meaning(pi5).endswith(", provided that every prefetch comes in time")
    assert "prefetch" not in meaning(replace(pi5, prefetch={"kind": "none"}))
