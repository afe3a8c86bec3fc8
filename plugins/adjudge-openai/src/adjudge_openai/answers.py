"""Reading what came back: numbers that are numbers, tokens, cost."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import orjson

from adjudge.verdict import Usage
from adjudge_openai.failures import broken
from adjudge_openai.prices import Price

_ROUNDING = 1e-3
_LEAST = -1000.0


def count(value: object) -> int:
    """A number of tokens; 0 for anything else."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def usage_of(prompt: object, cached: object, written: object, price: Price | None, paid: object = None) -> Usage:
    """Tokens and cost.

    Args:
        prompt: Tokens of the prompt, cached ones included.
        cached: Those that a cache served.
        written: Tokens of the reply.
        price: What they cost, if known.
        paid: What the server itself says that the request cost, in dollars; goes before `price`.
    """
    served = count(cached) if cached else 0
    usage = Usage(prompt_tokens=max(count(prompt), served), cached_tokens=served, completion_tokens=count(written))
    if isinstance(paid, int | float) and math.isfinite(paid) and paid > 0:
        return usage.model_copy(update={"cost": float(paid)})
    return usage.model_copy(update={"cost": price.cost(usage)}) if price else usage


def tops_of(entry: Mapping[str, Any]) -> dict[bytes, float]:
    """Log-probability of each reported next token, by its bytes; the written one is among them.

    Raises:
        CallError: One is no logarithm of a probability.
    """
    tops: dict[bytes, float] = {}
    for one in (*(entry.get("top_logprobs") or ()), entry):
        value = one["logprob"]
        if value.__class__ is not float:
            value = _as_float(value)
        if not value <= _ROUNDING:
            raise broken(f"a log-probability of {value!r}")
        tops.setdefault(token_of(one), value if _LEAST <= value <= 0.0 else max(min(value, 0.0), _LEAST))
    return tops


def _as_float(value: object) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool):
        raise broken(f"a log-probability of {value!r}")
    return float(value)


def token_of(entry: Mapping[str, Any]) -> bytes:
    """The bytes of a reported token; some hold a part of a character only."""
    given = entry.get("bytes")
    return str(entry["token"]).encode() if given is None else bytes(given)


def served_model(payload: Mapping[str, Any]) -> str:
    """The model that answered, by the server's account."""
    model = payload.get("model")
    return model if isinstance(model, str) else ""


def label_schema(labels: Sequence[str]) -> dict[str, Any]:
    """The schema of a reply that is one of the words, for servers that report no probabilities."""
    level = {"type": "string", "enum": list(labels)}
    return {"type": "object", "properties": {"level": level}, "required": ["level"], "additionalProperties": False}


def label_in(text: str) -> str:
    """The word in a reply of `label_schema`; the reply itself if it is none."""
    try:
        level = orjson.loads(text)["level"]
    except (orjson.JSONDecodeError, KeyError, TypeError):
        return text
    return level if isinstance(level, str) else text
