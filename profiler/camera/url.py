"""A network camera's address: what may be shown of it, and why it does not answer."""

import http.client
import re
import socket
import ssl
from base64 import b64encode
from urllib.parse import SplitResult, quote, unquote, urlsplit

from profiler.errors import ProfilerError
from profiler.sanitize import safe

PORTS = {"http": 80, "https": 443, "rtsp": 554, "rtsps": 322, "tcp": None}
"""Schemes that are opened, and the ports that they have unless the URL says another."""
_SECRET = re.compile(r"([?&;][^=&;#]*(?:user|usr|login|pass|pwd|token|key|auth|secret)[^=&;#]*=)[^&;#]*", re.IGNORECASE)


def is_url(where: str) -> bool:
    """Whether it is a URL of any scheme."""
    return re.match(r"[A-Za-z][A-Za-z0-9+.-]*://", where) is not None


def shown(url: str) -> str:
    """The URL without user, password, and the values of what its query seems to keep secret."""
    before, scheme, rest = url.partition("://")
    end = min((place for place in map(rest.find, "/?#") if place >= 0), default=len(rest))
    if re.match(r"[^\[][^:]*:[^0-9]", rest[:end]) and "@" in rest[end:] and "@" not in rest[:end]:
        # A password with a slash in it that should have been written as %2F.
        return before + scheme + rest.rpartition("@")[2]
    return before + scheme + rest[:end].rpartition("@")[2] + _SECRET.sub(r"\1...", rest[end:])


def checked(url: str) -> SplitResult:
    """The parts of a stream's URL.

    Raises:
        ProfilerError: It has no host, a port that is none, or a scheme that cannot be opened.
    """
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ProfilerError(f"{shown(url)} is no URL", "write it as in http://192.168.1.20:8080/video") from None
    if parts.scheme.lower() not in PORTS:
        known = ", ".join(f"{scheme}://" for scheme in PORTS)
        raise ProfilerError(f"{shown(url)} cannot be opened", f"use a path, or a URL that begins with {known}")
    if not parts.hostname or (port or PORTS[parts.scheme.lower()]) is None:
        raise ProfilerError(f"{shown(url)} has no host or no port", "write it as in tcp://127.0.0.1:8888")
    return parts


def obstacle(url: str, limit_s: float) -> str:
    """Why nothing was received from `url`: it is asked once more, by a plain connection."""
    parts = checked(url)
    scheme, host = parts.scheme.lower(), parts.hostname or ""
    port = parts.port or PORTS[scheme] or 0
    try:
        if scheme in ("http", "https"):
            return _web(parts, host, port, limit_s)
        with socket.create_connection((host, port), limit_s):
            return "it answers, but no frame came or could be decoded"
    except OSError as error:
        return _words(error, host, port, limit_s)
    except UnicodeError:
        return f"{host} is no host's name"
    except http.client.HTTPException:
        return "it answers, but not as a web server"


def _web(parts: SplitResult, host: str, port: int, limit_s: float) -> str:
    kind = http.client.HTTPSConnection if parts.scheme.lower() == "https" else http.client.HTTPConnection
    connection = kind(host, port, timeout=limit_s)
    headers = {}
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        headers["Authorization"] = "Basic " + b64encode(pair.encode()).decode()
    try:
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        connection.request("GET", quote(path, safe="/?%:@!$&'()*+,;=~"), headers=headers)
        answer = connection.getresponse()
        if answer.status in (401, 403):
            return f"it wants a user and a password, or other ones (status {answer.status})"
        if answer.status >= 400:
            return f"the server says {answer.status} ({safe(answer.reason)})"
        kind_told = safe(answer.headers.get_content_type())
        return f"it answers with {kind_told}, of which no frame came or could be decoded"
    finally:
        connection.close()


def _words(error: OSError, host: str, port: int, limit_s: float) -> str:
    if isinstance(error, socket.gaierror):
        return f"no host named {host} is known"
    if isinstance(error, TimeoutError):
        return f"no answer from {host} within {limit_s:g} s"
    if isinstance(error, ConnectionRefusedError):
        return f"nothing listens on port {port} of {host}"
    if isinstance(error, ssl.SSLError):
        return f"no secure connection to {host} ({error.reason})"
    return f"no connection to {host} ({error.strerror or error})"
