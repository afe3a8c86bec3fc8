"""The probability of each label as a whole reply, from what a server reports about next tokens.

A server reports the likeliest next tokens as bytes and has no call for its tokenizer, so the walk goes over bytes: a
token counts if what was written so far and the token together begin a label. Labels can share a beginning ("not met",
"not applicable"), begin each other ("1", "10") and stand after a space.
"""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from typing import TypeAlias

from adjudge.verdict import Failure
from adjudge_openai.failures import CallError

Place: TypeAlias = bytes
"""What the reply holds so far."""
Tops: TypeAlias = Mapping[bytes, float]
"""Natural log-probabilities of next tokens."""
Read: TypeAlias = Callable[[Place, bytes], Awaitable[Mapping[Place, Tops]]]
"""`read(place, target)` reports the next tokens at that place, and where they come along at other places on the way to
`target`, a label with or without a space in front. An empty mapping: the server cannot tell."""

NEGLIGIBLE = 0.01
"""A way of spelling a label that has less than this share of it is not followed: at most 0.01 nat are lost."""
UNSEEN = 0.05
"""A spelling that was not reported is asked for if it could have this share of its label."""
_LEAST = 1e-6


class Walk:
    """What is known about the beginnings of replies that can become a label."""

    def __init__(self, labels: Sequence[str]) -> None:
        self._labels, self._targets, self._beginnings, self._longer = _spellings(tuple(labels))
        self._known: dict[Place, dict[bytes, float]] = {}
        self._cutoff = -math.inf

    def add(self, reports: Mapping[Place, Tops]) -> None:
        """Take in what was reported; what is known stays."""
        if not self._known:
            self._cutoff = min(reports.get(b"", {}).values(), default=-math.inf)
        for place, tops in reports.items():
            self._known[place] = {**tops, **self._known.get(place, {})}

    def masses(self) -> dict[Place, float]:
        """Log-probability that the reply passes through each place, with a token ending there."""
        reach = {b"": 0.0}
        for place in sorted(self._known, key=len):
            if place in reach:
                for token, there in self._steps(place):
                    logprob = reach[place] + self._known[place][token]
                    reach[there] = log_sum((reach[there], logprob)) if there in reach else logprob
        return reach

    def _steps(self, place: Place) -> list[tuple[bytes, Place]]:
        """The reported tokens that lead from a place towards a label, and where to."""
        tokens = self._known.get(place, {})
        if not place:  # most labels are one token
            return [(token, token) for token in tokens.keys() & self._beginnings if token]
        return [(token, place + token) for token in tokens if token and place + token in self._beginnings]

    def totals(self, reach: Mapping[Place, float]) -> dict[str, float]:
        """Log-probability of each label that was seen, each taken as the longest label that the reply spells."""
        found: dict[str, list[float]] = {}
        for target in self._targets & reach.keys():
            alone = reach[target] + math.log(max(1 - self._leaves(target), _LEAST))
            found.setdefault(self._labels[target.removeprefix(b" ")], []).append(alone)
        return {label: log_sum(parts) for label, parts in found.items()}

    def open_ways(self, reach: Mapping[Place, float], totals: Mapping[str, float]) -> list[tuple[float, Place, bytes]]:
        """Places from which a label may go on and of which nothing is known, likeliest first: (mass, place, target)."""
        ways = []
        for place in reach.keys() - self._known.keys():
            for target in self._longer[place]:
                known = totals.get(self._labels[target.removeprefix(b" ")], -math.inf)
                if reach[place] > known + math.log(NEGLIGIBLE):
                    ways.append((reach[place], place, target))
        return sorted(ways, reverse=True)

    def unseen(self, reach: Mapping[Place, float], totals: Mapping[str, float]) -> list[bytes]:
        """Labels whose plain spelling was not seen; after a space, if that could be a share of the label's mass."""
        spaced = [
            b" " + label
            for label, text in self._labels.items()
            if b" " + label not in reach and totals.get(text, math.inf) + math.log(UNSEEN) < self._cutoff
        ]
        return [label for label in self._labels if label not in reach] + spaced

    def _leaves(self, place: Place) -> float:
        """Probability that a reply that got here goes on to a longer label."""
        if place not in self._known:
            return 0.0
        return sum(
            math.exp(self._known[place][token]) * (1.0 if there in self._targets else self._leaves(there))
            for token, there in self._steps(place)
        )


async def label_logprobs(labels: Sequence[str], read: Read, *, forces: bool, names: bool = False) -> dict[str, float]:
    """Log-probability of each label.

    Args:
        labels: The words.
        read: Asks the server.
        forces: `read` follows any target to its end, however unlikely its tokens are.
        names: `read` reports about the first token of any target, however unlikely it is.

    Returns:
        Natural log-probabilities. A label whose beginning is not among the reported tokens is left out: it is less
        likely than all of them, and how likely is not known.

    Raises:
        CallError: A label has several tokens and the server cannot say how likely the later ones are.
    """
    walk = Walk(labels)
    walk.add(await read(b"", b""))
    tried: set[tuple[Place, bytes]] = set()
    while True:
        reach = walk.masses()
        # A target that is forced is followed to its end; on a reply that is begun each place is a request of its own.
        ways: dict[tuple[Place, bytes], tuple[Place, bytes]] = {}
        totals = walk.totals(reach)
        for _, place, target in walk.open_ways(reach, totals):
            ways.setdefault((b"", target) if forces else (place, b""), (place, target))
        if forces or names:
            ways |= {(b"", target): (b"", target) for target in walk.unseen(reach, totals)}
        key = next((key for key in ways if key not in tried), None)
        if key is None:
            return totals
        tried.add(key)
        place, target = ways[key]
        reports = await read(place, target)
        if not reports and place and math.exp(reach[place]) > NEGLIGIBLE:
            raise CallError(Failure(reason="infra", detail=_cannot(target.decode(), place)))
        walk.add(reports)


def _cannot(label: str, place: Place) -> str:
    shown = place.decode("utf-8", "replace")
    return (
        f"the label {label.strip()!r} goes on after {shown!r}, which this server cannot read; use --read-out reasoned"
    )


@lru_cache(maxsize=256)
def _spellings(
    labels: tuple[str, ...],
) -> tuple[Mapping[bytes, str], frozenset[bytes], frozenset[bytes], Mapping[bytes, Sequence[bytes]]]:
    """What a walk needs of its labels.

    Returns:
        The labels as bytes; these with and without a space in front; all that such a spelling begins with; and from
        each beginning the longer spellings.
    """
    encoded = {label.encode(): label for label in labels}
    targets = frozenset(target for label in encoded for target in (label, b" " + label))
    beginnings = frozenset(target[:end] for target in targets for end in range(len(target) + 1))
    longer = {begun: [one for one in targets if one.startswith(begun) and one != begun] for begun in beginnings}
    return encoded, targets, beginnings, longer


def log_sum(terms: Iterable[float]) -> float:
    """Logarithm of the sum of exponentials; minus infinity for none."""
    values = list(terms)
    if len(values) == 1:
        return values[0]
    top = max(values, default=-math.inf)
    return top if math.isinf(top) else top + math.log(math.fsum(math.exp(value - top) for value in values))
