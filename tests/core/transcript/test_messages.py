"""Chat messages of the usual shapes: nothing that a judge needs is lost, and what is not known is refused."""

from __future__ import annotations

import json
import re
from contextlib import suppress
from dataclasses import dataclass

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.errors import InputError
from adjudge.submission import Message, as_text
from adjudge.transcript import read_messages

CALL = Message(role="assistant", content='{"mg": 5}', kind="tool_call", name="dose", call="1")
RESULT = Message(role="tool", content="given", kind="tool_result", name="dose", call="1")


def told(*messages):
    return [(message.role, message.kind, message.content) for message in read_messages(list(messages))]


OPENAI = [
    {
        "role": "assistant",
        "content": None,
        "tool_calls": [
            {"id": "call_x", "type": "function", "function": {"name": "dose", "arguments": '{"mg": 5}'}},
        ],
    },
    {"role": "tool", "tool_call_id": "call_x", "content": "given"},
]
ANTHROPIC = [
    {"role": "assistant", "content": [{"type": "tool_use", "id": "toolu_x", "name": "dose", "input": {"mg": 5}}]},
    {"role": "user", "content": [{"type": "tool_result", "tool_use_id": "toolu_x", "content": "given"}]},
]
RESPONSES = [
    {"type": "function_call", "call_id": "x", "name": "dose", "arguments": '{"mg": 5}'},
    {"type": "function_call_output", "call_id": "x", "output": [{"type": "input_text", "text": "given"}]},
]
LOGGED = [
    {
        "role": "assistant",
        "content": "",
        "source": "generate",
        "model": "m",
        "tool_calls": [{"id": "x", "function": "dose", "arguments": {"mg": 5}, "type": "function"}],
    },
    {"role": "tool", "id": "q", "content": "given", "tool_call_id": "x", "function": "dose"},
]
SERVER_SIDE = [
    {
        "role": "assistant",
        "content": [
            {
                "type": "tool_use",
                "tool_type": "mcp_call",
                "id": "x",
                "name": "dose",
                "arguments": '{"mg": 5}',
                "result": "given",
            }
        ],
    }
]


@pytest.mark.parametrize("messages", [OPENAI, ANTHROPIC, RESPONSES, LOGGED, SERVER_SIDE])
def test_a_tool_call_and_its_result_are_the_same_values_whoever_wrote_them(messages) -> None:
    assert read_messages(messages) == (CALL, RESULT)


def test_messages_of_inspect_are_read_as_they_are() -> None:
    from inspect_ai.model import (
        ChatMessageAssistant,
        ChatMessageSystem,
        ChatMessageTool,
        ChatMessageUser,
        ContentImage,
        ContentReasoning,
        ContentText,
    )
    from inspect_ai.tool import ToolCall, ToolCallError

    calls = [ToolCall(id="a", function="ls", arguments={"path": "/"}), ToolCall(id="b", function="rm", arguments={})]
    logged = [
        ChatMessageSystem(content="Be careful."),
        ChatMessageUser(content=[ContentText(text="Tidy up."), ContentImage(image="data:image/png;base64,AAAA")]),
        ChatMessageAssistant(
            content=[ContentReasoning(reasoning="Look first."), ContentText(text="I look.")], tool_calls=calls
        ),
        ChatMessageTool(content="a.txt", tool_call_id="a", function="ls"),
        ChatMessageTool(content="", tool_call_id="b", error=ToolCallError("permission", "not yours")),
    ]
    read = read_messages(logged)
    assert [(one.role, one.kind, one.name, one.call, one.content) for one in read] == [
        ("system", "text", "", "", "Be careful."),
        ("user", "text", "", "", "Tidy up.\n[image omitted: image/png, 4 characters]"),
        ("assistant", "thinking", "", "", "Look first."),
        ("assistant", "text", "", "", "I look."),
        ("assistant", "tool_call", "ls", "1", '{"path": "/"}'),
        ("assistant", "tool_call", "rm", "2", "{}"),
        ("tool", "tool_result", "ls", "1", "a.txt"),
        ("tool", "tool_result", "rm", "2", "error: permission: not yours"),
    ]
    assert read_messages([message.model_dump(mode="json") for message in logged]) == read


