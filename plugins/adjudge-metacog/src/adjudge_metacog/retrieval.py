"""Finds the rules that bear on a case, within a budget, and says why.

Scope comes first; then words in common (BM25) and, where an embedder is at hand, similarity of meaning.
"""

from __future__ import annotations

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from adjudge_metacog.bulk import in_bulk
from adjudge_metacog.embedding import Embedder
from adjudge_metacog.nodes import Rule
from adjudge_metacog.vectors import vectors_of

K1, B = 1.2, 0.75
"""Saturation of repeated words and correction for length, as Robertson and Zaragoza (2009) advise."""
SCOPE_BONUS = 2.0
"""What a scenario or tag in common adds to the score; about as much as one rare word."""

NEARNESS = 100.0
"""What a similarity of 1 adds to the score, one at the embedder's floor adding nothing."""

WORD = "word "
"""Begins a reason that names a word in common."""

_FORM = frozenset({"when", "do", "not", "because"})  # every rule has them
_WORD = re.compile(r"[^\W_]+")
IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]+")


def words(text: str) -> Iterator[str]:
    """Words of a text, case folded; of Chinese and Japanese, pairs of characters that follow each other."""
    for word in _WORD.findall(text.casefold()):
        if not word.isascii() and IDEOGRAPHS.search(word):
            yield from (word[i : i + 2] for i in range(max(1, len(word) - 1)))
        elif word not in _FORM and len(word) > 1:
            yield word


@dataclass(frozen=True, slots=True, kw_only=True)
class Query:
    """What rules are looked for."""

    text: str
    """The case: what is asked, answered or judged."""
    domain: str = ""
    """Its field of work; rules of another one are left out."""
    scenario: str = ""
    """Its kind of situation; rules of others are left out."""
    criterion: str = ""
    """What is judged; rules for other criteria are left out."""
    tags: tuple[str, ...] = ()
    """Words that it is filed under."""


@dataclass(frozen=True, slots=True)
class Found:
    """A rule that bears on the case."""

    rule: Rule
    """The rule."""
    score: float
    """How strongly, above 0."""
    why: tuple[str, ...]
    """What it has in common with the case, the strongest first."""


@dataclass(frozen=True, slots=True)
class Budget:
    """How much guidance there may be."""

    rules: int = 5
    """Most rules."""
    characters: int = 2000
    """Most characters of all their texts together."""


class Similarity:
    """How near cases are to rules in meaning; several retrievers over some of the rules can share one."""

    def __init__(self, rules: Sequence[Rule], embedder: Embedder, graph: Path | None = None) -> None:
        """Prepare; the rules are embedded when they are first asked for.

        Args:
            rules: Every rule that is asked for.
            embedder: What makes the vectors.
            graph: File of the graph, beside which vectors are kept; if None, they are not.
        """
        self.embedder = embedder
        self._texts = list(dict.fromkeys(rule.text for rule in rules))
        self._graph = graph
        self.to = lru_cache(maxsize=64)(self._to)
        """Cosine of a case with each text, shape (texts,); kept for the last cases."""

    def places(self, rules: Sequence[Rule]) -> Any:
        """Where the rules stand in what `to` gives, shape (rules,)."""
        import numpy as np

        found = {text: place for place, text in enumerate(self._texts)}
        return np.array([found[rule.text] for rule in rules], dtype=np.int32)

    @cached_property
    def _vectors(self) -> Any:
        return vectors_of(self._texts, self.embedder, self._graph)

    def _to(self, case: str) -> Any:
        import numpy as np

        # `einsum` reads memory at twice the speed of `@` here, and wakes no thread that would spin while the next case
        # is embedded. Rounded, since the last digits depend on the processor.
        return np.round(np.einsum("ij,j->i", self._vectors, self.embedder.case(case)), 4)


