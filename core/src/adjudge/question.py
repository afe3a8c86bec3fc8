"""What is asked of a backend and what comes back, as frozen values."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any, Literal, Self

from pydantic import Field, JsonValue, SkipValidation, model_validator

from adjudge.submission import Message
from adjudge.values import Frozen

JsonObject = dict[str, Any]
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
