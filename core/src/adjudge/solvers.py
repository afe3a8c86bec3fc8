"""Solvers of core: how a candidate answers before it is judged."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from adjudge.interfaces import Ask, Solver, SolverSpec
from adjudge.options import sampling_from
from adjudge.submission import Submission, as_text
from adjudge.unanswered import FAILURE
from adjudge.verdict import Prompt, Question, Sampling

_MAX_TOKENS = 600


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


def _generate(system: str = "", **sampling: Any) -> Solver:
    return GenerateSolver(system, sampling_from(Sampling(max_tokens=_MAX_TOKENS), sampling))


SPECS = (
    SolverSpec(name="generate", build=_generate, summary="the candidate's plain answer (system, decoding parameters)"),
)
