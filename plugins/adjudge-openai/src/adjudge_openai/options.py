"""What can be set, checked before anything is sent. Keys are no option: they come from the environment only."""

from __future__ import annotations

import ipaddress
import json as json_module
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, JsonValue

from adjudge.errors import BackendError
from adjudge.options import refuse_unknown, validated
from adjudge_openai.flavours import AUTO

T = TypeVar("T")


def _object(value: object) -> object:
    """A JSON object may come as text, from a command line."""
    return json_module.loads(value) if isinstance(value, str) else value


Extra = Annotated[dict[str, JsonValue], BeforeValidator(_object)]
Seconds = Annotated[float, Field(gt=0, le=3600)]
InFlight = Annotated[int, Field(ge=1, le=4096)]
Tokens = Annotated[int, Field(ge=128)]
Room = Annotated[int, Field(ge=0, le=128_000)]


@dataclass(frozen=True, kw_only=True)
class CompatibleOptions:
    """Settings of `openai-compatible`."""

    base_url: str = ""
    """Where the server is, for example `http://localhost:8000/v1`."""
    server: str = AUTO
    """Which server: `auto`, `vllm`, `llamacpp`, `sglang`, `ollama`, `lmstudio`, or `openai` for any other."""
    json: Literal["schema", "object", "prompt"] = "schema"
    """How JSON is asked for first; for a server that ignores schemas without a word."""
    key_env: str = "OPENAI_API_KEY"
    """Name of the environment variable that holds the key; empty to send none."""
    concurrency: InFlight = 64
    """Questions in flight, and connections."""
    timeout: Seconds = 120.0
    """Seconds for one request."""
    thinking_tokens: Room = 0
    """Room for a reasoning model to think, on top of the room for the reply."""
    context_tokens: Tokens | None = None
    """What the server's context holds, if it should be known before anything is asked."""
    extra: Extra = field(default_factory=dict)
    """Parameters sent with every question, as a JSON object; part of the fingerprint. Put no secret here."""


@dataclass(frozen=True, kw_only=True)
class OpenAIOptions:
    """Settings of `openai`."""

    api: Literal["chat", "responses"] = "chat"
    """Chat completions, which can report log-probabilities, or the responses API."""
    base_url: str = ""
    """Another endpoint, for example a proxy."""
    azure_endpoint: str = ""
    """Endpoint of an Azure resource; the model is then the name of the deployment."""
    api_version: str = ""
    """Version of the Azure API."""
    reasoning_effort: str = ""
    """How long a reasoning model thinks; with `none` some of them report log-probabilities and take a temperature."""
    concurrency: InFlight = 64
    """Questions in flight."""
    timeout: Seconds = 300.0
    """Seconds for one request."""
    thinking_tokens: Room = 2048
    """Room for a reasoning model to think, on top of the room for the reply. Only what is used is paid; models that do
    not think (`gpt-4…`, or `reasoning_effort=none`) get none."""
    extra: Extra = field(default_factory=dict)
    """Parameters sent with every question, as a JSON object; part of the fingerprint. Put no secret here."""


def parsed_options(kind: type[T], name: str, given: Mapping[str, Any]) -> T:
    """Options as they come from a command line or a file.

    Raises:
        UnknownNameError: There is no such option.
        UnsupportedError: One has a value that it cannot take.
    """
    known = [one.name for one in fields(kind)]  # type: ignore[arg-type] # a dataclass, always
    refuse_unknown(f"option of {name}", given, known)
    options: T = validated(f"options of {name}", kind, dict(given))
    return options


def endpoint(given: str, *variables: str) -> str:
    """The base URL: as given, or from the first of these environment variables that is set; empty if none is.

    Raises:
        BackendError: It is no URL of a server, or holds a password or a query.
    """
    url = given or next((value for name in variables if (value := os.environ.get(name))), "")
    if not url:
        return ""
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BackendError("base_url must begin with http:// or https:// and name a server")
    # Both would end in fingerprints, reports and logs.
    if parts.username or parts.password or parts.query or parts.fragment:
        raise BackendError("base_url must hold no user, password or query; a key belongs into the environment")
    return url.rstrip("/") if parts.path.strip("/") else f"{url.rstrip('/')}/v1"


def is_here(url: str) -> bool:
    """Whether the server is on this machine."""
    host = urlsplit(url).hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")
