"""The probability that a reply is each of several labels, read from next-token log-probabilities."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

Tokens = tuple[int, ...]
Read = Callable[[Tokens], Sequence[float]]
"""`read(prefix)`: natural log-probabilities of all tokens after the prompt and `prefix`."""
_LEAST = 1e-9


def label_logprobs(spellings: Mapping[str, Sequence[Tokens]], read: Read) -> dict[str, float]:
    """Log-probability (natural) that the reply begins with each label and with no longer one.

    Spellings of one label add up. A spelling that begins another one loses that one's mass, so that the events are
    disjoint and sum to at most 1.

    Args:
        spellings: For each label its spellings as tokens, none of them empty.
        read: Gives next-token log-probabilities; asked once per place.
    """
    known: dict[Tokens, Sequence[float]] = {}

    def mass(tokens: Tokens) -> float:
        total = 0.0
        for place, token in enumerate(tokens):
            prefix = tokens[:place]
            if prefix not in known:
                known[prefix] = read(prefix)
            total += float(known[prefix][token])
        return math.exp(total)

    masses = {tokens: mass(tokens) for tokens in sorted({t for options in spellings.values() for t in options})}
    alone = {tokens: own - math.fsum(_continued(tokens, masses)) for tokens, own in masses.items()}
    sums = {label: math.fsum(alone[t] for t in dict.fromkeys(options)) for label, options in spellings.items()}
    return {label: math.log(max(value, _LEAST)) for label, value in sums.items()}


def _continued(tokens: Tokens, masses: Mapping[Tokens, float]) -> list[float]:
    """Masses of the spellings that go on after this one, each taken off the longest that it begins with."""
    found = []
    for other, own in masses.items():
        starts = [other[:n] for n in range(len(other) - 1, 0, -1) if other[:n] in masses]
        if starts and starts[0] == tokens:
            found.append(own)
    return found
