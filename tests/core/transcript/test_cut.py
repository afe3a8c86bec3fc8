"""Windows: nothing lost, order kept, the budget never passed."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from adjudge.submission import Message, as_text, message_at
from adjudge.transcript import cut, tokens_of

CONTENT = st.text(st.sampled_from("ab \né漢😀\n\n"), max_size=400)
MESSAGE = st.builds(
    Message,
    role=st.sampled_from(["user", "assistant", "tool"]),
    content=CONTENT,
    kind=st.sampled_from(["text", "thinking", "tool_call", "tool_result"]),
    name=st.sampled_from(["", "search"]),
    call=st.sampled_from(["", "1"]),
)
CONVERSATION = st.lists(MESSAGE, min_size=1, max_size=12).map(tuple)
TOKENS = st.integers(60, 400)
QUIET = settings(deadline=None, max_examples=150)


def coverage(windows):
    """Characters of each message in the order in which windows first show them."""
    seen: dict[int, int] = {}
    for window in windows:
        for stretch in window.stretches:
            assert stretch.start <= seen.get(stretch.message, 0), "a gap within a message"
            seen[stretch.message] = max(seen.get(stretch.message, 0), stretch.end)
    return seen


@QUIET
@given(CONVERSATION, TOKENS, st.integers(0, 3))
def test_every_character_of_every_message_is_in_some_window_and_in_order(messages, tokens, overlap) -> None:
    windows = cut(messages, tokens, overlap)
    assert windows
    assert coverage(windows) == {number: len(one.content) for number, one in enumerate(messages, start=1)}
    starts = [(window.stretches[0].message, window.stretches[0].start) for window in windows]
    assert starts == sorted(set(starts)), "each window begins after the one before"
    for window in windows:
        pieces = [(stretch.message, stretch.start) for stretch in window.stretches]
        assert pieces == sorted(set(pieces))
        shown = [messages[s.message - 1].content[s.start : s.end] for s in window.stretches]
        assert [message.content for message in window.output] == shown


@QUIET
@given(CONVERSATION | CONTENT.map(lambda text: text * 5), TOKENS, st.integers(0, 3))
def test_no_window_is_larger_than_the_budget(output, tokens, overlap) -> None:
    assert all(tokens_of(as_text(window.output)) <= tokens for window in cut(output, tokens, overlap))


@QUIET
@given(CONTENT.map(lambda text: text * 5), TOKENS)
def test_a_text_without_overlap_is_its_windows_put_together(text, tokens) -> None:
    assert "".join(window.output for window in cut(text, tokens, 0)) == text


@QUIET
@given(CONVERSATION, TOKENS)
def test_without_overlap_nothing_is_shown_twice(messages, tokens) -> None:
    windows = cut(messages, tokens, 0)
    shown = sum(len(message.content) for window in windows for message in window.output)
    assert shown == sum(len(message.content) for message in messages)


@QUIET
@given(CONVERSATION, TOKENS)
def test_a_window_is_found_from_its_offset_on(messages, tokens) -> None:
    whole = as_text(messages)
    for window in cut(messages, tokens, 1):
        first = window.stretches[0]
        wanted = window.output[0].content
        found = whole.find(wanted, window.offset)
        assert found >= window.offset
        if wanted.strip():
            assert message_at(messages, found) == first.message


def turns(*sizes):
    return tuple(Message(role="user", content="x" * size) for size in sizes)


def test_what_fits_is_one_window_as_it_is() -> None:
    messages = turns(30, 30)
    (window,) = cut(messages, 100)
    assert window.output is messages
    assert window.place == "messages 1-2"


def test_messages_that_fit_are_never_cut() -> None:
    windows = cut(turns(150, 150, 150, 150), 150, 1)
    assert [window.place for window in windows] == ["messages 1-2", "messages 2-3", "messages 3-4"]


def test_an_over_long_message_is_cut_where_a_line_ends() -> None:
    text = "a line of some words\n" * 60
    windows = cut((*turns(20), Message(role="tool", content=text, kind="tool_result")), 200, 0)
    assert len(windows) > 2
    assert windows[1].place.startswith("message 2 (characters ")
    assert all(window.output[-1].content.endswith("\n") for window in windows)


def test_an_overlap_gives_way_where_it_would_leave_no_room() -> None:
    windows = cut(turns(300, 300, 300), 140, 2)
    assert [window.place for window in windows] == ["message 1", "message 2", "message 3"]


def test_a_budget_too_small_for_anything_gives_no_window() -> None:
    assert cut(turns(300), 10) == ()
    assert cut("x" * 300, 10) == ()


def test_an_empty_output_is_one_window() -> None:
    assert [window.output for window in cut("", 10)] == [""]
    assert [window.output for window in cut((), 10)] == [()]
