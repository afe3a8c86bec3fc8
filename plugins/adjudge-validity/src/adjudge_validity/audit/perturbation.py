"""Perturbations: pure functions that change one trait of a submission and leave everything else as it was.

Adding one to the catalogue is a function and the line above it: `@perturbation("verbosity", "praises the question")`.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

from adjudge.submission import Message, Submission, Text

Change: TypeAlias = Callable[[Submission, int], Submission | None]
"""From a submission, whose rubric is filled in, and a seed to the changed submission; None if there is nothing to
change in this one. The same submission and seed give the same result."""

_SENTENCE = re.compile(r"(?<=[.!?])\s+|(?<=[。！？])")


@dataclass(frozen=True, kw_only=True)
class Perturbation:
    """A named change."""

    name: str
    """Unique in the catalogue."""
    audit: str
    """The audit that it belongs to."""
    summary: str
    """One line."""
    change: Change
    """The change."""
    control: Change | None = None
    """What the changed submission is compared with, where that is not the submission as it was."""
    whole: bool = False
    """In a comparison: changes both sides alike (the rubric, the input), not one of them."""
    alone: bool = False
    """Says something of single submissions only, nothing of comparisons."""
    again: int = 0
    """Which further time the same question is asked, past the ledger; 0 for one that is new anyway."""
    family: str = ""
    """What sort of thing it is, if there are several in an audit."""
    language: str = ""
    """BCP 47 tag, if it matters."""


CATALOGUE: dict[str, Perturbation] = {}
"""Every perturbation by name."""


def add(one: Perturbation) -> None:
    """Put a perturbation into the catalogue.

    Raises:
        ValueError: There is another one of that name.
    """
    if one.name in CATALOGUE:
        raise ValueError(f"two perturbations are named {one.name!r}")
    CATALOGUE[one.name] = one


def perturbation(audit: str, summary: str, **fields: Any) -> Callable[[Change], Change]:
    """Put the function below into the catalogue, under its own name with hyphens.

    Args:
        audit: The audit that it belongs to.
        summary: One line.
        fields: Further fields of `Perturbation`.
    """

    def added(change: Change) -> Change:
        name = change.__name__.replace("_", "-")
        add(Perturbation(name=name, audit=audit, summary=summary, change=change, **fields))
        return change

    return added


def with_output(submission: Submission, change: Callable[[str], str]) -> Submission | None:
    """The submission with its output changed; of a conversation, the last text that the assistant says.

    None if there is no such text, or the change changes nothing.
    """
    output = _changed(submission.output, change)
    return None if output == submission.output else submission.model_copy(update={"output": output})


def with_texts(submission: Submission, change: Callable[[str], str]) -> Submission | None:
    """The submission with every text changed: input, output, reference and context; None if nothing changes."""

    def every(text: Text) -> Text:
        if isinstance(text, str):
            return change(text)
        return tuple(one.model_copy(update={"content": change(one.content)}) for one in text)

    changed = submission.model_copy(
        update={
            "input": every(submission.input),
            "output": every(submission.output),
            "reference": None if submission.reference is None else change(submission.reference),
            "context": None if submission.context is None else change(submission.context),
        }
    )
    return None if changed == submission else changed


def sentences(text: str) -> list[str]:
    """The sentences of a text, without the spaces between them."""
    return [part.strip() for part in _SENTENCE.split(text) if part.strip()]


def _changed(text: Text, change: Callable[[str], str]) -> Text:
    if isinstance(text, str):
        return change(text)
    said = [place for place, one in enumerate(text) if one.role == "assistant" and one.kind == "text"]
    if not said:
        return text
    last: Message = text[said[-1]]
    return (*text[: said[-1]], last.model_copy(update={"content": change(last.content)}), *text[said[-1] + 1 :])
