"""The backend `inspect`: any model that inspect-ai can ask, by name or by role."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Self
from uuid import uuid4

from adjudge.errors import BackendError
from adjudge.evals.faults import blames_the_schema, failure_of
from adjudge.interfaces import Capabilities
from adjudge.reply_text import UnreadableError, parse_json_reply
from adjudge.verdict import Failure, Question, Reply, Sampling, Usage

if TYPE_CHECKING:
    from inspect_ai.model import CachePolicy, ChatMessage, GenerateConfig, Model, ModelOutput

GRADER = "grader"
"""inspect's name for the role of the judging model."""
LABEL_TOKENS = 64
"""Room for a label, however many tokens it has."""
MESSAGE = "inspect message"
"""Under what the parameters of a reply name the message that it is, by inspect's id; logs hold it with its prompt.

Of a call that failed, the last message that was sent.
"""
_UNLIMITED = 10_000
_MOST_HASTY = 6
"""Tries of a question that finds out whether the provider takes a schema."""
PAUSE, _LONGEST_PAUSE = 1.0, 60.0
"""Seconds after the first of them, twice as long after each other, and at most."""


class InspectBackend:
    """A model of inspect; each question is one call of `Model.generate`."""

    def __init__(
        self, model: Model, *, concurrency: int = _UNLIMITED, cache: bool = False, closes: bool = False
    ) -> None:
        """Wrap a model.

        Args:
            model: Who answers.
            concurrency: Questions in flight; inspect's own limits hold besides.
            cache: Let inspect's cache answer. A cached reply that cannot be read is never served: it is asked for anew.
            closes: The model is this backend's own and is closed with it.
        """
        self.model = model
        self._concurrency, self._cache, self._closes = concurrency, cache, closes
        self._takes_schemas: bool | None = None

    def __repr__(self) -> str:
        return f"<{self.name}>"

    @property
    def name(self) -> str:
        """`inspect:` and the model, as inspect names it."""
        return f"inspect:{self.model}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Model, endpoint and the decoding parameters that it was bound with."""
        config = self.model.config.model_dump(mode="json", exclude_none=True, exclude=set(_TRAFFIC))
        return {"backend": "inspect", "model": str(self.model), "endpoint": self.model.api.base_url, "config": config}

    @property
    def capabilities(self) -> Capabilities:
        """JSON by schema, where the provider takes one; inspect promises no log-probabilities of labels.

        A batch answers all at once, so that asking one question first would only double the wait.
        """
        primed = not self.model.config.batch
        return Capabilities(json_schema=True, prefix_cache=primed, seed=True, concurrency=self._concurrency)

    async def ask(self, question: Question) -> Reply:
        """Send one question once; a failure is a reply that holds it."""
        reply = await self._asked_once(question, fresh=False)
        if self._cache and not _is_readable(question, reply):
            # It may be an old reply from the cache, which would be replayed for ever.
            reply = await self._asked_once(question, fresh=True)
        return reply

    async def aclose(self) -> None:
        """Close the model if it is this backend's own; may be called twice."""
        if self._closes:
            self._closes = False
            await self.model.api.aclose()

    async def _asked_once(self, question: Question, *, fresh: bool, tried: int = 0) -> Reply:
        by_schema = question.json_schema is not None and self._takes_schemas is not False
        # A schema is tried out without inspect's retries: it may be what the server fails on, and they have no end.
        hasty = by_schema and self._takes_schemas is None and tried < self._hasty_tries
        messages = self._messages(question)
        try:
            reply = await self._generated(question, messages, fresh=fresh, retries=0 if hasty else None)
        except Exception as error:  # noqa: BLE001 - a provider may raise anything; each kind is told apart
            failure = failure_of(error, self.model)
            if by_schema and blames_the_schema(error):
                self._takes_schemas = False
            elif hasty and failure.retryable:
                await asyncio.sleep(min(failure.retry_after or PAUSE * 2**tried, _LONGEST_PAUSE))
            else:
                # No message answered; the log knows the call by the last one that was sent.
                return Reply(stop="error", failure=failure, sent={MESSAGE: messages[-1].id})
            return await self._asked_once(question, fresh=fresh, tried=tried + 1)
        if by_schema and self._takes_schemas is None:
            self._takes_schemas = True
        return reply

    @property
    def _hasty_tries(self) -> int:
        most = self.model.config.max_retries
        return _MOST_HASTY if most is None else min(most, _MOST_HASTY)

    async def _generated(
        self, question: Question, messages: list[ChatMessage], *, fresh: bool, retries: int | None
    ) -> Reply:
        config = self._config(question)
        if retries is not None:
            config = config.model_copy(update={"max_retries": retries})
        policy = self._policy(question, fresh=fresh)
        output = await self.model.generate(messages, config=config, cache=policy)
        sent = {"json": "json_schema" if config.response_schema else "prompt"} if question.json_schema else {}
        reply = reply_of(output, sent)
        if not output.choices:
            return reply
        return reply.model_copy(update={"sent": {**reply.sent, MESSAGE: output.choices[0].message.id}})

    def _policy(self, question: Question, *, fresh: bool) -> CachePolicy | bool:
        """Where inspect's cache looks; for a fresh reply, where nothing ever was."""
        if not self._cache:
            return False
        from inspect_ai.model import CachePolicy

        scopes = {"repeat": str(question.repeat), "attempt": uuid4().hex if fresh else "first"}
        return CachePolicy(expiry=None, per_epoch=False, scopes=scopes)

    def _messages(self, question: Question) -> list[ChatMessage]:
        from inspect_ai.model import ChatMessageAssistant, ChatMessageSystem, ChatMessageUser, ContentText

        prompt = question.prompt
        turns: list[ChatMessage] = [_system_message(prompt.system)] if prompt.system else []
        if prompt.shared and str(self.model).startswith("anthropic/"):
            shared = ContentText(text=prompt.shared, cache_breakpoint=True)
            turns.append(ChatMessageUser(content=[shared, ContentText(text=prompt.ask)]))
        else:
            turns.append(ChatMessageUser(content=prompt.user))
        kinds = {"assistant": ChatMessageAssistant, "user": ChatMessageUser, "system": ChatMessageSystem}
        return turns + [kinds[turn.role](content=turn.content) for turn in question.follow_up]

    def _config(self, question: Question) -> GenerateConfig:
        schema = None if self._takes_schemas is False else question.json_schema
        return _config_of(question.sampling, bool(question.labels), json.dumps(schema) if schema is not None else None)


