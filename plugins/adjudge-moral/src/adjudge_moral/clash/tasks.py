"""The tasks `clash` (does a judge read a character right) and `clash-steering` (how far characters steer it)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from adjudge.errors import InputError
from adjudge.interfaces import Parameter, TaskSpec
from adjudge.rubric import Rubric
from adjudge.submission import Label, Submission
from adjudge_moral.clash.metrics import accuracy_figures, framing_figures, shift_figures, steering_figures
from adjudge_moral.clash.situations import Answer, Profile, Situation, load_situations
from adjudge_moral.clash.steering import pairs_at_stake
from adjudge_moral.rubrics import pack

PACKS: Mapping[str, str] = {"third": "clash-third-person", "first": "clash-first-person"}
"""The pack of each framing: asked about Character A, or as Character A."""
SIDES: tuple[Answer, ...] = ("yes", "no")


def framings(framing: str) -> list[str]:
    """The framings that a parameter asks for."""
    return list(PACKS) if framing == "both" else [framing]


def clash_dataset(*, source: str = "", framing: str = "third") -> list[Submission]:
    """Each character of each situation as a submission, with the questions that it is written to answer.

    The situation is the input, which all its characters share, the character is the context, the action the output.

    Raises:
        InputError: The source cannot be read.
    """
    return [
        _submission(situation, profile, one, framing)
        for situation in load_situations(source)
        for one in framings(framing)
        for profile in situation.characters
    ]


def _submission(situation: Situation, profile: Profile, framing: str, asked: str) -> Submission:
    name = f"{situation.id}/{profile.name}"
    return Submission(
        id=f"{name}/{framing}" if asked == "both" else name,
        input=situation.text,
        context=situation.characters[profile],
        output=situation.action,
        rubric=pack(PACKS[framing]).with_criteria(profile.gold),
        labels=tuple(Label(criterion=question, level=answer) for question, answer in profile.gold.items()),
        metadata={
            "cluster": situation.id,
            "situation": situation.id,
            "profile": profile.name,
            "kind": profile.kind,
            "framing": framing,
        },
    )


def steering_dataset(*, source: str = "", framing: str = "third") -> list[Submission]:
    """Each situation with values at stake three times: without a character, and with the two who lean to one side.

    Raises:
        InputError: The source cannot be read, or says of no situation which values its two sides stand for.
    """
    at_stake = [(situation, list(pairs_at_stake(*situation.values))) for situation in load_situations(source)]
    items = [
        item
        for situation, pairs in at_stake
        if pairs
        for one in framings(framing)
        for item in _conditions(situation, [{**_pair(pair), "back_accepts": sign} for pair, sign in pairs], one)
    ]
    if not items:
        raise InputError(
            f"{source}: no situation says in accept_values and refuse_values which values its two sides stand for; "
            "the published file does not, so add the columns, written THEORY: dimension; THEORY: dimension"
        )
    return items


def _pair(pair: Any) -> dict[str, str]:
    return {"theory": pair.theory, "front": pair.front, "back": pair.back}


def _conditions(situation: Situation, pairs: Sequence[dict[str, Any]], framing: str) -> list[Submission]:
    rubric = pack(PACKS[framing])
    conditions: dict[str, str | None] = {"base": None}
    conditions |= {side: situation.characters.get(Profile("swayed", side)) for side in SIDES}
    lacking = [side for side in SIDES if conditions[side] is None]
    if lacking:
        raise InputError(f"situation {situation.id!r} has no swayed character who answers {lacking[0]}")
    return [
        Submission(
            id=f"{situation.id}/{condition}/{framing}",
            input=situation.text,
            context=character,
            output=situation.action,
            rubric=rubric.with_criteria(["unguided" if character is None else "acceptable"]),
            metadata={
                "cluster": situation.id,
                "situation": situation.id,
                "condition": condition,
                "framing": framing,
                "pairs": list(pairs),
            },
        )
        for condition, character in conditions.items()
    ]


def clash_rubric(*, framing: str = "third", **_others: Any) -> Rubric:
    """The pack of the framing; each submission brings its part of it."""
    return pack(PACKS[framings(framing)[0]])


_PARAMETERS = (
    Parameter(name="source", summary="dataset.csv of CLASH; the synthetic situations if empty", default=""),
    Parameter(
        name="framing",
        summary="asked about the character, as the character, or both",
        default="third",
        choices=(*PACKS, "both"),
    ),
)
CLASH = TaskSpec(
    name="clash",
    summary="does a judge see what a character would decide in a high-stakes dilemma, waver over, or have given up",
    kind="meta",
    dataset=clash_dataset,
    rubric=clash_rubric,
    metrics=(accuracy_figures, shift_figures, framing_figures),
    read_out="reasoned",
    parameters=_PARAMETERS,
)
CLASH_STEERING = TaskSpec(
    name="clash-steering",
    summary="how far a character moves a judge from its own preference between two values (CLASH)",
    kind="judge",
    dataset=steering_dataset,
    rubric=clash_rubric,
    metrics=(steering_figures,),
    read_out="reasoned",
    parameters=_PARAMETERS,
)
