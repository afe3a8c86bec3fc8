"""An elicitation as a page in the browser, served on the loopback interface to whoever has its address.

The address holds a random token; without it, or under another host's name, nothing is shown. The page needs no script
and loads nothing: its policy forbids all but its own style and its own form.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import secrets
import sys
from collections.abc import Callable, Coroutine
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from threading import Thread
from typing import Any, Self, TypeVar
from urllib.parse import parse_qs

from adjudge.errors import AdjudgeError, InputError
from adjudge_metacog.elicit.flow import Flow
from adjudge_metacog.elicit.rendering import page_html

T = TypeVar("T")
_MOST_BYTES = 64_000
_SECONDS = 30
STYLE = files("adjudge_metacog.elicit").joinpath("page.css").read_text("utf-8")
_HASH = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
"""What a browser may do with the page."""
_HEADERS = {
    "Content-Security-Policy": POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Page:
    """The server of one person's page; also usable as a context manager."""

    def __init__(self, flow: Flow, loop: asyncio.AbstractEventLoop, port: int = 0) -> None:
        """Listen.

        Args:
            flow: The person's way.
            loop: The loop that the model is asked in; it runs in another thread than the requests.
            port: Of 127.0.0.1; a free one if 0.

        Raises:
            InputError: Something else listens there.
        """
        self._flow, self._loop = flow, loop
        self._token = secrets.token_urlsafe(24)
        self._turn = asyncio.Lock()
        self._ended: asyncio.Future[None] = loop.create_future()
        self._server = _Server(self, port)
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._server.server_address[1])

    @property
    def url(self) -> str:
        """The address, with its token."""
        return f"http://127.0.0.1:{self.port}/{self._token}/"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    async def ended(self) -> None:
        """Wait until the last screen was sent.

        Raises:
            AdjudgeError: The store or the model failed for good.
        """
        await self._ended

    def admits(self, path: str, headers: Message) -> bool:
        """Whether a request has the token, and speaks to this host from this page."""
        hosts = (f"127.0.0.1:{self.port}", f"localhost:{self.port}")
        origin = headers.get("Origin")
        from_here = origin is None or origin in {f"http://{host}" for host in hosts}
        told = hmac.compare_digest(path.encode("utf-8", "replace"), f"/{self._token}/".encode())
        return told and from_here and headers.get("Host") in hosts

    def show(self) -> tuple[bytes, bool]:
        """The page as it now is, and whether it is the last."""
        return self._in_loop(self._shown)

    def take(self, form: dict[str, list[str]]) -> None:
        """Take an answer; one to a step that is over changes nothing."""
        answer = {name: values[0] for name, values in form.items()}
        self._in_loop(lambda: self._answered(answer))

    def end(self, error: AdjudgeError | None = None) -> None:
        """Let `ended` return, or raise."""
        self._loop.call_soon_threadsafe(self._end, error)

    def _end(self, error: AdjudgeError | None) -> None:
        if self._ended.done():
            return
        if error is None:
            self._ended.set_result(None)
        else:
            self._ended.set_exception(error)

    def _in_loop(self, work: Callable[[], Coroutine[Any, Any, T]]) -> T:
        return asyncio.run_coroutine_threadsafe(work(), self._loop).result()

    async def _shown(self) -> tuple[bytes, bool]:
        async with self._turn:
            screen = await self._flow.screen()
            return page_html(screen, self._flow.mark, STYLE), screen.is_last

    async def _answered(self, answer: dict[str, str]) -> None:
        async with self._turn:
            if answer.get("mark") == self._flow.mark:
                await self._flow.answer(answer.get("value", ""), answer.get("text", "").replace("\r\n", "\n"))


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let a second process take the port over

    def __init__(self, page: Page, port: int) -> None:
        self.page = page
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise InputError(f"--port {port}: {error.strerror or error}; leave it out, or name another") from None

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that goes away in the middle is no error of ours."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _SECONDS
    server_version = "adjudge"
    sys_version = ""

    def do_GET(self) -> None:
        """Show the page."""
        self._guarded(self._show)

    def do_POST(self) -> None:
        """Take an answer."""
        length = self.headers.get("Content-Length") or ""
        if not (length.isascii() and length.isdigit()) or int(length) > _MOST_BYTES:
            self._say(413, "The answer is too long; go back and shorten it.")
            return
        # Read before anything is refused, or the refusal would be lost with the connection.
        body = self.rfile.read(int(length))
        self._guarded(lambda: self._take(body, whole=len(body) == int(length)))

    def _guarded(self, work: Callable[[], None]) -> None:
        if not self.server.page.admits(self.path, self.headers):
            self._say(403, "This address is not complete; copy the whole line that the command printed.")
            return
        try:
            work()
        except AdjudgeError as error:
            self._say(500, f"This cannot go on: {error}")
            self.server.page.end(error)

    def _show(self) -> None:
        data, is_last = self.server.page.show()
        self._send(200, data, "text/html")
        if is_last:
            self.server.page.end()

    def _take(self, body: bytes, *, whole: bool) -> None:
        try:
            form = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10) if whole else None
        except ValueError:
            form = None
        if form is None:
            self._say(400, "That is no answer to this page, or it was cut off; go back and send it again.")
            return
        self.server.page.take(form)
        self._send(303, b"", "text/plain", {"Location": self.path})

    def _say(self, status: int, text: str) -> None:
        self._send(status, f"{text}\n".encode("utf-8", "replace"), "text/plain")

    def _send(self, status: int, data: bytes, kind: str, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": f"{kind}; charset=utf-8", **_HEADERS, **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_args: Any) -> None:
        """Say nothing: the address holds the token."""
