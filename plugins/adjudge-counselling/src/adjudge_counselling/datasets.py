"""Data sets as submissions, and the rubrics that they are judged by: what the tasks are made of."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any

from adjudge.errors import InputError
from adjudge.rubric import Rubric, ScoringChoice
from adjudge.submission import Label, Message, Submission
from adjudge_counselling import annomi, esconv, psyeval
from adjudge_counselling.crisis import RISK
from adjudge_counselling.dialogue import SPEAKERS, Language, Side, Utterance, transcript
from adjudge_counselling.rubrics import pack

PSYEVAL_PACKS: Mapping[str, str] = {"en": "psyeval", "zh": "psyeval-zh"}
"""The sixteen dimensions, by language of the rubric."""
CRISIS_PACKS: Mapping[str, str] = {"en": "crisis", "zh": "crisis-zh"}
"""The one question of the gate, by language of the message."""
TURN_CRITERIA = (
    "concern",
    "expressiveness",
    "resonance",
    "warmth",
    "acceptance",
    "responsiveness",
    "logical_consistency",
    "resistance",
    "ethics",
    "fallacy_avoidance",
)
"""Dimensions of PsyEval that a single turn can show."""
_YOU_ARE: Mapping[Language, str] = {
    "en": "You are the counsellor; the user is your client. Give your next turn, and nothing else.",
    "zh": "你是咨询师，用户是你的来访者。只写出你接下来要说的话。",
}
_POINTING: Mapping[str, Any] = {"read_out": "reasoned", "read_out_options": {"quotes": True}}


def psyeval_dataset(*, source: str = "", language: Language = "zh", **_others: Any) -> list[Submission]:
    """Stored sessions to judge; where the file has a model's scores, they are the labels of `score_correlation`.

    Raises:
        InputError: The source cannot be read, has no sessions, or its labels are normalised wrongly.
    """
    client, counsellor = SPEAKERS["client", language], SPEAKERS["counsellor", language]
    found = [
        Submission(
            id=f"psyeval-{one.id}",
            input=one.complaint,
            output=transcript(one.utterances, client, counsellor),
            labels=tuple(
                Label(criterion=name, score=score, rater=psyeval.RATER) for name, score in one.by_criterion.items()
            ),
            metadata={"category": one.category},
        )
        for one in psyeval.load_sessions(source)
        if one.utterances
    ]
    if not found:
        raise InputError(f"{source}: no row holds a session; use the task psyeval-session to have them written")
    return found


def psyeval_rubric(*, language: str = "zh", **_others: Any) -> Rubric:
    """The sixteen dimensions in the language."""
    return pack(PSYEVAL_PACKS[language])


def session_dataset(*, source: str = "", case: str = "report", **_others: Any) -> list[Submission]:
    """Cases for a candidate to write a session for.

    Args:
        source: A file of PsyEval; the synthetic cases if empty.
        case: `report` for the case report, which the published sessions were written from, or `complaint` for the
            client's own words, which are shorter.

    Raises:
        InputError: The source cannot be read.
    """
    return [
        Submission(
            id=f"psyeval-{one.id}",
            input=one.complaint if case == "complaint" else one.report,
            metadata={"category": one.category},
        )
        for one in psyeval.load_cases(source)
    ]


def turn_dataset(*, source: str = "", language: Language = "zh", after: int = 3, **_others: Any) -> list[Submission]:
    """Stored sessions broken off after one of the client's turns, as chat messages for a candidate to go on from.

    Args:
        source: A file of PsyEval; the synthetic sessions if empty.
        language: Of the instruction to the candidate.
        after: How many of the client's turns are shown; shorter sessions are left out.

    Raises:
        InputError: The source cannot be read, or no session is long enough.
    """
    begin = Message(role="system", content=_YOU_ARE[language])
    found = [
        Submission(id=f"psyeval-{one.id}", input=(begin, *shown), metadata={"category": one.category, "after": after})
        for one in psyeval.load_cases(source)
        if (shown := _broken_off(one.utterances, after))
    ]
    if not found:
        raise InputError(
            f"after={after}: no session of {source or 'the synthetic ones'} has so many turns of the client"
        )
    return found


def _broken_off(utterances: Sequence[Utterance], after: int) -> list[Message]:
    """The session up to the client's turn of that number; empty if there is none."""
    places = [place for place, said in enumerate(utterances) if said.side == "client"]
    shown = utterances[: places[after - 1] + 1] if 0 < after <= len(places) else ()
    return [Message(role="user" if said.side == "client" else "assistant", content=said.text) for said in shown]


