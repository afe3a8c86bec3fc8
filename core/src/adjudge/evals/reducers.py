"""Reducers for epochs: one score of several, with every epoch's judgement kept."""

from __future__ import annotations

import math
from collections.abc import Sequence

from inspect_ai.scorer import Score, ScoreReducer, mean_score, score_reducer

from adjudge.evals.scores import KEY

EPOCHS = f"{KEY}_epochs"
"""Key beside the first epoch's entry; a list of the entries of all epochs."""


@score_reducer(name="adjudge/epochs_mean")
def epochs_mean() -> ScoreReducer:
    """The mean of each number over the epochs in which it is one; nan if there is none.

    `coverage` is always a number, so an epoch that could not be judged lowers it. inspect's own reducers keep the
    metadata of the first epoch only; this one keeps the entries of all, under `metadata["adjudge_epochs"]`. A score
    that is not a table, another scorer's, is left to inspect's own mean.
    """
    plain = mean_score()

    def reduce(scores: list[Score]) -> Score:
        first = scores[0]
        if not any(isinstance(score.value, dict) for score in scores):
            return plain(scores)
        if len(scores) == 1:
            return first
        keys = dict.fromkeys(key for score in scores for key in _table(score))
        value = {key: _mean([_table(score).get(key, math.nan) for score in scores]) for key in keys}
        entries = [(score.metadata or {}).get(KEY) for score in scores]
        return Score(
            value=value or math.nan,
            answer=first.answer,
            explanation=first.explanation,
            reason=first.reason if all(score.reason for score in scores) else None,
            metadata={**(first.metadata or {}), EPOCHS: entries},
        )

    return reduce


def _table(score: Score) -> dict[str, float]:
    return (
        {key: float(value) for key, value in score.value.items() if isinstance(value, int | float)}
        if isinstance(score.value, dict)
        else {}
    )


def _mean(values: Sequence[float]) -> float:
    known = [value for value in values if not math.isnan(value)]
    return math.fsum(known) / len(known) if known else math.nan