@lru_cache(maxsize=256)
def _config_of(sampling: Sampling, is_label: bool, schema: str | None) -> GenerateConfig:
    """The settings of a call; many questions share them, and inspect copies what it is given."""
    from inspect_ai.model import GenerateConfig

    return GenerateConfig(
        temperature=sampling.temperature,
        top_p=sampling.top_p,
        top_k=sampling.top_k,
        seed=sampling.seed,
        max_tokens=max(sampling.max_tokens, LABEL_TOKENS) if is_label else sampling.max_tokens,
        response_schema=None if schema is None else _response_schema(schema),
    )


@lru_cache(maxsize=256)
def _system_message(content: str) -> ChatMessage:
    """One message for all questions that begin alike: inspect's log knows it again by its id and need not copy it."""
    from inspect_ai.model import ChatMessageSystem

    return ChatMessageSystem(content=content)


_TRAFFIC = ("max_retries", "timeout", "attempt_timeout", "max_connections", "adaptive_connections", "batch", "cache")
"""Settings of a model that change when it answers, not what."""


@lru_cache(maxsize=256)
def _response_schema(schema: str) -> Any:
    """The schema as far as inspect can say it; what is left out are limits of length, which the reader holds too.

    inspect copies the settings of a call several times, deeply; a schema is never changed.
    """
    from inspect_ai.model import ResponseSchema
    from inspect_ai.util import JSONSchema

    class Shared(ResponseSchema):
        def __deepcopy__(self, memo: dict[int, Any] | None = None) -> Self:
            return self

    known = JSONSchema.model_validate(_without_lengths(json.loads(schema)))
    return Shared(name="verdict", json_schema=known, strict=True)


def _without_lengths(schema: Any) -> Any:
    if isinstance(schema, Mapping):
        return {key: _without_lengths(value) for key, value in schema.items() if key not in ("maxLength", "maxItems")}
    return schema


