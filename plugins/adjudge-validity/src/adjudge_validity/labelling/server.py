"""The labelling page: what it answers, to whoever has its address."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping

from adjudge.errors import InputError
from adjudge.loopback import Answer, LoopbackServer, RefusedError, Visit
from adjudge_validity.labelling.page import render_end, render_item, render_message, source
from adjudge_validity.labelling.session import ANSWERS, Session

LONGEST_BODY = 100_000
"""Most bytes that a form may have."""
_FILES = {"label.css": "text/css; charset=utf-8", "label.js": "text/javascript; charset=utf-8"}
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self';"
    " img-src data:; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


class PageServer(LoopbackServer):
    """Serves one session on 127.0.0.1; `serve_forever` until `shutdown`."""

    def __init__(self, session: Session, port: int = 0) -> None:
        """Listen.

        Args:
            session: What is labelled.
            port: Where; a free port if 0.

        Raises:
            InputError: Something else listens there.
        """
        self.session = session
        self.busy = threading.Lock()
        """Held while a request reads or changes the session."""
        super().__init__(self._answered, _POLICY, port, refusal=_message, longest=LONGEST_BODY)

    def _answered(self, visit: Visit) -> Answer:
        try:
            with self.busy:
                return self._get(visit.path) if visit.form is None else self._post(visit.path, visit.form)
        except InputError as error:
            return _message(400, str(error))
        except OSError as error:
            return _message(500, f"not saved: {error.strerror or error}")

    def _get(self, path: str) -> Answer:
        if path in _FILES:
            return Answer(data=source(path).encode(), kind=_FILES[path])
        if path == "":
            return self._go_on(self.session.next_open())
        if path == "end":
            return Answer(data=render_end(self.session).encode())
        return Answer(data=render_item(self.session, self._place(path)).encode())

    def _place(self, path: str) -> int:
        """From `at/1`, … to a place from 0.

        Raises:
            RefusedError: There is none.
        """
        found = re.fullmatch(r"at/([0-9]{1,9})", path)
        if found is None or not 1 <= int(found[1]) <= len(self.session.draw.submissions):
            raise RefusedError(404, "there is no such page")
        return int(found[1]) - 1

    def _post(self, path: str, form: Mapping[str, str]) -> Answer:
        session, place, act = self.session, self._place(path), form.get("act")
        if act == "undo":
            undone = session.undo()
            return self._go_on(place if undone is None else undone)
        if act == "skip":
            session.skip(place)
            return self._go_on(session.next_open(place))
        answer = next((known for known in ANSWERS[session.draw.purpose] if known == act), None)
        if answer is None:
            raise RefusedError(400, "this form is not understood; load the page again")
        corrects = not session.is_open(place)
        session.answer(place, form.get("criterion", ""), answer, form.get("level"), form.get("reason", ""))
        stays = corrects or session.draw.purpose == "review" or session.is_open(place)
        return self._go_on(place if stays else session.next_open(place))

    def _go_on(self, place: int | None) -> Answer:
        where = "end" if place is None else f"at/{place + 1}"
        return Answer(303, location=f"/{self.token}/{where}")


def _message(status: int, message: str) -> Answer:
    return Answer(status, render_message(message).encode())
