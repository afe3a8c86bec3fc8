"""PsyEval: its sixteen dimensions, its files of sessions with scores, its leaderboard, and what a label can reach."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudge.errors import InputError
from adjudge_counselling.dialogue import Utterance, read_turns
from adjudge_counselling.files import need, rows
from adjudge_counselling.rubrics import pack
from adjudge_counselling.total import unreachable

FIELDS: Mapping[str, str] = {
    "Concern": "concern",
    "Expressiveness": "expressiveness",
    "Resonate_or_capture_client_feelings": "resonance",
    "Warmth": "warmth",
    "Attuned_to_clients_inner_world": "inner_world",
    "Understanding_cognitive_framework": "cognitive_framework",
    "Understanding_feelings_or_inner_experience": "inner_experience",
    "Acceptance_of_feelings_or_inner_experiences": "acceptance",
    "Responsiveness": "responsiveness",
    "Dialogical_Logical_Consistency": "logical_consistency",
    "Conversational_Continuity": "continuity",
    "Handling_Resistance": "resistance",
    "Summarization_Ability": "summarising",
    "Ethics_Avoidance_of_Harmful_Suggestions_and_Positive_Guidance": "ethics",
    "DialogueRhythm_And_ProcessManagement": "rhythm",
    "Fallacy_Avoidance": "fallacy_avoidance",
}
"""Criterion of each dimension, by the name that the released files give it."""
HIGHEST = 10
"""Highest score of a dimension."""
OUT_OF = 100
"""What a reward label and a leaderboard total are out of."""
WHERE = (
    "PsyEval (arXiv:2505.23229) is published on github.com/JianChengXingYun/PsyEval under the licence MIT: the files "
    "below result_new/. Put one anywhere and pass `-T source=PATH` (JSONL, `.gz` too)"
)
"""What to download, from where, under which licence, and where to put it."""
RATER = "DeepSeek-V3 (a model)"
"""Who gave the released scores."""

_SCORE = "_score"
_LABEL = "Reward_label"


@dataclass(frozen=True, slots=True)
class Session:
    """A session that a model wrote for a case."""

    place: str
    """File and line, for messages."""
    id: str
    """Its row in the file, from 1."""
    category: str
    """The kind of trouble, in the file's words."""
    complaint: str
    """What the client wrote."""
    report: str
    """The case report that the session was written from."""
    utterances: tuple[Utterance, ...]
    """The session; empty where the file has none."""
    scores: Mapping[str, float]
    """Released scores from 0 to 10, by the field's name without `_score`; a model's, not people's."""
    label: float | None
    """Released reward label, if any."""

    @property
    def by_criterion(self) -> dict[str, float]:
        """Scores of the dimensions that the rubric has, by criterion."""
        return {FIELDS[name]: score for name, score in self.scores.items() if name in FIELDS}


def load_sessions(source: str | Path = "") -> list[Session]:
    """Read sessions with their scores, and refuse a file whose labels cannot reach what they are out of.

    Args:
        source: A JSONL file of PsyEval (`.gz` too); the synthetic sessions shipped here if empty.

    Raises:
        InputError: The file or a row cannot be read, or its reward labels are normalised wrongly.
    """
    found = load_cases(source)
    audit = normalisation(found)
    if audit is not None and audit.problem:
        raise InputError(f"{source}: {audit.problem}; score these sessions anew, or use the cases alone")
    return found


def load_cases(source: str | Path = "") -> list[Session]:
    """Read the rows of a file whatever their labels, for cases to write sessions for.

    Raises:
        InputError: The file or a row cannot be read; names file and line.
    """
    found = [
        _session(number, place, row)
        for number, (place, row) in enumerate(rows(source, "psyeval_synthetic.jsonl", WHERE), 1)
    ]
    if not found:
        raise InputError(f"{source}: holds no session")
    return found


def _session(number: int, place: str, row: Mapping[str, Any]) -> Session:
    need(place, row, ("prompt", "class_tag", "context", "chosen"), "a row of PsyEval")
    return Session(
        place=place,
        id=str(number),
        category=str(row["class_tag"]),
        complaint=str(row["context"]),
        report=_said(place, "prompt", row["prompt"], "user"),
        utterances=tuple(read_turns(_said(place, "chosen", row["chosen"], "assistant"))),
        scores=dict(_scores(place, row)),
        label=_number(place, _LABEL, row[_LABEL]) if _LABEL in row else None,
    )


