"""Scores that other scorers gave, as verdicts without a rubric: what they say is kept, what they lack stays missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from adjudge.verdict import Reason, Result, Score, Verdict

_WORDS = {"C": 1.0, "P": 0.5, "I": 0.0, "N": 0.0, "yes": 1.0, "true": 1.0, "no": 0.0, "false": 0.0}
"""Numbers that inspect-ai reads these values as: correct, partly correct, incorrect, no answer."""
_REASONS: Mapping[str, Reason] = {
    "refusal": "refusal",
    "invalid_response_format": "parse",
    "grader_failed": "parse",
    "scoring_failed": "infra",
}
"""inspect's reasons in our words; any other is `abstain`, and stands in the detail in any case."""


def result_of_score(name: str, sample: str, score: Any) -> Result:
    """A score of another scorer.

    Args:
        name: Name of the scorer.
        sample: Id of the submission in the result.
        score: inspect's `Score`: a number, a word, or a table or list of these.

    Returns:
        One verdict per value, with the score's explanation on the first. A value that is no number and no word for one
        is a level without a score; NaN and None are unscored.
    """
    verdicts = [
        _verdict(sample, name, key, value, score, first=place == 0)
        for place, (key, value) in enumerate(_values(name, score.value))
    ]
    scored = [verdict for verdict in verdicts if verdict.status == "scored"]
    alone = verdicts[0].score if len(verdicts) == 1 else None
    combined = Score(
        submission=sample,
        rubric="",
        scoring=name,
        value=alone,
        bounds=None,
        coverage=len(scored) / len(verdicts) if verdicts else 0.0,
        criteria={verdict.criterion: verdict.score for verdict in verdicts},
        note="" if len(verdicts) == 1 else "a table of values",
    )
    return Result(submission=sample, verdicts=tuple(verdicts), score=combined)


def no_result(sample: str, scorer: str, why: str) -> Result:
    """What stands where a sample has no score."""
    empty = Score(
        submission=sample, rubric="", scoring=scorer, value=None, bounds=None, coverage=0.0, criteria={}, note=why
    )
    return Result(submission=sample, verdicts=(), score=empty)


def _values(name: str, value: Any) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from ((str(key), inner) for key, inner in value.items())
    elif isinstance(value, Sequence) and not isinstance(value, str):
        yield from ((f"{name}[{place}]", inner) for place, inner in enumerate(value))
    else:
        yield name, value


def _verdict(sample: str, scorer: str, criterion: str, value: Any, score: Any, *, first: bool) -> Verdict:
    number = _number(value)
    common = {
        "submission": sample,
        "criterion": criterion,
        "judge": scorer,
        "explanation": (score.explanation or "") if first else "",
    }
    if value is None or (number is not None and math.isnan(number)):
        said = str(score.reason or "")
        detail = {"reason": _REASONS.get(said, "abstain"), "detail": said}
        return Verdict.model_validate({**common, **detail, "status": "unscored"})
    level = f"{value:g}" if isinstance(value, float) else str(value)
    return Verdict.model_validate({**common, "status": "scored", "level": level, "score": number})


def _number(value: Any) -> float | None:
    """The number that a value stands for; None if it stands for none."""
    if isinstance(value, int | float):
        return float(value)
    word = str(value)
    known = _WORDS.get(word, _WORDS.get(word.lower()) if len(word) > 1 else None)
    if known is not None:
        return known
    try:
        number = float(word)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
