"""What a person is shown next, the same for the terminal and the page: a few paragraphs and what can be answered."""

from __future__ import annotations

from dataclasses import dataclass

from adjudge_metacog.elicit.events import Draft
from adjudge_metacog.elicit.state import Elicitation, Person

REPRESENTED = "Do the values that you gave and voted for say what you care about?"
FAIR = (
    "Suppose the values that most people found wiser guide the assistant, and yours is not among them. "
    "Would you call that fair?"
)
_THREE = (("yes", "Yes"), ("no", "No"), ("unsure", "I am not sure"))
_VOTES = (
    ("wiser", "Yes, wiser"),
    ("not_wiser", "No, neither is wiser"),
    ("less_wise", "No, the first was wiser"),
    ("unsure", "I am not sure"),
)
AGAIN = ("again", "Try again")
ACCEPT = ("accept", "This is what I mean")


@dataclass(frozen=True, slots=True)
class Part:
    """A paragraph, or a titled list."""

    text: str
    """What it says, or the list's title."""
    items: tuple[str, ...] = ()
    """Entries of a list."""
    voice: str = ""
    """Whose words these are: `you`, `interviewer`, `story`, `card`, or ours."""


@dataclass(frozen=True, slots=True)
class Screen:
    """One step of a person's way."""

    name: str
    """Which step."""
    title: str
    """Its heading."""
    parts: tuple[Part, ...] = ()
    """What there is to read."""
    choices: tuple[tuple[str, str], ...] = ()
    """Answers to choose from: value and wording."""
    writes: str = ""
    """What one may write, as a label; empty if nothing."""

    @property
    def is_last(self) -> bool:
        """Whether nothing is left to answer."""
        return not self.choices and not self.writes


def choose_case(state: Elicitation) -> Screen:
    """Which case does the person want to speak about?"""
    parts = [Part("Choose one that means something to you. Someone writes to an assistant:")]
    choices = tuple((case.id, case.text) for case in state.cases.values())
    return Screen("case", "What shall we talk about?", tuple(parts), choices)


def interview(state: Elicitation, person: Person, opening: str) -> Screen:
    """The interviewer has spoken; it is the person's turn."""
    parts = [Part(state.cases[person.case].text, voice="case"), Part(opening, voice="interviewer")]
    parts += [Part(turn.text, voice="you" if turn.role == "person" else "interviewer") for turn in person.turns]
    return Screen("talk", "What matters to you here?", tuple(parts), writes="Your answer")


def review(card: Draft, findings: list[str], *, checked: bool) -> Screen:
    """The person sees the card that was made of what they said."""
    parts = [*card_parts(card)]
    if findings:
        parts.append(Part("A check of the card says:", tuple(findings)))
    if not checked:
        parts.append(Part("The model that checks cards gave no answer that can be read: this card is not checked yet."))
    return Screen("review", "Is this what you mean?", tuple(parts), (ACCEPT,), "What is missing or wrong")


def vote(state: Elicitation, story: str) -> Screen:
    """A story, and whether the person in it became wiser."""
    told = state.stories[story]
    first, second = state.cards[told.source].draft, state.cards[told.wiser].draft
    parts = (
        Part(told.context, voice="case"),
        Part(told.text, voice="story"),
        Part("First they lived by this:"),
        *card_parts(first),
        Part("Now they live by this:"),
        *card_parts(second),
    )
    return Screen("vote", "Did this person become wiser?", parts, _VOTES)


def card_parts(card: Draft) -> tuple[Part, ...]:
    """A card to read."""
    return Part(card.title, voice="card"), Part(card.detailed), Part("It means to look out for:", card.policies)


def waiting() -> Screen:
    """There is no story to vote on yet."""
    parts = (Part("Your card is kept. There are no stories to vote on yet; come back with the same name later."),)
    return Screen("waiting", "Thank you", parts, (("close", "Answer the closing questions now"), ("later", "Later")))


def represented() -> Screen:
    """The first closing question."""
    return Screen("represented", REPRESENTED, (), _THREE)


def fair() -> Screen:
    """The second closing question."""
    return Screen("fair", FAIR, (), _THREE)


def stuck(why: str) -> Screen:
    """The model did not answer; what the person said is kept."""
    parts = (Part("The model gave no answer that can be used. What you said is kept."), Part(why))
    return Screen("stuck", "That did not work", parts, (AGAIN, ("later", "Later")))


def done() -> Screen:
    """Nothing is left."""
    return Screen("done", "Thank you, that is all", (Part("What you said and how you voted is kept."),))


def later() -> Screen:
    """The person goes on another time."""
    return Screen("later", "Until later", (Part("Everything so far is kept; come back with the same name."),))
