"""A page for the browser of this machine alone: a server on 127.0.0.1 whose address holds a random token.

Served is who has the whole address, under a name of this machine and from this page. It ends with `shutdown`, and with
Ctrl-C where `serve_forever` was called.
"""

from __future__ import annotations

import hmac
import os
import re
import secrets
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs

from adjudge.errors import InputError

PATIENCE = 30.0
"""Seconds after which a connection on which nothing comes is closed."""
_MOST_FIELDS = 10
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    # Not `no-referrer`: forms would come with `Origin: null`.
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class RefusedError(Exception):
    """A request is not served; its text says why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status
        """HTTP status."""


@dataclass(frozen=True, slots=True)
class Visit:
    """A request of somebody who is served."""

    path: str
    """What follows the token, without the slashes around it."""
    form: Mapping[str, str] | None = None
    """What was sent, by field, the last of several; None if nothing was."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back."""

    status: int = 200
    """HTTP status."""
    data: bytes = b""
    """The body."""
    kind: str = "text/html; charset=utf-8"
    """Its type."""
    location: str = ""
    """Where the browser is sent to."""
    after: Callable[[], None] | None = None
    """Called once the answer was sent."""


def plainly(status: int, why: str) -> Answer:
    """A refusal as a line of text."""
    return Answer(status, f"{why}\n".encode("utf-8", "replace"), "text/plain; charset=utf-8")


class LoopbackServer(ThreadingHTTPServer):
    """Serves a page on 127.0.0.1; `serve_forever` until `shutdown`."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let a second process take the port over

    def __init__(
        self,
        answer: Callable[[Visit], Answer],
        policy: str,
        port: int = 0,
        *,
        refusal: Callable[[int, str], Answer] = plainly,
        longest: int = 100_000,
    ) -> None:
        """Listen.

        Args:
            answer: From a visit to what goes back; called in a thread of its own. It may raise `RefusedError`.
            policy: What a browser may do with the page (`Content-Security-Policy`).
            port: Where; a free port if 0.
            refusal: From an HTTP status and the reason to what goes back.
            longest: Most bytes that a form may have.

        Raises:
            InputError: Something else listens there.
        """
        self.answer, self.policy, self.refusal, self.longest = answer, policy, refusal, longest
        self.token = secrets.token_urlsafe(32)
        """What a request's path must begin with."""
        try:
            super().__init__(("127.0.0.1", port), _Handler)
        except OSError as error:
            raise InputError(f"--port {port}: {error.strerror or error}; leave it out, or name another") from error

    @property
    def hosts(self) -> tuple[str, str]:
        """Names under which this machine alone is reached."""
        port = self.server_address[1]
        return f"127.0.0.1:{port}", f"localhost:{port}"

    @property
    def url(self) -> str:
        """What to open in a browser."""
        return f"http://{self.hosts[0]}/{self.token}/"

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a visitor who went away."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    server: LoopbackServer
    timeout = PATIENCE

    def do_GET(self) -> None:
        self._send(self._answer(None))

    def do_POST(self) -> None:
        length, longest = self.headers.get("Content-Length", ""), self.server.longest
        if not re.fullmatch(r"[0-9]{1,9}", length) or int(length) > longest:
            self._send(self.server.refusal(413, f"a form has at most {longest:,} bytes; go back and shorten it"))
            return
        # Read before anything is refused, or the refusal would be lost with the connection.
        body = self.rfile.read(int(length))
        if len(body) == int(length):
            self._send(self._answer(body.decode("utf-8", "replace")))
        else:
            self._send(self.server.refusal(400, "the form was cut off; go back and send it again"))

    def _answer(self, body: str | None) -> Answer:
        try:
            return self.server.answer(Visit(self._path(), None if body is None else _form(body)))
        except RefusedError as refused:
            return self.server.refusal(refused.status, str(refused))

    def _path(self) -> str:
        """The path after the token.

        Raises:
            RefusedError: The request was made to another name (DNS rebinding), by another site, or without the token.
        """
        hosts, origin = self.server.hosts, self.headers.get("Origin")
        if self.headers.get("Host") not in hosts:
            raise RefusedError(403, "this name is not served here")
        if origin not in {f"http://{host}" for host in hosts} and (origin is not None or self.command == "POST"):
            raise RefusedError(403, "another site asks")
        _, token, *rest = f"{self.path.partition('?')[0]}/".split("/", 2)
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise RefusedError(403, "the address lacks its token; open the whole one that the command printed")
        return rest[0].rstrip("/")

    def _send(self, answer: Answer) -> None:
        headers = {"Content-Security-Policy": self.server.policy, **_HEADERS}
        headers |= {"Content-Type": answer.kind, "Content-Length": str(len(answer.data))}
        if answer.location:
            headers["Location"] = answer.location
        with suppress(ConnectionError):  # whoever asked has gone
            self.send_response_only(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.data)
            if answer.after is not None:
                answer.after()

    def log_message(self, *_args: object) -> None:
        """Say nothing: addresses hold the token."""


def _form(body: str) -> dict[str, str]:
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=_MOST_FIELDS)
    except ValueError:
        raise RefusedError(400, "this form is not understood; load the page again") from None
    return {name: values[-1] for name, values in fields.items()}
