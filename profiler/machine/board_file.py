"""Machine files: a board's core, caches, latencies and prefetcher in TOML, each figure with its source.

Those of the boards that profiler knows are in `data/machines`; a user may write one for another board.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from profiler.errors import ProfilerError
from profiler.machine import cache_geometry
from profiler.machine import events as catalogue
from profiler.machine.host import MACHINES
from profiler.records import Cache, Record, Target

PREFETCHERS = ("none", "next-line", "stride")
LEVELS = ("l1d", "l2", "l3", "memory")
"""Where an access may be served, nearest first."""

_LARGEST_PARAMETER = 2**31 - 1
_ROUNDING = 0.01
"""By how much stated cycles may differ from those of the stated time and clock."""

_Positive = Annotated[float, Meta(gt=0, le=1e6)]


class _Recognise(Record, frozen=True):
    """What `machine` tells the board by."""

    part: int
    boards: tuple[str, ...]


class _Latency(Record, frozen=True, kw_only=True):
    """From load to use where this level answers; `ns` at `clock_mhz` where that is what was measured."""

    level: Literal["l1d", "l2", "l3", "memory"]
    cycles: _Positive
    source: str
    ns: _Positive | None = None
    clock_mhz: _Positive | None = None


class _File(Record, frozen=True, kw_only=True):
    title: str
    cpus: Annotated[int, Meta(ge=1, le=1024)]
    cache: tuple[Cache, ...]
    uarch: str = catalogue.GENERIC
    core: str | None = None
    soc: str | None = None
    emulated_cpu: Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+\Z")] | None = None
    recognise: _Recognise | None = None
    latency: tuple[_Latency, ...] = ()
    prefetch: dict[str, int | str] = msgspec.field(default_factory=lambda: {"kind": "none"})


def read(path: Path) -> Target:
    """The machine that the file describes.

    Raises:
        ProfilerError: No such file, a malformed one, or caches that cannot be simulated.
    """
    written = _parsed(path)
    for flaw in (*cache_geometry.flaws(written.cache, written.cpus), *_flaws(written)):
        raise _malformed(path, flaw)
    return Target(
        key=path.stem,
        title=written.title,
        uarch=written.uarch,
        cpus=written.cpus,
        caches=written.cache,
        emulated_cpu=written.emulated_cpu,
        latency_cycles={latency.level: latency.cycles for latency in written.latency},
        latency_source="; ".join(dict.fromkeys(latency.source for latency in written.latency)),
        prefetch=written.prefetch,
        source=path.name,
    )


def parameters(prefetch: Mapping[str, int | str]) -> list[tuple[str, int | str]]:
    """The prefetcher's parameters, by name."""
    return sorted((name, value) for name, value in prefetch.items() if name != "kind")


def _parsed(path: Path) -> _File:
    try:
        return msgspec.convert(tomllib.loads(_bytes(path).decode()), type=_File)
    # ValueError: of tomllib and msgspec, of text that is not UTF-8, and of numbers too long for Python.
    except (ValueError, OverflowError, RecursionError) as error:
        raise _malformed(path, str(error)) from error


def _bytes(path: Path) -> bytes:
    try:
        # Reading a device or a pipe might never end.
        if path.is_file():
            return path.read_bytes()
    except OSError as error:
        raise ProfilerError(f"{path} cannot be read ({error.strerror})", "name a readable FILE.toml") from error
    raise ProfilerError(f"there is no machine file {path}", "name an existing FILE.toml")


def _malformed(path: Path, flaw: str) -> ProfilerError:
    return ProfilerError(f"{path}: {' '.join(flaw.split())}", f"correct it; {MACHINES / 'pi5.toml'} is an example")


def _flaws(written: _File) -> Iterator[str]:
    """What is wrong with the file apart from its caches."""
    sources = [cache.source for cache in written.cache] + [latency.source for latency in written.latency]
    for text in (written.title, *sources):
        if not text.strip() or not text.isprintable():
            yield f"{text!r} is not a line of text, as title and sources must be"
    if written.uarch not in catalogue.cores():
        yield f"no core '{written.uarch}' in the event catalogue, which has {', '.join(catalogue.cores())}"
    yield from _latency_flaws(written.latency, any(cache.level == 3 for cache in written.cache))
    yield from _prefetch_flaws(written.prefetch)


def _latency_flaws(latencies: Sequence[_Latency], has_l3: bool) -> Iterator[str]:
    levels = [latency.level for latency in latencies]
    if len(set(levels)) < len(levels):
        yield "the latency of a level is there twice"
    if "l3" in levels and not has_l3:
        yield "there is a latency of l3, but no L3"
    ascending = sorted(latencies, key=lambda latency: LEVELS.index(latency.level))
    if any(near.cycles >= far.cycles for near, far in pairwise(ascending)):
        yield "latencies do not rise from level to level"
    for latency in latencies:
        if (latency.ns is None) != (latency.clock_mhz is None):
            yield f"latency of {latency.level}: ns and clock_mhz come together"
        elif latency.ns and latency.clock_mhz:
            cycles = latency.ns * latency.clock_mhz / 1000
            if abs(cycles - latency.cycles) > _ROUNDING * cycles:
                yield f"latency of {latency.level}: ns at clock_mhz is {cycles:.1f} cycles, not {latency.cycles:g}"


def _prefetch_flaws(prefetch: Mapping[str, int | str]) -> Iterator[str]:
    kind = prefetch.get("kind")
    if kind not in PREFETCHERS:
        yield f"the kind of prefetch must be one of {', '.join(PREFETCHERS)}"
    if kind == "none" and len(prefetch) > 1:
        yield "prefetch of kind none takes no parameters"
    for name, value in parameters(prefetch):
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name):
            yield f"the prefetch parameter '{name}' is not a name of small letters"
        if not isinstance(value, int) or not 0 <= value <= _LARGEST_PARAMETER:
            yield f"the prefetch parameter {name} is not a whole number from 0 to {_LARGEST_PARAMETER}"
