"""Steering vectors on disk: `vectors.safetensors` with the directions, `vectors.json` with everything about them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

from pydantic import Field, ValidationError

from adjudge.checks.text import strict_json
from adjudge.errors import InputError
from adjudge.values import Frozen, Id
from adjudge_steering.directions import Method

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Array = NDArray[np.float32]

VERSION = 1
TENSORS, ABOUT = "vectors.safetensors", "vectors.json"
_UNIT = 1e-3


class Figure(Frozen):
    """A measurement on pairs that no choice saw."""

    value: float | None
    low: float | None = None
    high: float | None = None
    n: int = 0


class Vector(Frozen):
    """What is known of a rule's direction."""

    rule: Id
    """The rule."""
    method: Method
    """How the direction was made."""
    layer: Annotated[int, Field(ge=0)]
    """The block whose output it is added to, from 0."""
    strength: Annotated[float, Field(ge=0, allow_inf_nan=False)]
    """How much of `scale` is added; 0 if no strength helped within the cap."""
    scale: Annotated[float, Field(gt=0, allow_inf_nan=False)]
    """Mean length of the states at that layer."""
    fitted: int = 0
    """Pairs that the direction was made of."""
    choice: Figure | None = None
    """By how much the probability of the reply that follows the rule rises, on the final pairs."""
    perplexity: float | None = None
    """Perplexity on final neutral texts, over that without steering."""

    @property
    def amount(self) -> float:
        """What the direction of length 1 is multiplied by at strength 1: `strength * scale`."""
        return self.strength * self.scale


class About(Frozen):
    """The contents of `vectors.json`."""

    format: Literal["adjudge-steering-vectors"] = "adjudge-steering-vectors"
    version: Annotated[int, Field(ge=1, strict=True)] = VERSION
    model: str
    """Name of the model, for people."""
    fingerprint: str
    """SHA-256 over weights, configuration and tokenizer."""
    layers: int
    """Blocks of the model."""
    width: int
    """Length of a hidden state."""
    vectors: tuple[Vector, ...]


class Vectors:
    """Directions with what is known of them."""

    def __init__(self, about: About, directions: dict[str, Array]) -> None:
        """Hold them together.

        Args:
            about: What is known.
            directions: By rule, each of length 1: shape (width,).
        """
        self.about, self.directions = about, directions

    def additions(self, rules: tuple[str, ...] = (), strength: float = 1.0) -> dict[int, Array]:
        """What to add to the output of which block; empty where nothing is to be added.

        Args:
            rules: Which rules to steer by; all if empty.
            strength: Over the chosen strength of each rule: 0 for none, 1 for as chosen.

        Raises:
            InputError: There is no vector for a rule.
        """
        known = {vector.rule: vector for vector in self.about.vectors}
        unknown = [rule for rule in rules if rule not in known]
        if unknown:
            raise InputError(f"no vector for the rule {unknown[0]!r}; there are: {', '.join(known)}")
        found: dict[int, Array] = {}
        for vector in known.values():
            amount = vector.amount * strength
            if amount and (not rules or vector.rule in rules):
                part = self.directions[vector.rule] * amount
                found[vector.layer] = found[vector.layer] + part if vector.layer in found else part
        return found

    def save(self, folder: Path) -> None:
        """Write both files; the second makes the first count.

        Raises:
            InputError: The folder cannot be written.
        """
        from safetensors.numpy import save

        try:
            folder.mkdir(parents=True, exist_ok=True)
            (folder / ABOUT).unlink(missing_ok=True)
            (folder / TENSORS).write_bytes(save(self.directions, metadata={"fingerprint": self.about.fingerprint}))
            (folder / ABOUT).write_text(self.about.model_dump_json(indent=1) + "\n", "utf-8")
        except OSError as error:
            raise InputError(f"{folder}: cannot be written: {error.strerror or error}") from None


def load_vectors(folder: Path, fingerprint: str | None = None) -> Vectors:
    """Read vectors.

    Args:
        folder: Where they are.
        fingerprint: The model that they are for; None to look at them only.

    Raises:
        InputError: They cannot be read, do not hold together, or belong to another model.
    """
    about = _about(folder / ABOUT)
    if fingerprint is not None and about.fingerprint != fingerprint:
        raise InputError(
            f"{folder}: made for {about.model} ({about.fingerprint[:12]}…), this model is {fingerprint[:12]}…; "
            "a direction means nothing in another model: fit it anew"
        )
    return Vectors(about, _directions(folder / TENSORS, about))


def _about(path: Path) -> About:
    try:
        value = strict_json(path.read_text("utf-8"))
        if isinstance(value, dict) and isinstance(value.get("version"), int) and value["version"] > VERSION:
            raise InputError(f"{path}: version {value['version']}, this adjudge-steering reads {VERSION}; upgrade it")
        found = About.model_validate(value)
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{path}: {'.'.join(map(str, first['loc'])) or 'the file'}: {first['msg']}") from None
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}; `adjudge steer fit` writes vectors") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: is no JSON: {error}") from None
    for vector in found.vectors:
        if vector.layer >= found.layers:
            raise InputError(f"{path}: the vector of {vector.rule!r} is for layer {vector.layer} of {found.layers}")
    return found


def _directions(path: Path, about: About) -> dict[str, Array]:
    import numpy as np
    from safetensors import SafetensorError
    from safetensors.numpy import load

    try:
        found: dict[str, Any] = load(path.read_bytes())
    except (OSError, SafetensorError, json.JSONDecodeError) as error:
        raise InputError(f"{path}: cannot be read: {error}") from None
    rules = [vector.rule for vector in about.vectors]
    if sorted(found) != sorted(rules):
        raise InputError(f"{path}: holds {sorted(found)}, {ABOUT} speaks of {sorted(rules)}")
    for rule, unit in found.items():
        if unit.shape != (about.width,) or not abs(np.linalg.norm(unit) - 1) < _UNIT:
            raise InputError(f"{path}: the direction of {rule!r} is not {about.width} finite numbers of length 1")
    return {rule: found[rule] for rule in rules}
