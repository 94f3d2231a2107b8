import re
from collections.abc import Sequence
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from studies import LAB

import profiler
from profiler.errors import ProfilerError
from profiler.machine import events as catalogue
from profiler.machine.events import GENERIC, Core, always, core, cores, gated, groups, recognise, resolve, sets, strip
from profiler.records import Event

DATA = Path(profiler.__file__).parent / "data" / "events"
SETS = msgspec.json.decode((DATA / "sets.json").read_bytes(), type=dict[str, tuple[str, ...]])
CANONICAL = {entry.metric: entry.name for entry in core("cortex-a76").entries if entry.metric in SETS["all"]} | {
    "stall_memory": "stall_backend_mem"
}
A76_PMU = "armv8_cortex_a76"


def names(events: Sequence[Event]) -> list[str]:
    return [event.name for event in events]


def by_name(wanted: str, uarch: str, pmu: str | None = None) -> dict[str, Event]:
    return {event.name: event for event in resolve(wanted, core(uarch), pmu)}


def an_event(name: str, metric: str | None = None, encoding: str | None = "event") -> Event:
    return Event(name=name, metric=metric or name, kind="hardware", quality="exact", encoding=encoding, meaning="")


# The data files.


def test_cores_and_sets_are_the_files_that_ship() -> None:
    assert cores() == (
        "amd-zen2",
        "amd-zen3",
        "amd-zen4",
        "cortex-a53",
        "cortex-a72",
        "cortex-a76",
        "generic",
        "haswell-x",
        "icelake-x",
        "neoverse-n1",
        "skylake-x",
    )
    assert sets() == ("lab", "caches", "tlb", "all")


@pytest.mark.parametrize("uarch", cores())
def test_every_core_answers_every_metric_of_every_set(uarch: str) -> None:
    answered = {entry.metric for entry in core(uarch).entries}
    for metrics in SETS.values():
        assert set(metrics) <= answered


def test_all_is_every_metric_that_any_core_answers() -> None:
    own_name = {"branch-misses", "mem_access_rd", "l2d_cache_rd", "l3d_cache_rd"}
    assert {entry.metric for uarch in cores() for entry in core(uarch).entries} - own_name == set(SETS["all"])


@pytest.mark.parametrize("uarch", cores())
def test_a_core_file_is_sound(uarch: str) -> None:
    known = core(uarch)
    assert known.uarch == uarch
    assert known.programmable >= 4
    assert known.pmu_names
    assert known.sources
    assert set(known.fixed) <= {"cycles", "instructions", "ref-cycles", "slots"}
    encodings: dict[str, str | None] = {}
    for entry in known.entries:
        assert (entry.encoding is None) == (entry.quality == "unsupported")
        assert encodings.setdefault(entry.name, entry.encoding) == entry.encoding
        assert entry.meaning
        assert not entry.meaning.endswith(".")
        # What perf's parser takes as the value of `name=`.
        assert re.fullmatch(r"[a-zA-Z_][\w.-]*", entry.name, re.ASCII)
        if entry.encoding and "=" in entry.encoding:
            assert re.fullmatch(r"event=0x[0-9a-f]{2,3}(,umask=0x[0-9a-f]{2})?(,cmask=\d+)?", entry.encoding)


@pytest.mark.parametrize("uarch", cores())
def test_a_metric_has_one_exact_event_or_says_why_not_under_the_canonical_name(uarch: str) -> None:
    for metric in SETS["all"]:
        answers = [entry for entry in core(uarch).entries if entry.metric == metric]
        if answers[0].quality == "exact":
            assert len(answers) == 1
        else:
            assert (answers[0].quality, answers[0].name) == ("unsupported", CANONICAL[metric])
            assert {entry.quality for entry in answers[1:]} <= {"proxy"}


@pytest.mark.parametrize("uarch", cores())
def test_an_alias_means_one_event_on_a_core(uarch: str) -> None:
    owners: dict[str, str] = {}
    for entry in core(uarch).entries:
        for alias in entry.generic:
            assert owners.setdefault(alias, entry.name) == entry.name


