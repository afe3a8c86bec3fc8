"""Solvers of core: how a candidate answers before it is judged."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from adjudge.interfaces import Ask, Solver, SolverSpec
from adjudge.options import sampling_from
from adjudge.submission import Message, Submission, Text, as_text
from adjudge.unanswered import FAILURE
from adjudge.verdict import Prompt, Question, Sampling

_MAX_TOKENS = 600


@dataclass(frozen=True)
class GenerateSolver:
    """Gives the input to the candidate and takes its reply as the output.

    A conversation is given turn by turn if it can be: plain text, user and assistant in turn, the user first and last;
    what a system says before it joins the system turn. Any other is given as one text with labelled turns.
    """

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
        system, first, *later = self._turns(submission.input)
        prompt = Prompt(system=system.content, input=first.content, output="", ask="")
        question = Question(prompt=prompt, follow_up=tuple(later), sampling=self.sampling, submission=submission.id)
        reply = await ask(question)
        if reply.failure is not None:
            why = f"{reply.failure.reason}: {reply.failure.detail}"
            return submission.model_copy(update={"metadata": {**submission.metadata, FAILURE: why}})
        cut = {"solver_cut": True} if reply.stop == "length" else {}
        return submission.model_copy(update={"output": reply.text, "metadata": {**submission.metadata, **cut}})

    def _turns(self, given: Text) -> list[Message]:
        """The system turn and those that follow it; the last is the user's."""
        messages = [] if isinstance(given, str) else list(given)
        said = [self.system] if self.system else []
        while messages and messages[0].role == "system":
            said.append(messages.pop(0).content)
        if _alternate(messages):
            return [Message(role="system", content="\n\n".join(said)), *messages]
        return [Message(role="system", content=self.system), Message(role="user", content=as_text(given))]


def _alternate(messages: Sequence[Message]) -> bool:
    """Whether user and assistant speak in turn, in plain text, the user first and last."""
    wanted = ["assistant" if place % 2 else "user" for place in range(len(messages))]
    plain = all(message.kind == "text" for message in messages)
    return plain and len(messages) % 2 == 1 and [message.role for message in messages] == wanted


def _generate(system: str = "", **sampling: Any) -> Solver:
    return GenerateSolver(system, sampling_from(Sampling(max_tokens=_MAX_TOKENS), sampling))


SPECS = (
    SolverSpec(name="generate", build=_generate, summary="the candidate's plain answer (system, decoding parameters)"),
)
