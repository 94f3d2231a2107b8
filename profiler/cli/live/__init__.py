"""`profiler live`: the parts of a session, put together as a command line asks for them."""

import re
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from profiler.cli.options import CANNOT, KERAS_CALL, RUNS, complain, threads
from profiler.errors import ProfilerError

if TYPE_CHECKING:
    from profiler.modelfile import ModelFile

_HOST, _PORT = "127.0.0.1", 8080
_COUNTERS = ("auto", "perf", "software")
_OUTPUTS = ("logit", "sigmoid", "softmax")
_FITS = ("crop", "stretch")
_PIXELS = {"0..255": (0.0, 255.0), "0..1": (0.0, 1.0), "-1..1": (-1.0, 1.0)}
_MOST_PORT = 65535


def _asked_rate() -> float:
    from profiler.camera.source import ASKED_RATE

    return ASKED_RATE


def _size(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[int, int] | None:
    """`640x480`."""
    if text is None:
        return None
    found = re.fullmatch(r"([1-9]\d{0,4})x([1-9]\d{0,4})", text)
    if found is None:
        raise click.BadParameter(f"'{text}' is not a size such as 640x480")
    return int(found[1]), int(found[2])


def _range(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[float, float] | None:
    return None if text is None else _PIXELS[text]


def _address(_context: click.Context, _parameter: click.Parameter, text: str | None) -> tuple[str, int] | None:
    """`HOST:PORT`, `HOST`, `PORT`, `:PORT` or `[::1]:PORT`; what is left out is that of `--web` alone."""
    if text is None:
        return None
    found = re.fullmatch(r"(?:(?P<host>\[[^\]]+\]|[^:\[\]]*):)?(?P<port>\d+)|(?P<alone>\[[^\]]+\]|[^:\[\]]+)", text)
    if found is None:
        raise click.BadParameter(f"'{text}' is not an address such as {_HOST}:{_PORT}, {_PORT} or [::1]:{_PORT}")
    port = int(found["port"] or _PORT)
    if port > _MOST_PORT:
        raise click.BadParameter(f"there is no port {port}")
    return (found["host"] or found["alone"] or _HOST).strip("[]"), port


@click.command()
@click.option(
    "--model", default="litert", show_default=True, metavar="RUNTIME[=FILE]", help="One, as sweep's --models."
)
@click.option("--camera", default="auto", show_default=True, metavar="auto|N|PATH|URL", help="Camera, video or stream.")
@click.option("--size", callback=_size, metavar="WxH", help="Frames asked of a camera, such as 640x480.")
@click.option(
    "--rate",
    type=click.FloatRange(min=0, min_open=True),
    default=_asked_rate,
    show_default="36",
    help="Frames a second asked of a camera, which may give fewer.",
)
@click.option("--top", type=click.IntRange(1), default=10, show_default=True, help="Answers shown at most.")
@click.option("--seconds", type=click.FloatRange(min=0, min_open=True), help="End after so many seconds.")
@click.option("--frames", type=click.IntRange(1), help="End after so many labelled frames.")
@click.option("--every-frame", "every", is_flag=True, help="Label each frame of a video file, as fast as that goes.")
@click.option("--fit", type=click.Choice(_FITS), default="crop", show_default=True, help="How a frame is made to fit.")
@click.option("--output", type=click.Choice(_OUTPUTS), help="What the last layer gives.  [default: as the card says]")
@click.option("--labels", type=click.Path(path_type=Path), help="File with the names of the classes.")
@click.option(
    "--pixels",
    type=click.Choice(tuple(_PIXELS)),
    callback=_range,
    help="What the model takes.  [default: as the card says]",
)
@click.option("--threads", default="1", show_default=True, callback=threads, help="N, or 'default': the engine's own.")
@KERAS_CALL
@click.option("--counters", type=click.Choice(_COUNTERS), default="auto", show_default=True, help="Who counts.")
@click.option("--json", "as_json", is_flag=True, help='Print a JSON object a second, and last {"summary": ...}.')
@click.option(
    "--web",
    is_flag=False,
    flag_value=f"{_HOST}:{_PORT}",
    callback=_address,
    metavar="[HOST:PORT]",
    help=f"Serve a page, on {_HOST}:{_PORT} unless told otherwise; off this machine only with a token.",
)
@click.option("--record", metavar="STUDY", help="Keep the session as a study of this name.")
@RUNS
def live(model: str, as_json: bool, **options: Any) -> int:
    """Classify what a camera sees, and say each second what that costs.

    The camera may also be a video or picture file, or the address of a stream. Ctrl-C ends the session, which is its
    ordinary end; a second Ctrl-C ends it at once. Ends with status 1 where the camera was lost or not all of the
    session could be recorded.
    """
    if options["seconds"] is not None and options["frames"] is not None:
        raise click.UsageError("--seconds and --frames are two ends: name one")
    from profiler import store
    from profiler.cli.live import stdio_and_signals
    from profiler.cli.live.assemble import Session, Wanted

    file = _model(model)
    if options["record"] is not None:
        store.vacant(options["runs"], options["record"])
    with stdio_and_signals.output() as out:
        command = shlex.join(["profiler", *map(_without_credentials, sys.argv[1:])])
        session = Session(Wanted(command, file, **options), as_json, out)
        summary = session.run()
    if summary.failed:
        complain(f"the camera was lost: {summary.ended}: look at its cable and power, or name another --camera")
    return CANNOT if summary.failed or session.unrecorded else 0


def _without_credentials(word: str) -> str:
    """A word of the command without what a camera's URL in it may have of a user's name and password."""
    from profiler.camera.image_source import concealed

    value = word.partition("=")[2] if word.startswith("--") else word
    return concealed(word, f"camera:{value}")


def _model(text: str) -> "ModelFile":
    from profiler import modelfile

    files = modelfile.parse(text)
    if len(files) != 1:
        raise ProfilerError(f"'{text}' is {len(files)} models, and one is shown", "name one, such as litert=my.tflite")
    return files[0]
