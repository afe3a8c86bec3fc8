"""Chat messages as OpenAI, Anthropic, inspect-ai and others write them, read into `Message` values.

Nothing that a judge needs is lost: who speaks, what is said and thought, which tool is called with what and what it
answers. Ids of calls become short marks (`1`, `2`, …), the same on a call and its result. What is no text (an image,
say) leaves a mark that names it; what is not known is refused.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from pydantic import ValidationError

from adjudge.errors import InputError
from adjudge.submission import Message
from adjudge.transcript.parts import Part, brief, json_text, mapping, omitted, parts_of, text_of, with_error

ROLES = {
    "system": "system",
    "user": "user",
    "assistant": "assistant",
    "tool": "tool",
    "developer": "system",
    "human": "user",
    "gpt": "assistant",
    "ai": "assistant",
    "model": "assistant",
    "function": "tool",
}
"""Names of roles, and the role that each is read as."""
KINDS = ("text", "thinking", "tool_call", "tool_result")
_NO_EVIDENCE = frozenset({
    "id", "type", "status", "source", "metadata", "model", "internal", "annotations", "cache_control", "phase",
    "stop_reason", "stop_sequence", "stop_details", "usage", "container", "context_management", "tool_error",
})  # fmt: skip
"""Keys of a message that say nothing a judge needs."""
_THOUGHTS = ("reasoning_content", "reasoning", "thinking", "reasoning_details")
"""Where thoughts stand beside the content; the first that holds any counts, since the others repeat it."""


def read_messages(messages: Any, place: str = "the transcript") -> tuple[Message, ...]:
    """Read a conversation.

    Args:
        messages: One message or a list of them: objects (dicts, or values of an SDK that can dump themselves).
        place: What it is called in errors.

    Returns:
        The messages in their order; one that holds thoughts or tool calls becomes several.

    Raises:
        InputError: Something in it is not known; the text names the message and says how to mend it.
    """
    reader = _Reader()
    if not isinstance(messages, list | tuple):
        return tuple(reader.read(messages, place))
    places = ((item, f"message {number} of {place}") for number, item in enumerate(messages, start=1))
    return tuple(message for item, where in places for message in reader.read(item, where))


class _Reader:
    """Reads message by message; remembers the calls, so that a result knows its tool."""

    def __init__(self) -> None:
        self._marks: dict[str, str] = {}
        self._tools: dict[str, str] = {}

    def read(self, item: Any, place: str) -> list[Message]:
        """The messages that one holds."""
        given = mapping(item)
        if given is None:
            raise InputError(f"{place} is {brief(item)}; write an object with role and content")
        given = {key: value for key, value in given.items() if value is not None}
        try:
            if "role" not in given and given.get("type") in _ITEMS:
                return [self._step(part, "assistant") for part in _item(given, place)]
            return self._message(given, place)
        except ValidationError as error:
            first = error.errors()[0]
            raise InputError(f"{place}: {'.'.join(map(str, first['loc']))}: {first['msg']}") from None

    def _message(self, given: dict[str, Any], place: str) -> list[Message]:
        said = given.get("role", given.get("from"))
        role = ROLES.get(str(said).lower())
        if role is None:
            raise InputError(f"{place} has the role {brief(said)}; known are {', '.join(ROLES)}")
        kind = given.pop("kind", "tool_result" if role == "tool" else "text")
        if kind not in KINDS:
            raise InputError(f"{place} has the kind {brief(kind)}; known are {', '.join(KINDS)}")
        own = Part("", kind, _name(given, role, place), _call(given, role))
        mark = given.pop("call", None)
        given = {key: value for key, value in given.items() if key not in _NO_EVIDENCE | {"role", "from"}}
        return self._joined(_steps(given, own, place), own, role, mark)

    def _joined(self, parts: Iterable[Part], own: Part, role: str, mark: Any) -> list[Message]:
        """The parts as messages; neighbours of one kind and tool are joined by a line feed, tool calls never."""
        steps: list[Part] = []
        for part in parts:
            named = part if part.kind is not None else replace(own, text=part.text)
            if steps and named.kind != "tool_call" and replace(steps[-1], text=named.text) == named:
                named = replace(named, text=f"{steps.pop().text}\n{named.text}")
            steps.append(named)
        return [self._step(part, role, mark) for part in steps]

    def _step(self, part: Part, role: str, mark: Any = None) -> Message:
        call = mark if mark is not None else self._mark(part.call)
        name = part.name
        if part.kind == "tool_result" and mark is None:
            role = "tool" if part.call else role
            name = name or self._tools.get(call, "")
        if part.kind == "tool_call" and call:
            self._tools[call] = name
        fields = {"role": role, "content": part.text, "kind": part.kind, "name": name, "call": call}
        return Message.model_validate(fields)

    def _mark(self, call: str) -> str:
        return self._marks.setdefault(call, str(len(self._marks) + 1)) if call else ""


def _name(given: dict[str, Any], role: str, place: str) -> str:
    """Who speaks or which tool answers."""
    found = given.pop("name", None) or (given.pop("function", None) if role == "tool" else None) or ""
    if not isinstance(found, str):
        raise InputError(f"{place} has the name {brief(found)}; write text")
    return found


def _call(given: dict[str, Any], role: str) -> str:
    found = given.pop("tool_call_id", "")
    return str(found) if role == "tool" else ""


def _steps(given: dict[str, Any], own: Part, place: str) -> Iterator[Part]:
    """All parts of a message, thoughts first and tool calls last.

    Raises:
        InputError: It holds a key that is not known, or nothing at all.
    """
    thoughts = [given.pop(key, None) for key in _THOUGHTS]
    legacy = [{"function": given.pop("function_call")}] if given.get("function_call") else []
    calls = [*_listed(given.pop("tool_calls", ()), place), *legacy]
    content = given.pop("content" if "content" in given else "value", None)
    error = given.pop("error", None) if own.kind == "tool_result" else None
    refusal, audio = given.pop("refusal", ""), given.pop("audio", None)
    if unknown := [key for key, value in given.items() if value]:
        raise InputError(f"{place} has {brief(unknown[0])}, which adjudge does not know; take it out")
    found = next((thought for thought in thoughts if thought), None)
    steps = [Part(part.text, "thinking") for part in parts_of(found, place)] if found else []
    steps += _content(content, error, own, place)
    steps += [Part(text_of(refusal, place))] if refusal else []
    steps += [_audio(audio)] if audio else []
    steps += [_tool_call(call, place) for call in calls]
    if not steps and content is None:
        raise InputError(f"{place} has the content None; write text or a list of parts")
    return iter(steps or [Part("")])


def _listed(calls: Any, place: str) -> list[Any]:
    if not isinstance(calls, list | tuple):
        raise InputError(f"{place} has the tool calls {brief(calls)}; write a list")
    return list(calls)


def _content(content: Any, error: Any, own: Part, place: str) -> list[Part]:
    if content is not None and not isinstance(content, str | list | tuple):
        raise InputError(f"{place} has the content {brief(content)}; write text or a list of parts")
    if own.kind == "tool_result" and error:
        return [Part(with_error(text_of(content, place), error))]
    return [part for part in parts_of(content, place) if part.text or part.kind] if content is not None else []


def _audio(audio: Any) -> Part:
    """What was spoken, if it was written down."""
    given = mapping(audio) or {}
    spoken = given.pop("transcript", "")
    return Part("\n".join(part for part in (omitted("audio", given), str(spoken or "")) if part))


def _tool_call(item: Any, place: str) -> Part:
    """A call as OpenAI (`function` or `custom`: an object) or inspect-ai (`function`: the name) writes it."""
    call = mapping(item) or {}
    called = call.get("function") or call.get("custom")
    inner = mapping(called) if not isinstance(called, str) else call | {"name": called}
    if inner is None or not isinstance(inner.get("name"), str):
        raise InputError(f"{place} has a tool call without a function name: {brief(item)}")
    arguments = inner["arguments"] if "arguments" in inner else inner.get("input")
    unread = f" [arguments not understood: {call['parse_error']}]" if call.get("parse_error") else ""
    return Part(json_text(arguments) + unread, "tool_call", inner["name"], str(call.get("id") or ""))


_ITEMS = (
    "function_call", "custom_tool_call", "mcp_call",
    "function_call_output", "custom_tool_call_output", "reasoning",
)  # fmt: skip
"""Items of OpenAI's responses that are no messages."""


def _item(given: dict[str, Any], place: str) -> Iterator[Part]:
    kind, call = given["type"], str(given.get("call_id") or given.get("id") or "")
    if kind == "reasoning":
        return parts_of(given, place)
    if kind.endswith("_output"):
        return iter([Part(text_of(given.get("output"), place), "tool_result", "", call)])
    made = _tool_call({"function": given, "id": call}, place)
    answered = given.get("output") or given.get("error")
    if not answered:
        return iter([made])
    answer = Part(with_error(json_text(given.get("output")), given.get("error")), "tool_result", made.name, call)
    return iter([made, answer])
