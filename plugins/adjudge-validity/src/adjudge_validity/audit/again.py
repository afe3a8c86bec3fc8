"""The judge `again`: another judge, which asks once more, past the ledger, where an audit wants a second answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.members import Through
from adjudge.rubric import Rubric
from adjudge.verdict import Question, Verdict
from adjudge_validity.audit.plan import MARK

APART = 100_000
"""Between the repeats of one time and of the next: more than a judge repeats a question by itself."""


@dataclass(frozen=True)
class OnceMore(Through):
    """Asks every question as a repeat of its own, with a seed of its own where one was set."""

    time: int = 0
    """Which further time."""

    def changed(self, question: Question) -> Question:
        """The same question, that time."""
        sampling = question.sampling
        if sampling.seed is not None:
            sampling = sampling.model_copy(update={"seed": sampling.seed + APART * self.time})
        return question.model_copy(update={"repeat": question.repeat + APART * self.time, "sampling": sampling})


@dataclass(frozen=True)
class AgainJudge:
    """Judges as the judge inside does; items that an audit marked so are asked about anew."""

    members: tuple[Member, ...]
    """The judge, alone."""

    def __post_init__(self) -> None:
        if len(self.members) != 1:
            raise UnsupportedError("the judge 'again' wraps one judge: members=[{…}]")

    @property
    def name(self) -> str:
        """That of the judge inside."""
        return self.members[0].judge.name

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one item."""
        member, mark = self.members[0], item.metadata.get(MARK)
        time = mark.get("again") if isinstance(mark, Mapping) else None
        way = ask if member.backend is None else ask.to(member.backend)
        asked = OnceMore(way, time) if isinstance(time, int) and time else way
        return await member.judge.judge(item, rubric, asked)
