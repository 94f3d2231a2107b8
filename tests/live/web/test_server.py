"""The page's server, asked over real sockets: pictures, events, who is let in, and how it ends."""

import errno
import http.client
import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any
from urllib.parse import urlsplit

import cv2
import numpy as np
import pytest
from made_live import labelled, second

from profiler.errors import ProfilerError
from profiler.live.web import Hub, serve, server
from profiler.live.web.guard import loopback
from profiler.live.web.server import address, listen

LIMIT_S = 20.0
PATHS = ("/", "/stream", "/events", "/picture.jpg", "/nothing-here")
TOKEN = "näh+ / &?=#%"
"""Of letters that must be quoted in an address."""


class Viewer:
    """One connection to the server at `url`."""

    def __init__(self, url: str) -> None:
        self.parts = urlsplit(url)
        assert self.parts.hostname
        assert self.parts.port
        self.connection = http.client.HTTPConnection(self.parts.hostname, self.parts.port, timeout=LIMIT_S)

    def ask_and_not_read(self, path: str) -> None:
        """Asks, and keeps room for little of the answer."""
        self.connection.connect()
        assert self.connection.sock
        self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 32768)
        self.connection.request("GET", path)

    def ask(self, path: str, query: str | None = None, method: str = "GET", **headers: str) -> http.client.HTTPResponse:
        """The answer to a request with the address's own query, or another."""
        asked = self.parts.query if query is None else query
        self.connection.request(method, f"{path}?{asked}", headers=headers)
        return self.connection.getresponse()

    def close(self) -> None:
        self.connection.close()


class Stream:
    """The parts of a multipart answer, as they come."""

    def __init__(self, answer: http.client.HTTPResponse) -> None:
        self.answer = answer
        kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
        assert kind == "multipart/x-mixed-replace"
        self.mark = f"--{boundary}\r\nContent-Type: image/jpeg\r\n\r\n".encode()
        self.held = b""
        assert self.until(self.mark) == b""

    def until(self, mark: bytes) -> bytes:
        """What comes before the mark, which is taken away too; b"" and no mark at the stream's end."""
        while mark not in self.held:
            more = self.answer.read1(65536)
            if not more:
                return b""
            self.held += more
        found, self.held = self.held.split(mark, 1)
        return found

    def picture(self) -> bytes:
        """The next one; the head of the part after it has then come."""
        return self.until(b"\r\n" + self.mark)


def events(answer: http.client.HTTPResponse) -> Iterator[tuple[str, Any]]:
    """Names and data of server-sent events."""
    name = ""
    while line := answer.readline().decode():
        field, _, value = line.rstrip("\n").partition(": ")
        if field == "event":
            name = value
        if field == "data":
            yield name, json.loads(value)


def decoded(jpeg: bytes) -> Any:
    picture = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    return picture


@contextmanager
def served(hub: Hub | None = None, token: str | None = None) -> Iterator[tuple[Hub, Callable[[], Viewer]]]:
    """A server on a free port and what makes viewers of it."""
    hub = hub or Hub("made")
    with ExitStack() as opened, serve(hub, "127.0.0.1", 0, token) as url:

        def viewer() -> Viewer:
            made = Viewer(url)
            opened.callback(made.close)
            return made

        yield hub, viewer


