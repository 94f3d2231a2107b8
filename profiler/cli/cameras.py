"""`profiler cameras`: what video nodes there are, what each can do, and whether it delivers."""

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from profiler.camera.auto_select import Trial
    from profiler.camera.v4l2 import Device
    from profiler.camera.v4l2_ioctl import Format, Size
    from profiler.report.model import Table

_LIMIT_S = 3.0
"""How long a camera may take to deliver its first frame here."""
_OTHERWISE = (
    "plug in a USB camera, or use a file, or a phone or another board as a camera by its URL (profiler live --camera "
    "http://...)."
)
_NONE = f"There is no video node (/dev/video*): {_OTHERWISE}"
_NO_CAMERA = f"None of these delivers a frame: {_OTHERWISE}"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def cameras(as_json: bool) -> None:
    """List this machine's cameras: what each can deliver, and whether it does so now.

    Each camera is really opened and read for a second. Other video nodes (codecs, image processors, metadata) are
    listed too, for they take numbers that one would try.
    """
    from profiler.camera import auto_select, open, v4l2
    from profiler.camera.source import ASKED_RATE

    found = v4l2.devices()
    trials = {
        one.number: auto_select.tried(lambda number: open.device(number, None, ASKED_RATE, _LIMIT_S), one.number)
        for one in found
        if one.role == "camera"
    }
    if as_json:
        click.echo(json.dumps([_plain(one, trials.get(one.number)) for one in found], indent=2))
        return
    _show(found, trials)


def _show(found: "tuple[Device, ...]", trials: "dict[int, Trial]") -> None:
    from profiler.cli.terminal import say, show

    if not found:
        say(_NONE)
        return
    show(_nodes(found, trials))
    able = [one for one in found if one.formats]
    if able:
        click.echo()
        show(_formats(able))
    for hint in _hints(found, trials):
        click.echo()
        say(hint)


def _hints(found: "tuple[Device, ...]", trials: "dict[int, Trial]") -> list[str]:
    """What to do about what does not work, a sentence or two each."""
    failed = [(one.path, trials[one.number]) for one in found if one.number in trials]
    hints = [f"{path}: {trial.trouble}: {trial.remedy}." for path, trial in failed if trial.facts is None]
    hints += [f"{one.path}: {one.trouble}: {one.remedy}." for one in found if one.trouble]
    ribbon = dict.fromkeys(one.remedy for one in found if one.role == "csi" and one.remedy)
    hints += [f"{text[0].upper()}{text[1:]}." for text in ribbon]
    return hints if any(trial.facts for trial in trials.values()) else [*hints, _NO_CAMERA]


def _nodes(found: "tuple[Device, ...]", trials: "dict[int, Trial]") -> "Table":
    """A row for a camera, and one for neighbours that are of one driver and no camera."""
    from profiler.camera.v4l2 import WORDS
    from profiler.report.model import Table

    rows = []
    for (single, driver, role, trouble), group in groupby(found, _kind):
        nodes = list(group)
        span = nodes[0].path if single is not None or len(nodes) == 1 else f"{nodes[0].path}-{nodes[-1].number}"
        name = nodes[0].name if len(nodes) == 1 else f"{len(nodes)} nodes"
        now = _now(trials[nodes[0].number]) if nodes[0].number in trials else trouble or "-"
        rows.append(
            (span, name, driver or "-", "a USB camera" if nodes[0].usb and role == "camera" else WORDS[role], now)
        )
    return Table("cameras", "Video nodes", ("device", "name", "driver", "is", "now"), tuple(rows), words=True)


def _kind(one: "Device") -> tuple[int | None, str, Any, str | None]:
    """What neighbours have in common that stand in one row; a camera stands alone."""
    return one.number if one.role == "camera" else None, one.driver, one.role, one.trouble


def _now(trial: "Trial") -> str:
    if trial.facts is None:
        return "delivers nothing"
    rate = f", {trial.rate:.1f}/s" if trial.rate else ""
    code = f" {trial.facts.format}" if trial.facts.format else ""
    return f"delivers {trial.facts.width}x{trial.facts.height}{code}{rate}"


def _formats(able: "list[Device]") -> "Table":
    from profiler.report.model import Table

    rows = []
    for one in able:
        codes: dict[str, list[str]] = {}
        for each in one.formats:
            codes.setdefault(_sizes(each), []).append(each.code)
        rows += [(one.path, ", ".join(names), sizes) for sizes, names in codes.items()]
    return Table("formats", "Formats", ("device", "format", "sizes at frames a second"), tuple(rows), words=True)


def _sizes(each: "Format") -> str:
    """Sizes by the fastest rate that each allows: `160x120 to 1280x720 (9 sizes) at 30; 1920x1080 at 5`."""
    parts = []
    for rate, group in groupby(each.sizes, lambda size: max(size.rates, default=None)):
        sizes = sorted(group, key=lambda size: size.width * size.height)
        ends = _size(sizes[0]) if len(sizes) == 1 else f"{_first(sizes[0])} to {_last(sizes[-1])} ({len(sizes)} sizes)"
        parts.append(ends + (f" at {rate:g}" if rate else ""))
    return "; ".join(parts) or "not told"


def _size(size: "Size") -> str:
    whole = (size.width, size.height) == (size.largest_width, size.largest_height)
    return _first(size) if whole else f"any from {_first(size)} to {_last(size)}"


def _first(size: "Size") -> str:
    return f"{size.width}x{size.height}"


def _last(size: "Size") -> str:
    return f"{size.largest_width}x{size.largest_height}"


def _plain(one: "Device", trial: "Trial | None") -> dict[str, Any]:
    """The node as JSON: `delivers` is null where it was not tried."""
    formats = [{**each._asdict(), "sizes": [size._asdict() for size in each.sizes]} for each in one.formats]
    facts = trial.facts if trial else None
    return {
        **one._asdict(),
        "formats": formats,
        "delivers": None if trial is None else facts is not None,
        "width": facts.width if facts else None,
        "height": facts.height if facts else None,
        "format": facts.format if facts else None,
        "measured_rate": round(trial.rate, 2) if trial and trial.rate else None,
        "trouble": one.trouble or (trial.trouble if trial else None),
        "remedy": one.remedy or (trial.remedy if trial else None),
    }
