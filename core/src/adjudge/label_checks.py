"""Whether labels of people fit the scales of the rubric."""

from __future__ import annotations

import math

from adjudge.dataset import Dataset
from adjudge.errors import InputError
from adjudge.rubric import Rubric
from adjudge.scale import Scale
from adjudge.submission import Label, Submission


def misfit(label: Label, scale: Scale) -> str:
    """What is wrong with the number of a label and how to mend it, in one line; empty if nothing is."""
    if label.score is None:
        return ""
    if scale.range is not None and not scale.range[0] <= label.score <= scale.range[1]:
        low, high = scale.range
        return f"the score {label.score:g} on {label.criterion!r} lies outside its scale, {low:g} to {high:g}"
    worth = scale.level(label.level).score if label.level is not None and label.level in scale else None
    if worth is None or math.isclose(worth, label.score, abs_tol=1e-9):
        return ""
    return (
        f"the level {label.level!r} on {label.criterion!r} is worth {worth:g}, and the score beside it is"
        f" {label.score:g}; leave out the one that is wrong"
    )


def refuse_misfits(data: Dataset, rubric: Rubric | None) -> None:
    """Look at the labels that stand in a data file.

    Args:
        data: What the file holds.
        rubric: The rubric of submissions that bring none.

    Raises:
        InputError: The number of a label lies outside its scale, or does not go with its level.
    """
    for item in data.items:
        own = item.rubric or rubric
        if not isinstance(item, Submission) or own is None:
            continue
        scales = {criterion.id: criterion.scale for criterion in own.criteria}
        for label in item.labels:
            if label.criterion in scales and (problem := misfit(label, scales[label.criterion])):
                raise InputError(f"{data.path}:{data.lines[item.id]}: {problem}")
