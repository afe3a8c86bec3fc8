"""From a question to tokens, segment by segment.

Each segment is tokenised by itself. So the tokens up to a segment's end are the same whatever follows, which is what a
prefix cache needs; and names of control tokens inside the evidence stay plain text, so a submission cannot end its own
turn.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from adjudge.verdict import Question
from adjudge_local.engine import EngineError

_MARK = "ADJUDGE7SEGMENT{}X"
_MARKS = re.compile(r"ADJUDGE7SEGMENT(\d+)X")


class Tokenize(Protocol):
    """As `Engine.tokenize`."""

    def __call__(self, text: str, special: bool = ..., start: bool = ...) -> tuple[int, ...]:
        """Tokens of a text."""


@dataclass(frozen=True, slots=True)
class Tokenised:
    """A question's prompt."""

    tokens: tuple[int, ...]
    """All of it, up to where the reply starts."""
    bounds: tuple[int, ...]
    """Where the parts end that other questions share: after the system turn, the input and the output; ascending."""


class ChatTemplate:
    """The model's own chat template, cut at the places where text goes in."""

    def __init__(
        self, render: Callable[[Sequence[Mapping[str, str]]], str], tokenize: Callable[..., tuple[int, ...]]
    ) -> None:
        """Find out whether the template takes a system turn.

        Args:
            render: Messages to prompt, as `Engine.render`.
            tokenize: As `Engine.tokenize`.
        """
        self._render, self._tokenize = render, tokenize
        self._layouts: dict[tuple[str, ...], tuple[str | int, ...]] = {}
        self.has_system = self._takes_system()
        """Whether there is a system turn; if not, its text stands before the input in the user turn."""

    @property
    def digest(self) -> str:
        """Hash of the template as it is used; a template that writes today's date gives another one tomorrow."""
        return hashlib.sha256(repr(self._layout(self._roles())).encode()).hexdigest()

    def tokenised(self, question: Question) -> Tokenised:
        """The question's prompt as tokens.

        Raises:
            EngineError: The template refuses the turns of the follow-up.
        """
        tokens: list[int] = []
        bounds: list[int] = []
        texts = self._texts(question)
        for piece in self._layout((*self._roles(), *(turn.role for turn in question.follow_up))):
            if isinstance(piece, str):
                tokens += self._tokenize(piece, special=True, start=not tokens)
                continue
            for text, shared in texts[piece]:
                tokens += self._tokenize(text) if text else ()
                bounds += [len(tokens)] if shared else []
        return Tokenised(tuple(tokens), tuple(dict.fromkeys(bounds)))

    def _texts(self, question: Question) -> list[list[tuple[str, bool]]]:
        """For each turn its segments, each with whether other questions share all up to its end."""
        prompt = question.prompt
        user = [(prompt.input, True), (prompt.output, True), (prompt.ask, False)]
        later = [[(turn.content, False)] for turn in question.follow_up]
        if self.has_system:
            return [[(prompt.system, True)], user, *later]
        return [[(f"{prompt.system}\n\n", True), *user], *later]

    def _roles(self) -> tuple[str, ...]:
        return ("system", "user") if self.has_system else ("user",)

    def _takes_system(self) -> bool:
        try:
            layout = self._layout(("system", "user"))
        except EngineError:
            return False
        return [piece for piece in layout if isinstance(piece, int)] == [0, 1]

    def _layout(self, roles: tuple[str, ...]) -> tuple[str | int, ...]:
        """The template's own text, and between it the numbers of the turns."""
        if roles not in self._layouts:
            turns = [{"role": role, "content": _MARK.format(number)} for number, role in enumerate(roles)]
            # Splitting on a group gives text and numbers by turns.
            pieces = enumerate(_MARKS.split(self._render(turns)))
            self._layouts[roles] = tuple(int(text) if n % 2 else text for n, text in pieces if text)
        return self._layouts[roles]
