"""Parts of a message's content: texts, thoughts, tool calls and their results, and a visible mark for the rest."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, is_dataclass
from typing import Any, Literal

from adjudge.errors import InputError

Kind = Literal["text", "thinking", "tool_call", "tool_result"]

REDACTED = "[thinking omitted: redacted or encrypted]"
_OMITTED = {
    "image": "image",
    "image_url": "image",
    "input_image": "image",
    "audio": "audio",
    "input_audio": "audio",
    "video": "video",
    "document": "document",
    "file": "file",
    "input_file": "file",
    "container_upload": "file",
    "data": "data",
}
"""Kinds of part that are no text, and what they are called."""
_TEXTS = ("text", "input_text", "output_text", "summary_text", "reasoning_text")
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of a message of one kind."""

    text: str
    """What is said; the arguments of a tool call."""
    kind: Kind | None = None
    """What sort of step; None for what the message itself is."""
    name: str = ""
    """The tool."""
    call: str = ""
    """Id of the tool call, as the transcript gives it."""


def brief(value: object) -> str:
    """A short one-line form of a value for messages."""
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - fits in a message


def mapping(value: Any) -> dict[str, Any] | None:
    """A dict of a mapping, or of an object of an SDK that can dump itself; None of anything else."""
    if isinstance(value, Mapping):
        return dict(value)
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    dump = getattr(value, "model_dump", None)
    return dump(mode="json") if callable(dump) else None


def parts_of(content: Any, place: str) -> Iterator[Part]:
    """The parts of a content: text, a list of parts, or one part.

    Raises:
        InputError: A part is of a kind that is not known.
    """
    if isinstance(content, str):
        yield Part(content)
        return
    for item in content if isinstance(content, list | tuple) else [content]:
        yield from [Part(item)] if isinstance(item, str) else _part(item, place)


def text_of(content: Any, place: str) -> str:
    """A content as one text, its parts joined by line feeds.

    Raises:
        InputError: As for `parts_of`.
    """
    return "" if content is None else "\n".join(part.text for part in parts_of(content, place))


def _part(item: Any, place: str) -> Iterator[Part]:
    given = mapping(item)
    kind = given.get("type", "text") if given is not None else None
    if given is None or not isinstance(kind, str):
        raise InputError(f"{place} has a part that is neither text nor an object ({brief(item)}); take it out")
    read = _READERS.get(kind) or (_tool_result if kind.endswith("_tool_result") else None)
    if read is not None:
        return read(given, place)
    if kind in _OMITTED:
        return iter([Part(omitted(_OMITTED[kind], given))])
    raise InputError(f"{place} has a part of the kind {brief(kind)}, which adjudge does not know; take it out")


def _text(given: dict[str, Any], place: str) -> Iterator[Part]:
    if not isinstance(given.get("text"), str):
        raise InputError(f"{place} has a text part without text: {brief(given)}")
    yield Part(given["text"])


def _refusal(given: dict[str, Any], place: str) -> Iterator[Part]:
    yield Part(_string(given, "refusal", place))


def _thinking(given: dict[str, Any], place: str) -> Iterator[Part]:
    yield Part(_string(given, "thinking", place), "thinking")


def _redacted(given: dict[str, Any], place: str) -> Iterator[Part]:
    del given, place
    yield Part(REDACTED, "thinking")


def _reasoning(given: dict[str, Any], place: str) -> Iterator[Part]:
    """Reasoning as inspect-ai, OpenAI's responses and routers write it; encrypted text is not shown, its summary is."""
    readable = None if given.get("redacted") else given.get("reasoning") or given.get("content") or given.get("text")
    found = text_of(readable or given.get("summary"), place)
    yield Part(found or REDACTED, "thinking")


