"""Lines that each hold the hash of the one before, so that a change of any of them shows.

A sealed line is a JSON object as `json.dumps` writes it. Its last two members are `previous`, the hash of the line
before (64 zeros in the first), and `hash`, the SHA-256 of the line without that member.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import JsonValue

START = "0" * 64
"""What the first line holds as the hash of the one before."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A line that holds."""

    line: int
    """Its number, from 1."""
    content: Mapping[str, Any]
    """What it says, without both hashes."""
    hash: str
    """Its own hash, as 64 hexadecimal digits."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first line that does not hold; nothing is known of those after it."""

    line: int
    """Its number, from 1."""
    problem: str
    """What is wrong with it."""


@dataclass(frozen=True, slots=True)
class Chain:
    """What the bytes of a file hold."""

    lines: Sequence[Sealed]
    """All lines up to the first broken or torn one."""
    broken: Broken | None = None
    """The first broken line."""
    torn: bytes = b""
    """What stands after the last line feed, if it is no whole line: it was cut off while it was written."""

    @property
    def head(self) -> str:
        """Hash of the last line that holds."""
        return self.lines[-1].hash if self.lines else START


def seal(content: Mapping[str, JsonValue], previous: str) -> tuple[bytes, str]:
    """The line that says `content` after the line with the hash `previous`, ending in a line feed; and its hash."""
    linked = {**content, "previous": previous}
    own = _hash(linked)
    return _dumped({**linked, "hash": own}) + b"\n", own


def unchain(data: bytes) -> Chain:
    """Read sealed lines and check each."""
    *whole, rest = data.split(b"\n")
    lines: list[Sealed] = []
    previous = START
    for number, line in enumerate(whole, start=1):
        found = _checked(number, line, previous)
        if isinstance(found, Broken):
            return Chain(lines, broken=found)
        lines.append(found)
        previous = found.hash
    last = _checked(len(lines) + 1, rest, previous)
    if isinstance(last, Sealed):  # only its line feed is missing
        return Chain([*lines, last])
    return Chain(lines, torn=rest)


def _checked(number: int, line: bytes, previous: str) -> Sealed | Broken:
    try:
        value = json.loads(line)
        written = _dumped(value)
    except (ValueError, RecursionError):
        return Broken(number, "is no JSON")
    if not isinstance(value, dict) or list(value)[-2:] != ["previous", "hash"] or written != line:
        return Broken(number, "is not written as sealed lines are")
    seen = value.pop("hash")
    if seen != _hash(value):
        return Broken(number, "was changed after it was written")
    if value.pop("previous") != previous:
        return Broken(number, "does not follow the line before it: a line was taken out, put in or moved")
    return Sealed(number, value, seen)


def _dumped(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, allow_nan=False).encode()


def _hash(linked: Mapping[str, Any]) -> str:
    return hashlib.sha256(_dumped(linked)).hexdigest()
