"""Replies as the messages API gives them; all texts are synthetic."""

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


def message(text: str = JSON_TEXT, **more: Any) -> JsonObject:
    """A message; the cache served 60 tokens and 30 were put into it."""
    usage = {"input_tokens": 10, "cache_read_input_tokens": 60, "cache_creation_input_tokens": 30, "output_tokens": 5}
    content = [{"type": "thinking", "thinking": "hm", "signature": "x"}, {"type": "text", "text": text}]
    return {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "served-1",
        "content": content,
        "stop_reason": "end_turn",
        "usage": usage,
        **more,
    }


def by_tool(value: Any) -> JsonObject:
    """A message that calls the tool."""
    block = {"type": "tool_use", "id": "toolu_1", "name": "reply", "input": value}
    return message(content=[block], stop_reason="tool_use")


def error(kind: str, said: str) -> JsonObject:
    """An error body."""
    return {"type": "error", "error": {"type": kind, "message": said}}
