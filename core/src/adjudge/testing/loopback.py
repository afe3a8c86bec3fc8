"""A real HTTP server on the loopback interface that answers as a test says and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any, Self

LONGEST_HANG = 5.0
"""Seconds after which a request that hangs is answered after all, so that a test ends."""


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    """`GET` or `POST`."""
    path: str
    """Path and query."""
    headers: dict[str, str]
    """Header fields, names in lower case."""
    raw: bytes
    """The body."""

    @property
    def body(self) -> Any:
        """The body as JSON."""
        return json.loads(self.raw)


@dataclass
class Served:
    """What the server gives back."""

    body: Any = b""
    """Bytes as they are; anything else as JSON."""
    status: int = 200
    """HTTP status."""
    headers: dict[str, str] = field(default_factory=dict)
    """Header fields, over the usual ones."""
    cut: bool = False
    """Promise more than is sent, and close the connection."""
    hang: bool = False
    """Answer only when the server is closed."""

    @property
    def data(self) -> bytes:
        """The body as bytes."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Loopback:
    """The server; `answer` may be replaced by a test. Also usable as a context manager."""

    def __init__(self) -> None:
        """Start on a free port of 127.0.0.1."""
        self.seen: list[Seen] = []
        """Every request, in the order of arrival."""
        self.answer: Callable[[Seen], Served] = lambda _: Served({"error": "no answer set"}, 500)
        """What to give back."""
        self._released = Event()
        self._server = _Server(("127.0.0.1", 0), _handler_of(self))
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it listens, without a path."""
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def released(self) -> None:
        """Wait until the server is closed, or for the longest hang."""
        self._released.wait(LONGEST_HANG)

    def close(self) -> None:
        """Stop listening and release what hangs."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()


def _handler_of(server: Loopback) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            self._serve()

        def do_POST(self) -> None:
            self._serve()

        def _serve(self) -> None:
            raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            headers = {name.lower(): value for name, value in self.headers.items()}
            seen = Seen(self.command, self.path, headers, raw)
            server.seen.append(seen)
            answer = server.answer(seen)
            if answer.hang:
                server.released()
            self._send(answer)

        def _send(self, answer: Served) -> None:
            data = answer.data
            try:
                self.send_response_only(answer.status)
                for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(data) + (100 if answer.cut else 0)))
                self.end_headers()
                self.wfile.write(data)
            except OSError:
                self.close_connection = True  # whoever asked has gone
            self.close_connection = self.close_connection or answer.cut

        def log_message(self, *_args: Any) -> None:
            """Say nothing."""

    return Handler