def test_the_same_alias_is_another_event_on_another_vendors_core() -> None:
    meant = {uarch: by_name("cache-references", uarch)["cache-references"].metric for uarch in cores()}
    assert meant["cortex-a76"] == "l1d_access"
    assert meant["skylake-x"] == "l3_access"
    assert meant["amd-zen3"] == "l2d_access"


def test_catalogue_holds_what_a_core_has_and_lacks_and_the_software_events() -> None:
    listed = catalogue.catalogue(core("cortex-a72"))
    qualities = {event.name: event.quality for event in listed}
    assert qualities["l2d_cache_inval"] == "exact"
    assert qualities["l2d_cache_rd"] == "proxy"
    assert qualities["stall_backend"] == "unsupported"
    kinds = {event.name: event.kind for event in listed}
    assert kinds["major-faults"] == "software"
    assert kinds["system_time"] == "tool"


def test_always_costs_no_counter() -> None:
    assert names(always()) == [
        "task-clock",
        "page-faults",
        "context-switches",
        "duration_time",
        "user_time",
        "system_time",
    ]
    assert {event.kind for event in always()} == {"software", "tool"}
    assert groups(always(), core("cortex-a76"), 6) == ()


def test_an_unknown_core_is_refused_with_the_known_ones() -> None:
    with pytest.raises(ProfilerError) as error:
        core("cortex-a77")
    assert "cortex-a77" in error.value.cause
    assert "cortex-a76" in error.value.remedy


@pytest.mark.parametrize("name", ["sets", "software", "../events/generic", ""])
def test_a_data_file_that_is_no_core_is_refused(name: str) -> None:
    with pytest.raises(ProfilerError):
        core(name)


# Recognition.


@pytest.mark.parametrize(
    ("part", "uarch"),
    [(0xD0B, "cortex-a76"), (0xD0C, "neoverse-n1"), (0xD08, "cortex-a72"), (0xD03, "cortex-a53"), (0xD41, GENERIC)],
)
def test_arm_cores_are_recognised_by_part(part: int, uarch: str) -> None:
    assert recognise("arm", part=part) == uarch


@pytest.mark.parametrize(
    ("vendor", "family", "model", "stepping", "uarch"),
    [
        ("GenuineIntel", 6, 0x3F, 2, "haswell-x"),
        ("GenuineIntel", 6, 0x3C, 3, GENERIC),
        ("GenuineIntel", 6, 0x55, 4, "skylake-x"),
        ("GenuineIntel", 6, 0x55, 7, "skylake-x"),
        ("GenuineIntel", 6, 0x6A, 6, "icelake-x"),
        ("GenuineIntel", 6, 0x6B, 6, GENERIC),
        ("GenuineIntel", 6, 0x6C, 1, "icelake-x"),
        ("GenuineIntel", 15, 0x55, 4, GENERIC),
        ("AuthenticAMD", 0x17, 0x01, 1, GENERIC),
        ("AuthenticAMD", 0x17, 0x31, 0, "amd-zen2"),
        ("AuthenticAMD", 0x17, 0x71, 0, "amd-zen2"),
        ("AuthenticAMD", 0x19, 0x01, 1, "amd-zen3"),
        ("AuthenticAMD", 0x19, 0x21, 0, "amd-zen3"),
        ("AuthenticAMD", 0x19, 0x50, 0, "amd-zen3"),
        ("AuthenticAMD", 0x19, 0x11, 1, "amd-zen4"),
        ("AuthenticAMD", 0x19, 0x61, 2, "amd-zen4"),
        ("AuthenticAMD", 0x1A, 0x02, 1, GENERIC),
        ("GenuineIntel", 0x17, 0x31, 0, GENERIC),
        ("", 6, 0x55, 4, GENERIC),
    ],
)
def test_x86_cores_are_recognised_by_family_model_and_stepping(
    vendor: str, family: int, model: int, stepping: int, uarch: str
) -> None:
    assert recognise(vendor, family=family, model=model, stepping=stepping) == uarch