def turn_rubric(*, language: str = "zh", **_others: Any) -> Rubric:
    """The dimensions that one turn can show, as a share of what they could earn."""
    part = pack(PSYEVAL_PACKS[language]).with_criteria(TURN_CRITERIA)
    return part.model_copy(update={"scoring": ScoringChoice(name="weighted")})


def annomi_dataset(
    *, source: str = "", unit: str = "dialogue", context: int = 6, opening: int = 0, **_others: Any
) -> list[Submission]:
    """Conversations, or single utterances, with experts' labels.

    Args:
        source: A file of AnnoMI; the synthetic conversations if empty.
        unit: `dialogue` (is it a good example), `therapist` or `client` (what does an utterance do).
        context: Utterances shown before a single one.
        opening: Utterances shown of a conversation; 0 for all. The experts heard all of it.

    Raises:
        InputError: The source cannot be read, or a number is negative.
    """
    conversations = annomi.load_conversations(source)
    if unit == "dialogue":
        return annomi.whole(conversations, _count("opening", opening))
    side: Side = "counsellor" if unit == "therapist" else "client"
    return annomi.single(conversations, side, _count("context", context))


def annomi_rubric(*, unit: str = "dialogue", **_others: Any) -> Rubric:
    """The question about a whole conversation, or those about utterances (each submission brings its own)."""
    return pack("mi-quality" if unit == "dialogue" else "mi-utterance")


def pointing_options(*, point: bool = False, **_others: Any) -> dict[str, Any]:
    """With `point`, the judge copies the passages that its verdict rests on."""
    return dict(_POINTING) if point else {}


def esconv_dataset(*, source: str = "", unit: str = "utterance", context: int = 6, **_others: Any) -> list[Submission]:
    """Supporters' utterances with their strategy, or whole sessions with the seeker's ratings.

    Raises:
        InputError: The source cannot be read, has nothing of that unit, or `context` is negative.
    """
    conversations = esconv.load_support(source)
    shown = _count("context", context)
    found = esconv.sessions(conversations) if unit == "session" else esconv.utterances(conversations, shown)
    if not found:
        raise InputError(f"{source}: holds nothing labelled for unit={unit}")
    return found


def esconv_rubric(*, unit: str = "utterance", **_others: Any) -> Rubric:
    """Strategies of an utterance, or the seeker's ratings of a session."""
    return pack("support-session" if unit == "session" else "support-strategy")


def _count(name: str, value: int) -> int:
    if value < 0:
        raise InputError(f"{name}={value}: it must be 0 or more")
    return value


def crisis_dataset(*, language: str = "both", split: str = "both", **_others: Any) -> list[Submission]:
    """The shipped synthetic messages: each with a sign of danger, open or hinted, has a benign twin.

    Args:
        language: `en`, `zh` or `both`; each message is judged by the rubric of its language.
        split: `seen` by the author of the lexicon while it was mended, `unseen`, or `both`.
    """
    file = files("adjudge_counselling") / "data" / "crisis_cases.jsonl"
    cases = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    return [
        Submission(
            id=case["id"],
            output=case["text"],
            labels=(Label(criterion=RISK, level=case["level"]),),
            rubric=pack(CRISIS_PACKS[case["language"]]),
            metadata={
                "cluster": case["pair"],
                **{name: case[name] for name in ("pair", "language", "kind", "split", "synthetic")},
            },
        )
        for case in cases
        if language in (case["language"], "both") and split in (case["split"], "both")
    ]


def crisis_rubric(*, language: str = "both", **_others: Any) -> Rubric:
    """The question in the language; in English for both, where each message brings its own."""
    return pack(CRISIS_PACKS["zh" if language == "zh" else "en"])
