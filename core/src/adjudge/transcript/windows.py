"""Long texts and conversations in windows: cut by a stated plan, nothing lost, order kept, a budget never passed."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from adjudge.submission import Message, Text, as_text, speaker

BYTES_PER_TOKEN = 3
"""Bytes of UTF-8 that count as a token: an estimate on the safe side for English and code."""
FRAME = 16
"""Tokens for the label and the tags of one message."""
_SHARE = 4
"""An over-long message is cut into pieces of this part of a window, so that an overlap of one leaves room."""
_LEAST = 16
"""Tokens that a stretch of an over-long message must have room for."""


def tokens_of(text: str) -> int:
    """Estimated tokens of a text."""
    return _tokens(len(text.encode("utf-8", "surrogatepass")))


def _tokens(size: int) -> int:
    return -(-size // BYTES_PER_TOKEN)


@dataclass(frozen=True, slots=True)
class Stretch:
    """A message, or a stretch of one that is too long for a window."""

    message: int
    """Number of the message, from 1; 1 of a plain text."""
    start: int
    """First character of its content."""
    end: int
    """Character after the last."""
    length: int
    """Characters of the whole content."""
    tokens: int
    """What it takes of a window."""

    @property
    def place(self) -> str:
        """`12`, or with characters (from 1) if it is not the whole message."""
        whole = (self.start, self.end) == (0, self.length)
        return str(self.message) if whole else f"{self.message} (characters {self.start + 1}-{self.end})"

    def joined(self, other: Stretch) -> Stretch:
        """This and the one that follows it in the same message."""
        return replace(self, end=other.end, tokens=self.tokens + other.tokens)


@dataclass(frozen=True, slots=True)
class Window:
    """Part of an output."""

    stretches: tuple[Stretch, ...]
    """What it holds, in order."""
    output: Text
    """The same as a text or conversation."""
    offset: int
    """Character of the whole's text (`as_text`) from which on what it holds is found."""
    plain: bool
    """The whole is a plain text."""

    @property
    def place(self) -> str:
        """Which part of the whole it is, for example `messages 12-30`."""
        first, last = self.stretches[0], self.stretches[-1]
        if self.plain:
            return f"characters {first.start + 1}-{last.end}"
        return f"message {first.place}" if first == last else f"messages {first.place}-{last.place}"


def cut(output: Text, tokens: int, overlap: int = 1) -> tuple[Window, ...]:
    """Cut an output into windows, at the ends of messages wherever these fit.

    A message that fits into no window is cut into stretches of a quarter of one, at the end of a paragraph, line or
    word if one is near.

    Args:
        output: A text or a conversation.
        tokens: Most tokens of a window (estimated, labels and tags of messages counted).
        overlap: Messages, or stretches of an over-long one, that a window repeats from the one before; fewer where they
            would leave no room for anything new.

    Returns:
        The windows; one with the output as it is if that fits, and none if `tokens` is too small for any.
    """
    plain = isinstance(output, str)
    messages = (Message(role="assistant", content=output),) if isinstance(output, str) else output
    labels = [0 if plain else _label(message) for message in messages]
    stretches = [
        _stretch(number, message, label)
        for number, (message, label) in enumerate(zip(messages, labels, strict=True), start=1)
    ]
    if sum(stretch.tokens for stretch in stretches) <= tokens:
        return (Window(tuple(stretches), output, 0, plain),)
    parts = [
        part
        for stretch, message, label in zip(stretches, messages, labels, strict=True)
        for part in _cut(stretch, message, label, tokens)
    ]
    if any(part.tokens > tokens for part in parts):
        return ()
    return tuple(_window(output, messages, group) for group in _grouped(parts, tokens, overlap))


def _label(message: Message) -> int:
    """Tokens of a message beside its content."""
    return tokens_of(speaker(message) + (message.name if message.kind == "tool_call" else "")) + FRAME


def _stretch(number: int, message: Message, label: int) -> Stretch:
    length = len(message.content)
    return Stretch(number, 0, length, length, label + tokens_of(message.content))


def _cut(stretch: Stretch, message: Message, label: int, tokens: int) -> Iterator[Stretch]:
    """The stretch itself if it fits into a window, or in pieces that take a quarter of one each."""
    if stretch.tokens <= tokens or not stretch.length:
        yield stretch
        return
    room = max(tokens // _SHARE - label, _LEAST) * BYTES_PER_TOKEN
    start = 0
    while start < stretch.length:
        end = _end(message.content, start, room)
        yield replace(stretch, start=start, end=end, tokens=label + tokens_of(message.content[start:end]))
        start = end


def _end(text: str, start: int, room: int) -> int:
    """Where a piece of at most `room` bytes ends: after a paragraph, line or word in its second half, or anywhere."""
    piece = text[start : start + room].encode("utf-8", "surrogatepass")[:room].decode("utf-8", "ignore")
    end = start + max(len(piece), 1)
    if end >= len(text):
        return len(text)
    middle = start + (end - start) // 2
    for boundary in ("\n\n", "\n", " "):
        found = text.rfind(boundary, middle, end)
        if found >= 0:
            return min(found + len(boundary), end)
    return end


def _grouped(parts: Sequence[Stretch], tokens: int, overlap: int) -> Iterator[list[Stretch]]:
    """As many parts as fit, again and again, the last `overlap` of a group first in the next."""
    group: list[Stretch] = []
    for part in parts:
        if sum(one.tokens for one in group) + part.tokens > tokens:
            yield group
            group = group[len(group) - overlap :] if overlap else []
            while sum(one.tokens for one in group) + part.tokens > tokens:
                group = group[1:]
        group = [*group, part]
    yield group


def _window(output: Text, messages: Sequence[Message], group: Sequence[Stretch]) -> Window:
    joined: list[Stretch] = []
    for part in group:
        follows = joined and joined[-1].message == part.message and joined[-1].end == part.start
        joined.append(joined.pop().joined(part) if follows else part)
    first = joined[0]
    if isinstance(output, str):
        return Window(tuple(joined), output[first.start : joined[-1].end], first.start, plain=True)
    shown = tuple(
        message if (part.start, part.end) == (0, part.length) else message.model_copy(update={"content": piece})
        for part in joined
        for message in [messages[part.message - 1]]
        for piece in [message.content[part.start : part.end]]
    )
    before = as_text(output[: first.message - 1])
    return Window(tuple(joined), shown, len(before) + (2 if before else 0) + first.start, plain=False)
