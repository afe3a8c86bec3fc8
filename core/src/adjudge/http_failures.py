"""What an HTTP call that brought no answer means: the typed failure of a status, an error body or a broken connection.

For backends over HTTP; what one service says in words of its own is a `Wording`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus

from adjudge.verdict import Failure, Reason, Reply, Usage

_FATAL = (401, 403, 404, 405, 410)
_RETRYABLE = (408, 409, 425)
_SECRET = re.compile(r"\b(?:sk|pk|key|Bearer)[-_ ][\w.*-]{6,}")
_LONGEST_DETAIL = 200
_KEYS: set[str] = set()
_SHORTEST_KEY = 6


def hide(key: str) -> None:
    """Never show this key in a message, whatever it looks like and whoever sends it back."""
    if len(key) >= _SHORTEST_KEY:  # a placeholder such as "x" would black out every message
        _KEYS.add(key)


@dataclass(frozen=True, slots=True)
class Wording:
    """How a service tells failures apart that share a status, by patterns in its error text in lower case."""

    quota: re.Pattern[str]
    """Nothing is left to spend: asking again is of no use."""
    overflow: re.Pattern[str]
    """The prompt does not fit the model's context."""
    policy: re.Pattern[str]
    """The service refuses the content."""
    fields: tuple[str, ...] = ("code", "type", "param", "message", "detail")
    """What to read of an error object, in this order."""


class CallError(Exception):
    """A call brought no answer; holds the failure, and what was paid for it all the same."""

    def __init__(self, failure: Failure, usage: Usage | None = None) -> None:
        super().__init__(failure.detail)
        self.failure = failure
        self.usage = usage or Usage()

    def reply(self) -> Reply:
        """The failure as a reply."""
        stop = "refusal" if self.failure.reason == "refusal" else "error"
        return Reply.model_validate({"stop": stop, "failure": self.failure, "usage": self.usage})


@dataclass(frozen=True, slots=True)
class Received:
    """What a server answered, as it came."""

    status: int
    """HTTP status."""
    body: bytes
    """The body."""
    headers: Mapping[str, str] = field(default_factory=dict)
    """Header fields, by a mapping that ignores case."""


def broken(detail: str) -> CallError:
    """A connection, reply or body that is broken: the same question may succeed a little later."""
    return CallError(Failure(reason="infra", detail=detail, retryable=True))


def failure_of(received: Received, path: str, *, wording: Wording) -> Failure:
    """The failure that a status other than 200 means.

    Args:
        received: What came back.
        path: What was called, for the message; never holds a key.
        wording: How this service tells failures apart.
    """
    status = received.status
    said = error_text(received.body, wording=wording)
    lowered = said.lower()
    detail = _detail(status, "" if status in (401, 403) else said, path)
    if status == HTTPStatus.PAYMENT_REQUIRED or wording.quota.search(lowered):
        return Failure(reason="budget", detail=detail, fatal=True)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure(reason="infra", detail=detail, retryable=True, retry_after=retry_after(received.headers))
    if status in _FATAL or status < HTTPStatus.BAD_REQUEST:
        return Failure(reason="infra", detail=detail, fatal=True)
    return Failure(reason=_refused(status, lowered, wording), detail=detail)


def _refused(status: int, said: str, wording: Wording) -> Reason:
    """Why a request as such was not taken."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or wording.overflow.search(said):
        return "overflow"
    return "refusal" if wording.policy.search(said) else "infra"


def _detail(status: int, said: str, path: str) -> str:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""
    return one_line(f"{path}: status {status} {phrase}".rstrip() + (f": {said}" if said else ""))


def one_line(text: str) -> str:
    """The text in one line of bounded length, without anything that looks like a key."""
    for key in _KEYS:
        text = text.replace(key, "***")
    text = _SECRET.sub("***", " ".join(text.split()))
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"


def error_text(body: bytes, *, wording: Wording) -> str:
    """What an error body says, field by field; empty if it is no JSON."""
    try:
        payload = json.loads(body)
    except (ValueError, RecursionError):
        return ""
    error = payload.get("error", payload) if isinstance(payload, dict) else payload
    if not isinstance(error, dict):
        return str(error)
    inner = error.get("innererror")
    parts = [*map(error.get, wording.fields), inner.get("code") if isinstance(inner, dict) else None]
    return " ".join(str(part) for part in parts if part)


def retry_after(headers: Mapping[str, str]) -> float | None:
    """Seconds that the server asked to wait: given in milliseconds, in seconds, or as a date."""
    try:
        if (milliseconds := headers.get("retry-after-ms")) is not None:
            return max(0.0, float(milliseconds) / 1000)
        given = headers.get("retry-after")
        if given is None:
            return None
        if given.strip().replace(".", "", 1).isdigit():
            return float(given)
        return max(0.0, (parsedate_to_datetime(given) - datetime.now(UTC)).total_seconds())
    except (ValueError, TypeError):
        return None
