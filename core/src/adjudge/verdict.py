"""What is asked of a backend, what comes back, and what follows from it, as frozen values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Annotated, Any, Literal, Self

from pydantic import Field, JsonValue, SkipValidation, model_validator

from adjudge.submission import Message
from adjudge.values import Frozen

Reason = Literal["infra", "refusal", "parse", "overflow", "abstain", "no_quorum", "budget"]
"""Why a verdict is unscored: the call failed; the judge refused; the reply was not understood; the evidence did not
fit; the judge abstained; too few panel members answered; the budget was spent."""


class Prompt(Frozen):
    """A rendered prompt in four segments, from what changes least to what changes most.

    The user turn is `input + output + ask`. Everything before `ask` is byte-identical for all criteria of a
    submission, everything before `output` for all candidates of an input, so a prefix cache can serve it.
    """

    system: str
    """Role of the judge, rubric preamble, read-out rules."""
    input: str
    """The input block."""
    output: str
    """The output block, with reference and context if asked for."""
    ask: str
    """The criterion and how to answer."""
    digest: bytes = b""
    """SHA-256 of the four segments with the random boundaries left out."""

    @property
    def user(self) -> str:
        """The user turn."""
        return self.input + self.output + self.ask

    @property
    def shared(self) -> str:
        """What all criteria of the submission share of the user turn."""
        return self.input + self.output


class Sampling(Frozen):
    """Decoding parameters; None leaves the backend's own default."""

    temperature: float | None = 0.0
    """0 is greedy."""
    top_p: float | None = None
    """Nucleus probability mass."""
    top_k: int | None = None
    """Number of tokens kept."""
    max_tokens: int = 400
    """Most tokens to write."""
    seed: int | None = None
    """Seed of the sampler, where the backend takes one."""


class Question(Frozen):
    """One call to a backend: one criterion (or a few), one repeat."""

    prompt: Prompt
    """The rendered prompt."""
    follow_up: tuple[Message, ...] = ()
    """Turns after the prompt: the rest of a conversation that a candidate is given, or a reply that was not understood
    and what was wrong with it."""
    labels: tuple[str, ...] = ()
    """If given, exactly one of these words is wanted, with the log-probability of each."""
    json_schema: SkipValidation[dict[str, JsonValue] | None] = None
    """If given, the reply must be JSON of this schema."""
    sampling: Sampling = Sampling()
    """Decoding parameters."""
    repeat: int = 0
    """Which repeat of the same question."""
    identity: bytes = b""
    """Hash of everything else that the verdict depends on: scale, read-out and template version."""

    submission: str = ""
    """Id of the submission or comparison; for the ledger's reader, not part of the fingerprint."""
    criterion: str = ""
    """Id of the criterion, or several joined by `+`; not part of the fingerprint."""

    @model_validator(mode="after")
    def _one_constraint(self) -> Self:
        if self.labels and self.json_schema is not None:
            raise ValueError("a question wants a label or JSON, not both")
        return self

    @cached_property
    def content(self) -> bytes:
        """Hash of everything that reaches the model; the fields for the ledger's reader stay out."""
        prompt = self.prompt
        parts = [
            # A prompt of a plugin's own making need not have a digest.
            prompt.digest.hex() or [prompt.system, prompt.input, prompt.output, prompt.ask],
            self.identity.hex(),
            [[turn.role, turn.kind, turn.content, turn.name, turn.call] for turn in self.follow_up],
            self.labels,
            self.json_schema and _schema_text(self.json_schema),
            self.sampling.__dict__,
            self.repeat,
        ]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).digest()


_SCHEMA_TEXTS: dict[int, tuple[object, str]] = {}
_MOST_SCHEMAS = 1024


def _schema_text(schema: Mapping[str, JsonValue]) -> str:
    """The schema as JSON, in its own order, which is the order of writing; one schema serves many questions."""
    known = _SCHEMA_TEXTS.get(id(schema))
    if known is None or known[0] is not schema:
        if len(_SCHEMA_TEXTS) >= _MOST_SCHEMAS:
            _SCHEMA_TEXTS.clear()
        known = _SCHEMA_TEXTS[id(schema)] = (schema, json.dumps(schema))
    return known[1]


class Usage(Frozen):
    """What a reply cost."""

    prompt_tokens: int = 0
    """Tokens of the prompt, cached ones included."""
    cached_tokens: int = 0
    """Those of them that a prefix cache served."""
    completion_tokens: int = 0
    """Tokens written."""
    cost: float = 0.0
    """Money, in US dollars; 0 for a local model."""

    def __add__(self, other: Usage) -> Usage:
        if self is NO_USAGE:
            return other
        return Usage(
            prompt_tokens=self.prompt_tokens + other.prompt_tokens,
            cached_tokens=self.cached_tokens + other.cached_tokens,
            completion_tokens=self.completion_tokens + other.completion_tokens,
            cost=self.cost + other.cost,
        )


NO_USAGE = Usage()
"""Nothing asked yet."""


def total(usages: Iterable[Usage]) -> Usage:
    """The sum; one usage alone as it is, which is the common case."""
    return sum(usages, NO_USAGE)


