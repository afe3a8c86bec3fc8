"""A candidate's answer, split into what it thought and what it said."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from adjudge.interfaces import Ask, Solver
from adjudge.options import sampling_from
from adjudge.solvers import GenerateSolver
from adjudge.submission import Submission, as_text
from adjudge.unanswered import FAILURE
from adjudge.verdict import Sampling

MAX_TOKENS = 1000
"""Most tokens of an answer with its trace."""
_THINKING = re.compile(r"\s*<(think|thinking)>(?P<trace>.*?)(?:</\1>(?P<said>.*)|\Z)", re.DOTALL | re.IGNORECASE)


def split_thinking(text: str) -> tuple[str, str]:
    """The thinking trace and the answer of a reply that puts its trace in `<think>` tags.

    A trace that is never closed takes all of the reply. Without tags there is no trace.
    """
    found = _THINKING.match(text)
    if found is None:
        return "", text.strip()
    return found["trace"].strip(), (found["said"] or "").strip()


@dataclass(frozen=True)
class PartSolver:
    """Has the candidate answer, and keeps the part that `metadata["part"]` asks for: `response` or `trace`."""

    sampling: Sampling = field(default_factory=lambda: Sampling(max_tokens=MAX_TOKENS))
    """Decoding parameters."""

    @property
    def name(self) -> str:
        """`response-or-trace`."""
        return "response-or-trace"

    async def solve(self, submission: Submission, ask: Ask) -> Submission:
        """Answer; where the part is missing, the metadata says so and nothing is judged."""
        answered = await GenerateSolver(sampling=self.sampling).solve(submission, ask)
        if FAILURE in answered.metadata:
            return answered
        part = str(submission.metadata.get("part", "response"))
        trace, said = split_thinking(as_text(answered.output))
        kept = trace if part == "trace" else said
        silent = {} if kept else {FAILURE: f"abstain: the reply holds no {part}"}
        return answered.model_copy(update={"output": kept, "metadata": {**answered.metadata, **silent}})


def build(**sampling: Any) -> Solver:
    """The solver with its decoding parameters."""
    return PartSolver(sampling_from(Sampling(max_tokens=MAX_TOKENS), sampling))
