"""What the lines of a labels file say: how submissions were drawn, and what raters did."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Literal, Self

from pydantic import Field, JsonValue, TypeAdapter, ValidationError, model_validator

from adjudge.errors import InputError
from adjudge.rubric import Rubric
from adjudge.values import Frozen
from adjudge_validity.labelling.chain import Chain

Drawing = Literal["active", "random", "all"]
"""How submissions were chosen: by the judge's doubt, each with the same chance, or all of them."""


class RubricMark(Frozen):
    """Which rubric it was."""

    id: str
    """Its id."""
    version: str
    """Its version."""
    hash: str
    """Its content hash."""

    @classmethod
    def of(cls, rubric: Rubric) -> Self:
        """The mark of a rubric."""
        return cls(id=rubric.id, version=rubric.version, hash=rubric.hash)


class Drawn(Frozen):
    """A submission that is to be labelled."""

    submission: str
    """Its id."""
    probability: float
    """Chance with which it was drawn, above 0 to 1."""
    criteria: tuple[str, ...] = ()
    """What to label, if it is not what the draw says."""


class Draw(Frozen):
    """What is to be labelled, in the order of labelling; the first line of a file."""

    kind: Literal["draw"] = "draw"
    """Tells it from other lines."""
    format: Literal[1]
    """Version of the format."""
    purpose: Literal["label", "review"]
    """What raters are asked: levels of their own, or what they hold of the judge's."""
    time: str
    """When it was drawn, ISO 8601, UTC."""
    source: str
    """Hash of the submissions that it was drawn from, as 64 hexadecimal digits."""
    rubric: RubricMark | None
    """The rubric; None if every submission brings its own."""
    drawn: Drawing
    """How submissions were chosen."""
    size: int
    """How many were asked for."""
    of: int
    """How many there are."""
    seed: int
    """Seed of the draw and of the order."""
    criteria: tuple[str, ...] = ()
    """Criteria of the rubric."""
    submissions: tuple[Drawn, ...]
    """In the order in which they are shown: a random one, so that those done first are a random part."""

    def criteria_of(self, one: Drawn) -> tuple[str, ...]:
        """What to label of a submission."""
        return one.criteria or self.criteria


class Machine(Frozen):
    """The verdict that a review is about, as it stood."""

    run: str
    """Id of the run."""
    judge: str
    """Who gave it."""
    fingerprint: str = ""
    """Identity of the question that it answers."""
    status: Literal["scored", "unscored", "skipped"]
    """Whether it has a level."""
    level: str | None = None
    """Its level."""


class Act(Frozen):
    """What a rater did."""

    kind: Literal["label", "cannot-tell", "agree", "edit", "sign-off", "skip", "undo"]
    """`label`: gave a level. `cannot-tell`: will give none. `agree`, `edit`: holds the judge's level right, or another.
    `sign-off`: lets the level stand that stands, without saying what they hold of it. `skip`: put the submission off.
    `undo`: took an earlier line back."""
    time: str
    """When, ISO 8601, UTC."""
    rater: str
    """Who."""
    submission: str
    """Id of the submission."""
    criterion: str = ""
    """Id of the criterion; empty of a skip."""
    level: str | None = None
    """The level given, agreed to or let stand."""
    reason: str = ""
    """Why, in the rater's words; an edit has one."""
    machine: Machine | None = None
    """The judge's verdict, if the rater saw it."""
    probability: float | None = None
    """Chance with which the submission was drawn."""
    drawn: Drawing | None = None
    """How it was drawn."""
    rubric: RubricMark | None = None
    """The rubric that the criterion is of."""
    undoes: str = ""
    """Of an undo: hash of the line that it takes back."""

    @model_validator(mode="after")
    def _says_enough(self) -> Self:
        if (self.level is None) != (self.kind in ("cannot-tell", "skip", "undo")) and self.kind != "sign-off":
            raise ValueError(f"a line of kind {self.kind} {'needs a' if self.level is None else 'has no'} level")
        if self.kind == "edit" and not self.reason.strip():
            raise ValueError("an edit needs a reason")
        if self.kind in ("agree", "edit", "sign-off") and self.machine is None:
            raise ValueError(f"a line of kind {self.kind} needs the judge's verdict")
        return self

    @property
    def blind(self) -> bool:
        """Whether the rater did not see the judge's verdict."""
        return self.machine is None


@dataclass(frozen=True, slots=True)
class Done:
    """An act as it stands in a file."""

    line: int
    """Its line, from 1."""
    hash: str
    """Hash of that line."""
    act: Act
    """What was done."""


@dataclass(frozen=True, slots=True)
class Labels:
    """A labels file: one draw and what was done with it."""

    draw: Draw
    """What was to be labelled."""
    done: Sequence[Done]
    """All acts, in the order in which they were done."""


_LINE: TypeAdapter[Draw | Act] = TypeAdapter(Annotated[Draw | Act, Field(discriminator="kind")])


def now() -> str:
    """This moment, ISO 8601, UTC, to the millisecond."""
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def content(value: Draw | Act) -> dict[str, JsonValue]:
    """What a line says; fields at their default are left out."""
    plain: dict[str, JsonValue] = value.model_dump(mode="json", exclude_defaults=True)
    return {"kind": value.kind, **plain}


def read_labels(chain: Chain, shown: str) -> Labels:
    """What the lines of a file say.

    Args:
        chain: The lines, all of which hold.
        shown: Name of the file for messages.

    Raises:
        InputError: A line says nothing that is known, or the first is no draw.
    """
    values = [_value(sealed.content, f"{shown}:{sealed.line}") for sealed in chain.lines]
    if not values or not isinstance(values[0], Draw):
        raise InputError(f"{shown}:1: a labels file begins with its draw; give a file that `adjudge label` wrote")
    done = [
        Done(sealed.line, sealed.hash, value)
        for sealed, value in zip(chain.lines, values, strict=True)
        if isinstance(value, Act)
    ]
    if len(done) < len(values) - 1:
        raise InputError(f"{shown}: holds a second draw; a file has one")
    return Labels(values[0], done)


def _value(said: object, place: str) -> Draw | Act:
    try:
        return _LINE.validate_python(said)
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"]))
        raise InputError(f"{place}: {where or 'line'}: {first['msg']}; was it written by a later version?") from None
