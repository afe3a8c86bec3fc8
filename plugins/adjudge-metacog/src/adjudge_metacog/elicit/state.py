"""What the events of an elicitation say: people with their interviews, cards, merges, stories and votes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from adjudge.errors import InputError
from adjudge_metacog.elicit.events import (
    Accepted,
    Answer,
    Began,
    Case,
    Closed,
    Compared,
    Draft,
    Drafted,
    Event,
    Merged,
    Opened,
    Said,
    Shown,
    Told,
    Voted,
)
from adjudge_metacog.nodes import flags_of_text


@dataclass
class Person:
    """One participant."""

    case: str = ""
    """The case that they chose."""
    turns: list[Said] = field(default_factory=list)
    """The interview."""
    drafted: Drafted | None = None
    """The last draft that no turn has followed."""
    card: str = ""
    """The card that they accepted."""
    votes: dict[str, Answer | None] = field(default_factory=dict)
    """Answers by story; None if shown and not answered."""
    closed: Closed | None = None
    """Answers to the closing questions."""


@dataclass(frozen=True)
class Card:
    """An accepted card."""

    id: str
    draft: Draft
    person: str
    context: str
    """The context of the case that it came from."""
    checked: bool
    """Whether its policies passed all checks."""

    @property
    def flags(self) -> tuple[str, ...]:
        """Why its text must not reach a judge or another person's interviewer; empty if clean."""
        return flags_of_text("\n".join((self.draft.title, self.draft.short, self.draft.detailed, *self.draft.policies)))

    @property
    def counts(self) -> bool:
        """Whether it takes part: its policies passed the checks and its text is clean."""
        return self.checked and not self.flags


