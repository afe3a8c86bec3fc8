"""Pairs of texts that follow and break a rule, and their splits."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from adjudge.checks.text import strict_json
from adjudge.errors import InputError
from adjudge.values import Frozen, Id

Split = Literal["fit", "choose", "final"]
"""`fit` gives the directions, `choose` the layer and the strength; `final` is seen by neither."""

SHARES = (0.4, 0.7)
"""Where `fit` ends and where `choose` ends, as shares of the sources."""
LEAST = 3
"""Fewest sources of a rule in each split."""


class Pair(Frozen):
    """One input with two replies."""

    id: Id
    """Unique in the file."""
    rule: Id
    """The rule that they are about."""
    input: Annotated[str, Field(min_length=1)]
    """What someone writes."""
    follows: Annotated[str, Field(min_length=1)]
    """A reply that follows the rule."""
    breaks: Annotated[str, Field(min_length=1)]
    """A reply that breaks it."""
    source: str = ""
    """What pairs that hang together have in common; they go to one split. The id if empty."""

    @model_validator(mode="after")
    def _differ(self) -> Pair:
        if self.follows.strip() == self.breaks.strip():
            raise ValueError("`follows` and `breaks` are the same text")
        return self

    @property
    def group(self) -> str:
        """What decides its split."""
        return self.source or self.id


def shipped() -> Path:
    """The shipped pairs: two rules of 36 pairs, synthetic, written for adjudge."""
    return Path(str(files("adjudge_steering") / "data" / "pairs_synthetic.jsonl"))


def neutral_texts(path: Path | None = None) -> list[str]:
    """Texts that are about no rule, one a line, to measure perplexity on; the shipped synthetic ones if None.

    Raises:
        InputError: The file cannot be read, or holds fewer than two texts.
    """
    source = path or files("adjudge_steering") / "data" / "neutral_synthetic.txt"
    try:
        found = [line.strip() for line in source.read_text("utf-8").splitlines() if line.strip()]
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    if len(found) < 2:  # noqa: PLR2004 - one half chooses, the other measures
        raise InputError(f"{path}: holds {len(found)} texts; give two or more, one a line")
    return found


def load_pairs(path: Path) -> list[Pair]:
    """Read pairs from a JSONL file.

    Raises:
        InputError: The file cannot be read or a line is no pair; names file and line.
    """
    try:
        lines = path.read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise InputError(f"{path}: cannot be read: {getattr(error, 'strerror', None) or error}") from None
    found: dict[str, Pair] = {}
    for number, line in enumerate(lines, 1):
        if line.strip():
            pair = _pair(line, f"{path}:{number}")
            if pair.id in found:
                raise InputError(f"{path}:{number}: the id {pair.id!r} stands there twice")
            found[pair.id] = pair
    if not found:
        raise InputError(f"{path}: holds no pairs; each line is {{id, rule, input, follows, breaks}}")
    return list(found.values())


def _pair(line: str, place: str) -> Pair:
    try:
        return Pair.model_validate(strict_json(line))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(map(str, first["loc"])) or "the pair"
        raise InputError(f"{place}: {where}: {first['msg']}") from None
    except (ValueError, RecursionError) as error:
        raise InputError(f"{place}: is no JSON: {error}") from None


def by_rule(pairs: Sequence[Pair]) -> dict[str, list[Pair]]:
    """The pairs of each rule, in order of appearance."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(pair.rule, []).append(pair)
    return found


def parted(pairs: Sequence[Pair]) -> dict[Split, list[Pair]]:
    """Part the pairs of one rule by source, the same way every time.

    Raises:
        InputError: There are too few sources for three splits.
    """
    groups = sorted({pair.group for pair in pairs}, key=lambda name: hashlib.sha256(name.encode()).hexdigest())
    ends = [round(share * len(groups)) for share in SHARES]
    names: dict[Split, set[str]] = {
        "fit": set(groups[: ends[0]]),
        "choose": set(groups[ends[0] : ends[1]]),
        "final": set(groups[ends[1] :]),
    }
    if min(map(len, names.values())) < LEAST:
        rule = pairs[0].rule if pairs else "?"
        raise InputError(f"the rule {rule!r} has pairs of {len(groups)} sources; give at least {LEAST * 4}")
    return {split: [pair for pair in pairs if pair.group in chosen] for split, chosen in names.items()}
