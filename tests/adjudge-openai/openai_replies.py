"""Replies as the two interfaces give them; all texts are synthetic."""

from __future__ import annotations

from typing import Any

from adjudge.verdict import JsonObject

SCHEMA: JsonObject = {
    "type": "object",
    "properties": {"why": {"type": "string", "maxLength": 40}, "level": {"enum": ["met", "unmet"]}},
    "required": ["why", "level"],
    "additionalProperties": False,
}
JSON_TEXT = '{"why": "thanks", "level": "met"}'


def completion(text: str | None = JSON_TEXT, tops: list[dict[str, float]] | None = None, **more: Any) -> JsonObject:
    """A chat completion; `tops`: for each written token what could have stood there."""
    choice: JsonObject = {"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}
    choice["message"] |= more.pop("message", {})
    choice |= {name: more.pop(name) for name in ("finish_reason",) if name in more}
    if tops is not None:
        choice["logprobs"] = {"content": [entry(one) for one in tops]}
    usage = {"prompt_tokens": 100, "completion_tokens": 5, "prompt_tokens_details": {"cached_tokens": 64}}
    return {"id": "c", "object": "chat.completion", "model": "served-1", "choices": [choice], "usage": usage, **more}


def entry(tops: dict[str, float]) -> JsonObject:
    """One written token: the first of those given."""
    rows = [{"token": token, "logprob": value, "bytes": list(token.encode())} for token, value in tops.items()]
    return {**rows[0], "top_logprobs": rows}


def response(text: str = JSON_TEXT, **more: Any) -> JsonObject:
    """A reply of the responses API."""
    part = more.pop("part", {"type": "output_text", "text": text, "annotations": []})
    item = {"type": "message", "role": "assistant", "status": "completed", "content": [part]}
    usage = {"input_tokens": 100, "output_tokens": 5, "input_tokens_details": {"cached_tokens": 64}}
    return {"id": "r", "object": "response", "status": "completed", "model": "served-1", "output": [item]} | {
        "usage": usage,
        **more,
    }


def error(message: str, code: str | None = None, **more: Any) -> JsonObject:
    """An error body."""
    return {"error": {"message": message, "type": "invalid_request_error", "code": code, **more}}
