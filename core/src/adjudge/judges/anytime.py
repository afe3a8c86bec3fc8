"""The `anytime` judge: stops asking when the outcome cannot change any more."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from typing import Literal

from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.isolated import is_ruled_out
from adjudge.judges.members import Through, asked_of, part_of, skipped
from adjudge.judges.settings import only_submission
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring import score, scoring_of
from adjudge.verdict import Question, Score, Verdict

DECIDED = "decided"
"""Flag of a criterion that was not asked about, since pass or fail was certain without it."""
UNDECIDED = "sprt-undecided"
"""Flag of a criterion whose repeats ran out before the sequential test ended."""

Stop = Literal["majority", "sprt"]
_URGENCY = {"must": 0, "should": 1, "may": 2}


def passes(result: Score, threshold: float) -> bool | None:
    """Whether a score reaches a threshold, whatever the missing verdicts are; None while that is open.

    Args:
        result: A score, with bounds.
        threshold: The least score that passes, in the scoring's units.
    """
    if result.bounds is None:
        return None
    low, high = result.bounds
    return True if low >= threshold else False if high < threshold else None


@dataclass(frozen=True)
class Repeated(Through):
    """Asks a later repeat of every question; a plain run with as many repeats finds the same replies."""

    repeat: int = 0
    """Which."""

    def changed(self, question: Question) -> Question:
        """The same question, that repeat."""
        return question.model_copy(update={"repeat": self.repeat}) if self.repeat else question


@dataclass(frozen=True)
class AnytimeJudge:
    """Asks criterion by criterion, repeat by repeat, and stops as soon as more answers could not matter.

    With a `threshold` it stops when the bounds of the score lie on one side of it; criteria left are `skipped` with
    the flag `decided`. With `repeats` it stops when the majority of a criterion cannot flip (`majority`), or when
    Wald's sequential probability ratio test (1945) has decided between its two likeliest levels (`sprt`).
    """

    members: tuple[Member, ...]
    """The judge, alone; it must ask once per criterion."""
    threshold: float | None = None
    """The least score that passes; None to ask about every criterion."""
    batch: int = 1
    """Criteria asked about at a time, where there is a threshold."""
    repeats: int = 1
    """Most votes per criterion."""
    stop: Stop = "majority"
    """When a criterion has votes enough."""
    alpha: float = 0.05
    """For `sprt`: how often the higher level of a binary scale may win wrongly."""
    beta: float = 0.05
    """For `sprt`: how often the lower level may win wrongly."""
    edge: float = 0.2
    """For `sprt`: the errors hold if a vote goes to the right one of the two levels with 0.5 + edge at least."""

    def __post_init__(self) -> None:
        if len(self.members) != 1:
            raise UnsupportedError("the judge 'anytime' wraps one judge: members=[{…}]")
        settings = getattr(self.members[0].judge, "settings", None)
        if settings is not None and settings.repeats != 1:
            raise UnsupportedError("the judge 'anytime' repeats by itself; give repeats to it, not to its member")

    @property
    def name(self) -> str:
        """`anytime` with what stops it, and the judge inside."""
        until = [] if self.threshold is None else [f"score {self.threshold:g}"]
        until += [f"{self.stop} of {self.repeats}"] if self.repeats > 1 else []
        return f"anytime({', '.join((*until, self.members[0].name))})"

    def check(self, rubric: Rubric) -> None:
        """Refuse what could make the outcome differ from a full run.

        Raises:
            UnsupportedError: The score uses expected scores, which every further repeat moves.
            UnknownNameError: There is a threshold, and the scoring is a plugin's: its bounds cannot be had here.
        """
        if self.threshold is not None:
            scoring_of(rubric.scoring)
        if self.repeats > 1 and rubric.scoring.use == "expected":
            raise UnsupportedError(f"{rubric.id!r} scores by expected values, which every repeat moves; use repeats=1")

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission; verdicts in the rubric's order, the repeats that were needed side by side."""
        only_submission(item, "anytime")
        self.check(rubric)
        found: dict[str, list[Verdict]] = {}
        for wave in rubric.waves:
            due = [criterion for criterion in wave if not _is_ruled_out(rubric, criterion, found)]
            for criterion in wave:
                found[criterion.id] = [] if criterion in due else [skipped(item, criterion.id, self.members[0].name)]
            await self._ask_in_turn(sorted(due, key=_urgency), item, rubric, ask, found)
        return [verdict for criterion in rubric.criteria for verdict in found[criterion.id]]

    async def _ask_in_turn(
        self, due: Sequence[Criterion], item: Item, rubric: Rubric, ask: Ask, found: dict[str, list[Verdict]]
    ) -> None:
        """Ask batch by batch while the outcome is open; the rest of the wave is not asked about."""
        size = len(due) if self.threshold is None else self.batch
        for start in range(0, len(due), max(1, size)):
            names = [criterion.id for criterion in due[start : start + size]]
            if (known := self._outcome(item, rubric, found)) is not None:
                why = f"not needed: {'passes' if known else 'fails'} at {self.threshold:g} whatever it is"
                for name in names:
                    found[name] = [skipped(item, name, self.members[0].name, flags=(DECIDED,), detail=why)]
            else:
                found |= await self._votes(item, part_of(rubric, names), ask)

    def _outcome(self, item: Item, rubric: Rubric, found: dict[str, list[Verdict]]) -> bool | None:
        if self.threshold is None:
            return None
        known = list(chain.from_iterable(found.values()))
        return passes(score(rubric, known, submission=item.id), self.threshold)

    async def _votes(self, item: Item, part: Rubric, ask: Ask) -> dict[str, list[Verdict]]:
        """Repeats of some criteria, side by side, each until it is settled."""
        found: dict[str, list[Verdict]] = {criterion.id: [] for criterion in part.criteria}
        due = [*found]
        for repeat in range(self.repeats):
            if not due:
                break
            given = await asked_of(self.members[0], item, part_of(part, due), Repeated(ask, repeat))
            for name in due:
                found[name] += [verdict.model_copy(update={"repeat": repeat}) for verdict in given[name]]
            due = [name for name in due if not self._is_settled(part.criterion(name), found[name])]
        if self.stop == "sprt" and self.repeats > 1:
            for name in due:
                found[name][0] = found[name][0].model_copy(update={"flags": (*found[name][0].flags, UNDECIDED)})
        return found

    def _is_settled(self, criterion: Criterion, verdicts: Sequence[Verdict]) -> bool:
        votes = Counter(verdict.level for verdict in verdicts if verdict.level is not None)
        if self.stop == "sprt":
            return sprt(criterion, votes, alpha=self.alpha, beta=self.beta, edge=self.edge)
        return cannot_flip(votes, self.repeats - len(verdicts))


