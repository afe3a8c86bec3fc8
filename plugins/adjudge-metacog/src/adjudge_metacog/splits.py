"""Splits of cases by their source, so that what a rule was learned from never proves it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

PARTS: Mapping[str, float] = {"learn": 0.4, "gate": 0.4, "final": 0.2}
"""Rules are found on `learn`, proved on `gate`, and every figure that is reported comes from `final`."""


def place_of(source: str, seed: int = 0) -> float:
    """Where a source stands between 0 and 1: by its hash, whatever other sources there are."""
    digest = hashlib.sha256(f"{seed}\x00{source}".encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(digest[:8], "big") / 2**64


def part_of(source: str, seed: int = 0, parts: Mapping[str, float] = PARTS) -> str:
    """The part that a source belongs to: the same for all of its cases, whatever other sources there are.

    Args:
        source: What cases share that come from one place: a document, a scenario, a pair of twins.
        seed: Another seed gives another split.
        parts: Names and shares; the shares sum to 1.
    """
    place, reached = place_of(source, seed), 0.0
    for name, share in parts.items():
        reached += share
        if place < reached:
            return name
    return list(parts)[-1]


def split(sources: Iterable[str], seed: int = 0, parts: Mapping[str, float] = PARTS) -> dict[str, list[str]]:
    """The sources of each part, each once and in order of appearance."""
    found: dict[str, list[str]] = {name: [] for name in parts}
    for source in dict.fromkeys(sources):
        found[part_of(source, seed, parts)].append(source)
    return found
