"""What tokens cost: a table shipped as data, and the user's own file over it."""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

from adjudge.errors import BackendError
from adjudge.options import validated
from adjudge.verdict import Usage

ENVIRONMENT = "ADJUDGE_PRICES"
"""Names the user's own file."""
_MILLION = 1e6
# What may follow a model's name: the date of a snapshot. `gpt-5` must not price `gpt-5.5` or `gpt-5-mini`.
_SNAPSHOT = re.compile(r"(?:-\d[\d-]*|-latest)?")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    """Prompt tokens."""
    cached: float
    """Prompt tokens that the cache served."""
    output: float
    """Tokens written, hidden reasoning included."""
    above: int | None = None
    """Prompt tokens above which the whole request costs more."""
    above_input: float = 1.0
    """By which factor the prompt, cached or not, then costs more."""
    above_output: float = 1.0
    """By which factor the reply then costs more."""

    def cost(self, usage: Usage) -> float:
        """Dollars for one request."""
        long = self.above is not None and usage.prompt_tokens > self.above
        fresh = usage.prompt_tokens - usage.cached_tokens
        prompt = (fresh * self.input + usage.cached_tokens * self.cached) * (self.above_input if long else 1)
        reply = usage.completion_tokens * self.output * (self.above_output if long else 1)
        return (prompt + reply) / _MILLION


def price_of(model: str, *, shipped: bool = True) -> Price | None:
    """Price of a model, or of the model that it is a dated snapshot of; None if it is in no table.

    Args:
        model: The id of the model.
        shipped: Look into the shipped table too, and not only into the user's own file.

    Raises:
        BackendError: The user's file cannot be read.
    """
    table = {**(_shipped() if shipped else {}), **_own()}
    fitting = [name for name in table if model.startswith(name) and _SNAPSHOT.fullmatch(model[len(name) :])]
    return table[max(fitting, key=len)] if fitting else None


def _shipped() -> Mapping[str, Price]:
    text = (files("adjudge_openai") / "prices.toml").read_text("utf-8")
    return _table(tomllib.loads(text), "prices.toml")


def _own() -> Mapping[str, Price]:
    given = os.environ.get(ENVIRONMENT)
    if not given:
        return {}
    try:
        text = Path(given).read_text("utf-8")
        return _table(json.loads(text) if given.endswith(".json") else tomllib.loads(text), given)
    except (OSError, ValueError) as error:
        raise BackendError(f"{ENVIRONMENT}={given}: cannot be read as TOML or JSON: {error}") from None


def _table(data: Mapping[str, Any], source: str) -> dict[str, Price]:
    models = data.get("models")
    if not isinstance(models, Mapping):
        raise BackendError(f"{source}: has no table [models]")
    return {name: validated(f"{source}: price of {name}", Price, price) for name, price in models.items()}