def settled(condition: Callable[[], bool]) -> None:
    """Waits for what another thread brings about."""
    until = time.monotonic() + LIMIT_S
    while not condition():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_the_page_is_whole_and_uses_nothing_from_elsewhere() -> None:
    with served(Hub("Cam <b> & $title")) as (_, viewer):
        answer = viewer().ask("/")
        text = answer.read().decode()
    assert answer.status == 200
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    assert "Cam &lt;b&gt; &amp; $title" in text
    assert "$style" not in text
    assert "$script" not in text
    assert "://" not in text.replace("http://www.w3.org/2000/svg", "")
    policy = dict(each.strip().split(" ", 1) for each in answer.headers["content-security-policy"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["frame-ancestors"] == "'none'"
    assert policy["script-src"].startswith("'sha256-")
    assert "unsafe" not in answer.headers["content-security-policy"]
    assert answer.headers["server"] is None


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("token", [None, TOKEN])
def test_every_answer_has_the_safe_headers(path: str, token: str | None) -> None:
    with served(token=token) as (hub, viewer):
        hub.labelled(labelled(1))
        for query in (None, "token=wrong"):
            answer = viewer().ask(path, query)
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


def test_the_picture_for_scripts_is_the_newest() -> None:
    with served() as (hub, viewer):
        asked = viewer()
        for number in (1, 7):
            hub.labelled(labelled(number))
            answer = asked.ask("/picture.jpg")
            assert (answer.status, answer.headers["content-type"]) == (200, "image/jpeg")
            picture = decoded(answer.read())
            right = labelled(number).frame.pixels[:300]
            assert np.abs(picture[:300].astype(int) - right.astype(int)).mean() < 4
        asked.ask("/picture.jpg").read()
        assert hub.encoded == 2


def test_without_a_frame_there_is_no_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiler.live.web.app._PATIENCE_S", 0.05)
    with served() as (_, viewer):
        answer = viewer().ask("/picture.jpg")
        assert (answer.status, answer.read()) == (503, b"There is no picture.\n")


def test_the_stream_gives_each_picture_whole_and_at_once() -> None:
    with served() as (hub, viewer):
        hub.labelled(labelled(1))
        stream = Stream(viewer().ask("/stream"))
        seen = [stream.picture()]
        for number in range(2, 6):
            hub.labelled(labelled(number))
            seen.append(stream.picture())
        assert hub.encoded == 5
        assert len(set(seen)) == 5
        assert {decoded(jpeg).shape for jpeg in seen} == {(480, 640, 3)}


def test_two_viewers_get_the_same_encode() -> None:
    with served() as (hub, viewer):
        hub.labelled(labelled(1))
        streams = [Stream(viewer().ask("/stream")) for _ in range(2)]
        for number in range(2, 12):
            first, second_one = (stream.picture() for stream in streams)
            assert first == second_one
            hub.labelled(labelled(number))
        settled(lambda: hub.picture.number == 11)
        assert hub.encoded == 11


def test_a_viewer_that_never_reads_stops_nobody() -> None:
    """It is sent what its connection holds, some pictures, while another sees all of them."""
    with served() as (hub, viewer):
        hub.labelled(labelled(1))
        stuck = viewer()
        stuck.ask_and_not_read("/stream")
        settled(lambda: hub.encoded == 1)
        stream = Stream(viewer().ask("/stream"))
        frames = [labelled(number) for number in range(2, 52)]
        seen = {stream.picture()}
        for frame in frames:
            hub.labelled(frame)
            seen.add(stream.picture())
        assert len(seen) == hub.encoded == 51
        late = Stream(stuck.connection.getresponse())
        got = 0
        while late.picture() != hub.picture.jpeg:
            got += 1
        assert got < 25


def test_a_viewer_that_leaves_is_missed_and_encoding_ends() -> None:
    with served() as (hub, viewer):
        hub.labelled(labelled(1))
        leaving = viewer()
        answer = leaving.ask("/stream")
        Stream(answer).picture()
        answer.close()
        leaving.close()
        settled(lambda: not hub.watchers)
        hub.labelled(labelled(2))
        assert viewer().ask("/").status == 200
        assert hub.encoded == 1


def test_a_new_viewer_is_told_the_seconds_so_far_then_what_comes() -> None:
    with served() as (hub, viewer):
        for number in range(1, 4):
            hub.second(second(number))
        hub.labelled(labelled(1))
        answer = viewer().ask("/events")
        assert answer.headers["content-type"].startswith("text/event-stream")
        told = events(answer)
        name, history = next(told)
        assert (name, [each["elapsed_s"] for each in history]) == ("history", [1.0, 2.0, 3.0])
        name, label = next(told)
        assert (name, label["number"], label["top"][0]["label"]) == ("label", 1, "cat")
        hub.second(second(4, trouble="the camera is gone"))
        name, data = next(told)
        assert (name, data["elapsed_s"], data["trouble"]) == ("second", 4.0, "the camera is gone")
        assert data["counting"]["lack"] == "this machine shows no hardware counters (no PMU)"
        assert set(data) == set(second(1).__struct_fields__)


def test_a_viewer_is_told_when_there_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("profiler.live.web.app._SILENCE_S", 0.0)
    with served() as (_, viewer):
        told = events(viewer().ask("/events"))
        assert [next(told)[0] for _ in range(3)] == ["history", "beat", "beat"]


def test_the_end_is_told_with_the_last_second_and_streams_end() -> None:
    opened = serve(hub := Hub(), "127.0.0.1", 0, None)
    url = opened.__enter__()
    viewers = [Viewer(url) for _ in range(2)]
    hub.labelled(labelled(1))
    told, stream = events(viewers[0].ask("/events")), Stream(viewers[1].ask("/stream"))
    assert next(told)[0] == "history"
    assert stream.picture()
    hub.second(second(1))
    opened.__exit__(None, None, None)
    assert [name for name, _ in told if name != "label"] == ["second", "end"]
    assert stream.picture() == b""
    for viewer in viewers:
        viewer.close()


def test_it_stops_within_a_second_though_viewers_read_nothing() -> None:
    before = threading.active_count()
    with ExitStack() as opened:
        with serve(hub := Hub(), "127.0.0.1", 0, None) as url:
            viewers = [Viewer(url) for _ in range(4)]
            for viewer in viewers:
                opened.callback(viewer.close)
                viewer.ask_and_not_read("/stream")
            settled(lambda: hub.watchers == 4)
            for number in range(1, 40):
                hub.labelled(labelled(number))
                settled(lambda number=number: hub.picture.number == number)  # type: ignore[misc]
            began = time.monotonic()
        assert time.monotonic() - began < 2
        assert threading.active_count() == before
        with pytest.raises(OSError):
            Viewer(url).ask("/")


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("query", ["", "token=", "token=wrong", "token", "Token=n", "x=1&token=%00", "token=%ff%fe"])
@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_without_the_token_nothing_is_told(path: str, query: str, method: str, gate: Callable[[], Viewer]) -> None:
    viewer = gate()
    answer = viewer.ask(path, query, method)
    body = answer.read()
    viewer.close()
    assert answer.status == 403
    assert body == (b"" if method == "HEAD" else REFUSED)


REFUSED = b"The address lacks the session's token: open the whole address that profiler has printed.\n"


@pytest.fixture(scope="module")
def gate() -> Iterator[Callable[[], Viewer]]:
    """A server that asks for a token."""
    with served(token=TOKEN) as (hub, viewer):
        hub.labelled(labelled(1))
        yield viewer


@pytest.mark.parametrize("path", PATHS[:4])
def test_with_the_token_everything_is_open_under_any_name(path: str, gate: Callable[[], Viewer]) -> None:
    viewer = gate()
    assert viewer.ask(path, Host="board.example").status == 200
    viewer.close()


def test_the_token_is_compared_in_constant_time(gate: Callable[[], Viewer], monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[tuple[bytes, bytes]] = []

    def compare(given: bytes, right: bytes) -> bool:
        compared.append((given, right))
        return given == right

    monkeypatch.setattr("hmac.compare_digest", compare)
    assert gate().ask("/", "token=a").status == 403
    assert gate().ask("/").status == 200
    assert compared == [(b"a", TOKEN.encode()), (TOKEN.encode(), TOKEN.encode())]


def test_nothing_is_logged(caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]) -> None:
    """Requests that are answered, refused, and no HTTP at all. Python's own notes, on `asyncio`, hold no address."""
    with caplog.at_level(logging.DEBUG), served(token=TOKEN) as (_, viewer):
        assert viewer().ask("/").status == 200
        assert viewer().ask("/", "token=b").status == 403
        raw = viewer().connection
        raw.connect()
        assert raw.sock
        raw.sock.sendall(b"\x00nonsense\r\n\r\n")
        assert b"400" in raw.sock.recv(1000)
    assert [record for record in caplog.records if record.name != "asyncio"] == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize(
    "host", ["localhost", "localhost:1", "LOCALHOST", "127.0.0.1", "127.3.2.1:80", "[::1]:5", "[::1]"]
)
def test_without_a_token_loopback_names_are_let_in(host: str, open_gate: Callable[[], Viewer]) -> None:
    viewer = open_gate()
    assert viewer.ask("/", Host=host).status == 200
    viewer.close()


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "192.168.0.7:80", "", "localhost.evil", "[::2]"]
)
def test_without_a_token_other_names_are_refused(path: str, host: str, open_gate: Callable[[], Viewer]) -> None:
    viewer = open_gate()
    answer = viewer.ask(path, Host=host)
    assert (answer.status, answer.read()) == (403, b"This page answers to localhost and 127.0.0.1 alone.\n")
    viewer.close()


