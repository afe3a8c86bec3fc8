"""What the text of a judge's reply says: its one JSON object, a level, the passages it cites. Nothing is guessed."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from adjudge.scale import Scale
from adjudge.submission import Text, as_text, message_at
from adjudge.verdict import JsonObject, Quote, Reply

_THINKING = re.compile(r"^\s*<think(?:ing)?>.*?</think(?:ing)?>", re.DOTALL | re.IGNORECASE)
_OPEN_THINKING = re.compile(r"^\s*<think(?:ing)?>", re.IGNORECASE)
_TRAILING_COMMA = re.compile(r",(\s*[}\]])")
_CLOSING = re.compile(r"\s*(?:```)?\s*")
_HALF_CHARACTER = re.compile("[\ud800-\udfff]")
_MAX_REPLY = 200_000


class UnreadableError(Exception):
    """A reply holds no answer that can be trusted; its text tells the judge (and the reader) why."""


class UndecidedError(UnreadableError):
    """A reply is whole, and its probabilities name no level; the same question would bring the same again."""


def parse_json_reply(reply: Reply) -> tuple[JsonObject, str]:
    """The one JSON object of a reply and how it was found.

    A ladder: strict JSON; then without reasoning tags, fences, text before it, trailing commas. Never more: a cut
    reply, NaN, a repeated key, a second object or text after the object (which may take it back) make it unreadable.

    Raises:
        UnreadableError: With the reason.
    """
    if reply.stop == "length":
        raise UnreadableError("the reply was cut at its token limit")
    text = reply.text.strip()
    if not text:
        raise UnreadableError("the reply is empty")
    if len(text) > _MAX_REPLY:
        raise UnreadableError("the reply is far too long")
    try:
        return _as_object(_decoded(text)), ""
    except _NotJsonError:
        return _as_object(_repaired(text)), "repaired: text before the JSON, a fence or a trailing comma removed"


def _repaired(text: str) -> Any:
    text = _THINKING.sub("", text)
    if _OPEN_THINKING.match(text):
        raise UnreadableError("the reply stops within its reasoning")
    start = text.find("{")
    if start < 0:
        raise UnreadableError("the reply holds no JSON object")
    # A comma is looked for only if need be: a text may hold ",]" too.
    try:
        return _only(text[start:])
    except _NotJsonError:
        pass
    try:
        return _only(_TRAILING_COMMA.sub(r"\1", text[start:]))
    except _NotJsonError as error:
        raise UnreadableError(f"the reply is not JSON: {error}") from None


def _only(text: str) -> Any:
    """The object that the text begins with, if nothing but the end of a fence follows it."""
    try:
        value, end = _DECODER.raw_decode(text)
    except (ValueError, RecursionError) as error:
        raise _NotJsonError(str(error)) from error
    if "{" in text[end:]:
        raise UnreadableError("the reply holds more than one JSON object")
    if not _CLOSING.fullmatch(text, end):
        raise UnreadableError("the reply goes on after the JSON object")
    return value


class _NotJsonError(Exception):
    """Not JSON as it stands; the repairs may still find it."""


def _decoded(text: str) -> Any:
    try:
        return _DECODER.decode(text)
    except (ValueError, RecursionError) as error:
        raise _NotJsonError from error


def _unique(pairs: list[tuple[str, Any]]) -> JsonObject:
    keys = [key for key, _ in pairs]
    if len(set(keys)) < len(keys):
        raise UnreadableError("the reply repeats a key")
    return dict(pairs)


def _refuse_constant(name: str) -> Any:
    raise UnreadableError(f"the reply holds {name}")


_DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse_constant)


def _as_object(value: Any) -> JsonObject:
    if not isinstance(value, dict):
        raise UnreadableError("the reply is JSON, but no object")
    return value


def is_text(value: Any) -> bool:
    """Whether a value is text of whole characters: half of one, written as an escape, cannot be stored."""
    return isinstance(value, str) and _HALF_CHARACTER.search(value) is None


_PUNCTUATION = ".,;:!\"'`*"


def level_of_word(value: Any, scale: Scale, words: Sequence[str] = ()) -> str:
    """The id of the level that a word stands for, case and outer punctuation aside; nothing is guessed.

    Args:
        value: A word or a whole number.
        scale: The scale.
        words: What was asked for, in level order; if these are not the scale's own words, ids do not count.

    Raises:
        UnreadableError: It is no word and no id of the scale.
    """
    if isinstance(value, int) and not isinstance(value, bool):
        value = str(value)
    if isinstance(value, str):
        # What was asked for comes first, and a word as it stands before one without its punctuation.
        for form, levels in _levels_by_name(scale, tuple(words)):
            found = levels.get(form(value).casefold())
            if found:
                return found
    shown = json.dumps(value, ensure_ascii=False, default=str)[:80].encode("utf-8", "backslashreplace").decode()
    raise UnreadableError(f"{shown} is not one of {', '.join(words or scale.words)}")


def _bare(word: str) -> str:
    return word.strip().strip(_PUNCTUATION).strip()


def _levels_by_name(scale: Scale, words: tuple[str, ...]) -> Sequence[tuple[Callable[[str], str], Mapping[str, str]]]:
    """How to fold a word and the level of each folded name, in the order in which to look; worked out once."""
    if words not in scale.memo:
        ids = () if words and words != scale.words else tuple(level.id for level in scale.levels)
        forms = (str.strip, _bare)
        scale.memo[words] = [
            (form, _unmistakable(form, names, scale)) for names in (words, scale.words, ids) for form in forms
        ]
    found: Sequence[tuple[Callable[[str], str], Mapping[str, str]]] = scale.memo[words]
    return found


def _unmistakable(form: Callable[[str], str], names: Sequence[str], scale: Scale) -> Mapping[str, str]:
    """The level of each folded name that is one level's alone."""
    folded = [form(name).casefold() for name in names]
    pairs = zip(folded, scale.levels, strict=False)
    return {name: level.id for name, level in pairs if name and folded.count(name) == 1}


def verify_quotes(quotes: Sequence[str], output: Text, start: int = 0) -> tuple[Quote, ...]:
    """Look each quote up in the output from `start` on; white space may differ, nothing else."""
    wanted = [quote for quote in quotes if quote.strip()]
    text = as_text(output) if wanted else ""
    return tuple(_locate(quote, output, text, start) for quote in wanted)


def _locate(quote: str, output: Text, text: str, start: int) -> Quote:
    # The judge was shown the neutralised text and may copy from that.
    shown = quote.replace("&lt;", "<").replace("&#91;", "[")
    patterns = (re.compile(_pattern(wanted)) for wanted in dict.fromkeys((quote, shown)))
    match = next(filter(None, (pattern.search(text, start) for pattern in patterns)), None)
    if match is None:
        return Quote(text=quote)
    return Quote(text=quote, start=match.start(), end=match.end(), message=message_at(output, match.start()))


def _pattern(quote: str) -> str:
    return r"\s+".join(map(re.escape, quote.split()))