@dataclass
class Elicitation:
    """The whole of it; changed by events alone."""

    cases: dict[str, Case] = field(default_factory=dict)
    people: dict[str, Person] = field(default_factory=dict)
    cards: dict[str, Card] = field(default_factory=dict)
    merged: dict[str, str] = field(default_factory=dict)
    """For a card the one that it was merged into."""
    compared: set[frozenset[str]] = field(default_factory=set)
    """Pairs of cards that a model compared."""
    stories: dict[str, Told] = field(default_factory=dict)

    def apply(self, event: Event) -> None:
        """Take an event in.

        Raises:
            InputError: It does not fit what was before.
        """
        if self.cases and isinstance(event, Opened):
            raise InputError("opens an elicitation that is open")
        if not self.cases and not isinstance(event, Opened):
            raise InputError("the first event must open the elicitation with its cases")
        _TAKES[event.type](self, event)

    def copy(self) -> Elicitation:
        """A copy that can be changed alone; what it is made of is frozen."""
        people = {
            name: replace(person, turns=list(person.turns), votes=dict(person.votes))
            for name, person in self.people.items()
        }
        fresh = {name: type(kept)(kept) for name, kept in vars(self).items()}
        return Elicitation(**{**fresh, "people": people})

    def person(self, name: str) -> Person:
        """A participant, empty if unknown."""
        return self.people.get(name) or Person()

    def value(self, card: str) -> str:
        """The card that stands for the value of a card, after all merges."""
        while card in self.merged:
            card = self.merged[card]
        return card

    @property
    def values(self) -> list[Card]:
        """The cards that count and stand for a value, in order of acceptance."""
        return [card for card in self.cards.values() if card.counts and card.id not in self.merged]

    @property
    def contexts(self) -> dict[str, list[str]]:
        """For each context the values that were given in it, in order of acceptance."""
        found: dict[str, list[str]] = {}
        for card in self.cards.values():
            if card.counts:
                names = found.setdefault(card.context, [])
                names.extend({self.value(card.id)} - set(names))
        return found

    def votes(self) -> Iterator[tuple[str, Told, Answer | None]]:
        """Everything that was shown: person, story, answer."""
        for name, person in self.people.items():
            for story, answer in person.votes.items():
                yield name, self.stories[story], answer

    def _opened(self, event: Opened) -> None:
        self.cases = {case.id: case for case in event.cases}
        _require(len(self.cases) == len(event.cases), "two cases have one id; ids are unique")

    def _began(self, event: Began) -> None:
        _require(event.case in self.cases, f"speaks of the case {event.case!r}, which is not there")
        _require(not self.person(event.person).case, f"{event.person!r} has begun already")
        self.people[event.person] = Person(case=event.case)

    def _said(self, event: Said) -> None:
        person = self._in_interview(event.person)
        person.turns.append(event)
        person.drafted = None

    def _drafted(self, event: Drafted) -> None:
        person = self._in_interview(event.person)
        places = range(len(event.draft.policies))
        _require(all(finding.policy in places for finding in event.findings), "finds fault with a policy not there")
        person.drafted = event

    def _accepted(self, event: Accepted) -> None:
        person = self._in_interview(event.person)
        _require(event.card not in self.cards, f"the card {event.card!r} is there already")
        if person.drafted is None:
            raise InputError("accepts a card where none was drafted")
        passed = person.drafted.checked and not person.drafted.findings
        context = self.cases[person.case].context
        self.cards[event.card] = Card(event.card, person.drafted.draft, event.person, context, passed)
        person.card = event.card

    def _compared(self, event: Compared | Merged) -> None:
        _require({event.card, event.into} <= self.cards.keys(), "speaks of a card that is not there")
        _require(self.value(event.card) != self.value(event.into), "compares a value with itself")
        self.compared.add(frozenset((event.card, event.into)))
        if isinstance(event, Merged):
            _require(event.card not in self.merged, f"the card {event.card!r} was merged already")
            self.merged[event.card] = event.into

    def _told(self, event: Told) -> None:
        _require({event.source, event.wiser} <= self.cards.keys(), "tells of a card that is not there")
        _require(event.source != event.wiser, "tells of one value that replaces itself")
        _require(event.story not in self.stories, f"the story {event.story!r} is there already")
        self.stories[event.story] = event

    def _voted(self, event: Shown | Voted) -> None:
        _require(event.person in self.people, f"{event.person!r} has not begun")
        _require(event.story in self.stories, f"speaks of the story {event.story!r}, which is not there")
        votes = self.people[event.person].votes
        _require(votes.get(event.story) is None, f"{event.person!r} has answered {event.story!r} already")
        votes[event.story] = event.answer if isinstance(event, Voted) else None

    def _closed(self, event: Closed) -> None:
        _require(event.person in self.people, f"{event.person!r} has not begun")
        _require(self.people[event.person].closed is None, f"{event.person!r} has closed already")
        self.people[event.person].closed = event

    def _in_interview(self, name: str) -> Person:
        _require(name in self.people, f"{name!r} has not begun")
        _require(not self.people[name].card, f"{name!r} has accepted a card already")
        return self.people[name]


def _require(holds: bool, problem: str) -> None:
    if not holds:
        raise InputError(problem)


_TAKES: Mapping[str, Callable[[Elicitation, Any], None]] = {
    "opened": Elicitation._opened,  # noqa: SLF001 - the table is part of the class
    "began": Elicitation._began,  # noqa: SLF001 - as above
    "said": Elicitation._said,  # noqa: SLF001 - as above
    "drafted": Elicitation._drafted,  # noqa: SLF001 - as above
    "accepted": Elicitation._accepted,  # noqa: SLF001 - as above
    "merged": Elicitation._compared,  # noqa: SLF001 - as above
    "compared": Elicitation._compared,  # noqa: SLF001 - as above
    "told": Elicitation._told,  # noqa: SLF001 - as above
    "shown": Elicitation._voted,  # noqa: SLF001 - as above
    "voted": Elicitation._voted,  # noqa: SLF001 - as above
    "closed": Elicitation._closed,  # noqa: SLF001 - as above
}
