"""The `panel` judge: several judges vote on each criterion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.families import candidates, families, families_of
from adjudge.judges.members import asked_of, in_waves, joint_fingerprint, part_of, together, unscored, usage_of
from adjudge.judges.votes import Outcome, Rule, Vote, decide, prefer, shares, worst_first
from adjudge.readout import expected_score
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.repeats import reduce_repeats
from adjudge.submission import Comparison
from adjudge.verdict import Verdict

Lost = Literal["drop", "replace", "fail"]
"""What happens where a member gives no level: the others decide, a reserve is asked, or nobody decides."""

_NEED_ORDER = ("mean", "minority-veto")


@dataclass(frozen=True)
class Ballot:
    """What one member says about one criterion."""

    member: Member
    """Who."""
    verdicts: tuple[Verdict, ...]
    """All repeats."""
    verdict: Verdict
    """The repeats reduced to one."""

    @property
    def vote(self) -> Vote | None:
        """None if the member is lost for this criterion."""
        return None if self.verdict.level is None else Vote(self.verdict.level, self.member.weight)


@dataclass(frozen=True)
class PanelJudge:
    """Has every member judge, and decides by a rule. A member that gives no level never counts as a vote.

    The verdict's distribution holds the shares of the votes, its `members` what each of them said.
    """

    members: tuple[Member, ...]
    """The voters."""
    rule: Rule = "majority"
    """How votes become a level."""
    quorum: int | None = None
    """Least number of votes; more than half of the members if None."""
    lost: Lost = "drop"
    """What happens where a member gives no level."""
    reserves: tuple[Member, ...] = ()
    """Asked in turn in place of lost members, with `lost="replace"`."""
    veto: float = 0.25
    """Share of the voters that can hold a level down, for `minority-veto`."""
    candidate: str = ""
    """The model that wrote what is judged; beside it `metadata["model"]` of each submission counts."""
    allow_self: bool = False
    """Let a model judge its own family."""

    def __post_init__(self) -> None:
        count = len(self.members)
        if count < 2:  # noqa: PLR2004 - a panel is at least two
            raise UnsupportedError("the judge 'panel' needs members=[…], at least two: names of backends or objects")
        if self.quorum is not None and not 1 <= self.quorum <= count:
            raise UnsupportedError(f"quorum={self.quorum}: a panel of {count} has a quorum from 1 to {count}")
        if (self.lost == "replace") != bool(self.reserves):
            raise UnsupportedError('reserves=[…] go with lost="replace", and it needs at least one')
        if any(not member.weight > 0 for member in (*self.members, *self.reserves)):
            raise UnsupportedError("the weight of a member must be more than 0")
        kin = self._kin(families(self.candidate)) if self.candidate else ()
        if kin:
            raise UnsupportedError(
                f"{kin[0].name} is of the family of the candidate {self.candidate!r}; choose another or set allow_self"
            )

    @property
    def name(self) -> str:
        """`panel` with its rule and members."""
        return f"panel({self.rule}: {', '.join(member.name for member in self.members)})"

    @property
    def least(self) -> int:
        """The quorum in votes."""
        return len(self.members) // 2 + 1 if self.quorum is None else self.quorum

    def check(self, rubric: Rubric) -> None:
        """Refuse a rule that cannot work on a criterion's scale.

        Raises:
            UnsupportedError: Naming the criterion.
        """
        for criterion in rubric.criteria if self.rule in _NEED_ORDER else ():
            if worst_first(criterion) is None:
                raise UnsupportedError(
                    f"the rule {self.rule!r} needs levels with scores, {criterion.id!r} has none; use rule=majority"
                )

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission or comparison; one verdict per criterion."""
        if isinstance(item, Comparison) and self.rule in _NEED_ORDER:
            raise UnsupportedError(f"the rule {self.rule!r} is not for comparisons; use majority, weighted, unanimous")
        self.check(rubric)
        return await in_waves(item, rubric, "panel", partial(self._decide, item, ask))

    def _kin(self, candidate: frozenset[str]) -> tuple[Member, ...]:
        """Members of the candidate's family, unless that is allowed."""
        if self.allow_self or not candidate:
            return ()
        return tuple(member for member in (*self.members, *self.reserves) if families_of(member) & candidate)

    async def _decide(self, item: Item, ask: Ask, part: Rubric) -> list[Verdict]:
        recused = self._kin(candidates(item))
        seated = [member for member in self.members if member not in recused]
        ballots: dict[str, list[Ballot]] = {criterion.id: [] for criterion in part.criteria}
        await self._poll(seated, item, part, ask, ballots)
        for reserve in self.reserves:
            short = [name for name, given in ballots.items() if len(_votes(given)) < len(self.members)]
            if short and reserve not in recused:
                await self._poll([reserve], item, part_of(part, short), ask, ballots)
        lacking = tuple(member.name for member in recused if member in self.members)
        return [self._verdict(item, criterion, ballots[criterion.id], lacking) for criterion in part.criteria]

    async def _poll(
        self, members: Sequence[Member], item: Item, part: Rubric, ask: Ask, ballots: dict[str, list[Ballot]]
    ) -> None:
        """Have members vote, all at once, and put their ballots in."""
        given = await together(asked_of(member, item, part, ask) for member in members)
        for member, verdicts in zip(members, given, strict=True):
            for criterion in part.criteria:
                own = tuple(verdicts[criterion.id])
                ballots[criterion.id].append(Ballot(member, own, reduce_repeats(criterion, own)))

    def _verdict(self, item: Item, criterion: Criterion, ballots: Sequence[Ballot], recused: Sequence[str]) -> Verdict:
        said = tuple(verdict for ballot in ballots for verdict in ballot.verdicts)
        votes = _votes(ballots)
        flags = dict.fromkeys(flag for verdict in said for flag in verdict.flags)
        flags |= dict.fromkeys(["recused"] if recused else [])
        flags |= dict.fromkeys(["lost-juror"] if any(ballot.vote is None for ballot in ballots) else [])
        common: dict[str, Any] = {"usage": usage_of(said), "members": said, "fingerprint": joint_fingerprint(said)}
        least = len(self.members) if self.lost == "fail" else self.least
        if len(votes) < least:
            why = f"{len(votes)} of {len(self.members)} members gave a level, {least} needed{_why(ballots, recused)}"
            return _no_quorum(item, criterion, why, flags=tuple(flags), **common)
        outcome = self._outcome(item, criterion, votes)
        flags |= dict.fromkeys(outcome.flags)
        if outcome.level is None:
            why = f"the members are split over levels without order: {_told(ballots)}"
            return _no_quorum(item, criterion, why, flags=tuple(flags), **common)
        return self._scored(item, criterion, outcome.level, votes, common | {"flags": tuple(flags), "said": ballots})

    def _outcome(self, item: Item, criterion: Criterion, votes: Sequence[Vote]) -> Outcome:
        if isinstance(item, Comparison):
            return prefer(self.rule, votes)
        return decide(self.rule, votes, criterion, self.veto)

    def _scored(
        self, item: Item, criterion: Criterion, level: str, votes: Sequence[Vote], fields: dict[str, Any]
    ) -> Verdict:
        weighed = votes if self.rule in ("weighted", "mean") else [Vote(vote.level) for vote in votes]
        held, on_scale = shares(weighed), not isinstance(item, Comparison)
        return Verdict(
            submission=item.id,
            criterion=criterion.id,
            status="scored",
            level=level,
            score=criterion.scale.level(level).score if on_scale else None,
            expected=expected_score(held, criterion.scale) if on_scale else None,
            distribution=held,
            explanation=_told(fields.pop("said")),
            judge="panel",
            **fields,
        )


def _votes(ballots: Sequence[Ballot]) -> list[Vote]:
    return [ballot.vote for ballot in ballots if ballot.vote is not None]


def _no_quorum(item: Item, criterion: Criterion, detail: str, **fields: Any) -> Verdict:
    return unscored(item, criterion.id, "panel", reason="no_quorum", detail=detail, **fields)


def _why(ballots: Sequence[Ballot], recused: Sequence[str]) -> str:
    lost = [f"{b.member.name} {b.verdict.reason or b.verdict.status}" for b in ballots if b.vote is None]
    told = [*lost, *(f"{name} recused: of the candidate's family" for name in recused)]
    return f" ({'; '.join(told)})" if told else ""


def _told(ballots: Sequence[Ballot]) -> str:
    """Who said what, one line."""
    by_level: dict[str, list[str]] = {}
    for ballot in ballots:
        if ballot.verdict.level is not None:
            by_level.setdefault(ballot.verdict.level, []).append(ballot.member.name)
    return "; ".join(f"{level}: {', '.join(names)}" for level, names in sorted(by_level.items()))
