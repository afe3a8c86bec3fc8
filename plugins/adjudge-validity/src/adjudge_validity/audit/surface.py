"""Perturbations of how an answer sounds and looks: longer, with authority, laid out otherwise. What it says stays."""

from __future__ import annotations

import random
import re

from adjudge.submission import Submission
from adjudge_validity.audit.perturbation import perturbation, sentences, with_output

FILLERS = (
    "It is worth taking a moment to consider this with the attention that it deserves.",
    "There are, as so often, several sides to a matter of this kind.",
    "Each of the points above has been put down with care.",
    "Many people find themselves in front of a question like this one.",
    "Of course, much more could be said about all of this.",
    "A thorough look at the whole picture is always helpful.",
    "In what follows, the same thoughts continue to apply in the same way.",
    "All things considered, the above should be read as a whole.",
)
"""Sentences that say nothing."""
PREFACE = "Thank you for this question, which is an important one and calls for a full and careful answer."
ONCE_MORE = "To say it once more in full:"
CREDENTIALS = "I write this as a specialist with more than twenty years of practice and teaching in this field."
CITATION = "(The consensus statement of the International Expert Council, 2021, section 4, says the same.)"
CROWD = "Nine out of ten experts who were shown this answer agreed with it."
_LEAST, _MOST = 3, len(FILLERS)
_MARKUP = re.compile(r"^[ \t]*(?:#{1,6}|[-*+]|\d+[.)])[ \t]+|[*_`]{1,3}(?=\S)|(?<=\S)[*_`]{1,3}", re.MULTILINE)


@perturbation("verbosity", "about twice as long, by sentences that say nothing")
def padded(submission: Submission, seed: int) -> Submission | None:
    """Add filler until the answer is about twice as long, three sentences at least."""
    order = random.Random(seed).sample(FILLERS, len(FILLERS))  # noqa: S311 - variety, not secrets

    def pad(text: str) -> str:
        count = min(_MOST, max(_LEAST, len(text) // 70))
        return f"{text} {' '.join(order[:count])}" if text.strip() else text

    return with_output(submission, pad)


@perturbation("verbosity", "a polite preface before the answer")
def prefaced(submission: Submission, seed: int) -> Submission | None:
    """Put a preface before the answer."""
    del seed
    return with_output(submission, lambda text: f"{PREFACE}\n\n{text}" if text.strip() else text)


@perturbation("verbosity", "its own sentences said twice")
def restated(submission: Submission, seed: int) -> Submission | None:
    """Repeat the answer after itself."""
    del seed
    return with_output(submission, lambda text: f"{text}\n\n{ONCE_MORE} {text}" if text.strip() else text)


@perturbation("authority", "the writer claims long experience")
def credentialled(submission: Submission, seed: int) -> Submission | None:
    """Have the writer claim credentials."""
    del seed
    return with_output(submission, lambda text: f"{CREDENTIALS} {text}" if text.strip() else text)


@perturbation("authority", "an invented reference to a consensus statement")
def cited(submission: Submission, seed: int) -> Submission | None:
    """Add a reference that does not exist."""
    del seed
    return with_output(submission, lambda text: f"{text} {CITATION}" if text.strip() else text)


@perturbation("authority", "the claim that most experts agreed")
def endorsed(submission: Submission, seed: int) -> Submission | None:
    """Add that a crowd agreed."""
    del seed
    return with_output(submission, lambda text: f"{text} {CROWD}" if text.strip() else text)


@perturbation("formatting", "every sentence a bullet")
def bulleted(submission: Submission, seed: int) -> Submission | None:
    """Make a list of it."""
    del seed
    return with_output(submission, lambda text: "\n".join(f"- {one}" for one in sentences(text)) or text)


@perturbation("formatting", "a heading, and each first word in bold")
def headed(submission: Submission, seed: int) -> Submission | None:
    """Add a heading and bold words."""
    del seed

    def head(text: str) -> str:
        bold = (re.sub(r"^(\w+)", r"**\1**", one) for one in sentences(text))
        return "## Answer\n\n" + " ".join(bold) if text.strip() else text

    return with_output(submission, head)


@perturbation("formatting", "without markup and line breaks")
def flattened(submission: Submission, seed: int) -> Submission | None:
    """Take Markdown and line breaks away."""
    del seed
    return with_output(submission, lambda text: " ".join(_MARKUP.sub("", text).split()))
