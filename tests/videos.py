"""Sources of frames made by the tests: a video file, and a network camera (an MJPEG server on loopback)."""

import threading
import time
from collections.abc import Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self

import cv2
import numpy as np

_BOUNDARY = "frame"


def picture(index: int, height: int = 48, width: int = 64) -> np.ndarray:
    """A BGR picture whose even shade tells its index again (`index_of`), through JPEG too; for 0 to 31."""
    return np.full((height, width, 3), 4 + 8 * (index % 32), dtype=np.uint8)


def index_of(pixels: np.ndarray) -> int:
    """The index that `picture` was called with, modulo 32."""
    return int(pixels.mean()) // 8


def make_video(path: Path, pictures: Sequence[np.ndarray], rate: float = 30.0) -> Path:
    """Writes BGR pictures of one shape as a Motion JPEG video at `path`, which ends in .avi; gives `path`."""
    height, width = pictures[0].shape[:2]
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"MJPG"), rate, (width, height))
    assert writer.isOpened()
    for one in pictures:
        writer.write(one)
    writer.release()
    return path


class MjpegServer:
    """A network camera on loopback: multipart/x-mixed-replace JPEGs, the pictures round and round, to any number.

    Args:
        pictures: BGR, sent one after the other to each viewer, from the first.
        rate: Parts a second; None as fast as the viewer takes them.
        count: Parts that a connection gets before it is closed; None without end.

    Attributes:
        connections: How many have been made; `sent` are the parts sent to all of them.
    """

    def __init__(self, pictures: Sequence[np.ndarray], rate: float | None = 30.0, count: int | None = None) -> None:
        self._parts = [cv2.imencode(".jpg", one)[1].tobytes() for one in pictures]
        self._rate, self._count = rate, count
        self._flowing, self._dropped, self._corrupt = threading.Event(), threading.Event(), 0
        self._refusing = False
        self._flowing.set()
        self.connections = self.sent = 0
        camera = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                camera._serve(self)

            def log_message(self, *_arguments: Any) -> None:
                """Says nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True, name="mjpeg-server"
        )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}/video"

    def url_with(self, credentials: str) -> str:
        """The URL with `user:password` in it."""
        return self.url.replace("http://", f"http://{credentials}@")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_exception: object) -> None:
        self.refuse()
        self.drop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def stall(self) -> None:
        """Sends nothing more, to nobody, and keeps the connections; `resume` goes on."""
        self._flowing.clear()

    def resume(self) -> None:
        self._flowing.set()

    def drop(self) -> None:
        """Closes the connections that there are; a new one is served."""
        dropped, self._dropped = self._dropped, threading.Event()
        dropped.set()

    def refuse(self) -> None:
        """Answers new connections with 503; `accept` serves them again."""
        self._refusing = True

    def accept(self) -> None:
        self._refusing = False

    def corrupt(self, parts: int = 1) -> None:
        """The next parts are no JPEG."""
        self._corrupt += parts

    def _serve(self, handler: BaseHTTPRequestHandler) -> None:
        handler.close_connection = True
        if self._refusing:
            handler.send_error(503)
            return
        self.connections += 1
        dropped = self._dropped
        handler.send_response(200)
        handler.send_header("Content-Type", f"multipart/x-mixed-replace; boundary={_BOUNDARY}")
        handler.end_headers()
        due, index = time.monotonic(), 0
        while not dropped.is_set() and index != self._count:
            if not self._flowing.wait(0.02):
                due = time.monotonic()
                continue
            if self._rate:
                due += 1 / self._rate
                dropped.wait(max(0.0, due - time.monotonic()))
                if not self._flowing.is_set():
                    continue
            if not self._send(handler, self._part(index)):
                return
            index += 1

    def _part(self, index: int) -> bytes:
        if self._corrupt:
            self._corrupt -= 1
            return b"no JPEG at all" * 20
        return self._parts[index % len(self._parts)]

    def _send(self, handler: BaseHTTPRequestHandler, part: bytes) -> bool:
        head = f"--{_BOUNDARY}\r\nContent-Type: image/jpeg\r\nContent-Length: {len(part)}\r\n\r\n".encode()
        try:
            handler.wfile.write(head + part + b"\r\n")
        except OSError:
            return False
        self.sent += 1
        return True
