"""A real HTTP server on the loopback interface that answers as a test says and keeps what it was asked."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Thread
from typing import Any

import pytest

from adjudge.verdict import Prompt, Question

KEY = "sk-ant-loopback-3f9c1d77aa5e4b21"


@dataclass
class Seen:
    """A request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Answer:
    """What the server gives back."""

    body: Any = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    cut: bool = False
    hang: bool = False

    @property
    def data(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


class Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128


class Loopback:
    """The server; `answer` may be replaced by a test."""

    def __init__(self) -> None:
        self.seen: list[Seen] = []
        self.answer: Callable[[Seen], Answer] = lambda seen: Answer({"error": "no answer set"}, 500)
        self.released = Event()
        self._server = Server(("127.0.0.1", 0), self._handler())
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}"

    def close(self) -> None:
        self.released.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

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
                outer.seen.append(seen)
                answer = outer.answer(seen)
                if answer.hang:
                    outer.released.wait(5)
                self._send(answer)

            def _send(self, answer: Answer) -> None:
                data = answer.data
                try:
                    self.send_response_only(answer.status)
                    for name, value in {"Content-Type": "application/json", **answer.headers}.items():
                        self.send_header(name, value)
                    self.send_header("Content-Length", str(len(data) + (100 if answer.cut else 0)))
                    self.end_headers()
                    self.wfile.write(data)
                except OSError:
                    answer.cut = True
                self.close_connection = answer.cut

            def log_message(self, *args: Any) -> None:
                pass

        return Handler


@pytest.fixture
def loopback(monkeypatch: pytest.MonkeyPatch) -> Iterator[Loopback]:
    for name in ("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN", "ADJUDGE_PRICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("ANTHROPIC_API_KEY", KEY)
    server = Loopback()
    yield server
    server.close()


@pytest.fixture
def question() -> Callable[..., Question]:
    """`question(ask, output=…, **fields)`: synthetic evidence, criterion last."""

    def make(
        ask: str = "Is it polite?", output: str = "Thank you.\n", given: str = "How long?\n", **more: Any
    ) -> Question:
        prompt = Prompt(system="You judge texts.", input=given, output=output, ask=ask)
        return Question.model_validate({"prompt": prompt, **more})

    return make