class Retriever:
    """An index over rules; build it from the active rules of a graph."""

    def __init__(self, rules: Sequence[Rule], similarity: Similarity | None = None) -> None:
        """Prepare.

        Args:
            rules: What is searched.
            similarity: How near cases are to these rules; if None, only words count.
        """
        self.rules = tuple(rules)
        """What is searched."""
        self._similarity = similarity

    @property
    def by(self) -> str:
        """What rules are found by, for the record: `scope, words` and the package that makes the vectors, if any."""
        return f"scope, words{f' and {self._similarity.embedder.fingerprint}' if self._similarity else ''}"

    @cached_property
    def _places(self) -> Any:
        assert self._similarity is not None
        return self._similarity.places(self.rules)

    def _cosines(self, text: str) -> Any:
        """Cosine of the case with each rule; None if it is not known."""
        if self._similarity is None or not text.strip():
            return None
        return self._similarity.to(text)[self._places]

    def _nearness(self, cosines: Any) -> Any:
        """What cosines add to scores."""
        import numpy as np

        assert self._similarity is not None
        floor = self._similarity.embedder.floor
        return np.maximum(cosines - floor, 0) * np.float32(NEARNESS / (1 - floor))

    @cached_property
    def _postings(self) -> Mapping[str, tuple[Any, Any]]:
        """For each word the rules that hold it, by position, and what it adds to the score of each."""
        import numpy as np

        lengths = np.zeros(len(self.rules), dtype=np.float32)
        places: defaultdict[str, list[int]] = defaultdict(list)
        times: defaultdict[str, list[int]] = defaultdict(list)
        with in_bulk():
            for place, rule in enumerate(self.rules):
                count = Counter(words(rule.text))
                lengths[place] = count.total()
                for word, n in count.items():
                    places[word].append(place)
                    times[word].append(n)
        norm = K1 * (1 - B + B * lengths / max(1.0, float(lengths.mean()) if len(lengths) else 1.0))
        found = {}
        for word, where in places.items():
            at, often = np.array(where, dtype=np.int32), np.array(times[word], dtype=np.float32)
            rarity = math.log(1 + (len(lengths) - len(where) + 0.5) / (len(where) + 0.5))
            found[word] = at, rarity * often * (K1 + 1) / (often + norm[at])
        return found

    @cached_property
    def _scopes(self) -> Mapping[tuple[str, str], Any]:
        """Positions of the rules with that part of a scope: `("domain", "finance")`; `""` for those with none."""
        import numpy as np

        found: defaultdict[tuple[str, str], list[int]] = defaultdict(list)
        for place, rule in enumerate(self.rules):
            scope = rule.scope
            parts = {"domain": (scope.domain,), "scenario": scope.scenarios or ("",)}
            for name, values in {**parts, "criterion": scope.criteria or ("",), "tag": scope.tags}.items():
                for value in values:
                    found[name, value].append(place)
        return {part: np.array(places, dtype=np.int32) for part, places in found.items()}

    def find(self, query: Query, budget: Budget | None = None) -> list[Found]:
        """The rules that bear on a case, within the budget.

        The best by score are taken; they come with the most severe first, then by score, then by id.
        """
        budget = budget or Budget()
        kept: list[Found] = []
        room = budget.characters
        for found in self._ranked(query, budget.rules):
            if len(found.rule.text) <= room:
                kept.append(found)
                room -= len(found.rule.text)
        return sorted(kept, key=lambda found: (-found.rule.severity, -found.score, found.rule.id))

    def _ranked(self, query: Query, most: int) -> Iterator[Found]:
        """The best rules, best first."""
        import numpy as np

        if not self.rules or most < 1:
            return
        cosines = self._cosines(query.text)
        scores = self._scores(query, cosines)
        above = scores[scores > 0]  # finding the best among very many zeros is slow
        if not len(above):
            return
        reach = min(most, len(above))
        places = np.flatnonzero(scores >= np.partition(above, -reach)[-reach]).tolist()
        best = sorted(places, key=lambda place: (-scores[place], self.rules[place].id))[:most]
        for place in best:
            cosine = None if cosines is None else cosines[place]
            yield Found(self.rules[place], float(scores[place]), tuple(self._why(query, place, cosine)))

    def _scores(self, query: Query, cosines: Any) -> Any:
        scores = self._by_words(query.text)
        if cosines is not None:
            scores += self._nearness(cosines)
        for part in self._filed(query):
            if part in self._scopes:
                scores[self._scopes[part]] += SCOPE_BONUS
        for name in ("domain", "scenario", "criterion"):
            if wanted := getattr(query, name):
                self._narrow(scores, name, wanted)
        return scores

    def _by_words(self, text: str) -> Any:
        import numpy as np

        having = [self._postings[word] for word in sorted(set(words(text))) if word in self._postings]
        if not having:
            return np.zeros(len(self.rules), dtype=np.float32)
        places, adds = (np.concatenate(column) for column in zip(*having, strict=True))
        return np.bincount(places, adds, minlength=len(self.rules)).astype(np.float32)

    def _filed(self, query: Query) -> list[tuple[str, str]]:
        """The parts of a scope that speak for a rule, beyond not speaking against it."""
        scenario = [("scenario", query.scenario)] if query.scenario else []
        return [*scenario, *(("tag", tag) for tag in dict.fromkeys(query.tags))]

    def _narrow(self, scores: Any, name: str, wanted: str) -> None:
        """Leave out the rules whose scope names others than the one wanted."""
        import numpy as np

        outside = np.ones(len(scores), dtype=bool)
        for value in (wanted, ""):
            if (name, value) in self._scopes:
                outside[self._scopes[name, value]] = False
        scores[outside] = 0

    def _why(self, query: Query, place: int, cosine: Any) -> Iterator[str]:
        """What the rule at that position has in common with the query."""
        scope = self.rules[place].scope
        having = {("scenario", name) for name in scope.scenarios} | {("tag", name) for name in scope.tags}
        yield from (f"{name} {value}" for name, value in self._filed(query) if (name, value) in having)
        common = set(words(query.text)) & set(words(self.rules[place].text))
        adds = {f"{WORD}{word}": self._adds(word, place) for word in common}
        if cosine is not None and (nearness := float(self._nearness(cosine))):
            adds[f"similarity {cosine:.2f}"] = nearness
        yield from (f"{what} ({adds[what]:.1f})" for what in sorted(adds, key=lambda what: (-adds[what], what)))

    def _adds(self, word: str, place: int) -> float:
        import numpy as np

        at, adds = self._postings[word]
        return float(adds[np.searchsorted(at, place)])
