"""The backend: a question in, a reply out."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from importlib.metadata import version
from threading import Event
from typing import Any

from pydantic import JsonValue

from adjudge.interfaces import Capabilities
from adjudge.verdict import Failure, Question, Reply, Usage
from adjudge_local.engine import Engine, EngineError
from adjudge_local.labels import Tokens, label_logprobs
from adjudge_local.lanes import Lanes
from adjudge_local.models import Model
from adjudge_local.options import Options
from adjudge_local.prefix import Session, Slot
from adjudge_local.template import ChatTemplate, Tokenised

WIDE = 1024
"""Tokens read at once at a branching point; those that are not among the most likely ones are read singly."""
READ_OUT = 1
"""Version of how labels are read and prompts are cut; part of the identity."""
_LEAST = -1000.0
_FORCE = 1e4
_ALL = 1 << 24


class LocalBackend:
    """A GGUF model in this process."""

    def __init__(self, model: Model, options: Options | None = None) -> None:
        """Load the model.

        Raises:
            BackendError: It cannot be loaded.
        """
        options = options or Options()
        self._model, self._options = model, options
        self._engine = Engine(model.path, options)
        self._template = ChatTemplate(self._engine.render, self._engine.tokenize)
        self._letter = self._engine.tokenize("a")[-1]
        self._lanes = Lanes([Slot(number) for number in range(options.slots)])
        self._capabilities = Capabilities(
            label_logprobs="raw",
            json_schema=True,
            prefix_cache=True,
            seed=True,
            local=True,
            context_tokens=self._engine.context,
            concurrency=options.slots,
        )

    @property
    def name(self) -> str:
        """`local:` and the model's name."""
        return f"local:{self._model.name}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Weights, engine, context and template: whatever changes an answer."""
        return {
            "backend": "local",
            "model": self._model.path.name,
            "sha256": self._model.sha256,
            "engine": f"xllamacpp {version('xllamacpp')}",
            "context": self._engine.context,
            "template": self._template.digest,
            "read_out": READ_OUT,
        }

    @property
    def capabilities(self) -> Capabilities:
        """What the engine offers."""
        return self._capabilities

    async def ask(self, question: Question) -> Reply:
        """Answer one question.

        Cancelling it (a deadline, Ctrl-C) stops the engine at the next token or batch of the prompt.
        """
        stop = Event()
        try:
            future = self._lanes.submit(lambda slot, event: self._answer(question, slot, event), stop)
        except RuntimeError:
            return Reply(stop="error", failure=Failure(reason="infra", detail="the local backend is closed"))
        try:
            reply: Reply = await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            stop.set()
            raise
        return reply

    async def aclose(self) -> None:
        """Stop what runs and unload the model; may be called twice."""
        await asyncio.to_thread(self.close)

    def close(self) -> None:
        """As `aclose`, outside of an event loop."""
        self._lanes.close()
        self._engine.close()

    def _answer(self, question: Question, slot: Slot, stop: Event) -> Reply:
        session = Session(self._engine.complete, slot, stop)
        prompt = None
        try:
            prompt = self._template.tokenised(question)
            reply = (
                self._labels(question, prompt, session) if question.labels else self._text(question, prompt, session)
            )
        except EngineError as error:
            reply = Reply(stop="error", failure=Failure(reason=error.reason, detail=str(error)))
        usage = _usage(0 if prompt is None or reply.failure else len(prompt.tokens), session)
        return reply.model_copy(update={"usage": usage, "served_model": self._model.path.name})

    def _labels(self, question: Question, prompt: Tokenised, session: Session) -> Reply:
        """Read the probability of each label; nothing is sampled."""
        spellings = {label: self._spellings(label) for label in question.labels}
        self._room(prompt, max(len(tokens) for options in spellings.values() for tokens in options))
        session.lay(prompt)

        def read(prefix: Tokens, wanted: frozenset[int]) -> dict[int, float]:
            return self._next_tokens((*prompt.tokens, *prefix), wanted, session)

        logprobs = {label: max(value, _LEAST) for label, value in label_logprobs(spellings, read).items()}
        sent: dict[str, JsonValue] = {"read_out": "label", "labels": list(question.labels), "n_probs": WIDE}
        return Reply(text=max(logprobs, key=lambda x: logprobs[x]), logprobs=logprobs, logprobs_are="raw", sent=sent)

    def _next_tokens(self, place: Tokens, wanted: frozenset[int], session: Session) -> dict[int, float]:
        """Log-probabilities of the wanted tokens after these.

        A bias moves the choice, not the log-probabilities reported with it. The engine reports none with a token that
        is part of a character, so the choice is forced to one that is not.
        """

        def read(choice: int, wide: int) -> dict[int, float]:
            force = [[choice, _FORCE]]
            return session.read(place, n_predict=1, n_probs=wide, temperature=0.0, logit_bias=force).top

        found = read(self._letter, WIDE)
        for token in sorted(wanted - found.keys()):
            found.update(read(token, 1))
        return found if wanted <= found.keys() else read(self._letter, _ALL)

    def _spellings(self, label: str) -> list[Tokens]:
        """The label as the reply's first word: plain, and with a space in front."""
        plain, spaced = self._engine.tokenize(label), self._engine.tokenize(f" {label}")
        if not plain:
            raise EngineError(f"label {label!r} has no tokens")
        return [plain, spaced]

    def _text(self, question: Question, prompt: Tokenised, session: Session) -> Reply:
        """Write free text, or JSON under the schema's grammar."""
        room = self._room(prompt, 1)
        sampling = question.sampling
        sent: dict[str, JsonValue] = {
            "temperature": sampling.temperature,
            "top_p": sampling.top_p,
            "top_k": sampling.top_k,
            "seed": sampling.seed,
            "n_predict": min(sampling.max_tokens, room),
        }
        sent = {name: value for name, value in sent.items() if value is not None}
        constraint = {"grammar": self._engine.grammar(question.json_schema)} if question.json_schema else {}
        session.lay(prompt)
        result = session.read(prompt.tokens, **sent, **constraint)
        if result.stop == "length" and room < sampling.max_tokens:
            raise EngineError(self._too_long(prompt, sampling.max_tokens), "overflow")
        if constraint and result.stop == "stop" and not _is_json(result.text):
            # Under a grammar only whole JSON can end; a schema that it does not take the engine drops in silence.
            raise EngineError("the engine did not apply the JSON schema; simplify it")
        if not result.text:
            return Reply(stop="error", failure=Failure(reason="parse", detail="the model wrote nothing"))
        return Reply(text=result.text, stop=result.stop, sent={**sent, "json_schema": bool(constraint)})

    def _room(self, prompt: Tokenised, least: int) -> int:
        """Tokens left for the reply."""
        room = self._engine.context - len(prompt.tokens)
        if room < least:
            raise EngineError(self._too_long(prompt, least), "overflow")
        return room

    def _too_long(self, prompt: Tokenised, wanted: int) -> str:
        return (
            f"the prompt has {len(prompt.tokens)} tokens and the reply may need {wanted}, but the context holds "
            f"{self._engine.context}; raise the option context"
        )


def _is_json(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _usage(length: int, session: Session) -> Usage:
    """The engine's counts. Cached is what the prompt has beyond what was evaluated for it, repeats included."""
    total = max(length, session.evaluated)
    return Usage(prompt_tokens=total, cached_tokens=total - session.evaluated, completion_tokens=session.written)