@pytest.fixture(scope="module")
def open_gate() -> Iterator[Callable[[], Viewer]]:
    """A server on loopback that asks for no token."""
    with served() as (_, viewer):
        yield viewer


@pytest.mark.parametrize("path", PATHS[1:3])
def test_the_head_of_a_stream_ends(path: str, open_gate: Callable[[], Viewer]) -> None:
    viewer = open_gate()
    answer = viewer.ask(path, method="HEAD")
    assert (answer.status, answer.read()) == (200, b"")
    viewer.close()


def test_other_paths_and_methods_are_refused(open_gate: Callable[[], Viewer]) -> None:
    for path, method, status in (("/nothing-here", "GET", 404), ("/", "POST", 405), ("/../etc/passwd", "GET", 404)):
        viewer = open_gate()
        assert viewer.ask(path, method=method).status == status
        viewer.close()


def test_beyond_loopback_a_token_is_made_if_none_is_given() -> None:
    with serve(Hub(), "0.0.0.0", 0, None) as url, serve(Hub(), "0.0.0.0", 0, None) as other:
        tokens = [urlsplit(each).query for each in (url, other)]
        local = f"http://127.0.0.1:{urlsplit(url).port}/"
        for query, status in ((tokens[0], 200), ("", 403), (tokens[1], 403)):
            viewer = Viewer(local)
            assert viewer.ask("/", query).status == status
            viewer.close()
    assert all(each.startswith("token=") and len(each) >= len("token=") + 20 for each in tokens)
    assert "0.0.0.0" not in url


