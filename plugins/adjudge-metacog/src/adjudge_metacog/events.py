"""What happens to a rule graph, as frozen values with an identity of their own.

An event is known by the hash of what it says, so the same event in two copies of a graph is one event. `after` names
the events on the same thing that its author knew; two events that do not know each other are a conflict, and both stay.
"""

from __future__ import annotations

import hashlib
import json
from typing import Annotated, Any, Literal, TypeAlias

from pydantic import Field

from adjudge.values import Frozen, Id
from adjudge_metacog.nodes import Edge, Evidence, Node, Status

EventId = Annotated[str, Field(pattern=r"^[0-9a-f]{32}$")]


class _Event(Frozen):
    clock: Annotated[int, Field(ge=1, strict=True)]
    """One more than the highest clock that its author knew (Lamport 1978)."""
    by: str = ""
    """Who: a person, or a judge by name."""
    at: str = ""
    """When, ISO 8601; for the reader, not for the order."""


class Added(_Event):
    """A node was added, or its content changed."""

    type: Literal["added"]
    node: Node
    """The whole node as it now is."""
    after: tuple[EventId, ...] = ()
    """The contents that this one replaces."""


class Moved(_Event):
    """A rule's status changed."""

    type: Literal["moved"]
    rule: Id
    status: Status
    """The new one."""
    reason: str = ""
    """Why, in one line."""
    reviewed: bool = False
    """A person decided, having seen conflicts and flags."""
    rollback: bool = False
    """Takes a change back, so that it may go against the usual way of the statuses."""
    after: tuple[EventId, ...] = ()
    """The changes of status that this one replaces; none for the first."""


class Measured(_Event):
    """A rule's effect was measured."""

    type: Literal["measured"]
    rule: Id
    evidence: Evidence


class Used(_Event):
    """A rule was shown; the same rule and item count once."""

    type: Literal["used"]
    rule: Id
    item: str
    """Fingerprint or id of what was judged or answered."""
    aligned: bool | None = None
    """Whether the outcome was then in order; None if it was not assessed."""


class Linked(_Event):
    """An edge was drawn or taken away."""

    type: Literal["linked"]
    edge: Edge
    present: bool = True
    """False takes it away."""
    after: tuple[EventId, ...] = ()
    """The events on this edge that this one replaces."""


Event: TypeAlias = Annotated[Added | Moved | Measured | Used | Linked, Field(discriminator="type")]


def canonical(value: Any) -> str:
    """JSON with sorted keys and no spaces: one text for one value."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def plain(value: Frozen) -> dict[str, Any]:
    """An event or a node as JSON values; fields at their default are left out."""
    return value.model_dump(mode="json", exclude_defaults=True)


def event_id(text: str) -> str:
    """Identity of an event, from its canonical JSON: the first 128 bits of SHA-256."""
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def identity(event: Event) -> str:
    """Identity of an event."""
    return event_id(canonical(plain(event)))