def _tool_use(given: dict[str, Any], place: str) -> Iterator[Part]:
    """A tool call, with its result where the provider ran the tool itself (inspect-ai's `tool_use`)."""
    name, call = _string(given, "name", place), str(given.get("id") or "")
    arguments = given["arguments"] if "arguments" in given else given.get("input")
    yield Part(json_text(arguments), "tool_call", name, call)
    if given.get("result") or given.get("error"):
        yield Part(with_error(str(given.get("result") or ""), given.get("error")), "tool_result", name, call)


def _tool_result(given: dict[str, Any], place: str) -> Iterator[Part]:
    content = given.get("content")
    readable = content is None or isinstance(content, str | list)
    found = text_of(content, place) if readable else json_text(content)
    error = given.get("is_error") or None
    call = str(given.get("tool_use_id") or given.get("tool_call_id") or "")
    yield Part(f"error: {found}" if error else found, "tool_result", "", call)


def _search_result(given: dict[str, Any], place: str) -> Iterator[Part]:
    head = " ".join(str(given[key]) for key in ("title", "source", "url") if given.get(key))
    found = text_of(given.get("content"), place)
    yield Part("\n".join(part for part in (f"[search result: {head}]", found) if part))


def _document(given: dict[str, Any], place: str) -> Iterator[Part]:
    """A document of text as its text, with its title; any other is omitted."""
    source = given.get("source")
    body = None
    if isinstance(source, dict):
        body = {"text": source.get("data"), "content": source.get("content")}.get(str(source.get("type")))
    if body is None:
        yield Part(omitted("document", given))
        return
    head = [str(given[key]) for key in ("title", "context") if given.get(key)]
    yield Part("\n".join([*head, text_of(body, place)]))


_READERS: Mapping[str, Callable[[dict[str, Any], str], Iterator[Part]]] = {
    **dict.fromkeys(_TEXTS, _text),
    "refusal": _refusal,
    "thinking": _thinking,
    "redacted_thinking": _redacted,
    **dict.fromkeys(("reasoning", "reasoning.text", "reasoning.summary", "reasoning.encrypted"), _reasoning),
    **dict.fromkeys(("tool_use", "server_tool_use", "mcp_tool_use"), _tool_use),
    "tool_result": _tool_result,
    **dict.fromkeys(("search_result", "web_search_result"), _search_result),
    "document": _document,
}


def omitted(what: str, given: Mapping[str, Any]) -> str:
    """A visible mark for what is no text: what it is, and its name, type or size as far as known."""
    told = dict.fromkeys(_described({key: value for key, value in given.items() if key not in ("type", "id")}))
    return f"[{': '.join(part for part in (f'{what} omitted', ', '.join(told)) if part)}]"


def _described(given: Mapping[str, Any]) -> Iterator[str]:
    for key, value in given.items():
        if isinstance(value, Mapping):
            yield from _described({inner: found for inner, found in value.items() if inner not in ("type", "detail")})
        elif isinstance(value, str) and value and key not in ("detail", "context"):
            yield _name_of(value)


def _name_of(value: str) -> str:
    """A name, address or type as it stands in one line; content by its type and size."""
    if value.startswith("data:"):
        head, _, body = value.partition(",")
        return f"{head[5:].partition(';')[0] or 'data'}, {len(body):,} characters"
    return " ".join(value.split()) if len(value) <= _LONGEST_NAME else f"{len(value):,} characters"


def json_text(value: Any) -> str:
    """Arguments as they were written, or as JSON."""
    if value is None or isinstance(value, str):
        return value or ""
    return json.dumps(value, ensure_ascii=False, default=str)


def with_error(text: str, error: Any) -> str:
    """A tool's result with what went wrong."""
    if not error:
        return text
    said = mapping(error)
    why = f"{said.get('type', 'unknown')}: {said.get('message', '')}" if said is not None else str(error)
    return "\n".join(part for part in (text, f"error: {why}") if part)


def _string(given: Mapping[str, Any], key: str, place: str) -> str:
    value = given.get(key)
    if not isinstance(value, str):
        raise InputError(f"{place} has a part of the kind {brief(given.get('type'))} without {key}: {brief(given)}")
    return value
