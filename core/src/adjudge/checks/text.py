"""What checks look at in a text: words, numbers, JSON. Nothing here depends on a language."""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterator
from typing import Any

from adjudge.submission import Text

_NUMBER = re.compile(r"(?:(?<!\d)[-+\u2212])?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?(?:[eE][-+]?\d+)?")
_IDEOGRAPHS = re.compile(r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")
_WORD = re.compile(r"\w+(?:['\u2019-]\w+)*")


def folded(text: str, *, ignore_case: bool) -> str:
    """Composed Unicode, so that two spellings of one letter are equal; spaces at the ends do not count."""
    plain = unicodedata.normalize("NFC", text).strip()
    return plain.casefold() if ignore_case else plain


def answer_text(output: Text) -> str:
    """The text that is checked: of a conversation, what the assistant says, thinking and tools left out."""
    if isinstance(output, str):
        return output
    said = (message.content for message in output if message.role == "assistant" and message.kind == "text")
    return "\n\n".join(said)


def words(text: str) -> int:
    """Number of words; each CJK character is one."""
    ideographs = len(_IDEOGRAPHS.findall(text))
    return ideographs + len(_WORD.findall(_IDEOGRAPHS.sub(" ", text)))


def numbers(text: str) -> Iterator[float]:
    """Numbers in a text: decimal point, commas between thousands, exponents."""
    for match in _NUMBER.finditer(unicodedata.normalize("NFKC", text)):
        value = float(match[0].replace(",", "").replace("\u2212", "-"))
        if math.isfinite(value):
            yield value


def last_number(text: str) -> float | None:
    """The last number in a text, None if there is none."""
    found = list(numbers(text))
    return found[-1] if found else None


def strict_json(text: str) -> Any:
    """The value of a JSON text, without NaN and repeated keys.

    Raises:
        ValueError: It is no JSON.
        RecursionError: It is nested too deeply.
    """
    return json.loads(text, parse_constant=_refuse, object_pairs_hook=_unique)


def _refuse(name: str) -> Any:
    raise ValueError(f"{name} is no JSON value")


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a key stands there twice")
    return found
