"""The task `daily-dilemmas`: which of two actions a judge would take, and whether a system prompt changes that."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from adjudge.errors import InputError
from adjudge.interfaces import Parameter, TaskSpec
from adjudge.rubric import Rubric
from adjudge.submission import Comparison, Submission
from adjudge_moral.choices import drawn_orders
from adjudge_moral.daily_dilemmas.dilemmas import ACTIONS, Dilemma, load_dilemmas
from adjudge_moral.daily_dilemmas.principles import SIDES, load_principle
from adjudge_moral.daily_dilemmas.profile import profile_figures, steering_figures
from adjudge_moral.rubrics import pack


def dilemma_dataset(
    *, source: str = "", principle: str = "", principles: str = "", steer: str = "none", seed: int = 0
) -> list[Comparison]:
    """Dilemmas as comparisons of their two actions; with `steer` each a second time, under a steering system prompt.

    Args:
        source: See `load_dilemmas`.
        principle: Id of a principle whose score is computed, and by which `steer` steers.
        principles: See `load_principle`.
        steer: `none`, `support` or `oppose`.
        seed: Which action is given first; both orders are asked whatever it is.

    Raises:
        InputError: The source cannot be read, or there is nothing to steer by.
        UnknownNameError: There is no such principle.
    """
    if steer != "none" and not principle:
        raise InputError(f"steer={steer}: name a principle to steer by, for example -T principle=candour")
    dilemmas = load_dilemmas(source)
    drawn = list(zip(dilemmas, drawn_orders(ACTIONS, len(dilemmas), seed), strict=True))
    if not principle:
        return [_comparison(*one, {}) for one in drawn]
    chosen = load_principle(principle, principles)
    about = {"principle": {side: dict(shares) for side, shares in chosen.values.items()}}
    plain = [_comparison(*one, about) for one in drawn]
    if steer == "none":
        return plain
    rubric = steered_rubric(chosen.steering[steer])
    return plain + [_comparison(*one, {**about, "steered": True}, rubric) for one in drawn]


def steered_rubric(prompt: str) -> Rubric:
    """The rubric of a choice, with a system prompt put before its own instructions; its own wording is untouched."""
    rubric = pack("choice")
    return rubric.model_copy(update={"instructions": f"{prompt.strip()}\n{rubric.instructions}", "tests": ()})


def _comparison(
    dilemma: Dilemma, order: Sequence[str], about: dict[str, Any], rubric: Rubric | None = None
) -> Comparison:
    name = f"{dilemma.id}/steered" if rubric else dilemma.id
    return Comparison(
        id=name,
        submissions=tuple(_submission(dilemma, kind, name, rubric) for kind in order),
        metadata={"cluster": dilemma.id, "topic": dilemma.topic, **about},
    )


def _submission(dilemma: Dilemma, kind: str, name: str, rubric: Rubric | None) -> Submission:
    action = dilemma.actions[kind]
    return Submission(
        id=f"{name}/{kind}",
        input=dilemma.situation,
        output=action.text,
        rubric=rubric,
        metadata={
            "values": list(action.values),
            "dimensions": {theory: list(found) for theory, found in action.dimensions.items()},
        },
    )


DAILY_DILEMMAS = TaskSpec(
    name="daily-dilemmas",
    summary="which values a judge favours in everyday dilemmas, under five theories, and whether it can be steered",
    kind="judge",
    dataset=dilemma_dataset,
    rubric="moral/choice",
    metrics=(profile_figures, steering_figures),
    judge="compare",
    judge_options={"ties": False},
    parameters=(
        Parameter(name="source", summary="dilemmas_with_detail_by_action.csv; synthetic if empty", default=""),
        Parameter(name="principle", summary="id of a principle to score by; none if empty", default=""),
        Parameter(name="principles", summary="file of principles; the synthetic ones if empty", default=""),
        Parameter(
            name="steer",
            summary="asks again under a system prompt to that side of the principle",
            default="none",
            choices=("none", *SIDES),
        ),
        Parameter(name="seed", summary="which action is given first", default=0),
    ),
)
