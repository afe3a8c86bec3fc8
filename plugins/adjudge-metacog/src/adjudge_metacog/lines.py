"""The lines of a rule graph's log: what each holds, and the chain of hashes that binds it to all before it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from typing import Annotated, Literal

from pydantic import Field

from adjudge.values import Frozen
from adjudge_metacog.events import Event, canonical, event_id, plain

FORMAT = "adjudge-rule-graph"
VERSION = 1


class Header(Frozen):
    """The first line."""

    format: Literal["adjudge-rule-graph"]
    """What the file is."""
    version: Annotated[int, Field(ge=1, strict=True)]
    """Version of the format."""


class Line(Frozen):
    """Every further line."""

    n: Annotated[int, Field(ge=1, strict=True)]
    """Number of the event in this file."""
    hash: Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
    """SHA-256 of the hash before it and the event; before the first stands the hash of the header."""
    event: Event
    """What happened."""


HEADER = (canonical({"format": FORMAT, "version": VERSION}) + "\n").encode()


def chained(before: str, event: str) -> str:
    """The hash of a line, from the hash before it and the event's canonical JSON."""
    return hashlib.sha256(f"{before}\n{event}".encode()).hexdigest()


START = hashlib.sha256(HEADER).hexdigest()


def lines_of(events: Iterable[Event], before: str = START, count: int = 0) -> Iterator[tuple[str, str, bytes]]:
    """The lines of events, to follow a line with that hash and number: identity, hash and bytes of each."""
    for number, event in enumerate(events, count + 1):
        value = plain(event)
        text = canonical(value)
        before = chained(before, text)
        yield event_id(text), before, (canonical({"n": number, "hash": before, "event": value}) + "\n").encode()
