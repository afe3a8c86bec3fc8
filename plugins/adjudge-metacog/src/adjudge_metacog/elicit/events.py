"""What happens in an elicitation, as frozen values: what people said, the cards made of it, stories and votes."""

from __future__ import annotations

from typing import Annotated, Literal, TypeAlias

from pydantic import Field, StringConstraints

from adjudge.values import Frozen, Id

Text = Annotated[str, Field(min_length=1, max_length=8000)]
Answer = Literal["wiser", "not_wiser", "less_wise", "unsure"]
"""Answers to: did this person become wiser?"""
Check = Literal["attendable", "meaningful", "fits", "form"]
"""What can be wrong with a policy: it cannot be attended to; it is a means to something else; it does not go with the
others of its card; it does not begin with what one attends to."""


class Case(Frozen):
    """A situation that an interview starts from."""

    id: Id
    """Stable name, unique in the elicitation."""
    text: Text
    """What someone writes to the assistant."""
    context: Text
    """What the situation is an example of; votes are cast and winners found per context."""


MOST_POLICIES = 8
_Policy = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=300)]


class Draft(Frozen):
    """A values card as a model wrote it down."""

    title: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=80)]
    """Its name."""
    short: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=400)]
    """What it asks of the assistant, in a line."""
    detailed: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=1500)]
    """What it asks of the assistant."""
    policies: Annotated[tuple[_Policy, ...], Field(min_length=1, max_length=MOST_POLICIES)]
    """What one attends to; each begins with a plural noun phrase in capitals."""


class Finding(Frozen):
    """A check that a policy failed."""

    policy: Annotated[int, Field(ge=0)]
    """Its place on the card, from 0."""
    check: Check
    """Which."""
    reason: str = ""
    """Why, in the checking model's words."""


class _Event(Frozen):
    at: str = ""
    """When, ISO 8601."""


class Opened(_Event):
    """The first event: what the elicitation is about."""

    type: Literal["opened"]
    cases: Annotated[tuple[Case, ...], Field(min_length=1)]


class Began(_Event):
    """A person chose a case."""

    type: Literal["began"]
    person: Id
    case: Id


class Said(_Event):
    """A turn of an interview."""

    type: Literal["said"]
    person: Id
    role: Literal["person", "interviewer"]
    text: Text


class Drafted(_Event):
    """A model wrote a card from the interview so far, and its policies were checked."""

    type: Literal["drafted"]
    person: Id
    draft: Draft
    checked: bool
    """False if the checking model gave no answer that could be read."""
    findings: tuple[Finding, ...] = ()


class Accepted(_Event):
    """The person says that the last draft is what they meant: it becomes a card."""

    type: Literal["accepted"]
    person: Id
    card: Id


class Merged(_Event):
    """Two cards hold one value."""

    type: Literal["merged"]
    card: Id
    into: Id
    by: str
    """The model that compared them."""
    reason: str = ""


class Compared(_Event):
    """A model compared two cards that lie near each other and found two values."""

    type: Literal["compared"]
    card: Id
    into: Id
    by: str
    reason: str = ""


class Told(_Event):
    """A story of someone who lived by one value and now lives by another."""

    type: Literal["told"]
    story: Id
    source: Id
    """Card of the first value."""
    wiser: Id
    """Card of the value that may be wiser."""
    context: Text
    text: Text
    by: str
    """The model that wrote it."""


class Shown(_Event):
    """A story was put before a person."""

    type: Literal["shown"]
    person: Id
    story: Id


class Voted(_Event):
    """A person's answer to a story."""

    type: Literal["voted"]
    person: Id
    story: Id
    answer: Answer


class Closed(_Event):
    """A person's answers to the closing questions."""

    type: Literal["closed"]
    person: Id
    represented: Literal["yes", "no", "unsure"]
    """Do the values that you gave and voted for say what you care about?"""
    fair: Literal["yes", "no", "unsure"]
    """Would you call the result fair, even if your value is not the one found wisest?"""


Event: TypeAlias = Annotated[
    Opened | Began | Said | Drafted | Accepted | Merged | Compared | Told | Shown | Voted | Closed,
    Field(discriminator="type"),
]
