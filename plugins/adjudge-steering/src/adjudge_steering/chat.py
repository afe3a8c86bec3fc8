"""From turns of a chat to tokens, by the model's own template.

Texts are tokenised apart from the template, so that names of control tokens inside them stay plain text and a text
cannot end its own turn.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from adjudge.errors import UnsupportedError
from adjudge.submission import Message

_MARK = "ADJUDGE7TURN{}X"
_MARKS = re.compile(r"ADJUDGE7TURN(\d+)X")


@dataclass(frozen=True)
class Chat:
    """A tokenizer's way to write a chat."""

    tokenizer: Any
    """Of transformers; without a chat template, turns are written one after the other."""

    def prompt(self, turns: Sequence[Message]) -> list[int]:
        """Tokens of the turns, up to where the reply starts.

        Raises:
            UnsupportedError: The template refuses these turns.
        """
        found = []
        for piece in self._pieces(turns):
            found += self._tokens(piece, plain=False) if isinstance(piece, str) else self.text(turns[piece].content)
        return found

    def text(self, text: str) -> list[int]:
        """Tokens of a text in which nothing is a control token."""
        return self._tokens(text, plain=True)

    def beginning(self) -> list[int]:
        """What a text without a chat begins with."""
        token = self.tokenizer.bos_token_id
        return [] if token is None else [int(token)]

    def _pieces(self, turns: Sequence[Message]) -> list[str | int]:
        """The template's own text, and between it the numbers of the turns."""
        marks = [{"role": turn.role, "content": _MARK.format(number)} for number, turn in enumerate(turns)]
        # Splitting on a group gives text and numbers by turns.
        split = enumerate(_MARKS.split(self._written(marks)))
        return [int(piece) if place % 2 else piece for place, piece in split if piece]

    def _written(self, marks: list[dict[str, str]]) -> str:
        """The turns in the template; in one that takes no system turn, its text begins the user's."""
        from jinja2 import TemplateError

        if getattr(self.tokenizer, "chat_template", None) is None:
            return "\n\n".join(mark["content"] for mark in marks) + "\n\n"
        try:
            return self._rendered(marks)
        except TemplateError as error:
            if len(marks) > 1 and marks[0]["role"] == "system":
                joined = f"{marks[0]['content']}\n\n{marks[1]['content']}"
                return self._written([{**marks[1], "content": joined}, *marks[2:]])
            raise UnsupportedError(f"the model's chat template refuses these turns: {error}") from None

    def _rendered(self, marks: list[dict[str, str]]) -> str:
        return str(self.tokenizer.apply_chat_template(marks, tokenize=False, add_generation_prompt=True))

    def _tokens(self, text: str, *, plain: bool) -> list[int]:
        return [int(n) for n in self.tokenizer.encode(text, add_special_tokens=False, split_special_tokens=plain)]
