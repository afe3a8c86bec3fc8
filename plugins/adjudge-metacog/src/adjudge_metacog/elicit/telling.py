"""Has a model tell a story for each pair of values that were given in one context."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from adjudge.interfaces import Ask
from adjudge_metacog.elicit import questions
from adjudge_metacog.elicit.asking import Unanswered, asked
from adjudge_metacog.elicit.events import Told
from adjudge_metacog.elicit.state import Elicitation
from adjudge_metacog.elicit.store import Store
from adjudge_metacog.nodes import flags_of_text

MOST = 50
"""New stories per context and round."""


@dataclass(frozen=True, slots=True)
class Telling:
    """What a round did."""

    told: int
    """New stories."""
    unanswered: int
    """Pairs for which the model gave no story that can be used; the next round asks again."""
    left: int
    """Pairs that are still without a story because of the limit."""


async def tell(store: Store, ask: Ask, by: str, *, most: int = MOST) -> Telling:
    """Tell the missing stories.

    Args:
        store: The elicitation.
        ask: The way to the model that tells.
        by: Its name, for the record.
        most: Most new stories per context.
    """
    told = unanswered = left = 0
    for context, pairs in _missing(store.state).items():
        left += max(0, len(pairs) - most)
        for first, second in pairs[:most]:
            if await _tell(store, ask, context, (first, second), by):
                told += 1
            else:
                unanswered += 1
    return Telling(told, unanswered, left)


def _missing(state: Elicitation) -> dict[str, list[tuple[str, str]]]:
    """For each context the pairs of values without a story, in an order that favours no value."""
    there = {(_pair(state, told), told.context) for told in state.stories.values()}
    found = {}
    for context, values in state.contexts.items():
        pairs = [pair for pair in combinations(values, 2) if (frozenset(pair), context) not in there]
        found[context] = sorted(pairs, key=lambda pair: hashlib.sha256("\0".join(pair).encode()).hexdigest())
    return found


def _pair(state: Elicitation, told: Told) -> frozenset[str]:
    return frozenset((state.value(told.source), state.value(told.wiser)))


async def _tell(store: Store, ask: Ask, context: str, pair: tuple[str, str], by: str) -> bool:
    first, second = (store.state.cards[name].draft for name in pair)
    answer = await asked(ask, questions.story(first, second, context, ask.secret), questions.Story)
    if isinstance(answer, Unanswered) or flags_of_text(answer.story):
        return False
    source, wiser = pair if answer.from_card == "A" else pair[::-1]
    name = next(_names(store.state))
    store.append(Told(type="told", story=name, source=source, wiser=wiser, context=context, text=answer.story, by=by))
    return True


def _names(state: Elicitation) -> Iterator[str]:
    number = len(state.stories)
    while True:
        number += 1
        if f"story-{number}" not in state.stories:
            yield f"story-{number}"
