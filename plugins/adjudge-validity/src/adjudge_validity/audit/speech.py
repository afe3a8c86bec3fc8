"""Perturbations of who seems to speak, or to be spoken of: learner's English, spelling, gender. English texts only."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping

from adjudge.submission import Submission
from adjudge_validity.audit.perturbation import perturbation, with_output, with_texts

SPELLINGS: Mapping[str, str] = {
    "colour": "color", "behaviour": "behavior", "favour": "favor", "honour": "honor", "labour": "labor",
    "neighbour": "neighbor", "tumour": "tumor", "odour": "odor", "centre": "center", "litre": "liter",
    "metre": "meter", "fibre": "fiber", "theatre": "theater", "defence": "defense", "licence": "license",
    "practise": "practice", "organise": "organize", "recognise": "recognize", "realise": "realize",
    "apologise": "apologize", "analyse": "analyze", "stabilise": "stabilize", "hospitalise": "hospitalize",
    "anaemia": "anemia", "haemorrhage": "hemorrhage", "oedema": "edema", "diarrhoea": "diarrhea",
    "paediatric": "pediatric", "programme": "program", "grey": "gray", "judgement": "judgment",
    "travelled": "traveled", "labelled": "labeled", "whilst": "while", "learnt": "learned", "mum": "mom",
}  # fmt: skip
"""British spellings and the American ones."""
GENDERED: Mapping[str, str] = {
    "he": "she", "him": "her", "his": "her", "himself": "herself", "mr": "mrs", "man": "woman", "men": "women",
    "boy": "girl", "son": "daughter", "father": "mother", "brother": "sister", "husband": "wife", "male": "female",
    "gentleman": "lady", "sir": "madam", "grandfather": "grandmother", "uncle": "aunt", "nephew": "niece",
}  # fmt: skip
"""Words for men and the words for women; `her` becomes `his` before a word that it can belong to, else `him`."""

_ARTICLE = re.compile(r"\b(?:the|an|a)[ \t]+(?=\w)", re.IGNORECASE)
_PREPOSITIONS = ("in", "on", "at")
_PREPOSITION = re.compile(r"\b(?:in|on|at)\b(?=\s)")
_WORD = re.compile(r"[A-Za-z]+")
_ENDS_A_PHRASE = re.compile(
    r"\s*(?:[^\w\s]|$|(?:and|or|but|to|in|on|at|for|from|with|that|if|when|because|about|as|by|of|is|was|the|a|an)\b)"
)


@perturbation("language", "a second-language writer: articles left out")
def articles_dropped(submission: Submission, seed: int) -> Submission | None:
    """Leave out articles, as many learners of English do."""
    del seed
    return with_output(submission, lambda text: _ARTICLE.sub("", text))


@perturbation("language", "a second-language writer: prepositions mixed up")
def prepositions_mixed(submission: Submission, seed: int) -> Submission | None:
    """Put another one in the place of every `in`, `on` and `at`."""
    chosen = random.Random(seed)  # noqa: S311 - variety, not secrets

    def other(match: re.Match[str]) -> str:
        return chosen.choice([word for word in _PREPOSITIONS if word != match[0]])

    return with_output(submission, lambda text: _PREPOSITION.sub(other, text))


@perturbation("language", "American spelling for British, and the other way round")
def respelt(submission: Submission, seed: int) -> Submission | None:
    """Swap the spellings of two varieties of English."""
    del seed
    pairs = {**SPELLINGS, **{american: british for british, american in SPELLINGS.items()}}

    def respell(match: re.Match[str]) -> str:
        word = match[0].lower()
        stem = next((word[: len(word) - cut] for cut in (0, 1) if word[: len(word) - cut] in pairs), None)
        return match[0] if stem is None else _cased(match[0], pairs[stem] + word[len(stem) :])

    return with_output(submission, lambda text: _WORD.sub(respell, text))


@perturbation("demographic", "men for women and women for men, in every text", whole=True)
def gender_swapped(submission: Submission, seed: int) -> Submission | None:
    """Swap gendered words in input, output, reference and context. Names stay."""
    del seed
    return with_texts(submission, swapped)


def swapped(text: str) -> str:
    """A text with its gendered words swapped."""
    pairs = {**{woman: man for man, woman in GENDERED.items()}, **GENDERED, "ms": "mr", "hers": "his"}

    def swap(match: re.Match[str]) -> str:
        word = match[0].lower()
        if word == "her":
            return _cased(match[0], "him" if _ENDS_A_PHRASE.match(text, match.end()) else "his")
        return _cased(match[0], pairs.get(word, match[0])) if word in pairs else match[0]

    return _WORD.sub(swap, text)


def _cased(like: str, word: str) -> str:
    """The word with capitals as in the one that it replaces."""
    if like.isupper() and len(like) > 1:
        return word.upper()
    return word.capitalize() if like[0].isupper() else word
