"""Reads ESConv: conversations of emotional support with the strategy of each utterance and the seeker's rating."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from adjudge.errors import InputError
from adjudge.submission import Label, Submission
from adjudge_counselling.dialogue import Side, Utterance, before, one_line, transcript
from adjudge_counselling.files import need, rows

STRATEGIES: Mapping[str, str] = {
    "question": "question",
    "questions": "question",
    "restatement or paraphrasing": "restatement",
    "reflection of feelings": "reflection",
    "self-disclosure": "self_disclosure",
    "affirmation and reassurance": "affirmation",
    "providing suggestions": "suggestion",
    "providing suggestions or information": "suggestion",
    "information": "information",
    "other": "other",
    "others": "other",
}
"""Level of each spelling of a strategy in the released files."""
RATINGS = ("empathy", "relevance")
"""What seekers rated from 1 to 5 after the conversation."""
WHERE = (
    "ESConv (Liu et al. 2021, arXiv:2106.01144) is published as ESConv.json on "
    "github.com/thu-coai/Emotional-Support-Conversation, for academic research, and as thu-coai/esconv on "
    "huggingface.co under the licence CC BY-NC 4.0. Put the file anywhere and pass `-T source=PATH`"
)
"""What to download, from where, under which licence, and where to put it."""

_SIDES: Mapping[str, Side] = {
    "seeker": "client",
    "speaker": "client",
    "usr": "client",
    "supporter": "counsellor",
    "listener": "counsellor",
    "sys": "counsellor",
}


@dataclass(frozen=True, slots=True)
class Support:
    """One conversation."""

    id: str
    """Its place in the file, from 1."""
    problem: str
    """What it is about, by ESConv's own type."""
    emotion: str
    """What the seeker felt."""
    situation: str
    """The seeker's own words on it."""
    utterances: tuple[Utterance, ...]
    """In order; the supporter's with their strategy."""
    ratings: Mapping[str, int]
    """The seeker's ratings from 1 to 5; empty where there was no survey."""


def load_support(source: str | Path = "") -> list[Support]:
    """Read all conversations of a file with the fields of ESConv.json, FailedESConv.json or the hub's JSONL.

    Args:
        source: A JSON or JSONL file (`.gz` too); the synthetic conversations shipped here if empty.

    Raises:
        InputError: The file or one of its rows cannot be read; names file and line.
    """
    found = [
        _support(number, place, row)
        for number, (place, row) in enumerate(rows(source, "esconv_synthetic.json", WHERE), 1)
    ]
    if not found:
        raise InputError(f"{source}: holds no conversation")
    return found


def _support(number: int, place: str, row: Mapping[str, Any]) -> Support:
    need(place, row, ("emotion_type", "problem_type", "situation", "dialog"), "a conversation of ESConv")
    turns = row["dialog"]
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, dict) for turn in turns):
        raise InputError(f"{place}: dialog is no list of utterances")
    return Support(
        id=str(number),
        problem=str(row["problem_type"]),
        emotion=str(row["emotion_type"]),
        situation=one_line(str(row["situation"])),
        utterances=tuple(_utterance(f"{place}, utterance {n}", n, turn) for n, turn in enumerate(turns, 1)),
        ratings=_ratings(place, row.get("survey_score") or {}),
    )


def _utterance(place: str, number: int, turn: Mapping[str, Any]) -> Utterance:
    speaker = str(turn.get("speaker", "")).strip().casefold()
    if speaker not in _SIDES:
        raise InputError(f"{place}: speaker is {turn.get('speaker')!r}; it must be one of {', '.join(_SIDES)}")
    text = turn.get("content", turn.get("text"))
    if not isinstance(text, str):
        raise InputError(f"{place}: has no content")
    side = _SIDES[speaker]
    return Utterance(number, side, one_line(text), _strategy(place, turn) if side == "counsellor" else "")


def _strategy(place: str, turn: Mapping[str, Any]) -> str:
    """The level of the utterance's strategy; empty if it has none."""
    annotation = turn.get("annotation")
    named = annotation.get("strategy") if isinstance(annotation, dict) else turn.get("strategy")
    if not named:
        return ""
    level = STRATEGIES.get(str(named).strip().strip("[]").casefold())
    if level is None:
        raise InputError(f"{place}: strategy is {named!r}; known are {', '.join(STRATEGIES)}")
    return level


def _ratings(place: str, survey: Any) -> dict[str, int]:
    seeker = survey.get("seeker") if isinstance(survey, dict) else None
    given = {name: seeker[name] for name in RATINGS if seeker.get(name)} if isinstance(seeker, dict) else {}
    for name, value in given.items():
        if str(value) not in {"1", "2", "3", "4", "5"}:
            raise InputError(f"{place}: the seeker's {name} is {value!r}; it must be from 1 to 5")
    return {name: int(value) for name, value in given.items()}


def sessions(conversations: Iterable[Support]) -> list[Submission]:
    """A submission per conversation that its seeker rated, labelled with the ratings."""
    return [
        Submission(
            id=f"esconv-{one.id}",
            input=f"What the seeker wrote of the situation: {one.situation}",
            output=_lines(one.utterances),
            labels=tuple(
                Label(criterion=name, level=str(value), score=value, rater="seeker")
                for name, value in one.ratings.items()
            ),
            metadata={"cluster": one.id, "problem": one.problem, "emotion": one.emotion},
        )
        for one in conversations
        if one.ratings
    ]


def utterances(conversations: Iterable[Support], context: int) -> list[Submission]:
    """A submission per utterance of the supporter that has a strategy, with what was said before as its input.

    Args:
        conversations: Where they come from.
        context: Number of utterances before it that are shown.
    """
    return [
        Submission(
            id=f"esconv-{one.id}-{said.number}",
            input=_lines(before(one.utterances, place, context)) or one.situation,
            output=_lines([said]),
            labels=(Label(criterion="strategy", level=said.label, rater="supporter"),),
            metadata={"cluster": one.id, "problem": one.problem},
        )
        for one in conversations
        for place, said in enumerate(one.utterances)
        if said.label and said.text
    ]


def _lines(some: Iterable[Utterance]) -> str:
    return transcript(some, "seeker", "supporter")
