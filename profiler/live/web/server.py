"""The page's server: a thread with an event loop of its own beside the session."""

import asyncio
import errno
import os
import secrets
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING
from urllib.parse import quote

from profiler.errors import ProfilerError
from profiler.live.web.app import EventFeed, app
from profiler.live.web.guard import loopback
from profiler.live.web.hub import Hub

if TYPE_CHECKING:
    from uvicorn import Server

_LAST_PORT = 65_535
_VIEWERS = 64
"""Most connections at a time; more are told to come back."""
_CONNECTIONS = 2 * _VIEWERS
"""Beyond so many one is cut without a word: each takes a file descriptor, which camera and counters need too."""
_ASKING_S = 10.0
"""A connection on which nothing was asked for so long is cut."""
_SENT_BYTES = 128 * 1024
"""What the kernel may hold for a viewer: some pictures, so that a slow one sees late pictures but not old ones."""
_SILENT_MS = 20_000
"""A viewer that takes nothing for so long is gone (a phone out of reach)."""
_GRACE_S = 0.4
"""At the end, for streams to say so before connections are cut."""


@contextmanager
def serve(hub: Hub, host: str, port: int, token: str | None) -> Iterator[str]:
    """Serves the hub's page while it lasts, and closes the hub at its end.

    Args:
        port: 0 for any that is free.
        token: What the address must hold. None lets everybody on this machine in where the server listens on loopback;
            elsewhere a token is made.

    Returns:
        The address to open, the token in it.

    Raises:
        ProfilerError: The address cannot be listened on.
    """
    listener = listen(host, port)
    bound = listener.getsockname()
    if token is None and not loopback(bound[0]):
        token = secrets.token_urlsafe(16)
    feed = EventFeed(hub)
    server = _server(feed, token)
    thread = threading.Thread(target=lambda: asyncio.run(_run(server, listener, feed)), name="page", daemon=True)
    thread.start()
    try:
        yield address(bound[0], bound[1], token)
    finally:
        hub.close()
        thread.join()


def listen(host: str, port: int) -> socket.socket:
    """A socket that listens there.

    Raises:
        ProfilerError: It cannot.
    """
    if not 0 <= port <= _LAST_PORT:
        raise ProfilerError(f"{port} is no port", f"name one up to {_LAST_PORT}, or 0 for any that is free")
    try:
        family, kind, protocol, _, where = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except (socket.gaierror, UnicodeError) as error:
        raise ProfilerError(
            f"{host} is no address of this machine", "listen on 127.0.0.1, or on 0.0.0.0 for all"
        ) from error
    listener = None
    try:
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, _SENT_BYTES)
        listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, _SILENT_MS)
        listener.bind(where)
        listener.listen(_VIEWERS)
    except OSError as error:
        if listener:
            listener.close()
        raise _refused(host, port, error) from error
    return listener


def address(host: str, port: int, token: str | None) -> str:
    """What to open; for a server on all of the machine's addresses, the one it has towards the network."""
    if host in ("0.0.0.0", "::"):
        host = _outward(host)
    shown = f"[{host}]" if ":" in host else host
    return f"http://{shown}:{port}/" + (f"?token={quote(token, safe='')}" if token is not None else "")


def _outward(wildcard: str) -> str:
    """This machine's address towards the network, its loopback address where it has none.

    Nothing is sent: the kernel only looks up its way to an address reserved for documents (RFC 5737, RFC 3849).
    """
    beyond = {socket.AF_INET: "192.0.2.1", socket.AF_INET6: "2001:db8::1"}
    for family in (socket.AF_INET, socket.AF_INET6) if wildcard == "::" else (socket.AF_INET,):
        try:
            with socket.socket(family, socket.SOCK_DGRAM) as asked:
                asked.connect((beyond[family], 9))
                return str(asked.getsockname()[0])
        except OSError:
            continue
    return "127.0.0.1"


def _refused(host: str, port: int, error: OSError) -> ProfilerError:
    number = error.errno
    if number == errno.EADDRINUSE:
        return ProfilerError(f"port {port} of {host} is taken", "name another, or 0 for any that is free")
    if number in (errno.EACCES, errno.EPERM):
        return ProfilerError(f"port {port} needs root's rights", "name a port from 1024 on")
    if number in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
        return ProfilerError(f"{host} is no address of this machine", "listen on 127.0.0.1, or on 0.0.0.0 for all")
    why = os.strerror(number) if number else str(error)
    return ProfilerError(f"the page cannot be served on {host}, port {port} ({why})", "name another address")


def _server(feed: EventFeed, token: str | None) -> "Server":
    """Silent: what goes wrong with a viewer is no matter of the session's, and addresses hold the token."""
    from uvicorn import Config, Server

    return Server(
        Config(
            app(feed, token),
            loop="asyncio",
            http=_protocol(),
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="critical",
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=_VIEWERS,
            timeout_graceful_shutdown=1,
        )
    )


def _protocol() -> type[asyncio.Protocol]:
    """HTTP with bounds that uvicorn does not have: it holds whatever connects and says nothing."""
    from uvicorn.protocols.http.h11_impl import H11Protocol

    class Bounded(H11Protocol):
        def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
            super().connection_made(transport)
            if len(self.connections) > _CONNECTIONS:
                transport.abort()
            else:
                self.loop.call_later(_ASKING_S, self._cut_silent)

        def _cut_silent(self) -> None:
            if self.cycle is None:
                self.transport.abort()

    return Bounded


async def _run(server: "Server", listener: socket.socket, feed: EventFeed) -> None:
    """Until the hub is closed; then streams may end by themselves for a moment, and what is left is cut."""
    loop = asyncio.get_running_loop()
    with feed.hub.told(lambda: loop.call_soon_threadsafe(feed.wake)):
        serving = asyncio.create_task(server.serve(sockets=[listener]))
        feed.wake()
        await feed.end()
        server.should_exit = True
        await asyncio.wait([serving], timeout=_GRACE_S)
        for connection in tuple(server.server_state.connections):
            connection.transport.abort()
        await serving