def test_a_cpu_that_tells_nothing_is_generic() -> None:
    assert {recognise(vendor) for vendor in ("", "arm", "GenuineIntel", "AuthenticAMD")} == {GENERIC}


# Resolving.


def test_lab_on_the_a76_is_one_group_that_fills_the_counters() -> None:
    events = resolve("lab", core("cortex-a76"), A76_PMU)
    assert groups(events, core("cortex-a76"), 6) == (LAB,)
    assert {event.name: event.encoding for event in events} == {
        "cycles": "cycles",
        "inst_retired": "armv8_cortex_a76/event=0x08,name=inst_retired/",
        "stall_backend": "armv8_cortex_a76/event=0x24,name=stall_backend/",
        "l2d_cache_inval": "armv8_cortex_a76/event=0x58,name=l2d_cache_inval/",
        "ll_cache_rd": "armv8_cortex_a76/event=0x36,name=ll_cache_rd/",
        "ll_cache_miss_rd": "armv8_cortex_a76/event=0x37,name=ll_cache_miss_rd/",
        "l2d_cache_refill": "armv8_cortex_a76/event=0x17,name=l2d_cache_refill/",
    }


@pytest.mark.parametrize("uarch", cores())
@pytest.mark.parametrize("name", sets())
def test_every_set_fits_every_core(uarch: str, name: str) -> None:
    known = core(uarch)
    events = resolve(name, known, known.pmu_names[0])
    assert len(set(names(events))) == len(events)
    assert [event.metric for event in events[:2]] == ["cycles", "instructions"]
    assert set(SETS[name]) == {event.metric for event in events}
    assert groups(events, known, known.programmable)


def test_the_a72_has_proxies_beside_what_it_lacks() -> None:
    events = by_name("lab", "cortex-a72")
    assert {name: event.quality for name, event in events.items()} == {
        "cycles": "exact",
        "inst_retired": "exact",
        "stall_backend": "unsupported",
        "l2d_cache_inval": "exact",
        "ll_cache_rd": "unsupported",
        "l2d_cache_rd": "proxy",
        "ll_cache_miss_rd": "unsupported",
        "l2d_cache_refill_rd": "proxy",
        "l2d_cache_refill": "exact",
    }
    assert events["ll_cache_rd"].encoding is None
    assert "not implemented by Cortex-A72" in events["ll_cache_rd"].meaning
    assert "no L3" in events["l2d_cache_rd"].meaning
    assert events["l2d_cache_rd"].metric == "llc_load"


def test_the_a53_gives_the_back_end_stall_in_parts() -> None:
    events = resolve("stall_backend", core("cortex-a53"), None)
    assert names(events) == [
        "stall_backend",
        "other_interlock_stall",
        "agu_dep_stall",
        "simd_dep_stall",
        "ld_dep_stall",
        "st_dep_stall",
    ]
    assert [event.quality for event in events] == ["unsupported"] + ["proxy"] * 5


def test_an_exact_answer_wins_over_a_proxy_under_the_same_name() -> None:
    lab = by_name("lab", "cortex-a53")
    assert (lab["l2d_cache"].metric, lab["l2d_cache"].quality) == ("llc_load", "proxy")
    assert (lab["l2d_cache_refill"].metric, lab["l2d_cache_refill"].quality) == ("l2d_refill", "exact")
    caches = by_name("llc_load,caches", "cortex-a53")
    assert (caches["l2d_cache"].metric, caches["l2d_cache"].quality) == ("l2d_access", "exact")


