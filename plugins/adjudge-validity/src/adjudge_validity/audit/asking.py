"""Perturbations of the question: order of levels and criteria, wording, asking again; and the answer's signature."""

from __future__ import annotations

import random
from functools import partial
from string import ascii_uppercase
from typing import Any

from adjudge.checks import CHECK
from adjudge.rubric import Criterion, Rubric, ScoringChoice
from adjudge.scale import Level, Scale
from adjudge.submission import Submission
from adjudge_validity.audit.perturbation import Perturbation, add, perturbation, with_output

WORDINGS = ("default", "assessor", "brief", "reviewer")
"""Templates that say the same in other words."""
OTHER_AUTHOR = "an unnamed model of another maker"
AGAIN = 2
"""How often the same question is asked once more, at most."""


def with_rubric(submission: Submission, rubric: Rubric) -> Submission:
    """The submission, judged by that rubric."""
    return submission.model_copy(update={"rubric": rubric})


def rubric_of(submission: Submission) -> Rubric:
    """The submission's rubric, which is filled in before anything is changed."""
    assert submission.rubric is not None, submission.id
    return submission.rubric


def _options(submission: Submission, *, reverse: bool) -> Submission:
    """Every scale as a choice among options, listed forwards or backwards; so that the order alone differs."""
    rubric = rubric_of(submission)
    key = f"audit: levels as options, {reverse=}"
    if key not in rubric.memo:
        criteria = tuple(_as_options(criterion, reverse=reverse) for criterion in rubric.criteria)
        none = ScoringChoice(name="none")
        rubric.memo[key] = rubric.model_copy(update={"criteria": criteria, "scoring": none, "tests": ()})
    return with_rubric(submission, rubric.memo[key])


def _as_options(criterion: Criterion, *, reverse: bool) -> Criterion:
    given = criterion.scale
    levels = given.levels[::-1] if reverse else given.levels
    named = given.kind == "ordinal" and not all(map(str.isdecimal, given.words))
    if named and len(levels) <= len(ascii_uppercase):
        levels = tuple(_lettered(letter, level) for letter, level in zip(ascii_uppercase, levels, strict=False))
    changes = {"scale": Scale(kind="labels", levels=levels), "depends_on": (), "examples": ()}
    return criterion.model_copy(update={**changes, "options": _with_levels_of_the_check(criterion)})


def _with_levels_of_the_check(criterion: Criterion) -> dict[str, Any]:
    """The options, with the levels that a check gives: unless it names them, the lowest and highest of the order."""
    options, levels = dict(criterion.options), criterion.scale.levels
    if isinstance(check := options.get(CHECK), dict):
        options[CHECK] = {"levels": [levels[0].id, levels[-1].id], **check}
    return options


def _lettered(letter: str, level: Level) -> Level:
    """The level as an option: its numbers would tell the order, and its word can be too long for a small model."""
    meaning = ": ".join(filter(None, (level.word, level.anchor)))
    return level.model_copy(update={"label": letter, "anchor": meaning})


def levels_forwards(submission: Submission, seed: int) -> Submission | None:
    """The control of `levels_backwards`: the same form of the question, in the rubric's order."""
    del seed
    return _options(submission, reverse=False)


@perturbation("levels", "the levels listed backwards", control=levels_forwards, whole=True, alone=True)
def levels_backwards(submission: Submission, seed: int) -> Submission | None:
    """List the levels of every scale backwards."""
    del seed
    return _options(submission, reverse=True)


def _in_order(submission: Submission, criteria: tuple[Criterion, ...]) -> Submission | None:
    rubric = rubric_of(submission)
    if criteria == rubric.criteria:
        return None
    key = f"audit: criteria {'+'.join(criterion.id for criterion in criteria)}"
    if key not in rubric.memo:
        rubric.memo[key] = rubric.model_copy(update={"criteria": criteria, "tests": ()})
    return with_rubric(submission, rubric.memo[key])


@perturbation("criteria", "the criteria in reverse order", whole=True)
def criteria_backwards(submission: Submission, seed: int) -> Submission | None:
    """Reverse the criteria."""
    del seed
    return _in_order(submission, rubric_of(submission).criteria[::-1])


@perturbation("criteria", "the criteria in an order of chance", whole=True)
def criteria_shuffled(submission: Submission, seed: int) -> Submission | None:
    """Shuffle the criteria."""
    criteria = list(rubric_of(submission).criteria)
    random.Random(seed).shuffle(criteria)  # noqa: S311 - variety, not secrets
    return _in_order(submission, tuple(criteria))


def reworded(template: str, submission: Submission, seed: int) -> Submission | None:
    """The submission, asked about in the words of that template; None if it is the rubric's own."""
    del seed
    rubric = rubric_of(submission)
    if rubric.template == template:
        return None
    key = f"audit: template {template}"
    if key not in rubric.memo:
        rubric.memo[key] = rubric.model_copy(update={"template": template, "tests": ()})
    return with_rubric(submission, rubric.memo[key])


def unchanged(submission: Submission, seed: int) -> Submission | None:
    """The submission as it is."""
    del seed
    return submission


def signed(author: str, submission: Submission, seed: int) -> Submission | None:
    """The submission with a line that says who wrote it."""
    del seed
    return with_output(submission, lambda text: f"{text}\n\n(Written by {author}.)" if text.strip() else text)


def signature(judge: str) -> Perturbation:
    """The perturbation that has the judge's own model sign the answer, against another model as control."""
    return Perturbation(
        name="signed-by-the-judge",
        audit="self-preference",
        summary=f"signed by {judge}, against the signature of another model",
        change=partial(signed, judge),
        control=partial(signed, OTHER_AUTHOR),
    )


for wording in WORDINGS:
    summary = f"in the words of the template {wording}"
    change = partial(reworded, wording)
    add(Perturbation(name=f"worded-{wording}", audit="paraphrase", summary=summary, change=change, whole=True))

for number in range(1, AGAIN + 1):
    add(
        Perturbation(
            name=f"again-{number}",
            audit="repeatability",
            summary="the same question once more, past the ledger, and with another seed where one is set",
            change=unchanged,
            whole=True,
            again=number,
        )
    )