class Failure(Frozen):
    """Why a reply holds no answer."""

    reason: Reason
    """Class of the failure."""
    detail: str = ""
    """What happened, in one line, free of secrets."""
    retryable: bool = False
    """The same question may succeed a little later: overload, a cut connection, a server error."""
    retry_after: float | None = None
    """Seconds that the server asked to wait."""
    fatal: bool = False
    """Every further question would fail the same way: wrong key, unknown model, spent quota."""


class Reply(Frozen):
    """What came back from a backend."""

    text: str = ""
    """What the model wrote."""
    logprobs: dict[str, float] | None = None
    """Log-probability (natural) of each asked label as a whole sequence; a label can be missing."""
    logprobs_are: Literal["raw", "masked"] | None = None
    """`raw`: before any constraint, so the labels' mass tells how fit the model is. `masked`: labels sum to 1."""
    stop: Literal["stop", "length", "refusal", "error"] = "stop"
    """Why the model stopped."""
    failure: Failure | None = None
    """Set if there is no answer."""
    usage: Usage = Usage()
    """Tokens and cost."""
    served_model: str = ""
    """The model that answered, by its own account."""
    sent: dict[str, JsonValue] = Field(default_factory=dict)
    """Parameters as they were sent."""
    cached: bool = Field(default=False, exclude=True)
    """Came from the ledger: nothing was paid."""


class Quote(Frozen):
    """A passage that the judge cites."""

    text: str
    """The passage."""
    start: int | None = None
    """Offset in characters in the submission's output; None if the passage is not there."""
    end: int | None = None
    """Offset just after it."""
    message: int | None = None
    """Number (from 1) of the message of the output in which it begins; None if the output is plain text."""


class Verdict(Frozen):
    """The level of one criterion for one submission, or a typed failure."""

    submission: str
    """Id of the submission or comparison."""
    criterion: str
    """Id of the criterion."""
    status: Literal["scored", "unscored", "skipped"]
    """`skipped`: not asked, since a criterion that it depends on was not met, or (flag `decided`) since the outcome no
    longer depended on it."""
    level: str | None = None
    """Id of the level; None unless scored."""
    score: float | None = None
    """Score of that level in the scale's units."""
    expected: float | None = None
    """Expected score over the distribution, if both are known."""
    distribution: dict[str, float] | None = None
    """Probability of each level, if known; sums to 1."""
    label_mass: float | None = None
    """Probability that the labels had before any constraint; low means that the judge wanted to say something else."""
    explanation: str = ""
    """Why, in the judge's words."""
    quotes: tuple[Quote, ...] = ()
    """Passages cited, string-verified."""
    reason: Reason | None = None
    """Why it is unscored."""
    detail: str = ""
    """More about the failure, or how the reply was repaired."""
    orders: tuple[dict[str, float], ...] | None = None
    """For a comparison: probabilities of `first`, `second`, `tie` in each order asked, in terms of the given order."""
    flags: tuple[str, ...] = ()
    """Things to look at, for example `hidden-unicode` or `order-inconsistent`."""
    judge: str = ""
    """Judge and backend that gave it."""
    fingerprint: str = ""
    """Identity of the question that it answers."""
    repeat: int = 0
    """Which repeat."""
    usage: Usage = Usage()
    """Tokens and cost of the replies that it rests on."""
    members: tuple[Verdict, ...] = ()
    """For a judge made of judges: what each of them said, repeats side by side."""

    @model_validator(mode="after")
    def _level_iff_scored(self) -> Self:
        if (self.level is not None) != (self.status == "scored"):
            raise ValueError("a verdict has a level if and only if it is scored")
        if (self.reason is not None) != (self.status == "unscored"):
            raise ValueError("a verdict has a reason if and only if it is unscored")
        return self


class Score(Frozen):
    """The verdicts of one submission under one rubric, combined. Never a plain number when a verdict is missing."""

    submission: str
    """Id of the submission or comparison."""
    rubric: str
    """Id and version of the rubric."""
    scoring: str
    """Name of the scoring."""
    value: float | None
    """The score; None if a verdict that it needs is unscored or the scoring is undefined here."""
    bounds: tuple[float, float] | None
    """The score with all unscored criteria at their worst, and at their best."""
    coverage: Annotated[float, Field(ge=0, le=1)]
    """Scored share of the criteria that were due (skipped ones are not due)."""
    criteria: dict[str, float | None]
    """Score of each criterion's level, in its scale's units."""
    dimensions: dict[str, float | None] = Field(default_factory=dict)
    """Share of the best reachable, per dimension, from 0 to 1."""
    note: str = ""
    """Why there is no value, or what capped it."""


class Result(Frozen):
    """A judged submission: its verdicts and its score."""

    submission: str
    """Id of the submission or comparison."""
    verdicts: tuple[Verdict, ...]
    """One per criterion, in the rubric's order."""
    score: Score
    """The verdicts combined."""

    @property
    def usage(self) -> Usage:
        """Sum over the verdicts."""
        return total(verdict.usage for verdict in self.verdicts)

    def verdict(self, criterion: str) -> Verdict:
        """The verdict on that criterion.

        Raises:
            KeyError: There is none.
        """
        for verdict in self.verdicts:
            if verdict.criterion == criterion:
                return verdict
        raise KeyError(criterion)


JsonObject = dict[str, Any]
