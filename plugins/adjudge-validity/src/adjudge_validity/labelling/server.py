"""The page's server: this machine only, and only for whoever has the address with its token."""

from __future__ import annotations

import hmac
import os
import re
import secrets
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs

from adjudge.errors import InputError
from adjudge_validity.labelling.page import render_end, render_item, render_message, source
from adjudge_validity.labelling.session import ANSWERS, Session

LONGEST_BODY = 100_000
"""Most bytes that a form may have."""
PATIENCE = 30.0
"""Seconds after which a connection on which nothing comes is closed."""
_FILES = {"label.css": "text/css; charset=utf-8", "label.js": "text/javascript; charset=utf-8"}
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
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


class PageServer(ThreadingHTTPServer):
    """Serves one session on 127.0.0.1; `serve_forever` until `shutdown`."""

    daemon_threads = True
    allow_reuse_address = os.name == "posix"  # elsewhere it would let a second process take the port over

    def __init__(self, session: Session, port: int = 0) -> None:
        """Listen.

        Args:
            session: What is labelled.
            port: Where; a free port if 0.

        Raises:
            InputError: Something else listens there.
        """
        self.session = session
        self.token = secrets.token_urlsafe(32)
        """What a request's path must begin with."""
        self.busy = threading.Lock()
        """Held while a request reads or changes the session."""
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

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a visitor who went away."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)  # type: ignore[arg-type] # passed on as it came


@dataclass(frozen=True, slots=True)
class _Answer:
    """What goes back."""

    status: int = 200
    data: bytes = b""
    kind: str = "text/html; charset=utf-8"
    location: str = ""


class _Handler(BaseHTTPRequestHandler):
    server: PageServer
    timeout = PATIENCE

    def do_GET(self) -> None:
        self._send(self._answer(""))

    def do_POST(self) -> None:
        length = self.headers.get("Content-Length", "")
        if not re.fullmatch(r"[0-9]{1,9}", length) or int(length) > LONGEST_BODY:
            self._send(_message(413, f"a form has at most {LONGEST_BODY:,} bytes"))
            return
        # Read before anything is refused, or the refusal would be lost with the connection.
        body = self.rfile.read(int(length))
        whole = len(body) == int(length)
        self._send(self._answer(body.decode("utf-8", "replace")) if whole else _message(400, "the form was cut off"))

    def _answer(self, body: str) -> _Answer:
        try:
            path = self._path()
            with self.server.busy:
                return self._post(path, _form(body)) if self.command == "POST" else self._get(path)
        except RefusedError as refused:
            return _message(refused.status, str(refused))
        except InputError as error:
            return _message(400, str(error))
        except OSError as error:
            return _message(500, f"not saved: {error.strerror or error}")

    def _path(self) -> str:
        """The path after the token.

        Raises:
            RefusedError: The request was made to another name (DNS rebinding), by another site, or without the token.
        """
        host, origin = self.headers.get("Host"), self.headers.get("Origin")
        if host not in self.server.hosts:
            raise RefusedError(403, "this name is not served here")
        if origin != f"http://{host}" and (origin is not None or self.command == "POST"):
            raise RefusedError(403, "another site asks")
        _, token, *rest = f"{self.path.partition('?')[0]}/".split("/", 2)
        if not hmac.compare_digest(token.encode(), self.server.token.encode()):
            raise RefusedError(403, "the address lacks its token; open the one that adjudge label printed")
        return rest[0].rstrip("/")

    def _get(self, path: str) -> _Answer:
        session = self.server.session
        if path in _FILES:
            return _Answer(data=source(path).encode(), kind=_FILES[path])
        if path == "":
            return self._go_on(session.next_open())
        if path == "end":
            return _Answer(data=render_end(session).encode())
        return _Answer(data=render_item(session, self._place(path)).encode())

    def _place(self, path: str) -> int:
        """From `at/1`, … to a place from 0.

        Raises:
            RefusedError: There is none.
        """
        found = re.fullmatch(r"at/([0-9]{1,9})", path)
        if found is None or not 1 <= int(found[1]) <= len(self.server.session.draw.submissions):
            raise RefusedError(404, "there is no such page")
        return int(found[1]) - 1

    def _post(self, path: str, form: dict[str, str]) -> _Answer:
        session, place, act = self.server.session, self._place(path), form.get("act")
        if act == "undo":
            undone = session.undo()
            return self._go_on(place if undone is None else undone)
        if act == "skip":
            session.skip(place)
            return self._go_on(session.next_open(place))
        answer = next((known for known in ANSWERS[session.draw.purpose] if known == act), None)
        if answer is None:
            raise RefusedError(400, "this form is not understood; load the page again")
        session.answer(place, form.get("criterion", ""), answer, form.get("level"), form.get("reason", ""))
        stays = session.draw.purpose == "review" or session.is_open(place)
        return self._go_on(place if stays else session.next_open(place))

    def _go_on(self, place: int | None) -> _Answer:
        where = "end" if place is None else f"at/{place + 1}"
        return _Answer(303, location=f"/{self.server.token}/{where}")

    def _send(self, answer: _Answer) -> None:
        headers = {**_HEADERS, "Content-Type": answer.kind, "Content-Length": str(len(answer.data))}
        if answer.location:
            headers["Location"] = answer.location
        with suppress(ConnectionError):  # whoever asked has gone
            self.send_response_only(answer.status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(answer.data)

    def log_message(self, *_args: object) -> None:
        """Say nothing: addresses hold the token."""


def _message(status: int, message: str) -> _Answer:
    return _Answer(status, render_message(message).encode())


def _form(body: str) -> dict[str, str]:
    try:
        fields = parse_qs(body, keep_blank_values=True, max_num_fields=20)
    except ValueError:
        raise RefusedError(400, "this form is not understood; load the page again") from None
    return {name: values[-1] for name, values in fields.items()}
