"""One person's way through an elicitation: choose a case, be interviewed, accept a card, vote on stories, close.

Every step is written to the store before the next begins, so that a person can leave at any point and come back.
"""

from __future__ import annotations

import hashlib
from collections.abc import Container

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask
from adjudge_metacog.elicit import questions, screens
from adjudge_metacog.elicit.asking import Unanswered, asked
from adjudge_metacog.elicit.events import (
    Accepted,
    Began,
    Closed,
    Draft,
    Drafted,
    Event,
    Said,
    Shown,
    Voted,
)
from adjudge_metacog.elicit.screens import Screen
from adjudge_metacog.elicit.state import Person
from adjudge_metacog.elicit.store import Store

MOST_STORIES = 10
"""Stories that one person is asked about."""
MOST_TURNS = 6
"""Turns of a person after which a card is shown whatever the checks say; the person decides."""
_LONGEST = 4000


class Flow:
    """The way of one person."""

    def __init__(self, store: Store, person: str, ask: Ask, *, stories: int = MOST_STORIES) -> None:
        """Begin, or go on where the person left.

        Args:
            store: What was said so far.
            person: A name of the person's choosing; the same name goes on.
            ask: The way to the interviewing model.
            stories: Most stories to vote on.
        """
        self._store, self._name, self._ask, self._stories = store, person, ask, stories
        self._left = False
        self._represented = ""
        self._closing = False
        self._why = ""

    @property
    def _person(self) -> Person:
        return self._store.state.person(self._name)

    @property
    def mark(self) -> str:
        """What tells one step from another: an answer to a step that is over is told by it."""
        person = self._person
        seen = repr((person, self._represented, self._closing, self._left, self._why))
        return hashlib.sha256(seen.encode()).hexdigest()[:16]

    async def screen(self) -> Screen:
        """What to show now; asks the model if it is its turn."""
        self._store.refresh()
        if self._left:
            return screens.later()
        await self._interview()
        if self._why:
            return screens.stuck(self._why)
        return self._now()

    async def answer(self, value: str = "", text: str = "") -> Screen:
        """Take an answer and give the next screen; an answer that the step does not know changes nothing.

        Args:
            value: The chosen answer.
            text: What was written instead.

        Raises:
            InputError: The store cannot be written.
        """
        self._store.refresh()
        now = screens.stuck(self._why) if self._why else self._now()
        known = value in dict(now.choices)
        if known and value == "later":
            self._left = True
        elif known and now.name == "stuck":
            self._why = ""
        elif known or (now.writes and text.strip()):
            self._take(now, value if known else "", text.strip()[:_LONGEST])
        return await self.screen()

    def _now(self) -> Screen:
        state, person = self._store.state, self._person
        if not person.case:
            return screens.choose_case(state)
        if not person.card:
            if person.drafted is not None:
                said = questions.told(person.drafted.draft, person.drafted.findings)
                return screens.review(person.drafted.draft, said, checked=person.drafted.checked)
            return screens.interview(state, person, questions.OPENING)
        if person.closed is not None:
            return screens.done()
        return self._after_the_card(person)

    def _after_the_card(self, person: Person) -> Screen:
        story = self._next_story(person)
        if story:
            if story not in person.votes:
                self._append(Shown(type="shown", person=self._name, story=story))
            return screens.vote(self._store.state, story)
        if not self._closing and not any(person.votes.values()):
            return screens.waiting()
        return screens.fair() if self._represented else screens.represented()

    def _next_story(self, person: Person) -> str:
        """One that was shown and not answered, else the one shown to the fewest people; none about the own card."""
        state = self._store.state
        answered = sum(answer is not None for answer in person.votes.values())
        if answered >= self._stories or self._closing:
            return ""
        own = state.value(person.card)
        times = dict.fromkeys(state.stories, 0)
        for _, story, _ in state.votes():
            times[story.story] += 1
        open_ones = [
            (person.votes.get(name, "new") is not None, times[name], self._shuffled(name), name)
            for name, told in state.stories.items()
            if person.votes.get(name) is None and own not in {state.value(told.source), state.value(told.wiser)}
        ]
        return min(open_ones)[-1] if open_ones else ""

    def _shuffled(self, story: str) -> str:
        """Another order for each person, the same each time."""
        return hashlib.sha256(f"{self._name}\0{story}".encode()).hexdigest()

    def _take(self, now: Screen, value: str, text: str) -> None:
        name = self._name
        if now.name == "case":
            self._append(Began(type="began", person=name, case=value))
        elif now.name == "review" and value:
            self._append(Accepted(type="accepted", person=name, card=self._card_id()))
        elif now.name in {"talk", "review"}:
            self._append(Said(type="said", person=name, role="person", text=text))
        elif now.name == "vote":
            story = self._next_story(self._person)
            self._append(Voted.model_validate({"type": "voted", "person": name, "story": story, "answer": value}))
        elif now.name == "waiting":
            self._closing = True
        elif now.name == "represented":
            self._represented = value
        elif now.name == "fair":
            answers = {"represented": self._represented, "fair": value}
            self._append(Closed.model_validate({"type": "closed", "person": name, **answers}))

    def _append(self, event: Event) -> None:
        self._store.append(event)

    def _card_id(self) -> str:
        """A name for the card from its title; numbered if there is one of that name."""
        drafted = self._person.drafted
        if drafted is None:
            raise UnsupportedError("there is no card to accept")
        return free_id(drafted.draft.title, self._store.state.cards)

    async def _interview(self) -> None:
        """Let the model take its turn: a question, or a card that passed its checks."""
        person = self._person
        if person.card or not person.turns or person.turns[-1].role != "person" or person.drafted is not None:
            return
        if self._why:
            return
        turn = await self._interviewer(person, [])
        if isinstance(turn, Unanswered):
            self._why = turn.why
        elif not turn.ready and turn.question.strip() and self._patient(person):
            self._says(turn.question)
        else:
            await self._write_card(person)

    def _patient(self, person: Person) -> bool:
        return sum(turn.role == "person" for turn in person.turns) < MOST_TURNS

    async def _interviewer(self, person: Person, findings: list[str]) -> questions.Turn | Unanswered:
        case = self._store.state.cases[person.case]
        return await asked(
            self._ask, questions.next_turn(case, person.turns, findings, self._ask.secret), questions.Turn
        )

    def _says(self, question: str) -> None:
        self._append(Said(type="said", person=self._name, role="interviewer", text=question.strip()))

    async def _write_card(self, person: Person) -> None:
        """Draft a card, and once more if a check fails; then ask on about what it misses, or show it."""
        case = self._store.state.cases[person.case]
        drafted: Drafted | None = None
        findings: list[str] = []
        for _ in range(2):
            question = questions.draft(case, person.turns, findings, self._ask.secret)
            card = await asked(self._ask, question, Draft)
            if isinstance(card, Unanswered):
                self._why = card.why
                return
            drafted = await self._checked(card)
            findings = questions.told(card, drafted.findings)
            if not findings:
                break
        if findings and self._patient(person):
            turn = await self._interviewer(person, findings)
            if isinstance(turn, questions.Turn) and turn.question.strip():
                self._says(turn.question)
                return
        assert drafted is not None  # the loop ran
        self._append(drafted)

    async def _checked(self, card: Draft) -> Drafted:
        checks = await asked(self._ask, questions.check(card, self._ask.secret), questions.Checks)
        # Checks of more or fewer policies than there are were not made of this card.
        read = checks if isinstance(checks, questions.Checks) and len(checks.policies) == len(card.policies) else None
        findings = questions.problems(card, read)
        return Drafted(type="drafted", person=self._name, draft=card, checked=read is not None, findings=findings)


def free_id(title: str, taken: Container[str]) -> str:
    """A short name made of a title that is not taken yet."""
    letters = "".join(c if c.isascii() and c.isalnum() else "-" for c in title.lower())
    stem = "-".join(part for part in letters.split("-") if part)[:60] or "card"
    name, number = stem, 2
    while name in taken:
        name, number = f"{stem}-{number}", number + 1
    return name
