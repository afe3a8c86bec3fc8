"""Lexicons of the phrase-structure judges: concepts, directions, events and negations, read from TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

from adjudge.errors import InputError

Kind = Literal["concept", "direction", "event", "negation"]

SHIPPED = ("investor", "policy")
"""Lexicons of this distribution."""
_LISTS: Mapping[tuple[str, str], tuple[Kind, int]] = {
    ("concepts", "plus"): ("concept", 1),
    ("concepts", "minus"): ("concept", -1),
    ("directions", "up"): ("direction", 1),
    ("directions", "down"): ("direction", -1),
    ("events", "plus"): ("event", 1),
    ("events", "minus"): ("event", -1),
    ("negation", "words"): ("negation", 0),
}
"""Every list of a lexicon file, with what its words are and their sign."""
_OUTCOMES = ("plus", "minus", "neither")


@dataclass(frozen=True, slots=True)
class Entry:
    """One word or phrase of a lexicon."""

    words: tuple[str, ...]
    """Its words, in lower case; a star at the end of one stands for any ending."""
    kind: Kind
    """What it is."""
    sign: int
    """1 or -1. A concept: `plus` or `minus` when it rises. A direction: up or down. An event: `plus` or `minus`."""


@dataclass(frozen=True)
class Lexicon:
    """Words and what they stand for, and the levels that a judge gives by them."""

    name: str
    """Short name."""
    version: str
    """Raised when a word changes."""
    summary: str
    """One line: from whose view it is."""
    outcomes: Mapping[str, str]
    """Ids of the levels for `plus`, `minus` and `neither`."""
    entries: Mapping[str, tuple[Entry, ...]]
    """Entries by their first word (without its star), the longest first."""

    def starting_with(self, word: str) -> Iterator[Entry]:
        """Entries whose first word this is, or a beginning of it."""
        for length in range(len(word), 0, -1):
            for entry in self.entries.get(word[:length], ()):
                if fits(entry.words[0], word):
                    yield entry


def fits(pattern: str, word: str) -> bool:
    """Whether a word is the one meant; a star at the end stands for any ending."""
    return word.startswith(pattern[:-1]) if pattern.endswith("*") else word == pattern


@cache
def lexicon(name: str) -> Lexicon:
    """A shipped lexicon by its name, or one of your own by the path of a TOML file.

    Raises:
        InputError: The file cannot be read or is no lexicon; names it and what is wrong.
    """
    if name in SHIPPED:
        return parse((files("adjudge_finance") / "data" / f"{name}.toml").read_text("utf-8"), name)
    try:
        return parse(Path(name).read_text("utf-8"), name)
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or error
        raise InputError(f"{name}: cannot be read ({why}); shipped lexicons are {', '.join(SHIPPED)}") from None


def parse(text: str, place: str) -> Lexicon:
    """A lexicon from the text of its TOML file.

    Args:
        text: The file.
        place: Its name, for messages.

    Raises:
        InputError: It is no TOML, a part is missing, or a word stands in two lists.
    """
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise InputError(f"{place}: no readable TOML ({error})") from None
    outcomes = _part(raw, "outcomes", place)
    if set(outcomes) != set(_OUTCOMES) or not all(isinstance(level, str) for level in outcomes.values()):
        raise InputError(f"{place}: [outcomes] must name the levels of {', '.join(_OUTCOMES)}")
    head = {field: str(raw.get(field, "")) for field in ("name", "version", "summary")}
    return Lexicon(**head, outcomes=outcomes, entries=_indexed(list(_entries(raw, place)), place))


def _part(raw: Mapping[str, Any], section: str, place: str) -> Mapping[str, Any]:
    part = raw.get(section)
    if not isinstance(part, dict):
        raise InputError(f"{place}: has no [{section}]; see the lexicons that adjudge-finance ships")
    return part


def _entries(raw: Mapping[str, Any], place: str) -> Iterator[Entry]:
    for (section, name), (kind, sign) in _LISTS.items():
        words = _part(raw, section, place).get(name)
        if not isinstance(words, list) or not all(isinstance(word, str) and word.strip("* ") for word in words):
            raise InputError(f"{place}: [{section}] {name} must be a list of words")
        for word in words:
            yield Entry(tuple(word.casefold().split()), kind, sign)


def _indexed(entries: list[Entry], place: str) -> dict[str, tuple[Entry, ...]]:
    first: dict[tuple[str, ...], Entry] = {}
    for entry in entries:
        other = first.setdefault(entry.words, entry)
        if other is not entry:
            raise InputError(f"{place}: {' '.join(entry.words)!r} stands twice; a word means one thing")
    index: dict[str, list[Entry]] = {}
    for entry in sorted(entries, key=lambda entry: -len(entry.words)):
        index.setdefault(entry.words[0].removesuffix("*"), []).append(entry)
    return {word: tuple(found) for word, found in index.items()}
