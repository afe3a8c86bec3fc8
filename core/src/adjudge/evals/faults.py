"""What inspect's models raise, as typed failures: nothing that a provider does is ever a verdict."""

from __future__ import annotations

import os
import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from adjudge.http_failures import hide, one_line
from adjudge.verdict import Failure, Reason

if TYPE_CHECKING:
    from inspect_ai.model import Model

_FATAL = (HTTPStatus.UNAUTHORIZED, HTTPStatus.PAYMENT_REQUIRED, HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND)
_OVERLOADED = 529
_ADDRESS = re.compile(r"(?P<scheme>\w+://)(?:[^/\s@]*@)?(?P<rest>[^\s?'\"]*)(?:\?[^\s'\"]*)?")
_QUOTA = ("insufficient_quota", "exceeded your current quota")
_SCHEMA = ("response_format", "json_schema", "response schema", "output_format", "structured output", "grammar")
_CONTEXT = ("context length", "context_length", "context window", "too many tokens", "prompt is too long")


def failure_of(error: BaseException, model: Model) -> Failure:
    """The failure that an exception of a call stands for: who was called, and what the innermost cause says.

    The text of an error may hold the key: that of a refused key is left out, and in any other no key is shown.
    """
    cause = _innermost(error)
    kind, status, said = type(cause).__name__, _status(cause), str(cause).casefold()
    if kind == "LimitExceededError":
        return _failure("budget", "a limit of the eval was reached")
    if any(word in said for word in _QUOTA):
        return _failure("budget", "the quota is spent", fatal=True)
    if status in (HTTPStatus.BAD_REQUEST, HTTPStatus.REQUEST_ENTITY_TOO_LARGE) and any(w in said for w in _CONTEXT):
        return _failure("overflow", "the prompt does not fit the model's context")
    if status in _FATAL or _is_auth(cause, model):
        return _failure("infra", f"{_named(status, kind)}: the server refuses this key or model ({model})", fatal=True)
    retryable = _is_retryable(cause, status, model)
    told = one_line(f"the call failed: {_named(status, kind)}, {_whom(model)}{_said(cause, status, model)}")
    return _failure("infra", told, retryable=retryable, wait=_wait(cause, status))


def blames_the_schema(error: BaseException) -> bool:
    """Whether the provider refused the request for the sake of the schema rather than of anything else."""
    cause = _innermost(error)
    status, said = _status(cause), str(cause).casefold()
    if status == HTTPStatus.INTERNAL_SERVER_ERROR:  # llama-cpp-python's server answers so
        return _SCHEMA[0] in said
    return status in (HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY, None) and any(w in said for w in _SCHEMA)


def _failure(
    reason: Reason, detail: str, *, retryable: bool = False, fatal: bool = False, wait: float | None = None
) -> Failure:
    return Failure(reason=reason, detail=detail, retryable=retryable, fatal=fatal, retry_after=wait)


def _named(status: int | None, kind: str) -> str:
    return f"HTTP {status}" if status else kind


def _whom(model: Model) -> str:
    """The model that was called, and its host where that is known: most such calls never reached one."""
    host = urlsplit(model.api.base_url or "").netloc.rpartition("@")[2]
    return f"calling {model}" + (f" at {host}" if host else "")


def _said(cause: BaseException, status: int | None, model: Model) -> str:
    """What the error says; without a status, what began it says, since an SDK wraps that in words of its own."""
    if isinstance(cause, RuntimeError):  # inspect's own: its text is the whole request
        return ""
    for key in (getattr(model.api, "api_key", None), *map(os.environ.get, _key_variables(model))):
        hide(key or "")
    first = cause if status else _beginning(cause)
    said = _userless(str(first))
    return f": {said}" if said.strip() else ""


def _key_variables(model: Model) -> list[str]:
    return list(getattr(model.api, "api_key_vars", None) or ())


def _beginning(error: BaseException) -> BaseException:
    """The error below all that it was raised from which still says something."""
    seen, found, below = {id(error)}, error, error.__cause__ or error.__context__
    while below is not None and id(below) not in seen:
        seen.add(id(below))
        found = below if str(below).strip() else found
        below = below.__cause__ or below.__context__
    return found


def _userless(text: str) -> str:
    """The text without users, passwords and queries in the addresses that it names."""
    return _ADDRESS.sub(lambda match: match["scheme"] + match["rest"], text)


def _innermost(error: BaseException) -> BaseException:
    """What a retry loop gave up on, or the only error of a group."""
    attempt = getattr(error, "last_attempt", None)
    if attempt is not None and attempt.exception() is not None:
        return _innermost(attempt.exception())
    if isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        return _innermost(error.exceptions[0])
    # inspect wraps what it does not retry in an error whose text is the whole request; the cause has the status.
    if isinstance(error, RuntimeError) and error.__cause__ is not None:
        return _innermost(error.__cause__)
    return error


def _status(error: BaseException) -> int | None:
    for value in (getattr(error, "status_code", None), getattr(_response(error), "status_code", None)):
        if isinstance(value, int):
            return value
    return None


def _response(error: BaseException) -> Any:
    return getattr(error, "response", None)


def _is_auth(error: BaseException, model: Model) -> bool:
    try:
        return isinstance(error, Exception) and model.api.is_auth_failure(error)
    except Exception:  # noqa: BLE001 - a provider's own look at a foreign error
        return False


def _is_retryable(error: BaseException, status: int | None, model: Model) -> bool:
    if status is not None:
        transient = (HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, _OVERLOADED)
        return status in transient or status >= HTTPStatus.INTERNAL_SERVER_ERROR
    try:
        return bool(model.should_retry(error))  # knows inspect's own timeouts, which the provider does not
    except Exception:  # noqa: BLE001 - as above
        return False


def _wait(error: BaseException, status: int | None) -> float | None:
    """Seconds that an overloaded server asked to wait; 0 if it did not say."""
    if status not in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE, _OVERLOADED):
        return None
    headers = getattr(_response(error), "headers", None) or {}
    try:
        return max(0.0, float(headers.get("retry-after", 0)))
    except (TypeError, ValueError):
        return 0.0
