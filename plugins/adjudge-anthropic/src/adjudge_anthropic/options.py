"""What can be set, checked before anything is sent. The key is no option: it comes from the environment only."""

from __future__ import annotations

import json as json_module
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, JsonValue

from adjudge.errors import BackendError
from adjudge.options import refuse_unknown, validated


def _object(value: object) -> object:
    """A JSON object may come as text, from a command line."""
    return json_module.loads(value) if isinstance(value, str) else value


@dataclass(frozen=True, kw_only=True)
class Options:
    """Settings of `anthropic`."""

    base_url: str = ""
    """Another endpoint, for example a proxy."""
    cache: Literal["5m", "1h", "off"] = "5m"
    """How long the evidence is kept for the next criterion; `off` for a rubric of a single criterion."""
    json: Literal["schema", "tool", "prompt"] = "schema"
    """How JSON is asked for first; for an endpoint that ignores output schemas without a word."""
    effort: str = ""
    """How much work the model puts in, where it takes that: `low`, `medium`, `high`, …"""
    thinking: Literal["", "adaptive", "disabled"] = ""
    """Whether the model thinks before it answers; the model's own habit if empty."""
    thinking_tokens: Annotated[int, Field(ge=0, le=128_000)] = 2048
    """Room for thinking, on top of the room for the reply. Only what is used is paid."""
    concurrency: Annotated[int, Field(ge=1, le=4096)] = 64
    """Questions in flight."""
    timeout: Annotated[float, Field(gt=0, le=3600)] = 300.0
    """Seconds for one request."""
    extra: Annotated[dict[str, JsonValue], BeforeValidator(_object)] = field(default_factory=dict)
    """Parameters sent with every question, as a JSON object; part of the fingerprint. Put no secret here."""

    @classmethod
    def parse(cls, given: Mapping[str, Any]) -> Options:
        """Options as they come from a command line or a file.

        Raises:
            UnknownNameError: There is no such option.
            UnsupportedError: One has a value that it cannot take.
        """
        refuse_unknown("option of anthropic", given, [one.name for one in fields(cls)])
        options: Options = validated("options of anthropic", cls, dict(given))
        return options

    def endpoint(self) -> str | None:
        """The base URL; None for the service itself.

        Raises:
            BackendError: It is no URL of a server, or holds a password or a query.
        """
        url = self.base_url or os.environ.get("ANTHROPIC_BASE_URL", "")
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise BackendError("base_url must begin with http:// or https:// and name a server")
        # Both would end in fingerprints, reports and logs.
        if parts.username or parts.password or parts.query or parts.fragment:
            raise BackendError("base_url must hold no user, password or query; a key belongs into the environment")
        return url.rstrip("/").removesuffix("/v1")
