"""The section on a session: its source, its figures, its latencies and what it saw."""

from collections.abc import Iterator

from profiler.analysis import notation
from profiler.analysis.live_labels import ms, rates, seconds, share
from profiler.analysis.live_session import Session
from profiler.records import Live, Spread, Summary
from profiler.report.model import Figure, Section, Table
from profiler.report.sections.breakdown import PHASE_WORDS, latency_cells
from profiler.report.sections.live_text import ranked

_KINDS = {"device": "camera", "file": "video or picture file", "stream": "network stream"}
_FITS = {
    "crop": "its largest centred part of the model's aspect, resized",
    "stretch": "all of it, stretched to the model's aspect",
}
_CLASSES = 12
"""Most classes that a table lists."""


def section(found: Session | None, figures: tuple[Figure, ...]) -> Section | None:
    """The live session; None where no window of it was recorded."""
    if found is None:
        return None
    tables = (_figures(found), *_latency(found), *_once(found), *_labels(found), _source(found.live))
    return Section("The live session", (_windows(found),), tables=tables, figures=figures)


def _windows(found: Session) -> str:
    number = len(found.rates)
    outside = (
        f" {notation.counted(found.outside, 'labelled frame')} more are in no window." if found.outside > 0 else ""
    )
    return (
        f"{notation.counted(number, 'window')} of {notation.counted(found.frames // number, 'labelled frame')} "
        f"{'was' if number == 1 else 'were'} recorded, at {rates(found)} frames a second.{outside}"
    )


def _figures(found: Session) -> Table:
    rows = [("labelled frames a second", notation.plain(found.fps, notation.NUMBER))]
    caption = "Of the windows that were recorded; the session's end was not, and the rest is not known."
    if found.summary:
        rows += _summary(found.summary)
        caption = (
            "Of the whole session. Capture runs beside the classifying thread: its share is CPU time, of one CPU; the "
            "other four are shares of the classifying thread's time and add up. A stale frame was older at its label "
            "than one frame period, its own preprocessing and inference, and 10 ms."
        )
    if found.trend:
        rows.append(("latency, last third / first third", notation.in_sentence(found.trend, notation.NUMBER)))
    return Table("live-session", "", ("", found.model), tuple(rows), caption, words=True)


def _summary(its: Summary) -> list[tuple[str, str]]:
    return [
        ("frames a second from the source", notation.plain(its.source_fps, notation.NUMBER)),
        ("seconds", seconds(its.seconds)),
        ("labelled frames", f"{its.frames:,}"),
        ("frames from the source", f"{its.captured:,}"),
        ("dropped for a newer one", _of(its.dropped, its.captured)),
        ("stale", _of(its.stale, its.frames)),
        ("unusable", f"{its.corrupt:,}"),
        ("source opened anew", f"{its.reconnects:,}"),
        ("capture", share(its.shares.capture)),
        ("preprocessing", share(its.shares.preprocess)),
        ("inference", share(its.shares.inference)),
        ("waiting for a frame", share(its.shares.idle)),
        ("all else", share(its.shares.other)),
        ("preprocessing and inference of a frame", _spread(its.latency_ms)),
        ("from capture to label", _spread(its.age_ms)),
        ("CPU use of the process", share(its.cpu_percent)),
        ("ended", its.ended),
    ]


def _of(some: int, of: int) -> str:
    return f"{some:,} ({notation.percent(some / of)})" if of else f"{some:,}"


def _spread(times: Spread) -> str:
    return ", ".join(f"{name} {ms(getattr(times, name))}" for name in ("p50", "p95", "p99"))


def _latency(found: Session) -> Iterator[Table]:
    if found.latency is None:
        return
    notes = notation.Notes()
    cells = latency_cells(found.latency, notes)
    yield Table(
        "live-latency",
        "Single inferences",
        ("model", "first", "p50", "p95", "p99", "first / p50", "inferences"),
        ((found.model, *cells, f"{found.latency.count:,}"),),
        "Of the inference alone, without capture and preprocessing: the first inference of the process, before any "
        "frame, and quantiles over all recorded windows.",
        notes.all(),
    )


def _once(found: Session) -> Iterator[Table]:
    if not found.once:
        return
    rows = tuple(
        (
            PHASE_WORDS[name],
            notation.plain(used.wall_ns, "ns"),
            notation.plain(used.cpu_ns, "ns"),
            f"{used.page_faults:,}",
        )
        for name, used in found.once.items()
    )
    caption = "By the process's own clock, before the first frame: one process did it once, so there is no interval."
    yield Table("live-once", "Paid once", ("phase", "wall", "CPU", "page faults"), rows, caption)


def _labels(found: Session) -> Iterator[Table]:
    won = ranked(found)
    if not won:
        return
    total = sum(count for _, count in won)
    rows = tuple((label, f"{count:,}", notation.percent(count / total)) for label, count in won[:_CLASSES])
    left = sum(count for _, count in won[_CLASSES:])
    caption = "How many labelled frames each class won."
    if left:
        caption += f" {len(won) - _CLASSES} more classes won {notation.counted(left, 'frame')} together."
    yield Table("live-labels", "What it saw", ("label", "frames", "share"), rows, caption)


def _source(live: Live) -> Table:
    rows = (
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


def _rate(rate: float | None, lack: str) -> str:
    return lack if rate is None else f"{notation.plain(rate, notation.NUMBER)} a second"
