"""What a call that brought no answer means, in the words of OpenAI and of servers that speak as it does."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import orjson

from adjudge import http_failures
from adjudge.http_failures import CallError, Received, Wording, broken, hide, one_line, retry_after

WORDING = Wording(
    quota=re.compile(
        r"insufficient_quota|billing_hard_limit|billing_not_active|exceeded your current quota|credit balance"
    ),
    overflow=re.compile(
        r"context_length_exceeded|exceed_context_size|string_above_max_length|context (?:size|length|window)"
        r"|prompt is too long|input (?:is )?too long|too many (?:input )?tokens|longer than the maximum model length"
    ),
    policy=re.compile(r"content_filter|content_policy|content management policy|responsible_?ai|safety system"),
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
