"""Is a proposed rule one that the graph has already, or does it contradict one: by words alone, or by a model."""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal, Protocol, TypeAlias

from adjudge.interfaces import Ask, Judge
from adjudge.rubric import Criterion, Level, Rubric, Scale
from adjudge.submission import Submission
from adjudge_metacog.nodes import Rule
from adjudge_metacog.retrieval import Budget, Query, Retriever, words
from adjudge_metacog.voting import vote_of

Relation: TypeAlias = Literal["same", "contradicts", "apart"]
_PARTS = re.compile(r"[Ww]hen (?P<when>.+?), (?P<way>do not|do) (?P<what>.+?), because .+")


class Comparer(Protocol):
    """Tells how a new rule stands to an old one."""

    async def relation(self, new: Rule, old: Rule) -> Relation | None:
        """How; None if it cannot be told, so that nothing is done on a guess."""


def near(new: Rule, index: Retriever, fresh: Sequence[Rule] = (), most: int = 3) -> list[Rule]:
    """The rules that have most words in common with a new one; one of the very same text before all.

    Args:
        new: The new rule.
        index: Rules to look among.
        fresh: Further ones, that came after the index was made.
        most: How many of the index, and how many of the fresh ones.
    """
    query, budget = Query(text=new.text, domain=new.scope.domain), Budget(most, sys.maxsize)
    found = [one for rules in (index, Retriever(fresh)) for one in rules.find(query, budget)]
    nearest = [one.rule for one in sorted(found, key=lambda one: (one.rule.text != new.text, -one.score, one.rule.id))]
    same = [rule for rule in fresh if rule.text == new.text and rule not in nearest]
    return [*same, *nearest]


@dataclass(frozen=True, slots=True)
class Sense:
    """What a rule says, taken apart."""

    when: frozenset[str]
    """Words of the condition."""
    way: str
    """`do`, `do not`, or the level that it speaks for."""
    what: frozenset[str]
    """Words of what to do."""


@lru_cache(maxsize=100_000)
def sense_of(text: str) -> Sense:
    """The parts of a rule's sentence; of one that votes, the words that it quotes and its level."""
    vote = vote_of(text)
    if vote is not None:
        return Sense(frozenset(" ".join(run) for run in vote.said), vote.level, frozenset())
    parts = _PARTS.fullmatch(text)
    if parts is None:
        return Sense(frozenset(words(text)), "", frozenset())
    return Sense(frozenset(words(parts["when"])), parts["way"], frozenset(words(parts["what"])))


@dataclass(frozen=True, slots=True)
class LexicalComparer:
    """Compares words, and needs no model.

    Two rules with one condition are the same if they say the same of it, and contradict each other if one says to do it
    and the other not to, or if they speak for two levels. Conditions and deeds are one if the words that they share are
    at least `alike` of all their words (Jaccard 1912).
    """

    alike: float = 0.6
    """From 0 to 1."""

    async def relation(self, new: Rule, old: Rule) -> Relation | None:
        """How the new rule stands to the old one."""
        one, other = sense_of(new.text), sense_of(old.text)
        if shared(one.when, other.when) < self.alike or shared(one.what, other.what) < self.alike:
            return "apart"
        return "same" if one.way == other.way else "contradicts"


def shared(one: Collection[str], other: Collection[str]) -> float:
    """Share of the words that two sets have in common; 1 if both are empty."""
    union = {*one, *other}
    return len({*one} & {*other}) / len(union) if union else 1.0


COMPARING = Rubric(
    id="metacog/comparing",
    version="1",
    draft=True,
    instructions="You compare two rules for dealing with requests. The older rule is the input, the newer the output.",
    criteria=(
        Criterion(
            id="relation",
            text="How does the newer rule stand to the older one?",
            scale=Scale(
                kind="labels",
                levels=(
                    Level(id="same", anchor="Whoever keeps the one keeps the other: it says nothing new."),
                    Level(id="contradicts", anchor="There are cases in which only one of the two can be kept."),
                    Level(id="apart", anchor="It says something else, and both can be kept."),
                ),
            ),
        ),
    ),
    scoring={"name": "none"},
)
"""What the model-backed comparer asks."""


@dataclass(frozen=True)
class ModelComparer:
    """Asks a model; rules of the very same text are the same without asking."""

    judge: Judge
    """How it is asked."""
    ask: Ask
    """The way to the model."""

    async def relation(self, new: Rule, old: Rule) -> Relation | None:
        """How the new rule stands to the old one; None if the verdict is unscored."""
        if new.text == old.text:
            return "same"
        pair = Submission(id=f"{new.id}/{old.id}", input=old.text, output=new.text)
        (verdict, *_) = await self.judge.judge(pair, COMPARING, self.ask)
        return verdict.level  # type: ignore[return-value] # the levels of the scale above
