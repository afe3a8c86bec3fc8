"""Solvers of core: how a candidate answers before it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

from adjudge.interfaces import Ask, Item, Solver, SolverSpec
from adjudge.options import sampling_from
from adjudge.rubric import Rubric
from adjudge.submission import Submission, as_text
from adjudge.verdict import Prompt, Question, Reason, Sampling, Verdict

_MAX_TOKENS = 600

FAILURE = "solver_failure"
"""Key in `Submission.metadata` that says why there is no output."""


@dataclass(frozen=True)
class GenerateSolver:
    """Gives the input to the candidate and takes its reply as the output."""

    system: str = ""
    """System turn, if any."""
    sampling: Sampling = field(default_factory=lambda: Sampling(max_tokens=_MAX_TOKENS))
    """Decoding parameters."""

    @property
    def name(self) -> str:
        """`generate`."""
        return "generate"

    async def solve(self, submission: Submission, ask: Ask) -> Submission:
        """Answer; the metadata says of a failed reply why there is no output, and of a cut one that it is cut."""
        prompt = Prompt(system=self.system, input=as_text(submission.input), output="", ask="")
        reply = await ask(Question(prompt=prompt, sampling=self.sampling, submission=submission.id))
        if reply.failure is not None:
            why = f"{reply.failure.reason}: {reply.failure.detail}"
            return submission.model_copy(update={"metadata": {**submission.metadata, FAILURE: why}})
        cut = {"solver_cut": True} if reply.stop == "length" else {}
        return submission.model_copy(update={"output": reply.text, "metadata": {**submission.metadata, **cut}})


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


def _generate(system: str = "", **sampling: Any) -> Solver:
    return GenerateSolver(system, sampling_from(Sampling(max_tokens=_MAX_TOKENS), sampling))


SPECS = (
    SolverSpec(name="generate", build=_generate, summary="the candidate's plain answer (system, decoding parameters)"),
)
