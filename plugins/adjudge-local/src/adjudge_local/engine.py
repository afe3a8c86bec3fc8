"""llama.cpp in this process, through the prebuilt wheel of xllamacpp.

Completions are calls into the library. It offers no call for the tokenizer and the chat template; those two are asked
of the HTTP server that it always opens on the loopback interface, which is locked with a key made for this process.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from threading import Event
from typing import Any, Literal
from urllib.parse import urlsplit

from adjudge.errors import BackendError
from adjudge_local.options import Options

BATCH = 256
"""Tokens of a prompt evaluated in one go: a call can be stopped after each batch, and 512 are no faster."""
_TIMEOUT = 60
_WAIT = "OMP_WAIT_POLICY"


class EngineError(Exception):
    """A call failed; `reason` says whether the prompt did not fit."""

    def __init__(self, detail: str, reason: Literal["infra", "overflow"] = "infra") -> None:
        super().__init__(detail)
        self.reason: Literal["infra", "overflow"] = reason


class StoppedError(EngineError):
    """The call was stopped on request."""


@dataclass(slots=True)
class Completion:
    """What one call gave."""

    text: str = ""
    """What was written."""
    top: dict[int, float] = field(default_factory=dict)
    """Natural log-probabilities of the first written token and of those asked for beside it, before any constraint."""
    stop: Literal["stop", "length"] = "stop"
    """Why it ended."""
    evaluated: int = 0
    """Tokens of the prompt that were evaluated."""
    written: int = 0
    """Tokens written."""


class Engine:
    """One loaded model. Safe to use from several threads, one per slot."""

    def __init__(self, path: Path, options: Options) -> None:
        """Load the model.

        Raises:
            BackendError: The file cannot be loaded.
        """
        xllamacpp = _library()
        self._key = secrets.token_hex(16)
        try:
            self._server: Any = xllamacpp.Server(_parameters(xllamacpp, path, options, self._key))
        except RuntimeError:
            raise BackendError(
                f"model file {path} cannot be loaded: damaged, of an unknown architecture, or larger than the memory"
            ) from None
        self._to_grammar = xllamacpp.json_schema_to_grammar
        self._address = urlsplit(self._server.listening_address)
        self.context: int = self._http("GET", "/props")["default_generation_settings"]["n_ctx"]
        """Tokens of prompt and reply together, per slot."""
        self.tokenize = lru_cache(maxsize=256)(self._tokenize)
        """As `_tokenize`; the segments of a submission come again for each criterion."""

    def _tokenize(self, text: str, special: bool = False, start: bool = False) -> tuple[int, ...]:
        """Tokens of a text.

        Args:
            text: The text, by itself: nothing merges over its ends.
            special: Whether names of control tokens in it become control tokens. Never for text of others.
            start: Whether it starts the prompt, and so follows a begin token if the model wants one.
        """
        body = {"content": text, "parse_special": special, "add_special": start}
        return tuple(self._http("POST", "/tokenize", body)["tokens"])

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Put messages into the model's own chat template, up to where the reply starts.

        Raises:
            EngineError: The template refuses them.
        """
        # Models that can think aloud are told not to: a label is wanted at once, a reason inside the schema.
        body = {"messages": [dict(message) for message in messages], "chat_template_kwargs": {"enable_thinking": False}}
        return str(self._http("POST", "/apply-template", body)["prompt"])

    def grammar(self, schema: Mapping[str, Any]) -> str:
        """Grammar of a JSON schema, without free white space: a weak model would fill its reply with it.

        Keywords that the engine does not know are left out of the grammar; the reader checks the reply against all.

        Raises:
            EngineError: The engine does not take this schema.
        """
        try:
            guidance = {"whitespace_flexible": False, "lenient": True}
            return str(self._to_grammar(json.dumps({**schema, "x-guidance": guidance})))
        except (RuntimeError, ValueError) as error:
            raise EngineError(f"the engine refuses the JSON schema: {error}") from error

    def complete(self, tokens: Sequence[int], slot: int, stop: Event, **parameters: Any) -> Completion:
        """Evaluate a prompt and write.

        Args:
            tokens: The whole prompt; what the slot holds of it already is not evaluated again.
            slot: Which slot.
            stop: Set by another thread, it ends the call at the next token or batch.
            parameters: As the engine names them, for example `n_predict`.

        Raises:
            StoppedError: It was stopped.
            EngineError: It failed.
        """
        listener = _Listener(stop)
        body = {"prompt": list(tokens), "id_slot": slot, "cache_prompt": True, "stream": True, "return_progress": True}
        self._server.handle_completions({**body, **parameters}, listener)
        if listener.error:
            raise listener.error
        if not listener.finished:
            raise StoppedError("stopped")
        return listener.result

    def close(self) -> None:
        """Unload the model. No call may be running."""
        self._server = None
        self.tokenize.cache_clear()

    def _http(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        connection = http.client.HTTPConnection(str(self._address.hostname), self._address.port, timeout=_TIMEOUT)
        try:
            headers = {"Authorization": f"Bearer {self._key}", "Content-Type": "application/json"}
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            answer = connection.getresponse()
            found = json.loads(answer.read())
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise EngineError(f"the engine does not answer: {error}") from error
        finally:
            connection.close()
        if answer.status != http.HTTPStatus.OK:
            raise _error(found.get("error", {}))
        return found


class _Listener:
    """Takes a call's pieces as they come; true stops the call."""

    def __init__(self, stop: Event) -> None:
        self._stop = stop
        self.result = Completion()
        self.error: EngineError | None = None
        self.finished = False

    def __call__(self, piece: Mapping[str, Any]) -> bool:
        if "choices" not in piece:
            self.error = _error(piece.get("error", piece))
            return True
        choice = piece["choices"][0]
        self.result.text += choice["text"]
        if (log := choice.get("logprobs")) and not self.result.top:
            first = log["content"][0]
            self.result.top = {entry["id"]: entry["logprob"] for entry in (*first["top_logprobs"], first)}
        if (timings := piece.get("timings")) is not None:
            self.finished = True
            self.result.stop = "length" if choice["finish_reason"] == "length" else "stop"
            self.result.evaluated, self.result.written = timings["prompt_n"], timings["predicted_n"]
        return self._stop.is_set()


def _error(found: Mapping[str, Any]) -> EngineError:
    """The engine's own error, with its class."""
    text = " ".join(str(found.get("message", "unknown error")).split())
    return EngineError(text, "overflow" if found.get("type") == "exceed_context_size_error" else "infra")


def _library() -> Any:
    """Import the engine so that its threads sleep while they wait.

    By default they spin: two processes on two cores then take five times as long as one after the other. OpenMP reads
    the setting when it is loaded, so it is made for the import only.
    """
    before = os.environ.get(_WAIT)
    os.environ.setdefault(_WAIT, "passive")
    try:
        import xllamacpp
    finally:
        if before is None:
            del os.environ[_WAIT]
    return xllamacpp


def _parameters(library: Any, path: Path, options: Options, key: str) -> Any:
    """The library's parameters: a quiet, locked, memory-mapped engine with fixed slots."""
    params = library.CommonParams()
    params.model.path = str(path)
    params.n_ctx, params.n_parallel = options.context * options.slots, options.slots
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = options.computing_threads
    params.n_batch = params.n_ubatch = BATCH
    params.load_mode = library.llama_load_mode.LLAMA_LOAD_MODE_MMAP
    params.cache_ram_mib, params.cache_idle_slots = options.cache_ram_mib, options.cache_ram_mib > 0
    params.warmup, params.verbosity = False, -1
    params.api_keys, params.n_threads_http, params.ui, params.endpoint_slots = [key], 2, False, False
    return params
