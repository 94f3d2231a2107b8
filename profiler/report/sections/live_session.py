"""The section on a session: its source, its figures, its latencies and what it saw."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from profiler.analysis import notation
from profiler.analysis.live_labels import rates
from profiler.analysis.live_session import SessionFigures
from profiler.analysis.quantities import of_session
from profiler.records import Live, Summary, Usage
from profiler.report.cells import Column, fact, name, of_quantity, share, tabulated
from profiler.report.model import Cell, Entry, Figure, Section, Table
from profiler.report.sections.breakdown import LATENCY_COLUMNS, PHASE_WORDS
from profiler.report.sections.live_text import ranked

_KINDS = {"device": "camera", "file": "video or picture file", "stream": "network stream"}
_FITS = {
    "crop": "its largest centred part of the model's aspect, resized",
    "stretch": "all of it, stretched to the model's aspect",
}
_CLASSES = 12
"""Most classes that a table lists."""


def section(found: SessionFigures | None, figures: tuple[Figure, ...]) -> Section | None:
    """The live session; None where no window of it was recorded."""
    if found is None:
        return None
    tables = (_figures(found), *_latency(found), *_once(found), *_labels(found), _source(found.live))
    return Section("The live session", (_windows(found),), tables=tables, figures=figures)


def _windows(found: SessionFigures) -> str:
    number = len(found.rates)
    outside = (
        f" {notation.counted(found.outside, 'labelled frame')} more are in no window." if found.outside > 0 else ""
    )
    return (
        f"{notation.counted(number, 'window')} of {notation.counted(found.frames // number, 'labelled frame')} "
        f"{'was' if number == 1 else 'were'} recorded, at {rates(found)} frames a second.{outside}"
    )


def _figures(found: SessionFigures) -> Table:
    numbers = {(its.event, its.what): of_quantity(its) for its in of_session(found)}
    rows: list[tuple[str, Entry]] = [("labelled frames a second", replace(numbers["session", "fps"], digits=3))]
    caption = "Of the windows that were recorded; the session's end was not, and the rest is not known."
    if found.summary:
        rows += _summary(found.summary, numbers)
        caption = (
            "Of the whole session. Capture runs beside the classifying thread: its share is CPU time, of one CPU; the "
            "other four are shares of the classifying thread's time and add up. A stale frame was older at its label "
            "than one frame period, its own preprocessing and inference, and 10 ms."
        )
    if found.trend:
        trend = "last third / first third"
        rows.append((f"latency, {trend}", numbers["latency", trend]))
    return Table("live-session", "", ("", found.model), tuple(rows), caption, words=True)


def _summary(its: Summary, numbers: Mapping[tuple[str, str], Cell]) -> Iterator[tuple[str, Entry]]:
    def figure(what: str, digits: int = 3, event: str = "session") -> Cell:
        return replace(numbers[event, what], digits=digits)

    def count(what: str, of: int = 0) -> Cell:
        number = getattr(its, what)
        part = f"({notation.percent(number / of)})" if of else ""
        return replace(numbers["session", what], value=number, after=part)

    yield "frames a second from the source", figure("source-fps")
    yield "seconds", fact(its.seconds, "s")
    yield "labelled frames", count("frames")
    yield "frames from the source", count("captured")
    yield "dropped for a newer one", count("dropped", its.captured)
    yield "stale", count("stale", its.frames)
    yield "unusable", count("corrupt")
    yield "source opened anew", count("reconnects")
    for head, what in _SHARES.items():
        yield head, figure(f"share-{what}")
    for head, event in (("preprocessing and inference of a frame", "latency"), ("from capture to label", "age")):
        for quantile in ("p50", "p95", "p99"):
            yield f"{head}, {quantile}", figure(quantile, event=f"frame-{event}")
    yield "CPU use of the process", figure("cpu")
    yield "ended", its.ended


_SHARES = {
    "capture": "capture",
    "preprocessing": "preprocess",
    "inference": "inference",
    "waiting for a frame": "idle",
    "all else": "other",
}


def _latency(found: SessionFigures) -> Iterator[Table]:
    if found.latency:
        yield tabulated(
            "live-latency",
            "Single inferences",
            "model",
            [(name(found.model), (found.model, found.latency))],
            LATENCY_COLUMNS,
            "Of the inference alone, without capture and preprocessing: the first inference of the process, before any "
            "frame, and quantiles over all recorded windows.",
        )


def _once(found: SessionFigures) -> Iterator[Table]:
    columns: list[Column[Usage]] = [
        Column("wall", lambda used: Cell(used.wall_ns, "ns", "counted", digits=3)),
        Column("CPU", lambda used: Cell(used.cpu_ns, "ns", "counted", digits=3)),
        Column("page faults", lambda used: Cell(used.page_faults, status="counted")),
    ]
    caption = "By the process's own clock, before the first frame: one process did it once, so there is no interval."
    if found.once:
        rows = [(PHASE_WORDS[phase], used) for phase, used in found.once.items()]
        yield tabulated("live-once", "Paid once", "phase", rows, columns, caption)


def _labels(found: SessionFigures) -> Iterator[Table]:
    won = ranked(found)
    if not won:
        return
    total = sum(count for _, count in won)
    rows = tuple((label, Cell(count), share(count, total)) for label, count in won[:_CLASSES])
    left = sum(count for _, count in won[_CLASSES:])
    caption = "How many labelled frames each class won."
    if left:
        caption += f" {len(won) - _CLASSES} more classes won {notation.counted(left, 'frame')} together."
    yield Table("live-labels", "What it saw", ("label", "frames", "share"), rows, caption)


def _source(live: Live) -> Table:
    rows: tuple[tuple[str, Entry], ...] = (
        ("name", live.source),
        ("kind", _KINDS[live.kind]),
        ("frames", f"{live.width} × {live.height}, {live.format or 'format not told'}"),
        ("rate asked for", _rate(live.asked_rate, "cannot be asked")),
        ("rate it declares", _rate(live.declared_rate, "not told")),
        ("a frame becomes the input by", _FITS[live.fit]),
        ("output", live.output),
        ("classes", notation.listed(live.classes, _CLASSES) or "not named"),
    )
    return Table("live-source", "Source and model's input", ("", ""), rows, words=True)


def _rate(rate: float | None, lack: str) -> Entry:
    return lack if rate is None else replace(fact(rate, "1/s"), after="a second")