def reply_of(output: ModelOutput, sent: Mapping[str, Any]) -> Reply:
    """A reply from what inspect gives; its stop reason comes first, since an error's text stands in the completion."""
    usage = usage_of(output)
    reason = output.stop_reason if output.choices else "unknown"
    if output.error or reason == "content_filter":
        return _failed(Failure(reason="refusal", detail=_line(output.error or "by a content filter")), usage, "refusal")
    if reason == "model_length":
        return _failed(Failure(reason="overflow", detail="the prompt does not fit the model's context"), usage)
    text = output.completion
    if not text.strip():
        cut = " before its token limit" if reason == "max_tokens" else ""
        return _failed(Failure(reason="parse", detail=f"the model wrote nothing{cut}"), usage)
    return Reply(
        text=text,
        stop="length" if reason == "max_tokens" else "stop",
        usage=usage,
        served_model=output.model,
        sent=dict(sent),
    )


def _failed(failure: Failure, usage: Usage, stop: str = "error") -> Reply:
    return Reply.model_validate({"stop": stop, "failure": failure, "usage": usage})


def usage_of(output: ModelOutput) -> Usage:
    """Tokens and cost; inspect counts cached tokens beside those of the prompt, here they are a part of them."""
    used = output.usage
    if used is None:
        return Usage()
    cached = used.input_tokens_cache_read or 0
    return Usage(
        prompt_tokens=used.input_tokens + cached + (used.input_tokens_cache_write or 0),
        cached_tokens=cached,
        completion_tokens=used.output_tokens,
        cost=used.total_cost or 0.0,
    )


def _is_readable(question: Question, reply: Reply) -> bool:
    """Whether the reply has the form that was asked for; a failure was never cached."""
    if reply.failure is not None:
        return reply.failure.reason != "parse"
    if question.labels:
        return reply.text.strip().strip(".").casefold() in {label.casefold() for label in question.labels}
    if question.json_schema is None:
        return True
    try:
        data, _ = parse_json_reply(reply)
    except UnreadableError:
        return False
    return _follows(data, question.json_schema)


def _follows(data: Any, schema: Mapping[str, Any]) -> bool:
    from jsonschema import Draft202012Validator

    return Draft202012Validator(_without_lengths(schema)).is_valid(data)


def _line(text: str) -> str:
    return " ".join(text.split())[:300]


def build(
    model: str | None = None,
    *,
    role: str | None = None,
    base_url: str | None = None,
    concurrency: int = 16,
    cache: bool = False,
    model_args: Mapping[str, Any] | None = None,
    config: Mapping[str, Any] | None = None,
) -> InspectBackend:
    """A backend over the model of that name, or over the model bound to a role in the running eval.

    Args:
        model: As inspect names it: `openai/gpt-4o`, `vllm/…`, `openai-api/SERVICE/MODEL`.
        role: A model role instead; only inside an eval.
        base_url: Address of the server.
        concurrency: Questions in flight.
        cache: Let inspect's cache answer.
        model_args: Further arguments of the provider.
        config: Further fields of inspect's `GenerateConfig`.

    Raises:
        BackendError: No such model or role, no key, or a package of the provider is missing.
    """
    from inspect_ai.model import GenerateConfig, get_model

    if (model is None) == (role is None):
        raise BackendError("inspect: name a model, inspect:PROVIDER/MODEL, or a role of the running eval, -B role=NAME")
    try:
        if role is not None:
            return InspectBackend(get_model(role=role, required=True), cache=cache)
        # Retries are the engine's business; its limit is the one on questions in flight.
        settings = GenerateConfig.model_validate(
            {"max_retries": 0, "max_connections": concurrency, **dict(config or {})}
        )
        made = get_model(model, config=settings, base_url=base_url, memoize=False, **dict(model_args or {}))
    except Exception as error:
        raise BackendError(f"inspect:{model or role}: {_line(_plain(error))}") from error
    _stop_retries(made)
    return InspectBackend(made, concurrency=concurrency, cache=cache, closes=True)


def _plain(error: Exception) -> str:
    """What an error says; inspect writes some of its own in the markup of its terminal."""
    from rich.errors import MarkupError
    from rich.text import Text

    said = str(getattr(error, "message", None) or error)
    try:
        return Text.from_markup(said).plain
    except MarkupError:
        return said


def _stop_retries(model: Model) -> None:
    """The SDKs below inspect retry on their own, which no setting of inspect says."""
    client: Any = getattr(model.api, "client", None)
    if hasattr(client, "max_retries"):
        client.max_retries = 0
