"""What was asked of a model and what it replied, by the identity of the question."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from adjudge.interfaces import Item


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its reply."""

    prompt: tuple[str, str, str, str]
    """System turn, and the three parts of the user turn: input, output, criterion."""
    added: tuple[tuple[str, str], ...]
    """Role and text of each turn after the prompt: a reply that was not understood, and what was said to it."""
    reply: str
    """What the model wrote, or the failure in words."""


Exchanges: TypeAlias = Mapping[str, tuple[Turn, ...]]
"""By the fingerprint of the verdict: the question, then its follow-ups."""


ExchangesOf: TypeAlias = Callable[[Item], Exchanges]
"""From an item to what was asked and replied while it was judged."""


def nothing_heard(item: Item) -> Exchanges:
    """Where prompts and replies are not known."""
    del item
    return {}