@pytest.mark.parametrize(
    "message",
    [
        {"role": "assistant", "reasoning_content": "hm", "content": "yes"},
        {"role": "assistant", "reasoning": "hm", "content": "yes"},
        {"role": "assistant", "thinking": "hm", "content": "yes"},
        {"role": "assistant", "reasoning_details": [{"type": "reasoning.text", "text": "hm"}], "content": "yes"},
        {"role": "assistant", "content": [{"type": "thinking", "thinking": "hm"}, {"type": "text", "text": "yes"}]},
        {"role": "assistant", "content": [{"type": "reasoning", "reasoning": "hm"}, "yes"]},
        {
            "role": "assistant",
            "content": [
                {"type": "reasoning", "reasoning": "x3F", "redacted": True, "summary": "hm"},
                {"type": "output_text", "text": "yes"},
            ],
        },
    ],
)
def test_thoughts_come_before_what_is_said(message) -> None:
    assert told(message) == [("assistant", "thinking", "hm"), ("assistant", "text", "yes")]


def test_thoughts_that_cannot_be_read_leave_a_mark() -> None:
    parts = [{"type": "redacted_thinking", "data": "x"}, {"type": "text", "text": "yes"}]
    assert told({"role": "assistant", "content": parts})[0] == (
        "assistant",
        "thinking",
        "[thinking omitted: redacted or encrypted]",
    )


