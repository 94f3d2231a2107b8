"""What the server answers: the page, its pictures and its figures."""

import asyncio
import base64
import hashlib
import html
import time
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from string import Template
from typing import TYPE_CHECKING

import msgspec

from profiler.live.web.guard import guarded
from profiler.live.web.hub import Hub, Picture
from profiler.records import Record, Shown, to_json

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response
    from starlette.types import ASGIApp, Receive, Scope, Send

_HERE = Path(__file__).parent
_BOUNDARY = "picture-of-a-live-session-follows"
_PART = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
_LABEL_S = 0.25
"""Between two labels sent to the page."""
_SILENCE_S = 2.0
"""After so long without news the page is told that there is none, so that it can tell this from a lost connection."""
_PATIENCE_S = 5.0
"""Longest wait for the one picture of `/picture.jpg`."""


class Answer(Record, frozen=True, kw_only=True):
    """What the page is told of the newest labelled frame, a few times a second."""

    number: int
    top: tuple[Shown, ...]


class EventFeed:
    """Lets the loop's tasks wait for the hub, which speaks from other threads."""

    def __init__(self, hub: Hub) -> None:
        self.hub = hub
        self._changed = asyncio.Event()
        self._over = asyncio.Event()

    def wake(self) -> None:
        """To be called in the loop."""
        changed, self._changed = self._changed, asyncio.Event()
        changed.set()
        if self.hub.closed:
            self._over.set()

    async def end(self, timeout_s: float | None = None) -> None:
        """Until the session has ended, or the time is over."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._over.wait(), timeout_s)

    def before_newest(self) -> int:
        """The number that all pictures from the newest frame's on are above; at least 0."""
        return max(0, self.hub.newest[0] - 1)

    async def picture_after(self, number: int) -> Picture | None:
        """The newest picture once it is newer than that; None where the session ends first."""
        while self.hub.picture.number <= number:
            if self.hub.closed:
                return None
            await self._changed.wait()
        return self.hub.picture


def app(feed: EventFeed, token: str | None) -> "ASGIApp":
    """The page and its parts behind the guard; `token` as in `guarded`."""
    from starlette.applications import Starlette
    from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
    from starlette.routing import Route

    text, policy = page(feed.hub.title)

    async def index(_: "Request") -> "Response":
        return HTMLResponse(text, headers={"content-security-policy": policy})

    async def stream(request: "Request") -> "ASGIApp":
        kind = f"multipart/x-mixed-replace; boundary={_BOUNDARY}"
        if request.method == "HEAD":
            return Response(media_type=kind)
        return _watching(feed.hub, StreamingResponse(pictures(feed), media_type=kind))

    async def told(request: "Request") -> "Response":
        kind = "text/event-stream"
        return (
            Response(media_type=kind) if request.method == "HEAD" else StreamingResponse(events(feed), media_type=kind)
        )

    async def picture(_: "Request") -> "Response":
        with feed.hub.watched():
            try:
                found = await asyncio.wait_for(feed.picture_after(feed.before_newest()), _PATIENCE_S)
            except TimeoutError:
                found = None
        if found is None:
            return PlainTextResponse("There is no picture.\n", 503)
        return Response(found.jpeg, media_type="image/jpeg")

    routes = {"/": index, "/stream": stream, "/events": told, "/picture.jpg": picture}
    return guarded(Starlette(routes=[Route(path, endpoint) for path, endpoint in routes.items()]), token)


def page(title: str) -> tuple[str, str]:
    """The page, and the policy that lets it use nothing but itself and this server."""
    style, script = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    text = Template((_HERE / "page.html").read_text(encoding="utf-8")).substitute(
        title=html.escape(title), style=style, script=script
    )
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src 'self' data:; "
        "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    )
    return text, policy


async def pictures(feed: EventFeed) -> AsyncIterator[bytes]:
    """The parts of the stream, each the newest picture when the viewer can take one.

    The next part's head follows each picture at once: browsers show a picture only when they have seen the next head.
    Therefore no part tells its length.
    """
    yield _PART
    number = feed.before_newest()
    while found := await feed.picture_after(number):
        number = found.number
        yield b"%b\r\n%b" % (found.jpeg, _PART)


async def events(feed: EventFeed) -> AsyncIterator[bytes]:
    """What the page is told: the seconds so far, then each second, the newest label in between, and the end."""
    seconds = feed.hub.seconds_after(0)
    yield b"retry: 1000\n" + _event("history", msgspec.json.encode([second for _, second in seconds]))
    told, labelled, last = seconds[-1][0] if seconds else 0, 0, False
    said = time.monotonic()
    while not last:
        last = feed.hub.closed
        for number, second in feed.hub.seconds_after(told):
            told, said = number, time.monotonic()
            yield _event("second", to_json(second))
        number, newest = feed.hub.newest
        if newest and number != labelled:
            labelled, said = number, time.monotonic()
            yield _event("label", to_json(Answer(number=number, top=newest.answers)))
        if time.monotonic() - said > _SILENCE_S:
            said = time.monotonic()
            yield _event("beat", b"{}")
        await feed.end(0 if last else _LABEL_S)
    yield _event("end", b"{}")


def _event(name: str, data: bytes) -> bytes:
    """A server-sent event; JSON has no line's end in it."""
    return b"event: %b\ndata: %b\n\n" % (name.encode(), data)


def _watching(hub: Hub, answer: "ASGIApp") -> "ASGIApp":
    """`answer`, counted among the hub's watchers until it ends, however that comes."""

    async def watched(scope: "Scope", receive: "Receive", send: "Send") -> None:
        with hub.watched():
            await answer(scope, receive, send)

    return watched


def _hash(text: str) -> str:
    """As a content security policy names what stands in the page."""
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}"
