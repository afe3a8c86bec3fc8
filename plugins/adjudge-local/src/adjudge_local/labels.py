"""The probability of each label as a whole, from next-token log-probabilities alone.

Labels can share tokens ("aligns with", "does not align with"), be prefixes of each other ("1", "10") and be written
with or without a space in front. The walk goes down the tree of their tokens and asks for every branching point once.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeAlias

Tokens: TypeAlias = tuple[int, ...]
Read: TypeAlias = Callable[[Tokens, frozenset[int]], Mapping[int, float]]
"""`read(prefix, wanted)`: natural log-probabilities of the wanted tokens (others may be there too) after the prompt and
`prefix`."""

NEGLIGIBLE = 0.01
"""A spelling with less than this share of its label's plain spelling is not followed: at most 0.01 nat are lost."""
_LEAST = 1e-6
"""Least share of a label's mass that is left when the labels that it begins are taken off, in spite of float noise."""


def label_logprobs(spellings: Mapping[str, Sequence[Tokens]], read: Read) -> dict[str, float]:
    """Log-probability that the reply is each label.

    The mass of a spelling is the product of its tokens' probabilities; spellings of one label add up. Where a counted
    spelling begins another counted one, the longer one's mass is taken off the shorter one: a reply belongs to the
    longest label that it spells. So the events are disjoint and the masses sum to at most 1.

    Args:
        spellings: For each label its spellings as token sequences, the plain one first; none may be empty.
        read: Gives next-token log-probabilities.

    Returns:
        Natural log-probabilities, one per label.
    """
    walk = _Walk([tokens for options in spellings.values() for tokens in options], read)
    counted: dict[Tokens, float] = {}
    # Sorted, so that each step of the walk lengthens what the engine holds by one token.
    for plain in sorted(options[0] for options in spellings.values()):
        counted[plain] = walk.log_mass(plain)
    for plain, other in sorted((options[0], tokens) for options in spellings.values() for tokens in options[1:]):
        mass = walk.log_mass(other, floor=counted[plain] + math.log(NEGLIGIBLE))
        if mass > -math.inf:
            counted.setdefault(other, mass)
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

    def log_mass(self, tokens: Tokens, floor: float = -math.inf) -> float:
        """Sum over the tokens; minus infinity as soon as it falls under the floor."""
        total = 0.0
        for place, token in enumerate(tokens):
            prefix = tokens[:place]
            if prefix not in self._known:
                self._known[prefix] = self._read(prefix, frozenset(self._next[prefix]))
            total += self._known[prefix][token]
            if total < floor:
                return -math.inf
        return total


def _exclusive(counted: Mapping[Tokens, float]) -> dict[Tokens, float]:
    """Log masses after each spelling gave the longer ones that it begins their share."""
    longer: dict[Tokens, list[float]] = defaultdict(list)
    for tokens, mass in counted.items():
        begins = next((tokens[:n] for n in range(len(tokens) - 1, 0, -1) if tokens[:n] in counted), None)
        if begins is not None:
            longer[begins].append(mass)
    left = {tokens: 1 - math.fsum(math.exp(part - mass) for part in longer[tokens]) for tokens, mass in counted.items()}
    return {tokens: mass + math.log(max(left[tokens], _LEAST)) for tokens, mass in counted.items()}