@pytest.mark.parametrize("uarch", ["amd-zen2", "amd-zen3", "amd-zen4"])
def test_zen_has_proxies_for_the_last_level_and_no_l3_of_its_own(uarch: str) -> None:
    events = by_name("llc_load,l3_access,l2d_invalidate", uarch)
    assert (events["ll_cache_rd"].quality, events["llc_load_fills"].quality) == ("unsupported", "proxy")
    assert events["l3d_cache"].quality == "unsupported"
    assert "cannot be attributed to a process" in events["l3d_cache"].meaning
    assert events["l2d_cache_inval"].quality == "unsupported"


def test_intel_sums_are_components_under_their_own_names() -> None:
    events = by_name("l2d_victim,mem_access", "skylake-x", "cpu")
    assert {name: event.quality for name, event in events.items()} == {
        "l2d_cache_wb_victim": "unsupported",
        "l2_lines_out.silent": "proxy",
        "l2_lines_out.non_silent": "proxy",
        "mem_access": "unsupported",
        "mem_inst_retired.all_loads": "proxy",
        "mem_inst_retired.all_stores": "proxy",
    }
    assert events["l2_lines_out.silent"].encoding == "cpu/event=0xf2,umask=0x01,name=l2_lines_out.silent/"


def test_off_core_events_are_given_to_perf_by_their_alias() -> None:
    assert by_name("llc_load", "haswell-x", "cpu")["LLC-loads"].encoding == "LLC-loads"


def test_a_core_without_an_entry_gets_the_aliases_and_the_reasons() -> None:
    events = by_name("lab", GENERIC)
    assert events["LLC-loads"].quality == "proxy"
    assert "not in the catalogue" in events["LLC-loads"].meaning
    assert events["l2d_cache_inval"].quality == "unsupported"


def test_without_a_pmu_the_likeliest_name_is_written() -> None:
    assert by_name("l2d_refill", "cortex-a76")["l2d_cache_refill"].encoding == (
        "armv8_cortex_a76/event=0x17,name=l2d_cache_refill/"
    )


def test_metrics_events_aliases_software_and_unknown_ones_mix() -> None:
    events = resolve(
        "page-faults, LLC-loads,l2d_cache_wb,l1d_refill,l3d_cache_wr,cpu/event=0xa3,umask=0x14/,instructions,cycles",
        core("cortex-a76"),
        A76_PMU,
    )
    assert names(events) == [
        "cycles",
        "inst_retired",
        "page-faults",
        "LLC-loads",
        "l2d_cache_wb",
        "l1d_cache_refill",
        "l3d_cache_wr",
        "cpu/event=0xa3,umask=0x14/",
    ]
    known = {event.name: event for event in events}
    assert known["page-faults"].kind == "software"
    assert (known["LLC-loads"].metric, known["LLC-loads"].encoding) == ("llc_load", "LLC-loads")
    assert "alias of ll_cache_rd" in known["LLC-loads"].meaning
    for name in ("l3d_cache_wr", "cpu/event=0xa3,umask=0x14/"):
        assert (known[name].metric, known[name].encoding, known[name].quality) == (name, name, "proxy")
        assert known[name].meaning == "not in the catalogue: perf's own meaning on this machine"


def test_the_kernels_branch_misses_is_not_the_catalogues_on_the_a76() -> None:
    events = by_name("branch_misses,branch-misses", "cortex-a76")
    assert events["br_mis_pred_retired"].quality == "exact"
    assert (events["branch-misses"].quality, events["branch-misses"].encoding) == ("proxy", "branch-misses")


def test_an_event_asked_for_twice_comes_once() -> None:
    assert names(resolve("lab,lab,l2d_refill,l2d_cache_refill", core("cortex-a76"), None)) == list(LAB)


def test_terms_between_slashes_keep_their_commas_and_a_name_term_becomes_the_key() -> None:
    (event, other) = resolve("cpu/event=0xa3,umask=0x14,name=stalls/,cpu/event=0x3c/", core("skylake-x"), "cpu")
    assert (event.name, event.encoding) == ("stalls", "cpu/event=0xa3,umask=0x14,name=stalls/")
    assert (other.name, other.encoding) == ("cpu/event=0x3c/", "cpu/event=0x3c/")


