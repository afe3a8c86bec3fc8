"""From a question to tokens, segment by segment.

Each segment is tokenised by itself. So the tokens up to a segment's end are the same whatever follows, which is what a
prefix cache needs; and names of control tokens inside the evidence stay plain text, so a submission cannot end its own
turn.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

from adjudge.verdict import Question

Tokens = tuple[int, ...]
_MARK = "ADJUDGE7SEGMENT{}X"
_MARKS = re.compile(r"ADJUDGE7SEGMENT(\d+)X")
_REMEMBERED = 4096


class TemplateError(Exception):
    """The model's chat template refuses the turns."""


class ChatTemplate:
    """The model's own chat template, cut at the places where text goes in."""

    def __init__(self, tokenizer: Any) -> None:
        """Find out whether the template takes a system turn.

        Args:
            tokenizer: The model's, of transformers.

        Raises:
            TemplateError: The model has no template, so it is no chat model.
        """
        self._tokenizer = tokenizer
        self._layouts: dict[tuple[str, ...], tuple[str | int, ...]] = {}
        self.tokenize: Callable[[str], Tokens] = lru_cache(maxsize=_REMEMBERED)(self._tokenize)
        """Tokens of plain text; the segments of a submission come again for each criterion."""
        self.has_system = self._takes_system()
        """Whether there is a system turn; if not, its text stands before the input in the user turn."""
        self._layout(self._roles())

    @property
    def digest(self) -> str:
        """Hash of the template as it is used; a template that writes today's date gives another one tomorrow."""
        return hashlib.sha256(repr(self._layout(self._roles())).encode()).hexdigest()

    def tokens(self, question: Question) -> Tokens:
        """The question's prompt, up to where the reply starts.

        Raises:
            TemplateError: The template refuses the turns of the follow-up.
        """
        tokens: list[int] = []
        texts = self._texts(question)
        for piece in self._layout((*self._roles(), *(turn.role for turn in question.follow_up))):
            if isinstance(piece, str):
                tokens += self._markup(piece)
                continue
            for text in texts[piece]:
                tokens += self.tokenize(text) if text else ()
        return tuple(tokens)

    def _tokenize(self, text: str) -> Tokens:
        # Half characters cannot be tokenised; text of others may hold them.
        clean = text.encode("utf-8", "replace").decode()
        return tuple(self._tokenizer.encode(clean, add_special_tokens=False, split_special_tokens=True))

    def _markup(self, text: str) -> Tokens:
        """The template's own text, whose names of control tokens become control tokens."""
        return tuple(self._tokenizer.encode(text, add_special_tokens=False))

    def _texts(self, question: Question) -> list[tuple[str, ...]]:
        """For each turn its segments."""
        prompt = question.prompt
        user = (prompt.input, prompt.output, prompt.ask)
        later = [(turn.content,) for turn in question.follow_up]
        if self.has_system:
            return [(prompt.system,), user, *later]
        return [(f"{prompt.system}\n\n" if prompt.system else "", *user), *later]

    def _roles(self) -> tuple[str, ...]:
        return ("system", "user") if self.has_system else ("user",)

    def _takes_system(self) -> bool:
        try:
            layout = self._layout(("system", "user"))
        except TemplateError:
            return False
        # Some templates put the system text into the user turn themselves; then the two stand in one piece.
        return [piece for piece in layout if isinstance(piece, int)] == [0, 1]

    def _layout(self, roles: tuple[str, ...]) -> tuple[str | int, ...]:
        """The template's own text, and between it the numbers of the turns."""
        if roles not in self._layouts:
            # Splitting on a group gives text and numbers by turns.
            pieces = enumerate(_MARKS.split(self._render(roles)))
            self._layouts[roles] = tuple(int(text) if n % 2 else text for n, text in pieces if text)
        return self._layouts[roles]

    def _render(self, roles: Sequence[str]) -> str:
        turns = [{"role": role, "content": _MARK.format(number)} for number, role in enumerate(roles)]
        # Models that can think aloud are told not to: a label is wanted at once, a reason inside the schema.
        chosen = {"tokenize": False, "add_generation_prompt": True, "enable_thinking": False}
        try:
            return str(self._tokenizer.apply_chat_template(turns, **chosen))
        # A template is a program of the model's author and may raise anything.
        except Exception as error:
            raise TemplateError(" ".join(str(error).split())[:200]) from error
