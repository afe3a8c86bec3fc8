"""The `rules` judge: checks without a model; and `mixed`, where code, people and models share one rubric."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from statistics import fmean

from adjudge.checks import Check, MissingReferenceError, check_of, level_found
from adjudge.errors import UnsupportedError
from adjudge.interfaces import Ask, Item, Member
from adjudge.judges.members import asked_of, in_waves, part_of, together, unscored
from adjudge.judges.settings import only_submission
from adjudge.judges.votes import worst_first
from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Label, Submission
from adjudge.verdict import Verdict

HUMAN = "human"
"""Key in `Criterion.options`, and the judge that signs verdicts of people."""
RULES = "rules"


@dataclass(frozen=True)
class RulesJudge:
    """Judges every criterion by the check that it declares; asks nobody and costs nothing."""

    @property
    def name(self) -> str:
        """`rules`."""
        return RULES

    def check(self, rubric: Rubric) -> None:
        """Refuse a rubric that has criteria without a check, or a check that cannot work.

        Raises:
            UnsupportedError: Naming the criterion.
        """
        for criterion in rubric.criteria:
            if check_of(criterion) is None:
                raise UnsupportedError(
                    f"criterion {criterion.id!r} declares no check; add options.check or use --judge mixed"
                )

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission."""
        del ask
        submission = only_submission(item, RULES)
        self.check(rubric)

        async def decide(part: Rubric) -> list[Verdict]:
            return [by_rule(submission, criterion) for criterion in part.criteria]

        return await in_waves(submission, rubric, RULES, decide)


def by_rule(submission: Submission, criterion: Criterion) -> Verdict:
    """The verdict of a criterion's own check; unscored (`abstain`) if the reference that it needs is missing."""
    check = check_of(criterion)
    assert check is not None, criterion.id
    try:
        level, why = level_found(criterion, check, submission)
    except MissingReferenceError:
        return unscored(
            submission, criterion.id, RULES, reason="abstain", detail=f"{_kind(check)}: no reference to compare with"
        )
    return _scored(submission, criterion, RULES, level, f"{_kind(check)}: {why}")


def _kind(check: Check) -> str:
    return f"not {check.kind}" if check.negate else check.kind


def _scored(submission: Submission, criterion: Criterion, judge: str, level: str, why: str) -> Verdict:
    score = criterion.scale.level(level).score
    return Verdict(
        submission=submission.id,
        criterion=criterion.id,
        status="scored",
        level=level,
        score=score,
        expected=score,
        distribution={each.id: float(each.id == level) for each in criterion.scale.levels},
        explanation=why,
        judge=judge,
    )


def by_people(submission: Submission, criterion: Criterion) -> Verdict:
    """The verdict that people gave: the level that most raters gave, or the one nearest to their mean score.

    Unscored (`abstain`) if nobody rated it yet, and (`no_quorum`) if raters are split evenly.
    """
    labels = [label for label in submission.labels if label.criterion == criterion.id]
    if not labels:
        return unscored(submission, criterion.id, HUMAN, reason="abstain", detail="nobody has rated it yet")
    stray = [label.level for label in labels if label.level is not None and label.level not in criterion.scale]
    if stray:
        detail = f"a rater gave {stray[0]!r}, which is no level"
        return unscored(submission, criterion.id, HUMAN, reason="parse", detail=detail)
    level = _agreed(criterion, labels)
    told = ", ".join(f"{label.rater or 'a rater'}: {label.level or f'{label.score:g}'}" for label in labels)
    if level is None:
        return unscored(submission, criterion.id, HUMAN, reason="no_quorum", detail=f"raters are split: {told}")
    return _scored(submission, criterion, HUMAN, level, told)


def _agreed(criterion: Criterion, labels: Sequence[Label]) -> str | None:
    given = Counter(label.level for label in labels if label.level is not None)
    if given:
        top = given.most_common(2)
        return top[0][0] if len(top) == 1 or top[0][1] > top[1][1] else None
    order = worst_first(criterion)
    if order is None:
        return None
    mean = fmean(label.score for label in labels if label.score is not None)
    return min(order, key=lambda level: abs((criterion.scale.level(level).score or 0.0) - mean))


@dataclass(frozen=True)
class MixedJudge:
    """Shares a rubric out between code, people and models.

    Criteria with a check go to code, those with `human: true` to the raters, the rest to the members: one that names
    `criteria` takes those, the first one without takes what is left. Every verdict is signed by who gave it: `rules`,
    `human`, or the member.
    """

    members: tuple[Member, ...]
    """Judges over models, or of plugins that decide by code of their own."""

    @property
    def name(self) -> str:
        """`mixed` with its members."""
        return f"mixed({', '.join((RULES, HUMAN, *(member.name for member in self.members)))})"

    def check(self, rubric: Rubric) -> None:
        """Refuse a rubric that cannot be shared out.

        Raises:
            UnsupportedError: Naming the criterion.
        """
        known = {criterion.id for criterion in rubric.criteria}
        for member in self.members:
            for name in member.criteria:
                if name not in known:
                    raise UnsupportedError(f"{member.name}: takes {name!r}, which is no criterion of {rubric.id!r}")
        for criterion in rubric.criteria:
            self._place(criterion)

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission; several verdicts on a criterion where its judge repeats."""
        submission = only_submission(item, "mixed")
        self.check(rubric)
        return await in_waves(submission, rubric, "mixed", partial(self._decide, submission, ask))

    async def _decide(self, submission: Submission, ask: Ask, part: Rubric) -> list[Verdict]:
        places = {criterion.id: self._place(criterion) for criterion in part.criteria}
        taken = [(member, [name for name, place in places.items() if place is member]) for member in self.members]
        busy = [(member, names) for member, names in taken if names]
        given = await together(asked_of(member, submission, part_of(part, names), ask) for member, names in busy)
        found = {name: verdicts for answers in given for name, verdicts in answers.items()}
        for criterion in part.criteria:
            if places[criterion.id] == RULES:
                found[criterion.id] = [by_rule(submission, criterion)]
            elif places[criterion.id] == HUMAN:
                found[criterion.id] = [by_people(submission, criterion)]
        return [verdict for criterion in part.criteria for verdict in found[criterion.id]]

    def _place(self, criterion: Criterion) -> Member | str:
        """Who judges a criterion: what the user says comes before what the pack declares."""
        named = [member for member in self.members if criterion.id in member.criteria]
        if len(named) > 1:
            raise UnsupportedError(f"{criterion.id!r} is taken by {named[0].name} and by {named[1].name}")
        if named:
            return named[0]
        if check_of(criterion) is not None:
            return RULES
        if criterion.options.get(HUMAN) is True:
            return HUMAN
        free = [member for member in self.members if not member.criteria]
        if not free:
            raise UnsupportedError(f"nobody judges {criterion.id!r}: no check, not human, no member free for it")
        return free[0]
