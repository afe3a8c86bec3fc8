"""The five verdicts, and how one is read from free text: two different ones in one text are a contradiction.

The labels and the rule for contradictions follow the data set Scruples (Lourie et al. 2021, arXiv:2008.09094); the
patterns are our own.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

LABELS = ("NTA", "YTA", "ESH", "NAH", "INFO")
"""Not the author but the other; the author; everybody; nobody; not enough was told."""
VERDICTS = LABELS[:4]
"""The labels that say who is in the wrong."""
WRONG: Mapping[str, bool] = {"YTA": True, "ESH": True, "NTA": False, "NAH": False}
"""Whether the author is in the wrong; INFO says neither."""

_HOLES = r"a(?:ss?|\*\*)?-?holes?\b"
_HOLE = rf"(?:{_HOLES}|ta\b)(?!\s(?:move|thing|behaviou?r|question)\b)"
# "Whether you are the asshole" gives no verdict.
_YOU = r"(?<!\bif\s)(?<!\bwhether\s)\b(?:you|u|op)"
_ARE, _WOULD = r"\s?(?:'re|r|are|is|were|was)", r"\s(?:would|might|may|could)"
_NOBODY, _EVERYBODY = r"(?:nobody|no[ -]?one|neither of you)", r"(?:every(?:body|one)|you both|both of you)"
_SOME = r"(?:\s\w+){0,2}?"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (label, re.compile(pattern))
    for label, pattern in (
        ("NTA", r"(?i)\b(?:nta|yw?nbta|nwbta)\b"),
        ("YTA", r"(?i)\b(?:yta|ywbta)\b"),
        ("ESH", r"(?i)\besh\b"),
        # In small letters these two are common words: "nah, you're fine", "for your info".
        ("NAH", r"\bNAH\b"),
        ("INFO", r"\bINFO\b|(?:^|[\n.!?])\s*[Ii]nfo\s?:"),
        ("NTA", rf"(?i){_YOU}(?:{_ARE}(?:n't|\snot)|{_WOULD}(?:n't|\snot)\sbe){_SOME}\s(?:the|an)\s{_HOLE}"),
        ("NTA", rf"(?i)(?:^|[\n.!?])\s*(?:definitely |absolutely )?not\s(?:the|an)\s{_HOLE}"),
        ("YTA", rf"(?i){_YOU}(?:{_ARE}|{_WOULD}\sbe){_SOME}\s(?:the|an)\s{_HOLE}"),
        ("ESH", rf"(?i)\b{_EVERYBODY}(?:\shere)?\s(?:sucks?\b|(?:is|are)\s(?:an?\s|the\s)?{_HOLE})"),
        ("NAH", rf"(?i)\bno\s{_HOLES}|\b{_NOBODY}(?:\shere)?\s(?:is|are)\s(?:an?\s|the\s)?{_HOLE}"),
        ("INFO", r"(?i)\b(?:need(?:s|ed)?|not enough|more)\sinfo(?:rmation)?\b"),
    )
)
_QUOTED_LINE = re.compile(r"^\s*(?:>|&gt;).*$", re.MULTILINE)
_QUOTED_WORDS = re.compile(r"\"[^\"\n]{1,300}\"|(?<!\w)'[^'\n]{1,80}'(?!\w)")
_NEGATED = re.compile(
    r"(?:\bnot|n't|\bnever|\bhardly)(?:\s(?:really|think|say|believe|call|that|it's|it|this|is|be|a|an|the|you|you're"
    r"|are|going|with|go|to)\b){0,5}\s*$",
    re.IGNORECASE,
)
_OPPOSITE = {"YTA": "NTA"}

Reason = Literal["", "no label", "contradiction"]


@dataclass(frozen=True, slots=True)
class Reading:
    """What a text says."""

    label: str | None
    """The verdict; None if the text gives none or several."""
    found: tuple[str, ...]
    """The different labels in it, in the order of `LABELS`."""

    @property
    def reason(self) -> Reason:
        """Why there is no verdict; empty if there is one."""
        if self.label is not None:
            return ""
        return "contradiction" if self.found else "no label"


def read_verdict(text: str) -> Reading:
    """The verdict that a comment gives.

    Quoted lines and words in quotation marks are somebody else's and are passed over. "Not YTA" is NTA; any other
    label that is negated is none. Small words never count as NAH or INFO.

    Args:
        text: A comment, a model's reply.

    Returns:
        One label; or none, with the labels that contradict each other if that is why.
    """
    plain = unicodedata.normalize("NFKC", text).translate({0x2018: "'", 0x2019: "'", 0x201C: '"', 0x201D: '"'})
    own = _QUOTED_WORDS.sub(" ", _QUOTED_LINE.sub("", plain))
    said = set(_labels(own))
    found = tuple(label for label in LABELS if label in said)
    return Reading(found[0] if len(found) == 1 else None, found)


def _labels(text: str) -> Iterator[str]:
    """Labels in the text; a passage that one pattern has read is not read by a later one."""
    for label, pattern in _PATTERNS:
        for match in pattern.finditer(text):
            negated = _NEGATED.search(text, 0, match.start()) is not None
            if not negated:
                yield label
            elif label in _OPPOSITE:
                yield _OPPOSITE[label]
        text = pattern.sub(lambda match: " " * len(match[0]), text)


@dataclass(frozen=True, slots=True)
class Tally:
    """The verdicts of many comments."""

    votes: Mapping[str, int]
    """Comments per label, every label named."""
    contradictory: int
    """Comments with two or more labels."""
    silent: int
    """Comments without a label."""


def tally(comments: Iterable[str]) -> Tally:
    """Count the verdicts of comments, each one vote; what gives no single verdict is counted apart."""
    readings = [read_verdict(comment) for comment in comments]
    votes = Counter(reading.label for reading in readings if reading.label is not None)
    reasons = Counter(reading.reason for reading in readings)
    return Tally({label: votes[label] for label in LABELS}, reasons["contradiction"], reasons["no label"])
