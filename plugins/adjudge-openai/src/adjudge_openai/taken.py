"""What a server was found not to take, remembered so that each thing is tried once."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from pydantic import JsonValue

JSON_RUNGS = ("json_schema", "json_schema without limits", "json_object", "prompt")
"""How JSON is asked for, from the strictest way: a schema; a schema without lengths and counts, which some do not take;
any JSON; by the prompt alone."""
_ABOUT_JSON = ("response_format", "json_schema", "json schema", "schema", "structured", "text.format", "grammar")
_OPTIONAL = ("temperature", "top_p", "top_k", "seed", "prompt_cache_key", "reasoning_effort", "store")
_LENGTHS = {"max_tokens": "max_completion_tokens", "max_completion_tokens": "max_tokens"}
_FEWER_TOP = {100: 20, 20: 5, 5: 0}
_LIMITS = {"maxLength", "minLength", "maxItems", "minItems", "pattern", "format", "minimum", "maximum", "multipleOf"}


def is_about_form(status: int, said: str) -> bool:
    """Whether a request was refused for what it is, rather than failed.

    Args:
        status: HTTP status.
        said: The server's words; llama-cpp-python's server answers 500 and names the parameter.
    """
    return status in (400, 422) or (status == HTTPStatus.INTERNAL_SERVER_ERROR and _ABOUT_JSON[0] in said.lower())


class Taken:
    """Which parameters a server takes, as far as its answers have told."""

    def __init__(self, length: str, top: int) -> None:
        self.length = length
        """Name of the limit on the reply."""
        self.top = top
        """Number of likeliest tokens to ask for; 0 if it reports none."""
        self.reported = False
        """It has reported log-probabilities."""
        self.rung = 0
        """Index in `JSON_RUNGS`."""
        self.dropped: set[str] = set()
        """Parameters that it refused."""

    def step_down(self, body: Mapping[str, Any], sent: Mapping[str, JsonValue], status: int, said: str) -> bool:
        """Learn from a refusal; True if the same question is worth another try in another form.

        Args:
            body: The request that was refused.
            sent: What was recorded of it.
            status: HTTP status.
            said: The server's words.
        """
        said = said.lower()
        if status == HTTPStatus.INTERNAL_SERVER_ERROR:  # it may repeat the request, and so name every parameter
            return self._loosen_json(sent, said)
        return (
            self._rename_length(body, said)
            or self._fewer_top(body, said)
            or self._drop(body, said)
            or self._loosen_json(sent, said)
        )

    def _rename_length(self, body: Mapping[str, Any], said: str) -> bool:
        for name, other in _LENGTHS.items():
            if name in body and name in said and other not in self.dropped:
                self.length = other
                self.dropped.add(name)
                return True
        return False

    def _fewer_top(self, body: Mapping[str, Any], said: str) -> bool:
        if "logprobs" not in body or "logprobs" not in said:
            return False
        self.top = min(self.top, _FEWER_TOP.get(int(body["top_logprobs"]), 0))
        return True

    def _drop(self, body: Mapping[str, Any], said: str) -> bool:
        refused = [name for name in _OPTIONAL if name in body and name in said]
        self.dropped.update(refused)
        return bool(refused)

    def _loosen_json(self, sent: Mapping[str, JsonValue], said: str) -> bool:
        way = sent.get("json")
        if way not in JSON_RUNGS[:-1] or not any(word in said for word in _ABOUT_JSON):
            return False
        # Of many questions in flight each may come here; all of them together make one step.
        self.rung = max(self.rung, JSON_RUNGS.index(str(way)) + 1)
        return True


def without_limits(schema: Any) -> Any:
    """A schema without lengths, counts and patterns; the reply is checked against the whole one later."""
    if isinstance(schema, list):
        return [without_limits(one) for one in schema]
    if not isinstance(schema, dict):
        return schema
    # A property may be called as a keyword is (`pattern`, `format`); then it is a schema and not a keyword's value.
    kept = ((name, value) for name, value in schema.items() if name not in _LIMITS or isinstance(value, dict))
    return {name: without_limits(value) for name, value in kept}
