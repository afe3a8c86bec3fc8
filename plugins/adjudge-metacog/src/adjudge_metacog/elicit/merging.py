"""Finds cards that hold one value: near each other in an embedding, clustered, then compared by a model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Backend
from adjudge_metacog.elicit import questions
from adjudge_metacog.elicit.asking import Unanswered, asked
from adjudge_metacog.elicit.events import Compared, Merged
from adjudge_metacog.elicit.state import Card
from adjudge_metacog.elicit.store import Store
from adjudge_metacog.embedding import embedder as packaged

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Matrix = NDArray[np.float64]

Embed = Callable[[Sequence[str]], Awaitable[Sequence[Sequence[float]]]]
"""From texts to vectors of one length, in the same order."""

EPS = 0.3
"""Distance within which two cards are neighbours; as in the released code."""
PACKAGED_EPS = 0.4
"""The same for the embedders of `adjudge_metacog.embedding`, whose distances are counted from a measured floor."""
POINTS = 5
"""Cards within that distance, itself counted in, that make a card the core of a cluster; as in the released code."""
_WORD = re.compile(r"\w+")


@dataclass(frozen=True, slots=True)
class Merging:
    """What a round did."""

    clusters: int
    """Clusters with more than one card."""
    merged: int
    """Cards that were merged into another."""
    apart: int
    """Cards that the model found to hold another value."""
    unanswered: int
    """Comparisons without an answer that can be read; the next round asks again."""


@dataclass(frozen=True, slots=True)
class Embedding:
    """What tells how near cards are to each other."""

    name: str
    """For people."""
    embed: Embed
    """Makes the vectors."""
    floor: float = 0.0
    """Cosine that unrelated texts reach; 0 where it is not known."""
    eps: float = EPS
    """Distance of neighbours if nobody says otherwise, where 1 is that of unrelated texts."""

    def reach(self, eps: float | None = None) -> float:
        """The cosine distance at which `(cosine - floor) / (1 - floor)` is `1 - eps`.

        Args:
            eps: Distance of neighbours, where 1 is that of unrelated texts; `self.eps` if None.
        """
        return (self.eps if eps is None else eps) * (1 - self.floor)


def embedder(backend: Backend, name: str = "auto") -> Embedding:
    """The backend's embeddings where it offers them, else those of the extra, else `words_in_common`.

    Args:
        backend: Who compares the cards.
        name: One of `adjudge_metacog.embedding.NAMES`; what is not `auto` is taken whatever the backend offers.

    Raises:
        UnknownNameError: There is no embedder of that name.
        UnsupportedError: Its package is not installed, or the backend offers embeddings and has no `embed`.
    """
    if name == "auto" and backend.capabilities.embeddings:
        embed: Embed | None = getattr(backend, "embed", None)
        if embed is None:
            raise UnsupportedError(f"{backend.name} says that it offers embeddings and has no `embed`")
        return Embedding(f"embeddings of {backend.name}", embed)
    model = packaged(name)
    if model is None:
        return Embedding("words in common (tf-idf)", words_in_common)

    async def vectors(texts: Sequence[str]) -> Any:
        return model.rules(texts)

    return Embedding(f"embeddings of {model.fingerprint}", vectors, model.floor, PACKAGED_EPS)


async def words_in_common(texts: Sequence[str]) -> list[list[float]]:
    """Vectors without a model: how often each word stands in a text, scaled down for words of many texts (tf-idf)."""
    import math

    counts = [Counter(_WORD.findall(text.casefold())) for text in texts]
    texts_with = Counter(word for count in counts for word in count)
    weights = {word: math.log((1 + len(texts)) / (1 + times)) + 1 for word, times in sorted(texts_with.items())}
    return [[count[word] * weight for word, weight in weights.items()] for count in counts]


async def merge(store: Store, ask: Ask, embed: Embed, by: str, *, eps: float = EPS, points: int = POINTS) -> Merging:
    """Merge the cards of each cluster that a model finds to hold one value, into the card in the cluster's middle.

    Args:
        store: The elicitation.
        ask: The way to the comparing model.
        embed: Makes vectors of cards.
        by: Name of that model, for the record.
        eps: Largest cosine distance of neighbours.
        points: Neighbours, itself counted in, that make a core.
    """
    cards = store.state.values
    vectors = await embed([questions.written(card.draft) for card in cards]) if cards else []
    found = Counter[str]()
    groups = [group for group in clusters(vectors, eps, points) if len(group) > 1]
    for group in groups:
        middle = cards[_middle(vectors, group)]
        for place in group:
            if cards[place].id != middle.id:
                found[await _compare(store, ask, cards[place], middle, by)] += 1
    return Merging(len(groups), found["merged"], found["apart"], found["unanswered"])


async def _compare(store: Store, ask: Ask, card: Card, middle: Card, by: str) -> str:
    if frozenset((card.id, middle.id)) in store.state.compared:
        return "apart"
    answer = await asked(ask, questions.same(middle.draft, card.draft, ask.secret), questions.Sameness)
    if isinstance(answer, Unanswered):
        return "unanswered"
    about = {"card": card.id, "into": middle.id, "by": by, "reason": answer.reason}
    if answer.same:
        store.append(Merged.model_validate({"type": "merged", **about}))
        return "merged"
    store.append(Compared.model_validate({"type": "compared", **about}))
    return "apart"


def clusters(vectors: Sequence[Sequence[float]], eps: float = EPS, points: int = POINTS) -> list[list[int]]:
    """DBSCAN over cosine distance (Ester and others 1996): places of the vectors of each cluster; noise is left out.

    A vector on the border of two clusters belongs to the first of them; one of length 0 is near nothing.
    """
    if len(vectors) == 0:
        return []
    near = [set(map(int, row.nonzero()[0])) for row in _distances(vectors) <= eps]
    cores = [len(neighbours) >= points for neighbours in near]
    taken: set[int] = set()
    found = []
    for start, is_core in enumerate(cores):
        if not is_core or start in taken:
            continue
        taken.add(start)
        group, waiting = [start], [start]
        while waiting:
            fresh = sorted(near[waiting.pop(0)] - taken)
            taken.update(fresh)
            group += fresh
            waiting += [place for place in fresh if cores[place]]
        found.append(sorted(group))
    return found


def _distances(vectors: Sequence[Sequence[float]]) -> Matrix:
    """Cosine distance of each pair, 0 to 2."""
    import numpy as np

    rows: Any = np.asarray(vectors, dtype=float)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    unit = np.divide(rows, lengths, out=np.zeros_like(rows), where=lengths > 0)
    found: Matrix = np.clip(1 - unit @ unit.T, 0, 2)
    np.fill_diagonal(found, 0)
    return found


def _middle(vectors: Sequence[Sequence[float]], group: Sequence[int]) -> int:
    """The place of the vector that lies nearest to all others of the group, the first of several."""
    distances = _distances([vectors[place] for place in group]).sum(axis=1)
    return group[int(distances.round(9).argmin())]