def _is_ruled_out(rubric: Rubric, criterion: Criterion, found: dict[str, list[Verdict]]) -> bool:
    """As for other judges; what hangs from a criterion that was not needed is not needed either, but not ruled out."""
    needless = any(DECIDED in found[dependency.criterion][0].flags for dependency in criterion.depends_on)
    return not needless and is_ruled_out(rubric, criterion, found)


def _urgency(criterion: Criterion) -> tuple[int, float]:
    """What moves the score most comes first."""
    return _URGENCY[criterion.importance], -abs(criterion.weight)


def cannot_flip(votes: Counter[str], left: int) -> bool:
    """Whether the leading level stays in the lead whatever the votes that are left say."""
    ranked = [count for _, count in votes.most_common(2)] or [0]
    return ranked[0] > (ranked[1] if len(ranked) > 1 else 0) + left


def sprt(criterion: Criterion, votes: Counter[str], *, alpha: float, beta: float, edge: float) -> bool:
    """Whether Wald's sequential probability ratio test has decided between the two leading levels.

    Each vote for one of them moves the log-likelihood ratio by log((0.5 + edge) / (0.5 - edge)). On a binary scale the
    ratio is of the higher level to the lower one, with Wald's limits log((1 - beta) / alpha) and
    log(beta / (1 - alpha)); on others the stricter of the two holds for the leader.

    Args:
        criterion: The criterion, for its scale.
        votes: Votes per level.
        alpha: Chance to end at the higher level wrongly.
        beta: Chance to end at the lower level wrongly.
        edge: How far from 0.5 the chance of a right vote is.
    """
    upper, lower = math.log((1 - beta) / alpha), math.log(beta / (1 - alpha))
    step = math.log((0.5 + edge) / (0.5 - edge))
    if criterion.scale.kind == "binary":
        low, high = (votes[level.id] for level in criterion.scale.levels)
        return not lower < step * (high - low) < upper
    ranked = [*(count for _, count in votes.most_common(2)), 0, 0]
    return step * (ranked[0] - ranked[1]) >= max(upper, -lower)
