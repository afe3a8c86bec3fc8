"""The probability of each label as a whole, from next-token log-probabilities alone.

Labels can share tokens ("aligns with", "does not align with"), be prefixes of each other ("1", "10") and be written
with or without white space in front. The walk goes down the tree of their tokens, asks for every branching point once
and for those of one depth together.
"""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

Tokens: TypeAlias = tuple[int, ...]
Read: TypeAlias = Callable[[Tokens, frozenset[int]], Awaitable[Mapping[int, float]]]
"""`read(prefix, wanted)`: natural log-probabilities of the wanted tokens after the prompt and `prefix`."""

NEGLIGIBLE = 0.01
"""A spelling with less than this share of its label's likeliest one is not followed: at most 0.01 nat are lost for
each."""
_LEAST = 1e-6
"""Least share of a label's mass that is left when the labels that it begins are taken off, in spite of float noise."""


async def label_logprobs(spellings: Mapping[str, Sequence[Tokens]], read: Read) -> dict[str, float]:
    """Log-probability that the reply is each label.

    The mass of a spelling is the product of its tokens' probabilities; spellings of one label add up. Where a counted
    spelling begins another counted one, the longer one's mass is taken off the shorter one: a reply belongs to the
    longest label that it spells. So the events are disjoint and the masses sum to at most 1.

    Args:
        spellings: For each label its spellings as token sequences, none empty. The first ones are always followed.
        read: Gives next-token log-probabilities.

    Returns:
        Natural log-probabilities, one per label.
    """
    walk = _Walk([tokens for options in spellings.values() for tokens in options], read)
    first = {options[0]: -math.inf for options in spellings.values()}
    counted = await walk.follow(first)
    floors = {
        tokens: counted[options[0]] + math.log(NEGLIGIBLE)
        for options in spellings.values()
        for tokens in options[1:]
        if tokens not in counted
    }
    counted |= await walk.follow(floors)
    alone = _exclusive(counted)
    return {
        label: log_sum(alone[tokens] for tokens in dict.fromkeys(options) if tokens in alone)
        for label, options in spellings.items()
    }


def log_sum(terms: Iterable[float]) -> float:
    """Logarithm of the sum of exponentials; minus infinity for none."""
    values = list(terms)
    top = max(values, default=-math.inf)
    return top if math.isinf(top) else top + math.log(math.fsum(math.exp(value - top) for value in values))


class _Walk:
    """Remembers what was read at each branching point."""

    def __init__(self, sequences: Iterable[Tokens], read: Read) -> None:
        self._read = read
        self._known: dict[Tokens, Mapping[int, float]] = {}
        self._next: dict[Tokens, set[int]] = defaultdict(set)
        for tokens in sequences:
            for place, token in enumerate(tokens):
                self._next[tokens[:place]].add(token)

    async def follow(self, floors: Mapping[Tokens, float]) -> dict[Tokens, float]:
        """Log masses of sequences; one that falls under its floor is given up and left out."""
        masses = dict.fromkeys(floors, 0.0)
        for place in range(max(map(len, floors), default=0)):
            open_ = [tokens for tokens, mass in masses.items() if len(tokens) > place and mass >= floors[tokens]]
            await self._learn(dict.fromkeys(tokens[:place] for tokens in open_))
            for tokens in open_:
                masses[tokens] += self._known[tokens[:place]][tokens[place]]
        return {tokens: mass for tokens, mass in masses.items() if mass >= floors[tokens]}

    async def _learn(self, prefixes: Iterable[Tokens]) -> None:
        missing = [prefix for prefix in prefixes if prefix not in self._known]
        found = await asyncio.gather(*(self._read(prefix, frozenset(self._next[prefix])) for prefix in missing))
        self._known.update(zip(missing, found, strict=True))


def _exclusive(counted: Mapping[Tokens, float]) -> dict[Tokens, float]:
    """Log masses after each spelling gave the longer ones that it begins their share."""
    longer: dict[Tokens, list[float]] = defaultdict(list)
    for tokens, mass in counted.items():
        begins = next((tokens[:n] for n in range(len(tokens) - 1, 0, -1) if tokens[:n] in counted), None)
        if begins is not None:
            longer[begins].append(mass)
    return {tokens: mass + math.log(_left(mass, longer[tokens])) for tokens, mass in counted.items()}


def _left(mass: float, parts: Sequence[float]) -> float:
    """Share of a mass that the parts leave."""
    if math.isinf(mass):
        return 1.0
    return max(1 - math.fsum(math.exp(part - mass) for part in parts), _LEAST)
