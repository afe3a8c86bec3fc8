"""The backend `openai-compatible`: a thin client for any server that speaks chat completions."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Mapping, Sequence
from dataclasses import replace
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import orjson

from adjudge.errors import BackendError
from adjudge.interfaces import Capabilities
from adjudge.verdict import Failure, Question, Reply, Usage
from adjudge_openai.asking import answer, find_labels
from adjudge_openai.chat import Body, Chat
from adjudge_openai.failures import CallError, Received, broken, hide, parsed
from adjudge_openai.flavours import AUTO, Flavour, flavour_named, recognised
from adjudge_openai.options import CompatibleOptions, endpoint, is_here
from adjudge_openai.prices import price_of

READ_OUT = 1
"""Version of how labels are read; part of the identity."""
_PROBE_SECONDS = 10.0
# Less than the 5 s after which uvicorn (vLLM, SGLang) closes an idle connection: else a question can meet its end.
_IDLE_SECONDS = 4.0
_VARIABLES = ("ADJUDGE_OPENAI_BASE_URL", "OPENAI_BASE_URL")


class Wire:
    """One session, one pool of connections and one TLS context; each request is sent once."""

    def __init__(self, base_url: str, model: str, options: CompatibleOptions) -> None:
        self._base_url, self._model, self._options = base_url, model, options
        self._root = base_url.removesuffix("/v1")
        self._tokens: dict[bytes, Sequence[int]] = {}
        self._session: aiohttp.ClientSession | None = None
        self._closed = False

    async def __call__(self, path: str, body: Body) -> Received:
        """Send a request.

        Raises:
            CallError: No answer came.
        """
        return await self.request("POST", path, orjson.dumps(body), self._options.timeout)

    async def tokens(self, text: bytes) -> Sequence[int]:
        """Tokens of a text, asked for once; empty if the server has no such call (llama.cpp and vLLM have)."""
        if text not in self._tokens:
            both = {"content": text.decode(), "prompt": text.decode()}
            data = orjson.dumps({**both, "model": self._model, "add_special_tokens": False})
            try:
                received = await self.request("POST", "/tokenize", data, _PROBE_SECONDS, self._root)
                found = parsed(received, "/tokenize").get("tokens") if received.status == HTTPStatus.OK else None
            except CallError:
                return ()
            self._tokens[text] = [one for one in found or () if isinstance(one, int)]
        return self._tokens[text]

    async def request(
        self, method: str, path: str, data: bytes | None, seconds: float, base: str | None = None
    ) -> Received:
        """Send anything.

        Raises:
            CallError: No answer came.
        """
        if self._closed:
            raise CallError(Failure(reason="infra", detail="the backend is closed"))
        session = self._opened()
        try:
            async with asyncio.timeout(seconds):
                # A redirect could carry the key to another server.
                async with session.request(
                    method, (base or self._base_url) + path, data=data, allow_redirects=False
                ) as response:
                    return Received(response.status, await response.read(), response.headers)
        except TimeoutError:
            raise broken(f"{path}: no reply within {seconds:g} s") from None
        except aiohttp.ClientConnectorError as error:
            raise broken(f"{path}: no connection to {urlsplit(self._base_url).netloc} ({error.strerror})") from None
        except (aiohttp.ClientError, OSError) as error:
            raise broken(f"{path}: the connection broke ({type(error).__name__})") from None

    def _opened(self) -> aiohttp.ClientSession:
        if self._session is None:
            headers = {"Content-Type": "application/json", "User-Agent": "adjudge"}
            if key := os.environ.get(self._options.key_env, "") if self._options.key_env else "":
                hide(key)
                headers["Authorization"] = f"Bearer {key}"
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=self._options.concurrency, keepalive_timeout=_IDLE_SECONDS),
                timeout=aiohttp.ClientTimeout(total=None),
                headers=headers,
                proxy=_proxy(self._base_url),
                cookie_jar=aiohttp.DummyCookieJar(),
            )
        return self._session

    async def aclose(self) -> None:
        """Close all connections; may be called twice."""
        self._closed = True
        session, self._session = self._session, None
        if session is not None:
            await session.close()


class CompatibleBackend:
    """A model behind chat completions."""

    def __init__(self, model: str | None, options: CompatibleOptions) -> None:
        """Prepare; nothing is sent yet.

        Raises:
            BackendError: No model or endpoint is given, or the endpoint is none.
            UnknownNameError: There is no such server.
        """
        if not model:
            raise BackendError("openai-compatible: name the model as the server calls it: openai-compatible:MODEL")
        self._url = endpoint(options.base_url, *_VARIABLES)
        if not self._url:
            where = " or ".join(_VARIABLES)
            raise BackendError(
                f"openai-compatible: say where the server is: -B base_url=http://HOST:PORT/v1, or {where}"
            )
        self._model, self._options = model, options
        self._here = is_here(self._url)
        self._wire = Wire(self._url, model, options)
        # Its own file only: a model on one's own server costs nothing, whatever it is called.
        self._price = price_of(model, shipped=False)
        self._chat: Chat | None = None if options.server == AUTO else self._dialect(flavour_named(options.server))
        self._detecting = asyncio.Lock()

    def __repr__(self) -> str:
        return f"<{self.name} at {self._url}>"

    @property
    def name(self) -> str:
        """`openai-compatible:` and the model."""
        return f"openai-compatible:{self._model}"

    @property
    def identity(self) -> Mapping[str, Any]:
        """Endpoint, model and what is sent with every question."""
        return {
            "backend": "openai-compatible",
            "endpoint": self._url,
            "model": self._model,
            "server": self._options.server,
            "json": self._options.json,
            "thinking_tokens": self._options.thinking_tokens,
            "extra": dict(self._options.extra),
            "read_out": READ_OUT,
        }

    @property
    def capabilities(self) -> Capabilities:
        """What the server offers; before it was asked which it is (`prepare`), what most servers offer."""
        return Capabilities(
            label_logprobs="raw" if self._chat is None or self._chat.reads_labels else None,
            json_schema=True,
            prefix_cache=True,
            seed=True,
            local=self._here,
            context_tokens=self._options.context_tokens,
            concurrency=self._options.concurrency,
        )

    async def prepare(self, *, labels: bool = False) -> None:
        """Find out which server it is, if that was left to `auto`; the first question does it otherwise.

        Args:
            labels: Find out too whether it reports log-probabilities: a server that is not known is asked a question
                of a few tokens.

        Raises:
            BackendError: It cannot be reached.
        """
        try:
            chat = await self._known()
        except CallError as error:
            raise BackendError(f"{self.name}: {error.failure.detail}") from None
        if labels:
            await find_labels(chat, self._wire)

    async def ask(self, question: Question) -> Reply:
        """Send one question once; a failure is a reply that holds it."""
        try:
            chat = self._chat or await self._known()
        except CallError as error:
            return error.reply()
        return await answer(question, chat, self._wire, self._wire.tokens)

    def cost_of(self, usage: Usage) -> float | None:
        """What the tokens of many short requests cost in US dollars, asked one by one; None if no price is known."""
        return None if self._price is None else replace(self._price, above=None).cost(usage)

    async def aclose(self) -> None:
        """Close the connections; may be called twice."""
        await self._wire.aclose()

    def _dialect(self, flavour: Flavour) -> Chat:
        chat = Chat(
            self._model,
            flavour,
            extra=self._options.extra,
            price=self._price,
            priced=not self._here,
            raw=True,
            thinking=self._options.thinking_tokens,
        )
        chat.taken.rung = {"schema": 0, "object": 2, "prompt": 3}[self._options.json]
        return chat

    async def _known(self) -> Chat:
        async with self._detecting:
            if self._chat is None:
                self._chat = self._dialect(await self._detect())
            return self._chat

    async def _detect(self) -> Flavour:
        """Tell the server by its list of models; a server without one is like any other."""
        received = await self._wire.request("GET", "/models", None, min(_PROBE_SECONDS, self._options.timeout))
        if received.status != HTTPStatus.OK:
            return flavour_named("openai")
        try:
            models = parsed(received, "/models")
        except CallError:
            models = {}
        return recognised(models, received.headers.get("Server", ""))


def _proxy(url: str) -> str | None:
    """The proxy that the environment names for this server."""
    parts = urlsplit(url)
    if is_here(url) or proxy_bypass(parts.hostname or ""):
        return None
    return getproxies().get(parts.scheme)
