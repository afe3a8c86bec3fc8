"""The `isolated` judge: one criterion per question, the safe default."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import partial

from adjudge.interfaces import Ask, Item
from adjudge.judges.asking import Inquiry, Subject, primed, verdict_of
from adjudge.judges.settings import Settings, only_submission
from adjudge.prompts import flags_of
from adjudge.rubric import Criterion, Rubric
from adjudge.scoring.repeats import reduce_repeats
from adjudge.scoring.standing import satisfying
from adjudge.submission import Submission
from adjudge.verdict import Verdict


@dataclass(frozen=True)
class IsolatedJudge:
    """Asks about each criterion on its own; the evidence is shared as a prompt prefix.

    A criterion whose dependency turned out unmet is not asked: its verdict is `skipped`.
    """

    settings: Settings = field(default_factory=Settings)
    """How to ask."""

    @property
    def name(self) -> str:
        """`isolated`."""
        return "isolated"

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one submission; verdicts in the rubric's order, repeats of a criterion side by side."""
        submission = only_submission(item, self.name)
        subject = Subject(submission.id, submission.output, self.name, flags_of(submission))
        verdicts: dict[str, list[Verdict]] = {}
        for wave in rubric.waves:
            due = []
            for criterion in wave:
                if is_ruled_out(rubric, criterion, verdicts):
                    verdicts[criterion.id] = [_skipped(criterion, subject)]
                else:
                    due.append(criterion)
            for found in await self._ask_all(due, rubric, submission, subject, ask):
                verdicts.setdefault(found.criterion, []).append(found)
        return [verdict for criterion in rubric.criteria for verdict in verdicts[criterion.id]]

    async def _ask_all(
        self, criteria: Sequence[Criterion], rubric: Rubric, submission: Submission, subject: Subject, ask: Ask
    ) -> list[Verdict]:
        """Ask criteria that need the same parts of the submission together: they share one prefix."""
        by_parts: dict[frozenset[str], list[Criterion]] = {}
        for criterion in criteria:
            by_parts.setdefault(frozenset(criterion.evidence), []).append(criterion)
        verdicts: list[Verdict] = []
        for parts, group in by_parts.items():
            inquiry = self.settings.inquire(ask, rubric, [submission], parts)
            jobs = [
                partial(_ask_one, inquiry.repeated(repeat), criterion, subject)
                for criterion in group
                for repeat in range(self.settings.repeats)
            ]
            verdicts += await primed(ask, jobs)
        return verdicts


async def _ask_one(inquiry: Inquiry, criterion: Criterion, subject: Subject) -> Verdict:
    return verdict_of(criterion, await inquiry.run([criterion]), subject, repeat=inquiry.repeat)


def is_ruled_out(rubric: Rubric, criterion: Criterion, verdicts: dict[str, list[Verdict]]) -> bool:
    """Whether a dependency of the criterion is known to be unmet, its repeats reduced as for the score."""
    for dependency in criterion.depends_on:
        other, known = rubric.criterion(dependency.criterion), verdicts[dependency.criterion]
        level = reduce_repeats(other, known).level
        unmet = level is not None and level not in satisfying(dependency, other.scale)
        if unmet or known[0].status == "skipped":
            return True
    return False


def _skipped(criterion: Criterion, subject: Subject) -> Verdict:
    return Verdict(submission=subject.id, criterion=criterion.id, status="skipped", judge=subject.judge)
