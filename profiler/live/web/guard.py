"""Who may see the page: a token where one is asked for, else only who asks for this machine by a loopback name.

Without the second rule any web site could have a visitor's browser read the page: it only has to let its own name lead
to 127.0.0.1 (DNS rebinding).
"""

import hmac
import ipaddress
from typing import TYPE_CHECKING
from urllib.parse import parse_qs

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

_NO_TOKEN = "The address lacks the session's token: open the whole address that profiler has printed.\n"
_NO_NAME = "This page answers to localhost and 127.0.0.1 alone.\n"
_SHUT = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-resource-policy": "same-origin",
}
_NOTHING = "default-src 'none'; frame-ancestors 'none'"


def guarded(inner: "ASGIApp", token: str | None) -> "ASGIApp":
    """`inner` behind the token, or where that is None for loopback names alone; every answer has the safe headers."""
    from starlette.datastructures import MutableHeaders
    from starlette.responses import PlainTextResponse

    async def app(scope: "Scope", receive: "Receive", send: "Send") -> None:
        async def safely(message: "Message") -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(_SHUT)
                headers.setdefault("content-security-policy", _NOTHING)
            await send(message)

        refusal = refused(scope, token)
        answer = PlainTextResponse(refusal, 403) if refusal else inner
        await answer(scope, receive, safely)

    return app


def refused(scope: "Scope", token: str | None) -> str | None:
    """Why this request is refused, in a line; None where it is not."""
    if token is None:
        hosts = [value.decode("latin-1") for name, value in scope["headers"] if name == b"host"]
        return None if len(hosts) == 1 and loopback(_name(hosts[0])) else _NO_NAME
    given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])
    same = hmac.compare_digest(given[-1].encode(), token.encode())
    return None if same else _NO_TOKEN


def loopback(name: str) -> bool:
    """Whether a host's name or address can only mean this machine."""
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return name.lower().rstrip(".") == "localhost"


def _name(host: str) -> str:
    """The host of `host:port` or `[host]:port`."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0]
