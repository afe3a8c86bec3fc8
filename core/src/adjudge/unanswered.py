"""What follows when a candidate gave no answer: nothing is judged."""

from __future__ import annotations

from typing import get_args

from adjudge.interfaces import Item
from adjudge.rubric import Rubric
from adjudge.submission import Submission
from adjudge.verdict import Reason, Verdict

FAILURE = "solver_failure"
"""Key in `Submission.metadata` that says why there is no output."""


def unanswered(item: Item, rubric: Rubric, judge: str) -> list[Verdict]:
    """Unscored verdicts for a candidate that gave no answer, which says nothing about how it would have answered.

    Args:
        item: What would be judged.
        rubric: By which rubric.
        judge: Name of the judge that would have judged.

    Returns:
        One per criterion; none at all if there is something to judge.
    """
    failure = item.metadata.get(FAILURE)
    if not isinstance(item, Submission) or item.output or failure is None:
        return []
    reason = str(failure).partition(":")[0]
    why = {"reason": reason if reason in get_args(Reason) else "infra", "detail": f"the candidate: {failure}"}
    common = {"submission": item.id, "status": "unscored", "judge": judge}
    return [Verdict.model_validate(common | why | {"criterion": criterion.id}) for criterion in rubric.criteria]
