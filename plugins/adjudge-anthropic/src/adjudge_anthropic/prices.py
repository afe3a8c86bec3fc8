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
# What may follow a model's name: the date of a snapshot. `claude-opus-4` must not price `claude-opus-4-8`.
_SNAPSHOT = re.compile(r"(?:[-@]\d{8}|-latest)?")


@dataclass(frozen=True, slots=True)
class Price:
    """US dollars per million tokens."""

    input: float
    """Prompt tokens."""
    cached: float
    """Prompt tokens that the cache served."""
    written: float
    """Prompt tokens that were put into the cache, kept for five minutes."""
    output: float
    """Tokens written, hidden reasoning included."""
    above: int | None = None
    """Prompt tokens above which the whole request costs more."""
    above_input: float = 1.0
    """By which factor the prompt, cached or not, then costs more."""
    above_output: float = 1.0
    """By which factor the reply then costs more."""

    def cost(self, usage: Usage, written: int = 0, written_factor: float = 1.0) -> float:
        """Dollars for one request.

        Args:
            usage: Its tokens.
            written: How many of its prompt tokens were put into the cache.
            written_factor: By which factor that costs more than for five minutes.
        """
        long = self.above is not None and usage.prompt_tokens > self.above
        fresh = usage.prompt_tokens - usage.cached_tokens - written
        prompt = fresh * self.input + usage.cached_tokens * self.cached + written * self.written * written_factor
        reply = usage.completion_tokens * self.output
        return (prompt * (self.above_input if long else 1) + reply * (self.above_output if long else 1)) / _MILLION


def price_of(model: str) -> Price | None:
    """Price of a model, or of the model that it is a dated snapshot of; None if it is in no table.

    Raises:
        BackendError: The user's file cannot be read.
    """
    table = {**_shipped(), **_own()}
    fitting = [name for name in table if model.startswith(name) and _SNAPSHOT.fullmatch(model[len(name) :])]
    return table[max(fitting, key=len)] if fitting else None


def _shipped() -> Mapping[str, Price]:
    text = (files("adjudge_anthropic") / "prices.toml").read_text("utf-8")
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
    return {name: validated(f"{source}: price of {name}", Price, _whole(price)) for name, price in models.items()}


def _whole(price: Any) -> Any:
    """A price without a figure for writing into the cache gets the usual one, a quarter more than reading afresh."""
    known = isinstance(price, Mapping) and "written" not in price and isinstance(price.get("input"), int | float)
    return {**price, "written": price["input"] * 1.25} if known else price
