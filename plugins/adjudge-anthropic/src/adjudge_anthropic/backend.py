"""The backend `anthropic`: the official SDK."""

from __future__ import annotations

import inspect
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from adjudge.errors import BackendError
from adjudge.interfaces import Capabilities
from adjudge.verdict import Question, Reply, Usage
from adjudge_anthropic.batch import Batches
from adjudge_anthropic.failures import CallError, Received, broken, error_text, failure_of, hide, parsed
from adjudge_anthropic.messages import PATH, Messages
from adjudge_anthropic.options import Options
from adjudge_anthropic.prices import price_of

if TYPE_CHECKING:
    from anthropic import AsyncAnthropic

KEY = "ANTHROPIC_API_KEY"
_HERE: Any = {"follow_redirects": False}  # a redirect could carry the question to another server
_MOST_STEPS = 6
_POLL_SECONDS = 30.0


class Sdk:
    """Sends requests through the SDK, each once."""

    def __init__(self, client: AsyncAnthropic) -> None:
        self._client = client

    async def __call__(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Received:
        """Send a request; the reply is left as it came, since reading it twice would cost more than all the rest.

        Raises:
            CallError: No answer came.
        """
        import anthropic
        import httpx2

        try:
            if method == "GET":
                response = await self._client.get(path, cast_to=httpx2.Response, options=_HERE)
            else:
                response = await self._client.post(path, body=body, cast_to=httpx2.Response, options=_HERE)
        except anthropic.APIStatusError as error:
            return Received(error.status_code, error.response.content, error.response.headers)
        except anthropic.APITimeoutError:
            raise broken(f"{path}: no reply in time") from None
        except (anthropic.AnthropicError, httpx2.HTTPError, OSError) as error:
            raise broken(f"{path}: the connection broke ({type(error.__cause__ or error).__name__})") from None
        return Received(response.status_code, response.content, response.headers)


class AnthropicBackend:
    """A model of Anthropic."""

    def __init__(self, model: str | None, options: Options) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            BackendError: No model or no key, or a bad endpoint.
        """
        import anthropic

        if not model:
            raise BackendError("anthropic: name the model: anthropic:MODEL")
        key = os.environ.get(KEY)
        if not key:
            raise BackendError(f"anthropic: no key; set the environment variable {KEY}")
        hide(key)
        self._model, self._options = model, options
        self._client = anthropic.AsyncAnthropic(
            api_key=key, base_url=options.endpoint(), timeout=options.timeout, max_retries=0
        )
        accepted = tuple(inspect.signature(self._client.messages.create).parameters)
        self._price = price_of(model)
        self._messages = Messages(model, options, accepted, self._price)
        self._send = Sdk(self._client)

    def __repr__(self) -> str:
        return f"<{self.name} at {self._endpoint}>"

    @property
    def name(self) -> str:
        """`anthropic:` and the model."""
        return f"anthropic:{self._model}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Endpoint, model and what is sent with every question."""
        options = self._options
        return {
            "backend": "anthropic",
            "endpoint": self._endpoint,
            "model": self._model,
            "json": options.json,
            "effort": options.effort,
            "thinking": options.thinking,
            "thinking_tokens": options.thinking_tokens,
            "extra": dict(options.extra),
        }

    @property
    def capabilities(self) -> Capabilities:
        """What the service offers; it reports no log-probabilities."""
        return Capabilities(
            json_schema=True, prefix_cache=self._options.cache != "off", concurrency=self._options.concurrency
        )

    async def ask(self, question: Question) -> Reply:
        """Send one question once; a failure is a reply that holds it."""
        try:
            return await self._asked(question)
        except CallError as error:
            return error.reply()
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            # A reply of another shape than the protocol's; its text may hold anything, so only the kind is told.
            return broken(f"{PATH}: a reply of unexpected shape ({type(error).__name__})").reply()

    async def ask_many(
        self,
        questions: Sequence[Question],
        on_handle: Callable[[str], None] | None = None,
        *,
        handle: str | None = None,
        poll_seconds: float = _POLL_SECONDS,
    ) -> list[Reply]:
        """Ask through message batches, at half the price and within a day.

        The first question is also asked at once, to learn which parameters the model takes.

        Args:
            questions: What to ask.
            on_handle: Called with the handle as soon as something was submitted, again if more was: store it, and a
                later process can collect.
            handle: Handle of an earlier submission: nothing is submitted, its replies are collected. Questions may
                come in another order; one that was not in it gets a failure that says so.
            poll_seconds: Seconds between two looks at its state.

        Returns:
            One reply per question, in their order. Failures are replies; nothing is raised.
        """
        batches = Batches(self._send, self._messages, self.ask, poll_seconds=poll_seconds)
        return await batches.run(questions, on_handle, handle)

    def cost_of(self, usage: Usage) -> float | None:
        """What the tokens of many short requests cost in US dollars, asked one by one; None if no price is known."""
        return None if self._price is None else replace(self._price, above=None).cost(usage)

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._client.close()

    @property
    def _endpoint(self) -> str:
        return str(self._client.base_url).rstrip("/")

    async def _asked(self, question: Question) -> Reply:
        """Send; where the service refuses the form, send the next simpler one that it may take."""
        for _ in range(_MOST_STEPS):
            body, sent = self._messages.body(question)
            received = await self._send("POST", PATH, body)
            if received.status == HTTPStatus.OK:
                return self._messages.read(question, parsed(received, PATH), sent)
            failure = failure_of(received, PATH)
            formal = failure.reason == "infra" and received.status == HTTPStatus.BAD_REQUEST
            if not formal or not self._messages.step_down(body, sent, error_text(received.body)):
                break
        raise CallError(failure)
