"""The backend `openai`: the official SDK, on OpenAI's own service or on Azure."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from adjudge.errors import BackendError
from adjudge.interfaces import Capabilities
from adjudge.verdict import Question, Reply, Usage
from adjudge_openai.asking import Dialect, answer, find_labels
from adjudge_openai.batch import Batches
from adjudge_openai.chat import Body, Chat
from adjudge_openai.failures import Received, broken, hide
from adjudge_openai.flavours import Flavour
from adjudge_openai.options import OpenAIOptions, endpoint
from adjudge_openai.prices import price_of
from adjudge_openai.responses import Responses

if TYPE_CHECKING:
    from openai import AsyncOpenAI

_SERVICE = Flavour(name="openai", length="max_completion_tokens")
_THOUGHTLESS = ("gpt-3", "gpt-4", "chatgpt-")
_AZURE_VERSION = "2024-10-21"
_POLL_SECONDS = 30.0


class Official:
    """Sends requests through the SDK, each once."""

    def __init__(self, client: AsyncOpenAI) -> None:
        self._client = client

    async def __call__(self, path: str, body: Body) -> Received:
        """Send a request; the reply is left as it came, since reading it twice would cost more than all the rest.

        Raises:
            CallError: No answer came.
        """
        import httpx2
        import openai

        try:
            response = await self._client.post(
                path,
                body=body,
                cast_to=httpx2.Response,
                options={"follow_redirects": False},  # one could carry the question to another server
            )
        except openai.APIStatusError as error:
            return Received(error.status_code, error.response.content, error.response.headers)
        except openai.APITimeoutError:
            raise broken(f"{path}: no reply in time") from None
        except (openai.OpenAIError, httpx2.HTTPError, OSError) as error:
            cause = error.__cause__ or error
            raise broken(f"{path}: the connection broke ({type(cause).__name__})") from None
        return Received(response.status_code, response.content, response.headers)


class OpenAIBackend:
    """A model of OpenAI, there or on Azure."""

    def __init__(self, model: str | None, options: OpenAIOptions) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            BackendError: No model or no key, or a bad endpoint.
        """
        if not model:
            raise BackendError("openai: name the model: openai:MODEL")
        self._model, self._options = model, options
        self._client = _client(options)
        self._send = Official(self._client)
        self._dialect = self._made()

    def __repr__(self) -> str:
        return f"<{self.name} at {self._endpoint}>"

    @property
    def name(self) -> str:
        """`openai:` and the model."""
        return f"openai:{self._model}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Endpoint, interface, model and what is sent with every question."""
        return {
            "backend": "openai",
            "endpoint": self._endpoint,
            "api": self._options.api,
            "api_version": self._options.api_version,
            "model": self._model,
            "reasoning_effort": self._options.reasoning_effort,
            "thinking_tokens": self._thinking,
            "extra": dict(self._options.extra),
        }

    @property
    def capabilities(self) -> Capabilities:
        """What the service offers; a model without log-probabilities says so at the first question."""
        reads = isinstance(self._dialect, Chat) and self._dialect.reads_labels
        return Capabilities(
            label_logprobs="raw" if reads else None,
            json_schema=True,
            prefix_cache=True,
            seed=self._options.api == "chat",
            concurrency=self._options.concurrency,
        )

    async def prepare(self, *, labels: bool = False) -> None:
        """Find out whether the model reports log-probabilities, if `labels`; that takes a question of a few tokens."""
        if labels:
            await find_labels(self._dialect, self._send)

    async def ask(self, question: Question) -> Reply:
        """Send one question once; a failure is a reply that holds it."""
        return await answer(question, self._dialect, self._send)

    async def ask_many(
        self,
        questions: Sequence[Question],
        on_handle: Callable[[str], None] | None = None,
        *,
        handle: str | None = None,
        poll_seconds: float = _POLL_SECONDS,
    ) -> list[Reply]:
        """Ask through the batch API, at half the price and within a day.

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
        batches = Batches(self._client, self._dialect, self.ask, poll_seconds=poll_seconds)
        return await batches.run(questions, on_handle, handle)

    def cost_of(self, usage: Usage) -> float | None:
        """What the tokens of many short requests cost in US dollars, asked one by one; None if no price is known."""
        return None if self._dialect.price is None else replace(self._dialect.price, above=None).cost(usage)

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._client.close()

    @property
    def _endpoint(self) -> str:
        return str(self._client.base_url).rstrip("/")

    def _made(self) -> Dialect:
        effort, extra = self._options.reasoning_effort, dict(self._options.extra)
        price = price_of(self._model)
        if self._options.api == "responses":
            extra |= {"reasoning": {"effort": effort}} if effort else {}
            return Responses(self._model, extra=extra, price=price, thinking=self._thinking)
        extra |= {"reasoning_effort": effort} if effort else {}
        return Chat(
            self._model, _SERVICE, extra=extra, price=price, priced=True, cache_key=True, thinking=self._thinking
        )

    @property
    def _thinking(self) -> int:
        thinks = self._options.reasoning_effort != "none" and not self._model.startswith(_THOUGHTLESS)
        return self._options.thinking_tokens if thinks else 0


def _client(options: OpenAIOptions) -> AsyncOpenAI:
    """The SDK's client; it retries nothing, since the engine does."""
    import openai

    common: dict[str, Any] = {"timeout": options.timeout, "max_retries": 0}
    azure = endpoint(options.azure_endpoint, "AZURE_OPENAI_ENDPOINT") if _is_azure(options) else ""
    key_name = "AZURE_OPENAI_API_KEY" if azure else "OPENAI_API_KEY"
    key = os.environ.get(key_name)
    if not key:
        raise BackendError(f"openai: no key; set the environment variable {key_name}")
    hide(key)
    if azure:
        version = options.api_version or os.environ.get("OPENAI_API_VERSION") or _AZURE_VERSION
        resource = azure.removesuffix("/v1")
        return openai.AsyncAzureOpenAI(azure_endpoint=resource, api_version=version, api_key=key, **common)
    return openai.AsyncOpenAI(base_url=endpoint(options.base_url, "OPENAI_BASE_URL") or None, api_key=key, **common)


def _is_azure(options: OpenAIOptions) -> bool:
    """Azure if its endpoint is given, or if it is all that the environment knows of."""
    known = "AZURE_OPENAI_ENDPOINT" in os.environ and "OPENAI_API_KEY" not in os.environ
    return bool(options.azure_endpoint) or (known and not options.base_url)
