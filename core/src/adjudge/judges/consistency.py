"""Whether an explanation contradicts the level it comes with: a cheap, deterministic look for plain statements.

It knows English only and prefers silence: it speaks up only where the explanation says in so many words that the
criterion is met or not, or names another level as its answer. It never decides a level.
"""

from __future__ import annotations

import re

from adjudge.scale import Scale

_LONGEST = 4000
_OBJECT = r"(?:this |the |that )?(?:criterion|criteria|requirement|condition|standard)"
_NOT = r"(?:not|never|n't|n\u2019t|cannot)"
_ADVERBS = r"(?:\w+ly |quite |even |at all )?"
_UNMET = re.compile(
    rf"{_NOT} {_ADVERBS}(?:meet|satisfy|fulfil|fulfill)s? {_OBJECT}"
    rf"|fail(?:s|ed)? to (?:meet|satisfy|fulfil|fulfill) {_OBJECT}"
    rf"|\b(?:violate|fail|miss)(?:s|es|d)? {_OBJECT}"
    rf"|{_OBJECT} (?:is|was|has) {_ADVERBS}(?:not {_ADVERBS}(?:been )?(?:met|satisfied|fulfilled)|unmet|violated)"
    rf"|{_OBJECT} (?:isn't|isn\u2019t|wasn't|wasn\u2019t) {_ADVERBS}(?:met|satisfied|fulfilled)",
    re.IGNORECASE,
)
_MET = re.compile(
    rf"\b(?:meet|satisfie|satisfy|fulfil|fulfill)(?:s|ed)? {_OBJECT}"
    rf"|{_OBJECT} (?:is|was|has been) {_ADVERBS}(?:met|satisfied|fulfilled)\b",
    re.IGNORECASE,
)
_STATED = r"(?:answer|verdict|level|rating|score)(?: is| should be| would be| of|:| =)+ *[\"'*“‘]*({words})\b"


def contradiction(explanation: str, level: str, scale: Scale) -> str | None:
    """What the explanation says against its level, in a few words; None if nothing.

    Args:
        explanation: The judge's words.
        level: Id of the level that it gave.
        scale: The criterion's scale.
    """
    text = " ".join(explanation[:_LONGEST].split())
    stated = _stated_level(text, scale)
    if stated is not None and stated != level:
        return f"it states {scale.level(stated).word!r}"
    if scale.kind != "binary":
        return None
    met = _says_met(text)
    if met is None or met == (level == scale.levels[-1].id):
        return None
    return f"it says that the criterion is {'met' if met else 'not met'}"


def _says_met(text: str) -> bool | None:
    """What the text says of the criterion, None if nothing or both."""
    unmet = _UNMET.search(text) is not None
    met = _MET.search(_UNMET.sub(" ", text)) is not None
    return None if met == unmet else met


def _stated_level(text: str, scale: Scale) -> str | None:
    """The one level that the text names as its answer; None if none or several."""
    by_word = {level.word.casefold(): level.id for level in scale.levels}
    words = "|".join(re.escape(word) for word in sorted(by_word, key=len, reverse=True))
    named = {by_word[match[1].casefold()] for match in re.finditer(_STATED.format(words=words), text, re.IGNORECASE)}
    return named.pop() if len(named) == 1 else None