def test_the_address_is_one_to_open() -> None:
    assert address("127.0.0.1", 80, None) == "http://127.0.0.1:80/"
    assert address("::1", 8000, "a b&c") == "http://[::1]:8000/?token=a%20b%26c"
    assert urlsplit(address("::", 8000, None)).hostname not in ("::", "")


@pytest.mark.parametrize("name", ["127.0.0.1", "::1", "localhost", "LocalHost."])
def test_names_that_mean_this_machine(name: str) -> None:
    assert loopback(name)


@pytest.mark.parametrize("name", ["0.0.0.0", "::", "", "example.org", "localhost.example", "10.0.0.1", "127.0.0.1 "])
def test_names_that_may_mean_another(name: str) -> None:
    assert not loopback(name)


def test_ipv6_is_served_too() -> None:
    try:
        socket.create_server(("::1", 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has no IPv6")
    with serve(Hub(), "::1", 0, None) as url:
        viewer = Viewer(url)
        assert url.startswith("http://[::1]:")
        assert viewer.ask("/").status == 200
        viewer.close()


def test_a_taken_port_is_said_and_nothing_is_started() -> None:
    before = threading.active_count()
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        with pytest.raises(ProfilerError) as caught, serve(Hub(), "127.0.0.1", port, None):
            pass
    assert caught.value.cause == f"port {port} of 127.0.0.1 is taken"
    assert "any that is free" in caught.value.remedy
    assert threading.active_count() == before


def test_a_port_can_be_used_again_at_once() -> None:
    with serve(Hub(), "127.0.0.1", 0, None) as url:
        viewer = Viewer(url)
        viewer.ask("/").read()
    port = urlsplit(url).port or 0
    with serve(Hub(), "127.0.0.1", port, None) as again:
        assert again == url
    viewer.close()


@pytest.mark.parametrize(
    ("number", "said"),
    [
        (errno.EACCES, "port 80 needs root's rights"),
        (errno.EADDRNOTAVAIL, "127.0.0.1 is no address of this machine"),
        (errno.EAFNOSUPPORT, "127.0.0.1 is no address of this machine"),
        (errno.ENOBUFS, "the page cannot be served on 127.0.0.1, port 80 (No buffer space available)"),
    ],
)
def test_what_the_kernel_refuses_is_said(number: int, said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: socket.socket, where: object) -> None:
        raise OSError(number, "refused")

    monkeypatch.setattr(socket.socket, "bind", refuse)
    with pytest.raises(ProfilerError) as caught:
        listen("127.0.0.1", 80)
    assert caught.value.cause == said


@pytest.mark.parametrize("host", ["192.0.2.77", "no such host", "a" * 70, "x..y"])
def test_an_address_of_another_machine_is_refused(host: str) -> None:
    with pytest.raises(ProfilerError) as caught:
        listen(host, 0)
    assert caught.value.cause == f"{host} is no address of this machine"


@pytest.mark.parametrize("port", [-1, 65536, 70000])
def test_a_port_out_of_range_is_refused(port: int) -> None:
    with pytest.raises(ProfilerError) as caught:
        listen("127.0.0.1", port)
    assert caught.value.cause == f"{port} is no port"


@contextmanager
def connected(viewer: Callable[[], Viewer], count: int) -> Iterator[list[socket.socket]]:
    """Connections on which nothing is asked."""
    parts = viewer().parts
    with ExitStack() as opened:
        yield [
            opened.enter_context(socket.create_connection((parts.hostname, parts.port), LIMIT_S)) for _ in range(count)
        ]


def cut(connection: socket.socket) -> bool:
    """Whether the server ends it, which is waited for."""
    try:
        return connection.recv(1) == b""
    except ConnectionResetError:
        return True


def test_who_connects_and_asks_nothing_is_cut(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_ASKING_S", 0.02)
    with served() as (_, viewer), connected(viewer, 2) as silent:
        assert all(map(cut, silent))


def test_connections_without_end_take_no_file_descriptors_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(server, "_CONNECTIONS", 3)
    with served() as (_, viewer), connected(viewer, 3) as held, connected(viewer, 4) as beyond:
        assert all(map(cut, beyond))
        held[0].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert held[0].recv(12) == b"HTTP/1.1 200"
