"""The solver `mctsr-zero`: gate, search, the best session as the output, the tree in the metadata."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Annotated, Any, Literal

from pydantic import Field

from adjudge.api import load_rubric
from adjudge.interfaces import Ask, Solver, SolverSpec
from adjudge.options import sampling_from, validated
from adjudge.rubric import Rubric
from adjudge.submission import Submission
from adjudge.unanswered import FAILURE
from adjudge.verdict import Sampling
from adjudge_counselling.crisis import client_text, find_risk
from adjudge_counselling.search.asking import Wording
from adjudge_counselling.search.export import KEY, tree_of
from adjudge_counselling.search.limits import Limits, limits_from
from adjudge_counselling.search.loop import Search

NAME = "mctsr-zero"
CRISIS = "crisis"
"""Where a submission's metadata say what the gate found."""
WORDS = 600
"""Length asked for: about the 800 tokens that the released code asks for at least."""

Gate = Literal["stop", "mark", "off"]
_WRITING = Sampling(temperature=0.8, max_tokens=2000)
_REVIEW_TOKENS = 900
"""Room for two texts of the longest kind and a score."""


@dataclass(frozen=True)
class MctsrZero:
    """Searches for the session that agrees best with a rubric, by the candidate's own reviews."""

    rubric: Rubric
    """The principles; a submission's own rubric comes before it."""
    limits: Limits = field(default_factory=Limits)
    """How far it may go."""
    writing: Sampling = _WRITING
    """How sessions are written; reviews share the temperature."""
    review_tokens: int = _REVIEW_TOKENS
    """Most tokens of a review or a plan."""
    seed: int = 0
    """The same seed and replies give the same tree."""
    words: int = WORDS
    """Length that is asked for, in words."""
    gate: Gate = "stop"
    """A case that the crisis lexicon flags: is not answered (`stop`), is answered and marked (`mark`), or is not looked
    at (`off`)."""

    @property
    def name(self) -> str:
        """`mctsr-zero` with its limits."""
        given = self.limits
        return f"{NAME}(iterations={given.iterations},children={given.children},samples={given.samples})"

    async def solve(self, submission: Submission, ask: Ask) -> Submission:
        """Search; the metadata hold the tree, what the gate found, and why there is no output if so."""
        finding = None if self.gate == "off" else find_risk(client_text(submission.input))
        marks: dict[str, Any] = {CRISIS: {"sign": finding.sign, "words": finding.words}} if finding else {}
        if finding and self.gate == "stop":
            why = f"abstain: the crisis gate found {finding.words!r}; a person has to answer this case"
            return _with(submission, {**marks, FAILURE: why})
        search = Search(self._wording(submission), self.limits, ask)
        best = (await search.run()).best
        marks[KEY] = tree_of(search)
        if best is None:
            return _with(submission, {**marks, FAILURE: _why_none(search)})
        cut = {"solver_cut": True} if best.cut else {}
        return _with(submission, {**marks, **cut}).model_copy(update={"output": best.text})

    def _wording(self, submission: Submission) -> Wording:
        reviewing = self.writing.model_copy(update={"max_tokens": self.review_tokens})
        return Wording(
            submission.rubric or self.rubric, submission, self.writing, reviewing, seed=self.seed, words=self.words
        )


def _why_none(search: Search) -> str:
    """The first failure, whose reason goes into the verdicts; `parse` if answers came and no review of them did."""
    if search.failures:
        return search.failures[0].partition(": ")[2]
    if not search.tree.answers:
        return f"budget: calls={search.limits.calls} leaves no room for an answer and its reviews"
    return "parse: no review of any answer could be read"


def _with(submission: Submission, more: dict[str, Any]) -> Submission:
    return submission.model_copy(update={"metadata": {**submission.metadata, **more}})


def _build(
    *,
    rubric: str = "counselling/psyeval",
    gate: str = "stop",
    seed: int = 0,
    words: int = WORDS,
    temperature: float | None = 0.8,
    max_tokens: int = 2000,
    review_tokens: int = _REVIEW_TOKENS,
    **limits: Any,
) -> Solver:
    return MctsrZero(
        rubric=load_rubric(rubric),
        limits=limits_from(limits),
        writing=sampling_from(_WRITING, {"temperature": temperature, "max_tokens": max_tokens}),
        review_tokens=validated("solver 'mctsr-zero': review_tokens", Annotated[int, Field(ge=1)], review_tokens),
        seed=validated("solver 'mctsr-zero': seed", int, seed),
        words=validated("solver 'mctsr-zero': words", Annotated[int, Field(ge=1)], words),
        gate=validated("solver 'mctsr-zero': gate", Gate, gate),
    )


SPEC = SolverSpec(
    name=NAME,
    summary="tree search that rewards agreement with a rubric (rubric, iterations, children, initial, samples, calls, "
    "seed, gate, …)",
    build=_build,
)
"""What the plugin registers."""
