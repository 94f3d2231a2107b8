"""What is said of a live session, in words: its heading, and the figures of a second."""

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import NamedTuple

from profiler.analysis.notation import ABSENT, listed, plain
from profiler.camera.source import Facts
from profiler.live.overlay import chance
from profiler.machine.host import throttled_text
from profiler.records import (
    Counted,
    Counting,
    Fit,
    MachineState,
    OutputKind,
    Second,
    Shares,
    Shown,
    Spread,
    Summary,
    TensorSpec,
)
from profiler.sanitize import safe

_FIRST = ("llc_load_miss", "stall_backend", "stall_memory", "stall_frontend")
"""Metrics that are shown before others: misses of the last cache, and stalls."""
_IN_IPC = ("cycles", "instructions")
_CLASSES = 3
"""Names of classes in a heading."""
_FITS = {"crop": "centre crop", "stretch": "stretch"}


class Setting(NamedTuple):
    """What a session shows; it is the heading's material.

    Attributes:
        events: What perf counts, of `scope`; empty where it counts nothing, for the reason `lack`.
        absent: Why an event is not counted, by its name.
        notes: What a reader of the counts must be told.
        url: Of the page; None where there is none.
        remark: What whoever reads the answers must know.
    """

    runtime: str
    file: str
    kind: OutputKind
    classes: tuple[str, ...]
    input: TensorSpec
    fit: Fit
    url: str | None
    lack: str | None
    remark: str | None = None
    events: tuple[str, ...] = ()
    scope: str = ""
    absent: Mapping[str, str] = MappingProxyType({})
    notes: tuple[str, ...] = ()


def heading(setting: Setting, facts: Facts) -> tuple[str, ...]:
    """What is shown: the model, the source, the counters, and where the page is."""
    classes = listed(setting.classes, _CLASSES)
    shape = " x ".join(map(str, setting.input.shape[1:]))
    model = (
        f"{setting.runtime} {setting.file}: {setting.kind} of {classes}, "
        f"{_FITS[setting.fit]} to {shape} {setting.input.dtype}"
    )
    lines = [model, _source(facts), _counters(setting)]
    if setting.remark:
        lines.append(setting.remark)
    if setting.url:
        lines.append(f"page: {setting.url}")
    return tuple(map(safe, lines))


def _source(facts: Facts) -> str:
    name = facts.name if facts.name == facts.where else f"{facts.name} ({facts.where})"
    rates = []
    if facts.asked_rate is not None:
        rates.append(f"asked {facts.asked_rate:g} fps")
    if facts.declared_rate is not None:
        rates.append(f"declared {facts.declared_rate:.4g} fps")
    form = f"{facts.width} x {facts.height}{f' {facts.format}' if facts.format else ''}"
    return f"{facts.kind} {name}: {', '.join([form, *rates])}"


def _counters(setting: Setting) -> str:
    if setting.lack is not None:
        return f"counters {ABSENT}: {setting.lack}"
    counted = f"counters: {listed(setting.events)}, {setting.scope}, of this whole process"
    absent = (f"{name} {ABSENT} ({reason})" for name, reason in setting.absent.items())
    return "; ".join([counted, *absent, *setting.notes])


def answer(shown: Shown) -> str:
    """`cat 98.3 %`."""
    return f"{safe(shown.label)} {chance(shown.probability)}"


def quantiles(spread: Spread) -> list[str]:
    """`p50 12.1 ms`, `p95 14.0 ms`, `p99 n/a`."""
    return [f"p{rank} {_ms(value)}" for rank, value in ((50, spread.p50), (95, spread.p95), (99, spread.p99))]


def _ms(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.{1 if value < 1000 else 0}f} ms"


def shares(found: Shares) -> list[str]:
    """The classifying thread's time, which is 100 % together, and the capture thread's beside it."""
    names = ("preprocess", "inference", "idle", "other")
    return [*(f"{name} {getattr(found, name):.0f} %" for name in names), f"capture thread {found.capture:.0f} %"]


def rates(found: Second | Summary, asked: float | None = None) -> list[str]:
    """Frames a second as labelled, and as the source delivered them where `asked` were asked of it."""
    of = "" if asked is None else f" (asked {asked:g})"
    return [f"{found.fps:.1f} fps", f"source {found.source_fps:.1f} fps{of}"]


def lost(found: Second | Summary, prefix: str = "") -> list[str]:
    """What became no label, or a late one; of a second with `total_` since the session began."""
    names = ("dropped", "stale", "corrupt", "reconnects")
    return [f"{name} {getattr(found, prefix + name):,}" for name in names]


def machine(cpu_percent: float, state: MachineState) -> list[str]:
    """CPU use, temperature, clock and throttling; what the machine does not tell is named at the end."""
    known = [f"CPU {cpu_percent:.0f} % of one"]
    absent = []
    for name, value in (
        ("temperature", None if state.temperature_celsius is None else f"{state.temperature_celsius:.1f} °C"),
        ("clock", _clock(state.clock_hz)),
        ("throttling", None if state.throttled is None else listed(throttled_text(state.throttled)) or "not throttled"),
    ):
        if value is None:
            absent.append(name)
        else:
            known.append(value)
    return [*known, f"not told here: {listed(absent)}"] if absent else known


def _clock(clocks_hz: tuple[int, ...] | None) -> str | None:
    """The slowest and the fastest CPU's, where they differ."""
    if not clocks_hz:
        return None
    return "-".join(dict.fromkeys(f"{clock / 1e9:.2f}" for clock in (min(clocks_hz), max(clocks_hz)))) + " GHz"


def counts(counting: Counting, said: str | None) -> list[str]:
    """IPC and events a frame, misses and stalls first; why there is nothing, unless that was `said` before."""
    if counting.lack is not None:
        return [ABSENT if counting.lack == said else f"{ABSENT}: {safe(counting.lack)}"]
    if counting.frames == 0:
        return ["none before the first window of frames has ended"]
    parts = [event for event in counting.events if event.metric in _IN_IPC]
    others = sorted((event for event in counting.events if event.metric not in _IN_IPC), key=_rank)
    ipc = ABSENT if counting.ipc is None else f"{counting.ipc:.2f}{_mark(parts)}"
    return [f"IPC {ipc}", *map(_count, others), f"for each frame of {counting.frames} ({counting.scope})"]


def _rank(event: Counted) -> int:
    return _FIRST.index(event.metric) if event.metric in _FIRST else len(_FIRST)


def _count(event: Counted) -> str:
    value = ABSENT if event.per_frame is None else plain(event.per_frame, "")
    return f"{safe(event.event)} {value}{_mark([event])}"


def _mark(events: Iterable[Counted]) -> str:
    """` (proxy, scaled)`: the event is a neighbour of the one wanted; its counter ran only part of the time."""
    every = list(events)
    marks = [("proxy", any(event.proxy for event in every))]
    marks.append(("scaled", any(event.running_percent is not None and event.running_percent < 100 for event in every)))
    said = ", ".join(name for name, is_so in marks if is_so)
    return f" ({said})" if said else ""
