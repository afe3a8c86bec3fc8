"""What the lines of a labels file add up to: later lines stand over earlier ones, and none is lost."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from adjudge_validity.labelling.acts import Act, Done, Draw, Drawing, Labels, Machine

Key: TypeAlias = tuple[str, str, str]
"""Submission, criterion, rater."""


def in_force(done: Iterable[Done]) -> list[Done]:
    """The acts that nobody took back, in order."""
    acts = list(done)
    undone = {one.act.undoes for one in acts if one.act.kind == "undo"}
    return [one for one in acts if one.act.kind != "undo" and one.hash not in undone]


def opinions(done: Iterable[Done]) -> dict[Key, Done]:
    """The last opinion in force of each rater on each criterion."""
    return _last(done, ("label", "cannot-tell", "agree", "edit"))


def signatures(done: Iterable[Done]) -> dict[Key, Done]:
    """The last sign-off in force of each rater on each criterion."""
    return _last(done, ("sign-off",))


def _last(done: Iterable[Done], kinds: Sequence[str]) -> dict[Key, Done]:
    return {_key(one.act): one for one in in_force(done) if one.act.kind in kinds}


def _key(act: Act) -> Key:
    return act.submission, act.criterion, act.rater


@dataclass(frozen=True, slots=True)
class Outcome:
    """What stands of a verdict after its review; the verdict itself is as it was."""

    level: str | None
    """The level last agreed to or edited to, else the judge's."""
    edited_by: str = ""
    """Who edited it; empty if it is the judge's."""
    signed_by: str = ""
    """Who signed off this level; empty if nobody did."""


def outcome(done: Iterable[Done], machine: Machine) -> Outcome:
    """What stands of one verdict.

    Args:
        done: Acts on this submission and criterion, of all raters.
        machine: The verdict.
    """
    found = Outcome(machine.level)
    for one in in_force(done):
        if one.act.kind in ("agree", "edit"):
            edited = one.act.level != machine.level
            signer = found.signed_by if one.act.level == found.level else ""
            found = Outcome(one.act.level, one.act.rater if edited else "", signer)
        elif one.act.kind == "sign-off" and one.act.level == found.level:
            found = Outcome(found.level, found.edited_by, one.act.rater)
    return found


@dataclass(frozen=True, slots=True)
class Given:
    """A label in force."""

    done: Done
    """The line that gave it."""
    probability: float | None
    """Chance that the submission was drawn and that the labelling had got to it."""
    drawn: Drawing | None
    """How."""


def given(labels: Labels) -> list[Given]:
    """All levels in force, one per submission, criterion and rater."""
    levels = [one for one in opinions(labels.done).values() if one.act.level is not None]
    reached = _reached(labels.draw, levels)
    return [_given(one, reached.get(one.act.criterion, 1.0)) for one in levels]


def _given(one: Done, reached: float) -> Given:
    act = one.act
    if act.probability is None:
        return Given(one, None, act.drawn)
    partly = act.drawn == "all" and reached < 1
    return Given(one, act.probability * reached, "random" if partly else act.drawn)


def _reached(draw: Draw, levels: Sequence[Done]) -> Mapping[str, float]:
    """Criterion to the share of the drawn submissions that somebody gave a level.

    Submissions come in a random order, so those that were got to are a random part of what was drawn.
    """
    due = Counter(name for one in draw.submissions for name in draw.criteria_of(one))
    had: defaultdict[str, set[str]] = defaultdict(set)
    for one in levels:
        had[one.act.criterion].add(one.act.submission)
    return {name: len(had[name]) / count for name, count in due.items() if had[name]}


def counts(labels: Labels) -> Iterator[str]:
    """How much there is of each kind in force, in words."""
    held = Counter[str](one.act.kind for one in opinions(labels.done).values())
    names = {"label": "levels given", "agree": "agreed to", "edit": "edited", "cannot-tell": "cannot tell"}
    yield from (f"{name}: {held[kind]:,}" for kind, name in names.items() if held[kind])
    signed = len(signatures(labels.done))
    if signed:
        yield f"signed off: {signed:,}"
