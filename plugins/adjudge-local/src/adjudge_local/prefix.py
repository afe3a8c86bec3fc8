"""What each slot of the engine holds, and how a prompt is laid over it.

The engine reuses the longest common beginning of a prompt and of what the slot holds. Where that ends depends on which
question came before, and the last digits of a log-probability depend on where it ends. Here reuse ends at a bound that
belongs to the prompt (after the system turn, the input or the output) and evaluation goes from bound to bound, so a
reply depends on its prompt and not on what was asked before it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Event
from typing import Any, Protocol

from adjudge_local.engine import Completion, StoppedError
from adjudge_local.labels import Tokens
from adjudge_local.template import Tokenised


class Complete(Protocol):
    """As `Engine.complete`."""

    def __call__(self, tokens: Tokens, slot: int, stop: Event, **parameters: Any) -> Completion:
        """Evaluate a prompt and write."""


@dataclass(slots=True)
class Slot:
    """One place in the engine that keeps a prefix."""

    number: int
    """Its number in the engine."""
    held: Tokens | None = ()
    """Tokens known to be in it, from the first one; None if a call broke off and nothing is known."""


@dataclass(slots=True)
class Session:
    """The calls that answer one question in one slot, and their cost by the engine's counters."""

    complete: Complete
    slot: Slot
    stop: Event
    evaluated: int = 0
    """Tokens of prompts evaluated so far."""
    written: int = field(default=0)
    """Tokens written so far by calls whose answer was used."""

    def lay(self, prompt: Tokenised) -> None:
        """Bring all of the prompt but its last token into the slot.

        The last token is left to the calls that read: each of them then evaluates one token by itself, so readings of
        one place agree to the last digit.
        """
        tokens = prompt.tokens
        start = self._cut(prompt)
        for end in (*prompt.bounds, len(tokens) - 1):
            if end > start:
                self.call(tokens[:end], n_predict=0)
                start = end

    def call(self, tokens: Tokens, **parameters: Any) -> Completion:
        """One call of the engine, counted."""
        self.slot.held = None
        result = self.complete(tokens, self.slot.number, self.stop, **parameters)
        self.slot.held = tokens
        self.evaluated += result.evaluated
        return result

    def read(self, tokens: Tokens, **parameters: Any) -> Completion:
        """A call whose answer is used; all but its last token was laid before."""
        try:
            result = self.call(tokens, **parameters)
        except StoppedError:
            self.slot.held = tokens[:-1]
            raise
        self.written += result.written
        return result

    def _cut(self, prompt: Tokenised) -> int:
        """Leave in the slot what ends at one of the prompt's bounds; returns the bound."""
        tokens, held = prompt.tokens, self.slot.held
        shared = [end for end in prompt.bounds if held is not None and held[:end] == tokens[:end]]
        start = max(shared, default=0)
        if held is None or held[start : start + 1] == tokens[start : start + 1]:
            # More than that is there: one token that does not come next ends the common beginning.
            self.call((*tokens[:start], int(tokens[start] == 0)), n_predict=0)
        return start
