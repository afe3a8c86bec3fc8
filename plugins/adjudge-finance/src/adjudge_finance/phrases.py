"""Phrase structure of a sentence: the entities of a lexicon in their order, and what they come to."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from adjudge_finance.lexicon import Entry, Kind, Lexicon, fits

# "didn't" is the two words "did" and "n't".
_WORD = re.compile(r"[^\W\d_]+?(?=n['’]t\b)|n['’]t\b|[^\W\d_]+(?:[-'&’][^\W\d_]+)*|\d[\d.,]*")
NEGATION_REACH = 3
"""A negation works on this many words behind it."""
SYMBOLS = {
    ("concept", 1): "C+",
    ("concept", -1): "C-",
    ("direction", 1): "UP",
    ("direction", -1): "DOWN",
    ("event", 1): "E+",
    ("event", -1): "E-",
    ("negation", 0): "NOT",
}
"""What stands for an entity in a linearised sentence."""
NUMBER = "#"
"""What stands for a number there."""


@dataclass(frozen=True, slots=True)
class Entity:
    """A word or phrase of the lexicon in a text."""

    kind: Kind
    """What it is."""
    sign: int
    """As in `lexicon.Entry`."""
    place: int
    """Number of its first word in the text, from 0."""
    size: int
    """Number of its words."""
    start: int
    """Offset of its first character."""
    end: int
    """Offset behind its last one."""
    text: str
    """The passage itself."""


@dataclass(frozen=True, slots=True)
class Finding:
    """A reason for a polarity: a concept that moves, or an event."""

    entities: tuple[Entity, ...]
    """The concept and its direction, or the event alone."""

    @property
    def sign(self) -> int:
        """1 for `plus`, -1 for `minus`."""
        signs = [entity.sign for entity in self.entities]
        return signs[0] * (signs[1] if len(signs) > 1 else 1)


@dataclass(frozen=True, slots=True)
class Parsed:
    """A sentence as words and entities."""

    words: tuple[str, ...]
    """Its words in lower case."""
    entities: tuple[Entity, ...]
    """What the lexicon knows of it, in order; none overlap."""

    @property
    def symbols(self) -> list[str]:
        """The entities alone, each as its symbol."""
        return [SYMBOLS[entity.kind, entity.sign] for entity in self.entities]

    @property
    def linearised(self) -> list[str]:
        """The sentence with each entity as its symbol, each number as `#` and every other word as it is."""
        heads = {entity.place: entity for entity in self.entities}
        inside = {entity.place + step for entity in self.entities for step in range(1, entity.size)}
        return [_symbol(word, heads.get(place)) for place, word in enumerate(self.words) if place not in inside]


def _symbol(word: str, entity: Entity | None) -> str:
    if entity is not None:
        return SYMBOLS[entity.kind, entity.sign]
    return NUMBER if word[0].isdigit() else word


def parsed(text: str, lexicon: Lexicon) -> Parsed:
    """Find the entities of a text; at each place the longest phrase of the lexicon wins."""
    words = list(_WORD.finditer(text))
    folded = [word.group().casefold().replace("’", "'") for word in words]
    found: list[Entity] = []
    place = 0
    while place < len(words):
        entry = _longest(folded, place, lexicon)
        if entry is None:
            place += 1
            continue
        size = len(entry.words)
        start, end = words[place].start(), words[place + size - 1].end()
        found.append(Entity(entry.kind, entry.sign, place, size, start, end, text[start:end]))
        place += size
    return Parsed(tuple(folded), tuple(found))


def _longest(words: Sequence[str], place: int, lexicon: Lexicon) -> Entry | None:
    fitting = (
        entry
        for entry in lexicon.starting_with(words[place])
        if place + len(entry.words) <= len(words)
        and all(fits(pattern, words[place + step]) for step, pattern in enumerate(entry.words))
    )
    return max(fitting, key=lambda entry: (len(entry.words), len(entry.words[0])), default=None)


def findings(found: Sequence[Entity]) -> list[Finding]:
    """What the entities come to: each direction with the concept nearest to it, and each event.

    What a negation works on comes to nothing. A direction without a concept and a concept without a direction come to
    nothing either.
    """
    concepts = [entity for entity in found if entity.kind == "concept"]
    told: list[Finding] = []
    for entity in found:
        if entity.kind not in {"direction", "event"} or _negated(entity, found):
            continue
        if entity.kind == "event":
            told.append(Finding((entity,)))
        elif concepts:
            told.append(Finding((min(concepts, key=lambda concept: _distance(concept, entity)), entity)))
    return told


def _negated(entity: Entity, found: Sequence[Entity]) -> bool:
    return any(0 < entity.place - one.place <= NEGATION_REACH for one in found if one.kind == "negation")


def _distance(concept: Entity, direction: Entity) -> tuple[int, bool]:
    """Words between the two; at one distance the concept before its direction comes first."""
    behind = concept.place > direction.place
    first, second = (direction, concept) if behind else (concept, direction)
    return second.place - first.place - first.size, behind


def polarity(told: Sequence[Finding]) -> int:
    """1 if more speaks for `plus` than for `minus`, -1 if less does, else 0."""
    balance = sum(finding.sign for finding in told)
    return (balance > 0) - (balance < 0)