@pytest.mark.parametrize(
    ("part", "mark"),
    [
        ({"type": "image_url", "image_url": {"url": "https://x.org/a.png"}}, "[image omitted: https://x.org/a.png]"),
        ({"type": "image_url", "image_url": {"url": "data:image/png;base64,AAAA"}}, "image/png, 4 characters"),
        (
            {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": "A" * 999}},
            "[image omitted: image/png, 999 characters]",
        ),
        ({"type": "input_audio", "input_audio": {"data": "A" * 300, "format": "wav"}}, "[audio omitted: 300"),
        ({"type": "file", "file": {"filename": "plan.pdf", "file_data": "A" * 500}}, "[file omitted: plan.pdf, 500"),
        ({"type": "document", "document": "plan.pdf", "filename": "plan.pdf"}, "[document omitted: plan.pdf]"),
        ({"type": "data", "data": {}}, "[data omitted]"),
    ],
)
def test_what_is_no_text_is_named_and_never_dropped(part, mark) -> None:
    ((_, _, content),) = told({"role": "user", "content": ["Look:", part]})
    assert content.startswith("Look:\n[")
    assert mark in content


def test_a_document_of_text_is_its_text() -> None:
    part = {"type": "document", "title": "Plan", "source": {"type": "text", "data": "Rest."}}
    assert told({"role": "user", "content": [part]}) == [("user", "text", "Plan\nRest.")]


def test_spoken_answers_and_refusals_are_said() -> None:
    spoken = {"role": "assistant", "content": None, "audio": {"id": "a", "data": "A" * 400, "transcript": "Hello."}}
    assert told(spoken) == [("assistant", "text", "[audio omitted: 400 characters]\nHello.")]
    assert told({"role": "assistant", "content": None, "refusal": "No."}) == [("assistant", "text", "No.")]


def test_older_shapes_are_read() -> None:
    assert told({"from": "gpt", "value": "Hello."}) == [("assistant", "text", "Hello.")]
    legacy = {"role": "assistant", "content": None, "function_call": {"name": "dose", "arguments": "{}"}}
    assert read_messages([legacy])[0].name == "dose"
    assert told({"role": "function", "name": "dose", "content": "given"}) == [("tool", "tool_result", "given")]


def test_a_failed_call_says_so() -> None:
    failed = {"type": "tool_result", "tool_use_id": "x", "content": "no such ward", "is_error": True}
    assert told({"role": "user", "content": [failed]}) == [("tool", "tool_result", "error: no such ward")]
    call = {"id": "x", "function": "dose", "arguments": {}, "parse_error": "no JSON"}
    assert told({"role": "assistant", "tool_calls": [call]})[0][2] == "{} [arguments not understood: no JSON]"


@dataclass
class Turn:
    role: str
    content: str


def test_plain_objects_are_read_too() -> None:
    assert read_messages([Turn("user", "hi")]) == (Message(role="user", content="hi"),)


@pytest.mark.parametrize(
    ("message", "said"),
    [
        ("hello", "message 2 of the transcript is 'hello'; write an object with role and content"),
        ({"content": "x"}, "message 2 of the transcript has the role None"),
        ({"role": "user"}, "has the content None"),
        ({"role": "user", "content": {"a": 1}}, "has the content {'a': 1}"),
        ({"role": "user", "content": [{"type": "hologram"}]}, "has a part of the kind 'hologram'"),
        ({"role": "user", "content": "x", "mood": "sad"}, "has 'mood', which adjudge does not know"),
        ({"role": "assistant", "tool_calls": [{}]}, "a tool call without a function name"),
        ({"role": "assistant", "tool_calls": 5}, "has the tool calls 5; write a list"),
        ({"role": "user", "content": "x", "error": "y"}, "has 'error', which adjudge does not know"),
        ({"from": "human", "content": "x", "value": "y"}, "has 'value', which adjudge does not know"),
        ({"role": "assistant", "content": "x", "refusal": 7}, "a part that is neither text nor an object"),
        ({"role": "user", "content": "x", "call": 3}, "call: Input should be a valid string"),
        ({"role": "user", "content": "x", "name": 3}, "has the name 3"),
        ({"role": "assistant", "content": [{"type": "thinking"}]}, "without thinking"),
    ],
)
def test_what_is_not_known_is_refused_with_its_place(message, said) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        read_messages([{"role": "user", "content": "fine"}, message])


TEXT = st.text(max_size=30)
WORDS = (
    "assistant",
    "tool",
    "user",
    "text",
    "tool_use",
    "tool_result",
    "reasoning",
    "image",
    "function_call",
    "document",
)
KEYS = (
    "role", "type", "content", "text", "name", "call", "kind", "tool_calls", "function", "arguments", "id", "input",
    "tool_call_id", "tool_use_id", "thinking", "reasoning", "summary", "source", "data", "result", "error", "output",
    "audio", "refusal", "function_call", "from", "value", "image_url", "call_id",
)  # fmt: skip
MESSAGE = st.builds(
    Message,
    role=st.sampled_from(["system", "user", "assistant", "tool"]),
    content=TEXT,
    kind=st.sampled_from(["text", "thinking", "tool_call", "tool_result"]),
    name=TEXT,
    call=TEXT,
)


@settings(deadline=None)
@given(st.lists(MESSAGE, max_size=6))
def test_our_own_messages_are_read_back_as_they_were(messages) -> None:
    assert read_messages([message.model_dump() for message in messages]) == tuple(messages)


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXT | st.sampled_from(WORDS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS) | TEXT, inner, max_size=4),
    max_leaves=8,
)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.dictionaries(st.sampled_from(KEYS), ANYTHING, max_size=5) | ANYTHING, max_size=3))
def test_whatever_stands_in_a_file_is_read_or_refused(messages) -> None:
    with suppress(InputError):
        assert all(isinstance(message, Message) for message in read_messages(messages))


@settings(deadline=None)
@given(st.lists(st.tuples(TEXT, TEXT.filter(bool), TEXT), max_size=5))
def test_no_text_of_a_trajectory_is_lost(turns) -> None:
    written = []
    for number, (thought, query, answer) in enumerate(turns):
        call = {"id": str(number), "function": {"name": "find", "arguments": json.dumps({"q": query})}}
        written += [
            {"role": "assistant", "reasoning_content": thought, "content": "", "tool_calls": [call]},
            {"role": "tool", "tool_call_id": str(number), "content": answer},
        ]
    read = read_messages(written)
    text = as_text(read)
    for thought, query, answer in turns:
        assert thought in text
        assert answer in text
        assert json.dumps({"q": query}) in text
    assert [one.call for one in read if one.kind == "tool_call"] == [str(n) for n in range(1, len(turns) + 1)]