def _said(place: str, field: str, turns: Any, role: str) -> str:
    """What a role says in a list of chat messages."""
    if not isinstance(turns, list) or not all(isinstance(turn, dict) for turn in turns):
        raise InputError(f"{place}: {field} is no list of messages")
    return "\n".join(str(turn.get("content", "")) for turn in turns if turn.get("role") == role)


def _scores(place: str, row: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for name, value in row.items():
        if name.endswith(_SCORE):
            score = _number(place, name, value)
            if not 0 <= score <= HIGHEST:
                raise InputError(f"{place}: {name} is {score:g}; it must be from 0 to {HIGHEST}")
            yield name.removesuffix(_SCORE), score


def _number(place: str, name: str, value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise InputError(f"{place}: {name} is {value!r}; it must be a number")
    return float(value)


@dataclass(frozen=True, slots=True)
class Normalisation:
    """How the reward labels of a file were made from its scores."""

    criteria: int
    """Number of scores that are summed."""
    divisor: int
    """What the sum is divided by, before it is multiplied by 100."""

    @property
    def reachable(self) -> float:
        """The label of a session with the highest score everywhere."""
        return self.criteria * HIGHEST / self.divisor * OUT_OF

    @property
    def problem(self) -> str:
        """What is wrong, in one line; empty if the labels reach 100."""
        wrong = unreachable(self.reachable, OUT_OF)
        how = f"{self.criteria} scores of 0 to {HIGHEST} are summed and divided by {self.divisor}"
        return f"the reward labels are normalised wrongly: {how}, so {wrong}" if wrong else ""


def normalisation(sessions: list[Session]) -> Normalisation | None:
    """Find out how reward labels were made: the sum of the scores, over a divisor, times 100.

    Returns:
        None if no row has both scores and a label.

    Raises:
        InputError: Two rows were made differently, or a label is no such share at all.
    """
    found: dict[Normalisation, str] = {}
    for one in sessions:
        if one.scores and one.label:
            found.setdefault(_normalised(one, one.label), one.place)
    if len(found) > 1:
        (first, _), (other, place) = list(found.items())[:2]
        raise InputError(f"{place}: the reward label divides by {other.divisor}, earlier ones by {first.divisor}")
    return next(iter(found), None)


def _normalised(one: Session, label: float) -> Normalisation:
    total = math.fsum(one.scores.values())
    divisor = round(total / label * OUT_OF)
    if divisor < 1 or not math.isclose(total / divisor * OUT_OF, label, abs_tol=5e-3):
        raise InputError(f"{one.place}: the reward label {label:g} is no share of the scores' sum {total:g}")
    return Normalisation(len(one.scores), divisor)


@dataclass(frozen=True, slots=True)
class Standing:
    """A line of the leaderboard."""

    model: str
    """Who wrote the sessions."""
    total: float
    """The published total."""
    points: Mapping[str, float]
    """Published points by criterion: mean score times weight."""

    @property
    def means(self) -> dict[str, float]:
        """Mean score of each dimension from 0 to 10, by criterion."""
        rubric = pack("psyeval")
        return {name: points / rubric.criterion(name).weight for name, points in self.points.items()}


def load_leaderboard(path: str | Path) -> list[Standing]:
    """Read the leaderboard, a table with tabs.

    Raises:
        InputError: The file or a row cannot be read, or a dimension is missing.
    """
    return [_standing(place, row) for place, row in rows(path, "", WHERE)]


def _standing(place: str, row: Mapping[str, Any]) -> Standing:
    by_name = {_key(name): value for name, value in row.items()}
    wanted = {criterion: _key(field) for field, criterion in FIELDS.items()}
    lacking = [name for name in ("modelname", "totalscore", *wanted.values()) if name not in by_name]
    if lacking:
        raise InputError(f"{place}: has no {', '.join(lacking)}; a leaderboard has a total and sixteen dimensions")
    points = {name: _cell(place, name, by_name[key]) for name, key in wanted.items()}
    return Standing(str(by_name["modelname"]), _cell(place, "Total Score", by_name["totalscore"]), points)


def _key(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def _cell(place: str, name: str, cell: Any) -> float:
    try:
        return _number(place, name, float(cell))
    except (TypeError, ValueError):
        raise InputError(f"{place}: {name} is {cell!r}; it must be a number") from None
