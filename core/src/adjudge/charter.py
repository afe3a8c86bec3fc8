"""Whose a rubric is, under what terms, and what to know before trusting it."""

from __future__ import annotations

import datetime as dt
from typing import Annotated, Literal

from pydantic import Field

from adjudge.values import Frozen, Id


class Charter(Frozen):
    """Whose values the rubric holds and how they were agreed."""

    values: Annotated[tuple[str, ...], Field(min_length=1)]
    """Values that the criteria serve."""
    authors: Annotated[tuple[str, ...], Field(min_length=1)]
    """Who wrote the rubric."""
    agreed_by: str
    """Who agreed to it."""
    process: str = ""
    """How agreement was reached."""
    date: dt.date | None = None
    """When."""


class Licence(Frozen):
    """Terms of the rubric."""

    spdx: str
    """SPDX identifier, for example `Apache-2.0`."""
    data_licences: tuple[str, ...] = ()
    """SPDX identifiers of data that the rubric was made from."""
    use_limits: tuple[str, ...] = ()
    """What the rubric must not be used for."""


class Documentation(Frozen):
    """What a user must know before trusting the rubric."""

    label_origin: Literal["human", "model", "synthetic", "none"]
    """Who gave the levels of the golden tests and examples."""
    intended_use: str
    """What the rubric was made for."""
    sources: tuple[str, ...] = ()
    """What it was made from."""
    limits: str = ""
    """What it is not good for."""
    contact: str = ""
    """Where to send corrections."""


class Condition(Frozen):
    """A condition that an aligned system must or may fulfil, with its evidence."""

    id: Id
    """Stable name."""
    kind: Literal["necessary", "sufficient"]
    """Which of the two."""
    statement: str
    """The condition."""
    evidence: str = ""
    """What shows that it holds; empty if nothing does."""
