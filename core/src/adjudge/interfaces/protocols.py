"""What does the work in a judgement: backend, judge, solver, scoring, and what they hand each other."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Protocol, TypeAlias, runtime_checkable

from adjudge.rubric import Criterion, Rubric
from adjudge.submission import Comparison, Submission
from adjudge.verdict import Question, Reply, Result, Verdict

Item: TypeAlias = Submission | Comparison
"""What a judge is given."""


class Ask(Protocol):
    """The way to a backend, through the engine: de-duplicated, bounded in time, recorded in the ledger."""

    @property
    def secret(self) -> bytes:
        """Keys the random boundaries of prompts."""

    @property
    def primes(self) -> bool:
        """Whether asking one question of an item first pays: the backend keeps a prompt's prefix."""

    @property
    def context_tokens(self) -> int | None:
        """Longest prompt and reply together that the backend takes, in tokens, if it says so."""

    async def __call__(self, question: Question) -> Reply:
        """Ask. A failed call gives a `Reply` with a `Failure`; it does not raise."""

    def discard(self, question: Question) -> None:
        """Say that the reply could not be used, so that the next run asks again."""

    def fingerprint(self, question: Question) -> str:
        """Identity of the question: hash of everything that reaches the model and of who answers."""

    def to(self, backend: Backend) -> Ask:
        """The way to another backend, on the same ledger, budget and stop; for judges made of judges."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What a backend can do; what is absent is refused with a typed error before any call."""

    label_logprobs: Literal["raw", "masked"] | None = None
    """Gives log-probabilities of labels: before (`raw`) or after (`masked`) the constraint."""
    json_schema: bool = False
    """Constrains the reply to a JSON schema."""
    prefix_cache: bool = False
    """Serves a repeated prompt prefix from a cache."""
    seed: bool = False
    """Takes a seed."""
    embeddings: bool = False
    """Offers `embed`."""
    hidden_states: bool = False
    """Offers `hidden_states`."""
    local: bool = False
    """Runs on this machine: nothing leaves it and nothing is paid."""
    context_tokens: int | None = None
    """Longest prompt and reply together, in tokens."""
    concurrency: int = 16
    """Questions that it can usefully hold in flight."""


@runtime_checkable
class Backend(Protocol):
    """A model that answers questions; the only impure part of a judgement.

    A backend may further offer `ask_many(questions) -> list[Reply]` (offline engines, batch services),
    `embed(texts) -> list[list[float]]` and `hidden_states(texts, layer)`; `capabilities` says so. With
    `prepare(*, labels)` it finds out what its server offers before the first question (with `labels` also whether it
    gives log-probabilities), so that `capabilities` is exact.
    """

    @property
    def name(self) -> str:
        """Name and model for people, for example `local:SmolLM2-135M-Instruct`."""

    @property
    def identity(self) -> Mapping[str, Any]:
        """Who answers, as JSON values: backend, endpoint, model asked for, weights' hash; part of every fingerprint."""

    @property
    def capabilities(self) -> Capabilities:
        """What it can do."""

    async def ask(self, question: Question) -> Reply:
        """Answer one question. A call that fails gives a `Reply` with a `Failure`; it does not raise."""

    async def aclose(self) -> None:
        """Release the model or the connections; may be called twice."""


class Judge(Protocol):
    """A strategy: turns one item into verdicts by asking questions."""

    @property
    def name(self) -> str:
        """Name with settings, for example `joint(4)`."""

    async def judge(self, item: Item, rubric: Rubric, ask: Ask) -> Sequence[Verdict]:
        """Judge one item on every criterion of the rubric.

        Returns:
            One verdict per criterion and repeat, in the rubric's order.
        """


class Calibration(Protocol):
    """Maps a judge's distribution over the levels of a criterion to a better one; a pure function.

    One that needs the judge's verdicts on all criteria of a submission further has a method `seeing(verdicts)`, from
    lists of verdicts by criterion to the calibration for that submission; its name tells what it has seen.
    """

    @property
    def name(self) -> str:
        """What it is and what it was fitted to; part of the fingerprint of every verdict that it changed."""

    def __call__(self, criterion: Criterion, distribution: Mapping[str, float]) -> Mapping[str, float]:
        """Map.

        Args:
            criterion: The criterion.
            distribution: Probability of each level of its scale, by id; sums to 1.

        Returns:
            The same keys; sums to 1.
        """


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """A judge inside a judge, with the backend that it asks."""

    judge: Judge
    """The strategy."""
    backend: Backend | None = None
    """Who answers; the one that the outer judge asks if None."""
    name: str = ""
    """What its verdicts are signed with; unique within the outer judge."""
    weight: float = 1.0
    """Weight of its vote."""
    criteria: tuple[str, ...] = ()
    """Criteria that are its own, for a judge that shares them out."""


class Solver(Protocol):
    """How a candidate answers an input."""

    @property
    def name(self) -> str:
        """Name with settings."""

    async def solve(self, submission: Submission, ask: Ask) -> Submission:
        """Return the submission with its output filled in.

        A failed call leaves the output empty and puts the failure under `metadata["solver_failure"]`.
        """


class Scoring(Protocol):
    """A pure function from the scores of levels to the score of a rubric."""

    def __call__(self, rubric: Rubric, scores: Mapping[str, float]) -> float | None:
        """Combine.

        Args:
            rubric: The rubric; its criteria carry weight, importance, group, options.
            scores: Score of the level of every criterion that takes part, in the scale's units. Excluded criteria
                are left out; unscored ones never get here (the core fills in their worst and best for the bounds).

        Returns:
            The score, or None where it is undefined (for example no positive point to be had).
        """


Metric: TypeAlias = Callable[[Sequence[Item], Sequence[Result]], "Mapping[str, Any]"]
"""From items (with gold labels) and their results, in the same order, to named figures.

A figure is a number, None if undefined, an `adjudge.metrics.Estimate` (with interval), or a table as a list of rows.
"""
