"""A miss curve in tables and sentences: rules over its numbers, no judgement that they do not bear. Pure."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from profiler.analysis import notation
from profiler.analysis.notation import MINUS, counted, listed, percent, plain
from profiler.machine import targets
from profiler.miss_curve.curve import (
    Level,
    Prediction,
    SampleMean,
    apart,
    at,
    levels,
    machines,
    predictions,
    spread,
    spreads,
)
from profiler.records import MissCurve
from profiler.report.cells import Column, fact, tabulated
from profiler.report.model import Cell, Entry, Table
from profiler.report.sections.simulation_provenance import architecture

SHARES = (0.5, 0.1, 0.01)
"""Of the misses of the smallest cache, at which sizes are told."""

_DIFFERENCE = (
    "What can part the two: caches simulated in full have sets, in which lines conflict, but which also keep some of a "
    "loop a little too long for them, as LRU without sets does not; each sees only what the one before it let through, "
    "so that L2 and L3 do not know what was last used before them; the L3 need not hold what the L2 holds, so that "
    "together they hold more; and the curve is of a sample of the lines."
)
_LIMITS = (
    "Caches without sets (fully associative) that replace the least recently used line, one for instructions and data; "
    "real ones have sets and approximate that order.",
    "No prefetcher: on hardware, lines that a prefetcher brings in time are no misses but are traffic all the same.",
    "Virtual addresses of user mode: no kernel, no page-table walks, nothing speculative.",
)
_ZEROED = "QEMU does not report the lines that DC ZVA zeroes, as memset does on Arm: they are not touched here."


def heading(curve: MissCurve) -> str:
    """The page's title."""
    return f"Misses of {curve.file} by cache size"


def label(curve: MissCurve) -> str:
    """Where the figures come from: who simulated, whose instructions, which engine, how it was sampled."""
    where = f", programs of a virtual {curve.guest}" if curve.guest else ""
    draws = counted(len(curve.steady), "sample")
    inferences = "one inference" if curve.images == 1 else f"mean of {curve.images} inferences"
    return (
        f"Simulated by {curve.source}, not measured: {architecture(curve.arch)} instructions{where}, {curve.engine}, "
        f"{counted(curve.threads, 'thread')}, {inferences}, {draws} of one line in {curve.one_in}, "
        f"seeds {listed(map(str, curve.seeds))}."
    )


def tables(curve: MissCurve) -> tuple[Table, ...]:
    """What the caches of each machine leave; then the curve beside the full simulation."""
    found = (_machines(curve), _predictions(curve))
    return tuple(table for table in found if table.rows)


def summary(curve: MissCurve) -> tuple[str, ...]:
    """What the curve says, in sentences: the working set, where misses fall, what the machine's caches leave."""
    return (" ".join((_touched(curve), _cold(curve))), " ".join(_falls(curve)), *_left(curve))


def trust(curve: MissCurve) -> tuple[str, ...]:
    """How exact it is: sampling, and the curve beside the full simulation."""
    return tuple(filter(None, (" ".join(_sampling(curve)), " ".join(_compared(curve)))))


def limits(curve: MissCurve) -> tuple[str, ...]:
    """What the curve does not model."""
    threads = (
        "One thread: several share a cache, and need more of it."
        if curve.threads == 1
        else f"{curve.threads} threads share the cache, in the order in which the simulation happened to run them."
    )
    whose = f"The instructions are {architecture(curve.arch)}'s: the same model is other code on another set."
    return (*_LIMITS, *([_ZEROED] if curve.arch == "aarch64" else []), threads, whose)


def with_error(found: SampleMean) -> str:
    """`200 k ±1.2 %`, one standard error."""
    return f"{plain(found.value, '')} {_error(found)}".rstrip()


def _error(found: SampleMean) -> str:
    return f"±{percent(found.error / found.value)}" if found.error is not None and found.value else ""


def _simulated(value: float | None, unit: str = "") -> Cell:
    return replace(fact(value, unit), status="absent" if value is None else "simulated")


def _machines(curve: MissCurve) -> Table:
    columns = [column for place, name in enumerate(("L2", "L3")) for column in _of_level(curve, place, name)]
    caption = (
        "In a warm cache of that size without sets, with one standard error of sampling, and the bytes that these "
        f"misses bring, {curve.line_bytes} each."
    )
    title = f"Misses an inference of {curve.file}, simulated ({curve.source})"
    rows = [(machine.title, levels(machine)) for machine in machines(curve)]
    return tabulated("machines", title, "", rows, columns, caption)


def _of_level(curve: MissCurve, place: int, name: str) -> Iterator[Column[Sequence[Level]]]:
    """A cache's size, what it leaves, and the bytes of that; a machine may lack that cache."""

    def column(head: str, entry: Callable[[Level], Entry], without: str = "") -> Column[Sequence[Level]]:
        return Column(head, lambda its: entry(its[place]) if place < len(its) else without)

    def bring(level: Level) -> Cell:
        found = at(curve, level.size_bytes)
        return _simulated(found and found.value * curve.line_bytes, "bytes")

    yield column(name, lambda level: fact(level.size_bytes, "bytes"), f"no {name}")
    yield column("it leaves", lambda level: _misses(at(curve, level.size_bytes)))
    yield column("bytes", bring)


