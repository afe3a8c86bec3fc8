"""What a call that brought no answer means: the typed failure of a status, an error body or a broken connection."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any

import orjson

from adjudge.verdict import Failure, Reason, Reply, Usage

_QUOTA = re.compile(
    r"insufficient_quota|billing_hard_limit|billing_not_active|exceeded your current quota|credit balance"
)
_OVERFLOW = re.compile(
    r"context_length_exceeded|exceed_context_size|string_above_max_length|context (?:size|length|window)"
    r"|prompt is too long|input (?:is )?too long|too many (?:input )?tokens|longer than the maximum model length"
)
_POLICY = re.compile(r"content_filter|content_policy|content management policy|responsible_?ai|safety system")
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


def parsed(received: Received, path: str) -> dict[str, Any]:
    """The body as a JSON object.

    Raises:
        CallError: It is none, or holds something that JSON does not know (NaN).
    """
    try:
        payload = orjson.loads(received.body)
    except orjson.JSONDecodeError:
        size = len(received.body)
        raise broken(f"{path}: status {received.status} with {size} bytes that are no JSON") from None
    if not isinstance(payload, dict):
        raise broken(f"{path}: status {received.status} with JSON that is no object")
    return payload


def failure_of(received: Received, path: str) -> Failure:
    """The failure that a status other than 200 means.

    Args:
        received: What came back.
        path: What was called, for the message; never holds a key.
    """
    status = received.status
    said = error_text(received.body)
    lowered = said.lower()
    detail = _detail(status, "" if status in (401, 403) else said, path)
    if status == HTTPStatus.PAYMENT_REQUIRED or _QUOTA.search(lowered):
        return Failure(reason="budget", detail=detail, fatal=True)
    if status == HTTPStatus.TOO_MANY_REQUESTS or status in _RETRYABLE or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        return Failure(reason="infra", detail=detail, retryable=True, retry_after=retry_after(received.headers))
    if status in _FATAL or status < HTTPStatus.BAD_REQUEST:
        return Failure(reason="infra", detail=detail, fatal=True)
    return Failure(reason=_refused(status, lowered), detail=detail)


def _refused(status: int, said: str) -> Reason:
    """Why a request as such was not taken."""
    if status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE or _OVERFLOW.search(said):
        return "overflow"
    return "refusal" if _POLICY.search(said) else "infra"


def _detail(status: int, said: str, path: str) -> str:
    phrase = HTTPStatus(status).phrase if status in HTTPStatus.__members__.values() else ""
    return one_line(f"{path}: status {status} {phrase}".rstrip() + (f": {said}" if said else ""))


def one_line(text: str) -> str:
    """The text in one line of bounded length, without anything that looks like a key."""
    for key in _KEYS:
        text = text.replace(key, "***")
    text = _SECRET.sub("***", " ".join(text.split()))
    return text if len(text) <= _LONGEST_DETAIL else text[: _LONGEST_DETAIL - 1] + "…"


def error_text(body: bytes) -> str:
    """Code, parameter and message of an error body; the beginning of the body if it is of no known form."""
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        return ""
    error = payload.get("error", payload) if isinstance(payload, dict) else payload
    if not isinstance(error, dict):
        return str(error)
    named = (error.get(name) for name in ("code", "type", "param", "message", "detail"))
    inner = error.get("innererror")
    parts = [*named, inner.get("code") if isinstance(inner, dict) else None]
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
