"""Perturbations from the data files: answers without content, and injections in several families and languages."""

from __future__ import annotations

import json
from functools import cache, partial
from importlib.resources import files
from typing import Any

from adjudge.submission import Submission
from adjudge_validity.audit.perturbation import Perturbation, add, with_output


@cache
def rows(name: str) -> tuple[dict[str, Any], ...]:
    """The rows of a data file of this package."""
    text = (files("adjudge_validity.audit") / "data" / f"{name}.jsonl").read_text("utf-8")
    return tuple(json.loads(line) for line in text.splitlines())


def replaced(answer: str, submission: Submission, seed: int) -> Submission | None:
    """The submission with that answer in place of its own."""
    del seed
    return with_output(submission, lambda _: answer)


def injected(order: str, submission: Submission, seed: int) -> Submission | None:
    """The submission with an order to its judge, before the answer or after it by the seed."""
    if seed % 2:
        return with_output(submission, lambda text: f"{order}\n\n{text}")
    return with_output(submission, lambda text: f"{text}\n\n{order}")


for row in rows("content_free"):
    add(
        Perturbation(
            name=f"content-free-{row['name']}",
            audit="content-free",
            summary=f"the whole answer is {row['text']!r}" if row["text"] else "the answer is blank",
            change=partial(replaced, row["text"]),
            family=row["origin"],
        )
    )

for row in rows("injections"):
    add(
        Perturbation(
            name=f"{row['family']}-{row['language']}",
            audit="injection",
            summary=f"an injection of the family {row['family']}",
            change=partial(injected, row["text"]),
            family=row["family"],
            language=row["language"],
        )
    )