def _misses(found: SampleMean | None) -> Cell:
    """Misses, with one standard error."""
    cell = _simulated(found and found.value)
    return replace(cell, after=_error(found)) if found else cell


def _predictions(curve: MissCurve) -> Table:
    columns: list[Column[Prediction]] = [
        Column("the curve", lambda each: _misses(each.curve)),
        Column("full simulation", lambda each: _simulated(each.full)),
        Column("the curve is off by", lambda each: _signed(each.off)),
    ]
    caption = f"Misses an inference, both from one pass. Simulated in full: {targets.describe(curve.target)}."
    rows = [(f"{each.level.name}, {notation.size(each.level.size_bytes)}", each) for each in predictions(curve)]
    title = "The curve beside the full simulation, both simulated"
    return tabulated("predictions", title, curve.target.title, rows, columns, caption)


def _touched(curve: MissCurve) -> str:
    touched = spread(curve.touched)
    size = touched.value * curve.line_bytes
    return (
        f"An inference of {curve.file} touches {notation.size(size)} of memory "
        f"({with_error(touched)} distinct lines of {curve.line_bytes} bytes), "
        f"{notation.number(size / curve.file_bytes)} times the file's {notation.size(curve.file_bytes)}: "
        "all that it reads and writes, so weights as the engine keeps them, activations, code and tables."
    )


def _cold(curve: MissCurve) -> str:
    largest, left = curve.sizes_bytes[-1], spreads(curve.steady)[-1].value
    misses = f"{plain(left, '')} misses are left" if left else "none of the sampled lines misses"
    return (
        "An inference that begins with empty caches misses each of these lines at least once, whatever the cache; in "
        f"one of {notation.size(largest)} that is warm, {misses} an inference."
    )


def _falls(curve: MissCurve) -> Iterator[str]:
    """From which size on the misses are at most a share of the smallest cache's."""
    means = [found.value for found in spreads(curve.steady)]
    smallest = notation.size(curve.sizes_bytes[0])
    yield f"A warm cache of {smallest} misses {plain(means[0], '')} times an inference."
    sizes = {
        share: next(
            (size for size, misses in zip(curve.sizes_bytes, means, strict=True) if misses <= share * means[0]), None
        )
        for share in SHARES
    }
    enough = [f"{share * 100:g} % from {notation.size(size)} on" for share, size in sizes.items() if size]
    if enough:
        yield f"Of these at most so many are left: {listed(enough)}."
    never = next((share for share, size in sizes.items() if size is None), None)
    if never:
        yield f"No size on the curve brings them below {never * 100:g} %."


def _left(curve: MissCurve) -> Iterator[str]:
    """What the simulated machine's caches leave, by the curve."""
    told = [
        f"the {level.name} ({notation.size(level.size_bytes)}) leaves {plain(found.value, '')} misses an "
        f"inference ({notation.size(found.value * curve.line_bytes)} from beyond)"
        for level in levels(curve.target)
        if (found := at(curve, level.size_bytes))
    ]
    if told:
        yield f"By the sizes alone of {curve.target.title}'s caches, {listed(told)}."


def _sampling(curve: MissCurve) -> Iterator[str]:
    marked = {level.size_bytes for machine in machines(curve) for level in levels(machine)}
    found = {size: here for size in marked if (here := at(curve, size)) and here.value and here.error is not None}
    if found:
        worst = max(found, key=lambda size: (found[size].error or 0) / found[size].value)
        error = percent((found[worst].error or 0) / found[worst].value)
        yield (
            f"Sampling: at the caches marked, one standard error of the {len(curve.steady)} samples' mean is at most "
            f"{error} (at {notation.size(worst)})."
        )
    differences = {size: share for size in marked if (share := apart(curve, size)) is not None}
    if differences:
        worst = max(differences, key=lambda size: differences[size])
        seeds, most = listed(map(str, curve.seeds)), percent(differences[worst])
        yield (
            f"Repeated with another seed ({seeds}), so with other lines in another process, the curve differs there by "
            f"at most {most} (at {notation.size(worst)}): sampling, and what differs from process to process."
        )


def _compared(curve: MissCurve) -> Iterator[str]:
    found = predictions(curve)
    if not found:
        return
    told = listed(
        f"{percent(abs(each.off))} {'above' if each.off > 0 else 'below'} its {each.level.name} of "
        f"{notation.size(each.level.size_bytes)} ({plain(each.curve.value, '')} against {plain(each.full, '')})"
        for each in found
    )
    yield f"The caches of {curve.target.title} were simulated in full in the same pass: the curve is {told}."
    yield _DIFFERENCE


def _signed(off: float) -> str:
    return f"{'+' if off > 0 else MINUS}{percent(abs(off))}"