@pytest.mark.parametrize(
    "wanted",
    [
        "",
        " ",
        "lab,",
        ",lab",
        "lab,,tlb",
        "cpu/event=0x3c",
        "cpu/event=0x3c,lab",
        "a/b/c/d/",
        "/event=0x3c/",
        "{cycles,instructions}",
        "cycles instructions",
        "cycles;instructions",
        "-a",
        "cycles\ninstructions",
        "cpu/ev ent=1/",
        "é",
    ],
)
def test_malformed_lists_are_refused(wanted: str) -> None:
    with pytest.raises(ProfilerError):
        resolve(wanted, core("cortex-a76"), None)


@pytest.mark.parametrize(
    ("wanted", "bare"), [("cycles:u", "cycles"), ("cpu/event=0x3c/u", "cpu/event=0x3c/"), ("LLC-loads:kH", "LLC-loads")]
)
def test_a_modifier_is_refused_with_the_bare_event(wanted: str, bare: str) -> None:
    with pytest.raises(ProfilerError) as error:
        resolve(wanted, core("cortex-a76"), None)
    assert f"'{bare}'" in error.value.remedy


@given(st.text(alphabet="ab,/:=- {u", max_size=20))
def test_any_list_resolves_to_distinct_events_or_is_refused(wanted: str) -> None:
    try:
        events = resolve(wanted, core("cortex-a76"), None)
    except ProfilerError:
        return
    assert events
    assert len(set(names(events))) == len(events)


# Groups.


def check_groups(events: Sequence[Event], known: Core, counters: int) -> None:
    split = groups(events, known, counters)
    countable = [event for event in events if event.kind == "hardware" and event.encoding is not None]
    anchors = tuple(event.name for event in countable if event.metric in ("cycles", "instructions"))
    others = [event.name for event in countable if event.name not in anchors]
    assert [name for group in split for name in group[len(anchors) :]] == others
    for group in split:
        assert group[: len(anchors)] == anchors
        assert sum(name not in known.fixed for name in group) <= counters


@given(st.data(), st.sampled_from(cores()), st.integers(3, 10))
def test_groups_hold_every_event_once_and_the_anchors_always(data: st.DataObject, uarch: str, counters: int) -> None:
    known = core(uarch)
    events = catalogue.catalogue(known)
    distinct = list({event.name: event for event in events}.values())
    check_groups(data.draw(st.lists(st.sampled_from(distinct), unique=True)), known, counters)


