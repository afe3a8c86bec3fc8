"""What a call that brought no answer means, in the words of Anthropic."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import orjson

from adjudge import http_failures
from adjudge.http_failures import CallError, Received, Wording, broken, hide, one_line, retry_after

WORDING = Wording(
    quota=re.compile(r"billing_error|credit balance|spend(?:ing)? limit|workspace limit"),
    overflow=re.compile(r"prompt is too long|exceed context limit|context (?:window|limit|length)|request_too_large"),
    policy=re.compile(r"content filtering policy|usage policy|output blocked"),
    fields=("type", "message"),
)
failure_of = partial(http_failures.failure_of, wording=WORDING)
error_text = partial(http_failures.error_text, wording=WORDING)


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


__all__ = ["CallError", "Received", "broken", "error_text", "failure_of", "hide", "one_line", "parsed", "retry_after"]