@given(st.integers(1, 40), st.integers(1, 8))
def test_no_group_can_be_spared(others: int, counters: int) -> None:
    events = [an_event("cycles"), *(an_event(f"e{number}") for number in range(others))]
    split = groups(events, core("cortex-a76"), counters)
    assert len(split) == -(-others // counters)


def test_fixed_events_cost_no_programmable_counter() -> None:
    events = [
        an_event("cycles"),
        an_event("instructions"),
        *(an_event(name) for name in "abcd"),
        an_event("ref-cycles"),
    ]
    assert len(groups(events, core("skylake-x"), 4)) == 1
    assert len(groups(events, core("amd-zen3"), 6)) == 2


def test_cycles_and_instructions_alone_are_one_group() -> None:
    events = resolve("cycles,instructions", core("amd-zen2"), "cpu")
    assert groups(events, core("amd-zen2"), 2) == (("cycles", "instructions"),)


def test_unsupported_events_are_in_no_group() -> None:
    assert groups([an_event("l2d_cache_inval", encoding=None)], core("cortex-a53"), 6) == ()


@pytest.mark.parametrize(("uarch", "counters"), [("cortex-a76", 1), ("amd-zen3", 2), ("amd-zen3", 1), ("skylake-x", 0)])
def test_too_few_counters_are_an_error(uarch: str, counters: int) -> None:
    with pytest.raises(ValueError, match=f"{counters} counters"):
        groups(resolve("lab", core(uarch), None), core(uarch), counters)


# Raw codes.

LISTED = frozenset({0x11, 0x08, 0x24, 0x23})
"""What an emulated Cortex-A76 shows in sysfs: its model counts no cache events."""


def test_a_common_event_that_the_pmu_does_not_list_is_gated() -> None:
    events = by_name("lab", "cortex-a76", A76_PMU)
    reasons = {name: gated(event, core("cortex-a76"), LISTED) for name, event in events.items()}
    assert {name for name, reason in reasons.items() if reason} == {
        "ll_cache_rd",
        "ll_cache_miss_rd",
        "l2d_cache_refill",
    }
    assert "0x36" in (reasons["ll_cache_rd"] or "")


def test_nothing_is_gated_where_sysfs_lists_nothing() -> None:
    for event in catalogue.catalogue(core("cortex-a76")):
        assert gated(event, core("cortex-a76"), frozenset()) is None


def test_only_arm_is_gated() -> None:
    for event in catalogue.catalogue(core("skylake-x")):
        assert gated(event, core("skylake-x"), LISTED) is None


@pytest.mark.parametrize(
    ("wanted", "passes"),
    [
        ("armv8_cortex_a76/event=0x24/", True),
        ("armv8_cortex_a76/event=0x36/", False),
        ("armv8_cortex_a76/event=0x11,name=cpu_cycles/", True),
        ("armv8_cortex_a76/config=0x37,name=mine/", False),
        ("r24", True),
        ("r11", True),
        ("r36", False),
        ("r58", True),
        ("armv8_cortex_a76/event=0x4005,name=stall_backend_mem/", False),
        ("armv8_cortex_a76/event=0xa0/", True),
        ("l3d_cache_rd", True),
        ("LLC-loads", True),
    ],
)
def test_raw_codes_of_the_users_own_are_gated_too(wanted: str, passes: bool) -> None:
    (event,) = resolve(wanted, core("cortex-a76"), A76_PMU)
    assert (gated(event, core("cortex-a76"), LISTED) is None) == passes


# Echoes.


@pytest.mark.parametrize(
    ("echo", "key"),
    [
        ("cycles", "cycles"),
        ("cycles:u", "cycles"),
        ("instructions:k", "instructions"),
        ("task-clock:u", "task-clock"),
        ("r58:u", "r58"),
        ("LLC-loads:u", "LLC-loads"),
        ("cycles:ukH", "cycles"),
        ("page-faults [software]", "page-faults"),
        ("cpu-clock [software]", "cpu-clock"),
        ("page-faults:u [software]", "page-faults"),
        ("l2inv", "l2inv"),
        ("l2d_cache_inval:u", "l2d_cache_inval"),
        ("armv8_cortex_a76/event=0x58/", "armv8_cortex_a76/event=0x58/"),
        ("armv8_cortex_a76/event=0x58/u", "armv8_cortex_a76/event=0x58/"),
        ("armv8_cortex_a76/event=0x58,name=l2inv/", "l2inv"),
        ("armv8_cortex_a76/event=0x08,name=insn/u", "insn"),
        ("cpu/event=0x3c/uH", "cpu/event=0x3c/"),
        ("cpu_core/cycles/", "cpu_core/cycles/"),
        ("sched:sched_switch", "sched:sched_switch"),
        ("duration_time", "duration_time"),
    ],
)
def test_strip_gives_the_stored_key_of_an_echo(echo: str, key: str) -> None:
    assert strip(echo) == key


@pytest.mark.parametrize("uarch", cores())
@pytest.mark.parametrize("modifier", ["", "u", "uH"])
def test_every_name_and_encoding_survives_the_way_through_perf(uarch: str, modifier: str) -> None:
    for event in catalogue.catalogue(core(uarch)):
        assert strip(f"{event.name}:{modifier}".rstrip(":")) == event.name
        if event.encoding and event.encoding.endswith("/"):
            assert strip(event.encoding + modifier) == event.name
